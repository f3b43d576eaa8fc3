-- Workflow: what a check still asks for, who is an author, steps, and publishing.

-- name: findings
-- Errors and warnings by rule: how many, how many of them need nothing (unavoidable, or a grid with a reason of its own),
-- the first grids, and the reason for all of the rule.
SELECT c.rule, c.severity, count(*) AS count,
       count(*) FILTER (WHERE c.unavoidable OR own.rule IS NOT NULL) AS settled,
       coalesce((array_agg(DISTINCT g.code) FILTER (WHERE g.code IS NOT NULL AND NOT c.unavoidable))[1:12], '{}') AS grids,
       max(whole.text) AS reason
FROM check_result c
LEFT JOIN grid g ON g.id = c.grid_id
LEFT JOIN region r ON r.id = c.region_id
LEFT JOIN plan_reason own ON own.plan_id = c.plan_id AND own.rule = c.rule AND own.grid_code = g.code AND c.severity = 'W'
LEFT JOIN plan_reason whole ON whole.plan_id = c.plan_id AND whole.rule = c.rule AND whole.grid_code = ''
WHERE c.plan_id = :plan AND c.severity IN ('E', 'W') AND coalesce((c.params ->> 'checked')::boolean, true)
  AND EXISTS (SELECT FROM unnest(CAST(:prefixes AS text[])) AS mine WHERE coalesce(r.code, '') LIKE mine || '%')
GROUP BY c.rule, c.severity
ORDER BY c.severity, c.rule

-- name: authors
-- Who created, edited or submitted a plan, or a draft that it was copied from: a copy does not launder who drew it.
WITH RECURSIVE line(id, base) AS (
    SELECT id, base_plan_id FROM plan WHERE id = :plan
    UNION
    SELECT p.id, p.base_plan_id FROM line l JOIN plan p ON p.id = l.base WHERE p.valid_from IS NULL
)
SELECT created_by FROM plan WHERE id IN (SELECT id FROM line)
UNION
SELECT user_id FROM plan_operation WHERE plan_id IN (SELECT id FROM line) AND kind IN ('create', 'edit', 'cut', 'undo')
UNION
SELECT user_id FROM plan_step WHERE plan_id IN (SELECT id FROM line) AND kind = 'submit'

-- name: steps
SELECT s.kind, s.at, coalesce(u.name, u.login, 'system') AS who, s.comment, s.detail
FROM plan_step s LEFT JOIN app_user u ON u.id = s.user_id
WHERE s.plan_id = :plan
ORDER BY s.id

-- name: waiting
-- Plans to approve or publish where the reader approves, and plans that came back to who made them.
SELECT p.id AS plan_id, p.name, r.name AS region_name, s.at AS since, s.comment,
       CASE p.state WHEN 'submitted' THEN 'approve' WHEN 'approved' THEN 'publish' ELSE 'returned' END AS what
FROM plan p
JOIN region r ON r.id = p.region_id
JOIN LATERAL (SELECT * FROM plan_step s WHERE s.plan_id = p.id ORDER BY s.id DESC LIMIT 1) s ON true
WHERE p.state IN ('submitted', 'approved')
      AND EXISTS (SELECT FROM unnest(CAST(:approver AS text[])) AS mine WHERE r.prefix LIKE mine || '%')
   OR p.state = 'draft' AND s.kind = 'return'
      AND EXISTS (SELECT FROM unnest(CAST(:planner AS text[])) AS mine WHERE r.prefix LIKE mine || '%')
ORDER BY s.at DESC
LIMIT 50

-- name: outside_grids
-- Grids of a plan that stay when a part of it is replaced: with ground outside the part, or at home outside it.
SELECT g.id
FROM grid g LEFT JOIN region r ON r.id = g.region_id
WHERE g.plan_id = :plan
  AND (r.prefix IS NULL OR r.prefix NOT LIKE :part || '%'
       OR EXISTS (SELECT FROM plan_unit p JOIN unit u ON u.id = p.unit_id JOIN region h ON h.id = u.region_id
                  WHERE p.grid_id = g.id AND h.prefix NOT LIKE :part || '%'))
ORDER BY g.id

-- name: copy_units_outside
-- The units of a plan outside a part, in its copied grids.
INSERT INTO plan_unit (plan_id, unit_id, grid_id)
SELECT :plan, p.unit_id, m.id
FROM plan_unit p
JOIN unit u ON u.id = p.unit_id
JOIN region r ON r.id = u.region_id
LEFT JOIN unnest(CAST(:ids AS bigint[]), CAST(:old AS bigint[])) AS m(id, old) ON m.old = p.grid_id
WHERE p.plan_id = :base AND r.prefix NOT LIKE :part || '%'

