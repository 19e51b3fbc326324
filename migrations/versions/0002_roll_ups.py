"""Roll-ups of the aid record: who wrote an entry (which transaction), and answers worked out."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

WRITER = "(pg_current_xact_id()::text::bigint)"

STAMP = f"""
CREATE FUNCTION stamp_xid() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.xid := {WRITER};
    RETURN NEW;
END $$;
CREATE TRIGGER aid_entry_stamp BEFORE INSERT ON aid_entry
    FOR EACH ROW EXECUTE FUNCTION stamp_xid();
"""

MEASURES = (
    "orders",
    "buyers",
    "units_sold",
    "paid_goods_fen",
    "refunded_goods_fen",
    "aid_amount_fen",
    "direct_purchase_fen",
    "help_sell_fen",
    "freight_fen",
)


def upgrade() -> None:
    # What is there already was written before any roll-up: 0 lies below every horizon.
    op.add_column(
        "aid_entry", sa.Column("xid", sa.BigInteger(), nullable=False, server_default="0")
    )
    op.alter_column("aid_entry", "xid", server_default=sa.text(WRITER))
    op.create_index("ix_aid_entry_xid", "aid_entry", ["xid"], unique=False)
    op.create_index("ix_aid_entry_buyer_key", "aid_entry", ["buyer_key"], unique=False)
    op.execute(STAMP)
    op.create_table(
        "aid_rollup",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("question", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("horizon", sa.BigInteger(), nullable=True),
        sa.Column("cluster", sa.BigInteger(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_aid_rollup")),
        sa.UniqueConstraint("key", name=op.f("uq_aid_rollup_key")),
    )
    op.create_table(
        "aid_rollup_cell",
        sa.Column("rollup_id", sa.Uuid(), nullable=False),
        sa.Column("codes", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("names", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("rule_sets", sa.ARRAY(sa.Text()), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in MEASURES),
        sa.ForeignKeyConstraint(
            ["rollup_id"],
            ["aid_rollup.id"],
            name=op.f("fk_aid_rollup_cell_rollup_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("rollup_id", "codes", name=op.f("pk_aid_rollup_cell")),
    )


def downgrade() -> None:
    op.drop_table("aid_rollup_cell")
    op.drop_table("aid_rollup")
    op.execute("DROP TRIGGER aid_entry_stamp ON aid_entry; DROP FUNCTION stamp_xid()")
    op.drop_index("ix_aid_entry_buyer_key", table_name="aid_entry")
    op.drop_index("ix_aid_entry_xid", table_name="aid_entry")
    op.drop_column("aid_entry", "xid")
