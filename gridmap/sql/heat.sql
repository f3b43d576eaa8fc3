-- name: here
-- Which table of cases this is: another after a restore, in another database or on another server.
SELECT (SELECT system_identifier FROM pg_control_system())::text
       || '-' || (SELECT oid FROM pg_database WHERE datname = current_database())::text
       || '-' || 'case_record'::regclass::oid::text

-- name: changes
-- What was committed since the snapshot :old, each change with its sign; one row at least, with the present snapshot
-- and what the query `here` says.
-- `back`: the database is at an earlier point than :old, so it is not the one that :old was taken of.
WITH seen AS (SELECT pg_current_snapshot() AS now, CAST(:old AS pg_snapshot) AS old)
SELECT (SELECT (SELECT system_identifier FROM pg_control_system())::text
               || '-' || (SELECT oid FROM pg_database WHERE datname = current_database())::text
               || '-' || 'case_record'::regclass::oid::text) AS identity,
       seen.now::text AS snapshot, pg_snapshot_xmax(seen.now) < pg_snapshot_xmax(seen.old) AS back,
       c.sign, c.x, c.y, CAST(round(date_part('epoch', c.occurred_at) * 1e6) AS bigint) AS at, c.category, c.region_id,
       coalesce(c.unit_id, 0) AS unit_id
FROM seen LEFT JOIN case_change c
    ON c.xact >= pg_snapshot_xmin(CAST(:old AS pg_snapshot))
   AND NOT pg_visible_in_snapshot(c.xact, CAST(:old AS pg_snapshot))
   AND c.xact IS DISTINCT FROM pg_current_xact_id_if_assigned()

-- name: forget
-- Changes that no store needs any more, and those that came with a backup of another server.
DELETE FROM case_change
WHERE at < now() - CAST(:age AS interval) OR xact >= pg_snapshot_xmax(pg_current_snapshot())

-- name: snapshot
SELECT pg_current_snapshot()::text

-- name: sums
-- Of each category how many cases a map can show, and a sum over place, time, region and unit of each that a store is
-- compared by. Places count to 1e-7 degrees.
SELECT category, count(*) AS cases,
       sum(CAST(trunc(x * 1e7) AS bigint) # (CAST(trunc(y * 1e7) AS bigint) * 4096) # at # (region_id * 65536)
           # (unit_id * 16777216)) AS mixed
FROM (SELECT category, ST_X(point) AS x, ST_Y(point) AS y,
             CAST(round(date_part('epoch', occurred_at) * 1e6) AS bigint) AS at, region_id,
             coalesce(unit_id, 0) AS unit_id
      FROM case_record
      WHERE ST_X(point) BETWEEN -180 AND 180 AND ST_Y(point) BETWEEN -90 AND 90
        AND region_id IS NOT NULL AND isfinite(occurred_at)) AS shown
GROUP BY category
ORDER BY category

-- name: regions
-- Regions that are chosen and allowed.
SELECT id FROM region
WHERE code LIKE ANY (CAST(:patterns AS text[]))
  AND (CAST(:region AS text) IS NULL OR code LIKE CAST(:region AS text) || '%')

-- name: fewer
-- Whether there are fewer cases than :few.
SELECT count(*) < :few FROM (SELECT FROM case_record LIMIT :few) AS found

-- name: view
-- Places of the cases of a view, packed: the answer where there is no store. The index is of single precision, so it
-- finds too many at the edges.
SELECT string_agg(float8send(ST_X(point)) || float8send(ST_Y(point)), '')
FROM case_record
WHERE point && ST_MakeEnvelope(:west, :south, :east, :north, 4490)
  AND region_id IN (SELECT id FROM region WHERE code LIKE ANY (CAST(:patterns AS text[]))
                    AND (CAST(:region AS text) IS NULL OR code LIKE CAST(:region AS text) || '%'))
  AND (CAST(:since AS timestamptz) IS NULL OR occurred_at >= CAST(:since AS timestamptz))
  AND (CAST(:until AS timestamptz) IS NULL OR occurred_at < CAST(:until AS timestamptz))
  AND (CAST(:categories AS text[]) IS NULL OR category = ANY (CAST(:categories AS text[])))
  AND category <> ALL (CAST(:sensitive AS text[]))
  AND isfinite(occurred_at)

-- name: everywhere
-- Places of all cases, packed.
SELECT string_agg(float8send(ST_X(point)) || float8send(ST_Y(point)), '') FROM case_record WHERE point IS NOT NULL

-- name: addresses
-- How many different places are written at each of some points (the very same degrees).
SELECT p.number, count(DISTINCT c.place) AS addresses
FROM unnest(CAST(:lon AS double precision[]), CAST(:lat AS double precision[])) WITH ORDINALITY AS p(lon, lat, number)
JOIN case_record c ON c.point && ST_SetSRID(ST_MakePoint(p.lon, p.lat), 4490)
                  AND ST_X(c.point) = p.lon AND ST_Y(c.point) = p.lat
GROUP BY p.number
