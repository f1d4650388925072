#!/bin/sh
# Each call that can fail is made to fail: the first malloc, the second, ... to the end of a short run of each tool;
# then every read and every write.  Whatever it is, the run ends in a status that says so, or is complete and right.
. "$(dirname "$0")/lib.sh"
[ -z "${SANITIZED:-}" ] || skip_all 'a sanitizer has a malloc of its own'
${CC:-cc} -std=c17 -O1 -shared -fPIC -o "$work/shim.so" "$here/torture/shim.c" || skip_all 'no compiler for the shim'

# What a sink leaves behind, for those that have one: `fresh` before each run, `state` after it.
fresh() { :; }
state() { :; }
# What stands for the output, where that is never twice the same.
view() { cat out; }
# Outcomes that a tool may have beside those below, as CALL:STATUS: what a library makes of its own failures.
also=

result() {		# result FILE: all that a run has made, but for how long it took
	{ view | sed 's/"requests":[0-9]*,//; s/"seconds":[0-9.]*//'; [ ! -e bad.json ] || cat bad.json; state; } >"$1"
}
torture_once() {	# torture_once CALL:N COMMAND...: sets got; ./fired is there if it came to the Nth call
	order=$1; shift
	rm -f fired bad.json bad.json.part
	fresh
	TORTURE=$order TORTURE_TOOL=$1 TORTURE_FIRED=$work/fired LD_PRELOAD=$work/shim.so timeout -k 1 10 "$@" <in >out 2>err
	got=$?
}
statuses() {		# statuses CALL: the promised ones
	case $1 in
	malloc | process | open) echo 71 ;;
	read | write | fsync | close) echo 74 ;;
	connect) echo 69 ;;
	net) echo 69 75 ;;
	esac
}
# verdict CALL: what is wrong with the run; nothing if all is well.
verdict() {
	result result
	if [ "$got" -eq 0 ]; then
		cmp -s result.want result || echo 'exit 0, but the output is not complete'
		return
	fi
	case " $(statuses "$1") $also " in
	*" $got "* | *" $1:$got "*) ;;
	*) echo "exit $got" ;;
	esac
	grep -q . err || echo 'no word'
	! grep -qv "^$tool: " err || echo 'a stray message'
	[ ! -e bad.json.part ] || echo 'bad.json.part is left'
	[ ! -e bad.json ] || cmp -s bad.json bad.want || echo 'half of bad.json is there'
	state >state.got; cmp -s state.before state.got || cmp -s state.after state.got || echo 'a state between'
}
# torture NAME "CALL ..." COMMAND...: a line for each kind of call.  The first $dense fail one by one, then some;
# TORTURE_DENSE=100000 is all of them.
dense=${TORTURE_DENSE:-60}
torture() {
	case=$1 torn=$2; shift 2
	tool=$1
	rm -f bad.json bad.want
	fresh; state >state.before
	run 0 "$case: a clean run" "$@" <in
	result result.want; state >state.after
	[ ! -e bad.json ] || cp bad.json bad.want
	for call in $torn; do
		n=1
		: >wrong
		while torture_once "$call:$n" "$@"; [ -e fired ]; do
			verdict "$call" | sed "s/^/# $call $n: /" >>wrong
			[ ! -s wrong ] || sed "s/^/# stderr: /" err >>wrong
			n=$((n < dense ? n + 1 : n + 1 + n / 8))
		done
		[ ! -s wrong ] && [ "$n" -gt 1 ]
		ok $? "$case: $call fails, to the end" || head -n 20 wrong
	done
	slow "$case" "$@"
}
# slow NAME COMMAND...: short reads and writes, EINTR and EAGAIN have no effect.
slow() {
	case=$1; shift
	: >wrong
	for seed in 1 2 3 4 5 6 7 8 9 10; do
		torture_once "slow:$seed" "$@"
		result result
		[ "$got" -eq 0 ] && cmp -s result.want result || { echo "# seed $seed: exit $got"; sed 's/^/# stderr: /' err; } >>wrong
	done
	[ ! -s wrong ]
	ok $? "$case: reads and writes that are short, interrupted, not ready" || head -n 20 wrong
}

# ---- filters ----

