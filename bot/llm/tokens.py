"""How many tokens a text has, roughly, where the provider did not count."""

import json
from collections.abc import Mapping

from bot.model.chat import ModelRequest

_PER_MESSAGE = 4


def of_text(text: str) -> int:
    """A token for every four bytes of UTF-8: near the truth for English, high for other scripts."""
    size = len(text) if text.isascii() else len(text.encode(errors="replace"))
    return (size + 3) // 4


def of_request(request: ModelRequest) -> int:
    """Messages and tool schemas together."""
    messages = sum(_of_message(m) for m in request.messages)
    tools = sum(of_text(t.description) + of_text(json.dumps(t.parameters)) for t in request.tools)
    return messages + tools


def _of_message(message: Mapping[str, object]) -> int:
    content = message.get("content")
    text = content if isinstance(content, str) else json.dumps(content or "")
    calls = message.get("tool_calls")
    return _PER_MESSAGE + of_text(text) + (of_text(json.dumps(calls)) if calls else 0)
