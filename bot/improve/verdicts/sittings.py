"""A trial's runs by sitting: what was assigned together is one piece of evidence; pure."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from bot.improve.eprocess import EProcess
from bot.improve.weights import Weights
from bot.model.trial import Arm, Observed

Value = Callable[[Observed], float | None]


@dataclass(slots=True)
class Sitting:
    """Runs of one conversation that share a coin. `at` counts the trial's runs up to its first."""

    person: str
    candidate: bool
    propensity: float
    at: int
    runs: list[Observed] = field(default_factory=list)

    def values(self, value: Value) -> list[float]:
        """What is known of its runs, cut to [0, 1]."""
        return [min(max(known, 0.0), 1.0) for run in self.runs if (known := value(run)) is not None]


@dataclass(frozen=True, slots=True)
class Weighed:
    """A sitting with something known of it, and how much it counts."""

    sitting: Sitting
    values: Sequence[float]
    weight: float


def tossed(run: Observed) -> bool:
    """Whether chance chose its arm; where the change was asked for it didn't."""
    return 0.0 < run.propensity < 1.0


def sittings(seen: Sequence[Observed]) -> Sequence[Sitting]:
    """In the order of their first runs, those only that chance assigned."""
    made: dict[tuple[str, Arm, float], Sitting] = {}
    for at, run in enumerate((run for run in seen if tossed(run)), 1):
        key = (run.unit, run.arm, run.propensity)
        if key not in made:
            made[key] = Sitting(run.person, run.arm is Arm.CANDIDATE, run.propensity, at)
        made[key].runs.append(run)
    return list(made.values())


def weigh(units: Sequence[Sitting], value: Value) -> Iterator[Weighed]:
    """Those of which something is known, each with the weight its person has left."""
    weights = Weights()
    for unit in units:
        if values := unit.values(value):
            yield Weighed(unit, values, weights.next(unit.person))


def process(
    weighed: Sequence[Weighed],
    margin: float = 0.0,
    after: Callable[[Sitting, EProcess], None] | None = None,
) -> EProcess:
    """The wealth after all of them; `after` sees it after each."""
    wealth = EProcess(margin)
    for one in weighed:
        unit = one.sitting
        wealth.bet(one.values, unit.candidate, unit.propensity, one.weight, unit.person)
        if after is not None:
            after(unit, wealth)
    return wealth
