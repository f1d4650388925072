#!/bin/sh
# Each call that can fail is made to fail in the tools that use PostgreSQL: each malloc, read, write, connect, ... of a short run.
# Slow: 1,300 runs, each against a server that is reset before it and compared after it.
. "$(dirname "$0")/torture/lib.sh"

start_postgres
sql 'CREATE TABLE target (id int PRIMARY KEY, name text, at timestamp)' >/dev/null
sql "CREATE TABLE stage AS SELECT i AS id, 'new ' || i AS name, now()::timestamp(0) AS at FROM generate_series(2, 9) AS i" >/dev/null
sql 'CREATE MATERIALIZED VIEW report AS SELECT count(*) FROM target' >/dev/null
printf '{"id":%d,"name":"n","at":"2020-01-0%d"}\n' 2 2 3 3 4 4 >in
FRESH="sql TRUNCATE target; INSERT INTO target SELECT i, 'old', '2019-12-31' FROM generate_series(1, 3) AS i"
STATE='sql SELECT * FROM target ORDER BY id'
torture 'pg-copy-in' 'malloc read write net connect open' pg-copy-in --connect-wait 0.1 --truncate --max-delete 100% target
torture 'pg-upsert of records' 'malloc read write net connect open' pg-upsert --connect-wait 0.1 target --key id --newer at
torture 'pg-upsert of a stage' 'malloc write net' pg-upsert --connect-wait 0.1 target --key id --stage stage --replace --max-delete 100%
sql 'CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES target); CREATE TABLE child_stage AS SELECT i AS id, i AS parent FROM generate_series(2, 5) AS i' >/dev/null
FRESH="sql TRUNCATE target, child; INSERT INTO target SELECT i, 'old', '2019-12-31' FROM generate_series(1, 3) AS i"
STATE='sql SELECT * FROM target ORDER BY id
  sql SELECT * FROM child ORDER BY id'
torture 'pg-upsert of two stages' 'malloc write net' pg-upsert --connect-wait 0.1 target --key id --stage stage --and child --key id --stage child_stage
sql 'DROP TABLE child' >/dev/null
STATE='sql SELECT * FROM target ORDER BY id'
FRESH=
torture 'pg-copy-out' 'malloc write net connect open' pg-copy-out --connect-wait 0.1 target
DSN="host=$PGHOST user=$PGUSER dbname=$PGDATABASE password=secret" \
    torture 'pg-copy-out of a DSN' 'malloc open' pg-copy-out --connect-wait 0.1 target
mds-schedule init >/dev/null
mds-schedule seed --provider jump --zone America/Chicago --since 2020-3-8-0 --until 2020-3-8-4 >/dev/null
torture 'mds-schedule list' 'malloc write net connect open' mds-schedule --connect-wait 0.1 list --provider jump --time-max 2020-3-8-4 --interval 4
FRESH="sql DELETE FROM api.schedule WHERE date > '2020-03-08 04:00'"
STATE='sql SELECT date FROM api.schedule ORDER BY date'
torture 'mds-schedule seed' 'malloc write net connect open' \
    mds-schedule --connect-wait 0.1 seed --provider jump --zone America/Chicago --since 2020-3-8-0 --until 2020-3-8-7
FRESH="sql UPDATE api.schedule SET status_id = 0, claim = NULL, message = NULL"
STATE='sql SELECT date, status_id, claim IS NULL, message FROM api.schedule ORDER BY date'
echo '{"schedule_id":1,"status_id":2,"message":{"a":1}}' >in
torture 'mds-schedule set' 'malloc read write net connect open' mds-schedule --connect-wait 0.1 set --release
torture 'pg-refresh' 'malloc write net connect open' pg-refresh --connect-wait 0.1 --analyze --vacuum report target
done_testing
