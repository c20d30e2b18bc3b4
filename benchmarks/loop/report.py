"""From the tallies of all seeds to a row for each policy, with standard errors."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, stdev
from typing import Any

from rich.table import Table

from benchmarks.loop.tally import Adopted, Tally
from bot.llm.simulated.changes import Class
from bot.llm.simulated.world import World

_GOOD = Class.GOOD.value


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure and its standard error over seeds; None where there is nothing to make it from."""

    value: float | None
    error: float | None = None


Row = dict[str, Any]


def rows(tallies: Sequence[Tally], policies: Sequence[str]) -> list[Row]:
    """In the order of the policies; those without a finished seed are left out."""
    found = []
    for policy in policies:
        of = sorted((t for t in tallies if t.policy == policy), key=lambda t: t.seed)
        if of:
            found.append(_row(policy, of))
    return found


def _row(policy: str, of: Sequence[Tally]) -> Row:
    figures = {
        "success": _mean(of, lambda t: t.success),
        "regret_per_1000": _mean(of, lambda t: 1000 * t.regret),
        "false_promotions_per_20": _mean(of, lambda t: _per_20(t, len(_false(t)))),
        "harmful_promotions_per_20": _mean(of, lambda t: _per_20(t, len(_harmful(t)))),
        "fdr": _ratio(of, lambda t: len(_false(t)), lambda t: len(t.adopted)),
        "adopted_good": _ratio(of, lambda t: len(_good(t)), lambda t: t.proposed[_GOOD]),
        "cost": _mean(of, lambda t: t.cost),
        "cost_per_success": _mean_of([1000 * t.usd / t.success / t.runs for t in of if t.success]),
        "loop_cost": _mean_of([(t.spent_usd - t.usd) / t.usd for t in of if t.usd]),
        "detection_delay": _mean_of([d for t in of for d in t.delays if d is not None]),
        "detected": _mean_of([float(d is not None) for t in of for d in t.delays]),
        "false_alarms_per_1000": _mean(of, _false_alarms),
    }
    row: Row = {"policy": policy, "seeds": len(of), "runs": sum(t.runs for t in of)}
    for name, figure in figures.items():
        row[name], row[f"{name}_se"] = _rounded(figure.value), _rounded(figure.error)
    return row


def _false(tally: Tally) -> list[Adopted]:
    return [one for one in tally.adopted if one.kind != _GOOD]


def _harmful(tally: Tally) -> list[Adopted]:
    return [one for one in tally.adopted if one.kind == Class.HARMFUL.value]


def _good(tally: Tally) -> list[Adopted]:
    return [one for one in tally.adopted if one.kind == _GOOD]


def _per_20(tally: Tally, count: int) -> float:
    return 20 * count / max(1, sum(tally.proposed.values()))


def _false_alarms(tally: Tally) -> float:
    return 1000 * sum(not right for _, right in tally.alarms) / max(1, tally.runs)


def _mean(of: Sequence[Tally], figure: Callable[[Tally], float]) -> Figure:
    return _mean_of([figure(tally) for tally in of])


def _mean_of(values: Sequence[float]) -> Figure:
    if not values:
        return Figure(None)
    return Figure(fmean(values), stdev(values) / sqrt(len(values)) if len(values) > 1 else None)


def _ratio(
    of: Sequence[Tally], above: Callable[[Tally], int], below: Callable[[Tally], int]
) -> Figure:
    """A ratio of sums over seeds: one seed alone may have nothing below the line. Its standard
    error is that of the linearised ratio."""
    sums = sum(map(above, of)), sum(map(below, of))
    if not sums[1]:
        return Figure(None)
    ratio = sums[0] / sums[1]
    if len(of) < 2:
        return Figure(ratio)
    residuals = [above(t) - ratio * below(t) for t in of]
    return Figure(ratio, stdev(residuals) * sqrt(len(of)) / sums[1])


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 5)


_SHOWN = (
    ("success", "success", "{:.3f}"),
    ("regret_per_1000", "regret/1000", "{:.1f}"),
    ("false_promotions_per_20", "false/20", "{:.2f}"),
    ("harmful_promotions_per_20", "harmful/20", "{:.2f}"),
    ("fdr", "FDR", "{:.2f}"),
    ("adopted_good", "good adopted", "{:.0%}"),
    ("cost", "cost", "{:.2f}"),
    ("cost_per_success", "$/1000 good", "{:.3f}"),
    ("detection_delay", "detected after", "{:.0f}"),
    ("false_alarms_per_1000", "false alarms/1000", "{:.2f}"),
)


def table(made: Sequence[Row], title: str) -> Table:
    """For people: each figure ± its standard error."""
    shown = Table(title=title)
    shown.add_column("policy")
    shown.add_column("seeds", justify="right")
    for _, label, _ in _SHOWN:
        shown.add_column(label, justify="right", no_wrap=True)
    for row in made:
        cells = [_cell(row[name], row[f"{name}_se"], form) for name, _, form in _SHOWN]
        shown.add_row(row["policy"], str(row["seeds"]), *cells)
    return shown


def markdown(made: Sequence[Row]) -> str:
    """The same for docs."""
    lines = [
        "| policy | " + " | ".join(label for _, label, _ in _SHOWN) + " |",
        "|---|" + "---|" * len(_SHOWN),
    ]
    for row in made:
        cells = [_cell(row[name], row[f"{name}_se"], form) for name, _, form in _SHOWN]
        lines.append(f"| {row['policy']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


_SECTION = """`make bench-loop-long` made this table: {plays}, through the whole product, in the world of
[world.yml](../benchmarks/loop/world.yml), whose truth the product can't see.
[Its page](../benchmarks/loop/README.md) says what each policy does and what each figure means. Figures are
means over seeds ± their standard errors. The targets are those of *balanced*: regret at most 40 at an
FDR of at most .07. Accepting on replay alone has less regret, and most of what it accepts is useless:
that is what "lower regret at equal FDR" is about.

{table}

{reached}
"""


def section(made: Sequence[Row], world: World) -> str:
    """The part of docs/benchmarks.md that is about the loop."""
    seeds = max((row["seeds"] for row in made), default=0)
    plays = f"{seeds} seeds of {world.runs:,} requests and {world.proposals} proposals each"
    return _SECTION.format(plays=plays, table=markdown(made), reached=_reached(made))


def _reached(made: Sequence[Row]) -> str:
    """Each target beside what was measured."""
    row = next((row for row in made if row["policy"] == "balanced"), None)
    if row is None:
        return ""
    lines = ["| target, balanced | measured | reached |", "|---|---|---|"]
    for name, said, most in (("regret_per_1000", "regret ≤ 40", 40), ("fdr", "FDR ≤ .07", 0.07)):
        value, form = row[name], "{:.1f}" if name == "regret_per_1000" else "{:.3f}"
        mark = "yes" if value is not None and value <= most else "**no**"
        lines.append(f"| {said} | {_cell(value, row[f'{name}_se'], form)} | {mark} |")
    return "\n".join(lines)


def _cell(value: float | None, error: float | None, form: str) -> str:
    if value is None:
        return "-"
    return form.format(value) + (f" ± {form.format(error)}" if error is not None else "")
