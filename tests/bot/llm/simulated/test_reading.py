"""World files: what is left out keeps its default, what is wrong is told by its place."""

from pathlib import Path

import pytest

from bot.errors import BadInput
from bot.llm.simulated.reading import load, parse
from bot.llm.simulated.world import World
from tests.architecture.source import ROOT


def _said(text: str) -> str:
    with pytest.raises(BadInput) as refused:
        parse(text, "mine.yml")
    return refused.value.said


def test_an_empty_file_is_the_default_world() -> None:
    assert parse("") == World()


def test_an_empty_list_is_the_default() -> None:
    assert parse("models: []\nclusters: []") == World()


def test_the_file_that_comes_with_it_says_the_defaults() -> None:
    assert load(ROOT / "benchmarks" / "loop" / "world.yml") == World()


def test_what_differs_is_enough() -> None:
    world = parse("changes: {good: {success: {sd: 0.0}}}")

    assert world.changes.good.success.sd == 0.0
    assert world.changes.good.success.mean == World().changes.good.success.mean


def test_an_unknown_key_is_told_with_the_nearest() -> None:
    assert "feedback.coverge: unknown; did you mean coverage?" in _said("feedback: {coverge: 1}")


def test_every_fault_is_told_at_once() -> None:
    said = _said("runs: 1.5\nsuccess: 2\ndrift: {kind: wobble}\npeople: 3\nname: 7")

    for place in ("runs:", "success:", "drift.kind:", "people:", "name:"):
        assert place in said


@pytest.mark.parametrize(
    "text",
    [
        "changes: {good: {share: 0.9}}",
        "floor: 0.9\nceiling: 0.1",
        "drift: {kind: linear, at: 100, until: 100}",
        "clusters: [{name: a, share: 0}]",
        "clusters: [{name: a}, {name: a}]",
        "feedback: {coverage: .nan}",
        "adversaries: {against: 1}",
        "clusters: nothing",
        "- a list",
    ],
)
def test_what_cannot_be_is_refused(text: str) -> None:
    assert "mine.yml" in _said(text)


def test_what_is_no_yaml_is_said_to_be_none() -> None:
    assert "is not YAML" in _said("[1")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as refused:
        load(tmp_path / "none.yml")
    assert "none.yml" in refused.value.said
