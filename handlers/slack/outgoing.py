"""Reply → Slack messages of blocks, within Slack's limits: pure."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.model.message import Button, Card, Reply
from handlers.slack.markdown import escape, fenced, harmless, mrkdwn
from handlers.slack.splitting import split

METADATA = "ratchet_run"
MARK = "ratchet:run:"
_MARK = re.compile(rf"{MARK}([^:]*):(.*):(\d{{1,4}})")
_ENTITY = re.compile(r"&[a-z]{0,3}$")
PRESS = "ratchet:press:"
ASK = "ratchet:ask:"
"""Prefixes of our action ids; what follows ASK is a number, a colon and the question."""

TEXT = 9_000
"""Characters of an answer in one message: a markdown block may hold 12,000, all blocks of a
message together about 13,000, and a card or buttons may follow."""

ROOM, SECTION, MESSAGE = 11_500, 3_000, 38_000
_LABEL, _HEADER, _ACTION_ID, _VALUE = 75, 150, 255, 2_000
_FIELD, _FIELDS, _LINE, _BUTTONS = 300, 12, 500, 25
"""Ours, so that the fullest card with its buttons stays below what a message may hold."""

Block = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Part:
    """One Slack message. `text` is what notifications and screen readers get; `blocks` need
    Slack's newer blocks, `plain` only sections and buttons; `bare` is all of it as text."""

    text: str
    blocks: Sequence[Block]
    plain: Sequence[Block]
    bare: str


def render(reply: Reply) -> list[Part]:
    """The messages that show a reply, in order; none for an empty one."""
    told = reply.text.strip() or reply.card or reply.buttons
    if not (told or reply.picture or reply.files):
        return []
    chunks, tail = _cut(reply)
    if tail:
        chunks.append("")
    parts = [_part(chunk, Reply("")) for chunk in chunks[:-1]]
    return [*parts, _part(chunks[-1] if chunks else "", reply)]


def notice(words: str) -> Part:
    """One short line."""
    text = escape(words)
    return Part(text, [_context(text)], [_context(text)], text)


def image(file_id: str, alt: str) -> Part:
    """A picture that Slack holds already."""
    shown = {"type": "image", "slack_file": {"id": file_id}, "alt_text": _clip(alt, 1_900) or "…"}
    return Part(escape(alt) or "A picture", [shown], [shown], escape(alt))


def pieces(text: str) -> list[str]:
    """A text as the messages that it takes."""
    return [thin for piece in split(text, TEXT) for thin in _thin(piece)]


def metadata(run_id: str, delivery_id: str, part: int) -> dict[str, object]:
    """What makes a message findable after a crash, and its run known when it is rated."""
    payload = {"run_id": run_id, "delivery": delivery_id, "part": part}
    return {"event_type": METADATA, "event_payload": payload}


def marked(blocks: Sequence[Block], run_id: str, delivery_id: str, part: int) -> list[Block]:
    """The same in a block's id, for servers that drop metadata. Slack itself keeps no id of a
    markdown block."""
    mark = f"{MARK}{run_id}:{delivery_id}:{part}"
    if not blocks or len(mark) > 255:
        return list(blocks)
    kept = [n for n, block in enumerate(blocks) if block["type"] != "markdown"] or [0]
    return [{**b, "block_id": mark} if n == kept[0] else b for n, b in enumerate(blocks)]


def mark_of(message: Mapping[str, Any]) -> tuple[str, str, int] | None:
    """(run id, delivery id, part) of one of our messages, as Slack shows it."""
    found = message.get("metadata")
    if isinstance(found, Mapping) and found.get("event_type") == METADATA:
        payload = found.get("event_payload")
        if isinstance(payload, Mapping):
            part = str(payload.get("part", 0))
            run_id, delivery_id = payload.get("run_id", ""), payload.get("delivery", "")
            return str(run_id), str(delivery_id), int(part) if part.isdecimal() else 0
    blocks = message.get("blocks")
    for block in blocks if isinstance(blocks, list) else ():
        block_id = block.get("block_id") if isinstance(block, Mapping) else None
        if isinstance(block_id, str) and (mark := _MARK.fullmatch(block_id)):
            return mark[1], mark[2], int(mark[3])
    return None


def _cut(reply: Reply) -> tuple[list[str], bool]:
    """The text in pieces, and whether what follows it needs a message of its own."""
    card = reply.card
    said = "" if card and _same(reply.text, card.body) else reply.text.strip("\n")
    text = "\n\n".join(filter(None, (said, _overflow(card))))
    chunks = pieces(text)
    tail = sum(len(json.dumps(block, ensure_ascii=False)) for block in _tail(reply, rich=False))
    return chunks, bool(chunks) and len(mrkdwn(chunks[-1])) + tail > ROOM


def _same(text: str, body: str) -> bool:
    """Whether a card says already what goes before it for who sees no cards."""
    return text.split() == body.split()


def _overflow(card: Card | None) -> str:
    """What is too long to stand on the card and goes before it."""
    if card is None:
        return ""
    body = "" if _shown_here(card.body) else card.body
    diff = fenced(card.diff, "diff") if card.diff and not _shown_here(card.diff) else ""
    return "\n\n".join(filter(None, (body, diff)))


def _shown_here(text: str) -> str:
    """A text short enough to stand on the card itself, else ""."""
    return text if len(mrkdwn(text)) < SECTION - 20 and len(escape(text)) < SECTION - 20 else ""


