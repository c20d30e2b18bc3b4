"""One Telegram bot: polling or webhook in, messages and keyboards out."""

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import Response

from bot.errors import ChannelError, ChannelUnavailable, RatchetError, StorageError
from bot.kit import ChannelKit, plain
from bot.model.delivery import Delivery
from bot.model.file import FileRef
from bot.model.message import Message
from bot.model.run import CLOSED, Run
from bot.ports.channels import Inbox, Route
from bot.ports.clock import Clock
from handlers.telegram import outgoing
from handlers.telegram.bot_api import BotApi, Place
from handlers.telegram.incoming import (
    UPDATE_KINDS,
    WORKSPACE,
    Asking,
    Malformed,
    Me,
    NotYet,
    Reaction,
    Unreadable,
    press_id,
    read,
)
from handlers.telegram.sending import Sending

RunOf = Callable[[str, str, Mapping[str, object]], Awaitable[str | None]]
"""(workspace, channel, reference of a message) → the run it answered, if it is known."""

_LONG_POLL = 25
_SILENCE = 100
_LONGEST_PAUSE = 60.0
_LONGEST_BODY = 4_000_000
_QUICK = 0.3
"""Seconds in which an answer needs no sign of life before it."""
_TYPING_LASTS = 4.0
_TYPING_AT_MOST = 75
_WORDLESS = "I can only read words: please say it in a message."


