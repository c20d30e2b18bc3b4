"""The parts of a replay: what is chosen, what a log answers, what the pairs come to."""

from math import sqrt
from typing import Any, cast

import pytest

from bot.agents.tools.calculator import calculator
from bot.agents.tools.http_fetch import http_fetch
from bot.agents.tools.make_file import make_file
from bot.errors import ToolError
from bot.improve.replay import tasks
from bot.improve.replay.arms import Rosters, overlaid
from bot.improve.replay.nearness import in_words
from bot.improve.replay.recorded import Diverged, Recorded
from bot.improve.replay.result import interval, replayed, t95, told
from bot.model.agent import AgentVersion
from bot.model.run import Step, StepKind
from bot.model.trial import Replayed
from bot.ports.stores import Material, Pair, Scored
from bot.redaction import Redactor

CTX = cast(Any, None)


def one(run_id: str, message: str, conversation: str = "", **changes: Any) -> Material:
    known: dict[str, Any] = {
        "y": 1.0,
        "source": "rating",
        "created_at": int(run_id),
        "agent": "writer",
    } | changes
    return Material(
        run_id, known.pop("conversation", conversation or run_id), message=message, **known
    )


def test_what_it_was_made_from_is_held_out() -> None:
    material = [
        one("1", "How long is the refund window?"),
        one("2", "how long is the  REFUND window?"),
        one("3", "Who signs the lease?"),
        one("4", "Who signs the contract?", y=0.0),
        one("5", "Who signs?", y=None, source=""),
        one("6", "Who signs the offer?", source="judge"),
    ]
    taken = tasks.held_out(material, {"1"}, accepted=True)
    assert [m.run_id for m in taken] == ["3"]
    assert len(tasks.held_out(material, {"1"}, accepted=False)) == 4


def test_every_kind_and_conversation_has_its_turn() -> None:
    often = [one(str(n), f"How long is the refund window of order {n}?", "c1") for n in range(50)]
    seldom = [one("90", "Who signs the lease?"), one("91", "Translate this sentence, please")]
    chosen = tasks.choose([*often, *seldom], 3, "seed")
    assert len(chosen) == 3 and {"90", "91"} < set(chosen)
    assert chosen == tasks.choose([*often, *seldom], 3, "seed")
    assert len(tasks.choose([*often, *seldom], 60, "seed")) == 52
    assert tasks.choose([], 60, "seed") == ()


def call(
    seq: int, arguments: str, output: object, error: str = "", name: str = "http_fetch"
) -> Step:
    kind = "tool" if error else ""
    return Step(
        seq,
        StepKind.TOOL,
        name,
        0,
        0,
        {"arguments": arguments},
        output,
        error_type=kind,
        error_message=error,
    )


async def test_the_log_answers_for_the_world() -> None:
    steps = [
        call(0, '{"url": "https://x.example/a"}', "first"),
        call(1, '{"url":"https://x.example/a"}', "second"),
        call(2, '{"url": "https://x.example/b"}', "Error: 404", "404"),
    ]
    recorded = Recorded(steps, Redactor())
    a, b = '{ "url": "https://x.example/a" }', '{"url": "https://x.example/b"}'
    said = [await recorded.call(http_fetch, CTX, a) for _ in range(3)]
    assert said == ["first", "second", "second"]
    with pytest.raises(ToolError, match="404"):
        await recorded.call(http_fetch, CTX, b)
    with pytest.raises(Diverged):
        await recorded.call(http_fetch, CTX, '{"url": "https://x.example/c"}')
    with pytest.raises(ToolError, match="arguments don't fit"):
        await recorded.call(http_fetch, CTX, "{}")
    assert await recorded.call(calculator, CTX, '{"expression": "2*21"}') == "2*21 = 42"


async def test_what_the_log_has_cut_is_not_guessed() -> None:
    long = '{"name": "a.txt", "content": "' + "a" * 5000 + '"}'
    recorded = Recorded([call(0, long[:4000], "made", name="make_file")], Redactor())
    with pytest.raises(Diverged):
        await recorded.call(make_file, CTX, long)


async def test_a_guards_word_is_no_result() -> None:
    refused = Step(
        0,
        StepKind.TOOL,
        "http_fetch",
        0,
        0,
        {"arguments": '{"url": "https://x.example/"}'},
        "Error: no",
        error_type="guard",
    )
    with pytest.raises(Diverged):
        await Recorded([refused], Redactor()).call(http_fetch, CTX, '{"url": "https://x.example/"}')