cat >in.csv <<'IN'
id,name,when
1,"a ""b"", c",1/2/2020 0:05
2,torn
3,"two
lines",12/31/2020 11:59:59 PM
IN
cat >in.json <<'IN'
{"id":1,"name":"a \"b\"","nested":{"x":[1,2.50]}}
{"id":2,"name":
{"id":3,"other":null,"name":"é"}
IN
echo '{"page":7,"rows":[{"id":1},{"id":2,"tags":[{"t":"x"},{"t":"y"}]}]}' >in.doc
tail -n +2 in.csv >body		# a copy: a file appended to itself has no end
for n in 1 2 3 4 5 6 7 8 9 10; do
	cat body
done >>in.csv

cp in.csv in
torture 'csv2ndjson' 'malloc read write close fsync open' csv2ndjson --rejects bad.json in.csv
torture 'csv2ndjson of stdin' 'malloc read write' csv2ndjson --rejects bad.json
torture 'csv-normalize' 'malloc read write close fsync open' \
    csv-normalize --columns id,when,name,none --date when --null x --trim --rejects bad.json in.csv
cp in.json in
torture 'ndjson2csv' 'malloc read write close fsync open' ndjson2csv --rejects bad.json in.json
torture 'ndjson2csv of known columns' 'malloc read write' ndjson2csv --columns id,name,other,nested --rejects bad.json
cp in.doc in
torture 'json-explode' 'malloc read write close open' json-explode .rows --carry page=page in.doc
torture 'json-explode of stdin' 'malloc read write' json-explode .rows
python3 -c 'import sys, zipfile
with zipfile.ZipFile("in.zip", "w", zipfile.ZIP_DEFLATED) as z: z.writestr("a.json", "1\n" * 300); z.writestr("b", "x"); z.writestr("c.json", "2")'
cp in.zip in
# Not malloc: libarchive 3.6 does not survive one that fails while it starts.
torture 'zip-cat' 'read write close open' zip-cat -i '*.json' in.zip
torture 'zip-cat of stdin' 'read write' zip-cat
cat >in.meta <<'IN'
{"application":{"settings":{"timezone":"Central Time (US & Canada)"},"objects":[{"key":"object_1","name":"Things","fields":[
{"key":"field_1","name":"Name","type":"short_text"},{"key":"field_2","name":"When","type":"date_time"}]}]}}
IN
for stamp in 1568218440000 '"x"' 1578254700000; do
	printf '{"id":"a","field_1":"N","field_2_raw":{"unix_timestamp":%s}}\n' "$stamp"
done >in.knack
cp in.knack in
torture 'knack-format' 'malloc read write close fsync open' knack-format -m in.meta -O object_1 -k lower_snake --rejects bad.json in.knack
torture 'knack-format of stdin' 'malloc read write' knack-format -m in.meta -q --rejects bad.json
jq -c '.trip_id = 7, ., .x = 1, .' "$data/mds/trip_sample_data_valid.json" >in.trips
cp in.trips in
torture 'mds-trips' 'malloc read write close fsync open' mds-trips -q --integer-ids sample_co --receipt receipt.json --rejects bad.json in.trips
torture 'mds-trips of stdin' 'malloc read write' mds-trips -q -s 0.3 --rejects bad.json

FERNET_KEY=cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=
export FERNET_KEY
seq 200000 | fernet encrypt >in.token
view() { fernet decrypt out 2>/dev/null; }
seq 200000 >in
torture 'fernet encrypt' 'malloc read write close' fernet encrypt
torture 'fernet encrypt of a file' 'open' fernet encrypt in.csv
torture 'fernet rotate' 'malloc read write close open' fernet rotate in.token
view() { tr -c '=\n' x <out; }
torture 'fernet keygen' 'malloc write close' fernet keygen
view() { cat out; }
cp in.token in
torture 'fernet decrypt' 'malloc read write close' fernet decrypt
cat >in.zones <<'IN'
{"type":"FeatureCollection","features":[
{"type":"Feature","properties":{"n":"a"},"geometry":{"type":"Polygon","coordinates":[[[0,0],[4,0],[4,4],[0,0]]]}},
{"type":"Feature","properties":{"n":"b"},"geometry":{"type":"Polygon","coordinates":[[[0,0],[4,4],[4,0],[0,4],[0,0]]]}}]}
IN
printf '{"x":%s,"y":1}\n' 1 '"?"' 3.5 0 9 >in
torture 'geo-tag' 'malloc read write close fsync open' geo-tag -q -l z=in.zones:n@x,y --rejects bad.json
torture 'geo-tag of a file' 'read close open' geo-tag -q -l z=in.zones:n@x,y --to csv --rejects bad.json in

# ---- sluice ----

torture 'sluice' 'malloc open process' sluice 'cat in.doc in.doc' -- cat

# ---- Postgres ----

dense=${TORTURE_DENSE:-12}		# a run takes a while, and most of it is libpq's own
# libpq without memory has no connection, or waits for the start of COPY until it is told to stop.
also='malloc:69 malloc:124 open:69'
start_postgres
sql 'CREATE TABLE target (id int PRIMARY KEY, name text, at timestamp)' >/dev/null
sql "CREATE TABLE stage AS SELECT i AS id, 'new ' || i AS name, now()::timestamp(0) AS at FROM generate_series(2, 9) AS i" >/dev/null
sql 'CREATE MATERIALIZED VIEW report AS SELECT count(*) FROM target' >/dev/null
printf '{"id":%d,"name":"n","at":"2020-01-0%d"}\n' 2 2 3 3 4 4 >in
fresh() { sql "TRUNCATE target; INSERT INTO target SELECT i, 'old', '2019-12-31' FROM generate_series(1, 3) AS i"; }
state() { sql 'SELECT * FROM target ORDER BY id'; }
torture 'pg-copy-in' 'malloc read write net connect open' pg-copy-in --max-wait 0.1 --truncate --max-delete 100% target
torture 'pg-upsert of records' 'malloc read write net connect open' pg-upsert --max-wait 0.1 target --key id --newer at
torture 'pg-upsert of a stage' 'malloc write net' pg-upsert --max-wait 0.1 target --key id --from stage --replace --max-delete 100%
sql 'CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES target); CREATE TABLE child_stage AS SELECT i AS id, i AS parent FROM generate_series(2, 5) AS i' >/dev/null
fresh() { sql "TRUNCATE target, child; INSERT INTO target SELECT i, 'old', '2019-12-31' FROM generate_series(1, 3) AS i"; }
state() { sql 'SELECT * FROM target ORDER BY id'; sql 'SELECT * FROM child ORDER BY id'; }
torture 'pg-upsert of two stages' 'malloc write net' pg-upsert --max-wait 0.1 target --key id --from stage --and child --key id --from child_stage
sql 'DROP TABLE child' >/dev/null
state() { sql 'SELECT * FROM target ORDER BY id'; }
fresh() { :; }
torture 'pg-copy-out' 'malloc write net connect open' pg-copy-out --max-wait 0.1 target
mds-schedule init >/dev/null
mds-schedule seed --provider jump --zone America/Chicago --from 2020-3-8-0 --to 2020-3-8-4 >/dev/null
torture 'mds-schedule list' 'malloc write net connect open' mds-schedule --max-wait 0.1 list --provider jump --time-max 2020-3-8-4 --interval 4
fresh() { sql "DELETE FROM api.schedule WHERE date > '2020-03-08 04:00'"; }
state() { sql 'SELECT date FROM api.schedule ORDER BY date'; }
torture 'mds-schedule seed' 'malloc write net connect open' \
    mds-schedule --max-wait 0.1 seed --provider jump --zone America/Chicago --from 2020-3-8-0 --to 2020-3-8-7
fresh() { sql "UPDATE api.schedule SET status_id = 0, claim = NULL, message = NULL"; }
state() { sql 'SELECT date, status_id, claim IS NULL, message FROM api.schedule ORDER BY date'; }
echo '{"schedule_id":1,"status_id":2,"message":{"a":1}}' >in
torture 'mds-schedule set' 'malloc read write net connect open' mds-schedule --max-wait 0.1 set --release
torture 'pg-refresh' 'malloc write net connect open' pg-refresh --max-wait 0.1 --analyze --vacuum report target

# ---- network ----

python3 "$here/servers/make311.py" --rows 20 --years 2020 soda
echo id,n >soda/keys-row1.csv; echo '{"rowIdentifier":"id"}' >soda/keys-row1.json
start_server soda python3 "$here/servers/soda.py" --data soda
start_server slack python3 "$here/servers/slack.py" --hook T0/B0/xyz
also='open:69'
SLACK_WEBHOOK_URL=$slack/services/T0/B0/xyz
export SLACK_WEBHOOK_URL
state() { :; }
torture 'soda-fetch' 'malloc write net connect open' \
    soda-fetch --base-url "$soda" --retries 1 --retry-wait 0.01 --page-size 8 x la31-2020
fresh() {
	curl -sS --data '{"replace":{"id":"keys-row1","rows":[{"id":"1","n":"old"},{"id":"2"},{"id":"3"}]}}' "$soda/control" >/dev/null
}
state() { curl -sSg "$soda/resource/keys-row1.json?\$order=:id&\$select=id,n"; }
printf '{"id":%s,"n":"new"}\n' 1 2 null 3 >in
export SOCRATA_KEY_ID=id SOCRATA_KEY_SECRET=secret
for mode in '' --replace; do
	torture "soda-push $mode" 'malloc read write net connect open' \
	    soda-push --base-url "$soda" --retries 1 --retry-wait 0.01 x.y keys-row1 $mode --rejects bad.json
done
fresh() { :; }
state() { :; }
echo 'loaded' >in
torture 'slack-notify' 'malloc read net connect open' slack-notify

echo '{"x":[{"state":"success","logical_date":"2024-01-03T00:00:00.000000","start_date":"2024-01-04T00:00:03.123456"}]}' >dags.json
start_server airflow python3 "$here/servers/airflow_api.py" --dags dags.json
export AIRFLOW_URL="$airflow" AIRFLOW_USERNAME=admin AIRFLOW_PASSWORD=secret
torture 'airflow-last-run' 'malloc write net connect open' airflow-last-run --retries 1 --retry-wait 0.01 --dag x
echo '[{"item":"0","name":"x","layers":[{"id":0,"fields":[{"name":"id","type":"esriFieldTypeString"}]}]}]' >services.json
start_server agol python3 "$here/servers/arcgis.py" --services services.json
export AGOL_USERNAME=maps AGOL_PASSWORD=secret
fresh() { curl -sS -o control.out -d '{"features":{"layer":"x/0","features":[]}}' "$agol/control"; }
state() { curl -sS "$agol/features/x/0" | jq -c .attributes.id; }
printf '{"id":"%s"}\n' a b c >in
torture 'agol-push' 'malloc read write net connect open' agol-push --retries 1 --retry-wait 0.01 --portal "$agol" 0 --key id
start_server knack python3 "$here/servers/knack.py" --metadata "$data/knack/metadata.json" --rate 0 --make object_4=5
export KNACK_APP_ID=5d79512148c4af00106d1507 KNACK_API_KEY=0b5c7c2e-1f6a-4b0e-9a64-1d1f2e3d4c5b
fresh() { rm -f resume; }
state() { :; }
torture 'knack-fetch' 'malloc write net connect open close fsync' \
    knack-fetch --base-url "$knack" --retries 1 --retry-wait 0.01 --page-size 3 --object object_4 --resume resume
MDS_AUTH=oauth:austin:secret-of-ours start_server mds python3 "$here/servers/mds.py" --make 8 --page-size 3
printf '{"mds_api_url":"%s","version":"0.3","auth_type":"oauth","auth_data":{"grant_type":"client_credentials","client_id":"austin",
    "client_secret":"secret-of-ours"},"token_url":"%s/oauth/token","auth_token_res_key":"access_token"}' "$mds" "$mds" >in
