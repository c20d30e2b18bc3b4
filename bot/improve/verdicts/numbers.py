"""What people are shown of a look: JSON values; pure."""

from collections.abc import Mapping, Sequence
from math import sqrt
from statistics import fmean, median

from bot.improve.eprocess import HARM, PROMOTE, EProcess
from bot.improve.verdicts.belief import pooled
from bot.improve.verdicts.evidence import COST, LATENCY, Evidence, coverage
from bot.improve.verdicts.guards import glaring, without_one
from bot.improve.verdicts.sittings import Sitting, process
from bot.model.trial import Arm, Observed, Trial

MOST_POINTS = 200


def numbers(trial: Trial, evidence: Evidence, phase: str, cap: int) -> dict[str, object]:
    """`phase` is "smoke" or "even"; `runs` of at most `cap` were assigned by chance, `home_runs`
    where the change was asked for. `arms` holds runs, scored runs, sittings, failed runs, mean
    success (None while nothing is known) and coverage of each. `difference` is candidate less
    incumbent, `error` its standard error, `low` and `high` the 95 % interval of a single look.
    `live` is [difference, its standard error] with what a model judged believed only as far as it
    is, None while an arm has nothing. `path` is [runs so far, up, down]. `latency` and `cost` hold the ratio candidate / incumbent
    (medians, means) and the runs behind it."""
    live, wealth = evidence.success.estimate, evidence.success.wealth
    low, high = live.interval if live else (None, None)
    parts = coverage(evidence.units)
    return {
        "phase": phase,
        "runs": evidence.runs,
        "cap": cap,
        "home_runs": len(evidence.seen) - evidence.runs,
        "people": evidence.people,
        "margin": trial.margin,
        "arms": {arm.value: _arm(evidence, arm) for arm in Arm},
        "difference": live.difference if live else None,
        "error": live.error if live else None,
        "live": _live(evidence),
        "low": low,
        "high": high,
        "up": _short(wealth.up),
        "down": _short(wealth.down),
        "promote_at": PROMOTE,
        "roll_back_at": HARM,
        "without_one": _short(without_one(evidence)) if evidence.people >= 3 else None,
        "path": _path(trial, evidence),
        "coverage_z": round(parts.z, 2),
        "coverage_differs": glaring(parts),
        "latency": _ratio(evidence, LATENCY),
        "cost": _ratio(evidence, COST),
    }


def _live(evidence: Evidence) -> list[float] | None:
    seen = pooled(evidence.live(), None)
    return [seen[0], sqrt(seen[1])] if seen else None


def _arm(evidence: Evidence, arm: Arm) -> Mapping[str, object]:
    units = [unit for unit in evidence.units if unit.candidate is (arm is Arm.CANDIDATE)]
    runs = [run for unit in units for run in unit.runs]
    scored = [run.y for run in runs if run.y is not None]
    return {
        "runs": len(runs),
        "scored": len(scored),
        "sittings": len(units),
        "failed": sum(run.failed for run in runs),
        "mean": fmean(scored) if scored else None,
        "coverage": len(scored) / len(runs) if runs else 0.0,
    }


def _ratio(evidence: Evidence, name: str) -> Mapping[str, object]:
    runs = [run for unit in evidence.units for run in unit.runs]
    old, new = (
        [spent for run in runs if run.arm is arm and (spent := _spent(run, name)) is not None]
        for arm in Arm
    )
    middle = median if name == LATENCY else fmean
    before, after = (middle(values) if values else 0.0 for values in (old, new))
    guard = evidence.guards.get(name)
    return {
        "ratio": after / before if before > 0 and new else None,
        "incumbent": before if old else None,
        "candidate": after if new else None,
        "n_incumbent": len(old),
        "n_candidate": len(new),
        "wealth": _short(guard.wealth.up) if guard else None,
    }


def _spent(run: Observed, name: str) -> float | None:
    return run.latency_ms if name == LATENCY else run.cost_usd


def _path(trial: Trial, evidence: Evidence) -> Sequence[Sequence[float]]:
    weighed, points = evidence.success.weighed, [[0.0, 1.0, 1.0]]
    every = -(-len(weighed) // (MOST_POINTS - 1)) or 1

    def point(unit: Sitting, wealth: EProcess) -> None:
        if wealth.bets % every == 0 or wealth.bets == len(weighed):
            points.append([unit.at, _short(wealth.up), _short(wealth.down)])

    process(weighed, trial.margin, point)
    return points[-MOST_POINTS:]


def _short(wealth: float) -> float:
    """Four figures that JSON can hold."""
    return float(f"{min(wealth, 1e12):.4g}")
