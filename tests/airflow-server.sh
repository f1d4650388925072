# shellcheck shell=bash
# airflow-server.sh - Airflow's own processes, and its API as a person's program sees it.  After airflow-place.sh.
#
#	start_processes EXECUTOR	api-server, scheduler and what else it takes; AIRFLOW_URL
#	trigger DAG LOGICAL-DATE CONF	a run; prints its id
#	wait_run DAG ID			until it has ended; prints its state
#	tasks DAG ID			its task instances, a line each: task map_index state try

# take_port VARIABLE: a port that nobody else is given until the test ends.  Whoever is to listen there can, since all servers ask to
# share a port with what does not listen; what is bound to it is never given to a connection or a server that takes any.
take_port() {
	start_server "$1" python3 -c 'import socket, time
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
time.sleep(86400)'
}
# Each process that we started leads a session of its own; what a task began is in another, with our AIRFLOW_HOME.
sessions=()
stop_airflow() {
	local id round
	for id in "${sessions[@]}"; do
		kill -TERM "$id" 2>/dev/null
	done
	for round in 1 2 3 4 5 6 7 8; do
		[ -n "$(ps -o pid= -s "$(IFS=,; echo "${sessions[*]}")")" ] || break
		sleep 1
	done
	for id in $(ps -o pid= -s "$(IFS=,; echo "${sessions[*]}")") \
	    $(grep -lzxF "AIRFLOW_HOME=$work/airflow" /proc/[0-9]*/environ 2>/dev/null | sed 's/[^0-9]//g'); do
		kill -KILL "$id" 2>/dev/null
	done
}
start_process() {	# start_process NAME COMMAND...
	local name=$1; shift
	(exec setsid env -i "${airflow_env[@]}" "$venv/bin/airflow" "$@") >"$name.log" 2>&1 </dev/null &
	sessions+=($!)
}
start_processes() {
	local port
	take_port port
	AIRFLOW_URL=http://127.0.0.1:$port AIRFLOW_USERNAME=admin AIRFLOW_PASSWORD=hush-airflow
	export AIRFLOW_URL AIRFLOW_USERNAME AIRFLOW_PASSWORD
	airflow_env+=(AIRFLOW__CORE__EXECUTOR="$1" AIRFLOW__CORE__PARALLELISM=4 AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION=False
	    AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC=1 AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME=0.2
	    AIRFLOW__API__SECRET_KEY=hush-session-key AIRFLOW__WEBSERVER__SECRET_KEY=hush-session-key
	    AIRFLOW__API_AUTH__JWT_SECRET=hush-jwt-secret-of-sixty-four-bytes-for-a-test-0123456789-0123456789
	    AIRFLOW__CORE__EXECUTION_API_SERVER_URL="$AIRFLOW_URL/execution/"
	    AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC=2 AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT=20
	    AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL=3
	    AIRFLOW__SCHEDULER__LOCAL_TASK_JOB_HEARTBEAT_SEC=2 AIRFLOW__SCHEDULER__SCHEDULER_ZOMBIE_TASK_THRESHOLD=20
	    AIRFLOW__SCHEDULER__ZOMBIE_DETECTION_INTERVAL=3)
	at_exit="stop_airflow; $at_exit"
	if [ "$major" = 2 ]; then
		airflow_env+=(AIRFLOW__API__AUTH_BACKENDS=airflow.api.auth.backend.basic_auth)
		airflow users create --role Admin --username admin --password hush-airflow --email a@example.org --firstname A --lastname B >users.log 2>&1
		start_process webserver webserver --hostname 127.0.0.1 --port "$port" --workers 1
		api=$AIRFLOW_URL/api/v1 auth=(-u admin:hush-airflow)
	else
		echo '{"admin": "hush-airflow"}' >airflow/passwords.json
		airflow_env+=(AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS=admin:admin
		    AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE="$work/airflow/passwords.json")
		start_process api-server api-server --host 127.0.0.1 --port "$port" --workers 1
		start_process dag-processor dag-processor
		api=$AIRFLOW_URL/api/v2 auth=()
	fi
	start_process scheduler scheduler --skip-serve-logs
	for _ in $(seq 240); do
		[ "$major" = 2 ] || [ ${#auth[@]} -gt 0 ] || log_in
		[ ${#auth[@]} -eq 0 ] || [ "$(get_api dags | jq '.dags | length' 2>/dev/null)" != "$(ls dags/*/culvert_*.py dags/*.py 2>/dev/null | grep -vc culvert_flow)" ] || return 0
		sleep 0.5
	done
	tail -n 20 *-server.log webserver.log scheduler.log dag-processor.log >&2 2>/dev/null
	give_up 'Airflow does not start'
}
log_in() {
	local token
	token=$(curl -fsS -H 'Content-Type: application/json' -d '{"username":"admin","password":"hush-airflow"}' "$AIRFLOW_URL/auth/token" 2>/dev/null |
	    jq -r .access_token)
	[ -n "$token" ] || return 0		# not up yet
	auth=(-H "Authorization: Bearer $token")
}
get_api() {		# get_api PATH
	curl -sS "${auth[@]}" "$api/$1" 2>/dev/null
}
trigger() {
	curl -sS "${auth[@]}" -H 'Content-Type: application/json' -d "{\"logical_date\":\"$2\",\"conf\":$3}" "$api/dags/$1/dagRuns" >triggered
	jq -er .dag_run_id triggered || { cat triggered >&2; return 1; }
}
wait_run() {
	local state round
	for round in $(seq 1800); do		# 15 minutes or more: only a run that never ends takes so long, on any machine
		state=$(get_api "dags/$1/dagRuns/$2" | jq -r .state)
		case $state in success | failed) break ;; esac
		sleep 0.5
	done
	echo "$state"
}
tasks() {
	get_api "dags/$1/dagRuns/$2/taskInstances?limit=100" |
	    jq -r '.task_instances[] | "\(.task_id) \(.map_index) \(.state) \(.try_number)"' | LC_ALL=C sort
}
