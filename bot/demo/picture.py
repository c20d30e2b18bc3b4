"""A picture of the weeks: success, cost and latency, with the loop and without; drawn without a display."""

import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bot.demo.calendar import Calendar
from bot.demo.steps import Ratcheted
from bot.demo.weeks import Week
from bot.model.stats import wilson
from bot.pictures import sheet

_GREEN, _GREY, _BAND, _INK, _FAINT, _RED = (
    "#2f8f5b",
    "#7d8791",
    "#cfe8da",
    "#1d2733",
    "#5d6873",
    "#b3403a",
)
_TEXT, _SMALL = 10.5, 9

Pairs = Sequence[tuple[Week, Week]]


def draw(
    path: Path, weeks: Pairs, steps: Sequence[Ratcheted], calendar: Calendar, said: str
) -> None:
    """Writes a PNG. `said` stands below it."""
    figure = sheet(7.6, 8.2, 150)
    figure.suptitle(
        "Ratchet demo: a simulated team", x=0.01, ha="left", fontweight="bold", color=_INK
    )
    upper, middle, lower = figure.subplots(3, 1, gridspec_kw={"height_ratios": (2.4, 1, 1)})
    _success(upper, weeks)
    _marks(upper, steps, calendar)
    _lines(middle, weeks, "Cost of 1,000 answers, US dollars", _thousand)
    _lines(lower, weeks, "Time to an answer (median), seconds", _seconds)
    for axes in (upper, middle, lower):
        _plain(axes, len(weeks))
    figure.supxlabel(textwrap.fill(said, 105), fontsize=_SMALL, color=_FAINT, x=0.01, ha="left")
    figure.savefig(path, format="png")


def _thousand(week: Week) -> float | None:
    return None if week.cost is None else week.cost * 1000


def _seconds(week: Week) -> float | None:
    return None if week.p50 is None else week.p50 / 1000


def _success(axes: Any, weeks: Pairs) -> None:
    at = range(1, len(weeks) + 1)
    bands = [wilson(pair[0].totals.good, pair[0].totals.scored) for pair in weeks]
    axes.fill_between(at, [b[0] for b in bands], [b[1] for b in bands], color=_BAND, linewidth=0)
    _lines(axes, weeks, "Good answers, with 95% interval", lambda week: week.success)
    axes.set_ylim(0, 1)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0%", "25%", "50%", "75%", "100%"])
    axes.legend(loc="lower right", frameon=False, fontsize=_SMALL)


def _lines(axes: Any, weeks: Pairs, title: str, of: Callable[[Week], float | None]) -> None:
    at = range(1, len(weeks) + 1)
    for side, name, color, style in (
        (1, "without the loop", _GREY, "--"),
        (0, "with the loop", _GREEN, "-"),
    ):
        values = [
            value if (value := of(pair[side])) is not None else float("nan") for pair in weeks
        ]
        axes.plot(at, values, style, color=color, label=name, marker="o", markersize=4)
    axes.set_title(title, fontsize=_TEXT, loc="left", color=_INK)
    most = max((value for pair in weeks for week in pair if (value := of(week))), default=1.0)
    axes.set_ylim(0, most * 1.15)


def _marks(axes: Any, steps: Sequence[Ratcheted], calendar: Calendar) -> None:
    """A line where a change came to stay or went back."""
    length = calendar.edges[1] - calendar.edges[0]
    ended = [step for step in steps if step.end in ("stays", "went back")]
    for number, step in enumerate(ended):
        at = (step.decided_at - calendar.begins) / length + 0.5
        color = _GREEN if step.end == "stays" else _RED
        axes.axvline(at, color=color, linewidth=1, linestyle=":")
        sign = "stays" if step.end == "stays" else "goes back"
        axes.annotate(
            f"{step.ref} {sign}",
            (at, 0.03 + 0.08 * (number % 4)),
            xytext=(3, 0),
            textcoords="offset points",
            fontsize=_SMALL,
            color=color,
        )


def _plain(axes: Any, weeks: int) -> None:
    axes.set_xlim(0.7, weeks + 0.7)
    axes.set_xticks(range(1, weeks + 1), [f"week {n}" for n in range(1, weeks + 1)])
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(labelsize=_SMALL, colors=_FAINT)
