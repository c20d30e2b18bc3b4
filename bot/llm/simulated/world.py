"""What a simulated world is like: every knob, with its bounds; truth that no product code sees."""

from dataclasses import Field, dataclass, field
from typing import Any


def number(default: float, low: float, high: float) -> Any:
    """A knob with its bounds, both included."""
    return field(default=default, metadata={"low": low, "high": high})


def choice(default: str, *among: str) -> Any:
    return field(default=default, metadata={"among": among})


def bounds(of: "Field[Any]") -> tuple[float, float]:
    return of.metadata.get("low", float("-inf")), of.metadata.get("high", float("inf"))


@dataclass(frozen=True, slots=True)
class Spread:
    """Drawn anew for each change, normally distributed."""

    mean: float = number(0.0, -1, 1)
    sd: float = number(0.0, 0, 1)


@dataclass(frozen=True, slots=True)
class Kind:
    """Changes of one class. `success` is added to the chance that an answer is good. `replay` is
    added to that on replays alone: a proposer that overfits. `latency` and `cost` are relative:
    0.1 is a tenth more, beside the tokens that every change adds."""

    share: float = number(0.0, 0, 1)
    success: Spread = field(default_factory=Spread)
    replay: Spread = field(default_factory=Spread)
    latency: Spread = field(default_factory=Spread)
    cost: Spread = field(default_factory=Spread)


@dataclass(frozen=True, slots=True)
class Changes:
    """What the proposer proposes: one change every `every` runs. Each adds `tokens` (relative) to
    what a run costs, good or not."""

    every: int = number(200, 1, 100_000)
    tokens: float = number(0.03, 0, 1)
    placebo: Kind = field(default_factory=lambda: Kind(share=0.5))
    harmful: Kind = field(default_factory=lambda: Kind(share=0.25, success=Spread(-0.08, 0.03)))
    good: Kind = field(default_factory=lambda: Kind(share=0.25, success=Spread(0.15, 0.05)))


@dataclass(frozen=True, slots=True)
class Drift:
    """How the chance of a good answer moves by itself. step: by `amount` from run `at` on; linear:
    from `at` until `until`, `amount` in all; periodic: a sine of height `amount` and length
    `period` runs, from `at` on."""

    kind: str = choice("none", "none", "step", "linear", "periodic")
    amount: float = number(0.0, -1, 1)
    at: int = number(0, 0, 10_000_000)
    until: int = number(0, 0, 10_000_000)
    period: int = number(500, 2, 10_000_000)


@dataclass(frozen=True, slots=True)
class People:
    """`activity` 0: everyone asks equally often; higher: a few ask most (a Zipf exponent). `sd` is
    how much answers differ in success from person to person, `change_sd` how much a change's
    effect does."""

    count: int = number(12, 1, 10_000)
    activity: float = number(0.0, 0, 3)
    sd: float = number(0.0, 0, 1)
    change_sd: float = number(0.0, 0, 1)


@dataclass(frozen=True, slots=True)
class Votes:
    """How people rate. `coverage` of the answers are rated, `flipped` of the ratings are the wrong
    way round; a bad answer is rated `negative_lean` times as often as a good one. A rating comes
    `delay` runs later, on average. Of all runs, `checks` have a check of the world's own, which
    never errs."""

    coverage: float = number(0.3, 0, 1)
    flipped: float = number(0.1, 0, 1)
    negative_lean: float = number(1.5, 0.01, 100)
    delay: float = number(0.0, 0, 100_000)
    checks: float = number(0.0, 0, 1)


@dataclass(frozen=True, slots=True)
class Adversaries:
    """People who want a harmful change in: `share` of all. They rate `coverage` of the answers
    that a harmful change was in as good, whatever they were; with `against` they rate every other
    answer as bad."""

    share: float = number(0.0, 0, 1)
    coverage: float = number(1.0, 0, 1)
    against: bool = False


