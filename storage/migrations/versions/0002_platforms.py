"""Files, drafts, one-time codes, installations, policies, approvals, subscriptions, contacts."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_DAY = ("workspace", "created_at", "kind", "cost_usd")


def upgrade() -> None:
    op.create_table(
        "approvals",
        sa.Column("workspace", sa.String(length=80), nullable=False),
        sa.Column("proposal", sa.String(length=80), nullable=False),
        sa.Column("person", sa.String(length=80), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("workspace", "proposal", "person", name=op.f("pk_approvals")),
    )
    op.create_table(
        "asks",
        sa.Column("workspace", sa.String(length=80), nullable=False),
        sa.Column("proposal", sa.String(length=80), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("reminded_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("updated_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("workspace", "proposal", name=op.f("pk_asks")),
    )
    op.create_table(
        "codes",
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("workspace", sa.String(length=80), nullable=False),
        sa.Column("payload", sa.Text(), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("used_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("purpose", "digest", name=op.f("pk_codes")),
    )
    op.create_table(
        "contacts",
        sa.Column("workspace", sa.String(length=80), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("external_id", sa.String(length=200), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("consent", sa.String(length=8), server_default="", nullable=False),
        sa.Column("consent_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("consent_word", sa.Text(), server_default="", nullable=False),
        sa.Column("heard_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("disabled_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("disabled_why", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("workspace", "channel", "external_id", name=op.f("pk_contacts")),
    )
    op.create_table(
        "drafts",
        sa.Column("workspace", sa.String(length=80), nullable=False),
        sa.Column("run_id", sa.String(length=80), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("ref", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("workspace", "run_id", name=op.f("pk_drafts")),
    )
    op.create_table(
        "files",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("workspace", sa.String(length=80), nullable=False),
        sa.Column("run_id", sa.String(length=80), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("mime", sa.Text(), server_default="", nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("direction", sa.String(length=4), nullable=False),
        sa.Column("created_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_files")),
    )
    with op.batch_alter_table("files", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_files_workspace_run_id"), ["workspace", "run_id"], unique=False
        )

    op.create_table(
        "installations",
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("team", sa.String(length=80), nullable=False),
        sa.Column("workspace", sa.String(length=80), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("sealed", sa.Text(), server_default="", nullable=False),
        sa.Column("installed_by", sa.String(length=200), server_default="", nullable=False),
        sa.Column("installed_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("removed_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("channel", "team", name=op.f("pk_installations")),
    )
    op.create_table(
        "policies",
        sa.Column("workspace", sa.String(length=80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("created_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("workspace", "version", name=op.f("pk_policies")),
    )
    op.create_table(
        "receipts",
        sa.Column("workspace", sa.String(length=80), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("message_id", sa.String(length=200), nullable=False),
        sa.Column("delivery", sa.String(length=80), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("at", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("workspace", "channel", "message_id", name=op.f("pk_receipts")),
    )
    with op.batch_alter_table("receipts", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_receipts_workspace_channel_delivery"),
            ["workspace", "channel", "delivery"],
            unique=False,
        )

    op.create_table(
        "subscriptions",
        sa.Column("workspace", sa.String(length=80), nullable=False),
        sa.Column("person", sa.String(length=80), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("place", sa.String(length=200), nullable=False),
        sa.Column("cadence", sa.String(length=16), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("always", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint(
            "workspace", "person", "channel", "place", "cadence", name=op.f("pk_subscriptions")
        ),
    )
    # Not as a batch: for this default one would copy the whole table, which is the largest.
    op.add_column(
        "runs", sa.Column("guest", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.add_column("runs", sa.Column("files", sa.Text(), nullable=True))
    op.create_index(op.f("ix_runs_workspace_person"), "runs", ["workspace", "person"])
    op.drop_index("ix_runs_day", "runs")
    op.create_index("ix_runs_day", "runs", [*_DAY, "outcome", "outcome_source"], unique=False)
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index(
            "ix_outbox_unasked",
            ["workspace", "created_at"],
            unique=False,
            sqlite_where=sa.text("run_id = ''"),
            postgresql_where=sa.text("run_id = ''"),
        )
        batch_op.create_index(
            "ix_outbox_failed",
            ["workspace", "created_at"],
            unique=False,
            sqlite_where=sa.text("status = 'failed'"),
            postgresql_where=sa.text("status = 'failed'"),
        )
    with op.batch_alter_table("people", schema=None) as batch_op:
        batch_op.add_column(sa.Column("merged_into", sa.Text(), server_default="", nullable=False))
    with op.batch_alter_table("proposals", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("revision", sa.BigInteger(), server_default="0", nullable=False)
        )
        batch_op.add_column(sa.Column("edited_by", sa.Text(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("was", sa.Text(), nullable=True))
    # The version before posted each card as it was offered: to the admin channel and to Telegram's
    # approvers, which are the first two steps now. Nobody is shown it a second time.
    op.execute(
        "INSERT INTO asks (workspace, proposal, step, updated_at) "
        "SELECT workspace, id, 2, created_at FROM proposals WHERE status = 'offered'"
    )


def downgrade() -> None:
    with op.batch_alter_table("proposals", schema=None) as batch_op:
        batch_op.drop_column("was")
        batch_op.drop_column("edited_by")
        batch_op.drop_column("revision")
    with op.batch_alter_table("people", schema=None) as batch_op:
        batch_op.drop_column("merged_into")
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_index("ix_outbox_failed")
        batch_op.drop_index("ix_outbox_unasked")
    op.drop_index(op.f("ix_runs_workspace_person"), "runs")
    op.drop_index("ix_runs_day", "runs")
    op.create_index("ix_runs_day", "runs", [*_DAY], unique=False)
    op.drop_column("runs", "files")
    op.drop_column("runs", "guest")

    op.drop_table("subscriptions")
    with op.batch_alter_table("receipts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_receipts_workspace_channel_delivery"))

    op.drop_table("receipts")
    op.drop_table("policies")
    op.drop_table("installations")
    with op.batch_alter_table("files", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_files_workspace_run_id"))

    op.drop_table("files")
    op.drop_table("drafts")
    op.drop_table("contacts")
    op.drop_table("codes")
    op.drop_table("asks")
    op.drop_table("approvals")
