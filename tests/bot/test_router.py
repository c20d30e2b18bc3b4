"""Routing: by name, by conversation, by words and load, and why."""

import pytest

from bot.agents import roster
from bot.agents.router import Router, without_mention
from bot.errors import NotFound

ROUTER = Router(roster.load())


@pytest.mark.parametrize(
    ("text", "agent"),
    [
        ("Calculate the revenue growth in percent for this quarter", "analyst"),
        ("Please proofread and shorten this announcement to customers", "writer"),
        ("The server is down, how do I restart the deploy?", "ops"),
        ("Find and summarise three articles about our competitors", "researcher"),
        ("What is our refund window?", "generalist"),
        ("ping", "generalist"),
        ("", "generalist"),
        ("日本語 🙂 ‮ rtl", "generalist"),
    ],
)
def test_words_choose(text: str, agent: str) -> None:
    assert ROUTER.decide(text).agent.name == agent


def test_a_mention_beats_the_conversation_which_beats_words() -> None:
    text = "Calculate the revenue growth in percent"
    assert ROUTER.decide(f"@Writer: {text}", chosen="ops").agent.name == "writer"
    assert ROUTER.decide(text, chosen="ops").agent.name == "ops"
    assert ROUTER.decide(text, hint="researcher", chosen="ops").agent.name == "researcher"
    assert "mentioned" in ROUTER.decide("@writer hello").why


def test_unclear_words_stay_with_who_answered_last() -> None:
    assert ROUTER.decide("and for last week?", last="analyst").agent.name == "analyst"


def test_load_tips_the_balance() -> None:
    text = "Draft an incident announcement"
    free = ROUTER.decide(text).agent.name
    assert ROUTER.decide(text, load={free: 100}).agent.name != free


def test_an_unknown_agent_is_said() -> None:
    with pytest.raises(NotFound) as caught:
        ROUTER.decide("hi", hint="poet")
    assert "poet" in caught.value.said and "writer" in caught.value.said
    assert ROUTER.decide("@poet write").agent.name == "writer"


def test_the_mention_is_not_part_of_the_question() -> None:
    assert without_mention("@Ops: restart it", "ops") == "restart it"
    assert without_mention("@ops", "ops") == "@ops"
    assert without_mention("@poet hi", "ops") == "@poet hi"
