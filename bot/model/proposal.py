"""A change, proposed with evidence, and the one table of its legal moves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class ProposalStatus(StrEnum):
    DRAFTED = "drafted"
    OFFERED = "offered"
    APPROVED = "approved"
    DECLINED = "declined"
    EXPIRED = "expired"
    TRIALLED = "trialled"
    KEPT = "kept"
    ROLLED_BACK = "rolled_back"
    SUPERSEDED = "superseded"


_S = ProposalStatus

LEGAL_MOVES: Mapping[ProposalStatus, frozenset[ProposalStatus]] = {
    _S.DRAFTED: frozenset({_S.OFFERED, _S.EXPIRED, _S.SUPERSEDED}),
    _S.OFFERED: frozenset({_S.APPROVED, _S.DECLINED, _S.EXPIRED, _S.SUPERSEDED}),
    _S.APPROVED: frozenset({_S.TRIALLED, _S.KEPT, _S.ROLLED_BACK, _S.SUPERSEDED}),
    _S.TRIALLED: frozenset({_S.KEPT, _S.ROLLED_BACK, _S.SUPERSEDED}),
    _S.KEPT: frozenset({_S.ROLLED_BACK}),
    _S.DECLINED: frozenset(),
    _S.EXPIRED: frozenset(),
    _S.ROLLED_BACK: frozenset(),
    _S.SUPERSEDED: frozenset(),
}


IN_USE = (_S.APPROVED, _S.TRIALLED, _S.KEPT)


class ProposalKind(StrEnum):
    AGENT_CONFIG = "agent.config"
    AGENT_NEW = "agent.new"
    AGENT_MERGE = "agent.merge"
    AGENT_SPLIT = "agent.split"
    AGENT_RETIRE = "agent.retire"
    WORKFLOW_NEW = "workflow.new"
    GUARD_NEW = "guard.new"
    MEMORY_NEW = "memory.new"
    ROUTE_CHANGE = "route.change"
    MODEL_CHEAPER = "model.cheaper"
    OPS_ACTION = "ops.action"


TRIED = frozenset(ProposalKind) - {ProposalKind.MEMORY_NEW, ProposalKind.OPS_ACTION}
"""Kinds that are tried on live traffic: they change the roster. A fact is true or it isn't."""


@dataclass(frozen=True, slots=True)
class Change:
    """What would be done, as data. Exactly one of the forms, by the proposal's kind:

    agent.config: `agent`, and `bullet` (a lesson to add), `retire` (a lesson's id), `instructions`
      (new wording) or `config` ({"model" | "temperature" | "tools" | "limits": value}).
    model.cheaper: `agent`, and `config` {"model": name}.
    guard.new: `agent`, and `guard` (a `bot.model.agent.Guard` as JSON, without its id).
    workflow.new: `agent`, `workflow` (its name) and `text` (its markdown).
    agent.new: `agent` (its name), and `config` (a whole `AgentVersion.spec()`).
    agent.split: `agent` that is relieved, `name` of the new one and `config` (its whole spec);
      `text` is the specialty that is left to `agent`, "" for the same as before.
    agent.merge: `agent` that stays, `name` of the one that goes, `text` the joint specialty.
    agent.retire: `agent`.
    route.change: `agent`, and `text` (its new specialty: the words it is found by).
    memory.new: `namespace` and `text`.
    ops.action: `config` {"do": "point" | "budget" | "pause_job", …what that takes}.
    """

    agent: str = ""
    bullet: str = ""
    instructions: str = ""
    namespace: str = ""
    text: str = ""
    retire: str = ""
    name: str = ""
    workflow: str = ""
    guard: Mapping[str, object] = field(default_factory=dict)
    config: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Proposal:
    """`number` is the short id people type (P12), unique in the workspace.

    `fingerprint` is the same for the same change to the same thing: what was declined or expired
    is not proposed again. `applied` records what approval made, so that it can be undone:
    {"version": 3, "before": 2, "bullet": "b4"} or {"memory": "<id>"}. Times are ms, UTC.
    """

    id: str
    workspace: str
    number: int
    kind: ProposalKind
    status: ProposalStatus
    title: str
    change: Change
    base_version: int
    diff: str
    evidence: tuple[str, ...]
    expected: str
    risk: str
    """"approver" or "owner": the role that may approve it."""
    fingerprint: str
    created_at: int
    expires_at: int
    created_by: str = ""
    decided_by: str = ""
    decided_at: int = 0
    reason: str = ""
    edited: bool = False
    revision: int = 0
    """How often its words were changed: whoever approves says which words they saw."""
    edited_by: str = ""
    was: tuple[Mapping[str, object], ...] = ()
    """Each edit, oldest first: {"by": person, "at": ms, "was": words, "now": words}."""
    applied: Mapping[str, object] | None = None
    finding: str = ""
    """The id of the finding it answers."""
    rank: float = 0.0
    """Expected benefit times confidence over risk and cost of trying: highest first."""
    estimate: Mapping[str, object] = field(default_factory=dict)
    """What `rank` was made from, and what replay showed (under "replay"), as JSON values."""
    decided_run: str = ""
    """The run of the command that decided it: the verdict goes back to where that was said."""

    @property
    def ref(self) -> str:
        return f"P{self.number}"

    @property
    def mark(self) -> str:
        """These very words: an approval of others, or of the same before an edit, is none."""
        return f"{self.revision}:{self.fingerprint}"[:64]

    @property
    def words(self) -> str:
        """What it would teach or say, and what an edit changes; "" where it is no matter of words.
        Of a new agent its specialty."""
        change = self.change
        said = change.bullet or change.instructions or change.guard.get("advice", "")
        if self.kind in (ProposalKind.AGENT_NEW, ProposalKind.AGENT_SPLIT):
            said = change.config.get("specialty", "")
        return str(said or change.text)

    @property
    def tried(self) -> bool:
        """Whether its effect is measured on live traffic before it stays."""
        return self.kind in TRIED

    @property
    def undecided(self) -> bool:
        return self.status in (_S.DRAFTED, _S.OFFERED)

    @property
    def shared(self) -> bool:
        """Whether it changes what others get: an agent, or what everyone's agents remember."""
        return bool(self.change.agent) or not self.change.namespace.startswith("user:")


@dataclass(frozen=True, slots=True)
class Asked:
    """How far the asking for a decision has come: steps of the policy taken, last reminder."""

    steps: int = 0
    reminded_at: int = 0


def legal(before: ProposalStatus, after: ProposalStatus) -> bool:
    """Whether a proposal may move from one status to the other."""
    return after in LEGAL_MOVES[before]
