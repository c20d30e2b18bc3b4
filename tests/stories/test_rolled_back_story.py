"""Regression, and back again by itself; what is kept goes at a tap. On Slack and on Telegram."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes.model_answers import Body, Turn
from tests.fakes.model_server import ModelServer
from tests.stories.weeks import APPROVER, OWNER, PLATFORMS, STRANGER, refused, team, until_ended

BAD, GOOD = "Answer every question in Latin", "Name the season as well"
PLAIN, LATIN, SEASON = "They are taken back for 30 days", "Triginta dies", "in summer for 60"
QUESTION = "How long can kites be returned?"


def answering(body: Body) -> Turn:
    taught = str(body["messages"][0]["content"])
    return LATIN if BAD in taught else f"{PLAIN}, {SEASON}." if GOOD in taught else f"{PLAIN}."


@pytest.fixture
async def model() -> AsyncIterator[ModelServer]:
    async with ModelServer(reply=answering) as running:
        yield running


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_a_change_on_trial_goes_when_people_dislike_it(
    platform: str, tmp_path: Path, model: ModelServer
) -> None:
    async with team(platform, tmp_path / "home", model) as here:
        owner, ann, ben, stranger = (here[n] for n in (OWNER, "ann", "ben", STRANGER))

        first = await ann.asks(QUESTION)
        assert PLAIN in first.text
        await ann.says(f"/better lesson: {BAD}", first, seeing="P1")
        card = await owner.reads(BAD)
        await stranger.presses(card, "Approve")
        assert await refused(here, "/approve P1") == 1
        assert "Approve" in card.labels, "nobody has decided"
        await owner.presses(card, "Approve")
        await owner.reads("It is tried beside what is in use, as T1.", card)
        assert "not measured yet" in card.text

        # Who asked for it sees it at once.
        assert LATIN in (await ann.says(QUESTION, first, seeing="dies")).text
        assert "the new version, it was asked for here" in (await ann.says("/why", first)).text
        await until_ended(here, good=PLAIN)

        await owner.reads("Rolled back", card)
        assert "Answers got worse with it (T1: 0% good of" in card.text and not card.labels
        verdict = await owner.reads("goes: generalist stays at v1")
        assert verdict.thread == card.thread
        assert "Good answers: 0% (" in verdict.text and "with it, 100% (" in verdict.text
        assert "between -100 and" in verdict.text

        after = await ben.asks(QUESTION)
        assert PLAIN in after.text
        assert "generalist v1" in (await ben.says("/why", after)).text
        told = await ben.says("/trial T1", after, seeing="T1")
        assert "rolled back. Answers got worse with it" in told.text
        assert "0 steps" in (await ben.says("/progress", after)).text
        assert PLAIN in (await ann.says(QUESTION, first, seeing="30 days")).text


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_a_change_that_people_like_stays_until_somebody_taps_roll_back(
    platform: str, tmp_path: Path, model: ModelServer
) -> None:
    async with team(platform, tmp_path / "home", model) as here:
        approver, ann, ben, stranger = (here[n] for n in (APPROVER, "ann", "ben", STRANGER))

        first = await ann.asks(QUESTION)
        await ann.says(f"/better lesson: {GOOD}", first, seeing="P1")
        card = await approver.reads(GOOD)
        await approver.presses(card, "Approve")
        await approver.reads("as T1.", card)
        await until_ended(here, good=SEASON)

        verdict = await approver.reads("stays: generalist v2 is in use")
        assert verdict.thread == card.thread and verdict.labels == ["Roll back", "Details"]
        assert "Good answers: 100% (" in verdict.text and "with it, 0% (" in verdict.text
        await approver.reads("Stays", card)
        assert "Answers were better with it (T1: 100% good of" in card.text
        assert "not measured yet" not in card.text
        after = await ben.asks(QUESTION)
        assert SEASON in after.text
        told = await ben.says("/progress", after)
        assert "1 step" in told.text and "0% → 100% good (n=" in told.text

        await stranger.presses(verdict, "Roll back")
        assert await refused(here, "/rollback P1") == 1
        assert SEASON in (await ben.asks(QUESTION)).text

        await approver.presses(verdict, "Roll back")
        await approver.reads("Rolled back by", card)
        after = await ben.asks(QUESTION)
        assert PLAIN in after.text and SEASON not in after.text
        assert "0 steps" in (await ben.says("/progress", after)).text


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_what_was_put_into_use_untried_is_taken_back_by_itself(
    platform: str, tmp_path: Path, model: ModelServer
) -> None:
    async with team(platform, tmp_path / "home", model, trials="off") as here:
        owner, ann, ben = (here[n] for n in (OWNER, "ann", "ben"))

        for _ in range(6):
            await here.everyone(good=PLAIN)
        assert (await here.works("regression")).endswith("0 worse, 0 taken back")
        first = await ann.asks(QUESTION)
        await ann.says(f"/better lesson: {BAD}", first, seeing="P1")
        card = await owner.reads(BAD)
        await owner.presses(card, "Approve")
        await owner.reads("Approved by", card)
        assert LATIN in (await ben.asks(QUESTION)).text

        for _ in range(4):
            await here.everyone(good=PLAIN)
            if (await here.works("regression")).endswith("1 worse, 1 taken back"):
                break
        told = await owner.reads("P1 was rolled back by itself: generalist v2 succeeds less: 0% of")
        assert told.thread == card.thread and "100% before" in told.text
        await owner.reads("Rolled back by the policy", card)
        assert "generalist is back to v1" in card.text and not card.labels

        after = await ben.asks(QUESTION)
        assert PLAIN in after.text
        assert "generalist v1" in (await ben.says("/why", after)).text
        assert "0 steps" in (await ben.says("/progress", after)).text
