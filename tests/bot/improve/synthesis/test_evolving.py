"""gepa itself, over a model that scores lessons: it finds the better one, by our calls alone."""

import json

import pytest

from bot.errors import OverBudget
from bot.improve.synthesis.evolving import Case, Evolving

CASES = [Case(f"Question {n}?", "It named no page.") for n in range(3)]
BETTER = "Name the source and the page."


class Scores:
    """Answers better where the lesson asks for a page."""

    def __init__(self, most: int = 1000) -> None:
        self.calls, self.most = 0, most

    def __call__(self, told: str, asked: str) -> str:
        self.calls += 1
        if self.calls > self.most:
            raise OverBudget("spent")
        if told.startswith("You improve"):
            return f"```\n{BETTER}\n```"
        if '"score"' in told:
            score = 1.0 if "on page 7" in asked else 0.2
            return json.dumps({"score": score, "why": "It names no page."})
        return "It is on page 7." if "the page" in told else "It is so."


def test_a_better_wording_is_found_within_the_calls() -> None:
    model = Scores()
    assert Evolving(20).search("You write.", "Name the source.", CASES, model) == BETTER
    assert model.calls <= 2 * 20 + 10


def test_what_the_budgets_refuse_ends_it() -> None:
    with pytest.raises(OverBudget):
        Evolving(20).search("You write.", "Name the source.", CASES, Scores(most=3))


def test_with_too_little_to_try_it_on_nothing_is_asked() -> None:
    model = Scores()
    assert Evolving(20).search("You write.", "Name it.", CASES[:1], model) == "Name it."
    assert model.calls == 0
