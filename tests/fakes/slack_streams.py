"""Slack's streamed messages as its documentation describes them: state, recipients, limits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.slack_blocks import Invalid, check_message

Args = Mapping[str, Any]
_STATES = ("pending", "in_progress", "complete", "error")


@dataclass
class Stream:
    """One streamed message: `message` is what Slack lists of it."""

    message: dict[str, Any]
    text: str = ""
    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def goes_on(self) -> bool:
        return bool(self.message["streaming_state"] == "in_progress")

    def take(self, args: Args) -> None:
        """Appends what a call brings. Raises Invalid for what Slack would refuse."""
        chunks = _checked(args)
        for chunk in chunks:
            if chunk["type"] == "markdown_text":
                self.text += chunk["text"]
            else:
                kept = {k: v for k, v in chunk.items() if k not in ("type", "id")}
                self.tasks[chunk["id"]] = {"type": "task_card", "task_id": chunk["id"], **kept}
        self.message["text"] = self.text
        words = [{"type": "markdown", "text": self.text}] if self.text else []
        self.message["blocks"] = [*self.tasks.values(), *words]

    def stop(self, args: Args) -> None:
        self.take(args)
        tail = args.get("blocks") or []
        check_message("stopped", tail)
        self.message["blocks"] += tail
        if args.get("metadata"):
            self.message["metadata"] = args["metadata"]
        self.message["streaming_state"] = "completed"


def check_start(args: Args) -> None:
    """Who is streamed to must be named, unless it is a direct message."""
    if not args.get("thread_ts"):
        raise Invalid("invalid_thread_ts")
    if not args["channel"].startswith("D"):
        for name in ("recipient_team_id", "recipient_user_id"):
            if not args.get(name):
                raise Invalid(f"missing_{name}")


def _checked(args: Args) -> Sequence[Mapping[str, Any]]:
    chunks = list(args.get("chunks") or [])
    if args.get("markdown_text"):
        chunks.insert(0, {"type": "markdown_text", "text": args["markdown_text"]})
    for chunk in chunks:
        if chunk.get("type") == "markdown_text":
            if not chunk.get("text"):
                raise Invalid("invalid_chunks", "empty text")
        elif chunk.get("type") == "task_update":
            if not (chunk.get("id") and chunk.get("title")) or chunk.get("status") not in _STATES:
                raise Invalid("invalid_chunks", str(chunk))
        else:
            raise Invalid("invalid_chunks", f"unknown {chunk.get('type')}")
    if sum(len(chunk.get("text", "")) for chunk in chunks) > 12_000:
        raise Invalid("msg_too_long")
    return chunks
