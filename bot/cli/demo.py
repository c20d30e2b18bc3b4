"""`ratchet demo`: a simulated team plays weeks in a minute; nothing leaves the machine."""

import asyncio
import importlib.util
import json
import logging
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import structlog
from rich.console import Console
from rich.live import Live

from bot import notice
from bot.clock import SystemClock
from bot.demo import ending, live, picture
from bot.demo.calendar import Calendar, planned
from bot.demo.lines import Lines
from bot.demo.player import Player
from bot.demo.result import Result, as_json, sentence
from bot.demo.screen import Screen
from bot.demo.side import Side, side
from bot.demo.steps import ratcheted, waiting
from bot.demo.weeks import Week, weeks
from bot.errors import BadInput
from bot.llm.simulated.reading import load
from bot.lock import make_home

_WORLD = Path(__file__).parent.parent / "demo" / "world.yml"
_WITHOUT = "without-the-loop"
_PICTURE = "ratchet-demo.png"
_NOTICE = "Simulated team"
_WISHES = 6
_IN_MEMORY, _ROOM = Path("/dev") / "shm", 500_000_000


@dataclass(frozen=True, slots=True)
class Options:
    """`requests` 0: as many as fit into `seconds`."""

    seed: int
    weeks: int
    seconds: float
    requests: int
    keep: Path | None
    picture: Path
    plain: bool
    json: bool


def run(
    seed: int,
    weeks: int,
    seconds: float,
    requests: int,
    keep: str,
    shown: str,
    plain: bool,
    as_json: bool,
) -> int:
    """What was typed; "" where nothing was."""
    kept = Path(keep) if keep else None
    drawn = Path(shown) if shown else (kept or Path(tempfile.gettempdir())) / _PICTURE
    return demo(Options(seed, weeks, seconds, requests, kept, drawn, plain, as_json))


def demo(options: Options) -> int:
    """Exit code 130 where it was interrupted."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    console = Console(stderr=options.json, highlight=False)
    try:
        with _folder(options.keep) as home, asyncio.Runner(loop_factory=_loops()) as runner:
            result = runner.run(_demo(options, home, console))
    except KeyboardInterrupt:
        console.print("\nStopped. Nothing is left behind.")
        return 130
    said = f"Simulated team, seed {options.seed}. {sentence(result)}"
    picture.draw(options.picture, result.weeks, result.steps, result.calendar, said)
    ending.show(console, result)
    if options.json:
        print(json.dumps(as_json(result)))
    return 0


async def _demo(options: Options, home: Path, console: Console) -> Result:
    wall, world = SystemClock(), load(_WORLD)
    calendar = planned(wall.now(), options.weeks, options.seconds, options.requests)
    every = max(10, calendar.requests // _WISHES)
    world = replace(world, runs=calendar.requests, changes=replace(world.changes, every=every))
    _greet(console, calendar, options)
    begun = wall.monotonic()
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        learns = await enter(side(world, options.seed, home, calendar.begins, True))
        stays = await enter(side(world, options.seed, home / _WITHOUT, calendar.begins, False))
        lively = console.is_terminal and not options.plain and not console.is_dumb_terminal
        with _screen(console, options.weeks, lively) as screen:
            player = Player(
                learns,
                stays,
                calendar,
                screen,
                wall,
                options.seconds,
                adapts=not options.requests,
                paced=lively,
                every=every,
            )
            await player.play()
        result = Result(
            seed=options.seed,
            calendar=calendar,
            requests=player.asked,
            slowed=player.asked < calendar.requests,
            seconds=wall.monotonic() - begun,
            weeks=await _both(learns, stays, calendar),
            steps=await ratcheted(learns.app.services),
            waiting=await waiting(learns.app.services),
            picture=str(options.picture.resolve()),
            home=str(options.keep.resolve()) if options.keep else "",
        )
    return result


async def _both(learns: Side, stays: Side, calendar: Calendar) -> list[tuple[Week, Week]]:
    one = await weeks(learns.app.services, calendar)
    other = await weeks(stays.app.services, calendar)
    return list(zip(one, other, strict=True))


def _greet(console: Console, calendar: Calendar, options: Options) -> None:
    console.print(
        "Ratchet demo. Everything here is SIMULATED: six members, an owner, their model, their "
        "calendar. Ratchet itself is real, and so is its database: what you see is read from it.",
        style="bold",
    )
    takes = "" if options.requests else f" That takes about {options.seconds:.0f} seconds."
    console.print(
        f"The same team works {options.weeks} weeks twice. Once with the loop: what people say is "
        "proposed, rehearsed on old requests, approved, tried on half of the conversations, and "
        "kept or taken back. Once without it, with the same questions. About "
        f"{calendar.requests:,} requests each.{takes} Ctrl-C ends it.\n"
    )


@contextmanager
def _screen(console: Console, count: int, lively: bool) -> Iterator[Screen]:
    if not lively:
        yield Lines(lambda said: console.print(said, soft_wrap=True, markup=False))
        return
    with Live(console=console, refresh_per_second=4, transient=True) as shown:
        yield live.Screen(console, shown, count)


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    """One that is gone at the end. What comes to its end is copied to where it is kept."""
    if keep and keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
        raise BadInput(said=f"{keep} is there already. Name a new folder, or an empty one.")
    with tempfile.TemporaryDirectory(prefix="ratchet-demo-", dir=_memory()) as made:
        yield Path(made)
        if keep:
            make_home(keep)
            shutil.copytree(made, keep, ignore=shutil.ignore_patterns("lock*"), dirs_exist_ok=True)
            for home in (keep, keep / _WITHOUT):
                notice.put(home, _NOTICE)


def _memory() -> str | None:
    """A folder in memory, where there is one with room: what is thrown away needs no disk."""
    if not _IN_MEMORY.is_dir() or shutil.disk_usage(_IN_MEMORY).free < _ROOM:
        return None
    return str(_IN_MEMORY)


def _loops() -> Callable[[], asyncio.AbstractEventLoop]:
    if importlib.util.find_spec("uvloop") is None:
        return asyncio.new_event_loop
    made: Callable[[], asyncio.AbstractEventLoop] = importlib.import_module("uvloop").new_event_loop
    return made