class TelegramChannel:
    """The bot behind one token. Polls, unless `webhook_secret` turns the webhook on.

    `commands` are (name, help) for the platform's command menu. `run_of` lets thumbs put on
    messages from before a restart count too. `pause` is the first of the growing seconds between
    attempts while Telegram can't be reached. `log` is a structlog logger.
    """

    name = "telegram"
    push = True

    def __init__(
        self,
        *,
        bot_token: str,
        api_base: str,
        webhook_secret: str | None,
        inbox: Inbox,
        clock: Clock,
        commands: Sequence[tuple[str, str]],
        log: Any,
        run_of: RunOf | None = None,
        pause: float = 1.0,
    ) -> None:
        self._secret, self._inbox, self._log = webhook_secret, inbox, log
        self._commands, self._run_of, self._pause = commands, run_of, pause
        number = bot_token.partition(":")[0]
        key = sha256(f"prompts|{bot_token}".encode()).digest()
        self._me = Me(int(number) if number.isdigit() else 0, "", key)
        self._api = BotApi(bot_token, api_base)
        self._sending = Sending(self._api, clock, self._me.id)
        self._tasks = set[asyncio.Task[None]]()

    @property
    def summary(self) -> str:
        way = "webhook at /telegram/webhook" if self._secret else "polling"
        return f"@{self._me.username}, {way}" if self._me.username else way

    def routes(self) -> Sequence[Route]:
        webhook = Route("/telegram/webhook", ("POST",), self._webhook)
        return (webhook,) if self._secret else ()

    async def start(self) -> None:
        self._spawn(self._receive())

    async def stop(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._api.close()

    def follow(self, run: Run) -> None:
        """Nothing grows here."""

    async def fetch(self, workspace: str, file: FileRef, limit: int) -> bytes:
        raise ChannelError("telegram holds no files", said="I can't open files from here.")

    async def send(self, delivery: Delivery) -> Mapping[str, object]:
        return await self._sending.send(delivery)

    async def find(self, delivery: Delivery) -> Mapping[str, object] | None:
        return await self._sending.find(delivery)

    async def _receive(self) -> None:
        await self._persist(self._introduce)
        if self._secret:
            return
        await self._persist(self._api.drop_webhook)
        offset: int | None = None
        silence = 0

        async def step() -> None:
            nonlocal offset, silence
            asked, offset = offset, None  # after a failure: from the earliest unconfirmed one on
            batch = await self._api.updates(asked, _LONG_POLL, UPDATE_KINDS)
            offset = asked
            await self._take_all(batch)
            silence = 0 if batch else silence + 1
            # Only now: asking from here on tells Telegram to forget what came before. After a
            # week of silence it numbers at random, so an old number must not be held on to.
            numbers = [u["update_id"] + 1 for u in batch if _is_update(u)]
            offset = (max([offset or 0, *numbers]) or None) if silence < _SILENCE else None

        while True:
            await self._persist(step)

    async def _persist(self, attempt: Callable[[], Awaitable[None]]) -> None:
        """Tries until it works, in ever longer intervals; says why it doesn't."""
        pause = self._pause
        while True:
            try:
                return await attempt()
            except RatchetError as error:
                self._log.warning(
                    "telegram_waits",
                    setting="TELEGRAM_BOT_TOKEN",
                    cause=str(error),
                    seconds=error.retry_after or pause,
                )
                wait = error.retry_after or pause
            except Exception:
                self._log.exception("telegram_broke")
                wait = pause
            await asyncio.sleep(min(wait, _LONGEST_PAUSE))
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _introduce(self) -> None:
        username = await self._api.username()
        self._me = Me(self._me.id, username, self._me.key)
        self._log.info("telegram_on", bot=f"@{username}", way=self.summary)
        try:
            await self._api.set_commands(_menu(self._commands))
        except ChannelError as error:
            self._log.warning("telegram_menu_not_set", cause=str(error))

    async def _take_all(self, batch: Sequence[object]) -> None:
        """Raises StorageError if any of them could not be recorded: then none is confirmed."""
        results = await asyncio.gather(*map(self._take, batch), return_exceptions=True)
        for result in results:
            if isinstance(result, StorageError | ChannelUnavailable):
                raise result
            if isinstance(result, BaseException):
                self._log.error("telegram_update_dropped", cause=repr(result))

    async def _take(self, raw: object) -> None:
        """Returns once whatever the update says is durably recorded."""
        heard = read(raw, self._me)
        if isinstance(heard, Reaction):
            heard = await self._judged(heard)
        if isinstance(heard, Message):
            accepted = await self._inbox.accept(heard)
            if not accepted.duplicate:
                self._spawn(self._show_typing(heard, accepted.run_id))
        elif isinstance(heard, Asking):
            self._spawn(self._ask(heard))
        elif isinstance(heard, Unreadable):
            place = Place(heard.chat_id, heard.thread_id)
            self._spawn(self._try(self._api.tell(place, _WORDLESS)))
        if pressed := press_id(raw):
            self._spawn(self._try(self._api.answer(pressed)))

    async def _judged(self, reaction: Reaction) -> Message | None:
        ref = {"chat_id": reaction.chat_id, "message_id": reaction.message_id}
        run_id = self._sending.run_shown_at(ref)
        if run_id is None and self._run_of:
            run_id = await self._run_of(WORKSPACE, self.name, ref)
        return reaction.about(run_id) if run_id else None

    async def _ask(self, asking: Asking) -> None:
        seal = self._me.seal(asking.chat_id, asking.command)
        text = outgoing.prompt(asking.command, asking.label, seal)
        await self._try(self._api.ask(Place(asking.chat_id, asking.thread_id), text))

    async def _show_typing(self, message: Message, run_id: str) -> None:
        place = self._sending.place_of(message.address)
        wait = _QUICK
        with suppress(RatchetError):
            for _ in range(_TYPING_AT_MOST):
                run = await self._inbox.wait(message.workspace, run_id, wait)
                if run.status in CLOSED:
                    return
                await self._try(self._api.typing(place))
                wait = _TYPING_LASTS

    async def _webhook(self, request: Request) -> Response:
        given = request.headers.get("x-telegram-bot-api-secret-token", "")
        if not hmac.compare_digest(given.encode(), (self._secret or "").encode()):
            return Response("wrong or missing secret token", 401)
        body = await request.body()
        if len(body) > _LONGEST_BODY:
            return Response("too long", 413)
        try:
            update = json.loads(body)
        except (ValueError, RecursionError):
            return Response("not JSON", 400)
        if not _is_update(update):
            return Response("not an update", 400)
        return await self._answer_webhook(update)

    async def _answer_webhook(self, update: object) -> Response:
        try:
            await self._take(update)
        except (StorageError, NotYet) as error:
            self._log.warning("telegram_update_refused", cause=str(error))
            return Response("not recorded, send it again", 503, {"retry-after": "1"})
        except (Malformed, RatchetError) as error:
            self._log.warning("telegram_update_dropped", cause=str(error))
        return Response(status_code=200)

    async def _try(self, courtesy: Awaitable[object]) -> None:
        """What is only polite may fail."""
        try:
            await courtesy
        except ChannelError as error:
            self._log.info("telegram_courtesy_failed", cause=str(error))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        with suppress(asyncio.CancelledError):
            if error := task.exception():
                self._log.error("telegram_task_broke", cause=repr(error))


def _is_update(raw: object) -> bool:
    return isinstance(raw, dict) and type(raw.get("update_id")) is int


def _menu(commands: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Names as Telegram takes them: no hyphens, 32 characters, a help of 1 to 256, 100 in all."""
    named = [(name.lower().replace("-", "_"), text[:256]) for name, text in commands]
    return [(name, text) for name, text in named if len(name) <= 32 and text][:100]


def make(kit: ChannelKit) -> TelegramChannel:
    settings = kit.settings
    return TelegramChannel(
        bot_token=plain(settings.telegram_bot_token) or "",
        api_base=settings.telegram_api_base,
        webhook_secret=plain(settings.telegram_webhook_secret),
        inbox=kit.services.inbox,
        clock=kit.services.clock,
        commands=kit.menu(),
        log=structlog.get_logger("telegram"),
        run_of=kit.run_of,
    )
