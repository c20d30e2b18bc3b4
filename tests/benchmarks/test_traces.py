"""Traces of real agents: the derived table, and what is told from it."""

import json
from pathlib import Path

import pytest

from benchmarks.traces.__main__ import TABLE, main, walks
from benchmarks.traces.statistics import within
from benchmarks.traces.table import Trace, convert, read, write
from bot.improve.patterns import mine


def _call(name: str) -> dict[str, object]:
    return {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": name}}]}


def _result(content: str) -> dict[str, object]:
    return {"role": "tool", "content": content}


def _try(task: int, reward: float) -> Trace:
    return Trace(task, 0, reward, "someone", 1, ())


def test_results_become_a_table_without_what_was_said(tmp_path: Path) -> None:
    said = {"role": "user", "content": "My name is on the booking"}
    result = {
        "task_id": 7,
        "trial": 2,
        "reward": 1.0,
        "info": {"task": {"user_id": "a_name_1234"}},
        "traj": [
            said,
            _call("get_user_details"),
            _result("{}"),
            _call("book_reservation"),
            _result("Error: payment amount does not add up"),
            said,
        ],
    }
    (tmp_path / "results.json").write_text(json.dumps([result]))

    made = convert(tmp_path / "results.json", tmp_path / "table.csv", ["a note"])

    assert made == 1
    assert "booking" not in (tmp_path / "table.csv").read_text()
    assert read(tmp_path / "table.csv") == [
        Trace(7, 2, 1.0, "customer_0", 2, ("get_user_details", "book_reservation!"))
    ]


def test_a_row_that_is_not_right_is_named(tmp_path: Path) -> None:
    write(tmp_path / "table.csv", [_try(1, 1.0)], [])
    with (tmp_path / "table.csv").open("a") as file:
        file.write("two,0,1,someone,1,\n")

    with pytest.raises(ValueError, match="row 2"):
        read(tmp_path / "table.csv")


def test_the_products_miner_finds_what_the_agents_do_again_and_again() -> None:
    found = mine(walks(read(TABLE)))

    assert any(p.steps[:2] == ("agent:airline", "tool:get_user_details") for p in found)
    # To look a booking up and hand over is what succeeds there far above the mean of .42.
    handed_over = [p for p in found if p.runbook and p.steps[-1] == "tool:transfer_to_human_agents"]
    assert handed_over and all(p.low > 0.42 for p in handed_over)


def test_tries_that_always_agree_correlate_wholly_and_need_no_second_look() -> None:
    alike = within([_try(1, 1.0), _try(1, 1.0), _try(2, 0.0), _try(2, 0.0)])

    assert alike is not None
    assert (alike.tasks, alike.correlation, alike.pairs) == (2, 1.0, 0)
    assert alike.unpaired > 300


def test_the_table_holds_every_try_and_says_how_alike_two_are() -> None:
    traces = read(TABLE)
    assert {(t.task, t.trial) for t in traces} == {(n, k) for n in range(50) for k in range(4)}
    found = within(traces)
    assert found is not None
    assert found.success == pytest.approx(0.42)
    assert found.correlation == pytest.approx(0.40, abs=0.01)
    assert found.pairs < 0.62 * found.unpaired


def test_of_single_tries_nothing_is_said() -> None:
    assert within([_try(1, 1.0), _try(2, 0.0)]) is None


def test_it_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "patterns" in capsys.readouterr().out
