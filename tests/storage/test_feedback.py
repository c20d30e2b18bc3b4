"""Feedback: one per person and source, the last one wins."""

from bot.model.feedback import Feedback
from storage.engine import Database
from storage.feedback import FeedbackStore


def _said(id: str, rating: int, at: int, *, source: str = "thumbs", run: str = "r1") -> Feedback:
    return Feedback(id, "w", run, "p1", rating, "words", source, at)


async def test_the_last_rating_of_a_person_wins(db: Database) -> None:
    feedback = FeedbackStore(db)
    await feedback.put(_said("f1", 1, 10))
    await feedback.put(_said("f2", -1, 20))
    await feedback.put(_said("f3", -1, 30, source="better"))
    assert [(f.rating, f.source) for f in await feedback.of_run("w", "r1")] == [
        (-1, "thumbs"),
        (-1, "better"),
    ]


async def test_the_same_feedback_twice_is_one(db: Database) -> None:
    feedback = FeedbackStore(db)
    await feedback.put(_said("f1", 1, 10))
    await feedback.put(_said("f1", 1, 10))
    assert len(await feedback.of_run("w", "r1")) == 1


async def test_what_came_since_is_given_oldest_first(db: Database) -> None:
    feedback = FeedbackStore(db)
    for number in range(4):
        await feedback.put(_said(f"f{number}", 1, number, run=f"r{number}"))
    assert [f.id for f in await feedback.since("w", 0, 2)] == ["f1", "f2"]
    assert await feedback.since("v", 0, 10) == []
