"""Whatever is typed after a command, the answer is a reply or an error with words for people."""

import itertools

from bot.errors import RatchetError
from commands import COMMANDS
from tests.commands.stage import Stage

NASTY = [
    "",
    "\x00",
    "a\x00b \x1b[31m",
    "half \ud83d of a pair",
    "²",
    "P²",
    "P0",
    "P99999999999999999999",
    "M99999999999999999999",
    "-1",
    "nan",
    "%s%n'; DROP TABLE runs;--",
    "\u202eabc \u200b\ufeff",
    "👩‍👩‍👧‍👦 😀",
    "שלום עולם",
    "x" * 100_000,
    "word " * 2_000,
    "1a2b3c4d",
    "01890000-0000-7000-8000-000000000000 x",
    "<@U1|x> owner",
    "set workspace day 99999999999",
    "set agent:* day 5",
    "pause\nanalyze",
    "\n\n\t",
    "@all <!channel> [x](http://x)",
]


async def test_no_words_break_a_command(on_each: Stage) -> None:
    await on_each.asked("Hi", "Hello")
    for command, words in itertools.product(COMMANDS, NASTY):
        line = f"/{command.name} {words}"
        try:
            reply = await on_each.say("owner", line)
        except RatchetError as error:
            assert error.said and "went wrong" not in error.said, line[:40]
            assert error.kind != "storage", line[:40]
            assert len(error.said) < 1_000, line[:40]
        else:
            assert len(reply.text) < 12_000, line[:40]
