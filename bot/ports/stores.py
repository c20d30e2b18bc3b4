"""The records: every method is scoped by workspace, first argument, always."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bot.model.agent import AgentVersion
from bot.model.budget import Budget
from bot.model.contact import Consent, Contact
from bot.model.delivery import Delivery
from bot.model.feedback import Feedback
from bot.model.file import Attached, StoredFile
from bot.model.finding import Failure, Finding
from bot.model.installation import Installation
from bot.model.job import JobState
from bot.model.memory import Memory, Namespace
from bot.model.person import Code, Identity, Person, Role
from bot.model.policy import PolicyVersion
from bot.model.proposal import Asked, Proposal, ProposalStatus
from bot.model.receipt import Receipt, ReceiptStatus
from bot.model.run import Outcome, Run, RunStatus, Step, Usage
from bot.model.subscription import Subscription
from bot.model.workflow import Workflow
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

    async def steps(self, workspace: str, run_id: str) -> list[Step]: ...

    async def recent(
        self, workspace: str, *, conversation: str = "", kinds: Sequence[str] = (), limit: int = 20
    ) -> list[Run]:
        """Newest first."""

    async def history(self, workspace: str, conversation: str, limit: int) -> list[Run]:
        """The last answered requests of a conversation, oldest first."""

    async def open_before(self, workspace: str, conversation: str, run_id: str) -> list[str]:
        """Ids of the conversation's earlier runs that are still open on another node."""

    async def takes_part(self, workspace: str, conversation: str) -> bool:
        """Whether the bot was ever spoken to in this conversation."""

    async def between(
        self, workspace: str, since: int, until: int, *, agent: str = "", limit: int = 10_000
    ) -> list[Run]: ...

    async def set_outcome(self, workspace: str, run_id: str, outcome: Outcome) -> None: ...


class Agents(Protocol):
    async def seed(self, workspace: str, versions: Sequence[AgentVersion]) -> None:
        """Makes each roster file a version where its content is new; a seed becomes current
        only where no proposal's version is."""

    async def current(self, workspace: str) -> list[AgentVersion]: ...

    async def version(self, workspace: str, name: str, version: int) -> AgentVersion | None: ...

    async def made_by(
        self, workspace: str, name: str, source: str
    ) -> tuple[AgentVersion, int] | None:
        """The newest version that `source` deployed, and the version it was based on."""

    async def deploy(
        self, workspace: str, candidate: AgentVersion, *, base: int, source: str
    ) -> AgentVersion:
        """Adds `candidate` as the next version and points to it; raises Conflict unless `base`
        is still the current one. The same (`source`, content) twice is one version."""

    async def point(self, workspace: str, name: str, version: int, *, base: int) -> None:
        """Moves the pointer from `base` to an existing version; raises Conflict."""


class People(Protocol):
    async def resolve(
        self, workspace: str, channel: str, external_id: str, name: str, default: Role
    ) -> Person:
        """The person behind a platform id; a first meeting makes them with the default role."""

    async def get(self, workspace: str, person: str) -> Person | None: ...

    async def with_role(self, workspace: str, role: Role) -> list[Person]:
        """Those whose role is exactly this one, first met first."""

    async def set_role(self, workspace: str, person: str, role: Role) -> None: ...

    async def link(self, workspace: str, channel: str, external_id: str, person: str) -> None: ...

    async def merge(self, workspace: str, old: str, into: str) -> tuple[Person, Sequence[str]]:
        """Two become one, who has the higher of both roles: everything of `old` is theirs, and
        its id leads to them. Returns them and the runs that both had rated. Raises NotFound."""

    async def cut(self, workspace: str, channel: str, external_id: str) -> Person:
        """Makes an identity a person of its own, a member. Raises NotFound, or Conflict for a
        person's last one."""

    async def linked(self, workspace: str) -> Sequence[tuple[Person, Sequence[Identity]]]:
        """Everyone with more than one identity, first met first."""

    async def identities(self, workspace: str, person: str) -> list[Identity]:
        """First met first."""

    async def addresses(self, workspace: str, channel: str, role: Role) -> list[tuple[str, str]]:
        """(person, external id) of everyone on the channel whose role includes `role`."""


