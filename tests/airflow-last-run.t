#!/bin/sh
# airflow-last-run: the same answer of three generations of Airflow, and no answer where there is none.
. "$(dirname "$0")/lib.sh"
unset http_proxy all_proxy ALL_PROXY AIRFLOW_URL AIRFLOW_TOKEN AIRFLOW_USERNAME AIRFLOW_PASSWORD
unset AIRFLOW_URL_FILE AIRFLOW_TOKEN_FILE AIRFLOW_USERNAME_FILE AIRFLOW_PASSWORD_FILE

# daily: the newest success is that of January 3; January 1 was cleared and run again later; January 4 failed; 5 is running
cat >dags.json <<'X'
{"daily":[
 {"state":"success","logical_date":"2024-01-01T00:00:00.000000","data_interval_end":"2024-01-02T00:00:00.000000","start_date":"2024-01-09T09:09:09.000000","end_date":"2024-01-09T09:10:00.000000"},
 {"state":"success","logical_date":"2024-01-03T00:00:00.000000","data_interval_end":"2024-01-04T00:00:00.000000","start_date":"2024-01-04T00:00:03.123456","end_date":"2024-01-04T00:01:10.000001"},
 {"state":"success","logical_date":"2024-01-02T00:00:00.000000","data_interval_end":"2024-01-03T00:00:00.000000","start_date":"2024-01-03T00:00:01.000000","end_date":"2024-01-03T00:01:00.000000"},
 {"state":"failed","logical_date":"2024-01-04T00:00:00.000000","data_interval_end":"2024-01-05T00:00:00.000000","start_date":"2024-01-05T00:00:01.000000","end_date":"2024-01-05T00:01:00.000000"},
 {"state":"running","logical_date":"2024-01-05T00:00:00.000000","data_interval_end":"2024-01-06T00:00:00.000000","start_date":"2024-01-06T00:00:01.000000"}],
 "skipping":[
 {"state":"success","logical_date":"2024-01-01T00:00:00.000000","start_date":"2024-01-01T00:00:05.000000","tasks":{"fetch":"success","load":"success"}},
 {"state":"success","logical_date":"2024-01-02T00:00:00.000000","start_date":"2024-01-02T00:00:05.000000","tasks":{"fetch":"success","load":"skipped"}},
 {"state":"success","logical_date":"2024-01-03T00:00:00.000000","start_date":"2024-01-03T00:00:05.000000","tasks":{"fetch":"skipped","load":"skipped"}},
 {"state":"success","logical_date":"2024-01-04T00:00:00.000000","start_date":"2024-01-04T00:00:05.000000","tasks":{}}],
 "marked":[
 {"state":"success","logical_date":"2024-01-01T00:00:00.000000","start_date":"2024-01-01T00:00:05.000000"},
 {"state":"success","logical_date":"2024-01-02T00:00:00.000000"}],
 "failing":[{"state":"failed","logical_date":"2024-01-01T00:00:00.000000","start_date":"2024-01-01T00:00:05.000000"}],
 "new":[]}
X
start_server airflow "$here/servers/airflow_api.py" --dags dags.json
export AIRFLOW_URL="$airflow"
control() {
	curl -sS -o control.out --data-binary "$1" "$airflow/control"
	grep -q '"ok"' control.out || give_up "control: $(cat control.out)"
}
log() { curl -sS "$airflow/log"; }
last() { AIRFLOW_USERNAME=admin AIRFLOW_PASSWORD=secret airflow-last-run --retry-wait 0.01 "$@"; }
set_apis() { control "{\"reset\":true,\"set\":{\"apis\":\"$1\"}}"; }

# ---- each generation ----

for apis in v2 v1 v1,experimental experimental; do
	set_apis "$apis"
	t "$apis: the start of the newest success" 0 last --dag daily 3<<'OUT'
2024-01-04T00:00:03.123456Z
OUT
	t "$apis: --epoch" 0 last --dag daily --epoch 3<<'OUT'
1704326403
OUT
	t "$apis: --which logical" 0 last --dag daily --which logical 3<<'OUT'
2024-01-03T00:00:00Z
OUT
	t "$apis: a DAG that never ran" 0 last --dag new 3<<'OUT'

