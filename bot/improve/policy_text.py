"""The approval policy as it is written: YAML, read strictly, each fault with its line."""

import re
from collections.abc import Callable, Collection, Mapping
from enum import StrEnum
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import yaml

from bot.errors import BadInput
from bot.model.policy import (
    AskStep,
    AtExpiry,
    Author,
    Guests,
    Needs,
    Policy,
    QuietHours,
    Rule,
)
from bot.model.words import one_line

LONGEST = 16_000
_MOST_ITEMS, _MOST_FAULTS = 50, 10
_DEEPEST = 8
_YEAR = 366 * 86_400_000
_UNITS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}
_SPAN = re.compile(r"(\d{1,6})\s?([mhd])\Z|0\Z", re.ASCII)
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)\Z", re.ASCII)
_WHERE = re.compile(
    r"(admin|thread|(approvers|owners)(@(slack|telegram|whatsapp))?|"
    r"(slack|telegram|whatsapp):[\w.@+-]{1,80})\Z",
    re.ASCII,
)
_GLOB = re.compile(r"[\w.*?-]{1,40}\Z", re.ASCII)

E = TypeVar("E", bound=StrEnum)


def parse(text: str) -> Policy:
    """Raises BadInput that names each fault with its line and path."""
    if len(text) > LONGEST:
        raise _bad([f"it has {len(text):,} characters, of at most {LONGEST:,}"])
    reader = _Reader()
    policy = reader.policy(_composed(text))
    if reader.faults:
        raise _bad(reader.faults)
    return policy


