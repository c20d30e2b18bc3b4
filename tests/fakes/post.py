"""A post that keeps what it was given."""

from collections.abc import Mapping

from bot.model.message import Reply


class RecordingPost:
    """Implements `bot.ports.post.Post`; the same key twice is one posting."""

    def __init__(self) -> None:
        self.posted: dict[str, Reply] = {}
        self.cards: dict[str, Reply] = {}
        self.placed: dict[str, tuple[str, Mapping[str, object], Reply]] = {}
        self.off: set[str] = set()

    async def to_admins(self, workspace: str, reply: Reply, *, key: str, besides: str = "") -> None:
        self.posted.setdefault(f"{workspace}/{key}", reply)

    async def to_place(
        self,
        workspace: str,
        channel: str,
        address: Mapping[str, object],
        reply: Reply,
        *,
        key: str,
    ) -> bool:
        if channel in self.off:
            return False
        self.placed.setdefault(f"{workspace}/{key}", (channel, address, reply))
        return True

    async def update_card(self, workspace: str, ref: str, reply: Reply) -> None:
        self.cards[f"{workspace}/{ref}"] = reply
