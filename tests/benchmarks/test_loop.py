"""The loop's benchmark: the whole product plays, the same seed gives the same figures."""

import asyncio
from dataclasses import replace
from pathlib import Path

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
        played, _TINY, pair, None, 2, lambda _, known: heard.append(known)
    )

    if there.seed != 1:
        there, other = other, there
    assert replace(there, seconds=0) == replace(here, seconds=0)
    assert (other.seed, heard) == (2, [False, False])


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
