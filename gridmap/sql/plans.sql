-- Plans: the units and buildings they stand on, and what lists and pages show of them.

-- name: living_units
SELECT u.id, u.region_id, u.number, ST_AsBinary(u.geom) AS geom, u.area_m2, u.households, u.compound_id, r.code AS region_code
FROM unit u JOIN region r ON r.id = u.region_id
WHERE u.retired_at IS NULL AND r.prefix LIKE :prefix || '%'
ORDER BY r.code, u.number

-- name: plan_units
-- Every unit of a plan with the grid it belongs to.
SELECT u.id, u.region_id, u.number, ST_AsBinary(u.geom) AS geom, u.area_m2, u.households, u.population, u.buildings,
       u.estimated_households, u.missing_households, u.oldest_data, u.compound_id, r.code AS region_code, p.grid_id,
       u.retired_at IS NULL AS living
FROM plan_unit p JOIN unit u ON u.id = p.unit_id JOIN region r ON r.id = u.region_id
WHERE p.plan_id = :plan
ORDER BY r.code, u.number, u.id

-- name: buildings_of_units
SELECT b.id, ST_AsBinary(b.geom) AS geom, b.households, b.compound_id, b.unit_id, b.name, b.address, b.key
FROM building b
WHERE b.unit_id = ANY(:units)
ORDER BY b.id

-- name: source_grids
SELECT id, department, code, name, kind, parent_code, workers, households, population, ST_AsBinary(geom) AS geom
FROM source_grid
WHERE import_batch_id = :batch AND (CAST(:department AS text) IS NULL OR department = :department)
ORDER BY id

-- name: sources
SELECT import_batch_id AS batch_id, department, count(*) AS grids
FROM source_grid WHERE import_batch_id = ANY(CAST(:batches AS bigint[]))
GROUP BY import_batch_id, department
ORDER BY import_batch_id DESC, department

-- name: scope
-- The smallest region that holds every community the drawn grids touch.
SELECT r.code
FROM (
    SELECT min(c.code) AS low, max(c.code) AS high
    FROM region c
    WHERE c.level = 'community' AND EXISTS (
        SELECT FROM source_grid s
        WHERE s.import_batch_id = :batch AND (CAST(:department AS text) IS NULL OR s.department = :department)
          AND ST_Intersects(s.geom, ST_PointOnSurface(c.geom)))
) span
JOIN region r ON span.low LIKE r.prefix || '%' AND span.high LIKE r.prefix || '%'
ORDER BY length(r.prefix) DESC
LIMIT 1

-- name: summaries
-- Plans with their totals inside the subtrees that the reader may see.
WITH chosen AS (
    SELECT p.*, r.code AS region_code, r.name AS region_name, r.prefix
    FROM plan p JOIN region r ON r.id = p.region_id
    WHERE (CAST(:plan AS bigint) IS NULL OR p.id = :plan)
      AND EXISTS (SELECT FROM unnest(CAST(:prefixes AS text[])) AS mine
                  WHERE r.prefix LIKE mine || '%' OR mine LIKE r.prefix || '%')
), grids AS (
    SELECT g.plan_id, count(*) FILTER (WHERE g.kind <> 'micro') AS grids,
           coalesce(sum(g.households) FILTER (WHERE g.parent_id IS NULL), 0)::bigint AS households,
           coalesce(sum(g.population) FILTER (WHERE g.parent_id IS NULL), 0)::bigint AS population,
           coalesce(sum(g.estimated_households) FILTER (WHERE g.parent_id IS NULL), 0)::bigint AS estimated_households,
           coalesce(sum(g.missing_households) FILTER (WHERE g.parent_id IS NULL), 0)::bigint AS missing_households,
           count(*) FILTER (WHERE g.status = 'under') AS under,
           count(*) FILTER (WHERE g.status = 'within') AS within,
           count(*) FILTER (WHERE g.status = 'over') AS over,
           count(*) FILTER (WHERE g.status = 'empty') AS empty,
           count(*) FILTER (WHERE g.status = 'unchecked') AS unchecked
    FROM grid g LEFT JOIN region r ON r.id = g.region_id
    WHERE g.plan_id IN (SELECT id FROM chosen)
      AND EXISTS (SELECT FROM unnest(CAST(:prefixes AS text[])) AS mine WHERE coalesce(r.code, '') LIKE mine || '%')
    GROUP BY g.plan_id
), free AS (
    SELECT pu.plan_id, sum(u.households)::bigint AS households, count(*) AS units
    FROM plan_unit pu JOIN unit u ON u.id = pu.unit_id JOIN region r ON r.id = u.region_id
    WHERE pu.grid_id IS NULL AND pu.plan_id IN (SELECT id FROM chosen)
      AND EXISTS (SELECT FROM unnest(CAST(:prefixes AS text[])) AS mine WHERE r.code LIKE mine || '%')
    GROUP BY pu.plan_id
), found AS (
    SELECT c.plan_id, count(*) FILTER (WHERE c.severity = 'E') AS errors,
           count(*) FILTER (WHERE c.severity = 'W') AS warnings,
           count(*) FILTER (WHERE c.unavoidable) AS unavoidable
    FROM check_result c LEFT JOIN region r ON r.id = c.region_id
    WHERE c.plan_id IN (SELECT id FROM chosen)
      AND EXISTS (SELECT FROM unnest(CAST(:prefixes AS text[])) AS mine WHERE coalesce(r.code, '') LIKE mine || '%')
    GROUP BY c.plan_id
)
SELECT c.id, c.name, c.region_code, c.region_name, c.prefix,
       c.valid_from IS NOT NULL AND c.state IN ('published', 'archived') AS public, c.department, c.profile_name, c.profile, c.state, c.version,
       c.checked_version, c.checked_at, c.valid_from, c.valid_to, c.created_at, c.updated_at, c.import_batch_id,
       coalesce(g.grids, 0) AS grids, coalesce(g.households, 0) AS households, coalesce(g.population, 0) AS population,
       coalesce(g.estimated_households, 0) AS estimated_households,
       coalesce(g.missing_households, 0) AS missing_households,
       coalesce(f.households, 0) AS unassigned_households, coalesce(f.units, 0) AS unassigned_units,
       coalesce(g.under, 0) AS under, coalesce(g.within, 0) AS within, coalesce(g.over, 0) AS over,
       coalesce(g.empty, 0) AS empty, coalesce(g.unchecked, 0) AS unchecked,
       coalesce(x.errors, 0) AS errors, coalesce(x.warnings, 0) AS warnings, coalesce(x.unavoidable, 0) AS unavoidable
