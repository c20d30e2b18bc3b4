"""All seeds under all policies, a few at a time, each in a process of its own."""

import asyncio
import gc
import importlib.util
import logging
import multiprocessing
import os
import signal
import tempfile
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
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
    broke: Callable[[Task, Exception], None],
) -> list[Tally]:
    """`done` hears of each play, and whether it was known already; `broke` of those that fail, which
    stop no other. Raises BrokenProcessPool where a process is gone, and leaves none behind."""
    found: list[Tally] = []
    left: list[Task] = []
    for task in wanted:
        known = state.load(task.policy, task.seed) if state else None
        if known is None:
            left.append(task)
        else:
            found.append(known)
            done(known, True)
    with closing(_fresh(world, left, workers)) as fresh:
        for task, result in fresh:
            try:
                tally = result()
            except BrokenProcessPool:
                raise
            except Exception as error:  # whatever it is: the other plays are worth having
                broke(task, error)
                continue
            if state:
                state.keep(tally)
            found.append(tally)
            done(tally, False)
    return found


def _fresh(
    world: World, left: Sequence[Task], workers: int
) -> Generator[tuple[Task, Callable[[], Tally]]]:
    if workers < 2:
        for task in left:
            yield task, partial(one, world, task)
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_begun)
    try:
        going = {pool.submit(one, world, task): task for task in left}
        for future in as_completed(going):
            yield going[future], future.result
    except BaseException:
        # Whoever is interrupted doesn't wait for plays of a minute.
        for worker in multiprocessing.active_children():
            worker.kill()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _begun() -> None:
    """In a new process. Whoever interrupts means all of it, and the first one ends the others;
    where that one is killed, they end by themselves."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os._exit(1)


def one(world: World, task: Task) -> Tally:
    """In this process."""
    with (
        _quiet(),
        inline.installed(),
        _folder() as home,
        asyncio.Runner(loop_factory=_loops()) as runner,
    ):
        return runner.run(play(world, task.seed, POLICIES[task.policy], home, serve=inline.near))


_OBJECTS_BETWEEN_COLLECTIONS = 200_000


@contextmanager
def _quiet() -> Iterator[None]:
    """What the product logs would be longer than what it does, and looking through all modules for
    garbage takes a fifth of a play."""
    logs, often = structlog.get_config(), gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, 50, 50)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    try:
        yield
    finally:
        structlog.configure(**logs)
        gc.set_threshold(*often)
        gc.unfreeze()


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
