"""From a reply to what a terminal shows; pure."""

import re
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.markdown import Markdown
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

from bot.files import names
from bot.model.file import Attached
from bot.model.message import Button, Card, Reply

# Everything that could move the cursor, change the title or hide text, but newline and tab.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_LINE_END = re.compile(r"(?<!\n)\n(?!\n)")
_DIFF = {"+": "green", "-": "red", "@": "dim"}


def clean(text: str) -> str:
    """The text without control characters: what a model says must not steer a terminal."""
    return _CONTROLS.sub("", text.replace("\r\n", "\n"))


def rendered(reply: Reply) -> RenderableType:
    parts: list[RenderableType] = []
    if reply.text:
        parts.append(_markdown(reply.text))
    if reply.card:
        parts.append(_card(reply.card))
    if reply.picture:
        parts.append(Text(f"(picture: {clean(reply.picture.alt)})", "dim"))
    if buttons := shown_buttons(reply):
        parts.append(_buttons(buttons))
    if reply.footer or reply.rateable:
        rate = "+ good · - could be better" if reply.rateable else ""
        parts.append(Text(" · ".join(filter(None, (clean(reply.footer), rate))), "dim"))
    return Group(*parts)


def attached(file: Attached, path: str) -> RenderableType:
    where = f"is saved as {path}" if path else "is not kept any more"
    return Text(clean(f"{file.name} ({names.size(file.size)}) {where}"), "bold")


def shown_buttons(reply: Reply) -> Sequence[Button]:
    """A decided card has none."""
    return () if reply.card and reply.card.status else reply.buttons


def decided(card: Card) -> RenderableType:
    """What became of a card that was shown before, in one line."""
    return Text(f"{card.ref}: {clean(card.status)}", "bold")


def _markdown(text: str) -> Markdown:
    """Lines stay lines, as in a chat; code and tables don't mind the spaces."""
    return Markdown(_LINE_END.sub("  \n", clean(text)), hyperlinks=False)


def _card(card: Card) -> RenderableType:
    parts: list[RenderableType] = []
    if card.body:
        parts.append(_markdown(card.body))
    if card.diff:
        parts.append(Padding(_diff(card.diff), (1, 0)))
    parts += [Text(f"{clean(f.label)}: {clean(f.value)}", "dim") for f in card.fields]
    if card.status:
        parts.append(Text(clean(card.status), "bold"))
    name = card.title.removeprefix(f"{card.ref} · ")
    title = Text(clean(f"{card.ref} {name}".strip()), "bold")
    return Panel(Group(*parts), title=title, title_align="left", border_style="dim")


def _diff(diff: str) -> Text:
    lines = [Text(line, _DIFF.get(line[:1], "")) for line in clean(diff).splitlines()]
    return Text("\n").join(lines)


def _buttons(buttons: Sequence[Button]) -> Text:
    shown = Text()
    for number, button in enumerate(buttons, 1):
        shown.append(f"[{number}] ", "bold")
        shown.append(f"{clean(button.label)}  ")
        shown.append(f"{clean(button.command)}{' …' if button.asks else ''}\n", "dim")
    shown.rstrip()
    return shown
