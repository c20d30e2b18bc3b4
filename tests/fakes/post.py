"""A post that keeps what it was given."""

from bot.model.message import Reply


class RecordingPost:
    """Implements `bot.ports.post.Post`; the same key twice is one posting."""

    def __init__(self) -> None:
        self.posted: dict[str, Reply] = {}
        self.cards: dict[str, Reply] = {}

    async def to_admins(self, workspace: str, reply: Reply, *, key: str, besides: str = "") -> None:
        self.posted.setdefault(f"{workspace}/{key}", reply)

    async def update_card(self, workspace: str, ref: str, reply: Reply) -> None:
        self.cards[f"{workspace}/{ref}"] = reply
