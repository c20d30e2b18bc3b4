"""The decision layer alone, fast: `python -m benchmarks.loop.quick` compares settings of the rules.

A world as in world.yml, without the product around it: so that hundreds of seeds take minutes. What
it says is checked by the whole product in the benchmark beside it.
"""

import argparse
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from math import sqrt
from statistics import fmean, stdev

from bot.improve.eprocess import HARM, PROMOTE, EProcess
from bot.improve.rules import Verdict
from bot.improve.verdicts.balanced import Balanced
from bot.improve.verdicts.belief import Normal, pooled, worth
from bot.improve.verdicts.bias import BIASES, Compared, learned
from bot.improve.verdicts.estimate import Live
from bot.improve.verdicts.evidence import Evidence, gather
from bot.improve.verdicts.gate import FIRST_PAIRS, MOST_PAIRS, promising
from bot.improve.verdicts.strict import EVEN_SHARE, SMOKE_RUNS, SMOKE_SHARE, Strict
from bot.improve.weights import Weights
from bot.model.trial import Arm, Observed, Replayed, Trial, TrialStatus


@dataclass(frozen=True, slots=True)
class Quick:
    """The world's knobs, as in world.yml."""

    runs: int = 4000
    every: int = 200
    success: float = 0.70
    ceiling: float = 0.95
    shares: tuple[float, float, float] = (0.5, 0.25, 0.25)
    """Of placebo, harmful and good changes."""
    harmful: tuple[float, float] = (-0.08, 0.03)
    good: tuple[float, float] = (0.15, 0.05)
    people: int = 12
    coverage: float = 0.30
    flipped: float = 0.10
    lean: float = 1.5
    within_task: float = 0.4
    overfits: tuple[float, float] = (0.0, 0.0)
    """Added to success in replays alone: mean and sd over changes."""
    adversaries: float = 0.0
    """The part of the people who rate as good whatever a harmful change is in."""
    against: bool = False
    """They rate everything else as bad."""
    judge_wrong: float = 0.10
    judge_spread: float = 0.10
    tokens: float = 0.03


@dataclass(frozen=True, slots=True)
class Policy:
    """How proposals are decided. `most_pairs` above `pairs`: replay goes on while it isn't clear.
    `judged` is the part of the unrated live runs that a model judge scores."""

    rule: Balanced | Strict | None = None
    pairs: int = FIRST_PAIRS
    most_pairs: int = FIRST_PAIRS
    judged: float = 0.0
    accepts: str = ""
    """Without a rule: "always" or "replay"."""


@dataclass(slots=True)
class Change:
    kind: str
    effect: float
    on_replay: float = 0.0


@dataclass(slots=True)
class Tally:
    """What became of one seed."""

    success: float = 0.0
    regret: float = 0.0
    cost: float = 0.0
    adopted: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    offered: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    tried: int = 0
    pairs: int = 0
    trial_runs: int = 0


_LOOKS = 25
"""So many runs lie between two looks."""
KINDS: Sequence[str] = ("placebo", "harmful", "good")


