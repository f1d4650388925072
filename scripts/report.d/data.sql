-- data.sql - what the report shows, as one JSON document.  Everything in it has a bound, and what a bound leaves out is counted.
-- Variables: flow (empty: all), since and whether it is an age or a time, whether it was given, max_age (empty: those of max_ages,
-- JSON, flow to interval),
-- and whether there are a log and a schedule.  log and schedule are null where there is none.
SET default_transaction_read_only = on;
SET statement_timeout = '2min';
SET timezone = 'UTC';
SET jit = off;  -- to compile the query takes several times as long as to run it
\set loads_drawn 300
\set failures_listed 40
\set targets_drawn 24
\set days_drawn 35
\set providers_drawn 12
BEGIN ISOLATION LEVEL REPEATABLE READ;
\set clean '[\\x01-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f]'
\if :since_is_age
SELECT now() - :'since'::interval AS begins \gset
\else
SELECT :'since'::timestamptz AS begins \gset
\endif
SELECT rtrim(jsonb_build_object('now', now(), 'begins', :'begins'::timestamptz, 'database', current_database(), 'flow', nullif(:'flow', ''))::text, '}');
\echo ', "log":'
\if :log
WITH log AS (
  SELECT *, started >= :'begins' AS within, status = 'failed' AS failed,
    coalesce(inserted, 0) + coalesce(updated, 0) + coalesce(deleted, 0) AS changed_rows,
    extract(epoch FROM coalesce(finished, now()) - started)::numeric(12, 1) AS seconds
  FROM load_log WHERE :'flow' IN ('', flow)
), target AS (
  SELECT flow, target, count(*) AS ever, count(*) FILTER (WHERE within) AS loads, count(*) FILTER (WHERE within AND failed) AS failed,
    sum(changed_rows) FILTER (WHERE within) AS changed_rows, sum(rejected) FILTER (WHERE within) AS rejected,
    max(id) AS last_id, max(id) FILTER (WHERE status IN ('loaded', 'nothing new')) AS good_id,
    max(id) FILTER (WHERE status IN ('loaded', 'nothing new', 'failed')) AS judged_id, max(id) FILTER (WHERE isfinite(newest)) AS newest_id
  FROM log GROUP BY flow, target
), shown AS (
  SELECT t.*, good.finished AS good, judged.status AS outcome, last.status AS last_status, last.started AS last_started,
    newest.newest, extract(epoch FROM now() - newest.newest)::bigint AS age,
    extract(epoch FROM nullif(coalesce(nullif(:'max_age', ''), :'max_ages'::jsonb ->> t.flow), '0')::interval)::bigint AS max_age,
    row_number() OVER (ORDER BY t.flow, t.target) AS n
  FROM target AS t LEFT JOIN load_log AS good ON good.id = good_id LEFT JOIN load_log AS judged ON judged.id = judged_id
    LEFT JOIN load_log AS newest ON newest.id = newest_id JOIN load_log AS last ON last.id = last_id
), drawn AS (
  SELECT flow, target, jsonb_agg(jsonb_build_object('id', id, 'started', extract(epoch FROM started)::bigint, 'status', status, 'mode', mode,
    'read', read, 'inserted', inserted, 'updated', updated, 'deleted', deleted, 'rejected', rejected, 'changed', changed_rows,
    'seconds', seconds) ORDER BY id) AS drawn
  FROM (SELECT *, row_number() OVER (PARTITION BY flow, target ORDER BY id DESC) AS nth FROM log WHERE within) AS newest
  WHERE nth <= :loads_drawn GROUP BY flow, target
)
SELECT jsonb_build_object(
  'loads', (SELECT count(*) FROM log WHERE within), 'failed', (SELECT count(*) FROM log WHERE within AND failed),
  'changed_rows', (SELECT coalesce(sum(changed_rows), 0) FROM log WHERE within), 'ever', (SELECT count(*) FROM log),
  'targets', coalesce((SELECT jsonb_agg(to_jsonb(s) || jsonb_build_object('drawn', CASE WHEN n <= :targets_drawn THEN coalesce(d.drawn, '[]') END)
      ORDER BY n) FROM shown AS s LEFT JOIN drawn AS d ON d.flow = s.flow AND d.target = s.target WHERE n <= 500), '[]'),
  'targets_ever', (SELECT count(*) FROM shown),
  'failures', coalesce((SELECT jsonb_agg(jsonb_build_object('id', id, 'flow', flow, 'target', target, 'started', started,
      'exit_status', exit_status, 'mode', mode, 'run', left(run, 100), 'host', left(host, 100),
      'message', regexp_replace(left(message, 1500), :'clean', '?', 'g'), 'cut', length(message) > 1500) ORDER BY id DESC)
    FROM (SELECT * FROM log WHERE within AND failed ORDER BY id DESC LIMIT :failures_listed) AS newest), '[]'),
  'warnings', coalesce((SELECT jsonb_agg(jsonb_build_object('id', id, 'flow', flow, 'target', target, 'started', started,
      'text', regexp_replace(left(warnings, 500), :'clean', '?', 'g')) ORDER BY id DESC)
    FROM (SELECT * FROM log WHERE within AND warnings <> '' ORDER BY id DESC LIMIT 20) AS newest), '[]'),
  'warned', (SELECT count(*) FROM log WHERE within AND warnings <> '')
);
\else
SELECT 'null';
\endif

