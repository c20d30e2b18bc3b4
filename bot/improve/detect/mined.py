"""From patterns, gaps and predictions to findings; pure."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.improve import facts
from bot.improve.clusters import Clusters
from bot.improve.detect.seen import Seen
from bot.improve.gaps import Gap
from bot.improve.mining import Mined
from bot.improve.patterns import Pattern
from bot.model.stats import difference, wilson
from bot.model.words import count, one_line, share

RECENT_MS = 30 * 86_400_000
"""What nobody did or asked for so long is not told any more."""

_WEEK = 7 * 86_400_000
_RELIABLE, _LIFT = 20, 0.05
_TEXTS, _TEXT_CHARS = 5, 300
_NOBODY, _NOT_WELL = "Asked for, and nobody here can", "Asked for, and not served well"
_ASKED = {
    "agent": "Asked for, and there is nobody of that name",
    "command": "Asked for, and there is no such command",
}
_MEANINGLESS = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Crew:
    """The agents in use: the tools and the version of each."""

    tools: Mapping[str, frozenset[str]]
    versions: Mapping[str, int]

    def with_tool(self, tool: str) -> str:
        return next((name for name in sorted(self.tools) if tool in self.tools[name]), "")


def of_pattern(pattern: Pattern, clusters: Clusters, texts: Sequence[str]) -> Seen:
    """`texts` is what was asked in its examples."""
    tools = [step.partition(":")[2] for step in pattern.steps if step.startswith("tool:")]
    terms = _terms(clusters, texts)
    success = f"{share(pattern.good, pattern.scored)} of {count(pattern.scored, 'scored run')}"
    told: facts.PatternFacts = {
        "steps": list(pattern.steps),
        "strength": pattern.strength.value,
        "support": pattern.runs,
        "conversations": pattern.conversations,
        "success_low": round(pattern.low, 4),
        "success": round(pattern.good / pattern.scored, 4) if pattern.scored else 0.0,
        "scored": pattern.scored,
        "runs_week": _weekly(pattern.runs, pattern.first_at, pattern.last_at),
        "name": _slug(terms[:2] if len(terms) > 1 else tools),
        "terms": terms,
        "examples": _shown(texts),
    }
    if pattern.mean is not None:
        told["baseline"] = round(pattern.mean, 4)
    if not pattern.scored:
        del told["success"]
    walked = " → ".join(step.partition(":")[2] for step in pattern.steps)
    return Seen(
        facts.PATTERN,
        pattern.agent,
        " ".join(pattern.steps),
        f"The same steps again and again: {walked}",
        f"{count(pattern.runs, 'run')} in {count(pattern.conversations, 'conversation')} of "
        f"{count(pattern.people, 'person', 'people')} took these steps: {walked}. They went well "
        f"in {success} [at least {pattern.low:.0%}], beside "
        f"{share(pattern.mean or 0.0, 1)} of all that {pattern.agent or 'everyone'} does.",
        pattern.examples,
        count=pattern.runs,
        people=pattern.people,
        confidence=pattern.low,
        facts={**told},
    )


def runbooks(patterns: Sequence[Pattern]) -> list[Pattern]:
    """Those worth proposing; of two where one holds the other the longer, if it is about as usual."""
    found = [pattern for pattern in patterns if pattern.runbook]
    return [
        one
        for one in found
        if not any(
            len(other.steps) > len(one.steps)
            and 2 * other.runs >= one.runs
            and f" {' '.join(one.steps)} " in f" {' '.join(other.steps)} "
            for other in found
        )
    ]


def of_gap(gap: Gap, clusters: Clusters, crew: Crew, texts: Sequence[str]) -> Seen:
    kind, name = gap.named
    terms = _terms(clusters, texts) if kind else list(clusters.terms(gap.topic))
    wanted = _wanted(kind, name) or clusters.label(gap.topic)
    if not kind and gap.endings and 2 * gap.signals.get("file", 0) >= gap.runs:
        wanted = "files that end in " + ", ".join(f".{ending}" for ending in gap.endings)
    able = (crew.with_tool(gap.tool) if gap.tool else "") or next(
        (name for name in gap.able if name in crew.tools and name != gap.agent), ""
    )
    had = frozenset[str]().union(*(crew.tools.get(name, frozenset()) for name in gap.agents))
    told: facts.GapFacts = {
        "wanted": wanted,
        "tool": gap.tool,
        "called": name if kind == "agent" else "",
        "able": able,
        "missing": gap.missing,
        "tools": [tool for tool in gap.used if tool in had],
        "signals": dict(gap.signals),
        "runs_week": _weekly(gap.runs, gap.first_at, gap.last_at),
        "terms": terms,
        "examples": _shown(texts),
    }
    ways = ", ".join(f"{name} {n}" for name, n in sorted(gap.signals.items()) if n)
    return Seen(
        facts.GAP,
        gap.agent,
        gap.topic,
        f"{_ASKED.get(kind) or (_NOBODY if gap.missing else _NOT_WELL)}: {wanted}",
        f"{count(gap.runs, 'request')} of {count(gap.people, 'person', 'people')} about {wanted} "
        f"({ways}), of {gap.whole:,} such requests.",
        gap.examples,
        count=gap.runs,
        people=gap.people,
        confidence=1 - 1 / (1 + gap.runs) if kind else gap.low,
        facts={**told},
    )


def _wanted(kind: str, name: str) -> str:
    """What was asked for by its name, as it is said."""
    sign = {"agent": "@", "command": "/"}.get(kind, "")
    return f"{sign}{name}" if sign else name.replace("_", " ")


def of_routes(mined: Mined) -> Iterator[Seen]:
    """Where another agent serves such requests surely better than the one that gets most of them."""
    clusters, predictor = mined.clusters, mined.predictor
    for cluster in clusters.ids:
        known = {a: s for a, s in predictor.agents(cluster).items() if s[0] >= _RELIABLE}
        if len(known) < 2:
            continue
        usual = max(sorted(known), key=lambda name: known[name][0])
        (n, good), best = known[usual], max(sorted(known), key=lambda a: known[a][1] / known[a][0])
        there, well = known[best]
        low, _ = difference(good, n, well, there)
        if best == usual or low < _LIFT:
            continue
        label = clusters.label(cluster)
        told: facts.RouteFacts = {
            "better": best,
            "success_there": round(well / there, 4),
            "success": round(good / n, 4),
            "scored": n,
            "terms": list(clusters.terms(cluster)),
        }
        yield Seen(
            facts.ROUTE,
            usual,
            f"{cluster} {best}",
            f"{best} serves requests about {label} better than {usual}",
            f"{best} went well in {share(well, there)} of {there} scored runs about {label} "
            f"[at least {wilson(well, there)[0]:.0%}], {usual} in {share(good, n)} of {n}.",
            tuple(run for run, _ in mined.disliked(cluster, usual)),
            count=n + there,
            confidence=min(1.0, 0.5 + low),
            facts={**told},
        )


def _terms(clusters: Clusters, texts: Sequence[str]) -> list[str]:
    """Of the cluster that most of these belong to."""
    found = Counter(cluster for text in texts if (cluster := clusters.of(text)))
    return list(clusters.terms(found.most_common(1)[0][0])) if found else []


def _shown(texts: Sequence[str]) -> list[str]:
    return [one_line(text, _TEXT_CHARS) for text in texts[:_TEXTS]]


def _weekly(runs: int, first_at: int, last_at: int) -> float:
    return round(runs * _WEEK / max(_WEEK, last_at - first_at), 2)


def _slug(words: Sequence[str]) -> str:
    named = "-".join(filter(None, (_MEANINGLESS.sub("-", word).strip("-") for word in words)))
    return named[:40].strip("-") or "runbook"
