"""What commands tell of the loop, as JSON values for programs: whole, where words are shortened."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from bot.improve.agreement import Calibration
from bot.improve.calibration import Calibrated, table
from bot.improve.trials.figures import Ratio
from bot.improve.trials.ratchet import Click, Month, measured
from bot.model.finding import Finding
from bot.model.trial import Trial
from bot.ports.stores import Hold

Data = dict[str, object]


def of_trial(trial: Trial) -> Data:
    """`numbers` is the last look at it; times are ms since the epoch, UTC."""
    return {
        "ref": trial.ref,
        "proposal": trial.proposal,
        "title": trial.title,
        "status": trial.status.value,
        "mode": trial.mode,
        "reason": trial.reason,
        "overlay": dict(trial.overlay),
        "base": dict(trial.base),
        "share": trial.share,
        "margin": trial.margin,
        "caps": dict(trial.caps),
        "created_at": trial.created_at,
        "started_at": trial.started_at,
        "ends_at": trial.ends_at,
        "ended_at": trial.ended_at,
        "numbers": dict(trial.numbers),
    }


def in_list(trial: Trial) -> Data:
    """Without the way of its bets, which is long."""
    numbers = {name: value for name, value in trial.numbers.items() if name != "path"}
    return {**of_trial(trial), "numbers": numbers}


def of_finding(finding: Finding) -> Data:
    found = asdict(finding)
    del found["workspace"]
    return {**found, "evidence": list(finding.evidence), "facts": dict(finding.facts)}


def of_step(click: Click) -> Data:
    """None for what wasn't measured."""
    found, applied = measured(click), click.proposal.applied or {}
    step: Data = {
        "proposal": click.proposal.ref,
        "title": click.proposal.title,
        "agent": click.proposal.change.agent,
        "version": applied.get("version"),
        "decided_at": click.proposal.decided_at,
        "trial": click.trial.ref if click.trial else None,
    }
    if found is None:
        return {**step, "success": None, "latency_ms": None, "cost_usd": None}
    old, new = found.incumbent, found.candidate
    success = {"before": old.mean, "after": new.mean, "n": [old.scored, new.scored]}
    return {
        **step,
        "success": success,
        "latency_ms": _both(found.latency),
        "cost_usd": _both(found.cost),
    }


def _both(ratio: Ratio) -> Data | None:
    if ratio.incumbent is None or ratio.candidate is None:
        return None
    n = [ratio.n_incumbent, ratio.n_candidate]
    return {"before": ratio.incumbent, "after": ratio.candidate, "n": n}


def of_month(month: Month) -> Data:
    totals = month.totals
    return {
        "month": month.name,
        "runs": totals.runs,
        "scored": totals.scored,
        "good": totals.good,
        "p50_ms": totals.p50 if totals.runs else None,
        "p95_ms": totals.p95 if totals.runs else None,
        "cost_usd": totals.cost_usd,
        "cost_unknown": totals.cost_unknown,
    }


def of_judge(name: str, found: Calibration) -> Data:
    known = asdict(found)
    return {**known, "judge": name, "trust": found.trust.value, "uneven": list(found.uneven or ())}


def of_predictions(found: Calibrated) -> Data:
    known = {name: getattr(found, name) for name in ("brier", "baseline", "error", "skill")}
    return {
        "n": found.n,
        **(known if found.n else dict.fromkeys(known)),
        "bins": [dict(row) for row in table(found)],
    }


def of_hold(hold: Hold | None) -> Data:
    """What is held now, or isn't."""
    if hold is None:
        return {"held": False}
    return {"held": True, "reason": hold.reason, "by": hold.by, "since": hold.created_at}


def listed(name: str, found: Sequence[Mapping[str, object]]) -> Data:
    return {name: [dict(one) for one in found]}
