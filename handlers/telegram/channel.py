"""One Telegram bot: polling or webhook in, messages and keyboards out."""

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import structlog
from starlette.requests import Request
from starlette.responses import Response

from bot.errors import ChannelError, RatchetError, StorageError
from bot.events import Events
from bot.kit import ChannelKit, plain
from bot.model.delivery import Delivery
from bot.model.file import FileRef
from bot.model.person import Role
from bot.model.run import Run
from bot.pace import Pace
from bot.ports.channels import Inbox, Route
from bot.ports.clock import Clock
from bot.ports.outbox import Drafts
from bot.ports.stores import Contacts
from handlers.deliveries import whole
from handlers.telegram.albums import TOGETHER
from handlers.telegram.bot_api import BotApi
from handlers.telegram.downloads import Downloads, too_large
from handlers.telegram.hearing import Hearing, RunOf
from handlers.telegram.incoming import CHANNEL, Me, NotYet
from handlers.telegram.live import Live
from handlers.telegram.menu import Commands, Menu, OfChats
from handlers.telegram.pauses import Pauses
from handlers.telegram.presses import Cards, May, Presses
from handlers.telegram.reach import Reach
from handlers.telegram.sending import Content, Sending
from handlers.telegram.updates import UPDATE_KINDS, Malformed, album_of, is_update

_PATH = "/telegram/webhook"
_LONG_POLL = 25
_SILENCE = 100
_LONGEST_PAUSE = 60.0
_DOWNLOAD = 20_000_000
"""Bytes of a file that Telegram hands to a bot."""


class TelegramChannel:
    """The bot behind one token. Polls, unless `webhook_secret` or `webhook_url` is given; Telegram
    is told of a `webhook_url` at the start.

    `commands` are (name, help) for the platform's menu, `deciding` those for administrators.
    `run_of` lets thumbs put on messages from before a restart count too. `pause` is the first of
    the growing seconds between attempts while Telegram can't be reached. `log` is a structlog
    logger. What else may be left out takes its comfort with it: `events` and `drafts` show answers
    as they grow, `contacts` remembers who can't be reached, `cards` lets a prompt show what there
    is to edit, `may` refuses before it asks, `content` gives the bytes of files.
    """

    name = CHANNEL
    push = True

    def __init__(
        self,
        *,
        bot_token: str,
        api_base: str,
        webhook_secret: str | None,
        inbox: Inbox,
        clock: Clock,
        commands: Commands,
        log: Any,
        run_of: RunOf | None = None,
        pause: float = 1.0,
        webhook_url: str = "",
        file_base: str = "",
        per_minute: int = 20,
        deciding: Commands = (),
        of_chats: OfChats | None = None,
        events: Events | None = None,
        drafts: Drafts | None = None,
        redact: Callable[[str], str] = str,
        contacts: Contacts | None = None,
        cards: Cards | None = None,
        may: May | None = None,
        content: Content | None = None,
    ) -> None:
        self._url = _webhook_url(webhook_url)
        own = sha256(f"webhook|{bot_token}".encode()).hexdigest() if self._url else None
        self._secret = webhook_secret or own
        self._log, self._pause = log, pause
        number = bot_token.partition(":")[0]
        key = sha256(f"prompts|{bot_token}".encode()).digest()
        me = Me(int(number) if number.isdigit() else 0, "", key)
        self._api = BotApi(bot_token, api_base, file_base)
        self._downloads = Downloads(self._api, self._api.files)
        pauses, reach = Pauses(clock), Reach(contacts, clock, log)
        self._live = Live(
            self._api, clock, pauses, log, events=events, drafts=drafts, redact=redact
        )
        self._sending = Sending(
            self._api, clock, me.id, pauses=pauses, reach=reach, live=self._live, content=content
        )
        self._menu = Menu(self._api, commands, log, deciding, of_chats)
        self._hearing = Hearing(
            self._api,
            inbox,
            log,
            me=me,
            sending=self._sending,
            reach=reach,
            presses=Presses(self._api, inbox, log, cards, may),
            menu=self._menu,
            pace=Pace(per_minute, 60.0, clock),
            run_of=run_of,
        )
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def summary(self) -> str:
        way = f"webhook at {_PATH}" if self._secret else "polling"
        username = self._hearing.me.username
        return f"@{username}, {way}" if username else way

    def routes(self) -> Sequence[Route]:
        webhook = Route(_PATH, ("POST",), self._webhook)
        return (webhook,) if self._secret else ()

    async def start(self) -> None:
        self._tasks.append(asyncio.create_task(self._receive()))

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._hearing.stop()
        await self._live.stop()
        await self._api.close()

    def follow(self, run: Run) -> None:
        self._live.follow(run, self._sending.place_of(run.address))

    async def fetch(self, workspace: str, file: FileRef, limit: int) -> bytes:
        file_id, limit = file.ref.get("file_id"), min(limit, _DOWNLOAD)
        if not isinstance(file_id, str):
            said = "I couldn't get that file from Telegram. Please send it again."
            raise ChannelError("the file has no id", said=said)
        if file.size > limit:
            raise too_large(limit)
        return await self._downloads.fetch(file_id, limit)

    async def send(self, delivery: Delivery) -> Mapping[str, object]:
        return await self._sending.send(delivery)

    async def find(self, delivery: Delivery) -> Mapping[str, object] | None:
        return await self._sending.find(delivery)

    async def _receive(self) -> None:
        await self._persist(self._introduce)
        # The menu takes many calls, and nobody waits for it
        self._tasks.append(asyncio.create_task(self._menu.publish()))
        if self._url:
            return await self._persist(self._set_webhook)
        if not self._secret:
            await self._persist(self._api.drop_webhook)
            await self._poll()

    async def _poll(self) -> None:
        offset: int | None = None
        silence = 0

        async def step() -> None:
            nonlocal offset, silence
            asked, offset = offset, None  # after a failure: from the earliest unconfirmed one on
            batch = await self._api.updates(asked, _LONG_POLL, UPDATE_KINDS)
            if any(map(album_of, batch)):  # the rest of it may be on its way
                await asyncio.sleep(TOGETHER)
                batch = await self._api.updates(asked, 0, UPDATE_KINDS) or batch
            offset = asked
            await self._hearing.take_all(batch)
            silence = 0 if batch else silence + 1
            # Only now: asking from here on tells Telegram to forget what came before. After a
            # week of silence it numbers at random, so an old number must not be held on to.
            numbers = [u["update_id"] + 1 for u in batch if is_update(u)]
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
        me = self._hearing.me
        self._hearing.me = Me(me.id, username, me.key)
        self._log.info("telegram_on", bot=f"@{username}", way=self.summary)

    async def _set_webhook(self) -> None:
        await self._api.set_webhook(self._url, self._secret or "", UPDATE_KINDS)
        self._log.info("telegram_webhook_set", url=self._url)

    async def _webhook(self, request: Request) -> Response:
        given = request.headers.get("x-telegram-bot-api-secret-token", "")
        if not hmac.compare_digest(given.encode(), (self._secret or "").encode()):
            return Response("wrong or missing secret token", 401)
        body = await whole(request)
        if isinstance(body, Response):
            return body
        try:
            update = json.loads(body)
        except (ValueError, RecursionError):
            return Response("not JSON", 400)
        if not is_update(update):
            return Response("not an update", 400)
        return await self._answer_webhook(update)

    async def _answer_webhook(self, update: object) -> Response:
        try:
            await self._hearing.take(update)
        except (StorageError, NotYet) as error:
            self._log.warning("telegram_update_refused", cause=str(error))
            return Response("not recorded, send it again", 503, {"retry-after": "1"})
        except (Malformed, RatchetError) as error:
            self._log.warning("telegram_update_dropped", cause=str(error))
        return Response(status_code=200)


