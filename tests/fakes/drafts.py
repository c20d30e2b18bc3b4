"""Where growing answers are shown, in memory."""

from collections.abc import Mapping

from bot.errors import StorageError


class HeldDrafts:
    """Implements `bot.ports.outbox.Drafts`. `full` refuses what is to be kept."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], Mapping[str, object]] = {}
        self.full = False

    async def put(
        self, workspace: str, run_id: str, channel: str, ref: Mapping[str, object]
    ) -> None:
        if self.full:
            raise StorageError("full")
        self.kept[workspace, run_id] = dict(ref)

    async def get(self, workspace: str, run_id: str) -> Mapping[str, object] | None:
        return self.kept.get((workspace, run_id))
