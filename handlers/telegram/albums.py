"""Several pictures sent at once come as several updates: they are one message."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from bot.model.message import Message
from bot.ports.channels import Accepted

TOGETHER = 0.6
"""Seconds within which the pieces of an album arrive."""
_MOST = 2_000
_PIECES = 10


@dataclass
class _Album:
    pieces: dict[str, Message] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    first: Message | None = None
    """The piece that stands for all in what is told of the run."""
    accepted: asyncio.Task[Accepted] | None = None


class Albums:
    """Every piece is confirmed only once the whole is recorded, and the whole is recorded once."""

    def __init__(self, accept: Callable[[Message], Awaitable[Accepted]]) -> None:
        self._accept = accept
        self._albums: OrderedDict[str, _Album] = OrderedDict()
        self._pending: dict[str, asyncio.Task[Accepted]] = {}

    async def before(self, conversation: str) -> None:
        """Returns once no album of the conversation is still coming together: what is said after
        it is heard after it."""
        if pending := self._pending.get(conversation):
            await asyncio.wait([pending])

    async def stop(self) -> None:
        """What has not come together is delivered again."""
        pending = list(self._pending.values())
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)

    def keep(self, piece: Message, album: str) -> None:
        """It goes along if another piece of the album is accepted."""
        known = self._album(piece, album)
        if not known.taken:
            known.pieces[piece.event_id] = piece

    async def accept(self, piece: Message, album: str) -> Accepted:
        """As the inbox does. A piece that comes when the others are recorded already is a message
        of its own."""
        known = self._album(piece, album)
        if known.taken and piece.event_id not in known.taken:
            return await self._accept(piece)
        known.pieces[piece.event_id] = piece
        if known.accepted is None:
            known.first = piece
            known.accepted = asyncio.create_task(self._together(known, album))
            self._pending[piece.conversation] = known.accepted
        accepted = await asyncio.shield(known.accepted)
        return accepted if piece is known.first else replace(accepted, duplicate=True)

    def _album(self, piece: Message, album: str) -> _Album:
        key = f"{piece.conversation}:{album}"
        known = self._albums.setdefault(key, _Album())
        self._albums.move_to_end(key)
        if len(self._albums) > _MOST:
            self._albums.popitem(last=False)
        return known

    async def _together(self, album: _Album, name: str) -> Accepted:
        await asyncio.sleep(TOGETHER)
        pieces = [album.pieces[event] for event in sorted(album.pieces, key=_number)][:_PIECES]
        album.taken = set(album.pieces)
        try:
            return await self._accept(_whole(pieces, name))
        except BaseException:
            album.taken.clear()
            raise
        finally:
            album.accepted = None
            self._pending.pop(pieces[0].conversation, None)


def _whole(pieces: list[Message], album: str) -> Message:
    worded = next((p for p in pieces if not _wordless(p)), pieces[0])
    files = tuple(file for piece in pieces for file in piece.files)
    bot = pieces[0].event_id.partition(":")[0]
    text = worded.text
    if _wordless(worded) and len(files) > 1:
        text = f"Here are {', '.join(file.name for file in files)}."
    return replace(worded, text=text, files=files, event_id=f"{bot}:album:{album}")


def _wordless(piece: Message) -> bool:
    return not piece.text or piece.text == f"Here is {piece.files[0].name}."


def _number(event_id: str) -> int:
    number = event_id.rpartition(":")[2]
    return int(number) if number.isdigit() else 0
