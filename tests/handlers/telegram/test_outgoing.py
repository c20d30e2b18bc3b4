"""Whatever a model writes becomes messages that Telegram takes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model.message import Button, Card, Field, Picture, Reply
from handlers.telegram.outgoing import parts, split, units
from tests.fakes.telegram_html import parse

MARKDOWNISH = st.text(
    st.sampled_from("ab <>&*_`~[]()|-#\n\"'!1.\\$😀\x00\ud800é"), max_size=300
) | st.text(max_size=300)

RUN = "01930000-0000-7000-8000-0000deadbeef"


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("1 < 2 & **3**", "1 &lt; 2 &amp; <b>3</b>"),
        ("_a_ ~~b~~ `c<d`", "<i>a</i> <s>b</s> <code>c&lt;d</code>"),
        ("[x](https://a.b/?q=1&r=2)", '<a href="https://a.b/?q=1&amp;r=2">x</a>'),
        ("[x](ftp://a.b)", "x"),
        ("# Head\n\ntext", "<b>Head</b>\n\ntext"),
        ("- a\n- b\n  1. c", "• a\n• b\n  1. c"),
        ("```py\nif a < b:\n```", '<pre><code class="language-py">if a &lt; b:</code></pre>'),
        ("| a | bb |\n|---|---|\n| 1 | 2 |", "<pre>a  bb\n-  --\n1  2</pre>"),
        ("> q\n> > r", "<blockquote>q\n\nr</blockquote>"),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("null\x00 and half \ud83d", "null and half"),
        ("שלום 😀", "שלום 😀"),
    ],
)
def test_markdown_becomes_html_that_telegram_knows(markdown: str, html: str) -> None:
    assert parts(Reply(markdown))[0].html.rstrip() == html


@settings(max_examples=150, deadline=None)
@given(MARKDOWNISH)
def test_no_text_makes_html_that_does_not_parse(text: str) -> None:
    for part in parts(Reply(text, card=Card(text, text, (Field(text, text),), text))):
        assert parse(part.html)


@settings(max_examples=60, deadline=None)
@given(MARKDOWNISH, st.integers(60, 200))
def test_every_piece_is_balanced_and_fits_and_nothing_is_lost(text: str, limit: int) -> None:
    html = parts(Reply(text))[0].html
    pieces = split(html, limit)
    assert all(units(piece) <= limit for piece in pieces)
    said = "".join("".join(parse(piece).split()) for piece in pieces)
    assert said == "".join(parse(html).split())


def test_a_long_answer_is_cut_between_paragraphs_and_code_stays_code() -> None:
    answer = "\n\n".join(["word " * 100] * 20) + "\n\n```\n" + "x = 1\n" * 1500 + "```"
    shown = parts(Reply(answer, RUN, rateable=True))
    assert len(shown) > 3
    assert all(units(part.html) <= 4096 for part in shown)
    assert shown[-1].html.count("<pre>") == shown[-1].html.count("</pre>") == 1
    assert [bool(part.keyboard) for part in shown] == [False] * (len(shown) - 1) + [True]


def test_emoji_count_twice() -> None:
    assert [units(p.html) <= 4096 for p in parts(Reply("😀" * 3000))] == [True, True]


def test_an_answer_has_thumbs_and_says_its_run() -> None:
    (part,) = parts(Reply("4", RUN, rateable=True))
    assert part.keyboard == ((("👍", f"/rate {RUN} up"), ("👎", f"/rate {RUN} down")),)
    assert part.plain == "4\n\nrun deadbeef"
    assert all(len(data.encode()) <= 64 for row in part.keyboard for _, data in row)


def test_a_card_has_its_buttons_until_it_is_decided() -> None:
    buttons = (Button("Approve", "/approve P1"), Button("Decline", "/decline P1", asks="Why?"))
    card = Card("Say metres", "Because.", (Field("Risk", "low"),), "-feet\n+metres", "P1")
    (offered,) = parts(Reply("", buttons=buttons, card=card))
    assert offered.keyboard == (
        (("Approve", "/approve P1"), ("Decline", "?/decline P1")),
        (("Details", "/proposals P1"),),
    )
    (whole,) = parts(Reply("", buttons=buttons, card=card), whole=True)
    assert whole.keyboard == offered.keyboard[:1]
    assert "-feet\n+metres" in offered.plain
    decided = Card("Say metres", ref="P1", status="Approved by owner")
    (part,) = parts(Reply("", buttons=buttons, card=decided))
    assert part.keyboard == () and "Approved by owner" in part.plain


def test_a_button_too_big_for_telegram_is_left_out() -> None:
    (part,) = parts(Reply("x", buttons=(Button("Big", "/é" * 30), Button("Ok", "/ok"))))
    assert part.keyboard == ((("Ok", "/ok"),),)


def test_a_picture_carries_a_short_text_and_precedes_a_long_one() -> None:
    short = parts(Reply("Costs", picture=Picture(b"png", "A chart")))
    assert [(p.photo, p.plain) for p in short] == [(b"png", "Costs")]
    long = parts(Reply("word " * 400, picture=Picture(b"png", "A chart")))
    assert [p.photo for p in long] == [b"png", None]
    assert long[0].plain == "A chart"


def test_an_empty_reply_is_still_a_message() -> None:
    assert parts(Reply(""))[0].plain == "…"
