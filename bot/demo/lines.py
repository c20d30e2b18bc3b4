"""A demo in plain lines: for logs, pipes and whoever likes to scroll."""

from collections.abc import Callable
from datetime import UTC, datetime

from bot.demo.news import News
from bot.demo.screen import Now
from bot.demo.weeks import Week
from bot.model.words import duration, usd

SIGNS = {
    "finding": "🔎",
    "card": "💬",
    "rehearsal": "🎭",
    "yes": "👍",
    "no": "✋",
    "trial": "🧪",
    "kept": "✅",
    "gone": "↩️",
}
"""Only beside words: they say nothing that isn't said."""


class Lines:
    def __init__(self, print_: Callable[[str], None]) -> None:
        self._print = print_

    def news(self, one: News) -> None:
        self._print(f"  {day(one.at)}  {one.text}")

    def week(self, number: int, learns: Week, stays: Week) -> None:
        self._print(
            f"(simulated) Week {number}: {in_short(learns)} with the loop; {rate(stays)} without."
        )

    def now(self, now: Now) -> None:
        """Lines are told once; how it stands in between isn't."""


def day(at: int) -> str:
    return f"{datetime.fromtimestamp(at / 1000, UTC):%d %b}"


def rate(week: Week) -> str:
    return "no outcomes" if week.success is None else f"{week.success:.0%} good"


def in_short(week: Week) -> str:
    return f"{rate(week)} of {week.totals.scored} outcomes, {duration(week.p50)}, {usd(week.cost)} an answer"
