-- Assist: where a grid lies, what is in no grid, points inside units, who still looks at a preview.

-- name: homes_of
-- Communities that hold ground of some grids, their micro-grids' included.
SELECT DISTINCT r.code
FROM plan_unit p
JOIN grid g ON g.id = p.grid_id
JOIN unit u ON u.id = p.unit_id
JOIN region r ON r.id = u.region_id
WHERE p.plan_id = :plan AND coalesce(g.parent_id, g.id) = ANY(:grids)
ORDER BY r.code

-- name: unassigned
-- Communities with units in no grid, these units, and their households.
SELECT r.code, array_agg(u.id ORDER BY u.number, u.id) AS units, sum(u.households) AS households
FROM plan_unit p
JOIN unit u ON u.id = p.unit_id
JOIN region r ON r.id = u.region_id
WHERE p.plan_id = :plan AND p.grid_id IS NULL AND r.prefix LIKE :prefix || '%'
GROUP BY r.code
ORDER BY r.code

-- name: changed_since
-- Codes that the operations after a version named, as they were then.
SELECT DISTINCT c.value
FROM plan_operation o CROSS JOIN LATERAL jsonb_each_text(coalesce(o.detail -> 'codes', '{}')) AS c
WHERE o.plan_id = :plan AND o.version > :version
ORDER BY c.value

-- name: inside
-- A point inside each unit.
SELECT u.id, ST_X(q.point) AS lon, ST_Y(q.point) AS lat
FROM unit u CROSS JOIN LATERAL (SELECT ST_PointOnSurface(u.geom) AS point) AS q
WHERE u.id = ANY(:units)

-- name: seen
-- Somebody looks at a job; written down every other second at the most.
UPDATE job SET arguments = arguments || jsonb_build_object('seen', extract(epoch FROM clock_timestamp()))
WHERE id = :job AND state IN ('waiting', 'running')
  AND coalesce((arguments ->> 'seen')::float, 0) < extract(epoch FROM clock_timestamp()) - 2

-- name: wanted
-- What was asked of a job meanwhile, and for how many seconds nobody has looked at it.
SELECT coalesce(arguments ->> 'stop', '') AS stop,
       extract(epoch FROM clock_timestamp()) - coalesce((arguments ->> 'seen')::float, extract(epoch FROM created_at)) AS unseen_s
FROM job WHERE id = :job

-- name: forget
-- Previews are of no use a day later.
DELETE FROM job WHERE task = :task AND created_at < now() - interval '1 day'