def _webhook_url(url: str) -> str:
    """With the path, where only the server is named."""
    return url.rstrip("/") + _PATH if url and urlsplit(url).path in ("", "/") else url


def make(kit: ChannelKit) -> TelegramChannel:
    settings, services = kit.settings, kit.services
    return TelegramChannel(
        bot_token=plain(settings.telegram_bot_token) or "",
        api_base=settings.telegram_api_base,
        webhook_secret=plain(settings.telegram_webhook_secret),
        webhook_url=settings.telegram_webhook_url,
        file_base=settings.telegram_file_base,
        inbox=services.inbox,
        clock=services.clock,
        commands=_menu(kit, Role.MEMBER),
        deciding=_menu(kit, Role.APPROVER),
        of_chats=_of_chats(kit),
        log=structlog.get_logger(__name__),
        run_of=kit.run_of,
        per_minute=settings.messages_per_minute,
        events=services.events,
        drafts=kit.drafts,
        redact=kit.redact,
        contacts=services.contacts,
        cards=kit.cards,
        may=_may(kit),
        content=services.files.get,
    )


def _menu(kit: ChannelKit, role: Role) -> Commands:
    return [(command.name, command.help) for command in kit.table.allowed(role)]


def _of_chats(kit: ChannelKit) -> OfChats:
    async def of_chats() -> dict[int, Commands]:
        """A private chat's id is the person's."""
        named = [id for id in kit.named_on(CHANNEL) if id.isdigit()]
        chats = dict.fromkeys(map(int, named), _menu(kit, Role.APPROVER))
        for role in (Role.APPROVER, Role.OWNER):
            found = await kit.services.people.addresses(kit.workspace, CHANNEL, role)
            chats |= {int(id): _menu(kit, role) for _, id in found if id.isdigit()}
        return chats

    return of_chats


def _may(kit: ChannelKit) -> May:
    async def may(person: str, text: str) -> bool:
        """Whether it is worth asking for words; the command itself decides."""
        name, _ = kit.table.parse(text) or ("", "")
        command = kit.table.lookup(name)
        if command is None or Role.MEMBER.may(command.role) or person in kit.named_on(CHANNEL):
            return True
        found = await kit.services.people.addresses(kit.workspace, CHANNEL, command.role)
        return person in {external_id for _, external_id in found}

    return may
