"""What all else stands on: sending, the model, the memory, the money, the agent."""

from functools import cached_property

from bot.agents.agent import Toolbox, UniversalAgent
from bot.agents.runbooks import Runbooks
from bot.assembly.kept import Doors, Stores
from bot.budget import Purse, defaults
from bot.config import Settings
from bot.events import Events
from bot.files.intake import FileLimits, Intake
from bot.files.making import Making
from bot.files.pdf import PdfReading
from bot.files.reading import Reader
from bot.files.room import Room
from bot.improve.rules import Rule
from bot.kit import plain
from bot.llm.embedders import choose_embedder
from bot.llm.offline import OfflineModel
from bot.llm.openai import OpenAIModel
from bot.llm.pricing import Prices
from bot.llm.pricing import load as load_prices
from bot.memory import MemoryBank
from bot.model.workspace import HOME
from bot.notices import Notices
from bot.ports.channels import Channel
from bot.ports.clock import Clock, Ids
from bot.ports.models import Embedder, Model
from bot.post import OutboxPost
from bot.reach import Reach
from bot.redaction import Redactor
from bot.sender import Sender
from bot.switchboard import Switchboard

_FILE_BYTES = 64_000_000
"""Of all files in memory at once."""


class Ground:
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

    def intake(self) -> Intake:
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
