"""How far the arms are apart, and how sure that is; pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

from bot.improve.verdicts.sittings import Weighed

_FEW_PEOPLE = 6

_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Estimate:
    """Candidate less incumbent. `error` is its standard error, robust to runs of one sitting being
    alike; `sittings` are those of the incumbent and the candidate."""

    difference: float
    error: float
    means: tuple[float, float]
    sittings: tuple[int, int]

    @property
    def z(self) -> float:
        return self.difference / self.error if self.error > 0 else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of a single look, wider where there are few sittings; within what a
        difference between two shares can be."""
        reach = _t95(sum(self.sittings) - 2) * self.error
        return max(-1.0, self.difference - reach), min(1.0, self.difference + reach)


@dataclass(frozen=True, slots=True)
class Live:
    """What was seen live: by people and programs, and by a model judge."""

    people: Estimate | None = None
    judged: Estimate | None = None


def estimate(weighed: Sequence[Weighed]) -> Estimate | None:
    """None while an arm has nothing.

    The variance is that of the sittings' residual sums, with two average sittings added to each
    arm: four successes in a row don't make a rate certain. Where people differ more than that about
    which arm is better, it is that between people: some of them agreeing isn't all of them.
    """
    arms = [[one for one in weighed if one.sitting.candidate is arm] for arm in (False, True)]
    sizes = [sum(one.weight * len(one.values) for one in arm) for arm in arms]
    if not all(sizes):
        return None
    means = [_mean(arm, size) for arm, size in zip(arms, sizes, strict=True)]
    residuals = [
        [_residual(one, mean) ** 2 for one in arm] for arm, mean in zip(arms, means, strict=True)
    ]
    usual = _usual(weighed, residuals, sum(sizes))
    variance = sum(
        (sum(squares) + 2 * usual) / size**2 for squares, size in zip(residuals, sizes, strict=True)
    )
    variance = max(variance, _between_people(weighed, means, sizes))
    return Estimate(
        means[1] - means[0],
        sqrt(variance),
        (means[0], means[1]),
        (len(arms[0]), len(arms[1])),
    )


def _between_people(
    weighed: Sequence[Weighed], means: Sequence[float], sizes: Sequence[float]
) -> float:
    """Of what each person pulls the difference by; 0 with too few people to say."""
    pulls: dict[str, float] = {}
    for one in weighed:
        arm = one.sitting.candidate
        pull = _residual(one, means[arm]) / sizes[arm] * (1 if arm else -1)
        pulls[one.sitting.person] = pulls.get(one.sitting.person, 0.0) + pull
    people = len(pulls)
    if people < _FEW_PEOPLE:
        return 0.0
    return sum(pull**2 for pull in pulls.values()) * people / (people - 1)


def _mean(arm: Sequence[Weighed], size: float) -> float:
    return sum(one.weight * sum(one.values) for one in arm) / size


def _residual(one: Weighed, mean: float) -> float:
    return one.weight * (sum(one.values) - len(one.values) * mean)


def _usual(weighed: Sequence[Weighed], residuals: Iterable[Sequence[float]], size: float) -> float:
    """The squared residual of an average sitting, at least that of coin tosses."""
    rate = (1 + sum(one.weight * sum(one.values) for one in weighed)) / (2 + size)
    tosses = sum(one.weight**2 * len(one.values) for one in weighed) * rate * (1 - rate)
    return max(sum(map(sum, residuals)), tosses) / len(weighed)


def _t95(freedom: int) -> float:
    """Student's .975 quantile, by Cornish and Fisher's expansion; within 1 % from 4 up."""
    n, z = max(freedom, 3), _NORMAL.inv_cdf(0.975)
    first, second = (z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96
    return z + first / n + second / n**2
