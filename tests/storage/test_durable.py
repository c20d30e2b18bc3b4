"""The durable engine: once, step by step, through kills and takeovers."""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.clock import SystemClock
from bot.errors import Held, StorageError
from storage.durable import DbosDurable

NODE = Path(__file__).with_name("durable_node.py")


@asynccontextmanager
async def launched(durable: DbosDurable) -> AsyncIterator[DbosDurable]:
    await durable.launch()
    try:
        yield durable
    finally:
        await durable.close()


def _threads() -> int:
    """Without those of asyncio's own executor: how many it starts depends on how busy they are."""
    return sum(not thread.name.startswith("asyncio_") for thread in threading.enumerate())


async def test_the_port_in_one_transcript(tmp_path: Path) -> None:
    durable = DbosDurable(tmp_path, "n1")
    done: list[str] = []
    loops: set[asyncio.AbstractEventLoop] = set()

    async def bake(what: str) -> object:
        loops.add(asyncio.get_running_loop())
        done.append(what)
        return f"{what} baked"

    async def meal(what: str) -> object:
        loops.add(asyncio.get_running_loop())
        first = await durable.step("bake", bake, what)
        await durable.sleep(0.01)
        said = await durable.receive("taste", 10)
        silence = await durable.receive("nothing", 0.01)
        return [first, said, silence]

    async def burnt() -> object:
        raise ValueError("burnt")

    async def tidy() -> object:
        return await durable.step("forget", durable.forget, SystemClock().now() + 60_000)

    durable.register("tidy", tidy)
    durable.register("meal", meal)
    durable.register("burnt", burnt)
    with pytest.raises(StorageError):
        await durable.start("meal", "too-early", "pie")
    before = _threads()
    async with launched(durable):
        await asyncio.gather(*(durable.start("meal", "m1", "pie") for _ in range(5)))
        assert await durable.status("m1") == "pending"
        assert await durable.status("unknown") is None
        with pytest.raises(TimeoutError):
            await durable.result("m1", 0.05)
        await durable.send("m1", "taste", {"salt": 1})
        assert await durable.result("m1", 10) == ["pie baked", {"salt": 1}, None]
        await durable.start("meal", "m1", "pie")
        assert done == ["pie"]
        assert await durable.status("m1") == "done"
        assert await durable.forget(0) == 0
        await durable.start("burnt", "b1")
        with pytest.raises(ValueError, match="burnt"):
            await durable.result("b1", 10)
        assert await durable.status("b1") == "failed"
        await durable.start("tidy", "t1")
        assert await durable.result("t1", 10) == 2
        assert [await durable.status(w) for w in ("m1", "b1", "t1")] == [None, None, "done"]
        with pytest.raises(Held):
            await DbosDurable(tmp_path, "n2").launch()
    assert loops == {asyncio.get_running_loop()}
    assert await asyncio.to_thread(lambda: "the caller's loop keeps its own executor")
    left = [t.name for t in threading.enumerate() if "dbos" in t.name or t.name == "durable"]
    assert left == [] and _threads() <= before


async def test_what_a_stop_interrupts_goes_on_at_the_next_launch(tmp_path: Path) -> None:
    done: list[str] = []
    waiting = asyncio.Event()

    def made() -> DbosDurable:
        durable = DbosDurable(tmp_path, f"node-{len(done)}")

        async def note(what: str) -> object:
            done.append(what)
            return what

        async def work() -> object:
            first = await durable.step("first", note, "first")
            waiting.set()
            go = await durable.receive("go", 60)
            return [first, go, await durable.step("last", note, "last")]

        durable.register("work", work)
        return durable

    async with launched(made()) as durable:
        await durable.start("work", "w1")
        await waiting.wait()
    waiting.clear()
    async with launched(made()) as durable:
        await waiting.wait()
        await durable.send("w1", "go", "now")
        assert await durable.result("w1", 20) == ["first", "now", "last"]
    assert done == ["first", "last"]


async def test_a_node_that_was_declared_dead_goes_on_as_another(
    postgres_url: str, tmp_path: Path
) -> None:
    began: list[asyncio.Event] = [asyncio.Event(), asyncio.Event()]
    durable = DbosDurable(tmp_path, "before", postgres=postgres_url)

    async def work(number: int) -> object:
        began[number].set()
        return await durable.receive("go", 60) if number == 0 else "done"

    durable.register("work", work)
    async with launched(durable):
        await durable.start("work", "w0", 0)
        await began[0].wait()
        await durable.rejoin("after")
        began[0].clear()
        await durable.start("work", "w1", 1)
        assert await durable.result("w1", 10) == "done"
        assert not began[0].is_set()
        assert await durable.take_over("before") == 1
        await began[0].wait()
        await durable.send("w0", "go", "at last")
        assert await durable.result("w0", 10) == "at last"


async def node(*args: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, str(NODE), *args, stdout=asyncio.subprocess.PIPE
    )


async def says(process: asyncio.subprocess.Process) -> str:
    assert process.stdout
    return (await asyncio.wait_for(process.stdout.readline(), 60)).decode().strip()


@pytest.mark.parametrize(
    ("kind", "how"),
    [("sqlite", "resume"), ("postgres", "reaped later"), ("postgres", "dead before the launch")],
)
async def test_killed_in_the_middle_no_finished_step_is_repeated(
    kind: str, how: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue("postgres_url") if kind == "postgres" else ""
    first = await node("one", str(tmp_path), url, "start")
    assert await says(first) == "second began"
    first.kill()
    await first.wait()
    second = await node("two", str(tmp_path), url, how)
    assert await says(second) == "[1, 2, 3]"
    await second.wait()
    lines = (tmp_path / "done").read_text().split()
    assert lines == ["one:1", "one:2-began", "two:2-began", "two:2", "two:3"]


async def test_a_launch_that_is_cut_off_leaves_nothing_behind(tmp_path: Path) -> None:
    """Stopping in the middle of a start: the next start finds the engine free."""
    for moment in range(3):
        durable = DbosDurable(tmp_path, f"n{moment}")
        launching = asyncio.create_task(durable.launch())
        for _ in range(moment):
            await asyncio.sleep(0)
        launching.cancel()
        await asyncio.gather(launching, return_exceptions=True)
        await durable.close()
    last = DbosDurable(tmp_path, "last")
    await last.launch()
    await last.close()
