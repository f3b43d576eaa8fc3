-- Exports: every grid and every unit of a plan where the reader may look.

-- name: grids
SELECT g.code, g.name, g.kind, p.department, up.code AS parent_code, g.workers,
       CASE WHEN NOT :veiled THEN g.households WHEN NOT v.hidden THEN h.shown END AS households,
       CASE WHEN NOT v.hidden THEN g.population END AS population, g.buildings, g.units,
       CASE WHEN NOT :veiled THEN g.estimated_households END AS estimated_households,
       CASE WHEN NOT v.hidden THEN g.missing_households END AS missing_households, round(g.area_m2::numeric, 1)::float8 AS area_m2, g.status,
       r.code AS region_code, r.name AS region_name, r.settlement, g.valid_from, g.valid_to, ST_AsBinary(g.geom) AS geom
FROM grid g
JOIN plan p ON p.id = g.plan_id
LEFT JOIN grid up ON up.id = g.parent_id
LEFT JOIN region r ON r.id = g.region_id
LEFT JOIN household_place h ON h.plan_id = g.plan_id AND h.grid_id = g.id
CROSS JOIN LATERAL (
    SELECT :veiled AND coalesce(h.shown, -3) < 0 AS hidden
) AS v
WHERE g.plan_id = :plan
  AND EXISTS (SELECT FROM unnest(CAST(:prefixes AS text[])) AS mine WHERE coalesce(r.code, '') LIKE mine || '%')
ORDER BY g.code, g.id

-- name: units
-- Units with their grid, their households only to those who see how few they are; grids that hold no unit follow with
-- empty unit columns.
SELECT u.id AS unit_id, r.code AS region_code, r.name AS region_name, u.number, g.id AS grid_id, g.code AS grid_code,
       g.name AS grid_name, g.kind AS grid_kind, g.workers AS grid_workers, up.code AS grid_parent,
       CASE WHEN NOT :veiled THEN u.households END AS households,
       CASE WHEN NOT :veiled THEN u.population END AS population, u.buildings, round(u.area_m2::numeric, 1)::float8 AS area_m2
FROM (
    SELECT unit_id, grid_id FROM plan_unit WHERE plan_id = :plan
    UNION ALL
    SELECT NULL, id FROM grid WHERE plan_id = :plan AND id NOT IN (
        SELECT grid_id FROM plan_unit WHERE plan_id = :plan AND grid_id IS NOT NULL)
) x
LEFT JOIN unit u ON u.id = x.unit_id
LEFT JOIN grid g ON g.id = x.grid_id
LEFT JOIN grid up ON up.id = g.parent_id
LEFT JOIN region r ON r.id = coalesce(u.region_id, g.region_id)
WHERE EXISTS (SELECT FROM unnest(CAST(:prefixes AS text[])) AS mine WHERE coalesce(r.code, '') LIKE mine || '%')
ORDER BY u.id IS NULL, r.code, u.number, u.id, g.code, g.id

-- name: map_water
SELECT ST_AsBinary(b.geom) AS geom FROM barrier b
WHERE b.kind = 'water' AND ST_Dimension(b.geom) = 2
  AND b.geom && ST_MakeEnvelope(:west, :south, :east, :north, 4490)

-- name: map_roads
SELECT ST_AsBinary(b.geom) AS geom FROM barrier b
WHERE ST_Dimension(b.geom) = 1
  AND (b.kind = 'rail' OR b.kind = 'road' AND b.class IN ('motorway', 'trunk', 'primary', 'secondary'))
  AND b.geom && ST_MakeEnvelope(:west, :south, :east, :north, 4490)

-- name: map_communities
SELECT ST_AsBinary(r.geom) AS geom FROM region r
WHERE r.level = 'community' AND r.code LIKE :prefix || '%'
  AND EXISTS (SELECT FROM unnest(CAST(:prefixes AS text[])) AS mine WHERE r.code LIKE mine || '%')