FROM chosen c
LEFT JOIN grids g ON g.plan_id = c.id
LEFT JOIN free f ON f.plan_id = c.id
LEFT JOIN found x ON x.plan_id = c.id
ORDER BY c.state = 'archived', c.state <> 'published', c.department IS NOT NULL AND c.department <> '综合', c.id

-- name: names
-- Plans that the reader can see any part of, by name only: in force first, archived last, as the query summaries.
SELECT p.id, p.name, p.state, p.version, r.code AS region_code, r.name AS region_name, r.prefix,
       p.valid_from IS NOT NULL AND p.state IN ('published', 'archived') AS public
FROM plan p JOIN region r ON r.id = p.region_id
WHERE EXISTS (SELECT FROM unnest(CAST(:prefixes AS text[])) AS mine
              WHERE r.prefix LIKE mine || '%' OR mine LIKE r.prefix || '%')
ORDER BY p.state = 'archived', p.state <> 'published', p.department IS NOT NULL AND p.department <> '综合', p.id

-- name: shown
-- The plan that maps and region pages show where none is chosen: in force today first, then the newest that is not archived;
-- all of them in that order, for who only looks sees none that was never in force.
SELECT p.id, r.prefix, p.valid_from IS NOT NULL AND p.state = 'published' AS public
FROM plan p JOIN region r ON r.id = p.region_id
WHERE p.state <> 'archived'
  AND (CAST(:region AS text) IS NULL OR :region LIKE r.prefix || '%' OR r.code LIKE :region || '%')
  AND EXISTS (SELECT FROM unnest(CAST(:prefixes AS text[])) AS mine
              WHERE r.prefix LIKE mine || '%' OR mine LIKE r.prefix || '%')
ORDER BY NOT (p.state = 'published' AND p.valid_from <= :day AND coalesce(p.valid_to > :day, true)),
         p.state <> 'published', p.department IS NOT NULL AND p.department <> '综合', p.id DESC

-- name: in_force_on
-- The plan that was (or will be) in force on a day, where the reader may look: the widest first.
SELECT p.id
FROM plan p JOIN region r ON r.id = p.region_id
WHERE p.state IN ('published', 'archived') AND p.valid_from <= :day AND coalesce(p.valid_to > :day, true)
  AND (CAST(:region AS text) IS NULL OR :region LIKE r.prefix || '%' OR r.code LIKE :region || '%')
  AND EXISTS (SELECT FROM unnest(CAST(:prefixes AS text[])) AS mine
              WHERE r.prefix LIKE mine || '%' OR mine LIKE r.prefix || '%')
ORDER BY p.department IS NOT NULL AND p.department <> '综合', length(r.prefix), p.valid_from DESC, p.id DESC
LIMIT 1

