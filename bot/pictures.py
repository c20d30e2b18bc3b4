"""Pictures of numbers, drawn without a display and away from the event loop, for a phone's width."""

import asyncio
import io
from collections.abc import Callable, Sequence
from datetime import datetime
from importlib import import_module
from typing import Any

from bot.model.stats import wilson
from bot.model.subscription import zone_of
from bot.model.words import one_line, usd
from bot.numbers import success
from bot.ports.stores import Bucket, Span

_MOST = 12
_NAME, _LONGEST = 18, 36
BLUE, BAND, GREY, GREEN = "#1f5fa8", "#c9dcf0", "#9aa3ad", "#2f8f5b"
RED = "#b3402e"
_LEAST, _RICHEST = 0.01, 20_000.0
_INK, FAINT = "#1d2733", "#5d6873"
SMALL, _TEXT, _TITLE = 9, 10.5, 13
_WIDTH = 4.6  # inches, at 200 dots each: what a phone shows without zooming

Marks = Sequence[tuple[int, str]]
"""(ms, what came into use then)."""
Panel = Callable[[Any], None]


async def of_days(title: str, spans: Sequence[Span], marks: Marks = (), zone: str = "UTC") -> bytes:
    """A PNG: success with its interval, runs and dollars by span, and what came into use when."""
    days = _Days(list(spans), list(marks), zone)
    panels = ((1.7, days.success), (1.0, days.runs), (1.0, days.dollars))
    return await asyncio.to_thread(draw, title, panels)


async def of_versions(
    title: str, buckets: Sequence[Bucket], spans: Sequence[Span], zone: str = "UTC"
) -> bytes:
    """A PNG: success by agent version with its interval; where there are spans, runs and dollars too."""
    days = _Days(list(spans), [], zone)
    shown = [b for b in buckets if b.scored][:_MOST]
    upper = 0.7 + 0.25 * max(len(shown), 1)
    panels: list[tuple[float, Panel]] = [(upper, lambda axes: _versions(axes, shown))]
    if spans:
        panels += [(1.0, days.runs), (1.0, days.dollars)]
    return await asyncio.to_thread(draw, title, panels)


async def of_wealth(
    title: str, path: Sequence[Sequence[float]], promote: float, roll_back: float
) -> bytes:
    """A PNG: what the bets on better and on worse have come to after so many runs, with the lines
    at which a trial ends. `path` holds (runs, up, down), `promote` and `roll_back` are wealths."""
    panel: tuple[float, Panel] = (2.2, lambda axes: _wealth(axes, path, promote, roll_back))
    return await asyncio.to_thread(draw, title, (panel,))


def sheet(width: float, height: float, dpi: int) -> Any:
    """An empty figure, in inches."""
    # 50 MB and most of a second: loaded when the first picture is asked for.
    figure = import_module("matplotlib.figure").Figure
    return figure(figsize=(width, height), dpi=dpi, layout="constrained")


def draw(title: str, panels: Sequence[tuple[float, Panel]]) -> bytes:
    heights = [height for height, _ in panels]
    figure = sheet(_WIDTH, 0.6 + sum(heights) * 1.25, 200)
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.06)
    figure.suptitle(
        plain(title, _LONGEST), fontsize=_TITLE, fontweight="bold", color=_INK, x=0.02, ha="left"
    )
    rows = figure.subplots(len(panels), 1, squeeze=False, gridspec_kw={"height_ratios": heights})
    for axes, (_, panel) in zip(rows[:, 0], panels, strict=True):
        panel(axes)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        axes.tick_params(labelsize=SMALL, colors=FAINT)
    drawn, png = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png")
    # A third of the bytes, which wait in the outbox and go over phones' networks.
    image: Any = import_module("PIL.Image").open(drawn)
    image.convert("RGB").quantize(64).save(png, format="png", optimize=True)
    return png.getvalue()


