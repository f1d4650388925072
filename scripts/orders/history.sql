-- history.sql - the orders of every run, a month a partition, and the newest of each.  Run by load with :run_date.
SET client_min_messages = warning;
CREATE TABLE IF NOT EXISTS orders_history (
  run_date date NOT NULL,
  LIKE orders,
  PRIMARY KEY (id, run_date)
) PARTITION BY RANGE (run_date);
SELECT format('CREATE TABLE IF NOT EXISTS %I PARTITION OF orders_history FOR VALUES FROM (%L) TO (%L)',
  'orders_history_' || to_char(month, 'YYYY_MM'), month::date, (month + interval '1 month')::date)
FROM date_trunc('month', :'run_date'::timestamp) AS month \gexec
SELECT to_regclass('orders_current') IS NULL AS missing \gset
\if :missing
CREATE VIEW orders_current AS SELECT DISTINCT ON (id) * FROM orders_history ORDER BY id, run_date DESC;
\endif
