"""The tutorial's answers are those one gets."""

from pathlib import Path

from tests.cli.tutorial import PATH, played, steady


def test_the_tutorial_is_real(tmp_path: Path) -> None:
    page = PATH.read_text("utf-8")
    assert steady(page) == steady(played(page, tmp_path / "home")), "make docs"
