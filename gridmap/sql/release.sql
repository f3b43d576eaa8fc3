-- Releases: what is published of the cases to those who may not see exact figures.

-- name: due
-- The end of the newest release, the first and last case that one may hold, and when cases were last taken over.
SELECT (SELECT max(until) FROM case_release) AS released,
       (SELECT min(occurred_at) FROM case_record
        WHERE isfinite(occurred_at) AND category <> ALL (CAST(:sensitive AS text[]))) AS first,
       (SELECT max(accepted_at) FROM import_batch WHERE kind = 'cases' AND state = 'accepted') AS taken

-- name: alone
SELECT pg_advisory_xact_lock(hashtext('gridmap.case-release'))

-- name: regions
SELECT id, code, name, level, parent_id FROM region ORDER BY length(prefix), code

-- name: plan
-- The plan in force on a day, the widest first; where none is, the newest that is not archived.
SELECT p.id, p.name
FROM plan p JOIN region r ON r.id = p.region_id
WHERE (p.state = 'published' AND p.valid_from <= :day AND coalesce(p.valid_to > :day, true)) OR p.state <> 'archived'
ORDER BY NOT (p.state = 'published' AND p.valid_from <= :day AND coalesce(p.valid_to > :day, true)),
         p.department IS NOT NULL AND p.department <> '综合', p.state <> 'published', length(r.prefix), p.id DESC
LIMIT 1

-- name: grids
SELECT id, code, name, region_id FROM grid
WHERE plan_id = :plan AND kind <> 'micro' AND region_id IS NOT NULL ORDER BY code, id

-- name: categories
-- Categories of the cases of a span, in order.
SELECT DISTINCT category FROM case_record
WHERE occurred_at >= :since AND occurred_at < :until AND category <> ALL (CAST(:sensitive AS text[])) ORDER BY category

-- name: counts
-- Cases of a span by place (grid of the plan, else minus the region) and each attribute by itself, in local time, as one
-- bytea of int8: place, facet (0 month, 1 category, 2 weekday, 3 block of four hours), its value, cases.
WITH held AS MATERIALIZED (
    SELECT pu.unit_id, t.id AS grid_id
    FROM plan_unit pu JOIN grid g ON g.id = pu.grid_id
    JOIN grid t ON t.id = CASE WHEN g.kind = 'micro' THEN coalesce(g.parent_id, g.id) ELSE g.id END
    WHERE pu.plan_id = :plan AND t.kind <> 'micro' AND t.region_id IS NOT NULL
), chosen AS (
    SELECT coalesce(h.grid_id, CASE WHEN p.unit_id IS NULL THEN (
               SELECT g.id FROM grid g
               WHERE g.plan_id = :plan AND g.kind <> 'micro' AND g.region_id IS NOT NULL AND ST_Covers(g.geom, c.point)
               ORDER BY g.id LIMIT 1) END, -c.region_id) AS place,
           array_position(CAST(:categories AS text[]), c.category) - 1 AS category, c.occurred_at AT TIME ZONE :zone AS at
    FROM case_record c
    LEFT JOIN held h ON h.unit_id = c.unit_id
    LEFT JOIN plan_unit p ON p.plan_id = :plan AND p.unit_id = c.unit_id
    WHERE c.occurred_at >= :since AND c.occurred_at < :until AND c.category = ANY (CAST(:categories AS text[]))
), told AS (
    SELECT place, CAST(date_part('year', at) * 12 + date_part('month', at) - 1 AS int) AS month, category,
           CAST(date_part('isodow', at) - 1 AS int) AS weekday, CAST(floor(date_part('hour', at) / 4) AS int) AS block
    FROM chosen WHERE place IS NOT NULL
), counted AS (
    SELECT place, coalesce(month, category, weekday, block) AS value, count(*) AS cases,
           CASE GROUPING(month, category, weekday, block) WHEN 7 THEN 0 WHEN 11 THEN 1 WHEN 13 THEN 2 ELSE 3 END AS facet
    FROM told GROUP BY place, GROUPING SETS ((month), (category), (weekday), (block))
)
SELECT string_agg(int8send(place) || int8send(facet::bigint) || int8send(value::bigint) || int8send(cases), '') FROM counted

-- name: list
SELECT id, since, until, plan_id, plan_name, columns FROM case_release ORDER BY since

-- name: places
-- All places of a level of a release; they never change.
SELECT place, code, region_code, name, grid_id FROM case_release_place
WHERE release_id = :release AND level = :level ORDER BY place

-- name: cells
-- Places of a level of a release below a prefix that the reader may see, each with its cells of some columns, as one
-- bytea of int8.
SELECT string_agg(int8send(p.place::bigint) || (
           SELECT coalesce(string_agg(int8send(p.shown[n.node + 1]::bigint), '' ORDER BY n.k), '')
           FROM unnest(CAST(:nodes AS int[])) WITH ORDINALITY AS n(node, k)), '')
FROM case_release_place p
WHERE p.release_id = :release AND p.level = :level
  AND p.region_code LIKE ANY (CAST(:patterns AS text[])) AND p.region_code LIKE CAST(:region AS text) || '%'

-- name: place
-- All cells of one place of each release, where the reader may look: a grid by its id, else a region by its code.
SELECT p.release_id, p.level, p.code, p.name, p.shown
FROM case_release_place p
WHERE p.region_code LIKE ANY (CAST(:patterns AS text[])) AND p.level <> 'outside'
  AND CASE WHEN CAST(:grid AS bigint) IS NULL THEN p.grid_id IS NULL AND p.code = :code
           ELSE p.grid_id = CAST(:grid AS bigint) END

-- name: households
-- Grids of a plan and what is published of their households, as one bytea of int8.
SELECT string_agg(int8send(grid_id) || int8send(shown::bigint), '') FROM household_place
WHERE plan_id = :plan AND grid_id IS NOT NULL AND region_code LIKE ANY (CAST(:patterns AS text[]))

-- name: size
SELECT count(*) FROM case_release_place WHERE release_id = :release AND level = 'grid'
