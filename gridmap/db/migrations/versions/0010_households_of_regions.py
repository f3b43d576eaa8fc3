"""What may be told of the households of regions; of grids it is decided anew, for all plans that were in force."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "household_region",
        sa.Column("region_id", sa.BigInteger(), nullable=False),
        sa.Column("shown", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["region_id"], ["region.id"], name=op.f("fk_household_region_region_id_region"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("region_id", name=op.f("pk_household_region")),
    )
    # rows of regions are no longer kept by plan; until the worker has decided, no grid of a plan in force is told
    op.execute("DELETE FROM household_place WHERE level <> 'grid'")
    op.execute(
        "INSERT INTO household_place (plan_id, place, level, code, region_code, grid_id, shown)"
        " SELECT g.plan_id, 1000000000 + row_number() OVER (PARTITION BY g.plan_id ORDER BY g.id), 'grid', g.code,"
        " coalesce(r.code, ''), g.id, -3"
        " FROM grid g JOIN plan p ON p.id = g.plan_id LEFT JOIN region r ON r.id = g.region_id"
        " WHERE p.valid_from IS NOT NULL AND p.state IN ('published', 'archived')"
        " AND NOT EXISTS (SELECT FROM household_place h WHERE h.plan_id = g.plan_id AND h.grid_id = g.id)"
    )
    op.execute("UPDATE data_version SET version = version + 1 WHERE layer = 'plans'")


def downgrade() -> None:
    op.drop_table("household_region")
    op.execute("DELETE FROM household_place")
