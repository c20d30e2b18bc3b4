"""Reply → WhatsApp messages: texts that fit, and at most three reply buttons."""

import re
from collections.abc import Mapping

from bot.model.message import Button, Card, Reply
from handlers.whatsapp.words import COMMANDS

TEXT_LIMIT = 4096
BODY_LIMIT = 1024
BUTTONS = 3
TITLE_LIMIT = 20
ID_LIMIT = 256

_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_CODE = re.compile(r"(```.*?```|`[^`\n]+`)", re.DOTALL)
_MARKS = (
    (re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE), r"*\1*"),
    (re.compile(r"\*\*(.+?)\*\*"), r"*\1*"),
    (re.compile(r"~~(.+?)~~"), r"~\1~"),
    (re.compile(r"!?\[([^\]]+)\]\((\S+?)\)"), r"\1 (\2)"),
)


def bodies(reply: Reply) -> list[dict[str, object]]:
    """The messages that show the reply, in order, each without its recipient."""
    text = _text(reply)
    buttons = [] if reply.card and reply.card.status else _buttons(reply.buttons)
    if not buttons:
        return [_said(piece) for piece in split(text, TEXT_LIMIT)]
    *before, last = split(text, TEXT_LIMIT)
    if len(last) > BODY_LIMIT:
        before, last = [*before, last], reply.card.title if reply.card else "Choose:"
    return [*map(_said, before), _asked(last[:BODY_LIMIT], buttons)]


def recipient(address: Mapping[str, object]) -> dict[str, object]:
    """A phone number goes into `to`; a business-scoped id there is dropped without an error."""
    to, user_id = str(address.get("to") or ""), str(address.get("user_id") or "")
    if not address.get("wa_id") and (to == user_id or "." in to):
        return {"recipient_type": "individual", "recipient": to or user_id}
    return {"recipient_type": "individual", "to": to.lstrip("+")}


def news(card: Card) -> list[dict[str, object]]:
    """One line about a card that was decided: what was shown can't be changed."""
    return [_said(_clean(f"{card.title}: {card.status}")[:TEXT_LIMIT])]


def split(text: str, limit: int) -> list[str]:
    """Cuts between paragraphs, lines or words, in that order of preference."""
    pieces: list[str] = []
    while len(text) > limit:
        ends = [text.rfind(mark, limit // 2, limit) for mark in ("\n\n", "\n", " ")]
        end = next((e for e in ends if e > 0), limit)
        pieces.append(text[:end].rstrip())
        text = text[end:].lstrip()
    return [piece for piece in (*pieces, text) if piece] or ["…"]


def _said(text: str) -> dict[str, object]:
    return {"type": "text", "text": {"body": text, "preview_url": False}}


def _asked(text: str, buttons: list[Button]) -> dict[str, object]:
    keys = [
        {"type": "reply", "reply": {"id": b.command, "title": _clean(b.label)[:TITLE_LIMIT]}}
        for b in buttons
    ]
    interactive = {"type": "button", "body": {"text": text}, "action": {"buttons": keys}}
    return {"type": "interactive", "interactive": interactive}


def _buttons(buttons: tuple[Button, ...]) -> list[Button]:
    """Those that say something that works here; two of one title are refused by the platform."""
    fitting = {
        _clean(b.label)[:TITLE_LIMIT]: b
        for b in reversed(buttons)
        if b.command.lstrip("/").split(" ")[0] in COMMANDS and len(b.command) <= ID_LIMIT
    }
    return list(reversed(fitting.values()))[:BUTTONS]


def _text(reply: Reply) -> str:
    picture = reply.picture.alt if reply.picture else ""
    blocks = [_marked(reply.text), _card(reply.card) if reply.card else "", picture, reply.footer]
    return _clean("\n\n".join(block.strip() for block in blocks if block.strip())) or "…"


def _card(card: Card) -> str:
    blocks = [
        f"*{card.title}*",
        _marked(card.body),
        "\n".join(f"*{f.label}:* {f.value}" for f in card.fields),
        f"```{card.diff}```" if card.diff else "",
        f"*{card.status}*" if card.status else "",
    ]
    return "\n\n".join(block for block in blocks if block)


def _marked(markdown: str) -> str:
    pieces = _CODE.split(markdown)
    for i in range(0, len(pieces), 2):
        for pattern, instead in _MARKS:
            pieces[i] = pattern.sub(instead, pieces[i])
    return "".join(pieces)


def _clean(text: str) -> str:
    return _UNPRINTABLE.sub("", text)
