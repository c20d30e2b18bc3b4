"""One agent with two kinds of request that it serves unlike well; tells no more than is sure; pure."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from bot.improve import facts
from bot.improve.detect.seen import Seen
from bot.improve.mining import Mined
from bot.model.stats import chance_lower, wilson
from bot.model.words import one_line, share

LEAST = 30
"""Scored runs on either side."""
APART = 0.15
"""Success must differ by so much: for less nobody needs an agent more."""
ALPHA = 0.001
"""Over all agents and kinds that are looked at, at one look. As one looks again and again: of 300
simulated agents with five kinds that don't differ 1.3 % were split within 4,000 runs. A tenth of the
requests at .55 beside .85 is seen after a median of 340."""
PEOPLE = 2
"""Who disliked such answers lately."""

_SHOWN, _CHARS = 5, 300


@dataclass(frozen=True, slots=True)
class Split:
    """A kind of request of an agent's: scored runs and the sum of their outcomes, and the same of
    all else that it does. `runs` are answers to it that went badly, the newest last."""

    agent: str
    cluster: str
    n: int
    good: float
    others: int
    well: float
    runs: tuple[str, ...] = ()
    people: int = 0

    @property
    def apart(self) -> float:
        return self.well / self.others - self.good / self.n

    @property
    def chance(self) -> float:
        """That it is so much worse by chance alone."""
        return chance_lower(self.good, self.n, self.well, self.others)


def splits(
    mined: Mined, agents: Collection[str], served: Collection[tuple[str, str]]
) -> Iterator[Split]:
    """Of each agent in use the kind of request that it surely serves worse than its others.
    `served` are agents and kinds for which something else is to be done: another one here serves
    them better, or means are missing."""
    compared = [one for one in _compared(mined) if one.agent in agents]
    for agent in sorted(agents):
        mine = [one for one in compared if one.agent == agent]
        for one in sorted(mine, key=lambda one: (one.chance, one.cluster))[:1]:
            sure = one.chance * len(compared) < ALPHA and one.apart >= APART
            if sure and one.people >= PEOPLE and (agent, one.cluster) not in served:
                yield one


def _compared(mined: Mined) -> Iterator[Split]:
    """Where both sides are large enough for that."""
    for agent, known in mined.predictor.success().items():
        cells = {c: cell for c, cell in known.items() if mined.clusters.size(c)}
        whole, well = sum(n for n, _ in cells.values()), sum(y for _, y in cells.values())
        for cluster, (n, good) in cells.items():
            if n >= LEAST and whole - n >= LEAST:
                bad = mined.disliked(cluster, agent)
                runs, people = tuple(run for run, _ in bad), len({who for _, who in bad})
                yield Split(agent, cluster, n, good, whole - n, well - good, runs, people)


def of_split(split: Split, mined: Mined, texts: Sequence[str]) -> Seen:
    """`texts` is what was asked in its runs."""
    agent, label = split.agent, mined.clusters.label(split.cluster)
    cells = mined.predictor.success()[agent]
    rest = max((c for c in cells if c != split.cluster), key=lambda c: (cells[c][0], c), default="")
    told: facts.SplitFacts = {
        "success": round(split.good / split.n, 4),
        "scored": split.n,
        "baseline": round(split.well / split.others, 4),
        "terms": list(mined.clusters.terms(split.cluster)),
        "rest": list(mined.clusters.terms(rest)),
        "examples": [one_line(text, _CHARS) for text in texts[:_SHOWN]],
    }
    low, high = wilson(split.good, split.n)
    return Seen(
        facts.SPLIT,
        agent,
        split.cluster,
        f"{agent} serves requests about {label} worse than its others",
        f"{agent} went well in {share(split.good, split.n)} of {split.n} scored runs about {label} "
        f"[{low:.0%} to {high:.0%}], and in {share(split.well, split.others)} of {split.others} "
        "others.",
        split.runs,
        count=split.n,
        people=split.people,
        confidence=1 - split.chance,
        facts={**told},
    )
