"""The composition root: the only module that sees everyone, and hands each what it needs."""

import asyncio
import importlib
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Protocol, TextIO

import structlog

from bot import footprint
from bot.agents import roster
from bot.agents.agent import Toolbox, UniversalAgent
from bot.agents.chooser import ModelChooser
from bot.app import App
from bot.budget import Purse, defaults
from bot.clock import SystemClock, SystemIds
from bot.command import CommandTable
from bot.config import Settings
from bot.dispatch.closing import Closer
from bot.dispatch.execute import Executor
from bot.dispatch.inbox import Dispatcher
from bot.dispatch.roles import Roles
from bot.dispatch.routing import Routing
from bot.errors import ChannelUnavailable, ConfigError, StorageError
from bot.events import Events
from bot.files.intake import Fetch, FileLimits, Intake
from bot.files.making import Making
from bot.files.pdf import PdfReading
from bot.files.reading import Reader
from bot.files.room import Room
from bot.files.saving import Saving
from bot.improve.approvals import Approvals
from bot.improve.asking import Asking
from bot.improve.policies import PolicyBook, seed
from bot.improve.proposals import ProposalDesk
from bot.improve.release import Release
from bot.improve.wording import Wording
from bot.kit import ChannelKit, plain
from bot.lease import Lease
from bot.llm.embedders import choose_embedder
from bot.llm.offline import OfflineModel
from bot.llm.openai import OpenAIModel
from bot.llm.pricing import Prices
from bot.llm.pricing import load as load_prices
from bot.lock import api_key
from bot.memory import MemoryBank
from bot.model.codec import reply_from_json
from bot.model.file import FileRef
from bot.model.message import Reply
from bot.model.policy import Guests
from bot.model.proposal import ProposalStatus
from bot.model.run import Run
from bot.notices import Notices
from bot.ports.channels import Channel
from bot.ports.clock import Clock, Ids
from bot.ports.models import Model
from bot.ports.vectors import VectorIndex
from bot.post import OutboxPost
from bot.reach import Reach
from bot.recovery import Recovery
from bot.redaction import Redactor
from bot.sender import Sender
from bot.services import Services
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
from storage.feedback import FeedbackStore
from storage.files import FileStore
from storage.findings import FindingStore
from storage.installations import InstallationStore, Seal
from storage.jobstates import JobStateStore
from storage.journal import RunJournal
from storage.memories import MemoryStore
from storage.metrics import MetricsStore
from storage.migrate import upgrade
from storage.nodes import NodeStore
from storage.outbox import OutboxStore
from storage.people import PeopleStore
from storage.policies import PolicyStore
from storage.proposals import ProposalStore
from storage.receipts import ReceiptStore
from storage.retention import UpkeepStore
from storage.runs import RunStore
from storage.subscriptions import SubscriptionStore
from storage.vectors.edge import EdgeIndex
from storage.workflows import WorkflowStore

HOME_WORKSPACE = "local"
VERSION = "0.1.0"
_FILE_BYTES = 64_000_000
"""Of all files in memory at once."""

log = structlog.get_logger()


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
) -> AsyncIterator[App]:
    """A running Ratchet for the length of the block. The caller holds the home folder's lock.

    `serve` False opens no port and no chat platform, for one command inside this process.
    """
    app = build(settings, serve, clock or SystemClock(), ids or SystemIds())
    try:
        await app.start()
        yield app
    finally:
        await app.stop()


