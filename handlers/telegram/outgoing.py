"""Reply → Telegram messages: HTML that always parses, in pieces that fit, with keyboards."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape, unescape

from bot.live import Progress
from bot.model.file import Attached
from bot.model.message import Button, Card, Field, Reply
from handlers.telegram.markup import clean, to_html

TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024
DATA_LIMIT = 64
"""Bytes of callback_data."""
ASKS = "?"
"""First byte of the callback_data of a button that wants words before it says its command."""

Key = tuple[str, str]
"""A button's label and its callback_data."""

_ATOM = re.compile(r"<[^>]+>|&(?:\w+|#\d+);|.", re.DOTALL)
_PROPOSAL = re.compile(r"P\d{1,9}")
_PER_ROW = 3
_BODY, _VALUE, _DIFF, _DIFF_LINES = 500, 160, 900, 14
"""Characters and lines of a card that a phone shows without scrolling."""
_OVER = "…"


@dataclass(frozen=True, slots=True)
class Part:
    """One Telegram message. `html` is a photo's caption where there is a `photo`. One with a
    `file` is that file alone."""

    html: str
    keyboard: tuple[tuple[Key, ...], ...] = ()
    photo: bytes | None = None
    file: Attached | None = None

    @property
    def plain(self) -> str:
        """The text as people see it."""
        return plain(self.html)


def parts(reply: Reply, *, whole: bool = False) -> tuple[Part, ...]:
    """The messages that show the reply without its files, in order; the keyboard hangs on the
    last. A card is cut to what a phone shows at once, unless `whole`."""
    keyboard = _keyboard(reply, whole)
    html = _html(reply, whole)
    if reply.picture:
        caption = html or escape(clean(reply.picture.alt))
        if units(caption) <= CAPTION_LIMIT:
            return (Part(caption, keyboard, reply.picture.png),)
        photo = Part(split(escape(clean(reply.picture.alt)), CAPTION_LIMIT)[0], (), None)
        texts = split(html, TEXT_LIMIT)
        first = Part(photo.html, (), reply.picture.png)
        return (first, *map(Part, texts[:-1]), Part(texts[-1], keyboard))
    texts = split(html or "…", TEXT_LIMIT)
    return (*map(Part, texts[:-1]), Part(texts[-1], keyboard))


def growing(progress: Progress, *, end: bool) -> Part | None:
    """An answer that isn't finished: its `end` (or its beginning) if it is long; what is being
    used while nothing is said yet; None where there is nothing to tell."""
    html = to_html(progress.text)
    if plain(html).strip():
        pieces = split(f"{html} {_OVER}", TEXT_LIMIT)
        return Part(pieces[-1 if end else 0])
    used = [step.name for step in progress.steps if step.kind == "tool"]
    return Part(f"<i>Using {escape(clean(used[-1])[:100])}{_OVER}</i>") if used else None


def sent_file(attached: Attached) -> Part:
    return Part("", file=attached)


def unsent_file(attached: Attached, why: str) -> Part:
    """Says that a file could not be sent, in its place."""
    return Part(f"📎 {escape(clean(attached.name)[:200])}: {escape(why)}")


def units(text: str) -> int:
    """Length as Telegram counts it: UTF-16 code units."""
    return len(text) + sum(1 for c in text if ord(c) > 0xFFFF)


def plain(html: str) -> str:
    return unescape(re.sub(r"<[^>]+>", "", html))


def prompt(
    command: str, label: str, seal: str, *, question: str = "", value: str = "", to: str = ""
) -> tuple[str, ...]:
    """Asks for the words of a button; `incoming` recognises it by the seal in its last line.

    `value` is what the words are now, to be tapped and copied: where it is long it is said in
    messages of its own, before. `to` is HTML that names the person asked.
    """
    ask = escape(clean(question).strip()) or escape(clean(label))
    head = f"{to}: {ask}" if to else ask
    how = "Reply to this message; “cancel” leaves everything as it is. Your words become part of"
    tail = f"{how}\n{escape(command, quote=False)}\n· {seal}"
    value = clean(value).strip()
    now = f"<pre>{escape(value, quote=False)}</pre>" if value else ""
    whole = "\n".join(filter(None, (head, now, tail)))
    if units(whole) <= TEXT_LIMIT:
        return (whole,)
    return (*split(now, TEXT_LIMIT), f"{head[:500]}\n{tail}")


def named(user: int, name: str) -> str:
    """A mention, as HTML."""
    return f'<a href="tg://user?id={user}">{escape(clean(name)[:64]) or "you"}</a>'


def _html(reply: Reply, whole: bool) -> str:
    card = _card(reply.card if whole else _cut(reply.card)) if reply.card else ""
    blocks = [to_html(reply.text), card, _footer(reply)]
    return "\n\n".join(block for block in blocks if block)


