#!/bin/bash
# The DAGs under Airflow's scheduler, with an executor that runs tasks side by side (LocalExecutor): what is tried again and
# what is not, many years and hours at once, tasks that are killed; and airflow-last-run against that same Airflow.
. "$(dirname "$0")/lib.sh"
. "$here/airflow-place.sh"
. "$here/airflow-server.sh"
unset http_proxy all_proxy ALL_PROXY
start_services
start_airflow
cp "$here/airflow/statuses.py" dags/
start_processes LocalExecutor
ok 0 "Airflow $major is up"
is 'it can import each DAG' 0 "$(get_api importErrors | jq .total_entries)"

# ---- what is tried again ----

id=$(trigger statuses 2021-12-01T00:00:00Z '{}')
is 'a task of each status: the run has failed' failed "$(wait_run statuses "$id")"
tasks statuses "$id" | awk '{ print $3, $4, $1 }' | LC_ALL=C sort | awk '{ k = $1 " " $2; s[k] = s[k] " " $3 } END { for (k in s) print k ":" s[k] }' | LC_ALL=C sort >got
cat >want <<'X'
failed 1: s127 s141 s64 s65 s66 s70 s73 s76 s77 s78
skipped 1: s99
success 1: s0
success 2: killed s143 s69 s71 s74 s75
X
same '... by its status, a task fails at once, is skipped, or is tried again' want got

# ---- years at once ----

tell "$soda" '{"faults":[{"match":"resource/la31-2019","times":9,"kind":"status","status":503}]}'
id=$(trigger culvert_311 2021-12-23T10:00:00Z '{"full":true}')
is 'culvert_311: four years, one of which is not to be had at first' success "$(wait_run culvert_311 "$id")"
is '... each was loaded once' '2018 2019 2020 2021' "$(sql "SELECT string_agg(years, ' ' ORDER BY years) FROM load_log WHERE status = 'loaded'")"
is '... the one was tried again, the others were not' 'true 3' \
    "$(tasks culvert_311 "$id" | awk '$1 == "load" { n += $4 == 1; again += $4 > 1 } END { print (again == 1 ? "true" : "false"), n }')"
psql -XAtqc "COPY (SELECT * FROM requests) TO STDOUT CSV HEADER" >table.csv
run 0 '... every value is that of the sources' python3 "$here/same311.py" table.csv data/la31-20{18,19,20,21}.csv
if [ "$major" != 2 ]; then
	is '... the XCom is the receipt' 'load 311 75' "$(get_api "dags/culvert_311/dagRuns/$id/taskInstances/load/xcomEntries/return_value?map_index=0" |
	    jq -r '.value | if type == "string" then fromjson else . end | "\(.tool) \(.flow) \(.read)"')"
fi
first_id=$id

id=$(trigger culvert_311 2021-12-24T10:00:00Z '{}')
is 'nothing new is no failure' success "$(wait_run culvert_311 "$id")"
nothing_id=$id
is '... but a skip, of what follows too' 'doctor success,load skipped,summary skipped,years success' "$(tasks culvert_311 "$id" | awk '{ print $1, $3 }' | sort -u | paste -sd,)"

tell "$soda" '{"faults":[{"match":"resource/la31-2019","times":-1,"kind":"status","status":403,"body":"{\"code\":\"permission_denied\",\"error\":true,\"message\":\"Invalid app_token specified\"}"}]}'
id=$(trigger culvert_311 2021-12-25T10:00:00Z '{"full":true,"years":[2019,2020]}')
is 'a login that is refused fails the run' failed "$(wait_run culvert_311 "$id")"
is '... at once, and of the years that were asked for, that one only' 'doctor success 1,load failed 1,load skipped 1,summary upstream_failed 0,years success 1' \
    "$(tasks culvert_311 "$id" | awk '{ print $1, $3, $4 }' | sort | paste -sd,)"
tell "$soda" '{"reset":true}'

# ---- airflow-last-run, of this Airflow ----

start_of() {		# start_of ID: by the API, in whole microseconds
	get_api "dags/culvert_311/dagRuns/$1" | jq -r .start_date | sed 's/+00:00$/Z/'
}
run 0 'airflow-last-run' airflow-last-run --dag culvert_311 --task load
is '... the start of the newest run in which the task succeeded' "$(start_of "$first_id")" "$(cat out)"
run 0 '... without --task, of the run that found nothing new: its list of years succeeded' airflow-last-run --dag culvert_311
is '... its start' "$(start_of "$nothing_id")" "$(cat out)"
run 0 '... --epoch' airflow-last-run --dag culvert_311 --task load --epoch
is '... the same in seconds' "$(date -ud "$(start_of "$first_id")" +%s)" "$(cat out)"
run 99 'a DAG that never succeeded' airflow-last-run --dag culvert_mds --empty-exit 99
run 76 'no such DAG' airflow-last-run --dag culvert_312
said 'no DAG "culvert_312"'
AIRFLOW_PASSWORD=wrong run 77 'a wrong password' airflow-last-run --dag culvert_311
said 'check AIRFLOW_USERNAME and AIRFLOW_PASSWORD'

# ---- hours at once ----

