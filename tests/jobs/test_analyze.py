"""From the log to findings, outcomes and proposals, a little at a time."""

from dataclasses import replace
from typing import Any, cast

import pytest
from sqlalchemy import insert

from bot.clock import SystemIds
from bot.model.feedback import Feedback
from bot.model.person import Person, Role
from bot.model.proposal import ProposalKind, ProposalStatus
from bot.model.run import Outcome, Run, RunStatus, Step, StepKind
from bot.services import Services
from jobs import analyze, errors, expire, mine, retention, vacuum
from storage.engine import Database
from storage.rows import run_row, step_row
from storage.tables import runs, steps
from tests.conftest import HeldClock
from tests.fakes.post import RecordingPost
from tests.jobs.desk import with_desk
from tests.samples import run as a_run

DAY = 86_400


@pytest.fixture
async def services(db: Database, clock: HeldClock, ids: SystemIds) -> Services:
    return await with_desk(db, clock, ids)


@pytest.fixture
def log(db: Database, clock: HeldClock) -> "Log":
    return Log(db, clock)


class Log:
    """Writes closed runs as the journal leaves them."""

    def __init__(self, db: Database, clock: HeldClock) -> None:
        self._db, self._clock = db, clock

    async def write(self, *failed_steps: Step, **changes: Any) -> Run:
        now = self._clock.now()
        run = a_run(agent="writer", agent_version=1, created_at=now, finished_at=now + 9)
        run = replace(run, **({"status": RunStatus.SUCCEEDED} | changes))
        closed = {
            "finished_at": run.finished_at,
            "outcome": run.outcome.y,
            "outcome_source": run.outcome.source,
            "error_message": run.error_message,
        }
        async with self._db.write() as conn:
            await conn.execute(insert(runs).values(run_row(run) | closed))
            for step in failed_steps:
                await conn.execute(insert(steps).values(step_row(run, step)))
        return run

    async def fill(self, count: int, **changes: Any) -> None:
        """Requests a ms apart, each in its own conversation."""
        given = {"finished_at": 1, **changes}
        many = [
            a_run(conversation=f"c{n}", created_at=self._clock.now() + n, **given)
            for n in range(count)
        ]
        self._clock.advance(count / 1000)
        async with self._db.write() as conn:
            await conn.execute(insert(runs), [run_row(run) for run in many])


async def rate(services: Services, run: Run, rating: int, words: str = "") -> None:
    await services.feedback.put(
        Feedback(
            services.ids.run_id(),
            "local",
            run.id,
            "member",
            rating,
            words,
            "thumbs",
            services.clock.now(),
        )
    )


async def analysed(services: Services) -> str:
    return await analyze.work(services, "local", "r")


async def failing(services: Services, clock: HeldClock) -> str:
    """What comes of failures once they are in the error knowledge base."""
    clock.advance(6)
    await errors.work(services, "local", "r")
    return await analysed(services)


async def test_a_bad_rating_with_words_becomes_one_proposal(services: Services, log: Log) -> None:
    run = await log.write(message="When do we close?")
    await rate(services, run, -1, "wrong, I asked about Sunday")
    assert await analysed(services) == "1 answer judged, 1 rated by people, 1 proposal"
    [proposal] = await services.proposals.list("local")
    assert (proposal.kind, proposal.status) == (ProposalKind.AGENT_CONFIG, ProposalStatus.OFFERED)
    assert proposal.evidence == (run.id,)
    assert "When do we close?" in proposal.change.bullet
    assert list(cast(RecordingPost, services.post).posted) == [f"local/proposal:{proposal.id}"]
    rated = await services.runs.get("local", run.id)
    assert rated and rated.outcome == Outcome(0.0, "rating")
    assert await analysed(services) == "0 answers judged, none rated by people, no proposals"
    assert len(await services.proposals.list("local")) == 1


async def test_thumbs_without_a_word_count_up_and_repeated_become_one_lesson(
    services: Services, log: Log
) -> None:
    rated = []
    for number in range(12):
        rated.append(await log.write(message=f"When does shop {'x' * number} close?"))
        await rate(services, rated[-1], -1)
        said = await analysed(services)
        assert said.endswith(", 1 proposal" if number == 2 else ", no proposals")
        [finding] = await services.findings.list("local")
        assert (finding.kind, finding.agent) == ("disliked", "writer")
        assert (finding.count, finding.people) == (number + 1, 1)
        assert finding.status == ("open" if number < 2 else "proposed")
    [proposal] = await services.proposals.list("local")
    assert proposal.evidence == tuple(run.id for run in rated[:3])
    assert proposal.change.bullet.startswith('Answers to requests like "When does shop close?", ')
    assert proposal.change.bullet.count("shop") == 3


