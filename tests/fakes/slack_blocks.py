"""Slack's documented limits on messages, checked the way Slack checks them."""

from collections.abc import Mapping, Sequence
from typing import Any

_STYLES = {None, "primary", "danger"}


class Invalid(Exception):
    """What Slack would refuse; the first argument is its error code."""


def check_message(text: str, blocks: Sequence[Any]) -> None:
    """Raises Invalid with Slack's code for the first limit that is broken."""
    if not text and not blocks:
        raise Invalid("no_text")
    if len(text) > 40_000:
        raise Invalid("msg_too_long")
    if len(blocks) > 50:
        raise Invalid("invalid_blocks", "more than 50 blocks")
    if sum(_weight(block) for block in blocks) > 13_000:
        raise Invalid("msg_blocks_too_long")
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    _need(len(ids) == len(set(ids)) and all(len(i) <= 255 for i in ids), "block_id")
    for block in blocks:
        _block(block)


def _need(truth: bool, why: str) -> None:
    if not truth:
        raise Invalid("invalid_blocks", why)


def _text(value: Any, limit: int, kinds: tuple[str, ...] = ("plain_text", "mrkdwn")) -> None:
    _need(isinstance(value, Mapping) and value.get("type") in kinds, f"not a text: {value}")
    _need(1 <= len(value["text"]) <= limit, f"text of {len(value['text'])}, limit {limit}")


def _block(block: Any) -> None:
    kind = block.get("type")
    if kind == "markdown":
        _need(1 <= len(block["text"]) <= 12_000, "markdown text")
    elif kind == "section":
        _need(bool(block.get("text") or block.get("fields")), "empty section")
        if block.get("text"):
            _text(block["text"], 3_000)
        _need(len(block.get("fields", ())) <= 10, "fields")
        for field in block.get("fields", ()):
            _text(field, 2_000)
    elif kind == "header":
        _text(block["text"], 150, ("plain_text",))
    elif kind == "context":
        _need(1 <= len(block["elements"]) <= 10, "context elements")
        for element in block["elements"]:
            _text(element, 2_000)
    elif kind == "actions":
        _elements(block, 25, ("button",))
    elif kind == "context_actions":
        _elements(block, 5, ("feedback_buttons", "icon_button"))
    elif kind == "rich_text":
        _need(bool(block.get("elements")), "empty rich text")
        for part in block["elements"]:
            _need(part["type"] == "rich_text_preformatted", f"rich text {part['type']}")
            _need(all(e["type"] == "text" and e["text"] for e in part["elements"]), "text")
    elif kind == "image":
        _need(1 <= len(block.get("alt_text", "")) <= 2_000, "alt_text")
        _need("slack_file" in block or "image_url" in block, "no picture")
    elif kind == "input":
        _text(block["label"], 2_000, ("plain_text",))
    else:
        raise Invalid("invalid_blocks", f"unsupported block {kind}")


def _elements(block: Any, most: int, kinds: tuple[str, ...]) -> None:
    elements = block["elements"]
    _need(1 <= len(elements) <= most, "number of elements")
    ids = [element["action_id"] for element in elements]
    _need(len(ids) == len(set(ids)), "action_id twice")
    for element in elements:
        _need(element["type"] in kinds, f"element {element['type']}")
        _need(1 <= len(element["action_id"]) <= 255, "action_id")
        if element["type"] == "feedback_buttons":
            _button(element["positive_button"])
            _button(element["negative_button"])
        else:
            _button(element)


def _button(button: Any) -> None:
    _text(button["text"], 75, ("plain_text",))
    _need(len(button.get("value", "")) <= 2_000, "value")
    _need(button.get("style") in _STYLES, "style")


def _weight(block: Any) -> int:
    if isinstance(block, Mapping):
        return sum(
            len(v) if k == "text" and isinstance(v, str) else _weight(v) for k, v in block.items()
        )
    return sum(_weight(part) for part in block) if isinstance(block, list) else 0


def check_view(view: Mapping[str, Any]) -> None:
    """Raises Invalid for a modal Slack would not open."""
    _need(view.get("type") == "modal", "view type")
    _text(view["title"], 24, ("plain_text",))
    asks = any(block["type"] == "input" for block in view["blocks"])
    for name in ("submit", "close"):
        if name in view or asks:
            _text(view[name], 24, ("plain_text",))
    _need(len(view.get("private_metadata", "")) <= 3_000, "private_metadata")
    _need(1 <= len(view["blocks"]) <= 100, "blocks")
    for block in view["blocks"]:
        _block(block)


def check_home(view: Mapping[str, Any]) -> None:
    """Raises Invalid for a Home tab Slack would not publish."""
    _need(view.get("type") == "home", "view type")
    _need(1 <= len(view["blocks"]) <= 100, "blocks")
    for block in view["blocks"]:
        _block(block)
    ids = [
        e["action_id"] for b in view["blocks"] for e in b.get("elements", ()) if "action_id" in e
    ]
    _need(len(ids) == len(set(ids)), "action_id twice in one view")
