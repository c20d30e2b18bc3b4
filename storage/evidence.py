"""The run log as detectors read it: pages by an index, narrow rows, no texts unless asked for."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import text

from bot.model.run import OPEN, RunKind, RunStatus
from bot.model.terms import SILENT
from bot.model.trial import SITTING_MS, Arm, Assignment, Observed
from bot.ports.stores import Closed
from storage.engine import Database

_OPEN = tuple(status.value for status in OPEN)
_BROKEN = RunStatus.FAILED.value
_ROWS = 500  # values a statement: SQLite takes some thousands

_COLUMNS = """
    id, created_at, finished_at, scored_at, conversation, person, agent, agent_version, status,
    outcome, outcome_source, COALESCE(latency_ms, 0),
    CASE WHEN cost_known THEN COALESCE(cost_usd, 0) END, tokens_in, tokens_out, error_type,
    trial, arm
"""
_TEACHES = " AND ".join(f"channel <> '{name}'" for name in sorted(SILENT)) or "1 = 1"
_MINE = f"workspace = :w AND kind = '{RunKind.REQUEST.value}' AND {_TEACHES}"


class EvidenceStore:
    def __init__(self, db: Database) -> None:
        self._db = db
        grouped = (
            "GROUP_CONCAT({0}, '|')" if db.sqlite else "STRING_AGG({0}, '|' ORDER BY seq)"
        ).format("kind || ':' || name || CASE WHEN error_type <> '' THEN '!' ELSE '' END")
        # SQLite keeps steps in the order of their key, which is that of the runs and their seq.
        self._paths = text(
            f"SELECT run_id, {grouped} FROM steps"  # noqa: S608
            " WHERE run_id >= :first AND run_id <= :last AND workspace = :w GROUP BY run_id"
        )

    async def closed(
        self, workspace: str, after: str, until: int, limit: int
    ) -> tuple[Sequence[Closed], Sequence[str]]:
        query = (
            f"SELECT {_COLUMNS} FROM runs WHERE {_MINE} AND id > :after"  # noqa: S608
            " AND created_at < :until ORDER BY id LIMIT :limit"
        )
        rows = await self._rows(query, w=workspace, after=after, until=until, limit=limit)
        still_open = [row[0] for row in rows if row[8] in _OPEN]
        return [Closed(*row) for row in rows if row[8] not in _OPEN], still_open

    async def of_ids(self, workspace: str, ids: Sequence[str]) -> Sequence[Closed]:
        found: list[Closed] = []
        for names, values in _chunks(ids):
            query = f"SELECT {_COLUMNS} FROM runs WHERE {_MINE} AND id IN ({names})"  # noqa: S608
            rows = await self._rows(query, w=workspace, **values)
            found += [Closed(*row) for row in rows if row[8] not in _OPEN]
        return sorted(found, key=lambda run: run.id)

    async def scored(
        self, workspace: str, after: tuple[int, str], until: int, limit: int
    ) -> Sequence[Closed]:
        query = (
            f"SELECT {_COLUMNS} FROM runs WHERE {_MINE} AND scored_at > 0"  # noqa: S608
            " AND (scored_at > :at OR (scored_at = :at AND id > :id)) AND scored_at >= :at"
            " AND scored_at < :until ORDER BY scored_at, id LIMIT :limit"
        )
        rows = await self._rows(
            query, w=workspace, at=after[0], id=after[1], until=until, limit=limit
        )
        return [Closed(*row) for row in rows]

    async def paths(self, workspace: str, first: str, last: str) -> Mapping[str, str]:
        async with self._db.read() as conn:
            found = await conn.execute(self._paths, {"w": workspace, "first": first, "last": last})
            return {row[0]: row[1] for row in found}

    async def messages(self, workspace: str, ids: Sequence[str]) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for names, values in _chunks(ids):
            query = (
                f"SELECT id, message FROM runs WHERE {_MINE} AND message <> ''"  # noqa: S608
                f" AND id IN ({names})"
            )
            found |= {row[0]: row[1] for row in await self._rows(query, w=workspace, **values)}
        return found

    async def of_trial(self, workspace: str, trial: str) -> Sequence[Observed]:
        query = f"""
            SELECT id, created_at, conversation, person, arm, COALESCE(propensity, 0), outcome,
                outcome_source, latency_ms, CASE WHEN cost_known THEN COALESCE(cost_usd, 0) END,
                status = '{_BROKEN}'
            FROM runs WHERE {_MINE} AND trial <> '' AND trial = :trial AND finished_at > 0
            ORDER BY id
        """  # noqa: S608
        rows = await self._rows(query, w=workspace, trial=trial)
        sittings = _Sittings()
        return [
            Observed(
                run_id=row[0],
                at=row[1],
                unit=sittings.of(row[2], row[1], row[0]),
                person=row[3],
                arm=Arm(row[4]),
                propensity=row[5],
                y=row[6],
                source=row[7],
                latency_ms=row[8],
                cost_usd=row[9],
                failed=bool(row[10]),
            )
            for row in rows
        ]

    async def sitting(
        self, workspace: str, conversation: str, trial: str, since: int
    ) -> Assignment | None:
        query = f"""
            SELECT arm, COALESCE(propensity, 0) FROM runs
            WHERE {_MINE} AND conversation = :c AND trial = :trial AND created_at >= :since
            ORDER BY id DESC LIMIT 1
        """  # noqa: S608
        rows = await self._rows(query, w=workspace, c=conversation, trial=trial, since=since)
        return Assignment(Arm(rows[0][0]), rows[0][1]) if rows else None

    async def _rows(self, query: str, **values: Any) -> Sequence[Any]:
        async with self._db.read() as conn:
            return (await conn.execute(text(query), values)).all()


class _Sittings:
    """Names the sitting that each run of a conversation falls into, in the order they were made."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[int, str]] = {}

    def of(self, conversation: str, at: int, run_id: str) -> str:
        last, unit = self._last.get(conversation, (0, ""))
        if not unit or at - last >= SITTING_MS:
            unit = f"{conversation}\x1f{run_id}"
        self._last[conversation] = (at, unit)
        return unit


def _chunks(ids: Sequence[str]) -> list[tuple[str, dict[str, str]]]:
    """Placeholders and values, so many a statement."""
    made = []
    for start in range(0, len(ids), _ROWS):
        values = {f"i{n}": one for n, one in enumerate(ids[start : start + _ROWS])}
        made.append((", ".join(f":{name}" for name in values), values))
    return made
