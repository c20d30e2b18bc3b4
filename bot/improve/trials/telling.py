"""A trial and its verdict in plain words, with the numbers they rest on; pure."""

from collections.abc import Callable, Mapping, Sequence

from bot.improve.trials.figures import Figures, Ratio, Side, read
from bot.model.message import Button, Reply
from bot.model.proposal import Proposal
from bot.model.trial import GONE, Trial, TrialStatus
from bot.model.words import count, duration, one_line, usd

_S = TrialStatus
_DAY = 86_400_000

BY_HAND = "by hand"
"""The reason of a trial that a person ended."""
WIDER = "wider"
"""The reason of one that didn't begin, as it would have let an agent do more than was approved."""

_KEPT: Mapping[str, str] = {
    "better": "Answers were better with it",
    "not_worse": "Answers were no worse with it",
    "likely": "Answers were very likely better with it",
    "unneeded": "Nobody asked for it",
}
_BACK: Mapping[str, str] = {
    "harm": "Answers got worse with it",
    "errors": "Runs failed with it",
    "latency": "Answers took much longer with it",
    "cost": "Answers cost much more with it",
    "contradiction": "People liked it better, but what programs checked got worse",
    "hopeless": "It is very unlikely to be better",
    "way": "No clear difference so far, and another change waits",
    "cap": "No clear difference",
    "time": "No clear difference in the time it had",
    "thin": "Not enough data yet",
    "missing": "Too many outcomes are missing on one side to compare them",
    "unconfirmed": "Replays promised more than the trial showed",
    "one_person": "The difference hangs on what one person said",
}
_STOPPED: Mapping[str, str] = {
    "edited": "The agent was changed under it, so nothing can be compared any more",
    "protected": "The agent is protected now",
    "gone": "What it would change isn't there any more",
    WIDER: "It would let an agent do more by now than was approved",
    BY_HAND: "Somebody ended it",
}


def why(trial: Trial) -> str:
    """The end in one clause, without a full stop."""
    known = {**_KEPT, **_BACK, **_STOPPED}
    if trial.reason == WIDER and (more := _more(trial)):
        return f"{known[WIDER]} ({one_line(', '.join(more), 160)})"
    return known.get(trial.reason, one_line(trial.reason, 80) or "It ended")


def in_short(trial: Trial) -> str:
    """For the proposal's card and the lists: the end, and what it was measured over."""
    if trial.status is _S.STOPPED or trial.reason == BY_HAND:
        return f"{why(trial)} ({trial.ref})"
    found = read(trial.numbers)
    return f"{why(trial)} ({trial.ref}: {_of_both(found)})"


def verdict(trial: Trial, proposal: Proposal) -> Reply:
    """What is said in the thread where the change was approved. `proposal` is as it is now."""
    found = read(trial.numbers)
    lines = [_headline(trial, proposal), *_measured(trial, found), *_whom(trial, found)]
    buttons = [Button("Details", f"/trial {trial.ref}")]
    if trial.status is _S.KEPT:
        buttons.insert(0, Button("Roll back", f"/rollback {proposal.ref}", "danger"))
        lines.append(f"If you see it otherwise, `/rollback {proposal.ref}` takes it back.")
    elif trial.status is _S.STOPPED:
        lines.append(f"Nothing has changed. {_once_more(trial, proposal)}")
    return Reply("\n".join(lines), buttons=tuple(buttons))


def _more(trial: Trial) -> Sequence[str]:
    found = trial.numbers.get("wider")
    return [str(one) for one in found] if isinstance(found, list | tuple) else []


def _once_more(trial: Trial, proposal: Proposal) -> str:
    if trial.reason == WIDER and proposal.finding:
        return "It is offered once more as it would be now, for someone who may approve that."
    return "If it is still wanted, ask for it again."


def taken_back(trial: Trial) -> str:
    """What the end of a trial by a person comes to."""
    return f"{trial.ref} has ended: {stays(trial)}."


def with_reason(said: str, reason: str) -> str:
    """What became of something, after why somebody wanted that."""
    return f"{reason.rstrip('.')}. {said}" if reason else said


