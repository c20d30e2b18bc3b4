"""The error knowledge base: failures by signature, and whether what was tried helped; pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from math import ceil
from typing import Any, NamedTuple

from bot.improve.analyst import known_problem, lesson, outage
from bot.improve.detect.seen import Seen, fingerprint
from bot.improve.detect.versions import week_of
from bot.improve.facts import ERROR, OUTAGE, number
from bot.model.finding import Failure, Finding
from bot.model.signature import signature
from bot.model.words import one_line

_SIGNS, _PEOPLE = 500, 20
_LEAST, _LONGEST = 50, 5_000


class Ran(NamedTuple):
    """What is read of a closed run."""

    id: str
    created_at: int
    scored_at: int
    status: str
    person: str
    agent: str
    cost_usd: float | None


def fold(
    known: dict[str, Any], page: Sequence[Ran], failures: Mapping[str, Sequence[Failure]]
) -> list[Seen]:
    """Closed runs, and what failed in them by run id. `known` counts runs by agent ("runs") and
    keeps the signatures that were seen last ("signs")."""
    exposed, signs = known.setdefault("runs", {}), known.setdefault("signs", {})
    for agent, runs in Counter(run.agent for run in page).items():
        exposed[agent] = exposed.get(agent, 0) + runs
    seen = [
        _seen(signs, run, failure, sign)
        for run in page
        if run.id in failures
        for failure, sign in _told_once(failures[run.id])
    ]
    while len(signs) > _SIGNS:
        del signs[next(iter(signs))]
    return seen


def _told_once(failures: Sequence[Failure]) -> Iterator[tuple[Failure, str]]:
    """Each with its signature. A run that failed because one of its steps did counts as the step's failure; a step that
    failed the same way twice counts once."""
    by_step = {failure.error_type for failure in failures if failure.step}
    told: set[tuple[str, str, str]] = set()
    for failure in failures:
        sign = signature(failure.message)
        what = (failure.error_type, failure.step, sign)
        if what not in told and (failure.step or failure.error_type not in by_step):
            told.add(what)
            yield failure, sign


def _seen(signs: dict[str, Any], run: Ran, failure: Failure, sign: str) -> Seen:
    about = "\x1f".join((failure.error_type, failure.step, sign))
    elsewhere = outage(run.agent, failure.error_type)
    title = f"{failure.error_type}{f' in {failure.step}' if failure.step else ''}: "
    message = one_line(failure.message, 200)
    kind, title = OUTAGE if elsewhere else ERROR, title + message
    mark = fingerprint(kind, run.agent, about)
    count, people, usd, first = signs.pop(mark, (0, [], 0.0, run.created_at))
    if run.person not in people:
        people = [*people, run.person][-_PEOPLE:]
    count, usd = count + 1, usd + (run.cost_usd or 0.0)
    # Those seen last stand at the end: the others are forgotten first.
    signs[mark] = [count, people, usd, first]
    return Seen(
        kind,
        run.agent,
        about,
        title,
        known_problem(title, run.id) if elsewhere else lesson(failure, message),
        (run.id,),
        count=count,
        people=len(people),
        usd_week=week_of(usd, first, run.created_at),
        confidence=1 - 0.5**count,
        facts={
            "error_type": failure.error_type,
            "step": failure.step,
            "signature": sign,
            "message": message,
            "first": first,
            "last": run.created_at,
        },
        at=run.created_at,
    )


def exposures(known: Mapping[str, Any], finding: Finding) -> int:
    """Runs so far in which it could have happened: the agent's, or everyone's for an outage."""
    runs: Mapping[str, int] = known.get("runs") or {}
    return sum(runs.values()) if finding.kind == OUTAGE else runs.get(finding.agent, 0)


def worked(known: Mapping[str, Any], finding: Finding) -> bool:
    """Whether what was tried against it helped: it has not come back in so many runs that, at the
    rate it had, it would have with 95 %: three over the rate, 50 at least."""
    tried_at = number(finding.facts, "exposed")
    if tried_at is None:
        return False
    rate = finding.count / max(tried_at, finding.count)
    enough = min(max(_LEAST, ceil(3 / rate)), _LONGEST)
    return exposures(known, finding) - tried_at >= enough