OUT
	t "$apis: a DAG that never succeeded" 0 last --dag failing 3<<'OUT'

OUT
	t "$apis: --empty-exit" 99 last --dag failing --empty-exit 99 3<<'OUT'

OUT
	run 76 "$apis: no such DAG" last --dag dialy
	said 'no DAG "dialy" at 127.0.0.1'
	[ ! -s out ]; ok $? '... and no line'
	t "$apis: a run that was marked, and never started, is none" 0 last --dag marked 3<<'OUT'
2024-01-01T00:00:05Z
OUT
	said 'run "scheduled__2024-01-02T00:00:00.000000+00:00" never started'
done
log | jq -r '.path + " " + (.query.state // "")' | sort -u >got
t 'what the experimental API is asked' 0 cat got 3<<'OUT'
/api/experimental/dags/daily/dag_runs success
/api/experimental/dags/dialy/dag_runs success
/api/experimental/dags/failing/dag_runs success
/api/experimental/dags/marked/dag_runs success
/api/experimental/dags/new/dag_runs success
/api/v1/version 
/api/v2/version 
OUT
for apis in v2 v1; do
	set_apis "$apis"
	t "$apis: --which end" 0 last --dag daily --which end 3<<'OUT'
2024-01-04T00:01:10.000001Z
OUT
	t "$apis: --which interval-end" 0 last --dag daily --which interval-end 3<<'OUT'
2024-01-04T00:00:00Z
OUT
	t "$apis: runs whose tasks were all skipped, or are gone, do not count" 0 last --dag skipping 3<<'OUT'
2024-01-02T00:00:05Z
OUT
	said 'run "scheduled__2024-01-03T00:00:00.000000+00:00": all tasks were skipped'
	t "$apis: with --count-skipped they do" 0 last --dag skipping --count-skipped 3<<'OUT'
2024-01-04T00:00:05Z
OUT
	t "$apis: --task" 0 last --dag skipping --task load 3<<'OUT'
2024-01-01T00:00:05Z
OUT
	t "$apis: a --task that there is not" 0 last --dag skipping --task unload 3<<'OUT'

OUT
	run 65 "$apis: --max-runs" last --dag skipping --max-runs 2
	said 'none of the last 2 successful runs counts: see --max-runs and --count-skipped'
	t "$apis: --max-runs that is just enough" 0 last --dag skipping --max-runs 3 3<<'OUT'
2024-01-02T00:00:05Z
OUT
	control '{"reset":true}'
	run 0 "$apis: --api" last --dag daily --api "$apis"
	[ "$(log | grep -c /version)" -eq 0 ]; ok $? '... looks no further'
	run 0 "$apis: --base-url" env AIRFLOW_URL=http://127.0.0.1:1 AIRFLOW_USERNAME=admin AIRFLOW_PASSWORD=secret \
	    airflow-last-run --dag daily --base-url "$airflow/"
	control '{"set":{"prefix":"/air/flow"}}'
	t "$apis: below a path" 0 last --dag daily --base-url "$airflow/air/flow/" 3<<'OUT'
2024-01-04T00:00:03.123456Z
OUT
	control '{"set":{"prefix":""}}'
done
set_apis experimental
t 'experimental: a skipped run counts, with a word' 0 last --dag skipping 3<<'OUT'
2024-01-04T00:00:05Z
OUT
said 'the experimental API does not say what was skipped'
run 0 'experimental: unless it is wanted so' last --dag skipping --count-skipped
said_not 'skipped'
run 78 'experimental: no --which end' last --dag daily --which end
said 'knows no such time'
run 78 'experimental: no --task' last --dag daily --task load
said 'knows no tasks of a run'

# ---- times that are null, far apart, and many ----

cat >more.json <<'X'
{"dags":{
 "manual":[{"state":"success","run_type":"manual","run_after":"2025-05-01T10:00:00.100000","start_date":"2025-05-01T10:00:01.500000","end_date":"2025-05-01T10:01:00.000000"},
  {"state":"success","logical_date":"2025-04-01T00:00:00.000000","data_interval_end":"2025-04-02T00:00:00.000000","start_date":"2025-04-02T00:00:01.000000"}],
 "old":[{"state":"success","logical_date":"1969-12-31T23:00:00.000000","start_date":"1969-12-31T23:59:58.500000"}],
 "two words & ü":[{"state":"success","logical_date":"2024-02-29T00:00:00.000000","start_date":"2024-02-29T23:59:59.000000"}]}}
