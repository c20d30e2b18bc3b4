"""A stage for commands: real stores, a small cast, and runs to talk about."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from sqlalchemy import insert

from bot.agents import roster
from bot.budget import Purse, defaults
from bot.clock import SystemIds
from bot.command import Ask, CommandTable
from bot.config import load
from bot.errors import Forbidden
from bot.events import Events
from bot.improve.approvals import Approvals
from bot.improve.asking import Asking
from bot.improve.brake import Brake
from bot.improve.deeds import Deeds
from bot.improve.forecast import Forecast
from bot.improve.judging import Judging
from bot.improve.policies import PolicyBook, shipped
from bot.improve.proposals import ProposalDesk
from bot.improve.release import Release
from bot.improve.rights import Rights
from bot.improve.showing import Showing
from bot.improve.trials.desk import Kept, TrialDesk
from bot.improve.verdicts import RULES
from bot.llm.offline import OfflineModel
from bot.memory import MemoryBank
from bot.model.codec import reply_from_json, reply_to_json
from bot.model.job import JobState
from bot.model.message import Reply
from bot.model.person import Person, Role
from bot.model.run import Run, RunKind, RunStatus, Step
from bot.redaction import Redactor
from bot.services import Services
from commands import COMMANDS
from storage.agents import AgentStore
from storage.approvals import ApprovalStore
from storage.asks import AskStore
from storage.budgets import BudgetStore
from storage.codes import CodeStore
from storage.contacts import ContactStore
from storage.conversations import ConversationStore
from storage.engine import Database
from storage.evidence import EvidenceStore
from storage.feedback import FeedbackStore
from storage.files import FileStore
from storage.findings import FindingStore
from storage.holds import HoldStore
from storage.installations import InstallationStore
from storage.jobstates import JobStateStore
from storage.judgements import JudgementStore
from storage.memories import MemoryStore
from storage.metrics import MetricsStore
from storage.people import PeopleStore
from storage.policies import PolicyStore
from storage.proposals import ProposalStore
from storage.replays import ReplayStore
from storage.retention import UpkeepStore
from storage.rows import run_row, step_row
from storage.runs import RunStore
from storage.states import StateStore
from storage.subscriptions import SubscriptionStore
from storage.tables import runs, steps
from storage.trials import TrialStore
from storage.vectors import EdgeIndex
from storage.workflows import WorkflowStore
from tests import samples
from tests.conftest import HeldClock
from tests.fakes.embedders import WordEmbedder
from tests.fakes.inbox import RecordingInbox
from tests.fakes.post import RecordingPost

WORKSPACE = "local"
CAST = {
    "owner": Role.OWNER,
    "approver": Role.APPROVER,
    "member": Role.MEMBER,
    "other": Role.MEMBER,
    "guest": Role.GUEST,
}


class SmallJobs:
    """Two jobs that remember what was asked of them. Implements `JobControl`."""

    def __init__(self) -> None:
        self.paused: set[str] = set()
        self.started: list[tuple[str, str]] = []

    async def states(self, workspace: str) -> list[JobState]:
        return [
            JobState(name, "every 5 min", name in self.paused, 0, "", "", 1_780_000_300_000)
            for name in ("analyze", "expire")
        ]

    async def pause(self, workspace: str, job: str, paused: bool) -> None:
        (self.paused.add if paused else self.paused.discard)(job)

    async def run_now(self, workspace: str, job: str, key: str) -> str:
        self.started.append((job, key))
        return "0190-run-now"


@dataclass(slots=True)
class Stage:
    db: Database
    clock: HeldClock
    services: Services
    post: RecordingPost
    inbox: RecordingInbox
    jobs: SmallJobs
    people: dict[str, Person]

    async def asked(
        self, question: str, answer: str = "", *, log: Sequence[Step] = (), **changes: Any
    ) -> Run:
        """A closed request of the member's, in conversation c1."""
        self.clock.advance(1)
        now = self.clock.now()
        run = samples.run(
            message=question,
            answer=answer,
            person=self.people[changes.pop("by", "member")].id,
            **{
                "status": RunStatus.SUCCEEDED,
                "agent": "generalist",
                "agent_version": 1,
                "created_at": now,
                "started_at": now,
                "finished_at": now + 1200,
                **changes,
            },
        )
        closed = {
            "answer": run.answer,
            "finished_at": run.finished_at,
            "latency_ms": run.latency_ms,
            "error_message": run.error_message,
            "outcome": run.outcome.y,
            "outcome_source": run.outcome.source,
        }
        async with self.db.write() as conn:
            await conn.execute(insert(runs).values(run_row(run) | closed))
            for step in log:
                await conn.execute(insert(steps).values(step_row(run, step)))
        return run

    async def say(self, who: str, text: str, *, again: Run | None = None, **changes: Any) -> Reply:
        """What the person gets back. `again` resumes a command that was cut off."""
        self.clock.advance(1)
        table = CommandTable(COMMANDS)
        # As the inbox does: secrets and what can't be stored are gone before a command sees it.
        text = Redactor().text(text)
        name, args = table.parse(text) or ("", "")
        command = table.lookup(name)
        assert command is not None, f"no command in {text!r}"
        person = await self.services.people.get(WORKSPACE, self.people[who].id)
        assert person is not None
        if not person.role.may(command.role):
            raise Forbidden(f"{person.role} may not /{command.name}")
        said = samples.run(
            kind=RunKind.COMMAND,
            person=person.id,
            message=text,
            created_at=self.clock.now(),
            **{"address": {"to": "c1"}, **changes},
        )
        said = replace(again, attempt=again.attempt + 1) if again else said
        reply = await command.run(Ask(person, args, said, self.services))
        assert all(len(b.command.encode()) <= 64 for b in reply.buttons)
        assert reply_from_json(json.loads(json.dumps(reply_to_json(reply)))) == reply
        return reply


