"""What it learns, kept: agents, feedback, findings, proposals, memories, workflows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.model.agent import AgentVersion
from bot.model.feedback import Feedback
from bot.model.finding import Finding
from bot.model.memory import Memory, Namespace
from bot.model.policy import PolicyVersion
from bot.model.proposal import Asked, Proposal, ProposalStatus
from bot.model.workflow import Workflow


@dataclass(frozen=True, slots=True)
class Made:
    """A version as the archive has it: what made it, from which one, and when (ms)."""

    version: AgentVersion
    base: int
    source: str
    created_at: int


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

    async def add(
        self, workspace: str, candidate: AgentVersion, *, base: int, source: str
    ) -> AgentVersion:
        """Adds `candidate` as the next version and leaves the pointer where it is. The same
        (`source`, content) twice is one version."""

    async def retire(self, workspace: str, name: str, *, base: int) -> None:
        """Takes the pointer away: the agent leaves the roster, its versions stay. Raises
        Conflict unless `base` is the current one."""

    async def history(self, workspace: str, name: str) -> Sequence[Made]:
        """Every version ever made, oldest first."""

    async def deploy(
        self, workspace: str, candidate: AgentVersion, *, base: int, source: str
    ) -> AgentVersion:
        """Adds `candidate` as the next version and points to it; raises Conflict unless `base`
        is still the current one. The same (`source`, content) twice is one version."""

    async def point(self, workspace: str, name: str, version: int, *, base: int) -> None:
        """Moves the pointer from `base` to an existing version; raises Conflict. `base` 0 brings
        an agent into the roster that is not in it."""

    async def swap(
        self, workspace: str, base: Mapping[str, int], overlay: Mapping[str, int]
    ) -> None:
        """Moves the pointers of several agents at once, all or none: from `base` to `overlay`, 0
        for not in the roster. One that is there already stays. Raises Conflict and NotFound."""


class Feedbacks(Protocol):
    async def put(self, feedback: Feedback) -> None:
        """One per (workspace, run, person, source): the last one wins."""

    async def of_run(self, workspace: str, run_id: str) -> list[Feedback]: ...

    async def of_runs(self, workspace: str, ids: Sequence[str]) -> Mapping[str, Sequence[Feedback]]:
        """By run id, those without any left out."""

    async def since(self, workspace: str, after: int, limit: int) -> list[Feedback]:
        """Created or changed after this ms, oldest first."""


class Findings(Protocol):
    async def raise_once(self, finding: Finding) -> tuple[Finding, bool]:
        """Adds it or updates the one with its fingerprint; True if it is new."""

    async def raise_all(self, workspace: str, findings: Sequence[Finding]) -> int:
        """The same for many at once, each fingerprint once; returns how many are new."""

    async def open(
        self, workspace: str, limit: int = 0, often: tuple[Sequence[str], int] = ((), 0)
    ) -> Sequence[Finding]:
        """Oldest first, at most `limit` where that isn't 0; those of the kinds in `often` where
        they were counted so many times at least."""

    async def list(
        self,
        workspace: str,
        *,
        kinds: Sequence[str] = (),
        statuses: Sequence[str] = (),
        limit: int = 200,
    ) -> Sequence[Finding]:
        """Newest seen first."""

    async def find(self, workspace: str, ref: str) -> Finding | None:
        """By the first 8 characters of its fingerprint, or more of it."""

    async def remedied(
        self, workspace: str, finding: str, ref: str, at: int, facts: Mapping[str, object]
    ) -> None:
        """That this proposal (P12) was put into use against it at this ms, and more facts. Seen in
        a run made after that, it is open again, `reopened` once more."""

    async def tell(
        self, workspace: str, finding: str, status: str, facts: Mapping[str, object]
    ) -> None:
        """Sets its status and adds to its facts."""

    async def get(self, workspace: str, finding: str) -> Finding | None: ...

    async def set_status(self, workspace: str, finding: str, status: str) -> None: ...


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
        run: str = "",
        expires_at: int = 0,
    ) -> Proposal:
        """Compare-and-set from `proposal.status` and fingerprint; raises Conflict if another was
        first. What is not given stays as it was. `run` is that of the command that decided it."""

    async def amend(self, workspace: str, proposal: Proposal) -> Proposal:
        """Writes an offered proposal's edited content, its `revision` one higher than it was;
        raises Conflict, also where another proposal has its new fingerprint."""

    async def estimated(
        self, workspace: str, proposal: Proposal, known: Mapping[str, object]
    ) -> Proposal:
        """Adds what is known of these words' effect to its `estimate`, key by key; raises Conflict
        where its words have changed."""

    async def set_applied(
        self, workspace: str, proposal: Proposal, applied: Mapping[str, object]
    ) -> Proposal:
        """Records what approval made; raises Conflict unless it is approved."""

    async def unapplied(self, workspace: str) -> Sequence[Proposal]:
        """Approved ones whose change was not made yet, oldest first."""

    async def due(self, workspace: str, now: int) -> Sequence[Proposal]:
        """Offered ones whose time is over."""


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


class Workflows(Protocol):
    async def save(self, workflow: Workflow) -> Workflow:
        """As the name's next version; the same source run twice is one version."""

    async def get(self, workspace: str, name: str, version: int = 0) -> Workflow | None:
        """This version, 0 for the newest. What is saved once never changes."""

    async def list(self, workspace: str) -> Sequence[Workflow]: ...
