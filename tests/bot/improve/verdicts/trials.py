"""Trials and their runs, made by a seed."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from bot.model.trial import Arm, Observed, Replayed, Trial, TrialStatus

DAY_MS = 24 * 3_600_000
PEOPLE = ("owner", "member", "guest", "fourth", "fifth", "sixth")


def a_trial(**changes: object) -> Trial:
    made = Trial(
        "t1",
        "local",
        3,
        "P12",
        "Answer in one sentence",
        {"general": 2},
        {"general": 1},
        TrialStatus.RUNNING,
        "balanced",
        0,
        started_at=1,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def observed(n: int = 0, candidate: bool = False, **changes: object) -> Observed:
    made = Observed(
        f"r{n}",
        n * 1000,
        f"c{n}",
        PEOPLE[n % len(PEOPLE)],
        Arm.CANDIDATE if candidate else Arm.INCUMBENT,
        0.5,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def runs(
    count: int,
    success: tuple[float, float],
    *,
    seed: int = 1,
    scored: float = 1.0,
    people: Sequence[str] = PEOPLE,
    change: Callable[[Observed, random.Random], Observed] = lambda run, chance: run,
) -> list[Observed]:
    """Runs of the incumbent and the candidate, that succeed with these probabilities; twenty at a
    tenth, then half of them the candidate's."""
    chance, made = random.Random(seed), []
    for n in range(count):
        share = 0.1 if n < 20 else 0.5
        candidate = chance.random() < share
        y = float(chance.random() < success[candidate])
        known = chance.random() < scored
        run = observed(
            n,
            candidate,
            propensity=share,
            person=people[n % len(people)],
            y=y if known else None,
            source="rating" if known else "",
        )
        made.append(change(run, chance))
    return made


def replayed(mean: float, error: float = 0.06, by: str = "check") -> Replayed:
    return Replayed(60, mean, error, by, enough=True)
