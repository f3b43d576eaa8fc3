-- Counts: households, population and data state of units and grids, kept by set-based sums over stored ids.

-- name: units
-- Living units whose sums over their buildings changed; imported ones, and pieces of such, keep the counts they came
-- with until they hold buildings.
UPDATE unit u SET households = s.households, population = s.population, buildings = s.buildings,
                  estimated_households = s.estimated, missing_households = s.missing, oldest_data = s.oldest
FROM (
    SELECT v.id, coalesce(sum(b.households), 0) AS households, coalesce(sum(b.population), 0) AS population,
           count(b.id) AS buildings, coalesce(sum(b.households) FILTER (WHERE b.estimated), 0) AS estimated,
           count(b.id) FILTER (WHERE b.households IS NULL) AS missing, min(b.data_date) AS oldest
    FROM unit v LEFT JOIN building b ON b.unit_id = v.id
    WHERE v.retired_at IS NULL AND (CAST(:units AS bigint[]) IS NULL OR v.id = ANY(:units))
    GROUP BY v.id
    HAVING count(b.id) > 0
        OR v.provenance ->> 'by' IS DISTINCT FROM 'import' AND v.provenance ->> 'estimated' IS DISTINCT FROM 'true'
) s
WHERE u.id = s.id
  AND (u.households, u.population, u.buildings, u.estimated_households, u.missing_households, u.oldest_data)
      IS DISTINCT FROM (s.households, s.population, s.buildings, s.estimated, s.missing, s.oldest)
RETURNING u.id

-- name: show_status
-- The status of every grid of a plan by the sums it has.
UPDATE grid g SET status = n.status
FROM (
    SELECT g.id,
           CASE WHEN b.low IS NULL THEN 'unchecked' WHEN g.households = 0 THEN 'empty' WHEN g.households < b.low THEN 'under'
                WHEN g.households > b.high THEN 'over' ELSE 'within' END AS status
    FROM grid g
    JOIN plan p ON p.id = g.plan_id
    LEFT JOIN region r ON r.id = g.region_id
    CROSS JOIN LATERAL (SELECT p.profile -> CASE g.kind WHEN 'basic' THEN r.settlement ELSE g.kind END AS bound) AS f
    CROSS JOIN LATERAL (SELECT CAST(f.bound ->> 'households_min' AS bigint) AS low,
                               CAST(f.bound ->> 'households_max' AS bigint) AS high) AS b
    WHERE g.plan_id = :plan
) AS n
WHERE g.id = n.id AND g.status <> n.status

-- name: lock_plans
-- Plans that hold one of the units, or a piece of one, in the order in which everybody locks them.
WITH RECURSIVE family AS (
    SELECT unnest(CAST(:units AS bigint[])) AS id
    UNION
    SELECT u.id FROM family JOIN unit u ON u.cut_of = family.id
)
SELECT p.id FROM plan p
WHERE p.id IN (SELECT h.plan_id FROM plan_unit h WHERE h.unit_id IN (SELECT id FROM family))
ORDER BY p.id
FOR NO KEY UPDATE

-- name: touched_grids
-- Grids that hold one of the units, and the parents of those that are micro-grids.
SELECT DISTINCT unnest(ARRAY[g.id, g.parent_id]) AS id
FROM plan_unit p JOIN grid g ON g.id = p.grid_id
WHERE p.unit_id = ANY(:units)

-- name: grids
-- Sums over the units of each grid (a parent holds the units of its micro-grids), and the status that follows.
WITH member AS (
    SELECT p.grid_id, p.unit_id FROM plan_unit p WHERE p.grid_id = ANY(:grids)
    UNION
    SELECT g.parent_id, p.unit_id
    FROM grid g JOIN plan_unit p ON p.grid_id = g.id
    WHERE g.kind = 'micro' AND g.parent_id = ANY(:grids)
), counted AS (
    SELECT g.id, g.plan_id, coalesce(sum(u.households), 0) AS households, coalesce(sum(u.population), 0) AS population,
           coalesce(sum(u.buildings), 0) AS buildings, count(u.id) AS units, coalesce(sum(u.area_m2), 0) AS area_m2,
           coalesce(sum(u.estimated_households), 0) AS estimated, coalesce(sum(u.missing_households), 0) AS missing
    FROM grid g
    LEFT JOIN member m ON m.grid_id = g.id
    LEFT JOIN unit u ON u.id = m.unit_id
    WHERE g.id = ANY(:grids)
    GROUP BY g.id
), rated AS MATERIALIZED (
    -- a plan shows the status of its grids once it was checked, or worked on by hand
    SELECT p.id, p.profile,
           p.checked_version IS NOT NULL
           OR EXISTS (SELECT FROM plan_operation o WHERE o.plan_id = p.id AND o.kind IN ('edit', 'cut', 'undo')) AS shown
    FROM plan p WHERE p.id IN (SELECT plan_id FROM counted)
), bounded AS (
    -- special-purpose grids and communities of unknown class have no bound
    SELECT c.*, (bound ->> 'households_min')::bigint AS low, (bound ->> 'households_max')::bigint AS high
    FROM (
        SELECT c.*, p.shown,
               p.profile -> CASE g.kind WHEN 'basic' THEN r.settlement ELSE g.kind END AS bound
        FROM counted c
        JOIN rated p ON p.id = c.plan_id
        JOIN grid g ON g.id = c.id
        LEFT JOIN region r ON r.id = g.region_id
    ) c
)
UPDATE grid g SET households = b.households, population = b.population, buildings = b.buildings, units = b.units,
                  area_m2 = b.area_m2, estimated_households = b.estimated, missing_households = b.missing,
                  status = CASE WHEN NOT b.shown OR b.low IS NULL THEN 'unchecked'
                                WHEN b.households = 0 THEN 'empty'
                                WHEN b.households < b.low THEN 'under'
                                WHEN b.households > b.high THEN 'over'
                                ELSE 'within' END
FROM bounded b
WHERE g.id = b.id

-- name: raise_plans
-- Plans whose grids changed move on by one version.
UPDATE plan SET version = version + 1, updated_at = now()
WHERE id IN (SELECT plan_id FROM grid WHERE id = ANY(:grids))

-- name: unplaced_buildings
SELECT b.id, ST_X(b.point) AS lon, ST_Y(b.point) AS lat
FROM building b
WHERE b.unit_id IS NULL AND (CAST(:batch AS bigint) IS NULL OR b.import_batch_id = :batch)

-- name: unplaced_cases
SELECT c.id, ST_X(c.point) AS lon, ST_Y(c.point) AS lat
FROM case_record c
WHERE c.unit_id IS NULL AND c.point IS NOT NULL AND (CAST(:batch AS bigint) IS NULL OR c.import_batch_id = :batch)

-- name: living_units_within
SELECT u.id, u.region_id, ST_AsBinary(u.geom) AS geom
FROM unit u
WHERE u.retired_at IS NULL AND u.geom && ST_MakeEnvelope(:west, :south, :east, :north, 4490)
ORDER BY u.id