async def test_each_agent_and_each_version_has_its_own_thumbs(services: Services, log: Log) -> None:
    for changes in ({}, {"agent_version": 2}, {"agent": "ops"}, {"agent": ""}):
        for _ in range(2):
            await rate(services, await log.write(**changes), -1)
    assert (await analysed(services)).endswith(", no proposals")
    assert [one.count for one in await services.findings.list("local")] == [2, 2, 2, 2]
    # A version that isn't in use, an agent that has left and nobody at all learn nothing.
    for changes in ({"agent_version": 2}, {"agent": "ops"}, {"agent": ""}, {}):
        await rate(services, await log.write(**changes), -1)
    assert (await analysed(services)).endswith(", 1 proposal")
    assert {one.count for one in await services.findings.list("local")} == {3}


async def test_a_lesson_is_about_the_kind_that_was_disliked(
    services: Services, log: Log, clock: HeldClock
) -> None:
    asked = ["Translate the newsletter of {}", "Translate the newsletter, please, for {}"]
    for message in (*asked, "How is the weather?", "Translate {}'s newsletter", "Who are you?"):
        await rate(services, await log.write(message=message.format("March")), -1)
    clock.advance(60)
    await mine.work(services, "local", "r")
    assert (await analysed(services)).endswith(", 1 proposal")
    [proposal] = await services.proposals.list("local")
    assert proposal.change.bullet.count("newsletter") == 3
    assert "weather" not in proposal.change.bullet


async def test_a_declined_one_is_not_proposed_again(services: Services, log: Log) -> None:
    await rate(services, await log.write(message="When do we close?"), -1, "be more precise please")
    await analysed(services)
    [proposal] = await services.proposals.list("local")
    approver = Person("p", "local", "Ada", Role.APPROVER)
    await services.desk.decline("local", proposal.ref, approver, "no")
    await rate(
        services, await log.write(message="And when on Sunday?"), -1, "Be more precise, please"
    )
    assert (await analysed(services)).endswith(", no proposals")
    assert [p.status for p in await services.proposals.list("local")] == [ProposalStatus.DECLINED]


async def test_what_has_its_proposal_gets_no_second(services: Services, log: Log) -> None:
    run = await log.write(message="When do we close?")
    owner = Person("p", "local", "Ada", Role.OWNER)
    await services.desk.from_words(run, "it is at six", owner, "run-of-better")
    await rate(services, run, -1, "it is at six")
    assert (await analysed(services)).endswith(", no proposals")


async def test_failures_count_over_several_nights(
    services: Services, log: Log, clock: HeldClock
) -> None:
    for number in range(2):
        broken = Step(0, StepKind.TOOL, "http_fetch", error_type="tool")
        broken = replace(broken, error_message=f"host h{number}.example is not allowed")
        await log.write(broken)
    assert (await failing(services, clock)).endswith(", no proposals")
    [finding] = await services.findings.open("local")
    assert (finding.kind, finding.count) == ("error", 2)
    clock.advance(DAY)
    third = await log.write(broken)
    assert (await failing(services, clock)).endswith(", 1 proposal")
    [proposal] = await services.proposals.list("local")
    assert len(proposal.evidence) == 3 and proposal.evidence[-1] == third.id
    assert proposal.change.bullet.startswith("When http_fetch fails with tool")
    assert await services.findings.open("local") == []


async def test_a_failing_model_becomes_a_known_problem(
    services: Services, log: Log, clock: HeldClock
) -> None:
    for _ in range(3):
        await log.write(
            status=RunStatus.FAILED, error_type="model_unavailable", error_message="HTTP 503"
        )
    assert (await failing(services, clock)).endswith(", 1 proposal")
    [proposal] = await services.proposals.list("local")
    assert proposal.kind is ProposalKind.MEMORY_NEW
    assert proposal.change.text.startswith("Known problem: model_unavailable: HTTP 503")


async def test_the_next_message_gives_a_weak_outcome(
    services: Services, log: Log, clock: HeldClock
) -> None:
    first = await log.write(message="How long is the refund window?")
    clock.advance(20)
    second = await log.write(message="how long is the refund window??")
    clock.advance(20)
    third = await log.write(message="thanks!")
    clock.advance(6)
    assert await analysed(services) == "2 answers judged, none rated by people, no proposals"
    found = [await services.runs.get("local", run.id) for run in (first, second, third)]
    assert [run.outcome.y for run in found if run] == [0.0, 0.75, None]


