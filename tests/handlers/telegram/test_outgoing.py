"""Whatever a model writes becomes messages that Telegram takes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model.message import Button, Card, Field, Picture, Reply
from handlers.telegram.outgoing import named, parts, prompt, split, units
from tests.fakes.telegram_html import CantParse, Entity, parse, read

MARKDOWNISH = st.text(
    st.sampled_from("ab <>&*_`~[]()|-#\n\"'!1.\\$😀\x00\ud800é"), max_size=300
) | st.text(max_size=300)

PIECES = [
    "**", "*", "_", "~~", "`", "```py\n", "\n```\n", "\n\n", "\n> ", "\n- ", "\n1. ", "\n# ", "a<b",
    "&amp;", "&lt;i&gt;", "<script>", "</b>", "@everyone", "/approve P1", "😀", "word ", "\x00",
    '[x](https://a.b/?q=1&r="x")', "[y `c`](mailto:a@b.c)", "[z](javascript:alert(1))",
    "[u](tg://user?id=7)", "![i](https://a.b/i.png)", "\n| a | `b` |\n|---|---|\n| **c** | d |\n",
    "https://plain.example", "<https://auto.example>", "\\", "  \n", "***", "<!-- -->",
]  # fmt: skip

LINKS = {
    "https://a.b/?q=1&r=%22x%22",
    "https://a.b/i.png",
    "https://auto.example",
    "mailto:a@b.c",
}
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


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join), st.integers(0, 400))
def test_no_markdown_breaks_the_rules_of_nesting_links_and_splitting(text: str, tail: int) -> None:
    button = Button(text[:60] or "Ok", "/approve P1", asks=text, value=text)
    card = Card(text, text, (Field(text, text),), text, "P1", text)
    reply = Reply(text + "word " * tail, RUN, (button,), card, rateable=True, footer=text)
    for part in parts(reply):
        assert units(read(part.html)[0]) <= 4096
        links = {entity.url for entity in read(part.html)[1] if entity.tag == "a"}
        assert links <= LINKS
    asked = prompt("/edit P1", text, "0" * 12, question=text, value=text, to=named(7, text))
    assert all(parse(html) for html in asked)


@settings(max_examples=100, deadline=None)
@given(MARKDOWNISH)
def test_of_what_is_not_markdown_every_character_survives(text: str) -> None:
    text = " ".join(f"x{text}".split())  # white space has a meaning in markdown
    escaped = "".join(f"\\{c}" if c in "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~" else c for c in text)
    said = "".join(part.plain for part in parts(Reply(escaped)))
    kept = "".join(c for c in text if not c.isspace() and _printable(c))
    assert "".join(c for c in said if not c.isspace()) == (kept or "…")


def _printable(c: str) -> bool:
    return not (ord(c) < 32 or ord(c) == 127 or 0xD800 <= ord(c) <= 0xDFFF or c == "\x85")


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("**a `b` c**", "<b>a </b><code>b</code><b> c</b>"),
        ("# Run `x`", "<b>Run </b><code>x</code>"),
        ("[see `x`](https://a.b)", '<a href="https://a.b">see x</a>'),
        ("[you](tg://user?id=7)", "you"),
        ("[long](https://a.b/" + "x" * 3000 + ")", "long"),
        ("![alt](https://a.b/c.png)", "alt"),
    ],
)
def test_code_is_part_of_nothing_and_links_lead_to_pages_only(markdown: str, html: str) -> None:
    assert parts(Reply(markdown))[0].html == html


def test_long_code_keeps_its_language_in_every_message() -> None:
    shown = parts(Reply("```python\n" + "x = '<a> & b'\n" * 900 + "```"))
    entities = [entity for part in shown for entity in read(part.html)[1] if entity.tag == "code"]
    assert len(shown) > 2 and {e.url for e in entities} == {"language-python"}
    assert "".join(e.text for e in entities).count("x = '<a> & b'") == 900


def test_a_card_on_a_phone_is_short_and_details_are_whole() -> None:
    lines = "\n".join(f"+line {n}" for n in range(40))
    card = Card("P1 · Say metres", "why " * 400, (Field("Evidence", "run " * 90),), lines, "P1")
    reply = Reply("", buttons=(Button("Approve", "/approve P1"),), card=card)
    (phone,) = parts(reply)
    assert "+line 13" in phone.plain and "+line 14" not in phone.plain
    assert "… 26 more lines" in phone.plain and len(phone.plain) < 1200
    assert phone.keyboard[-1] == (("Details", "/proposals P1"),)
    whole = "".join(part.plain for part in parts(reply, whole=True))
    assert "+line 39" in whole and whole.count("why") == 400


@pytest.mark.parametrize(
    "html",
    [
        "<b>a",
        "</b>",
        "<b><i>a</b></i>",
        "<b><code>a</code></b>",
        "<code><b>a</b></code>",
        "<pre>x<code>a</code></pre>",
        '<a href="javascript:x">a</a>',
        '<b onclick="x">a</b>',
        "<u2>a</u2>",
        "a & b &nbsp; c",
        "<blockquote><blockquote>a</blockquote></blockquote>",
    ],
)
def test_the_parser_of_these_tests_is_as_strict_as_telegram(html: str) -> None:
    with pytest.raises(CantParse):
        read(html)
    assert read('<a href="https://a.b">x</a>')[1] == [Entity("a", "x", "https://a.b")]


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
