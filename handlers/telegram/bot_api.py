"""The Bot API through python-telegram-bot, its errors as ours; the only module that knows it."""

import functools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, ParamSpec, TypeVar
from urllib.parse import urlsplit

import httpx
from telegram import (
    Bot,
    BotCommand,
    BotCommandScope,
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
    BotCommandScopeDefault,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputFile,
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
from handlers.telegram.place import (
    Lacking,
    MessageGone,
    Moved,
    Place,
    Rivalled,
    Seen,
    TokenRejected,
    Unreachable,
    gone,
    unchangeable,
)

_P = ParamSpec("_P")
_T = TypeVar("_T")

# Spelt so that the library hands over raw JSON: one update it can't read must not hide the rest
_GET_UPDATES = "get_Updates"
_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
_GARBLED = (KeyError, TypeError, AttributeError, ValueError)
_DRAFT = 5.0
"""Seconds that a preview may take: the answer waits for it."""
_SCOPES: Mapping[str, Callable[[], BotCommandScope]] = {
    "": BotCommandScopeDefault,
    "private": BotCommandScopeAllPrivateChats,
    "groups": BotCommandScopeAllGroupChats,
    "administrators": BotCommandScopeAllChatAdministrators,
}


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
    cause, said = f"{type(error).__name__}: {error}", str(error).lower()
    match error:
        case _Throttled():
            return ChannelUnavailable(cause, retry_after=error.seconds)
        case ChatMigrated():
            return Moved(error.new_chat_id)
        case BadRequest() if gone(said):
            return Unreachable(cause)
        case BadRequest() if unchangeable(said):
            return MessageGone(cause)
        case InvalidToken() | EndPointNotFound():
            return TokenRejected("the token was rejected: check TELEGRAM_BOT_TOKEN")
        case Conflict():
            return Rivalled(cause)
        case Forbidden():
            return Unreachable(cause)
        case BadRequest():  # a BadRequest is a NetworkError too: look here first
            return ChannelError(cause)
        case NetworkError() if "too large" in said:
            return ChannelError(cause)
        case NetworkError() if isinstance(error.__cause__, _UNSENT):
            return ChannelUnavailable(cause)
        case _:
            return DeliveryUnclear(cause)


class BotApi:
    """Raises ChannelError (final; Unreachable, Moved, MessageGone), ChannelUnavailable or
    DeliveryUnclear.

    Nothing is sent before the first call. Sends are spaced to Telegram's limits; a 429 is not
    retried here.
    """

    def __init__(self, token: str, api_base: str, file_base: str = "") -> None:
        """`file_base` is where files are, by default `api_base`/file."""
        base = api_base.rstrip("/")
        files = (file_base or f"{base}/file").rstrip("/")
        # A proxy of the environment must not stand between this process and its own machine
        options = {"trust_env": urlsplit(base).hostname not in _LOOPBACK}
        self._wires = _wire(options), _wire(options)
        self.files = f"{files}/bot{token}/"
        urls = f"{base}/bot", f"{files}/bot"
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
    async def set_commands(
        self, commands: Sequence[tuple[str, str]], scope: str | int = "", language: str = ""
    ) -> None:
        """The menu of a scope ("", private, groups, administrators, or one chat's id)."""
        where = BotCommandScopeChat(scope) if isinstance(scope, int) else _SCOPES[scope]()
        told = [BotCommand(name, text) for name, text in commands]
        await self._bot.set_my_commands(told, scope=where, language_code=language or None)

    @_translated
    async def set_webhook(self, url: str, secret: str, kinds: Sequence[str]) -> None:
        """What waits is kept."""
        await self._bot.set_webhook(url, secret_token=secret, allowed_updates=list(kinds))

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
        return _ref(await self._show(place, part))

    @_translated
    async def hand(self, place: Place, name: str, content: bytes) -> Mapping[str, object]:
        """Shows a file as a new message and returns its reference."""
        document = InputFile(content, filename=name)
        return _ref(await self._paced.send_document(document=document, **_where(place)))

    @_translated
    async def draft(self, place: Place, draft_id: int, part: Part) -> None:
        """Shows what an answer in a private chat is so far; it goes by itself after 30 s.

        Raises Lacking where the server has no drafts.
        """
        where = {"chat_id": place.chat_id, "message_thread_id": place.thread_id}
        try:
            try:
                await self._draft(where, draft_id, part.html, "HTML")
            except BadRequest as error:
                if "can't parse" not in str(error).lower():
                    raise
                await self._draft(where, draft_id, part.plain, None)
        except (InvalidToken, EndPointNotFound, BadRequest) as error:
            said = str(error).lower()
            if "method" in said or not (isinstance(error, BadRequest) or "unauthorized" in said):
                raise Lacking(str(error)) from error
            raise

    async def _draft(
        self, where: Mapping[str, Any], draft_id: int, text: str, mode: str | None
    ) -> None:
        await self._bot.send_message_draft(
            draft_id=draft_id, text=text, parse_mode=mode, read_timeout=_DRAFT, **where
        )

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
        where = {"chat_id": _chat(ref), "message_id": _number(ref)}
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
    async def drop(self, ref: Mapping[str, object]) -> None:
        """Takes a message away; one that is not there is fine."""
        with suppress(BadRequest):
            await self._bot.delete_message(_chat(ref), _number(ref))

    @_translated
    async def ask(self, place: Place, html: str) -> None:
        """Says something that the person's app opens a reply to."""
        await self._bot.send_message(
            text=html,
            parse_mode="HTML",
            link_preview_options=_NO_PREVIEW,
            reply_markup=ForceReply(selective=True, input_field_placeholder="Your words"),
            **_where(place),
        )

    @_translated
    async def tell(self, place: Place, text: str) -> None:
        await self._bot.send_message(text=text, **_where(place))

    @_translated
    async def answer(self, press_id: str, text: str = "", alert: bool = False) -> None:
        """Ends the waiting that Telegram shows on a pressed button, with words or without."""
        await self._bot.answer_callback_query(press_id, text=text or None, show_alert=alert or None)

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

    @_translated
    async def file_at(self, file_id: str) -> tuple[str, int]:
        """Where a file is (its address, which holds the token) and its size, 0 if unknown."""
        held = await self._bot.get_file(file_id)
        return held.file_path or "", held.file_size or 0


def _chat(ref: Mapping[str, object]) -> Any:
    return ref["chat_id"]


def _number(ref: Mapping[str, object]) -> Any:
    return ref["message_id"]


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
        shown.document.file_name or "" if shown.document else "",
    )
