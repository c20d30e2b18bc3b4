"""The channels that are on, by name: who is sent to, who is told of a run, who holds its files."""

from collections.abc import Mapping

from bot.errors import ChannelUnavailable
from bot.model.file import FileRef
from bot.model.run import Run
from bot.ports.channels import Channel


class Switchboard:
    """`channels` may still fill up: they are made last, from parts that need this."""

    def __init__(self, channels: Mapping[str, Channel]) -> None:
        self._channels = channels

    def on(self, name: str) -> bool:
        return name in self._channels

    def pushes(self, name: str) -> bool:
        return self.on(name) and self._channels[name].push

    def follow(self, run: Run) -> None:
        """Tells the run's channel that it begins."""
        if self.on(run.channel):
            self._channels[run.channel].follow(run)

    async def fetch(self, run: Run, file: FileRef, limit: int) -> bytes:
        """As `Channel.fetch`; what comes by the HTTP API is kept by the web's channel."""
        channel = self._channels.get("web" if run.channel == "api" else run.channel)
        if channel is None:
            raise ChannelUnavailable(f"{run.channel} is off", said="I can't reach where it is.")
        return await channel.fetch(run.workspace, file, limit)
