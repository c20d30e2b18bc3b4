"""From runs to what the HTTP APIs answer; pure. Times are ms since the epoch, UTC."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.model.codec import reply_from_json
from bot.model.message import Card, Reply
from bot.model.run import Run, RunStatus, Step, Usage
from handlers.web.incoming import API


def said_by(run: Run) -> str:
    """The run's reply as one CommonMark text, cards and buttons included."""
    return as_text(reply_of(run))


def reply_of(run: Run) -> Reply:
    return reply_from_json(run.reply) if run.reply else Reply(run.answer, run.id)


def as_text(reply: Reply) -> str:
    parts = [reply.text]
    if reply.card:
        parts += _card_lines(reply.card)
    if reply.picture:
        parts.append(f"_{reply.picture.alt}_")
    parts.append("\n".join(f"File: [{f.name}]({file_path(f.id)})" for f in reply.files))
    if not (reply.card and reply.card.status):
        parts.append("\n".join(f"{b.label}: `{b.command}`" for b in reply.buttons))
    return "\n\n".join(part for part in parts if part)


def file_path(id: str) -> str:
    return f"/v1/files/{id}/content"


def _card_lines(card: Card) -> list[str]:
    fields = "\n".join(f"{f.label}: {f.value}" for f in card.fields)
    diff = f"```diff\n{card.diff}\n```" if card.diff else ""
    return [f"**{card.title}**", card.body, fields, diff, card.status]


def answered(run: Run) -> bool:
    """Whether there is an answer to give, if only the part said before it was stopped."""
    stopped = run.status is RunStatus.CANCELLED and bool(run.answer)
    return run.status is RunStatus.SUCCEEDED or stopped


def completion_json(run: Run, model: str) -> dict[str, object]:
    message = {"role": "assistant", "content": said_by(run), "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    head = _head(run.id, "chat.completion", run.created_at, model)
    return {**head, "choices": [choice], "usage": openai_usage(run.usage)}


def chunk_json(
    run_id: str, created_at: int, model: str, delta: Mapping[str, str], finish: str | None = None
) -> dict[str, object]:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    head = _head(run_id, "chat.completion.chunk", created_at, model)
    return {**head, "choices": [choice]}


def usage_chunk_json(run: Run, model: str) -> dict[str, object]:
    head = _head(run.id, "chat.completion.chunk", run.created_at, model)
    return {**head, "choices": [], "usage": openai_usage(run.usage)}


def _head(run_id: str, kind: str, created_at: int, model: str) -> dict[str, object]:
    created = created_at // 1000
    return {"id": f"chatcmpl-{run_id}", "object": kind, "created": created, "model": model}


def openai_usage(usage: Usage) -> dict[str, object]:
    return {
        "prompt_tokens": usage.tokens_in,
        "completion_tokens": usage.tokens_out,
        "total_tokens": usage.tokens_in + usage.tokens_out,
        "prompt_tokens_details": {"cached_tokens": usage.tokens_cached},
    }


def rest_of(full: str, sent: str) -> str:
    """What is missing after the deltas `sent`, which may hold earlier, abandoned beginnings."""
    for size in range(min(len(full), len(sent)), 0, -1):
        if sent.endswith(full[:size]):
            return full[size:]
    return f"\n\n{full}" if sent and full else full


def run_json(run: Run) -> dict[str, object]:
    """A run as the runs API shows it, without its steps."""
    failed = bool(run.error_type) or run.status is RunStatus.FAILED
    error = {"type": run.error_type, "message": run.error_message or reply_of(run).text}
    return {
        "run_id": run.id,
        "status": run.status.value,
        "kind": run.kind.value,
        "channel": run.channel,
        "conversation": _conversation(run),
        "agent": run.agent,
        "agent_version": run.agent_version,
        "message": run.message,
        "answer": said_by(run),
        "files": [
            {"id": f.id, "name": f.name, "mime": f.mime, "size": f.size, "path": file_path(f.id)}
            for f in reply_of(run).files
        ],
        "outcome": {"y": run.outcome.y, "source": run.outcome.source},
        "usage": usage_json(run.usage),
        "cost_usd": run.usage.cost_usd,
        "latency_ms": run.latency_ms,
        "error": error if failed else None,
        "created_at": run.created_at,
        "started_at": run.started_at or None,
        "finished_at": run.finished_at or None,
        "attempt": run.attempt,
        **({"data": dict(data)} if (data := reply_of(run).data) else {}),
    }


def usage_json(usage: Usage) -> dict[str, object]:
    return {
        "tokens_in": usage.tokens_in,
        "tokens_out": usage.tokens_out,
        "tokens_cached": usage.tokens_cached,
        "estimated": usage.estimated,
    }


def steps_json(steps: Sequence[Step]) -> list[dict[str, Any]]:
    return [step_json(step) for step in steps]


def step_json(step: Step) -> dict[str, Any]:
    return {
        "seq": step.seq,
        "kind": step.kind.value,
        "name": step.name,
        "started_at": step.started_at,
        "duration_ms": step.duration_ms,
        "input": step.input,
        "output": step.output,
        "usage": usage_json(step.usage),
        "cost_usd": step.usage.cost_usd,
        "error_type": step.error_type,
        "error_message": step.error_message,
    }


def _conversation(run: Run) -> str:
    """As the caller named it; the prefix keeps API conversations apart from all others."""
    return run.conversation.removeprefix(f"{API}:") if run.channel == API else run.conversation
