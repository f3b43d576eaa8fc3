-- Coverage: sums of plans by community, from stored counts of grids and units; geometry only where it is shown.

-- name: places
-- Communities in order of code: what sums are grouped by.
SELECT id, code FROM region WHERE level = 'community' ORDER BY code

-- name: called
SELECT prefix, code, name, level FROM region WHERE prefix = ANY (CAST(:parts AS text[]))

-- name: grids
-- Grids of a plan by community as one bytea of int8: region, grids, within, under, over, empty, unchecked, unavoidable,
-- households, population, people in grids above :crowded, estimated households. Micro-grids count in their parents.
SELECT string_agg(int8send(region_id::bigint) || int8send(n::bigint) || int8send(within::bigint) || int8send(under::bigint) || int8send(over::bigint)
    || int8send(empty::bigint) || int8send(unchecked::bigint) || int8send(unavoidable::bigint) || int8send(households::bigint) || int8send(population::bigint)
    || int8send(crowded::bigint) || int8send(estimated::bigint), '')
FROM (
    SELECT g.region_id, count(*) AS n, count(*) FILTER (WHERE g.status = 'within') AS within,
           count(*) FILTER (WHERE g.status = 'under') AS under, count(*) FILTER (WHERE g.status = 'over') AS over,
           count(*) FILTER (WHERE g.status = 'empty') AS empty,
           count(*) FILTER (WHERE g.status = 'unchecked') AS unchecked, count(c.grid_id) AS unavoidable,
           sum(g.households) AS households, sum(g.population) AS population,
           coalesce(sum(g.population) FILTER (WHERE g.population > :crowded), 0) AS crowded,
           sum(g.estimated_households) AS estimated
    FROM grid g LEFT JOIN (SELECT DISTINCT grid_id FROM check_result WHERE plan_id = :plan AND unavoidable) c
         ON c.grid_id = g.id
    WHERE g.plan_id = :plan AND g.kind <> 'micro' AND g.region_id IS NOT NULL
    GROUP BY g.region_id
) AS summed

-- name: units
-- Units of a plan by community as one bytea of int8: region, oldest and newest of their oldest count dates (days since
-- 2000-01-01), buildings and households of those in no grid.
SELECT string_agg(int8send(region_id::bigint) || int8send(oldest::bigint) || int8send(newest::bigint) || int8send(buildings::bigint)
    || int8send(households::bigint), '')
FROM (
    SELECT u.region_id, coalesce(min(u.oldest_data) - DATE '2000-01-01', :never) AS oldest,
           coalesce(max(u.oldest_data) - DATE '2000-01-01', -:never) AS newest,
           coalesce(sum(u.buildings) FILTER (WHERE p.grid_id IS NULL), 0) AS buildings,
           coalesce(sum(u.households) FILTER (WHERE p.grid_id IS NULL), 0) AS households
    FROM plan_unit p JOIN unit u ON u.id = p.unit_id
    WHERE p.plan_id = :plan GROUP BY u.region_id
) AS summed

-- name: loose
-- Buildings in no unit by community as one bytea of int8: region, buildings, households.
SELECT string_agg(int8send(region_id::bigint) || int8send(n::bigint) || int8send(households::bigint), '')
FROM (
    SELECT region_id, count(*) AS n, coalesce(sum(households), 0) AS households
    FROM building WHERE unit_id IS NULL AND region_id IS NOT NULL GROUP BY region_id
) AS summed

-- name: plan_states
-- What the sums of plans hang on, beside the counters of the ground; xmin: a restored backup counts the same again.
SELECT id, xmin::text, version, checked_version, extract(epoch FROM checked_at)::float8 AS checked FROM plan
WHERE id = ANY (CAST(:plans AS bigint[]))

-- name: area_shapes
-- Borders of regions whose codes share so many digits, to be simplified together.
SELECT r.prefix AS part, ST_AsBinary(r.geom) AS geom FROM region r
WHERE r.prefix = ANY (CAST(:parts AS text[])) ORDER BY r.prefix

