"""Something the log shows that is worth a change."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Finding:
    """`fingerprint` is the same whenever the same thing is seen again: raised once, updated.

    How large it is: `count` runs in all, `people`, `usd_week` US dollars a week that it costs or
    wastes (0 where money is not the point). `confidence` in [0, 1] says how sure it is. `facts`
    are JSON values that a proposal is made from, by kind. `remedy` is the proposal (P12) that was
    tried against it, `reopened` how often it came back after one. Status: open → proposed → known
    (nothing to propose) | remedied → open again where it recurs. Times are ms, UTC.
    """

    id: str
    workspace: str
    kind: str
    fingerprint: str
    title: str
    detail: str
    evidence: tuple[str, ...]
    """Run ids."""
    agent: str
    count: int
    status: str
    created_at: int
    updated_at: int
    people: int = 0
    usd_week: float = 0.0
    confidence: float = 0.0
    facts: Mapping[str, object] = field(default_factory=dict)
    remedy: str = ""
    remedied_at: int = 0
    reopened: int = 0


@dataclass(frozen=True, slots=True)
class Failure:
    """An error in the log: of a run, or of one of its steps (then `step` names it)."""

    run_id: str
    agent: str
    step: str
    error_type: str
    message: str
