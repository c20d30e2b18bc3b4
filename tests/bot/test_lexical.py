"""Words that mean the same are one, words that mean nothing are none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import lexical


@pytest.mark.parametrize(
    "family",
    [
        "deploy deploys deployed deploying deployment deployments",
        "ship ships shipped shipping",
        "release releases released releasing",
        "policy policies",
        "day days",
        "invoice invoices",
    ],
)
def test_forms_of_a_word_are_one_term(family: str) -> None:
    assert len({lexical.terms(word) for word in family.split()}) == 1


def test_ids_stay_whole_and_common_words_are_dropped() -> None:
    assert lexical.terms("What is the v10s of A1?") == {"v10s", "a1"}
    assert lexical.terms("") == lexical.terms("the of and ?!") == frozenset()


def test_scripts_without_spaces_are_compared_by_pairs() -> None:
    here, there = lexical.scores("\u6728\u66dc\u65e5", ["\u6728\u66dc\u65e5\u306b", "abc"])

    assert here == 1.0 and there == 0.0


def test_rare_words_count_more_than_those_everyone_has() -> None:
    texts = ["team plan", "team budget", "team lunch", "team heron"]

    by_text = dict(zip(texts, lexical.scores("team heron", texts), strict=True))

    assert by_text["team heron"] == 1.0
    assert by_text["team plan"] < 0.5


def test_a_text_inside_a_long_question_is_found() -> None:
    question = " ".join(f"word{i}" for i in range(60)) + " heron nest"

    assert lexical.scores(question, ["heron nest"])[0] >= 0.25


@given(st.text(max_size=80), st.lists(st.text(max_size=40), max_size=5))
def test_scores_are_shares(question: str, texts: list[str]) -> None:
    found = lexical.scores(question, texts)

    assert len(found) == len(texts)
    assert all(0 <= score <= 1 + 1e-9 for score in found)
