"""Markdown as models write it, in Slack's own form: readable, whole, and calling nobody."""

import html
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from handlers.slack.markdown import fenced, harmless, mrkdwn
from handlers.slack.outgoing import pieces
from handlers.slack.splitting import split

GAP = "\u200b"
LIVE = re.compile(r"<(?!(?:https?://|mailto:)[^\s<>|]+(?:\|[^<>|]+)?>)")
"""A "<" that is no link of ours."""

words = st.text(alphabet="ab1é字 .,-*_~`#>|\n<!@&\\()[]:/+🙂\u200f", max_size=400)
nasty = st.lists(
    st.sampled_from(
        ["<!channel>", "<@U0MEMBER>", "<#C1|x>", "<!subteam^S1>", "https://x.example/?a=1&b=2", "&lt;",
         "[a](https://x.example/(b))", "[<!here>](https://x.example)", "**", "*", "_", "~~", "`", "```",
         "```py", "\n", "\n\n", " ", "> ", "- ", "# ", "|", "|---|", "\\", "word", "snake_case_name", "]("]
    ),
    max_size=60,
).map("".join)  # fmt: skip


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("**b** *i* ~~s~~ __b__ _i_", "*b* _i_ ~s~ *b* _i_"),
        ("***both*** and **bold _nested_ bold**", "_*both*_ and *bold _nested_ bold*"),
        ("*it with **bold** in*", "_it with *bold* in_"),
        ("snake_case_name and __init__.py and 5*3*2", "snake_case_name and *init*.py and 5*3*2"),
        ("a**b**c", f"a{GAP}*b*{GAP}c"),
        ("2 * 3 * 4 and a_b and **open", "2 * 3 * 4 and a_b and **open"),
        (r"\*not bold\* and \_x\_", f"*{GAP}not bold*{GAP} and _{GAP}x_{GAP}"),
        ("# Title **x** `y` ##", "*Title x `y`*"),
        ("#hashtag", "#hashtag"),
        ("- one\n  * two\n+ three", "• one\n  • two\n• three"),
        ("- [ ] open\n- [x] done", "☐ open\n☑ done"),
        ("1. one\n2. two", "1. one\n2. two"),
        ("[a|b](https://x.example/?a=1&b=2)", "<https://x.example/?a=1&amp;b=2|a/b>"),
        ("[Foo](https://en.example/Foo_(bar))", "<https://en.example/Foo_(bar)|Foo>"),
        ("[a [b] c](https://x.example)", "<https://x.example|a [b] c>"),
        ('[t](https://x.example "A title")', "<https://x.example|t>"),
        ("[](https://x.example)", "<https://x.example>"),
        ("![pic](https://x.example/p.png)", "<https://x.example/p.png|pic>"),
        ("<https://x.example/a_b?c=1&d=2>", "<https://x.example/a_b?c=1&amp;d=2>"),
        ("see https://x.example/a_b_c?x=1&y=2.", "see https://x.example/a_b_c?x=1&amp;y=2."),
        ("**https://x.example/**", "*https://x.example/*"),
        ("[bad](javascript:alert)", "[bad](javascript:alert)"),
        ("[x](https://a.example|<!channel>)", "[x](https://a.example|&lt;!channel&gt;)"),
        ("`**x** <y>` **z**", "`**x** &lt;y&gt;` *z*"),
        ("``a ` b`` c", "``a ` b`` c"),
        ("```inline``` code", "`inline` code"),
        ("use ``` to open", f"use `{GAP}`{GAP}` to open"),
        ("```py\n**x** <y>\n```\n**z**", "```\n**x** &lt;y&gt;\n```\n*z*"),
        ("~~~\n```\n~~~", f"```\n`{GAP}`{GAP}`\n```"),
        ("- x\n    ```sh\n    ls *\n    ```", "• x\n```\n    ls *\n```"),
        ("```\nopen", "```\nopen\n```"),
        ("```these are words", "```\nthese are words\n```"),
        ("> quote **b**\n>> deeper\n> - item", "> quote *b*\n> deeper\n> • item"),
        ("***\n---\n* * *", "***\n---\n* * *"),
        ("<b>x</b> &amp; y", "&lt;b&gt;x&lt;/b&gt; &amp;amp; y"),
        ("<!channel> <@U0MEMBER|x> @here", "&lt;!channel&gt; &lt;@U0MEMBER|x&gt; @here"),
        (":smile: 👩‍👩‍👧 שלום **עולם**", ":smile: 👩‍👩‍👧 שלום *עולם*"),
        ("日本**語**です", f"日本{GAP}*語*{GAP}です"),
    ],
)  # fmt: skip
def test_markdown_becomes_mrkdwn(markdown: str, expected: str) -> None:
    assert mrkdwn(markdown) == expected


def test_a_table_becomes_columns() -> None:
    table = "| Agent | Runs | Note |\n|:--|--:|---|\n| **helper** | 12 | `a\\|b` |\n| 字 | 3 |\nEnd"
    assert mrkdwn(f"Look:\n{table}") == "\n".join(
        [
            "Look:",
            "```",
            "Agent   Runs  Note",
            "------  ----  ----",
            "helper    12  a|b",
            "字         3",
            "```",
            "End",
        ]
    )


