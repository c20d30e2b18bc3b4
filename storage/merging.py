"""Two people become one: everything that named the first names the second from then on."""

from typing import Any

from sqlalchemy import Table, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model.budget import Scope
from bot.model.memory import of_user
from bot.model.person import Role
from storage.engine import Database
from storage.tables import (
    approvals,
    budgets,
    feedback,
    identities,
    memories,
    people,
    policies,
    proposals,
    runs,
    spend,
    subscriptions,
    workflows,
)
from storage.upsert import insert

_NAMED = (
    (identities, "person"),
    (runs, "person"),
    (memories, "created_by"),
    (proposals, "created_by"),
    (proposals, "edited_by"),
    (proposals, "decided_by"),
    (workflows, "created_by"),
    (policies, "created_by"),
)
_ONE_EACH = (
    (feedback, ("run_id", "source")),
    (approvals, ("proposal",)),
    (subscriptions, ("channel", "place", "cadence")),
)
"""Of these a person has one per key: where both had one, the newer stays."""


async def merge(
    db: Database, conn: AsyncConnection, workspace: str, old: str, into: str
) -> list[str]:
    """Within the caller's transaction; returns the runs that both had rated."""
    both = await _rated_by_both(conn, workspace, old, into)
    for table, column in _NAMED:
        await _rename(conn, table, column, workspace, old, into)
    for table, key in _ONE_EACH:
        await _keep_newer(conn, table, key, workspace, old, into)
        await _rename(conn, table, "person", workspace, old, into)
    await conn.execute(
        update(memories)
        .where(memories.c.workspace == workspace, memories.c.namespace == of_user(old))
        .values(namespace=of_user(into))
    )
    await _add_spend(db, conn, workspace, old, into)
    await _move_budgets(db, conn, workspace, old, into)
    await _leave_shell(conn, workspace, old, into)
    return both


async def _rated_by_both(conn: AsyncConnection, workspace: str, old: str, into: str) -> list[str]:
    query = (
        select(feedback.c.run_id)
        .where(feedback.c.workspace == workspace, feedback.c.person.in_((old, into)))
        .group_by(feedback.c.run_id)
        .having(func.count(feedback.c.person.distinct()) > 1)
    )
    return list((await conn.execute(query)).scalars())


async def _rename(
    conn: AsyncConnection, table: Table, column: str, workspace: str, old: str, into: str
) -> None:
    await conn.execute(
        update(table)
        .where(table.c.workspace == workspace, table.c[column] == old)
        .values({column: into})
    )


async def _keep_newer(
    conn: AsyncConnection, table: Table, key: tuple[str, ...], workspace: str, old: str, into: str
) -> None:
    query = select(table.c.person, table.c.created_at, *(table.c[k] for k in key)).where(
        table.c.workspace == workspace, table.c.person.in_((old, into))
    )
    seen: dict[tuple[Any, ...], list[tuple[int, bool, str]]] = {}
    for person, at, *of in (await conn.execute(query)).all():
        seen.setdefault(tuple(of), []).append((at, person == into, person))
    for values, rows in seen.items():
        if len(rows) == 2:
            loser = min(rows)[2]
            named = [table.c[k] == v for k, v in zip(key, values, strict=True)]
            of_loser = (table.c.workspace == workspace, table.c.person == loser)
            await conn.execute(delete(table).where(*of_loser, *named))


async def _add_spend(
    db: Database, conn: AsyncConnection, workspace: str, old: str, into: str
) -> None:
    mine = (spend.c.workspace == workspace, spend.c.scope == Scope.PERSON.value)
    rows = (await conn.execute(select(spend).where(*mine, spend.c.key == old))).mappings().all()
    for row in rows:
        adding = insert(db, spend).values({**row, "key": into})
        adding = adding.on_conflict_do_update(
            index_elements=["workspace", "scope", "key", "period"],
            set_={"usd": spend.c.usd + adding.excluded.usd},
        )
        await conn.execute(adding)
    await conn.execute(delete(spend).where(*mine, spend.c.key == old))


async def _move_budgets(
    db: Database, conn: AsyncConnection, workspace: str, old: str, into: str
) -> None:
    """Where both had a limit, that of the one who stays holds."""
    mine = (
        budgets.c.workspace == workspace,
        budgets.c.scope == Scope.PERSON.value,
        budgets.c.key == old,
    )
    for row in (await conn.execute(select(budgets).where(*mine))).mappings().all():
        adding = insert(db, budgets).values({**row, "key": into})
        await conn.execute(adding.on_conflict_do_nothing())
    await conn.execute(delete(budgets).where(*mine))


async def _leave_shell(conn: AsyncConnection, workspace: str, old: str, into: str) -> None:
    """The old id leads to the new one: whatever still holds it finds the person."""
    query = select(people).where(people.c.workspace == workspace, people.c.id.in_((old, into)))
    rows = {row["id"]: row for row in (await conn.execute(query)).mappings()}
    gone, stays = rows[old], rows[into]
    role = max(Role(gone["role"]), Role(stays["role"]), key=list(Role).index)
    of = people.c.workspace == workspace
    await conn.execute(
        update(people)
        .where(of, people.c.id == into)
        .values(role=role.value, name=stays["name"] or gone["name"])
    )
    await conn.execute(
        update(people)
        .where(of, (people.c.id == old) | (people.c.merged_into == old))
        .values(merged_into=into, role=Role.GUEST.value)
    )
