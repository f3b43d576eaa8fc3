-- Households: what may be told of those in regions and in the grids of plans that are or were in force.

-- name: alone
SELECT pg_advisory_xact_lock(hashtext('gridmap.households'))

-- name: regions
-- Regions, parents first, and the households of communities: of living units, else of buildings.
SELECT r.id, r.parent_id, r.code, CASE WHEN r.level = 'community' THEN coalesce(u.households, b.households, 0) ELSE 0 END AS households
FROM region r
LEFT JOIN (SELECT region_id, sum(households)::bigint AS households FROM unit WHERE retired_at IS NULL GROUP BY region_id) u
     ON u.region_id = r.id
LEFT JOIN (SELECT region_id, sum(households)::bigint AS households FROM building GROUP BY region_id) b ON b.region_id = r.id
ORDER BY length(r.prefix), r.code

-- name: units
-- Living units and those of plans that are or were in force, as one bytea of int8: id, region, households, the unit that
-- it was cut of (0: none), whether it lives.
SELECT string_agg(int8send(u.id::bigint) || int8send(u.region_id::bigint) || int8send(u.households::bigint)
    || int8send(coalesce(u.cut_of, 0)::bigint) || int8send((u.retired_at IS NULL)::int::bigint), '' ORDER BY u.id)
FROM unit u
WHERE u.retired_at IS NULL OR EXISTS (
    SELECT FROM plan_unit pu JOIN plan p ON p.id = pu.plan_id
    WHERE pu.unit_id = u.id AND p.valid_from IS NOT NULL AND p.state IN ('published', 'archived'))

-- name: plans
-- Plans that are or were in force, in the order in which they began.
SELECT p.id, coalesce(p.valid_to > :day, true) AS current FROM plan p
WHERE p.valid_from IS NOT NULL AND p.state IN ('published', 'archived') ORDER BY p.valid_from, p.id

-- name: cells
-- Units of a plan as one bytea of int8: unit, its grid (a micro-grid's parent; 0: none).
SELECT string_agg(int8send(pu.unit_id::bigint) || int8send(coalesce(g.parent_id, g.id, 0)::bigint), '' ORDER BY pu.unit_id)
FROM plan_unit pu LEFT JOIN grid g ON g.id = pu.grid_id
WHERE pu.plan_id = :plan

-- name: grids
-- Grids of plans with the bounds that their status tells (null: none); micro-grids have a parent.
SELECT g.id, g.plan_id, g.parent_id, coalesce(r.code, '') AS region_code, g.code, g.households,
       CASE g.status WHEN 'within' THEN b.low WHEN 'over' THEN b.high + 1 END AS low,
       CASE g.status WHEN 'within' THEN b.high WHEN 'under' THEN b.low - 1 END AS high
FROM grid g
JOIN plan p ON p.id = g.plan_id
LEFT JOIN region r ON r.id = g.region_id
CROSS JOIN LATERAL (SELECT p.profile -> CASE g.kind WHEN 'basic' THEN r.settlement ELSE g.kind END AS bound) AS f
CROSS JOIN LATERAL (SELECT CAST(f.bound ->> 'households_min' AS bigint) AS low,
                           CAST(f.bound ->> 'households_max' AS bigint) AS high) AS b
WHERE g.plan_id = ANY (CAST(:plans AS bigint[]))
ORDER BY g.plan_id, g.id

-- name: told
-- What was told until now.
SELECT plan_id, grid_id, region_code, shown FROM household_place

-- name: told_of_regions
SELECT region_id, shown FROM household_region

-- name: forget
-- Of the plans decided upon only: one that came into force meanwhile keeps its marks until it is.
DELETE FROM household_place WHERE plan_id = ANY (CAST(:plans AS bigint[]))

-- name: forget_regions
DELETE FROM household_region

-- name: veil
-- All grids of a plan, undecided: not told until they are (-3, see services/plans/households.py).
INSERT INTO household_place (plan_id, place, level, code, region_code, grid_id, shown)
SELECT g.plan_id, row_number() OVER (ORDER BY g.id), 'grid', g.code, coalesce(r.code, ''), g.id, -3
FROM grid g LEFT JOIN region r ON r.id = g.region_id WHERE g.plan_id = :plan
ON CONFLICT DO NOTHING

-- name: due
-- Whether a plan that is or was in force has grids upon which nothing is decided.
SELECT EXISTS (
    SELECT FROM plan p WHERE p.valid_from IS NOT NULL AND p.state IN ('published', 'archived')
      AND (NOT EXISTS (SELECT FROM household_place h WHERE h.plan_id = p.id)
           OR EXISTS (SELECT FROM household_place h WHERE h.plan_id = p.id AND h.shown = -3)))

-- name: withheld_sums
-- Communities where the reader may look whose households in grids of a plan, and in none, are not told; all of a plan on
-- which nothing is decided. Loose buildings are counted with what lies in no grid.
SELECT DISTINCT p.id AS plan_id, r.code AS region_code
FROM plan p
JOIN region r ON r.level = 'community' AND r.code LIKE ANY (CAST(:patterns AS text[]))
LEFT JOIN household_place h ON h.plan_id = p.id AND h.level = 'outside' AND h.region_code = r.code
LEFT JOIN household_region t ON t.region_id = r.id
LEFT JOIN LATERAL (SELECT shown FROM household_place WHERE plan_id = p.id LIMIT 1) any_of ON true
WHERE p.id = ANY (CAST(:plans AS bigint[]))
  AND (h.shown < 0 OR coalesce(t.shown, -3) < 0 OR coalesce(any_of.shown, -3) = -3)
