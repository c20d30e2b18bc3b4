"""What the log says of the roster: agents nobody needs, two that do the same, lessons, praise; pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

from bot.improve.detect.seen import Seen
from bot.improve.facts import DUPLICATE, LESSON, PRAISE, UNUSED, LessonFacts
from bot.improve.outcome import RATING
from bot.lexical import terms
from bot.model.agent import AgentVersion
from bot.model.stats import chance_lower, wilson
from bot.model.words import count, one_line, share

DAY = 86_400_000
_ALIKE = 0.7
_AGENTS, _VERSIONS, _LIKED = 200, 50, 20
_POOR, _LATELY = 0.5, 10
_COMPARED, _BY_CHANCE = 30, 0.001


class Judged(NamedTuple):
    """What is read of a scored run."""

    id: str
    created_at: int
    scored_at: int
    status: str
    person: str
    agent: str
    version: int
    y: float | None
    source: str


def fold(known: dict[str, Any], page: Iterable[Judged]) -> list[Seen]:
    """Scored runs. `known` is {agent: {"versions": {version: [scored, good]}, "liked": [[run,
    person]], "poor": [[run, version]]}}, `liked` those that people rated as good, `poor` those that
    went badly, the newest."""
    for run in page:
        if run.agent and run.y is not None:
            at = known.pop(run.agent, None) or {"versions": {}, "liked": [], "poor": []}
            known[run.agent] = at
            versions = at["versions"]
            # What was at work last stands at the end: the others are forgotten first.
            scored, good = versions.pop(str(run.version), (0, 0.0))
            versions[str(run.version)] = [scored + 1, good + run.y]
            if run.source == RATING and run.y == 1:
                at["liked"] = [*at["liked"], [run.id, run.person]][-_LIKED:]
            if run.y < _POOR:
                at["poor"] = [*at.get("poor", ()), [run.id, run.version]][-_LATELY:]
            if len(versions) > _VERSIONS:
                del versions[next(iter(versions))]
            if len(known) > _AGENTS:
                del known[next(iter(known))]
    return []


def unused(
    known: Mapping[str, int], agents: Iterable[tuple[AgentVersion, int]], now: int
) -> list[Seen]:
    """Agents, each with when its version was made, that nobody has asked for as long as they
    themselves say they may be spared."""
    seen = []
    for agent, made_at in agents:
        days = (now - max(known.get(agent.name, 0), made_at)) // DAY
        if 0 < agent.retire_after_days <= days:
            title = f"Nobody has asked {agent.name} for {count(days, 'day')}"
            seen.append(
                Seen(
                    UNUSED,
                    agent.name,
                    f"v{agent.version}",
                    title,
                    f"{title}; it was to go after {agent.retire_after_days}.",
                    (),
                    confidence=1.0,
                    facts={"days": days, "runs_week": 0.0},
                )
            )
    return seen


def duplicates(
    agents: Sequence[AgentVersion], known: Mapping[str, int], good: Mapping[str, Any]
) -> list[Seen]:
    """Pairs whose descriptions share most of their words and tools; the busier one would stay."""
    seen = []
    for pair in combinations(agents, 2):
        likeness = alike(*pair)
        if likeness >= _ALIKE:
            runs = {a.name: _scored(good.get(a.name)) for a in pair}
            goes, stays = sorted(pair, key=lambda a: (runs[a.name], known.get(a.name, 0)))
            title = f"{goes.name} and {stays.name} do much the same"
            seen.append(
                Seen(
                    DUPLICATE,
                    stays.name,
                    goes.name,
                    title,
                    f"{title}: {likeness:.0%} of what describes them is shared.",
                    (),
                    count=sum(runs.values()),
                    confidence=likeness,
                    facts={
                        "stays": stays.name,
                        "goes": goes.name,
                        "likeness": round(likeness, 3),
                    },
                )
            )
    return seen


def alike(one: AgentVersion, other: AgentVersion) -> float:
    """What part of the words that describe them, and of their tools, is shared."""
    words = [terms(f"{a.specialty} {a.instructions}") | set(a.tools) for a in (one, other)]
    together = words[0] | words[1]
    return len(words[0] & words[1]) / len(together) if together else 0.0


def _scored(at: Mapping[str, Any] | None) -> int:
    return sum(scored for scored, _ in at["versions"].values()) if at else 0


def lessons(
    known: Mapping[str, Any], agent: AgentVersion, versions: Sequence[AgentVersion]
) -> dict[str, list[float]]:
    """What became of an agent's runs with and without each lesson of the version in use, by the
    lesson's id: [scored with, good with, scored without, good without]. No proof, for other things
    changed too; enough to ask which lessons to look at."""
    counts = known["versions"] if known else {}
    found: dict[str, list[float]] = {}
    for bullet in agent.playbook:
        row = [0.0, 0.0, 0.0, 0.0]
        for version in versions:
            scored, good = counts.get(str(version.version), (0, 0.0))
            at = 0 if bullet in version.playbook else 2
            row[at] += scored
            row[at + 1] += good
        found[bullet.id] = row
    return found


def harmful(rows: Mapping[str, Sequence[float]]) -> str:
    """Of an agent's lessons the one that runs went clearly worse with than without, "" for none:
    at most one at a time, for what came with it looks as bad. With each lesson that is compared
    more has to speak for it, as one looks again and again."""
    enough = {id: row for id, row in rows.items() if min(row[0], row[2]) >= _COMPARED}
    chance = {
        id: chance_lower(row[1], int(row[0]), row[3], int(row[2])) for id, row in enough.items()
    }
    worst = min(sorted(chance), key=lambda id: chance[id], default="")
    return worst if worst and chance[worst] * len(chance) < _BY_CHANCE else ""


def harm(
    agent: AgentVersion, id: str, row: Sequence[float], known: Mapping[str, Any], having: set[int]
) -> Seen:
    """`having` are the versions with the lesson."""
    n, good, others, well = row
    bullet = next(b for b in agent.playbook if b.id == id)
    said = one_line(bullet.text, 300)
    title = f"{agent.name} does worse with the lesson: {said}"
    told: LessonFacts = {
        "bullet": id,
        "lesson": bullet.text,
        "taught": bullet.source,
        "success": round(good / n, 4),
        "scored": int(n),
        "baseline": round(well / others, 4),
    }
    return Seen(
        LESSON,
        agent.name,
        f"{id} {bullet.source} {bullet.text}",
        title,
        f"Runs went well in {share(good, int(n))} of {int(n)} with it, and in "
        f"{share(well, int(others))} of {int(others)} without it. Other things changed too: only a "
        "trial can tell what it was.",
        tuple(run for run, version in known.get("poor", ()) if version in having),
        count=int(n),
        confidence=1 - chance_lower(good, int(n), well, int(others)),
        facts={**told},
    )


def praise(
    known: Mapping[str, Any], said: Mapping[str, tuple[str, str]], agents: Iterable[str]
) -> list[Seen]:
    """What people liked the answers to, by the words of the question: the newest of those answers
    is worth keeping. `said` is what was asked and answered, by run."""
    seen = []
    for name in agents:
        at = known.get(name) or {"versions": {}, "liked": []}
        versions = at["versions"].values()
        low = wilson(sum(good for _, good in versions), sum(n for n, _ in versions))[0]
        alike: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for run, person in at["liked"]:
            if all(texts := said.get(run, ("", ""))):
                alike[" ".join(sorted(terms(texts[0])))[:300] or run].append((run, person))
        for about, liked in alike.items():
            asked, answer = said[liked[-1][0]]
            title = f"An answer of {name}'s was liked"
            seen.append(
                Seen(
                    PRAISE,
                    name,
                    about,
                    title,
                    f"{title}: it is worth keeping for when the same is asked again.",
                    tuple(run for run, _ in liked),
                    count=len(liked),
                    people=len({person for _, person in liked}),
                    confidence=low,
                    facts={"asked": asked[:300], "answer": answer[:600]},
                )
            )
    return seen