fresh() { rm -f done.json done.json.part; }
state() { [ ! -e done.json ] || jq -c 'del(.seconds)' done.json; ls done.json.part 2>/dev/null; }
for mode in '' --envelope; do
	torture "mds-fetch $mode" 'malloc read write net connect open close fsync' mds-fetch --retries 1 --retry-wait 0.01 --config - \
	    --hour 2020-03-01-01 --receipt done.json $mode
done
fresh() {	# no topping but one, whose id is known; it had another name
	curl -sS -o control.out -d '{"delete":{"object":"object_10","ids":["5f000000000000000000000a"]}}' "$knack/control"
	curl -sS -o control.out -d '{"insert":{"object":"object_10","records":[{"id":"5f000000000000000000000a","field_59":"old"}]}}' "$knack/control"
}
state() {
	curl -sS -H "X-Knack-Application-Id: $KNACK_APP_ID" -H "X-Knack-REST-API-Key: $KNACK_API_KEY" \
	    "$knack/v1/objects/object_10/records" | jq -c '[.records[].field_59]'
}
echo '{"id":"5f000000000000000000000a","field_59":"new"}' >in
torture 'knack-push' 'malloc read write net connect open' knack-push --base-url "$knack" --retries 1 --retry-wait 0.01 \
    --object object_10 --rejects bad.json