class Conversations(Protocol):
    async def agent(self, workspace: str, conversation: str) -> str:
        """The agent that the conversation chose by name, or ""."""

    async def set_agent(self, workspace: str, conversation: str, agent: str) -> None: ...


class Feedbacks(Protocol):
    async def put(self, feedback: Feedback) -> None:
        """One per (workspace, run, person, source): the last one wins."""

    async def of_run(self, workspace: str, run_id: str) -> list[Feedback]: ...

    async def since(self, workspace: str, after: int, limit: int) -> list[Feedback]:
        """Created or changed after this ms, oldest first."""


class Findings(Protocol):
    async def raise_once(self, finding: Finding) -> tuple[Finding, bool]:
        """Adds it or updates the one with its fingerprint; True if it is new."""

    async def open(self, workspace: str) -> list[Finding]: ...

    async def set_status(self, workspace: str, finding: str, status: str) -> None: ...

    async def failures(
        self, workspace: str, since: int, until: int, limit: int = 5_000
    ) -> list[Failure]:
        """What findings of errors are made of: failed requests and failed steps of requests
        created in [since, until), oldest first."""


class Proposals(Protocol):
    async def add(self, proposal: Proposal) -> tuple[Proposal, bool]:
        """Gives it its number. Where one of the same id or fingerprint exists, returns that,
        False."""

    async def get(self, workspace: str, ref: str) -> Proposal | None:
        """By "P12", "p12" or "12"."""

    async def list(
        self, workspace: str, statuses: Sequence[ProposalStatus] = (), limit: int = 20
    ) -> Sequence[Proposal]:
        """Newest first."""

    async def move(
        self,
        workspace: str,
        proposal: Proposal,
        to: ProposalStatus,
        *,
        by: str = "",
        at: int = 0,
        reason: str = "",
        applied: Mapping[str, object] | None = None,
    ) -> Proposal:
        """Compare-and-set from `proposal.status` and fingerprint; raises Conflict if another was
        first. What is not given stays as it was."""

    async def amend(self, workspace: str, proposal: Proposal) -> Proposal:
        """Writes an offered proposal's edited content, its `revision` one higher than it was;
        raises Conflict, also where another proposal has its new fingerprint."""

    async def set_applied(
        self, workspace: str, proposal: Proposal, applied: Mapping[str, object]
    ) -> Proposal:
        """Records what approval made; raises Conflict unless it is approved."""

    async def unapplied(self, workspace: str) -> Sequence[Proposal]:
        """Approved ones whose change was not made yet, oldest first."""

    async def due(self, workspace: str, now: int) -> Sequence[Proposal]:
        """Offered ones whose time is over."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A memory with its vector, empty where none was made yet, and the vector's space."""

    memory: Memory
    vector: Sequence[float]
    space: str


class Memories(Protocol):
    """What is forgotten is found by none of these, and its text is gone."""

    async def add(self, memory: Memory, vector: Sequence[float], space: str) -> Memory:
        """Gives it its number; the same id twice is one memory. No vector: made later."""

    async def get_many(self, workspace: str, ids: Sequence[str]) -> Sequence[Memory]: ...

    async def by_ref(self, workspace: str, ref: str) -> Memory | None:
        """By "M7", "m7" or "7"."""

    async def list(
        self, workspace: str, namespaces: Sequence[Namespace], limit: int = 50
    ) -> Sequence[Memory]:
        """Newest first."""

    async def forget(self, workspace: str, memory: str, at: int = 0) -> bool:
        """Removes its text and vector; False if there was none. `at` is ms, UTC."""

    async def count(self, workspace: str, namespaces: Sequence[Namespace]) -> int: ...

    async def total(self, workspace: str) -> int:
        """Over all namespaces."""

    async def page(self, workspace: str, after: int, limit: int) -> Sequence[Stored]:
        """Those whose number is greater than `after`, by number."""

    async def set_vectors(
        self, workspace: str, vectors: Mapping[str, Sequence[float]], space: str
    ) -> None:
        """Replaces vectors by memory id."""


