"""The platform's command menu: who sees which commands, in which language; a failure is logged."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from bot.errors import ChannelError, RatchetError
from handlers.telegram.bot_api import BotApi
from handlers.telegram.patience import patiently
from handlers.telegram.translations import TRANSLATIONS

Commands = Sequence[tuple[str, str]]
"""(name, help) of commands."""
OfChats = Callable[[], Awaitable[Mapping[int, Commands]]]
"""The menus of those who may do more than everyone, by their private chats' ids."""

_EVERYONE = ("", "private", "groups")
_MOST, _LONGEST, _NAME = 100, 256, 32


class Menu:
    """What was set is remembered, so that it is set again only where it changed."""

    def __init__(
        self,
        api: BotApi,
        commands: Commands,
        log: Any,
        deciding: Commands = (),
        of_chats: OfChats | None = None,
    ) -> None:
        """`deciding` are the commands that a group's administrators are shown, who are likely to
        be approvers; what anyone may do is decided when they do it."""
        self._api, self._commands, self._log = api, commands, log
        self._deciding, self._of_chats = deciding, of_chats
        self._set: dict[int, Commands] = {}

    async def publish(self) -> None:
        """For everyone, then for approvers and owners."""
        for scope in _EVERYONE:
            await self._put(self._commands, scope)
        if self._deciding:
            await self._put(self._deciding, "administrators")
        await self.refresh()

    async def refresh(self) -> None:
        """For those whose roles have changed meanwhile."""
        if self._of_chats is None:
            return
        try:
            wanted = await self._of_chats()
        except RatchetError as error:
            self._log.warning("telegram_menu_not_set", cause=str(error))
            return
        for chat, commands in wanted.items():
            if self._set.get(chat) != commands and await self._put(commands, chat):
                self._set[chat] = commands
        for chat in self._set.keys() - wanted.keys():
            if await self._put(self._commands, chat):
                del self._set[chat]

    async def _put(self, commands: Commands, scope: str | int) -> bool:
        try:
            # These are many calls in a row: Telegram may ask for pauses
            for language in ("", *TRANSLATIONS):
                told = entries(commands, language)
                set_them = partial(self._api.set_commands, told, scope, language)
                await patiently(set_them, harmless=True)
        except ChannelError as error:
            # Someone who never pressed Start has no chat to set a menu in
            self._log.info("telegram_menu_not_set", scope=scope, cause=str(error))
            return False
        return True


def entries(commands: Iterable[tuple[str, str]], language: str = "") -> list[tuple[str, str]]:
    """As Telegram takes them: no hyphens, 32 characters, a help of 1 to 256, 100 in all."""
    words = TRANSLATIONS.get(language, {})
    named = [
        (name.lower().replace("-", "_"), (words.get(name) or text)[:_LONGEST])
        for name, text in commands
    ]
    return [(name, text) for name, text in named if len(name) <= _NAME and text][:_MOST]
