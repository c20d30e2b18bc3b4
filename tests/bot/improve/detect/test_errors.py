"""Failures by signature: how often, how many people, and whether what was tried helped."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from bot.improve.analyst import ripe
from bot.improve.detect import errors
from bot.improve.detect.seen import Seen, merged
from bot.model.finding import Failure
from tests.bot.improve.detect.samples import T, at_once, closed, in_pages

TIMEOUT = Failure("", "", "http_fetch", "tool", "no answer from https://h7.example in 7 s")
WHOLE = Failure("", "", "", "tool", "the tool failed")
CRASH = Failure("", "", "", "internal", "KeyError: 'x'")


def folding(failures: Mapping[int, Sequence[Failure]]) -> Any:
    """A fold of runs of which these numbers failed in these ways."""
    named = {f"r{n:07}": made for n, made in failures.items()}

    def fold(known: dict[str, Any], page: Sequence[errors.Ran]) -> list[Seen]:
        return errors.fold(known, page, named)

    return fold


def test_failures_are_told_apart_by_signature() -> None:
    again = replace(TIMEOUT, message="no answer from https://h9.example in 12 s")
    fold = folding({0: [TIMEOUT, TIMEOUT, WHOLE], 1: [again, WHOLE], 2: [TIMEOUT], 5: [CRASH]})
    known, [timeout, crash] = at_once(fold, [closed(n) for n in range(8)])
    assert (timeout.count, timeout.people, timeout.evidence) == (
        3,
        3,
        ("r0000000", "r0000001", "r0000002"),
    )
    assert (timeout.kind, timeout.agent) == ("error", "writer")
    assert timeout.title.startswith("tool in http_fetch: no answer from")
    assert timeout.detail.startswith("lesson: When http_fetch fails with tool (")
    assert (timeout.facts["step"], timeout.facts["error_type"]) == ("http_fetch", "tool")
    assert (timeout.facts["first"], timeout.facts["last"]) == (T, T + 120_000)
    assert timeout.usd_week == pytest.approx(0.006 * 7)
    assert crash.title == "internal: KeyError: 'x'"
    kept = [seen.finding("local", "f", T) for seen in (timeout, crash)]
    assert [ripe(one) for one in kept] == [True, False]
    assert known["runs"] == {"writer": 8}


def test_what_surrounds_the_agents_becomes_known_not_a_lesson() -> None:
    down = Failure("", "", "gpt", "model_unavailable", "HTTP 503")
    _, [found] = at_once(folding({3: [down]}), [closed(3)])
    assert found.kind == "outage"
    assert found.detail.startswith("fact: Known problem: model_unavailable in gpt: HTTP 503")
    _, [unrouted] = at_once(folding({3: [CRASH]}), [closed(3, agent="")])
    assert unrouted.kind == "outage"


def test_it_has_helped_once_it_would_have_come_back_otherwise() -> None:
    fold = folding({n: [TIMEOUT] for n in range(0, 100, 5)})
    known, [seen] = at_once(fold, [closed(n) for n in range(100)])
    finding = seen.finding("local", "f", T)
    assert not errors.worked(known, finding)
    tried = replace(finding, facts={**finding.facts, "exposed": errors.exposures(known, finding)})
    for number in range(50):
        assert not errors.worked(known, tried)
        fold(known, [closed(200 + number), closed(300 + number, agent="another")])
    assert errors.worked(known, tried)
    rare = replace(tried, count=1)
    assert not errors.worked(known, rare)


@pytest.mark.parametrize("size", [1, 4, 30])
def test_any_pages_come_to_the_same(size: int) -> None:
    fold = folding({n: [TIMEOUT, CRASH] for n in range(0, 60, 3)})
    runs = [closed(n) for n in range(60)]
    assert in_pages(fold, runs, size) == at_once(fold, runs)


def test_it_forgets_what_it_saw_longest_ago() -> None:
    many = {n: [replace(CRASH, error_type=f"e{n}")] for n in range(600)}
    known: dict[str, Any] = {}
    seen = merged(folding(many)(known, [closed(n) for n in range(600)]))
    assert len(seen) == 600 and len(known["signs"]) == 500
    assert len(json.dumps(known)) < 200_000
