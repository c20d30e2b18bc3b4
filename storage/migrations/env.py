"""Alembic's entry: it is given an open connection and never makes one."""

from typing import Any, Literal

from alembic import context

from storage.tables import Json, metadata


def render_item(kind: str, item: Any, _: Any) -> str | Literal[False]:
    """Our JSON column is plain text to the database."""
    return "sa.Text()" if kind == "type" and isinstance(item, Json) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    render_item=render_item,
)
with context.begin_transaction():
    context.run_migrations()