async def stage(db: Database, clock: HeldClock, home: Path, trials: str = "off") -> Stage:
    """`trials` as the setting has it: off, what is approved is in use at once."""
    ids, post, inbox, jobs = SystemIds(), RecordingPost(), RecordingInbox(), SmallJobs()
    agents, people, proposals = (
        AgentStore(db, clock),
        PeopleStore(db, clock, ids),
        ProposalStore(db),
    )
    memories, budgets = MemoryStore(db), BudgetStore(db, clock)
    bank = MemoryBank(memories, EdgeIndex(home / "vectors"), WordEmbedder(), clock, ids)
    await bank.open()
    settings = load({"RATCHET_TRIALS": trials})
    book = PolicyBook(PolicyStore(db), clock, WORKSPACE, shipped())
    purse, workflows = Purse(budgets, defaults(settings), clock), WorkflowStore(db)
    release = Release(agents, workflows, Deeds(agents, bank, purse, jobs), clock)
    rights = Rights(release, OfflineModel())
    approvals = Approvals(book, ApprovalStore(db), people, FeedbackStore(db), clock, rights)
    asking = Asking(book, AskStore(db), RunStore(db), post, clock)
    holds = HoldStore(db)
    brake = Brake(holds, agents, clock)
    showing = Showing(proposals, people, approvals, asking, brake)
    kept = Kept(TrialStore(db), proposals, EvidenceStore(db), ReplayStore(db), RunStore(db), agents)
    trying = TrialDesk(kept, release, rights, brake, showing, post, clock, ids, trials, RULES)
    desk = ProposalDesk(
        proposals,
        release,
        book,
        approvals,
        asking,
        clock,
        ids,
        days=14,
        brake=brake,
        trying=trying,
        showing=showing,
    )
    services = Services(
        settings=settings,
        clock=clock,
        ids=ids,
        runs=kept.runs,
        metrics=MetricsStore(db),
        agents=agents,
        people=people,
        conversations=ConversationStore(db, clock),
        feedback=FeedbackStore(db),
        findings=FindingStore(db),
        proposals=proposals,
        memories=memories,
        workflows=workflows,
        codes=CodeStore(db),
        contacts=ContactStore(db),
        subscriptions=SubscriptionStore(db),
        files=FileStore(db),
        installations=InstallationStore(db, None),
        budgets=budgets,
        job_states=JobStateStore(db),
        upkeep=UpkeepStore(db),
        states=StateStore(db),
        evidence=kept.evidence,
        judgements=JudgementStore(db),
        replays=kept.replays,
        trials=kept.trials,
        holds=holds,
        forecast=Forecast(StateStore(db), clock),
        memory=bank,
        purse=purse,
        model=cast(Any, None),
        desk=desk,
        policies=book,
        brake=brake,
        replayer=cast(Any, None),
        judging=Judging(None, JudgementStore(db), EvidenceStore(db)),
        grading=cast(Any, None),
        trying=trying,
        inbox=inbox,
        post=post,
        jobs=jobs,
        durable=cast(Any, None),
        events=Events(),
        claim_code="c0de",
    )
    await agents.seed(WORKSPACE, roster.load())
    met = {
        name: await people.resolve(WORKSPACE, "web", name, name.title(), role)
        for name, role in CAST.items()
    }
    return Stage(db, clock, services, post, inbox, jobs, met)
