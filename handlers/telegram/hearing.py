"""What becomes of each update: a run, a question back, a word at once, or nothing."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from bot.errors import ChannelError, ChannelUnavailable, RatchetError, StorageError
from bot.model.message import Message
from bot.model.run import CLOSED
from bot.pace import Pace
from bot.ports.channels import Accepted, Inbox
from handlers.telegram.albums import Albums
from handlers.telegram.bot_api import BotApi
from handlers.telegram.incoming import (
    CHANNEL,
    WORKSPACE,
    Asking,
    Heard,
    Loose,
    Me,
    Migrated,
    Presence,
    Reaction,
    Telling,
    conversation,
    read,
)
from handlers.telegram.menu import Menu
from handlers.telegram.patience import patiently
from handlers.telegram.presses import Presses
from handlers.telegram.reach import Reach
from handlers.telegram.sending import Sending
from handlers.telegram.updates import Malformed, album_of, chat_of, press_id

RunOf = Callable[[str, str, Mapping[str, object]], Awaitable[str | None]]
"""(workspace, channel, reference of a message) → the run it answered, if it is known."""

_QUICK = 0.3
"""Seconds in which an answer needs no sign of life before it."""
_TYPING_LASTS = 4.0
_TYPING_AT_MOST = 75
_SAID_ONCE = 1_000
_ROLES_CHANGE = ("/claim", "/role", "/link", "/unlink")
_TOO_FAST = (
    "You have sent me as many messages as I take within a minute. "
    "Please wait a moment, then send the last one again."
)


class Hearing:
    """`me` may be told later; courtesies run beside and are stopped with `stop`."""

    def __init__(
        self,
        api: BotApi,
        inbox: Inbox,
        log: Any,
        *,
        me: Me,
        sending: Sending,
        reach: Reach,
        presses: Presses,
        menu: Menu,
        pace: Pace,
        run_of: RunOf | None,
    ) -> None:
        self.me = me
        self._api, self._inbox, self._log = api, inbox, log
        self._sending, self._reach, self._presses = sending, reach, presses
        self._menu, self._pace, self._run_of = menu, pace, run_of
        self._albums = Albums(inbox.accept)
        self._said: OrderedDict[str, bool] = OrderedDict()
        self._tasks = set[asyncio.Task[object]]()

    async def stop(self) -> None:
        await self._albums.stop()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def take_all(self, batch: Sequence[object]) -> None:
        """Raises StorageError if any of them could not be recorded: then none is confirmed."""
        # What is known of the chats is looked up before: the messages then keep their order
        chats = {chat for raw in batch if (chat := chat_of(raw)) is not None}
        await asyncio.gather(*map(self._reach.heard, chats))
        results = await asyncio.gather(*map(self.take, batch), return_exceptions=True)
        for result in results:
            if isinstance(result, StorageError | ChannelUnavailable):
                raise result
            if isinstance(result, BaseException):
                self._log.error("telegram_update_dropped", cause=repr(result))

    async def take(self, raw: object) -> None:
        """Returns once whatever the update says is durably recorded."""
        pressed = press_id(raw)
        try:
            heard = read(raw, self.me)
            if isinstance(heard, Reaction):
                heard = await self._judged(heard)
            accepted = await self._hear(heard, raw) if heard else None
        except (Malformed, RatchetError) as error:
            if pressed and not isinstance(error, StorageError):
                self._beside(self._presses.nothing(pressed, dead=True))
            raise
        if pressed and accepted:
            self._beside(self._presses.outcome(pressed, accepted.run_id))
        elif pressed and isinstance(heard, Asking):
            self._beside(self._presses.ask(heard, self.me, pressed))
        elif pressed:
            self._beside(self._presses.nothing(pressed, dead=True))

    async def _hear(self, heard: Heard, raw: object) -> Accepted | None:
        match heard:
            case Message():
                return await self._message(heard, album_of(raw))
            case Telling():
                self._beside(self._tell(heard))
            case Loose():
                self._albums.keep(await self._where_it_began(heard.message), album_of(raw))
            case Migrated():
                await self._reach.moved(heard.old, heard.new)
            case Presence(there=True):
                await self._reach.heard(heard.chat_id, surely=True)
            case Presence():
                self._log.info("telegram_shown_out", chat=heard.chat_id)
        return None

    async def _message(self, message: Message, album: str) -> Accepted | None:
        message = await self._where_it_began(message)
        if not message.is_button:
            key = message.sender.external_id, message.conversation
            verdict = self._pace.allow(key, f"{key[0]}:{album}" if album else message.event_id)
            if verdict != "yes":
                self._slow_down(message, verdict)
                return None
            if not album:
                await self._albums.before(message.conversation)
        in_album = album and message.files
        accepted = await (
            self._albums.accept(message, album) if in_album else self._inbox.accept(message)
        )
        if not accepted.duplicate:
            self._beside(self._accompany(message, accepted.run_id))
        return accepted

    async def _where_it_began(self, message: Message) -> Message:
        chat, thread = message.address["chat_id"], message.address.get("thread_id")
        if not isinstance(chat, int):
            return message
        await self._reach.heard(chat)
        began = await self._reach.once_at(chat)
        if began == chat:
            return message
        thread_id = thread if isinstance(thread, int) else None
        return replace(message, conversation=conversation(began, thread_id))

    def _slow_down(self, message: Message, verdict: str) -> None:
        self._log.warning(
            "telegram_too_fast", chat=message.conversation, author=message.sender.external_id
        )
        if verdict == "notice":
            place = self._sending.place_of(message.address)
            self._beside(self._try(patiently(partial(self._api.tell, place, _TOO_FAST))))

    async def _judged(self, reaction: Reaction) -> Message | None:
        ref = {"chat_id": reaction.chat_id, "message_id": reaction.message_id}
        run_id = self._sending.run_shown_at(ref)
        if run_id is None and self._run_of:
            run_id = await self._run_of(WORKSPACE, CHANNEL, ref)
        return reaction.about(run_id) if run_id else None

    async def _tell(self, telling: Telling) -> None:
        """What is said about an album is said once."""
        if telling.once in self._said:
            return
        if telling.once:
            self._said[telling.once] = True
            if len(self._said) > _SAID_ONCE:
                self._said.popitem(last=False)
        await self._try(patiently(partial(self._api.tell, telling.place, telling.text)))

    async def _accompany(self, message: Message, run_id: str) -> None:
        await self._show_typing(message, run_id)
        if message.text.startswith(_ROLES_CHANGE):
            await self._menu.refresh()

    async def _show_typing(self, message: Message, run_id: str) -> None:
        place = self._sending.place_of(message.address)
        wait = _QUICK
        with suppress(RatchetError):
            for _ in range(_TYPING_AT_MOST):
                run = await self._inbox.wait(message.workspace, run_id, wait)
                if run.status in CLOSED:
                    break
                if not await self._try(self._api.typing(place)):
                    break
                wait = _TYPING_LASTS

    async def _try(self, courtesy: Awaitable[object]) -> bool:
        """What is only polite may fail; whether it went well."""
        try:
            await courtesy
        except ChannelError as error:
            self._log.info("telegram_courtesy_failed", cause=str(error))
            return False
        return True

    def _beside(self, work: Coroutine[Any, Any, object]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[object]) -> None:
        self._tasks.discard(task)
        with suppress(asyncio.CancelledError):
            if error := task.exception():
                self._log.error("telegram_task_broke", cause=repr(error))
