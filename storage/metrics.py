"""The numbers over runs: aggregates that read one index and no rows."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.run import RunKind, RunStatus
from bot.ports.stores import Bucket, Span
from storage.engine import Database
from storage.tables import outbox, runs

_ARMS = 100  # SQLite takes 500 terms in a compound select

# The statements are text because one of many arms takes longer to build from expressions than
# to run. "#" is the arm's number.

# Each agent and each of its versions is one seek into the index, however many runs there are.
_VERSIONS = text(
    """
    WITH RECURSIVE names(a) AS (
        SELECT MIN(agent) FROM runs WHERE workspace = :w AND kind = :k
        UNION ALL
        SELECT (SELECT MIN(agent) FROM runs
                WHERE workspace = :w AND kind = :k AND agent > names.a)
        FROM names WHERE names.a IS NOT NULL
    ), versions(a, v) AS (
        SELECT a, (SELECT MIN(agent_version) FROM runs
                   WHERE workspace = :w AND kind = :k AND agent = names.a)
        FROM names WHERE a IS NOT NULL
        UNION ALL
        SELECT a, (SELECT MIN(agent_version) FROM runs
                   WHERE workspace = :w AND kind = :k AND agent = versions.a
                     AND agent_version > versions.v)
        FROM versions WHERE v IS NOT NULL
    )
    SELECT a, v FROM versions WHERE v IS NOT NULL ORDER BY a, v
    """
)

_NUMBERS = """
    SELECT # AS arm, COUNT(*) AS runs, COUNT(outcome) AS scored, SUM(outcome) AS successes,
        COUNT(*) FILTER (WHERE outcome_source = 'rating') AS rated,
        SUM(cost_usd) AS usd, COUNT(*) FILTER (WHERE NOT cost_known) AS unknown,
        SUM(tokens_in) AS tokens_in, SUM(tokens_out) AS tokens_out
    FROM runs WHERE workspace = :w AND kind = :k AND agent = :a# AND agent_version = :v#
        AND created_at >= :since AND created_at < :until
"""

# Counted by the database: a million latencies would hold up everything else while they are sorted.
_LATENCIES = """
    SELECT # AS arm, COUNT(*) AS runs,
        CASE WHEN latency_ms < 10000 THEN latency_ms ELSE latency_ms / 100 * 100 END AS ms
    FROM runs WHERE workspace = :w AND kind = :k AND agent = :a# AND agent_version = :v#
        AND created_at >= :since AND created_at < :until AND latency_ms IS NOT NULL
    GROUP BY ms
"""

_ERRORS = """
    SELECT # AS arm, error_type, COUNT(*) AS runs
    FROM runs WHERE workspace = :w AND kind = :k AND agent = :a# AND agent_version = :v#
        AND created_at >= :since AND created_at < :until AND error_type <> ''
    GROUP BY error_type
"""

_SPANS = """
    SELECT # AS arm, COUNT(*) FILTER (WHERE kind = :k) AS runs,
        COUNT(outcome) FILTER (WHERE kind = :k) AS scored,
        SUM(outcome) FILTER (WHERE kind = :k) AS successes,
        COUNT(*) FILTER (WHERE kind = :k AND outcome_source = 'rating') AS rated,
        SUM(cost_usd) AS usd
    FROM runs WHERE workspace = :w AND created_at >= :since# AND created_at < :until#
"""


class MetricsStore:
    """People's requests only: commands and jobs are runs too, but nobody asked them a question."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def by_agent(
        self, workspace: str, since: int, until: int, agent: str = ""
    ) -> list[Bucket]:
        """By name and version; the agent "" stands for requests that reached none."""
        scope = {"w": workspace, "k": RunKind.REQUEST.value, "since": since, "until": until}
        async with self._db.read() as conn:
            versions = await _versions(conn, workspace, agent)
            arms = [{"a": name, "v": version} for name, version in versions]
            numbers = await _all(conn, _NUMBERS, arms, scope)
            took = await _all(conn, _LATENCIES, arms, scope)
            failed = await _all(conn, _ERRORS, arms, scope)
        latencies: dict[int, dict[int, int]] = defaultdict(dict)
        for row in took:
            latencies[row.arm][row.ms] = row.runs
        errors: dict[int, dict[str, int]] = defaultdict(dict)
        for row in failed:
            errors[row.arm][row.error_type] = row.runs
        return [
            _bucket(versions[row.arm], row, latencies[row.arm], errors[row.arm])
            for row in sorted(numbers, key=lambda row: row.arm)
            if row.runs
        ]

    async def spans(self, workspace: str, edges: Sequence[int]) -> list[Span]:
        arms = [{"since": since, "until": until} for since, until in pairwise(edges)]
        async with self._db.read() as conn:
            rows = await _all(conn, _SPANS, arms, {"w": workspace, "k": RunKind.REQUEST.value})
        return [
            Span(
                edges[row.arm],
                row.runs,
                row.scored,
                float(row.successes or 0),
                row.rated,
                float(row.usd or 0),
            )
            for row in sorted(rows, key=lambda row: row.arm)
        ]

    async def failed_jobs(self, workspace: str, since: int, until: int) -> dict[str, int]:
        query = (
            select(runs.c.message, func.count())
            .where(
                runs.c.workspace == workspace,
                runs.c.created_at >= since,
                runs.c.created_at < until,
                runs.c.kind == RunKind.JOB.value,
                runs.c.status == RunStatus.FAILED.value,
            )
            .group_by(runs.c.message)
            .order_by(runs.c.message)
        )
        async with self._db.read() as conn:
            return {row[0]: row[1] for row in await conn.execute(query)}

    async def undelivered(self, workspace: str, since: int, until: int) -> int:
        query = (
            select(func.count())
            .select_from(outbox)
            .where(
                outbox.c.workspace == workspace,
                outbox.c.created_at >= since,
                outbox.c.created_at < until,
                # As text, so that the index of the failed ones is seen to fit.
                text("status = 'failed'"),
            )
        )
        async with self._db.read() as conn:
            return (await conn.execute(query)).scalar_one()


async def _versions(conn: AsyncConnection, workspace: str, agent: str) -> list[tuple[str, int]]:
    found = await conn.execute(_VERSIONS, {"w": workspace, "k": RunKind.REQUEST.value})
    return [(row.a, row.v) for row in found if agent in ("", row.a)]


async def _all(
    conn: AsyncConnection, arm: str, values: Sequence[dict[str, Any]], shared: dict[str, Any]
) -> list[Any]:
    """The rows of every arm, a hundred arms a statement."""
    rows: list[Any] = []
    for start in range(0, len(values), _ARMS):
        numbered = [(start + i, value) for i, value in enumerate(values[start : start + _ARMS])]
        statement = " UNION ALL ".join(arm.replace("#", str(number)) for number, _ in numbered)
        own = {f"{name}{number}": v for number, value in numbered for name, v in value.items()}
        rows += await conn.execute(text(statement), shared | own)
    return rows


def _bucket(
    version: tuple[str, int], row: Any, latencies: dict[int, int], errors: dict[str, int]
) -> Bucket:
    return Bucket(
        agent=version[0],
        version=version[1],
        runs=row.runs,
        scored=row.scored,
        successes=float(row.successes or 0),
        rated=row.rated,
        latencies=latencies,
        cost_usd=float(row.usd or 0),
        cost_unknown=row.unknown,
        tokens_in=int(row.tokens_in or 0),
        tokens_out=int(row.tokens_out or 0),
        errors=errors,
    )
