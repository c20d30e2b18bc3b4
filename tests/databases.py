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
_CREATE = SQL("CREATE DATABASE {} TEMPLATE {}")
_DROP = SQL("DROP DATABASE {} WITH (FORCE)")
_END_OTHERS = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""
# Every relation, column, index, constraint and function that isn't PostgreSQL's own.
_SHAPE = """
    WITH ours AS (SELECT oid FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema)')
    SELECT
      (SELECT string_agg(c.relname || ' ' || a.attname || ' ' || a.atttypid || a.attnotnull, ','
        ORDER BY c.relname, a.attnum) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        WHERE c.relnamespace IN (SELECT oid FROM ours)),
      (SELECT string_agg(pg_get_indexdef(i.indexrelid), ',' ORDER BY i.indexrelid::regclass::text)
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        WHERE c.relnamespace IN (SELECT oid FROM ours)),
      (SELECT count(*) FROM ours),
      (SELECT count(*) FROM pg_constraint WHERE connamespace IN (SELECT oid FROM ours)),
      (SELECT count(*) FROM pg_proc WHERE pronamespace IN (SELECT oid FROM ours)),
      (SELECT count(*) FROM pg_trigger)"""


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
    if tables:
        with _borrowed(server) as name:
            yield f"{server}/{name}"
        return
    name = _created(server, "template1")
    try:
        yield f"{server}/{name}"
    finally:
        _do(server, _DROP.format(Identifier(name)))


@contextmanager
def _borrowed(server: str) -> Iterator[str]:
    """One that an earlier test gave back empty, or a new one: to make one takes a hundred times as
    long as to empty one. One whose tables are not what they were is dropped."""
    idle = _idle(server)
    name = idle.pop() if idle else _created(server, _postgres_template(server))
    try:
        yield name
    finally:
        if _emptied(server, name):
            idle.append(name)
        else:
            _do(server, _DROP.format(Identifier(name)))


@cache
def _idle(server: str) -> list[str]:
    return []


def _created(server: str, template: str) -> str:
    name = f"t{SystemIds().token(6)}"
    _do(server, _CREATE.format(Identifier(name), Identifier(template)))
    return name


def _emptied(server: str, name: str) -> bool:
    """Nobody is connected to it any more and no table has a row; False if it has other tables."""
    with psycopg.connect(f"{server}/{name}", autocommit=True) as conn:
        conn.execute(_END_OTHERS)
        if conn.execute(_SHAPE).fetchone() != _shape(server):
            return False
        for table in reversed(metadata.sorted_tables):
            conn.execute(SQL("DELETE FROM {}").format(Identifier(table.name)))
    return True


@cache
def _shape(server: str) -> object:
    with psycopg.connect(f"{server}/{_NAME}", autocommit=True) as conn:
        return conn.execute(_SHAPE).fetchone()


@cache
def _postgres_template(server: str) -> str:
    _do(server, _CREATE.format(Identifier(_NAME), Identifier("template1")))
    engine = create_engine(make_url(f"{server}/{_NAME}").set(drivername="postgresql+psycopg"))
    with engine.begin() as conn:
        metadata.create_all(conn)
    engine.dispose()
    return _NAME


def _do(server: str, statement: Composed) -> None:
    with psycopg.connect(f"{server}/postgres", autocommit=True) as conn:
        conn.execute(statement)
