-- Regions: the tree with what lives in it, and the grids of the plan shown.

-- name: places
-- Regions where the reader may look, by name and bounds only.
SELECT r.code, r.name, r.level,
       ARRAY[ST_XMin(r.geom), ST_YMin(r.geom), ST_XMax(r.geom), ST_YMax(r.geom)]::float8[] AS bbox
FROM region r
WHERE EXISTS (SELECT FROM unnest(CAST(:prefixes AS text[])) AS mine WHERE r.code LIKE mine || '%')
ORDER BY r.code

-- name: totals
-- Regions where the reader may look, with sums over their communities: from living units, else from buildings.
WITH shown AS (
    SELECT r.* FROM region r
    WHERE EXISTS (SELECT FROM unnest(CAST(:prefixes AS text[])) AS mine WHERE r.code LIKE mine || '%')
      AND (CAST(:code AS text) IS NULL OR r.code = :code)
      AND (CAST(:parent AS text) IS NULL OR r.parent_id = (SELECT id FROM region WHERE code = :parent))
), home AS (
    SELECT DISTINCT c.id, c.code FROM region c
    CROSS JOIN LATERAL (VALUES (left(c.code, 6)), (left(c.code, 9)), (c.code)) AS up(prefix)
    JOIN shown s ON s.prefix = up.prefix
    WHERE c.level = 'community'
), unit_sums AS (
    SELECT u.region_id, count(*) AS units, sum(u.households) AS households, sum(u.population) AS population,
           sum(u.buildings) AS buildings, sum(u.estimated_households) AS estimated, sum(u.missing_households) AS missing,
           min(u.oldest_data) AS oldest
    FROM unit u WHERE u.retired_at IS NULL AND u.region_id IN (SELECT id FROM home)
    GROUP BY u.region_id
), building_sums AS (
    SELECT b.region_id, 0 AS units, coalesce(sum(b.households), 0) AS households,
           coalesce(sum(b.population), 0) AS population, count(*) AS buildings,
           coalesce(sum(b.households) FILTER (WHERE b.estimated), 0) AS estimated,
           count(*) FILTER (WHERE b.households IS NULL) AS missing, min(b.data_date) AS oldest
    FROM building b
    WHERE b.region_id IN (SELECT id FROM home EXCEPT SELECT region_id FROM unit_sums)
    GROUP BY b.region_id
), grid_sums AS (
    SELECT g.region_id, count(*) FILTER (WHERE g.kind <> 'micro') AS grids,
           count(*) FILTER (WHERE g.status = 'under') AS under, count(*) FILTER (WHERE g.status = 'within') AS within,
           count(*) FILTER (WHERE g.status = 'over') AS over, count(*) FILTER (WHERE g.status = 'empty') AS empty,
           count(*) FILTER (WHERE g.status = 'unchecked') AS unchecked
    FROM grid g WHERE g.plan_id = :plan GROUP BY g.region_id
), community AS (
    SELECT h.code, s.*, g.grids, g.under, g.within, g.over, g.empty, g.unchecked
    FROM home h
    LEFT JOIN (SELECT * FROM unit_sums UNION ALL SELECT * FROM building_sums) s ON s.region_id = h.id
    LEFT JOIN grid_sums g ON g.region_id = h.id
), rolled AS (
    SELECT s.id, count(c.code) AS communities, coalesce(sum(c.units), 0)::bigint AS units,
           coalesce(sum(c.households), 0)::bigint AS households, coalesce(sum(c.population), 0)::bigint AS population,
           coalesce(sum(c.buildings), 0)::bigint AS buildings,
           coalesce(sum(c.estimated), 0)::bigint AS estimated_households,
           coalesce(sum(c.missing), 0)::bigint AS missing_households, min(c.oldest) AS oldest_data,
           coalesce(sum(c.grids), 0)::bigint AS grids, coalesce(sum(c.under), 0)::bigint AS under,
           coalesce(sum(c.within), 0)::bigint AS within, coalesce(sum(c.over), 0)::bigint AS over,
           coalesce(sum(c.empty), 0)::bigint AS empty, coalesce(sum(c.unchecked), 0)::bigint AS unchecked
    FROM shown s
    LEFT JOIN (SELECT of.*, up.prefix FROM community of
               CROSS JOIN LATERAL (VALUES (left(of.code, 6)), (left(of.code, 9)), (of.code)) AS up(prefix)) c
        ON c.prefix = s.prefix
    GROUP BY s.id
)
SELECT s.id, s.code, s.name, s.level, s.settlement, s.urban_rural_code, p.code AS parent_code, s.area_m2, s.source,
       s.data_date, ST_XMin(s.geom) AS west, ST_YMin(s.geom) AS south, ST_XMax(s.geom) AS east, ST_YMax(s.geom) AS north,
       t.communities, t.units, t.households, t.population, t.buildings, t.estimated_households, t.missing_households,
       t.oldest_data, t.grids, t.under, t.within, t.over, t.empty, t.unchecked, told.shown
FROM shown s
JOIN rolled t ON t.id = s.id
LEFT JOIN region p ON p.id = s.parent_id
LEFT JOIN household_region told ON told.region_id = s.id
ORDER BY s.code

-- name: breadcrumb
-- A region and those above it, the county first.
SELECT up.code, up.name, up.level
FROM region r JOIN region up ON r.code LIKE up.prefix || '%'
WHERE r.code = :code
ORDER BY length(up.prefix)

-- name: outlines
SELECT r.code, r.name, r.level, r.settlement, ST_AsGeoJSON(r.geom, 7) AS geojson
FROM region r
WHERE (r.level = :level OR CAST(:level AS text) IS NULL)
  AND (CAST(:within AS text) IS NULL OR r.code LIKE :within || '%')
  AND EXISTS (SELECT FROM unnest(CAST(:prefixes AS text[])) AS mine WHERE r.code LIKE mine || '%')
ORDER BY r.code

-- name: county_outlines
-- Counties that hold any region of the reader: their outline is no secret of theirs.
SELECT r.code, r.name, r.level, r.settlement, ST_AsGeoJSON(r.geom, 7) AS geojson
FROM region r
WHERE r.level = 'county'
  AND EXISTS (SELECT FROM unnest(CAST(:prefixes AS text[])) AS mine WHERE r.code LIKE mine || '%' OR mine LIKE r.prefix || '%')
ORDER BY r.code
