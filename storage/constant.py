"""Queries that never change: built and compiled once, and read by SQLite's driver itself."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Select
from sqlalchemy.dialects import sqlite

Row = Mapping[Any, Any]
"""A row's values by the names of its columns."""


class Constant:
    """A select whose values are all bound by name, none of them a list.

    What SQLAlchemy does for each execution takes five times as long as what SQLite does for a row
    that it finds by its key.
    """

    def __init__(self, query: Select[Any]) -> None:
        self.query = query

    def read(self, conn: Connection, values: Mapping[str, Any]) -> Sequence[Row]:
        """On SQLite. Raises the driver's own errors."""
        plain = self._plain
        driver: Any = conn.connection.driver_connection
        given = {**plain.fixed, **values}
        rows = driver.execute(plain.sql, [given[name] for name in plain.names]).fetchall()
        return [plain.row(row) for row in rows]

    @cached_property
    def _plain(self) -> "_Plain":
        dialect = sqlite.dialect()
        compiled = self.query.compile(dialect=dialect)
        columns = self.query.selected_columns
        turned = {
            c.name: c.type.dialect_impl(dialect).result_processor(dialect, None) for c in columns
        }
        return _Plain(
            str(compiled),
            tuple(compiled.positiontup or ()),
            {name: value for name, value in compiled.params.items() if value is not None},
            tuple(turned),
            tuple((name, turn) for name, turn in turned.items() if turn),
        )


@dataclass(frozen=True, slots=True)
class _Plain:
    """`names` are those of the bound values, in order, and `fixed` what the query itself says of
    them; `turned` are the columns that are kept otherwise than they are read."""

    sql: str
    names: Sequence[str]
    fixed: Mapping[str, Any]
    columns: Sequence[str]
    turned: Sequence[tuple[str, Callable[[Any], Any]]]

    def row(self, values: Sequence[Any]) -> Row:
        row = dict(zip(self.columns, values, strict=True))
        for name, turn in self.turned:
            row[name] = turn(row[name])
        return row