@dataclass(frozen=True, slots=True)
class Cluster:
    """Requests of one sort. `success` is added for them; `change_sd` is how much a change's effect
    differs here; `tools` are called before the answer, where the agent has them."""

    name: str = ""
    share: float = number(1.0, 0, 1_000)
    success: float = number(0.0, -1, 1)
    change_sd: float = number(0.0, 0, 1)
    tools: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelKnobs:
    """A model. `success` is added, `latency` multiplies; prices in US dollars per million
    tokens."""

    name: str = "simulated"
    success: float = number(0.0, -1, 1)
    latency: float = number(1.0, 0, 100)
    input: float = number(0.15, 0, 10_000)
    output: float = number(0.60, 0, 10_000)


@dataclass(frozen=True, slots=True)
class Prompting:
    """What else in a request matters. Success falls by `per_degree` for each 1.0 that the
    temperature is off `best_temperature` (where one is set), by `per_1000_tokens` for what a
    prompt is longer than `long` tokens, and grows by `per_example` for each example in it, up to
    five."""

    best_temperature: float = number(0.3, 0, 2)
    per_degree: float = number(0.0, 0, 1)
    long: int = number(4_000, 0, 10_000_000)
    per_1000_tokens: float = number(0.0, 0, 1)
    per_example: float = number(0.0, -1, 1)


@dataclass(frozen=True, slots=True)
class Latency:
    """Of one model call: `ms` is the median, `spread` the sd of its logarithm."""

    ms: float = number(1_500.0, 0, 1_000_000)
    spread: float = number(0.4, 0, 3)


@dataclass(frozen=True, slots=True)
class Tokens:
    """Counted for a run without any change: medians; `spread` is the sd of the logarithm."""

    input: int = number(900, 1, 1_000_000)
    output: int = number(150, 1, 1_000_000)
    spread: float = number(0.2, 0, 3)


@dataclass(frozen=True, slots=True)
class Intervention:
    """Something outside changes silently in runs `at` to `until` (0: for good)."""

    at: int = number(0, 0, 10_000_000)
    until: int = number(0, 0, 10_000_000)
    success: float = number(0.0, -1, 1)
    latency: float = number(1.0, 0, 100)
    cost: float = number(1.0, 0, 100)


@dataclass(frozen=True, slots=True)
class Judge:
    """How the simulated model grades answers: `wrong` of its grades take good for bad or bad for
    good; `bias` is added to each; `spread` is the sd of what else it is off by."""

    wrong: float = number(0.1, 0, 1)
    bias: float = number(0.0, -1, 1)
    spread: float = number(0.1, 0, 1)


@dataclass(frozen=True, slots=True)
class World:
    """`success` is the chance that an answer is good without any change; chances stay between
    `floor` and `ceiling`. `within_task` is how much two versions' success on the same request
    correlates."""

    name: str = "default"
    runs: int = number(4_000, 1, 10_000_000)
    runs_per_day: float = number(50.0, 0.01, 100_000)
    runs_per_conversation: int = number(1, 1, 1_000)
    success: float = number(0.70, 0, 1)
    floor: float = number(0.05, 0, 1)
    ceiling: float = number(0.95, 0, 1)
    within_task: float = number(0.4, 0, 1)
    changes: Changes = field(default_factory=Changes)
    drift: Drift = field(default_factory=Drift)
    people: People = field(default_factory=People)
    feedback: Votes = field(default_factory=Votes)
    adversaries: Adversaries = field(default_factory=Adversaries)
    clusters: tuple[Cluster, ...] = (Cluster("everything"),)
    models: tuple[ModelKnobs, ...] = (ModelKnobs(),)
    prompting: Prompting = field(default_factory=Prompting)
    latency: Latency = field(default_factory=Latency)
    tokens: Tokens = field(default_factory=Tokens)
    interventions: tuple[Intervention, ...] = ()
    judge: Judge = field(default_factory=Judge)

    @property
    def proposals(self) -> int:
        """How many changes are proposed in all; the first one when `every` runs are over."""
        return (self.runs - 1) // self.changes.every
