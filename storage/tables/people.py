"""Who it is about: people, where they are reached, where they talk, which workspaces."""

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Integer,
    String,
    Table,
    text,
)

from storage.tables.base import Json, id_column, int_column, metadata, text_column

workspaces = Table(
    "workspaces",
    metadata,
    id_column(primary_key=True),
    text_column("name"),
    int_column("created_at"),
)

installations = Table(
    "installations",
    metadata,
    Column("channel", String(32), primary_key=True),
    Column("team", String(80), primary_key=True),
    id_column("workspace"),
    text_column("name"),
    text_column("sealed"),
    Column("installed_by", String(200), nullable=False, server_default=""),
    int_column("installed_at"),
    int_column("removed_at"),
)

people = Table(
    "people",
    metadata,
    id_column("workspace", primary_key=True),
    id_column(primary_key=True),
    text_column("name"),
    Column("role", String(16), nullable=False),
    int_column("created_at"),
    text_column("merged_into"),
)

identities = Table(
    "identities",
    metadata,
    id_column("workspace", primary_key=True),
    Column("channel", String(32), primary_key=True),
    Column("external_id", String(200), primary_key=True),
    id_column("person"),
    int_column("created_at"),
    Index(None, "workspace", "person"),
)

codes = Table(
    "codes",
    metadata,
    Column("purpose", String(32), primary_key=True),
    Column("digest", String(64), primary_key=True),
    id_column("workspace"),
    Column("payload", Json),
    int_column("expires_at"),
    int_column("used_at"),
)

contacts = Table(
    "contacts",
    metadata,
    id_column("workspace", primary_key=True),
    Column("channel", String(32), primary_key=True),
    Column("external_id", String(200), primary_key=True),
    Column("address", Json),
    Column("consent", String(8), nullable=False, server_default=""),
    int_column("consent_at"),
    text_column("consent_word"),
    int_column("heard_at"),
    int_column("disabled_at"),
    text_column("disabled_why"),
)

subscriptions = Table(
    "subscriptions",
    metadata,
    id_column("workspace", primary_key=True),
    id_column("person", primary_key=True),
    Column("channel", String(32), primary_key=True),
    Column("place", String(200), primary_key=True),
    Column("cadence", String(16), primary_key=True),
    Column("address", Json),
    Column("weekday", Integer, nullable=False),
    Column("hour", Integer, nullable=False),
    Column("zone", String(64), nullable=False),
    Column("always", Boolean, nullable=False, server_default=text("false")),
    int_column("sent_at"),
    int_column("created_at"),
)

conversations = Table(
    "conversations",
    metadata,
    id_column("workspace", primary_key=True),
    Column("id", String(300), primary_key=True),
    text_column("agent"),
    int_column("updated_at"),
)
