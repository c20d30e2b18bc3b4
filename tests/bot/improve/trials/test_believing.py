"""Replays are believed as far as the trials after them bore them out."""

from dataclasses import replace

from bot.improve.trials.believing import Believing, compared
from bot.improve.verdicts.belief import leaning
from bot.improve.verdicts.bias import BIASES
from bot.improve.verdicts.estimate import Live
from bot.model.trial import Replayed, Trial, TrialStatus
from bot.ports.stores import Replay
from storage.engine import Database
from storage.replays import ReplayStore
from storage.trials import TrialStore

W = "local"
LIKED = Replayed(200, 0.25, 0.02, "judge", enough=True)


def _trial(number: int, difference: float) -> Trial:
    return Trial(
        id=f"t{number}",
        workspace=W,
        number=number,
        proposal=f"P{number}",
        title="A change",
        overlay={"writer": 2},
        base={"writer": 1},
        status=TrialStatus.RUNNING,
        mode="balanced",
        created_at=1,
        numbers={"live": [difference, 0.03]},
    )


def _replay(number: int, result: Replayed = LIKED) -> Replay:
    return Replay(f"r{number}", W, f"P{number}", "f", "done", (), 1, result, ended_at=number)


async def _history(db: Database, difference: float) -> Believing:
    """Thirty changes that a judge liked in replay, and what people then said of them."""
    trials, replays = TrialStore(db), ReplayStore(db)
    for number in range(1, 31):
        kept, _ = await trials.add(_trial(number, difference))
        await trials.move(kept, TrialStatus.ROLLED_BACK)
        await replays.add(_replay(number))
    return Believing(trials, replays)


async def test_a_kind_of_replay_that_was_borne_out_is_believed_further(db: Database) -> None:
    believed = await (await _history(db, 0.24)).believed(W, LIKED)
    assert believed.bias and abs(believed.bias[0]) < 0.02
    assert believed.bias[1] < BIASES["judge"].sd


async def test_one_that_promised_too_much_is_believed_less(db: Database) -> None:
    believing = await _history(db, 0.0)
    little = replace(LIKED, mean=0.06, error=0.02)
    before, after = little, await believing.believed(W, little)
    assert after.bias and after.bias[0] > 0.03
    assert leaning(Live(), after) < 0.5 < leaning(Live(), before)
    assert (await believing.believed("other", little)).bias == (0.0, BIASES["judge"].sd)


def test_only_the_last_replay_of_its_kind_and_what_people_said_counts() -> None:
    older = replace(LIKED, mean=0.1)
    replays = [_replay(1), _replay(1, older), _replay(2, replace(LIKED, by="check")), _replay(3)]
    nothing = replace(_trial(3, 0.0), numbers={"live": None})
    found = compared("judge", [_trial(1, 0.2), _trial(2, 0.2), nothing, _trial(4, 0.2)], replays)
    assert [(one.replayed, one.seen) for one in found] == [(0.25, 0.2)]
