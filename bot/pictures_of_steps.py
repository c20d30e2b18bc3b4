"""The ratchet as a picture: of each step what was measured of the old version and of the new one."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bot.model.stats import wilson
from bot.model.words import duration, usd
from bot.pictures import BAND, BLUE, FAINT, GREEN, GREY, RED, Panel, draw, head, plain

MOST = 10
_NAME = 18


@dataclass(frozen=True, slots=True)
class Step:
    """`success` is (mean, scored runs) of the old version and of the new one, `latency` (ms) and
    `cost` (US dollars) a run's of both; None where that wasn't measured."""

    name: str
    success: tuple[tuple[float, int], tuple[float, int]] | None = None
    latency: tuple[float, float] | None = None
    cost: tuple[float, float] | None = None

    @property
    def measured(self) -> bool:
        return bool(self.success or self.latency or self.cost)


async def of_steps(title: str, steps: Sequence[Step]) -> bytes:
    """A PNG: from each old version to the new one in success, time and cost, oldest first. A panel
    is there where any step has its number."""
    shown = list(steps)[-MOST:]
    height = 0.55 + 0.3 * len(shown)
    panels: list[tuple[float, Panel]] = []
    if any(step.success for step in shown):
        panels.append((height, lambda axes: _success(axes, shown)))
    if any(step.latency for step in shown):
        took = [step.latency for step in shown]
        panels.append(
            (height, lambda axes: _spent(axes, "Time of an answer", shown, took, duration))
        )
    if any(step.cost for step in shown):
        paid = [step.cost for step in shown]
        panels.append((height, lambda axes: _spent(axes, "Cost of an answer", shown, paid, usd)))
    return await asyncio.to_thread(draw, title, panels)


def _success(axes: Any, steps: Sequence[Step]) -> None:
    head(axes, "Success, 95% intervals", "grey: before")
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 0.5, 1], ["0%", "50%", "100%"])
    _rows(axes, steps)
    for row, step in enumerate(reversed(steps)):
        if step.success is None:
            _missing(axes, row)
            continue
        for (mean, n), place, color in zip(step.success, (0.14, -0.14), (GREY, BLUE), strict=True):
            low, high = wilson(mean * n, n)
            axes.plot([low, high], [row + place] * 2, color=BAND, linewidth=4)
            axes.plot([mean], [row + place], "o", color=color, markersize=5, clip_on=False)


def _spent(
    axes: Any,
    name: str,
    steps: Sequence[Step],
    numbers: Sequence[tuple[float, float] | None],
    said: Callable[[float], str],
) -> None:
    """Less is green, more is red: by a fiftieth either way nothing has changed."""
    head(axes, name, "grey: before")
    most = max([max(pair) for pair in numbers if pair], default=0.0) or 1.0
    axes.set_xlim(0, most * 1.05)
    axes.set_xticks([0, most], ["0", said(most)])
    _rows(axes, steps)
    for row, pair in enumerate(reversed(numbers)):
        if pair is None:
            _missing(axes, row)
            continue
        old, new = pair
        color = BLUE if abs(new - old) < 0.02 * old else GREEN if new < old else RED
        axes.plot([old, new], [row, row], color=color, linewidth=2)
        axes.plot([old], [row], "o", color=GREY, markersize=5, clip_on=False)
        axes.plot([new], [row], "o", color=color, markersize=5, clip_on=False)


def _rows(axes: Any, steps: Sequence[Step]) -> None:
    axes.set_yticks(range(len(steps)), [plain(step.name, _NAME) for step in reversed(steps)])
    axes.set_ylim(-0.6, len(steps) - 0.4)


def _missing(axes: Any, row: int) -> None:
    axes.text(
        0.01,
        row,
        "not measured",
        color=FAINT,
        fontsize=8,
        va="center",
        transform=axes.get_yaxis_transform(),
    )