X
set_apis v2
control @more.json
t 'no logical date: newest by the time it was due' 0 last --dag manual 3<<'OUT'
2025-05-01T10:00:01.500Z
OUT
run 65 '--which logical of a run that has none' last --dag manual --which logical
said 'has no logical time: choose another --which'
t 'before 1970, and cut down' 0 last --dag old --epoch 3<<'OUT'
-2
OUT
t 'an id that has to be escaped' 0 last --dag 'two words & ü' 3<<'OUT'
2024-02-29T23:59:59Z
OUT
# 300 runs, of which only the first did something; 230 tasks a run, the last of which did
python3 - >many.json <<'X'
import json
tasks = {f"t{i}": "skipped" for i in range(230)}
runs = [{"state": "success", "logical_date": f"2024-01-{1 + i // 24:02}T{i % 24:02}:00:00.000000",
         "start_date": f"2024-01-{1 + i // 24:02}T{i % 24:02}:05:00.000000", "tasks": {"a": "skipped"}} for i in range(300)]
runs[0]["tasks"] = tasks | {"last": "success"}
print(json.dumps({"dags": {"many": runs}}))
X
for apis in v2 v1; do
	set_apis "$apis"
	control @many.json
	t "$apis: the first of 300 runs, by the last of 231 tasks" 0 last --quiet --dag many 3<<'OUT'
2024-01-01T00:05:00Z
OUT
	[ "$(log | grep -c 'dagRuns?')" -eq 6 ]; ok $? '... in six pages' || log | grep -c 'dagRuns?'
	control '{"set":{"no_order":true}}'
	run 76 "$apis: order_by ignored" last --dag many
	said 'not in the order that was asked for'
	control '{"set":{"no_order":false}}'
done
set_apis experimental
python3 - >many.json <<'X'
import json, random
random.seed(1)
runs = [{"state": "success", "logical_date": f"{1000 + i // 12}-{1 + i % 12:02}-01T00:00:00.000000",
         "start_date": f"{1000 + i // 12}-{1 + i % 12:02}-01T00:00:09.000000"} for i in range(60000)]
random.shuffle(runs)
print(json.dumps({"dags": {"many": runs}}))
X
control @many.json
t 'experimental: 60,000 runs in one array' 0 limited 100000 airflow-last-run "airflow-last-run --quiet --dag many" 3<<'OUT'
5999-12-01T00:00:09Z
OUT
control "{\"dags\":$(cat dags.json)}"

# ---- who may ask ----

for apis in v2 v1; do
	set_apis "$apis"
	run 77 "$apis: no credentials" airflow-last-run --dag daily
	said 'set AIRFLOW_USERNAME and AIRFLOW_PASSWORD, or AIRFLOW_TOKEN'
	run 77 "$apis: a wrong password" env AIRFLOW_USERNAME=admin AIRFLOW_PASSWORD=wrong-one airflow-last-run --dag daily
	said 'refused (401)'
	said 'check AIRFLOW_USERNAME and AIRFLOW_PASSWORD'
	said_not wrong-one
	[ "$(log | grep -c '"status": 401')" -eq 2 ]; ok $? '... is tried once'
	control '{"set":{"forbidden":["daily"]}}'
	run 77 "$apis: no rights on the DAG" last --dag daily
	said 'refused (403): "Forbidden"'
	control '{"set":{"forbidden":[]}}'
