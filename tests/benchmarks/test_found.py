"""What two versions of detection are held side by side with: the same log, the same findings."""

from pathlib import Path

from benchmarks.found import found


async def test_the_same_log_shows_the_same(tmp_path: Path) -> None:
    one, two = [await found(_made(tmp_path / name), 150) for name in ("one", "two")]
    assert one == two
    assert one["first"]["findings"] and one["first"] != one["more"]


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
