"""Slots for what may run at a time: bounded, in order, and none is ever lost."""

import asyncio

import pytest

from bot.agents.slots import Slots


async def test_the_first_accepted_goes_first_whenever_it_arrived() -> None:
    slots, seen, gate = Slots(1), list[str](), asyncio.Event()

    async def work(run_id: str) -> None:
        async with slots.taken(run_id):
            await gate.wait()
            seen.append(run_id)

    tasks = []
    for run_id in ("r0", "r3", "r1", "r2"):
        tasks.append(asyncio.create_task(work(run_id)))
        await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(*tasks)
    assert seen == ["r0", "r1", "r2", "r3"]


@pytest.mark.parametrize("ticks", range(6))
async def test_a_cancelled_waiter_takes_no_slot_along(ticks: int) -> None:
    slots, gate = Slots(1), asyncio.Event()

    async def work(run_id: str) -> None:
        async with slots.taken(run_id):
            await gate.wait()

    tasks = [asyncio.create_task(work(f"r{n}")) for n in range(3)]
    await asyncio.sleep(0)
    gate.set()
    for _ in range(ticks):
        await asyncio.sleep(0)
    tasks[1].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    async with asyncio.timeout(5), slots.taken("r9"):
        assert not tasks[2].cancelled()
