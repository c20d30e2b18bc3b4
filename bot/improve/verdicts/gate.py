"""What a replay has to show to go on, and before a candidate is tried; pure."""

from bot.improve.verdicts.belief import leaning
from bot.improve.verdicts.estimate import Live
from bot.model.trial import Replayed

FIRST_PAIRS = 60
"""Replayed of every candidate, and the step in which more are."""
MOST_PAIRS = 240


def promising(replay: Replayed, margin: float = 0.0) -> bool:
    """Whether the candidate is more likely better than not: worth more pairs, and worth a trial."""
    return leaning(Live(), replay, margin) > 0.5
