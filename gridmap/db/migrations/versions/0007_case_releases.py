"""Releases: what those who may not see exact figures are shown, made once and never changed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# Two releases share no case: what is published of one says nothing about the other (docs/adr/0011-small-numbers.md).
_ONCE = """
ALTER TABLE case_release ADD CONSTRAINT ex_case_release_span EXCLUDE USING gist (tstzrange(since, until) WITH &&);

CREATE FUNCTION released_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a release is made once and never changed';
END $$;

CREATE TRIGGER released_once BEFORE UPDATE OR DELETE OR TRUNCATE ON case_release
    FOR EACH STATEMENT EXECUTE FUNCTION released_once();
CREATE TRIGGER released_once BEFORE UPDATE OR DELETE OR TRUNCATE ON case_release_place
    FOR EACH STATEMENT EXECUTE FUNCTION released_once();
"""


def upgrade() -> None:
    op.create_table(
        "case_release",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("plan_id", sa.BigInteger(), nullable=True),
        sa.Column("plan_name", sa.Text(), nullable=True),
        sa.Column("columns", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("since < until", name=op.f("ck_case_release_span")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_release")),
        sa.UniqueConstraint("since", name=op.f("uq_case_release_since")),
    )
    op.create_table(
        "case_release_place",
        sa.Column("release_id", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("region_code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("grid_id", sa.BigInteger(), nullable=True),
        sa.Column("shown", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.ForeignKeyConstraint(
            ["release_id"], ["case_release.id"], name=op.f("fk_case_release_place_release_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("release_id", "place", name=op.f("pk_case_release_place")),
    )
    op.create_index(
        "ix_case_release_place_region",
        "case_release_place",
        ["release_id", "level", "region_code"],
        postgresql_ops={"region_code": "text_pattern_ops"},
    )
    op.create_table(
        "household_place",
        sa.Column("plan_id", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("region_code", sa.Text(), nullable=False),
        sa.Column("grid_id", sa.BigInteger(), nullable=True),
        sa.Column("shown", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_household_place_plan_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("plan_id", "place", name=op.f("pk_household_place")),
    )
    op.create_index("ix_household_place_grid", "household_place", ["plan_id", "grid_id"])
    op.get_bind().connection.driver_connection.execute(_ONCE)


def downgrade() -> None:
    op.drop_table("household_place")
    op.drop_table("case_release_place")
    op.drop_table("case_release")
    op.execute("DROP FUNCTION released_once()")
