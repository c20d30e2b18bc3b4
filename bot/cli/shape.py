"""A run as the command line prints it; pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bot.model.codec import reply_from_json
from bot.model.run import Run, Step

_ANSWER = (
    "run_id",
    "agent",
    "agent_version",
    "answer",
    "outcome",
    "usage",
    "cost_usd",
    "latency_ms",
)

_DIFF = re.compile(r"^```diff\n(.*?)\n```$", re.DOTALL | re.MULTILINE)
_CAPTION = re.compile(r"\n\n_[^\n]+_\Z")
_BEGUN = re.compile(r"^(?:Running |\*\*[\w-]+\*\* runs now ).*`([0-9a-f]{8})`\.$", re.MULTILINE)


def run_fields(run: Run) -> dict[str, Any]:
    """The same names as the HTTP API uses; times are ms since the epoch, UTC."""
    return {
        "run_id": run.id,
        "status": str(run.status),
        "kind": str(run.kind),
        "channel": run.channel,
        "conversation": run.conversation,
        "message": run.message,
        "agent": run.agent,
        "agent_version": run.agent_version,
        "answer": _reply_text(run),
        "outcome": {"y": run.outcome.y, "source": run.outcome.source},
        "usage": {
            "tokens_in": run.usage.tokens_in,
            "tokens_out": run.usage.tokens_out,
            "tokens_cached": run.usage.tokens_cached,
            "estimated": run.usage.estimated,
        },
        "cost_usd": run.usage.cost_usd,
        "latency_ms": run.latency_ms,
        "created_at": run.created_at,
        "error": {"type": run.error_type, "message": run.error_message} if run.error_type else None,
        **_data(run),
    }


def _data(run: Run) -> dict[str, Any]:
    """What a command answered with, for programs, where it did."""
    data = reply_from_json(run.reply).data if run.reply else {}
    return {"data": data} if data else {}


def made(run: Run) -> list[str]:
    """The ids of the files that came with its answer."""
    return [file.id for file in reply_from_json(run.reply).files] if run.reply else []


def with_files(fields: dict[str, Any], paths: Sequence[str]) -> dict[str, Any]:
    """The same, and where each file of the answer was saved."""
    saved = [f"Saved as {path}" for path in paths if path]
    return {**fields, "answer": "\n\n".join(filter(None, (fields["answer"], "\n".join(saved))))}


def answer_fields(run: Mapping[str, Any]) -> dict[str, Any]:
    """What `ratchet ask --json` prints: these names, in this order; and `data`, where a command
    answers with that too."""
    data = {"data": run["data"]} if "data" in run else {}
    return {**{name: run.get(name) for name in _ANSWER}, **data}


def printed(run: Mapping[str, Any]) -> str:
    """The answer as a terminal shows it: a command's diff has no fence, and what describes a
    picture is gone, for there is none."""
    answer = str(run["answer"])
    if run["kind"] != "command":
        return answer
    return _CAPTION.sub("", _DIFF.sub(r"\1", answer))


def begun(run: Mapping[str, Any]) -> str:
    """The short id of the run that a command began and did not wait for, or ""."""
    found = _BEGUN.search(str(run["answer"])) if run["kind"] == "command" else None
    return found[1] if found else ""


def footer(run: Mapping[str, Any]) -> str:
    """One line about how the answer came to be."""
    agent = f"{run['agent']} v{run['agent_version']}" if run.get("agent") else ""
    cost = run.get("cost_usd")
    spent = "cost unknown" if cost is None else f"${cost:.4f}" if cost else ""
    latency = run.get("latency_ms")
    took = "" if latency is None else f"{latency / 1000:.1f} s"
    return " · ".join(filter(None, (f"run {str(run['run_id'])[-8:]}", agent, took, spent)))


def step_fields(step: Step) -> dict[str, Any]:
    return {
        "seq": step.seq,
        "kind": str(step.kind),
        "name": step.name,
        "started_at": step.started_at,
        "duration_ms": step.duration_ms,
        "input": step.input,
        "output": step.output,
        "cost_usd": step.usage.cost_usd,
        "error_type": step.error_type,
        "error_message": step.error_message,
    }


def _reply_text(run: Run) -> str:
    """The whole reply as text: what was said, its card, and what its buttons say."""
    if not run.reply:
        return run.answer
    reply = reply_from_json(run.reply)
    parts = [reply.text]
    if card := reply.card:
        fields = "\n".join(f"{field.label}: {field.value}" for field in card.fields)
        diff = f"```diff\n{card.diff}\n```" if card.diff else ""
        parts += [f"**{card.title}**", card.body, fields, diff, card.status]
    if not (reply.card and reply.card.status):
        parts.append("\n".join(f"{button.label}: `{button.command}`" for button in reply.buttons))
    return "\n\n".join(filter(None, parts))
