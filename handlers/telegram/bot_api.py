"""The Bot API through python-telegram-bot, its errors as ours; the only module that knows it."""

import functools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar
from urllib.parse import urlsplit

import httpx
from telegram import (
    Bot,
    BotCommand,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    ReplyParameters,
)
from telegram import Message as Shown
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    EndPointNotFound,
    Forbidden,
    InvalidToken,
    NetworkError,
    TelegramError,
)
from telegram.ext import AIORateLimiter, ExtBot
from telegram.request import HTTPXRequest

from bot.errors import ChannelError, ChannelUnavailable, DeliveryUnclear
from handlers.telegram.outgoing import Part

_P = ParamSpec("_P")
_T = TypeVar("_T")

# Spelt so that the library hands over raw JSON: one update it can't read must not hide the rest
_GET_UPDATES = "get_Updates"
_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
_GARBLED = (KeyError, TypeError, AttributeError, ValueError)


class Unreachable(ChannelError):
    """The bot may not write there: it was blocked, removed, or never greeted."""


class TokenRejected(ChannelUnavailable):
    """Nothing works until TELEGRAM_BOT_TOKEN is right."""


class Rivalled(ChannelUnavailable):
    """Another process polls with the same token, or a webhook is set."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message goes. `reply_to` is the message it quotes."""

    chat_id: int | str
    thread_id: int | None = None
    reply_to: int | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """A message as the platform shows it; `data` is None where the platform doesn't say."""

    message_id: int
    author: int
    text: str
    data: tuple[str, ...] | None