def build(settings: Settings, serve: bool, clock: Clock, ids: Ids) -> App:
    """Makes every part by hand and starts none. Raises ConfigError for settings that can't be."""
    load_prices(settings.prices)  # a wrong table is told at once, with or without a model
    redactor, events = Redactor(emails=settings.redact_email), Events()
    db = Database(url_of(settings.database_url, settings.home))
    nodes = NodeStore(db)
    lease = Lease(
        nodes, clock, ids, seconds=settings.lease_seconds, alone=db.sqlite, version=VERSION
    )
    journal = RunJournal(db, lease.valid)
    outbox, runs = OutboxStore(db, journal), RunStore(db)
    agents, people = AgentStore(db, clock), PeopleStore(db, clock, ids)
    conversations, proposals = ConversationStore(db, clock), ProposalStore(db)
    memories, metrics, budgets = MemoryStore(db), MetricsStore(db), BudgetStore(db, clock)
    job_states, files, upkeep = JobStateStore(db), FileStore(db), UpkeepStore(db)
    installations = InstallationStore(db, _seal(settings, ids))
    durable = DbosDurable(
        settings.home,
        lease.node,
        postgres="" if db.sqlite else settings.database_url,
        standing=nodes.standing,
    )
    channels: dict[str, Channel] = {}
    sender = Sender(
        channels,
        outbox,
        clock,
        lambda: lease.node,
        lease.valid,
        lambda delivery, cause: notices.undelivered(delivery, cause),
    )
    contacts = ContactStore(db)
    post = OutboxPost(
        Reach(settings, HOME_WORKSPACE, people, contacts, channels.__contains__, installations),
        outbox,
        events,
        clock,
        ids,
        lambda: lease.node,
        channels.__contains__,
        sender.put,
    )
    notices = Notices(post, clock)
    model = _model(settings, clock, ids)
    memory = MemoryBank(
        memories,
        _index(settings),
        choose_embedder(settings),
        clock,
        ids,
        redactor=redactor,
        shared=not db.sqlite,
    )
    purse = Purse(
        budgets, defaults(settings), clock, shared=not db.sqlite, on_warning=notices.budget_warning
    )
    release = Release(agents, memory)
    wording = None
    if not settings.offline:
        wording = Wording(model, purse, journal, runs, clock, redactor)
    book = PolicyBook(PolicyStore(db), clock, HOME_WORKSPACE, seed(settings.policy))
    approvals = Approvals(book, ApprovalStore(db), people, FeedbackStore(db), clock)
    asking = Asking(book, AskStore(db), runs, post, clock)
    desk = ProposalDesk(
        proposals,
        release,
        people,
        book,
        approvals,
        asking,
        clock,
        ids,
        settings.proposal_days,
        wording,
    )
    allowed = settings.listed(settings.http_allow)
    making = Making(files, redactor, clock)
    toolbox = Toolbox(clock, memory, runs, metrics, proposals, allowed, making)
    agent = UniversalAgent(model, memory, purse, toolbox, settings.model_concurrency)
    table = CommandTable(COMMANDS)
    routing = Routing(agents, conversations, runs, clock, roster.load())

    def pushes(name: str) -> bool:
        return name in channels and channels[name].push

    def follow(run: Run) -> None:
        if run.channel in channels:
            channels[run.channel].follow(run)

    async def fetch(run: Run, file: FileRef, limit: int) -> bytes:
        # What comes by the HTTP API is kept by the web's channel.
        channel = channels.get("web" if run.channel == "api" else run.channel)
        if channel is None:
            raise ChannelUnavailable(f"{run.channel} is off", said="I can't reach where it is.")
        return await channel.fetch(run.workspace, file, limit)

    async def guests_may_chat(workspace: str) -> bool:
        return (await book.current(workspace)).guests is Guests.CHAT

    executor = Executor(
        clock,
        journal,
        runs,
        agents,
        people,
        routing,
        agent,
        table,
        Closer(journal, clock, redactor, pushes, sender.put, purse.recorded),
        redactor,
        events,
        lambda: services,
        settings.max_message_chars,
        follow,
        _intake(settings, fetch, files, redactor, clock),
        files,
        guests_may_chat,
        ModelChooser(agent.ask, model.default)
        if settings.route_with_model and not settings.offline
        else None,
    )
    roles = Roles(people, settings, HOME_WORKSPACE)
    inbox = Dispatcher(
        settings,
        clock,
        ids,
        journal,
        runs,
        roles,
        executor,
        table,
        redactor,
        events,
        lambda: lease.node,
        others=not db.sqlite,
    )
    job_runs = JournalRuns(journal, runs, clock, ids, lease.node)
    scheduler = Scheduler(
        SCHEDULE, job_states, job_runs, durable, clock, HOME_WORKSPACE, redactor.text
    )
    services = Services(
        settings=settings,
        clock=clock,
        ids=ids,
        runs=runs,
        metrics=metrics,
        agents=agents,
        people=people,
        conversations=conversations,
        feedback=FeedbackStore(db),
        findings=FindingStore(db),
        proposals=proposals,
        memories=memories,
        workflows=WorkflowStore(db),
        codes=CodeStore(db),
        subscriptions=SubscriptionStore(db),
        contacts=contacts,
        files=files,
        installations=installations,
        budgets=budgets,
        job_states=job_states,
        upkeep=upkeep,
        memory=memory,
        purse=purse,
        model=model,
        desk=desk,
        policies=book,
        inbox=inbox,
        post=post,
        jobs=scheduler,
        durable=durable,
        events=events,
        claim_code=ids.token(6),
    )
    scheduler.bind(services)

    async def start_store() -> None:
        log.debug("database", said=await _upgraded(db))
        await _refuse_shared_index(settings, db, nodes, clock)
        await agents.seed(HOME_WORKSPACE, roster.load())
        await roles.meet()
        journal.start()

    async def stop_store() -> None:
        await memory.close()
        await journal.close()
        await db.close()

    async def settle() -> None:
        for workspace in sorted({HOME_WORKSPACE, *await upkeep.workspaces()}):
            await desk.settle(workspace)

    async def settled() -> None:
        await asyncio.to_thread(footprint.settle)

    app = App(
        services=services,
        inbox=inbox,
        channels=channels,
        lease=lease,
        recovery=Recovery(runs, inbox, sender, durable),
        sender=sender,
        start_store=start_store,
        stop_store=stop_store,
        later=(
            ("model", model.warm),
            ("memory", memory.open),
            ("proposals", settle),
            *((("durable", durable.launch), ("scheduler", scheduler.start)) if serve else ()),
            *((("footprint", settled),) if serve else ()),
        ),
        at_end=(
            ("warnings", purse.drain),
            ("scheduler", scheduler.close),
            ("durable", durable.close),
            ("model", model.close),
        ),
    )

    async def cards(workspace: str, refs: Collection[str]) -> list[Reply]:
        offered = await proposals.list(workspace, (ProposalStatus.OFFERED,))
        named = [await proposals.get(workspace, ref) for ref in refs]
        wanted = {proposal.ref: proposal for proposal in (*named, *offered) if proposal}
        return [await desk.card(proposal) for proposal in wanted.values()]

    async def shown(workspace: str, delivery_id: str) -> Reply | None:
        delivery = await outbox.get(workspace, delivery_id)
        return reply_from_json(delivery.reply) if delivery else None

    if serve:
        kit = ChannelKit(
            services=services,
            table=table,
            workspace=HOME_WORKSPACE,
            api_key=api_key(settings, ids),
            routes=(),
            ready=lambda: app.taking,
            run_of=outbox.run_of,
            cards=cards,
            drafts=DraftStore(db, journal, clock),
            redact=redactor.text,
            receipts=ReceiptStore(db),
            bounced=sender.bounced,
            person_of=roles.person_of,
            shown=shown,
        )
        channels.update(_channels(kit))
    return app


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
        workspace=HOME_WORKSPACE,
        stdin=stdin,
        output=output,
        save=Saving(services.files, services.settings.home / "files").save,
    )
    return made


def _model(settings: Settings, clock: Clock, ids: Ids) -> Model:
    if settings.offline:
        return OfflineModel()
    return OpenAIModel(
        base_url=settings.openai_base_url,
        api_key=plain(settings.openai_api_key),
        model=settings.model,
        fallbacks=settings.listed(settings.fallback_models),
        timeout=settings.model_timeout,
        retries=settings.model_retries,
        prices=Prices(load_prices(settings.prices), settings.openai_base_url),
        clock=clock,
        ids=ids,
    )


def _intake(
    settings: Settings, fetch: Fetch, files: FileStore, redactor: Redactor, clock: Clock
) -> Intake:
    most = round(settings.file_max_mb * 1_000_000)
    reader = Reader(redactor, settings.file_max_chars, PdfReading())
    limits = FileLimits(most, settings.file_max_count, settings.images)
    return Intake(fetch, files, reader, clock, limits, Room(max(_FILE_BYTES, 2 * most)))


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
