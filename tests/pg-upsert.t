#!/bin/sh
# pg-upsert: what it inserts, updates, leaves and deletes, counted; and that a failure changes nothing.
. "$(dirname "$0")/lib.sh"

start_postgres

# merges NAME STATUS RECEIPT COMMAND...: what is wanted on 3 is the table x afterwards, in the order of its key
merges() {
	_name=$1 _want=$2 _receipt=$3; shift 3
	cat <&3 >out.want
	"$@" >out 2>err; _got=$?
	psql -XAtqc 'SELECT * FROM x ORDER BY 1, 2' >got 2>&1
	members out read inserted updated unchanged deleted superseded kept_newer rejected
	[ "$_got" -eq "$_want" ] && cmp -s out.want got && [ "$values" = "$_receipt" ]
	ok $? "$_name" || {
		echo "# status: wanted $_want, got $_got; receipt: wanted $_receipt, got $values"
		diff -a -u out.want got | sed 's/^/# /'; sed 's/^/# stderr: /' err
	}
}
table() {		# table COLUMNS: an empty table x
	sql "DROP TABLE IF EXISTS x; CREATE TABLE x ($1)"
}

# ---- records ----

table 'id text PRIMARY KEY, v integer, at timestamp'
#                               read ins upd same del sup kept rej
merges 'all new'             0 '3 3 0 0 0 0 0 0' pg-upsert x --key id <<'IN' 3<<'OUT'
id,v,at
a,1,2020-01-01T00:00:00
b,2,2020-01-01T00:00:00
c,,
IN
a|1|2020-01-01 00:00:00
b|2|2020-01-01 00:00:00
c||
OUT
sql 'CREATE TABLE versions AS SELECT id, xmin::text AS was FROM x'
merges 'new, changed, same'  0 '4 1 1 2 0 0 0 0' pg-upsert x --key id <<'IN' 3<<'OUT'
{"id":"a","v":1,"at":"2020-01-01T00:00:00"}
{"id":"b","v":20,"at":"2020-01-01T00:00:00"}
{"id":"c"}
{"id":"d","v":4}
IN
a|1|2020-01-01 00:00:00
b|20|2020-01-01 00:00:00
c||
d|4|
OUT
run 0 'rows that are the same are not written' sql 'SELECT x.id FROM x JOIN versions v ON v.id = x.id WHERE x.xmin::text = was ORDER BY 1'
printf 'a\nc\n' >want; same 'a and c' want out
merges 'columns that the input lacks stay' 0 '2 1 1 0 0 0 0 0' pg-upsert x --key id <<'IN' 3<<'OUT'
v,id
100,a
5,e
IN
a|100|2020-01-01 00:00:00
b|20|2020-01-01 00:00:00
c||
d|4|
e|5|
OUT
merges 'a key twice: the last wins' 0 '4 1 1 0 0 2 0 0' pg-upsert x --key id <<'IN' 3<<'OUT'
id,v
a,101
a,102
f,6
f,7
IN
a|102|2020-01-01 00:00:00
b|20|2020-01-01 00:00:00
c||
d|4|
e|5|
f|7|
OUT
merges '--newer: the newest wins, an older one does not overwrite' 0 '6 1 1 1 0 2 1 0' pg-upsert x --key id --newer at <<'IN' 3<<'OUT'
id,v,at
a,103,2021-01-01T00:00:00
a,104,2020-06-01T00:00:00
b,21,2019-01-01T00:00:00
c,,
g,8,2020-01-01T00:00:00
g,9,
IN
a|103|2021-01-01 00:00:00
b|20|2020-01-01 00:00:00
c||
d|4|
e|5|
f|7|
g|8|2020-01-01 00:00:00
OUT
merges '--newer: equal is not older, no time is' 0 '2 0 1 0 0 0 1 0' pg-upsert x --key id --newer at <<'IN' 3<<'OUT'
id,v,at
a,104,2021-01-01T00:00:00
b,22,
IN
a|104|2021-01-01 00:00:00
b|20|2020-01-01 00:00:00
c||
d|4|
e|5|
f|7|
g|8|2020-01-01 00:00:00
OUT
psql -XAtqc 'SELECT * FROM x ORDER BY 1' >before
merges '--dry-run' 0 '2 1 1 0 0 0 0 0' pg-upsert x --key id --dry-run 3<before <<'IN'
id,v
a,1
z,1
IN
grep -q '"dry_run":true' out; ok $? 'says so'
merges '--delete-missing, bounded' 78 '' pg-upsert x --key id --delete-missing 3<before <<'IN'
id,v
a,1
IN
said '6 of the 7 rows of x would go: nothing was changed, allow it with --max-delete'
merges '--delete-missing' 0 '2 1 0 1 6 0 0 0' pg-upsert x --key id --delete-missing --max-delete 6 <<'IN' 3<<'OUT'
id,v
a,104
h,1
IN
a|104|2021-01-01 00:00:00
h|1|
OUT
merges '--replace: older rows too' 0 '2 1 1 0 1 0 0 0' pg-upsert x --key id --newer at --replace <<'IN' 3<<'OUT'
id,v,at
a,1,2001-01-01T00:00:00
i,1,
IN
a|1|2001-01-01 00:00:00
i|1|
OUT
psql -XAtqc 'SELECT * FROM x ORDER BY 1' >before
merges '--replace wants every column' 65 '' pg-upsert x --key id --replace 3<before <<'IN'
id,v
a,1
i,1
IN
said 'gone: at'
merges '--replace by nothing' 78 '' sh -c 'echo id,v,at | pg-upsert x --key id --replace' 3<before
merges 'nothing at all' 0 '0 0 0 0 0 0 0 0' pg-upsert x --key id 3<before </dev/null
grep -q '"empty":true' out; ok $? 'says so'
run 65 '--expect-rows' sh -c 'echo id,v | pg-upsert --expect-rows 1 x --key id'
run 99 '--empty-exit' sh -c 'echo id,v | pg-upsert --empty-exit 99 x --key id'
merges 'no key in the input' 65 '' pg-upsert x --key id 3<before <<'IN'
v,at
1,
IN
said 'gone: id'
merges 'a record without a key' 65 '' pg-upsert x --key id 3<before <<'IN'
id,v
b,1
,2
IN
said '<stdin>:3: column "id": no value, and the column needs one'
merges 'a new column' 65 '' pg-upsert x --key id 3<before <<'IN'
id,w
b,1
IN
said 'new: w: see --ignore-new'
merges 'bad values' 65 '' pg-upsert x --key id 3<before <<'IN'
id,v
b,1
c,x
IN
said '<stdin>:3: column "v": "x" is no integer (integer)'
merges '--rejects' 0 '3 1 0 0 0 0 0 2' pg-upsert x --key id --rejects bad --ignore-new <<'IN' 3<<'OUT'
id,v,w
b,1,1
c,x,1
,1,1
IN
a|1|2001-01-01 00:00:00
b|1|
i|1|
OUT
psql -XAtqc 'SELECT * FROM x ORDER BY 1' >before
printf 'id,v\nq,1\n' >one.csv; printf 'v,id,at\n1,r,\n' >two.csv
merges 'a second file with other columns' 65 '' pg-upsert x --key id one.csv two.csv 3<before
said 'this file has other columns than the one before'

