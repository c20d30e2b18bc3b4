"""Every table. Times are ms since the epoch, UTC; ids are text; JSON is kept as text."""

import json
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
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


def _id(name: str = "id", **kw: Any) -> Column[str]:
    return Column(name, String(80), nullable=False, **kw)


def _text(name: str, **kw: Any) -> Column[str]:
    return Column(name, Text, nullable=False, server_default="", **kw)


def _int(name: str, **kw: Any) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default="0", **kw)


workspaces = Table(
    "workspaces",
    metadata,
    _id(primary_key=True),
    _text("name"),
    _int("created_at"),
)

people = Table(
    "people",
    metadata,
    _id("workspace", primary_key=True),
    _id(primary_key=True),
    _text("name"),
    Column("role", String(16), nullable=False),
    _int("created_at"),
    _text("merged_into"),
)

identities = Table(
    "identities",
    metadata,
    _id("workspace", primary_key=True),
    Column("channel", String(32), primary_key=True),
    Column("external_id", String(200), primary_key=True),
    _id("person"),
    _int("created_at"),
    Index(None, "workspace", "person"),
)

conversations = Table(
    "conversations",
    metadata,
    _id("workspace", primary_key=True),
    Column("id", String(300), primary_key=True),
    _text("agent"),
    _int("updated_at"),
)