def _cut(card: Card) -> Card:
    """What a phone shows without scrolling; the rest is behind Details."""
    lines = card.diff.strip("\n").splitlines()
    kept = _short("\n".join(lines[:_DIFF_LINES]), _DIFF)
    left = len(lines) - len(kept.splitlines())
    diff = f"{kept}\n{_OVER} {left} more lines" if left > 0 else kept
    fields = tuple(Field(f.label, _short(f.value, _VALUE)) for f in card.fields)
    return replace(card, body=_short(card.body, _BODY), fields=fields, diff=diff)


def _short(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1].rstrip()}{_OVER}"


def _card(card: Card) -> str:
    fields = "\n".join(
        f"<b>{escape(clean(f.label))}:</b> {escape(clean(f.value))}" for f in card.fields
    )
    diff = escape(clean(card.diff), quote=False).strip("\n")
    blocks = [
        f"<b>{escape(clean(card.title))}</b>",
        to_html(card.body),
        fields,
        f'<pre><code class="language-diff">{diff}</code></pre>' if diff else "",
        f"<b>{escape(clean(card.status))}</b>" if card.status else "",
    ]
    return "\n\n".join(block for block in blocks if block)


def _footer(reply: Reply) -> str:
    footer = clean(reply.footer)
    short = reply.run_id[-8:]
    if short and reply.rateable and short not in footer:
        footer = f"{footer} · run {short}" if footer else f"run {short}"
    return f"<i>{escape(footer)}</i>" if footer else ""


def _keyboard(reply: Reply, whole: bool) -> tuple[tuple[Key, ...], ...]:
    rows: list[tuple[Key, ...]] = []
    if not (reply.card and reply.card.status):
        keys = [_key(button) for button in reply.buttons if _fits(button.command)]
        rows = [tuple(keys[i : i + _PER_ROW]) for i in range(0, len(keys), _PER_ROW)]
        rows += _details(reply) if rows and not whole else []
    if reply.rateable and reply.run_id:
        up, down = f"/rate {reply.run_id} up", f"/rate {reply.run_id} down"
        rows.append((("👍", up), ("👎", down)))
    return tuple(rows)


def _details(reply: Reply) -> list[tuple[Key, ...]]:
    """What the card had to leave out."""
    ref = reply.card.ref if reply.card else ""
    known = any(button.label == "Details" for button in reply.buttons)
    if known or not _PROPOSAL.fullmatch(ref):
        return []
    return [(("Details", f"/proposals {ref}"),)]


def _fits(command: str) -> bool:
    return 0 < len(command.encode()) <= DATA_LIMIT


def _key(button: Button) -> Key:
    asking = ASKS + button.command
    asks = button.asks and _fits(asking)
    return clean(button.label)[:64] or "…", asking if asks else button.command


def split(html: str, limit: int) -> list[str]:
    """Cuts HTML into pieces of at most `limit` UTF-16 units, each with balanced tags.

    Prefers an empty line, then a line's end, then a space, in the second half of a piece. The
    markup counts too, so that a piece fits however the length is counted.
    """
    atoms: list[str] = _ATOM.findall(html)
    pieces: list[str] = []
    start, opened = 0, list[str]()
    while start < len(atoms):
        end, still_open = _piece(atoms, start, opened, limit)
        text = "".join(opened) + "".join(atoms[start:end]) + _closers(still_open)
        if plain(text).strip():
            pieces.append(text.strip("\n"))
        start, opened = end, still_open
    return pieces or ["…"]


def _piece(
    atoms: Sequence[str], start: int, opened: list[str], limit: int
) -> tuple[int, list[str]]:
    """Where the piece that begins at `start` ends, and the tags open there."""
    size, tags = units("".join(opened)), list(opened)
    best: tuple[int, int, list[str]] = (-1, 0, [])
    for at in range(start, len(atoms)):
        atom = atoms[at]
        after = _after(tags, atom)
        if size + units(atom) + len(_closers(after)) > limit and at > start:
            return (best[1], best[2]) if best[0] >= 0 else (at, tags)
        size, tags = size + units(atom), after
        rank = _rank(atoms, at)
        if rank >= best[0] and size > limit // 2:
            best = (rank, at + 1, tags)
    return len(atoms), tags


def _rank(atoms: Sequence[str], at: int) -> int:
    """How good a place to cut is behind this atom; -1 is none."""
    if atoms[at] == "\n":
        return 2 if at and atoms[at - 1] == "\n" else 1
    return 0 if atoms[at] == " " else -1


def _after(tags: list[str], atom: str) -> list[str]:
    if atom.startswith("</"):
        return tags[:-1]
    return [*tags, atom] if len(atom) > 1 and atom[0] == "<" else tags


def _closers(tags: Sequence[str]) -> str:
    return "".join(f"</{re.split(r'[ >]', tag[1:])[0]}>" for tag in reversed(tags))
