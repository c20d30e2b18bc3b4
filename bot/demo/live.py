"""A demo in a terminal: what happened scrolls by, how it stands is below."""

from math import log

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from bot.demo.lines import SIGNS, day, rate
from bot.demo.news import News
from bot.demo.screen import Now
from bot.demo.weeks import Week
from bot.improve.trials import figures
from bot.model.run import Run
from bot.model.trial import Trial
from bot.model.words import duration, one_line, usd

TITLE = "Ratchet demo · a SIMULATED team, its model too"
_STYLES = {"kept": "bold green", "gone": "bold red", "no": "yellow", "finding": "cyan"}
_TIGHT = 76
_BAR = 18


class Screen:
    """`weeks` is how many will be played."""

    def __init__(self, console: Console, live: Live, weeks: int) -> None:
        self._console, self._live, self._weeks = console, live, weeks

    def news(self, one: News) -> None:
        text = Text(f"{SIGNS[one.kind]} ", style=_STYLES.get(one.kind, ""))
        text.append(f"{day(one.at)}  ", style="dim")
        text.append(one.text)
        self._console.print(text)

    def week(self, number: int, learns: Week, stays: Week) -> None:
        said = f"── week {number}: {rate(learns)} with the loop, {rate(stays)} without "
        self._console.print(Text(said, style="dim"))

    def now(self, now: Now) -> None:
        self._live.update(self._panel(now))

    def _panel(self, now: Now) -> RenderableType:
        width = self._console.width
        rows: list[RenderableType] = [self._progress(now, width - 6)]
        rows += [_request(run, now) for run in reversed(now.recent)]
        rows += [_trial(trial, width) for trial in now.trials]
        rows.append(_weekly(now, self._weeks))
        return Panel(
            Group(*rows),
            title=TITLE if width > _TIGHT else "Ratchet demo · SIMULATED",
            border_style="blue",
        )

    def _progress(self, now: Now, width: int) -> RenderableType:
        week = min(len(now.weeks) + 1, self._weeks)
        head = f"week {week} of {self._weeks} · {now.asked:,} requests "
        room = max(8, min(40, width - len(head)))
        return Text(head, style="bold").append_text(bar(now.share, room, "blue"))


def bar(share: float, width: int, style: str) -> Text:
    full = round(max(0.0, min(1.0, share)) * width)
    return Text("█" * full, style=style).append("░" * (width - full), style="dim")


def _request(run: Run, now: Now) -> RenderableType:
    y = run.outcome.y
    said = "" if y is None else " ✔ good" if y >= 0.5 else " ✘ bad"
    text = Text(f"{now.names.get(run.person, 'Somebody')}: ", style="dim")
    text.append(one_line(run.message, 60), style="dim")
    took = duration(run.finished_at - run.started_at)
    text.append(
        f" → {run.agent} v{run.agent_version}, {took}, {usd(run.usage.cost_usd)}", style="dim"
    )
    text.append(said, style="green" if y is not None and y >= 0.5 else "red")
    return one_row(text)


def one_row(text: Text) -> Text:
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def _trial(trial: Trial, width: int) -> RenderableType:
    found = figures.read(trial.numbers)
    room = _BAR if width > _TIGHT else 8
    text = Text(f"{trial.ref} {trial.proposal} ", style="bold")
    text.append("better ").append_text(bar(_part(found.up, found.promote_at), room, "green"))
    text.append(f" {found.up:.1f} of {found.promote_at:g}   worse ")
    text.append_text(bar(_part(found.down, found.roll_back_at), room, "red"))
    text.append(f" {found.down:.1f} of {found.roll_back_at:g}")
    text.append(f"   {found.runs} runs", style="dim")
    return one_row(text)


def _part(wealth: float, threshold: float) -> float:
    """How far a bet has come, on the scale on which evidence adds up."""
    return log(max(wealth, 1.0)) / log(threshold) if threshold > 1 else 0.0


def _weekly(now: Now, weeks: int) -> RenderableType:
    table = Table(box=None, padding=(0, 1, 0, 0), show_header=True, header_style="dim")
    table.add_column("good answers")
    for number in range(1, weeks + 1):
        table.add_column(f"w{number}", justify="right", min_width=3)
    for name, side, style in (("with the loop", 0, "green"), ("without it", 1, "")):
        cells = ["-" if (s := pair[side].success) is None else f"{s:.0%}" for pair in now.weeks]
        table.add_row(Text(name, style=style), *cells, *[""] * (weeks - len(cells)))
    return table
