"""Questions and notes in a window of their own: pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from handlers.slack.outgoing import ASK, Block

LONGEST = 3_000
"""Characters that a text field of Slack's takes."""

FIELD = "asked"
_METADATA = 3_000


@dataclass(frozen=True, slots=True)
class Ask:
    """A question to put in a modal. `kept` comes back with the answer (strings only). `value` is
    what the answer begins as; `optional` lets it stay empty."""

    trigger_id: str
    question: str
    kept: Mapping[str, str] = field(default_factory=dict)
    value: str = ""
    optional: bool = False


def question(asks: Ask) -> Block:
    """The modal of a question."""
    state = {**asks.kept, **({"optional": "yes"} if asks.optional else {})}
    if len(json.dumps(state)) > _METADATA:
        state.pop("response_url", None)
    element: dict[str, object] = {
        "type": "plain_text_input",
        "action_id": "typed",
        "multiline": True,
        "max_length": LONGEST,
    }
    label = asks.question or "What should it say?"
    if asks.value and len(asks.value) <= LONGEST:
        element["initial_value"] = asks.value
    elif asks.value:
        label += " It is too long to be shown here: what you write takes its place."
    asked = {
        "type": "input",
        "block_id": FIELD,
        "optional": asks.optional,
        "label": _plain(label, 2_000),
        "element": element,
    }
    word = asks.kept.get("command", "").strip("/").partition(" ")[0]
    return {
        "type": "modal",
        "callback_id": ASK,
        "private_metadata": json.dumps(state),
        "title": _plain(word.replace("-", " ").capitalize() or "Ratchet", 24),
        "submit": _plain("Send", 24),
        "close": _plain("Cancel", 24),
        "blocks": [asked],
    }


def note(title: str, text: str) -> Block:
    """A modal that only says something."""
    section = {"type": "section", "text": {"type": "mrkdwn", "text": text[:LONGEST]}}
    return {
        "type": "modal",
        "title": _plain(title, 24),
        "close": _plain("Close", 24),
        "blocks": [section],
    }


def _plain(text: str, limit: int) -> Block:
    text = " ".join(text.split()) or "…"
    text = text if len(text) <= limit else text[: limit - 1] + "…"
    return {"type": "plain_text", "text": text}