class _Throttled(TelegramError):
    """A 429; not the library's own RetryAfter, because the outbox does the waiting."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"too many requests, retry in {seconds} s")
        self.seconds = seconds


class _Wire(HTTPXRequest):
    async def do_request(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        code, payload = await super().do_request(*args, **kwargs)
        if code == 429:
            raise _Throttled(_retry_after(self.parse_json_payload(payload)))
        return code, payload


def _wire(options: dict[str, Any]) -> _Wire:
    return _Wire(read_timeout=20, write_timeout=20, connect_timeout=5, httpx_kwargs=options)


def _retry_after(body: object) -> float:
    parameters = body.get("parameters") if isinstance(body, Mapping) else None
    seconds = parameters.get("retry_after") if isinstance(parameters, Mapping) else None
    return float(seconds) if isinstance(seconds, int | float) and seconds >= 0 else 1.0


def _translated(
    call: Callable[_P, Awaitable[_T]],
) -> Callable[_P, Awaitable[_T]]:
    @functools.wraps(call)
    async def translated(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            return await call(*args, **kwargs)
        except TelegramError as error:
            raise _ours(error) from error
        except _GARBLED as error:
            raise DeliveryUnclear(f"an answer I can't read: {type(error).__name__}") from error

    return translated


def _ours(error: TelegramError) -> ChannelError:
    cause = f"{type(error).__name__}: {error}"
    match error:
        case _Throttled():
            return ChannelUnavailable(cause, retry_after=error.seconds)
        case InvalidToken() | EndPointNotFound():
            return TokenRejected("the token was rejected: check TELEGRAM_BOT_TOKEN")
        case Conflict():
            return Rivalled(cause)
        case Forbidden():
            return Unreachable(cause)
        case BadRequest() | ChatMigrated():  # a BadRequest is a NetworkError too: look here first
            return ChannelError(cause)
        case NetworkError() if isinstance(error.__cause__, _UNSENT):
            return ChannelUnavailable(cause)
        case _:
            return DeliveryUnclear(cause)


class BotApi:
    """Raises ChannelError (final), Unreachable, ChannelUnavailable or DeliveryUnclear.

    Nothing is sent before the first call. Sends are spaced to Telegram's limits; a 429 is not
    retried here.
    """

    def __init__(self, token: str, api_base: str) -> None:
        base = api_base.rstrip("/")
        # A proxy of the environment must not stand between this process and its own machine
        options = {"trust_env": urlsplit(base).hostname not in _LOOPBACK}
        self._wires = _wire(options), _wire(options)
        urls = f"{base}/bot", f"{base}/file/bot"
        pace = AIORateLimiter()
        self._paced = ExtBot(token, *urls, *self._wires, rate_limiter=pace)
        # What isn't a message doesn't count against the limits of a group
        self._bot: Bot = Bot(token, *urls, *self._wires)

    async def close(self) -> None:
        for wire in self._wires:
            await wire.shutdown()

    @_translated
    async def username(self) -> str:
        return (await self._bot.get_me()).username or ""

    @_translated
    async def set_commands(self, commands: Sequence[tuple[str, str]]) -> None:
        await self._bot.set_my_commands([BotCommand(name, text) for name, text in commands])

    @_translated
    async def drop_webhook(self) -> None:
        """Polling and a webhook exclude each other; what waits is kept."""
        await self._bot.delete_webhook(drop_pending_updates=False)

    @_translated
    async def updates(self, offset: int | None, seconds: int, kinds: Sequence[str]) -> list[Any]:
        """Raw updates from `offset` on, waiting up to `seconds`; those before it are confirmed."""
        asked: dict[str, Any] = {"timeout": seconds, "allowed_updates": list(kinds)}
        if offset is not None:
            asked["offset"] = offset
        got = await self._bot.do_api_request(
            _GET_UPDATES, api_kwargs=asked, read_timeout=seconds + 10
        )
        if not isinstance(got, list):
            raise TypeError("updates are not a list")
        return got

    @_translated
    async def show(self, place: Place, part: Part) -> Mapping[str, object]:
        """Shows the part as a new message and returns its reference."""
        try:
            return _ref(await self._show(place, part))
        except ChatMigrated as error:  # the group became a supergroup under a new id
            moved = Place(error.new_chat_id)
            return _ref(await self._show(moved, part))

    async def _show(self, place: Place, part: Part) -> Shown:
        try:
            return await self._say(place, part, "HTML")
        except BadRequest as error:
            if "can't parse" not in str(error).lower():
                raise
            return await self._say(place, part, None)

    async def _say(self, place: Place, part: Part, mode: str | None) -> Shown:
        text = part.html if mode else part.plain
        where = {**_where(place), "parse_mode": mode, "reply_markup": _markup(part)}
        paced: Bot = self._paced
        if part.photo is not None:
            return await paced.send_photo(photo=part.photo, caption=text or None, **where)
        return await paced.send_message(text=text, link_preview_options=_NO_PREVIEW, **where)

    @_translated
    async def change(self, ref: Mapping[str, object], part: Part) -> None:
        """Replaces a message's text and keyboard; one that says so already is fine."""
        where = {"chat_id": ref["chat_id"], "message_id": ref["message_id"]}
        try:
            await self._change(where, part, "HTML")
        except BadRequest as error:
            if "can't parse" in str(error).lower():
                await self._change(where, part, None)
            elif "not modified" not in str(error).lower():
                raise

    async def _change(self, where: Mapping[str, Any], part: Part, mode: str | None) -> None:
        text = part.html if mode else part.plain
        await self._paced.edit_message_text(
            text,
            parse_mode=mode,
            reply_markup=_markup(part),
            link_preview_options=_NO_PREVIEW,
            **where,
        )

    @_translated
    async def ask(self, place: Place, text: str) -> None:
        """Says something that the person's app opens a reply to."""
        await self._bot.send_message(
            text=text,
            reply_markup=ForceReply(input_field_placeholder="Your words"),
            **_where(place),
        )

    @_translated
    async def tell(self, place: Place, text: str) -> None:
        await self._bot.send_message(text=text, **_where(place))

    @_translated
    async def answer(self, press_id: str) -> None:
        """Ends the waiting that Telegram shows on a pressed button."""
        await self._bot.answer_callback_query(press_id)

    @_translated
    async def typing(self, place: Place) -> None:
        await self._bot.send_chat_action(place.chat_id, "typing", message_thread_id=place.thread_id)

    @_translated
    async def peek(self, place: Place, text: str) -> tuple[int, Seen | None]:
        """Says `text` silently as a reply to `place.reply_to`, and takes it back at once.

        Returns its own message id, the newest there is, and the quoted message as the platform
        describes it, None where there is no such message.
        """
        said = await self._bot.send_message(text=text, disable_notification=True, **_where(place))
        with suppress(TelegramError):  # where it stays, what it says is still true
            await self._bot.delete_message(said.chat_id, said.message_id)
        quoted = said.reply_to_message
        if quoted is None or quoted.message_id != place.reply_to:
            return said.message_id, None
        return said.message_id, _seen(quoted)


def _where(place: Place) -> dict[str, Any]:
    to = place.reply_to
    return {
        "chat_id": place.chat_id,
        "message_thread_id": place.thread_id,
        "reply_parameters": ReplyParameters(to, allow_sending_without_reply=True) if to else None,
    }


def _markup(part: Part) -> InlineKeyboardMarkup | None:
    rows = [[InlineKeyboardButton(t, callback_data=d) for t, d in row] for row in part.keyboard]
    return InlineKeyboardMarkup(rows) if rows else None


def _ref(shown: Shown) -> dict[str, object]:
    return {"chat_id": shown.chat_id, "message_id": shown.message_id}


def _seen(shown: Shown) -> Seen:
    markup = shown.reply_markup
    keys = [key for row in markup.inline_keyboard for key in row] if markup else None
    return Seen(
        shown.message_id,
        shown.from_user.id if shown.from_user else 0,
        shown.text or shown.caption or "",
        None if keys is None else tuple(str(key.callback_data) for key in keys),
    )
