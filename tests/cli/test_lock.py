"""One process holds a data folder; what a killed one leaves behind blocks nobody."""

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from bot import config
from bot.clock import SystemIds
from bot.config import Settings
from bot.errors import ConfigError, Held
from bot.lock import HomeLock, api_key, known_api_key, read_holder, running
from tests.conftest import HeldClock

_HOLD = """
import sys
from pathlib import Path
from bot.clock import SystemClock
from bot.lock import HomeLock
with HomeLock(Path(sys.argv[1]), SystemClock()) as lock:
    lock.announce("http://127.0.0.1:1")
    print("held", flush=True)
    sys.stdin.read()
"""


def _settings(home: Path, **environ: str) -> Settings:
    return config.load({"RATCHET_HOME": str(home), **environ}, home.parent)


def _hold(home: Path) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def _end(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.communicate()


def test_a_second_process_is_told_who_holds_the_folder(tmp_path: Path, clock: HeldClock) -> None:
    holder = _hold(tmp_path)
    try:
        with pytest.raises(Held) as told, HomeLock(tmp_path, clock, wait=0):
            pass
    finally:
        _end(holder)

    assert f"process {holder.pid}" in told.value.said
    assert "http://127.0.0.1:1" in told.value.said
    assert "UTC" in told.value.said


def test_a_running_process_is_found_and_a_killed_one_is_not(
    tmp_path: Path, clock: HeldClock
) -> None:
    holder = _hold(tmp_path)
    found = running(tmp_path)
    _end(holder)

    assert found is not None
    assert (found.pid, found.url) == (holder.pid, "http://127.0.0.1:1")
    assert read_holder(tmp_path) == found
    assert running(tmp_path) is None
    with HomeLock(tmp_path, clock, wait=0):
        pass


def test_nothing_is_left_after_a_clean_end(tmp_path: Path, clock: HeldClock) -> None:
    with HomeLock(tmp_path, clock) as lock:
        lock.announce("http://127.0.0.1:8420")
        said = json.loads((tmp_path / "running.json").read_text())
        mode = stat.S_IMODE((tmp_path / "running.json").stat().st_mode)

    assert said["started"] == clock.now()
    assert said["url"] == "http://127.0.0.1:8420"
    assert mode == 0o600
    assert running(tmp_path) is None
    assert not (tmp_path / "running.json").exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": "x"}', '{"pid": 1}', "\x00"])
def test_a_broken_note_is_no_note(tmp_path: Path, text: str) -> None:
    (tmp_path / "running.json").write_text(text)
    assert running(tmp_path) is None


def test_a_folder_that_is_a_file_is_said_plainly(tmp_path: Path, clock: HeldClock) -> None:
    path = tmp_path / "data"
    path.write_text("not a folder")
    with pytest.raises(ConfigError) as told, HomeLock(path, clock):
        pass
    assert "RATCHET_HOME" in told.value.said


def test_the_generated_key_is_private_and_stays(tmp_path: Path, ids: SystemIds) -> None:
    settings = _settings(tmp_path / "new" / "home")
    assert known_api_key(settings) == ""
    key = api_key(settings, ids)

    assert len(key) > 40
    assert api_key(settings, ids) == key == known_api_key(settings)
    assert stat.S_IMODE((settings.home / "api_key").stat().st_mode) == 0o600
    assert stat.S_IMODE(settings.home.stat().st_mode) == 0o700


def test_a_key_that_is_set_is_never_written_down(tmp_path: Path, ids: SystemIds) -> None:
    settings = _settings(tmp_path / "home", RATCHET_API_KEY="chosen")
    assert api_key(settings, ids) == known_api_key(settings) == "chosen"
    assert not (tmp_path / "home").exists()


def test_where_others_can_reach_it_a_key_must_be_set(tmp_path: Path, ids: SystemIds) -> None:
    with pytest.raises(ConfigError) as told:
        api_key(_settings(tmp_path, RATCHET_HOST="0.0.0.0"), ids)
    assert "RATCHET_API_KEY" in told.value.said
