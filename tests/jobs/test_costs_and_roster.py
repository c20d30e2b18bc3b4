"""What is spent and who is needed, read from the log, a little at a time, each workspace alone."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import insert

from bot.budget import Purse
from bot.clock import SystemIds
from bot.improve import synthesis
from bot.model.agent import Bullet
from bot.model.budget import Budget, Period, Scope
from bot.model.person import Role
from bot.model.run import Outcome, RunStatus, Usage
from bot.services import Services
from jobs import costs, roster
from storage.budgets import BudgetStore
from storage.engine import Database
from storage.tables import spend
from tests.conftest import HeldClock
from tests.jobs.desk import WRITER, with_desk
from tests.jobs.test_follow import keep
from tests.samples import run as a_run

W, DAY = "local", 86_400


@pytest.fixture
async def services(db: Database, clock: HeldClock, ids: SystemIds) -> Services:
    limit = Budget(Scope.WORKSPACE, "", Period.DAY, 1.0)
    purse = Purse(BudgetStore(db, clock), (limit,), clock)
    return replace(await with_desk(db, clock, ids), purse=purse)


async def work_for_a_day(db: Database, clock: HeldClock, count: int, **changes: Any) -> None:
    given = {"agent": "writer", "agent_version": 1, "usage": Usage(400, 40, 0, 0.01), **changes}
    made = []
    for _ in range(count):
        clock.advance(60)
        made.append(a_run(created_at=clock.now(), status=RunStatus.SUCCEEDED, **given))
    await keep(db, made)
    clock.advance(DAY - 60 * count)


async def test_a_dear_day_is_found(db: Database, services: Services, clock: HeldClock) -> None:
    for _ in range(8):
        await work_for_a_day(db, clock, 5)
    await work_for_a_day(db, clock, 9, channel="whatsapp")
    await work_for_a_day(db, clock, 9, workspace="other")
    assert await costs.work(services, W, "r") == "40 runs read, no findings"
    await work_for_a_day(db, clock, 15)
    assert await costs.work(services, W, "r") == "15 runs read, no findings"
    [finding] = await services.findings.list(W)
    assert (finding.kind, finding.agent, finding.count) == ("cost", "writer", 11)
    assert await costs.work(services, W, "r") == "0 runs read, no findings"
    assert (await services.findings.list(W))[0].count == 11


async def test_a_budget_that_runs_out_is_found(services: Services, db: Database) -> None:
    used = {(Scope.WORKSPACE.value, "", "2026-05-28"): 0.9}

    class Spent(BudgetStore):
        async def spent(self, workspace: str, keys: Any) -> Any:
            return {key: used.get(key, 0.9) for key in keys} if workspace == W else {}

    purse = Purse(
        Spent(db, services.clock),
        (Budget(Scope.WORKSPACE, "", Period.DAY, 1.0),),
        services.clock,
    )
    services = replace(services, purse=purse)
    assert await costs.work(services, W, "r") == "0 runs read, 1 finding"
    assert await costs.work(services, "other", "r") == "0 runs read, no findings"
    [finding] = await services.findings.list(W)
    assert finding.kind == "budget" and finding.facts["spent_usd"] == 0.9


async def test_budgets_of_agents_and_of_people_are_looked_at(
    db: Database, services: Services, clock: HeldClock
) -> None:
    each = (
        Budget(Scope.AGENT, "*", Period.DAY, 1.0),
        Budget(Scope.PERSON, "*", Period.DAY, 0.1),
        Budget(Scope.RUN, "*", Period.RUN, 0.01),
    )
    services = replace(services, purse=Purse(BudgetStore(db, clock), each, clock))
    special = replace(WRITER, name="special", specialty="Tax forms", budget_day=0.05)
    await services.agents.deploy(W, special, base=0, source="P9")
    member = await services.people.resolve(W, "web", "u1", "Member", Role.MEMBER)
    await work_for_a_day(db, clock, 4, person=member.id)
    clock.advance(600 - DAY)
    today = datetime.fromtimestamp(clock.now() / 1000, UTC).strftime("%Y-%m-%d")
    spent = [("agent", "writer", 0.85), ("agent", "special", 0.05), ("person", member.id, 0.09)]
    async with db.write() as conn:
        for scope, key, usd in (*spent, ("person", "unseen", 0.1)):
            row = {"workspace": W, "scope": scope, "key": key, "period": today, "usd": usd}
            await conn.execute(insert(spend).values(row))
    assert await costs.work(services, W, "r") == "4 runs read, 3 findings"
    found = {one.title: one for one in await services.findings.list(W)}
    assert set(found) == {
        "The budget “agent writer per day” is at 85%",
        "The budget “agent special per day” is spent",
        "The budget “person Member per day” is at 90%",
    }
    person = found["The budget “person Member per day” is at 90%"]
    assert len(person.evidence) == 4 and synthesis.draft(person, {}) is None
    agent = synthesis.draft(found["The budget “agent special per day” is spent"], {})
    assert agent and agent.change.config["key"] == "special" and agent.risk == "owner"


async def test_the_roster_is_looked_at(db: Database, services: Services, clock: HeldClock) -> None:
    special = replace(WRITER, name="special", specialty="Tax forms", retire_after_days=3)
    await services.agents.deploy(W, special, base=0, source="P9")
    await work_for_a_day(db, clock, 2, outcome=Outcome(1.0, "rating"), answer="Thirty days.")
    said = await roster.work(services, W, "r")
    assert said == "2 outcomes read, no findings"
    clock.advance(3 * DAY)
    await roster.work(services, W, "r")
    kinds = {finding.kind for finding in await services.findings.list(W)}
    assert "unused" in kinds
    taught = WRITER.with_bullet(Bullet("b1", "be brief", "P1"))
    await services.agents.deploy(W, taught, base=1, source="P1")
    await roster.work(services, W, "r")
    counts = (await services.states.get(W, roster.LESSONS)).state
    assert counts["writer"] == {"b1": [0.0, 0.0, 2.0, 2.0]}


async def test_a_lesson_that_does_harm_is_proposed_to_go(
    db: Database, services: Services, clock: HeldClock
) -> None:
    taught = WRITER.with_bullet(Bullet("b1", "Answer in Latin.", "P9"))
    await work_for_a_day(db, clock, 40, outcome=Outcome(1.0, "rating"))
    await services.agents.deploy(W, taught, base=1, source="P9")
    bad = {"outcome": Outcome(0.0, "rating"), "agent_version": 2}
    await work_for_a_day(db, clock, 40, **bad)
    await roster.work(services, W, "r")
    [finding] = [one for one in await services.findings.list(W) if one.kind == "lesson"]
    assert finding.title == "writer does worse with the lesson: Answer in Latin."
    assert finding.facts["taught"] == "P9" and len(finding.evidence) == 10
    proposal = await services.desk.from_finding(finding)
    assert proposal and proposal.change.retire == "b1" and proposal.diff == "- Answer in Latin."
    owner = await services.people.resolve(W, "web", "u1", "Owner", Role.OWNER)
    await services.desk.approve(W, proposal.ref, owner)
    [now] = [a for a in await services.agents.current(W) if a.name == "writer"]
    assert (now.version, now.playbook) == (3, ())
    gone = replace(finding, fingerprint="again")
    assert await services.desk.from_finding(gone) is None
