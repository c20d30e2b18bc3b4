"""Subscriptions: one per person, place and cadence; settled by one."""

import asyncio
from dataclasses import replace

from bot.model.subscription import Subscription
from storage.engine import Database
from storage.subscriptions import SubscriptionStore

ONE = Subscription(
    "w",
    "p1",
    "slack",
    "C1",
    "weekly",
    {"channel": "C1"},
    weekday=4,
    hour=16,
    zone="Europe/Berlin",
    always=True,
    created_at=5,
)


async def test_asked_for_again_is_changed_and_keeps_what_was_sent(db: Database) -> None:
    store = SubscriptionStore(db)
    await store.put(ONE)
    assert await store.all("w") == [ONE]
    assert await store.settle(ONE, 100)
    changed = replace(ONE, hour=8, zone="UTC", always=False, created_at=200)
    await store.put(changed)
    assert await store.all("w") == [replace(changed, sent_at=100)]


async def test_of_two_who_settle_one_does(db: Database) -> None:
    store = SubscriptionStore(db)
    await store.put(ONE)
    assert sorted(await asyncio.gather(*(store.settle(ONE, 100) for _ in range(4)))) == [
        False,
        False,
        False,
        True,
    ]


async def test_they_are_found_by_person_and_place_in_their_workspace(db: Database) -> None:
    store = SubscriptionStore(db)
    others = (
        replace(ONE, person="p2", created_at=6),
        replace(ONE, place="C2", created_at=7),
        replace(ONE, cadence="daily", created_at=8),
    )
    for one in (ONE, *others, replace(ONE, workspace="other")):
        await store.put(one)
    assert await store.of_person("w", "p1") == [ONE, *others[1:]]
    assert await store.at_place("w", "slack", "C1") == [ONE, others[0], others[2]]
    assert await store.end(ONE) and not await store.end(ONE)
    assert await store.of_person("w", "p1") == list(others[1:])
    assert len(await store.all("other")) == 1
