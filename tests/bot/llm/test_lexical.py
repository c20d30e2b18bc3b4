"""Words, stems and relevance."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.llm import lexical
from bot.llm.intents import wanted


@pytest.mark.parametrize(
    "forms",
    [
        ("refund", "refunds", "refunded", "refunding"),
        ("ship", "ships", "shipped", "shipping"),
        ("policy", "policies"),
        ("close", "closed", "closes", "closing"),
        ("box", "boxes"),
        ("class", "classes"),
    ],
)
def test_forms_of_a_word_are_one(forms: tuple[str, ...]) -> None:
    assert len({lexical.stem(form) for form in forms}) == 1


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_text_has_a_relevance_within_bounds(question: str, text: str) -> None:
    found = lexical.match(question, text)
    assert 0 <= found.relevance <= 1 and 0 <= found.covered <= 1 and 0 <= found.focus <= 1


@given(st.text(max_size=80))
def test_a_text_answers_its_own_words(text: str) -> None:
    if lexical.words(text):
        assert lexical.match(text, text).relevance >= lexical.ENOUGH


@given(st.text(max_size=120))
def test_no_question_breaks_the_search_for_tools(question: str) -> None:
    wanted(question)
