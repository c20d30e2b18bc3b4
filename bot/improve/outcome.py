"""How good a run was, by the best that is known; pure."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from bot.improve import checks
from bot.lexical import terms
from bot.model.feedback import Feedback
from bot.model.run import Outcome, Run, RunStatus
from bot.model.terms import teaches
from bot.model.trial import Observed
from bot.recorder import RunLog

RATING, CHECK, ERROR, IMPLICIT, JUDGE = "rating", "check", "error", "implicit", "judge"

_MINUTES = 5 * 60_000
WHILE = 30 * 60_000
"""A message that comes later says nothing about the answer before it (ms)."""
_ALIKE = 0.6
_THANKED, _MOVED_ON = 0.75, 0.6
_APART = 0.2
_FEWEST_WORDS = 3
_THANKS = re.compile(
    r"(?i)\W*(?:(?:many |ok,? )?thanks?(?: you)?|thx|ty|great|perfect|awesome|nice|cool|"
    r"that works|works now|got it)\b[\w\s,.!:)]{0,40}\Z"
)
_OBJECTS = re.compile(
    r"(?i)\W*(?:no[,.!]|nope\b|wrong\b|(?:that|this|it)(?:'s| is| was)? (?:not (?:right|true|"
    r"correct|what)|wrong|incorrect|nonsense)|(?:that|this|it) (?:didn'?t|doesn'?t|does not|did not) "
    r"(?:work|help|answer)|not what i (?:asked|meant|wanted))"
)


def outcome_of(
    run: Run,
    feedback: Sequence[Feedback],
    following: Run | None = None,
    judged: float | None = None,
) -> Outcome:
    """Ratings count before checks and errors, those before what the next message lets one guess,
    and that before what a judge that is trusted made of it (`judged`).

    A run that nothing speaks of has no outcome: missing is never success.
    """
    if not teaches(run.channel):
        return Outcome()
    if rated := rating(feedback):
        return rated
    if run.outcome.source == CHECK:
        return run.outcome
    if run.status is RunStatus.FAILED:
        return Outcome(0.0, ERROR)
    if following is not None and (guessed := implicit(run, following)):
        return guessed
    # What was guessed when the next message came stays; a rating that was taken back does not.
    if run.outcome.source == IMPLICIT:
        return run.outcome
    if judged is not None:
        return Outcome(judged, JUDGE)
    return run.outcome if run.outcome.source == JUDGE else Outcome()


def rating(feedback: Sequence[Feedback]) -> Outcome | None:
    """The mean over people; each person's last rating counts, words without one do not."""
    last: dict[str, Feedback] = {}
    for one in sorted(feedback, key=lambda f: (f.created_at, f.id)):
        if one.rating:
            last[one.person] = one
    if not last:
        return None
    return Outcome(sum(f.rating > 0 for f in last.values()) / len(last), RATING)


@dataclass(frozen=True, slots=True)
class Done:
    """What programs can say something of: the tools that were called and what the last call failed
    with ("" where it worked), and the texts of the runbooks that were followed."""

    used: Collection[str]
    tool_error: str
    runbooks: Sequence[str] = ()


def checked(answer: str, done: Done) -> Outcome:
    """A tool that failed makes a failed answer only where no other call worked afterwards: then it
    was written with nothing but the error. A tool that worked says nothing of the answer; a
    runbook's own check says yes or no."""
    if done.tool_error:
        return Outcome(0.0, CHECK)
    conditions = [c for c in map(checks.parse, done.runbooks) if c]
    if not conditions:
        return Outcome()
    return Outcome(float(all(checks.passes(c, answer, done.used) for c in conditions)), CHECK)


def of_log(runlog: RunLog) -> Done:
    """What a run that is about to close has done."""
    texts = [runbook.markdown for runbook in runlog.followed]
    return Done(runlog.used, runlog.tool_error, texts)


def implicit(run: Run, following: Run) -> Outcome | None:
    """What the same person's next message in the conversation says: asking the same again within
    minutes, or saying that it was wrong, means it failed; thanks, or going on to something else
    within half an hour, is a weak success. A question that leads on says nothing, nor does
    silence."""
    same = (run.workspace, run.conversation, run.person) == (
        following.workspace,
        following.conversation,
        following.person,
    )
    wait = following.created_at - (run.finished_at or run.created_at)
    if not same or run.status is not RunStatus.SUCCEEDED or not 0 <= wait <= WHILE:
        return None
    if _THANKS.match(following.message):
        return Outcome(_THANKED, IMPLICIT)
    if _OBJECTS.match(following.message):
        return Outcome(0.0, IMPLICIT)
    if rephrased(run.message, following.message):
        return Outcome(0.0, IMPLICIT) if wait <= _MINUTES else None
    return Outcome(_MOVED_ON, IMPLICIT) if moved_on(run, following) else None


def rephrased(first: str, second: str) -> bool:
    """Whether two messages ask for much the same in other or the same words."""
    words: list[list[str]] = [re.findall(r"\w+", text.casefold())[:60] for text in (first, second)]
    if min(map(len, words)) < _FEWEST_WORDS:
        return False
    shared, together = set(words[0]) & set(words[1]), set(words[0]) | set(words[1])
    alike = SequenceMatcher(None, words[0], words[1], autojunk=False).ratio()
    return max(alike, len(shared) / len(together)) >= _ALIKE


def moved_on(run: Run, following: Run) -> bool:
    """Whether the next message is about something else: it shares next to no words with what was
    asked and answered. One of few words belongs to what came before."""
    said = terms(following.message)
    known = terms(run.message) | terms(run.answer)
    return len(said) >= _FEWEST_WORDS and len(said & known) / len(said) < _APART


def unjudged(seen: Sequence[Observed]) -> list[Observed]:
    """A trial's runs as they are where the judge isn't trusted: what only it spoke of is silent."""
    return [replace(one, y=None, source="") if one.source == JUDGE else one for one in seen]
