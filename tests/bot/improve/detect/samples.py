"""Closed runs made up for detectors."""

import json
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from bot.improve.detect.seen import Seen, merged
from bot.ports.stores import Closed, R

T = 1_780_000_000_000
MINUTE = 60_000

Fold = Callable[[dict[str, Any], Sequence[Any]], Iterable[Seen]]
"""Of rows that hold less than a `Closed` does."""


def closed(number: int, **changes: Any) -> Closed:
    """A good answer, one a minute, by one of seven people."""
    at = T + number * MINUTE
    made = Closed(
        id=f"r{number:07}",
        created_at=at,
        finished_at=at + 700,
        scored_at=at + 700,
        conversation=f"c{number % 97}",
        person=f"p{number % 7}",
        agent="writer",
        version=1,
        status="succeeded",
        y=1.0,
        source="check",
        latency_ms=700,
        cost_usd=0.002,
        tokens_in=400,
        tokens_out=40,
        error_type="",
        trial="",
        arm="",
    )
    return made._replace(**changes)


def narrowed(row: type[R], run: Closed) -> R:
    """As a detector reads it."""
    given: Any = row
    made: R = given(*(getattr(run, name) for name in given._fields))
    return made


def tossed(chance: random.Random, rates: Iterable[float], **changes: Any) -> Iterator[Closed]:
    """Runs that succeed at these rates, one after the other."""
    for number, rate in enumerate(rates):
        yield closed(number, y=float(chance.random() < rate), **changes)


def at_once(fold: Fold, runs: Sequence[Any]) -> tuple[dict[str, Any], list[Seen]]:
    known: dict[str, Any] = {}
    return known, merged(fold(known, runs))


def in_pages(fold: Fold, runs: Sequence[Closed], size: int) -> tuple[dict[str, Any], list[Seen]]:
    """As a job does it: from JSON to JSON at every page."""
    known: dict[str, Any] = {}
    seen: list[Seen] = []
    for start in range(0, len(runs), size):
        known = json.loads(json.dumps(known))
        seen += fold(known, runs[start : start + size])
    return json.loads(json.dumps(known)), merged(seen)
