"""All seeds under all policies, a few at a time, each in a process of its own."""

import asyncio
import gc
import importlib.util
import logging
import multiprocessing
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from benchmarks.loop import inline
from benchmarks.loop.play import play
from benchmarks.loop.policies import POLICIES
from benchmarks.loop.state import State
from benchmarks.loop.tally import Tally
from bot.llm.simulated.world import World

_IN_MEMORY = Path("/dev") / "shm"
"""Nothing of a play is worth a disk's time."""


@dataclass(frozen=True, slots=True)
class Task:
    policy: str
    seed: int


def tasks(policies: Sequence[str], seeds: Sequence[int]) -> list[Task]:
    """Seed by seed, so that what is done after half of the time compares all policies."""
    return [Task(policy, seed) for seed in seeds for policy in policies]


def played(
    world: World,
    wanted: Sequence[Task],
    state: State | None,
    workers: int,
    done: Callable[[Tally, bool], None],
) -> list[Tally]:
    """`done` hears of each, and whether it was known already."""
    found: list[Tally] = []
    left: list[Task] = []
    for task in wanted:
        known = state.load(task.policy, task.seed) if state else None
        if known is None:
            left.append(task)
        else:
            found.append(known)
            done(known, True)
    for tally in _fresh(world, left, workers):
        if state:
            state.keep(tally)
        found.append(tally)
        done(tally, False)
    return found


def _fresh(world: World, left: Sequence[Task], workers: int) -> Iterator[Tally]:
    if workers < 2:
        for task in left:
            yield one(world, task)
        return
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=fresh, initializer=_quiet) as pool:
        going = [pool.submit(one, world, task) for task in left]
        try:
            for future in as_completed(going):
                yield future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def one(world: World, task: Task) -> Tally:
    """In this process."""
    _quiet()
    with _folder() as home, asyncio.Runner(loop_factory=_loops()) as runner:
        return runner.run(play(world, task.seed, POLICIES[task.policy], home, serve=inline.near))


_OBJECTS_BETWEEN_COLLECTIONS = 200_000


def _quiet() -> None:
    """What the product logs would be longer than what it does, and looking through all modules for
    garbage takes a fifth of a play."""
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, 50, 50)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    inline.install()


def _loops() -> Callable[[], asyncio.AbstractEventLoop]:
    if importlib.util.find_spec("uvloop") is None:
        return asyncio.new_event_loop
    made: Callable[[], asyncio.AbstractEventLoop] = importlib.import_module("uvloop").new_event_loop
    return made


@contextmanager
def _folder() -> Iterator[Path]:
    base = _IN_MEMORY if _IN_MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="ratchet-loop-", dir=base) as made:
        yield Path(made)
