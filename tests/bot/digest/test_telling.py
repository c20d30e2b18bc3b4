"""A digest in words: what was measured and no more, short enough for every platform."""

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.digest.facts import Facts, Improvement, Window
from bot.digest.telling import digest
from bot.model.budget import Budget, Period, Scope
from bot.model.memory import ORG, Memory
from bot.model.message import Reply
from bot.model.proposal import Change, Proposal, ProposalKind, ProposalStatus
from bot.model.workflow import Workflow
from bot.numbers import Totals
from handlers.slack.outgoing import render
from handlers.telegram.outgoing import parts, units
from handlers.whatsapp.outgoing import bodies

DAY = 86_400_000
NOW = 1_780_000_000_000
WEEK = Window("weekly", NOW - 7 * DAY, NOW, "Europe/Berlin")


def proposal(number: int, **changes: Any) -> Proposal:
    made = Proposal(
        id=f"id{number}",
        workspace="w",
        number=number,
        kind=ProposalKind.AGENT_CONFIG,
        status=ProposalStatus.OFFERED,
        title=f"Teach writer: lesson {number}",
        change=Change(agent="writer", bullet="b"),
        base_version=1,
        diff="",
        evidence=(),
        expected="",
        risk="approver",
        fingerprint=str(number),
        created_at=NOW - 2 * DAY,
        expires_at=NOW + DAY,
    )
    return replace(made, **changes)


def in_use(number: int, before: Totals, after: Totals) -> Improvement:
    kept = proposal(
        number,
        status=ProposalStatus.APPROVED,
        decided_at=NOW - DAY,
        applied={"before": 1, "version": 2},
    )
    return Improvement(kept, before, after)


def of(good: float, scored: int) -> Totals:
    return Totals(runs=scored, scored=scored, good=good)


def fields(reply: Reply) -> dict[str, str]:
    assert reply.card is not None
    return {field.label: field.value for field in reply.card.fields}


FULL = Facts(
    WEEK,
    totals=Totals(80, 40, 34.0, 12, 1.5, 2, errors={"model": 3, "tool": 1}),
    cost_usd=2.25,
    spent=(
        (Budget(Scope.WORKSPACE, "", Period.DAY, 20.0), 0.5),
        (Budget(Scope.WORKSPACE, "", Period.MONTH, 300.0), 41.0),
    ),
    improved=(in_use(3, of(20, 40), of(36, 40)), in_use(4, of(3, 5), of(4, 4))),
    undone=(proposal(2),),
    declined=1,
    waiting=tuple(proposal(n) for n in range(5, 12)),
    learned=(proposal(3, title="Teach writer: say the unit"),),
    memories=(Memory("m", "w", 7, ORG, 'Asked "when do I leave?": refunds take 30 days', NOW),),
    workflows=(Workflow("w", "weekly-report", 2, "# secret steps", "r", "p", NOW),),
    failed_jobs={"analyze": 2},
    undelivered=1,
)


def test_it_tells_what_was_measured() -> None:
    reply = digest(FULL, NOW)
    assert reply.card is not None
    assert reply.card.title == "Ratchet · this week"
    assert reply.text == (
        "80 runs; success 85% [71% to 93%], n=40; 2 changes came into use; "
        "7 proposals wait for approval; failures: 4 runs (model 3, tool 1), "
        "job analyze 2 times, 1 reply not delivered."
    )
    assert reply.card.body.splitlines() == [
        "**In use, before and after** (no control group)",
        "- P3 writer v1 → v2: better: success 50% (n=40) → 90% (n=40), +20 to +56 points",
        "- P4 writer v1 → v2: not enough to tell yet (n=5 before, 4 after)",
        "",
        "**Learned**",
        "- P3 Teach writer: say the unit",
        "- M7 refunds take 30 days",
        "- workflow weekly-report v2",
        "",
        "**Turned down**",
        "- P2 rolled back",
        "- 1 proposal declined",
    ]
    assert fields(reply) == {
        "Runs": "80 (12 of 80 rated, 40 with an outcome)",
        "Success": "85% [71% to 93%], n=40",
        "Cost": "$2.25 and 2 runs of unknown cost, today $0.50 of $20.00, "
        "this month $41.00 of $300.00",
        "Waits for approval": "P5 (2 d), P6 (2 d), P7 (2 d), P8 (2 d), P9 (2 d) and 2 more",
        "Failures": "4 runs (model 3, tool 1), job analyze 2 times, 1 reply not delivered",
    }
    assert [b.command for b in reply.buttons] == [f"/proposals P{n}" for n in (5, 6, 7)]
    assert reply.footer == "21 May 22:26 to 28 May 22:26 Europe/Berlin · /digest changes this"