-- name: in_force_days
-- General plans in force on some day from :first to :last (null: open), where the reader may look, the widest first.
SELECT p.id, p.name, r.prefix, p.valid_from, p.valid_to
FROM plan p JOIN region r ON r.id = p.region_id
WHERE p.state IN ('published', 'archived') AND (p.department IS NULL OR p.department = '综合')
  AND (CAST(:last AS date) IS NULL OR p.valid_from <= :last)
  AND (CAST(:first AS date) IS NULL OR coalesce(p.valid_to > :first, true))
  AND p.valid_from IS NOT NULL
  AND EXISTS (SELECT FROM unnest(CAST(:prefixes AS text[])) AS mine
              WHERE r.prefix LIKE mine || '%' OR mine LIKE r.prefix || '%')
ORDER BY length(r.prefix), p.valid_from DESC, p.id DESC

-- name: grids
-- Grids of a plan where the reader may look, filtered; `total` is the number without the page's bound.
SELECT g.id, g.code, g.name, g.kind, g.parent_id, g.workers, g.area_m2,
       CASE WHEN :veiled THEN coalesce(h.shown, g.households) ELSE g.households END AS households, g.population, g.buildings,
       g.units, CASE WHEN NOT :veiled THEN g.estimated_households END AS estimated_households,
       coalesce(g.estimated_households::float8 / nullif(g.households, 0), 0) AS estimated_share, g.missing_households, g.status, g.valid_from, g.valid_to,
       r.code AS region_code, r.name AS region_name, r.settlement,
       ST_XMin(g.geom) AS west, ST_YMin(g.geom) AS south, ST_XMax(g.geom) AS east, ST_YMax(g.geom) AS north,
       coalesce(c.errors, 0) AS errors, coalesce(c.warnings, 0) AS warnings, coalesce(c.rules, '{}') AS rules,
       h.shown AS published, :veiled AND coalesce(h.shown, -3) < 0 AS hidden,
       count(*) OVER () AS total
FROM grid g
LEFT JOIN region r ON r.id = g.region_id
LEFT JOIN household_place h ON h.plan_id = g.plan_id AND h.grid_id = g.id
LEFT JOIN (
    SELECT grid_id, count(*) FILTER (WHERE severity = 'E') AS errors, count(*) FILTER (WHERE severity = 'W') AS warnings,
           array_agg(DISTINCT rule ORDER BY rule) FILTER (WHERE severity <> 'I') AS rules
    FROM check_result WHERE plan_id = :plan AND grid_id IS NOT NULL GROUP BY grid_id
) c ON c.grid_id = g.id
WHERE g.plan_id = :plan
  AND EXISTS (SELECT FROM unnest(CAST(:prefixes AS text[])) AS mine WHERE coalesce(r.code, '') LIKE mine || '%')
  AND (CAST(:grid AS bigint) IS NULL OR g.id = :grid)
  AND (CAST(:region AS text) IS NULL OR r.code LIKE :region || '%')
  AND (CAST(:statuses AS text[]) IS NULL OR g.status = ANY (CAST(:statuses AS text[])))
  AND (CAST(:kind AS text) IS NULL OR g.kind = :kind)
  AND (CAST(:rule AS text) IS NULL OR :rule = ANY(c.rules))
  AND (CAST(:like AS text) IS NULL OR g.code LIKE :like OR g.name LIKE :like)
ORDER BY CASE :order WHEN 'households' THEN
    -CASE WHEN :veiled THEN CASE WHEN coalesce(h.shown, -3) < 0 THEN 1 ELSE h.shown END ELSE g.households END WHEN 'errors' THEN -coalesce(c.errors, 0) END, g.code, g.id
LIMIT :limit OFFSET :offset

-- name: misfits
SELECT m.id, m.kind, m.grid_id, g.code AS grid_code, g.name AS grid_name, m.other_grid_id, o.code AS other_code,
       m.unit_id, m.area_m2, m.households, m.params, ST_AsGeoJSON(m.geom, 7) AS geojson,
       count(*) OVER () AS total
FROM plan_misfit m
LEFT JOIN grid g ON g.id = m.grid_id
LEFT JOIN grid o ON o.id = m.other_grid_id
WHERE m.plan_id = :plan
  AND EXISTS (SELECT FROM unnest(CAST(:prefixes AS text[])) AS mine
              WHERE coalesce(m.params ->> 'region_code', '') LIKE mine || '%')
  AND (CAST(:kind AS text) IS NULL OR m.kind = :kind)
ORDER BY m.id
LIMIT :limit OFFSET :offset

