"""Changes of cases tell the unit as well, and what a heat store does not hold is found without reading all cases."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# A case is on a map when it has a place on earth, a region and a finite time, as in migration 0004.
_PLACED = "coalesce(ST_X({0}.point) BETWEEN -180 AND 180 AND ST_Y({0}.point) BETWEEN -90 AND 90, false)"
_SHOWN = (
    _PLACED
    + """
          AND {0}.region_id IS NOT NULL AND isfinite({0}.occurred_at)"""
)

_FUNCTION = """
CREATE OR REPLACE FUNCTION note_cases() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    most CONSTANT bigint := 100000;
    many bigint := most + 1;
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT count(*) INTO many FROM (SELECT FROM new_rows LIMIT most + 1) AS few;
    ELSIF TG_OP IN ('UPDATE', 'DELETE') THEN
        SELECT count(*) INTO many FROM (SELECT FROM old_rows LIMIT most + 1) AS few;
    END IF;
    IF many > most THEN
        INSERT INTO case_change (sign) VALUES (0);
    ELSIF TG_OP = 'INSERT' THEN
        INSERT INTO case_change (sign, x, y, {columns})
        SELECT 1, ST_X(t.point), ST_Y(t.point), {t} FROM new_rows t WHERE {shown};
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO case_change (sign, x, y, {columns})
        SELECT -1, ST_X(t.point), ST_Y(t.point), {t} FROM old_rows t WHERE {shown};
    ELSE
        INSERT INTO case_change (sign, x, y, {columns})
        SELECT t.sign, ST_X(t.point), ST_Y(t.point), {t}
        FROM old_rows o JOIN new_rows n ON n.id = o.id
        CROSS JOIN LATERAL (VALUES (-1, o.point, {o}), (1, n.point, {n})) AS t(sign, point, {columns})
        WHERE (({o}) IS DISTINCT FROM ({n})
               OR ST_X(o.point) IS DISTINCT FROM ST_X(n.point) OR ST_Y(o.point) IS DISTINCT FROM ST_Y(n.point))
          AND {shown};
    END IF;
    RETURN NULL;
END $$
"""
_BEFORE = ("occurred_at", "category", "region_id")
_AFTER = (*_BEFORE, "unit_id")


def upgrade() -> None:
    op.execute("ALTER TABLE case_change ADD COLUMN unit_id bigint")
    _note(_AFTER)
    shown = _SHOWN.format("case_record")
    _run(f"CREATE INDEX ix_case_record_aside ON case_record (occurred_at) WHERE NOT ({shown})")
    # so that the planner knows how few they are
    _run(f"CREATE STATISTICS case_record_placed ON ({_PLACED.format('case_record')}) FROM case_record")
    _run("CREATE STATISTICS case_record_finite ON (isfinite(occurred_at)) FROM case_record")
    _run("CREATE INDEX ix_case_record_open ON case_record (occurred_at, category, region_id) WHERE closed_at IS NULL")


def downgrade() -> None:
    op.execute("DROP STATISTICS case_record_placed, case_record_finite")
    op.execute("DROP INDEX ix_case_record_open")
    op.execute("DROP INDEX ix_case_record_aside")
    _note(_BEFORE)
    op.execute("ALTER TABLE case_change DROP COLUMN unit_id")


def _note(columns: tuple[str, ...]) -> None:
    """Have ``columns`` written down of each changed case, besides its place."""
    of = {row: ", ".join(f"{row}.{name}" for name in columns) for row in "ton"}
    _run(_FUNCTION.format(columns=", ".join(columns), shown=_SHOWN.format("t"), **of))


def _run(statement: str) -> None:
    op.get_bind().connection.driver_connection.execute(statement)
