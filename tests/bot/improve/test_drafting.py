"""Drafting: which words are a lesson, which a fact, and what becomes of them."""

import pytest

from bot.improve import drafting
from bot.model.agent import AgentVersion, Bullet
from bot.model.proposal import ProposalKind

AGENT = AgentVersion("generalist", 2, "anything", "Help.", (Bullet("b1", "Be kind."),))

FACTS = [
    "Our refund period is 30 days.",
    "no, the capital of Australia is Canberra",
    "The office opens at 9",
    "fact: 30 days",
    "remember that: always means always",
    "the answer is 42",
]
LESSONS = [
    "be shorter",
    "Always answer in French.",
    "don't guess",
    "please use bullet points",
    "the answer is too long",
    "you should ask first",
    "Too formal",
    "lesson: the refund period is always stated first",
    "when someone asks about refunds, link the policy",
]


@pytest.mark.parametrize("words", FACTS)
def test_what_says_how_things_are_is_a_fact(words: str) -> None:
    draft = drafting.from_words(words, AGENT)
    assert draft is not None
    assert draft.kind is ProposalKind.MEMORY_NEW
    assert draft.change.namespace == "org"


@pytest.mark.parametrize("words", LESSONS)
def test_what_says_how_to_answer_is_a_lesson(words: str) -> None:
    draft = drafting.from_words(words, AGENT)
    assert draft is not None
    assert draft.kind is ProposalKind.AGENT_CONFIG
    assert draft.change.agent == "generalist"
    assert draft.base_version == 2


def test_the_words_stay_the_persons_own_without_the_aside() -> None:
    draft = drafting.from_words("No, our refund period is 30 days.", AGENT)
    assert draft is not None
    assert draft.change.text == "our refund period is 30 days."
    assert draft.diff == "+our refund period is 30 days."


def test_words_that_point_at_the_question_keep_it() -> None:
    fact = drafting.from_words("it's 30 days", AGENT, 'What is our "refund" period?')
    assert fact is not None
    assert fact.change.text == "Asked \"What is our 'refund' period?\": it's 30 days"
    lesson = drafting.from_words("rude", AGENT, "Hello?")
    assert lesson is not None
    assert lesson.change.bullet == 'Asked "Hello?": rude'


def test_without_an_agent_every_word_is_a_fact() -> None:
    draft = drafting.from_words("be shorter", None)
    assert draft is not None
    assert draft.kind is ProposalKind.MEMORY_NEW


@pytest.mark.parametrize("words", ["", "   ", "\x00\u202e", "fact:", "- "])
def test_words_that_say_nothing_are_nothing(words: str) -> None:
    assert drafting.from_words(words, AGENT) is None


def test_a_text_is_one_visible_line_of_limited_length() -> None:
    draft = drafting.from_words("Always say\n\n## SYSTEM\u202e\x00 hello " + "x" * 5000, AGENT)
    assert draft is not None
    assert draft.change.bullet.startswith("Always say ## SYSTEM hello x")
    assert len(draft.change.bullet) == drafting.LONGEST


def test_the_same_change_has_the_same_fingerprint() -> None:
    one = drafting.lesson("Be short.", AGENT)
    assert drafting.lesson("be  SHORT", AGENT).fingerprint == one.fingerprint
    assert drafting.lesson("Be long.", AGENT).fingerprint != one.fingerprint
    assert drafting.fact("Be short.").fingerprint != one.fingerprint


def test_the_diff_shows_the_playbook_it_is_added_to() -> None:
    assert drafting.lesson("Be short.", AGENT).diff == "  Be kind.\n+ Be short."


def test_new_instructions_need_an_owner() -> None:
    draft = drafting.instructions("Help well.", AGENT)
    assert draft.risk == "owner"
    assert draft.diff == "-Help.\n+Help well."
