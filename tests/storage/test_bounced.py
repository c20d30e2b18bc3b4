"""A delivery that a platform took and did not deliver fails once, or is queued once more."""

from collections.abc import AsyncIterator

import pytest

from bot.model.delivery import Delivery, DeliveryStatus
from storage.engine import Database
from storage.journal import RunJournal
from storage.outbox import OutboxStore

CARD = Delivery("d1", "w", "", "whatsapp", {"to": "1"}, {"text": "x"})


@pytest.fixture
async def outbox(db: Database) -> AsyncIterator[OutboxStore]:
    journal = RunJournal(db)
    journal.start()
    store = OutboxStore(db, journal)
    await store.add([CARD], "n1", 1)
    yield store
    await journal.close()


async def test_it_fails_once(outbox: OutboxStore) -> None:
    assert await outbox.bounced("w", "d1", "gone", False, "n1") is None, "nothing was sent yet"
    sending = await outbox.intend(CARD, "n1")
    assert sending is not None
    await outbox.sent(sending, {"id": "m1"}, 2)
    assert await outbox.bounced("v", "d1", "gone", False, "n1") is None
    assert await outbox.bounced("w", "d1", "gone", False, "n1") is not None
    assert await outbox.bounced("w", "d1", "gone", False, "n1") is None
    kept = await outbox.get("w", "d1")
    assert kept is not None and (kept.status, kept.error) == (DeliveryStatus.FAILED, "gone")


async def test_it_may_be_sent_in_another_form(outbox: OutboxStore) -> None:
    sending = await outbox.intend(CARD, "n1")
    assert sending is not None
    again = await outbox.bounced("w", "d1", "131047: closed", True, "n2")
    assert again is not None and again.status is DeliveryStatus.QUEUED
    await outbox.sent(sending, {"id": "m1"}, 2)
    once_more = await outbox.intend(again, "n2")
    assert once_more is not None and once_more.error == "131047: closed"
