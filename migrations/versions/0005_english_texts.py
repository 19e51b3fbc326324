"""English for what only Chinese was kept of: platforms, campaigns, rule sets, labels, storage."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

NAMED = ("sales_platform", "campaign", "rule_set")

# Until now the pages themselves knew these in English; now it stands with the goods.
STORAGE = """
UPDATE product SET storage_en = known.en FROM (VALUES
    ('阴凉干燥、避光密封', 'Cool, dry and dark, well closed'),
    ('常温, 避免阳光直射', 'At room temperature, away from direct sunlight'),
    ('0-4℃冷藏', 'Refrigerated at 0–4 °C'),
    ('0-10℃或阴凉处, 开袋冷藏', 'At 0–10 °C or in a cool place; refrigerate after opening')
) AS known (zh, en) WHERE storage = known.zh
"""


def upgrade() -> None:
    for table in NAMED:
        op.add_column(table, sa.Column("name_en", sa.Text(), nullable=True))
    op.add_column("product", sa.Column("storage_en", sa.Text(), nullable=True))
    op.add_column(
        "product",
        sa.Column(
            "label_en",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
    )
    op.execute(STORAGE)


def downgrade() -> None:
    op.drop_column("product", "label_en")
    op.drop_column("product", "storage_en")
    for table in reversed(NAMED):
        op.drop_column(table, "name_en")
