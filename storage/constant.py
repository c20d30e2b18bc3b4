"""Statements that never change: compiled once, and given to SQLite's driver itself."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Executable, Select
from sqlalchemy.dialects import postgresql, sqlite

Row = Mapping[Any, Any]
"""A row's values by the names of its columns."""


INSERTS: Mapping[str, Callable[[Any], Any]] = {
    "sqlite": sqlite.insert,
    "postgresql": postgresql.insert,
}
_SHAPES = 64


class Constant:
    """A select whose values are all bound by name; lists are bound with `expanding`.

    What SQLAlchemy does for each execution takes five times as long as what SQLite does for a row
    that it finds by its key.
    """

    def __init__(self, query: Select[Any]) -> None:
        self.query = query
        self._made: dict[_Shape, _Plain] = {}

    def read(self, conn: Connection, values: Mapping[str, Any]) -> Sequence[Row]:
        """On SQLite. Raises the driver's own errors."""
        shape = tuple((k, len(v)) for k, v in values.items() if isinstance(v, list | tuple))
        plain = self._made.get(shape) or self._compiled(shape, values)
        given = {**plain.fixed, **_spread(values)} if shape else {**plain.fixed, **values}
        driver: Any = conn.connection.driver_connection
        rows = driver.execute(plain.sql, [given[name] for name in plain.names]).fetchall()
        return [plain.row(row) for row in rows]

    def _compiled(self, shape: "_Shape", values: Mapping[str, Any]) -> "_Plain":
        dialect = sqlite.dialect()
        compiled = self.query.compile(dialect=dialect)
        expanded = compiled.construct_expanded_state(values)
        columns = self.query.selected_columns
        turned = {
            c.name: c.type.dialect_impl(dialect).result_processor(dialect, None) for c in columns
        }
        if len(self._made) >= _SHAPES:
            self._made.clear()
        self._made[shape] = made = _Plain(
            expanded.statement,
            tuple(expanded.positiontup or ()),
            {name: value for name, value in compiled.params.items() if value is not None},
            tuple(turned),
            tuple((name, turn) for name, turn in turned.items() if turn),
        )
        return made


_Shape = tuple[tuple[str, int], ...]
"""How long each list is."""


def _spread(values: Mapping[str, Any]) -> dict[str, Any]:
    """Lists, and lists of tuples, one by one: as SQLAlchemy names them."""
    given: dict[str, Any] = {}
    for name, value in values.items():
        if not isinstance(value, list | tuple):
            given[name] = value
            continue
        for n, one in enumerate(value, 1):
            parts = enumerate(one, 1) if isinstance(one, list | tuple) else ()
            given[f"{name}_{n}"] = one
            given |= {f"{name}_{n}_{m}": part for m, part in parts}
    return given


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


class Written:
    """Inserts or updates of rows that all have the same columns, each bound by name. `made` makes
    the statement with a dialect's own insert."""

    def __init__(self, made: Callable[[Callable[[Any], Any]], Executable]) -> None:
        self._statements = {name: made(insert) for name, insert in INSERTS.items()}
        self._compiled: tuple[str, Sequence[tuple[str, _Turn | None]]] | None = None

    def write(self, conn: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
        """How many rows were touched. On SQLite it raises the driver's own errors."""
        if conn.dialect.name != "sqlite":
            return conn.execute(self._statements[conn.dialect.name], rows).rowcount
        if self._compiled is None:
            self._compiled = self._compile(list(rows[0]))
        sql, binds = self._compiled
        driver: Any = conn.connection.driver_connection
        values = [[t(row[n]) if t else row[n] for n, t in binds] for row in rows]
        return int(driver.executemany(sql, values).rowcount)

    def _compile(self, columns: list[str]) -> tuple[str, Sequence[tuple[str, "_Turn | None"]]]:
        dialect = sqlite.dialect()
        made: Any = self._statements["sqlite"]
        compiled = made.compile(dialect=dialect, column_keys=columns)
        types = {name: bind.type.dialect_impl(dialect) for name, bind in compiled.binds.items()}
        names = tuple(compiled.positiontup or ())
        return str(compiled), tuple((n, types[n].bind_processor(dialect)) for n in names)


_Turn = Callable[[Any], Any]
