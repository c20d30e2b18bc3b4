"""A channel that carries fixed commands only: free words of it are not even recorded."""

import pytest

from bot.app import App
from bot.errors import BadInput
from bot.model.terms import FIXED, SILENT, may_be_said, teaches
from commands import COMMANDS
from tests.bot.dispatch.saying import WORKSPACE, say, start
from tests.fakes.model_server import ModelServer


@pytest.mark.parametrize("words", ["What do we earn?", "/better be brief", "/usr/bin", "", "!"])
async def test_free_words_reach_nobody(app: App, model: ModelServer, words: str) -> None:
    with pytest.raises(BadInput):
        await start(app, words, channel="whatsapp")
    assert await app.services.runs.recent(WORKSPACE, limit=5) == []
    assert model.chats == []


async def test_fixed_commands_work(app: App) -> None:
    run = await say(app, "/help", channel="whatsapp")
    assert "I don't chat here" in run.answer


def test_what_may_be_said_where() -> None:
    assert may_be_said("slack", None) and may_be_said("slack", "better")
    assert not may_be_said("whatsapp", None) and not may_be_said("whatsapp", "better")
    assert {"whatsapp"} == SILENT and not teaches("whatsapp") and teaches("telegram")


def test_what_teaches_is_on_no_list() -> None:
    teaching = {"better", "rate", "remember", "save-workflow", "workflow", "edit", "forget", "run"}
    assert not teaching & {name for names in FIXED.values() for name in names}
    known = {command.name for command in COMMANDS}
    assert set(FIXED["whatsapp"]) <= known
