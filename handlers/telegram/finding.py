"""The look for a message that may have arrived, without a change to anything looked at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bot.errors import ChannelError, ChannelUnavailable, DeliveryUnclear
from handlers.telegram.bot_api import BotApi
from handlers.telegram.outgoing import Part
from handlers.telegram.place import Place, Seen

_LOOKS = 8
_LOOKING = "I was interrupted and am looking at what you already have from me."


class CantTell(DeliveryUnclear):
    """The platform was asked, and can't say."""


@dataclass(frozen=True, slots=True)
class Found:
    """`ref` is the last text's where all parts are shown; `done` are the parts that are."""

    ref: Mapping[str, object] | None
    done: list[Mapping[str, object]]


class Finding:
    """Message ids rise, and a message sent as a reply shows what it quotes: a silent notice,
    taken back at once, tells the newest id and lets each message since the question be looked
    at."""

    def __init__(self, api: BotApi, me: int) -> None:
        self._api, self._me = api, me

    async def look(self, place: Place, expected: Sequence[Part], after: object, last: int) -> Found:
        """What of `expected` is shown since the message `after`; `last` is the index of the part
        whose reference counts. Raises CantTell, or ChannelUnavailable to look later."""
        seen, complete = await self._seen(place, after)
        found = self._recognise(place, expected, seen, last)
        if found.ref is None and not complete:
            raise CantTell(f"too much was said there: only {_LOOKS} messages were looked at")
        return found

    async def posted(self, place: Place, text: str, after: object) -> Mapping[str, object] | None:
        """The message of ours with these very words, None where nobody can tell."""
        try:
            seen, _ = await self._seen(place, after)
        except ChannelUnavailable:
            raise
        except ChannelError:
            return None
        mine = (m for m in seen if m and m.author == self._me)
        number = next((m.message_id for m in mine if _words(m.text) == _words(text)), None)
        return None if number is None else {"chat_id": place.chat_id, "message_id": number}

    async def _seen(self, place: Place, after: object) -> tuple[list[Seen | None], bool]:
        """The messages since, and whether those are all."""
        first = after + 1 if isinstance(after, int) else 0
        try:
            newest, quoted = await self._peek(place, first or None)
            start = max(first, newest - _LOOKS, 1)
            seen = [quoted] if start == first < newest else []
            for message_id in range(start + len(seen), newest):
                seen.append((await self._peek(place, message_id))[1])
        except ChannelUnavailable:
            raise
        except DeliveryUnclear as error:
            raise ChannelUnavailable(f"the look failed: {error}") from error
        return seen, start == first

    async def _peek(self, place: Place, message_id: int | None) -> tuple[int, Seen | None]:
        return await self._api.peek(replace(place, reply_to=message_id), _LOOKING)

    def _recognise(
        self, place: Place, expected: Sequence[Part], seen: Sequence[Seen | None], last: int
    ) -> Found:
        done: list[Mapping[str, object]] = []
        for message in filter(None, seen):
            ref = {"chat_id": place.chat_id, "message_id": message.message_id}
            if len(done) < len(expected) and self._is(message, expected[len(done)]):
                done.append(ref)
            elif len(expected) == last + 1 and self._is(message, expected[-1]):
                return Found(ref, done)  # earlier parts may be out of sight
        return Found(done[last] if len(done) == len(expected) else None, done)

    def _is(self, seen: Seen, part: Part) -> bool:
        if seen.author != self._me:
            return False
        if part.file is not None:
            return seen.file == part.file.name or part.file.name in seen.text
        data = tuple(data for row in part.keyboard for _, data in row)
        same_keys = seen.data is None or seen.data == data
        return same_keys and _words(seen.text) == _words(part.plain)


def _words(text: str) -> list[str]:
    return text.split()
