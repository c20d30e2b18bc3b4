"""How many tokens a text has, roughly, where the provider did not count."""

import json
from collections.abc import Mapping

from bot.model.chat import ModelRequest

_PER_MESSAGE = 4
_PER_IMAGE = 1_600
# They count an image as so many tokens that it costs what it costs with the larger model.
_DEAR_IMAGES = {"gpt-4o-mini": 37_000, "gpt-4.1-nano": 4_000, "gpt-4.1-mini": 2_500}


def of_text(text: str) -> int:
    """A token for every four bytes of UTF-8: near the truth for English, high for other scripts."""
    size = len(text) if text.isascii() else len(text.encode(errors="replace"))
    return (size + 3) // 4


def of_request(request: ModelRequest) -> int:
    """Messages and tool schemas together."""
    dear = (n for name, n in _DEAR_IMAGES.items() if request.model.startswith(name))
    per_image = next(dear, _PER_IMAGE)
    messages = sum(_of_message(m, per_image) for m in request.messages)
    tools = sum(of_text(t.description) + of_text(json.dumps(t.parameters)) for t in request.tools)
    return messages + tools


def _of_message(message: Mapping[str, object], per_image: int) -> int:
    calls = message.get("tool_calls")
    of_calls = of_text(json.dumps(calls)) if calls else 0
    return _PER_MESSAGE + _of_content(message.get("content"), per_image) + of_calls


def _of_content(content: object, per_image: int) -> int:
    """An image counts by what it is, not by the length of its data URL."""
    if isinstance(content, str):
        return of_text(content)
    if not isinstance(content, list):
        return 0
    texts = sum(of_text(str(part["text"])) for part in content if part.get("type") == "text")
    images = sum(1 for part in content if part.get("type") == "image_url")
    return texts + per_image * images