def _thin(piece: str) -> list[str]:
    """Text that grows a lot when escaped is cut into smaller messages."""
    return [piece] if len(mrkdwn(piece)) <= ROOM else split(piece, TEXT // 5)


def _part(chunk: str, reply: Reply) -> Part:
    text = mrkdwn(chunk)
    rich: list[Block] = [{"type": "markdown", "text": harmless(chunk)}] if chunk else []
    plain = [_section(piece) for piece in split(text, SECTION)]
    rich += _tail(reply, rich=True)
    plain += _tail(reply, rich=False)
    bare = "\n".join(filter(None, (text, *_tail_lines(reply))))
    card = (escape(reply.card.title), escape(reply.card.status)) if reply.card else ()
    said = reply.text if reply.card and _same(reply.text, reply.card.body) else ""
    words = text or mrkdwn(said.strip())
    shown = "\n".join(filter(None, (words, *card))) or _title(reply)
    return Part(shown[:MESSAGE], rich[:50], plain[:50], (bare or shown)[:MESSAGE])


def _title(reply: Reply) -> str:
    named = [reply.picture.alt] if reply.picture else [file.name for file in reply.files]
    return escape(", ".join(named))[:MESSAGE] or "Please choose:"


def _tail(reply: Reply, *, rich: bool) -> Iterator[Block]:
    card = reply.card
    if card:
        yield from _card(card, rich=rich)
    if reply.buttons and not (card and card.status):
        for start in range(0, min(len(reply.buttons), _BUTTONS), 5):
            yield _actions(reply.buttons[start : start + 5], start)
    if reply.rateable and reply.run_id:
        yield _thumbs(reply.run_id) if rich else _plain_thumbs(reply.run_id)
    if reply.footer:
        yield _context(escape(reply.footer))


def _card(card: Card, *, rich: bool) -> Iterator[Block]:
    yield {"type": "header", "text": _plain_text(card.title, _HEADER)}
    if body := _shown_here(card.body):
        yield from (_section(piece) for piece in split(mrkdwn(body), SECTION))
    fields = [
        {"type": "mrkdwn", "text": _clip(f"*{escape(f.label)}*\n{escape(f.value)}", _FIELD)}
        for f in card.fields
    ]
    for start in range(0, min(len(fields), _FIELDS), 6):
        yield {"type": "section", "fields": fields[start : start + 6]}
    if diff := _shown_here(card.diff):
        plain = (_section(piece) for piece in split(escape(fenced(diff)), SECTION))
        yield from [_preformatted(diff)] if rich else plain
    if card.status:
        yield _section(_clip(f"*{escape(card.status)}*", _LINE))


def _preformatted(text: str) -> Block:
    """Text in which Slack looks for no markup; and what would be a mention elsewhere is none."""
    words = {"type": "text", "text": harmless(text)}
    inner = {"type": "rich_text_preformatted", "elements": [words]}
    return {"type": "rich_text", "elements": [inner]}


def _actions(buttons: Sequence[Button], start: int) -> Block:
    elements = [_button(button, start + at) for at, button in enumerate(buttons)]
    return {"type": "actions", "elements": elements}


def _button(button: Button, number: int) -> Block:
    action_id = f"{ASK}{number}:{button.asks}" if button.asks else f"{PRESS}{number}"
    element = {
        "type": "button",
        "action_id": action_id[:_ACTION_ID],
        "text": _plain_text(button.label, _LABEL),
        "value": button.command[:_VALUE],
    }
    return element if button.style == "default" else {**element, "style": button.style}


def _thumbs(run_id: str) -> Block:
    def button(label: str, verdict: str) -> Block:
        says = {"text": _plain_text(label, _LABEL), "accessibility_label": f"{label} answer"}
        return {**says, "value": f"/rate {run_id} {verdict}"}

    element = {
        "type": "feedback_buttons",
        "action_id": f"{PRESS}rate",
        "positive_button": button("Good", "up"),
        "negative_button": button("Bad", "down"),
    }
    return {"type": "context_actions", "elements": [element]}


def _plain_thumbs(run_id: str) -> Block:
    buttons = (Button("👍", f"/rate {run_id} up"), Button("👎", f"/rate {run_id} down"))
    return _actions(buttons, 1_000)


def _tail_lines(reply: Reply) -> Iterator[str]:
    """The same in words, for a server that takes no blocks at all."""
    if card := reply.card:
        yield f"*{escape(card.title)}*"
        yield mrkdwn(_shown_here(card.body))
        yield from (f"{escape(f.label)}: {escape(f.value)}" for f in card.fields)
        yield escape(fenced(card.diff)) if _shown_here(card.diff) else ""
        yield escape(card.status)
    if not (card and card.status):
        yield from (f"{escape(b.label)}: `!{b.command.lstrip('/')}`" for b in reply.buttons)
    yield escape(reply.footer)


def _section(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def _context(text: str) -> Block:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": _clip(text, _LINE)}]}


def _plain_text(text: str, limit: int) -> Block:
    return {"type": "plain_text", "text": _clip(" ".join(text.split()) or "…", limit)}


def _clip(text: str, limit: int) -> str:
    """What is left out is a whole character, also where that is an entity."""
    return text if len(text) <= limit else _ENTITY.sub("", text[: limit - 1]) + "…"
