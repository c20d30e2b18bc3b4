"""What happened, kept: the run log, what is read from it, files and receipts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bot.model.delivery import Delivery
from bot.model.file import Attached, StoredFile
from bot.model.receipt import Receipt, ReceiptStatus
from bot.model.run import Outcome, Run, RunStatus, Step
from bot.model.stats import quantile
from bot.ports.channels import Accepted


@dataclass(frozen=True, slots=True)
class Spend:
    """Money a step cost, to be added to the counters of these (scope, key) pairs."""

    workspace: str
    keys: tuple[tuple[str, str], ...]
    at: int
    usd: float


@dataclass(frozen=True, slots=True)
class Closing:
    """What is written in the one commit that ends a run."""

    status: RunStatus
    finished_at: int
    answer: str = ""
    reply: Mapping[str, object] = field(default_factory=dict)
    outcome: Outcome = Outcome()
    error_type: str = ""
    error_message: str = ""
    steps: tuple[Step, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    spend: tuple[Spend, ...] = ()


class Journal(Protocol):
    """The run log's writer: group commit, one writer per process. All raise StorageError.

    A value that no database takes is BadInput where a run opens, RatchetError elsewhere.
    """

    async def accept(self, run: Run, steps: Sequence[Step] = ()) -> Accepted:
        """Records the run unless its event id is known; returns once committed."""

    async def begin(self, run: Run) -> None:
        """Writes agent, version, arm, started_at and status of a queued run that now starts."""

    async def steps(self, run: Run, steps: Sequence[Step], spend: Sequence[Spend] = ()) -> None:
        """Records finished steps. Raises Fenced if another node has the run."""

    async def close_run(self, run: Run, closing: Closing) -> None:
        """Ends the run. Raises Fenced if another node has it, Conflict if it is closed."""


class Runs(Protocol):
    async def get(self, workspace: str, run_id: str) -> Run | None: ...

    async def find(self, workspace: str, ref: str) -> Run | None:
        """By id or by its last 8 characters."""

    async def by_event(self, workspace: str, channel: str, event_id: str) -> Run | None:
        """The run of a message by the id that its platform delivered it under."""

    async def steps(self, workspace: str, run_id: str) -> list[Step]: ...

    async def recent(
        self, workspace: str, *, conversation: str = "", kinds: Sequence[str] = (), limit: int = 20
    ) -> list[Run]:
        """Newest first."""

    async def history(
        self, workspace: str, conversation: str, limit: int, before: str = ""
    ) -> list[Run]:
        """The last answered requests of a conversation, oldest first; those before the run with
        the id `before`, where one is given."""

    async def open_before(self, workspace: str, conversation: str, run_id: str) -> list[str]:
        """Ids of the conversation's earlier runs that are still open on another node."""

    async def takes_part(self, workspace: str, conversation: str) -> bool:
        """Whether the bot was ever spoken to in this conversation."""

    async def between(
        self, workspace: str, since: int, until: int, *, agent: str = "", limit: int = 10_000
    ) -> list[Run]: ...

    async def set_outcome(self, workspace: str, run_id: str, outcome: Outcome, at: int = 0) -> None:
        """`at` (ms) is kept as the time of its first outcome, where it had none before."""

    async def many(self, workspace: str, ids: Sequence[str]) -> Mapping[str, Run]:
        """Those that there are, by id."""

    async def set_outcomes(self, workspace: str, outcomes: Mapping[str, Outcome], at: int) -> None:
        """As `set_outcome`, by run id and at once."""


class Files(Protocol):
    async def put(self, file: StoredFile) -> None:
        """The same id twice is one file: the first stays."""

    async def get(self, workspace: str, id: str) -> StoredFile | None:
        """None also for one whose bytes were forgotten."""

    async def of_run(self, workspace: str, run_id: str, direction: str = "") -> list[Attached]:
        """Oldest first, without their bytes; `direction` "in" or "out" leaves the others out."""


class Receipts(Protocol):
    """What platforms said about messages that they had taken; a receipt never goes back."""

    async def put(self, workspace: str, channel: str, receipt: Receipt) -> bool:
        """Whether it was news."""

    async def advance(
        self,
        workspace: str,
        channel: str,
        message_id: str,
        status: ReceiptStatus,
        at: int,
        error: str = "",
    ) -> Receipt | None:
        """The receipt of a message that is known, if this was news."""

    async def of(self, workspace: str, channel: str, delivery: str) -> Mapping[int, Receipt]:
        """By the part of the delivery; of several the best."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """One (agent, version)'s numbers over a period. `latencies` says how many runs took so many
    ms, from ten seconds on in steps of a tenth."""

    agent: str
    version: int
    runs: int
    scored: int
    successes: float
    rated: int
    latencies: Mapping[int, int]
    cost_usd: float
    cost_unknown: int
    tokens_in: int
    tokens_out: int
    errors: Mapping[str, int]

    @property
    def p50(self) -> float:
        return quantile(self.latencies, 0.50)

    @property
    def p95(self) -> float:
        return quantile(self.latencies, 0.95)


@dataclass(frozen=True, slots=True)
class Span:
    """The requests from `since` (ms) to the next span's, and the money of all runs then."""

    since: int
    runs: int
    scored: int
    successes: float
    rated: int
    cost_usd: float


class Metrics(Protocol):
    async def by_agent(
        self, workspace: str, since: int, until: int, agent: str = ""
    ) -> list[Bucket]: ...

    async def spans(self, workspace: str, edges: Sequence[int]) -> list[Span]:
        """What lies between each edge (ms, rising) and the next, empty ones too."""

    async def failed_jobs(self, workspace: str, since: int, until: int) -> Mapping[str, int]:
        """How often each job failed."""

    async def undelivered(self, workspace: str, since: int, until: int) -> int:
        """Replies made then that were given up."""
