"""A plan that says something else than its units cannot be committed: the rule, kept by the database itself."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# What a statement touched is noted in `grid_pending`, one row a statement, and looked at once when the transaction
# commits: grids in between may differ from their units, committed ones never. The rows are gone again at that moment.
_NOTES = """
CREATE UNLOGGED TABLE grid_pending (
    xact xid8 NOT NULL DEFAULT pg_current_xact_id(),
    grids bigint[] NOT NULL DEFAULT '{}',
    units bigint[] NOT NULL DEFAULT '{}'
);
CREATE INDEX ix_grid_pending_xact ON grid_pending (xact);

CREATE FUNCTION note_plan_units() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE touched bigint[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg(DISTINCT grid_id) INTO touched FROM new_rows WHERE grid_id IS NOT NULL;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(DISTINCT grid_id) INTO touched FROM old_rows WHERE grid_id IS NOT NULL;
    ELSE
        SELECT array_agg(grid_id) INTO touched
        FROM (SELECT grid_id FROM old_rows UNION SELECT grid_id FROM new_rows) AS moved WHERE grid_id IS NOT NULL;
    END IF;
    IF touched IS NOT NULL THEN INSERT INTO grid_pending (grids) VALUES (touched); END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION note_grids() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE touched bigint[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg(id) INTO touched FROM new_rows;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(parent_id) INTO touched FROM old_rows WHERE parent_id IS NOT NULL;
    ELSE
        SELECT array_agg(t.id) INTO touched
        FROM new_rows n JOIN old_rows o ON o.id = n.id
        CROSS JOIN LATERAL (VALUES (n.id), (o.parent_id)) AS t(id)
        WHERE t.id IS NOT NULL
          AND ((n.parent_id, n.kind, n.units, n.households, n.population, n.buildings, n.area_m2)
               IS DISTINCT FROM (o.parent_id, o.kind, o.units, o.households, o.population, o.buildings, o.area_m2)
               OR n.geom IS DISTINCT FROM o.geom);
    END IF;
    IF touched IS NOT NULL THEN INSERT INTO grid_pending (grids) VALUES (touched); END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION note_units() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE touched bigint[];
BEGIN
    SELECT array_agg(n.id) INTO touched
    FROM new_rows n JOIN old_rows o ON o.id = n.id
    WHERE (n.households, n.population, n.buildings, n.area_m2)
          IS DISTINCT FROM (o.households, o.population, o.buildings, o.area_m2)
       OR n.geom IS DISTINCT FROM o.geom;
    IF touched IS NOT NULL THEN INSERT INTO grid_pending (units) VALUES (touched); END IF;
    RETURN NULL;
END $$;
"""

# Areas are compared in square degrees to a millionth of a thousandth, about a square millimetre of a large grid.
_CHECK = """
CREATE FUNCTION check_pending_grids() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE touched bigint[]; broken record;
BEGIN
    WITH noted AS (
        DELETE FROM grid_pending WHERE xact = pg_current_xact_id() RETURNING grids, units
    ), named AS (
        SELECT unnest(grids) AS id FROM noted
        UNION
        SELECT p.grid_id FROM plan_unit p WHERE p.unit_id IN (SELECT unnest(units) FROM noted)
    )
    SELECT array_agg(DISTINCT t.id) INTO touched
    FROM named n JOIN grid g ON g.id = n.id CROSS JOIN LATERAL (VALUES (g.id), (g.parent_id)) AS t(id)
    WHERE t.id IS NOT NULL;
    IF touched IS NULL THEN RETURN NULL; END IF;
    WITH member AS (
        SELECT p.grid_id AS id, p.unit_id FROM plan_unit p WHERE p.grid_id = ANY(touched)
        UNION ALL
        SELECT g.parent_id, p.unit_id
        FROM grid g JOIN plan_unit p ON p.grid_id = g.id
        WHERE g.kind = 'micro' AND g.parent_id = ANY(touched)
    ), held AS (
        SELECT m.id, count(*) AS units, sum(u.households) AS households, sum(u.population) AS population,
               sum(u.buildings) AS buildings, sum(u.area_m2) AS area_m2, sum(ST_Area(u.geom)) AS ground,
               ST_Extent(u.geom) AS box
        FROM member m JOIN unit u ON u.id = m.unit_id
        GROUP BY m.id
    )
    SELECT g.id, g.code, g.plan_id INTO broken
    FROM grid g LEFT JOIN held h ON h.id = g.id
    WHERE g.id = ANY(touched)
      AND ((g.units, g.households, g.population, g.buildings)
           IS DISTINCT FROM (coalesce(h.units, 0), coalesce(h.households, 0)::bigint, coalesce(h.population, 0)::bigint,
                             coalesce(h.buildings, 0)::bigint)
           OR abs(g.area_m2 - coalesce(h.area_m2, 0)) > 0.001 + 1e-9 * g.area_m2
           OR (g.geom IS NULL) <> (h.id IS NULL)
           OR abs(ST_Area(g.geom) - h.ground) > 1e-9 * h.ground
           OR box2d(g.geom)::text <> h.box::text)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'grid % (%) of plan % says something else than its units',
            broken.id, broken.code, broken.plan_id
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'grids_match_their_units';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER grids_match_their_units AFTER INSERT ON grid_pending
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_pending_grids();
"""

_OLD = "REFERENCING OLD TABLE AS old_rows"
_NEW = "REFERENCING NEW TABLE AS new_rows"
_BOTH = "REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows"
_TABLES = {
    "plan_unit": ("note_plan_units", {"INSERT": _NEW, "DELETE": _OLD, "UPDATE": _BOTH}),
    "grid": ("note_grids", {"INSERT": _NEW, "DELETE": _OLD, "UPDATE": _BOTH}),
    "unit": ("note_units", {"UPDATE": _BOTH}),
}

# Operations go with their plan and never alone.
_APPEND_ONLY = """
CREATE FUNCTION refuse_lone_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM plan WHERE id = OLD.plan_id) THEN
        RAISE EXCEPTION 'table % is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER goes_with_its_plan BEFORE DELETE ON plan_operation FOR EACH ROW EXECUTE FUNCTION refuse_lone_delete();
CREATE TRIGGER goes_with_its_plan BEFORE DELETE ON plan_step FOR EACH ROW EXECUTE FUNCTION refuse_lone_delete();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON plan_operation
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


def upgrade() -> None:
    op.create_unique_constraint(op.f("uq_grid_plan_id_id"), "grid", ["plan_id", "id"])
    op.drop_constraint("fk_plan_unit_grid_id", "plan_unit", type_="foreignkey")
    op.create_foreign_key(
        op.f("fk_plan_unit_plan_id_grid_id"),
        "plan_unit",
        "grid",
        ["plan_id", "grid_id"],
        ["plan_id", "id"],
        ondelete="SET NULL (grid_id)",
    )
    op.create_index("ix_plan_unit_free", "plan_unit", ["plan_id"], postgresql_where=sa.text("grid_id IS NULL"))
    op.create_index(
        "ix_plan_operation_undoes", "plan_operation", ["plan_id"], postgresql_where=sa.text("undoes IS NOT NULL")
    )
    driver = op.get_bind().connection.driver_connection
    driver.execute(_NOTES)
    driver.execute(_CHECK)
    for table, (function, events) in _TABLES.items():
        for event, rows in events.items():
            driver.execute(
                f"CREATE TRIGGER {function}_{event.lower()} AFTER {event} ON {table} {rows}"
                f" FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
            )
    driver.execute(_APPEND_ONLY)


def downgrade() -> None:
    raise NotImplementedError("operations and steps are history: restore a backup instead")