fresh() { :; }
state() { :; }
also='open:69 malloc:70'	# OpenSSL does not tell a lack of memory from a hash that it does not have
start_s3 --bucket bkt
curl -sS -o control.out -d '{"objects":{"bkt/p/1":"{\"a\":\n1}","bkt/p/2":"{\"b\":2}{\"c\":}","bkt/p/3":"{}"}}' "$s3/control"
torture 's3-list' 'malloc write net connect open' s3-list --retries 1 --retry-wait 0.01 s3://bkt/p/
fresh() { echo old >file; rm -f file.part; }
state() { cat file; ls file.part 2>/dev/null; }
torture 's3-get' 'malloc write net connect open close fsync' \
    s3-get --retries 1 --retry-wait 0.01 --records --rejects bad.json --output file --prefix s3://bkt/p/
printf '{"key":"p/%d","size":9}\n' 1 3 >in
torture 's3-get of keys' 'malloc read write net connect' s3-get --retries 1 --retry-wait 0.01 --output file s3://bkt
fresh() { :; }
state() { :; }
fresh() { curl -sS -o control.out -d '{"reset":true,"objects":{"bkt/k":"old"}}' "$s3/control"; }
state() { curl -sS "$s3/objects" | jq -c '[.key, .sha256]'; curl -sS "$s3/uploads"; }
seq 900000 >in
# Not malloc: OpenSSL 3.0 does not survive one that fails while it starts.
torture 's3-put of parts' 'read write net connect open process' s3-put --retries 1 --retry-wait 0.01 --part-size 5M s3://bkt/k
fresh() { curl -sS -o control.out -d '{"reset":true,"objects":{"bkt/1":null,"bkt/2":null,"bkt/3":null}}' "$s3/control"; }
state() { :; }
printf '{"id":%s,"n":"new"}\n' 1 2 null 3 >in
torture 's3-put of records' 'read write net connect open' s3-put --retries 1 --retry-wait 0.01 -j 2 --each 's3://bkt/{id}' --rejects bad.json
fresh() { :; }

