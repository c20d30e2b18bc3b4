"""What keeps it going: money, notices, jobs and their ticks."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    String,
    Table,
    text,
)

from storage.tables.base import id_column, int_column, metadata

spend = Table(
    "spend",
    metadata,
    id_column("workspace", primary_key=True),
    Column("scope", String(16), primary_key=True),
    Column("key", String(80), primary_key=True),
    Column("period", String(10), primary_key=True),
    Column("usd", Float, nullable=False),
    sqlite_with_rowid=False,
)

budgets = Table(
    "budgets",
    metadata,
    id_column("workspace", primary_key=True),
    Column("scope", String(16), primary_key=True),
    Column("key", String(80), primary_key=True),
    Column("period", String(8), primary_key=True),
    Column("limit_usd", Float, nullable=False),
)

notices = Table(
    "notices",
    metadata,
    id_column("workspace", primary_key=True),
    Column("key", String(300), primary_key=True),
    int_column("created_at"),
)

jobs = Table(
    "jobs",
    metadata,
    id_column("workspace", primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("paused", Boolean, nullable=False, server_default=text("false")),
    int_column("watermark"),
)

ticks = Table(
    "ticks",
    metadata,
    id_column("workspace", primary_key=True),
    Column("job", String(64), primary_key=True),
    Column("scheduled_at", BigInteger, primary_key=True),
    id_column("run_id"),
)
