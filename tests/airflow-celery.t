#!/bin/bash
# The DAGs on two of Airflow's Celery workers, with Redis between: one worker dies with all that it runs, and every hour is
# done once all the same.
. "$(dirname "$0")/lib.sh"
. "$here/airflow-place.sh"
. "$here/airflow-server.sh"
unset http_proxy all_proxy ALL_PROXY
if ! command -v redis-server >/dev/null; then
	give_up 'no redis-server here: scripts/install-packages check'
fi
[ -x "$venv/bin/celery" ] || skip_all "no Celery in $venv"
start_services
start_airflow

take_port redis_port
redis-server --bind 127.0.0.1 --port "$redis_port" --save '' --appendonly no --dir "$work" >redis.log 2>&1 &
at_exit="kill $! 2>/dev/null; $at_exit"
airflow_env+=(AIRFLOW__CELERY__BROKER_URL="redis://127.0.0.1:$redis_port/0"
    AIRFLOW__CELERY__RESULT_BACKEND="db+postgresql+psycopg2://postgres@/airflow?host=$PGHOST"
    AIRFLOW__CELERY__WORKER_CONCURRENCY=2)
start_processes CeleryExecutor
declare -A worker=()
start_worker() {	# start_worker NAME: what it runs is in its session, or has CULVERT_TEST_WORKER=NAME
	airflow_env+=(CULVERT_TEST_WORKER="$1")
	start_process "worker.$1" celery worker --celery-hostname "$1" --concurrency 2 --skip-serve-logs --without-mingle --without-gossip
	unset 'airflow_env[-1]'
	worker[$1]=${sessions[-1]}
}
start_worker one
start_worker two
ready() {
	grep -q 'ready' "worker.$1.log"
}
wait_for ready one && wait_for ready two; ok $? 'two workers are ready' || tail -n 20 worker.*.log | sed 's/^/# /'

of_worker() {		# of_worker NAME: ids of all that it runs
	ps -o pid= -s "${worker[$1]}"
	grep -lzxF "CULVERT_TEST_WORKER=$1" /proc/[0-9]*/environ 2>/dev/null | sed 's/[^0-9]//g'
}
fetching() {		# fetching NAME: does it, just now?
	local id
	for id in $(of_worker "$1"); do
		[ "$(cat "/proc/$id/comm" 2>/dev/null)" != mds-fetch ] || return 0
	done
	return 1
}
tell "$provider" '{"faults":[{"path":"/trips","kind":"latency","seconds":5,"times":-1}]}'
id=$(trigger culvert_mds 2020-03-07T00:00:00Z '{"from":"2020-03-06T00:00:00Z","to":"2020-03-06T08:00:00Z"}')
wait_for fetching two; ok $? 'both have hours to fetch: one does'
wait_for fetching one; ok $? '... and so does the other'
kill -KILL $(of_worker one) 2>/dev/null
gone() {
	[ -z "$(ps -o pid= -s "${worker[one]}")" ]
}
wait_for gone; ok $? '... and it is gone, all of it'
tell "$provider" '{"reset":true}'
is 'the run succeeds' success "$(wait_run culvert_mds "$id")"
is '... eight hours are done' '8 8' "$(sql "SELECT string_agg(DISTINCT status_id::text, ',') || ' ' || count(*) FROM api.schedule WHERE ends > '2020-03-06 00:00Z' AND ends <= '2020-03-06 08:00Z'")"
is '... nobody has a claim' 0 "$(sql 'SELECT count(*) FROM api.schedule WHERE claim IS NOT NULL')"
is '... what the dead one had was tried again' true "$(tasks culvert_mds "$id" | awk '$1 == "run" && $4 > 1 { n++ } END { print (n > 0 ? "true" : "false") }')"
in_database >got; wanted_in_database 2020-03-06T00:00:00Z 2020-03-06T08:00:00Z >want
same '... each trip is there once' want got
in_socrata >got; wanted_in_socrata >want
same '... and published once' want got
done_testing
