-- Operations: the part of a plan they touch read by ids, and written back as sets.

-- name: units
SELECT p.unit_id, p.grid_id, u.region_id, u.households, c.name
FROM plan_unit p JOIN unit u ON u.id = p.unit_id LEFT JOIN compound c ON c.id = u.compound_id
WHERE p.plan_id = :plan AND p.unit_id = ANY(:units)

-- name: members
SELECT p.unit_id, p.grid_id, u.region_id, u.households, c.name
FROM plan_unit p JOIN unit u ON u.id = p.unit_id LEFT JOIN compound c ON c.id = u.compound_id
WHERE p.plan_id = :plan AND p.grid_id = ANY(:grids)

-- name: unit_rows
SELECT u.id, u.region_id, u.households, c.name
FROM unit u LEFT JOIN compound c ON c.id = u.compound_id
WHERE u.id = ANY(:units)

-- name: grids
SELECT g.id, g.code, g.name, g.kind, g.workers, g.locked, g.region_id, g.parent_id
FROM grid g
WHERE g.plan_id = :plan AND g.id = ANY(:grids)

-- name: children
SELECT g.id FROM grid g WHERE g.plan_id = :plan AND g.parent_id = ANY(:grids)

-- name: bearers
SELECT g.id FROM grid g WHERE g.plan_id = :plan AND g.code = ANY(:codes)

-- name: retired
SELECT EXISTS (
    SELECT FROM grid g JOIN plan p ON p.id = g.plan_id
    WHERE g.code = :code AND g.plan_id <> :plan AND g.valid_to IS NOT NULL AND p.state IN ('published', 'archived'))

-- name: community
SELECT EXISTS (SELECT FROM region r WHERE r.id = :region AND r.level = 'community' AND r.prefix LIKE :prefix || '%')

-- name: reserved
-- An id that the sequence gave out and no grid of any plan bears.
SELECT :grid <= (SELECT last_value FROM grid_id_seq) AND NOT EXISTS (SELECT FROM grid WHERE id = :grid)

-- name: insert_grids
-- Ground and counts follow; parents are there before their micro-grids.
INSERT INTO grid (id, plan_id, code, name, kind, workers, locked, region_id, parent_id)
SELECT n.id, :plan, n.code, n.name, n.kind, n.workers, n.locked, n.region_id, n.parent_id
FROM jsonb_to_recordset(CAST(:grids AS jsonb)) AS n(id bigint, code text, name text, kind text, workers bigint,
    locked boolean, region_id bigint, parent_id bigint)
ORDER BY n.parent_id NULLS FIRST

-- name: update_grids
UPDATE grid g SET code = n.code, name = n.name, kind = n.kind, workers = n.workers, locked = n.locked,
                  region_id = n.region_id, parent_id = n.parent_id
FROM jsonb_to_recordset(CAST(:grids AS jsonb)) AS n(id bigint, code text, name text, kind text, workers bigint,
    locked boolean, region_id bigint, parent_id bigint)
WHERE g.id = n.id AND g.plan_id = :plan

-- name: move_units
UPDATE plan_unit p SET grid_id = n.grid_id
FROM unnest(CAST(:units AS bigint[]), CAST(:grids AS bigint[])) AS n(unit_id, grid_id)
WHERE p.plan_id = :plan AND p.unit_id = n.unit_id

-- name: remove_units
DELETE FROM plan_unit WHERE plan_id = :plan AND unit_id = ANY(:units)

-- name: add_units
INSERT INTO plan_unit (plan_id, unit_id, grid_id)
SELECT :plan, n.unit_id, n.grid_id
FROM unnest(CAST(:units AS bigint[]), CAST(:grids AS bigint[])) AS n(unit_id, grid_id)

-- name: delete_grids
DELETE FROM grid WHERE plan_id = :plan AND id = ANY(:grids)

-- name: grids_now
SELECT g.id, g.code, g.name, g.households, g.population, g.buildings, g.units, g.area_m2, g.status
FROM grid g
WHERE g.plan_id = :plan AND g.id = ANY(:grids)
ORDER BY g.code, g.id

-- name: totals
-- Sums of a plan: grids that are not part of another, and the units in none.
SELECT count(*) FILTER (WHERE g.kind <> 'micro') AS grids,
       coalesce(sum(g.households) FILTER (WHERE g.parent_id IS NULL), 0)::bigint AS households,
       coalesce(sum(g.population) FILTER (WHERE g.parent_id IS NULL), 0)::bigint AS population,
       f.households AS unassigned_households, f.units AS unassigned_units,
       count(*) FILTER (WHERE g.status = 'within') AS within, count(*) FILTER (WHERE g.status = 'under') AS under,
       count(*) FILTER (WHERE g.status = 'over') AS over, count(*) FILTER (WHERE g.status = 'empty') AS empty
