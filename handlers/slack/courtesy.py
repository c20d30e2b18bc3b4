"""Small kindnesses that may fail: a sign of life, and who is a guest."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.errors import ChannelError
from bot.model.message import Sender
from bot.ports.clock import Clock
from handlers.slack.api import Api, Refused
from handlers.slack.incoming import part_of, text_of

_EYES, _STATUS = "eyes", "status"
_LOADING = ("Reading your message…", "Looking things up…", "Thinking it through…", "Writing…")
_NO_STATUSES = {"unknown_method", "missing_scope", "http_404", "not_allowed_token_type"}
"""What says that there will be none the next time either."""

_KEPT = 5_000
_FRESH, _AGAIN = 3_600, 60
"""Seconds that what users.info said about a person is believed; and that it isn't asked again
after it said nothing."""


class LifeSign:
    """The status line where the thread has one, else 👀 on the message, until the answer is there."""

    def __init__(self, api: Api, log: Any) -> None:
        self._api, self._log = api, log
        self._shown: dict[tuple[str, str], asyncio.Task[str]] = {}
        self._statuses = True

    def show(self, address: Mapping[str, object]) -> None:
        """Begins at once and is waited for by nobody."""
        key = _message(address)
        if not all(key):
            return
        if len(self._shown) >= _KEPT:
            self._shown.pop(next(iter(self._shown))).cancel()
        self._shown[key] = asyncio.create_task(self._show(address))

    async def clear(self, address: Mapping[str, object]) -> None:
        """Takes it away again, whatever became of the answer."""
        key = _message(address)
        shown = self._shown.pop(key, None)
        # After a restart nobody knows: eyes stay until they are taken away, a status doesn't.
        sign = await shown if shown else _EYES
        try:
            if sign == _EYES:
                await self._api.call("reactions.remove", **_reaction(key))
            elif sign == _STATUS:
                await self._api.call("assistant.threads.setStatus", **_status(address, ""))
        except ChannelError as error:
            self._log.debug("slack_sign_not_cleared", error=str(error))

    async def close(self) -> None:
        for task in self._shown.values():
            task.cancel()
        await asyncio.gather(*self._shown.values(), return_exceptions=True)
        self._shown.clear()

    async def _show(self, address: Mapping[str, object]) -> str:
        """The sign that is to be taken away, "" where there is none."""
        if address.get("thread_ts") and self._statuses:
            status = _status(address, "is thinking…")
            try:
                asked = {**status, "loading_messages": list(_LOADING)}
                await self._api.call("assistant.threads.setStatus", **asked)
                return _STATUS
            except ChannelError as error:
                if isinstance(error, Refused) and error.code in _NO_STATUSES:
                    self._statuses = False
                self._log.debug("slack_status_not_shown", error=str(error))
        try:
            await self._api.call("reactions.add", **_reaction(_message(address)))
            return _EYES
        except ChannelError as error:
            self._log.debug("slack_sign_not_shown", error=str(error))
            # A call whose end isn't known may have done it.
            return "" if isinstance(error, Refused) else _EYES


class Acquaintances:
    """What Slack says about a sender, remembered for an hour; nothing where it won't say."""

    def __init__(self, api: Api, clock: Clock, patience: float = 0.7) -> None:
        self._api, self._clock, self._patience = api, clock, patience
        self._known: dict[str, tuple[float, Mapping[str, Any]]] = {}

    async def complete(self, sender: Sender, among: str = "") -> Sender:
        """With name, and whether it is a guest or a bot. With `among`, everyone is a guest who
        isn't known to be of that team."""
        about = await self._about(sender.external_id)
        of_others = among and (not about or text_of(about.get("team_id")) not in ("", among))
        flags = ("is_restricted", "is_ultra_restricted", "is_stranger")
        guest = bool(of_others) or any(about.get(flag) for flag in flags)
        profile = part_of(about.get("profile"))
        name = text_of(profile.get("display_name")) or text_of(about.get("real_name"))
        return replace(
            sender,
            name=name or sender.name or text_of(about.get("name")),
            is_guest=sender.is_guest or guest,
            is_bot=sender.is_bot or bool(about.get("is_bot")),
        )

    async def _about(self, user: str) -> Mapping[str, Any]:
        now = self._clock.monotonic()
        until, about = self._known.get(user, (0.0, {}))
        if user in self._known and now < until:
            return about
        until = now + _FRESH
        try:
            async with asyncio.timeout(self._patience):
                about = part_of((await self._api.call("users.info", user=user)).get("user"))
        except (ChannelError, TimeoutError):
            until = now + _AGAIN
        if len(self._known) >= _KEPT:
            self._known.pop(next(iter(self._known)))
        self._known[user] = until, about
        return about


def _message(address: Mapping[str, object]) -> tuple[str, str]:
    return text_of(address.get("channel")), text_of(address.get("ts"))


def _status(address: Mapping[str, object], words: str) -> dict[str, str]:
    channel, thread_ts = text_of(address.get("channel")), text_of(address.get("thread_ts"))
    return {"channel_id": channel, "thread_ts": thread_ts, "status": words}


def _reaction(key: tuple[str, str]) -> dict[str, str]:
    return {"channel": key[0], "timestamp": key[1], "name": _EYES}
