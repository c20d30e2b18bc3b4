"""The webhook: who may post, what is answered, and nothing acknowledged before it is kept."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from bot.errors import StorageError
from handlers.telegram.channel import TelegramChannel
from tests.fakes.inbox import RecordingInbox
from tests.fakes.telegram_server import Fault, TelegramServer
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


async def test_telegram_is_told_of_the_webhook_where_its_address_is_set(
    server: TelegramServer, make: MakeChannel
) -> None:
    server.faults = [Fault("setWebhook", 502)]
    channel = make(webhook_url="https://bot.example.com")
    await channel.start()
    await server.until(lambda: bool(server.webhook))
    assert server.webhook == "https://bot.example.com/telegram/webhook"
    assert server.allowed == ["message", "callback_query", "message_reaction", "my_chat_member"]
    secret = {"X-Telegram-Bot-Api-Secret-Token": server.webhook_secret}
    assert len(server.webhook_secret) >= 32, "a secret of its own where none was set"
    transport = httpx.ASGITransport(web_of(channel))
    async with httpx.AsyncClient(transport=transport, base_url="http://bot") as client:
        assert (await client.post(PATH, json=UPDATE, headers=secret)).status_code == 200
        assert (await client.post(PATH, json=UPDATE, headers=SECRET)).status_code == 401


async def test_the_address_may_have_a_path_of_its_own_and_the_secret_is_the_one_set(
    server: TelegramServer, make: MakeChannel
) -> None:
    await make(webhook_url="https://bot.example.com/t/hook", webhook_secret="s3cret").start()
    await server.until(lambda: bool(server.webhook))
    assert (server.webhook, server.webhook_secret) == ("https://bot.example.com/t/hook", "s3cret")
    assert not server.sent("getUpdates", "deleteWebhook")


async def test_an_album_over_the_webhook_is_one_message(
    web: httpx.AsyncClient, inbox: RecordingInbox
) -> None:
    def piece(number: int) -> dict[str, object]:
        photo = [{"file_id": f"p{number}", "width": 9, "height": 9}]
        message = {k: v for k, v in UPDATE["message"].items() if k != "text"}  # type: ignore[attr-defined]
        message |= {"photo": photo, "media_group_id": "a1", "message_id": number}
        return {"update_id": 10 + number, "message": message}

    posts = [web.post(PATH, json=piece(number), headers=SECRET) for number in (2, 1)]
    answers = await asyncio.gather(*posts)
    assert [answer.status_code for answer in answers] == [200, 200]
    (message,) = inbox.messages
    assert [file.ref["file_id"] for file in message.files] == ["p1", "p2"]
