-- Two plans beside each other: their units with the grid of each, their grids, and what happened on that ground.

-- name: units
-- Units of a plan as one bytea of float8, in no order: id, community, households, population, area (m2), the grid (of a
-- micro-grid the one above it, -1 none), 1 where the unit is living.
SELECT string_agg(
           float8send(u.id) || float8send(u.region_id) || float8send(u.households) || float8send(u.population)
           || float8send(u.area_m2) || float8send(coalesce(g.parent_id, g.id, -1))
           || float8send(CASE WHEN u.retired_at IS NULL THEN 1 ELSE 0 END), '')
FROM plan_unit p
JOIN unit u ON u.id = p.unit_id
JOIN region r ON r.id = u.region_id
LEFT JOIN grid g ON g.id = p.grid_id
WHERE p.plan_id = :plan AND r.code LIKE ANY (CAST(:patterns AS text[]))

-- name: grids
-- Grids of a plan that are part of no other: with their home where the reader may see it, or held by units there.
SELECT g.id, g.code, g.name, g.kind, g.workers, g.status, r.code AS region_code, r.name AS region_name, r.settlement,
       ST_AsBinary(g.geom) AS geom
FROM grid g LEFT JOIN region r ON r.id = g.region_id
WHERE g.plan_id = :plan AND g.parent_id IS NULL
  AND (coalesce(r.code, '') LIKE ANY (CAST(:patterns AS text[])) OR g.id = ANY(CAST(:held AS bigint[])))
ORDER BY g.code, g.id

-- name: ancestors
-- What units were cut from, and what that was cut from.
WITH RECURSIVE lineage AS (
    SELECT id AS unit_id, cut_of AS ancestor FROM unit WHERE id = ANY(CAST(:units AS bigint[])) AND cut_of IS NOT NULL
    UNION ALL
    SELECT l.unit_id, u.cut_of FROM lineage l JOIN unit u ON u.id = l.ancestor WHERE u.cut_of IS NOT NULL
)
SELECT unit_id, ancestor FROM lineage

-- name: shapes
SELECT id, ST_AsBinary(geom) AS geom FROM unit WHERE id = ANY(CAST(:units AS bigint[])) ORDER BY id

-- name: buildings_within
SELECT ST_X(b.point) AS lon, ST_Y(b.point) AS lat, coalesce(b.households, 0) AS households
FROM building b WHERE b.point && ST_MakeEnvelope(:west, :south, :east, :north, 4490)

-- name: year
-- The twelve months up to the last case that is known (none of the future).
SELECT t.until - interval '1 year' AS since, t.until
FROM (SELECT coalesce(max(occurred_at), now()) AS until FROM case_record
      WHERE occurred_at <= now() AND category <> ALL (CAST(:sensitive AS text[]))) AS t

-- name: cases_by_unit
SELECT p.unit_id, count(*) AS cases
FROM case_record c JOIN plan_unit p ON p.plan_id = :plan AND p.unit_id = c.unit_id
WHERE c.occurred_at > :since AND c.occurred_at <= :until AND c.category <> ALL (CAST(:sensitive AS text[]))
GROUP BY p.unit_id

-- name: cases_elsewhere
-- Places of cases that lie in no unit of a plan: cut and retired units find theirs by point.
SELECT string_agg(float8send(ST_X(c.point)) || float8send(ST_Y(c.point)), '')
FROM case_record c
WHERE c.occurred_at > :since AND c.occurred_at <= :until AND c.category <> ALL (CAST(:sensitive AS text[]))
  AND c.point && ST_MakeEnvelope(:west, :south, :east, :north, 4490)
  AND (c.unit_id IS NULL OR NOT EXISTS (SELECT FROM plan_unit p WHERE p.plan_id = :plan AND p.unit_id = c.unit_id))

-- name: findings
-- What the last check found, where the reader may look.
SELECT count(*) FILTER (WHERE c.severity = 'E') AS errors, count(*) FILTER (WHERE c.severity = 'W') AS warnings
FROM check_result c LEFT JOIN region r ON r.id = c.region_id
WHERE c.plan_id = :plan AND coalesce(r.code, '') LIKE ANY (CAST(:patterns AS text[]))

-- name: partners
-- What a plan is best compared with: the plan in force on its ground, and the one it was made from.
SELECT p.id, p.name, p.state = 'published' AS in_force, p.id = me.base_plan_id AS base
FROM plan p JOIN region r ON r.id = p.region_id, plan me JOIN region home ON home.id = me.region_id
WHERE me.id = :plan AND p.id <> me.id
  AND EXISTS (SELECT FROM unnest(CAST(:prefixes AS text[])) AS mine
              WHERE r.prefix LIKE mine || '%' OR mine LIKE r.prefix || '%')
  AND (p.id = me.base_plan_id
       OR p.state = 'published' AND (r.prefix LIKE home.prefix || '%' OR home.prefix LIKE r.prefix || '%'))
ORDER BY p.department IS DISTINCT FROM me.department, p.department IS NOT NULL, length(r.prefix) DESC, p.id DESC
