"""What it learns: agents in versions, feedback, findings, proposals and how they are decided."""

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
    text,
)

from storage.tables.base import Json, id_column, int_column, metadata, text_column

agents = Table(
    "agents",
    metadata,
    id_column("workspace", primary_key=True),
    Column("name", String(64), primary_key=True),
    int_column("version"),
    Column("source", String(80), nullable=False, server_default="seed"),
    int_column("updated_at"),
)

agent_versions = Table(
    "agent_versions",
    metadata,
    id_column("workspace", primary_key=True),
    Column("agent", String(64), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("spec", Json, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("source", String(80), nullable=False),
    int_column("base"),
    int_column("created_at"),
)

feedback = Table(
    "feedback",
    metadata,
    id_column(primary_key=True),
    id_column("workspace"),
    id_column("run_id"),
    id_column("person"),
    Column("rating", Integer, nullable=False),
    text_column("text"),
    Column("source", String(32), nullable=False),
    int_column("created_at"),
    UniqueConstraint("workspace", "run_id", "person", "source"),
    Index(None, "workspace", "created_at"),
)

findings = Table(
    "findings",
    metadata,
    id_column(primary_key=True),
    id_column("workspace"),
    Column("kind", String(32), nullable=False),
    Column("fingerprint", String(64), nullable=False),
    text_column("title"),
    text_column("detail"),
    Column("evidence", Json),
    text_column("agent"),
    int_column("count"),
    Column("status", String(16), nullable=False),
    int_column("created_at"),
    int_column("updated_at"),
    int_column("people"),
    Column("usd_week", Float, nullable=False, server_default="0"),
    Column("confidence", Float, nullable=False, server_default="0"),
    Column("facts", Json),
    text_column("remedy"),
    int_column("remedied_at"),
    int_column("reopened"),
    UniqueConstraint("workspace", "fingerprint"),
)

proposals = Table(
    "proposals",
    metadata,
    id_column(primary_key=True),
    id_column("workspace"),
    Column("number", Integer, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("status", String(16), nullable=False),
    text_column("title"),
    Column("change", Json),
    int_column("base_version"),
    text_column("diff"),
    Column("evidence", Json),
    text_column("expected"),
    Column("risk", String(16), nullable=False),
    Column("fingerprint", String(64), nullable=False),
    int_column("created_at"),
    int_column("expires_at"),
    id_column("created_by"),
    id_column("decided_by"),
    int_column("decided_at"),
    text_column("reason"),
    Column("edited", Boolean, nullable=False, server_default=text("false")),
    int_column("revision"),
    text_column("edited_by"),
    Column("was", Json),
    Column("applied", Json),
    text_column("finding"),
    Column("rank", Float, nullable=False, server_default="0"),
    Column("estimate", Json),
    text_column("decided_run"),
    UniqueConstraint("workspace", "number"),
    Index(None, "workspace", "fingerprint"),
    Index(None, "workspace", "status", "expires_at"),
)

policies = Table(
    "policies",
    metadata,
    id_column("workspace", primary_key=True),
    Column("version", Integer, primary_key=True),
    text_column("text"),
    id_column("created_by"),
    int_column("created_at"),
)

approvals = Table(
    "approvals",
    metadata,
    id_column("workspace", primary_key=True),
    id_column("proposal", primary_key=True),
    id_column("person", primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    int_column("created_at"),
)

asks = Table(
    "asks",
    metadata,
    id_column("workspace", primary_key=True),
    id_column("proposal", primary_key=True),
    Column("step", Integer, nullable=False),
    int_column("reminded_at"),
    int_column("updated_at"),
)

memories = Table(
    "memories",
    metadata,
    id_column(primary_key=True),
    id_column("workspace"),
    Column("number", Integer, nullable=False),
    Column("namespace", String(200), nullable=False),
    text_column("text"),
    Column("vector", LargeBinary),
    text_column("space"),
    id_column("created_by"),
    text_column("source"),
    int_column("created_at"),
    int_column("forgotten_at"),
    UniqueConstraint("workspace", "number"),
    Index(None, "workspace", "namespace"),
)

workflows = Table(
    "workflows",
    metadata,
    id_column("workspace", primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("version", Integer, primary_key=True),
    text_column("markdown"),
    id_column("source_run"),
    id_column("created_by"),
    int_column("created_at"),
)
