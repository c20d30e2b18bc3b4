"""Brings the database to this version: at once for a new one, by migrations for an old one."""

import importlib
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, inspect, text

from bot.errors import ConfigError
from storage.engine import Database
from storage.tables import metadata

HEAD = "0003"
"""The newest migration; a test holds it against the folder."""

_FOLDER = Path(__file__).parent / "migrations"
_LOCK = 5_208_420
"""Any fixed number: PostgreSQL's advisory lock keeps two starting nodes apart."""


async def upgrade(db: Database) -> str:
    """Upgrades and returns what was done. Raises ConfigError for a database from the future."""
    return await db.transact(_upgrade)


def _upgrade(conn: Connection) -> str:
    if conn.dialect.name == "postgresql":
        conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    tables = set(inspect(conn).get_table_names())
    if "alembic_version" in tables:
        version = conn.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        if version == HEAD:
            return f"The database is at version {HEAD} already."
        if version > HEAD:
            raise ConfigError(
                said=f"The database is at version {version}, newer than this program ({HEAD}). "
                "Start the newer program, or restore a backup made with this one."
            )
        run_migrations(conn)
        return f"Upgraded the database from version {version} to {HEAD}."
    if "runs" in tables:
        raise ConfigError(said="The database has tables of this name that are not this program's.")
    # Alembic takes a second to import: a new database doesn't need its history.
    metadata.create_all(conn)
    conn.execute(
        text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
    )
    conn.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": HEAD})
    return f"Made a new database at version {HEAD}."


def run_migrations(conn: Connection, to: str = "head") -> None:
    """Runs alembic's own upgrade on an open connection."""
    alembic_config: Any = importlib.import_module("alembic.config")
    alembic_command: Any = importlib.import_module("alembic.command")
    config = alembic_config.Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["connection"] = conn
    alembic_command.upgrade(config, to)
