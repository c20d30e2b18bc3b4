"""A change tried beside what it would replace: arms, assignment, status; pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Arm(StrEnum):
    INCUMBENT = "incumbent"
    CANDIDATE = "candidate"


class TrialStatus(StrEnum):
    QUEUED = "queued"
    """Another trial has one of its agents."""
    RUNNING = "running"
    PAUSED = "paused"
    """The loop is frozen, or an agent is paused: nobody is assigned, what was seen stays."""
    KEPT = "kept"
    ROLLED_BACK = "rolled_back"
    STOPPED = "stopped"
    """Ended without a verdict: the agent was edited or rolled back under it."""


_S = TrialStatus

LEGAL_MOVES: Mapping[TrialStatus, frozenset[TrialStatus]] = {
    _S.QUEUED: frozenset({_S.RUNNING, _S.ROLLED_BACK, _S.STOPPED}),
    _S.RUNNING: frozenset({_S.PAUSED, _S.KEPT, _S.ROLLED_BACK, _S.STOPPED}),
    _S.PAUSED: frozenset({_S.RUNNING, _S.ROLLED_BACK, _S.STOPPED}),
    _S.KEPT: frozenset(),
    _S.ROLLED_BACK: frozenset(),
    _S.STOPPED: frozenset(),
}

ACTIVE = (_S.RUNNING, _S.PAUSED)
WAITING = (_S.QUEUED, *ACTIVE)

SITTING_MS = 4 * 3_600_000
"""After so long a silence a conversation is assigned anew: a private chat goes on for ever."""

GONE = 0
"""In an overlay: the agent isn't in the roster."""


@dataclass(frozen=True, slots=True)
class Trial:
    """`number` is the short id people type (T3). `overlay` is the candidate's roster where it
    differs from the one in use: {agent: version}, `GONE` for an agent that it leaves out; `base`
    is what stands there now, `GONE` for one that isn't there yet.

    `share` is the propensity with which new sittings get the candidate. `margin` is how much worse
    in success it may be and still be kept, above 0 for cheaper models only. `caps` are what cost
    (US dollars) and latency (ms) of a run are cut at, twice the incumbent's p90 when it began.
    `home` is the conversation that asked for the change: it gets the candidate at once and counts
    for nothing. `numbers` is the last look at it, for people. Times are ms, UTC.
    """

    id: str
    workspace: str
    number: int
    proposal: str
    """Its ref (P12)."""
    title: str
    overlay: Mapping[str, int]
    base: Mapping[str, int]
    status: TrialStatus
    mode: str
    """The name of the rule that decides it: "balanced", "strict"."""
    created_at: int
    share: float = 0.1
    margin: float = 0.0
    caps: Mapping[str, float] = field(default_factory=dict)
    home: str = ""
    started_at: int = 0
    ends_at: int = 0
    """When it ends without more runs, ms; 0 while it waits in the queue."""
    ended_at: int = 0
    looked_at: int = 0
    reason: str = ""
    numbers: Mapping[str, object] = field(default_factory=dict)

    @property
    def ref(self) -> str:
        return f"T{self.number}"

    @property
    def agents(self) -> frozenset[str]:
        """No other trial may have one of these at the same time."""
        return frozenset(self.overlay)

    @property
    def agent(self) -> str:
        """The one it is mostly about."""
        return next(iter(self.overlay), "")


@dataclass(frozen=True, slots=True)
class Assignment:
    """`propensity` is that of the candidate when the coin was tossed, whichever arm it fell on."""

    arm: Arm
    propensity: float


@dataclass(frozen=True, slots=True)
class Observed:
    """One run of a trial, as the log has it now. `unit` is the sitting that was assigned. `y` is
    None while nothing speaks of it. Cost in US dollars, None where the price isn't known."""

    run_id: str
    at: int
    unit: str
    person: str
    arm: Arm
    propensity: float
    y: float | None = None
    source: str = ""
    latency_ms: float | None = None
    cost_usd: float | None = None
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Replayed:
    """A paired replay's result: mean difference in score, candidate less incumbent, over `pairs`
    recorded requests. `by` says what scored them ("check", "similarity", "judge")."""

    pairs: int
    mean: float
    error: float
    """The standard error of the mean; 0 with fewer than two pairs."""
    by: str
    diverged: int = 0
    """Requests left out, because a tool would have been asked what the log has no answer to."""
    latency_change: float | None = None
    cost_change: float | None = None
    """Relative: -0.2 is a fifth less. None where it isn't known."""
    enough: bool = False
    bias: tuple[float, float] | None = None
    """What trials that came after replays of its kind taught: how much such a replay adds, and the
    standard deviation of that. None leaves it to what is supposed of each kind."""
    worth: float | None = None
    """The share of changes here that do anything, by what was seen of earlier ones."""


def assign(trial: str, unit: str, share: float) -> Assignment:
    """Which arm a sitting gets: always the same for the same trial and unit at the same share.

    Independent between trials and units: 64 bits of SHA-256 over both, below `share` or not.
    """
    digest = hashlib.sha256(f"{trial}\x1f{unit}".encode()).digest()
    drawn = int.from_bytes(digest[:8], "big") / 2**64
    return Assignment(Arm.CANDIDATE if drawn < share else Arm.INCUMBENT, share)


def legal(before: TrialStatus, after: TrialStatus) -> bool:
    """Whether a trial may move from one status to the other."""
    return after in LEGAL_MOVES[before]
