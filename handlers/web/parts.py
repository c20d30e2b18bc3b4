"""What the web's endpoints work with."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field

from bot.model.message import Message, Reply
from bot.model.run import Run
from bot.ports.channels import Accepted, Inbox
from bot.ports.clock import Clock, Ids
from bot.ports.stores import Agents, Files, Runs
from handlers.web.auth import ApiKey, PageDoor
from handlers.web.faults import HttpFault
from handlers.web.streams import Streams
from handlers.web.uploads import FileRules, Sent, checked, with_files

Cards = Callable[[str, Collection[str]], Awaitable[Sequence[Reply]]]
"""(workspace, refs) → the cards that wait for a decision, and those of the refs as they stand."""


@dataclass(frozen=True, slots=True)
class Parts:
    """`patience` is the number of seconds that a completion waits for its answer; `notice` stands
    above the page."""

    workspace: str
    inbox: Inbox
    runs: Runs
    agents: Agents
    streams: Streams
    clock: Clock
    ids: Ids
    key: ApiKey
    door: PageDoor
    ready: Callable[[], bool]
    cards: Cards
    commands: Sequence[tuple[str, str]]
    files: Files
    rules: FileRules = field(default_factory=FileRules)
    patience: float = 600.0
    notice: str = ""

    async def accept(self, message: Message) -> Accepted:
        """Raises HttpFault 422 where an idempotency key stood for another request before."""
        accepted = await self.inbox.accept(message)
        if accepted.duplicate and message.address:
            before = await self.runs.get(self.workspace, accepted.run_id)
            if before and before.address.get("digest") != message.address.get("digest"):
                said = "This Idempotency-Key was used for a different request before."
                raise HttpFault(422, "idempotency_key_reused", said, param="Idempotency-Key")
        return accepted

    async def keep(self, message: Message, sent: Sequence[Sent]) -> Message:
        """The message with its files, which are in the database then. Raises HttpFault 400."""
        if not sent:
            return message
        model = await self._model_of(message.agent or "")
        files = checked(sent, self.rules, self.rules.sees(model))
        message, stored = with_files(message, files, self.clock.now())
        for file in stored:
            await self.files.put(file)
        return message

    async def _model_of(self, agent: str) -> str:
        for version in await self.agents.current(self.workspace):
            if version.name == agent and version.model:
                return version.model
        return self.rules.model

    async def find(self, ref: str) -> Run:
        """By id or by its last 8 characters. Raises HttpFault 404."""
        plain = ref.isascii() and ref.replace("-", "").isalnum() and 8 <= len(ref) <= 36
        run = await self.runs.find(self.workspace, ref.lower()) if plain else None
        if run is None:
            raise HttpFault(404, "run_not_found", f"There is no run {ref[:40]!r}.")
        return run

    async def has_agent(self, name: str) -> bool:
        return any(agent.name == name for agent in await self.agents.current(self.workspace))
