"""Small made records for tests."""

from dataclasses import replace
from typing import Any

from bot.clock import SystemIds
from bot.model.proposal import Change, Proposal, ProposalKind, ProposalStatus
from bot.model.run import Run, RunKind, RunStatus

_ids = SystemIds()


def run(**changes: Any) -> Run:
    """A queued request in workspace "local", each with its own id and event."""
    run_id = _ids.run_id()
    made = Run(
        id=run_id,
        workspace="local",
        kind=RunKind.REQUEST,
        status=RunStatus.QUEUED,
        channel="web",
        event_id=f"event-{run_id}",
        conversation="c1",
        person="member",
        message="How long is the refund window?",
        created_at=1_780_000_000_000,
        node="n1",
    )
    return replace(made, **changes)


def proposal(**changes: Any) -> Proposal:
    """A drafted lesson for the writer in workspace "local", each with its own id."""
    id = _ids.run_id()
    made = Proposal(
        id=id,
        workspace="local",
        number=12,
        kind=ProposalKind.AGENT_CONFIG,
        status=ProposalStatus.DRAFTED,
        title="Teach writer: Cite.",
        change=Change("writer", bullet="Cite."),
        base_version=1,
        diff="+ Cite.",
        evidence=(),
        expected="",
        risk="approver",
        fingerprint=f"f{id}",
        created_at=1_780_000_000_000,
        expires_at=1_790_000_000_000,
    )
    return replace(made, **changes)