-- name: misfit_kinds
SELECT m.kind, count(*) AS count, sum(m.area_m2) AS area_m2, sum(m.households)::bigint AS households
FROM plan_misfit m
WHERE m.plan_id = :plan
  AND EXISTS (SELECT FROM unnest(CAST(:prefixes AS text[])) AS mine
              WHERE coalesce(m.params ->> 'region_code', '') LIKE mine || '%')
GROUP BY m.kind
ORDER BY m.kind

-- name: outlines
-- Geometry and what a map needs to draw grids.
SELECT g.id, g.code, g.name, g.kind, g.status, g.households, g.population, r.code AS region_code,
       ST_AsBinary(g.geom) AS geom
FROM grid g LEFT JOIN region r ON r.id = g.region_id
WHERE g.plan_id = :plan AND g.geom IS NOT NULL
  AND EXISTS (SELECT FROM unnest(CAST(:prefixes AS text[])) AS mine WHERE coalesce(r.code, '') LIKE mine || '%')
  AND (CAST(:region AS text) IS NULL OR r.code LIKE :region || '%')
ORDER BY g.code, g.id

-- name: ground_of_grids
-- Units under each grid, those of its micro-grids included; `ends` of a piece are where its cut met the border.
SELECT m.grid_id, u.region_id, u.area_m2, ST_AsBinary(u.geom) AS geom, u.provenance -> 'ends' AS ends
FROM (
    SELECT p.grid_id, p.unit_id FROM plan_unit p WHERE p.grid_id = ANY(:grids)
    UNION ALL
    SELECT g.parent_id, p.unit_id
    FROM grid g JOIN plan_unit p ON p.grid_id = g.id
    WHERE g.kind = 'micro' AND g.parent_id = ANY(:grids)
) AS m
JOIN unit u ON u.id = m.unit_id
ORDER BY m.grid_id, u.id

-- name: reshape
UPDATE grid g SET geom = n.geom
FROM unnest(CAST(:grids AS bigint[]), CAST(:geoms AS text[])) AS s(id, hex)
CROSS JOIN LATERAL (SELECT CAST(s.hex AS geometry) AS geom) AS n
WHERE g.id = s.id

-- name: rehome
UPDATE grid g SET region_id = n.region_id
FROM unnest(CAST(:grids AS bigint[]), CAST(:regions AS bigint[])) AS n(id, region_id)
WHERE g.id = n.id AND n.region_id IS NOT NULL

-- name: parted_copies
-- Copied grids that hold fewer units than the grids they were copied from, and their parents.
WITH held AS (
    SELECT m.id, (SELECT count(*) FROM plan_unit p WHERE p.grid_id = m.id) AS now,
           (SELECT count(*) FROM plan_unit p WHERE p.grid_id = m.old) AS before
    FROM unnest(CAST(:ids AS bigint[]), CAST(:old AS bigint[])) AS m(id, old)
)
SELECT DISTINCT t.id
FROM held h JOIN grid g ON g.id = h.id CROSS JOIN LATERAL (VALUES (g.id), (g.parent_id)) AS t(id)
WHERE h.now <> h.before AND t.id IS NOT NULL

-- name: outdated
-- Whether units of a plan have retired.
SELECT EXISTS (SELECT FROM plan_unit p JOIN unit u ON u.id = p.unit_id
               WHERE p.plan_id = :plan AND u.retired_at IS NOT NULL)

-- name: grid_table
-- Grids of a plan but micro-grids, as figures of cases are told by.
SELECT g.id, g.code, g.name, g.kind, g.households, g.workers, r.code AS region_code, r.name AS region_name
FROM grid g LEFT JOIN region r ON r.id = g.region_id
WHERE g.plan_id = :plan AND g.kind <> 'micro'
ORDER BY g.id

-- name: units_of_grids
-- Units and the grids that hold them, micro-grids within their parents, -1 none; packed.
SELECT string_agg(int8send(p.unit_id)
                  || int8send(CASE WHEN g.kind = 'micro' THEN coalesce(g.parent_id, g.id) ELSE coalesce(g.id, -1) END), '')
FROM plan_unit p LEFT JOIN grid g ON g.id = p.grid_id
WHERE p.plan_id = :plan

-- name: newest_unit
SELECT max(id) FROM unit

-- name: units
-- All units as one bytea of float8, in no order: id, community, households, area (m2).
SELECT string_agg(float8send(id) || float8send(region_id) || float8send(households) || float8send(area_m2), '') FROM unit

-- name: grid_shapes
-- Outlines of the grids of `grid_table`, in its order; null where a grid has no unit.
SELECT ST_AsBinary(g.geom) AS geom FROM grid g WHERE g.plan_id = :plan AND g.kind <> 'micro' ORDER BY g.id
