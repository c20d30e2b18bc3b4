"""A change that does harm is taken back by itself, once, unless someone holds it."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import pytest

from bot.clock import SystemIds
from bot.improve.detect.seen import Seen
from bot.model.person import Person, Role
from bot.model.policy import POLICY
from bot.model.proposal import Proposal, ProposalStatus
from bot.model.run import Outcome, Run, RunStatus
from bot.ports.stores import State, States
from bot.services import Services
from jobs import regression
from storage.engine import Database
from tests.conftest import HeldClock
from tests.fakes.post import RecordingPost
from tests.jobs.desk import with_desk
from tests.jobs.test_follow import keep
from tests.samples import run as a_run

W = "local"
OWNER = Person("owner", W, "Owner", Role.OWNER)


@pytest.fixture
async def services(db: Database, clock: HeldClock, ids: SystemIds) -> Services:
    return await with_desk(db, clock, ids)


async def answered(
    db: Database, clock: HeldClock, version: int, rate: float, count: int, **changes: object
) -> None:
    """One request a minute."""
    chance = random.Random(version)
    made: list[Run] = []
    for _ in range(count):
        y = float(chance.random() < rate)
        given = {"agent": "writer", "agent_version": version, "outcome": Outcome(y, "check")}
        clock.advance(60)
        at = {"created_at": clock.now(), "status": RunStatus.SUCCEEDED}
        made.append(a_run(**(given | at | changes)))
    await keep(db, made)
    clock.advance(60)


async def taught(services: Services) -> Proposal:
    """A lesson that is in use, approved in a conversation of its own."""
    asked = a_run(agent="writer", agent_version=1, address={"chat": 7}, channel="telegram")
    run = replace(asked, status=RunStatus.SUCCEEDED)
    offered = await services.desk.from_words(run, "always answer in Latin", OWNER, "source")
    return await services.desk.approve(W, offered.ref, OWNER, offered.revision)


def told(services: Services) -> Sequence[str]:
    return [reply.text for reply in cast(RecordingPost, services.post).posted.values()]


async def test_a_change_that_does_harm_is_taken_back(
    db: Database, services: Services, clock: HeldClock
) -> None:
    await answered(db, clock, 1, 0.9, 120)
    await regression.work(services, W, "r")
    proposal = await taught(services)
    await answered(db, clock, 2, 0.4, 40)
    said = await regression.work(services, W, "r")
    assert said == "40 runs and 40 outcomes read, 1 worse, 1 taken back"
    [now] = [a for a in await services.agents.current(W) if a.name == "writer"]
    undone = await services.proposals.get(W, proposal.ref)
    assert undone and (now.version, undone.status, undone.decided_by) == (
        1,
        ProposalStatus.ROLLED_BACK,
        POLICY,
    )
    assert "writer v2 succeeds less" in undone.reason and "back to v1" in undone.reason
    assert any("P1 was rolled back by itself" in text for text in told(services))
    [finding] = await services.findings.list(W, statuses=["remedied"])
    assert (finding.remedy, finding.facts["deployed"], finding.facts["previous"]) == ("P1", "P1", 1)
    assert await regression.work(services, W, "r") == (
        "0 runs and 0 outcomes read, 0 worse, 0 taken back"
    )


async def test_what_is_held_is_told_and_stays(
    db: Database, services: Services, clock: HeldClock
) -> None:
    await answered(db, clock, 1, 0.9, 120)
    await taught(services)
    await services.brake.freeze(W, "owner", "an audit")
    await answered(db, clock, 2, 0.4, 40)
    for _ in range(2):
        said = await regression.work(services, W, "r")
        assert said.endswith("1 worse, 0 taken back")
    assert (await services.agents.current(W))[0].version == 2
    warnings = [text for text in told(services) if "frozen" in text]
    assert len(warnings) == 1 and "writer v2 succeeds less" in warnings[0]
    await services.brake.unfreeze(W)
    assert (await regression.work(services, W, "r")).endswith("1 worse, 1 taken back")
    assert (await services.agents.current(W))[0].version == 1


async def test_a_fall_long_after_the_change_is_a_finding_only(
    db: Database, services: Services, clock: HeldClock
) -> None:
    await taught(services)
    for day in range(3):
        await answered(db, clock, 2, 0.9, 60)
        clock.advance(86_400 * (day < 2))
    await answered(db, clock, 2, 0.3, 40)
    assert (await regression.work(services, W, "r")).endswith("1 worse, 0 taken back")
    [finding] = await services.findings.open(W)
    assert finding.kind == "regression" and finding.people == 1 and finding.evidence
    assert (await services.agents.current(W))[0].version == 2


async def test_a_version_that_nobody_uses_any_more_needs_no_answer(
    db: Database, services: Services, clock: HeldClock
) -> None:
    await answered(db, clock, 1, 0.9, 120)
    await answered(db, clock, 1, 0.3, 40)
    await taught(services)
    assert (await regression.work(services, W, "r")).endswith("0 worse, 0 taken back")
    assert await services.findings.open(W) == []


@dataclass
class Dying:
    """States whose process is killed when the first outcomes are saved."""

    states: States

    async def get(self, workspace: str, name: str) -> State:
        return await self.states.get(workspace, name)

    async def since(self, workspace: str, name: str, revision: int) -> State | None:
        return await self.states.since(workspace, name, revision)

    async def move(self, workspace: str, name: str, before: State, after: State, at: int) -> bool:
        raise KeyboardInterrupt


async def test_a_kill_on_the_way_takes_nothing_back_twice(
    db: Database, services: Services, clock: HeldClock
) -> None:
    await answered(db, clock, 1, 0.9, 120)
    await regression.work(services, W, "r")
    await taught(services)
    await answered(db, clock, 2, 0.4, 40)
    with pytest.raises(KeyboardInterrupt):
        await regression.work(replace(services, states=Dying(services.states)), W, "r")
    [before] = await services.findings.open(W)
    assert (await regression.work(services, W, "r")).endswith("1 worse, 1 taken back")
    [after] = await services.findings.list(W)
    assert (after.id, after.count, after.evidence) == (before.id, before.count, before.evidence)
    assert len([text for text in told(services) if "rolled back by itself" in text]) == 1


async def test_another_workspace_and_whatsapp_are_not_looked_at(
    db: Database, services: Services, clock: HeldClock
) -> None:
    for changes in ({"workspace": "other"}, {"channel": "whatsapp"}):
        await answered(db, clock, 1, 0.9, 120, **changes)
        await answered(db, clock, 1, 0.2, 40, **changes)
    assert await regression.work(services, W, "r") == (
        "0 runs and 0 outcomes read, 0 worse, 0 taken back"
    )
    assert await services.findings.list(W) == []
    assert (await regression.work(services, "other", "r")).startswith("160 runs and 160 outcomes")


@pytest.mark.parametrize(
    ("measure", "before", "after", "goes"),
    [
        ("success", 0.9, 0.6, True),
        ("latency", 700.0, 2000.0, True),
        ("latency", 1500.0, 2000.0, False),
        ("latency", 100.0, 900.0, False),
        ("cost", 0.001, 0.004, True),
        ("cost", 0.0001, 0.0009, False),
    ],
)
def test_more_of_next_to_nothing_is_told_and_not_taken_back(
    measure: str, before: float, after: float, goes: bool
) -> None:
    facts = {"deployed": "P1", "previous": 1, "measure": measure, "before": before, "after": after}
    seen = Seen("regression", "writer", "v2", "It got worse", "", (), facts=facts)
    assert regression.came_with_it(seen.finding(W, "f1", 1)) is goes
