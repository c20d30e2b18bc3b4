"""Proposals: numbered per workspace, moved by compare-and-set."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from sqlalchemy import ColumnElement, Select, bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import Conflict, NotFound
from bot.model.proposal import Change, Proposal, ProposalKind, ProposalStatus, legal
from storage.constant import Constant, Row
from storage.engine import Database
from storage.tables import proposals as table
from storage.upsert import hold

_EDITABLE = (
    *("kind", "title", "change", "diff", "expected", "risk", "fingerprint"),
    *("revision", "edited_by", "was", "estimate"),
)


class ProposalStore:
    def __init__(self, db: Database) -> None:
        self._db = db

    async def add(self, proposal: Proposal) -> tuple[Proposal, bool]:
        mine = table.c.workspace == proposal.workspace
        same = (table.c.id == proposal.id) | (table.c.fingerprint == proposal.fingerprint)
        known = select(table).where(mine, same).order_by(table.c.id != proposal.id, table.c.number)
        last = select(func.max(table.c.number)).where(mine)
        async with self._db.write() as conn:
            await self._lock(conn, proposal.workspace)
            if row := (await conn.execute(known)).mappings().first():
                return _proposal(row), False
            number = ((await conn.execute(last)).scalar() or 0) + 1
            await conn.execute(table.insert().values(_row(proposal) | {"number": number}))
            row = (await conn.execute(known)).mappings().one()
            return _proposal(row), True

    async def _lock(self, conn: AsyncConnection, workspace: str) -> None:
        await hold(self._db, conn, "proposals", workspace)

    async def get(self, workspace: str, ref: str) -> Proposal | None:
        digits = ref.strip().lower().removeprefix("p")
        if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
            return None
        found = await self._select(_GET, of=workspace, number=int(digits))
        return found[0] if found else None

    async def list(
        self, workspace: str, statuses: Sequence[ProposalStatus] = (), limit: int = 20
    ) -> Sequence[Proposal]:
        asked = {"of": workspace, "most": limit}
        if not statuses:
            return await self._select(_LIST, **asked)
        return await self._select(_LIST_OF, **asked, statuses=[s.value for s in statuses])

    async def move(
        self,
        workspace: str,
        proposal: Proposal,
        to: ProposalStatus,
        *,
        by: str = "",
        at: int = 0,
        reason: str = "",
        applied: Mapping[str, object] | None = None,
        run: str = "",
        expires_at: int = 0,
    ) -> Proposal:
        """What is not given stays as it was."""
        if not legal(proposal.status, to):
            raise Conflict(
                f"{proposal.ref}: {proposal.status} may not become {to}",
                said=f"{proposal.ref} is {proposal.status.value.replace('_', ' ')}, "
                "so that can't be done with it.",
            )
        given = {"decided_by": by, "decided_at": at, "reason": reason, "applied": applied}
        given |= {"decided_run": run, "expires_at": expires_at}
        changed = {name: value for name, value in given.items() if value}
        return await self._change(
            workspace,
            proposal,
            {**changed, "status": to.value},
            table.c.status == proposal.status.value,
            table.c.fingerprint == proposal.fingerprint,
            table.c.revision == proposal.revision,
        )

    async def amend(self, workspace: str, proposal: Proposal) -> Proposal:
        """Raises Conflict too where another proposal says the same already."""
        content = {name: value for name, value in _row(proposal).items() if name in _EDITABLE}
        twin = select(table.c.number).where(
            table.c.workspace == workspace,
            table.c.fingerprint == proposal.fingerprint,
            table.c.id != proposal.id,
        )
        async with self._db.write() as conn:
            await self._lock(conn, workspace)
            if (number := (await conn.execute(twin)).scalar()) is not None:
                raise Conflict(
                    f"{proposal.ref} would repeat P{number}", said=f"P{number} says that already."
                )
            return await self._changed(
                conn,
                workspace,
                proposal,
                {**content, "edited": True},
                table.c.status == ProposalStatus.OFFERED.value,
                table.c.revision == proposal.revision - 1,
            )

    async def estimated(
        self, workspace: str, proposal: Proposal, known: Mapping[str, object]
    ) -> Proposal:
        standing = select(table.c.estimate).where(
            table.c.workspace == workspace, table.c.id == proposal.id
        )
        async with self._db.write() as conn:
            await self._lock(conn, workspace)
            before = (await conn.execute(standing)).scalar() or {}
            return await self._changed(
                conn,
                workspace,
                proposal,
                {"estimate": {**before, **known}},
                table.c.fingerprint == proposal.fingerprint,
                table.c.revision == proposal.revision,
            )

    async def set_applied(
        self, workspace: str, proposal: Proposal, applied: Mapping[str, object]
    ) -> Proposal:
        """Records what approval made; raises Conflict unless it is approved."""
        return await self._change(
            workspace,
            proposal,
            {"applied": dict(applied)},
            table.c.status == ProposalStatus.APPROVED.value,
        )

    async def unapplied(self, workspace: str) -> Sequence[Proposal]:
        """Approved ones whose change was not made yet, oldest first."""
        return await self._select(
            select(table)
            .where(
                table.c.workspace == workspace,
                table.c.status == ProposalStatus.APPROVED.value,
                table.c.applied.is_(None),
            )
            .order_by(table.c.number)
        )

    async def due(self, workspace: str, now: int) -> Sequence[Proposal]:
        return await self._select(
            select(table)
            .where(
                table.c.workspace == workspace,
                table.c.status == ProposalStatus.OFFERED.value,
                table.c.expires_at <= now,
            )
            .order_by(table.c.number)
        )

    async def _select(
        self, query: Constant | Select[tuple[str, ...]], **given: object
    ) -> Sequence[Proposal]:
        return [_proposal(row) for row in await self._db.rows(query, given)]

    async def _change(
        self,
        workspace: str,
        proposal: Proposal,
        values: Mapping[str, object],
        *conditions: ColumnElement[bool],
    ) -> Proposal:
        async with self._db.write() as conn:
            return await self._changed(conn, workspace, proposal, values, *conditions)

    async def _changed(
        self,
        conn: AsyncConnection,
        workspace: str,
        proposal: Proposal,
        values: Mapping[str, object],
        *conditions: ColumnElement[bool],
    ) -> Proposal:
        it = (table.c.workspace == workspace, table.c.id == proposal.id)
        changing = update(table).where(*it, *conditions).values(values)
        changed = (await conn.execute(changing)).rowcount
        row = (await conn.execute(select(table).where(*it))).mappings().first()
        if row is None:
            raise NotFound(f"no proposal {proposal.id}", said=f"There is no {proposal.ref}.")
        if not changed:
            raise Conflict(
                f"{proposal.ref} is {row['status']} and changed since it was read",
                said=f"Someone else was first: {proposal.ref} has changed. Look at it once more.",
            )
        return _proposal(row)


_MINE = table.c.workspace == bindparam("of")
_NEWEST = select(table).where(_MINE).order_by(table.c.number.desc()).limit(bindparam("most"))
_LIST = Constant(_NEWEST)
_LIST_OF = Constant(_NEWEST.where(table.c.status.in_(bindparam("statuses", expanding=True))))
_GET = Constant(select(table).where(_MINE, table.c.number == bindparam("number")))


def _row(proposal: Proposal) -> dict[str, object]:
    return {
        "id": proposal.id,
        "workspace": proposal.workspace,
        "kind": proposal.kind.value,
        "status": proposal.status.value,
        "title": proposal.title,
        "change": {name: value for name, value in asdict(proposal.change).items() if value},
        "base_version": proposal.base_version,
        "diff": proposal.diff,
        "evidence": list(proposal.evidence),
        "expected": proposal.expected,
        "risk": proposal.risk,
        "fingerprint": proposal.fingerprint,
        "created_at": proposal.created_at,
        "expires_at": proposal.expires_at,
        "created_by": proposal.created_by,
        "decided_by": proposal.decided_by,
        "decided_at": proposal.decided_at,
        "reason": proposal.reason,
        "edited": proposal.edited,
        "revision": proposal.revision,
        "edited_by": proposal.edited_by,
        "was": [dict(edit) for edit in proposal.was],
        "applied": proposal.applied and dict(proposal.applied),
        "finding": proposal.finding,
        "rank": proposal.rank,
        "estimate": dict(proposal.estimate),
        "decided_run": proposal.decided_run,
    }


def _proposal(row: Row) -> Proposal:
    return Proposal(
        id=row["id"],
        workspace=row["workspace"],
        number=row["number"],
        kind=ProposalKind(row["kind"]),
        status=ProposalStatus(row["status"]),
        title=row["title"],
        change=Change(**(row["change"] or {})),
        base_version=row["base_version"],
        diff=row["diff"],
        evidence=tuple(row["evidence"] or ()),
        expected=row["expected"],
        risk=row["risk"],
        fingerprint=row["fingerprint"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        created_by=row["created_by"],
        decided_by=row["decided_by"],
        decided_at=row["decided_at"],
        reason=row["reason"],
        edited=row["edited"],
        revision=row["revision"],
        edited_by=row["edited_by"],
        was=tuple(row["was"] or ()),
        applied=row["applied"],
        finding=row["finding"],
        rank=row["rank"],
        estimate=row["estimate"] or {},
        decided_run=row["decided_run"],
    )
