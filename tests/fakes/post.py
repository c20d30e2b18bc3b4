"""A post that keeps what it was given."""

from collections.abc import Mapping, Sequence

from bot.model.message import Reply
from bot.places import Place, Reached


class RecordingPost:
    """Implements `bot.ports.post.Post`; the same key twice is one posting."""

    def __init__(self) -> None:
        self.posted: dict[str, Reply] = {}
        self.cards: dict[str, Reply] = {}
        self.placed: dict[str, tuple[str, Mapping[str, object], Reply]] = {}
        self.off: set[str] = set()
        self.reached: dict[str, Reached] = {}
        self.sent: list[tuple[str, Reply]] = []
        self.keys: set[tuple[str, str, str]] = set()

    async def to_admins(self, workspace: str, reply: Reply, *, key: str) -> None:
        self.posted.setdefault(f"{workspace}/{key}", reply)

    async def places(self, workspace: str, where: str, near: Place | None = None) -> Reached:
        return self.reached.get(where, Reached())

    async def to_places(
        self, workspace: str, places: Sequence[Place], reply: Reply, *, key: str, card: str = ""
    ) -> None:
        for place in places:
            sent = (key, place.channel, place.name)
            if sent not in self.keys:
                self.keys.add(sent)
                self.sent.append((f"{place.channel}:{place.name}", reply))

    def to_watchers(self, workspace: str, reply: Reply, *, key: str) -> None:
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