table "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n integer GENERATED ALWAYS AS IDENTITY, v text, twice text GENERATED ALWAYS AS (v || v) STORED, d text DEFAULT 'none'"
merges 'generated, identity and default columns' 0 '2 2 0 0 0 0 0 0' pg-upsert x --key id <<'IN' 3<<'OUT'
{"id":7,"v":"a","twice":"q"}
{"id":8,"v":"b","n":9}
IN
7|1|a|aa|none
8|2|b|bb|none
OUT
merges 'updated' 0 '2 0 1 1 0 0 0 0' pg-upsert x --key id <<'IN' 3<<'OUT'
id,v
7,a
8,c
IN
7|1|a|aa|none
8|2|c|cc|none
OUT

sql 'DROP TABLE x; CREATE TABLE x (k text, d date, v integer, UNIQUE (k, d)) PARTITION BY RANGE (d);
     CREATE TABLE x20 PARTITION OF x FOR VALUES FROM ($$2020-01-01$$) TO ($$2021-01-01$$);
     CREATE TABLE x21 PARTITION OF x FOR VALUES FROM ($$2021-01-01$$) TO ($$2022-01-01$$)'
run 0 'a partitioned table' sh -c 'printf "k,d,v\na,2020-05-05,1\nb,2020-05-05,1\n" | pg-upsert x --key k'
merges 'a row moves to its partition' 0 '2 1 1 0 0 0 0 0' pg-upsert x --key k <<'IN' 3<<'OUT'
k,d,v
a,2021-05-05,1
c,2021-05-05,1
IN
a|2021-05-05|1
b|2020-05-05|1
c|2021-05-05|1
OUT
run 0 'it did' sql 'SELECT k FROM x21 ORDER BY 1'; printf 'a\nc\n' >want; same 'a and c' want out
sql "INSERT INTO x VALUES ('a', '2020-01-01', 9)"
run 65 'rows that share the key' sh -c 'printf "k,d,v\na,2020-05-05,1\n" | pg-upsert x --key k'
said 'x has rows that share a key'

