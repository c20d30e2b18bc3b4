"""What all tables are made of: JSON as text, and the columns that recur."""

import json
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Dialect,
    MetaData,
    String,
    Text,
    TypeDecorator,
)


def _json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:  # half a character, which only an escape can hold
        return json.dumps(value, separators=(",", ":"))
    return text


class Json(TypeDecorator[Any]):
    """JSON values in a text column: the same bytes on every database, empty values as NULL."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        empty = value is None or (isinstance(value, dict | list | tuple) and not value)
        return None if empty else _json(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def id_column(name: str = "id", **kw: Any) -> Column[str]:
    return Column(name, String(80), nullable=False, **kw)


def text_column(name: str, **kw: Any) -> Column[str]:
    return Column(name, Text, nullable=False, server_default="", **kw)


def int_column(name: str, **kw: Any) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default="0", **kw)
