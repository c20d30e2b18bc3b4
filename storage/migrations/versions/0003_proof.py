"""Detectors' states, judgements, replays, trials, holds; what findings and proposals gain."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def _id(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=80), nullable=False)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def _json(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=True)


def _int(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), server_default="0", nullable=False)


def _float(name: str) -> sa.Column[float]:
    return sa.Column(name, sa.Float(), server_default="0", nullable=False)


def upgrade() -> None:
    op.create_table(
        "states",
        _id("workspace"),
        sa.Column("name", sa.String(length=64), nullable=False),
        _text("watermark"),
        _json("state"),
        _int("revision"),
        _int("updated_at"),
        sa.PrimaryKeyConstraint("workspace", "name", name=op.f("pk_states")),
    )
    op.create_table(
        "judgements",
        _id("workspace"),
        _id("run_id"),
        sa.Column("judge", sa.String(length=120), nullable=False),
        sa.Column("y", sa.Float(), nullable=False),
        _text("reason"),
        _int("created_at"),
        sa.PrimaryKeyConstraint("workspace", "run_id", "judge", name=op.f("pk_judgements")),
    )
    op.create_index(
        "ix_judgements_workspace_judge_created_at",
        "judgements",
        ["workspace", "judge", "created_at"],
    )
    op.create_table(
        "replays",
        _id("id"),
        _id("workspace"),
        _id("proposal"),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        _json("tasks"),
        _json("result"),
        _text("reason"),
        _float("cost_usd"),
        _int("created_at"),
        _int("ended_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_replays")),
        sa.UniqueConstraint(
            "workspace",
            "proposal",
            "fingerprint",
            name=op.f("uq_replays_workspace_proposal_fingerprint"),
        ),
    )
    op.create_index("ix_replays_workspace_status", "replays", ["workspace", "status"])
    op.create_table(
        "replay_pairs",
        _id("replay"),
        _id("run_id"),
        _id("workspace"),
        _json("incumbent"),
        _json("candidate"),
        _int("created_at"),
        sa.PrimaryKeyConstraint("replay", "run_id", name=op.f("pk_replay_pairs")),
    )
    op.create_table(
        "trials",
        _id("id"),
        _id("workspace"),
        sa.Column("number", sa.Integer(), nullable=False),
        _id("proposal"),
        _text("title"),
        _json("overlay"),
        _json("base"),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("mode", sa.String(length=32), nullable=False),
        sa.Column("share", sa.Float(), nullable=False),
        _float("margin"),
        _json("caps"),
        sa.Column("home", sa.String(length=300), server_default="", nullable=False),
        _int("created_at"),
        _int("started_at"),
        _int("ends_at"),
        _int("ended_at"),
        _int("looked_at"),
        _text("reason"),
        _json("numbers"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trials")),
        sa.UniqueConstraint("workspace", "number", name=op.f("uq_trials_workspace_number")),
        sa.UniqueConstraint("workspace", "proposal", name=op.f("uq_trials_workspace_proposal")),
    )
    op.create_index("ix_trials_workspace_status", "trials", ["workspace", "status"])
    op.create_table(
        "holds",
        _id("workspace"),
        sa.Column("what", sa.String(length=120), nullable=False),
        _id("by"),
        _text("reason"),
        _int("created_at"),
        sa.PrimaryKeyConstraint("workspace", "what", name=op.f("pk_holds")),
    )
    # One by one: a batch would copy the largest table on SQLite.
    op.add_column("runs", _int("scored_at"))
    op.execute(
        "UPDATE runs SET scored_at = CASE WHEN finished_at > 0 THEN finished_at ELSE created_at END "
        "WHERE outcome IS NOT NULL"
    )
    for name, table, columns, condition in (
        ("ix_runs_request", "runs", ["workspace", "id"], "kind = 'request'"),
        ("ix_runs_scored", "runs", ["workspace", "scored_at", "id"], "scored_at > 0"),
        ("ix_runs_trial", "runs", ["workspace", "trial", "id"], "trial <> ''"),
        ("ix_steps_failed", "steps", ["workspace", "run_id", "seq"], "error_type <> ''"),
    ):
        op.create_index(
            name,
            table,
            columns,
            sqlite_where=sa.text(condition),
            postgresql_where=sa.text(condition),
        )
    for column in (
        _int("people"),
        _float("usd_week"),
        _float("confidence"),
        _json("facts"),
        _text("remedy"),
        _int("remedied_at"),
        _int("reopened"),
    ):
        op.add_column("findings", column)
    for column in (_text("finding"), _float("rank"), _json("estimate"), _text("decided_run")):
        op.add_column("proposals", column)


def downgrade() -> None:
    with op.batch_alter_table("proposals", schema=None) as batch_op:
        for name in ("decided_run", "estimate", "rank", "finding"):
            batch_op.drop_column(name)
    with op.batch_alter_table("findings", schema=None) as batch_op:
        for name in (
            *("reopened", "remedied_at", "remedy", "facts"),
            *("confidence", "usd_week", "people"),
        ):
            batch_op.drop_column(name)
    op.drop_index("ix_steps_failed", "steps")
    op.drop_index("ix_runs_trial", "runs")
    op.drop_index("ix_runs_scored", "runs")
    op.drop_index("ix_runs_request", "runs")
    op.drop_column("runs", "scored_at")
    for name in ("holds", "trials", "replay_pairs", "replays", "judgements", "states"):
        op.drop_table(name)
