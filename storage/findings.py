"""What the log showed: each thing once, however often it is seen again."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, and_, bindparam, or_, select, update

from bot.model.finding import Finding
from storage.constant import Constant, Row
from storage.engine import Database
from storage.tables import findings as table
from storage.upsert import hold, insert

REF = 8  # characters of a fingerprint that people type
_AT_ONCE = 200  # findings a transaction
_EVIDENCE = 200  # newest run ids kept; the count goes on


class FindingStore:
    def __init__(self, db: Database) -> None:
        self._db = db

    async def raise_once(self, finding: Finding) -> tuple[Finding, bool]:
        """A finding seen again keeps its id, status and first time, and gains the new evidence;
        `count` is how many runs were ever named, or more where the finding counts by itself."""
        [kept] = await self._raise(finding.workspace, [finding])
        return kept

    async def raise_all(self, workspace: str, findings: Sequence[Finding]) -> int:
        kept: list[tuple[Finding, bool]] = []
        for start in range(0, len(findings), _AT_ONCE):
            kept += await self._raise(workspace, findings[start : start + _AT_ONCE])
        return sum(new for _, new in kept)

    async def _raise(
        self, workspace: str, findings: Sequence[Finding]
    ) -> Sequence[tuple[Finding, bool]]:
        mine = table.c.workspace == workspace
        marks = [finding.fingerprint for finding in findings]
        same = select(table).where(mine, table.c.fingerprint.in_(marks))
        again = update(table).where(mine, table.c.id == bindparam("known"))
        kept: list[tuple[Finding, bool]] = []
        async with self._db.write() as conn:
            await hold(self._db, conn, "findings", workspace)
            rows = (await conn.execute(same)).mappings()
            known = {row["fingerprint"]: _finding(row) for row in rows}
            for finding in findings:
                before = known.get(finding.fingerprint)
                kept.append((_seen_again(before, finding) if before else finding, before is None))
            new = [_values(finding) for finding, is_new in kept if is_new]
            changed = [_values(finding) for finding, is_new in kept if not is_new]
            if new:
                await conn.execute(insert(self._db, table), new)
            if changed:
                await conn.execute(
                    again.values({name: bindparam(name) for name in changed[0]}),
                    [{**values, "known": values["id"]} for values in changed],
                )
        return kept

    async def open(
        self, workspace: str, limit: int = 0, often: tuple[Sequence[str], int] = ((), 0)
    ) -> Sequence[Finding]:
        kinds, least = often
        query = (
            select(table)
            .where(table.c.workspace == workspace, table.c.status == "open")
            .where(or_(table.c.kind.not_in(kinds), table.c.count >= least))
            .order_by(table.c.created_at, table.c.id)
        )
        return await self._select(query.limit(limit) if limit else query)

    async def list(
        self,
        workspace: str,
        *,
        kinds: Sequence[str] = (),
        statuses: Sequence[str] = (),
        limit: int = 200,
    ) -> Sequence[Finding]:
        asked: dict[str, object] = {"of": workspace, "most": limit}
        asked |= {"kinds": [*kinds]} if kinds else {}
        asked |= {"statuses": [*statuses]} if statuses else {}
        return await self._select(_LISTS[bool(kinds), bool(statuses)], **asked)

    async def find(self, workspace: str, ref: str) -> Finding | None:
        if len(ref) < REF or not ref.isalnum():
            return None
        query = select(table).where(
            table.c.workspace == workspace, table.c.fingerprint.startswith(ref.lower())
        )
        found = await self._select(query.order_by(table.c.id).limit(1))
        return found[0] if found else None

    async def remedied(
        self, workspace: str, finding: str, ref: str, at: int, facts: Mapping[str, object]
    ) -> None:
        values = {"status": "remedied", "remedy": ref, "remedied_at": at}
        await self._amend(workspace, finding, facts, values)

    async def tell(
        self, workspace: str, finding: str, status: str, facts: Mapping[str, object]
    ) -> None:
        await self._amend(workspace, finding, facts, {"status": status})

    async def _amend(
        self,
        workspace: str,
        finding: str,
        facts: Mapping[str, object],
        values: Mapping[str, object],
    ) -> None:
        mine = and_(table.c.workspace == workspace, table.c.id == finding)
        async with self._db.write() as conn:
            known = (await conn.execute(select(table.c.facts).where(mine))).scalar() or {}
            all_facts = {**known, **facts}
            await conn.execute(update(table).where(mine).values(facts=all_facts, **values))

    async def _select(self, query: Constant | Select[Any], **given: object) -> Sequence[Finding]:
        return [_finding(row) for row in await self._db.rows(query, given)]

    async def get(self, workspace: str, finding: str) -> Finding | None:
        rows = await self._db.rows(_GET, {"of": workspace, "known": finding})
        return _finding(rows[0]) if rows else None

    async def set_status(self, workspace: str, finding: str, status: str) -> None:
        await self._db.change(_SET, {"of": workspace, "known": finding, "status": status})


def _list(kinds: bool, statuses: bool) -> Constant:
    query = select(table).where(table.c.workspace == bindparam("of"))
    if kinds:
        query = query.where(table.c.kind.in_(bindparam("kinds", expanding=True)))
    if statuses:
        query = query.where(table.c.status.in_(bindparam("statuses", expanding=True)))
    return Constant(query.order_by(table.c.updated_at.desc(), table.c.id).limit(bindparam("most")))


_LISTS = {(k, s): _list(k, s) for k in (False, True) for s in (False, True)}
_IT = (table.c.workspace == bindparam("of"), table.c.id == bindparam("known"))
_GET = Constant(select(table).where(*_IT))
_SET = update(table).where(*_IT).values(status=bindparam("status"))


def _seen_again(known: Finding, seen: Finding) -> Finding:
    new = [run for run in seen.evidence if run not in known.evidence]
    counts = seen.count > len(seen.evidence)
    recurs = known.status == "remedied" and bool(new) and seen.updated_at > known.remedied_at
    return Finding(
        id=known.id,
        workspace=known.workspace,
        kind=known.kind,
        fingerprint=known.fingerprint,
        title=seen.title,
        detail=seen.detail if new else known.detail,
        evidence=(*known.evidence, *new)[-_EVIDENCE:],
        agent=known.agent,
        count=max(known.count, seen.count) if counts else known.count + len(new),
        status="open" if recurs else known.status,
        created_at=known.created_at,
        updated_at=seen.updated_at if new else known.updated_at,
        people=max(known.people, seen.people),
        usd_week=seen.usd_week,
        confidence=seen.confidence,
        facts={**known.facts, **seen.facts},
        remedy=known.remedy,
        remedied_at=known.remedied_at,
        reopened=known.reopened + recurs,
    )


def _values(finding: Finding) -> dict[str, object]:
    return {
        "id": finding.id,
        "workspace": finding.workspace,
        "kind": finding.kind,
        "fingerprint": finding.fingerprint,
        "title": finding.title,
        "detail": finding.detail,
        "evidence": list(finding.evidence),
        "agent": finding.agent,
        "count": finding.count,
        "status": finding.status,
        "created_at": finding.created_at,
        "updated_at": finding.updated_at,
        "people": finding.people,
        "usd_week": finding.usd_week,
        "confidence": finding.confidence,
        "facts": dict(finding.facts),
        "remedy": finding.remedy,
        "remedied_at": finding.remedied_at,
        "reopened": finding.reopened,
    }


def _finding(row: Row) -> Finding:
    texts = {"evidence": tuple(row["evidence"] or ()), "facts": row["facts"] or {}}
    return Finding(**{**row, **texts})