def _composed(text: str) -> yaml.Node:
    """The document's nodes, without aliases: those could make much of little."""
    try:
        depth = 0
        for event in yaml.parse(text, yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                raise _bad([f"line {_line(event)}: & and * are not taken here"])
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEEPEST:
                raise _bad([f"line {_line(event)}: that is nested too deeply"])
        node: yaml.Node | None = yaml.compose(text, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise _bad([f"line {line}: this is no YAML: {error.problem}"]) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise _bad(["this is no YAML"]) from error
    if node is None:
        raise _bad(["there is nothing in it"])
    return node


def _bad(faults: list[str]) -> BadInput:
    shown = [f"- {one_line(fault, 200)}" for fault in faults[:_MOST_FAULTS]]
    said = "That policy can't be used, so nothing has changed:\n" + "\n".join(shown)
    return BadInput(f"policy: {faults[0]}", said=said)


class _Reader:
    """Reads nodes rather than values: so each fault knows its line, and "22:00" stays a text."""

    def __init__(self) -> None:
        self.faults: list[str] = []

    def policy(self, node: yaml.Node) -> Policy:
        keys = self._keys(
            node,
            "",
            (
                "approvals",
                "ask",
                "remind_after",
                "expire_after",
                "at_expiry",
                "quiet_hours",
                "guests",
            ),
        )
        return Policy(
            approvals=tuple(self._each(keys, "approvals", self._rule)),
            ask=tuple(self._each(keys, "ask", self._step)),
            remind_after=self._span(keys.get("remind_after"), "remind_after"),
            expire_after=self._span(keys.get("expire_after"), "expire_after", least=60_000),
            at_expiry=self._choice(keys.get("at_expiry"), "at_expiry", AtExpiry.DECLINE),
            quiet_hours=self._quiet(keys["quiet_hours"]) if "quiet_hours" in keys else None,
            guests=self._choice(keys.get("guests"), "guests", Guests.REFUSE),
        )

    def _rule(self, node: yaml.Node, path: str) -> Rule:
        keys = self._keys(node, path, ("risk", "kind", "needs", "author"), ("needs",))
        return Rule(
            needs=self._choice(keys.get("needs"), f"{path}.needs", Needs.OWNER),
            risk=self._text(keys.get("risk"), f"{path}.risk", _GLOB, "a risk or *", "*"),
            kind=self._text(keys.get("kind"), f"{path}.kind", _GLOB, "a kind or *", "*"),
            author=self._choice(keys.get("author"), f"{path}.author", Author.WHEN_ALONE),
        )

    def _step(self, node: yaml.Node, path: str) -> AskStep:
        keys = self._keys(node, path, ("where", "after"), ("where",))
        expected = "admin, approvers, owners, thread, or a place such as slack:C012AB3CD"
        where = self._text(keys.get("where"), f"{path}.where", _WHERE, expected)
        return AskStep(where, self._span(keys.get("after"), f"{path}.after"))

    def _quiet(self, node: yaml.Node) -> QuietHours:
        path, names = "quiet_hours", ("from", "to", "zone")
        keys = self._keys(node, path, names, names)
        times = [
            self._text(keys.get(n), f"{path}.{n}", _CLOCK, 'a time such as "22:00"', "0:00")
            for n in ("from", "to")
        ]
        zone = self._text(keys.get("zone"), f"{path}.zone", re.compile(r"[\w/+-]{1,64}\Z"), _ZONE)
        if "zone" in keys and not _known_zone(zone):
            self._fault(keys["zone"], f"{path}.zone", _ZONE)
        start, end = (int(h) * 60 + int(m) for h, m in (t.split(":") for t in times))
        return QuietHours(start, end, zone)

    def _keys(
        self, node: yaml.Node, path: str, known: Collection[str], needed: Collection[str] = ()
    ) -> Mapping[str, yaml.Node]:
        found: dict[str, yaml.Node] = {}
        if not isinstance(node, yaml.MappingNode):
            self._fault(node, path, f"the keys {', '.join(known)}")
            return found
        for key, value in node.value:
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else "?"
            if name not in known:
                self._tell(key, path, f"{name!r} is no key here; there are {', '.join(known)}")
            elif name in found:
                self._tell(key, path, f"{name} stands there twice")
            else:
                found[name] = value
        for name in needed:
            if name not in found:
                self._tell(node, path, f"{name} is missing")
        return found

    def _each(
        self, keys: Mapping[str, yaml.Node], name: str, read: Callable[[yaml.Node, str], Any]
    ) -> list[Any]:
        node = keys.get(name)
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode):
            self._fault(node, name, "a list")
            return []
        if len(node.value) > _MOST_ITEMS:
            self._fault(node, name, f"at most {_MOST_ITEMS}")
            return []
        return [read(item, f"{name}[{number}]") for number, item in enumerate(node.value)]

    def _choice(self, node: yaml.Node | None, path: str, default: E) -> E:
        choices = {choice.value: choice for choice in type(default)}
        if node is None:
            return default
        if not isinstance(node, yaml.ScalarNode) or node.value not in choices:
            self._fault(node, path, f"one of {', '.join(choices)}")
            return default
        return choices[node.value]

    def _span(self, node: yaml.Node | None, path: str, least: int = 0) -> int:
        if node is None:
            return 0
        typed = _SPAN.match(node.value) if isinstance(node, yaml.ScalarNode) else None
        ms = int(typed[1]) * _UNITS[typed[2]] if typed and typed[1] else 0
        if typed is None or not least <= ms <= _YEAR:
            self._fault(node, path, "a time such as 30m, 4h or 2d, of at most a year")
        return ms

    def _text(
        self,
        node: yaml.Node | None,
        path: str,
        form: re.Pattern[str],
        expected: str,
        default: str = "",
    ) -> str:
        if node is None:
            return default
        if isinstance(node, yaml.ScalarNode) and form.match(node.value):
            return str(node.value)
        self._fault(node, path, expected)
        return default

    def _fault(self, node: yaml.Node, path: str, expected: str) -> None:
        value = (
            f", not {one_line(str(node.value), 40)!r}" if isinstance(node, yaml.ScalarNode) else ""
        )
        self._tell(node, path, f"expected {expected}{value}")

    def _tell(self, node: yaml.Node, path: str, why: str) -> None:
        where = f"line {_line(node)}" + (f", {path}" if path else "")
        self.faults.append(f"{where}: {why}")


def _line(of: yaml.Node | yaml.Event) -> int:
    return of.start_mark.line + 1 if of.start_mark else 1


_ZONE = "a time zone such as Europe/Vienna"


def _known_zone(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (ValueError, OSError, LookupError):
        return False
    return True