@pytest.mark.parametrize("text", ["a | b\nc | d", "| a |", "x\n---\ny", "|---|"])
def test_what_is_no_table_stays(text: str) -> None:
    assert "```" not in mrkdwn(text)


def test_a_table_with_a_long_cell_does_not_blow_up() -> None:
    rows = "\n".join("| x | y |" for _ in range(300))
    text = f"| a | b |\n|---|---|\n| {'w' * 3_000} | z |\n{rows}"
    assert len(mrkdwn(text)) < 25_000 and "w" * 3_000 in mrkdwn(text)


@pytest.mark.parametrize(
    "text",
    ["`" * 40_000, "**a " * 10_000, "[" * 20_000, "[a](" * 10_000, "<" * 40_000, "_*" * 20_000,
     "| " * 20_000, "> " * 20_000, "![](" * 9_000, "https://" * 5_000, "`a``" * 9_000, "~" * 40_000,
     "- " * 20_000, "|-" * 20_000, "\\" * 40_000, "& " * 20_000, "x_" * 20_000],
    ids=lambda text: str(text[:5]),
)  # fmt: skip
def test_forty_thousand_characters_of_one_thing_take_no_time(text: str) -> None:
    # A rule that looks back over and over would take minutes here, and the test its time limit.
    assert mrkdwn(text)
    assert all(len(mrkdwn(piece)) <= 12_000 for piece in pieces(text))


@settings(max_examples=400, deadline=None)
@given(st.one_of(words, nasty))
@example("<https://x.example|a")
@example("[`](https://x.example)`<!here>")
@example("x`````")
def test_nobody_is_called_and_no_code_block_is_left_open(text: str) -> None:
    out = mrkdwn(text)
    assert not LIVE.search(out), out
    assert out.count("```") % 2 == 0, out
    assert not re.search(r"<(!(channel|here|everyone|subteam)|@[A-Z0-9]|#C)", harmless(text))


@settings(max_examples=400, deadline=None)
@given(words)
def test_nothing_that_is_said_is_lost(text: str) -> None:
    kept = [c for c in html.unescape(mrkdwn(text)) if c.isalnum()]
    # The name of a language says how to show the code, and is no part of it; links turn round.
    said = [
        c
        for c in re.sub(r"(?m)^ {0,12}(`{3,20}|~{3,20})[\w+#.-]{0,20}\s*$", "", text)
        if c.isalnum()
    ]
    assert sorted(kept) == sorted(said)


def test_harmless_leaves_code_as_it_is() -> None:
    code = "<!doctype html> <b> <!-- c --> a <b List<@a> if x<#y"
    assert harmless(code) == code


def test_a_fence_in_code_does_not_end_it() -> None:
    assert fenced("a\n```\nb").count("```") == 2


# Splitting


def _balanced(piece: str) -> bool:
    """By CommonMark's own rule, read once more from the beginning."""
    opened = ""
    for line in piece.split("\n"):
        fence = re.match(r" {0,12}(`{3,20}(?!`)|~{3,20}(?!~))([^`]*)$", line)
        if fence and not opened:
            opened = fence[1]
        elif fence and opened and fence[1].startswith(opened) and not fence[2].strip():
            opened = ""
    return not opened


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from(["a b ", "word", "\n", "\n\n", "```\n", "```py\n", "~~~\n", "x" * 90,
        "| a | b |\n", "|---|---|\n", "&amp;", "<https://x.example|y>", "👩‍👩‍👧", "`", ". "]), max_size=120)
    .map("".join),
    st.integers(300, 700),
)  # fmt: skip
def test_pieces_are_small_whole_and_closed(text: str, limit: int) -> None:
    found = split(text, limit)
    assert all(0 < len(piece) <= limit for piece in found)
    assert all(_balanced(piece) for piece in found[:-1])
    heads = "```py~~~|- ab"  # what is opened, closed or headed again
    strip = str.maketrans("", "", heads + "\n ")
    assert "".join(found).translate(strip) == text.translate(strip)


@pytest.mark.parametrize("part", ["&amp;", "<https://x.example/abc|label>", "👩‍👩‍👧", "e\u0301"])
def test_what_is_one_is_not_parted(part: str) -> None:
    found = split(part * 400, 500)
    assert all(len(piece) % len(part) == 0 for piece in found) and "".join(found) == part * 400


def test_a_table_gets_its_head_again() -> None:
    rows = [f"| row {n} | {n} |" for n in range(100)]
    text = "\n".join(["| Name | N |", "|---|--:|", *rows])
    found = split(text, 600)
    assert len(found) > 2
    assert all(piece.startswith("| Name | N |\n|---|--:|\n| row") for piece in found)
    assert [line for piece in found for line in piece.split("\n")[2:]] == rows


def test_a_table_that_fits_goes_over_whole() -> None:
    table = "\n".join(["| Name | N |", "|---|--:|", *(f"| r{n} | {n} |" for n in range(20))])
    before = "Some words. " * 30
    assert split(f"{before}\n\n{table}", 500) == [before.rstrip("\n"), table]
