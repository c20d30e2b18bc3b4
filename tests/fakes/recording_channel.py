"""A platform that shows what it is sent, or fails the way a test scripts."""

from collections import deque
from collections.abc import Mapping, Sequence

from bot.errors import ChannelError, DeliveryUnclear, RatchetError
from bot.model.delivery import Delivery
from bot.model.file import FileRef
from bot.model.run import Run
from bot.ports.channels import Route


class RecordingChannel:
    """`script` holds what the next sends meet: an error to raise, and whether the reply is shown
    all the same. `can_look` says whether the platform can be asked what it shows. `files` are what
    it holds, by name; an error in a file's place is raised once."""

    def __init__(self, name: str = "slack", can_look: bool = True) -> None:
        self.name, self.can_look, self.push = name, can_look, True
        self.shown: list[Delivery] = []
        self.files: dict[str, bytes | list[Exception | bytes]] = {}
        self.fetched: list[str] = []
        self.script: deque[tuple[RatchetError | None, bool]] = deque()

    @property
    def summary(self) -> str:
        return "recording"

    def routes(self) -> Sequence[Route]:
        return ()

    async def start(self) -> None:
        self.shown.clear()

    async def stop(self) -> None:
        self.script.clear()

    def follow(self, run: Run) -> None:
        """Nobody watches."""

    async def fetch(self, workspace: str, file: FileRef, limit: int) -> bytes:
        self.fetched.append(file.name)
        held = self.files.get(file.name)
        if isinstance(held, list):
            held = self._next(held)
        if held is None:
            raise ChannelError("gone", said="it is gone. Please send it again.")
        return held

    def _next(self, held: list[Exception | bytes]) -> bytes:
        first = held.pop(0) if len(held) > 1 else held[0]
        if isinstance(first, Exception):
            raise first
        return first

    async def send(self, delivery: Delivery) -> Mapping[str, object]:
        error, shows = self.script.popleft() if self.script else (None, True)
        if shows:
            self.shown.append(delivery)
        if error is not None:
            raise error
        return {"ts": len(self.shown)}

    async def find(self, delivery: Delivery) -> Mapping[str, object] | None:
        if not self.can_look:
            raise DeliveryUnclear("this platform has no memory")
        for place, shown in enumerate(self.shown, 1):
            if shown.id == delivery.id:
                return {"ts": place}
        return None

    @property
    def texts(self) -> list[str]:
        return [str(delivery.reply["text"]) for delivery in self.shown]
