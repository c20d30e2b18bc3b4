"""Receipts only ever go up, and belong to one workspace and channel."""

from bot.model.receipt import Receipt
from storage.engine import Database
from storage.receipts import ReceiptStore

TAKEN = Receipt("m1", "d1", 0, "accepted", 1)


async def standing(store: ReceiptStore) -> str:
    return (await store.of("w", "whatsapp", "d1"))[0].status


async def test_what_is_late_or_repeated_changes_nothing(db: Database) -> None:
    store = ReceiptStore(db)
    assert await store.put("w", "whatsapp", TAKEN)
    assert not await store.put("w", "whatsapp", TAKEN)
    assert await store.advance("w", "whatsapp", "m1", "sent", 2)
    failed = await store.advance("w", "whatsapp", "m1", "failed", 3, "gone")
    assert failed == Receipt("m1", "d1", 0, "failed", 3, "gone")
    assert not await store.advance("w", "whatsapp", "m1", "sent", 4)
    assert await store.advance("w", "whatsapp", "m1", "delivered", 5)
    assert not await store.advance("w", "whatsapp", "m1", "failed", 6, "late")
    assert not await store.put("w", "whatsapp", TAKEN)
    assert await store.advance("w", "whatsapp", "m1", "read", 7)
    assert await standing(store) == "read"
    assert (await store.of("w", "whatsapp", "d1"))[0].error == ""


async def test_what_is_unknown_is_not_advanced(db: Database) -> None:
    store = ReceiptStore(db)
    await store.put("w", "whatsapp", TAKEN)
    assert await store.advance("v", "whatsapp", "m1", "read", 2) is None
    assert await store.advance("w", "telegram", "m1", "read", 2) is None
    assert await store.advance("w", "whatsapp", "m2", "read", 2) is None
    assert await store.of("v", "whatsapp", "d1") == {}
    assert await standing(store) == "accepted"


async def test_of_several_messages_for_one_part_the_best_counts(db: Database) -> None:
    store = ReceiptStore(db)
    await store.put("w", "whatsapp", Receipt("m2", "d1", 0, "delivered", 1))
    await store.put("w", "whatsapp", Receipt("m1", "d1", 0, "failed", 2, "gone"))
    await store.put("w", "whatsapp", Receipt("m3", "d1", 1, "sent", 3))
    found = await store.of("w", "whatsapp", "d1")
    assert {part: one.message_id for part, one in found.items()} == {0: "m2", 1: "m3"}
