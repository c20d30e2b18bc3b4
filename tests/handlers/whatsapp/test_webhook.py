"""The webhook: Meta's first call, signatures, sizes, repetitions, storage that is away."""

import hashlib
import hmac
from collections.abc import AsyncIterator

import pytest

from bot.errors import BadInput, StorageError
from tests.fakes.whatsapp_server import (
    APP_SECRET,
    VERIFY,
    press,
    signature,
    signed,
    text,
    webhook,
)
from tests.handlers.whatsapp.conftest import PATH, House


@pytest.mark.parametrize(
    ("token", "mode", "status"),
    [(VERIFY, "subscribe", 200), ("wrong", "subscribe", 403), (VERIFY, "x", 403), ("", "", 403)],
)
async def test_the_first_call(house: House, token: str, mode: str, status: int) -> None:
    query = {"hub.mode": mode, "hub.verify_token": token, "hub.challenge": "1158201444"}
    async with house.web as web:
        answer = await web.get(PATH, params=query)
    assert answer.status_code == status
    assert (answer.text == "1158201444") is (status == 200)


async def test_a_message_is_taken_once_however_often_it_comes(house: House) -> None:
    payload = webhook(text("/metrics"), press("/approve P1"))
    assert [await house.post(payload) for _ in range(3)] == [200] * 3
    assert house.inbox.texts == ["/metrics", "/approve P1"]


async def test_what_is_not_signed_is_not_heard(house: House) -> None:
    body, headers = signed(webhook(text("/metrics")))
    right = headers["X-Hub-Signature-256"]
    sha1 = "sha1=" + hmac.new(APP_SECRET.encode(), body, hashlib.sha1).hexdigest()
    wrong = [
        {},
        {"X-Hub-Signature-256": ""},
        {"X-Hub-Signature-256": right.removeprefix("sha256=")},
        {"X-Hub-Signature-256": right.upper()},
        {"X-Hub-Signature-256": f"{right}00"},
        {"X-Hub-Signature-256": signature(body, "another secret")},
        {"X-Hub-Signature-256": signature(body, "")},
        {"X-Hub-Signature-256": sha1},
        {"X-Hub-Signature": sha1},
        {"X-Hub-Signature-256": "sha256=ü"},
    ]
    async with house.web as web:
        for one in wrong:
            sent = {name.encode(): value.encode() for name, value in one.items()}
            answer = await web.post(PATH, content=body, headers=sent)
            assert answer.status_code == 401, one
        assert (await web.post(PATH, content=body + b" ", headers=headers)).status_code == 401
    assert house.inbox.deliveries == 0


async def test_any_script_is_signed_as_it_was_sent(house: House) -> None:
    body = '{"object": "whatsapp_business_account", "entry": [], "x": "שלום 👩‍🚀"}'.encode()
    async with house.web as web:
        answer = await web.post(
            PATH, content=body, headers={"X-Hub-Signature-256": signature(body)}
        )
    assert answer.status_code == 200


@pytest.mark.parametrize("body", [b"[]", b"{", b"\xff", b"", b"[" * 100_000])
async def test_bad_bodies(house: House, body: bytes) -> None:
    async with house.web as web:
        headers = {"X-Hub-Signature-256": signature(body)}
        assert (await web.post(PATH, content=body, headers=headers)).status_code == 400


async def test_what_is_too_long_is_not_read_to_its_end(house: House) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 100_000_000:
            sent += 100_000
            yield b"x" * 100_000

    headers = {"X-Hub-Signature-256": "sha256=00"}
    async with house.web as web:
        announced = {**headers, "content-length": "100000000"}
        assert (await web.post(PATH, content=endless(), headers=announced)).status_code == 413
        assert (await web.post(PATH, content=endless(), headers=headers)).status_code == 413


async def test_what_could_not_be_recorded_is_asked_for_again(house: House) -> None:
    house.inbox.refusals = [StorageError("locked")]
    both = webhook(text("/metrics"), text("/budget", "wamid.8"))
    assert [await house.post(both) for _ in range(2)] == [503, 200]
    assert house.inbox.texts == ["/budget", "/metrics"]
    house.inbox.refusals = [BadInput("never")]
    assert await house.post(webhook(text("/runs", "wamid.9"))) == 200
    assert "/runs" not in house.inbox.texts
