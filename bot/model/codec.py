"""Replies as JSON values and back, for the outbox and the run log."""

import base64
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from bot.model.file import Attached
from bot.model.message import Button, Card, Field, Picture, Reply


def reply_to_json(reply: Reply) -> dict[str, object]:
    """JSON values only; what is at its default is left out."""
    out: dict[str, object] = {"text": reply.text}
    for name in ("run_id", "rateable", "private", "footer"):
        if value := getattr(reply, name):
            out[name] = value
    if reply.buttons:
        out["buttons"] = [_button(b) for b in reply.buttons]
    if reply.card:
        card = reply.card
        out["card"] = {
            "title": card.title,
            "body": card.body,
            "fields": [[f.label, f.value] for f in card.fields],
            "diff": card.diff,
            "ref": card.ref,
            "status": card.status,
        }
    if reply.picture:
        png = base64.b64encode(reply.picture.png).decode()
        out["picture"] = {"png": png, "alt": reply.picture.alt}
    if reply.files:
        out["files"] = [asdict(file) for file in reply.files]
    if reply.data:
        out["data"] = dict(reply.data)
    return out


def _button(button: Button) -> dict[str, object]:
    out: dict[str, object] = {
        "label": button.label,
        "command": button.command,
        "style": button.style,
        "asks": button.asks,
    }
    return out | {"value": button.value} if button.value else out


def reply_from_json(data: Mapping[str, Any]) -> Reply:
    """The inverse of `reply_to_json`."""
    card, picture = data.get("card"), data.get("picture")
    return Reply(
        text=data["text"],
        run_id=data.get("run_id", ""),
        buttons=tuple(Button(**b) for b in data.get("buttons", ())),
        card=card and Card(**{**card, "fields": tuple(Field(*f) for f in card["fields"])}),
        picture=picture and Picture(base64.b64decode(picture["png"]), picture["alt"]),
        rateable=data.get("rateable", False),
        private=data.get("private", False),
        footer=data.get("footer", ""),
        files=tuple(Attached(**f) for f in data.get("files", ())),
        data=data.get("data") or {},
    )