done
set_apis v1
control '{"set":{"no_basic":true}}'
run 77 'v1 without basic authentication' last --dag daily
said 'refused (401): "Unauthorized"'
control '{"set":{"no_basic":false}}'
set_apis v2
printf 'secret\n' >password
t 'AIRFLOW_PASSWORD_FILE' 0 env AIRFLOW_USERNAME=admin AIRFLOW_PASSWORD_FILE=password airflow-last-run --dag daily 3<<'OUT'
2024-01-04T00:00:03.123456Z
OUT
token=$(curl -sS -H 'Content-Type: application/json' -d '{"username":"admin","password":"secret"}' "$airflow/auth/token" | jq -r .access_token)
control '{"reset":true}'
t 'AIRFLOW_TOKEN' 0 env AIRFLOW_TOKEN="$token" airflow-last-run --dag daily 3<<'OUT'
2024-01-04T00:00:03.123456Z
OUT
[ "$(log | grep -c /auth/token)" -eq 0 ]; ok $? '... needs no login'
run 77 'a wrong AIRFLOW_TOKEN' env AIRFLOW_TOKEN=ey0123456789 airflow-last-run --dag daily
said 'refused (401): "Token Expired"'
said_not ey0123456789
control '{"set":{"jwt_member":"jwt_token"}}'
run 0 'a token by its other name' last --dag daily
control '{"set":{"jwt_member":"access_token"}}'
for status in 401 403; do
	control "{\"reset\":true,\"set\":{\"token_life\":1,\"bad_token\":$status},\"dags\":$(cat dags.json)}"
	t "a token that ends in mid-run, by $status" 0 last --dag skipping --task load 3<<'OUT'
2024-01-01T00:00:05Z
OUT
	[ "$(log | grep -c /auth/token)" -eq 5 ]; ok $? '... a login for each request' || log | grep -c /auth/token
	[ "$(log | jq -r '.headers.authorization' | grep -c Basic)" -eq 0 ]; ok $? '... and no password beside it'
done
control '{"set":{"token_life":0,"bad_token":401}}'
control '{"reset":true,"faults":[{"kind":"status","status":401,"match":"dagRuns","times":-1}]}'
run 77 'refused with a fresh token, too' last --dag daily
[ "$(log | grep -c /auth/token)" -eq 1 ]; ok $? '... one login, since it was fresh' || log | grep -c /auth/token
control '{"reset":true,"set":{"no_token_endpoint":true}}'
run 76 'single sign-on instead of /auth/token' last --dag daily
said 'set AIRFLOW_TOKEN'
control '{"set":{"no_token_endpoint":false}}'
control '{"reset":true,"faults":[{"kind":"status","status":422,"match":"auth/token"}]}'
run 76 'a login that is no login' last --dag daily
set_apis experimental
control '{"set":{"experimental_auth":"basic"}}'
run 0 'experimental with a password' last --dag daily
run 77 'experimental without' airflow-last-run --dag daily
control '{"set":{"experimental_auth":"deny"}}'
run 77 'experimental, denied' last --dag daily
said 'refused (403)'
control '{"set":{"experimental_auth":"open"}}'
run 0 'experimental, open' airflow-last-run --dag daily
set_apis ''
run 76 'no API at all' last --dag daily
said 'not found: no API of Airflow is there, or it is switched off'
set_apis v2
run 76 'v1 of Airflow 3' last --dag daily --api v1
run 76 'a path that is not Airflow' last --dag daily --api v2 --base-url "$airflow/other"

# ---- what goes wrong ----

for apis in v2 v1 experimental; do
	set_apis "$apis"
	control '{"faults":[{"kind":"status","status":503},{"kind":"cut"},{"kind":"reset"},{"kind":"status","status":429,"headers":{"Retry-After":"0"}}]}'
	t "$apis: one of each in a row" 0 last --dag daily 3<<'OUT'
2024-01-04T00:00:03.123456Z
OUT
	for fault in '69 "kind":"status","status":502,"body":"<html><title>Bad gateway</title></html>"' '69 "kind":"no_reply"' \
	    '76 "kind":"nonsense","match":"[Rr]uns"' '76 "kind":"html","match":"[Rr]uns"' \
	    '75 "kind":"status","status":429,"headers":{"Retry-After":"7200"}' '76 "kind":"not_json_object","match":"[Rr]uns"' \
	    '76 "kind":"status","status":400,"body":{"detail":"no"},"match":"[Rr]uns"'; do
		set_apis "$apis"
		control "{\"faults\":[{${fault#* },\"times\":-1}]}"
		run "${fault%% *}" "$apis: ${fault#* }, for ever" last --dag daily --retries 2
		[ ! -s out ]; ok $? '... and no line'
	done
	control '{"reset":true,"faults":[{"kind":"stall","bytes":0,"times":-1}]}'
	run 69 "$apis: silence" last --dag daily --timeout 0.2 --retries 1
	control '{"reset":true,"faults":[{"kind":"latency","seconds":0.05,"times":-1}]}'
	run 69 "$apis: --max-time" last --dag daily --max-time 0.02
