"""The error knowledge base over the log: seen, answered, back again or gone for good."""

from dataclasses import replace
from typing import Any

import pytest

from bot.clock import SystemIds
from bot.model.finding import Finding
from bot.model.person import Person, Role
from bot.model.proposal import Change, Proposal, ProposalKind, ProposalStatus
from bot.model.run import RunStatus, Step, StepKind
from bot.services import Services
from jobs import errors
from storage.engine import Database
from tests.conftest import HeldClock
from tests.jobs.desk import with_desk
from tests.jobs.test_analyze import Log

W = "local"
OWNER = Person("owner", W, "Owner", Role.OWNER)


@pytest.fixture
async def services(db: Database, clock: HeldClock, ids: SystemIds) -> Services:
    return await with_desk(db, clock, ids)


@pytest.fixture
def log(db: Database, clock: HeldClock) -> Log:
    return Log(db, clock)


def _broken(number: int) -> Step:
    message = f"host h{number}.example is not allowed"
    return Step(0, StepKind.TOOL, "http_fetch", error_type="tool", error_message=message)


async def fails(log: Log, clock: HeldClock, times: int, **changes: Any) -> None:
    for number in range(times):
        await log.write(_broken(number), **changes)
        clock.advance(60)


async def found(services: Services) -> Finding:
    [finding] = await services.findings.list(W)
    return finding


async def test_what_fails_again_and_again_is_one_finding(
    services: Services, log: Log, clock: HeldClock
) -> None:
    await fails(log, clock, 2)
    await fails(log, clock, 1, workspace="other")
    await fails(log, clock, 1, channel="whatsapp")
    said = await errors.work(services, W, "r")
    assert said == "2 runs read, 2 with failures, 0 remedies tried, 0 helped"
    await fails(log, clock, 1, person="owner", status=RunStatus.FAILED, error_type="tool")
    assert (await errors.work(services, W, "r")).startswith("1 runs read, 1 with failures")
    finding = await found(services)
    assert (finding.kind, finding.count, finding.people) == ("error", 3, 2)
    assert finding.updated_at == clock.now() - 60_000
    assert (await errors.work(services, W, "r")).startswith("0 runs read, 0 with failures")


async def test_a_run_that_fails_by_itself_counts_too(
    services: Services, log: Log, clock: HeldClock
) -> None:
    down = {"error_type": "model_unavailable", "error_message": "HTTP 503"}
    await log.write(status=RunStatus.FAILED, **down)
    clock.advance(6)
    await errors.work(services, W, "r")
    finding = await found(services)
    assert (finding.kind, finding.title) == ("outage", "model_unavailable: HTTP 503")


async def test_what_comes_back_after_a_remedy_is_open_again(
    services: Services, log: Log, clock: HeldClock
) -> None:
    await fails(log, clock, 3)
    await errors.work(services, W, "r")
    finding = await found(services)
    await services.findings.remedied(W, finding.id, "P1", clock.now(), {"remedies": ["P1"]})
    early = replace(finding, evidence=("late-reader",), updated_at=clock.now() - 1)
    await services.findings.raise_once(early)
    assert (await found(services)).status == "remedied"
    clock.advance(1)
    await fails(log, clock, 1)
    for _ in range(2):
        await errors.work(services, W, "r")
        again = await found(services)
        assert (again.status, again.reopened, again.remedy) == ("open", 1, "P1")
    assert again.facts["remedies"] == ["P1"]


async def test_a_lesson_that_helped_asks_for_a_guard(
    services: Services, log: Log, clock: HeldClock
) -> None:
    await fails(log, clock, 3)
    await errors.work(services, W, "r")
    proposal = await _lesson_against(services, await found(services))
    said = await errors.work(services, W, "r")
    assert said.endswith("1 remedies tried, 0 helped")
    finding = await found(services)
    assert (finding.status, finding.remedy, finding.facts["exposed"]) == (
        "remedied",
        proposal.ref,
        3,
    )
    await log.fill(50, agent="writer", status=RunStatus.SUCCEEDED)
    clock.advance(6)
    assert (await errors.work(services, W, "r")).endswith("0 remedies tried, 1 helped")
    finding = await found(services)
    assert (finding.status, finding.facts["worked"]) == ("open", proposal.ref)
    assert finding.facts["advice"] == proposal.change.bullet
    assert (await errors.work(services, W, "r")).endswith("0 remedies tried, 0 helped")


async def test_a_remedy_that_was_taken_back_is_none(
    services: Services, log: Log, clock: HeldClock
) -> None:
    await fails(log, clock, 3)
    await errors.work(services, W, "r")
    proposal = await _lesson_against(services, await found(services))
    await errors.work(services, W, "r")
    assert (await found(services)).status == "remedied"
    await services.desk.rollback(W, proposal.ref, OWNER)
    await errors.work(services, W, "r")
    assert (await found(services)).status == "open"


async def _lesson_against(services: Services, finding: Finding) -> Proposal:
    made = Proposal(
        id="p",
        workspace=W,
        number=0,
        kind=ProposalKind.AGENT_CONFIG,
        status=ProposalStatus.DRAFTED,
        title="Teach writer",
        change=Change(agent="writer", bullet="fetch no other hosts"),
        base_version=1,
        diff="",
        evidence=(),
        expected="",
        risk="approver",
        fingerprint="f",
        created_at=services.clock.now(),
        expires_at=services.clock.now() + 86_400_000,
        finding=finding.id,
    )
    await services.proposals.add(made)
    await services.desk.settle(W)
    return await services.desk.approve(W, "P1", OWNER)
