"""What ends a trial whatever the ratings say, and what keeps a promotion back; pure."""

from collections.abc import Sequence
from itertools import takewhile

from bot.improve.eprocess import GUARD, HARM
from bot.improve.verdicts.belief import better
from bot.improve.verdicts.evidence import COST, LATENCY, Coverage, Evidence, Signal, failures
from bot.model.trial import Arm, Observed, Replayed

_BY_CHANCE = 0.01
_AS_GOOD_AS = 10
"""What is thought of failing before anything was seen weighs as much as so many runs."""
_FEW = 5
_SURE = 1.645
_GLARING_Z, _GLARING = 3.29, 0.1
_WITHOUT_ONE, _SURE_WITHOUT_ONE = 10.0, 0.5
_A_SECOND, _A_RUN_USD, _A_DAY_USD = 1000.0, 0.001, 0.10
_DAY_MS = 86_400_000


def harm(evidence: Evidence) -> str:
    """Why the candidate has to go now: a code, or nothing."""
    if broken(evidence.seen) or evidence.errors.wealth.up >= GUARD:
        return "errors"
    if _over(evidence, LATENCY):
        return "latency"
    if _over(evidence, COST):
        return "cost"
    if evidence.success.wealth.down >= HARM:
        return "harm"
    return "contradiction" if _contradicted(evidence) else ""


def _over(evidence: Evidence, name: str) -> bool:
    guard = evidence.guards.get(name)
    over = guard is not None and guard.wealth.up >= GUARD
    return over and not petty(evidence.seen, name)


def petty(seen: Sequence[Observed], name: str) -> bool:
    """Whether what the candidate takes is so little that nobody minds more of it: an answer within
    a second; or one for less than a tenth of a cent, where all of them together, at the pace of
    this trial, cost less than ten cents a day more."""
    new, old = (_mean(seen, name, arm) for arm in (Arm.CANDIDATE, Arm.INCUMBENT))
    if name == LATENCY:
        return new < _A_SECOND
    days = max(1.0, (seen[-1].at - seen[0].at) / _DAY_MS) if seen else 1.0
    return new < _A_RUN_USD and (new - old) * len(seen) / days < _A_DAY_USD


def _mean(seen: Sequence[Observed], name: str, arm: Arm) -> float:
    spent = [getattr(run, name) for run in seen if run.arm is arm]
    known = [value for value in spent if value is not None]
    return sum(known) / len(known) if known else 0.0


def broken(seen: Sequence[Observed]) -> bool:
    """Whether the candidate fails as the incumbent doesn't: its last two runs or more, when the
    incumbent worked since, or three while nobody asked the incumbent. How often the incumbent fails
    decides whether so many in a row are chance; where both fail, it isn't the candidate."""
    theirs = [run for run in seen if run.arm is Arm.CANDIDATE]
    streak = list(takewhile(lambda run: run.failed, reversed(theirs)))
    if len(streak) < 2:
        return False
    begun = seen.index(streak[-1])
    since = failures(seen[begun:], Arm.INCUMBENT)
    if since[0] == since[1] and len(streak) < 3:
        return False
    failed, tried = failures(seen, Arm.INCUMBENT)
    usual = (failed + 0.5) / (tried + _AS_GOOD_AS)
    lately = (since[0] + usual * _AS_GOOD_AS) / (since[1] + _AS_GOOD_AS)
    return bool(max(usual, lately) ** len(streak) * len(theirs) <= _BY_CHANCE)


def _contradicted(evidence: Evidence) -> bool:
    """What programs found says worse, as surely as would end a trial; people say better."""
    if max(evidence.checks.wealth.down, evidence.errors.wealth.up) < HARM:
        return False
    said = evidence.opinion
    return said is not None and said.difference > 0


def unfounded(evidence: Evidence) -> str:
    """Why a promotion that is due isn't made, and the candidate goes: a code, or nothing."""
    worse = _clear(evidence.checks) < -_SURE or _clear(evidence.errors) > _SURE
    return "contradiction" if worse else ""


def _clear(signal: Signal) -> float:
    found = signal.estimate
    return found.z if found is not None and min(found.sittings) >= _FEW else 0.0


def survives(evidence: Evidence) -> bool:
    """Whether the wealth still says better without any one person, where there are three; and
    doesn't say otherwise without the quarter of the people who matter most to it."""
    wealth = evidence.success.wealth
    people = wealth.people
    if len(people) < 3:
        return True
    others = wealth.up_without(*people[: len(people) // 4])
    return others >= 1 and without_one(evidence) >= _WITHOUT_ONE


def without_one(evidence: Evidence) -> float:
    """The wealth without the person who matters most to it."""
    wealth = evidence.success.wealth
    return wealth.up_without(*wealth.people[:1])


def survives_pooled(evidence: Evidence, replay: Replayed | None, margin: float) -> bool:
    """Whether it is still more likely better than not without any one person."""
    people = {one.sitting.person for one in evidence.success.weighed}
    return len(people) < 3 or all(
        better(evidence.live(without=person), replay, margin) > _SURE_WITHOUT_ONE
        for person in people
    )


def thin(evidence: Evidence) -> bool:
    """Whether an arm has too few sittings that anything is known of."""
    live = evidence.success.estimate
    return live is None or min(live.sittings) < _FEW


def glaring(coverage: Coverage) -> bool:
    """Whether so much more is known of one arm that what is known can't be compared."""
    return abs(coverage.z) >= _GLARING_Z and abs(coverage.parts[1] - coverage.parts[0]) >= _GLARING
