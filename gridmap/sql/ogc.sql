-- Published grids and coverage for other departments (OGC API): keys first, features of one page after.

-- name: since
-- The first day on which any general plan was in force, where the reader may look.
SELECT min(p.valid_from)
FROM plan p JOIN region r ON r.id = p.region_id
WHERE p.state IN ('published', 'archived') AND (p.department IS NULL OR p.department = '综合')
  AND EXISTS (SELECT FROM unnest(CAST(:prefixes AS text[])) AS mine
              WHERE r.prefix LIKE mine || '%' OR mine LIKE r.prefix || '%')

-- name: bounds
SELECT ST_XMin(box) AS west, ST_YMin(box) AS south, ST_XMax(box) AS east, ST_YMax(box) AS north
FROM (SELECT ST_Extent(geom) AS box FROM region WHERE code LIKE ANY (CAST(:patterns AS text[]))) AS all_of_it

-- name: grid_ids
-- Ids of all grids that fit, in no order, as one bytea of int8. Micro-grids lie inside others: only where asked for.
SELECT string_agg(int8send(id), '') FROM (
    SELECT g.id
    FROM grid g JOIN region r ON r.id = g.region_id
    WHERE g.plan_id = ANY (CAST(:plans AS bigint[])) AND g.geom IS NOT NULL
      AND (CASE WHEN CAST(:kind AS text) IS NULL THEN g.parent_id IS NULL ELSE g.kind = :kind END)
      AND r.code LIKE ANY (CAST(:patterns AS text[]))
      AND (CAST(:id AS bigint) IS NULL OR g.id = :id)
      AND (CAST(:region AS text) IS NULL OR r.code LIKE :region || '%')
      AND (CAST(:code AS text) IS NULL OR g.code = :code)
      AND (CAST(:status AS text) IS NULL OR g.status = :status)
      AND (CAST(:plan AS bigint) IS NULL OR g.plan_id = :plan)
      AND (CAST(:west AS float8) IS NULL OR ST_Intersects(g.geom, ST_MakeEnvelope(:west, :south, :east, :north, 4490)))
) AS fitting

-- name: grids
-- Grids as GeoJSON features (text), in order of id; lon/lat. Few households are told to nobody here (docs/privacy.md).
SELECT json_build_object(
    'type', 'Feature', 'id', g.id,
    'properties', json_build_object(
        'code', g.code, 'name', g.name, 'kind', g.kind, 'parent_code', up.code, 'status', g.status,
        'households', CASE WHEN NOT v.few THEN h.shown END,
        'population', CASE WHEN NOT v.few THEN g.population END, 'buildings', g.buildings, 'units', g.units,
        'estimated_share', CASE WHEN NOT v.few AND g.households > 0
            THEN round(20.0 * g.estimated_households / g.households) / 20 END,
        'missing_households', CASE WHEN NOT v.few THEN g.missing_households END,
        'workers', g.workers, 'area_m2', round(g.area_m2::numeric, 1),
        'region_code', r.code, 'region_name', r.name, 'settlement', r.settlement,
        'plan_id', p.id, 'plan_name', p.name, 'in_force_from', p.valid_from, 'in_force_to', p.valid_to),
    'geometry', ST_AsGeoJSON(g.geom, 9, 0)::json)::text
FROM grid g JOIN region r ON r.id = g.region_id JOIN plan p ON p.id = g.plan_id LEFT JOIN grid up ON up.id = g.parent_id
LEFT JOIN household_place h ON h.plan_id = g.plan_id AND h.grid_id = g.id
CROSS JOIN LATERAL (SELECT coalesce(h.shown, -3) < 0 AS few) AS v
WHERE g.id = ANY (CAST(:ids AS bigint[]))
ORDER BY g.id

-- name: region_codes
-- Regions of a level that fit, in order of code.
SELECT r.code FROM region r
WHERE r.level = :level AND r.code LIKE ANY (CAST(:patterns AS text[]))
  AND (CAST(:id AS text) IS NULL OR r.code = :id)
  AND (CAST(:region AS text) IS NULL OR r.code LIKE :region || '%')
  AND (CAST(:west AS float8) IS NULL OR ST_Intersects(r.geom, ST_MakeEnvelope(:west, :south, :east, :north, 4490)))
ORDER BY r.code

-- name: outlines
SELECT code, settlement, round(area_m2::numeric, 1)::float8 AS area_m2, ST_AsGeoJSON(geom, 9, 0) AS geometry
FROM region WHERE code = ANY (CAST(:codes AS text[])) ORDER BY code

-- name: tile
-- As the query grids of tiles.sql, for several plans that are in force beside each other.
WITH shown AS MATERIALIZED (
    SELECT grid.id, grid.code, grid.name, grid.kind, grid.status,
           CASE WHEN h.shown >= 0 THEN h.shown END AS households,
           CASE WHEN h.shown >= 0 THEN grid.population END AS population,
           ST_AsMVTGeom(ST_Transform(grid.geom, 3857), ST_MakeEnvelope(:mw, :ms, :me, :mn, 3857), 4096, 64) AS geom
    FROM grid JOIN region ON region.id = grid.region_id
    LEFT JOIN household_place h ON h.plan_id = grid.plan_id AND h.grid_id = grid.id
    WHERE grid.plan_id = ANY (CAST(:plans AS bigint[])) AND grid.geom && ST_MakeEnvelope(:w, :s, :e, :n, 4490)
      AND grid.parent_id IS NULL
      AND region.code LIKE ANY (CAST(:patterns AS text[]))
)
SELECT COALESCE(ST_AsMVT(shown, 'grids', 4096, 'geom'), '') FROM shown WHERE geom IS NOT NULL