def test_without_outcomes_no_success_is_claimed() -> None:
    reply = digest(Facts(WEEK, totals=Totals(runs=3)), NOW)
    assert reply.text == "3 runs."
    assert fields(reply)["Success"] == "not known yet (no outcomes)"
    assert fields(reply)["Runs"] == "3 (0 of 3 rated, 0 with an outcome)"
    assert reply.card and reply.card.body == "" and not reply.buttons


@pytest.mark.parametrize(
    ("facts", "happened"),
    [
        (Facts(WEEK), False),
        (Facts(WEEK, cost_usd=5.0), False),
        (Facts(WEEK, waiting=(proposal(1, created_at=NOW - 8 * DAY),)), False),
        (Facts(WEEK, waiting=(proposal(1),)), True),
        (Facts(WEEK, improved=(in_use(3, of(1, 1), of(1, 1)),)), True),
        (Facts(WEEK, totals=Totals(runs=1)), True),
        (Facts(WEEK, failed_jobs={"analyze": 1}), True),
        (Facts(WEEK, undelivered=1), True),
        (Facts(WEEK, declined=1), True),
    ],
)
def test_what_counts_as_something_that_happened(facts: Facts, happened: bool) -> None:
    assert facts.happened is happened
    said_nothing = digest(facts, NOW).text == "Nothing happened this week."
    assert said_nothing is not happened


_words = st.text(max_size=700)
_count = st.integers(0, 10**7)
_outcomes = st.tuples(_count, st.floats(0, 1)).map(lambda t: of(t[0] * t[1], t[0]))
_proposals = st.lists(
    st.builds(
        lambda number, title, agent, at: proposal(
            number, title=title, change=Change(agent=agent), created_at=at
        ),
        st.integers(1, 10**6),
        _words,
        st.text(min_size=1, max_size=64),
        st.integers(0, NOW),
    ),
    max_size=8,
).map(tuple)


@settings(deadline=None)
@given(
    st.builds(
        Facts,
        st.sampled_from([WEEK, replace(WEEK, cadence="daily", zone="America/Argentina/Ushuaia")]),
        totals=st.builds(
            Totals,
            _count,
            _count,
            st.just(0.0),
            _count,
            st.floats(0, 1e9),
            _count,
            st.dictionaries(st.text(min_size=1, max_size=80), _count, max_size=9),
        ),
        cost_usd=st.floats(0, 1e9),
        improved=st.lists(
            st.builds(in_use, st.integers(1, 10**6), _outcomes, _outcomes), max_size=5
        ).map(tuple),
        undone=_proposals,
        waiting=_proposals,
        learned=_proposals,
        memories=st.lists(
            st.builds(lambda text: Memory("m", "w", 7, ORG, text, NOW), _words), max_size=9
        ).map(tuple),
        workflows=st.lists(
            st.builds(lambda name: Workflow("w", name, 1, "", "", "", 0), _words), max_size=9
        ).map(tuple),
        failed_jobs=st.dictionaries(st.text(min_size=1, max_size=64), _count, max_size=9),
        undelivered=_count,
    )
)
def test_whatever_happened_it_fits_everywhere(facts: Facts) -> None:
    reply = digest(facts, NOW)
    assert reply.card is not None
    # A template's parameter: one line, no wide gap, with room for what surrounds it.
    for line in (reply.text, reply.card.title):
        assert line and not re.search(r"[\n\t]|\s{4}", line) and len(line) <= 300
    assert len(reply.buttons) <= 3
    assert all(len(b.command.encode()) <= 64 and len(b.label) <= 20 for b in reply.buttons)
    blocks = [block for part in render(reply) for block in part.blocks]
    for block in blocks:
        for field in block.get("fields") or ():  # type: ignore[attr-defined]
            assert len(field["text"]) <= 300 and not field["text"].endswith("…" * 2)
    assert len(reply.card.title) <= 150
    assert len(render(reply)) == 1, "one message on Slack"
    assert all(units(part.html) <= 4096 for part in parts(reply))
    assert len(parts(reply)) == 1, "one message on Telegram"
    assert len(bodies(reply)) <= 2, "on WhatsApp a text and the buttons"
