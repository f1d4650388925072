#!/bin/bash
# The DAGs under a real Airflow (CULVERT_AIRFLOW; see airflow-place.sh): how they are made, and a run of each against what the
# flows work on, value by value.
. "$(dirname "$0")/lib.sh"
. "$here/airflow-place.sh"
start_services
start_airflow
python() {
	env -i "${airflow_env[@]}" PYTHONWARNINGS=ignore "$venv/bin/python" "$@"
}

# ---- how they are made ----

run 0 "Airflow $major imports each DAG, without a warning" python "$here/airflow/dag_facts.py" dags/culvert/culvert_{311,knack,mds,orders}.py
grep '^{' out | jq -s . >facts.json
is '... catchup is off, intervals have a length, runs have an end' 'false CronDataIntervalTimetable 86400' \
    "$(jq -r 'map("\(.catchup) \(.timetable) \(.timeout | floor)") | unique | join(",")' facts.json)"
is '... every task is a BashOperator that is tried again, later and later' 'true 6 true' \
    "$(jq -r '[.[].tasks[] | "\(.bash) \(.retries) \(.backoff > 0)"] | unique | join(",")' facts.json)"
is '... in 3 a back-off of 1 would be none' true "$(jq --arg major "$major" 'all(.[].tasks[]; .backoff == (if $major == "2" then 1 else 2 end))' facts.json)"
is '... what joins goes on after a skipped task' none_failed "$(jq -r '[.[].tasks[] | select(.task == "summary") | .rule] | unique | join(",")' facts.json)"
is '... mapped are' 'culvert_311 load,culvert_knack container.to_agol,culvert_knack container.to_s3,culvert_knack container.to_socrata,culvert_knack doctor,culvert_knack metadata,culvert_knack to_knack,culvert_mds run' \
    "$(jq -r '[.[] | .dag as $dag | .tasks[] | select(.mapped) | "\($dag) \(.task)"] | sort | join(",")' facts.json)"
is '... no pool is named that nobody made' default_pool "$(jq -r '[.[].tasks[].pool] | unique | join(",")' facts.json)"
run 0 '... unless CULVERT_POOLS says that they are there' env -i "${airflow_env[@]}" CULVERT_POOLS='culvert_socrata culvert_knack culvert_mds culvert_agol' \
    "$venv/bin/python" "$here/airflow/dag_facts.py" dags/culvert/culvert_{311,knack,mds,orders}.py
is '... then they are named' "$(jq -r 'keys | sort | join(",")' "$top/scripts/airflow/pools.json")" \
    "$(grep '^{' out | jq -rs '[.[].tasks[].pool] | unique - ["default_pool"] | join(",")')"
run 0 'where a load begins' python "$here/airflow/since.py" "$top/scripts/airflow" default_pool
run 0 'pools.json is what airflow pools import takes' airflow pools import "$top/scripts/airflow/pools.json"
is 'no secret is in a command, nor asked for by a template' 0 "$(grep -cE '(conn|var)\.[a-z]' "$top"/scripts/airflow/*.py | awk -F: '{ n += $2 } END { print n }')"

# ---- each of them ----

dag_test() {		# dag_test DAG DATE [CONF]: its log goes to DAG.log
	airflow dags test "$1" "$2" ${3:+--conf "$3"} >"$1.log" 2>&1
	ok $? "airflow dags test $1 $2" ||
	    { grep -oE 'FAIL  .*' "$1.log"; grep -vE 'get next|next_dagrun|loc=' "$1.log" | tail -30; } | cut -c1-400 | sed 's/^/# /'
}
receipts() {		# receipts DAG FILTER: of the lines of JSON that its commands printed
	sed 's/\x1b\[[0-9;]*m//g' "$1.log" | grep -oE '\{"tool".*\}' | sort -u | jq -r "$2"
}
skipped() {		# skipped DAG: how many of its tasks were, so far
	PGDATABASE=airflow sql "SELECT count(*) FROM task_instance WHERE dag_id = '$1' AND state = 'skipped'"
}

