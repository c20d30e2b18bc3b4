"""`python -m benchmarks.rules`: how often rules are wrong when one looks after every run.

Prints the table of docs/explanation/how-a-trial-is-decided.md. A few minutes on two cores.
"""

import argparse
import random
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from math import sqrt
from statistics import fmean
from typing import Protocol

from bot.improve.eprocess import HARM, PROMOTE, EProcess
from bot.improve.weights import Weights

RUNS = 4000


class Watched(Protocol):
    """Sees runs one by one; says 1 to promote, -1 to roll back, 0 to go on."""

    def see(self, y: float, candidate: bool) -> int: ...


class Bets:
    """The product's."""

    def __init__(self) -> None:
        self.wealth = EProcess()

    def see(self, y: float, candidate: bool) -> int:
        self.wealth.bet([y], candidate, 0.5)
        if self.wealth.up >= PROMOTE:
            return 1
        return -1 if self.wealth.down >= HARM else 0


class Promotions(Bets):
    """The same, that never rolls back: what its promotions alone get wrong."""

    def see(self, y: float, candidate: bool) -> int:
        return max(0, super().see(y, candidate))


class Naive:
    """A z-test, as if each look were the only one."""

    at_least = 1.96

    def __init__(self) -> None:
        self.good, self.all = [0.0, 0.0], [0, 0]

    def see(self, y: float, candidate: bool) -> int:
        self.good[candidate] += y
        self.all[candidate] += 1
        if min(self.all) < 10:
            return 0
        z = self._z()
        return (z > self.at_least) - (z < -self.at_least)

    def _z(self) -> float:
        rate = sum(self.good) / sum(self.all)
        variance = rate * (1 - rate) * sum(1 / n for n in self.all)
        apart = self.good[1] / self.all[1] - self.good[0] / self.all[0]
        return apart / sqrt(variance) if variance > 0 else 0.0


class Bayes(Naive):
    """The posterior probability of being better above .95, uniform priors, normal form."""

    at_least = 1.645

    def _z(self) -> float:
        means = [(good + 1) / (n + 2) for good, n in zip(self.good, self.all, strict=True)]
        variance = sum(m * (1 - m) / (n + 3) for m, n in zip(means, self.all, strict=True))
        return (means[1] - means[0]) / sqrt(variance)


RULES: Mapping[str, Callable[[], Watched]] = {
    "naive z-test": Naive,
    "Bayes P > .95": Bayes,
    "this rule": Bets,
    "this rule, promotions alone": Promotions,
}


def alone(rule: str, better: float, seed: int) -> tuple[int, int]:
    """One trial, a run a sitting, 1:1 from the start: (verdict, runs)."""
    chance, watched = random.Random(f"{better} {seed}"), RULES[rule]()
    for n in range(1, RUNS + 1):
        candidate = chance.random() < 0.5
        y = float(chance.random() < 0.7 + better * candidate)
        if verdict := watched.see(y, candidate):
            return verdict, n
    return 0, RUNS


def alike(runs: int, by_sitting: bool, seed: int) -> tuple[int, int]:
    """Without any difference: six people, one of whom writes most, and sittings of one to eight
    runs that turn out alike. Looked at after every run, also within a sitting."""
    chance, wealth, weights = random.Random(seed), EProcess(), Weights()
    rates = [chance.uniform(0.4, 0.95) for _ in range(6)]
    n = 0
    while n < runs:
        share = 0.1 if n < 20 else 0.5
        person = chance.choices(range(6), (8, 2, 1, 1, 1, 1))[0]
        weight = weights.next(str(person)) if by_sitting else 1.0
        rate = chance.betavariate(rates[person] / 2, (1 - rates[person]) / 2)
        candidate, values = chance.random() < share, []
        closed = wealth
        for _ in range(chance.choice((1, 1, 2, 3, 5, 8))):
            n += 1
            values.append(float(chance.random() < rate))
            wealth = closed.copy() if by_sitting else wealth
            wealth.bet(values if by_sitting else values[-1:], candidate, share, weight)
            if wealth.up >= PROMOTE:
                return 1, n
            if wealth.down >= HARM:
                return -1, n
    return 0, runs


def _summed(found: list[tuple[int, int]]) -> str:
    ups = [n for verdict, n in found if verdict > 0]
    downs = sum(verdict < 0 for verdict, _ in found)
    mean = f"{fmean(ups):.0f}" if ups else "none"
    return f"{len(ups) / len(found):.3f} promoted after {mean} | {downs / len(found):.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    trials = range(asked.trials)
    with ProcessPoolExecutor(asked.workers) as pool:
        print("| rule | success of the candidate | promoted, mean runs | rolled back |")
        print("|---|---|---|---|")
        for rule in RULES:
            for better in (0.0, 0.1, 0.2, -0.1, -0.2):
                found = list(pool.map(partial(alone, rule, better), trials, chunksize=50))
                print(f"| {rule} | {0.7 + better:.2f} | {_summed(found)} |", flush=True)
        for name, by_sitting in (("a bet for each sitting", True), ("a bet for each run", False)):
            found = list(pool.map(partial(alike, 600, by_sitting), trials, chunksize=50))
            print(
                f"| sittings and people alike, {name} | the same | {_summed(found)} |", flush=True
            )


if __name__ == "__main__":
    main()
