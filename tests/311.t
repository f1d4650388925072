#!/bin/bash
# The 311 flow: full, update, reset, and however it ends.
# Slow in its second part, which the quick run leaves out: each case is a whole load.
. "$(dirname "$0")/lib.sh"
. "$here/flow.sh"
python3 "$servers/make311.py" --rows 800 --years 2019,2020 --seed 7 data
start_flow "$work/data"
rows=$(($(cat data/*.csv | python3 -c 'import csv,sys; print(sum(1 for _ in csv.reader(sys.stdin)))') - 2))

# ---- settings ----
run 0 'the settings are good' load --check
said '2 datasets'
MODE=often run 78 'a wrong MODE' load --check
said 'MODE=often: want full or update'
MODE=full YEARS=2027 run 78 'a year without a dataset' load --check
said 'no 2027 dataset configured'
RESET_DB=true run 78 'reset wants full' load --check
DATASETS=/no/such run 78 'no datasets file' load --check
echo '{"table":"x; drop table requests"}' >bad.json
DATASETS=$work/bad.json run 78 'a datasets file that says little' load --check
for change in '.schemas.cases.typo = "x"' 'del(.schemas.cases.updateddate)' 'del(.schemas.cases.srnumber)' '.datasets[0].schema = "none"' \
    '.domain = 3' '.key = ""' 'del(.newer)' '.datasets = []' '.fields.owner = "text; DROP"'; do
	jq "$change" "$DATASETS" >bad.json
	DATASETS=$work/bad.json run 78 "a datasets file with $change" load --check
done
run 64 'a wrong option' load --no-such
run 64 'an option without its value' load --since
for setting in JOBS=0 PAGE_SIZE=many RETRIES=-1 ALLOW_DRIFT=x LOCK_WAIT= CONNECT_WAIT=x MAX_DELETE=half MAX_REJECTS=1%% SINCE=yesterday TODAY=junk \
    OVERLAP=junk MAX_AGE=-1 SODA_API=4; do
	run 78 "a wrong ${setting%%=*}" env "$setting" "$top/scripts/311/load" --check
	said "$setting: want"
done
run 78 'a wrong --since' load --check --since "2020-01-01' OR true"
printf '%s\n' "YEARS='2019'" 'MODE="full"' "DSN=dbname=not_there" >'short conf'
run 0 'a conf of three lines: the rest is as delivered' load --conf 'short conf' --check
said 'full, 1 datasets'
run 78 'a DSN in it is the database of all' load --conf 'short conf'
said 'database "not_there" does not exist'
run 73 'no place for small files' env TMPDIR=/no/such "$top/scripts/311/load"
echo 'MODE full' >bad.conf
run 78 'a line that is no setting' load --conf bad.conf
said '"MODE full" is no KEY=value'
run 0 '--dry-run prints the pipelines' load --dry-run
grep -q "'soda-fetch' 'soda.test' 'la31-2020'.* | 'pg-copy-in'" out; ok $? 'a pipe a dataset'
grep -q "'pg-upsert' 'requests' '--key' 'srnumber'" out; ok $? 'and the merge'
is '--dry-run touches nothing' 0 "$(sql "SELECT count(*) FROM pg_class WHERE relname IN ('requests', 'load_log')")"

# ---- full ----
MODE=full run 0 'a full load' load
is 'all rows are there' "$rows" "$(sql 'SELECT count(*) FROM requests')"
is 'the receipt counts them' "loaded $rows $rows 0" "$(jq -r '"\(.status) \(.read) \(.inserted) \(.rejected)"' out)"
is 'the load log has it' "loaded|0|$rows|$rows|t" "$(log_last 'status, exit_status, read, inserted, published')"
is 'the view follows' "$rows" "$(sql 'SELECT sum(requests) FROM requests_by_month')"
is 'the table was analysed' "$rows" "$(sql "SELECT reltuples::int FROM pg_class WHERE relname = 'requests'")"
is 'the API was told' 1 "$(curl -fsS "$API_URL/log" | grep -c reset-cache)"
curl -fsS "$slack/log" >slack.log
grep -q '311 full: loaded; '"$rows inserted" slack.log; ok $? 'Slack was told'
no_stages
# An independent reading of the source, value by value.
psql -XAtqc "COPY (SELECT * FROM requests) TO STDOUT CSV HEADER" >table.csv
run 0 'every value is that of the source' python3 "$here/same311.py" table.csv data/la31-2019.csv data/la31-2020.csv

run 0 '--list: the years, for as many loads side by side' load --list
is '... as a scheduler maps them' '[{"YEARS":"2019"},{"YEARS":"2020"}]' "$(cat out)"
YEARS=2020 run 0 '... those that are wanted' load --list
is '... only' '[{"YEARS":"2020"}]' "$(cat out)"

before=$(digest)
EMPTY_EXIT=99 MODE=full run 99 'nothing new, as Airflow wants to be told' load
is '... is none in the log' 'nothing new|0' "$(log_last 'status, exit_status')"
EMPTY_EXIT=often run 78 'no exit status' load --check
said 'EMPTY_EXIT=often: want an exit status'
MODE=full run 0 'again' load
is 'nothing changed' "nothing new 0 0 $rows" "$(jq -r '"\(.status) \(.inserted) \(.updated) \(.unchanged)"' out)"
is 'same rows' "$before" "$(digest)"
is 'the API is left alone' 1 "$(curl -fsS "$API_URL/log" | grep -c reset-cache)"
MODE=full YEARS=2019 run 0 'one year' load
is 'only that year is read' "$(($(grep -c . data/la31-2019.csv) - 1))" "$(jq .read out)"
jq 'del(.run_id, .seconds)' out >by.hand
run 0 'make 311-2019' make -s -C "$top" 311-2019
same 'is the same' by.hand <(jq 'del(.run_id, .seconds)' out)

# ---- update ----
run 0 'an update with nothing new' load
is 'only the overlap is read' t "$( [ "$(jq .read out)" -lt 100 ] && echo t)"
is 'and nothing changes' 'nothing new' "$(jq -r .status out)"
python3 "$servers/make311.py" changes --seed 8 data >changes.json
curl -fsS --data-binary @changes.json "$SODA_URL/control" >/dev/null
control '{"append":{"id":"la31-2020","rows":[{"srnumber":"1-null","requesttype":"Other","createddate":"2020-05-01T00:00:00.000"}]}}'
run 0 'an update' load
cp out first.update
is 'changed and new rows are in' t "$(jq '.updated > 0 and .inserted > 1 and .deleted == 0' first.update | sed 's/true/t/')"
is 'a row without updateddate, too' 1 "$(sql "SELECT count(*) FROM requests WHERE srnumber = '1-null' AND updateddate IS NULL")"
after=$(digest)
MODE=full run 0 'a full load finds nothing that the update missed' load
is 'as said' 'nothing new' "$(jq -r .status out)"
is 'same rows again' "$after" "$(digest)"
# a row that was committed late, with a time before the newest row's, within the overlap
late=$(sql "SELECT to_char(max(updateddate) - interval '20 hours', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS') FROM requests")
control '{"append":{"id":"la31-2020","rows":[{"srnumber":"1-late","updateddate":"'"$late"'"}]}}'
run 0 'a row that came late' load
is 'is not lost' 1 "$(sql "SELECT count(*) FROM requests WHERE srnumber = '1-late'")"
YEARS=2019 run 0 'an update of one year, from --since on' load --since 2015-01-01
is '... reads no other' "$(sql "SELECT count(*) FROM requests WHERE createddate < '2020-01-01'")" "$(jq .read out)"
YEARS=2019 run 0 'without --since, of all' load --dry-run
is '... since the newest row says nothing of one year' 2 "$(grep -c soda-fetch out)"
run 0 '--since overrides' load --since 2015-01-01
is 'and reads everything' "$(sql 'SELECT count(*) FROM requests')" "$(jq .read out)"

# ---- reset ----
control '{"delete":{"id":"la31-2019","where":"srnumber is not null"}}'
MODE=full RESET_DB=true MAX_DELETE=10% run 78 'a reset that would take too much' load
is 'takes nothing' t "$(sql 'SELECT count(*) > 800 FROM requests')"
MODE=full RESET_DB=true MAX_DELETE=100% run 0 'unless told' load
is 'only the other year is there' 0 "$(sql "SELECT count(*) FROM requests WHERE createddate < '2020-01-01'")"
control '{"reset":true}'

quick_ends
# ---- failures: the target stays, the log and Slack know ----
MODE=full run 0 'as new' load
good=$(digest)
fails() {		# fails NAME STATUS SAYS FAULT
	control "{\"faults\":[$4]}"
	MODE=full run "$2" "$1" load
	said "$3"
	is 'the log says so' "failed|$2" "$(log_last 'status, exit_status')"
	is 'nothing was merged' "$good" "$(digest)"
	no_stages
	control '{"reset":true}'
}
fails '500 all night' 69 '500' '{"match":"resource/la31-2020","times":-1,"kind":"status","status":500}'
curl -fsS "$slack/log" | grep -q '311 full: failed: soda-fetch'; ok $? 'Slack knows why'
fails 'a refused token' 77 'Invalid app_token' '{"match":"resource/la31-2020","times":-1,"kind":"status","status":403,"body":"{\"code\":\"permission_denied\",\"error\":true,\"message\":\"Invalid app_token specified\"}"}'
fails 'a login page' 76 'text/html' '{"match":"resource/la31-2020","times":-1,"kind":"html"}'
control '{"rename_column":{"id":"la31-2020","from":"policeprecinct","to":"precinct"}}'
MODE=full run 65 'a column that is gone' load
said 'dataset la31-2020: gone: policeprecinct'
is 'nothing was merged then' "$good" "$(digest)"
control '{"rename_column":{"id":"la31-2020","from":"precinct","to":"policeprecinct"}}'
control '{"add_column":{"id":"la31-2020","fieldName":"mood","dataTypeName":"text","name":"Mood"}}'
MODE=full run 0 'a new column' load
said 'dataset la31-2020 has new columns: mood'
control '{"reset":true}'
control '{"append":{"id":"la31-2020","rows":[{"requesttype":"without a key"}]}}'
MODE=full run 65 'a bad record' load
is 'the log says what, and not what the others said when they were ended' \
    'column "srnumber": no value, and the column needs one' "$(log_last "substring(message FROM 'column .*')")"
mkdir 'bad records'
MODE=full REJECTS='bad records' run 0 'goes aside with REJECTS' load
is 'the receipt counts it' "$(sql 'SELECT count(*) FROM requests') 1" "$(jq -r '"\(.unchanged) \(.rejected)"' out)"
said '1 bad records were left out: see bad records'
is 'it is there' 'without a key' "$(jq -r .record.requesttype 'bad records/la31-2020.ndjson')"
MODE=full REJECTS='bad records' MAX_REJECTS=0.1% run 65 'unless there are too many' load
control '{"delete":{"id":"la31-2020","where":"srnumber is null"}}'
control '{"faults":[{"match":"resource/la31-2019","times":1,"kind":"cut"},{"match":"resource/la31-2020","times":1,"kind":"reset"}]}'
MODE=full run 0 'a cut and a reset are tried again' load
is 'same rows after them' "$good" "$(digest)"
control '{"reset":true}'

# ---- side effects that fail are no failed load ----
sql 'DELETE FROM requests WHERE srnumber = (SELECT min(srnumber) FROM requests)'
curl -fsS --data-binary '{"faults":[{"match":"reset-cache","times":-1,"kind":"status","status":500}]}' "$API_URL/control" >/dev/null
MODE=full run 0 'the API fails' load
said 'the API did not reset its cache'
is 'it is remembered' f "$(log_last published)"
curl -fsS --data-binary '{"reset":true}' "$API_URL/control" >/dev/null
MODE=full run 0 'the next run asks again' load
is 'and all is published' 0 "$(sql 'SELECT count(*) FROM load_log WHERE changed AND NOT published')"
SLACK_WEBHOOK_URL=$slack/services/T000/B000/wrong run 0 'a revoked Slack hook' load
said 'Slack was not told'

# ---- freshness ----
TODAY=2021-01-20 run 78 'a January without a dataset' load
said 'no 2021 dataset configured'
said 'days old'
is 'it is in the log' t "$(log_last "warnings LIKE 'no 2021 dataset configured%days old'")"
curl -fsS "$slack/log" | tail -n 1 | grep -q 'no 2021 dataset'; ok $? 'and in Slack'
TODAY=2020-12-31 MAX_AGE='1 day' run 0 'old rows alone are a warning' load
said 'days old'

# ---- two at once, signals, and what a dead run left ----
stalled() {		# stalled RUN: a load that has its stages and waits for its source, in $pid
	control '{"release":true,"faults":[{"match":"resource/la31-2020","times":-1,"kind":"latency","seconds":50}]}'
	CULVERT_RUN_ID=$1.$$ MODE=full "$top/scripts/311/load" >stalled.out 2>stalled.err &
	pid=$!
	wait_for holds 1 "$SODA_URL"
	wait_for gives 2 "SELECT count(*) FROM pg_class WHERE relname LIKE 'requests_stage%'"
	wait_for gives t "SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name LIKE 'pg-copy-in%'"
}
stalled one
sql 'CREATE SCHEMA api'
jq '.table = "api.requests" | .views = [{name: "api.shown", sql: "SELECT \u0027\n\tx \\n\u0027::text AS shown"}]' "$DATASETS" >api.json
control '{"reset":true}'
DATASETS=$work/api.json MODE=full run 0 'a load of another table at the same time' load
is 'has its view as it was written, line by line' t "$(sql "SELECT shown = E'\\n\\tx \\\\n' FROM api.shown")"
is 'leaves the first alone' running "$(sql "SELECT status FROM load_log WHERE target = 'requests' ORDER BY id DESC LIMIT 1")"
is 'and its stages' 2 "$(sql "SELECT count(*) FROM pg_class WHERE relname LIKE 'requests_stage%'")"
is 'and loads its own' "$(sql 'SELECT count(*) FROM requests')" "$(sql 'SELECT count(*) FROM api.requests')"
run 75 'a second load' load
said 'holds requests: try again later'
is 'is in the log' 'refused|75' "$(log_last 'status, exit_status')"
kill -TERM $pid; wait $pid; is 'SIGTERM gives 143' 143 $?
is 'and is logged' "stopped|143" "$(sql "SELECT status, exit_status FROM load_log WHERE status = 'stopped'")"
no_stages
is 'and changes nothing' "$good" "$(digest)"
stalled two
kill_run two; wait $pid 2>/dev/null
control '{"reset":true}'
wait_for lock_is_free
MODE=full run 0 'the run after a kill -9' load
said 'died: taking over what it left'
is 'has closed the stale row' 0 "$(sql "SELECT count(*) FROM load_log WHERE status = 'running'")"
no_stages
is 'and is as one clean run' "$good" "$(digest)"

# ---- the connection, however it is given; and no password in ps ----
sql "CREATE ROLE \"o'neil\" SUPERUSER LOGIN"; sql 'CREATE DATABASE other'
mkdir "$work/shim"
cat >"$work/shim/psql" <<EOF
#!/bin/sh
echo "\$* PGPASSWORD=\$PGPASSWORD" >>'$work/psql.log'
exec $(command -v psql) "\$@"
EOF
chmod +x "$work/shim/psql"
reaches() {		# reaches NAME: a load that has only this to find the database "other" by
	: >psql.log
	(unset PGHOST PGUSER PGDATABASE; PATH=$work/shim:$PATH YEARS=2019 MODE=full load >out 2>err)
	is "$1" "0 $((reached += 1))" "$? $(PGDATABASE=other sql 'SELECT count(*) FROM load_log')"
	grep -v "PGPASSWORD=s'e same\\\\%41\$" psql.log >wrong
	! grep -q "same.* PGPASSWORD" psql.log && [ -s psql.log ] && [ ! -s wrong ]
	ok $? 'and its password is whole, and in no argument' || sed 's/^/# /' psql.log
}
reached=0 uri="s%27e%20same%5C%2541"
DSN="postgresql://o'neil:$uri@/other?host=$PGHOST" reaches 'a URL'
DSN="postgresql:///other?password=$uri&host=$PGHOST&user=o'neil" reaches 'a URL with all behind the question mark'
DSN="host=$PGHOST dbname=other user='o\\'neil' password='s\\'e same\\\\%41'" reaches 'keys and values'
DSN=" password = s\\'e\\ same\\\\%41 host = $PGHOST dbname = other user = o\\'neil" reaches 'keys, values and spaces'
echo "postgresql://o'neil:$uri@/other?host=$PGHOST" >'the dsn'
DATABASE_URL_FILE='the dsn' reaches 'a file'
DSN=nonsense run 78 'what is no connection string' load --dry-run
DSN_FILE=/no/such run 78 'a file that is not there' load --dry-run

# ---- the server ----
PGHOST=/nowhere CONNECT_WAIT=0 run 69 'no server' load
DSN="host=$PGHOST dbname=no_such" run 78 'no such database' load
sql "CREATE ROLE nobody_special LOGIN PASSWORD 'sesame-open'; REVOKE CREATE ON SCHEMA public FROM PUBLIC"
DSN="postgresql://nobody_special:sesame-open@/postgres?host=$PGHOST" run 78 'no rights' load
said_not 'sesame-open'
# a crash of the server between staging and merging, as the merge sees it: stages are unlogged, and empty then
mkdir crashing
ln -s "$(dirname "$(command -v pg-upsert)")"/* crashing/
rm crashing/pg-upsert
cat >crashing/pg-upsert <<X
#!/bin/bash
for word; do [[ \$word != *_stage_* ]] || psql -Xqc "TRUNCATE \$word"; done
exec "$(command -v pg-upsert)" "\$@"
X
chmod +x crashing/pg-upsert
before=$(digest)
run 75 'stages that were emptied by a crash' env CULVERT_BIN="$PWD/crashing" MODE=full RESET_DB=false "$top/scripts/311/load"
said 'the database server has crashed and emptied the stages: run again'
is '... change nothing' "$before" "$(digest)"
is '... which the log says' 'failed|75' "$(log_last 'status, exit_status')"

# ---- psql or jq dies half-way: nothing that was not read passes for read, nor what was not written for written ----
mkdir dying
ln -s "$(dirname "$(command -v pg-upsert)")"/* dying/
printf '#!/bin/sh\ncase " $* END" in *"$LOST"*) echo "psql: error: the connection is lost" >&2; exit 2 ;; esac\nexec "%s" "$@"\n' "$(command -v psql)" >dying/psql
printf '#!/bin/sh\ncase "$*" in *"$KILLED"*) kill -KILL $$ ;; esac\nexec "%s" "$@"\n' "$(command -v jq)" >dying/jq
chmod +x dying/psql dying/jq
dying() {		# dying VARIABLE=WORDS: a load of which psql is LOST, or jq KILLED, where its arguments hold these words
	env CULVERT_BIN="$work/dying" LOST=@none KILLED=@none MODE=full "$1" "$top/scripts/311/load"
}
one_less() {
	sql 'DELETE FROM requests WHERE srnumber = (SELECT min(srnumber) FROM requests)'
}
one_less
before=$(digest)
run 69 'that the table changes cannot be written down' dying LOST=column=changed
said 'load_log: could not write changed'
is '... it does not change, since nobody would publish it' "$before failed|69|f" "$(digest) $(log_last 'status, exit_status, changed')"
run 69 'the newest row cannot be asked for' dying LOST=most=
said_not 'no row of requests'
is '... which is no success' 'failed|69|t|t' "$(log_last 'status, exit_status, changed, published')"
one_less
run 137 'a jq that reads which datasets there are' dying KILLED=config.jq
EMPTY_EXIT=99 run 137 'a jq that counts what changed' dying KILLED='--argjson read'
is '... does not make a load one of nothing new' 'failed|137|t|f' "$(log_last 'status, exit_status, changed, published')"
run 0 'how it ended cannot be written down' dying LOST=exit=
said 'load_log: could not write how it ended'
EMPTY_EXIT=99 run 74 'a receipt that nobody gets' sh -c '"$1" >/dev/full' - "$top/scripts/311/load"
rm dying/pg-upsert
printf '#!/bin/sh\nexit 65\n' >dying/pg-upsert && chmod +x dying/pg-upsert
run 69 'a merge that failed, and stages that cannot be counted' dying LOST="-v stage=requests_stage_$(log_last 'id + 1')_1 END"
said_not 'the database server has crashed'
done_testing
