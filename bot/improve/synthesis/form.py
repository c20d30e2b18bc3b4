"""What a rule is given and gives, and the forms of what it writes; pure."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from bot.improve.drafting import Draft
from bot.improve.synthesis import lint
from bot.model.agent import AgentVersion
from bot.model.finding import Finding
from bot.model.words import one_line

Crew = Mapping[str, AgentVersion]
"""The agents in use, by name."""
Rule = Callable[[Finding, Crew], Draft | None]

_SLUG = re.compile(r"[a-z][a-z0-9-]{1,38}\Z")


def slug(words: Iterable[str], taken: Iterable[str] = ()) -> str:
    """A name of up to two of the words that nobody has yet, "" where they make none."""
    parts = [re.sub(r"[^a-z0-9]", "", word.casefold())[:18] for word in words]
    plain = "-".join([part for part in parts if part][:2])
    if not _SLUG.match(plain):
        return ""
    used = set(taken)
    return next((n for n in (plain, *(f"{plain}-{i}" for i in range(2, 9))) if n not in used), "")


def listed(words: Sequence[str], most: int = 8) -> str:
    return ", ".join(one_line(word, 30) for word in words[:most])


def quotable(examples: Sequence[str], most: int = 3) -> list[str]:
    """Requests that may stand as examples: one line each, and none that gives orders to agents."""
    plain = [one_line(example, 160) for example in examples]
    return [one for one in plain if one and not lint.suspicious(one)][:most]


def added(lines: Iterable[str]) -> str:
    return "\n".join(f"+ {line}" for line in lines)


def replaced(before: str, after: str) -> str:
    return f"- {one_line(before, 600)}\n+ {one_line(after, 600)}"
