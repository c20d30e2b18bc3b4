"""How good, slow and dear an answer is: decided by the world alone, the same for the same request."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from math import exp, pi, sin

from bot.llm.simulated.asking import Asked, asked
from bot.llm.simulated.chance import normal, uniform
from bot.llm.simulated.changes import Change, change, known
from bot.llm.simulated.world import ModelKnobs, World

_MOST_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the world sees of a model request: the changes in it, how many lessons in all (any
    adds tokens), the model by name, and what else matters."""

    changes: frozenset[int] = frozenset()
    lessons: int = 0
    model: str = ""
    temperature: float | None = None
    examples: int = 0
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Served:
    """What one request got. `chance` was that of a good answer; `replayed` tells a repetition."""

    asked: Asked
    prompt: Prompt
    chance: float
    good: bool
    latency_ms: float
    tokens_in: int
    tokens_out: int
    replayed: bool = False


class Truth:
    """One seed's world. Everything follows from the seed; nothing is remembered."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.seed = world, seed
        self.change = lru_cache(maxsize=None)(self._change)
        self.asked = lru_cache(maxsize=8_192)(self._asked)

    @cached_property
    def adversaries(self) -> frozenset[int]:
        """The first people in an order of the seed's own, so that the share holds exactly."""
        share, people = self.world.adversaries.share, range(self.world.people.count)
        many = round(len(people) * share)
        if not many:
            return frozenset()
        among = sorted(people, key=lambda person: uniform(self.seed, "adversary", person))
        return frozenset(among[:many])

    def _change(self, number: int) -> Change:
        return change(self.world, self.seed, number)

    def _asked(self, number: int) -> Asked:
        return asked(self.world, self.seed, number)

    def changes(self, numbers: Iterable[int]) -> list[Change]:
        """Those that the world knows, in order."""
        return [self.change(n) for n in sorted(known(self.world, numbers))]

    def chance(self, who: Asked, prompt: Prompt, at: int, replayed: bool = False) -> float:
        """That the answer is good. `at` is the run that it is asked in: replays come later."""
        world = self.world
        sum_ = world.success + self._drift(at) + self._of_prompt(prompt)
        sum_ += normal(0.0, world.people.sd, self.seed, "of person", who.person)
        sum_ += world.clusters[who.cluster].success
        sum_ += sum(one.success for one in world.interventions if _active(one.at, one.until, at))
        for one in self.changes(prompt.changes):
            sum_ += self._effect(one, who) + (one.replay if replayed else 0.0)
        return min(max(sum_, world.floor), world.ceiling)

    def serve(self, number: int, prompt: Prompt, at: int, replayed: bool = False) -> Served:
        who = self.asked(number)
        chance = self.chance(who, prompt, at, replayed)
        good = self._luck(who, prompt) < chance
        latency, cost = self._burden(prompt, at)
        noise = self._noise(who, prompt)
        tokens = self.world.tokens
        spread = cost * exp(normal(0.0, tokens.spread, *noise, "tokens"))
        slow = self.world.latency.ms * exp(normal(0.0, self.world.latency.spread, *noise, "ms"))
        return Served(
            who,
            prompt,
            chance,
            good,
            slow * latency,
            max(1, round(tokens.input * spread)),
            max(1, round(tokens.output * spread)),
            replayed,
        )

    def undisturbed(self, served: Served) -> tuple[float, float]:
        """Tokens in and out that the same run would have had without any change in its prompt."""
        bare = replace(served.prompt, changes=frozenset(), lessons=0)
        at = served.asked.number
        ratio = self._burden(bare, at)[1] / self._burden(served.prompt, at)[1]
        return served.tokens_in * ratio, served.tokens_out * ratio

    def model(self, name: str) -> ModelKnobs:
        """By its name; the first one for a name that is none of them."""
        models = self.world.models
        return next((one for one in models if one.name == name), models[0])

    def _effect(self, one: Change, who: Asked) -> float:
        cluster = self.world.clusters[who.cluster]
        own = normal(0.0, self.world.people.change_sd, self.seed, "taste", who.person, one.number)
        sort = normal(0.0, cluster.change_sd, self.seed, "fit", who.cluster, one.number)
        return one.success + own + sort

    def _of_prompt(self, prompt: Prompt) -> float:
        knobs, model = self.world.prompting, self.model(prompt.model)
        added = model.success + knobs.per_example * min(prompt.examples, _MOST_EXAMPLES)
        added -= knobs.per_1000_tokens * max(0, prompt.tokens - knobs.long) / 1000
        if prompt.temperature is not None:
            added -= knobs.per_degree * abs(prompt.temperature - knobs.best_temperature)
        return added

    def _luck(self, who: Asked, prompt: Prompt) -> float:
        """Some requests are easy or hard whatever version answers: two versions' success then
        correlates by just the share of those."""
        same = uniform(self.seed, "same luck", who.number) < self.world.within_task
        if same:
            return uniform(self.seed, "luck", who.number)
        return uniform(*self._noise(who, prompt), "luck")

    def _noise(self, who: Asked, prompt: Prompt) -> tuple[object, ...]:
        rules = ",".join(map(str, sorted(prompt.changes)))
        return self.seed, who.number, rules, prompt.lessons, prompt.model, prompt.temperature

    def _burden(self, prompt: Prompt, at: int) -> tuple[float, float]:
        """(latency, cost) as multiples of what a plain request takes."""
        latency = self.model(prompt.model).latency
        cost = (1 + self.world.changes.tokens) ** prompt.lessons
        for one in self.changes(prompt.changes):
            latency, cost = latency * (1 + one.latency), cost * (1 + one.cost)
        for outside in self.world.interventions:
            if _active(outside.at, outside.until, at):
                latency, cost = latency * outside.latency, cost * outside.cost
        return latency, cost

    def _drift(self, at: int) -> float:
        drift = self.world.drift
        if drift.kind == "none" or at < drift.at:
            return 0.0
        if drift.kind == "linear":
            return drift.amount * min(1.0, (at - drift.at) / (drift.until - drift.at))
        if drift.kind == "periodic":
            return drift.amount * sin(2 * pi * (at - drift.at) / drift.period)
        return drift.amount


def _active(begins: int, ends: int, at: int) -> bool:
    return begins <= at and (not ends or at < ends)
