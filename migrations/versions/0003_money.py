"""Money that can be proved: refunds, disputes, the ledger, the bank's lines, reconciliation."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

APPEND_ONLY = (
    "journal_entry",
    "posting",
    "provider_transaction",
    "reconciliation",
    "bank_statement",
)

CHECKS = {
    "ck_payment_captured": (
        "payment",
        "captured_fen >= 0",
        (
            "refunding_fen >= 0 AND refunded_fen >= 0 AND disputed_fen >= 0"
            " AND refunding_fen + refunded_fen <= captured_fen"
        ),
    ),
    "ck_order_line_shipped": (
        "order_line",
        "shipped_quantity >= 0 AND shipped_quantity <= quantity",
        "shipped_quantity >= 0 AND withdrawn >= 0 AND shipped_quantity + withdrawn <= quantity",
    ),
    "ck_order_line_returned": (
        "order_line",
        None,
        "returned >= 0 AND returned <= shipped_quantity",
    ),
    "ck_order_line_back": (
        "order_line",
        None,
        (
            "back_goods_fen >= 0 AND back_goods_fen <= goods_fen - discount_fen"
            " AND back_freight_fen >= 0 AND back_freight_fen <= freight_fen"
        ),
    ),
    "ck_aid_entry_kind": (
        "aid_entry",
        "kind IN ('sale', 'refund', 'import', 'import_undo', 'reattributed_out', 'reattributed_in')",
        (
            "kind IN ('sale', 'refund', 'refund_undo', 'import', 'import_undo', 'reattributed_out',"
            " 'reattributed_in')"
        ),
    ),
    "ck_aid_entry_sign": (
        "aid_entry",
        (
            "CASE WHEN kind IN ('sale', 'import', 'reattributed_in') "
            "THEN goods_fen >= 0 AND freight_fen >= 0 AND quantity >= 0 "
            "ELSE goods_fen <= 0 AND freight_fen <= 0 AND quantity <= 0 END"
        ),
        (
            "CASE WHEN kind IN ('sale', 'import', 'reattributed_in', 'refund_undo') "
            "THEN goods_fen >= 0 AND freight_fen >= 0 AND quantity >= 0 "
            "ELSE goods_fen <= 0 AND freight_fen <= 0 AND quantity <= 0 END"
        ),
    ),
}
"""Constraint -> table, condition before (None: there was none), condition after."""

GUARDS = """
CREATE FUNCTION refuse_unbalanced() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM written GROUP BY entry_id HAVING sum(amount_fen) <> 0) THEN
        RAISE EXCEPTION 'a journal entry must sum to zero'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER posting_balanced AFTER INSERT ON posting
    REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_unbalanced();

CREATE FUNCTION require_journal_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM journal_entry
        WHERE payment_id = NEW.id AND xid = pg_current_xact_id()::text::bigint
    ) THEN
        RAISE EXCEPTION 'the money of payment % changed without a journal entry', NEW.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER payment_posted AFTER UPDATE ON payment
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (
        (OLD.captured_fen, OLD.refunding_fen, OLD.refunded_fen, OLD.disputed_fen)
        IS DISTINCT FROM
        (NEW.captured_fen, NEW.refunding_fen, NEW.refunded_fen, NEW.disputed_fen)
    )
    EXECUTE FUNCTION require_journal_entry();
CREATE CONSTRAINT TRIGGER payment_born_posted AFTER INSERT ON payment
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.captured_fen > 0)
    EXECUTE FUNCTION require_journal_entry();
"""

OPENING = """
INSERT INTO journal_entry
    (id, subject, subject_id, event, day, at, payment_id, order_id, note, recorded_at)
SELECT gen_random_uuid(), 'payment', id, 'captured',
    (settled_at AT TIME ZONE 'Asia/Shanghai')::date, settled_at, id, order_id,
    'brought forward', now()
FROM payment WHERE captured_fen > 0;

INSERT INTO posting (entry_id, position, account, party, amount_fen)
SELECT entry_id, row_number() OVER (PARTITION BY entry_id ORDER BY account DESC, party),
    account, party, amount_fen