-- name: grid_areas
-- Grids of a plan as a GeoJSON FeatureCollection (text) with what a coverage map colours, null beyond :max. Few
-- households are told to nobody here (docs/privacy.md).
WITH found AS MATERIALIZED (
    SELECT g.id, g.code, g.name, g.status, coalesce(h.shown, g.households) AS households, g.population,
           CASE WHEN g.households > 0 THEN round(20.0 * g.estimated_households / g.households) / 20 END AS estimated, g.geom,
           (h.shown < 0 OR g.households BETWEEN 1 AND 4) IS TRUE AS few
    FROM grid g JOIN region r ON r.id = g.region_id
    LEFT JOIN household_place h ON h.plan_id = g.plan_id AND h.grid_id = g.id
    WHERE g.plan_id = :plan AND g.geom IS NOT NULL AND g.parent_id IS NULL
      AND r.code LIKE ANY (CAST(:patterns AS text[])) AND r.code LIKE CAST(:region AS text) || '%'
      AND (CAST(:west AS float8) IS NULL OR g.geom && ST_MakeEnvelope(:west, :south, :east, :north, 4490))
    LIMIT :max + 1
), aged AS (
    SELECT p.grid_id, min(u.oldest_data) AS oldest
    FROM plan_unit p JOIN unit u ON u.id = p.unit_id
    WHERE (SELECT count(*) FROM found) <= :max AND p.grid_id IN (SELECT id FROM found) GROUP BY p.grid_id
)
SELECT CASE WHEN count(*) <= :max THEN
           '{"type":"FeatureCollection","features":[' || coalesce(string_agg(
               '{"type":"Feature","id":' || f.id
               || ',"properties":' || jsonb_build_object(
                    'code', f.code, 'name', f.name, 'status', f.status,
                    'households', CASE WHEN NOT f.few THEN f.households END,
                    'population', CASE WHEN NOT f.few THEN f.population END,
                    'estimated_share', CASE WHEN NOT f.few THEN f.estimated END, 'oldest', a.oldest,
                    'label_lon', ST_X(ST_PointOnSurface(f.geom)), 'label_lat', ST_Y(ST_PointOnSurface(f.geom)))::text
               || ',"geometry":' || ST_AsGeoJSON(f.geom, 6, 0) || '}', ',' ORDER BY f.code, f.id), '') || ']}'
       END
FROM found f LEFT JOIN aged a ON a.grid_id = f.id

-- name: uncovered
-- What lies in no grid, most households first: units of the plan without one, and buildings in no unit.
WITH found AS (
    SELECT 'unit' AS kind, u.id, u.region_id, u.buildings, u.households
    FROM plan_unit p JOIN unit u ON u.id = p.unit_id
    WHERE p.plan_id = :plan AND p.grid_id IS NULL AND (u.buildings > 0 OR u.households > 0)
    UNION ALL
    SELECT 'building', b.id, b.region_id, 1, coalesce(b.households, 0) FROM building b WHERE b.unit_id IS NULL
), told AS (
    SELECT f.*, r.code AS region_code, r.name AS region_name, count(*) OVER () AS total
    FROM found f JOIN region r ON r.id = f.region_id
    WHERE r.code LIKE CAST(:region AS text) || '%' AND r.code LIKE ANY (CAST(:patterns AS text[]))
    ORDER BY f.households DESC, f.buildings DESC, f.kind, f.id
    LIMIT :limit
)
SELECT t.kind, t.id, coalesce(u.name, u.key, b.name, b.address, b.key, t.region_code || '-' || coalesce(u.number, t.id)) AS name,
       t.region_code, t.region_name, t.buildings, t.households, ST_X(coalesce(b.point, ST_PointOnSurface(u.geom))) AS lon,
       ST_Y(coalesce(b.point, ST_PointOnSurface(u.geom))) AS lat, t.total
FROM told t
LEFT JOIN unit u ON t.kind = 'unit' AND u.id = t.id
LEFT JOIN building b ON t.kind = 'building' AND b.id = t.id
ORDER BY t.households DESC, t.buildings DESC, t.kind, t.id

-- name: shut
-- What those who only look are not told of communities, as one bytea of int8: region, whether households in grids of one
-- of the plans are withheld (and those in none), the latter once more, whether a crowded grid is.
SELECT string_agg(int8send(region_id::bigint) || int8send(shut) || int8send(shut) || int8send(crowded), '')
FROM (
    SELECT r.id AS region_id,
           max(CASE WHEN h.shown < 0 OR coalesce(t.shown, -3) < 0 OR any_of.shown IS NULL OR any_of.shown = -3
               THEN 1 ELSE 0 END)::bigint AS shut,
           max(coalesce(g.crowded, 0))::bigint AS crowded
    FROM plan p
    JOIN region home ON home.id = p.region_id
    JOIN region r ON r.level = 'community' AND r.code LIKE home.prefix || '%'
    LEFT JOIN household_place h ON h.plan_id = p.id AND h.level = 'outside' AND h.region_code = r.code
    LEFT JOIN household_region t ON t.region_id = r.id
    LEFT JOIN LATERAL (SELECT shown FROM household_place WHERE plan_id = p.id LIMIT 1) any_of ON true
    LEFT JOIN (
        SELECT g.plan_id, g.region_id, 1 AS crowded FROM grid g JOIN household_place w ON w.plan_id = g.plan_id AND w.grid_id = g.id
        WHERE g.plan_id = ANY (CAST(:plans AS bigint[])) AND w.shown < 0 AND g.population > :crowded AND g.parent_id IS NULL
        GROUP BY g.plan_id, g.region_id
    ) g ON g.plan_id = p.id AND g.region_id = r.id
    WHERE p.id = ANY (CAST(:plans AS bigint[])) GROUP BY r.id
) AS found