class Seed:
    """One run through the world."""

    def __init__(self, world: Quick, policy: Policy, seed: int) -> None:
        self.world, self.policy = world, policy
        # What is proposed doesn't depend on the policy.
        proposer = random.Random(f"proposer {seed}")
        self.changes = [_draw(world, proposer) for _ in range((world.runs - 1) // world.every)]
        self.chance = random.Random(f"life {seed}")
        self.tally = Tally()
        self.lift, self.lessons = 0.0, 0
        self.harmed = False
        self.oracle = 0.0
        self.queue: list[Change] = []
        self.compared: list[Compared] = []
        self.effects: list[Normal] = []
        self.at = 0

    def play(self) -> Tally:
        world, tally = self.world, self.tally
        while self.at < world.runs:
            if self.queue:
                self._decide(self.queue.pop(0))
            else:
                self._run(0.0)
        tally.success /= world.runs
        tally.cost /= world.runs
        tally.regret *= 1000 / world.runs
        return tally

    def _p(self, extra: float) -> float:
        return min(max(self.world.success + self.lift + extra, 0.05), self.world.ceiling)

    def _run(self, extra: float, more: int = 0) -> bool:
        p, best = self._p(extra), min(self.world.success + self.oracle, self.world.ceiling)
        good = self.chance.random() < p
        self.tally.success += p
        self.tally.regret += best - p
        self.tally.cost += (1 + self.world.tokens) ** (self.lessons + more)
        self.at += 1
        if self.at % self.world.every == 0 and self.at < self.world.runs:
            new = self.changes[self.at // self.world.every - 1]
            self.tally.offered[new.kind] += 1
            self.oracle += max(0.0, new.effect)
            self.queue.append(new)
        return good

    def _decide(self, change: Change) -> None:
        policy = self.policy
        if policy.accepts == "never":
            return
        if policy.accepts == "always":
            self._adopt(change)
            return
        replay = self._replay(change)
        if policy.rule is None:
            if replay.mean > 0:
                self._adopt(change)
            return
        replay = self._believed(replay)
        if not promising(replay):
            self._learn(Live(), replay)
            return
        self.tally.tried += 1
        if self._try(change, replay, policy.rule):
            self._adopt(change)

    def _believed(self, replay: Replayed) -> Replayed:
        bias = learned(BIASES[replay.by], self.compared)
        return replace(replay, bias=(bias.mean, bias.sd), worth=worth(self.effects))

    def _learn(self, live: Live, replay: Replayed) -> None:
        if (seen := pooled(live, replay)) is not None:
            self.effects.append(seen)
        if (seen := pooled(live, None)) is not None:
            self.compared.append(Compared(replay.mean, replay.error, seen[0], sqrt(seen[1])))

    def _adopt(self, change: Change) -> None:
        self.lift += change.effect
        self.harmed |= change.kind == "harmful"
        self.lessons += 1
        self.tally.adopted[change.kind] += 1

    def _replay(self, change: Change) -> Replayed:
        old, new, scores = self._p(0.0), self._p(change.effect + change.on_replay), []
        while True:
            for _ in range(self.policy.pairs):
                scores.append(self._pair(old, new))
            result = Replayed(
                len(scores), fmean(scores), stdev(scores) / sqrt(len(scores)), "judge", enough=True
            )
            if len(scores) >= self.policy.most_pairs or not promising(result):
                self.tally.pairs += len(scores)
                return result

    def _pair(self, old: float, new: float) -> float:
        first, second = self.chance.random(), self.chance.random()
        if self.chance.random() < self.world.within_task:
            second = first
        return self._grade(second < new) - self._grade(first < old)

    def _grade(self, good: bool) -> float:
        wrong = self.chance.random() < self.world.judge_wrong
        return min(max((good != wrong) + self.chance.gauss(0, self.world.judge_spread), 0), 1)

    def _try(self, change: Change, replay: Replayed, rule: Balanced | Strict) -> bool:
        trial = Trial("t", "w", 1, "P1", "", {"a": 2}, {"a": 1}, TrialStatus.RUNNING, rule.name, 0)
        seen: list[Observed] = []
        wealth, weights, share = EProcess(), Weights(), SMOKE_SHARE
        while self.at < self.world.runs:
            candidate = self.chance.random() < share
            good = self._run(change.effect if candidate else 0.0, int(candidate))
            run = self._observed(len(seen), candidate, share, good, change)
            seen.append(run)
            if run.y is not None:
                wealth.bet([run.y], candidate, share, weights.next(run.person))
            # Without failures, caps and checks nothing else makes a rule decide sooner.
            if wealth.up >= PROMOTE or wealth.down >= HARM or len(seen) % _LOOKS == 0:
                evidence = gather(trial, seen)
                verdict = self._verdict(trial, evidence, replay, rule)
                if verdict is not Verdict.GO_ON:
                    self.tally.trial_runs += len(seen)
                    self._learn(evidence.live(), replay)
                    return verdict is Verdict.KEEP
            if len(seen) == SMOKE_RUNS:
                share = EVEN_SHARE
        return False

    def _verdict(
        self, trial: Trial, evidence: Evidence, replay: Replayed, rule: Balanced | Strict
    ) -> Verdict:
        if isinstance(rule, Strict):
            return rule.decide(trial, evidence, 0)[0]
        verdict = rule.decide(trial, evidence, replay, 0)[0]
        if verdict is Verdict.GO_ON and self.queue and rule.gives_way(trial, evidence, replay):
            return Verdict.ROLL_BACK
        return verdict

    def _observed(
        self, n: int, candidate: bool, share: float, good: bool, change: Change
    ) -> Observed:
        person = self.chance.randrange(self.world.people)
        inside = self.harmed or (candidate and change.kind == "harmful")
        y, source = self._rating(good), "rating"
        if person < self.world.adversaries * self.world.people and (inside or self.world.against):
            y = float(inside)
        if y is None and self.chance.random() < self.policy.judged:
            y, source = self._grade(good), "judge"
        return Observed(
            str(n),
            n,
            str(n),
            f"p{person}",
            Arm.CANDIDATE if candidate else Arm.INCUMBENT,
            share,
            y,
            source,
        )

    def _rating(self, good: bool) -> float | None:
        world = self.world
        of_good = world.coverage / (world.success + world.lean * (1 - world.success))
        if self.chance.random() >= (of_good if good else world.lean * of_good):
            return None
        return float(good != (self.chance.random() < world.flipped))


def _draw(world: Quick, chance: random.Random) -> Change:
    kind = chance.choices(KINDS, world.shares)[0]
    effects = {
        "placebo": 0.0,
        "harmful": min(-0.005, chance.gauss(*world.harmful)),
        "good": max(0.005, chance.gauss(*world.good)),
    }
    return Change(kind, effects[kind], chance.gauss(*world.overfits))


def _one(world: Quick, policy: Policy, seed: int) -> Tally:
    return Seed(world, policy, seed).play()


def row(name: str, tallies: Sequence[Tally]) -> str:
    """Means over seeds, with standard errors where they matter."""

    def mean(value: Callable[[Tally], float]) -> float:
        return fmean(map(value, tallies))

    def error(value: Callable[[Tally], float]) -> float:
        return stdev(map(value, tallies)) / sqrt(len(tallies))

    false = [t.adopted["placebo"] + t.adopted["harmful"] for t in tallies]
    adopted, good = [sum(t.adopted.values()) for t in tallies], [t.offered["good"] for t in tallies]
    fdr = sum(false) / max(1, sum(adopted))
    # Of a ratio of sums over seeds, which are independent.
    off = [f - fdr * a for f, a in zip(false, adopted, strict=True)]
    fdr_error = stdev(off) * sqrt(len(off)) / max(1, sum(adopted))
    of_good = sum(t.adopted["good"] for t in tallies) / max(1, sum(good))
    return (
        f"| {name} | {mean(lambda t: t.success):.3f} "
        f"| {mean(lambda t: t.regret):.1f} ± {error(lambda t: t.regret):.1f} "
        f"| {fmean(false):.2f} | {mean(lambda t: t.adopted['harmful']):.2f} "
        f"| {fdr:.3f} ± {fdr_error:.3f} | {of_good:.0%} | {mean(lambda t: t.cost):.2f} "
        f"| {mean(lambda t: t.pairs):.0f} | {mean(lambda t: t.trial_runs):.0f} |"
    )


HEAD = (
    "| policy | success | regret/1000 | false/20 | harmful/20 | FDR | good adopted | cost "
    "| pairs | trial runs |\n|---|---|---|---|---|---|---|---|---|---|"
)

POLICIES: Mapping[str, Policy] = {
    "never": Policy(accepts="never"),
    "always": Policy(accepts="always"),
    "replay > 0": Policy(),
    "strict": Policy(rule=Strict()),
    "balanced, 60 pairs": Policy(rule=Balanced()),
    "balanced, 60 to 240 pairs": Policy(rule=Balanced(), most_pairs=MOST_PAIRS),
    "the same, a judge scores unrated runs": Policy(
        rule=Balanced(), most_pairs=MOST_PAIRS, judged=1.0
    ),
}

WORLDS: Mapping[str, Quick] = {
    "default": Quick(),
    "exact": Quick(judge_wrong=0.0, judge_spread=0.0),
    "overfits": Quick(overfits=(0.1, 0.05)),
    "brigade": Quick(adversaries=0.25),
    "against": Quick(adversaries=0.25, against=True),
    "placebos": Quick(shares=(0.85, 0.1, 0.05)),
    "silent": Quick(coverage=0.1),
    "five people": Quick(people=5),
    "small": Quick(good=(0.08, 0.03), harmful=(-0.05, 0.02)),
}


def compare(
    world: Quick, policies: Mapping[str, Policy], seeds: Iterable[int], workers: int
) -> None:
    """Prints a row for each policy as it is done."""
    print(HEAD)
    with ProcessPoolExecutor(workers) as pool:
        for name, policy in policies.items():
            print(row(name, list(pool.map(partial(_one, world, policy), seeds))), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--world", choices=WORLDS, default="default")
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    seeds = range(asked.first, asked.first + asked.seeds)
    compare(WORLDS[asked.world], POLICIES, seeds, asked.workers)


if __name__ == "__main__":
    main()