sql 'DROP TABLE x; CREATE TABLE x (a text, b integer, j jsonb, n numeric(6,2), UNIQUE (b, a))'
merges 'two columns as key, json and numbers compared' 0 '2 2 0 0 0 0 0 0' pg-upsert x --key a,b <<'IN' 3<<'OUT'
{"a":"x","b":1,"j":{"k": 1},"n":1.5}
{"a":"x","b":2,"j":[1],"n":2}
IN
x|1|{"k": 1}|1.50
x|2|[1]|2.00
OUT
merges 'twice the same is the same' 0 '2 0 0 2 0 0 0 0' pg-upsert x --key a --key b <<'IN' 3<<'OUT'
{"a":"x","b":1,"j":{"k":1},"n":1.50}
{"a":"x","b":2,"j":[ 1 ],"n":2.0}
IN
x|1|{"k": 1}|1.50
x|2|[1]|2.00
OUT

hostile='x"; drop table requests; --'
sql 'CREATE TABLE requests (a text); CREATE TABLE "x""; drop table requests; --" ("k""; drop table requests; --" text PRIMARY KEY, "Up per" text)'
run 0 'hostile names' sh -c 'printf "{\"k\\\\\"; drop table requests; --\":\"'\''; drop table requests; --\",\"Up per\":\"1\"}\n" | pg-upsert "$1" --key "k\"; drop table requests; --"' - "$hostile"
run 0 'again' sh -c 'printf "{\"k\\\\\"; drop table requests; --\":\"'\''; drop table requests; --\",\"Up per\":\"2\"}\n" | pg-upsert "$1" --key "k\"; drop table requests; --"' - "$hostile"
grep -q '"updated":1' out; ok $? 'are names only'
run 0 'requests is there' sql 'SELECT * FROM requests'

# ---- stages ----

table 'id text PRIMARY KEY, v integer, at timestamp'
sql "CREATE TABLE s1 (at text, id varchar(10), v text); INSERT INTO s1 VALUES ('2020-01-01', 'a', '1'), (NULL, 'b', '2');
     CREATE TABLE s2 (LIKE s1); INSERT INTO s2 VALUES ('2020-02-01', 'a', '3'), (NULL, 'c', '4')"
