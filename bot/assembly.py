"""The parts of a running Ratchet, each made once from the settings, the stores and the doors."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from bot.agents import roster
from bot.agents.agent import Toolbox, UniversalAgent
from bot.agents.chooser import ModelChooser
from bot.agents.runbooks import Runbooks
from bot.budget import Purse, defaults
from bot.command import Command, CommandTable
from bot.config import Settings
from bot.dispatch.assigning import Assigning
from bot.dispatch.closing import Closer
from bot.dispatch.execute import Executor
from bot.dispatch.inbox import Dispatcher
from bot.dispatch.roles import Roles
from bot.dispatch.routing import Routing
from bot.events import Events
from bot.files.intake import FileLimits, Intake
from bot.files.making import Making
from bot.files.pdf import PdfReading
from bot.files.reading import Reader
from bot.files.room import Room
from bot.improve.approvals import Approvals
from bot.improve.asking import Asking
from bot.improve.brake import Brake
from bot.improve.deeds import Deeds
from bot.improve.forecast import Forecast
from bot.improve.grading import Grading
from bot.improve.job_model import JobModel
from bot.improve.judge import Judge
from bot.improve.judging import Judging
from bot.improve.policies import PolicyBook, seed
from bot.improve.proposals import ProposalDesk
from bot.improve.release import Release
from bot.improve.replay.nearness import Nearness
from bot.improve.replay.pairing import Pairing
from bot.improve.replay.paying import Limits
from bot.improve.replay.planning import Planning
from bot.improve.replay.replayer import Replayer
from bot.improve.replay.scoring import Scoring
from bot.improve.replay.sides import Sides
from bot.improve.rights import Rights
from bot.improve.rules import Rule
from bot.improve.showing import Showing
from bot.improve.synthesis.evolving import Evolving
from bot.improve.trials.desk import Kept, TrialDesk
from bot.improve.verdicts import RULES
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
from bot.model.policy import Guests
from bot.model.workspace import HOME
from bot.notices import Notices
from bot.ports import outbox as out
from bot.ports import stores
from bot.ports.channels import Channel
from bot.ports.clock import Clock, Ids
from bot.ports.durable import Durable
from bot.ports.models import Embedder, Model
from bot.ports.vectors import VectorIndex
from bot.post import OutboxPost
from bot.reach import Reach
from bot.redaction import Redactor
from bot.sender import Sender
from bot.services import JobControl, Services
from bot.shown import Shown
from bot.switchboard import Switchboard

_FILE_BYTES = 64_000_000
"""Of all files in memory at once."""


@dataclass(frozen=True, slots=True)
class Stores:
    """What is kept. `shared` says that other nodes work on the same database."""

    journal: stores.Journal
    outbox: out.Outbox
    drafts: out.Drafts
    receipts: stores.Receipts
    runs: stores.Runs
    metrics: stores.Metrics
    agents: stores.Agents
    people: stores.People
    conversations: stores.Conversations
    feedback: stores.Feedbacks
    findings: stores.Findings
    proposals: stores.Proposals
    policies: stores.Policies
    approvals: stores.Approvals
    asks: stores.Asks
    memories: stores.Memories
    workflows: stores.Workflows
    codes: stores.Codes
    subscriptions: stores.Subscriptions
    contacts: stores.Contacts
    files: stores.Files
    installations: stores.Installations
    budgets: stores.Budgets
    job_states: stores.JobStates
    upkeep: stores.Upkeep
    states: stores.States
    evidence: stores.Evidence
    judgements: stores.Judgements
    replays: stores.Replays
    trials: stores.Trials
    holds: stores.Holds
    shared: bool


@dataclass(frozen=True, slots=True)
class Doors:
    """What else stands behind the ports. `lease` is this node's."""

    lease: Lease
    durable: Durable
    index: VectorIndex
    jobs: JobControl
    commands: Sequence[Command]


