-- Loading many rows at once.

-- name: indexes
-- The indexes of a table that no constraint rests on.
SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS definition
FROM pg_index i
WHERE i.indrelid = CAST(:table AS regclass) AND NOT i.indisunique AND NOT i.indisprimary
ORDER BY 1

-- name: rows
-- About how many rows a table has.
SELECT GREATEST(reltuples, 0)::bigint FROM pg_class WHERE oid = CAST(:table AS regclass)