merges '--stage a stage of other types' 0 '2 2 0 0 0 0 0 0' pg-upsert x --key id --stage s1 3<<'OUT'
a|1|2020-01-01 00:00:00
b|2|
OUT
merges '--stage two, the later wins' 0 '4 1 1 1 0 1 0 0' pg-upsert x --key id --stage s1 --stage s2 3<<'OUT'
a|3|2020-02-01 00:00:00
b|2|
c|4|
OUT
merges '--stage two, the newest wins' 0 '4 0 0 3 0 1 0 0' pg-upsert x --key id --newer at --stage s2 --stage s1 3<<'OUT'
a|3|2020-02-01 00:00:00
b|2|
c|4|
OUT
psql -XAtqc 'SELECT * FROM x ORDER BY 1' >before
sql "CREATE VIEW sv AS SELECT id, 5 AS v FROM s1"
merges '--stage a view' 0 '2 0 2 0 0 0 0 0' pg-upsert x --key id --stage sv 3<<'OUT'
a|5|2020-02-01 00:00:00
b|5|
c|4|
OUT
psql -XAtqc 'SELECT * FROM x ORDER BY 1' >before
sql "INSERT INTO s1 VALUES (NULL, NULL, '7')"
merges 'a stage with a row that has no key' 65 '' pg-upsert x --key id --stage s1 3<before
said 'no value in the key (id), such as {"at":null,"id":null,"v":"7"}'
sql "DELETE FROM s1 WHERE id IS NULL; UPDATE s1 SET v = 'q' WHERE id = 'b'"
merges 'a stage with a value that does not fit' 65 '' pg-upsert x --key id --stage s1 3<before
said 'invalid input syntax for type integer: "q"'
sql 'CREATE TABLE s3 (id text, w text)'
merges 'a stage with a new column' 65 '' pg-upsert x --key id --stage s3 3<before
said 's3: columns are not those of x: new: w: see --ignore-new'
merges 'stages that differ' 65 '' pg-upsert x --key id --ignore-new --stage s1 --stage s3 3<before
merges 'a stage that is not there' 78 '' pg-upsert x --key id --stage nowhere 3<before
said 'no table nowhere in database "postgres": fill it with pg-copy-in first'
sql 'CREATE TABLE s4 (id text, v varchar); CREATE TABLE short (id varchar(3) PRIMARY KEY, v varchar(2)); INSERT INTO s4 VALUES ($$a$$, $$abc$$)'
run 65 'text that is too long is not cut' pg-upsert short --key id --stage s4
said 'value too long for type character varying(2)'

# ---- what is missing ----

run 78 'no table' pg-upsert nowhere --key id </dev/null
run 78 'no unique index' pg-upsert s1 --key id </dev/null; said 's1 has no unique index on its key: CREATE UNIQUE INDEX ON public.s1 (id)'
run 78 'no such key' pg-upsert x --key nope </dev/null; said '--key nope: x has no such column'
run 78 'no such --newer' pg-upsert x --key id --newer nope </dev/null
run 78 'a view' pg-upsert sv --key id </dev/null; said 'sv is no table'
run 64 'no TABLE' pg-upsert --key id
run 64 'no --key' pg-upsert x
run 64 '--stage and a file' pg-upsert x --key id --stage s1 file
run 64 '--stage and --rejects' pg-upsert x --key id --stage s1 --rejects r
run 64 'a bad --max-delete' pg-upsert x --key id --max-delete x
run 66 'no such file' pg-upsert x --key id nowhere.csv
run 74 'a read error is no end of input' sh -c 'pg-upsert x --key id <.'
run 74 'a receipt that can not be written' sh -c 'pg-upsert x --key id </dev/null >/dev/full'
run 65 'a foreign key' sh -c 'psql -XAtqc "CREATE TABLE owners (o text PRIMARY KEY); CREATE TABLE r (id text PRIMARY KEY, o text REFERENCES owners)"
	printf "id,o\na,b\n" | pg-upsert r --key id'
said 'violates foreign key constraint'
run 77 'no right to the table' sh -c 'psql -XAtqc "CREATE ROLE guest LOGIN"; printf "id,v\na,1\n" | PGUSER=guest pg-upsert x --key id'

# ---- others at work ----

mkfifo pipe
CULVERT_RUN_ID=81 pg-upsert x --key id <pipe >first 2>first.err & first=$!
exec 7>pipe
printf 'id,v,at\nz,1,2020-01-01\n' >&7
wait_for is_so "EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory')"
run 75 'a second run at once' pg-upsert x --key id </dev/null
grep -qE 'run 81 since [0-9]{2}:[0-9]{2} UTC holds x: try again later' err; ok $? 'is told who holds the table' || sed 's/^/# /' err
run 75 'and after --lock-timeout' pg-upsert x --key id --lock-timeout 0.1 </dev/null
said 'run 81'
run 0 'another table is free' sh -c 'echo id,o | pg-upsert r --key id'
printf 'id,v,at\ny,1,2020-01-01\n' | pg-upsert x --key id --lock-timeout 600 >second 2>second.err 7>&- & second=$!
wait_for is_so "EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)"; ok $? 'one that waits has read its records'
exec 7>&-
wait $second; ok $? '... and merges them then'
grep -q '"inserted":1' second; ok $? '... its row is in'
wait $first; ok $? 'the first is unharmed'
grep -q '"inserted":1' first; ok $? 'and has loaded its row'

