"""Pictures of numbers, drawn without a display and away from the event loop."""

import asyncio
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

from bot.model.stats import wilson
from bot.ports.stores import Bucket

_MOST = 12
_BLUE, _GREY = "#2f6fab", "#b8bcc2"


async def draw(buckets: Sequence[Bucket], days: Sequence[tuple[int, int, float]]) -> bytes:
    """A PNG: success by agent version with its interval, and runs and dollars by day."""
    return await asyncio.to_thread(_draw, list(buckets)[:_MOST], list(days))


def _draw(buckets: list[Bucket], days: list[tuple[int, int, float]]) -> bytes:
    # 50 MB and most of a second: loaded when the first picture is asked for.
    figure: Any = import_module("matplotlib.figure").Figure(
        figsize=(4.4, 5.2), dpi=160, layout="constrained"
    )
    # One above the other and no wider than a phone shows readably.
    upper, lower = (half.subplots() for half in figure.subfigures(2, 1))
    _success(upper, [b for b in buckets if b.scored])
    _by_day(lower, days)
    for axes in (upper, lower):
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    png = io.BytesIO()
    figure.savefig(png, format="png")
    return png.getvalue()


def _success(axes: Any, buckets: list[Bucket]) -> None:
    axes.set_title("Success, 95 % interval", fontsize=10, loc="left")
    axes.set_xlim(0, 1)
    if not buckets:
        axes.text(0.5, 0.5, "no outcomes yet", ha="center", va="center", color=_GREY)
        axes.set_yticks([])
        return
    for row, bucket in enumerate(reversed(buckets)):
        low, high = wilson(bucket.successes, bucket.scored)
        axes.plot([low, high], [row, row], color=_BLUE, linewidth=2)
        axes.plot([bucket.successes / bucket.scored], [row], "o", color=_BLUE, clip_on=False)
    axes.set_yticks(range(len(buckets)))
    names = [f"{b.agent or 'no agent'} v{b.version} (n={b.scored})" for b in reversed(buckets)]
    axes.set_yticklabels(names, fontsize=8)
    axes.set_ylim(-0.6, len(buckets) - 0.4)


def _by_day(axes: Any, days: list[tuple[int, int, float]]) -> None:
    axes.set_title("Requests a day (bars), US dollars (line)", fontsize=10, loc="left")
    labels = [f"{datetime.fromtimestamp(day / 1000, UTC):%d %b}" for day, _, _ in days]
    places = range(len(days))
    axes.bar(places, [runs for _, runs, _ in days], color=_GREY)
    step = max(1, -(-len(days) // 5))
    axes.set_xticks(list(places)[::step])
    axes.set_xticklabels(labels[::step], fontsize=8)
    dollars = axes.twinx()
    dollars.plot(places, [usd for _, _, usd in days], color=_BLUE, marker=".")
    dollars.set_ylim(bottom=0)
    dollars.spines["top"].set_visible(False)
