"""Runs, steps and deliveries as rows and back."""

from dataclasses import asdict
from typing import Any

from bot.model.delivery import Delivery, DeliveryStatus
from bot.model.file import FileRef
from bot.model.run import Outcome, Run, RunKind, RunStatus, Step, StepKind, Usage
from storage.constant import Row


def run_row(run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        "workspace": run.workspace,
        "short": run.short,
        "kind": run.kind.value,
        "status": run.status.value,
        "channel": run.channel,
        "event_id": run.event_id,
        "conversation": run.conversation,
        "person": run.person,
        "message": run.message,
        "history": run.history,
        "address": dict(run.address),
        "agent_hint": run.agent_hint,
        "agent": run.agent,
        "agent_version": run.agent_version,
        "trial": run.trial,
        "arm": run.arm,
        "propensity": run.propensity,
        "attempt": run.attempt,
        "node": run.node,
        "created_at": run.created_at,
        "expires_at": run.expires_at,
        "started_at": run.started_at,
        "error_type": run.error_type,
        "guest": run.guest,
        "files": [asdict(file) for file in run.files],
        **usage_columns(run.usage),
    }


def usage_columns(usage: Usage) -> dict[str, Any]:
    return {
        "tokens_in": usage.tokens_in,
        "tokens_out": usage.tokens_out,
        "tokens_cached": usage.tokens_cached,
        "cost_usd": usage.cost_usd,
        "cost_known": usage.cost_usd is not None,
    }


def to_run(row: Row) -> Run:
    return Run(
        id=row["id"],
        workspace=row["workspace"],
        kind=RunKind(row["kind"]),
        status=RunStatus(row["status"]),
        channel=row["channel"],
        event_id=row["event_id"],
        conversation=row["conversation"],
        person=row["person"],
        message=row["message"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        agent=row["agent"],
        agent_version=row["agent_version"],
        agent_hint=row["agent_hint"],
        trial=row["trial"],
        arm=row["arm"],
        propensity=row["propensity"],
        answer=row["answer"],
        reply=row["reply"] or {},
        address=row["address"] or {},
        history=tuple((who, said) for who, said in row["history"] or ()),
        usage=Usage(row["tokens_in"], row["tokens_out"], row["tokens_cached"], row["cost_usd"]),
        outcome=Outcome(row["outcome"], row["outcome_source"]),
        error_type=row["error_type"],
        error_message=row["error_message"],
        attempt=row["attempt"],
        node=row["node"],
        guest=row["guest"],
        files=tuple(FileRef(**file) for file in row["files"] or ()),
    )


def step_row(run: Run, step: Step) -> dict[str, Any]:
    return {
        "run_id": run.id,
        "seq": step.seq,
        "workspace": run.workspace,
        "kind": step.kind.value,
        "name": step.name,
        "attempt": run.attempt,
        "started_at": step.started_at,
        "duration_ms": step.duration_ms,
        "input": step.input,
        "output": step.output,
        "tokens_in": step.usage.tokens_in,
        "tokens_out": step.usage.tokens_out,
        "tokens_cached": step.usage.tokens_cached,
        "cost_usd": step.usage.cost_usd,
        "estimated": step.usage.estimated,
        "error_type": step.error_type,
        "error_message": step.error_message,
    }


def to_step(row: Row) -> Step:
    usage = Usage(
        row["tokens_in"], row["tokens_out"], row["tokens_cached"], row["cost_usd"], row["estimated"]
    )
    return Step(
        seq=row["seq"],
        kind=StepKind(row["kind"]),
        name=row["name"],
        started_at=row["started_at"],
        duration_ms=row["duration_ms"],
        input=row["input"],
        output=row["output"],
        usage=usage,
        error_type=row["error_type"],
        error_message=row["error_message"],
    )


def delivery_row(delivery: Delivery, node: str, now: int) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "workspace": delivery.workspace,
        "run_id": delivery.run_id,
        "channel": delivery.channel,
        "address": dict(delivery.address),
        "reply": dict(delivery.reply),
        "status": delivery.status.value,
        "node": node,
        "attempts": delivery.attempts,
        "next_at": delivery.next_at,
        "edits": delivery.edits and dict(delivery.edits),
        "card": delivery.card,
        "created_at": now,
    }


def to_delivery(row: Row) -> Delivery:
    return Delivery(
        id=row["id"],
        workspace=row["workspace"],
        run_id=row["run_id"],
        channel=row["channel"],
        address=row["address"] or {},
        reply=row["reply"] or {},
        status=DeliveryStatus(row["status"]),
        attempts=row["attempts"],
        next_at=row["next_at"],
        edits=row["edits"],
        ref=row["ref"],
        card=row["card"],
        error=row["error"],
    )