def pair(n: int, before: float, after: float) -> Pair:
    sides = (Scored(before, "judge", "i", 100.0, 0.01), Scored(after, "judge", "c", 150.0, 0.02))
    return Pair(str(n), *sides)


def test_pairs_come_to_a_mean_and_an_interval() -> None:
    pairs = [pair(n, 0.5, 0.5 + (0.2 if n % 2 else 0.0)) for n in range(20)]
    found = replayed([*pairs, Pair("x", None, None, "diverged")])
    assert (found.pairs, found.diverged, found.by, found.enough) == (20, 1, "judge", True)
    assert found.mean == pytest.approx(0.1)
    assert found.error == pytest.approx(sqrt((20 * 0.01 + 0.25) / 20 / 20))
    low, high = interval(found)
    assert (high - low) / 2 == pytest.approx(2.093 * found.error, rel=1e-3)
    assert found.latency_change == pytest.approx(0.5)
    assert found.cost_change == pytest.approx(1.0)


def test_pairs_that_never_differ_still_leave_doubt() -> None:
    found = replayed([pair(n, 1.0, 1.0) for n in range(60)])
    low, high = interval(found)
    assert found.mean == 0.0 and low == -high and 0.01 < high < 0.03


def test_little_or_mostly_diverged_is_not_enough() -> None:
    few = [pair(n, 0.0, 1.0) for n in range(9)]
    assert not replayed(few).enough
    out = [Pair(f"x{n}", None, None, "diverged") for n in range(12)]
    assert not replayed([*(pair(n, 0.0, 1.0) for n in range(11)), *out]).enough
    assert replayed([]) == Replayed(0, 0.0, 0.0, "")
    assert interval(replayed([])) == (-1.0, 1.0)
    assert not told(
        replayed([pair(n, 0, 1) for n in range(20)]), status="running", of=60, cost_usd=0
    )["enough"]


@pytest.mark.parametrize(
    ("freedom", "expected"), [(1, 12.706), (5, 2.571), (10, 2.228), (59, 2.001)]
)
def test_students_quantile(freedom: int, expected: float) -> None:
    assert t95(freedom) == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize(
    ("other", "least", "most"),
    [
        ("Refunds take 30 days from delivery.", 1.0, 1.0),
        ("From delivery, refunds take 30 days!", 1.0, 1.0),
        ("Refunds take 14 days from delivery.", 0.6, 0.85),
        ("The lease is signed by the owner.", 0.0, 0.1),
    ],
)
def test_nearness_in_words(other: str, least: float, most: float) -> None:
    assert least <= in_words("Refunds take 30 days from delivery.", other) <= most


WRITER = AgentVersion("writer", 1, "letters and posts", "Write.")
GENERALIST = AgentVersion("generalist", 1, "anything", "Help.")
TAXES = AgentVersion("taxes", 1, "tax returns and VAT", "Know taxes.")
NOW = {"writer": WRITER, "generalist": GENERALIST}


def test_the_same_agent_answers_where_words_are_not_at_stake() -> None:
    taught = AgentVersion("writer", 2, WRITER.specialty, "Write well.")
    rosters = Rosters(NOW, overlaid(NOW, {"writer": taught}))
    arms = rosters.of("writer", "anything at all")
    assert arms and (arms.incumbent, arms.candidate) == (WRITER, taught)
    assert rosters.of("generalist", "a letter") is None
    assert rosters.changed == ("writer",) and not rosters.reroutes


def test_a_new_agent_gets_what_its_words_say() -> None:
    rosters = Rosters(NOW, overlaid(NOW, {"taxes": TAXES}))
    arms = rosters.of("generalist", "When is my VAT due?")
    assert arms and (arms.incumbent, arms.candidate) == (GENERALIST, TAXES)
    assert rosters.of("writer", "Write a letter") is None


def test_an_agent_that_goes_leaves_its_requests_to_another() -> None:
    now = {**NOW, "taxes": TAXES}
    rosters = Rosters(now, overlaid(now, {"taxes": None}))
    arms = rosters.of("taxes", "When is my VAT due?")
    assert arms and (arms.incumbent, arms.candidate) == (TAXES, GENERALIST)
    assert rosters.of("taxes", "VAT?", hint="taxes") is None
