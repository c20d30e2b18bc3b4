"""The policies that are compared: what the simulated owner does with a card, and what decides then."""

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.loop.rules.naive_z import NaiveZ
from benchmarks.loop.rules.thompson import Thompson
from benchmarks.loop.rules.track_and_stop import TrackAndStop
from bot.improve.rules import Rule

NEVER, ALWAYS, IF_REPLAY = "never", "always", "if the replay says better"


@dataclass(frozen=True, slots=True)
class Policy:
    """`approves` is what the owner does; `trials` the setting that says what becomes of what is
    approved, "off" for in use at once. `rule` is handed to the product where it isn't its own."""

    name: str
    approves: str
    trials: str = "off"
    rule: Rule | None = None

    @property
    def replays(self) -> bool:
        """Whether anybody asks what the replay says."""
        return self.approves == IF_REPLAY


def _ruled(rule: Rule) -> Policy:
    return Policy(rule.name, ALWAYS, rule.name, rule)


_ALL = (
    Policy("never", NEVER),
    Policy("always", ALWAYS),
    Policy("accept-on-replay", IF_REPLAY),
    _ruled(NaiveZ()),
    _ruled(Thompson()),
    _ruled(TrackAndStop()),
    Policy("strict", IF_REPLAY, "strict"),
    Policy("balanced", IF_REPLAY, "balanced"),
)

POLICIES: Mapping[str, Policy] = {policy.name: policy for policy in _ALL}
