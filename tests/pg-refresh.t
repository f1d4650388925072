#!/bin/sh
# pg-refresh: concurrently where that works, and said where not.
. "$(dirname "$0")/lib.sh"

start_postgres
sql "CREATE TABLE x (id integer, v integer); INSERT INTO x VALUES (1, 1);
     CREATE MATERIALIZED VIEW good AS SELECT id, v FROM x; CREATE UNIQUE INDEX ON good (id);
     CREATE MATERIALIZED VIEW bare AS SELECT v FROM x;
     CREATE MATERIALIZED VIEW part AS SELECT id, v FROM x; CREATE UNIQUE INDEX ON part (id) WHERE v > 0;
     CREATE MATERIALIZED VIEW expr AS SELECT id, v FROM x; CREATE UNIQUE INDEX ON expr ((id + 1));
     CREATE MATERIALIZED VIEW fresh AS SELECT id, v FROM x WITH NO DATA; CREATE UNIQUE INDEX ON fresh (id);
     CREATE MATERIALIZED VIEW \"Odd \"\"view\" AS SELECT v FROM x; CREATE VIEW plain AS SELECT 1; INSERT INTO x VALUES (2, 2)"
receipts() { jq -c 'del(.seconds)' out >got; }

run 0 'concurrently' pg-refresh good; receipts
echo '{"tool":"pg-refresh","object":"good","refreshed":true,"concurrently":true}' >want; same 'receipt' want got
said_not 'pg-refresh:'
run 0 'it is' sql 'SELECT count(*) FROM good'; echo 2 >want; same 'refreshed' want out
run 0 'not where it can not' pg-refresh bare part expr fresh 'Odd "view'; receipts
for v in bare part expr fresh 'Odd \"view'; do
	echo '{"tool":"pg-refresh","object":"'"$v"'","refreshed":true,"concurrently":false}'
done >want
same 'receipts, one an object' want got
said 'bare: readers wait while it is refreshed: it has no unique index: CREATE UNIQUE INDEX'
said 'part: readers wait'; said 'expr: readers wait'; said 'fresh: readers wait while it is refreshed: it was never filled'
run 0 'it is' sql 'SELECT (SELECT count(*) FROM bare), (SELECT count(*) FROM fresh)'; echo '2|2' >want; same 'refreshed' want out
run 0 'once filled it goes concurrently' pg-refresh fresh; grep -q '"concurrently":true' out; ok $? 'it does'
run 0 '--analyze --vacuum, tables too' pg-refresh --analyze --vacuum good x; receipts
printf '%s\n' '{"tool":"pg-refresh","object":"good","refreshed":true,"concurrently":true,"analyzed":true,"vacuumed":true}' \
    '{"tool":"pg-refresh","object":"x","analyzed":true,"vacuumed":true}' >want; same 'receipts' want got
wait_for is_so "EXISTS (SELECT FROM pg_stat_user_tables WHERE relname = 'x' AND last_vacuum IS NOT NULL AND last_analyze IS NOT NULL)"
ok $? 'the server knows of both'
run 0 '--analyze alone' pg-refresh --analyze x

# ---- the manual's examples ----

example() {		# example COMMAND: one that needs no network, as the page has it
	grep -qF -- "\$ $1" "$top/man/pg-refresh.1"; ok $? "the page has: $1"
	run 0 "$1" sh -c "$1"
}
sql 'CREATE MATERIALIZED VIEW service_requests_by_month AS SELECT 1 AS n; CREATE TABLE requests (owner text)'
example 'pg-refresh service_requests_by_month'
example 'pg-refresh --vacuum --analyze requests'

run 78 'a view that is not there stops all before the first' pg-refresh good nowhere; said 'no table nowhere in database "postgres": CREATE MATERIALIZED VIEW it'
[ ! -s out ]; ok $? 'no receipt'
run 78 'a table without an option' pg-refresh x; said 'x is a table: say --analyze or --vacuum'
run 78 'a plain view' pg-refresh plain; said 'plain is no materialized view'
run 78 'a name that is not UTF-8' pg-refresh "$(printf 'bad\377')"; said 'is no name: it is no valid UTF-8'
run 64 'no VIEW' pg-refresh; said 'no VIEW: say what to refresh'
sql 'INSERT INTO x VALUES (2, 3)'
run 65 'rows that are not unique any more' pg-refresh good
run 0 'the old rows stay' sql 'SELECT count(*) FROM good'; echo 2 >want; same 'both' want out
run 77 'no right to the view' sh -c 'psql -XAtqc "CREATE ROLE guest LOGIN"; PGUSER=guest pg-refresh bare'; said 'must be owner'
run 77 'no right to vacuum: the server would only warn' sh -c 'psql -XAtqc "CREATE TABLE others (i int)"; PGUSER=guest pg-refresh --vacuum --analyze others'
said "others is another's"
is_empty=$(wc -c <out); [ "$is_empty" -eq 0 ]; ok $? 'no receipt says that it was'
run 0 'the owner may' sh -c 'psql -XAtqc "ALTER TABLE others OWNER TO guest"; PGUSER=guest pg-refresh --vacuum --analyze others'
run 69 'no server' sh -c 'PGHOST=/nowhere pg-refresh --connect-wait 0.2 bare'
run 74 'a receipt that can not be written' sh -c 'pg-refresh bare >/dev/full'
hold 'TABLE bare'
run 75 'a lock' pg-refresh --lock-timeout 0.2 bare; said 'lock timeout'
let_go

sql 'CREATE MATERIALIZED VIEW slow AS SELECT 1 AS i FROM pg_sleep(600) WITH NO DATA'
CULVERT_RUN_ID=stopped pg-refresh slow >out 2>err & pid=$!
wait_for at_work 'pg-refresh stopped' "wait_event = 'PgSleep'"
kill -TERM $pid; wait $pid; got=$?
[ $got -eq 143 ]; ok $? 'SIGTERM: 143'; said 'pg-refresh: stopped: what has a receipt is done'
CULVERT_RUN_ID=alone pg-refresh slow >out 2>err & pid=$!
wait_for at_work 'pg-refresh alone' "wait_event = 'PgSleep'"
"$top/scripts/private-postgres" kill "$work/pg" >kill.log 2>&1
wait $pid; got=$?
[ $got -eq 69 ]; ok $? "the server killed: 69 (got $got)"
done_testing