done
set_apis v2
control '{"faults":[{"kind":"nonsense","match":"[Rr]uns[?]","body":"{\"dag_runs\":[{\"dag_run_id\":\"x\",\"state\":\"success\",\"run_after\":\"soon\",\"start_date\":\"2024-01-01T00:00:00Z\"}]}"}]}'
run 76 'a time that is none' last --dag daily
said 'run "x": "soon" is no time'
control '{"reset":true,"faults":[{"kind":"nonsense","match":"[Rr]uns[?]","body":"{\"dag_runs\":[{\"state\":\"success\",\"run_after\":null}]}"}]}'
run 76 'a run without an id' last --dag daily
control '{"reset":true,"faults":[{"kind":"nonsense","match":"[Rr]uns[?]","body":"{\"dag_runs\":[5]}"}]}'
t 'a run that is no run' 0 last --dag daily 3<<'OUT'

OUT
control '{"reset":true,"faults":[{"kind":"status","status":404,"match":"taskInstances"}]}'
run 76 'a run that went meanwhile' last --dag daily
said 'see --count-skipped'
control '{"reset":true,"faults":[{"kind":"status","status":401,"match":"version"}]}'
run 77 'a gateway before all of it' last --dag daily
said 'say which by --api, or set AIRFLOW_TOKEN'
control '{"reset":true,"faults":[{"kind":"redirect","to":"http://localhost:1/","match":"version","times":-1}]}'
run 69 'a redirect to nobody' last --dag daily --retries 1
control "{\"reset\":true,\"faults\":[{\"kind\":\"redirect\",\"to\":\"http://localhost:1/\",\"match\":\"auth\"}]}"
run 76 'a redirect of the login is not followed with the password' last --dag daily
control '{"reset":true}'
run 69 'nobody there' last --dag daily --base-url http://127.0.0.1:1 --retries 1
run 74 'a full disk' sh -c 'AIRFLOW_USERNAME=admin AIRFLOW_PASSWORD=secret airflow-last-run --dag daily >/dev/full'
run 74 'a closed stdout' sh -c 'AIRFLOW_USERNAME=admin AIRFLOW_PASSWORD=secret airflow-last-run --dag daily >&-'

# ---- wrong calls, before anything is asked ----

control '{"reset":true}'
run 64 'no DAG' last
said 'no --dag: say which'
run 64 'an empty DAG' last --dag ''
run 64 'all DAGs' last --dag '~'
run 64 'a DAG that is a path' last --dag ..
run 64 'an operand' last daily
run 64 'a time that it does not know' last --dag daily --which middle
run 64 'an API that it does not know' last --dag daily --api v4
run 64 '--task and --count-skipped' last --dag daily --task load --count-skipped
run 64 'a base that is no URL' last --dag daily --base-url airflow.example.com
run 78 'no AIRFLOW_URL' env -u AIRFLOW_URL airflow-last-run --dag daily
said 'no AIRFLOW_URL: set it, or give --base-url'
run 78 'an AIRFLOW_URL that is none' env AIRFLOW_URL=airflow:8080 airflow-last-run --dag daily
run 78 'half of the credentials' env AIRFLOW_USERNAME=admin airflow-last-run --dag daily
run 64 'a password over plain http' env AIRFLOW_USERNAME=admin AIRFLOW_PASSWORD=secret \
    airflow-last-run --dag daily --api v2 --base-url http://airflow.example.com
said 'use https'
run 64 'and for v1' env AIRFLOW_USERNAME=admin AIRFLOW_PASSWORD=secret \
    airflow-last-run --dag daily --api v1 --base-url http://airflow.example.com
run 64 'and a token' env AIRFLOW_TOKEN=secret airflow-last-run --dag daily --api v1 --base-url http://airflow.example.com
log >requests
same 'nothing was asked' /dev/null requests
done_testing
