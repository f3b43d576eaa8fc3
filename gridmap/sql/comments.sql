-- Comments: what people say of a plan, of one of its grids or of a place, and the answers.

-- name: threads
-- Remarks (not answers) that the reader may see: on the plan as a whole, or on what lies in their regions. A grid that
-- is no more has left its code, which begins with that of its community. `open` counts unresolved ones, `total` all.
WITH seen AS (
    SELECT c.id, c.resolved_at, c.grid_id, count(*) FILTER (WHERE c.resolved_at IS NULL) OVER () AS open
    FROM plan_comment c
    LEFT JOIN grid g ON g.id = c.grid_id
    LEFT JOIN region r ON r.id = g.region_id
    WHERE c.plan_id = :plan AND c.reply_to IS NULL
      AND (c.grid_id IS NULL AND c.grid_code IS NULL AND c.point IS NULL
           OR coalesce(r.code, c.grid_code, '') LIKE ANY (CAST(:patterns AS text[]))
           OR c.point IS NOT NULL AND EXISTS (
               SELECT FROM region p WHERE p.level = 'community' AND p.code LIKE ANY (CAST(:patterns AS text[]))
                 AND ST_Intersects(p.geom, c.point)))
)
SELECT id, open, count(*) OVER () AS total
FROM seen
WHERE (CAST(:open AS boolean) IS NOT TRUE OR resolved_at IS NULL)
  AND (CAST(:grid AS bigint) IS NULL OR grid_id = :grid)
ORDER BY resolved_at IS NOT NULL, id DESC
LIMIT :limit OFFSET :offset

-- name: comments
-- Remarks in the order given, each followed by its answers, the oldest first.
SELECT c.id, c.text, c.created_by, coalesce(nullif(a.name, ''), a.login) AS author, c.created_at AS at, c.grid_id,
       coalesce(g.code, c.grid_code) AS grid_code, ST_X(c.point) AS lon, ST_Y(c.point) AS lat, c.reply_to, c.resolved_at,
       coalesce(nullif(w.name, ''), w.login) AS resolved_by,
       EXISTS (SELECT FROM plan_comment n WHERE n.reply_to = c.id) AS answered, t.created_by AS thread_by
FROM unnest(CAST(:threads AS bigint[])) WITH ORDINALITY AS o(id, at)
JOIN plan_comment t ON t.id = o.id
JOIN plan_comment c ON c.id = t.id OR c.reply_to = t.id
LEFT JOIN grid g ON g.id = c.grid_id
LEFT JOIN app_user a ON a.id = c.created_by
LEFT JOIN app_user w ON w.id = c.resolved_by
ORDER BY o.at, c.reply_to IS NOT NULL, c.id

-- name: community_at
-- The community that a place lies in, of those the reader may see inside a plan's region.
SELECT r.code FROM region r
WHERE r.level = 'community' AND r.code LIKE :prefix || '%' AND r.code LIKE ANY (CAST(:patterns AS text[]))
  AND ST_Intersects(r.geom, ST_SetSRID(ST_MakePoint(:lon, :lat), 4490))
ORDER BY r.code LIMIT 1
