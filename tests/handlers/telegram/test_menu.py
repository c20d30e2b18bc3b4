"""The command menu by scope and language; nothing waits for it and nothing fails by it."""

import re

from commands import COMMANDS
from handlers.telegram.menu import entries
from handlers.telegram.translations import TRANSLATIONS
from tests.fakes.inbox import RecordingInbox
from tests.fakes.telegram_server import Fault, TelegramServer
from tests.handlers.telegram.conftest import MakeChannel

DECIDING = [("better", "Say it."), ("approve", "Put it into use.")]


async def test_everyone_sees_commands_and_approvers_see_more(
    server: TelegramServer, make: MakeChannel
) -> None:
    chats = {7: DECIDING}

    async def of_chats() -> dict[int, list[tuple[str, str]]]:
        return chats

    channel = make(deciding=DECIDING, of_chats=of_chats)
    server.chat(7)
    await channel.start()
    await server.until(lambda: ("chat", 7, "it") in server.menus)
    for scope in ("default", "all_private_chats", "all_group_chats"):
        assert server.menus[scope, 0, ""] == ["better", "save_workflow"]
    assert server.menus["all_chat_administrators", 0, "de"] == ["better", "approve"]
    assert server.menus["chat", 7, ""] == ["better", "approve"]
    told = {
        call.get("language_code", ""): call["commands"][1]["description"]
        for call in server.sent("setMyCommands")
        if call["scope"]["type"] == "default"
    }
    assert told[""] == "Keep it."
    assert told["de"] == "Den letzten Lauf als Ablauf speichern"


async def test_a_menu_that_can_not_be_set_stops_nothing(
    server: TelegramServer, inbox: RecordingInbox, make: MakeChannel
) -> None:
    async def of_chats() -> dict[int, list[tuple[str, str]]]:
        return {99: DECIDING}

    server.faults = [Fault("setMyCommands", 500), Fault("setMyCommands", 0)]
    await server.say("hello")
    await make(of_chats=of_chats).start()
    await inbox.until(lambda: inbox.texts == ["hello"])
    await server.until(lambda: ("all_group_chats", 0, "it") in server.menus)


async def test_a_server_that_fails_for_a_while_gets_the_whole_menu_after_all(
    server: TelegramServer, make: MakeChannel
) -> None:
    server.faults = [Fault("setMyCommands", 500), Fault("setMyCommands", 0)]
    await make().start()
    await server.until(lambda: ("all_group_chats", 0, "it") in server.menus)
    assert ("default", 0, "it") in server.menus


async def test_a_new_owner_gets_the_owners_menu(
    server: TelegramServer, inbox: RecordingInbox, make: MakeChannel
) -> None:
    chats: dict[int, list[tuple[str, str]]] = {}

    async def of_chats() -> dict[int, list[tuple[str, str]]]:
        return chats

    await make(of_chats=of_chats).start()
    await server.until(lambda: ("all_group_chats", 0, "it") in server.menus)
    assert not [key for key in server.menus if key[0] == "chat"]
    chats[7] = DECIDING
    await server.say("/claim 4f9a")
    await server.until(lambda: ("chat", 7, "it") in server.menus)
    chats.clear()
    await server.say("/role telegram:7 member")
    await server.until(lambda: server.menus["chat", 7, "it"] == ["better", "save_workflow"])


def test_what_has_no_translation_is_told_in_english() -> None:
    assert entries([("new-thing", "Do it")], "de") == [("new_thing", "Do it")]
    assert entries([("help", "Show"), ("x" * 40, "no"), ("empty", "")], "xx") == [("help", "Show")]


def test_translations_are_short_and_of_commands_that_may_exist() -> None:
    known = {command.name for command in COMMANDS if not command.hidden}
    for language, words in TRANSLATIONS.items():
        assert re.fullmatch("[a-z]{2}", language)
        assert {"help", "status"} <= set(words) <= known and all(
            0 < len(text) <= 60 for text in words.values()
        )