def _headline(trial: Trial, proposal: Proposal) -> str:
    what = f"**{proposal.ref}** ({one_line(proposal.title, 100)})"
    match trial.status:
        case _S.KEPT:
            return f"✅ {what} stays: {in_use(trial)}. {why(trial)}."
        case _S.ROLLED_BACK:
            return f"↩️ {what} goes: {stays(trial)}. {why(trial)}."
    if trial.reason == WIDER:
        return f"⏹️ The trial of {what} has not begun. {why(trial)}."
    return f"⏹️ The trial of {what} has ended without a verdict. {why(trial)}."


def in_use(trial: Trial) -> str:
    """ "writer v3 is in use"."""
    return " and ".join(
        f"{name} v{version} is in use" if version != GONE else f"{name} has left"
        for name, version in trial.overlay.items()
    )


def stays(trial: Trial) -> str:
    """ "writer stays at v2"."""
    return " and ".join(
        f"{name} stays at v{version}" if version != GONE else f"{name} isn't added"
        for name, version in trial.base.items()
    )


def _measured(trial: Trial, found: Figures) -> list[str]:
    if trial.status is _S.STOPPED:
        return []
    lines = [f"- Good answers: {_rates(found)}."]
    if said := _sure(trial, found):
        lines.append(f"- {said}")
    if said := _took(found.latency, duration, "slower", "faster"):
        lines.append(f"- Time: {said}.")
    if said := _took(found.cost, usd, "more", "less"):
        lines.append(f"- Cost of an answer: {said}.")
    if found.candidate.failed or found.incumbent.failed:
        lines.append(f"- Failed: {_both_failed(found)}.")
    return lines


def _rates(found: Figures) -> str:
    new, old = found.candidate, found.incumbent
    return f"{_rate(new)} with it, {_rate(old)} without"


def _rate(side: Side) -> str:
    if side.mean is None:
        return f"not known (of {count(side.runs, 'run')} none has an outcome)"
    return f"{side.mean:.0%} ({side.scored} of {count(side.runs, 'run')} have an outcome)"


def _of_both(found: Figures) -> str:
    new, old = found.candidate, found.incumbent
    if new.mean is None or old.mean is None:
        return f"{new.scored} and {old.scored} outcomes"
    return f"{new.mean:.0%} good of {new.scored} with it, {old.mean:.0%} of {old.scored} without"


def _sure(trial: Trial, found: Figures) -> str:
    """How sure that is, without a formula."""
    if found.difference is None or found.low is None or found.high is None:
        return ""
    low, high = found.low * 100, found.high * 100
    said = f"The difference lies between {low:+.0f} and {high:+.0f} points."
    match trial.reason:
        case "better" | "not_worse":
            return f"{said} Without a real effect, chance gets this far in 1 of 20 trials at most."
        case "likely" if found.posterior is not None:
            return (
                f"{said} With the replay, and counting that most changes do nothing, it is truly "
                f"better with a probability of {_sure_of(found)}."
            )
        case "cap" | "time" | "thin" | "way" | "hopeless":
            return f"{said} That is not enough to tell, and then the old version stays."
    return said


def _sure_of(found: Figures) -> str:
    return f"{min(found.posterior or 0.0, 0.99):.0%}"


def _took(ratio: Ratio, said: Callable[[float | None], str], up: str, down: str) -> str:
    change = ratio.change
    if change is None:
        return ""
    spent = f"{said(ratio.candidate)} with it, {said(ratio.incumbent)} without"
    if abs(change) < 0.02:
        return f"{spent} (the same)"
    return f"{spent} ({abs(change):.0%} {up if change > 0 else down})"


def _both_failed(found: Figures) -> str:
    new, old = found.candidate, found.incumbent
    return f"{new.failed} of {new.runs} with it, {old.failed} of {old.runs} without"


def _whom(trial: Trial, found: Figures) -> list[str]:
    """Who got what while it went on."""
    if not found.runs and not found.home_runs:
        return ["- Nobody got it while it was tried."] if trial.status is not _S.STOPPED else []
    new, old = found.candidate, found.incumbent
    said = (
        f"- {count(new.sittings, 'conversation')} got it, {old.sittings} got what was in use"
        f"{_in_days(trial)}."
    )
    if found.home_runs:
        said += " Where it was asked for it was given at once; that isn't counted."
    return [said]