class Codes(Protocol):
    """One-time codes: only their digests are kept."""

    async def issue(
        self,
        workspace: str,
        purpose: str,
        code: str,
        payload: Mapping[str, object],
        expires_at: int,
    ) -> None: ...

    async def redeem(
        self, workspace: str, purpose: str, code: str, now: int
    ) -> Mapping[str, object] | None:
        """The payload for the first who shows the code in time; None for anyone else."""

    async def look(self, workspace: str, purpose: str, code: str) -> Code | None:
        """A code as it stands, of whatever workspace; it stays unused."""

    async def tries(self, workspace: str, purpose: str, key: str, now: int, until: int) -> int:
        """Counts a try until then (ms), the same `key` once; returns how many count now."""


class Files(Protocol):
    async def put(self, file: StoredFile) -> None:
        """The same id twice is one file: the first stays."""

    async def get(self, workspace: str, id: str) -> StoredFile | None:
        """None also for one whose bytes were forgotten."""

    async def of_run(self, workspace: str, run_id: str, direction: str = "") -> list[Attached]:
        """Oldest first, without their bytes; `direction` "in" or "out" leaves the others out."""


class Contacts(Protocol):
    async def get(self, workspace: str, channel: str, external_id: str) -> Contact | None: ...

    async def heard(
        self,
        workspace: str,
        channel: str,
        external_id: str,
        at: int,
        address: Mapping[str, object],
    ) -> None:
        """They wrote at this ms (never moves back); a disabled contact is enabled again."""

    async def set_consent(
        self, workspace: str, channel: str, external_id: str, consent: Consent, at: int, word: str
    ) -> None:
        """Unless something newer was said; a no ends a pause whenever it was said."""

    async def disable(
        self, workspace: str, channel: str, external_id: str, at: int, why: str
    ) -> bool:
        """True for the first to say so."""


class Installations(Protocol):
    """Workspaces that installed the app by themselves. Tokens are kept sealed."""

    async def put(self, workspace: str, installation: Installation, token: str) -> None:
        """Installed now, or again. Raises ConfigError where no key is set."""

    async def get(self, workspace: str) -> Installation | None:
        """Also where it was removed since."""

    async def token(self, workspace: str) -> str | None:
        """None where it isn't installed (any more). Raises ConfigError where no key opens it."""

    async def remove(self, workspace: str, at: int) -> bool:
        """Erases the token; False if it was gone."""


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


class Policies(Protocol):
    async def add(self, workspace: str, text: str, by: str, at: int) -> PolicyVersion:
        """As the next version, from 1 on."""

    async def current(self, workspace: str) -> PolicyVersion | None: ...

    async def get(self, workspace: str, version: int) -> PolicyVersion | None: ...

    async def list(self, workspace: str, limit: int = 20) -> Sequence[PolicyVersion]:
        """Newest first."""


class Approvals(Protocol):
    """Of proposals that take more than one."""

    async def put(self, workspace: str, proposal: str, person: str, mark: str, at: int) -> bool:
        """`mark` is `Proposal.mark`; False if they had approved these words before."""

    async def of(self, workspace: str, proposal: str, mark: str) -> Sequence[str]:
        """People who approved these words, first come first."""


class Asks(Protocol):
    async def get(self, workspace: str, proposal: str) -> Asked: ...

    async def move(
        self, workspace: str, proposal: str, before: Asked, after: Asked, at: int
    ) -> bool:
        """Compare-and-set; False if another was first."""


class Workflows(Protocol):
    async def save(self, workflow: Workflow) -> Workflow:
        """As the name's next version; the same source run twice is one version."""

    async def get(self, workspace: str, name: str) -> Workflow | None:
        """The newest version."""

    async def list(self, workspace: str) -> Sequence[Workflow]: ...


