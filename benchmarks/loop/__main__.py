"""`python -m benchmarks.loop`: policies side by side in a world with hidden truth."""

import argparse
import json
import signal
import sys
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks import doc
from benchmarks.loop import report
from benchmarks.loop.limits import broken
from benchmarks.loop.policies import POLICIES
from benchmarks.loop.side_by_side import Task, played, tasks
from benchmarks.loop.state import State
from benchmarks.loop.tally import Tally
from bot.errors import BadInput
from bot.llm.simulated.reading import load
from bot.llm.simulated.world import World

WORLD = Path(__file__).parent / "world.yml"
_WIDTH = 190


def main(arguments: list[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    console = Console()
    try:
        world, policies = _world(given), _policies(given.policies)
    except BadInput as error:
        Console(stderr=True).print(error.said, style="red", markup=False, soft_wrap=True)
        return 2
    state = State(given.resume, world) if given.resume else None
    wanted = tasks(policies, range(given.first_seed, given.first_seed + given.seeds))
    try:
        found = _with_progress(console, world, wanted, state, given.workers)
    except (KeyboardInterrupt, BrokenProcessPool) as stopped:
        return _stopped(stopped, state)
    made = report.rows(found, policies)
    wide = console if console.width >= _WIDTH else Console(width=_WIDTH)
    wide.print(report.table(made, f"{world.name}: {world.runs:,} runs a seed"))
    if given.markdown:
        print(report.markdown(made))
    if given.doc:
        doc.put_loop(report.section(made, world))
    if given.json:
        given.json.parent.mkdir(parents=True, exist_ok=True)
        given.json.write_text(json.dumps(made, indent=1, allow_nan=False) + "\n", "utf-8")
    faults = broken(made, [said for tally in found for said in tally.jobs_failed])
    for fault in faults if given.check else ():
        console.print(fault, style="red", markup=False)
    return 1 if len(found) < len(wanted) or (given.check and faults) else 0


def _stopped(why: BaseException, state: State | None) -> int:
    """The exit code, once it is said what to do."""
    said = "Stopped."
    if isinstance(why, BrokenProcessPool):
        said = "One of the processes is gone: perhaps the memory was not enough for all of them."
    if state:
        said += f" What is done is kept in {state.folder}: the same command goes on from there."
    else:
        said += " Nothing is kept; with --resume DIR what is done would be."
    Console(stderr=True).print(f"\n{said}", style="red", markup=False, soft_wrap=True)
    return 130 if isinstance(why, KeyboardInterrupt) else 1


def _with_progress(
    console: Console, world: World, wanted: list[Task], state: State | None, workers: int
) -> list[Tally]:
    console.print(f"{len(wanted)} plays of {world.runs:,} requests, {workers} at a time")
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("playing", total=len(wanted))
        fresh = 0

        def done(tally: Tally, known: bool) -> None:
            nonlocal fresh
            fresh += not known
            took = "was done" if known else f"{tally.seconds:.0f} s"
            said = (
                f"{tally.policy}, seed {tally.seed}: success {tally.success:.3f}, "
                f"regret {1000 * tally.regret:.1f}, adopted {len(tally.adopted)} ({took})"
            )
            progress.console.print(said, highlight=False)
            progress.advance(bar)
            left = len(wanted) - int(progress.tasks[0].completed)
            if fresh == 1 and not known and left:
                minutes = tally.seconds * left / max(1, workers) / 60
                progress.console.print(f"about {minutes:.0f} min for the other {left}")

        def broke(task: Task, error: Exception) -> None:
            said = f"{task.policy}, seed {task.seed} broke: {type(error).__name__}: {error}"
            progress.console.print(said, style="red", markup=False, soft_wrap=True)
            progress.advance(bar)

        return played(world, wanted, state, workers, done, broke)


def _world(given: argparse.Namespace) -> World:
    world = load(given.world)
    return replace(world, runs=given.runs) if given.runs else world


def _policies(named: str) -> list[str]:
    wanted = [name.strip() for name in named.split(",") if name.strip()] or list(POLICIES)
    if strange := [name for name in wanted if name not in POLICIES]:
        known = ", ".join(POLICIES)
        raise BadInput(said=f"There is no policy {strange[0]!r}. There are: {known}.")
    return wanted


def _some(given: str) -> int:
    """A whole number from 1 on."""
    if not given.isdecimal() or not int(given):
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 on, not {given!r}")
    return int(given)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.loop", description=__doc__)
    parser.add_argument("--world", type=Path, default=WORLD, help="the world's YAML file")
    parser.add_argument("--seeds", type=_some, default=3, help="how many (default: 3)")
    parser.add_argument("--first-seed", type=int, default=1, help="the first of them (default: 1)")
    parser.add_argument("--json", type=Path, help="writes the rows there")
    parser.add_argument("--doc", action="store_true", help="writes the table into docs")
    parser.add_argument("--markdown", action="store_true", help="prints the table as markdown too")
    parser.add_argument("--policies", default="", help=f"of {', '.join(POLICIES)}; default: all")
    parser.add_argument("--runs", type=_some, default=0, help="instead of what the world says")
    parser.add_argument("--resume", type=Path, help="keeps what is done there, and goes on from it")
    parser.add_argument(
        "--check", action="store_true", help="fails where even luck can't explain the figures"
    )
    parser.add_argument("--workers", type=_some, default=2, help="processes (default: 2)")
    return parser


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # it is ended like by Ctrl-C
    sys.exit(main())
