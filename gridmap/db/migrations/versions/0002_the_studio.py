"""The studio: keyed and chained operations, locks, cuts of units, steps and reasons of a plan, comments, presence."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Each operation carries the hash of the one before it in its plan: sha256(hash before | what the row says).
_CHAIN = """
CREATE FUNCTION operation_hash(before text, o plan_operation) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT encode(sha256(convert_to(concat_ws('|', coalesce(before, ''), o.plan_id, o.version,
        to_char(o.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), coalesce(o.user_id::text, ''), o.kind,
        coalesce(o.key::text, ''), coalesce(o.undoes::text, ''), o.detail::text), 'UTF8')), 'hex')
$$;
CREATE FUNCTION chain_operation() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE before text;
BEGIN
    SELECT hash INTO before FROM plan_operation
    WHERE plan_id = NEW.plan_id AND version < NEW.version ORDER BY version DESC LIMIT 1;
    NEW.hash := operation_hash(before, NEW);
    RETURN NEW;
END $$;
ALTER TABLE plan_operation DISABLE TRIGGER append_only;
DO $$
DECLARE o plan_operation; before text; of_plan bigint;
BEGIN
    FOR o IN SELECT * FROM plan_operation ORDER BY plan_id, version LOOP
        IF o.plan_id IS DISTINCT FROM of_plan THEN before := NULL; END IF;
        of_plan := o.plan_id;
        before := operation_hash(before, o);
        UPDATE plan_operation SET hash = before WHERE id = o.id;
    END LOOP;
END $$;
ALTER TABLE plan_operation ENABLE TRIGGER append_only;
CREATE TRIGGER chain BEFORE INSERT ON plan_operation FOR EACH ROW EXECUTE FUNCTION chain_operation();
CREATE TRIGGER append_only BEFORE UPDATE ON plan_step FOR EACH ROW EXECUTE FUNCTION refuse_change();
"""


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), nullable=False)


def _reference(table: str, name: str, target: str, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([name], [f"{target}.id"], name=op.f(f"fk_{table}_{name}"), ondelete=ondelete)


def _now(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)


def upgrade() -> None:
    op.add_column("grid", sa.Column("locked", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("unit", sa.Column("cut_of", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_unit_cut_of"), "unit", "unit", ["cut_of"], ["id"])
    op.create_index(op.f("ix_unit_cut_of"), "unit", ["cut_of"])
    op.add_column("plan_operation", sa.Column("key", sa.Uuid(), nullable=True))
    op.add_column("plan_operation", sa.Column("undoes", sa.BigInteger(), nullable=True))
    op.add_column("plan_operation", sa.Column("hash", sa.Text(), nullable=True))
    op.create_unique_constraint(op.f("uq_plan_operation_plan_id_key"), "plan_operation", ["plan_id", "key"])
    op.create_table(
        "plan_step",
        _id(),
        sa.Column("plan_id", sa.BigInteger(), nullable=False),
        _now("at"),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), server_default="", nullable=False),
        sa.Column("detail", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.CheckConstraint(
            "kind IN ('submit', 'withdraw', 'return', 'approve', 'publish', 'replace', 'restore', 'archive')",
            name=op.f("ck_plan_step_kind"),
        ),
        _reference("plan_step", "plan_id", "plan", "CASCADE"),
        _reference("plan_step", "user_id", "app_user"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_step")),
    )
    op.create_index(op.f("ix_plan_step_plan_id"), "plan_step", ["plan_id"])
    op.create_table(
        "plan_reason",
        sa.Column("plan_id", sa.BigInteger(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("grid_code", sa.Text(), server_default="", nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        _now("at"),
        _reference("plan_reason", "plan_id", "plan", "CASCADE"),
        _reference("plan_reason", "user_id", "app_user"),
        sa.PrimaryKeyConstraint("plan_id", "rule", "grid_code", name=op.f("pk_plan_reason")),
    )
    op.create_geospatial_table(
        "plan_comment",
        _id(),
        sa.Column("plan_id", sa.BigInteger(), nullable=False),
        sa.Column("grid_id", sa.BigInteger(), nullable=True),
        sa.Column("grid_code", sa.Text(), nullable=True),
        sa.Column("reply_to", sa.BigInteger(), nullable=True),
        sa.Column(
            "point",
            Geometry(
                "POINT", srid=4490, dimension=2, spatial_index=False, from_text="ST_GeomFromEWKT", name="geometry"
            ),
            nullable=True,
        ),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        _now("created_at"),
        sa.Column("resolved_by", sa.BigInteger(), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        _reference("plan_comment", "plan_id", "plan", "CASCADE"),
        _reference("plan_comment", "grid_id", "grid", "SET NULL"),
        _reference("plan_comment", "reply_to", "plan_comment", "CASCADE"),
        _reference("plan_comment", "created_by", "app_user"),
        _reference("plan_comment", "resolved_by", "app_user"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_comment")),
    )
    for name in ("plan_id", "grid_id", "reply_to"):
        op.create_index(op.f(f"ix_plan_comment_{name}"), "plan_comment", [name])
    op.create_table(
        "plan_presence",
        sa.Column("plan_id", sa.BigInteger(), nullable=False),
        sa.Column("client", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("grid_id", sa.BigInteger(), nullable=True),
        _now("seen_at"),
        _reference("plan_presence", "plan_id", "plan", "CASCADE"),
        _reference("plan_presence", "user_id", "app_user", "CASCADE"),
        sa.PrimaryKeyConstraint("plan_id", "client", name=op.f("pk_plan_presence")),
        prefixes=["UNLOGGED"],
    )
    op.create_index("ix_plan_presence_seen_at", "plan_presence", ["seen_at"])
    driver = op.get_bind().connection.driver_connection
    driver.execute(_CHAIN)


def downgrade() -> None:
    raise NotImplementedError("operations and steps are history: restore a backup instead")
