-- Home: what needs attention, inside the reader's regions.

-- name: large_rural
-- Rural grids of a plan with more people than :limit_population.
SELECT g.id, g.code, g.name, r.name AS region_name,
       CASE WHEN NOT :veiled OR h.shown >= 0 THEN g.population END AS population,
       CASE WHEN NOT :veiled THEN g.households WHEN h.shown >= 0 THEN h.shown END AS households, count(*) OVER () AS total
FROM grid g JOIN region r ON r.id = g.region_id
LEFT JOIN household_place h ON h.plan_id = g.plan_id AND h.grid_id = g.id
WHERE g.plan_id = :plan AND g.kind <> 'micro' AND r.settlement = 'rural' AND g.population > :limit_population
  AND EXISTS (SELECT FROM unnest(CAST(:prefixes AS text[])) AS mine WHERE r.code LIKE mine || '%')
ORDER BY g.population DESC, g.code
LIMIT :limit

-- name: worst
-- Grids of a plan with findings that block approval, the most first.
SELECT g.id, g.code, g.name, g.status,
       CASE WHEN NOT :veiled THEN g.households WHEN h.shown >= 0 THEN h.shown END AS households, r.name AS region_name, c.errors, c.rules, count(*) OVER () AS total
FROM (
    SELECT grid_id, count(*) AS errors, array_agg(DISTINCT rule ORDER BY rule) AS rules
    FROM check_result WHERE plan_id = :plan AND severity = 'E' AND grid_id IS NOT NULL GROUP BY grid_id
) c
JOIN grid g ON g.id = c.grid_id
JOIN region r ON r.id = g.region_id
LEFT JOIN household_place h ON h.plan_id = g.plan_id AND h.grid_id = g.id
WHERE EXISTS (SELECT FROM unnest(CAST(:prefixes AS text[])) AS mine WHERE r.code LIKE mine || '%')
ORDER BY c.errors DESC, g.code
LIMIT :limit

-- name: data
-- Living units: households, and those estimated or in units with counts older than :cutoff; buildings without a count.
WITH mine AS MATERIALIZED (
    SELECT r.id FROM region r
    WHERE EXISTS (SELECT FROM unnest(CAST(:prefixes AS text[])) AS mine WHERE r.code LIKE mine || '%')
)
SELECT count(*) AS units, coalesce(sum(u.households), 0)::bigint AS households,
       coalesce(sum(u.estimated_households), 0)::bigint AS estimated,
       coalesce(sum(u.missing_households), 0)::bigint AS missing, coalesce(sum(u.buildings), 0)::bigint AS buildings,
       coalesce(sum(u.households) FILTER (WHERE u.oldest_data < :cutoff), 0)::bigint AS old,
       min(u.oldest_data) AS oldest,
       EXISTS (SELECT FROM region r JOIN unnest(CAST(:prefixes AS text[])) AS own ON r.prefix = own
               LEFT JOIN household_region t ON t.region_id = r.id WHERE coalesce(t.shown, -3) < 0) AS shut
FROM unit u JOIN mine ON mine.id = u.region_id
WHERE u.retired_at IS NULL

-- name: newest_case
SELECT max(c.occurred_at) FROM case_record c
WHERE c.occurred_at < :now AND c.category <> ALL (CAST(:sensitive AS text[]))

-- name: present
-- Which kinds of data there are at all.
SELECT EXISTS (SELECT FROM region) AS regions, EXISTS (SELECT FROM building) AS buildings,
       EXISTS (SELECT FROM barrier) AS barriers, EXISTS (SELECT FROM unit WHERE retired_at IS NULL) AS units,
       EXISTS (SELECT FROM plan) AS plans, EXISTS (SELECT FROM plan WHERE checked_at IS NOT NULL) AS checked,
       EXISTS (SELECT FROM case_record) AS cases
