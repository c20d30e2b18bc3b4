"""`python -m benchmarks.traces`: what the product's miner and replays make of real agents' traces."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.traces.statistics import within
from benchmarks.traces.table import Trace, convert, read
from bot.improve.patterns import Pattern, mine
from bot.improve.walks import Walk
from bot.model.stats import wilson

TABLE = Path(__file__).parent / "airline.csv"
_NOTES = (
    "Derived from tau-bench's historical_trajectories (sierra-research/tau-bench, MIT licence,",
    "Copyright (c) 2024 Sierra): task, trial, reward and the sequence of tool calls. No texts.",
)
_AGENT = "airline"
_SHOWN = 15


def walks(traces: Sequence[Trace]) -> list[Walk]:
    """Each try as a run: a conversation of its own, by the customer of its task."""
    return [
        Walk(
            run_id=f"{one.task}.{one.trial}",
            agent=_AGENT,
            conversation=f"{one.task}.{one.trial}",
            person=one.user,
            path=one.path,
            y=one.reward,
            at=number,
        )
        for number, one in enumerate(traces)
    ]


def main(arguments: list[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    console = Console()
    if given.convert:
        made = convert(given.convert, given.table, _NOTES)
        console.print(f"{made} traces written to {given.table}")
    traces = read(given.table)
    good = sum(one.reward for one in traces)
    low, high = wilson(good, len(traces))
    console.print(
        f"{len(traces)} traces of {len({t.task for t in traces})} tasks; success "
        f"{good / max(1, len(traces)):.2f} ({low:.2f} to {high:.2f})"
    )
    console.print(_patterns(mine(walks(traces))))
    console.print(_replays(traces))
    return 0


def _patterns(found: Sequence[Pattern]) -> Table:
    shown = Table(title=f"{len(found)} patterns, the strongest {min(len(found), _SHOWN)}")
    for name in ("steps", "strength", "runs", "people", "success", "runbook"):
        shown.add_column(name)
    for one in found[:_SHOWN]:
        success = f"{one.success:.2f} ({one.low:.2f} to {one.high:.2f})" if one.scored else "-"
        steps = " > ".join(step.partition(":")[2] for step in one.steps)
        cells = (steps, one.strength.value, str(one.runs), str(one.people), success)
        shown.add_row(*cells, "yes" if one.runbook else "")
    return shown


def _replays(traces: Sequence[Trace]) -> str:
    found = within(traces)
    if found is None:
        return "No task was tried twice: nothing can be said of replays."
    return (
        f"{found.tasks} tasks tried more than once, success {found.success:.2f}: two tries at the "
        f"same task correlate by {found.correlation:.2f}. To see a difference of .10 a replay needs "
        f"{found.pairs} pairs, where unpaired it would take {found.unpaired} requests on each side."
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.traces", description=__doc__)
    parser.add_argument("--table", type=Path, default=TABLE, help="the derived CSV")
    parser.add_argument(
        "--convert", type=Path, help="a results file of tau-bench to make the CSV from, first"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