FROM (
    SELECT e.id AS entry_id,
        CASE WHEN p.method = 'stripe' THEN 'provider_clearing' ELSE 'suspense' END AS account,
        '' AS party, p.captured_fen AS amount_fen
    FROM journal_entry e JOIN payment p ON p.id = e.payment_id
    UNION ALL
    SELECT e.id, 'cooperative_payable', k.code, -c.total_fen
    FROM journal_entry e
    JOIN payment p ON p.id = e.payment_id AND p.state = 'succeeded'
    JOIN consignment c ON c.order_id = p.order_id
    JOIN cooperative k ON k.id = c.cooperative_id
    WHERE c.total_fen > 0
    UNION ALL
    SELECT e.id, 'suspense', '', -p.captured_fen
    FROM journal_entry e JOIN payment p ON p.id = e.payment_id AND p.state <> 'succeeded'
) AS forward;
"""


def _check(name: str, condition: str | None) -> None:
    table = CHECKS[name][0]
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")
    if condition is not None:
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({condition})")


def _raw(sql: str) -> None:
    # Several statements with percent signs: handed to the driver as they are.
    op.get_bind().connection.driver_connection.execute(sql)


def upgrade() -> None:
    op.create_table(
        "journal_entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "xid",
            sa.BigInteger(),
            server_default=sa.text("(pg_current_xact_id()::text::bigint)"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal_entry")),
    )
    op.create_index("ix_journal_entry_day", "journal_entry", ["day", "id"], unique=False)
    op.create_index(
        "ix_journal_entry_payment_id",
        "journal_entry",
        ["payment_id", "xid"],
        unique=False,
        postgresql_where="payment_id IS NOT NULL",
    )
    op.create_index(
        "uq_journal_entry_cause", "journal_entry", ["subject", "subject_id", "event"], unique=True
    )
    op.create_table(
        "provider_transaction",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("fee_fen", sa.BigInteger(), nullable=False),
        sa.Column("net_fen", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("intent_reference", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_transaction")),
        sa.UniqueConstraint("reference", name=op.f("uq_provider_transaction_reference")),
    )
    op.create_index(
        "ix_provider_transaction_day", "provider_transaction", ["day", "id"], unique=False
    )
    op.create_index(
        "ix_provider_transaction_source", "provider_transaction", ["source"], unique=False
    )
    op.create_table(
        "posting",
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("party", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_fen <> 0", name=op.f("ck_posting_amount")),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["journal_entry.id"], name=op.f("fk_posting_entry_id")
        ),
        sa.PrimaryKeyConstraint("entry_id", "position", name=op.f("pk_posting")),
    )
    op.create_index("ix_posting_account", "posting", ["account", "party", "entry_id"], unique=False)
    op.create_table(
        "bank_statement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("columns", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("rows_read", sa.BigInteger(), nullable=False),
        sa.Column("rows_new", sa.BigInteger(), nullable=False),
        sa.Column("imported_by", sa.Uuid(), nullable=True),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["imported_by"], ["user_account.id"], name=op.f("fk_bank_statement_imported_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_statement")),
        sa.UniqueConstraint("sha256", name=op.f("uq_bank_statement_sha256")),
    )
    op.create_table(
        "reconciliation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "side",
            sa.Enum(
                "provider",
                "bank",
                name="side",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("lines", sa.BigInteger(), nullable=False),
        sa.Column("theirs_fen", sa.BigInteger(), nullable=False),
        sa.Column("ours_fen", sa.BigInteger(), nullable=False),
        sa.Column("open_differences", sa.BigInteger(), nullable=False),
        sa.Column("sums", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("ran_by", sa.Uuid(), nullable=True),
        sa.Column("ran_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["ran_by"], ["user_account.id"], name=op.f("fk_reconciliation_ran_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliation")),
    )
    op.create_index("ix_reconciliation_day", "reconciliation", ["side", "day", "id"], unique=False)
    op.create_table(
        "bank_receipt",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("statement_id", sa.Uuid(), nullable=True),
        sa.Column("row_number", sa.BigInteger(), nullable=True),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "matched",
                "set_aside",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("matched_fen", sa.BigInteger(), nullable=False),
        sa.Column("payer_name", sa.Text(), nullable=False),
        sa.Column("payer_account", sa.Text(), nullable=False),
        sa.Column("remark", sa.Text(), nullable=False),
        sa.Column("bank_reference", sa.Text(), nullable=True),
        sa.Column("open_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("set_aside_reason", sa.Text(), nullable=True),
        sa.Column("entered_by", sa.Uuid(), nullable=True),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_fen <> 0", name=op.f("ck_bank_receipt_amount")),
        sa.CheckConstraint(
            "matched_fen = 0 OR (matched_fen > 0 AND matched_fen <= amount_fen)",
            name=op.f("ck_bank_receipt_matched"),
        ),
        sa.ForeignKeyConstraint(
            ["entered_by"], ["user_account.id"], name=op.f("fk_bank_receipt_entered_by")
        ),
        sa.ForeignKeyConstraint(
            ["statement_id"], ["bank_statement.id"], name=op.f("fk_bank_receipt_statement_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_receipt")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_bank_receipt_fingerprint")),
    )
    op.create_index("ix_bank_receipt_booked_on", "bank_receipt", ["booked_on", "id"], unique=False)
    op.create_index("ix_bank_receipt_state", "bank_receipt", ["state", "id"], unique=False)
    op.create_table(
        "bank_match",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("receipt_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "proposed",
                "entered",
                "approved",
                "rejected",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("entered_by", sa.Uuid(), nullable=True),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_bank_match_amount")),
        sa.CheckConstraint(
            "approved_by IS NULL OR approved_by <> entered_by",
            name=op.f("ck_bank_match_two_people"),
        ),
        sa.ForeignKeyConstraint(
            ["approved_by"], ["user_account.id"], name=op.f("fk_bank_match_approved_by")
        ),
        sa.ForeignKeyConstraint(
            ["entered_by"], ["user_account.id"], name=op.f("fk_bank_match_entered_by")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["customer_order.id"], name=op.f("fk_bank_match_order_id")
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payment.id"], name=op.f("fk_bank_match_payment_id")
        ),
        sa.ForeignKeyConstraint(
            ["receipt_id"], ["bank_receipt.id"], name=op.f("fk_bank_match_receipt_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_match")),
    )
    op.create_index("ix_bank_match_order_id", "bank_match", ["order_id"], unique=False)
    op.create_index("ix_bank_match_state", "bank_match", ["state", "id"], unique=False)
    op.create_index(
        "uq_bank_match_live",
        "bank_match",
        ["receipt_id", "order_id"],
        unique=True,
        postgresql_where="state <> 'rejected'",
    )
    op.create_table(
        "difference",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "side",
            sa.Enum(
                "provider",
                "bank",
                name="side",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("theirs_fen", sa.BigInteger(), nullable=True),
        sa.Column("ours_fen", sa.BigInteger(), nullable=True),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "vanished",
                "explained",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.Column("explanation", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["closed_by"], ["user_account.id"], name=op.f("fk_difference_closed_by")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["customer_order.id"], name=op.f("fk_difference_order_id")
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payment.id"], name=op.f("fk_difference_payment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_difference")),
    )
    op.create_index("ix_difference_day", "difference", ["side", "day"], unique=False)
    op.create_index("ix_difference_state", "difference", ["state", "id"], unique=False)
    op.create_index("uq_difference_cause", "difference", ["kind", "reference"], unique=True)
    op.create_table(
        "dispute",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "won",
                "lost",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("withheld_fen", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("evidence_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("amount_fen > 0 AND withheld_fen >= 0", name=op.f("ck_dispute_amounts")),
        sa.ForeignKeyConstraint(
            ["order_id"], ["customer_order.id"], name=op.f("fk_dispute_order_id")
        ),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_dispute_payment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispute")),
        sa.UniqueConstraint("reference", name=op.f("uq_dispute_reference")),
    )
    op.create_index("ix_dispute_order_id", "dispute", ["order_id"], unique=False)
    op.create_index("ix_dispute_state", "dispute", ["state", "id"], unique=False)
    op.create_table(
        "refund",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "requested",
                "sent",
                "succeeded",
                "failed",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "cause",
            sa.Enum(
                "staff",
                "late",
                "double",
                "amount_mismatch",
                "at_provider",
                name="cause",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("goods_fen", sa.BigInteger(), nullable=False),
        sa.Column("freight_fen", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("failure_code", sa.Text(), nullable=True),
        sa.Column("retry_of", sa.Uuid(), nullable=True),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_refund_amount")),
        sa.CheckConstraint(
            "goods_fen + freight_fen = amount_fen OR goods_fen + freight_fen = 0",
            name=op.f("ck_refund_sum"),
        ),
        sa.CheckConstraint("goods_fen >= 0 AND freight_fen >= 0", name=op.f("ck_refund_parts")),
        sa.ForeignKeyConstraint(
            ["order_id"], ["customer_order.id"], name=op.f("fk_refund_order_id")
        ),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_refund_payment_id")),
        sa.ForeignKeyConstraint(
            ["requested_by"], ["user_account.id"], name=op.f("fk_refund_requested_by")
        ),
        sa.ForeignKeyConstraint(["retry_of"], ["refund.id"], name=op.f("fk_refund_retry_of")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund")),
        sa.UniqueConstraint("number", name=op.f("uq_refund_number")),
        sa.UniqueConstraint("retry_of", name=op.f("uq_refund_retry_of")),
    )
    op.create_index("ix_refund_order_id", "refund", ["order_id", "id"], unique=False)
    op.create_index("ix_refund_payment_id", "refund", ["payment_id"], unique=False)
    op.create_index("ix_refund_state", "refund", ["state", "id"], unique=False)
    op.create_index(
        "uq_refund_automatic",
        "refund",
        ["payment_id"],
        unique=True,
        postgresql_where="cause IN ('late', 'double') AND retry_of IS NULL",
    )
    op.create_index(
        "uq_refund_reference",
        "refund",
        ["reference"],
        unique=True,
        postgresql_where="reference IS NOT NULL",
    )
    op.create_table(
        "dispute_line",
        sa.Column("dispute_id", sa.Uuid(), nullable=False),
        sa.Column("order_line_id", sa.Uuid(), nullable=False),
        sa.Column("goods_fen", sa.BigInteger(), nullable=False),
        sa.Column("freight_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "goods_fen >= 0 AND freight_fen >= 0", name=op.f("ck_dispute_line_amounts")
        ),
        sa.ForeignKeyConstraint(
            ["dispute_id"], ["dispute.id"], name=op.f("fk_dispute_line_dispute_id")
        ),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_line.id"], name=op.f("fk_dispute_line_order_line_id")
        ),
        sa.PrimaryKeyConstraint("dispute_id", "order_line_id", name=op.f("pk_dispute_line")),
    )
    op.create_index(
        "ix_dispute_line_order_line_id", "dispute_line", ["order_line_id"], unique=False
    )
    op.create_table(
        "refund_line",
        sa.Column("refund_id", sa.Uuid(), nullable=False),
        sa.Column("order_line_id", sa.Uuid(), nullable=False),
        sa.Column("goods_fen", sa.BigInteger(), nullable=False),
        sa.Column("freight_fen", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn", sa.BigInteger(), nullable=False),
        sa.Column("returned", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "goods_fen >= 0 AND freight_fen >= 0", name=op.f("ck_refund_line_amounts")
        ),
        sa.CheckConstraint("withdrawn >= 0 AND returned >= 0", name=op.f("ck_refund_line_pieces")),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_line.id"], name=op.f("fk_refund_line_order_line_id")
        ),
        sa.ForeignKeyConstraint(
            ["refund_id"], ["refund.id"], name=op.f("fk_refund_line_refund_id")
        ),
        sa.PrimaryKeyConstraint("refund_id", "order_line_id", name=op.f("pk_refund_line")),
    )
    op.create_index("ix_refund_line_order_line_id", "refund_line", ["order_line_id"], unique=False)
    op.add_column(
        "customer_order", sa.Column("pay_extended_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column(
        "order_line", sa.Column("withdrawn", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.add_column(
        "order_line", sa.Column("returned", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.add_column(
        "order_line",
        sa.Column("back_goods_fen", sa.BigInteger(), server_default="0", nullable=False),
    )
    op.add_column(
        "order_line",
        sa.Column("back_freight_fen", sa.BigInteger(), server_default="0", nullable=False),
    )
    op.add_column(
        "payment", sa.Column("refunding_fen", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.add_column(
        "payment", sa.Column("refunded_fen", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.add_column(
        "payment", sa.Column("disputed_fen", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.add_column("payment", sa.Column("charge_reference", sa.Text(), nullable=True))
    op.create_index(
        "ix_payment_intent_reference",
        "payment",
        ["intent_reference"],
        unique=False,
        postgresql_where="intent_reference IS NOT NULL",
    )
    op.create_index(
        "ix_payment_charge_reference",
        "payment",
        ["charge_reference"],
        unique=False,
        postgresql_where="charge_reference IS NOT NULL",
    )
    op.add_column("provider_event", sa.Column("intent_reference", sa.Text(), nullable=True))
    op.add_column(
        "unit",
        sa.Column("pay_after_delivery", sa.Boolean(), server_default="false", nullable=False),
    )
    op.create_index(
        "ix_provider_event_outcome_failed",
        "provider_event_outcome",
        ["provider_event_id", "id"],
        unique=False,
        postgresql_where="outcome = 'failed'",
    )
    for name, (_, _, after) in CHECKS.items():
        _check(name, after)
    # What was paid before there was a ledger is its opening balance.
    _raw(OPENING)
    _raw(GUARDS)
    for table in APPEND_ONLY:
        _raw(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change();"
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();"
        )


def downgrade() -> None:
    _raw(
        "DROP TRIGGER payment_posted ON payment; DROP TRIGGER payment_born_posted ON payment;"
        "DROP FUNCTION require_journal_entry();"
        "DROP TRIGGER posting_balanced ON posting; DROP FUNCTION refuse_unbalanced()"
    )
    # An undone refund has no place in the record as it was: the refund and it cancel out.
    _raw(
        "ALTER TABLE aid_entry DISABLE TRIGGER aid_entry_append_only;"
        "DELETE FROM aid_entry r USING aid_entry u WHERE u.kind = 'refund_undo'"
        " AND r.kind = 'refund' AND r.cause_id = u.cause_id AND r.order_line_id = u.order_line_id;"
        "DELETE FROM aid_entry WHERE kind = 'refund_undo';"
        "ALTER TABLE aid_entry ENABLE TRIGGER aid_entry_append_only"
    )
    for name in reversed(CHECKS):
        _check(name, None)
    op.drop_index(
        "ix_provider_event_outcome_failed",
        table_name="provider_event_outcome",
        postgresql_where="outcome = 'failed'",
    )
    op.drop_column("unit", "pay_after_delivery")
    op.drop_column("provider_event", "intent_reference")
    op.drop_index(
        "ix_payment_intent_reference",
        table_name="payment",
        postgresql_where="intent_reference IS NOT NULL",
    )
    op.drop_index(
        "ix_payment_charge_reference",
        table_name="payment",
        postgresql_where="charge_reference IS NOT NULL",
    )
    op.drop_column("payment", "charge_reference")
    op.drop_column("payment", "disputed_fen")
    op.drop_column("payment", "refunded_fen")
    op.drop_column("payment", "refunding_fen")
    op.drop_column("order_line", "back_freight_fen")
    op.drop_column("order_line", "back_goods_fen")
    op.drop_column("order_line", "returned")
    op.drop_column("order_line", "withdrawn")
    op.drop_column("customer_order", "pay_extended_at")
    op.drop_index("ix_refund_line_order_line_id", table_name="refund_line")
    op.drop_table("refund_line")
    op.drop_index("ix_dispute_line_order_line_id", table_name="dispute_line")
    op.drop_table("dispute_line")
    op.drop_index(
        "uq_refund_reference", table_name="refund", postgresql_where="reference IS NOT NULL"
    )
    op.drop_index(
        "uq_refund_automatic",
        table_name="refund",
        postgresql_where="cause IN ('late', 'double') AND retry_of IS NULL",
    )
    op.drop_index("ix_refund_state", table_name="refund")
    op.drop_index("ix_refund_payment_id", table_name="refund")
    op.drop_index("ix_refund_order_id", table_name="refund")
    op.drop_table("refund")
    op.drop_index("ix_dispute_state", table_name="dispute")
    op.drop_index("ix_dispute_order_id", table_name="dispute")
    op.drop_table("dispute")
    op.drop_index("uq_difference_cause", table_name="difference")
    op.drop_index("ix_difference_state", table_name="difference")
    op.drop_index("ix_difference_day", table_name="difference")
    op.drop_table("difference")
    op.drop_index(
        "uq_bank_match_live", table_name="bank_match", postgresql_where="state <> 'rejected'"
    )
    op.drop_index("ix_bank_match_state", table_name="bank_match")
    op.drop_index("ix_bank_match_order_id", table_name="bank_match")
    op.drop_table("bank_match")
    op.drop_index("ix_bank_receipt_state", table_name="bank_receipt")
    op.drop_index("ix_bank_receipt_booked_on", table_name="bank_receipt")
    op.drop_table("bank_receipt")
    op.drop_index("ix_reconciliation_day", table_name="reconciliation")
    op.drop_table("reconciliation")
    op.drop_table("bank_statement")
    op.drop_index("ix_posting_account", table_name="posting")
    op.drop_table("posting")
    op.drop_index("ix_provider_transaction_source", table_name="provider_transaction")
    op.drop_index("ix_provider_transaction_day", table_name="provider_transaction")
    op.drop_table("provider_transaction")
    op.drop_index("uq_journal_entry_cause", table_name="journal_entry")
    op.drop_index(
        "ix_journal_entry_payment_id",
        table_name="journal_entry",
        postgresql_where="payment_id IS NOT NULL",
    )
    op.drop_index("ix_journal_entry_day", table_name="journal_entry")
    op.drop_table("journal_entry")
    for name, (_, before, _) in CHECKS.items():
        if before is not None:
            _check(name, before)
