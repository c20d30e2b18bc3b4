"""The first tables."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "agent_versions",
        sa.Column("workspace", sa.String(length=80), nullable=False),
        sa.Column("agent", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("base", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("workspace", "agent", "version", name=op.f("pk_agent_versions")),
    )
    op.create_table(
        "agents",
        sa.Column("workspace", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("source", sa.String(length=80), server_default="seed", nullable=False),
        sa.Column("updated_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("workspace", "name", name=op.f("pk_agents")),
    )
    op.create_table(
        "budgets",
        sa.Column("workspace", sa.String(length=80), nullable=False),
        sa.Column("scope", sa.String(length=16), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("period", sa.String(length=8), nullable=False),
        sa.Column("limit_usd", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "scope", "key", "period", name=op.f("pk_budgets")),
    )
    op.create_table(
        "conversations",
        sa.Column("workspace", sa.String(length=80), nullable=False),
        sa.Column("id", sa.String(length=300), nullable=False),
        sa.Column("agent", sa.Text(), server_default="", nullable=False),
        sa.Column("updated_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("workspace", "id", name=op.f("pk_conversations")),
    )
    op.create_table(
        "feedback",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("workspace", sa.String(length=80), nullable=False),
        sa.Column("run_id", sa.String(length=80), nullable=False),
        sa.Column("person", sa.String(length=80), nullable=False),
        sa.Column("rating", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feedback")),
        sa.UniqueConstraint(
            "workspace",
            "run_id",
            "person",
            "source",
            name=op.f("uq_feedback_workspace_run_id_person_source"),
        ),
    )
    with op.batch_alter_table("feedback", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_feedback_workspace_created_at"),
            ["workspace", "created_at"],
            unique=False,
        )

    op.create_table(
        "findings",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("workspace", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.Column("agent", sa.Text(), server_default="", nullable=False),
        sa.Column("count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("updated_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_findings")),
        sa.UniqueConstraint(
            "workspace", "fingerprint", name=op.f("uq_findings_workspace_fingerprint")
        ),
    )
    op.create_table(
        "identities",
        sa.Column("workspace", sa.String(length=80), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("external_id", sa.String(length=200), nullable=False),
        sa.Column("person", sa.String(length=80), nullable=False),
        sa.Column("created_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("workspace", "channel", "external_id", name=op.f("pk_identities")),
    )
    with op.batch_alter_table("identities", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_identities_workspace_person"), ["workspace", "person"], unique=False
        )

    op.create_table(
        "jobs",
        sa.Column("workspace", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("paused", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("watermark", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("workspace", "name", name=op.f("pk_jobs")),
    )
    op.create_table(
        "memories",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("workspace", sa.String(length=80), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("namespace", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=True),
        sa.Column("space", sa.Text(), server_default="", nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("forgotten_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_memories")),
        sa.UniqueConstraint("workspace", "number", name=op.f("uq_memories_workspace_number")),
    )
    with op.batch_alter_table("memories", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_memories_workspace_namespace"), ["workspace", "namespace"], unique=False
        )

    op.create_table(
        "nodes",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("host", sa.Text(), server_default="", nullable=False),
        sa.Column("pid", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("started_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lease_until", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("version", sa.Text(), server_default="", nullable=False),
        sa.Column("reaped_by", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_nodes")),
    )
    op.create_table(
        "notices",
        sa.Column("workspace", sa.String(length=80), nullable=False),
        sa.Column("key", sa.String(length=300), nullable=False),
        sa.Column("created_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("workspace", "key", name=op.f("pk_notices")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("workspace", sa.String(length=80), nullable=False),
        sa.Column("run_id", sa.String(length=80), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("reply", sa.Text(), nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("node", sa.String(length=80), nullable=False),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("next_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("edits", sa.Text(), nullable=True),
        sa.Column("ref", sa.Text(), nullable=True),
        sa.Column("card", sa.String(length=80), server_default="", nullable=False),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("sent_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index(
            "ix_outbox_card",
            ["workspace", "card"],
            unique=False,
            sqlite_where=sa.text("card <> ''"),
            postgresql_where=sa.text("card <> ''"),
        )
        batch_op.create_index(
            "ix_outbox_open",
            ["node", "next_at"],
            unique=False,
            sqlite_where=sa.text("status IN ('queued','sending')"),
            postgresql_where=sa.text("status IN ('queued','sending')"),
        )
        batch_op.create_index(
            batch_op.f("ix_outbox_workspace_run_id"), ["workspace", "run_id"], unique=False
        )

    op.create_table(
        "people",
        sa.Column("workspace", sa.String(length=80), nullable=False),
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("workspace", "id", name=op.f("pk_people")),
    )
    op.create_table(
        "proposals",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("workspace", sa.String(length=80), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("change", sa.Text(), nullable=True),
        sa.Column("base_version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("diff", sa.Text(), server_default="", nullable=False),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.Column("expected", sa.Text(), server_default="", nullable=False),
        sa.Column("risk", sa.String(length=16), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("expires_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("decided_by", sa.String(length=80), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("edited", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("applied", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposals")),
        sa.UniqueConstraint("workspace", "number", name=op.f("uq_proposals_workspace_number")),
    )
    with op.batch_alter_table("proposals", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_proposals_workspace_fingerprint"),
            ["workspace", "fingerprint"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_proposals_workspace_status_expires_at"),
            ["workspace", "status", "expires_at"],
            unique=False,
        )

    op.create_table(
        "runs",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("workspace", sa.String(length=80), nullable=False),
        sa.Column("short", sa.String(length=8), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("event_id", sa.String(length=300), nullable=False),
        sa.Column("conversation", sa.String(length=300), nullable=False),
        sa.Column("person", sa.String(length=80), nullable=False),
        sa.Column("message", sa.Text(), server_default="", nullable=False),
        sa.Column("history", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("agent_hint", sa.Text(), server_default="", nullable=False),
        sa.Column("agent", sa.Text(), server_default="", nullable=False),
        sa.Column("agent_version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("trial", sa.Text(), server_default="", nullable=False),
        sa.Column("arm", sa.Text(), server_default="", nullable=False),
        sa.Column("propensity", sa.Float(), nullable=True),
        sa.Column("answer", sa.Text(), server_default="", nullable=False),
        sa.Column("reply", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Float(), nullable=True),
        sa.Column("outcome_source", sa.Text(), server_default="", nullable=False),
        sa.Column("error_type", sa.Text(), server_default="", nullable=False),
        sa.Column("error_message", sa.Text(), server_default="", nullable=False),
        sa.Column("tokens_in", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("tokens_out", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("tokens_cached", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cost_usd", sa.Float(), nullable=True),
        sa.Column("cost_known", sa.Boolean(), server_default=sa.text("(true)"), nullable=False),
        sa.Column("attempt", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("node", sa.String(length=80), nullable=False),
        sa.Column("created_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("expires_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("started_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("finished_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("latency_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
        sa.UniqueConstraint(
            "workspace", "channel", "event_id", name=op.f("uq_runs_workspace_channel_event_id")
        ),
    )
    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.create_index(
            "ix_runs_agent",
            [
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
            ],
            unique=False,
        )
        batch_op.create_index(
            "ix_runs_day", ["workspace", "created_at", "kind", "cost_usd"], unique=False
        )
        batch_op.create_index(
            "ix_runs_open",
            ["node", "id"],
            unique=False,
            sqlite_where=sa.text("status IN ('queued','running')"),
            postgresql_where=sa.text("status IN ('queued','running')"),
        )
        batch_op.create_index(
            batch_op.f("ix_runs_workspace_conversation_id"),
            ["workspace", "conversation", "id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_runs_workspace_short"), ["workspace", "short"], unique=False
        )

    op.create_table(
        "spend",
        sa.Column("workspace", sa.String(length=80), nullable=False),
        sa.Column("scope", sa.String(length=16), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("period", sa.String(length=10), nullable=False),
        sa.Column("usd", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "scope", "key", "period", name=op.f("pk_spend")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ticks",
        sa.Column("workspace", sa.String(length=80), nullable=False),
        sa.Column("job", sa.String(length=64), nullable=False),
        sa.Column("scheduled_at", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "job", "scheduled_at", name=op.f("pk_ticks")),
    )
    op.create_table(
        "workflows",
        sa.Column("workspace", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("markdown", sa.Text(), server_default="", nullable=False),
        sa.Column("source_run", sa.String(length=80), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("created_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("workspace", "name", "version", name=op.f("pk_workflows")),
    )
    op.create_table(
        "workspaces",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workspaces")),
    )
    op.create_table(
        "steps",
        sa.Column("run_id", sa.String(length=80), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("workspace", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("attempt", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("started_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("duration_ms", sa.Float(), server_default="0", nullable=False),
        sa.Column("input", sa.Text(), nullable=True),
        sa.Column("output", sa.Text(), nullable=True),
        sa.Column("tokens_in", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("tokens_out", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("tokens_cached", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cost_usd", sa.Float(), nullable=True),
        sa.Column("estimated", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("error_type", sa.Text(), server_default="", nullable=False),
        sa.Column("error_message", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_steps_run_id")),
        sa.PrimaryKeyConstraint("run_id", "seq", name=op.f("pk_steps")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("steps")
    op.drop_table("workspaces")
    op.drop_table("workflows")
    op.drop_table("ticks")
    op.drop_table("spend")
    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_runs_workspace_short"))
        batch_op.drop_index(batch_op.f("ix_runs_workspace_conversation_id"))
        batch_op.drop_index(
            "ix_runs_open",
            sqlite_where=sa.text("status IN ('queued','running')"),
            postgresql_where=sa.text("status IN ('queued','running')"),
        )
        batch_op.drop_index("ix_runs_day")
        batch_op.drop_index("ix_runs_agent")

    op.drop_table("runs")
    with op.batch_alter_table("proposals", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_proposals_workspace_status_expires_at"))
        batch_op.drop_index(batch_op.f("ix_proposals_workspace_fingerprint"))

    op.drop_table("proposals")
    op.drop_table("people")
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_outbox_workspace_run_id"))
        batch_op.drop_index(
            "ix_outbox_open",
            sqlite_where=sa.text("status IN ('queued','sending')"),
            postgresql_where=sa.text("status IN ('queued','sending')"),
        )
        batch_op.drop_index(
            "ix_outbox_card",
            sqlite_where=sa.text("card <> ''"),
            postgresql_where=sa.text("card <> ''"),
        )

    op.drop_table("outbox")
    op.drop_table("notices")
    op.drop_table("nodes")
    with op.batch_alter_table("memories", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_memories_workspace_namespace"))

    op.drop_table("memories")
    op.drop_table("jobs")
    with op.batch_alter_table("identities", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_identities_workspace_person"))

    op.drop_table("identities")
    op.drop_table("findings")
    with op.batch_alter_table("feedback", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_feedback_workspace_created_at"))

    op.drop_table("feedback")
    op.drop_table("conversations")
    op.drop_table("budgets")
    op.drop_table("agents")
    op.drop_table("agent_versions")
