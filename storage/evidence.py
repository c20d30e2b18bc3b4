"""The run log as detectors read it: pages by an index, narrow rows, no texts unless asked for."""

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any, cast

from sqlalchemy import Connection, TextClause, bindparam, text

from bot.model.finding import Failure
from bot.model.run import OPEN, UNKNOWN_COMMAND, RunStatus
from bot.model.terms import SILENT
from bot.model.trial import SITTING_MS, Arm, Assignment, Observed
from bot.ports.stores import Closed, R, Row
from storage.engine import Database

_OPEN = frozenset(status.value for status in OPEN)
_ROWS = 500  # values a statement: SQLite takes some thousands

_COLUMN = {
    "version": "agent_version",
    "y": "outcome",
    "source": "outcome_source",
    "latency_ms": "COALESCE(latency_ms, 0)",
    "cost_usd": "CASE WHEN cost_known THEN COALESCE(cost_usd, 0) END",
}
"""Of a field, where that isn't its name."""
_CREATED_AT, _STATUS = itemgetter(1), itemgetter(3)
"""Where every `Row` has them."""

# "#columns" and "#mine" stand for what statements have in common. The channels that teach nothing
# are fixed names of this program's own, and so is the kind.
_TAUGHT = [f"channel <> '{name}'" for name in sorted(SILENT)]
_MINE = " AND ".join(("workspace = :w", "kind = 'request'", *_TAUGHT))


# By ids the primary key is the way: SQLite would take an index of the whole workspace instead.
_MINE_BY_ID = _MINE.replace("workspace =", "workspace || '' =").replace("kind =", "kind || '' =")


def _sql(query: str, row: type[Row] | None = None) -> TextClause:
    fields: Sequence[str] = cast(Any, row)._fields if row else ()
    columns = ", ".join(_COLUMN.get(name, name) for name in fields)
    filled = query.replace("#columns", columns).replace("#mine_by_id", _MINE_BY_ID)
    filled = filled.replace("#mine", _MINE)
    return text(filled.replace("#taught", "".join(f" AND {one}" for one in _TAUGHT)))


_CLOSED = """
    SELECT #columns FROM runs WHERE #mine AND id > :after AND id < :before
    ORDER BY id LIMIT :limit
"""
_OF_IDS = "SELECT #columns FROM runs WHERE #mine_by_id AND id IN :ids"
# SQLite begins where the first bound says: were it 0, which the index asks for, each page would be
# looked for from the first outcome on.
_SCORED = """
    SELECT #columns FROM runs WHERE #mine AND (scored_at, id) > (:at, :id)
        AND scored_at < :until AND scored_at > 0
    ORDER BY scored_at, id LIMIT :limit
"""
# By the index of agents' numbers: a command has no agent.
_UNKNOWN_COMMANDS = _sql(
    """
    SELECT id, created_at, conversation, person, SUBSTR(error_message, :from, 120) FROM runs
    WHERE workspace = :w AND kind = 'command' AND agent = '' AND agent_version = 0
        AND created_at >= :at AND (created_at > :at OR id > :id) AND created_at < :until
        AND error_type = 'bad_input' AND SUBSTR(error_message, 1, :from - 1) = :begins #taught
    ORDER BY created_at, id LIMIT :limit
    """
)
_LATELY = _sql(
    """
    SELECT #columns FROM runs
    WHERE id IN (SELECT id FROM runs WHERE #mine ORDER BY id DESC LIMIT 3000)
        AND workspace = :w AND status = 'succeeded' AND (:any OR agent IN :agents)
    ORDER BY id DESC LIMIT :limit
    """,
    Closed,
).bindparams(bindparam("agents", expanding=True))
_LAST_ASKED = text(
    """
    SELECT agent, MAX(at) FROM (
        SELECT made.agent AS agent, (
            SELECT MAX(created_at) FROM runs WHERE workspace = :w AND kind = 'request'
                AND agent = made.agent AND agent_version = made.version
        ) AS at
        FROM agent_versions AS made WHERE made.workspace = :w
    ) AS asked WHERE at IS NOT NULL GROUP BY agent
    """
)
_MESSAGES = _sql(
    "SELECT id, message FROM runs WHERE #mine_by_id AND message <> '' AND id IN :ids"
).bindparams(bindparam("ids", expanding=True))
_SAID = _sql(
    """
    SELECT id, SUBSTR(message, 1, 600), SUBSTR(answer, 1, 300) FROM runs
    WHERE #mine_by_id AND message <> '' AND id IN :ids
    """
).bindparams(bindparam("ids", expanding=True))
_FAILED_RUNS = _sql(
    "SELECT id, '', '', error_type, error_message FROM runs WHERE #mine_by_id AND id IN :ids"
).bindparams(bindparam("ids", expanding=True))
_FAILED_STEPS = text(
    """
    SELECT run_id, '', name, error_type, error_message FROM steps
    WHERE workspace = :w AND run_id >= :first AND run_id <= :last AND error_type <> ''
    ORDER BY run_id, seq
    """
)
_OF_TRIAL = _sql(
    """
    SELECT id, created_at, conversation, person, arm, COALESCE(propensity, 0), outcome,
        outcome_source, latency_ms, CASE WHEN cost_known THEN COALESCE(cost_usd, 0) END,
        status = 'failed'
    FROM runs WHERE #mine AND trial <> '' AND trial = :trial AND finished_at > 0
    ORDER BY id
    """
)
_SITTING = _sql(
    """
    SELECT arm, COALESCE(propensity, 0) FROM runs
    WHERE #mine AND conversation = :c AND trial = :trial AND created_at >= :since
    ORDER BY id DESC LIMIT 1
    """
)

