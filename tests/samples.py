"""Small made records for tests."""

from dataclasses import replace
from typing import Any

from bot.clock import SystemIds
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