hold "UPDATE x SET v = v WHERE id = 'a'"
run 75 'a writer that does not know of us' pg-upsert x --key id --lock-timeout 0.02 --stage s2
said 'lock timeout'
pg-upsert x --key id --stage s2 >out 2>err & pid=$!
wait_for is_so "EXISTS (SELECT FROM pg_locks WHERE relation = 'x'::regclass AND NOT granted)"
let_go
wait $pid; ok $? 'is waited for' || sed 's/^/# /' err
# They hold x and, once we read s2, ask for it; once they wait we go on to x.  We look for a deadlock, they don't, so we are its victim.
# The view is where we wait for them: of its first row, the first time.
sql "CREATE SEQUENCE rows_seen;
     CREATE FUNCTION they_wait() RETURNS boolean LANGUAGE plpgsql AS \$\$ BEGIN
	IF nextval('rows_seen') = 1 THEN
		WHILE NOT EXISTS (SELECT FROM pg_locks WHERE relation = 's2'::regclass AND NOT granted) LOOP PERFORM pg_sleep(0.01); END LOOP;
	END IF;
	RETURN true; END \$\$;
     CREATE VIEW slow_s2 AS SELECT * FROM s2 WHERE they_wait()"
psql -XAtq -v ON_ERROR_STOP=1 >deadlock.out 2>&1 <<'SQL' & other=$!
SET deadlock_timeout = '10min';
BEGIN;
LOCK TABLE x IN ROW EXCLUSIVE MODE;
DO $$ BEGIN WHILE (SELECT NOT is_called FROM rows_seen) LOOP PERFORM pg_sleep(0.01); END LOOP; END $$;
LOCK TABLE s2 IN ACCESS EXCLUSIVE MODE;
COMMIT;
SQL
run 0 'a deadlock: once more, from the stage' env PGOPTIONS='-c deadlock_timeout=100ms' pg-upsert x --key id --stage slow_s2
grep -q 'deadlock detected' "$work/pg/postgres.log"; ok $? 'there was one'
wait $other; ok $? 'the other has gone on' || sed 's/^/# /' deadlock.out
hold 'LOCK TABLE x IN ACCESS EXCLUSIVE MODE'
run 75 'a table that not even readers may have' sh -c 'printf "id,v\na,1\n" | pg-upsert x --key id --lock-timeout 0.1'
said 'canceling statement due to lock timeout'
let_go

sql 'CREATE TABLE many (id integer PRIMARY KEY, v integer); CREATE TABLE many_stage AS SELECT i AS id, 1 AS v FROM generate_series(1, 100000) i'
sql 'CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(5); RETURN NEW; END $$;
     CREATE TRIGGER slow BEFORE INSERT ON many FOR EACH ROW EXECUTE FUNCTION slow()'
CULVERT_RUN_ID=stopped pg-upsert many --key id --stage many_stage >out 2>err & pid=$!
wait_for at_work 'pg-upsert stopped' "wait_event = 'PgSleep'"
kill -TERM $pid; wait $pid; got=$?
[ $got -eq 143 ]; ok $? 'SIGTERM: 143'
said 'pg-upsert: stopped: nothing was changed, run again'
wait_for is_so "NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name LIKE 'pg-upsert%')"; ok $? 'the server has stopped too'

CULVERT_RUN_ID=alone pg-upsert many --key id --stage many_stage >out 2>err & pid=$!
wait_for at_work 'pg-upsert alone' "wait_event = 'PgSleep'"
"$top/scripts/private-postgres" kill "$work/pg" >kill.log 2>&1
wait $pid; got=$?
[ $got -eq 69 ]; ok $? "the server killed in the middle of a merge: 69 (got $got)" || sed 's/^/# /' err
"$top/scripts/private-postgres" start "$work/pg" >start.log 2>&1
sql 'DROP TRIGGER slow ON many'
run 0 'a rerun' pg-upsert many --key id --stage many_stage
grep -q '"inserted":100000' out; ok $? 'does it all'
pg-upsert many --key id --stage many_stage >out 2>err & pid=$!
sleep 0.1
kill -9 $pid 2>/dev/null; wait $pid 2>/dev/null
run 0 'after kill -9 too' pg-upsert many --key id --stage many_stage --lock-timeout 600
grep -q '"unchanged":100000' out; ok $? 'nothing doubled'

