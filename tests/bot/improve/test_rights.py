"""A proposal never widens what an agent may do by itself: by whatever kind, it is an owner's."""

from dataclasses import replace
from typing import Any

import pytest

from bot.errors import Forbidden
from bot.improve.changes import MAKERS, Situation
from bot.improve.changes.widening import widened
from bot.model.agent import AgentVersion, Guard, Limits
from bot.model.proposal import Change, ProposalKind, ProposalStatus
from tests.commands.stage import Stage
from tests.samples import proposal

K = ProposalKind
_BUDGET = {"do": "budget", "scope": "agent", "key": "*", "period": "day", "limit_usd": 1}
GUARD = Guard("g1", "recall", "tool", "", "Ask for less.", "P1")
WRITER = AgentVersion(
    "writer", 3, "words", "Write.", model="mid", tools=("recall",), guards=(GUARD,), budget_day=1.0
)
OPS = AgentVersion("ops", 2, "servers", "Run.", tools=("http_fetch",))
NOW = {"writer": WRITER, "ops": OPS}
PRICE = {"small": 1, "mid": 2, "big": 3}


def _dearer(model: str, than: str) -> bool:
    return model not in PRICE or PRICE[model] > PRICE[than]


def _spec(**changes: Any) -> dict[str, object]:
    return replace(OPS, guards=(), **changes).spec()


WIDER: list[tuple[ProposalKind, Change, str]] = [
    (K.AGENT_CONFIG, Change("writer", config={"tools": ["recall", "http_fetch"]}), "new tools"),
    (K.AGENT_CONFIG, Change("writer", instructions="Do all."), "new instructions"),
    (K.AGENT_CONFIG, Change("writer", config={"limits": {"max_turns": 50}}), "a higher limit"),
    (K.AGENT_CONFIG, Change("writer", config={"limits": {"seconds": 900}}), "a higher limit"),
    (K.AGENT_CONFIG, Change("writer", config={"budget_day": 9}), "a higher budget"),
    (K.AGENT_CONFIG, Change("writer", config={"budget_day": None}), "a higher budget"),
    (K.AGENT_CONFIG, Change("writer", config={"model": "big"}), "a model that costs more"),
    (K.MODEL_CHEAPER, Change("writer", config={"model": "big"}), "a model that costs more"),
    (K.MODEL_CHEAPER, Change("writer", config={"model": "unheard"}), "no known price"),
    (K.AGENT_NEW, Change("clerk", config=_spec()), "a new agent"),
    (K.AGENT_NEW, Change("clerk", config=_spec(tools=("make_file",))), "new tools (make_file)"),
    (K.AGENT_SPLIT, Change("writer", name="clerk", config=_spec()), "a new agent"),
    (K.AGENT_MERGE, Change("writer", name="ops", text="both"), "new tools (http_fetch)"),
]
NO_WIDER: list[tuple[ProposalKind, Change]] = [
    (K.AGENT_CONFIG, Change("writer", bullet="Use http_fetch, you may.")),
    (K.AGENT_CONFIG, Change("writer", config={"tools": []})),
    (K.AGENT_CONFIG, Change("writer", config={"limits": {"max_turns": 2}})),
    (K.AGENT_CONFIG, Change("writer", config={"budget_day": 0.5})),
    (K.AGENT_CONFIG, Change("writer", config={"temperature": 0.0})),
    (K.MODEL_CHEAPER, Change("writer", config={"model": "small"})),
    (
        K.GUARD_NEW,
        Change(
            "writer", guard={"tool": "recall", "error": "tool", "signature": "", "advice": "Try."}
        ),
    ),
    (K.WORKFLOW_NEW, Change("writer", workflow="refunds", text="1. Call http_fetch.")),
    (K.AGENT_RETIRE, Change("ops")),
    (K.ROUTE_CHANGE, Change("writer", text="words and letters")),
]


@pytest.mark.parametrize(("kind", "change", "why"), WIDER)
def test_what_widens_is_found_in_every_kind(kind: ProposalKind, change: Change, why: str) -> None:
    changed = MAKERS[kind](proposal(kind=kind, change=change), Situation(NOW, WRITER))
    assert why in " ".join(widened(NOW, changed, _dearer))


@pytest.mark.parametrize(("kind", "change"), NO_WIDER)
def test_what_does_not_widen_is_let_be(kind: ProposalKind, change: Change) -> None:
    changed = MAKERS[kind](proposal(kind=kind, change=change), Situation(NOW, WRITER))
    assert widened(NOW, changed, _dearer) == []


def test_a_guard_less_is_wider() -> None:
    assert widened(NOW, {"writer": replace(WRITER, guards=())}, _dearer) == ["a guard less"]


def test_limits_are_each_looked_at() -> None:
    more = replace(WRITER, limits=replace(Limits(), max_tokens=4096, history=40, max_turns=2))
    assert widened(NOW, {"writer": more}, _dearer) == [
        "a higher limit (max tokens)",
        "a higher limit (history)",
    ]


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        (K.AGENT_CONFIG, Change("writer", config={"tools": ["recall", "http_fetch", "make_file"]})),
        (K.OPS_ACTION, Change(config=_BUDGET)),
        (K.OPS_ACTION, Change(config={"do": "pause_job", "job": "expire"})),
    ],
)
async def test_what_a_proposal_says_of_its_own_risk_does_not_count(
    on_sqlite: Stage, kind: ProposalKind, change: Change
) -> None:
    desk, store = on_sqlite.services.desk, on_sqlite.services.proposals
    await on_sqlite.services.policies.set("local", _AUTOMATIC, "owner")
    claimed = proposal(kind=kind, change=change, risk="approver")
    kept, _ = await store.add(claimed)
    await desk.settle("local")
    waiting = await store.get("local", kept.ref)
    assert waiting and waiting.status is ProposalStatus.OFFERED
    card = (await desk.card(waiting)).card
    assert card is not None
    told = {f.label: f.value for f in card.fields}["May approve"]
    assert told.startswith("an owner (because of ")
    with pytest.raises(Forbidden):
        await desk.approve("local", kept.ref, on_sqlite.people["approver"])


_AUTOMATIC = 'approvals:\n  - {risk: "*", kind: "*", needs: automatic}\n'
