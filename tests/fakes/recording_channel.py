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
    all the same. `can_look` says whether the platform can be asked what it shows."""

    def __init__(self, name: str = "slack", can_look: bool = True) -> None:
        self.name, self.can_look, self.push = name, can_look, True
        self.shown: list[Delivery] = []
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
        raise ChannelError("the fake holds no files", said="I can't open files from here.")

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
