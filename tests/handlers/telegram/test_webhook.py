"""The webhook: who may post, what is answered, and nothing acknowledged before it is kept."""

from collections.abc import AsyncIterator, Sequence

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from bot.errors import StorageError
from handlers.telegram.channel import TelegramChannel
from tests.fakes.inbox import RecordingInbox
from tests.fakes.telegram_server import TelegramServer
from tests.handlers.telegram.conftest import MakeChannel

SECRET = {"X-Telegram-Bot-Api-Secret-Token": "s3cret"}
PATH = "/telegram/webhook"
UPDATE = {
    "update_id": 5,
    "message": {
        "message_id": 1,
        "date": 1,
        "chat": {"id": 7, "type": "private"},
        "from": {"id": 7, "is_bot": False, "first_name": "Ann"},
        "text": "hi",
    },
}


def web_of(channel: TelegramChannel) -> Starlette:
    routes = channel.routes()
    return Starlette(routes=[Route(r.path, r.endpoint, methods=r.methods) for r in routes])


@pytest.fixture
def channel(make: MakeChannel) -> TelegramChannel:
    return make(webhook_secret="s3cret")


@pytest.fixture
async def web(channel: TelegramChannel) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(web_of(channel))
    async with httpx.AsyncClient(transport=transport, base_url="http://bot") as client:
        yield client


@pytest.mark.parametrize("headers", [{}, {"X-Telegram-Bot-Api-Secret-Token": "wrong"}])
async def test_without_the_secret_nothing_is_heard(
    web: httpx.AsyncClient, inbox: RecordingInbox, headers: dict[str, str]
) -> None:
    assert (await web.post(PATH, json=UPDATE, headers=headers)).status_code == 401
    assert inbox.deliveries == 0


async def test_an_update_is_taken_once_however_often_it_comes(
    web: httpx.AsyncClient, inbox: RecordingInbox
) -> None:
    answers = [(await web.post(PATH, json=UPDATE, headers=SECRET)).status_code for _ in range(3)]
    assert answers == [200, 200, 200]
    assert inbox.texts == ["hi"]


async def test_what_could_not_be_recorded_is_asked_for_again(
    web: httpx.AsyncClient, inbox: RecordingInbox
) -> None:
    inbox.refusals = [StorageError("locked")]
    assert (await web.post(PATH, json=UPDATE, headers=SECRET)).status_code == 503
    assert (await web.post(PATH, json=UPDATE, headers=SECRET)).status_code == 200
    assert inbox.texts == ["hi"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"", 400),
        (b"[]", 400),
        (b"null", 400),
        (b'{"update_id": "x"}', 400),
        (b'{"update_id": true}', 400),
        (b'{"update_id": 1}', 200),
        (b'{"update_id": 1, "poll": {}}', 200),
        (b'{"update_id": 1, "message": {"text": 4}}', 200),
        (b'{"update_id": 1, "message": []}', 200),
        (b"[" * 100_000, 400),
        (b" " * 5_000_000, 413),
    ],
)
async def test_bad_bodies(web: httpx.AsyncClient, body: bytes, status: int) -> None:
    assert (await web.post(PATH, content=body, headers=SECRET)).status_code == status


async def test_a_bot_with_a_webhook_neither_polls_nor_removes_it(
    server: TelegramServer, inbox: RecordingInbox, channel: TelegramChannel
) -> None:
    await channel.start()
    await server.until(lambda: bool(server.sent("setMyCommands")))
    assert server.sent("getUpdates", "deleteWebhook") == []
    assert channel.summary == "@ratchet_bot, webhook at /telegram/webhook"


def test_without_a_secret_there_is_no_webhook(make: MakeChannel) -> None:
    routes: Sequence[object] = make().routes()
    assert routes == ()