async def test_the_pile_of_undecided_cards_stays_small(services: Services, log: Log) -> None:
    for number in range(14):
        run = await log.write(message="Question?")
        await rate(services, run, -1, f"always mention thing {'x' * number}")
    assert (await analysed(services)).endswith(", 10 proposals")
    assert (await analysed(services)).endswith(", no proposals")
    waiting = await services.proposals.list("local", [ProposalStatus.DRAFTED])
    assert len(waiting) == 4
    offered = await services.proposals.list("local", [ProposalStatus.OFFERED])
    approver = Person("p", "local", "Ada", Role.APPROVER)
    await services.desk.decline("local", offered[0].ref, approver, "no")
    assert await services.desk.settle("local") == 1
    assert len(await services.proposals.list("local", [ProposalStatus.DRAFTED])) == 3


async def test_a_long_log_is_read_to_its_end(
    services: Services, log: Log, clock: HeldClock
) -> None:
    await log.fill(1_002, status=RunStatus.SUCCEEDED)
    for _ in range(2):
        clock.advance(20)
        await log.write(message="how long is the refund window?")
    for _ in range(2):  # the last one is too young at first; the page before has another
        assert await analysed(services) == "1 answer judged, none rated by people, no proposals"
        clock.advance(6)
    assert (await analysed(services)).startswith("0 answers judged")


async def test_another_workspace_is_not_touched(services: Services, log: Log) -> None:
    await rate(services, await log.write(), -1)
    assert (
        await analyze.work(services, "other", "r")
        == "0 answers judged, none rated by people, no proposals"
    )


async def test_offers_expire(services: Services, log: Log, clock: HeldClock) -> None:
    await rate(services, await log.write(), -1, "be more precise please")
    await analysed(services)
    assert await expire.work(services, "local", "r") == "0 expired, 0 finished"
    clock.advance(15 * DAY)
    assert await expire.work(services, "local", "r") == "1 expired, 0 finished"
    [proposal] = await services.proposals.list("local")
    assert proposal.status is ProposalStatus.EXPIRED
    card = cast(RecordingPost, services.post).cards[f"local/{proposal.ref}"].card
    assert card and card.status


async def test_texts_are_forgotten_after_their_time(
    services: Services, log: Log, clock: HeldClock
) -> None:
    old = await log.write()
    clock.advance(89 * DAY)
    young = await log.write()
    assert await retention.work(services, "local", "r") == "0 runs forgotten"
    clock.advance(2 * DAY)
    assert await retention.work(services, "local", "r") == "1 runs forgotten"
    assert await retention.work(services, "local", "r") == "0 runs forgotten"
    kept = [await services.runs.get("local", run.id) for run in (old, young)]
    assert [run.message for run in kept if run] == ["", young.message]


class Bare:
    """Stands in for what is vacuumed beside the database."""

    def __init__(self) -> None:
        self.done: list[object] = []

    async def vacuum(self) -> None:
        self.done.append("memory")

    async def forget(self, before: int) -> int:
        self.done.append(before)
        return 2


async def test_the_nightly_upkeep(db: Database, services: Services, clock: HeldClock) -> None:
    bare = Bare()
    services = replace(services, memory=cast(Any, bare), durable=cast(Any, bare))
    await services.job_states.claim_tick("local", "analyze", 1, "r")
    await services.job_states.claim_tick("local", "analyze", 2, "r")
    assert await vacuum.work(services, "local", "r") == "3 old rows removed"
    assert bare.done == [clock.now() - 30 * DAY * 1000, "memory"]


async def test_nothing_is_learned_from_a_channel_whose_terms_forbid_it(
    services: Services, log: Log, clock: HeldClock
) -> None:
    """Even if a request came to be recorded there."""
    failing = Step(0, StepKind.TOOL, "http_fetch", error_type="tool", error_message="404")
    quiet = {"channel": "whatsapp", "person": "u1", "conversation": "w1"}
    asked = await log.write(message="How long is the cable we sell", **quiet)
    clock.advance(30)
    await log.write(message="How long is the cable we sell, please", **quiet)
    for _ in range(4):
        clock.advance(1)
        failed = {"status": RunStatus.FAILED, "error_type": "tool", "error_message": "404"}
        await log.write(failing, **quiet, **failed)
    await services.feedback.put(
        Feedback("f1", "local", asked.id, "u1", -1, "Say metres", "thumbs", clock.now())
    )
    clock.advance(60)
    await analyze.work(services, "local", "job-run")
    assert await services.findings.open("local") == []
    assert await services.proposals.list("local") == []
    runs = await services.runs.between("local", 0, clock.now() + 1)
    assert {run.outcome for run in runs} == {Outcome()}