class Parts:
    """Made when first asked for, so that what needs each other may name each other in any order.
    Nothing is started. Raises ConfigError for settings that can't be."""

    def __init__(
        self,
        settings: Settings,
        kept: Stores,
        doors: Doors,
        redactor: Redactor,
        clock: Clock,
        ids: Ids,
        rule: Rule | None = None,
    ) -> None:
        """`rule` decides trials in place of the one that the settings name."""
        self.settings, self.kept, self.doors, self.rule = settings, kept, doors, rule
        self.redactor, self.clock, self.ids, self.events = redactor, clock, ids, Events()
        self.channels: dict[str, Channel] = {}
        self.switchboard = Switchboard(self.channels)
        self.table = CommandTable(doors.commands)

    def node(self) -> str:
        return self.doors.lease.node

    # Sending

    @cached_property
    def sender(self) -> Sender:
        return Sender(
            self.channels,
            self.kept.outbox,
            self.clock,
            self.node,
            self.doors.lease.valid,
            lambda delivery, cause: self.notices.undelivered(delivery, cause),
        )

    @cached_property
    def post(self) -> OutboxPost:
        kept = self.kept
        reach = Reach(
            self.settings,
            HOME,
            kept.people,
            kept.contacts,
            self.switchboard.on,
            kept.installations,
        )
        return OutboxPost(
            reach,
            kept.outbox,
            self.events,
            self.clock,
            self.ids,
            self.node,
            self.switchboard.on,
            self.sender.put,
        )

    @cached_property
    def notices(self) -> Notices:
        return Notices(self.post, self.clock)

    # Thinking

    @cached_property
    def model(self) -> Model:
        settings = self.settings
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
            clock=self.clock,
            ids=self.ids,
        )

    @cached_property
    def embedder(self) -> Embedder:
        return choose_embedder(self.settings)

    @cached_property
    def memory(self) -> MemoryBank:
        return MemoryBank(
            self.kept.memories,
            self.doors.index,
            self.embedder,
            self.clock,
            self.ids,
            redactor=self.redactor,
            shared=self.kept.shared,
        )

    @cached_property
    def purse(self) -> Purse:
        return Purse(
            self.kept.budgets,
            defaults(self.settings),
            self.clock,
            shared=self.kept.shared,
            on_warning=self.notices.budget_warning,
        )

    @cached_property
    def agent(self) -> UniversalAgent:
        kept, settings = self.kept, self.settings
        toolbox = Toolbox(
            self.clock,
            self.memory,
            kept.runs,
            kept.metrics,
            kept.proposals,
            settings.listed(settings.http_allow),
            Making(kept.files, self.redactor, self.clock),
        )
        return UniversalAgent(
            self.model,
            self.memory,
            self.purse,
            toolbox,
            settings.model_concurrency,
            Runbooks(kept.workflows),
        )

    # Improving

    @cached_property
    def policies(self) -> PolicyBook:
        return PolicyBook(self.kept.policies, self.clock, HOME, seed(self.settings.policy))

    @cached_property
    def brake(self) -> Brake:
        return Brake(self.kept.holds, self.kept.agents, self.clock)

    @cached_property
    def release(self) -> Release:
        kept = self.kept
        deeds = Deeds(kept.agents, self.memory, self.purse, self.doors.jobs)
        return Release(kept.agents, kept.workflows, deeds, self.clock)

    @cached_property
    def rights(self) -> Rights:
        return Rights(self.release, self.model)

    @cached_property
    def approvals(self) -> Approvals:
        kept = self.kept
        return Approvals(
            self.policies, kept.approvals, kept.people, kept.feedback, self.clock, self.rights
        )

    @cached_property
    def asking(self) -> Asking:
        return Asking(self.policies, self.kept.asks, self.kept.runs, self.post, self.clock)

    @cached_property
    def showing(self) -> Showing:
        kept = self.kept
        return Showing(kept.proposals, kept.people, self.approvals, self.asking, self.brake)

    @cached_property
    def trying(self) -> TrialDesk:
        kept, rule = self.kept, self.rule
        return TrialDesk(
            Kept(
                kept.trials,
                kept.proposals,
                kept.evidence,
                kept.replays,
                kept.runs,
                kept.agents,
                self.judging,
            ),
            self.release,
            self.rights,
            self.brake,
            self.showing,
            self.post,
            self.clock,
            self.ids,
            rule.name if rule else self.settings.trials,
            {**RULES, **({rule.name: rule} if rule else {})},
        )

    @cached_property
    def desk(self) -> ProposalDesk:
        kept, book, clock = self.kept, self.policies, self.clock
        return ProposalDesk(
            kept.proposals,
            self.release,
            book,
            self.approvals,
            self.asking,
            clock,
            self.ids,
            self.settings.proposal_days,
            self._wording(),
            brake=self.brake,
            most_open=self.settings.open_proposals,
            trying=self.trying,
            showing=self.showing,
        )

    def _wording(self) -> Wording | None:
        if self.settings.offline:
            return None
        kept = self.kept
        model = JobModel(self.model, self.purse, kept.journal, kept.runs, self.clock, self.redactor)
        calls = self.settings.gepa_calls
        return Wording(model, kept.runs, Evolving(calls) if calls else None)

    @cached_property
    def judging(self) -> Judging:
        settings = self.settings
        on = settings.judge_model and not settings.offline
        judge = Judge(settings.judge_model) if on else None
        return Judging(judge, self.kept.judgements, self.kept.evidence)

    @cached_property
    def grading(self) -> Grading:
        kept, settings = self.kept, self.settings
        return Grading(
            self.judging,
            self.agent.ask,
            kept.journal,
            kept.runs,
            kept.evidence,
            kept.judgements,
            kept.states,
            kept.budgets,
            self.clock,
            self.events,
            self.redactor,
            settings.judge_share,
            settings.judge_budget,
        )

    @cached_property
    def replayer(self) -> Replayer:
        kept, settings, clock = self.kept, self.settings, self.clock
        limits = Limits(settings.replay_budget, settings.replay_tokens)
        sides = Sides(
            self.agent,
            kept.journal,
            kept.runs,
            kept.memories,
            self._intake().images,
            clock,
            self.ids,
            self.events,
            self.redactor,
            self.node,
        )
        scoring, purse = Scoring(Nearness(self.embedder)), self.purse
        step = max(1, settings.replay_pairs)
        most = max(settings.replay_pairs, settings.replay_most)
        return Replayer(
            kept.replays,
            kept.proposals,
            Planning(kept.replays, kept.agents, self.release.candidate, clock, most),
            Pairing(kept.replays, kept.runs, sides, scoring, purse, limits, clock, step),
            sides,
            limits,
            self.judging.for_replays,
            self.desk.show,
            clock,
            self.ids,
        )

    async def guests_may_chat(self, workspace: str) -> bool:
        return (await self.policies.current(workspace)).guests is Guests.CHAT

    @cached_property
    def forecast(self) -> Forecast:
        return Forecast(self.kept.states, self.clock)

    # Taking messages

    @cached_property
    def roles(self) -> Roles:
        return Roles(self.kept.people, self.settings, HOME)

    @cached_property
    def inbox(self) -> Dispatcher:
        return Dispatcher(
            self.settings,
            self.clock,
            self.ids,
            self.kept.journal,
            self.kept.runs,
            self.roles,
            self.executor,
            self.table,
            self.redactor,
            self.events,
            self.node,
            others=self.kept.shared,
        )

    @cached_property
    def executor(self) -> Executor:
        kept, settings = self.kept, self.settings
        asks_model = settings.route_with_model and not settings.offline
        return Executor(
            self.clock,
            kept.journal,
            kept.runs,
            kept.agents,
            kept.people,
            Routing(
                kept.agents,
                kept.conversations,
                kept.runs,
                self.clock,
                roster.load(),
                self.brake,
                Assigning(kept.trials, kept.evidence, kept.agents),
                self.forecast.predict,
            ),
            self.agent,
            self.table,
            self._closer(),
            self.redactor,
            self.events,
            lambda: self.services,
            settings.max_message_chars,
            self.switchboard.follow,
            self._intake(),
            kept.files,
            self.guests_may_chat,
            ModelChooser(self.agent.ask, self.model.default) if asks_model else None,
        )

    def _closer(self) -> Closer:
        return Closer(
            self.kept.journal,
            self.clock,
            self.redactor,
            self.switchboard.pushes,
            self.sender.put,
            self.purse.recorded,
        )

    def _intake(self) -> Intake:
        settings = self.settings
        most = round(settings.file_max_mb * 1_000_000)
        return Intake(
            self.switchboard.fetch,
            self.kept.files,
            Reader(self.redactor, settings.file_max_chars, PdfReading()),
            self.clock,
            FileLimits(most, settings.file_max_count, settings.images),
            Room(max(_FILE_BYTES, 2 * most)),
        )

    # Working with it

    @cached_property
    def services(self) -> Services:
        kept = self.kept
        return Services(
            settings=self.settings,
            clock=self.clock,
            ids=self.ids,
            runs=kept.runs,
            metrics=kept.metrics,
            agents=kept.agents,
            people=kept.people,
            conversations=kept.conversations,
            feedback=kept.feedback,
            findings=kept.findings,
            proposals=kept.proposals,
            memories=kept.memories,
            workflows=kept.workflows,
            codes=kept.codes,
            subscriptions=kept.subscriptions,
            contacts=kept.contacts,
            files=kept.files,
            installations=kept.installations,
            budgets=kept.budgets,
            job_states=kept.job_states,
            upkeep=kept.upkeep,
            states=kept.states,
            evidence=kept.evidence,
            judgements=kept.judgements,
            replays=kept.replays,
            trials=kept.trials,
            holds=kept.holds,
            forecast=self.forecast,
            memory=self.memory,
            purse=self.purse,
            model=self.model,
            desk=self.desk,
            policies=self.policies,
            brake=self.brake,
            replayer=self.replayer,
            judging=self.judging,
            grading=self.grading,
            trying=self.trying,
            inbox=self.inbox,
            post=self.post,
            jobs=self.doors.jobs,
            durable=self.doors.durable,
            events=self.events,
            claim_code=self.ids.token(6),
        )

    def kit(self, ready: Callable[[], bool]) -> ChannelKit:
        kept = self.kept
        shown = Shown(kept.proposals, self.desk, kept.outbox)
        return ChannelKit(
            services=self.services,
            table=self.table,
            workspace=HOME,
            api_key=api_key(self.settings, self.ids),
            routes=(),
            ready=ready,
            run_of=kept.outbox.run_of,
            cards=shown.cards,
            drafts=kept.drafts,
            redact=self.redactor.text,
            receipts=kept.receipts,
            bounced=self.sender.bounced,
            person_of=self.roles.person_of,
            shown=shown.reply,
        )
