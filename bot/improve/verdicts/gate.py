"""What a replay has to show to go on, and before a candidate is tried; pure."""

from collections.abc import Mapping

from bot.improve.verdicts.bias import BIASES, Bias
from bot.improve.verdicts.estimate import Live, posterior
from bot.model.trial import Replayed

FIRST_PAIRS = 60
"""Replayed of every candidate, and the step in which more are."""
MOST_PAIRS = 240


def promising(replay: Replayed, biases: Mapping[str, Bias] = BIASES, margin: float = 0.0) -> bool:
    """Whether the candidate is more likely better than not: worth more pairs, and worth a trial."""
    return posterior(Live(), replay, margin, biases) > 0.5
