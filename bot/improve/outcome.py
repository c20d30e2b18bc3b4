"""How good a run was, by the best that is known; pure."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from bot.model.feedback import Feedback
from bot.model.run import Outcome, Run, RunStatus
from bot.model.terms import teaches

RATING, CHECK, ERROR, IMPLICIT, JUDGE = "rating", "check", "error", "implicit", "judge"

_MINUTES = 5 * 60_000
_ALIKE = 0.6
_WEAK_SUCCESS = 0.75
_THANKS = re.compile(
    r"(?i)\W*(?:(?:many |ok,? )?thanks?(?: you)?|thx|ty|great|perfect|awesome|nice|cool|"
    r"that works|works now|got it)\b[\w\s,.!:)]{0,40}\Z"
)


def outcome_of(run: Run, feedback: Sequence[Feedback], following: Run | None = None) -> Outcome:
    """Ratings count before checks and errors, those before what the next message lets one guess.

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
    return run.outcome if run.outcome.source == IMPLICIT else Outcome()


def rating(feedback: Sequence[Feedback]) -> Outcome | None:
    """The mean over people; each person's last rating counts, words without one do not."""
    last: dict[str, Feedback] = {}
    for one in sorted(feedback, key=lambda f: (f.created_at, f.id)):
        if one.rating:
            last[one.person] = one
    if not last:
        return None
    return Outcome(sum(f.rating > 0 for f in last.values()) / len(last), RATING)


def implicit(run: Run, following: Run) -> Outcome | None:
    """What the same person's next message in the conversation says: asking the same again within
    minutes means it failed, thanks is a weak success. Anything else says nothing."""
    same = (run.workspace, run.conversation, run.person) == (
        following.workspace,
        following.conversation,
        following.person,
    )
    wait = following.created_at - (run.finished_at or run.created_at)
    if not same or run.status is not RunStatus.SUCCEEDED or not 0 <= wait <= _MINUTES:
        return None
    if _THANKS.match(following.message):
        return Outcome(_WEAK_SUCCESS, IMPLICIT)
    return Outcome(0.0, IMPLICIT) if rephrased(run.message, following.message) else None


def rephrased(first: str, second: str) -> bool:
    """Whether two messages ask for much the same in other or the same words."""
    words: list[list[str]] = [re.findall(r"\w+", text.casefold())[:60] for text in (first, second)]
    if min(map(len, words)) < 3:
        return False
    shared, together = set(words[0]) & set(words[1]), set(words[0]) | set(words[1])
    alike = SequenceMatcher(None, words[0], words[1], autojunk=False).ratio()
    return max(alike, len(shared) / len(together)) >= _ALIKE