dag_test culvert_311 2021-12-23
psql -XAtqc "COPY (SELECT * FROM requests) TO STDOUT CSV HEADER" >table.csv
run 0 'culvert_311: every value is that of the sources' python3 "$here/same311.py" table.csv data/la31-20{18,19,20,21}.csv
is '... the first time, everything, a year a task' '2018,2019,2020,2021 full 4' \
    "$(sql "SELECT string_agg(years, ',' ORDER BY years) || ' ' || min(mode) || ' ' || count(DISTINCT run) FROM load_log")"
is '... the summary adds them up' '4 300' "$(receipts culvert_311 'select(.tool == "total") | "\(.tasks) \(.inserted)"')"
tell "$soda" '{"append":{"id":"la31-2020","rows":[{"srnumber":"1-new","createddate":"2021-12-23T20:00:00.000","updateddate":"2021-12-23T20:00:00.000"},{"srnumber":"1-old","createddate":"2021-12-20T20:00:00.000","updateddate":"2021-12-20T20:00:00.000"}]}}'
dag_test culvert_311 2021-12-24
is '... again: what was updated since a day before the interval began' 1-new "$(sql "SELECT string_agg(srnumber, ',') FROM requests WHERE srnumber IN ('1-new', '1-old')")"
is '... from then on' '2021-12-21 09:30:00 update' "$(sql "SELECT DISTINCT since, mode FROM load_log WHERE id > 4" | tr '|' ' ')"
is '... three years had nothing new, and that is a skip' 3 "$(skipped culvert_311)"

dag_test culvert_knack 2021-12-24
(
	in_s3 view_18 >got; in_knack >want
	cmp got want
); ok $? 'culvert_knack: S3 has what Knack has'
in_socrata_of_knack >got; wanted_in_socrata_of_knack >want
same '... Socrata what an independent reading makes of it' want got
in_agol >got; wanted_in_agol >want
same '... ArcGIS, too' want got
is '... a container that is published nowhere is only in S3, and one without a record is nothing new' '25 5' "$(in_s3 object_3 | wc -l) $(skipped culvert_knack)"
KNACK_APP_ID=$other_id KNACK_API_KEY=hush-other-key knack-fetch --quiet --object object_3 --base-url "$KNACK_URL" | jq -c '[.field_10_raw, .field_8]' | sort >got
in_knack | jq -c '[.field_11_raw, (.field_7_raw // "" | gsub("^ +| +$"; ""))]' | sort >want
same '... and the other app has what it is to have' want got

dag_test culvert_mds 2020-03-02T00:20:00 '{"from":"2020-03-01T10:00:00Z","to":"2020-03-01T12:00:00Z"}'
in_database >got; wanted_in_database 2020-03-01T10:00:00Z 2020-03-01T12:00:00Z >want
same 'culvert_mds: the trips of two hours are there as an independent reading has them' want got
in_socrata >got; wanted_in_socrata >want
same '... and published' want got
is '... in two blocks, each a task' '8 2' "$(sql "SELECT string_agg(DISTINCT status_id::text, ',') || ' ' || count(*) FROM api.schedule WHERE status_id <> 0")"

python3 "$here/orders_oracle.py" make good good.zip
"$here/s3-request" -d good.zip PUT "$AWS_ENDPOINT_URL/orders-test/2021-12-22.zip" >put.out
dag_test culvert_orders 2021-12-24
run 0 'culvert_orders: the zip of the day on which the interval began, as an independent reading has it' python3 "$here/orders_oracle.py" compare good.zip

# ---- no secret shows ----

for secret in hush- "$fernet_key" "$AWS_SECRET_ACCESS_KEY"; do
	is 'no secret is in a log' 0 "$(cat culvert_*.log | grep -cF -- "$secret")"
	is '... nor in the database of Airflow' 0 "$(pg_dump airflow 2>/dev/null | grep -cF -- "$secret")"
done
is 'the database was looked through' true "$(pg_dump airflow | grep -q culvert_socrata && echo true)"
done_testing
