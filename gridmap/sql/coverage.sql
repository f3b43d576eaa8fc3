-- Coverage: sums of plans by region, from stored counts of grids and units; geometry is never touched.

-- name: sums
-- One row for each group of communities in the subtree :region whose codes share :digits digits.
WITH home AS (
    SELECT r.id, r.code, left(r.code, :digits) AS part FROM region r
    WHERE r.level = 'community' AND r.code LIKE CAST(:region AS text) || '%'
      AND EXISTS (SELECT FROM unnest(CAST(:prefixes AS text[])) AS mine WHERE r.code LIKE mine || '%')
), grids AS (
    SELECT h.part, count(*) AS grids, count(*) FILTER (WHERE g.status = 'within') AS within,
           count(*) FILTER (WHERE g.status = 'under') AS under, count(*) FILTER (WHERE g.status = 'over') AS over,
           count(*) FILTER (WHERE g.status = 'empty') AS empty,
           count(*) FILTER (WHERE g.status = 'unchecked') AS unchecked,
           count(*) FILTER (WHERE EXISTS (SELECT FROM check_result c WHERE c.grid_id = g.id AND c.unavoidable))
               AS unavoidable,
           sum(g.households) AS households, sum(g.population) AS population,
           coalesce(sum(g.population) FILTER (WHERE g.population > :crowded), 0) AS people_in_crowded,
           sum(g.estimated_households) AS estimated
    FROM grid g JOIN home h ON h.id = g.region_id
    WHERE g.plan_id = ANY (CAST(:plans AS bigint[])) AND g.kind <> 'micro' GROUP BY h.part
), ages AS (
    SELECT h.part, min(u.oldest_data) AS oldest, max(u.oldest_data) AS newest,
           coalesce(sum(u.buildings) FILTER (WHERE p.grid_id IS NULL), 0) AS buildings,
           coalesce(sum(u.households) FILTER (WHERE p.grid_id IS NULL), 0) AS households
    FROM plan_unit p JOIN unit u ON u.id = p.unit_id JOIN home h ON h.id = u.region_id
    WHERE p.plan_id = ANY (CAST(:plans AS bigint[])) GROUP BY h.part
), loose AS (
    SELECT h.part, count(*) AS buildings, coalesce(sum(b.households), 0) AS households
    FROM building b JOIN home h ON h.id = b.region_id
    WHERE b.unit_id IS NULL GROUP BY h.part
)
SELECT s.code, s.name, s.level, coalesce(g.grids, 0)::bigint AS grids, coalesce(g.within, 0)::bigint AS within,
       coalesce(g.under, 0)::bigint AS under, coalesce(g.over, 0)::bigint AS over,
       coalesce(g.empty, 0)::bigint AS empty, coalesce(g.unchecked, 0)::bigint AS unchecked,
       coalesce(g.unavoidable, 0)::bigint AS unavoidable, coalesce(g.households, 0)::bigint AS households,
       coalesce(g.population, 0)::bigint AS population,
       coalesce(g.people_in_crowded, 0)::bigint AS people_in_crowded,
       coalesce(g.estimated, 0)::bigint AS estimated_households,
       (coalesce(a.buildings, 0) + coalesce(l.buildings, 0))::bigint AS uncovered_buildings,
       (coalesce(a.households, 0) + coalesce(l.households, 0))::bigint AS uncovered_households, a.oldest, a.newest
FROM (SELECT DISTINCT part FROM home) h
JOIN region s ON s.prefix = h.part
LEFT JOIN grids g ON g.part = h.part
LEFT JOIN ages a ON a.part = h.part
LEFT JOIN loose l ON l.part = h.part
ORDER BY s.code
