"""What a proposal would touch, what it is expected to do, what replay showed, what was done; pure."""

from collections.abc import Mapping

from bot.improve import facts
from bot.model.memory import ORG
from bot.model.proposal import Proposal, ProposalKind
from bot.model.words import count, usd

_BY = {"check": "by checks", "similarity": "by likeness to accepted answers", "judge": "by a judge"}
K = ProposalKind


def target(proposal: Proposal) -> str:
    """What it changes, in a few words."""
    change = proposal.change
    now = f"{change.agent} v{proposal.base_version}" if proposal.base_version else change.agent
    match proposal.kind:
        case K.MEMORY_NEW:
            everyone = change.namespace == ORG or not change.agent
            return "memory of everyone" if everyone else f"memory of {change.agent}"
        case K.AGENT_NEW:
            return f"a new agent, {change.agent}"
        case K.AGENT_SPLIT:
            return f"{now}, and a new agent, {change.name}"
        case K.AGENT_MERGE:
            return f"{now} and {change.name}"
        case K.OPS_ACTION if not change.agent:
            return "how the bot is run"
    return now


def expected(proposal: Proposal) -> str:
    """The expected effect with its interval, "" where nothing is known to expect it from."""
    known = proposal.estimate
    gain, week = known.get("gain"), facts.number(known, "runs_week")
    parts: list[str] = []
    if isinstance(gain, list | tuple) and len(gain) == 3:
        middle, low, high = (float(g) for g in gain)
        often = f" of about {week:.3g} runs a week" if week else ""
        parts.append(f"{_points(middle)} success ({_points(low)} to {_points(high)}){often}")
    saved = facts.number(known, "usd_week")
    if saved:
        parts.append(f"about {usd(saved)} a week less")
    return "; ".join(parts)


def replayed(proposal: Proposal) -> str:
    """What replay showed, with interval and number of pairs; "" where none was made."""
    shown = proposal.estimate.get("replay")
    if not isinstance(shown, Mapping) or shown.get("mark", proposal.mark) != proposal.mark:
        return ""  # none, or one of other words
    status, why = facts.text(shown, "status"), facts.text(shown, "reason")
    if status in ("planned", "running"):
        return f"replay {shown.get('done', 0)} of {shown.get('of', 0)}"
    pairs = int(facts.number(shown, "pairs") or 0)
    diverged = int(facts.number(shown, "diverged") or 0)
    cost = facts.number(shown, "cost_usd")
    extra = f"; {diverged} more could not be compared" if diverged else ""
    extra += f"; it cost {usd(cost)}" if cost else ""
    extra += f"; {why.rstrip('.')}" if why else ""
    numbers = [facts.number(shown, key) for key in ("mean", "low", "high")]
    if not shown.get("enough") or any(number is None for number in numbers):
        return f"not enough to tell: {count(pairs, 'request')} done again{extra}"
    mean, low, high = (_points(number or 0.0) for number in numbers)
    by = _BY.get(facts.text(shown, "by"), "")
    over = f"over {count(pairs, 'recorded request')}{', scored ' + by if by else ''}"
    return f"{mean} ({low} to {high}) {over}{extra}"


def done(proposal: Proposal) -> str:
    """What approval made, once it has."""
    applied = proposal.applied or {}
    if did := facts.text(applied, "did"):
        return did
    overlay = applied.get("overlay")
    if isinstance(overlay, Mapping):
        return " ".join(
            f"{name} v{version} is in use." if version else f"{name} is gone."
            for name, version in overlay.items()
        )
    if version := applied.get("version"):
        return f"{proposal.change.agent} v{version} is in use."
    return f"Remembered as {applied.get('ref', 'a memory')}."


def _points(share: float) -> str:
    return f"{share * 100:+.0f} points" if round(share * 100) else "0"