# SQLite keeps steps in the order of their key, which is that of the runs and their seq.
_PATHS = """
    SELECT run_id, #group FROM steps WHERE run_id >= :first AND run_id <= :last
        AND workspace = :w AND kind IN ('tool', 'file', 'runbook') GROUP BY run_id
"""
_PATHS_OF = """
    SELECT run_id, #group FROM steps
    WHERE run_id IN :ids AND workspace = :w AND kind IN ('tool', 'file', 'runbook') GROUP BY run_id
"""
# A model may ask for a tool by any name: none may pass for two steps.
_NAMED = "kind || ':' || REPLACE(name, '|', '/') || CASE WHEN error_type <> '' THEN '!' ELSE '' END"
_ON_SQLITE, _ON_POSTGRES = f"GROUP_CONCAT({_NAMED}, '|')", f"STRING_AGG({_NAMED}, '|' ORDER BY seq)"


class EvidenceStore:
    def __init__(self, db: Database) -> None:
        self._db = db
        grouped = _ON_SQLITE if db.sqlite else _ON_POSTGRES
        self._paths = text(_PATHS.replace("#group", grouped))
        self._paths_of = text(_PATHS_OF.replace("#group", grouped)).bindparams(
            bindparam("ids", expanding=True)
        )

    async def closed(
        self,
        workspace: str,
        row: type[R],
        after: str,
        before: str,
        young: tuple[int, int],
        limit: int,
    ) -> tuple[Sequence[R], Sequence[str]]:
        query = _sql(_CLOSED, row)
        page = await self._rows(query, w=workspace, after=after, before=before, limit=limit)
        page = _settled(page, young)
        if _OPEN.isdisjoint(map(_STATUS, page)):
            return _made(row, page), []
        still_open = [run[0] for run in page if _STATUS(run) in _OPEN]
        return _made(row, [run for run in page if _STATUS(run) not in _OPEN]), still_open

    async def of_ids(self, workspace: str, row: type[R], ids: Sequence[str]) -> Sequence[R]:
        query = _sql(_OF_IDS, row).bindparams(bindparam("ids", expanding=True))
        found: list[R] = []
        for some in _chunks(ids):
            runs = await self._rows(query, w=workspace, ids=some)
            found += _made(row, [run for run in runs if _STATUS(run) not in _OPEN])
        return sorted(found, key=lambda run: run.id)

    async def scored(
        self, workspace: str, row: type[R], after: tuple[int, str], until: int, limit: int
    ) -> Sequence[R]:
        at, id = after
        query = _sql(_SCORED, row)
        page = await self._rows(query, w=workspace, at=at, id=id, until=until, limit=limit)
        return _made(row, page)

    async def unknown_commands(
        self, workspace: str, after: tuple[int, str], until: int, limit: int
    ) -> Sequence[tuple[str, int, str, str, str]]:
        at, id = after
        begins = UNKNOWN_COMMAND
        rows = await self._rows(
            _UNKNOWN_COMMANDS,
            **{"w": workspace, "at": at, "id": id, "until": until, "limit": limit},
            **{"begins": begins, "from": len(begins) + 1},
        )
        return [tuple(row) for row in rows]

    async def last_asked(self, workspace: str) -> Mapping[str, int]:
        return {row[0]: row[1] for row in await self._rows(_LAST_ASKED, w=workspace)}

    async def lately(self, workspace: str, agents: Sequence[str], limit: int) -> Sequence[Closed]:
        rows = await self._rows(
            _LATELY, w=workspace, agents=[*agents] or [""], any=not agents, limit=limit
        )
        return _made(Closed, rows)

    async def paths(self, workspace: str, first: str, last: str) -> Mapping[str, str]:
        rows = await self._rows(self._paths, w=workspace, first=first, last=last)
        return {row[0]: row[1] for row in rows}

    async def paths_of(self, workspace: str, ids: Sequence[str]) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for some in _chunks(ids):
            rows = await self._rows(self._paths_of, w=workspace, ids=some)
            found |= {row[0]: row[1] for row in rows}
        return found

    async def said(self, workspace: str, ids: Sequence[str]) -> Mapping[str, tuple[str, str]]:
        found: dict[str, tuple[str, str]] = {}
        for some in _chunks(ids):
            rows = await self._rows(_SAID, w=workspace, ids=some)
            found |= {row[0]: (row[1], row[2]) for row in rows}
        return found

    async def messages(self, workspace: str, ids: Sequence[str]) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for some in _chunks(ids):
            rows = await self._rows(_MESSAGES, w=workspace, ids=some)
            found |= {row[0]: row[1] for row in rows}
        return found

    async def failures(
        self, workspace: str, runs: Sequence[Row]
    ) -> Mapping[str, Sequence[Failure]]:
        found: dict[str, list[Failure]] = {}
        ids = {run.id for run in runs}
        failed = [run.id for run in runs if run.status == RunStatus.FAILED]
        rows: list[Any] = []
        for some in _chunks(failed):
            rows += await self._rows(_FAILED_RUNS, w=workspace, ids=some)
        if ids:
            rows += await self._rows(_FAILED_STEPS, w=workspace, first=min(ids), last=max(ids))
        for row in rows:
            if row[0] in ids:
                found.setdefault(row[0], []).append(Failure(*row))
        return found

    async def of_trial(self, workspace: str, trial: str) -> Sequence[Observed]:
        rows = await self._rows(_OF_TRIAL, w=workspace, trial=trial)
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
        rows = await self._rows(_SITTING, w=workspace, c=conversation, trial=trial, since=since)
        return Assignment(Arm(rows[0][0]), rows[0][1]) if rows else None

    async def _rows(self, query: TextClause, **values: Any) -> Sequence[Any]:
        """Plain tuples of the driver's: a Row for each of a million takes as long as reading them."""

        def read(conn: Connection) -> Sequence[Any]:
            with conn.execute(query, values) as result:
                return result.cursor.fetchall()

        return await self._db.look(read)


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


def _settled(page: Sequence[Any], young: tuple[int, int]) -> Sequence[Any]:
    """As far as the first one that was created in `young`; most pages are older."""
    since, until = young
    if max(map(_CREATED_AT, page), default=0) < since:
        return page
    end = next((n for n, run in enumerate(page) if since <= _CREATED_AT(run) < until), None)
    return page[:end]


def _made(row: type[R], values: Sequence[Any]) -> list[R]:
    return list(map(cast(Any, row)._make, values))


def _chunks(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[start : start + _ROWS] for start in range(0, len(ids), _ROWS)]
