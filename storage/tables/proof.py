"""What proves a change: detectors' states, judgements, replays, trials, and what holds the loop."""

from sqlalchemy import Column, Float, Index, Integer, String, Table, UniqueConstraint

from storage.tables.base import Json, id_column, int_column, metadata, text_column

states = Table(
    "states",
    metadata,
    id_column("workspace", primary_key=True),
    Column("name", String(64), primary_key=True),
    text_column("watermark"),
    Column("state", Json),
    int_column("revision"),
    int_column("updated_at"),
)

judgements = Table(
    "judgements",
    metadata,
    id_column("workspace", primary_key=True),
    id_column("run_id", primary_key=True),
    Column("judge", String(120), primary_key=True),
    Column("y", Float, nullable=False),
    text_column("reason"),
    int_column("created_at"),
    Index(None, "workspace", "judge", "created_at"),
)

replays = Table(
    "replays",
    metadata,
    id_column(primary_key=True),
    id_column("workspace"),
    id_column("proposal"),
    Column("fingerprint", String(64), nullable=False),
    Column("status", String(16), nullable=False),
    Column("tasks", Json),
    Column("result", Json),
    text_column("reason"),
    Column("cost_usd", Float, nullable=False, server_default="0"),
    int_column("created_at"),
    int_column("ended_at"),
    UniqueConstraint("workspace", "proposal", "fingerprint"),
    Index(None, "workspace", "status"),
)

replay_pairs = Table(
    "replay_pairs",
    metadata,
    id_column("replay", primary_key=True),
    id_column("run_id", primary_key=True),
    id_column("workspace"),
    Column("incumbent", Json),
    Column("candidate", Json),
    int_column("created_at"),
)

trials = Table(
    "trials",
    metadata,
    id_column(primary_key=True),
    id_column("workspace"),
    Column("number", Integer, nullable=False),
    id_column("proposal"),
    text_column("title"),
    Column("overlay", Json),
    Column("base", Json),
    Column("status", String(16), nullable=False),
    Column("mode", String(32), nullable=False),
    Column("share", Float, nullable=False),
    Column("margin", Float, nullable=False, server_default="0"),
    Column("caps", Json),
    Column("home", String(300), nullable=False, server_default=""),
    int_column("created_at"),
    int_column("started_at"),
    int_column("ends_at"),
    int_column("ended_at"),
    int_column("looked_at"),
    text_column("reason"),
    Column("numbers", Json),
    UniqueConstraint("workspace", "number"),
    UniqueConstraint("workspace", "proposal"),
    Index(None, "workspace", "status"),
)

holds = Table(
    "holds",
    metadata,
    id_column("workspace", primary_key=True),
    Column("what", String(120), primary_key=True),
    id_column("by"),
    text_column("reason"),
    int_column("created_at"),
)
