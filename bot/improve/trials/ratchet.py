"""The ratchet log: every change that came to stay, with what was measured of it; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.improve.trials.figures import Figures, Ratio, read
from bot.model.proposal import Proposal, ProposalStatus
from bot.model.stats import middle
from bot.model.trial import Trial
from bot.model.words import count, duration, one_line, usd
from bot.numbers import Totals, changed

ENOUGH = 20
"""Runs on each side before a month is compared with another."""


LEAST = 2
"""Runs on each side before their time or cost is told."""


@dataclass(frozen=True, slots=True)
class Click:
    """One step of the ratchet. `trial` is None for what was put into use without one."""

    proposal: Proposal
    trial: Trial | None


def told(click: Click) -> str:
    proposal = click.proposal
    applied = proposal.applied or {}
    day = f"{datetime.fromtimestamp(proposal.decided_at / 1000, UTC):%Y-%m-%d}"
    version = applied.get("version")
    what = f"**{proposal.change.agent} v{version}**" if version else "**memory**"
    if not proposal.change.agent:
        what = "**everyone**"
    head = f"{day} {what} {proposal.ref} {one_line(proposal.title, 70)}"
    if click.trial is None:
        return f"{head}: not measured"
    return f"{head}: {gained(click.trial)} ({click.trial.ref})"


def gained(trial: Trial) -> str:
    """What it gained since the version before, side by side; nothing that wasn't measured."""
    found = read(trial.numbers)
    parts = [_success(found)]
    parts += _relative(found.latency, "faster", "slower", "time")
    parts += _relative(found.cost, "cheaper", "dearer", "cost")
    return ", ".join(filter(None, parts)) or "nothing could be measured"


def named(click: Click) -> str:
    """A few words: "writer v3 P12"."""
    version = (click.proposal.applied or {}).get("version")
    who = click.proposal.change.agent
    return f"{who} v{version} {click.proposal.ref}" if version else f"{who} {click.proposal.ref}"


def measured(click: Click) -> Figures | None:
    """What its trial measured, None for a step without one."""
    return read(click.trial.numbers) if click.trial else None


def _success(found: Figures) -> str:
    new, old = found.candidate, found.incumbent
    if new.mean is None or old.mean is None:
        return "no outcomes to compare"
    return f"{old.mean:.0%} → {new.mean:.0%} good (n={old.scored} and {new.scored})"


def _relative(ratio: Ratio, less: str, more: str, name: str) -> list[str]:
    change = ratio.change
    if change is None or min(ratio.n_incumbent, ratio.n_candidate) < LEAST:
        return []
    if abs(change) < 0.02:
        return [f"{name} the same"]
    return [f"{abs(change):.0%} {less if change < 0 else more}"]


def in_use(proposals: Sequence[Proposal], trials: Mapping[str, Trial], agent: str) -> list[Click]:
    """Oldest first; `trials` by the proposal's ref, `agent` "" for all of them."""
    stays = (ProposalStatus.KEPT, ProposalStatus.APPROVED)
    found = [
        Click(p, trials.get(p.ref) if p.status is ProposalStatus.KEPT else None)
        for p in proposals
        if p.status in stays and p.applied and agent in ("", p.change.agent)
    ]
    return sorted(found, key=lambda click: click.proposal.decided_at)


@dataclass(frozen=True, slots=True)
class Month:
    name: str
    totals: Totals


def compared(months: Sequence[Month]) -> list[str]:
    """The last month beside the one before and the first, oldest first: only what is clear is
    called faster, slower, better or worse."""
    if not months:
        return []
    now, earlier = months[-1], [m for m in months[:-1] if m.totals.runs >= ENOUGH]
    if now.totals.runs < ENOUGH:
        return [
            f"In {now.name} there are {count(now.totals.runs, 'run')} so far: too few to compare."
        ]
    if not earlier:
        return ["There is no earlier month with enough runs to compare with."]
    then = [earlier[-1]] if len(earlier) == 1 else [earlier[-1], earlier[0]]
    return [line for before in then for line in _beside(before, now)]


def _beside(then: Month, now: Month) -> list[str]:
    measured = f"measured over {now.totals.runs:,} runs ({then.totals.runs:,} then)"
    lines = [f"**{now.name} beside {then.name}**, {measured}:"]
    lines.append(f"- {_time(then, now)}")
    lines.append(f"- {changed(then.totals, now.totals)}")
    if said := _cost(then, now):
        lines.append(f"- {said}")
    return lines


def _time(then: Month, now: Month) -> str:
    was, low_was, high_was = middle(then.totals.latencies)
    is_, low, high = middle(now.totals.latencies)
    both = f"half of the answers within {duration(is_)}, {duration(was)} then"
    if was > 0 and high < low_was:
        return f"{1 - is_ / was:.0%} faster than in {then.name}: {both}"
    if was > 0 and low > high_was:
        return f"{is_ / was - 1:.0%} slower than in {then.name}: {both}"
    return f"no clear difference in time: {both}"


def _cost(then: Month, now: Month) -> str:
    each = []
    for totals in (now.totals, then.totals):
        known = totals.runs - totals.cost_unknown
        each.append(totals.cost_usd / known if known else None)
    if not any(each):
        return ""
    return f"cost of an answer {usd(each[0])}, {usd(each[1])} then"