# ---- several tables ----

sql 'DROP TABLE IF EXISTS s1, s2, s3 CASCADE; CREATE TABLE people (id int PRIMARY KEY, name text, at timestamp);
     CREATE TABLE carts (id int PRIMARY KEY, person int REFERENCES people, at timestamp);
     CREATE TABLE items (id int PRIMARY KEY, cart int NOT NULL REFERENCES carts, n int CHECK (n > 0));
     CREATE TABLE s1 (LIKE people); CREATE TABLE s2 (LIKE carts); CREATE TABLE s3 (LIKE items)'
three() {		# three ARGUMENT...: what is wanted on 3 is what the tables hold
	t3=$1 want3=$2; shift 2
	cat <&3 >out.want
	pg-upsert people --key id --newer at --stage s1 --and carts --key id --newer at --stage s2 --and items --key id --stage s3 "$@" >out 2>err
	got=$?
	{ sql 'SELECT * FROM people ORDER BY 1'; sql 'SELECT * FROM carts ORDER BY 1'; sql 'SELECT * FROM items ORDER BY 1'; } >got
	[ $got -eq "$want3" ] && cmp -s out.want got
	ok $? "$t3" || { echo "# status $got"; diff -u out.want got | sed 's/^/# /'; sed 's/^/# stderr: /' err; }
}
sql "INSERT INTO s1 VALUES (1, 'Ann', '2020-01-02'), (1, 'Anne', '2020-01-03'), (2, 'Bob', NULL);
     INSERT INTO s2 VALUES (10, 1, '2020-01-02'), (11, NULL, '2020-01-02'); INSERT INTO s3 VALUES (100, 10, 3), (101, 11, 1)"
three 'tables that refer to each other, in one transaction' 0 3<<'OUT'
1|Anne|2020-01-03 00:00:00
2|Bob|
10|1|2020-01-02 00:00:00
11||2020-01-02 00:00:00
100|10|3
101|11|1
OUT
jq -c 'del(.seconds)' out >receipt
cat >receipt.want <<'OUT'
{"tool":"pg-upsert","tables":[{"table":"people","read":3,"inserted":2,"updated":0,"unchanged":0,"deleted":0,"superseded":1,"kept_newer":0,"rejected":0},{"table":"carts","read":2,"inserted":2,"updated":0,"unchanged":0,"deleted":0,"superseded":0,"kept_newer":0,"rejected":0},{"table":"items","read":2,"inserted":2,"updated":0,"unchanged":0,"deleted":0,"superseded":0,"kept_newer":0,"rejected":0}],"read":7,"inserted":6,"updated":0,"unchanged":0,"deleted":0,"superseded":1,"kept_newer":0,"rejected":0}
OUT
same 'one receipt, with an entry a table' receipt.want receipt
sql "TRUNCATE s1, s2, s3; INSERT INTO s1 VALUES (1, 'older', '2020-01-01'), (3, 'Cy', '2020-01-01');
     INSERT INTO s2 VALUES (12, 3, '2020-02-01'), (10, 3, '2020-02-01'); INSERT INTO s3 VALUES (100, 12, 5), (102, 12, 0)"
