"""The webhook's signature, the Graph API's answers."""

from collections.abc import AsyncIterator

import httpx
import pytest
import structlog
from starlette.applications import Starlette
from starlette.routing import Route

from bot.errors import BadInput, ChannelError, ChannelUnavailable, DeliveryUnclear, StorageError
from bot.model.codec import reply_to_json
from bot.model.delivery import Delivery
from bot.model.message import Button, Reply
from handlers.whatsapp.channel import WhatsAppChannel
from tests.conftest import HeldClock
from tests.fakes.inbox import RecordingInbox
from tests.fakes.whatsapp_server import (
    APP_SECRET,
    PHONE_ID,
    TOKEN,
    VERIFY,
    WhatsAppServer,
    press,
    signature,
    signed,
    text,
    webhook,
)

PATH = "/whatsapp/webhook"


@pytest.fixture
async def server() -> AsyncIterator[WhatsAppServer]:
    graph = WhatsAppServer()
    await graph.start()
    yield graph
    await graph.stop()


@pytest.fixture
def inbox() -> RecordingInbox:
    return RecordingInbox()


@pytest.fixture
async def channel(
    server: WhatsAppServer, inbox: RecordingInbox, clock: HeldClock
) -> AsyncIterator[WhatsAppChannel]:
    made = WhatsAppChannel(
        token=TOKEN,
        graph_url=server.url,
        phone_id=PHONE_ID,
        app_secret=APP_SECRET,
        verify_token=VERIFY,
        inbox=inbox,
        clock=clock,
        log=structlog.get_logger(),
    )
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def web(channel: WhatsAppChannel) -> AsyncIterator[httpx.AsyncClient]:
    routes = [Route(r.path, r.endpoint, methods=r.methods) for r in channel.routes()]
    transport = httpx.ASGITransport(Starlette(routes=routes))
    async with httpx.AsyncClient(transport=transport, base_url="http://bot") as client:
        yield client


async def post(web: httpx.AsyncClient, payload: object, secret: str = APP_SECRET) -> int:
    body, headers = signed(payload, secret)
    return (await web.post(PATH, content=body, headers=headers)).status_code


def delivery(reply: Reply, **address: object) -> Delivery:
    to = {"to": "15551234"} | address
    return Delivery("d1", "local", "r1", "whatsapp", to, reply_to_json(reply))


@pytest.mark.parametrize(
    ("token", "mode", "status"),
    [(VERIFY, "subscribe", 200), ("wrong", "subscribe", 403), (VERIFY, "x", 403), ("", "", 403)],
)
async def test_the_first_call(web: httpx.AsyncClient, token: str, mode: str, status: int) -> None:
    query = {"hub.mode": mode, "hub.verify_token": token, "hub.challenge": "1158201444"}
    answer = await web.get(PATH, params=query)
    assert answer.status_code == status
    assert (answer.text == "1158201444") is (status == 200)


async def test_a_message_is_taken_once_however_often_it_comes(
    web: httpx.AsyncClient, inbox: RecordingInbox
) -> None:
    payload = webhook(text("/metrics"), press("/approve P1"))
    assert [await post(web, payload) for _ in range(3)] == [200] * 3
    assert inbox.texts == ["/metrics", "/approve P1"]


async def test_what_is_not_signed_is_not_heard(
    web: httpx.AsyncClient, inbox: RecordingInbox
) -> None:
    body, headers = signed(webhook(text("/metrics")))
    assert await post(web, webhook(text("/metrics")), "another secret") == 401
    assert (await web.post(PATH, content=body)).status_code == 401
    assert (await web.post(PATH, content=body + b" ", headers=headers)).status_code == 401
    odd = {"X-Hub-Signature-256": headers["X-Hub-Signature-256"].removeprefix("sha256=")}
    assert (await web.post(PATH, content=body, headers=odd)).status_code == 401
    assert inbox.deliveries == 0


@pytest.mark.parametrize("body", [b"[]", b"{", b"\xff", b"", b"[" * 100_000])
async def test_bad_bodies(web: httpx.AsyncClient, body: bytes) -> None:
    headers = {"X-Hub-Signature-256": signature(body)}
    assert (await web.post(PATH, content=body, headers=headers)).status_code == 400


async def test_what_could_not_be_recorded_is_asked_for_again(
    web: httpx.AsyncClient, inbox: RecordingInbox
) -> None:
    inbox.refusals = [StorageError("locked")]
    assert [await post(web, webhook(text("/metrics"))) for _ in range(2)] == [503, 200]
    inbox.refusals = [BadInput("never")]
    assert await post(web, webhook(text("/runs", "wamid.9"))) == 200
    assert inbox.texts == ["/metrics"]


async def test_a_card_and_its_update(server: WhatsAppServer, channel: WhatsAppChannel) -> None:
    card = Reply("Say metres?", buttons=(Button("Approve", "/approve P1"),))
    assert await channel.send(delivery(card)) == {"id": "wamid.out1"}
    await channel.send(delivery(Reply("Approved"), to="US.77", wa_id="", user_id="US.77"))
    assert server.shown[0]["to"] == "15551234" and server.shown[1]["recipient"] == "US.77"


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ((400, 131047), ChannelError),
        ((400, 100), ChannelError),
        ((400, 131056), ChannelUnavailable),
        ((429, 80007), ChannelUnavailable),
        ((401, 190), ChannelUnavailable),
        ((500, 131000), ChannelUnavailable),
        ((0, 0), DeliveryUnclear),
    ],
)
async def test_what_goes_wrong(
    server: WhatsAppServer,
    channel: WhatsAppChannel,
    fault: tuple[int, int],
    error: type[ChannelError],
) -> None:
    server.faults = [fault]
    with pytest.raises(ChannelError) as raised:
        await channel.send(delivery(Reply("x")))
    assert type(raised.value) is error
    assert ("template" in str(raised.value)) is (fault[1] == 131047)
    with pytest.raises(DeliveryUnclear):
        await channel.find(delivery(Reply("x")))


async def test_a_long_text_goes_on_where_it_was_interrupted(
    server: WhatsAppServer, channel: WhatsAppChannel
) -> None:
    long = delivery(Reply("word " * 1500))
    server.faults = [None, (429, 130429)]
    with pytest.raises(ChannelUnavailable):
        await channel.send(long)
    await channel.send(long)
    assert len(server.shown) == 2