class _Days:
    """The panels over the same days."""

    def __init__(self, spans: list[Span], marks: list[tuple[int, str]], zone: str) -> None:
        self._spans, self._marks, self._zone = spans, marks, zone
        self._at = range(len(spans))

    def success(self, axes: Any) -> None:
        scored = [(at, span) for at, span in enumerate(self._spans) if span.scored]
        good, outcomes = (sum(s.successes for _, s in scored), sum(s.scored for _, s in scored))
        head(axes, "Success, 95% interval", success(good, outcomes) if outcomes else "")
        self._days(axes)
        axes.set_ylim(0, 1.0)
        axes.set_yticks([0, 0.5, 1], ["0%", "50%", "100%"])
        if not scored:
            return _none(axes, "no outcomes yet")
        for run in _unbroken(scored):
            places = [at for at, _ in run]
            bands = [wilson(span.successes, span.scored) for _, span in run]
            axes.fill_between(
                places, [b[0] for b in bands], [b[1] for b in bands], color=BAND, linewidth=0
            )
            if len(run) == 1:  # a band of one day has no width
                axes.plot(places * 2, bands[0], color=BAND, linewidth=6, solid_capstyle="butt")
            rates = [span.successes / span.scored for _, span in run]
            axes.plot(places, rates, color=BLUE, marker="o", markersize=4, clip_on=False)
        self._mark(axes)

    def runs(self, axes: Any) -> None:
        numbers = [span.runs for span in self._spans]
        head(axes, "Requests", f"{sum(numbers):,}")
        self._bars(axes, numbers, GREY, "{:,.0f}".format)

    def dollars(self, axes: Any) -> None:
        numbers = [span.cost_usd for span in self._spans]
        head(axes, "Cost", usd(sum(numbers)))
        self._bars(axes, numbers, GREEN, usd)

    def _bars(
        self, axes: Any, numbers: Sequence[float], color: str, said: Callable[[float], str]
    ) -> None:
        axes.bar(self._at, numbers, color=color, width=0.8)
        self._days(axes)
        most = max(numbers, default=0) or 1
        axes.set_ylim(0, most * 1.05)
        axes.set_yticks([0, most], ["0", said(most)])

    def _days(self, axes: Any) -> None:
        zone = zone_of(self._zone)
        names = [f"{datetime.fromtimestamp(s.since / 1000, zone):%-d %b}" for s in self._spans]
        axes.set_xlim(-0.6, len(self._spans) - 0.4)
        step = max(1, -(-len(names) // 5))
        # Counted from the last day, which is the one that people look for.
        shown = [at for at in self._at if (len(names) - 1 - at) % step == 0]
        axes.set_xticks(shown, [names[at] for at in shown])

    def _mark(self, axes: Any) -> None:
        """A line where something came into use; those of one day share their label."""
        by_day: dict[int, list[str]] = {}
        for at, ref in self._marks:
            before = [n for n, span in enumerate(self._spans) if span.since <= at]
            if before:
                by_day.setdefault(before[-1], []).append(ref)
        for number, (day, refs) in enumerate(sorted(by_day.items())):
            more = f" +{len(refs) - 1}" if len(refs) > 1 else ""
            left = day > len(self._spans) * 0.8
            axes.axvline(day, color=GREEN, linewidth=1.2, linestyle="--")
            axes.annotate(
                f"{refs[0]}{more}",
                (day, 0.04 + 0.13 * (number % 3)),
                xytext=(-3 if left else 3, 0),
                textcoords="offset points",
                ha="right" if left else "left",
                fontsize=SMALL,
                color=GREEN,
                fontweight="bold",
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},
                zorder=5,
            )


def _versions(axes: Any, buckets: Sequence[Bucket]) -> None:
    head(axes, "Success by version, 95% interval", "")
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 0.5, 1], ["0%", "50%", "100%"])
    if not buckets:
        return _none(axes, "no outcomes yet")
    for row, bucket in enumerate(reversed(buckets)):
        low, high = wilson(bucket.successes, bucket.scored)
        axes.plot([low, high], [row, row], color=BAND, linewidth=7, solid_capstyle="butt")
        rate = bucket.successes / bucket.scored
        axes.plot([rate], [row], "o", color=BLUE, clip_on=False)
    names = [
        f"{plain(b.agent or 'no agent', _NAME)} v{b.version}\nn={b.scored:,}"
        for b in reversed(buckets)
    ]
    axes.set_yticks(range(len(buckets)), names)
    axes.set_ylim(-0.6, len(buckets) - 0.4)


def _wealth(axes: Any, path: Sequence[Sequence[float]], promote: float, roll_back: float) -> None:
    head(axes, "What a bet of 1 has become", "log scale")
    runs = [point[0] for point in path]
    ways = (
        (1, GREEN, "better", promote, "stays once green is here"),
        (2, RED, "worse", roll_back, "goes once red is here"),
    )
    for place, color, name, limit, end in ways:
        wealth = [min(max(point[place], _LEAST), _RICHEST) for point in path]
        axes.plot(runs, wealth, color=color, linewidth=1.8, label=f"bet on {name}")
        axes.axhline(limit, color=color, linewidth=1.0, linestyle="--")
        axes.annotate(
            f"{end}: {limit:g}",
            (0.01, limit),
            xycoords=("axes fraction", "data"),
            xytext=(0, 2),
            textcoords="offset points",
            fontsize=SMALL,
            color=color,
        )
    axes.axhline(1, color=FAINT, linewidth=0.8)
    axes.set_yscale("log")
    axes.set_ylim(_LEAST, max(100.0, *(min(max(p[1:]), _RICHEST) for p in path)) * 1.5)
    ticks = [tick for tick in (0.01, 0.1, 1, 10, 100, 1_000, 10_000) if tick <= axes.get_ylim()[1]]
    axes.set_yticks(ticks, [f"{tick:,g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_xlim(0, max(*runs, 10))
    axes.set_xlabel("runs assigned by chance", fontsize=SMALL, color=FAINT)
    axes.legend(fontsize=SMALL, frameon=False, loc="lower left")


def head(axes: Any, name: str, said: str) -> None:
    axes.set_title(name, fontsize=_TEXT, loc="left", color=_INK)
    axes.set_title(said, fontsize=SMALL, loc="right", color=FAINT)


def _none(axes: Any, said: str) -> None:
    axes.text(0.5, 0.5, said, ha="center", va="center", color=FAINT, transform=axes.transAxes)
    axes.set_yticks([])


def _unbroken(days: Sequence[tuple[int, Span]]) -> list[list[tuple[int, Span]]]:
    """Runs of days that follow each other: what lies between others is not known."""
    runs: list[list[tuple[int, Span]]] = []
    for at, span in days:
        if runs and runs[-1][-1][0] == at - 1:
            runs[-1].append((at, span))
        else:
            runs.append([(at, span)])
    return runs


def plain(text: str, limit: int) -> str:
    """What lies between two dollar signs would be set as mathematics."""
    return one_line(text, limit).replace("$", r"\$")
