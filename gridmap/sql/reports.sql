-- Monthly reports: those that could not be made.

-- name: failures
-- Reports whose last try failed: the months that schedules have had made, and (:lately) what anybody asked for in the last day.
-- tries: how often the calendar asked; kept: an older file of the same month is there. A job that the queue no longer knows has
-- failed too.
WITH asked AS (
    SELECT 'report:' || r.code || ':' || to_char(s.next_month - make_interval(months => back), 'YYYY-MM') || ':' || s.locale
           AS subject, true AS scheduled
    FROM report_schedule s
    JOIN region r ON r.id = s.region_id
    CROSS JOIN generate_series(1, :months) AS back
    UNION ALL
    SELECT subject, false FROM job
    WHERE :lately AND task = 'make_report' AND state = 'failed' AND finished_at > now() - interval '1 day'
)
SELECT job.id AS job_id, r.code AS region_code, r.name AS region_name, r.prefix,
       CAST(job.arguments ->> 'month' AS date) AS month, job.arguments ->> 'locale' AS locale, job.error,
       coalesce(job.finished_at, job.created_at) AS failed_at, tried.tries, f.id IS NOT NULL AS kept,
       asked.scheduled AND tried.tries > 0 AS scheduled
FROM (SELECT subject, bool_or(scheduled) AS scheduled FROM asked GROUP BY subject) asked
CROSS JOIN LATERAL (
    SELECT max(id) AS last, count(*) FILTER (WHERE CAST(arguments ->> 'scheduled' AS boolean)) AS tries
    FROM job WHERE job.subject = asked.subject
) tried
JOIN job ON job.id = tried.last
JOIN region r ON r.code = job.region_code
LEFT JOIN report_file f ON f.region_id = r.id AND f.month = CAST(job.arguments ->> 'month' AS date)
     AND f.locale = job.arguments ->> 'locale'
WHERE (job.state = 'failed' OR job.state <> 'done' AND NOT EXISTS (
          SELECT FROM procrastinate_jobs q WHERE q.id = job.queued_as AND q.status IN ('todo', 'doing')))
  AND (f.id IS NULL OR f.made_at < coalesce(job.finished_at, job.created_at))
ORDER BY month DESC, r.code, locale
