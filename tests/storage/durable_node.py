"""A node in a process of its own, for tests that kill it in the middle of a workflow."""

import asyncio
import sys
from pathlib import Path

from storage.durable import DbosDurable


async def main(name: str, home: Path, url: str, does: str) -> None:

    async def standing() -> set[str]:
        return {"one", "two"} if "reaped" in does else {"two"}

    durable = DbosDurable(home, name, postgres=url, standing=standing)
    log = home / "done"

    def note(line: str) -> None:
        with log.open("a") as file:
            file.write(f"{name}:{line}\n")

    async def quick(number: int) -> object:
        note(str(number))
        return number

    async def second() -> object:
        note("2-began")
        if name == "one":
            print("second began", flush=True)
            await asyncio.Event().wait()
        return await quick(2)

    async def work() -> object:
        return [
            await durable.step("one", quick, 1),
            await durable.step("two", second),
            await durable.step("three", quick, 3),
        ]

    durable.register("work", work)
    await durable.launch()
    if does == "start":
        await durable.start("work", "w")
    elif "reaped" in does and url:
        assert await durable.take_over("one") == 1
        assert await durable.take_over("one") == 0
    print(await durable.result("w", 60), flush=True)
    await durable.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], sys.argv[4]))
