"""Databases with every table, made once in each process and then copied: that is many times faster."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import psycopg
from psycopg.sql import SQL, Composed, Identifier
from sqlalchemy import create_engine, make_url

from bot.clock import SystemIds
from storage.engine import Database, url_of
from storage.tables import metadata

_NAME = "every_table"


def on_sqlite(home: Path) -> Database:
    """With every table."""
    url = url_of("", home)
    Path(str(url.database)).write_bytes(_sqlite_file())
    return Database(url)


@cache
def _sqlite_file() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "made"
        engine = create_engine(f"sqlite:///{file}")
        with engine.connect() as conn:
            conn.exec_driver_sql("PRAGMA journal_mode=WAL")
            metadata.create_all(conn)
            conn.commit()
        engine.dispose()
        return file.read_bytes()


@contextmanager
def on_postgres(server: str, *, tables: bool) -> Iterator[str]:
    """The URL of a new database, empty or with every table."""
    name = f"t{SystemIds().token(6)}"
    template = _postgres_template(server) if tables else "template1"
    _do(
        server, SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(name), Identifier(template))
    )
    try:
        yield f"{server}/{name}"
    finally:
        _do(server, SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


@cache
def _postgres_template(server: str) -> str:
    _do(server, SQL("CREATE DATABASE {}").format(Identifier(_NAME)))
    engine = create_engine(make_url(f"{server}/{_NAME}").set(drivername="postgresql+psycopg"))
    with engine.begin() as conn:
        metadata.create_all(conn)
    engine.dispose()
    return _NAME


def _do(server: str, statement: Composed) -> None:
    with psycopg.connect(f"{server}/postgres", autocommit=True) as conn:
        conn.execute(statement)