extracted() {		# extracted FROM: how many of the provider's hours were asked for since then; and how many of them twice
	curl -fsS "$provider/log" | jq -r 'select(.status == 200) | .target | select(test("end_time"))' | sort | uniq -c | awk '{ n++; twice += $1 > 1 } END { print n + 0, twice + 0 }'
}
# In Airflow 2 a backfill is a command of its own that never meets what a mapped task becomes, and gives up as deadlocked.
if [ "$major" = 2 ]; then
	id=$(trigger culvert_mds 2020-03-05T06:30:00Z '{"from":"2020-03-05T00:00:00Z","to":"2020-03-05T06:00:00Z"}')
	is 'six hours in a run' success "$(wait_run culvert_mds "$id")"
else
	run 0 'a backfill of six hours' airflow backfill create --dag-id culvert_mds --from-date 2020-03-05T00:15:00Z --to-date 2020-03-05T05:15:00Z --max-active-runs 6
fi
hours_done() {		# hours_done N: blocks that were published
	[ "$(sql 'SELECT count(*) FROM api.schedule WHERE status_id = 8')" -ge "$1" ]
}
wait_for hours_done 6; ok $? '... publishes six blocks'
runs_done() {
	[ "$(get_api "dags/culvert_mds/dagRuns?limit=100" | jq '[.dag_runs[] | select(.state == "queued" or .state == "running")] | length')" = 0 ]
}
wait_for runs_done; ok $? '... and ends'
is '... as runs that succeeded' "$([ "$major" = 2 ] && echo 1 || echo 6) success" "$(get_api "dags/culvert_mds/dagRuns?limit=100" | jq -r '.dag_runs | "\(length) \(map(.state) | unique | join(","))"')"
in_database >got; wanted_in_database 2020-03-05T00:00:00Z 2020-03-05T06:00:00Z >want
same '... the trips are as an independent reading has them' want got
in_socrata >got; wanted_in_socrata >want
same '... and published' want got
is '... no hour was asked for twice' '6 0' "$(extracted)"

# ---- a task is killed ----

flow_of() {		# flow_of TASK.INDEX.TRY: ids of all processes of its command
	grep -lz "^CULVERT_RUN_ID=$1 " /proc/[0-9]*/environ 2>/dev/null | sed 's/[^0-9]//g'
}
mapped() {		# mapped ID: its task instances of run, all try numbers
	tasks culvert_mds "$1" | awk '$1 == "run"'
}
slow() {		# the next hours take their time, so that there is something to kill
	tell "$provider" '{"faults":[{"path":"/trips","kind":"latency","seconds":5,"times":-1}]}'
}
started() {		# started TASK.INDEX.TRY: its command, as far as the provider's tool
	local id
	for id in $(flow_of "$1"); do
		[ "$(cat "/proc/$id/comm" 2>/dev/null)" != mds-fetch ] || return 0
	done
	return 1
}
killed_run() {		# killed_run NAME DATE FROM TO KILLER: three blocks, the second of which meets KILLER
	local id
	slow
	id=$(trigger culvert_mds "$2" "{\"from\":\"$3\",\"to\":\"$4\"}")
	wait_for started run.1.1; ok $? "$1: the block is being fetched"
	"$5"
	tell "$provider" '{"reset":true}'
	is '... the run succeeds' success "$(wait_run culvert_mds "$id")"
	is '... by another try' true "$(mapped "$id" | awk '$2 == 1 { print ($4 > 1 ? "true" : "false") }')"
	is '... every block is done' 8,8,8 "$(sql "SELECT string_agg(status_id::text, ',') FROM api.schedule WHERE ends > '$3' AND ends <= '$4'")"
	is '... and let go' 0 "$(sql 'SELECT count(*) FROM api.schedule WHERE claim IS NOT NULL')"
	in_database | jq -c --arg from "${3%Z}" --arg to "${4%Z}" 'select(.end_time >= $from and .end_time < $to)' >got
	wanted_in_database "$3" "$4" >want
	same '... once' want got
}
# The process of Airflow's that runs a command: it made a session for it.
runner_of() {		# runner_of TASK.INDEX.TRY
	local session
	session=$(ps -o sid= -p "$(flow_of "$1" | head -n 1)") && ps -o ppid= -p "${session// /}"
}
kill_all_of_it() {	# the command and what Airflow runs it by: the machine of this task is gone
	local runner flow
	runner=$(runner_of run.1.1) flow=$(flow_of run.1.1)
	[ "${runner:-1}" -gt 1 ] && kill -KILL $runner $flow 2>/dev/null
}
kill_the_task() {	# only what Airflow runs it by: the command lives on, and nobody waits for it
	local runner
	runner=$(runner_of run.1.1)
	[ "${runner:-1}" -gt 1 ] && kill -KILL $runner
}
killed_run 'a task is killed with its command' 2020-03-07T00:00:00Z 2020-03-06T00:00:00Z 2020-03-06T03:00:00Z kill_all_of_it
killed_run 'a task is killed, and its command is not' 2020-03-07T01:00:00Z 2020-03-06T03:00:00Z 2020-03-06T06:00:00Z kill_the_task
done_testing
