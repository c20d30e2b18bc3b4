"""Something the log shows that is worth a change."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """`fingerprint` is the same whenever the same thing is seen again: raised once, updated."""

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


@dataclass(frozen=True, slots=True)
class Failure:
    """An error in the log: of a run, or of one of its steps (then `step` names it)."""

    run_id: str
    agent: str
    step: str
    error_type: str
    message: str