runs = Table(
    "runs",
    metadata,
    _id(primary_key=True),
    _id("workspace"),
    Column("short", String(8), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("status", String(16), nullable=False),
    Column("channel", String(32), nullable=False),
    Column("event_id", String(300), nullable=False),
    Column("conversation", String(300), nullable=False),
    _id("person"),
    _text("message"),
    Column("history", Json),
    Column("address", Json),
    _text("agent_hint"),
    _text("agent"),
    _int("agent_version"),
    _text("trial"),
    _text("arm"),
    Column("propensity", Float),
    _text("answer"),
    Column("reply", Json),
    Column("outcome", Float),
    _text("outcome_source"),
    _text("error_type"),
    _text("error_message"),
    _int("tokens_in"),
    _int("tokens_out"),
    _int("tokens_cached"),
    Column("cost_usd", Float),
    Column("cost_known", Boolean, nullable=False, server_default=text("true")),
    _int("attempt"),
    _id("node"),
    Column("guest", Boolean, nullable=False, server_default=text("false")),
    Column("files", Json),
    _int("created_at"),
    _int("expires_at"),
    _int("started_at"),
    _int("finished_at"),
    Column("latency_ms", BigInteger),
    UniqueConstraint("workspace", "channel", "event_id"),
    Index(None, "workspace", "conversation", "id"),
    Index(None, "workspace", "short"),
    # Both hold all that the day's and the agents' numbers need: no row is read for them.
    Index(
        "ix_runs_day",
        "workspace",
        "created_at",
        "kind",
        "cost_usd",
        "outcome",
        "outcome_source",
    ),
    Index(
        "ix_runs_agent",
        "workspace",
        "kind",
        "agent",
        "agent_version",
        "created_at",
        "latency_ms",
        "outcome",
        "outcome_source",
        "cost_usd",
        "cost_known",
        "tokens_in",
        "tokens_out",
        "error_type",
    ),
    Index(
        "ix_runs_open",
        "node",
        "id",
        sqlite_where=text("status IN ('queued','running')"),
        postgresql_where=text("status IN ('queued','running')"),
    ),
)

steps = Table(
    "steps",
    metadata,
    Column("run_id", String(80), ForeignKey("runs.id"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    _id("workspace"),
    Column("kind", String(16), nullable=False),
    _text("name"),
    _int("attempt"),
    _int("started_at"),
    Column("duration_ms", Float, nullable=False, server_default="0"),
    Column("input", Json),
    Column("output", Json),
    _int("tokens_in"),
    _int("tokens_out"),
    _int("tokens_cached"),
    Column("cost_usd", Float),
    Column("estimated", Boolean, nullable=False, server_default=text("false")),
    _text("error_type"),
    _text("error_message"),
    sqlite_with_rowid=False,
)

outbox = Table(
    "outbox",
    metadata,
    _id(primary_key=True),
    _id("workspace"),
    _id("run_id"),
    Column("channel", String(32), nullable=False),
    Column("address", Json),
    Column("reply", Json),
    Column("status", String(16), nullable=False),
    _id("node"),
    _int("attempts"),
    _int("next_at"),
    Column("edits", Json),
    Column("ref", Json),
    Column("card", String(80), nullable=False, server_default=""),
    _text("error"),
    _int("created_at"),
    _int("sent_at"),
    Index(
        "ix_outbox_open",
        "node",
        "next_at",
        sqlite_where=text("status IN ('queued','sending')"),
        postgresql_where=text("status IN ('queued','sending')"),
    ),
    Index(
        "ix_outbox_unasked",
        "workspace",
        "created_at",
        sqlite_where=text("run_id = ''"),
        postgresql_where=text("run_id = ''"),
    ),
    Index(
        "ix_outbox_failed",
        "workspace",
        "created_at",
        sqlite_where=text("status = 'failed'"),
        postgresql_where=text("status = 'failed'"),
    ),
    Index(None, "workspace", "run_id"),
    Index(
        "ix_outbox_card",
        "workspace",
        "card",
        sqlite_where=text("card <> ''"),
        postgresql_where=text("card <> ''"),
    ),
)

nodes = Table(
    "nodes",
    metadata,
    _id(primary_key=True),
    _text("host"),
    _int("pid"),
    _int("started_at"),
    _int("lease_until"),
    _text("version"),
    _text("reaped_by"),
)

agents = Table(
    "agents",
    metadata,
    _id("workspace", primary_key=True),
    Column("name", String(64), primary_key=True),
    _int("version"),
    Column("source", String(80), nullable=False, server_default="seed"),
    _int("updated_at"),
)

agent_versions = Table(
    "agent_versions",
    metadata,
    _id("workspace", primary_key=True),
    Column("agent", String(64), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("spec", Json, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("source", String(80), nullable=False),
    _int("base"),
    _int("created_at"),
)

feedback = Table(
    "feedback",
    metadata,
    _id(primary_key=True),
    _id("workspace"),
    _id("run_id"),
    _id("person"),
    Column("rating", Integer, nullable=False),
    _text("text"),
    Column("source", String(32), nullable=False),
    _int("created_at"),
    UniqueConstraint("workspace", "run_id", "person", "source"),
    Index(None, "workspace", "created_at"),
)

findings = Table(
    "findings",
    metadata,
    _id(primary_key=True),
    _id("workspace"),
    Column("kind", String(32), nullable=False),
    Column("fingerprint", String(64), nullable=False),
    _text("title"),
    _text("detail"),
    Column("evidence", Json),
    _text("agent"),
    _int("count"),
    Column("status", String(16), nullable=False),
    _int("created_at"),
    _int("updated_at"),
    UniqueConstraint("workspace", "fingerprint"),
)

proposals = Table(
    "proposals",
    metadata,
    _id(primary_key=True),
    _id("workspace"),
    Column("number", Integer, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("status", String(16), nullable=False),
    _text("title"),
    Column("change", Json),
    _int("base_version"),
    _text("diff"),
    Column("evidence", Json),
    _text("expected"),
    Column("risk", String(16), nullable=False),
    Column("fingerprint", String(64), nullable=False),
    _int("created_at"),
    _int("expires_at"),
    _id("created_by"),
    _id("decided_by"),
    _int("decided_at"),
    _text("reason"),
    Column("edited", Boolean, nullable=False, server_default=text("false")),
    _int("revision"),
    _text("edited_by"),
    Column("was", Json),
    Column("applied", Json),
    UniqueConstraint("workspace", "number"),
    Index(None, "workspace", "fingerprint"),
    Index(None, "workspace", "status", "expires_at"),
)

memories = Table(
    "memories",
    metadata,
    _id(primary_key=True),
    _id("workspace"),
    Column("number", Integer, nullable=False),
    Column("namespace", String(200), nullable=False),
    _text("text"),
    Column("vector", LargeBinary),
    _text("space"),
    _id("created_by"),
    _text("source"),
    _int("created_at"),
    _int("forgotten_at"),
    UniqueConstraint("workspace", "number"),
    Index(None, "workspace", "namespace"),
)

workflows = Table(
    "workflows",
    metadata,
    _id("workspace", primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("version", Integer, primary_key=True),
    _text("markdown"),
    _id("source_run"),
    _id("created_by"),
    _int("created_at"),
)

spend = Table(
    "spend",
    metadata,
    _id("workspace", primary_key=True),
    Column("scope", String(16), primary_key=True),
    Column("key", String(80), primary_key=True),
    Column("period", String(10), primary_key=True),
    Column("usd", Float, nullable=False),
    sqlite_with_rowid=False,
)

budgets = Table(
    "budgets",
    metadata,
    _id("workspace", primary_key=True),
    Column("scope", String(16), primary_key=True),
    Column("key", String(80), primary_key=True),
    Column("period", String(8), primary_key=True),
    Column("limit_usd", Float, nullable=False),
)

notices = Table(
    "notices",
    metadata,
    _id("workspace", primary_key=True),
    Column("key", String(300), primary_key=True),
    _int("created_at"),
)

jobs = Table(
    "jobs",
    metadata,
    _id("workspace", primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("paused", Boolean, nullable=False, server_default=text("false")),
    _int("watermark"),
)

ticks = Table(
    "ticks",
    metadata,
    _id("workspace", primary_key=True),
    Column("job", String(64), primary_key=True),
    Column("scheduled_at", BigInteger, primary_key=True),
    _id("run_id"),
)

files = Table(
    "files",
    metadata,
    _id(primary_key=True),
    _id("workspace"),
    _id("run_id"),
    _text("name"),
    _text("mime"),
    Column("content", LargeBinary),
    Column("direction", String(4), nullable=False),
    _int("created_at"),
    Index(None, "workspace", "run_id"),
)

drafts = Table(
    "drafts",
    metadata,
    _id("workspace", primary_key=True),
    _id("run_id", primary_key=True),
    Column("channel", String(32), nullable=False),
    Column("ref", Json),
    _int("created_at"),
)

codes = Table(
    "codes",
    metadata,
    Column("purpose", String(32), primary_key=True),
    Column("digest", String(64), primary_key=True),
    _id("workspace"),
    Column("payload", Json),
    _int("expires_at"),
    _int("used_at"),
)

installations = Table(
    "installations",
    metadata,
    Column("channel", String(32), primary_key=True),
    Column("team", String(80), primary_key=True),
    _id("workspace"),
    _text("name"),
    _text("sealed"),
    Column("installed_by", String(200), nullable=False, server_default=""),
    _int("installed_at"),
    _int("removed_at"),
)

policies = Table(
    "policies",
    metadata,
    _id("workspace", primary_key=True),
    Column("version", Integer, primary_key=True),
    _text("text"),
    _id("created_by"),
    _int("created_at"),
)

approvals = Table(
    "approvals",
    metadata,
    _id("workspace", primary_key=True),
    _id("proposal", primary_key=True),
    _id("person", primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    _int("created_at"),
)

asks = Table(
    "asks",
    metadata,
    _id("workspace", primary_key=True),
    _id("proposal", primary_key=True),
    Column("step", Integer, nullable=False),
    _int("reminded_at"),
    _int("updated_at"),
)

subscriptions = Table(
    "subscriptions",
    metadata,
    _id("workspace", primary_key=True),
    _id("person", primary_key=True),
    Column("channel", String(32), primary_key=True),
    Column("place", String(200), primary_key=True),
    Column("cadence", String(16), primary_key=True),
    Column("address", Json),
    Column("weekday", Integer, nullable=False),
    Column("hour", Integer, nullable=False),
    Column("zone", String(64), nullable=False),
    Column("always", Boolean, nullable=False, server_default=text("false")),
    _int("sent_at"),
    _int("created_at"),
)

contacts = Table(
    "contacts",
    metadata,
    _id("workspace", primary_key=True),
    Column("channel", String(32), primary_key=True),
    Column("external_id", String(200), primary_key=True),
    Column("address", Json),
    Column("consent", String(8), nullable=False, server_default=""),
    _int("consent_at"),
    _text("consent_word"),
    _int("heard_at"),
    _int("disabled_at"),
    _text("disabled_why"),
)

receipts = Table(
    "receipts",
    metadata,
    _id("workspace", primary_key=True),
    Column("channel", String(32), primary_key=True),
    Column("message_id", String(200), primary_key=True),
    _id("delivery"),
    Column("part", Integer, nullable=False),
    Column("status", String(16), nullable=False),
    _int("at"),
    _text("error"),
    Index(None, "workspace", "channel", "delivery"),
)
