"""What each kind of proposal makes of the roster; to add a kind, add a function and a line here."""

from collections.abc import Mapping

from bot.improve.changes.crew import merged, rerouted, retired, split, taken_on
from bot.improve.changes.form import Maker, Roster, Situation
from bot.improve.changes.habits import guarded, taught
from bot.improve.changes.versions import cheaper, configured
from bot.model.proposal import ProposalKind

MAKERS: Mapping[ProposalKind, Maker] = {
    ProposalKind.AGENT_CONFIG: configured,
    ProposalKind.MODEL_CHEAPER: cheaper,
    ProposalKind.GUARD_NEW: guarded,
    ProposalKind.WORKFLOW_NEW: taught,
    ProposalKind.AGENT_NEW: taken_on,
    ProposalKind.AGENT_SPLIT: split,
    ProposalKind.AGENT_MERGE: merged,
    ProposalKind.AGENT_RETIRE: retired,
    ProposalKind.ROUTE_CHANGE: rerouted,
}

__all__ = ["MAKERS", "Maker", "Roster", "Situation"]