# ---- limits ----

cp in.csv many.csv
awk 'BEGIN { for (i = 0; i < 20000; i++) print "2,torn" }' >>many.csv
awk 'BEGIN { for (i = 0; i < 20000; i++) print "{\"id\":2," }' >many.json
awk 'BEGIN { printf "{\"a\":\""; for (i = 0; i < 400000; i++) printf "%100s", "x"; print "\"}" }' >huge.json
{ echo a; sed 's/{"a"://; s/}//' huge.json; } >huge.csv
for command in 'ndjson2csv huge.json' 'json-explode . huge.json' 'csv2ndjson huge.csv' 'csv-normalize huge.csv'; do
	run 71 "no memory: $command" sh -c "ulimit -v 60000; $command"
	said 'out of memory at'
done
for command in 'csv2ndjson --rejects bad.json in.csv' 'csv-normalize --rejects bad.json in.csv' 'ndjson2csv --rejects bad.json in.json'; do
	rm -f bad.json
	run 71 "no descriptor: $command" sh -c "ulimit -n 4; exec $command"
	said 'ulimit -n'
	run 0 'and no file of rejects' sh -c '[ ! -e bad.json ] && [ ! -e bad.json.part ]'
	run 74 "a file of rejects that may not grow: ${command%% *}" sh -c "ulimit -f 1; $command many.${command##*.} >/dev/null"
	run 0 'and no file of rejects' sh -c '[ ! -e bad.json ] && [ ! -e bad.json.part ]'
done
if mkdir full && mount -t tmpfs -o size=1m tmpfs full 2>/dev/null; then
	at_exit="umount '$work/full'; $at_exit"
	run 74 'a full disk under the rejects' csv2ndjson --rejects full/bad.json many.csv
	said 'full/bad.json'
	run 0 'leaves no file' sh -c '[ -z "$(ls full)" ]'
else
	ok 0 'a full disk under the rejects # SKIP may not mount'
fi
done_testing
