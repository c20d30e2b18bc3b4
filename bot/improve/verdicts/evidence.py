"""Everything a rule looks at, made from a trial's runs; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from bot.improve.eprocess import EProcess
from bot.improve.outcome import CHECK, ERROR, JUDGE
from bot.improve.verdicts.estimate import Estimate, Live, estimate
from bot.improve.verdicts.sittings import Sitting, Value, Weighed, process, sittings, weigh
from bot.model.trial import Arm, Observed, Trial

LATENCY, COST = "latency_ms", "cost_usd"
"""The names of caps in a trial."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing that is known of the runs: its sittings, the wealth of bets on it, the estimate."""

    weighed: Sequence[Weighed]
    wealth: EProcess
    estimate: Estimate | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """`seen` are all runs, also those of the conversation that asked for the change, in which no
    coin was tossed; `units` are those of chance. `checks` holds what programs found."""

    seen: Sequence[Observed]
    units: Sequence[Sitting]
    success: Signal
    checks: Signal
    errors: Signal
    guards: Mapping[str, Signal]
    """By the name of their cap, where the trial has one: higher is worse."""

    @property
    def runs(self) -> int:
        """Those that chance assigned."""
        return sum(len(unit.runs) for unit in self.units)

    @property
    def opinion(self) -> Estimate | None:
        """What people and models said, without what programs found."""
        return estimate(list(weigh(self.units, _opinion)))

    def live(self, without: str = "") -> Live:
        """The success seen live, by who says so; but for one person's sittings."""
        if not without and not any(run.source == JUDGE for run in self.seen):
            return Live(self.success.estimate)
        units = [unit for unit in self.units if unit.person != without or not without]
        return Live(
            estimate(list(weigh(units, _by_others))), estimate(list(weigh(units, _by_judge)))
        )

    @property
    def people(self) -> int:
        return len({one.sitting.person for one in self.success.weighed})


def gather(trial: Trial, seen: Sequence[Observed]) -> Evidence:
    """`seen` in the order in which the runs were made, closed ones only."""
    units = sittings(seen)
    return Evidence(
        seen,
        units,
        success=_signal(units, lambda run: run.y, trial.margin),
        checks=_signal(units, _checked),
        errors=_signal(units if any(run.failed for run in seen) else (), _failed),
        guards={
            name: _signal(units, _part_of(name, cap))
            for name, cap in trial.caps.items()
            if name in (LATENCY, COST) and cap > 0
        },
    )


def _signal(units: Sequence[Sitting], value: Value, margin: float = 0.0) -> Signal:
    weighed = list(weigh(units, value)) if units else []
    return Signal(weighed, process(weighed, margin), estimate(weighed))


def _failed(run: Observed) -> float:
    return float(run.failed)


def _checked(run: Observed) -> float | None:
    if run.failed:
        return 0.0
    return run.y if run.source in (CHECK, ERROR) else None


def _opinion(run: Observed) -> float | None:
    return None if run.source in (CHECK, ERROR) else run.y


def _by_judge(run: Observed) -> float | None:
    return run.y if run.source == JUDGE else None


def _by_others(run: Observed) -> float | None:
    return None if run.source == JUDGE else run.y


def _part_of(name: str, cap: float) -> Value:
    def part(run: Observed) -> float | None:
        spent = run.latency_ms if name == LATENCY else run.cost_usd
        return None if spent is None else min(spent, cap) / cap

    return part


def twice_p90(values: Sequence[float]) -> float | None:
    """The cap of a guardrail, from the incumbent's values before the trial; None without any."""
    ordered = sorted(values)
    return 2 * ordered[min(len(ordered) - 1, int(0.9 * len(ordered)))] if ordered else None


@dataclass(frozen=True, slots=True)
class Coverage:
    """The part of the runs that something is known of, for the incumbent and the candidate. `z`
    says how far they differ beyond chance, sittings counted as wholes."""

    parts: tuple[float, float]
    z: float


def coverage(units: Sequence[Sitting]) -> Coverage:
    """How the arms differ in what is missing."""
    parts, variance = [], 0.0
    for arm in (False, True):
        each = [
            (sum(run.y is not None for run in unit.runs), len(unit.runs))
            for unit in units
            if unit.candidate is arm
        ]
        known, runs = sum(k for k, _ in each), sum(n for _, n in each)
        part = known / runs if runs else 0.0
        guess = (known + 1) / (runs + 2)
        spread = sum((k - part * n) ** 2 for k, n in each) + 2 * guess * (1 - guess)
        variance += spread / runs**2 if runs else 1.0
        parts.append(part)
    return Coverage((parts[0], parts[1]), (parts[1] - parts[0]) / sqrt(variance))


def failures(seen: Sequence[Observed], arm: Arm) -> tuple[int, int]:
    """How many runs of an arm failed, of how many."""
    of_arm = [run.failed for run in seen if run.arm is arm]
    return sum(of_arm), len(of_arm)
