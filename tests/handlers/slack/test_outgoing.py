"""Replies as Slack messages: every limit kept, nothing lost."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model.message import Button, Card, Field, Reply
from handlers.slack.markdown import harmless, mrkdwn
from handlers.slack.modals import Ask, question
from handlers.slack.outgoing import render
from handlers.slack.splitting import split
from tests.fakes.slack_blocks import check_message, check_view

RUN = "01890abc-0000-7000-8000-000000000001"


def _check(reply: Reply) -> None:
    for part in render(reply):
        check_message(part.text, json.loads(json.dumps(list(part.blocks))))
        check_message(part.text, json.loads(json.dumps(list(part.plain))))
        check_message(part.bare, [])


def test_an_answer_is_markdown_with_thumbs_and_a_footer() -> None:
    (part,) = render(Reply("**Hi** there", run_id=RUN, rateable=True, footer="0.1 ct"))
    markdown, thumbs, footer = part.blocks
    assert markdown == {"type": "markdown", "text": "**Hi** there"}
    assert thumbs["type"] == "context_actions"
    assert f"/rate {RUN} up" in str(thumbs) and f"/rate {RUN} down" in str(thumbs)
    assert footer["type"] == "context"
    assert part.text == "*Hi* there"


def test_a_card_shows_buttons_until_it_is_decided() -> None:
    card = Card("P12: say euros", "Because.", (Field("Risk", "low"),), "-a\n+b ```", "P12")
    buttons = (
        Button("Approve", "/approve P12", "primary"),
        Button("Decline", "/decline P12", "danger", asks="Why not?"),
    )
    (open_,) = render(Reply("", card=card, buttons=buttons))
    actions = [block for block in open_.blocks if block["type"] == "actions"]
    assert len(actions) == 1
    assert "ratchet:ask:1:Why not?" in str(actions) and "/decline P12" in str(actions)
    assert "!approve P12" in open_.bare
    _check(Reply("", card=card, buttons=buttons))
    decided = Card(card.title, ref="P12", status="Approved by ann")
    (done,) = render(Reply("", card=decided, buttons=buttons))
    assert not any(block["type"] == "actions" for block in done.blocks)
    assert done.text == "P12: say euros\nApproved by ann"
    assert "Approved by ann" in str(done.blocks) and "!approve" not in done.bare


def test_a_diff_is_shown_as_it_is_and_calls_nobody() -> None:
    card = Card("P12", diff="-<!channel> `a`\n+**b** ```")
    (part,) = render(Reply("", card=card))
    (shown,) = [b for b in part.blocks if b["type"] == "rich_text"]
    text = json.loads(json.dumps(shown))["elements"][0]["elements"][0]["text"]
    assert text == card.diff.replace("<!channel>", "<\u200b!channel>")
    (plain,) = [b for b in part.plain if b["type"] == "section"]
    assert "&lt;!channel&gt;" in str(plain) and str(plain).count("```") == 2


def test_what_a_card_says_is_not_said_before_it_too() -> None:
    notice = "$8.00 of $10.00 are spent."
    (part,) = render(Reply(notice, card=Card("Budget at 80 %", notice)))
    assert [b["type"] for b in part.blocks] == ["header", "section"]
    assert part.text == f"{notice}\nBudget at 80 %" and notice in part.bare


def test_a_clipped_field_ends_in_no_half_entity() -> None:
    (part,) = render(Reply("", card=Card("t", fields=(Field("f", "&" * 500),))))
    (fields,) = [b for b in part.blocks if b["type"] == "section"]
    assert "&amp;…" in str(fields) and "&am…" not in str(fields)


def test_an_empty_reply_is_no_message() -> None:
    assert render(Reply("")) == [] and render(Reply(" \n", footer="x", rateable=True)) == []


def test_a_long_answer_is_split_and_not_cut() -> None:
    paragraphs = [f"Paragraph {n} " + "word " * 80 for n in range(120)]
    parts = render(Reply("\n\n".join(paragraphs), run_id=RUN, rateable=True))
    assert len(parts) > 3
    shown = "\n\n".join(str(part.blocks[0]["text"]) for part in parts)
    assert shown.split() == " ".join(paragraphs).split()
    assert "context_actions" not in str(parts[0].blocks)
    assert "context_actions" in str(parts[-1].blocks)


@pytest.mark.parametrize(
    "text",
    [
        "&" * 30_000,
        "<!channel> " * 2_000,
        "```\n" + "x = '```'\n" * 3_000,
        "a" * 50_000,
        "\n" * 20_000 + "x",
        "👩‍👩‍👧" * 3_000,
        "* * **_~~`[](http://)" * 900,
        "\u0000\u202e" * 500,
        "| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 2_000,
    ],
    ids=["amp", "alarm", "fence", "word", "lines", "emoji", "marks", "control", "table"],
)
def test_nasty_text_stays_within_the_limits(text: str) -> None:
    _check(Reply(text, run_id=RUN, rateable=True, footer="f" * 5_000))
    fields = tuple(Field(text[:3_000] or "x", text[:3_000]) for _ in range(30))
    _check(Reply("", card=Card(text[:400], text[:12_000], fields[:3], text[:12_000])))
    _check(Reply("hi", card=Card("t", fields=fields[:12], diff="+a"), footer="f"))


def test_many_and_long_buttons_stay_within_the_limits() -> None:
    buttons = tuple(Button("b" * 200, f"/run {n}", asks="q" * 400) for n in range(40))
    _check(Reply("choose", buttons=buttons))


def test_nobody_is_called_by_what_a_model_wrote() -> None:
    text = "<!channel> <@U123ABC> <!subteam^S1|x> <https://x.example|y> a<b"
    (part,) = render(Reply(text))
    assert "<!" not in str(part.blocks) and "<@U" not in str(part.blocks)
    assert "<!" not in part.text and "<@" not in part.text and "<https" not in part.text
    assert harmless("if a <b> then <!-- c -->") == "if a <b> then <!-- c -->"


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("**b** *i* ~~s~~", "*b* _i_ ~s~"),
        ("# Title **x**", "*Title x*"),
        ("- one\n  * two", "• one\n  • two"),
        ("[a|b](https://x.example/?a=1&b=2)", "<https://x.example/?a=1&amp;b=2|a/b>"),
        ("![pic](https://x.example/p.png)", "<https://x.example/p.png|pic>"),
        ("[bad](javascript:alert)", "[bad](javascript:alert)"),
        ("`**x** <y>` **z**", "`**x** &lt;y&gt;` *z*"),
        ("```py\n**x** <y>\n```\n**z**", "```\n**x** &lt;y&gt;\n```\n*z*"),
        ("```\nopen", "```\nopen\n```"),
        ("2 * 3 * 4", "2 * 3 * 4"),
        ("> quote", "> quote"),
        ("***", "***"),
    ],
)
def test_markdown_becomes_mrkdwn(markdown: str, expected: str) -> None:
    assert mrkdwn(markdown) == expected


def test_a_code_block_is_closed_and_opened_again() -> None:
    code = "\n".join(f"line {n}" for n in range(200))
    pieces = split(f"Before\n\n```python\n{code}\n```\n\nAfter", 600)
    assert all(len(piece) <= 600 for piece in pieces)
    assert all(piece.count("```") % 2 == 0 for piece in pieces)
    assert pieces[1].startswith("```python\n") and pieces[1].endswith("\n```")
    assert pieces[-1].endswith("After")
    lines = [line for piece in pieces for line in piece.split("\n") if line.startswith("line")]
    assert lines == code.split("\n")


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="ab `~\n.#*<>&|🙂", max_size=2_500), st.integers(300, 700))
def test_any_text_splits_within_the_limit(text: str, limit: int) -> None:
    pieces = split(text, limit)
    assert all(0 < len(piece) <= limit for piece in pieces)
    kept = [c for piece in pieces for c in piece if c not in "`~ \n"]
    if "```" not in text and "~~~" not in text:
        assert kept == [c for c in text if c not in "`~ \n"]


def test_a_modal_asks_and_keeps_its_place() -> None:
    kept = {"command": "/decline P12", "channel": "C1", "x": "y" * 2_900}
    view = question(Ask("t", "Why not? " * 400, kept))
    check_view(view)
    kept = {"command": "/save-workflow", "response_url": "u" * 3_000}
    check_view(question(Ask("t", "", kept, value="z" * 3_001)))
    assert json.loads(str(view["private_metadata"]))["command"] == "/decline P12"
