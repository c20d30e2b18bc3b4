"""Runs and replies as pieces of the page."""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bot.files import names
from bot.model.message import Picture, Reply
from bot.model.run import OPEN, Run, RunStatus
from bot.model.words import usd
from bot.ports.clock import Ids
from handlers.web.markdown import Markdown
from handlers.web.outgoing import reply_of

_AT_HAND = (
    "help",
    "status",
    "proposals",
    "metrics",
    "runs",
    "agents",
    "jobs",
    "budget",
    "workflows",
)
"""Commands that say something useful by their name alone."""
_RUN_ID = re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{4}([0-9a-f]{8})\b")
_PAGE = Path(__file__).parent / "page"
NO_CARDS: Mapping[str, Reply] = {}


@dataclass(frozen=True, slots=True)
class Turn:
    """One run as the page shows it: what was said, and what came back."""

    run: Run
    reply: Reply
    open: bool
    footer: Sequence[str]
    rating: str = ""
    improved: bool = False


@dataclass(frozen=True, slots=True)
class Thread:
    """A conversation, oldest first, and the cards that wait beside it."""

    turns: Sequence[Turn] = ()
    cards: Sequence[Reply] = ()


class Renderer:
    """The templates, with everything they need."""

    def __init__(self, ids: Ids, commands: Sequence[tuple[str, str]], notice: str = ""):
        self._markdown = Markdown()
        self._templates = Environment(
            loader=FileSystemLoader(_PAGE),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters.update(
            markdown=self._markdown.html,
            clock=_clock,
            iso=_iso,
            data_url=_data_url,
            diff_lines=_diff_lines,
            short_ids=_short_ids,
            file_size=names.size,
        )
        known = dict(commands)
        chips = [(name, known[name]) for name in _AT_HAND if name in known]
        self._templates.globals.update(
            new_id=lambda: ids.token(12), commands=commands, chips=chips, notice=notice
        )

    def page(self, name: str, **values: object) -> str:
        return self._templates.get_template(name).render(values)


def turn_of(
    run: Run, rating: str = "", improved: bool = False, cards: Mapping[str, Reply] = NO_CARDS
) -> Turn:
    """`improved` tells that a better answer was described; `cards` are how cards stand now, by
    their refs."""
    reply = reply_of(run)
    if reply.card and (now := cards.get(reply.card.ref)):
        reply = replace(reply, card=now.card, buttons=now.buttons)
    return Turn(run, reply, run.status in OPEN, footer_of(run), rating, improved)


def refs_of(runs: Sequence[Run]) -> set[str]:
    """The cards that these runs answered with."""
    cards = (reply_of(run).card for run in runs)
    return {card.ref for card in cards if card and card.ref}


def thread_of(runs: Sequence[Run], cards: Sequence[Reply]) -> Thread:
    """Newest first in, oldest first out. Ratings are shown on what they rate."""
    known = {c.card.ref: c for c in cards if c.card}
    ratings: dict[str, str] = {}
    improved: set[str] = set()
    shown: list[Run] = []
    for run in reversed(runs):
        name, *words = run.message.split(maxsplit=3) or [""]
        if name == "/better" and words:
            improved.add(words[0][-8:])
        if name != "/rate":
            shown.append(run)
        elif len(words) > 1 and run.status is RunStatus.SUCCEEDED:
            ratings[words[0][-8:]] = words[1]
    turns = [turn_of(r, ratings.get(r.short, ""), r.short in improved, known) for r in shown]
    seen = {t.reply.card.ref for t in turns if t.reply.card}
    waiting = [c for c in cards if c.card and c.card.ref not in seen]
    return Thread(turns, sorted(waiting, key=_number))


def _number(reply: Reply) -> tuple[int, str]:
    """P2 before P10: the older first."""
    ref = reply.card.ref if reply.card else ""
    return len(ref), ref


def footer_of(run: Run) -> list[str]:
    """Who answered, how long it took, what it cost."""
    if run.status in OPEN:
        return []
    parts = [f"{run.agent} v{run.agent_version}"] if run.agent else []
    parts.append(f"{(run.latency_ms or 0) / 1000:.1f} s")
    if run.agent:
        parts.append(_money(run.usage.cost_usd))
    return parts


def _money(cost: float | None) -> str:
    if cost is None:
        return "cost unknown"
    return usd(cost)


def _time(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def _clock(ms: int) -> str:
    return f"{_time(ms):%H:%M}"


def _iso(ms: int) -> str:
    return _time(ms).isoformat()


def _data_url(picture: Picture) -> str:
    return f"data:image/png;base64,{base64.b64encode(picture.png).decode()}"


def _diff_lines(diff: str) -> list[tuple[str, str]]:
    """(kind, line) of each line of a unified diff."""
    kinds = {"+": "added", "-": "removed", "@": "place"}
    return [(kinds.get(line[:1], "same"), line) for line in diff.splitlines()]


def _short_ids(text: str) -> str:
    """Run ids as people read them, by their last 8 characters."""
    return _RUN_ID.sub(r"\1", text)
