"""How a demo ends in a terminal: the table of weeks, a chart, the steps of the ratchet, one sentence."""

from collections.abc import Iterator

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from bot.demo.live import bar
from bot.demo.result import Result, sentence
from bot.demo.steps import Ratcheted
from bot.demo.weeks import Week
from bot.model.words import count, duration, one_line, usd

_CHART = 30
_STYLES = {"stays": "green", "went back": "red", "declined": "yellow"}


def show(console: Console, result: Result) -> None:
    for part in _parts(result):
        console.print(part)


def _parts(result: Result) -> Iterator[RenderableType]:
    yield ""
    yield _table(result)
    yield ""
    yield Text("Good answers per week (simulated team)", style="bold")
    for number, (learns, stays) in enumerate(result.weeks, 1):
        yield _bars(number, learns, stays)
    yield ""
    yield Text("Where each step came from", style="bold")
    for step in result.steps:
        yield _step(step)
    if result.waiting:
        yield Text(
            f"{count(result.waiting, 'more card')} came from what was said with a thumbs down; nobody decided on them.",
            style="dim",
        )
    yield ""
    if result.slowed:
        yield "This machine was busy, so the team asked less than usual; what you see is whole."
    yield Text(f"Simulated team. {sentence(result)}", style="bold")
    spent = sum(learns.loop_usd for learns, _ in result.weeks)
    answers = sum(learns.totals.cost_usd for learns, _ in result.weeks)
    yield (
        f"The loop itself spent {usd(spent)} on rehearsals, judges and wording, beside "
        f"{usd(answers)} for the answers."
    )
    if result.picture:
        yield Text(f"Picture:  {result.picture}", no_wrap=True, overflow="ignore")
    if result.home:
        yield Text(
            f"Look at all of it:  RATCHET_HOME={result.home} ratchet up",
            no_wrap=True,
            overflow="ignore",
        )
    else:
        yield "Look at all of it in the web page: play it again with `ratchet demo --keep DIR`."


def _table(result: Result) -> RenderableType:
    table = Table(title="Simulated team: with the loop / without it", title_justify="left")
    for name in ("week", "asked", "outcomes", "good", "time", "$ per 1,000"):
        table.add_column(name, justify="right", overflow="fold")
    for number, (learns, stays) in enumerate(result.weeks, 1):
        table.add_row(
            str(number),
            f"{learns.totals.runs}",
            f"{learns.totals.scored} / {stays.totals.scored}",
            f"{_share(learns)} / {_share(stays)}",
            f"{duration(learns.p50)} / {duration(stays.p50)}",
            f"{_thousand(learns)} / {_thousand(stays)}",
        )
    return table


def _share(week: Week) -> str:
    return "-" if week.success is None else f"{week.success:.0%}"


def _thousand(week: Week) -> str:
    return "-" if week.cost is None else f"{week.cost * 1000:.2f}"


def _bars(number: int, learns: Week, stays: Week) -> RenderableType:
    text = Text(f"week {number:<2} with    ").append_text(
        bar(learns.success or 0.0, _CHART, "green")
    )
    text.append(f" {_share(learns)}\n        without ")
    return text.append_text(bar(stays.success or 0.0, _CHART, "blue")).append(f" {_share(stays)}")


def _step(step: Ratcheted) -> RenderableType:
    text = Text("• ").append(step.end.upper(), style=_STYLES.get(step.end, ""))
    text.append(f"  {step.what}\n")
    trail = [f"asked by {step.source}" if "found" not in step.source else step.source]
    trail.append("evidence: run " + ", ".join(run[-8:] for run in step.evidence[:3]))
    if step.rehearsal:
        trail.append(f"rehearsal {one_line(step.rehearsal, 120)}")
    if step.trial:
        trail.append(f"trial {step.trial}: {_numbers(step)}")
    elif step.why:
        trail.append(step.why)
    return text.append("  " + " → ".join(trail), style="dim")


def _numbers(step: Ratcheted) -> str:
    found = step.found
    if found is None or found.candidate.mean is None or found.incumbent.mean is None:
        return step.why or "no outcomes yet"
    return (
        f"{found.candidate.mean:.0%} good of {found.candidate.scored} with it, "
        f"{found.incumbent.mean:.0%} of {found.incumbent.scored} without"
        f"{'. ' + step.why if step.why else ', not decided yet'}"
    )
