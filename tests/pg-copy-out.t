#!/bin/sh
# pg-copy-out: rows as they are, and no success when they are not all there.
. "$(dirname "$0")/lib.sh"

start_postgres
sql "CREATE TABLE x (a text, \"b c\" integer, j json, at timestamp);
     INSERT INTO x VALUES ('tab	\\ quote \" é', 1, '{\"k\":
 \"\\\\\"}', '2020-01-01 00:00:00'), (NULL, NULL, NULL, NULL), ('', 2, '[]', 'infinity')"

t 'NDJSON' 0 pg-copy-out x </dev/null 3<<'OUT'
{"a":"tab\t\\ quote \" é","b c":1,"j":{"k":  "\\"},"at":"2020-01-01T00:00:00"}
{"a":null,"b c":null,"j":null,"at":null}
{"a":"","b c":2,"j":[],"at":"infinity"}
OUT
jq -e . out >/dev/null; ok $? 'each line is JSON'
t 'CSV' 0 pg-copy-out --to csv --query 'SELECT a, "b c" FROM x;' </dev/null 3<<'OUT'
a,b c
"tab	\ quote "" é",1
,
"",2
OUT
t 'a query that ends in a comment' 0 pg-copy-out --query 'SELECT 1 AS n -- one' </dev/null 3<<'OUT'
{"n":1}
OUT
t 'no rows: CSV has its header' 0 pg-copy-out --to csv --query 'SELECT 1 AS n WHERE false' </dev/null 3<<'OUT'
n
OUT
t 'no rows: NDJSON has nothing' 0 pg-copy-out --query 'SELECT 1 AS n WHERE false' </dev/null 3</dev/null
t 'what was loaded comes out' 0 sh -c 'printf "a,b c,j,at\n\"l\nm\",1,\"{\"\"k\"\": 1}\",2020-01-01T00:00:00\n" >in.csv
	pg-copy-in --truncate --max-delete 100% x in.csv >/dev/null && pg-copy-out --to csv x' </dev/null 3<<'OUT'
a,b c,j,at
"l
m",1,"{""k"": 1}",2020-01-01 00:00:00
OUT

sql 'CREATE SEQUENCE s'
run 78 'a query that writes' pg-copy-out --query "SELECT nextval('s')"; said 'read-only transaction'
run 78 'a query that is two' pg-copy-out --query 'SELECT 1) TO STDOUT; DROP TABLE x; --'
run 0 'and x is there' sql 'SELECT count(*) FROM x'; echo 1 >want; same 'unchanged' want out
for format in csv ndjson; do
	query="SELECT timestamptz '2020-02-03 04:05:06.7+00' AS z, date '2020-02-03' AS d, 0.1::float8 + 0.2 AS f,
	    interval '1 day 2 hours' AS i, '\\x41'::bytea AS b"
	pg-copy-out --to $format --query "$query" >want
	run 0 "odd settings do not change what $format looks like" env PGDATESTYLE=German,DMY \
	    PGOPTIONS='-c intervalstyle=iso_8601 -c extra_float_digits=-5 -c bytea_output=escape' pg-copy-out --to $format --query "$query"
	same 'same output' want out
done
cat >wanted <<'OUT'
{"z":"2020-02-03T04:05:06.7+00:00","d":"2020-02-03","f":0.30000000000000004,"i":"1 day 02:00:00","b":"\\x41"}
OUT
same 'as it should be' wanted want
run 78 'a query that is none' pg-copy-out --query 'SELEKT 1'; said 'syntax error'
run 65 'an error in the middle' pg-copy-out --query 'SELECT 1000 / (3000 - i) FROM generate_series(1, 4000) i'
said 'pg-copy-out: the output is not complete: division by zero'
[ "$(wc -l <out)" -gt 0 ]; ok $? 'some rows had come'
run 78 'no such table' pg-copy-out nowhere; said 'no table nowhere in database "postgres"'
run 77 'no right to the table' sh -c 'psql -XAtqc "CREATE ROLE guest LOGIN"; PGUSER=guest pg-copy-out x'
run 64 'neither' pg-copy-out
run 64 'both' pg-copy-out --query 'SELECT 1' x
run 64 'two tables' pg-copy-out x y
run 64 'an empty query' pg-copy-out --query ' ; '
run 74 'a full disk' sh -c 'pg-copy-out x >/dev/full'
run 74 'a closed standard output' sh -c 'pg-copy-out x >&-'
t 'a reader that leaves' 0 sh -c 'pg-copy-out --query "SELECT generate_series(1, 1000000) AS i" | head -n 1' </dev/null 3<<'OUT'
{"i":1}
OUT
said_not pg-copy-out
run 0 'a million rows in little memory' limited 100000 pg-copy-out 'pg-copy-out --query "SELECT i, repeat(\$\$x\$\$, 100) AS t FROM generate_series(1, 1000000) i" | wc -l'
echo 1000000 >want; same 'all of them' want out

# ---- the manual's examples ----

example() {		# example COMMAND: one that needs no network, as the page has it
	grep -qF -- "\$ $1" "$top/man/pg-copy-out.1"; ok $? "the page has: $1"
	run 0 "$1" sh -c "$1"
}
sql 'CREATE TABLE requests (owner text)'
example "pg-copy-out --query 'SELECT owner, count(*) FROM requests GROUP BY owner'"
example 'pg-copy-out --to csv requests | gzip >requests.csv.gz'

mkfifo pipe
pg-copy-out --query "SELECT i, repeat('x', 1000) AS t FROM generate_series(1, 100000000) i" >pipe 2>err & pid=$!
exec 7<pipe
head -c 1000 <&7 >/dev/null
"$top/scripts/private-postgres" kill "$work/pg" >kill.log 2>&1
cat <&7 >/dev/null
wait $pid; got=$?
[ $got -eq 69 ]; ok $? "the server killed in the middle: 69 (got $got)"
said 'the output is not complete'
done_testing
