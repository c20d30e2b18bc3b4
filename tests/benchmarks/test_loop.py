"""The loop's benchmark: the whole product plays, the same seed gives the same figures."""

import asyncio
import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import doc
from benchmarks.loop import report
from benchmarks.loop.__main__ import main
from benchmarks.loop.play import play
from benchmarks.loop.policies import POLICIES
from benchmarks.loop.side_by_side import Task, played
from benchmarks.loop.state import State
from benchmarks.loop.tally import Tally, from_json
from bot.llm.simulated.world import Changes, Kind, Spread, World

_TINY = World(
    name="tiny",
    runs=100,
    changes=Changes(
        every=40,
        placebo=Kind(0.0),
        harmful=Kind(0.0),
        good=Kind(1.0, success=Spread(0.1)),
    ),
)


def _must_not_break(task: Task, error: Exception) -> None:
    raise AssertionError(task) from error


async def _play(policy: str, folder: Path) -> Tally:
    return await play(_TINY, 1, POLICIES[policy], folder)


async def test_what_is_always_accepted_reaches_everyone_at_once(tmp_path: Path) -> None:
    tally = await _play("always", tmp_path)

    assert [(one.change, one.at) for one in tally.adopted] == [(1, 40), (2, 80)]
    assert tally.regret == 0.0
    assert round(tally.success, 6) == round((40 * 0.7 + 40 * 0.8 + 20 * 0.9) / 100, 6)
    assert tally.cost > 1.0
    assert tally.failed == 0 and tally.jobs_failed == ()
    assert tally.extra["in_use"] == [1, 2]


async def test_where_nothing_is_accepted_the_regret_is_what_was_proposed(tmp_path: Path) -> None:
    tally = await _play("never", tmp_path)

    assert tally.adopted == ()
    assert round(tally.regret, 6) == round((40 * 0.1 + 20 * 0.2) / 100, 6)
    assert round(tally.cost, 6) == 1.0
    assert 0 < tally.rated < 60


async def test_a_process_of_its_own_without_threads_gives_the_same_figures(tmp_path: Path) -> None:
    here = await _play("balanced", tmp_path)
    pair = [Task("balanced", 1), Task("balanced", 2)]
    heard: list[bool] = []

    there, other = await asyncio.to_thread(
        played, _TINY, pair, None, 2, lambda _, known: heard.append(known), _must_not_break
    )

    if there.seed != 1:
        there, other = other, there
    assert replace(there, seconds=0) == replace(here, seconds=0)
    assert (other.seed, heard) == (2, [False, False])


def test_a_play_that_breaks_is_told_and_stops_no_other(tmp_path: Path) -> None:
    wanted, broke = [Task("no such", 1), Task("never", 1)], list[Task]()
    state = State(tmp_path, replace(_TINY, runs=5))

    for _ in range(2):
        found = played(
            state.world, wanted, state, 1, lambda *_: None, lambda task, _: broke.append(task)
        )

    assert [tally.policy for tally in found] == ["never"]
    assert broke == [Task("no such", 1)] * 2


_ASKED = ("success", "regret_per_1000", "false_promotions_per_20", "fdr", "adopted_good", "cost")


@pytest.mark.parametrize(
    "world",
    [
        "success: 0\nfloor: 0\nceiling: 0\nmodels: [{name: free, input: 0, output: 0}]",
        "changes: {every: 1000}\nfeedback: {coverage: 0}\nclusters: []",
        "people: {count: 1}\nadversaries: {share: 1, against: true}\nfeedback: {coverage: 1}",
    ],
    ids=["nothing to divide by", "nothing to say", "nobody honest"],
)
def test_odd_worlds_have_rows_too(tmp_path: Path, world: str) -> None:
    (tmp_path / "odd.yml").write_text(world)
    out = tmp_path / "rows.json"

    once = ["--runs", "30", "--seeds", "1", "--workers", "1", "--policies", "always"]
    code = main(["--world", str(tmp_path / "odd.yml"), *once, "--json", str(out)])

    (row,) = json.loads(out.read_text(), parse_constant=pytest.fail)
    assert (code, row["policy"]) == (0, "always")
    assert {*_ASKED, *(f"{name}_se" for name in _ASKED)} <= row.keys()
    assert row["fdr"] is None and row["success_se"] is None


@pytest.mark.parametrize("option", ["--seeds", "--runs", "--workers"])
def test_numbers_are_from_one_on(option: str) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([option, "0"])

    assert stopped.value.code == 2


def test_whoever_interrupts_is_told_how_to_go_on(tmp_path: Path) -> None:
    command = ["-m", "benchmarks.loop", "--runs", "4000", "--seeds", "1", "--resume", str(tmp_path)]
    playing = subprocess.Popen(
        [sys.executable, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert playing.stdout is not None
    assert "8 plays of 4,000 requests" in playing.stdout.readline()
    playing.send_signal(signal.SIGINT)
    _, said = playing.communicate(timeout=60)

    assert playing.returncode == 130
    assert "the same command goes on" in " ".join(said.split())


def _tally(seed: int, **more: object) -> Tally:
    plain = Tally("always", seed, 1000, 0.7, 0.1, 1.0, 1.0, 1.1, {"good": 1, "placebo": 1})
    return replace(plain, **more)  # type: ignore[arg-type]


def test_rows_have_means_over_seeds_and_their_errors() -> None:
    (row,) = report.rows([_tally(1, regret=0.1), _tally(2, regret=0.2)], ["never", "always"])

    assert (row["policy"], row["seeds"]) == ("always", 2)
    assert (row["regret_per_1000"], row["regret_per_1000_se"]) == (150.0, 50.0)
    assert row["fdr"] is None and row["adopted_good"] == 0.0


def test_a_finished_play_is_known_again_and_another_world_has_its_own(tmp_path: Path) -> None:
    State(tmp_path, _TINY).keep(_tally(3))

    assert State(tmp_path, _TINY).load("always", 3) == from_json(_tally(3).json())
    assert State(tmp_path, _TINY).load("always", 4) is None
    assert State(tmp_path, replace(_TINY, runs=7)).load("always", 3) is None


def test_what_was_cut_off_half_way_is_played_again(tmp_path: Path) -> None:
    State(tmp_path, _TINY).keep(_tally(3))
    (kept,) = tmp_path.rglob("always-3.json")
    kept.write_text(kept.read_text()[:20])

    assert State(tmp_path, _TINY).load("always", 3) is None


def test_a_world_that_is_not_right_is_refused(tmp_path: Path) -> None:
    world = tmp_path / "mine.yml"
    world.write_text("rnus: 4")

    assert main(["--world", str(world)]) == 2


def test_an_unknown_policy_is_refused() -> None:
    assert main(["--policies", "sometimes"]) == 2


def test_each_benchmark_replaces_its_own_part_of_the_page(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"

    doc.put_loop("the loop", page)
    doc.put_first("# Benchmarks\n\nthe rest", page)
    doc.put_loop("the loop anew", page)
    doc.put_first("# Benchmarks\n\nthe rest anew", page)

    assert page.read_text() == "# Benchmarks\n\nthe rest anew\n\n## The loop\n\nthe loop anew\n"
