"""What stands on the terminal: answers as they grow, then as they are; the prompt."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from handlers.console.outgoing import clean

_CLEAR_LINE = "\r\x1b[2K"
_TAIL = 6
"""Lines left free below a growing answer; the rest of it scrolls."""


class Screen:
    """Colours and movement only where the output is a terminal."""

    def __init__(self, output: TextIO):
        self._console = Console(file=output, highlight=False, markup=False, emoji=False)
        self._prompting = False

    @property
    def lively(self) -> bool:
        return self._console.is_terminal

    def show(self, what: RenderableType) -> None:
        self._take_prompt_away()
        self._console.print(what)
        self._console.print()

    def prompt(self) -> None:
        if self.lively and not self._prompting:
            self._console.print(Text("> ", "bold cyan"), end="")
            self._prompting = True

    def entered(self) -> None:
        """A line was completed: the cursor stands below the prompt."""
        self._prompting = False

    def _take_prompt_away(self) -> None:
        """What comes from elsewhere takes its place, and the prompt follows below."""
        if self._prompting:
            self._console.file.write(_CLEAR_LINE)
            self._prompting = False

    @contextmanager
    def growing(self) -> Iterator["Growing"]:
        """Takes itself away at the end: the whole answer follows, well set."""
        if not self.lively:
            yield Growing(None, self._console)
            return
        self._take_prompt_away()
        with Live(console=self._console, auto_refresh=False, transient=True) as live:
            yield Growing(live, self._console)


class Growing:
    """An answer that is being written, or a sign of life while there is none."""

    def __init__(self, live: Live | None, console: Console):
        self._live, self._console = live, console
        self._waiting = Spinner("dots", Text("thinking…", "dim"))

    def show(self, text: str, doing: str) -> None:
        if self._live is None:
            return
        if text:
            height = max(self._console.size.height - _TAIL, 1)
            tail = Text("\n".join(clean(text).splitlines()[-height:]))
            self._live.update(tail, refresh=True)
        else:
            self._waiting.update(text=Text(f"{clean(doing) or 'thinking'}…", "dim"))
            self._live.update(self._waiting, refresh=True)