cp got got.before
three 'what the last table refuses changes none' 65 3<got.before
said 'items_n_check'
sql 'UPDATE s3 SET n = 1 WHERE n = 0'
three '--dry-run is of all' 0 --dry-run 3<got.before
three 'a table with too few rows changes none' 65 --expect-rows 3 3<got.before
said 'items: 2 rows, 3 expected: nothing was changed'
three 'another round' 0 3<<'OUT'
1|Anne|2020-01-03 00:00:00
2|Bob|
3|Cy|2020-01-01 00:00:00
10|3|2020-02-01 00:00:00
11||2020-01-02 00:00:00
12|3|2020-02-01 00:00:00
100|12|5
101|11|1
102|12|1
OUT
[ "$(jq -c '.tables | map([.inserted, .updated, .kept_newer])' out)" = '[[1,0,1],[1,1,0],[1,1,0]]' ]
ok $? 'is counted for each' || cat out
cp got got.before
sql 'INSERT INTO s2 VALUES (13, 99, NULL)'
three 'a reference to nobody' 65 3<got.before
said 'carts_person_fkey'
sql 'DELETE FROM s2 WHERE id = 13'
sql 'INSERT INTO s2 VALUES (14, 3, NULL); INSERT INTO s3 VALUES (104, 14, 1)'
run 65 'tables in the wrong order' pg-upsert items --key id --stage s3 --and carts --key id --stage s2 --and people --key id --stage s1
said 'items_cart_fkey'
sql 'DELETE FROM s3 WHERE id = 104; DELETE FROM s2 WHERE id = 14'
run 0 '... are no harm where all is there' pg-upsert items --key id --stage s3 --and people --key id --newer at --stage s1
sql 'DELETE FROM s3 WHERE id = 100; DELETE FROM s2 WHERE id = 10; UPDATE s3 SET cart = 12'
all='--replace --max-delete 100%'
run 0 'all replaced: rows go before those they refer to' pg-upsert people --key id --stage s1 $all --and carts --key id --stage s2 $all \
    --and items --key id --stage s3 $all
[ "$(jq -c '.tables | map(.deleted)' out)" = '[1,2,2]' ]; ok $? 'as counted' || cat out
[ "$(sql "SELECT string_agg(id::text, ' ') FROM (SELECT id FROM people UNION SELECT id FROM carts UNION SELECT id FROM items ORDER BY 1) x")" = '1 3 12 102' ]
ok $? 'and those that are left are the stages'"'"
run 0 'a stage more for one of them, and a view' sh -c 'psql -Xqc "CREATE TABLE s3b AS SELECT 103 AS id, 12 AS cart, 7 AS n; CREATE VIEW v1 AS SELECT * FROM s1" &&
    pg-upsert people --key id --newer at --stage v1 --and items --key id --stage s3 --stage s3b'
[ "$(jq -c '.tables | map(.read)' out)" = '[2,2]' ]; ok $? 'all read' || cat out
hold "SELECT pg_advisory_xact_lock(1668639862::bigint << 32 | 'items'::regclass::oid::bigint)"
run 75 'another run at one of them' pg-upsert people --key id --stage s1 --and items --key id --stage s3
said 'holds items'
let_go
run 64 'records and --and' pg-upsert people --key id --and items --key id --stage s3 </dev/null
said 'people: with --and each table wants its --stage'
run 64 'a table without its key' pg-upsert people --key id --stage s1 --and items --stage s3
said 'no --key'
run 64 'no table behind --and' pg-upsert people --key id --stage s1 --and
said '--and wants TABLE'
run 64 'the old name of --stage' pg-upsert people --key id --from s1
said 'pg-upsert: --from is now --stage'
run 64 '... of --connect-wait' pg-upsert people --key id --stage s1 --max-wait=3
said 'pg-upsert: --max-wait is now --connect-wait'
run 64 'no first table' pg-upsert --key id --stage s1 --and items --key id --stage s3
said 'no TABLE'
run 0 'a table behind --and=' pg-upsert people --key id --newer at --stage s1 --and=items --key id --stage s3
run 78 'no such column' pg-upsert people --key id --stage s1 --and items --key no --stage s3
said '--key no: items has no such column'

# ---- the COMMIT whose answer is lost ----

for when in before after gone; do
	start_server proxy "$here/servers/pgproxy.py" "$work/pg" "$work/proxy-$when" $when
	want=75 patience=30
	case $when in
	after) want=0 ;;
	gone) patience=0.2 ;;
	esac
	run $want "the connection is cut $when COMMIT" sh -c 'printf "id,v\n%s,1\n" "$1" |
		PGHOST="$2" pg-upsert x --key id --connect-wait "$3"' - "$when" "$proxy" $patience
	said 'the connection was lost at COMMIT'
	kill $proxy_pid; wait $proxy_pid 2>/dev/null
	rm -f server.proxy.fifo
done
run 0 'what was committed' sql "SELECT id FROM x WHERE id IN ('before', 'after', 'gone') ORDER BY 1"
printf 'after\ngone\n' >want; same 'is what was said' want out
start_server proxy "$here/servers/pgproxy.py" "$work/pg" "$work/proxy-again" before
run 75 'pg-copy-in asks too' sh -c 'printf "a\nq\n" | PGHOST="$1" pg-copy-in --connect-wait 300 requests' - "$proxy"
said 'the server undid it: nothing was loaded, run again'

