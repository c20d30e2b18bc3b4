"""An answer that still grows: where Slack shows it, and what of it is shown; pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bot.live import Doing, Progress
from handlers.slack.incoming import text_of
from handlers.slack.markdown import escape, harmless
from handlers.slack.outgoing import Block, pieces

Chunk = Mapping[str, object]
Kind = Literal["stream", "post"]

_TITLES = {
    "route": "Choosing an agent",
    "recall": "Looking at what is remembered",
    "model": "Asking the model",
}
_STATES = {"busy": "in_progress", "done": "complete", "failed": "error"}


@dataclass(slots=True)
class Draft:
    """`ts` is "" from just before the message is asked for until Slack has said its ts: then it
    may be there or not. `said` is the markdown that a stream shows, None where that isn't certain.
    `tasks` are the states of a stream's cards by id."""

    run_id: str
    channel: str
    thread_ts: str
    kind: Kind
    ts: str = ""
    said: str | None = ""
    tasks: dict[str, str] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)

    @property
    def ref(self) -> dict[str, object]:
        """What is remembered of it."""
        return {
            "channel": self.channel,
            "thread_ts": self.thread_ts,
            "kind": self.kind,
            "ts": self.ts,
        }

    def news(self, progress: Progress) -> list[Chunk]:
        """What a stream doesn't show yet. What was said already stays: only its end grows."""
        chunks: list[Chunk] = [
            task
            for step in progress.steps
            if (task := _task(self.run_id, step))
            and self.tasks.get(str(task["id"])) != task["status"]
        ]
        text = harmless(beginning(progress.text))
        if self.said is not None and text.startswith(self.said) and text != self.said:
            chunks.append({"type": "markdown_text", "text": text[len(self.said) :]})
        return chunks

    def has(self, chunks: list[Chunk]) -> None:
        """The stream shows these now."""
        for chunk in chunks:
            if chunk["type"] == "task_update":
                self.tasks[str(chunk["id"])] = str(chunk["status"])
                self.titles[str(chunk["id"])] = str(chunk["title"])
            elif self.said is not None:
                self.said += str(chunk["text"])

    def rest(self, text: str) -> list[Chunk] | None:
        """What completes a stream to `text`, its cards included; None where it said otherwise."""
        if self.said is None or not text.startswith(self.said):
            return None
        chunks: list[Chunk] = [
            _card(task, self.titles[task], "complete")
            for task, status in self.tasks.items()
            if status == "in_progress"
        ]
        if text != self.said:
            chunks.append({"type": "markdown_text", "text": text[len(self.said) :]})
        return chunks


def from_ref(run_id: str, ref: Mapping[str, object]) -> Draft:
    """A draft of which only what was remembered is known."""
    kind: Kind = "post" if ref.get("kind") == "post" else "stream"
    channel, thread_ts = text_of(ref.get("channel")), text_of(ref.get("thread_ts"))
    return Draft(run_id, channel, thread_ts, kind, text_of(ref.get("ts")), None)


def beginning(text: str) -> str:
    """The part of a text without its end that its first message shows: a beginning of what that
    message will show at last, wherever nothing else is said."""
    found = pieces(text.strip("\n").rstrip())
    return found[0].rstrip() if found else ""


def mark(run_id: str) -> str:
    """What stands for the delivery's id in the metadata of a posted draft."""
    return f"draft:{run_id}"


def drafted(message: Mapping[str, Any], run_id: str) -> Kind | None:
    """What kind of draft of that run a message is, as Slack shows it; None for any other."""
    payload = (message.get("metadata") or {}).get("event_payload") or {}
    if payload.get("delivery") == mark(run_id) or mark(run_id) in str(message.get("blocks")):
        return "post"
    return "stream" if f"{run_id}:" in str(_task_ids(message.get("blocks"))) else None


def unfinished(message: Mapping[str, Any]) -> bool:
    """Whether a message is a stream that goes on."""
    return text_of(message.get("streaming_state")) in ("in_progress", "streaming", "started")


def busy_line(progress: Progress) -> Block | None:
    """What is being done, below a draft that is posted and edited."""
    busy = [title for step in progress.steps if step.state == "busy" and (title := _title(step))]
    if not busy:
        return None
    text = {"type": "mrkdwn", "text": f"_{escape(busy[-1])}…_"}
    return {"type": "context", "elements": [text]}


def _task(run_id: str, step: Doing) -> Chunk | None:
    title = _title(step)
    return _card(f"{run_id}:{step.seq}", title, _STATES[step.state]) if title else None


def _card(task: str, title: str, status: str) -> Chunk:
    return {"type": "task_update", "id": task, "title": title, "status": status}


def _title(step: Doing) -> str:
    """In words for people; "" for what nobody needs to see. A model may call a tool by any name."""
    if step.kind == "file":
        return f"Reading {harmless(' '.join(step.name.split())[:60])}"
    name = harmless(" ".join(step.name.split())[:60])
    if step.kind == "tool":
        return f"Using {name.replace('_', ' ').strip() or 'a tool'}"
    if step.kind == "file":
        return f"Reading {name or 'a file'}"
    return _TITLES.get(step.kind, "")


def _task_ids(blocks: Any) -> list[object]:
    found: list[object] = []
    for block in blocks if isinstance(blocks, list) else ():
        if isinstance(block, Mapping):
            found += [block.get("task_id"), *_task_ids(block.get("tasks"))]
    return found
