-- The studio: the ground of a plan in numbers, its grids, and the plan it is compared with.

-- name: units
-- Numbers of all units of a plan (retired ones and pieces of cuts too) as one bytea of int8 in no order, -1 for null: that
-- takes a quarter of the time of rows. The hash speaks of the geometry.
SELECT string_agg(
           int8send(u.id) || int8send(u.region_id) || int8send(u.number) || int8send(u.households)
           || int8send(u.population) || int8send(u.buildings) || int8send(u.estimated_households)
           || int8send(coalesce(u.compound_id, -1)) || int8send(coalesce(p.grid_id, -1))
           || int8send(CASE WHEN u.name IS NULL THEN 0 ELSE 1 END) || int8send(geometry_hash(u.geom)), '')
FROM plan_unit p JOIN unit u ON u.id = p.unit_id
WHERE p.plan_id = :plan

-- name: parents
-- Every grid of a plan with the one above it, or itself, and whether that is a special-purpose grid.
SELECT string_agg(int8send(g.id) || int8send(coalesce(t.id, g.id))
                  || int8send(CASE WHEN coalesce(t.kind, g.kind) = 'special' THEN 1 ELSE 0 END), '')
FROM grid g LEFT JOIN grid t ON t.id = g.parent_id
WHERE g.plan_id = :plan

-- name: geometry
SELECT u.id, ST_AsBinary(u.geom) AS geom FROM plan_unit p JOIN unit u ON u.id = p.unit_id WHERE p.plan_id = :plan

-- name: around
-- Where the units of a plan lie, in degrees.
SELECT ST_XMin(e.box) AS west, ST_YMin(e.box) AS south, ST_XMax(e.box) AS east, ST_YMax(e.box) AS north
FROM (SELECT ST_Extent(u.geom) AS box FROM plan_unit p JOIN unit u ON u.id = p.unit_id WHERE p.plan_id = :plan) e

-- name: barriers_hash
-- Changes with any barrier in the box.
SELECT concat_ws(' ', count(*), max(id),
                 sum(hashtextextended(concat_ws('|', id, kind, class, tunnel, bridge, geometry_hash(geom)), 0)))
FROM barrier
WHERE geom && ST_MakeEnvelope(:west, :south, :east, :north, 4490)

-- name: regions
SELECT id, code, name, settlement FROM region WHERE id = ANY(:ids) ORDER BY code

-- name: compounds
SELECT id, name FROM compound WHERE id = ANY(:ids) ORDER BY id

-- name: unit_names
SELECT id, name FROM unit WHERE id = ANY(:ids)

-- name: grids
-- Grids of a plan whose home the reader may see, and those that units there belong to.
SELECT g.id, g.code, g.name, g.kind, g.workers, g.locked, g.parent_id, g.region_id, g.households, g.population,
       g.buildings, g.units, g.area_m2, g.status
FROM grid g LEFT JOIN region r ON r.id = g.region_id
WHERE g.plan_id = :plan AND (coalesce(r.code, '') LIKE ANY (:patterns) OR g.id = ANY(:held))
ORDER BY g.code, g.id

-- name: home_regions
-- Regions of a plan's grids that the reader may see.
SELECT DISTINCT r.id FROM grid g JOIN region r ON r.id = g.region_id WHERE g.plan_id = :plan AND r.code LIKE ANY (:patterns)

-- name: base
-- The plan in force where a plan lies, else the plan it was made from; never the plan itself.
SELECT p.id, p.name
FROM plan p JOIN region r ON r.id = p.region_id, plan me JOIN region home ON home.id = me.region_id
WHERE me.id = :plan AND p.id <> me.id
  AND (p.id = me.base_plan_id
       OR p.state = 'published' AND (r.prefix LIKE home.prefix || '%' OR home.prefix LIKE r.prefix || '%'))
ORDER BY p.state <> 'published', p.department IS DISTINCT FROM me.department, p.department IS NOT NULL,
         length(r.prefix) DESC, p.id = me.base_plan_id DESC, p.id DESC
LIMIT 1

-- name: base_units
-- Units and their grids in another plan, -1 for none.
SELECT string_agg(int8send(unit_id) || int8send(coalesce(grid_id, -1)), '') FROM plan_unit WHERE plan_id = :base

-- name: ancestors
-- What units were cut from, and what that was cut from.
WITH RECURSIVE lineage AS (
    SELECT id AS unit_id, cut_of AS ancestor FROM unit WHERE id = ANY(:units) AND cut_of IS NOT NULL
    UNION ALL
    SELECT l.unit_id, u.cut_of FROM lineage l JOIN unit u ON u.id = l.ancestor WHERE u.cut_of IS NOT NULL
)
SELECT unit_id, ancestor FROM lineage

-- name: base_grids
SELECT id, code, name, workers FROM grid WHERE id = ANY(:ids) ORDER BY code, id

-- name: retired_codes
-- Codes under a region that another plan has retired: they are not used again.
SELECT DISTINCT g.code FROM grid g JOIN plan p ON p.id = g.plan_id
WHERE g.plan_id <> :plan AND g.valid_to IS NOT NULL AND p.state IN ('published', 'archived')
  AND g.code LIKE :prefix || '%' AND g.code LIKE ANY (:patterns)
ORDER BY g.code
