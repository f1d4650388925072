#!/bin/sh
# The stand-in for Airflow answers what api/airflow.md says, generation by generation.
. "$(dirname "$0")/lib.sh"

cat >dags.json <<'X'
{"x":[{"state":"success","logical_date":"2020-01-01T00:00:00.000000","data_interval_end":"2020-01-02T00:00:00.000000","start_date":"2020-01-02T00:00:03.123456"},
 {"state":"failed","logical_date":"2020-01-02T00:00:00.000000","start_date":"2020-01-03T00:00:03.000000","tasks":{"a":"success","b":"failed"}},
 {"state":"queued","run_type":"manual","run_after":"2020-01-03T10:00:00.000000"}]}
X
start_server airflow "$here/servers/airflow_api.py" --dags dags.json --apis experimental
get() {			# get PATH [OPTION...]: the body, then the status
	path=$1; shift
	curl -sSg -w '\n%{http_code} %{content_type}\n' "$@" "$airflow$path"
}
show() { sed '$d' got | jq -c "$1"; tail -n 1 got; }
set_to() { curl -sSf -o control.out --data-binary "{\"set\":$1}" "$airflow/control"; }

get '/api/experimental/dags/x/dag_runs?state=success' >got
t 'experimental: a bare array, without an end' 0 show . 3<<'OUT'
[{"id":1,"run_id":"scheduled__2020-01-01T00:00:00.000000+00:00","state":"success","dag_id":"x","execution_date":"2020-01-01T00:00:00+00:00","start_date":"2020-01-02T00:00:03.123456+00:00","dag_run_url":"/admin/airflow/graph?dag_id=x"}]
200 application/json
OUT
get /api/experimental/dags/x/dag_runs >got
t 'experimental: all states, and "" for a run that has not started' 0 show 'map([.state, .start_date])' 3<<'OUT'
[["success","2020-01-02T00:00:03.123456+00:00"],["failed","2020-01-03T00:00:03+00:00"],["queued",""]]
200 application/json
OUT
get /api/experimental/dags/y/dag_runs >got
t 'experimental: an unknown DAG is 400' 0 cat got 3<<'OUT'
{"error": "Dag id y not found"}

400 application/json
OUT
get /api/v1/version >got
grep -q '^404 text/html' got; ok $? 'other paths are pages for people'

set_to '{"apis":"v1"}'
get /api/v1/version >got
t 'v1: the version, to anybody' 0 show .version 3<<'OUT'
"2.9.3"
200 application/json
OUT
get /api/v1/dags/x/dagRuns -D headers >got
t 'v1: a problem' 0 show '[.detail, .status, .title]' 3<<'OUT'
[null,401,"Unauthorized"]
401 application/problem+json
OUT
grep -qi '^www-authenticate: basic' headers; ok $? '... which names the scheme'
get '/api/v1/dags/x/dagRuns?order_by=-start_date&limit=2' -u admin:secret >got
t 'v1: sorted, in pages, nulls last' 0 show '[.total_entries, (.dag_runs[] | .state, .execution_date == .logical_date, .start_date)]' 3<<'OUT'
[3,"failed",true,"2020-01-03T00:00:03+00:00","success",true,"2020-01-02T00:00:03.123456+00:00"]
200 application/json
OUT
get '/api/v1/dags/x/dagRuns?order_by=-run_after' -u admin:secret >got
t 'v1: an order that it does not know' 0 show .status 3<<'OUT'
400
400 application/problem+json
OUT
get /api/v1/dags/y/dagRuns -u admin:secret >got
t 'v1: an unknown DAG has an empty list' 0 show . 3<<'OUT'
{"dag_runs":[],"total_entries":0}
200 application/json
OUT
get /api/v1/dags/y -u admin:secret >got
t 'v1: ... and is not found' 0 show .title 3<<'OUT'
"Not Found"
404 application/problem+json
OUT
get /api/v1/dags/x/dagRuns/scheduled__2020-01-02T00:00:00.000000%2B00:00/taskInstances -u admin:secret >got
t 'v1: task instances' 0 show '[.total_entries, (.task_instances[] | .task_id, .state)]' 3<<'OUT'
[2,"a","success","b","failed"]
200 application/json
OUT

set_to '{"apis":"v2"}'
get /auth/token -H 'Content-Type: application/json' -d '{"username":"admin","password":"secret"}' >got
[ "$(tail -n 1 got)" = '201 application/json' ]; ok $? 'v2: a token is made'
token=$(sed 1q got | jq -r .access_token)
get /auth/token -H 'Content-Type: application/json' -d '{"username":"admin","password":"x"}' >got
t 'v2: a wrong password' 0 show . 3<<'OUT'
{"detail":"Invalid credentials"}
401 application/json
OUT
get /auth/token -H 'Content-Type: application/json' -d '{}' >got
t 'v2: half a login' 0 show '.detail[0].type' 3<<'OUT'
"missing"
422 application/json
OUT
get /auth/token -d 'username=admin' >got
[ "$(tail -n 1 got)" = '415 application/json' ]; ok $? 'v2: a login by form'
get '/api/v2/dags/x/dagRuns?order_by=-run_after' -H "Authorization: Bearer $token" >got
t 'v2: null dates, and run_after always' 0 show '.dag_runs[] | [.run_after, .logical_date, .start_date]' 3<<'OUT'
["2020-01-03T10:00:00Z",null,null]
["2020-01-02T00:00:00Z","2020-01-02T00:00:00Z","2020-01-03T00:00:03Z"]
["2020-01-02T00:00:00Z","2020-01-01T00:00:00Z","2020-01-02T00:00:03.123456Z"]
200 application/json
OUT
get /api/v2/dags/y/dagRuns -H "Authorization: Bearer $token" >got
t 'v2: an unknown DAG is 404' 0 show . 3<<'OUT'
{"detail":"The DAG with dag_id: `y` was not found"}
404 application/json
OUT
get '/api/v2/dags/x/dagRuns?state=done' -H "Authorization: Bearer $token" >got
t 'v2: a state that it does not know' 0 show '.detail[0].loc' 3<<'OUT'
["query","state"]
422 application/json
OUT
get /api/v2/dags/x/dagRuns >got
t 'v2: no token' 0 show . 3<<'OUT'
{"detail":"Not authenticated"}
401 application/json
OUT
get /api/v2/dags/x/dagRuns -u admin:secret >got
t 'v2: no Basic' 0 show . 3<<'OUT'
{"detail":"Not authenticated"}
401 application/json
OUT
set_to '{"token_life":2}'
token=$(curl -sS "$airflow/auth/token" -H 'Content-Type: application/json' -d '{"username":"admin","password":"secret"}' | jq -r .access_token)
for i in 1 2 3; do get /api/v2/dags/x -H "Authorization: Bearer $token" | tail -n 1; done >got
t 'v2: a token that is spent' 0 cut -c 1-3 got 3<<'OUT'
200
200
401
OUT
get /api/v1/version >got
grep -q '^404 application/json' got; ok $? 'v2: v1 is gone'
get /home >got
grep -q '^200 text/html' got; ok $? 'v2: other paths are the user interface'
curl -sSf -o control.out --data-binary '{"reset":true,"faults":[{"kind":"status","status":403}]}' "$airflow/control"
get /api/v2/version >got
t 'a fault speaks as the generation does' 0 show . 3<<'OUT'
{"detail":"Forbidden"}
403 application/json
OUT
done_testing
