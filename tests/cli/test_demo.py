"""`ratchet demo` as a process of its own, without a key or a network: what it prints is what it kept."""

import json
import signal
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.machine import RATCHET, Done, environ
from tests.stories.nodes import Node

_SHORT = ("demo", "--weeks", "1", "--requests", "40", "--seed", "3", "--plain")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "team"


@pytest.fixture(scope="module")
def played(kept: Path) -> Done:
    return _demo(kept.parent, "--json", "--keep", str(kept))


@pytest.fixture(scope="module")
def told(played: Done) -> dict[str, Any]:
    assert played.returncode == 0, played.stderr
    found: dict[str, Any] = json.loads(played.stdout)
    return found


def test_its_weeks_are_those_of_the_databases(kept: Path, told: dict[str, Any]) -> None:
    for side, home in (("with", kept), ("without", kept / "without-the-loop")):
        runs, scored, good = _requests(home)
        weeks = [week[side] for week in told["weeks"]]
        assert (runs, scored) == (sum(w["runs"] for w in weeks), sum(w["scored"] for w in weeks))
        assert good == pytest.approx(sum(w["good"] for w in weeks), abs=0.001)
        assert runs == told["requests"] == 40


def test_each_step_is_a_proposal_of_the_database(kept: Path, told: dict[str, Any]) -> None:
    with sqlite3.connect(kept / "ratchet.sqlite") as db:
        known = {f"P{n}": trial for n, trial in db.execute(_TRIED)}
    assert told["steps"], "nothing was decided on"
    for step in told["steps"]:
        assert known[step["proposal"]] == (step["trial"] or None)


def test_it_says_in_words_what_it_says_as_json(played: Done, told: dict[str, Any]) -> None:
    flat = " ".join(played.stderr.split())
    assert told["said"] in flat
    assert f"RATCHET_HOME={told['home']} ratchet up" in flat
    assert Path(told["picture"]).read_bytes().startswith(b"\x89PNG")


def test_every_part_is_labelled_as_simulated(played: Done, told: dict[str, Any]) -> None:
    assert told["simulated"] is True
    lines = played.stderr.splitlines()
    parts = [line for line in lines if "Week " in line or line.startswith(("Simulated", "Ratchet"))]
    assert len(parts) >= 4
    assert all("simulated" in line.casefold() for line in parts)


async def test_the_page_of_what_was_kept_says_that_it_is_simulated(
    kept: Path, told: dict[str, Any]
) -> None:
    node = Node(kept, {})
    await node.start()
    try:
        page = (await node.download("/")).decode()
    finally:
        await node.kill()
    assert '<strong class="notice">Simulated team</strong>' in page


def test_the_same_seed_plays_the_same_weeks(tmp_path: Path, told: dict[str, Any]) -> None:
    again = json.loads(_demo(tmp_path, "--json", "--picture", str(tmp_path / "again.png")).stdout)
    for part in ("weeks", "last_weeks", "said"):
        assert again[part] == told[part]
    assert [(s["proposal"], s["what"], s["end"]) for s in again["steps"]] == [
        (s["proposal"], s["what"], s["end"]) for s in told["steps"]
    ]


def test_it_touches_no_folder_that_holds_something(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    done = _demo(tmp_path, "--keep", str(tmp_path))
    assert done.returncode == 2
    assert "Name a new folder" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_ctrl_c_ends_it_in_a_word(tmp_path: Path) -> None:
    going = subprocess.Popen(
        [RATCHET, "demo", "--plain", "--requests", "5000", "--picture", str(tmp_path / "p.png")],
        cwd=tmp_path,
        env=environ(tmp_path / "home", PYTHONUNBUFFERED="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert going.stdout is not None
    while "Ctrl-C ends it" not in (line := going.stdout.readline()):
        assert line, "it ended by itself"
    going.send_signal(signal.SIGINT)
    out, err = going.communicate(timeout=60)
    assert going.returncode == 130
    assert "Stopped. Nothing is left behind." in out
    assert "Traceback" not in err


def _demo(folder: Path, *more: str) -> Done:
    return subprocess.run(
        [RATCHET, *_SHORT, *more],
        cwd=folder,
        env=environ(folder / "home", COLUMNS="200"),
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )


_TRIED = """SELECT p.number, 'T' || t.number FROM proposals p
    LEFT JOIN trials t ON t.proposal = 'P' || p.number"""


def _requests(home: Path) -> tuple[int, int, float]:
    """How many, how many with an outcome, and the sum of the outcomes."""
    with sqlite3.connect(home / "ratchet.sqlite") as db:
        found: tuple[int, int, float] = db.execute(
            "SELECT count(*), count(outcome), coalesce(sum(outcome), 0) FROM runs"
            " WHERE kind = 'request'"
        ).fetchone()
    return found
