-- name: known
-- The first and the last case that is known (none of the future): both by the index of times.
SELECT min(occurred_at) AS first, max(occurred_at) AS last FROM (
    (SELECT occurred_at FROM case_record
     WHERE occurred_at > '-infinity' AND occurred_at <= now() AND category <> ALL (CAST(:sensitive AS text[]))
     ORDER BY occurred_at LIMIT 1)
    UNION ALL
    (SELECT occurred_at FROM case_record
     WHERE occurred_at > '-infinity' AND occurred_at <= now() AND category <> ALL (CAST(:sensitive AS text[]))
     ORDER BY occurred_at DESC LIMIT 1)
) ends
