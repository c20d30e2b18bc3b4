"""Cards say in plain words what would change, what is expected of it and what it did."""

from dataclasses import replace
from typing import Any

import pytest

from bot.improve import cards, effects, ranking
from bot.improve.rewording import reworded
from bot.model.agent import AgentVersion
from bot.model.memory import ORG
from bot.model.proposal import Change, Proposal, ProposalKind, ProposalStatus
from tests.samples import proposal

K, S = ProposalKind, ProposalStatus
REPLAY = {
    **{"pairs": 42, "mean": 0.08, "low": -0.02, "high": 0.18, "by": "similarity"},
    **{"diverged": 3, "enough": True, "cost_usd": 0.31},
}
SPEC = AgentVersion("", 0, "Invoices.", "Count.").spec()


@pytest.mark.parametrize(
    ("kind", "change", "said"),
    [
        (K.AGENT_CONFIG, Change("writer", bullet="x"), "writer v1"),
        (K.MEMORY_NEW, Change(namespace=ORG, text="x"), "memory of everyone"),
        (K.MEMORY_NEW, Change("writer", namespace="agent:writer", text="x"), "memory of writer"),
        (K.AGENT_SPLIT, Change("writer", name="clerk"), "writer v1, and a new agent, clerk"),
        (K.AGENT_MERGE, Change("writer", name="ops"), "writer v1 and ops"),
        (K.OPS_ACTION, Change(config={"do": "budget"}), "how the bot is run"),
    ],
)
def test_what_it_changes(kind: ProposalKind, change: Change, said: str) -> None:
    assert effects.target(proposal(kind=kind, change=change)) == said


def test_an_expected_effect_has_its_interval() -> None:
    known = proposal(estimate={"gain": [0.2, 0.0, 0.4], "runs_week": 30.0, "usd_week": 1.5})
    assert effects.expected(known) == (
        "+20 points success (0 to +40 points) of about 30 runs a week; about $1.50 a week less"
    )
    assert effects.expected(proposal()) == ""


def test_a_replay_says_its_interval_its_pairs_and_what_it_cost() -> None:
    assert effects.replayed(proposal(estimate={"replay": REPLAY})) == (
        "+8 points (-2 points to +18 points) over 42 recorded requests, scored by likeness to "
        "accepted answers; 3 more could not be compared; it cost $0.31"
    )
    thin = {**REPLAY, "pairs": 4, "enough": False, "diverged": 0, "cost_usd": 0}
    assert effects.replayed(proposal(estimate={"replay": thin})) == (
        "not enough to tell: 4 requests done again"
    )
    assert effects.replayed(proposal()) == ""


@pytest.mark.parametrize(
    ("applied", "said"),
    [
        ({"version": 2, "before": 1}, "writer v2 is in use."),
        ({"overlay": {"writer": 2, "ops": 0}}, "writer v2 is in use. ops is gone."),
        ({"did": "The job digest is paused."}, "The job digest is paused."),
        ({"ref": "M3"}, "Remembered as M3."),
    ],
)
def test_what_was_done(applied: dict[str, Any], said: str) -> None:
    assert effects.done(proposal(applied=applied)) == said


def test_a_card_of_a_finding_has_rank_effect_and_replay() -> None:
    estimate = {**ranking.of_words(K.AGENT_CONFIG, "approver").as_json(), "replay": REPLAY}
    card = cards.offer(proposal(status=S.OFFERED, finding="f1", rank=0.05, estimate=estimate)).card
    assert card is not None
    labels = [field.label for field in card.fields]
    assert labels == ["Changes", "Evidence", "May approve", "Replay", "Rank", "Expires"]


def test_a_card_says_why_it_takes_an_owner() -> None:
    shown = cards.offer(
        proposal(status=S.OFFERED, risk="owner"), cards.Names(widens=["new tools (x)"])
    )
    assert shown.card is not None
    assert shown.card.fields[2].value == "an owner (because of new tools (x))"


EDITED: list[tuple[ProposalKind, Change]] = [
    (K.GUARD_NEW, Change("writer", guard={"tool": "x", "error": "tool", "advice": "Old one."})),
    (K.WORKFLOW_NEW, Change("writer", workflow="refunds", text="# Old\n1. Old one.")),
    (K.ROUTE_CHANGE, Change("writer", text="Old one.")),
    (K.AGENT_NEW, Change("clerk", config={**SPEC, "specialty": "Old one."})),
    (K.AGENT_CONFIG, Change("writer", bullet="Old one.")),
]


@pytest.mark.parametrize(("kind", "change"), EDITED)
def test_words_can_be_edited_and_nothing_else_changes(kind: ProposalKind, change: Change) -> None:
    label = "scope: " if kind is K.AGENT_NEW else ""
    before = proposal(kind=kind, change=change, status=S.OFFERED)
    shown = "\n".join(f"+ {label}{line}" for line in before.words.splitlines())
    before = replace(before, diff=f"  kept\n{shown}")
    draft = reworded(before, "New one.", AgentVersion("writer", 1, "x", "y"))
    assert draft is not None
    after = replace(before, change=draft.change)
    assert (after.words, draft.kind) == ("New one.", kind)
    assert "+ New one." in draft.diff and "Old one." not in draft.diff
    assert draft.fingerprint != before.fingerprint
    assert "/edit P12" in [b.command for b in cards.buttons(before)]
    if kind is not K.AGENT_CONFIG:
        assert "  kept" in draft.diff


@pytest.mark.parametrize(
    "fixed",
    [
        proposal(kind=K.MODEL_CHEAPER, change=Change("writer", config={"model": "small"})),
        proposal(kind=K.AGENT_RETIRE, change=Change("writer")),
        proposal(kind=K.AGENT_CONFIG, change=Change("writer", retire="b1")),
        proposal(kind=K.OPS_ACTION, change=Change(config={"do": "budget"})),
    ],
)
def test_what_is_no_matter_of_words_cannot_be_edited(fixed: Proposal) -> None:
    assert reworded(fixed, "tools: all", None) is None
    assert [b.label for b in cards.buttons(fixed)] == ["Approve", "Decline"]