-- name: shared_ground
-- Households and area that each grid of the new plan shares with each of the old ones; a cut unit counts for the one it
-- was cut from, micro-grids for the grids above them as well.
WITH RECURSIVE whole(unit_id, ancestor) AS (
    SELECT unit_id, unit_id FROM plan_unit WHERE plan_id = :new
    UNION
    SELECT w.unit_id, u.cut_of FROM whole w JOIN unit u ON u.id = w.ancestor WHERE u.cut_of IS NOT NULL
), pair AS (
    SELECT DISTINCT n.unit_id, t.new_grid, t.old_grid
    FROM plan_unit n
    JOIN whole w ON w.unit_id = n.unit_id
    JOIN plan_unit o ON o.plan_id = ANY(:olds) AND o.unit_id = w.ancestor
    JOIN grid a ON a.id = n.grid_id
    JOIN grid b ON b.id = o.grid_id
    CROSS JOIN LATERAL (VALUES (a.id, b.id), (coalesce(a.parent_id, a.id), coalesce(b.parent_id, b.id))) AS t(new_grid, old_grid)
    WHERE n.plan_id = :new
)
SELECT p.new_grid, p.old_grid, sum(u.households)::bigint AS households, sum(u.area_m2) AS area_m2
FROM pair p JOIN unit u ON u.id = p.unit_id
GROUP BY 1, 2

-- name: used_codes
-- Every code that a plan in force, or one before it, has or had.
SELECT DISTINCT g.code FROM grid g JOIN plan p ON p.id = g.plan_id
WHERE p.state IN ('published', 'archived') AND p.valid_from IS NOT NULL

-- name: recode
UPDATE grid g SET code = n.code, name = n.name
FROM unnest(CAST(:grids AS bigint[]), CAST(:codes AS text[]), CAST(:names AS text[])) AS n(id, code, name)
WHERE g.id = n.id

-- name: begin_grids
-- A grid that goes on under its code keeps the day it began; the others begin now.
UPDATE grid g SET valid_from = coalesce(o.valid_from, :day), valid_to = NULL
FROM grid n LEFT JOIN (
    SELECT c.code, min(coalesce(c.valid_from, p.valid_from)) AS valid_from
    FROM grid c JOIN plan p ON p.id = c.plan_id WHERE p.id = ANY(:olds) GROUP BY c.code
) o ON o.code = n.code
WHERE n.plan_id = :new AND g.id = n.id

-- name: retire_grids
-- Grids whose code the new plan has no more end with the day it begins; the codes.
UPDATE grid g SET valid_to = :day
WHERE g.plan_id = ANY(:olds) AND NOT EXISTS (SELECT FROM grid n WHERE n.plan_id = :new AND n.code = g.code)
RETURNING g.code

-- name: revive_grids
-- A grid that comes back under its code was not retired after all.
UPDATE grid g SET valid_to = NULL
FROM plan p
WHERE p.id = g.plan_id AND g.plan_id <> :new AND g.valid_to IS NOT NULL
  AND EXISTS (SELECT FROM grid n WHERE n.plan_id = :new AND n.code = g.code)

-- name: born_pieces
-- Cut pieces of a plan whose whole unit still lives: they take its place.
SELECT u.id, u.cut_of FROM plan_unit p JOIN unit u ON u.id = p.unit_id JOIN unit w ON w.id = u.cut_of
WHERE p.plan_id = :plan AND u.retired_at IS NOT NULL AND w.retired_at IS NULL

-- name: whole_again
-- Units of a plan that were cut meanwhile, and the living pieces: the whole takes their place.
WITH RECURSIVE pieces(whole, id) AS (
    SELECT w.id, u.id FROM plan_unit p JOIN unit w ON w.id = p.unit_id JOIN unit u ON u.cut_of = w.id
    WHERE p.plan_id = :plan AND w.retired_at IS NOT NULL
    UNION
    SELECT q.whole, u.id FROM pieces q JOIN unit u ON u.cut_of = q.id
)
SELECT q.whole AS id, q.id AS piece FROM pieces q JOIN unit u ON u.id = q.id WHERE u.retired_at IS NULL

-- name: swap_units
-- Some units retire, others live; what stood or happened on the ground of the first is to be placed anew.
WITH retired AS (UPDATE unit SET retired_at = now() WHERE id = ANY(:retire)),
     living AS (UPDATE unit SET retired_at = NULL WHERE id = ANY(:live)),
     homes AS (UPDATE building SET unit_id = NULL WHERE unit_id = ANY(:retire))
UPDATE case_record SET unit_id = NULL WHERE unit_id = ANY(:retire)