\echo ', "schedule":'
\if :schedule
WITH block AS (
  SELECT coalesce(provider_name, '(no provider)') AS provider, date AS label, date - interval '1 hour' AS begins, coalesce(status_id, 0) AS status,
    claim IS NOT NULL AS claimed, coalesce(records_total, payload_trips_count) AS trips, message
  FROM api.schedule AS s LEFT JOIN api.provider AS p ON p.id = s.provider_id
  WHERE date IS NOT NULL AND (NOT :since_given OR date > :'begins'::timestamp)
), last AS (
  SELECT provider, coalesce(max(begins::date) FILTER (WHERE label <= now()), max(begins::date)) AS day, min(begins::date) AS first,
    count(*) AS blocks, row_number() OVER (ORDER BY max(label) DESC, provider) AS n
  FROM block GROUP BY provider
), days AS (
  SELECT provider, one::date AS day
  FROM last AS l, generate_series(greatest(l.day - :days_drawn + 1, l.first), l.day, interval '1 day') AS one WHERE n <= :providers_drawn
), calendar AS (
  SELECT d.provider, d.day, jsonb_object_agg(extract(hour FROM begins)::int, jsonb_build_array(status, claimed, trips,
    to_char(label, 'FMYYYY-FMMM-FMDD-FMHH24'))) FILTER (WHERE begins IS NOT NULL) AS hours
  FROM days AS d LEFT JOIN block AS b ON b.provider = d.provider AND b.begins >= d.day AND b.begins < d.day + 1
  GROUP BY d.provider, d.day
)
SELECT jsonb_build_object('providers_ever', (SELECT count(*) FROM last), 'blocks', (SELECT count(*) FROM block),
  'providers', coalesce((SELECT jsonb_agg(jsonb_build_object('provider', l.provider, 'blocks', blocks, 'n', n,
    'older_days', greatest(l.day - :days_drawn + 1 - l.first, 0), 'later', (SELECT count(*) FROM block AS b
      WHERE b.provider = l.provider AND b.begins >= l.day + 1),
    'statuses', (SELECT jsonb_object_agg(status, of_it) FROM (SELECT status, count(*) AS of_it FROM block AS b WHERE b.provider = l.provider
      GROUP BY status) AS s),
    'days', (SELECT jsonb_agg(jsonb_build_object('day', day, 'hours', hours) ORDER BY day) FROM calendar AS c WHERE c.provider = l.provider)) ORDER BY n)
    FROM last AS l WHERE n <= :providers_drawn), '[]'),
  'failed', (SELECT count(*) FROM block WHERE status IN (-2, -5, -6, -8, 6)),
  'failures', coalesce((SELECT jsonb_agg(jsonb_build_object('provider', provider, 'label', to_char(label, 'FMYYYY-FMMM-FMDD-FMHH24'),
      'status', status, 'message', regexp_replace(left(message, 500), :'clean', '?', 'g')) ORDER BY label DESC)
    FROM (SELECT * FROM block WHERE status IN (-2, -5, -6, -8, 6) ORDER BY label DESC LIMIT :failures_listed) AS newest), '[]'));
\else
SELECT 'null';
\endif
\echo '}'
