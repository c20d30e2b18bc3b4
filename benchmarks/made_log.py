"""A made log of requests with five steps each: always the same where ids and seed are."""

import random
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, insert

from bot.ports.clock import Ids
from storage.engine import Database
from storage.tables import feedback, runs, steps

_CHUNK = 5_000
AGENTS = ("generalist", "researcher", "analyst", "ops", "writer")
_TOPICS = (
    "refund window for a customer who paid by card",
    "weekly sales report for the northern region",
    "invoice that was sent twice to the same address",
    "release notes of the last version of the app",
    "meeting with the suppliers of packaging material",
    "password reset for an account without an email",
    "delivery that is late because of the weather",
    "translation of the terms into plain language",
    "forecast of stock for the coming season",
    "server that answers slowly since this morning",
)
_WORDS = [
    "please",
    "quickly",
    "again",
    "today",
    "now",
    "for",
    "me",
    "with",
    "details",
    "in",
    "short",
    "as",
    "a",
    "list",
    "and",
    "why",
]


async def fill(db: Database, ids: Ids, count: int, since: int, until: int, seed: int = 2) -> None:
    """Writes `count` runs asked between two times (ms), their steps and what people thought of
    them."""
    chance = random.Random(seed)
    made = _runs(chance, ids, count, since, until)
    for begin in range(0, count, _CHUNK):
        batch = [next(made) for _ in range(min(_CHUNK, count - begin))]
        rated = [_thumb(run) for run in batch if run["outcome_source"] == "rating"]
        taken = [step for run in batch for step in _steps(chance, run)]

        def write(
            conn: Connection, batch: list[Any] = batch, taken: Any = taken, rated: Any = rated
        ) -> None:
            conn.execute(insert(runs), batch)
            conn.execute(insert(steps), taken)
            if rated:
                conn.execute(insert(feedback), rated)

        await db.transact(write)


def _runs(
    chance: random.Random, ids: Ids, count: int, since: int, until: int
) -> Iterator[dict[str, Any]]:
    """Three in ten runs have an outcome by a check, one in twenty by a rating; one in a hundred
    fails. A version follows the other every 20 days."""
    for number in range(count):
        run_id = ids.run_id()
        at = since + (until - since) * number // count
        failed = chance.random() < 0.01
        drawn = chance.random()
        source = "error" if failed else "rating" if drawn < 0.05 else "check"
        known = failed or drawn < 0.35
        y = 0.0 if failed else float(chance.random() < 0.85)
        latency = round(700 * chance.lognormvariate(0, 0.5))
        message = f"{chance.choice(_TOPICS)} {' '.join(chance.choices(_WORDS, k=5))}"
        yield {
            "id": run_id,
            "workspace": "local",
            "short": run_id[-8:],
            "kind": "request",
            "status": "failed" if failed else "succeeded",
            "channel": "slack",
            "event_id": run_id,
            "conversation": f"c{chance.randrange(20_000)}",
            "person": f"p{chance.randrange(50)}",
            "message": message,
            "agent": chance.choice(AGENTS),
            "agent_version": 1 + number * 5 // count,
            "answer": "" if failed else "Thirty days, as the terms of the shop say.",
            "outcome": y if known else None,
            "outcome_source": source if known else "",
            "error_type": "timeout" if failed else "",
            "error_message": f"no answer in {latency} ms" if failed else "",
            "tokens_in": 400,
            "tokens_out": 40,
            "cost_usd": 0.0002,
            "node": "n",
            "attempt": 1,
            "created_at": at,
            "started_at": at,
            "finished_at": at + latency,
            "latency_ms": latency,
            "scored_at": at + latency if known else 0,
        }


_PLANS = (
    ("calculator", "http_fetch"),
    ("http_fetch", "calculator"),
    ("recall", "http_fetch"),
    ("run_history", "calculator"),
)


def _steps(chance: random.Random, run: dict[str, Any]) -> Iterator[dict[str, Any]]:
    one, two = chance.choice(_PLANS)
    taken = (("route", run["agent"]), ("model", "m"), ("tool", one), ("tool", two), ("model", "m"))
    for seq, (kind, name) in enumerate(taken):
        broke = kind == "tool" and chance.random() < 0.02
        yield {
            "run_id": run["id"],
            "seq": seq,
            "workspace": "local",
            "kind": kind,
            "name": name,
            "started_at": run["created_at"],
            "duration_ms": 3.0,
            "output": {"text": "Thirty days."},
            "tokens_in": 80,
            "tokens_out": 8,
            "cost_usd": 0.00004,
            "error_type": "tool" if broke else "",
            "error_message": f"host h{seq}.example is not allowed" if broke else "",
        }


def _thumb(run: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"f-{run['id']}",
        "workspace": "local",
        "run_id": run["id"],
        "person": run["person"],
        "rating": 1 if run["outcome"] else -1,
        "text": "",
        "source": "button",
        "created_at": run["finished_at"],
    }
