"""Runbooks saved from runs; each saving is a new version."""

from collections.abc import Sequence

from sqlalchemy import func, select

from bot.model.workflow import Workflow
from storage.constant import Row
from storage.engine import Database
from storage.tables import workflows
from storage.upsert import hold


class WorkflowStore:
    def __init__(self, db: Database) -> None:
        self._db = db

    async def save(self, workflow: Workflow) -> Workflow:
        named = (workflows.c.workspace == workflow.workspace, workflows.c.name == workflow.name)
        same = select(workflows).where(*named, workflows.c.source_run == workflow.source_run)
        last = select(func.max(workflows.c.version)).where(*named)
        async with self._db.write() as conn:
            await hold(self._db, conn, "workflow", workflow.workspace, workflow.name)
            row = (await conn.execute(same)).mappings().first()
            if row is None:
                row_values = {
                    "workspace": workflow.workspace,
                    "name": workflow.name,
                    "version": ((await conn.execute(last)).scalar() or 0) + 1,
                    "markdown": workflow.markdown,
                    "source_run": workflow.source_run,
                    "created_by": workflow.created_by,
                    "created_at": workflow.created_at,
                }
                await conn.execute(workflows.insert().values(row_values))
                row = (await conn.execute(same)).mappings().one()
            return _workflow(row)

    async def get(self, workspace: str, name: str, version: int = 0) -> Workflow | None:
        this = (workflows.c.version == version,) if version else ()
        query = (
            select(workflows)
            .where(workflows.c.workspace == workspace, workflows.c.name == name, *this)
            .order_by(workflows.c.version.desc())
            .limit(1)
        )
        rows = await self._db.rows(query)
        return _workflow(rows[0]) if rows else None

    async def list(self, workspace: str) -> Sequence[Workflow]:
        """The newest version of each, by name."""
        newest = (
            select(workflows.c.name, func.max(workflows.c.version).label("version"))
            .where(workflows.c.workspace == workspace)
            .group_by(workflows.c.name)
            .subquery()
        )
        query = (
            select(workflows)
            .join(
                newest,
                (workflows.c.name == newest.c.name) & (workflows.c.version == newest.c.version),
            )
            .where(workflows.c.workspace == workspace)
            .order_by(workflows.c.name)
        )
        return [_workflow(row) for row in await self._db.rows(query)]


def _workflow(row: Row) -> Workflow:
    return Workflow(
        workspace=row["workspace"],
        name=row["name"],
        version=row["version"],
        markdown=row["markdown"],
        source_run=row["source_run"],
        created_by=row["created_by"],
        created_at=row["created_at"],
    )
