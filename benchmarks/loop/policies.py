"""The policies that are compared: what the simulated owner does with a card, and what decides then."""

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.loop.rules.naive_z import NaiveZ
from benchmarks.loop.rules.thompson import Thompson
from benchmarks.loop.rules.track_and_stop import TrackAndStop
from bot.improve.rules import Rule

NEVER, ALWAYS, IF_BETTER, UNLESS_WORSE = (
    "never",
    "always",
    "if the replay says better",
    "unless the replay says worse",
)


@dataclass(frozen=True, slots=True)
class Policy:
    """`approves` is what the owner does; `trials` the setting that says what becomes of what is
    approved, "off" for in use at once. `rule` decides in place of the product's own."""

    name: str
    approves: str
    trials: str = "off"
    rule: Rule | None = None

    @property
    def replays(self) -> bool:
        """Whether anybody asks what the replay says."""
        return self.approves in (IF_BETTER, UNLESS_WORSE)


def _ruled(rule: Rule) -> Policy:
    return Policy(rule.name, ALWAYS, "balanced", rule)


_ALL = (
    Policy("never", NEVER),
    Policy("always", ALWAYS),
    Policy("accept-on-replay", IF_BETTER),
    _ruled(NaiveZ()),
    _ruled(Thompson()),
    _ruled(TrackAndStop()),
    Policy("strict", UNLESS_WORSE, "strict"),
    Policy("balanced", UNLESS_WORSE, "balanced"),
)

POLICIES: Mapping[str, Policy] = {policy.name: policy for policy in _ALL}
