"""What people asked for and nobody here could do, by what it was about; a fold, pure.

A request shows a gap where the answer says that it can't be done, a tool was asked for that its
agent hasn't, someone was called by a name that nobody has, no file that came could be read, the person
turned to another agent, or asked the same again in other words; so does a command that there is
none of. Each run counts once, however many of these it shows. Two folds, as in
`patterns`: `closed` over closed runs, `judged` over runs as they get an outcome.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from bot.improve.distinct import distinct, mark, note
from bot.improve.signs import (
    CANNOT,
    COMMAND,
    FILE,
    HANDED_ON,
    MENTION,
    NAME,
    NAMED,
    REPHRASED,
    TOOL,
    says_no,
    unknown_name,
    unknown_tools,
)
from bot.model.stats import wilson

RUNS, PEOPLE = 5, 2
"""Requests with a gap, and people who asked them, before it is spoken of."""
SHARE = 0.2
"""Of a cluster's requests surely so many must show a gap."""
MOST = 192
"""Topics that are kept; up to twice as many between two clearings."""

_MARKS, _NAMES, _EXAMPLES, _WAITING = 16, 8, 5, 512
_SOON = 15 * 60_000
_ENDING = re.compile(r"\.([a-z0-9]{1,6})\Z", re.ASCII)


class Asked(NamedTuple):
    """A closed request. `cluster` "" where it has none. `path` as in `patterns.Walk`."""

    run_id: str
    cluster: str
    agent: str
    conversation: str
    person: str
    message: str
    answer: str
    path: str
    error_type: str
    at: int


@dataclass(frozen=True, slots=True)
class Gap:
    """`topic` is a cluster's id, or "tool:NAME", "agent:NAME" or "command:NAME". `runs` of `whole` requests showed it (the same
    number for a name). `agent` is who got most of them when it was first worth telling; `agents`
    all who did, `able` whom people turned to instead, most often first. `signals` count what
    showed it. `used` are tools that worked in such requests, `endings` those of files that didn't.
    Times in ms."""

    topic: str
    agent: str
    runs: int
    whole: int
    low: float
    people: int
    signals: Mapping[str, int]
    agents: Sequence[str]
    able: Sequence[str]
    used: Sequence[str]
    endings: Sequence[str]
    examples: tuple[str, ...]
    first_at: int
    last_at: int

    @property
    def named(self) -> tuple[str, str]:
        """What was asked for by its name: ("tool" | "agent" | "command", name), or ("", "")."""
        kind, colon, name = self.topic.partition(":")
        return (kind, name) if colon else ("", "")

    @property
    def tool(self) -> str:
        kind, name = self.named
        return name if kind == "tool" else ""

    @property
    def missing(self) -> bool:
        """Whether the means are missing, rather than someone who knows how to use them."""
        means = sum(self.signals.get(one, 0) for one in (CANNOT, TOOL, FILE))
        return self.named[0] in ("tool", "command") or 2 * means >= self.runs