# ---- readers see all or nothing ----

sql 'CREATE TABLE rep (id integer PRIMARY KEY, v integer); INSERT INTO rep SELECT i, 1 FROM generate_series(1, 20000) i;
     CREATE TABLE rep_stage AS SELECT i AS id, 2 AS v FROM generate_series(10000, 29999) i'
echo 'SELECT count(*), min(v), max(v) FROM rep \watch 0.002' | psql -XAtq >seen & reader=$!
wait_for test -s seen
pg-upsert rep --key id --replace --stage rep_stage >out 2>err & pid=$!
wait $pid; ok $? '--replace under readers'
wait_for grep -qxF '20000|2|2' seen; ok $? 'who see all of it then'
kill $reader; wait $reader 2>/dev/null
grep -vxE '20000\|1\|1|20000\|2\|2|' seen >mixed; [ ! -s mixed ]; ok $? '... and never a part of it' || sed 's/^/# /' mixed

# ---- the manual's examples ----

example() {		# example COMMAND: one that needs no network, as the page has it
	grep -qF -- "\$ $1" "$top/man/pg-upsert.1"; ok $? "the page has: $1"
	run 0 "$1" sh -c "$1"
}
sql 'DROP TABLE requests; CREATE TABLE requests (srnumber text PRIMARY KEY, updateddate timestamp);
     CREATE TABLE stage (LIKE requests); INSERT INTO stage VALUES ($$1-1$$, now())'
example 'pg-upsert requests --key srnumber --newer updateddate --stage stage'

run 0 'a record of 60 MiB' sh -c 'psql -XAtqc "CREATE TABLE big (id text PRIMARY KEY, t text)"; (printf "id,t\n1,"; head -c 62914560 /dev/zero | tr "\0" x; echo) | pg-upsert big --key id'

# a stage that someone writes to in the middle of the merge: here a trigger, after the rows to write were found
sql 'CREATE TABLE live (k text PRIMARY KEY, v int); INSERT INTO live VALUES (1, 1);
    CREATE TABLE moving AS SELECT g::text AS k, g + 1 AS v FROM generate_series(1, 9) g;
    CREATE FUNCTION move() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE moving SET v = v; RETURN NULL; END $$;
    CREATE TRIGGER move AFTER UPDATE ON live FOR EACH STATEMENT EXECUTE FUNCTION move()'
run 75 'a stage that changes under the merge' pg-upsert live --key k --stage moving
said 'public.moving was changed while it was merged: nothing was changed in live, run again'
[ "$(sql 'SELECT k, v FROM live')" = '1|1' ]; ok $? 'nothing was changed'

# ---- personal data: what the server says of a row has the row in it ----

sql "CREATE TABLE walkers (id integer PRIMARY KEY, place text CHECK (length(place) < 20), at inet, n smallint);
     CREATE FUNCTION refuse_walker() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN
	IF NEW.n = 13 THEN RAISE EXCEPTION 'no %', NEW.place; END IF; RETURN NEW; END \$\$;
     CREATE TRIGGER refuse BEFORE INSERT ON walkers FOR EACH ROW EXECUTE FUNCTION refuse_walker()"
while IFS=' ' read -r record words; do
	printf '%s\n' "$record" >in
	run 65 "--private: $words" pg-upsert --private --rejects bad walkers --key id in
	said "$words"
	said_not hush
done <<'RECORDS'
{"id":1,"place":"hush-hush-hush-hush-hush"} violates check constraint "walkers_place_check"
{"id":1,"at":"hush"} SQLSTATE 22P02
{"id":1,"place":"hush","n":13} SQLSTATE P0001
RECORDS
echo '{"id":1,"place":"hush-hush-hush-hush-hush"}' >in
run 65 'else the server has the word' pg-upsert walkers --key id in
said 'Failing row contains (1, hush'
sql "CREATE TABLE keyless AS SELECT NULL::integer AS id, 'hush' AS place"
run 65 '--private: no key' pg-upsert --private walkers --key id --stage keyless
said 'no value in the key'
said_not hush
run 64 '--private without --rejects' pg-upsert --private walkers --key id in
done_testing
