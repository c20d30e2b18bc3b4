"""What proves a change, kept: what detectors know, judgements, replays, trials, holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeVar

from bot.model.finding import Failure
from bot.model.trial import Assignment, Observed, Replayed, Trial, TrialStatus


@dataclass(frozen=True, slots=True)
class State:
    """What a detector has folded so far. `watermark` is the last run it read, in its own order;
    `revision` counts the folds, 0 for none."""

    watermark: str = ""
    state: Mapping[str, object] = field(default_factory=dict)
    revision: int = 0


class States(Protocol):
    async def get(self, workspace: str, name: str) -> State: ...

    async def since(self, workspace: str, name: str, revision: int) -> State | None:
        """None where it is still at this revision: a look that reads no state."""

    async def move(self, workspace: str, name: str, before: State, after: State, at: int) -> bool:
        """Watermark and state at once, by compare-and-set on the revision; the new revision is one
        higher, whatever `after` says. False if another was first: nothing was folded then."""


class Closed(NamedTuple):
    """A closed request as detectors see it; no texts. `cost_usd` is None where a price isn't
    known, `latency_ms` and times in ms. `y` may come later. A tuple, because there are millions."""

    id: str
    created_at: int
    scored_at: int
    status: str
    finished_at: int
    conversation: str
    person: str
    agent: str
    version: int
    y: float | None
    source: str
    latency_ms: int
    cost_usd: float | None
    tokens_in: int
    tokens_out: int
    error_type: str
    trial: str
    arm: str


class Row(Protocol):
    """What a detector reads of a request: a NamedTuple with some of the fields of `Closed`, these
    four first. Each column more costs a second for some ten million of them."""

    @property
    def id(self) -> str: ...

    @property
    def created_at(self) -> int: ...

    @property
    def scored_at(self) -> int: ...

    @property
    def status(self) -> str: ...


R = TypeVar("R", bound=Row)


class Evidence(Protocol):
    """The run log as detectors read it: requests that may teach, in pages, by an index."""

    async def closed(
        self,
        workspace: str,
        row: type[R],
        after: str,
        before: str,
        young: tuple[int, int],
        limit: int,
    ) -> tuple[Sequence[R], Sequence[str]]:
        """Closed requests with an id between `after` and `before`, by id; and the ids of those in
        that range that are still open, to be looked up later. Both together are at most `limit`:
        fewer means that this was the end. The first one created in `young` (from, to, ms) ends it:
        another with a lower id may still be on its way into the log."""

    async def of_ids(self, workspace: str, row: type[R], ids: Sequence[str]) -> Sequence[R]:
        """Those of these runs that are closed by now, by id."""

    async def scored(
        self, workspace: str, row: type[R], after: tuple[int, str], until: int, limit: int
    ) -> Sequence[R]:
        """Requests that got their first outcome after (scored_at ms, id) and before `until`, in
        that order."""

    async def unknown_commands(
        self, workspace: str, after: tuple[int, str], until: int, limit: int
    ) -> Sequence[tuple[str, int, str, str, str]]:
        """Commands that there are none of, made after (ms, id) and before `until`, in that order:
        (run, when, conversation, person, the name and what it is near to)."""

    async def last_asked(self, workspace: str) -> Mapping[str, int]:
        """When each agent was last asked (ms), in any of its versions; those never asked are left
        out. By an index: however long the log is, it costs a look for each version."""

    async def lately(self, workspace: str, agents: Sequence[str], limit: int) -> Sequence[Closed]:
        """Requests that these agents answered (any, where none is named), newest first, as far as
        they are among the last few thousand."""

    async def paths(self, workspace: str, first: str, last: str) -> Mapping[str, str]:
        """By run id, first and last included: tools, files and runbooks among its steps as "kind:name"
        joined by "|" (which no name has), in order; one that failed ends in "!". Runs without any
        are left out."""

    async def paths_of(self, workspace: str, ids: Sequence[str]) -> Mapping[str, str]:
        """The same of these runs alone."""

    async def said(self, workspace: str, ids: Sequence[str]) -> Mapping[str, tuple[str, str]]:
        """How message and answer begin (600 and 300 characters), by run id; runs whose texts are
        forgotten are left out."""

    async def messages(self, workspace: str, ids: Sequence[str]) -> Mapping[str, str]:
        """What was asked, by run id; runs whose texts are forgotten are left out."""

    async def failures(
        self, workspace: str, runs: Sequence[Row]
    ) -> Mapping[str, Sequence[Failure]]:
        """What failed in these runs, by run id: the run itself, and its steps in order. The agent
        is left out."""

    async def of_trial(self, workspace: str, trial: str) -> Sequence[Observed]:
        """Every closed run of a trial (by its id), by id."""

    async def sitting(
        self, workspace: str, conversation: str, trial: str, since: int
    ) -> Assignment | None:
        """What this conversation's last run in the trial created at or after `since` got."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a model made of an answer: y in [0, 1]. `judge` names the model and the wording."""

    run_id: str
    judge: str
    y: float
    reason: str
    created_at: int


