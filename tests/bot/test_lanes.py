"""Order within a conversation, freedom between them."""

import asyncio

from bot.lanes import Lanes


async def test_a_conversation_keeps_its_order_and_delays_no_other() -> None:
    lanes, seen, stuck = Lanes(), list[str](), asyncio.Event()

    async def wait() -> None:
        await stuck.wait()
        seen.append("a1")

    async def note(what: str) -> None:
        seen.append(what)

    lanes.put("a", "r1", wait)
    lanes.put("a", "r2", lambda: note("a2"))
    lanes.put("b", "r3", lambda: note("b1"))
    assert not lanes.free("a")
    while not lanes.free("b"):
        await asyncio.sleep(0)
    assert seen == ["b1"]
    stuck.set()
    await lanes.drain(5)
    assert seen == ["b1", "a1", "a2"] and lanes.free("a")


async def test_cancelling_one_lets_the_next_go_on() -> None:
    lanes, seen = Lanes(), list[str]()

    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            seen.append("cancelled")

    async def note() -> None:
        seen.append("next")

    lanes.put("a", "r1", hang)
    lanes.put("a", "r2", note)
    while not lanes.cancel("r1"):
        await asyncio.sleep(0)
    await lanes.drain(5)
    assert seen == ["cancelled", "next"]
    assert not lanes.cancel("r1")


async def test_what_may_overtake_does() -> None:
    lanes, seen, stuck = Lanes(), list[str](), asyncio.Event()

    async def wait() -> None:
        await stuck.wait()

    async def overtake() -> None:
        seen.append("now")
        stuck.set()

    lanes.put("a", "r1", wait)
    lanes.at_once("r2", overtake)
    await lanes.drain(5)
    assert seen == ["now"]
