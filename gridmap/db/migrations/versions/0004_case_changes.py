"""What changes in the cases is written down, so that what is kept beside the database follows without a rebuild."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# A case that came is a row with sign 1, one that went a row with -1, one that is something else now is both. Cases of
# no place or region are on no map. Sign 0: a statement changed more than a hundred thousand, so that it is quicker to
# read all of them anew. `xact` tells which changes a snapshot of the database has seen already, in whatever order they
# were committed; a running number would not.
_CHANGES = """
CREATE TABLE case_change (
    xact xid8 NOT NULL DEFAULT pg_current_xact_id(),
    at timestamptz NOT NULL DEFAULT now(),
    sign smallint NOT NULL,
    x double precision,
    y double precision,
    occurred_at timestamptz,
    category text,
    region_id bigint
);
CREATE INDEX ix_case_change_xact ON case_change (xact);

CREATE FUNCTION note_cases() RETURNS trigger LANGUAGE plpgsql AS $$
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
        INSERT INTO case_change (sign, x, y, occurred_at, category, region_id)
        SELECT 1, ST_X(point), ST_Y(point), occurred_at, category, region_id FROM new_rows
        WHERE ST_X(point) BETWEEN -180 AND 180 AND ST_Y(point) BETWEEN -90 AND 90
          AND region_id IS NOT NULL AND isfinite(occurred_at);
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO case_change (sign, x, y, occurred_at, category, region_id)
        SELECT -1, ST_X(point), ST_Y(point), occurred_at, category, region_id FROM old_rows
        WHERE ST_X(point) BETWEEN -180 AND 180 AND ST_Y(point) BETWEEN -90 AND 90
          AND region_id IS NOT NULL AND isfinite(occurred_at);
    ELSE
        INSERT INTO case_change (sign, x, y, occurred_at, category, region_id)
        SELECT t.sign, ST_X(t.point), ST_Y(t.point), t.occurred_at, t.category, t.region_id
        FROM old_rows o JOIN new_rows n ON n.id = o.id
        CROSS JOIN LATERAL (VALUES (-1, o.point, o.occurred_at, o.category, o.region_id),
                                   (1, n.point, n.occurred_at, n.category, n.region_id))
            AS t(sign, point, occurred_at, category, region_id)
        WHERE ((o.occurred_at, o.category, o.region_id) IS DISTINCT FROM (n.occurred_at, n.category, n.region_id)
               OR ST_X(o.point) IS DISTINCT FROM ST_X(n.point) OR ST_Y(o.point) IS DISTINCT FROM ST_Y(n.point))
          AND ST_X(t.point) BETWEEN -180 AND 180 AND ST_Y(t.point) BETWEEN -90 AND 90
          AND t.region_id IS NOT NULL AND isfinite(t.occurred_at);
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER note_insert AFTER INSERT ON case_record REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION note_cases();
CREATE TRIGGER note_delete AFTER DELETE ON case_record REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION note_cases();
CREATE TRIGGER note_update AFTER UPDATE ON case_record REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION note_cases();
CREATE TRIGGER note_truncate AFTER TRUNCATE ON case_record
    FOR EACH STATEMENT EXECUTE FUNCTION note_cases();
"""


def upgrade() -> None:
    op.get_bind().connection.driver_connection.execute(_CHANGES)


def downgrade() -> None:
    op.execute("""
        DROP TRIGGER note_truncate ON case_record;
        DROP TRIGGER note_update ON case_record;
        DROP TRIGGER note_delete ON case_record;
        DROP TRIGGER note_insert ON case_record;
        DROP FUNCTION note_cases();
        DROP TABLE case_change;
    """)