class Budgets(Protocol):
    async def spent(
        self, workspace: str, keys: Sequence[tuple[str, str, str]]
    ) -> dict[tuple[str, str, str], float]:
        """US dollars by (scope, key, period label), the label as in `bot.budget.label`."""

    async def set(self, workspace: str, budget: Budget) -> None: ...

    async def all(self, workspace: str) -> Sequence[Budget]: ...

    async def warn_once(self, workspace: str, key: str) -> bool:
        """True for the first caller with this key, ever."""


class JobStates(Protocol):
    """Jobs belong to the installation: the workspace is the one that owns their runs."""

    async def claim_tick(self, workspace: str, job: str, scheduled: int, run_id: str) -> bool:
        """True for the one run that gets this tick (ms, UTC), however often it asks."""

    async def last_tick(self, workspace: str, job: str) -> int: ...

    async def set_paused(self, workspace: str, job: str, paused: bool) -> None: ...

    async def paused(self, workspace: str) -> set[str]: ...

    async def of(self, workspace: str, names: Sequence[str]) -> list[JobState]:
        """In this order; a job that never ran has a state too."""

    async def watermark(self, workspace: str, job: str) -> int: ...

    async def set_watermark(self, workspace: str, job: str, value: int) -> None:
        """Only ever forward."""


class Subscriptions(Protocol):
    async def put(self, one: Subscription) -> None:
        """The same person, place and cadence again changes the one there is; what was sent of it
        stays known."""

    async def all(self, workspace: str) -> Sequence[Subscription]: ...

    async def of_person(self, workspace: str, person: str) -> Sequence[Subscription]:
        """First asked for first, as the others."""

    async def at_place(
        self, workspace: str, channel: str, place: str
    ) -> Sequence[Subscription]: ...

    async def end(self, one: Subscription) -> bool: ...

    async def settle(self, one: Subscription, due: int) -> bool:
        """The digest that was due then (ms) is sent or needn't be. Compare-and-set from
        `one.sent_at`: True for the first to say so."""


class Upkeep(Protocol):
    """What the nightly jobs do to the database itself."""

    async def workspaces(self) -> list[str]:
        """Every workspace that has a run."""

    async def forget_texts(self, workspace: str, since: int, before: int, limit: int) -> int:
        """Removes the texts of at most `limit` closed runs created in [since, before), with those
        of their steps and deliveries; numbers stay. Returns how many runs had any."""

    async def tidy(self, workspace: str, ticks_before: int, notices_before: int) -> int:
        """Deletes rows that only served to know a repetition; each job's last tick stays."""

    async def optimize(self) -> None:
        """Lets the database tend to its statistics and files."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """One (agent, version)'s numbers over a period. Latencies in ms."""

    agent: str
    version: int
    runs: int
    scored: int
    successes: float
    rated: int
    p50: float
    p95: float
    cost_usd: float
    cost_unknown: int
    tokens_in: int
    tokens_out: int
    errors: Mapping[str, int]


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

    async def by_day(self, workspace: str, since: int, until: int) -> list[tuple[int, int, float]]:
        """(day's first ms, runs, US dollars), oldest first; days without runs are left out."""

    async def spans(self, workspace: str, edges: Sequence[int]) -> list[Span]:
        """What lies between each edge (ms, rising) and the next, empty ones too."""

    async def latency(
        self, workspace: str, since: int, until: int, agent: str = ""
    ) -> tuple[float, float]:
        """(p50, p95) in ms over all of them; 0 where nothing ended."""

    async def failed_jobs(self, workspace: str, since: int, until: int) -> Mapping[str, int]:
        """How often each job failed."""

    async def undelivered(self, workspace: str, since: int, until: int) -> int:
        """Replies made then that were given up."""


__all__ = [
    "Accepted",
    "Agents",
    "Approvals",
    "Asks",
    "Bucket",
    "Budgets",
    "Closing",
    "Codes",
    "Contacts",
    "Conversations",
    "Feedbacks",
    "Files",
    "Findings",
    "Installations",
    "JobStates",
    "Journal",
    "Memories",
    "Metrics",
    "People",
    "Policies",
    "Proposals",
    "Receipts",
    "Runs",
    "Span",
    "Spend",
    "Stored",
    "Subscriptions",
    "Upkeep",
    "Usage",
    "Workflows",
]
