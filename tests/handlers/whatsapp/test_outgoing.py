"""Replies in WhatsApp's own limits."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.model.message import Button, Card, Field, Picture, Reply
from handlers.whatsapp.outgoing import bodies, recipient

BUTTONS = (
    Button("Approve", "/approve P1", "primary"),
    Button("Edit", "/edit P1", asks="What should it say?"),
    Button("Decline", "/decline P1", "danger", asks="Why?"),
)


def words(body: dict[str, Any]) -> str:
    part = body["interactive"]["body"]["text"] if "interactive" in body else body["text"]["body"]
    return str(part)


def test_a_card_with_what_may_be_pressed_here() -> None:
    card = Card("Say metres", "Because.", (Field("Risk", "low"),), "-feet\n+metres", "P1")
    (body,) = bodies(Reply("", buttons=BUTTONS, card=card))
    assert words(body) == "*Say metres*\n\nBecause.\n\n*Risk:* low\n\n```-feet\n+metres```"
    interactive: Any = body["interactive"]
    keys = [b["reply"] for b in interactive["action"]["buttons"]]
    assert keys == [
        {"id": "/approve P1", "title": "Approve"},
        {"id": "/decline P1", "title": "Decline"},
    ]


def test_a_decided_card_has_no_buttons() -> None:
    (body,) = bodies(Reply("", buttons=BUTTONS, card=Card("Say metres", status="Approved")))
    assert body["type"] == "text"


def test_a_long_card_is_a_text_and_then_its_buttons() -> None:
    long = Card("Say metres", "word " * 1500)
    shown = bodies(Reply("", buttons=BUTTONS, card=long))
    assert [b["type"] for b in shown] == ["text", "text", "interactive"]
    assert words(shown[-1]) == "Say metres"


def test_markdown_is_said_its_way_and_code_is_left() -> None:
    reply = Reply(
        "# Costs\n**up** ~~not~~ [x](http://a.b) `**c**`", picture=Picture(b"", "A chart")
    )
    assert words(bodies(reply)[0]) == "*Costs*\n*up* ~not~ x (http://a.b) `**c**`\n\nA chart"


@given(st.text(max_size=9000))
def test_every_text_fits(text: str) -> None:
    for body in bodies(Reply(text, buttons=BUTTONS)):
        assert 1 <= len(words(body)) <= (1024 if "interactive" in body else 4096)


def test_recipients() -> None:
    assert recipient({"to": "+15551234"}) == {"recipient_type": "individual", "to": "15551234"}
    by_user = recipient({"to": "US.77", "wa_id": "", "user_id": "US.77"})
    assert by_user == {"recipient_type": "individual", "recipient": "US.77"}
    assert "to" in recipient({"to": "15551234", "wa_id": "15551234", "user_id": "US.77"})
