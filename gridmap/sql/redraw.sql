-- Redraw: the ground that the engine works on, and the proposal written beside the plan it came from.

-- name: homes
-- Where the households of a plan's units live, in degrees, as one bytea of float8; units without any are left out.
SELECT string_agg(float8send(unit_id) || float8send(lon) || float8send(lat), '')
FROM (
    SELECT b.unit_id, sum(b.households * ST_X(b.point)) / sum(b.households) AS lon,
           sum(b.households * ST_Y(b.point)) / sum(b.households) AS lat
    FROM plan_unit p JOIN building b ON b.unit_id = p.unit_id
    WHERE p.plan_id = :plan AND b.households > 0
    GROUP BY b.unit_id
) h

-- name: cases
-- The cases of the last year in a plan's units, as one bytea of int8.
SELECT string_agg(int8send(unit_id) || int8send(cases), '')
FROM (
    SELECT c.unit_id, count(*) AS cases FROM plan_unit p JOIN case_record c ON c.unit_id = p.unit_id
    WHERE p.plan_id = :plan AND c.occurred_at >= now() - interval '1 year'
    GROUP BY c.unit_id
) i

-- name: grids
-- Grids of a plan that are not part of another; `units` counts all of theirs, wherever these lie.
WITH held AS (
    SELECT coalesce(g.parent_id, g.id) AS id, count(*) AS units, bool_or(g.parent_id IS NOT NULL) AS divided
    FROM plan_unit p JOIN grid g ON g.id = p.grid_id
    WHERE p.plan_id = :plan
    GROUP BY 1
)
SELECT g.id, g.code, g.name, g.kind, g.locked, coalesce(h.units, 0) AS units, coalesce(h.divided, false) AS divided
FROM grid g LEFT JOIN held h ON h.id = g.id
WHERE g.plan_id = :plan AND g.parent_id IS NULL
ORDER BY g.code, g.id

-- name: any_unit
SELECT EXISTS (SELECT FROM plan_unit p JOIN unit u ON u.id = p.unit_id JOIN region r ON r.id = u.region_id
               WHERE p.plan_id = :plan AND r.prefix LIKE :prefix || '%')

-- name: codes
-- Every code in use in a plan, or retired by another.
SELECT g.code FROM grid g WHERE g.plan_id = :plan
UNION
SELECT g.code FROM grid g JOIN plan p ON p.id = g.plan_id
WHERE g.plan_id <> :plan AND g.valid_to IS NOT NULL AND p.state IN ('published', 'archived')

-- name: kept_grids
-- Grids of a plan with ground or home in the scope: what a copy of the plan begins with.
SELECT g.id FROM grid g LEFT JOIN region r ON r.id = g.region_id
WHERE g.plan_id = :base
  AND (r.prefix LIKE :scope || '%'
       OR EXISTS (SELECT FROM plan_unit p JOIN unit u ON u.id = p.unit_id JOIN region h ON h.id = u.region_id
                  WHERE p.grid_id = g.id AND h.prefix LIKE :scope || '%'))
ORDER BY g.id

-- name: copy_grids
-- Validity dates stay with the plan in force.
INSERT INTO grid (id, plan_id, region_id, parent_id, code, name, kind, workers, geom, area_m2, households, population,
                  buildings, units, estimated_households, missing_households)
SELECT m.id, :plan, g.region_id, above.id, g.code, g.name, g.kind, g.workers, g.geom, g.area_m2, g.households, g.population,
       g.buildings, g.units, g.estimated_households, g.missing_households
FROM unnest(CAST(:ids AS bigint[]), CAST(:old AS bigint[])) AS m(id, old)
JOIN grid g ON g.id = m.old
LEFT JOIN unnest(CAST(:ids AS bigint[]), CAST(:old AS bigint[])) AS above(id, old) ON above.old = g.parent_id

-- name: copy_units
-- Units of the base plan in their copied grids, but those that the engine placed.
INSERT INTO plan_unit (plan_id, unit_id, grid_id)
SELECT :plan, p.unit_id, CASE WHEN placed.unit_id IS NULL THEN m.id ELSE placed.grid_id END
FROM plan_unit p
JOIN unit u ON u.id = p.unit_id
JOIN region r ON r.id = u.region_id
LEFT JOIN unnest(CAST(:ids AS bigint[]), CAST(:old AS bigint[])) AS m(id, old) ON m.old = p.grid_id
LEFT JOIN unnest(CAST(:units AS bigint[]), CAST(:grids AS bigint[])) AS placed(unit_id, grid_id) ON placed.unit_id = p.unit_id
WHERE p.plan_id = :base AND r.prefix LIKE :scope || '%'

-- name: touched_grids
-- Copied and new grids that hold other units than their namesake in the base plan.
SELECT DISTINCT t.id
FROM plan_unit n
JOIN plan_unit p ON p.plan_id = :base AND p.unit_id = n.unit_id
LEFT JOIN unnest(CAST(:ids AS bigint[]), CAST(:old AS bigint[])) AS m(id, old) ON m.old = p.grid_id
CROSS JOIN LATERAL (VALUES (m.id), (n.grid_id)) AS t(id)
WHERE n.plan_id = :plan AND n.grid_id IS DISTINCT FROM m.id AND t.id IS NOT NULL

-- name: remove_empty
-- Grids that lost all their units, and those of the redrawn communities that never had one.
DELETE FROM grid g
WHERE g.plan_id = :plan AND NOT EXISTS (SELECT FROM plan_unit p WHERE p.grid_id = g.id)
  AND NOT EXISTS (SELECT FROM grid m WHERE m.parent_id = g.id)
  AND (g.id = ANY(:grids) OR g.kind <> 'special' AND g.parent_id IS NULL
       AND g.region_id IN (SELECT id FROM region WHERE code = ANY(:communities)))
RETURNING g.id, g.code

-- name: cut_off_grids
-- Copied grids that have units outside the scope, and the grids above them.
SELECT DISTINCT unnest(ARRAY[m.id, above.id])
FROM unnest(CAST(:ids AS bigint[]), CAST(:old AS bigint[])) AS m(id, old)
JOIN grid g ON g.id = m.old
LEFT JOIN unnest(CAST(:ids AS bigint[]), CAST(:old AS bigint[])) AS above(id, old) ON above.old = g.parent_id
WHERE EXISTS (SELECT FROM plan_unit p
              WHERE p.grid_id = m.old
                AND NOT EXISTS (SELECT FROM plan_unit n WHERE n.plan_id = :plan AND n.unit_id = p.unit_id))

-- name: proposals
-- Plans that a redraw of this one made and nobody has put away, newest first, with what their birth says of them.
SELECT p.id, p.name, p.created_at, r.code AS region_code, o.detail
FROM plan p
JOIN region r ON r.id = p.region_id
JOIN plan_operation o ON o.plan_id = p.id AND o.version = 1
WHERE p.base_plan_id = :plan AND p.state <> 'archived' AND o.detail ->> 'by' = 'plan.redraw'
ORDER BY p.id DESC

-- name: birth
SELECT p.id, p.name, p.created_at, r.code AS region_code, o.detail
FROM plan p
JOIN region r ON r.id = p.region_id
JOIN plan_operation o ON o.plan_id = p.id AND o.version = 1
WHERE p.id = :plan AND o.detail ->> 'by' = 'plan.redraw'

-- name: made_by
SELECT p.id, p.name, o.detail
FROM plan p JOIN plan_operation o ON o.plan_id = p.id AND o.version = 1
WHERE p.base_plan_id = :plan AND (o.detail ->> 'job')::bigint = :job