FROM (
    SELECT coalesce(sum(u.households), 0)::bigint AS households, count(*) AS units
    FROM plan_unit p JOIN unit u ON u.id = p.unit_id
    WHERE p.plan_id = :plan AND p.grid_id IS NULL
) AS f
LEFT JOIN grid g ON g.plan_id = :plan
GROUP BY f.households, f.units

-- name: edited
-- Whether anybody ever worked on a plan by hand.
SELECT EXISTS (SELECT FROM plan_operation WHERE plan_id = :plan AND kind IN ('edit', 'cut', 'undo'))

-- name: log
-- Operations of a plan after or before a version, newest first; `names` of their makers.
SELECT o.version, o.key, o.at, o.user_id, coalesce(nullif(a.name, ''), a.login) AS user_name, o.kind, o.undoes, o.detail
FROM plan_operation o LEFT JOIN app_user a ON a.id = o.user_id
WHERE o.plan_id = :plan
  AND (CAST(:after AS bigint) IS NULL OR o.version > :after)
  AND (CAST(:before AS bigint) IS NULL OR o.version < :before)
  AND (CAST(:versions AS bigint[]) IS NULL OR o.version = ANY(:versions))
ORDER BY o.version DESC
LIMIT :limit

-- name: by_keys
SELECT o.version, o.key FROM plan_operation o WHERE o.plan_id = :plan AND o.key = ANY(CAST(:keys AS uuid[]))

-- name: undone
-- Every undo of a plan, newest first: what it takes back.
SELECT o.version, o.undoes FROM plan_operation o WHERE o.plan_id = :plan AND o.undoes IS NOT NULL ORDER BY o.version DESC

-- name: chain
-- The first operation whose hash is not that of its content and of the one before it.
SELECT count(*) AS operations, min(version) FILTER (WHERE hash IS DISTINCT FROM right_hash) AS broken_at
FROM (
    SELECT o.version, o.hash, operation_hash(lag(o.hash) OVER (ORDER BY o.version), o) AS right_hash
    FROM plan_operation o WHERE o.plan_id = :plan
) AS chained

-- name: seen
INSERT INTO plan_presence (plan_id, client, user_id, grid_id, seen_at)
VALUES (:plan, :client, :user, :grid, clock_timestamp())
ON CONFLICT (plan_id, client) DO UPDATE SET user_id = excluded.user_id, grid_id = excluded.grid_id, seen_at = excluded.seen_at

-- name: forget
DELETE FROM plan_presence WHERE seen_at < clock_timestamp() - interval '30 seconds' AND plan_id = :plan

-- name: present
SELECT s.client, coalesce(nullif(a.name, ''), a.login, '') AS name, s.grid_id AS grid, s.user_id
FROM plan_presence s LEFT JOIN app_user a ON a.id = s.user_id
WHERE s.plan_id = :plan AND s.seen_at >= clock_timestamp() - interval '30 seconds'
ORDER BY s.seen_at DESC

-- name: comments_version
-- A number that changes with the comments of a plan.
SELECT coalesce(hashtext(string_agg(concat_ws(',', c.id, c.resolved_at, md5(c.text)), ';' ORDER BY c.id)), 0)
FROM plan_comment c WHERE c.plan_id = :plan

-- name: to_cut
SELECT u.area_m2, ST_AsBinary(u.geom) AS geom, u.provenance -> 'ends' AS ends FROM unit u WHERE u.id = :unit

-- name: insert_piece
-- A piece is no living unit, but one of the plans that hold it.
INSERT INTO unit (id, region_id, number, key, name, geom, area_m2, households, population, buildings,
                  estimated_households, missing_households, oldest_data, compound_id, provenance, cut_of, retired_at)
SELECT :id, u.region_id, u.number, u.key, u.name, CAST(:geom AS geometry), :area_m2, :households, :population, :buildings,
       :estimated_households, :missing_households, :oldest_data, u.compound_id, CAST(:provenance AS jsonb), u.id, now()
FROM unit u WHERE u.id = :unit

-- name: pieces
SELECT u.id, u.households, u.population, u.buildings, u.estimated_households, u.area_m2,
       ST_AsGeoJSON(u.geom, 15) AS geometry
FROM unit u WHERE u.id = ANY(:units)
ORDER BY u.id
