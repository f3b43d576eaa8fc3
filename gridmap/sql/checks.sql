-- Checks: what the rules look at beside the units, and the findings as lists and sums.

-- name: grids
SELECT g.id, g.code, g.name, g.kind, g.parent_id, g.region_id, g.workers, g.valid_from, g.valid_to
FROM grid g WHERE g.plan_id = :plan ORDER BY g.code, g.id

-- name: communities
SELECT r.id, r.code, r.name, r.settlement, ST_AsBinary(r.geom) AS geom
FROM region r
WHERE r.id = ANY(:regions) OR (r.level = 'community' AND r.prefix LIKE :prefix || '%')
ORDER BY r.code

-- name: compounds
SELECT c.id, c.name, coalesce(sum(b.households), 0)::bigint AS households
FROM compound c LEFT JOIN building b ON b.compound_id = c.id
WHERE c.id = ANY(:compounds)
GROUP BY c.id
ORDER BY c.id

-- name: misfits
SELECT m.kind, m.params, m.area_m2, m.households, ST_AsBinary(m.geom) AS geom, c.name AS compound
FROM plan_misfit m LEFT JOIN compound c ON c.id = (m.params ->> 'compound')::bigint
WHERE m.plan_id = :plan
ORDER BY m.id

-- name: retired_codes
-- Codes that other plans retired, with the day they ceased to be valid.
SELECT g.code, max(g.valid_to) AS valid_to
FROM grid g JOIN plan p ON p.id = g.plan_id
WHERE g.plan_id <> :plan AND g.valid_to IS NOT NULL AND p.state IN ('published', 'archived')
GROUP BY g.code

-- name: results
SELECT c.id, c.rule, c.severity, c.code, c.value, c."limit", c.unavoidable, c.params, c.sentence_zh, c.sentence_en,
       (:veiled AND g.id IS NOT NULL AND coalesce(h.shown, -3) < 0) AS hidden,
       c.grid_id, g.code AS grid_code, g.name AS grid_name, r.code AS region_code, r.name AS region_name,
       ST_XMin(c.geom) AS west, ST_YMin(c.geom) AS south, ST_XMax(c.geom) AS east, ST_YMax(c.geom) AS north,
       count(*) OVER () AS total
FROM check_result c
LEFT JOIN grid g ON g.id = c.grid_id
LEFT JOIN household_place h ON h.plan_id = c.plan_id AND h.grid_id = c.grid_id
LEFT JOIN region r ON r.id = c.region_id
WHERE c.plan_id = :plan
  AND (c.region_id IS NULL AND c.grid_id IS NULL
       OR EXISTS (SELECT FROM unnest(CAST(:prefixes AS text[])) AS mine WHERE coalesce(r.code, '') LIKE mine || '%'))
  AND (CAST(:rule AS text) IS NULL OR c.rule = :rule)
  AND (CAST(:severity AS text) IS NULL OR c.severity = :severity)
  AND (CAST(:region AS text) IS NULL OR r.code LIKE :region || '%')
  AND (CAST(:grid AS bigint) IS NULL OR c.grid_id = :grid)
  AND (CAST(:unavoidable AS boolean) IS NULL OR c.unavoidable = :unavoidable)
  AND (CAST(:checked AS boolean) IS NULL OR coalesce((c.params ->> 'checked')::boolean, true) = :checked)
ORDER BY array_position(ARRAY['E', 'W', 'I'], c.severity), c.rule, r.code, g.code, c.id
LIMIT :limit OFFSET :offset

-- name: geometry
SELECT ST_AsGeoJSON(c.geom, 7) AS geojson, coalesce(r.code, '') AS region_code
FROM check_result c LEFT JOIN region r ON r.id = c.region_id
WHERE c.plan_id = :plan AND c.id = :result

-- name: by_rule
SELECT c.rule, count(*) FILTER (WHERE c.severity = 'E') AS errors, count(*) FILTER (WHERE c.severity = 'W') AS warnings,
       count(*) FILTER (WHERE c.severity = 'I' AND coalesce((c.params ->> 'checked')::boolean, true)) AS infos,
       count(*) FILTER (WHERE c.unavoidable) AS unavoidable,
       count(DISTINCT c.grid_id) FILTER (WHERE c.severity <> 'I') AS grids,
       min(c.sentence_zh) FILTER (WHERE c.params ->> 'checked' = 'false') AS not_checked_zh,
       min(c.sentence_en) FILTER (WHERE c.params ->> 'checked' = 'false') AS not_checked_en
FROM check_result c LEFT JOIN region r ON r.id = c.region_id
WHERE c.plan_id = :plan
  AND (c.region_id IS NULL AND c.grid_id IS NULL
       OR EXISTS (SELECT FROM unnest(CAST(:prefixes AS text[])) AS mine WHERE coalesce(r.code, '') LIKE mine || '%'))
GROUP BY c.rule
ORDER BY c.rule

-- name: by_region
SELECT r.code, r.name, coalesce(g.grids, 0) AS grids, coalesce(g.households, 0) AS households,
       coalesce(g.under, 0) AS under, coalesce(g.within, 0) AS within, coalesce(g.over, 0) AS over,
       coalesce(g.empty, 0) AS empty, coalesce(g.unchecked, 0) AS unchecked,
       coalesce(c.errors, 0) AS errors, coalesce(c.warnings, 0) AS warnings, coalesce(c.unavoidable, 0) AS unavoidable
FROM region r
LEFT JOIN (
    SELECT region_id, count(*) FILTER (WHERE kind <> 'micro') AS grids,
           sum(households) FILTER (WHERE parent_id IS NULL)::bigint AS households,
           count(*) FILTER (WHERE status = 'under') AS under, count(*) FILTER (WHERE status = 'within') AS within,
           count(*) FILTER (WHERE status = 'over') AS over, count(*) FILTER (WHERE status = 'empty') AS empty,
           count(*) FILTER (WHERE status = 'unchecked') AS unchecked
    FROM grid WHERE plan_id = :plan GROUP BY region_id
) g ON g.region_id = r.id
LEFT JOIN (
    SELECT region_id, count(*) FILTER (WHERE severity = 'E') AS errors,
           count(*) FILTER (WHERE severity = 'W') AS warnings, count(*) FILTER (WHERE unavoidable) AS unavoidable
    FROM check_result WHERE plan_id = :plan GROUP BY region_id
) c ON c.region_id = r.id
WHERE r.level = 'community' AND (g.region_id IS NOT NULL OR c.region_id IS NOT NULL)
  AND EXISTS (SELECT FROM unnest(CAST(:prefixes AS text[])) AS mine WHERE r.code LIKE mine || '%')
ORDER BY r.code
