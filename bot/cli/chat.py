"""`ratchet chat`: a conversation in the terminal."""

import importlib
import sys

from bot import config
from bot.cli.life import life_sign
from bot.cli.line import Line, server
from bot.cli.shape import footer, printed
from bot.errors import RatchetError

_HELLO = "Talking to Ratchet at {url}. /help lists the commands; Ctrl-D ends this."


def chat(conversation: str) -> int:
    settings = config.load()
    remote = server(settings)
    if remote is None:
        return int(importlib.import_module("bot.cli.up").chat_alone(settings))
    print(_HELLO.format(url=remote.url), file=sys.stderr)
    while (text := _typed()) is not None:
        if text:
            _turn(remote, text, conversation)
    return 0


def _typed() -> str | None:
    """What was typed, or None at its end."""
    try:
        return input("> " if sys.stdin.isatty() else "").strip()
    except (EOFError, KeyboardInterrupt):
        if sys.stdin.isatty():
            print()
        return None


def _turn(line: Line, text: str, conversation: str) -> None:
    """One thing said and answered; what fails is said, and the chat goes on."""
    try:
        with life_sign("thinking"):
            done = line.say(text, None, conversation)
    except RatchetError as error:
        print(error.said, file=sys.stderr)
        return
    print(printed(done), flush=True)
    print(footer(done), file=sys.stderr)
