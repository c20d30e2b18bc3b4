"""The composition root: the only module that sees everyone, and hands each what it needs."""

import asyncio
import importlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Protocol, TextIO

import structlog

from bot import footprint
from bot.agents import roster
from bot.app import App
from bot.assembly import Doors, Parts, Stores
from bot.clock import SystemClock, SystemIds
from bot.closing import close_all
from bot.config import Settings
from bot.errors import ConfigError, StorageError
from bot.files.saving import Saving
from bot.improve.rules import Rule
from bot.kit import ChannelKit, plain
from bot.lease import Lease
from bot.llm.pricing import load as load_prices
from bot.model.run import RunStatus
from bot.model.workspace import HOME
from bot.ports.channels import Channel
from bot.ports.clock import Clock, Ids
from bot.ports.jobs import JobRuns
from bot.ports.vectors import VectorIndex
from bot.recovery import Recovery
from bot.redaction import Redactor
from commands import COMMANDS
from handlers import CHANNELS
from jobs import SCHEDULE
from jobs.job import JournalRuns
from jobs.scheduler import Scheduler
from storage.agents import AgentStore
from storage.approvals import ApprovalStore
from storage.asks import AskStore
from storage.budgets import BudgetStore
from storage.codes import CodeStore
from storage.contacts import ContactStore
from storage.conversations import ConversationStore
from storage.drafts import DraftStore
from storage.durable import DbosDurable
from storage.engine import Database, url_of
from storage.evidence import EvidenceStore
from storage.feedback import FeedbackStore
from storage.files import FileStore
from storage.findings import FindingStore
from storage.holds import HoldStore
from storage.installations import InstallationStore, Seal
from storage.jobstates import JobStateStore
from storage.journal import RunJournal
from storage.judgements import JudgementStore
from storage.memories import MemoryStore
from storage.metrics import MetricsStore
from storage.migrate import upgrade
from storage.nodes import NodeStore
from storage.outbox import OutboxStore
from storage.people import PeopleStore
from storage.policies import PolicyStore
from storage.proposals import ProposalStore
from storage.receipts import ReceiptStore
from storage.replays import ReplayStore
from storage.retention import UpkeepStore
from storage.runs import RunStore
from storage.states import StateStore
from storage.subscriptions import SubscriptionStore
from storage.trials import TrialStore
from storage.vectors.edge import EdgeIndex
from storage.workflows import WorkflowStore

VERSION = "0.1.0"

log = structlog.get_logger()

Starting = Callable[[], Awaitable[None]]


async def upgrade_database(settings: Settings) -> str:
    """Brings the database to this version; says what was done."""
    db = Database(url_of(settings.database_url, settings.home))
    try:
        return await _upgraded(db)
    finally:
        await db.close()


async def _upgraded(db: Database) -> str:
    """Raises ConfigError where the database can't be used: nothing runs without it."""
    try:
        return await upgrade(db)
    except StorageError as error:
        where = db.url.render_as_string(hide_password=True)
        said = f"The database {where} can't be used: {error}. Check RATCHET_DATABASE_URL."
        raise ConfigError(str(error), said=said) from error


@asynccontextmanager
async def open_app(
    settings: Settings,
    *,
    serve: bool = True,
    clock: Clock | None = None,
    ids: Ids | None = None,
    rule: Rule | None = None,
) -> AsyncIterator[App]:
    """A running Ratchet for the length of the block. The caller holds the home folder's lock.

    `serve` False opens no port and no chat platform, for one command inside this process. `rule`
    decides trials in place of the one that the settings name: a simulation compares them.
    """
    app = build(settings, serve, clock or SystemClock(), ids or SystemIds(), rule)
    try:
        await app.start()
        yield app
    finally:
        await app.stop()


async def tick(app: App, job: str) -> str:
    """One tick of a job, here and now, with its run in the log; what it said. Raises what its work
    raises, once the run is closed as failed."""
    runs, now = app.job_runs, app.services.clock.now()
    run = await runs.open(HOME, job, f"{job}@{now}")
    try:
        said = await SCHEDULE[job].work(app.services, HOME, run)
    except Exception as error:
        kind = type(error).__name__
        await runs.close(HOME, run, RunStatus.FAILED, "", kind, str(error))
        raise
    await runs.close(HOME, run, RunStatus.SUCCEEDED, said)
    return said


def build(settings: Settings, serve: bool, clock: Clock, ids: Ids, rule: Rule | None = None) -> App:
    """Makes every part by hand and starts none. Raises ConfigError for settings that can't be."""
    load_prices(settings.prices)  # a wrong table is told at once, with or without a model
    db = Database(url_of(settings.database_url, settings.home))
    nodes, redactor = NodeStore(db), Redactor(emails=settings.redact_email)
    lease = Lease(
        nodes, clock, ids, seconds=settings.lease_seconds, alone=db.sqlite, version=VERSION
    )
    journal = RunJournal(db, lease.valid)
    kept = _stores(settings, db, journal, clock, ids)
    durable = DbosDurable(
        settings.home,
        lease.node,
        postgres="" if db.sqlite else settings.database_url,
        standing=nodes.standing,
    )
    job_runs = JournalRuns(journal, kept.runs, clock, ids, lease.node)
    scheduler = Scheduler(SCHEDULE, kept.job_states, job_runs, durable, clock, HOME, redactor.text)
    doors = Doors(lease, durable, _index(settings), scheduler, COMMANDS)
    parts = Parts(settings, kept, doors, redactor, clock, ids, rule)
    scheduler.bind(parts.services)

    async def start_store() -> None:
        log.debug("database", said=await _upgraded(db))
        await _refuse_shared_index(settings, db, nodes, clock)
        await kept.agents.seed(HOME, roster.load())
        await parts.roles.meet()
        journal.start()

    async def stop_store() -> None:
        await close_all(parts.memory.close, journal.close, db.close)

    app = _app(parts, scheduler, job_runs, start_store, stop_store, serve)
    if serve:
        parts.channels.update(_channels(parts.kit(lambda: app.taking)))
    return app


