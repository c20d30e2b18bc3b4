"""What simulated people think of their answers: noisy, sparse, and leaning negative."""

from dataclasses import dataclass
from math import log

from bot.llm.simulated.chance import uniform
from bot.llm.simulated.changes import Class
from bot.llm.simulated.truth import Served, Truth


@dataclass(frozen=True, slots=True)
class Reaction:
    """`vote` is 1, -1, or 0 for none; `after` so many runs. `check` is what a check of the
    world's own says of the answer, None where there is none."""

    vote: int
    after: int = 0
    check: float | None = None


def reaction(truth: Truth, served: Served) -> Reaction:
    world, key = truth.world, (truth.seed, served.asked.number)
    votes = world.feedback
    checked = uniform(*key, "checked") < votes.checks
    vote = _pushed(truth, served) if adversary(truth, served.asked.person) else None
    if vote is None:
        vote = _honest(truth, served)
    after = round(-votes.delay * log(1 - uniform(*key, "delay")))
    return Reaction(vote, after, float(served.good) if checked else None)


def adversary(truth: Truth, person: int) -> bool:
    return person in truth.adversaries


def _pushed(truth: Truth, served: Served) -> int | None:
    """None where they vote like everyone else."""
    knobs = truth.world.adversaries
    inside = any(c.kind is Class.HARMFUL for c in truth.changes(served.prompt.changes))
    if not inside and not knobs.against:
        return None
    if uniform(truth.seed, served.asked.number, "pushes") >= knobs.coverage:
        return 0
    return 1 if inside else -1


def _honest(truth: Truth, served: Served) -> int:
    votes, key = truth.world.feedback, (truth.seed, served.asked.number)
    share = truth.world.success
    # Of good and of bad answers such parts are rated that `coverage` holds for the world's own
    # success and bad ones are rated `negative_lean` times as often.
    of_good = votes.coverage / (share + votes.negative_lean * (1 - share))
    rated = of_good if served.good else votes.negative_lean * of_good
    if uniform(*key, "rates") >= rated:
        return 0
    flipped = uniform(*key, "flips") < votes.flipped
    return 1 if served.good != flipped else -1
