"""A run and its steps: the record everything else is read from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bot.model.file import FileRef
from bot.model.message import Turn


class RunKind(StrEnum):
    REQUEST = "request"
    COMMAND = "command"
    JOB = "job"
    REPLAY = "replay"


BEGUN_BY_SOMEONE = tuple(kind.value for kind in RunKind if kind is not RunKind.REPLAY)
"""What lists of runs show: a single proposal is replayed hundreds of times, which would fill them."""


class RunStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REFUSED = "refused"
    """Nothing ran: a budget, a role or a limit said no."""


OPEN = frozenset({RunStatus.QUEUED, RunStatus.RUNNING})
CLOSED = frozenset(RunStatus) - OPEN

LEGAL_MOVES: Mapping[RunStatus, frozenset[RunStatus]] = {
    RunStatus.QUEUED: frozenset({RunStatus.RUNNING}) | CLOSED,
    RunStatus.RUNNING: CLOSED,
    **dict.fromkeys(CLOSED, frozenset()),
}


class StepKind(StrEnum):
    ROUTE = "route"
    FILE = "file"
    """A file that came with the message is fetched and read."""
    RECALL = "recall"
    RUNBOOK = "runbook"
    """A runbook of the agent's fits the request, and the model is shown it."""
    MODEL = "model"
    TOOL = "tool"
    COMMAND = "command"
    REPLY = "reply"
    JUDGE = "judge"
    """A model grades an answer."""


UNKNOWN_COMMAND = "unknown command "
"""How the error message of a command that there is none of begins; its name follows."""
GUARDED = "guarded"
"""The error type of a tool's call that a guard refused: it was never made."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens and money of one or more model calls.

    `cost_usd` is None when a model's price isn't known: unknown is never 0. `tokens_cached` is
    the part of `tokens_in` that the provider served from its cache. `estimated` says that the
    provider gave no count and the tokens were estimated from the text.
    """

    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0
    cost_usd: float | None = 0.0
    estimated: bool = False

    def __add__(self, other: "Usage") -> "Usage":
        known = self.cost_usd is not None and other.cost_usd is not None
        return Usage(
            self.tokens_in + other.tokens_in,
            self.tokens_out + other.tokens_out,
            self.tokens_cached + other.tokens_cached,
            (self.cost_usd or 0.0) + (other.cost_usd or 0.0) if known else None,
            self.estimated or other.estimated,
        )


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened inside a run.

    `seq` counts from 0 within the run: a resumed run takes the `output` of the same seq, kind and
    name from the log instead of doing it again. Times are ms since the epoch, UTC. `input` and
    `output` are JSON values; `output` is None where the step failed without a result.
    """

    seq: int
    kind: StepKind
    name: str
    started_at: int = 0
    duration_ms: float = 0.0
    input: object = None
    output: object = None
    usage: Usage = Usage()
    error_type: str = ""
    error_message: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How good a run was: y in [0, 1] and what said so, or None while nothing has."""

    y: float | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """A run as it stands in the log. Times are ms since the epoch, UTC; 0 means not yet.

    `address` is the channel's reply address; `message` what was asked (redacted), `answer` what
    was said. `agent_version` is 0 where no agent ran. `attempt` rises with every takeover. `guest`
    says that the platform knew whoever asked as a guest: then no role of theirs counts here.
    """

    id: str
    workspace: str
    kind: RunKind
    status: RunStatus
    channel: str
    event_id: str
    conversation: str
    person: str
    message: str
    created_at: int
    expires_at: int = 0
    started_at: int = 0
    finished_at: int = 0
    agent: str = ""
    agent_version: int = 0
    agent_hint: str = ""
    trial: str = ""
    arm: str = ""
    propensity: float | None = None
    answer: str = ""
    reply: Mapping[str, object] = field(default_factory=dict)
    address: Mapping[str, object] = field(default_factory=dict)
    history: tuple[Turn, ...] = ()
    usage: Usage = Usage()
    outcome: Outcome = Outcome()
    error_type: str = ""
    error_message: str = ""
    attempt: int = 1
    node: str = ""
    guest: bool = False
    files: tuple[FileRef, ...] = ()

    @property
    def short(self) -> str:
        """The last 8 characters of the id, which people read and type."""
        return self.id[-8:]

    @property
    def single(self) -> bool:
        """Whether the conversation is this one message: nothing came before it."""
        return self.conversation.endswith(self.event_id)

    @property
    def latency_ms(self) -> int | None:
        """From acceptance to the last step, or None while the run is open."""
        return self.finished_at - self.created_at if self.finished_at else None


def legal(before: RunStatus, after: RunStatus) -> bool:
    """Whether a run may move from one status to the other."""
    return after in LEGAL_MOVES[before]
