"""The whole road: every table of the first release, the guards, and the job queue's own schema."""

import sqlalchemy as sa
from alembic import op
from procrastinate.schema import SchemaManager
from sqlalchemy.dialects import postgresql

APPEND_ONLY = (
    "stock_movement",
    "order_event",
    "provider_event",
    "provider_event_outcome",
    "aid_entry",
    "audit_entry",
)

REFUSE_CHANGE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append only: write a new row instead', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""

DROP_QUEUE = """
DO $$ DECLARE found record; BEGIN
    FOR found IN SELECT tablename FROM pg_tables
        WHERE schemaname = current_schema AND tablename LIKE 'procrastinate\\_%' LOOP
        EXECUTE format('DROP TABLE %I CASCADE', found.tablename);
    END LOOP;
    FOR found IN SELECT p.oid::regprocedure AS signature FROM pg_proc p
        JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = current_schema AND p.proname LIKE 'procrastinate\\_%' LOOP
        EXECUTE format('DROP FUNCTION %s CASCADE', found.signature);
    END LOOP;
    FOR found IN SELECT t.typname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
        WHERE n.nspname = current_schema AND t.typtype IN ('e', 'c')
        AND t.typname LIKE 'procrastinate\\_%' LOOP
        EXECUTE format('DROP TYPE IF EXISTS %I CASCADE', found.typname);
    END LOOP;
END $$;
"""

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "aid_entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "sale",
                "refund",
                "import",
                "import_undo",
                "reattributed_out",
                "reattributed_in",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("sale_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sale_day", sa.Date(), nullable=False),
        sa.Column("platform_code", sa.Text(), nullable=False),
        sa.Column("platform_name", sa.Text(), nullable=False),
        sa.Column("storefront_code", sa.Text(), nullable=True),
        sa.Column("storefront_name", sa.Text(), nullable=True),
        sa.Column("channel_code", sa.Text(), nullable=False),
        sa.Column("channel_name", sa.Text(), nullable=False),
        sa.Column("campaign_code", sa.Text(), nullable=True),
        sa.Column("campaign_name", sa.Text(), nullable=True),
        sa.Column("unit_code", sa.Text(), nullable=True),
        sa.Column("unit_name", sa.Text(), nullable=True),
        sa.Column(
            "buyer_kind",
            sa.Enum(
                "staff",
                "student",
                "alumni",
                "public",
                "unit_account",
                name="buyer_kind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("buyer_key", sa.Text(), nullable=False),
        sa.Column(
            "purpose",
            sa.Enum(
                "personal",
                "union_gift",
                "canteen",
                name="purpose",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "aid_class",
            sa.Enum(
                "direct_purchase",
                "help_sell",
                name="aid_class",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("rule_set_code", sa.Text(), nullable=False),
        sa.Column("rule_reason", sa.Text(), nullable=False),
        sa.Column("cooperative_code", sa.Text(), nullable=False),
        sa.Column("cooperative_name", sa.Text(), nullable=False),
        sa.Column("product_code", sa.Text(), nullable=False),
        sa.Column("product_name", sa.Text(), nullable=False),
        sa.Column("sku_code", sa.Text(), nullable=False),
        sa.Column("sku_name", sa.Text(), nullable=False),
        sa.Column("category_code", sa.Text(), nullable=False),
        sa.Column("category_name", sa.Text(), nullable=False),
        sa.Column("aid_certified", sa.Boolean(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("weight_g", sa.BigInteger(), nullable=False),
        sa.Column("goods_fen", sa.BigInteger(), nullable=False),
        sa.Column("freight_fen", sa.BigInteger(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("order_number", sa.Text(), nullable=True),
        sa.Column("order_line_id", sa.Uuid(), nullable=True),
        sa.Column("external_reference", sa.Text(), nullable=True),
        sa.Column("cause_id", sa.Uuid(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "CASE WHEN kind IN ('sale', 'import', 'reattributed_in') THEN goods_fen >= 0 AND freight_fen >= 0 AND quantity >= 0 ELSE goods_fen <= 0 AND freight_fen <= 0 AND quantity <= 0 END",
            name=op.f("ck_aid_entry_sign"),
        ),
        sa.CheckConstraint(
            "(order_line_id IS NULL) <> (external_reference IS NULL)",
            name=op.f("ck_aid_entry_origin"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_aid_entry")),
    )
    op.create_index("ix_aid_entry_day", "aid_entry", ["day", "id"], unique=False)
    op.create_index("ix_aid_entry_order_line_id", "aid_entry", ["order_line_id"], unique=False)
    op.create_index("ix_aid_entry_sale_day", "aid_entry", ["sale_day", "id"], unique=False)
    op.create_index(
        "uq_aid_entry_cause",
        "aid_entry",
        ["kind", "cause_id", "order_line_id"],
        unique=True,
        postgresql_where="order_line_id IS NOT NULL",
    )
    op.create_index(
        "uq_aid_entry_external",
        "aid_entry",
        ["platform_code", "external_reference", "kind"],
        unique=True,
        postgresql_where="kind IN ('import')",
    )
    op.create_table(
        "audit_entry",
        sa.Column("sequence", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("previous_hash", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_audit_entry")),
    )
    op.create_index(
        "ix_audit_entry_subject", "audit_entry", ["subject", "subject_id"], unique=False
    )
    op.create_table(
        "campaign",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("channels", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("goal_fen", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_campaign_period")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign")),
        sa.UniqueConstraint("code", name=op.f("uq_campaign_code")),
    )
    op.create_table(
        "catalog_version",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_catalog_version_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalog_version")),
    )
    op.create_table(
        "category",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_category")),
        sa.UniqueConstraint("code", name=op.f("uq_category_code")),
        sa.UniqueConstraint("slug", name=op.f("uq_category_slug")),
    )
    op.create_table(
        "channel",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("medium", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel")),
        sa.UniqueConstraint("code", name=op.f("uq_channel_code")),
    )
    op.create_table(
        "cooperative",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=True),
        sa.Column("township_code", sa.Text(), nullable=False),
        sa.Column("intro", sa.Text(), nullable=False),
        sa.Column("intro_en", sa.Text(), nullable=False),
        sa.Column("member_households", sa.BigInteger(), nullable=False),
        sa.Column("lifted_households", sa.BigInteger(), nullable=False),
        sa.Column("licence_no", sa.Text(), nullable=False),
        sa.Column("documents", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("image", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cooperative")),
        sa.UniqueConstraint("code", name=op.f("uq_cooperative_code")),
    )
    op.create_table(
        "idempotency_key",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("claim", sa.Uuid(), nullable=False),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.BigInteger(), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("headers", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.PrimaryKeyConstraint("scope", "key", name=op.f("pk_idempotency_key")),
    )
    op.create_index(
        "ix_idempotency_key_created_at", "idempotency_key", ["created_at"], unique=False
    )
    op.create_table(
        "provider_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_event")),
        sa.UniqueConstraint("event_id", name=op.f("uq_provider_event_event_id")),
    )
    op.create_table(
        "rule_set",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("effective_to", sa.Date(), nullable=True),
        sa.Column("definition", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_set")),
        sa.UniqueConstraint("code", name=op.f("uq_rule_set_code")),
    )
    op.create_table(
        "sales_platform",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("counts_for", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sales_platform")),
        sa.UniqueConstraint("code", name=op.f("uq_sales_platform_code")),
    )
    op.create_table(
        "storefront",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_storefront")),
        sa.UniqueConstraint("code", name=op.f("uq_storefront_code")),
    )
    op.create_table(
        "unit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("headcount", sa.BigInteger(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["parent_id"], ["unit.id"], name=op.f("fk_unit_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit")),
        sa.UniqueConstraint("code", name=op.f("uq_unit_code")),
    )
    op.create_table(
        "worker_heartbeat",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_worker_heartbeat")),
    )
    op.create_table(
        "freight_template",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("cooperative_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("definition", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["cooperative_id"], ["cooperative.id"], name=op.f("fk_freight_template_cooperative_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_freight_template")),
        sa.UniqueConstraint(
            "cooperative_id", "code", name=op.f("uq_freight_template_cooperative_id_code")
        ),
    )
    op.create_table(
        "provider_event_outcome",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider_event_id", sa.Uuid(), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum(
                "applied",
                "nothing_to_do",
                "ignored",
                "failed",
                name="outcome",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["provider_event_id"],
            ["provider_event.id"],
            name=op.f("fk_provider_event_outcome_provider_event_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_event_outcome")),
    )
    op.create_index(
        "ix_provider_event_outcome_event",
        "provider_event_outcome",
        ["provider_event_id", "id"],
        unique=False,
    )
    op.create_table(
        "target",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.BigInteger(), nullable=False),
        sa.Column("indicator", sa.Text(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=True),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_target_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_target")),
        sa.UniqueConstraint(
            "year",
            "indicator",
            "unit_id",
            name=op.f("uq_target_year_indicator_unit_id"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_table(
        "user_account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column(
            "buyer_kind",
            sa.Enum(
                "staff",
                "student",
                "alumni",
                "public",
                "unit_account",
                name="buyer_kind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("unit_id", sa.Uuid(), nullable=True),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_user_account_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_account")),
        sa.UniqueConstraint("email", name=op.f("uq_user_account_email")),
    )
    op.create_table(
        "access_token",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "api", "session", name="kind", native_enum=False, create_constraint=True, length=40
            ),
            nullable=False,
        ),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("scopes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_access_token_user_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_access_token_token_hash")),
    )
    op.create_index("ix_access_token_user_id", "access_token", ["user_id"], unique=False)
    op.create_table(
        "address",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("phone_encrypted", sa.Text(), nullable=False),
        sa.Column("phone_hash", sa.Text(), nullable=False),
        sa.Column("division_code", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_address_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address")),
    )
    op.create_index("ix_address_user_id", "address", ["user_id"], unique=False)
    op.create_table(
        "cart",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("token_hash", sa.Text(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(user_id IS NULL) <> (token_hash IS NULL)", name=op.f("ck_cart_one_owner")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_cart_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cart")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_cart_token_hash")),
        sa.UniqueConstraint("user_id", name=op.f("uq_cart_user_id")),
    )
    op.create_table(
        "customer_order",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "pending_payment",
                "paid",
                "cancelled",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("buyer_id", sa.Uuid(), nullable=True),
        sa.Column("buyer_name", sa.Text(), nullable=False),
        sa.Column("buyer_email", sa.Text(), nullable=True),
        sa.Column(
            "buyer_kind",
            sa.Enum(
                "staff",
                "student",
                "alumni",
                "public",
                "unit_account",
                name="buyer_kind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("buyer_key", sa.Text(), nullable=False),
        sa.Column(
            "purpose",
            sa.Enum(
                "personal",
                "union_gift",
                "canteen",
                name="purpose",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "payment_terms",
            sa.Enum(
                "prepay",
                "pay_after_delivery",
                name="payment_terms",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("unit_id", sa.Uuid(), nullable=True),
        sa.Column("channel_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=True),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("storefront_id", sa.Uuid(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("phone_encrypted", sa.Text(), nullable=False),
        sa.Column("phone_hash", sa.Text(), nullable=False),
        sa.Column("division_code", sa.Text(), nullable=False),
        sa.Column("division_text", sa.Text(), nullable=False),
        sa.Column("address_detail", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("adult_confirmed", sa.Boolean(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("goods_fen", sa.BigInteger(), nullable=False),
        sa.Column("discount_fen", sa.BigInteger(), nullable=False),
        sa.Column("freight_fen", sa.BigInteger(), nullable=False),
        sa.Column("total_fen", sa.BigInteger(), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("pay_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(state = 'paid') = (paid_at IS NOT NULL)", name=op.f("ck_customer_order_paid_at")
        ),
        sa.CheckConstraint(
            "discount_fen >= 0 AND discount_fen <= goods_fen",
            name=op.f("ck_customer_order_discount"),
        ),
        sa.CheckConstraint(
            "goods_fen >= 0 AND freight_fen >= 0", name=op.f("ck_customer_order_amounts")
        ),
        sa.CheckConstraint(
            "total_fen = goods_fen - discount_fen + freight_fen",
            name=op.f("ck_customer_order_total"),
        ),
        sa.ForeignKeyConstraint(
            ["buyer_id"], ["user_account.id"], name=op.f("fk_customer_order_buyer_id")
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_customer_order_campaign_id")
        ),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["channel.id"], name=op.f("fk_customer_order_channel_id")
        ),
        sa.ForeignKeyConstraint(
            ["platform_id"], ["sales_platform.id"], name=op.f("fk_customer_order_platform_id")
        ),
        sa.ForeignKeyConstraint(
            ["storefront_id"], ["storefront.id"], name=op.f("fk_customer_order_storefront_id")
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_customer_order_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_order")),
        sa.UniqueConstraint("number", name=op.f("uq_customer_order_number")),
    )
    op.create_index(
        "ix_customer_order_buyer_id", "customer_order", ["buyer_id", "id"], unique=False
    )
    op.create_index(
        "ix_customer_order_due",
        "customer_order",
        ["pay_before"],
        unique=False,
        postgresql_where="state = 'pending_payment'",
    )
    op.create_table(
        "product",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("description_en", sa.Text(), nullable=False),
        sa.Column("category_id", sa.Uuid(), nullable=False),
        sa.Column("cooperative_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "prepacked_food",
                "edible_agri",
                "alcohol",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "in_review",
                "listed",
                "unlisted",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("origin_division", sa.Text(), nullable=False),
        sa.Column("aid_certified", sa.Boolean(), nullable=False),
        sa.Column("storage", sa.Text(), nullable=False),
        sa.Column("shelf_life_days", sa.BigInteger(), nullable=True),
        sa.Column(
            "no_reason_return",
            sa.Enum(
                "eligible",
                "needs_confirm",
                "excluded_perishable",
                name="no_reason_return",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("age_restricted", sa.Boolean(), nullable=False),
        sa.Column("freight_template_id", sa.Uuid(), nullable=False),
        sa.Column("label", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("image", sa.Text(), nullable=True),
        sa.Column("sale_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sale_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ship_by", sa.Date(), nullable=True),
        sa.Column("search", postgresql.TSVECTOR(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "sale_from IS NULL OR sale_until IS NULL OR sale_from < sale_until",
            name=op.f("ck_product_sale_window"),
        ),
        sa.ForeignKeyConstraint(
            ["category_id"], ["category.id"], name=op.f("fk_product_category_id")
        ),
        sa.ForeignKeyConstraint(
            ["cooperative_id"], ["cooperative.id"], name=op.f("fk_product_cooperative_id")
        ),
        sa.ForeignKeyConstraint(
            ["freight_template_id"],
            ["freight_template.id"],
            name=op.f("fk_product_freight_template_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product")),
        sa.UniqueConstraint("code", name=op.f("uq_product_code")),
        sa.UniqueConstraint("slug", name=op.f("uq_product_slug")),
    )
    op.create_index("ix_product_cooperative_id", "product", ["cooperative_id"], unique=False)
    op.create_index(
        "ix_product_listed",
        "product",
        ["category_id", "id"],
        unique=False,
        postgresql_where="state = 'listed'",
    )
    op.create_index(
        "ix_product_search", "product", ["search"], unique=False, postgresql_using="gin"
    )
    op.create_table(
        "role_grant",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "organizer",
                "finance",
                "platform_admin",
                "coop_manager",
                "unit_liaison",
                "union_buyer",
                "canteen_buyer",
                "county_officer",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("cooperative_id", sa.Uuid(), nullable=True),
        sa.Column("unit_id", sa.Uuid(), nullable=True),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(role = 'coop_manager') = (cooperative_id IS NOT NULL)",
            name=op.f("ck_role_grant_scope"),
        ),
        sa.ForeignKeyConstraint(
            ["cooperative_id"], ["cooperative.id"], name=op.f("fk_role_grant_cooperative_id")
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_role_grant_unit_id")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_role_grant_user_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role_grant")),
        sa.UniqueConstraint(
            "user_id",
            "role",
            "cooperative_id",
            "unit_id",
            name=op.f("uq_role_grant_user_id_role_cooperative_id_unit_id"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_table(
        "consignment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("cooperative_id", sa.Uuid(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "pending_payment",
                "pending_shipment",
                "partially_shipped",
                "shipped",
                "completed",
                "cancelled",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("goods_fen", sa.BigInteger(), nullable=False),
        sa.Column("discount_fen", sa.BigInteger(), nullable=False),
        sa.Column("freight_fen", sa.BigInteger(), nullable=False),
        sa.Column("total_fen", sa.BigInteger(), nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("shipped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "total_fen = goods_fen - discount_fen + freight_fen", name=op.f("ck_consignment_total")
        ),
        sa.ForeignKeyConstraint(
            ["cooperative_id"], ["cooperative.id"], name=op.f("fk_consignment_cooperative_id")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["customer_order.id"], name=op.f("fk_consignment_order_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consignment")),
        sa.UniqueConstraint("number", name=op.f("uq_consignment_number")),
    )
    op.create_index(
        "ix_consignment_cooperative_id",
        "consignment",
        ["cooperative_id", "state", "id"],
        unique=False,
    )
    op.create_index("ix_consignment_order_id", "consignment", ["order_id"], unique=False)
    op.create_table(
        "order_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("from_state", sa.Text(), nullable=True),
        sa.Column("to_state", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"], ["customer_order.id"], name=op.f("fk_order_event_order_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_event")),
    )
    op.create_index("ix_order_event_order_id", "order_event", ["order_id", "id"], unique=False)
    op.create_table(
        "payment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column(
            "method",
            sa.Enum(
                "stripe",
                "bank_transfer",
                name="method",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "created",
                "pending",
                "succeeded",
                "failed",
                "expired",
                "needs_refund",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("captured_fen", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("intent_reference", sa.Text(), nullable=True),
        sa.Column("redirect_url", sa.Text(), nullable=True),
        sa.Column("return_url", sa.Text(), nullable=True),
        sa.Column("failure_code", sa.Text(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_payment_amount")),
        sa.CheckConstraint("captured_fen >= 0", name=op.f("ck_payment_captured")),
        sa.ForeignKeyConstraint(
            ["order_id"], ["customer_order.id"], name=op.f("fk_payment_order_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment")),
    )
    op.create_index("ix_payment_order_id", "payment", ["order_id"], unique=False)
    op.create_index(
        "uq_payment_live",
        "payment",
        ["order_id"],
        unique=True,
        postgresql_where="state IN ('created', 'pending')",
    )
    op.create_index(
        "uq_payment_reference",
        "payment",
        ["method", "reference"],
        unique=True,
        postgresql_where="reference IS NOT NULL",
    )
    op.create_index(
        "uq_payment_settles",
        "payment",
        ["order_id"],
        unique=True,
        postgresql_where="state = 'succeeded'",
    )
    op.create_table(
        "sku",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("net_content", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("price_fen", sa.BigInteger(), nullable=False),
        sa.Column("weight_g", sa.BigInteger(), nullable=False),
        sa.Column("gtin", sa.Text(), nullable=True),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("price_fen > 0 AND price_fen <= 100000000", name=op.f("ck_sku_price")),
        sa.CheckConstraint("weight_g > 0", name=op.f("ck_sku_weight")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_sku_product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sku")),
        sa.UniqueConstraint("code", name=op.f("uq_sku_code")),
    )
    op.create_index("ix_sku_product_id", "sku", ["product_id"], unique=False)
    op.create_table(
        "cart_line",
        sa.Column("cart_id", sa.Uuid(), nullable=False),
        sa.Column("sku_id", sa.Uuid(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_cart_line_quantity")),
        sa.ForeignKeyConstraint(
            ["cart_id"], ["cart.id"], name=op.f("fk_cart_line_cart_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_cart_line_sku_id")),
        sa.PrimaryKeyConstraint("cart_id", "sku_id", name=op.f("pk_cart_line")),
    )
    op.create_table(
        "order_line",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("consignment_id", sa.Uuid(), nullable=False),
        sa.Column("sku_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("product_name", sa.Text(), nullable=False),
        sa.Column("sku_name", sa.Text(), nullable=False),
        sa.Column("snapshot", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("unit_price_fen", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("shipped_quantity", sa.BigInteger(), nullable=False),
        sa.Column("goods_fen", sa.BigInteger(), nullable=False),
        sa.Column("discount_fen", sa.BigInteger(), nullable=False),
        sa.Column("freight_fen", sa.BigInteger(), nullable=False),
        sa.Column("weight_g", sa.BigInteger(), nullable=False),
        sa.Column("no_return_confirmed", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "discount_fen >= 0 AND discount_fen <= goods_fen", name=op.f("ck_order_line_discount")
        ),
        sa.CheckConstraint(
            "goods_fen = unit_price_fen * quantity", name=op.f("ck_order_line_goods")
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_order_line_quantity")),
        sa.CheckConstraint(
            "shipped_quantity >= 0 AND shipped_quantity <= quantity",
            name=op.f("ck_order_line_shipped"),
        ),
        sa.ForeignKeyConstraint(
            ["consignment_id"], ["consignment.id"], name=op.f("fk_order_line_consignment_id")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["customer_order.id"], name=op.f("fk_order_line_order_id")
        ),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_order_line_sku_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_line")),
    )
    op.create_index("ix_order_line_consignment_id", "order_line", ["consignment_id"], unique=False)
    op.create_index("ix_order_line_order_id", "order_line", ["order_id"], unique=False)
    op.create_index("ix_order_line_sku_id", "order_line", ["sku_id"], unique=False)
    op.create_table(
        "parcel",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("consignment_id", sa.Uuid(), nullable=False),
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.Column("tracking_no", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("shipped_by", sa.Uuid(), nullable=True),
        sa.Column("shipped_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["consignment_id"], ["consignment.id"], name=op.f("fk_parcel_consignment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parcel")),
        sa.UniqueConstraint(
            "carrier",
            "tracking_no",
            "consignment_id",
            name=op.f("uq_parcel_carrier_tracking_no_consignment_id"),
        ),
    )
    op.create_index("ix_parcel_consignment_id", "parcel", ["consignment_id"], unique=False)
    op.create_table(
        "stock",
        sa.Column("sku_id", sa.Uuid(), nullable=False),
        sa.Column("on_hand", sa.BigInteger(), nullable=False),
        sa.Column("reserved", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("reserved <= on_hand", name=op.f("ck_stock_never_oversold")),
        sa.CheckConstraint("reserved >= 0", name=op.f("ck_stock_reserved")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_stock_sku_id")),
        sa.PrimaryKeyConstraint("sku_id", name=op.f("pk_stock")),
        postgresql_with={"fillfactor": "50"},
    )
    op.create_table(
        "stock_movement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sku_id", sa.Uuid(), nullable=False),
        sa.Column("on_hand_delta", sa.BigInteger(), nullable=False),
        sa.Column("reserved_delta", sa.BigInteger(), nullable=False),
        sa.Column(
            "cause",
            sa.Enum(
                "initial",
                "harvest",
                "purchase",
                "count",
                "damage",
                "return",
                "reserve",
                "release",
                "ship",
                "correction",
                name="cause",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("parcel_id", sa.Uuid(), nullable=True),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "on_hand_delta <> 0 OR reserved_delta <> 0",
            name=op.f("ck_stock_movement_changes_something"),
        ),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_stock_movement_sku_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_movement")),
    )
    op.create_index("ix_stock_movement_order_id", "stock_movement", ["order_id"], unique=False)
    op.create_index("ix_stock_movement_sku_id", "stock_movement", ["sku_id", "id"], unique=False)
    op.create_table(
        "parcel_line",
        sa.Column("parcel_id", sa.Uuid(), nullable=False),
        sa.Column("order_line_id", sa.Uuid(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_parcel_line_quantity")),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_line.id"], name=op.f("fk_parcel_line_order_line_id")
        ),
        sa.ForeignKeyConstraint(
            ["parcel_id"], ["parcel.id"], name=op.f("fk_parcel_line_parcel_id")
        ),
        sa.PrimaryKeyConstraint("parcel_id", "order_line_id", name=op.f("pk_parcel_line")),
    )
    op.create_index("ix_parcel_line_order_line_id", "parcel_line", ["order_line_id"], unique=False)
    _raw(REFUSE_CHANGE)
    for table in APPEND_ONLY:
        _raw(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change();"
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();"
        )
    _raw("INSERT INTO catalog_version (id, version) VALUES (1, 1)")
    _raw(SchemaManager.get_schema())


def _raw(sql: str) -> None:
    # Several statements with percent signs: handed to the driver as they are.
    op.get_bind().connection.driver_connection.execute(sql)


def downgrade() -> None:
    _raw(DROP_QUEUE)
    op.drop_index("ix_parcel_line_order_line_id", table_name="parcel_line")
    op.drop_table("parcel_line")
    op.drop_index("ix_stock_movement_sku_id", table_name="stock_movement")
    op.drop_index("ix_stock_movement_order_id", table_name="stock_movement")
    op.drop_table("stock_movement")
    op.drop_table("stock")
    op.drop_index("ix_parcel_consignment_id", table_name="parcel")
    op.drop_table("parcel")
    op.drop_index("ix_order_line_sku_id", table_name="order_line")
    op.drop_index("ix_order_line_order_id", table_name="order_line")
    op.drop_index("ix_order_line_consignment_id", table_name="order_line")
    op.drop_table("order_line")
    op.drop_table("cart_line")
    op.drop_index("ix_sku_product_id", table_name="sku")
    op.drop_table("sku")
    op.drop_index(
        "uq_payment_settles", table_name="payment", postgresql_where="state = 'succeeded'"
    )
    op.drop_index(
        "uq_payment_reference", table_name="payment", postgresql_where="reference IS NOT NULL"
    )
    op.drop_index(
        "uq_payment_live", table_name="payment", postgresql_where="state IN ('created', 'pending')"
    )
    op.drop_index("ix_payment_order_id", table_name="payment")
    op.drop_table("payment")
    op.drop_index("ix_order_event_order_id", table_name="order_event")
    op.drop_table("order_event")
    op.drop_index("ix_consignment_order_id", table_name="consignment")
    op.drop_index("ix_consignment_cooperative_id", table_name="consignment")
    op.drop_table("consignment")
    op.drop_table("role_grant")
    op.drop_index("ix_product_search", table_name="product", postgresql_using="gin")
    op.drop_index("ix_product_listed", table_name="product", postgresql_where="state = 'listed'")
    op.drop_index("ix_product_cooperative_id", table_name="product")
    op.drop_table("product")
    op.drop_index(
        "ix_customer_order_due",
        table_name="customer_order",
        postgresql_where="state = 'pending_payment'",
    )
    op.drop_index("ix_customer_order_buyer_id", table_name="customer_order")
    op.drop_table("customer_order")
    op.drop_table("cart")
    op.drop_index("ix_address_user_id", table_name="address")
    op.drop_table("address")
    op.drop_index("ix_access_token_user_id", table_name="access_token")
    op.drop_table("access_token")
    op.drop_table("user_account")
    op.drop_table("target")
    op.drop_index("ix_provider_event_outcome_event", table_name="provider_event_outcome")
    op.drop_table("provider_event_outcome")
    op.drop_table("freight_template")
    op.drop_table("worker_heartbeat")
    op.drop_table("unit")
    op.drop_table("storefront")
    op.drop_table("sales_platform")
    op.drop_table("rule_set")
    op.drop_table("provider_event")
    op.drop_index("ix_idempotency_key_created_at", table_name="idempotency_key")
    op.drop_table("idempotency_key")
    op.drop_table("cooperative")
    op.drop_table("channel")
    op.drop_table("category")
    op.drop_table("catalog_version")
    op.drop_table("campaign")
    op.drop_index("ix_audit_entry_subject", table_name="audit_entry")
    op.drop_table("audit_entry")
    op.drop_index(
        "uq_aid_entry_external", table_name="aid_entry", postgresql_where="kind IN ('import')"
    )
    op.drop_index(
        "uq_aid_entry_cause", table_name="aid_entry", postgresql_where="order_line_id IS NOT NULL"
    )
    op.drop_index("ix_aid_entry_sale_day", table_name="aid_entry")
    op.drop_index("ix_aid_entry_order_line_id", table_name="aid_entry")
    op.drop_index("ix_aid_entry_day", table_name="aid_entry")
    op.drop_table("aid_entry")
    _raw("DROP FUNCTION refuse_change()")
