"""No more bytes are in memory than there is room for, and whoever waits gets in, in order."""

import asyncio

from bot.files.room import Room


async def test_whoever_needs_more_than_is_free_waits_in_order() -> None:
    room, inside, let_go = Room(10), list[str](), asyncio.Event()

    async def come(name: str, size: int) -> None:
        async with room.holding(size):
            inside.append(name)
            await let_go.wait()

    first = [asyncio.create_task(come(n, s)) for n, s in (("a", 6), ("b", 8), ("c", 1))]
    await asyncio.sleep(0)
    assert inside == ["a"]
    first[1].cancel()
    await asyncio.gather(first[1], return_exceptions=True)
    await asyncio.sleep(0)
    assert inside == ["a", "c"]
    huge = asyncio.create_task(come("huge", 99))
    await asyncio.sleep(0)
    assert "huge" not in inside
    let_go.set()
    await asyncio.wait_for(asyncio.gather(first[0], first[2], huge), 5)
    async with asyncio.timeout(5), room.holding(10):
        inside.append("all of it")


async def test_whoever_leaves_as_it_is_given_room_takes_none_along() -> None:
    room = Room(10)
    held = room.holding(10)
    await held.__aenter__()

    async def come() -> None:
        async with room.holding(10):
            raise AssertionError("it had left")

    waiting = [asyncio.create_task(come()) for _ in range(2)]
    await asyncio.sleep(0)
    waiting[0].cancel()  # it hasn't run since: it still stands in the queue
    await held.__aexit__(None, None, None)
    waiting[1].cancel()  # it has been given room, and hasn't run since
    await asyncio.gather(*waiting, return_exceptions=True)
    assert all(task.cancelled() for task in waiting)
    async with asyncio.timeout(5), room.holding(10):
        pass