def _app(
    parts: Parts,
    scheduler: Scheduler,
    job_runs: JobRuns,
    start_store: Starting,
    stop_store: Starting,
    serve: bool,
) -> App:
    kept, durable, sender = parts.kept, parts.doors.durable, parts.sender

    async def settle() -> None:
        for workspace in sorted({HOME, *await kept.upkeep.workspaces()}):
            await parts.desk.settle(workspace)

    async def footprint_settled() -> None:
        await asyncio.to_thread(footprint.settle)

    serving = (
        ("durable", durable.launch),
        ("scheduler", scheduler.start),
        ("footprint", footprint_settled),
    )
    return App(
        services=parts.services,
        inbox=parts.inbox,
        channels=parts.channels,
        lease=parts.doors.lease,
        recovery=Recovery(kept.runs, parts.inbox, sender, durable),
        sender=sender,
        start_store=start_store,
        stop_store=stop_store,
        later=(
            ("model", parts.model.warm),
            ("memory", parts.memory.open),
            ("proposals", settle),
            *(serving if serve else ()),
        ),
        at_end=(
            ("warnings", parts.purse.drain),
            ("scheduler", scheduler.close),
            ("durable", durable.close),
            ("model", parts.model.close),
        ),
        job_runs=job_runs,
    )


def _stores(
    settings: Settings, db: Database, journal: RunJournal, clock: Clock, ids: Ids
) -> Stores:
    return Stores(
        journal=journal,
        outbox=OutboxStore(db, journal),
        drafts=DraftStore(db, journal, clock),
        receipts=ReceiptStore(db),
        runs=RunStore(db),
        metrics=MetricsStore(db),
        agents=AgentStore(db, clock),
        people=PeopleStore(db, clock, ids),
        conversations=ConversationStore(db, clock),
        feedback=FeedbackStore(db),
        findings=FindingStore(db),
        proposals=ProposalStore(db),
        policies=PolicyStore(db),
        approvals=ApprovalStore(db),
        asks=AskStore(db),
        memories=MemoryStore(db),
        workflows=WorkflowStore(db),
        codes=CodeStore(db),
        subscriptions=SubscriptionStore(db),
        contacts=ContactStore(db),
        files=FileStore(db),
        installations=InstallationStore(db, _seal(settings, ids)),
        budgets=BudgetStore(db, clock),
        job_states=JobStateStore(db),
        upkeep=UpkeepStore(db),
        states=StateStore(db),
        evidence=EvidenceStore(db),
        judgements=JudgementStore(db),
        replays=ReplayStore(db),
        trials=TrialStore(db),
        holds=HoldStore(db),
        shared=not db.sqlite,
    )


class Console(Protocol):
    """The terminal as a channel, started by whoever owns the terminal."""

    over: asyncio.Event

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


def console(app: App, stdin: int, output: TextIO) -> Console:
    """A chat with a running Ratchet on this terminal, not started yet."""
    module: Any = importlib.import_module("handlers.console.channel")
    services = app.services
    made: Console = module.ConsoleChannel(
        inbox=services.inbox,
        events=services.events,
        ids=services.ids,
        workspace=HOME,
        stdin=stdin,
        output=output,
        save=Saving(services.files, services.settings.home / "files").save,
    )
    return made


def _seal(settings: Settings, ids: Ids) -> Seal | None:
    keys = settings.listed(plain(settings.secret_key) or "")
    if not keys:
        return None
    module: Any = importlib.import_module("storage.sealing")
    seal: Seal = module.AesSeal(keys, ids)
    return seal


def _index(settings: Settings) -> VectorIndex:
    if settings.qdrant_url:
        server: Any = importlib.import_module("storage.vectors.server")
        index: VectorIndex = server.ServerIndex(settings.qdrant_url, plain(settings.qdrant_api_key))
        return index
    return EdgeIndex(settings.home / "vectors")


async def _refuse_shared_index(
    settings: Settings, db: Database, nodes: NodeStore, clock: Clock
) -> None:
    if db.sqlite or settings.qdrant_url or not await nodes.living(clock.now()):
        return
    raise ConfigError(
        said="Another node works on this database. Several nodes need a Qdrant server for their "
        "memories: set QDRANT_URL on each of them."
    )


def _channels(kit: ChannelKit) -> dict[str, Channel]:
    """Those whose settings turn them on; an SDK is imported only then."""
    made: dict[str, Channel] = {}
    for name, entry in CHANNELS.items():
        if entry.on(kit.settings):
            routes = [route for channel in made.values() for route in channel.routes()]
            module: Any = importlib.import_module(entry.module)
            made[name] = module.make(replace(kit, routes=routes))
    return made