def _in_days(trial: Trial) -> str:
    days = (trial.ended_at - trial.started_at) / _DAY if trial.ended_at and trial.started_at else 0
    return f" in {count(round(days), 'day')}" if days >= 1 else ""


def standing(trial: Trial, now: int) -> str:
    """One line of a list."""
    head = f"**{trial.ref}** {trial.proposal} {one_line(trial.title, 80)}"
    found = read(trial.numbers)
    match trial.status:
        case _S.QUEUED:
            return f"{head}: waits until no other trial has {', '.join(sorted(trial.agents))}"
        case _S.RUNNING:
            return f"{head}: {progress(trial, found)}, {left(trial, now)}"
        case _S.PAUSED:
            return f"{head}: pauses ({pause(trial)}), {progress(trial, found)}"
    return f"{head}: {ended(trial)}. {in_short(trial)}"


def ended(trial: Trial) -> str:
    return {_S.KEPT: "kept", _S.ROLLED_BACK: "rolled back"}.get(trial.status, "stopped")


def pause(trial: Trial) -> str:
    return "the loop is frozen" if trial.reason == "frozen" else "an agent of it is paused"


def progress(trial: Trial, found: Figures) -> str:
    cap = f" of {found.cap}" if found.cap else ""
    return f"{found.runs}{cap} runs, {trial.share:.0%} of new conversations get it"


def left(trial: Trial, now: int) -> str:
    days = max(0, trial.ends_at - now) / _DAY
    return f"{count(round(days), 'day')} left" if days >= 1 else "its last day"


def details(trial: Trial, now: int) -> str:
    """All there is to say of one."""
    found = read(trial.numbers)
    lines = [standing(trial, now), "", f"Tried: {_versions(trial)} ({trial.mode})."]
    if trial.status is _S.QUEUED:
        return "\n".join(lines)
    lines += [
        f"- Good answers: {_rates(found)}.",
        f"- Outcomes known: {_coverage(found.candidate)} with it, "
        f"{_coverage(found.incumbent)} without; {count(found.people, 'person', 'people')}.",
    ]
    if found.difference is not None and found.low is not None and found.high is not None:
        low, high = found.low * 100, found.high * 100
        lines.append(
            f"- Difference: {found.difference * 100:+.0f} points ({low:+.0f} to {high:+.0f})."
        )
    lines.append(
        f"- Wealth of the bet on better: {found.up:.3g} (stays at {found.promote_at:g}); "
        f"on worse: {found.down:.3g} (goes at {found.roll_back_at:g})."
    )
    if said := _took(found.latency, duration, "slower", "faster"):
        lines.append(f"- Time: {said}.")
    if said := _took(found.cost, usd, "more", "less"):
        lines.append(f"- Cost of an answer: {said}.")
    if found.candidate.failed or found.incumbent.failed:
        lines.append(f"- Failed: {_both_failed(found)}.")
    if found.home_runs:
        lines.append(f"- {count(found.home_runs, 'run')} where it was asked for, not counted.")
    return "\n".join(lines)


def _coverage(side: Side) -> str:
    return f"{side.scored} of {side.runs}"


def _versions(trial: Trial) -> str:
    return ", ".join(
        f"{name} {_v(trial.base.get(name, GONE))} → {_v(version)}"
        for name, version in trial.overlay.items()
    )


def _v(version: int) -> str:
    return f"v{version}" if version != GONE else "none"


def begun(trial: Trial) -> str:
    """What approval has come to, for whoever approved."""
    beside = " and ".join(
        f"{name} v{version}" for name, version in trial.base.items() if version != GONE
    )
    if trial.status is _S.QUEUED:
        named = ", ".join(sorted(trial.agents))
        return f"It is tried as {trial.ref} once the trial of {named} before it has ended."
    where = " Where it was asked for it is in use at once." if trial.home else ""
    return (
        f"It is tried as {trial.ref} beside {beside or 'what is in use'}: in one of ten new "
        f"conversations first, then in half of them, until it is clear which stays.{where}"
    )