class Judgements(Protocol):
    async def put(self, workspace: str, judgement: Judgement) -> None:
        """One per run and judge; the first stays."""

    async def of_runs(self, workspace: str, run_ids: Sequence[str]) -> Sequence[Judgement]: ...

    async def beside_ratings(
        self, workspace: str, judge: str, limit: int
    ) -> Sequence[tuple[str, float, float, str]]:
        """(run, judge's y, people's y, who asked) of the newest runs that both spoke of."""


@dataclass(frozen=True, slots=True)
class Scored:
    """One side of a pair: its score in [0, 1], what gave it, and what the run took."""

    y: float
    by: str
    run_id: str
    latency_ms: float | None = None
    cost_usd: float | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """A recorded request done again by both. A side is None where it diverged or broke: such a
    pair is counted, not compared. `why` says which."""

    run_id: str
    incumbent: Scored | None
    candidate: Scored | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Replay:
    """`status`: planned, running, done, thin (too little material), spent (over its budget),
    failed. `tasks` are the run ids chosen when it was planned. `fingerprint` is that of the words
    that were replayed: an edited proposal is replayed anew."""

    id: str
    workspace: str
    proposal: str
    fingerprint: str
    status: str
    tasks: tuple[str, ...]
    created_at: int
    result: Replayed | None = None
    reason: str = ""
    cost_usd: float = 0.0
    ended_at: int = 0


@dataclass(frozen=True, slots=True)
class Material:
    """A recorded request that might be done again, and what is known of its answer. ms, UTC."""

    run_id: str
    conversation: str
    agent: str
    created_at: int
    message: str
    y: float | None = None
    source: str = ""


class Replays(Protocol):
    async def material(
        self, workspace: str, agents: Sequence[str], since: int, limit: int
    ) -> Sequence[Material]:
        """The newest requests of these agents (of all where none is named) that were answered or
        failed, made at or after `since` (ms), and whose words are still there; newest first."""

    async def add(self, replay: Replay) -> tuple[Replay, bool]:
        """The one of its proposal and fingerprint, and whether it is new."""

    async def of(self, workspace: str, proposal: str, fingerprint: str) -> Replay | None: ...

    async def unfinished(self, workspace: str) -> Sequence[Replay]:
        """Planned and running ones, oldest first."""

    async def put_pair(self, workspace: str, replay: str, pair: Pair, cost_usd: float) -> bool:
        """Keeps a pair and adds what it cost; False if it was there already."""

    async def pairs(self, workspace: str, replay: str) -> Sequence[Pair]: ...

    async def update(self, replay: Replay) -> None:
        """Status, result, reason and end."""

    async def ended(self, workspace: str, limit: int) -> Sequence[Replay]:
        """Newest first."""


class Trials(Protocol):
    async def add(self, trial: Trial) -> tuple[Trial, bool]:
        """Gives it its number; one per proposal. Where that one exists, returns it, False."""

    async def get(self, workspace: str, ref: str) -> Trial | None:
        """By "T3", "t3" or "3"."""

    async def of_proposal(self, workspace: str, proposal: str) -> Trial | None: ...

    async def list(
        self, workspace: str, statuses: Sequence[TrialStatus] = (), limit: int = 50
    ) -> Sequence[Trial]:
        """Newest first."""

    async def running(self, workspace: str) -> Sequence[Trial]:
        """Those that assign, oldest first; asked for every request, so it is kept in memory where
        no other node can change it."""

    async def move(self, trial: Trial, to: TrialStatus) -> Trial:
        """Compare-and-set from its status in the store, writing the rest of `trial` along; raises
        Conflict if another was first. What it is now is `trial.status`."""

    async def look(self, trial: Trial) -> Trial:
        """Writes share, numbers, ends_at and looked_at while it is active; raises Conflict."""


@dataclass(frozen=True, slots=True)
class Hold:
    """What may not change, since when and who said so. `what`: "loop" (frozen), "agent:NAME" or
    "agent:NAME:3" (protected), "paused:NAME" (an agent that takes no new requests)."""

    what: str
    by: str
    reason: str
    created_at: int


class Holds(Protocol):
    async def put(self, workspace: str, hold: Hold) -> bool:
        """False if it was held already."""

    async def lift(self, workspace: str, what: str) -> bool:
        """False if it wasn't held."""

    async def all(self, workspace: str) -> Mapping[str, Hold]:
        """By what is held; kept in memory where no other node can change it."""
