"""States, holds, judgements, replays and trials: each kept once, moved once."""

import asyncio
from dataclasses import replace

import pytest

from bot.errors import Conflict
from bot.model.run import Outcome, RunStatus
from bot.model.trial import Replayed, Trial, TrialStatus
from bot.ports.stores import Hold, Judgement, Pair, Replay, Scored, State
from storage.engine import Database
from storage.holds import HoldStore
from storage.judgements import JudgementStore
from storage.replays import ReplayStore
from storage.runs import RunStore
from storage.states import StateStore
from storage.trials import TrialStore
from tests import samples
from tests.storage.test_evidence import keep

W = "local"


def a_trial(**changes: object) -> Trial:
    made = Trial(
        id="t",
        workspace=W,
        number=0,
        proposal="P1",
        title="Be brief",
        overlay={"writer": 2},
        base={"writer": 1},
        status=TrialStatus.QUEUED,
        mode="balanced",
        created_at=1,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


async def test_a_state_is_moved_by_one_of_two(db: Database) -> None:
    store = StateStore(db)
    first = await store.get(W, "patterns")
    assert first == State()
    moves = await asyncio.gather(
        *(store.move(W, "patterns", first, State(f"r{n}", {"n": n}), 5) for n in range(2))
    )
    assert sorted(moves) == [False, True]
    now = await store.get(W, "patterns")
    assert (now.watermark, now.state, now.revision) == (
        f"r{moves.index(True)}",
        {"n": moves.index(True)},
        1,
    )
    assert await store.move(W, "patterns", now, State("r9", {"n": 9}), 6)
    assert not await store.move(W, "patterns", now, State("r8", {}), 7)
    assert (await store.get(W, "patterns")).watermark == "r9"
    assert await store.since(W, "patterns", 2) is None
    assert await store.since(W, "patterns", 1) == await store.get(W, "patterns")


async def test_a_hold_is_put_and_lifted_once(db: Database) -> None:
    store = HoldStore(db)
    assert await store.all(W) == {}
    frozen = Hold("loop", "owner", "an audit", 5)
    assert [await store.put(W, frozen), await store.put(W, frozen)] == [True, False]
    assert await store.all(W) == {"loop": frozen}
    assert await store.all("other") == {}
    assert [await store.lift(W, "loop"), await store.lift(W, "loop")] == [True, False]
    assert await store.all(W) == {}


async def test_a_trial_has_a_number_and_one_per_proposal(db: Database) -> None:
    store = TrialStore(db)
    first, new = await store.add(a_trial())
    again, twice = await store.add(a_trial(id="other"))
    assert (first.ref, new, again.id, twice) == ("T1", True, "t", False)
    second, _ = await store.add(a_trial(id="u", proposal="P2"))
    assert second.ref == "T2"
    assert [t.ref for t in await store.list(W)] == ["T2", "T1"]
    assert await store.get(W, "t1") == first
    assert await store.get("other", "T1") is None
    assert await store.of_proposal(W, "P2") == second


async def test_only_running_trials_assign_and_one_of_two_moves_it(db: Database) -> None:
    store = TrialStore(db)
    queued, _ = await store.add(a_trial())
    assert await store.running(W) == []
    running = await store.move(replace(queued, started_at=7), TrialStatus.RUNNING)
    assert await store.running(W) == [running]
    with pytest.raises(Conflict):
        await store.move(queued, TrialStatus.STOPPED)
    looked = await store.look(replace(running, share=0.5, numbers={"runs": 20}, looked_at=9))
    assert (looked.share, looked.numbers, (await store.running(W))[0].share) == (
        0.5,
        {"runs": 20},
        0.5,
    )
    kept = await store.move(replace(looked, ended_at=10, reason="better"), TrialStatus.KEPT)
    assert (kept.status, kept.reason) == (TrialStatus.KEPT, "better")
    assert await store.running(W) == []
    with pytest.raises(Conflict):
        await store.look(kept)


async def test_a_pair_is_kept_and_paid_once(db: Database) -> None:
    store = ReplayStore(db)
    replay = Replay("x", W, "P1", "f", "planned", ("r1", "r2"), 1)
    assert (await store.add(replay))[1]
    assert not (await store.add(replace(replay, id="y")))[1]
    pair = Pair("r1", Scored(0.0, "check", "a", 10.0, 0.1), Scored(1.0, "check", "b"))
    assert await store.put_pair(W, "x", pair, 0.25)
    assert not await store.put_pair(W, "x", pair, 0.25)
    assert await store.put_pair(W, "x", Pair("r2", None, None, "diverged"), 0.0)
    assert await store.pairs(W, "x") == [pair, Pair("r2", None, None, "diverged")]
    assert [r.cost_usd for r in await store.unfinished(W)] == [0.25]
    result = Replayed(1, 1.0, 0.0, "check", diverged=1)
    await store.update(replace(replay, status="thin", result=result, ended_at=9))
    assert await store.unfinished(W) == []
    assert [r.result for r in await store.ended(W, 5)] == [result]


async def test_judgements_stand_beside_what_people_said(db: Database) -> None:
    store, runs = JudgementStore(db), RunStore(db)
    one, two = samples.run(event_id="1"), samples.run(event_id="2")
    await keep(db, one, RunStatus.SUCCEEDED)
    await keep(db, two, RunStatus.SUCCEEDED)
    await runs.set_outcome(one.workspace, one.id, Outcome(1.0, "rating"), 9)
    for run, y in ((one, 0.75), (two, 0.5)):
        for _ in range(2):
            await store.put(one.workspace, Judgement(run.id, "m/1", y, "fine", 5))
    assert [j.y for j in await store.of_runs(one.workspace, [one.id, two.id])] == [0.75, 0.5]
    found = await store.beside_ratings(one.workspace, "m/1", 10)
    assert found == [(one.id, 0.75, 1.0, one.person)]
