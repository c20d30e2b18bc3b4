"""Every kind of change: prepared beside what is in use, put into use at once, taken out again."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from bot.budget import Purse
from bot.clock import SystemIds
from bot.errors import Conflict, NotFound
from bot.improve.deeds import Deeds
from bot.improve.release import Release
from bot.memory import MemoryBank
from bot.model.agent import AgentVersion, Bullet, Guard
from bot.model.budget import Budget, Period, Scope
from bot.model.memory import ORG
from bot.model.proposal import Change, Proposal, ProposalKind, ProposalStatus
from storage.agents import AgentStore
from storage.budgets import BudgetStore
from storage.engine import Database
from storage.memories import MemoryStore
from storage.vectors import EdgeIndex
from storage.workflows import WorkflowStore
from tests.conftest import HeldClock
from tests.fakes.embedders import WordEmbedder

W = "local"
WRITER = AgentVersion(
    "writer", 0, "words", "Write.", (Bullet("b1", "Be short."),), "big", tools=("recall",)
)
OPS = AgentVersion(
    "ops", 0, "servers", "Run.", (Bullet("b1", "Ask first."),), tools=("http_fetch",)
)
NAN = float("nan")
SPEC = AgentVersion("", 0, "invoices", "Count.", tools=("recall",), budget_day=0.5).spec()
K = ProposalKind

TRIED: dict[str, tuple[ProposalKind, Change]] = {
    "bullet": (K.AGENT_CONFIG, Change(agent="writer", bullet="Cite.")),
    "retire a bullet": (K.AGENT_CONFIG, Change(agent="writer", retire="b1")),
    "instructions": (K.AGENT_CONFIG, Change(agent="writer", instructions="Write well.")),
    "temperature": (K.AGENT_CONFIG, Change(agent="writer", config={"temperature": 0.1})),
    "tools": (K.AGENT_CONFIG, Change(agent="writer", config={"tools": ["recall", "remember"]})),
    "limits": (K.AGENT_CONFIG, Change(agent="writer", config={"limits": {"max_turns": 4}})),
    "model": (K.MODEL_CHEAPER, Change(agent="writer", config={"model": "small"})),
    "guard": (
        K.GUARD_NEW,
        Change(
            agent="ops",
            guard={"tool": "http_fetch", "error": "tool", "signature": "", "advice": "Try less."},
        ),
    ),
    "runbook": (K.WORKFLOW_NEW, Change(agent="writer", workflow="refunds", text="1. Look.")),
    "new": (K.AGENT_NEW, Change(agent="clerk", config=SPEC)),
    "split": (K.AGENT_SPLIT, Change(agent="writer", name="clerk", config=SPEC, text="letters")),
    "merge": (K.AGENT_MERGE, Change(agent="writer", name="ops", text="words, servers")),
    "retire": (K.AGENT_RETIRE, Change(agent="ops")),
    "route": (K.ROUTE_CHANGE, Change(agent="writer", text="words and letters")),
}


class Paused:
    def __init__(self) -> None:
        self.jobs: set[str] = set()

    async def pause(self, workspace: str, job: str, paused: bool) -> None:
        (self.jobs.add if paused else self.jobs.discard)(job)


@dataclass
class House:
    agents: AgentStore
    workflows: WorkflowStore
    memories: MemoryStore
    purse: Purse
    jobs: Paused
    release: Release

    async def now(self) -> dict[str, AgentVersion]:
        return {a.name: a for a in await self.agents.current(W)}

    async def numbers(self) -> dict[str, int]:
        return {name: agent.version for name, agent in (await self.now()).items()}

    async def applied(self, proposal: Proposal) -> Proposal:
        return replace(proposal, applied=await self.release.apply(proposal, "owner"))


@pytest.fixture
async def house(db: Database, clock: HeldClock, tmp_path: Path) -> AsyncIterator[House]:
    agents, workflows, memories = AgentStore(db, clock), WorkflowStore(db), MemoryStore(db)
    bank = MemoryBank(memories, EdgeIndex(tmp_path / "vectors"), WordEmbedder(), clock, SystemIds())
    await bank.open()
    default = Budget(Scope.AGENT, "*", Period.DAY, 2.0)
    purse, jobs = Purse(BudgetStore(db, clock), (default,), clock), Paused()
    await agents.seed(W, [WRITER, OPS])
    release = Release(agents, workflows, Deeds(agents, bank, purse, jobs), clock)
    yield House(agents, workflows, memories, purse, jobs, release)
    await bank.close()


def _proposal(kind: ProposalKind, change: Change, number: int = 12, **changes: Any) -> Proposal:
    made = Proposal(
        id=f"p{number}",
        workspace=W,
        number=number,
        kind=kind,
        status=ProposalStatus.APPROVED,
        title="t",
        change=change,
        base_version=1,
        diff="",
        evidence=(),
        expected="",
        risk="approver",
        fingerprint=f"f{number}",
        created_at=1,
        expires_at=2,
    )
    return replace(made, **changes)


@pytest.fixture(params=TRIED)
def tried(request: pytest.FixtureRequest) -> Proposal:
    return _proposal(*TRIED[request.param])


async def test_a_candidate_is_kept_beside_what_is_in_use(house: House, tried: Proposal) -> None:
    before = await house.numbers()
    prepared = await house.release.candidate(tried)
    assert await house.numbers() == before
    assert prepared == await house.release.candidate(tried)
    assert prepared.base == {name: before.get(name, 0) for name in prepared.overlay}
    for name, version in prepared.overlay.items():
        made = await house.agents.version(W, name, version)
        assert (made is None) is (version == 0)
    changed = await house.release.would_be(tried)
    assert {n: bool(v) for n, v in changed.items()} == {
        n: bool(v) for n, v in prepared.overlay.items()
    }


async def test_it_is_put_into_use_once_and_taken_out_once(house: House, tried: Proposal) -> None:
    before = await house.numbers()
    done = await house.applied(tried)
    after = await house.numbers()
    assert after != before
    assert await house.applied(tried) == done
    assert await house.numbers() == after
    await house.release.undo(done)
    await house.release.undo(done)
    assert await house.numbers() == before


async def test_approved_by_many_at_once_it_is_made_once(house: House) -> None:
    lesson = _proposal(K.AGENT_CONFIG, Change(agent="writer", bullet="Say please."))
    before = (await house.numbers())["writer"]
    for _ in range(10):
        made = await asyncio.gather(*(house.release.apply(lesson, "owner") for _ in range(8)))
        now = (await house.now())["writer"]
        assert [b.text for b in now.playbook].count("Say please.") == 1
        assert {one["version"] for one in made} == {now.version}
        await house.release.undo(replace(lesson, status=ProposalStatus.KEPT, applied=made[0]))
        assert (await house.numbers())["writer"] == before


async def test_what_came_later_stays_when_it_is_taken_out(house: House, tried: Proposal) -> None:
    done = await house.applied(tried)
    lesson = Change(agent="writer", bullet="Say please.")
    await house.applied(_proposal(K.AGENT_CONFIG, lesson, 13))
    await house.release.undo(done)
    now = await house.now()
    later = [b for b in now["writer"].playbook if b.source == "P13"]
    assert [b.text for b in later] == ["Say please."]
    without = replace(now["writer"], playbook=WRITER.playbook, version=0)
    assert without == WRITER
    assert "clerk" not in now
    assert now["ops"].playbook == OPS.playbook and now["ops"].guards == ()


async def test_a_candidate_is_made_anew_once_its_base_has_changed(house: House) -> None:
    waiting = _proposal(K.AGENT_CONFIG, Change(agent="writer", bullet="Cite."))
    first = await house.release.candidate(waiting)
    await house.applied(_proposal(K.AGENT_CONFIG, Change(agent="writer", bullet="Please."), 13))
    with pytest.raises(Conflict):
        await house.release.install(W, first.overlay, first.base)
    await house.applied(waiting)
    playbook = (await house.now())["writer"].playbook
    assert [(b.id, b.text) for b in playbook] == [
        ("b1", "Be short."),
        ("b2", "Please."),
        ("b3", "Cite."),
    ]


async def test_several_agents_are_moved_together_or_not_at_all(house: House) -> None:
    merge = _proposal(*TRIED["merge"])
    prepared = await house.release.candidate(merge)
    await house.applied(_proposal(K.AGENT_CONFIG, Change(agent="ops", bullet="Log."), 13))
    before = await house.numbers()
    with pytest.raises(Conflict, match="ops is at v2"):
        await house.release.install(W, prepared.overlay, prepared.base)
    assert await house.numbers() == before


async def test_a_merged_agent_knows_and_may_what_both_did(house: House) -> None:
    await house.applied(_proposal(*TRIED["guard"], 13))
    await house.applied(_proposal(*TRIED["merge"]))
    writer = (await house.now())["writer"]
    assert [(b.id, b.text) for b in writer.playbook] == [("b1", "Be short."), ("b2", "Ask first.")]
    assert (writer.tools, len(writer.guards)) == (("recall", "http_fetch"), 1)


async def test_a_guard_takes_the_place_of_the_one_against_the_same(house: House) -> None:
    kind, change = TRIED["guard"]
    await house.applied(_proposal(kind, change))
    better = replace(change, guard={**change.guard, "advice": "Ask for one page."})
    await house.applied(_proposal(kind, better, 13))
    assert (await house.now())["ops"].guards == (
        Guard("g2", "http_fetch", "tool", "", "Ask for one page.", "P13"),
    )


async def test_an_agent_keeps_to_its_version_of_a_runbook(house: House) -> None:
    kind, change = TRIED["runbook"]
    await house.applied(_proposal(kind, change))
    await house.release.candidate(_proposal(kind, replace(change, text="1. Ask."), 13))
    assert (await house.now())["writer"].workflows == ("refunds@1",)
    kept = await house.workflows.get(W, "refunds", 1)
    newest = await house.workflows.get(W, "refunds")
    assert kept and newest
    assert (kept.markdown, newest.markdown) == ("1. Look.", "1. Ask.")


async def test_an_agent_that_was_retired_stays_away_at_the_next_start(house: House) -> None:
    await house.applied(_proposal(*TRIED["retire"]))
    await house.agents.seed(W, [WRITER, replace(OPS, instructions="Run well.")])
    assert set(await house.now()) == {"writer"}


@pytest.mark.parametrize(
    ("kind", "change", "error"),
    [
        (K.AGENT_CONFIG, Change(agent="gone", bullet="x"), NotFound),
        (K.AGENT_CONFIG, Change(agent="writer", retire="b9"), NotFound),
        (K.AGENT_CONFIG, Change(agent="writer"), Conflict),
        (K.AGENT_CONFIG, Change(agent="writer", config={"http_allow": "*"}), Conflict),
        (K.AGENT_CONFIG, Change(agent="writer", config={"tools": "recall"}), Conflict),
        (K.AGENT_CONFIG, Change(agent="writer", config={"limits": {"approver": 1}}), Conflict),
        (K.AGENT_CONFIG, Change(agent="writer", config={"limits": {"seconds": NAN}}), Conflict),
        (K.AGENT_CONFIG, Change(agent="writer", config={"budget_day": NAN}), Conflict),
        (K.AGENT_CONFIG, Change(agent="writer", config={"temperature": -1}), Conflict),
        (K.MODEL_CHEAPER, Change(agent="writer", config={"tools": ["recall"]}), Conflict),
        (K.GUARD_NEW, Change(agent="writer", guard={"tool": "recall"}), Conflict),
        (K.AGENT_NEW, Change(agent="writer", config=SPEC), Conflict),
        (K.AGENT_NEW, Change(agent="clerk", config={**SPEC, "policy": "automatic"}), Conflict),
        (K.AGENT_NEW, Change(agent="clerk", config={"specialty": "x"}), Conflict),
        (K.AGENT_NEW, Change(agent="Clerk", config=SPEC), Conflict),
        (K.AGENT_NEW, Change(agent="all of you\n", config=SPEC), Conflict),
        (K.AGENT_NEW, Change(agent="c" * 300, config=SPEC), Conflict),
        (K.OPS_ACTION, Change(config={"do": ["point"]}), Conflict),
        (K.AGENT_SPLIT, Change(agent="gone", name="clerk", config=SPEC), NotFound),
        (K.AGENT_MERGE, Change(agent="writer", name="writer", text="x"), Conflict),
        (K.OPS_ACTION, Change(config={"do": "rm"}), Conflict),
        (
            K.OPS_ACTION,
            Change(agent="ops", config={"do": "point", "version": 9, "from": 1}),
            NotFound,
        ),
        (
            K.OPS_ACTION,
            Change(agent="ops", config={"do": "point", "version": 2, "from": 5}),
            Conflict,
        ),
        (K.OPS_ACTION, Change(config={"do": "budget", "scope": "agent"}), Conflict),
    ],
)
async def test_what_cannot_be_done_is_said_before_it_is_approved(
    house: House, kind: ProposalKind, change: Change, error: type[Exception]
) -> None:
    # Version 5 of ops was in use when that was proposed, and is no more.
    with pytest.raises(error):
        await house.release.check(_proposal(kind, change, status=ProposalStatus.OFFERED))


@pytest.mark.parametrize("name", ["instructions", "route", "model", "merge"])
async def test_what_was_reworded_meanwhile_is_not_overwritten(house: House, name: str) -> None:
    other = replace(WRITER, instructions="Mine.", specialty="mine", model="mine")
    await house.agents.deploy(W, other, base=1, source="P1")
    with pytest.raises(Conflict, match="P12"):
        await house.release.check(_proposal(*TRIED[name], status=ProposalStatus.OFFERED))


async def test_the_last_agent_cannot_be_retired(house: House) -> None:
    await house.applied(_proposal(*TRIED["retire"]))
    last = _proposal(K.AGENT_RETIRE, Change(agent="writer"), 13, status=ProposalStatus.OFFERED)
    with pytest.raises(Conflict):
        await house.release.check(last)


async def test_a_fact_is_remembered_and_forgotten(house: House) -> None:
    fact = _proposal(K.MEMORY_NEW, Change(namespace=ORG, text="We close at five."))
    done = await house.applied(fact)
    assert await house.applied(fact) == done
    assert [m.text for m in await house.memories.list(W, [ORG])] == ["We close at five."]
    await house.release.undo(done)
    assert await house.memories.list(W, [ORG]) == []


async def test_an_agent_is_pointed_back_and_forth(house: House) -> None:
    await house.applied(_proposal(*TRIED["bullet"]))
    config = {"do": "point", "version": 1, "from": 2}
    back = await house.applied(_proposal(K.OPS_ACTION, Change(agent="writer", config=config), 13))
    assert await house.numbers() == {"ops": 1, "writer": 1}
    assert await house.release.undo(back) == "writer v2 is in use again."
    assert await house.numbers() == {"ops": 1, "writer": 2}


async def test_a_budget_is_set_and_set_back(house: House) -> None:
    config = {"do": "budget", "scope": "agent", "key": "*", "period": "day", "limit_usd": 5.0}
    raise_ = _proposal(K.OPS_ACTION, Change(config={**config, "before": 2.0}))
    done = await house.applied(raise_)
    assert await house.applied(raise_) == done
    assert [b.limit_usd for b in await house.purse.budgets(W)] == [5.0]
    assert "$2.00 again" in await house.release.undo(done)
    assert [b.limit_usd for b in await house.purse.budgets(W)] == [2.0]


async def test_a_job_is_paused_and_goes_on(house: House) -> None:
    done = await house.applied(
        _proposal(K.OPS_ACTION, Change(config={"do": "pause_job", "job": "digest"}))
    )
    assert house.jobs.jobs == {"digest"}
    await house.release.undo(done)
    assert house.jobs.jobs == set()