class Gaps:
    """The fold and its state, which is JSON. "topics" by cluster or tool, "last" by conversation
    and person [when, agent, cluster, run, whether it showed a gap], "again" by cluster [runs asked again, people, examples]."""

    def __init__(self, state: Mapping[str, Any] | None = None, most: int = MOST) -> None:
        """`state` is taken over, not copied."""
        kept = state or {}
        self._most = most
        self._topics: dict[str, dict[str, Any]] = kept.get("topics") or {}
        self._last: dict[str, list[Any]] = kept.get("last") or {}
        self._again: dict[str, list[Any]] = kept.get("again") or {}

    def dump(self) -> dict[str, Any]:
        return {"topics": self._topics, "last": self._last, "again": self._again}

    def closed(self, asked: Asked, granted: Collection[str], crew: Collection[str] = ()) -> None:
        """`granted` are the tools that its agent has, `crew` the names of all agents."""
        self._handed_on(asked)
        steps = [step.partition(":")[::2] for step in asked.path.split("|")]
        signals = set()
        for tool in unknown_tools(steps, granted):
            self._count(f"tool:{tool}", asked, {TOOL}, steps)
            signals.add(TOOL)
        if name := unknown_name(asked.message, crew):
            self._count(f"agent:{name}", asked, {NAME}, steps)
        if says_no(asked.answer):
            signals.add(CANNOT)
        if asked.error_type == "bad_input" and any(kind == "file" for kind, _ in steps):
            signals.add(FILE)
        if asked.cluster:
            self._count(asked.cluster, asked, signals, steps)

    def commanded(self, name: str, asked: Asked) -> None:
        """A command that there is none of, nor one like it."""
        if NAMED.match(name):
            self._count(f"command:{name}", asked, {COMMAND}, ())

    def judged(self, run_id: str, cluster: str, person: str, y: float, source: str) -> None:
        """A run that got its first outcome; asked again in other words, it was no answer."""
        if y == 0.0 and source == "implicit" and cluster:
            again = self._again.setdefault(cluster, [0, [], []])
            again[0] += 1
            note(again[1], mark(person), _MARKS)
            again[2] = [*again[2][1 - _EXAMPLES :], run_id]
            if len(self._again) > 2 * self._most:
                ranked = sorted(self._again, key=lambda c: (-self._again[c][0], c))
                self._again = {c: self._again[c] for c in ranked[: self._most]}

    def found(self, since: int = 0) -> list[Gap]:
        """What is worth telling and was seen at or after `since` (ms), the largest first."""
        gaps = [self._gap(topic, kept) for topic, kept in self._topics.items()]
        told = [gap for gap in gaps if _worth_it(gap) and gap.last_at >= since]
        return sorted(told, key=lambda gap: (-gap.runs, gap.topic))

    def _handed_on(self, asked: Asked) -> None:
        """Someone who calls another agent into the conversation was not served by the one before."""
        key = _place(asked)
        before = self._last.get(key)
        called = MENTION.match(asked.message)
        if before and called and called[1].lower() == asked.agent != before[1]:
            kept = self._topics.get(before[2])
            if kept is not None and 0 <= asked.at - before[0] <= _SOON:
                _signal(kept, {HANDED_ON}, before[3], before[1], asked, counted=before[4])
                _add(kept["able"], asked.agent)
        self._last[key] = [asked.at, asked.agent, asked.cluster, asked.run_id, False]
        if len(self._last) > 2 * _WAITING:
            newest = sorted(self._last, key=lambda k: (k != key, -self._last[k][0], k))[:_WAITING]
            self._last = {k: self._last[k] for k in newest}

    def _count(
        self,
        topic: str,
        asked: Asked,
        signals: set[str],
        steps: Sequence[tuple[str, str]],
    ) -> None:
        kept = self._topics.get(topic)
        if kept is None:
            kept = self._topics[topic] = {
                "whole": 0,
                "runs": 0,
                "first": asked.at,
                "last": 0,
                "agent": "",
                "signals": {},
                "people": [],
                "agents": {},
                "able": {},
                "used": {},
                "endings": {},
                "examples": [],
            }
        kept["whole"] += 1
        for name in dict.fromkeys(name for kind, name in steps if kind == "tool"):
            _add(kept["used"], name)
        if signals:
            _signal(kept, signals, asked.run_id, asked.agent, asked)
            if _place(asked) in self._last:
                self._last[_place(asked)][4] = True
        if FILE in signals:
            for kind, name in steps:
                if kind == "file" and (ending := _ENDING.search(name.rstrip("!").lower())):
                    _add(kept["endings"], ending[1])
        if len(self._topics) > 2 * self._most:
            ranked = sorted(
                self._topics,
                key=lambda t: (-self._topics[t]["runs"], -self._topics[t]["whole"], t),
            )
            self._topics = {t: self._topics[t] for t in ranked[: self._most]}

    def _gap(self, topic: str, kept: Mapping[str, Any]) -> Gap:
        again, people, examples = self._again.get(topic, (0, [], []))
        everyone = list(kept["people"])
        for person in people:
            note(everyone, person, _MARKS)
        signals = dict(kept["signals"]) | ({REPHRASED: again} if again else {})
        runs = min(kept["runs"] + again, kept["whole"])
        agents = _ranked(kept["agents"])
        return Gap(
            topic=topic,
            agent=kept["agent"] or next(iter(agents), ""),
            runs=runs,
            whole=kept["whole"],
            low=wilson(runs, kept["whole"])[0],
            people=distinct(everyone, _MARKS),
            signals=signals,
            agents=agents,
            able=_ranked(kept["able"]),
            used=_ranked(kept["used"]),
            endings=sorted(kept["endings"]),
            examples=tuple(dict.fromkeys((*kept["examples"], *examples)))[-_EXAMPLES:],
            first_at=kept["first"],
            last_at=kept["last"],
        )


def _worth_it(gap: Gap) -> bool:
    return gap.runs >= RUNS and gap.people >= PEOPLE and (bool(gap.named[0]) or gap.low >= SHARE)


def _signal(
    kept: dict[str, Any],
    signals: set[str],
    run_id: str,
    agent: str,
    asked: Asked,
    counted: bool = False,
) -> None:
    """`counted` says that this run showed the gap already."""
    for signal in signals:
        kept["signals"][signal] = kept["signals"].get(signal, 0) + 1
    if not counted:
        kept["runs"] += 1
    note(kept["people"], mark(asked.person), _MARKS)
    _add(kept["agents"], agent)
    if run_id not in kept["examples"]:
        kept["examples"] = [*kept["examples"][1 - _EXAMPLES :], run_id]
    kept["last"] = max(kept["last"], asked.at)
    if kept["runs"] >= RUNS and not kept["agent"]:
        kept["agent"] = next(iter(_ranked(kept["agents"])), "")


def _place(asked: Asked) -> str:
    return f"{mark(asked.conversation)}:{mark(asked.person)}"


def _ranked(counts: Mapping[str, int]) -> list[str]:
    return sorted(counts, key=lambda name: (-counts[name], name))


def _add(counts: dict[str, int], name: str) -> None:
    if name in counts or (len(counts) < _NAMES and NAMED.match(name)):
        counts[name] = counts.get(name, 0) + 1
