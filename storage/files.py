"""Files that came with messages or go out with answers, with their bytes."""

from sqlalchemy import func, select

from bot.model.file import Attached, StoredFile
from storage.engine import Database
from storage.tables import files
from storage.upsert import insert


class FileStore:
    def __init__(self, db: Database) -> None:
        self._db = db

    async def put(self, file: StoredFile) -> None:
        adding = insert(self._db, files).values(
            id=file.id,
            workspace=file.workspace,
            run_id=file.run_id,
            name=file.name,
            mime=file.mime,
            content=file.content,
            direction=file.direction,
            created_at=file.created_at,
        )
        async with self._db.write() as conn:
            await conn.execute(adding.on_conflict_do_nothing(index_elements=["id"]))

    async def get(self, workspace: str, id: str) -> StoredFile | None:
        query = select(files).where(
            files.c.workspace == workspace, files.c.id == id, files.c.content.is_not(None)
        )
        async with self._db.read() as conn:
            row = (await conn.execute(query)).mappings().first()
        return None if row is None else StoredFile(**row)

    async def of_run(self, workspace: str, run_id: str, direction: str = "") -> list[Attached]:
        size = func.coalesce(func.length(files.c.content), 0).label("size")
        query = (
            select(files.c.id, files.c.name, files.c.mime, size)
            .where(files.c.workspace == workspace, files.c.run_id == run_id)
            .order_by(files.c.created_at, files.c.id)
        )
        if direction:
            query = query.where(files.c.direction == direction)
        return [Attached(**row) for row in await self._db.rows(query)]
