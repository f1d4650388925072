#!/bin/bash
# The stand-in for ArcGIS answers what api/arcgis.md says: errors under status 200, and results feature by feature.
. "$(dirname "$0")/lib.sh"

item=0123456789abcdef0123456789abcdef
cat >services.json <<X
[{"item":"$item","name":"signals","layers":[{"id":0,"name":"Signals","geometryType":"esriGeometryPoint","fields":[
  {"name":"id","type":"esriFieldTypeString","length":5},{"name":"n","type":"esriFieldTypeSmallInteger"},{"name":"at","type":"esriFieldTypeDate"}],
  "indexes":[{"fields":"id","isUnique":true,"name":"ux_id"}]}],
 "tables":[{"id":3,"name":"Notes","objectIdField":"FID","fields":[{"name":"id","type":"esriFieldTypeString"}]}]}]
X
start_server agol "$here/servers/arcgis.py" --services services.json
sharing=$agol/sharing/rest
signals=$agol/org/arcgis/rest/services/signals/FeatureServer
control() {
	curl -sS -o control.out --data-binary "$1" "$agol/control"
	grep -q '"ok"' control.out || give_up "control: $(cat control.out)"
}
ask() {			# ask URL NAME=VALUE...: a form with the token
	url=$1; shift
	for pair; do set -- "$@" --data-urlencode "$pair"; shift; done
	curl -sS -H "X-Esri-Authorization: Bearer $token" -H 'Referer: x' -d f=json "$@" "$url"
}
features() { curl -sS "$agol/features/${1:-signals/0}" | jq -c "${2:-.}"; }

# ---- tokens ----

token=
login() { curl -sS "$sharing/generateToken" -d f=json -d username=maps -d client=referer -d referer=x "$@"; }
login -d password=secret >answer
token=$(jq -r .token answer)
[ "$(jq -r '(.expires / 1000 - now) | . > 3500 and . <= 3600' answer)" = true ]; ok $? 'a token, and when it ends, in milliseconds'
t 'a wrong password' 0 login -d password=x 3<<'OUT'
{"error": {"code": 400, "message": "Unable to generate token.", "details": ["Invalid username or password."]}}
OUT
t 'an app' 0 sh -c "curl -sS $sharing/oauth2/token -d f=json -d client_id=client -d client_secret='client secret' -d grant_type=client_credentials |
	jq -c '[.expires_in, (.access_token | length > 20)]'" 3<<'OUT'
[3600,true]
OUT
t 'no token' 0 curl -sS "$signals/0?f=json" 3<<'OUT'
{"error": {"code": 499, "messageCode": "GWM_0003", "message": "Token Required", "details": ["Token Required"]}}
OUT
t 'a wrong token' 0 curl -sS "$signals/0?f=json&token=x" 3<<'OUT'
{"error": {"code": 498, "message": "Invalid token.", "details": []}}
OUT
[ "$(curl -sS -w '%{http_code} %{content_type}' -o body "$signals/0")" = '200 text/html;charset=utf-8' ]; ok $? 'a page where f is missing'
control '{"set":{"check_referer":true}}'
t 'another referer' 0 sh -c "curl -sS '$signals/0?f=json&token=$token' | jq -c .error.code" 3<<'OUT'
498
OUT
t 'the same referer' 0 sh -c "curl -sS -H 'Referer: x' '$signals/0?f=json&token=$token' | jq -c .name" 3<<'OUT'
"Signals"
OUT
control '{"set":{"check_referer":false}}'

# ---- documents ----

t 'an item' 0 sh -c "curl -sS '$sharing/content/items/$item?f=json&token=$token' | jq -c '[.type, .url]'" 3<<OUT
["Feature Service","$signals"]
OUT
t 'no item' 0 curl -sS "$sharing/content/items/00?f=json&token=$token" 3<<'OUT'
{"error": {"code": 400, "messageCode": "CONT_0001", "message": "Item does not exist or is inaccessible.", "details": []}}
OUT
t 'a service: ids, not places' 0 sh -c "curl -sS '$signals?f=json&token=$token' | jq -c '[.layers, .tables, .xssPreventionInfo.xssInputRule]'" 3<<'OUT'
[[{"id":0,"name":"Signals"}],[{"id":3,"name":"Notes"}],"rejectInvalid"]
OUT
t 'a layer' 0 sh -c "curl -sS '$signals/0?f=json&token=$token' | jq -c '[.objectIdField, .geometryType, (.fields[] | .name)]'" 3<<'OUT'
["OBJECTID","esriGeometryPoint","OBJECTID","id","n","at"]
OUT
t 'a table' 0 sh -c "curl -sS '$signals/3?f=json&token=$token' | jq -c '[.objectIdField, .geometryType]'" 3<<'OUT'
["FID",null]
OUT
t 'no layer' 0 sh -c "curl -sS '$signals/1?f=json&token=$token' | jq -c .error.code" 3<<'OUT'
400
OUT

# ---- edits ----

ask "$signals/0/addFeatures" rollbackOnFailure=false 'features=[
	{"attributes":{"ID":"a","n":5,"at":1000,"other":1},"geometry":{"x":-97.75,"y":30.25,"spatialReference":{"wkid":4326}}},
	{"attributes":{"id":"b"},"geometry":{"x":-97.75,"y":30.25}},{"attributes":{"id":"c"},"geometry":null},
	{"attributes":{"id":"too long"}},{"attributes":{"id":"d","n":"5"}},{"attributes":{"id":"e","n":40000}},
	{"attributes":{"id":"f","at":"2024-01-01"}},{"attributes":{"id":"<i>"}},{"attributes":{"id":"<x>"}},
	{"attributes":{"id":"g"},"geometry":{"x":"-97","y":"30"}},{"attributes":{"id":"a"}},{"attributes":{"id":"h","n":true}}]' |
    jq -c '.addResults[] | [.objectId, .success, .error.code, .error.description]' >got
t 'adds: a result each' 0 cat got 3<<'OUT'
[1,true,null,null]
[2,true,null,null]
[3,true,null,null]
[-1,false,1000,"String or binary data would be truncated.\r\nThe statement has been terminated."]
[-1,false,1000,"Setting of Value for n failed."]
[-1,false,1000,"Setting of Value for n failed."]
[-1,false,1000,"Setting of Value for at failed."]
[4,true,null,null]
[-1,false,1000,"Field id has invalid html content."]
[-1,false,1000,"Geometry could not be converted."]
[-1,false,1000,"Cannot insert duplicate key row in object with unique index 'ux_id'."]
[-1,false,1000,"Setting of Value for n failed."]
OUT
t 'degrees without a spatial reference are metres off Africa' 0 features signals/0 '[.attributes.id, .geometry.x]' 3<<'OUT'
["a",-97.75]
["b",-0.0008781]
["c",null]
["<i>",null]
OUT
ask "$signals/0/updateFeatures" rollbackOnFailure=false 'features=[{"attributes":{"OBJECTID":1,"n":6}},{"attributes":{"OBJECTID":9,"n":6}},
	{"attributes":{"OBJECTID":2},"geometry":{"x":null}}]' | jq -c '.updateResults[] | [.objectId, .success]' >got
t 'updates' 0 cat got 3<<'OUT'
[1,true]
[-1,false]
[2,true]
OUT
t '... leave what they do not name' 0 features signals/0 '[.attributes.id, .attributes.n, .attributes.at, .geometry.x]' 3<<'OUT'
["a",6,1000,-97.75]
["b",null,null,null]
["c",null,null,null]
["<i>",null,null,null]
OUT
t 'rolled back: one error' 0 ask "$signals/0/addFeatures" 'features=[{"attributes":{"id":"x"}},{"attributes":{"n":"x"}}]' 3<<'OUT'
{"error": {"code": 400, "extendedCode": -2147467259, "message": "Unable to complete operation.", "details": ["Operation rolled back.", "Operation rolled back."]}}
OUT
control '{"set":{"rollback_results":true}}'
ask "$signals/0/addFeatures" 'features=[{"attributes":{"id":"x"}},{"attributes":{"n":"x"}}]' | jq -c '.addResults[] | [.success, .error.code]' >got
t '... or one for each' 0 cat got 3<<'OUT'
[false,1003]
[false,1000]
OUT
control '{"set":{"rollback_results":false}}'
t 'an empty edit' 0 sh -c 'printf %s "$1" | jq -c .error.code' - "$(ask "$signals/0/addFeatures" 'features=[]')" 3<<'OUT'
400
OUT
ask "$signals/0/applyEdits" rollbackOnFailure=false 'adds=[{"attributes":{"id":"y"}}]' 'updates=[{"attributes":{"OBJECTID":3,"n":1}}]' 'deletes=[2,99]' |
    jq -c '[.addResults, .updateResults, .deleteResults] | map(map(.success))' >got
t 'applyEdits' 0 cat got 3<<'OUT'
[[true],[true],[true,false]]
OUT
t 'deletes by id' 0 sh -c 'printf %s "$1" | jq -c ".deleteResults | map([.objectId, .success])"' - "$(ask "$signals/0/deleteFeatures" objectIds=4,99 rollbackOnFailure=false)" 3<<'OUT'
[[4,true],[99,false]]
OUT
t 'deletes by condition' 0 ask "$signals/0/deleteFeatures" "where=id = 'none'" 3<<'OUT'
{"deleteResults": []}
OUT
t '... without results' 0 ask "$signals/0/deleteFeatures" "where=id IN ('y')" returnDeleteResults=false 3<<'OUT'
{"success": true}
OUT
t 'deletes of nothing are no deletes of all' 0 sh -c 'printf %s "$1" | jq -c .error.code' - "$(ask "$signals/0/deleteFeatures")" 3<<'OUT'
400
OUT
t 'what is left' 0 features signals/0 .attributes.id 3<<'OUT'
"a"
"c"
OUT

# ---- jobs ----

poll() {		# poll URL: until it is over
	for i in 1 2 3 4 5; do
		ask "$1" >answer
		jq -r .status answer
		grep -qE 'Completed|Failed' answer && return
	done
}
ask "$signals/0/deleteFeatures" where=1=1 async=true >answer
features >before
poll "$(jq -r .statusUrl answer)" >got
t 'an asynchronous delete' 0 cat got 3<<'OUT'
Pending
InProgress
Completed
OUT
features >got
[ -s before ] && [ ! -s got ]; ok $? '... is done in the end'
control '{"set":{"status_member":"statusURL","polls":0}}'
admin=$agol/org/arcgis/rest/admin/services/signals/FeatureServer
ask "$admin/0/truncate" async=true >answer
poll "$(jq -r .statusURL answer)" >got
t 'truncate' 0 cat got 3<<'OUT'
Completed
OUT
ask "$signals/0/addFeatures" 'features=[{"attributes":{"id":"a"}}]' | jq -c '.addResults[0].objectId' >got
t '... starts object ids anew' 0 cat got 3<<'OUT'
1
OUT
append() { ask "$signals/0/append" upsert=true upsertMatchingField=id "edits={\"layers\":[{\"featureSet\":{\"features\":[$1]}}]}" >answer; poll "$(jq -r .statusURL answer)"; }
append '{"attributes":{"id":"a","n":1}},{"attributes":{"id":"b"}}' >got
features signals/0 '[.attributes.OBJECTID, .attributes.id, .attributes.n]' >>got
t 'append, with upsert' 0 cat got 3<<'OUT'
Completed
[1,"a",1]
[2,"b",null]
OUT
append '{"attributes":{"id":"c"}},{"attributes":{"id":"c"}}' >got
t '... fails on a key that comes twice' 0 cat got 3<<'OUT'
Failed
OUT
control '{"set":{"job_fails":"PartialFailure"}}'
ask "$signals/0/deleteFeatures" where=1=1 async=true >answer
ask "$(jq -r .statusURL answer)" | jq -c .status >got
t 'a job that fails' 0 cat got 3<<'OUT'
"PartialFailure"
OUT

# ---- queries ----

control "{\"features\":{\"layer\":\"signals/0\",\"features\":[$(for i in {1..5}; do printf '%s{"attributes":{"id":"it'"'"'%d","n":%d}}' "${comma=}" "$i" "$((i * 10))"; comma=,; done)]},\"set\":{\"max_record_count\":2}}"
ask "$signals/0/query" "where=id in ('it''1','it''2','it''4')" outFields=id 'orderByFields=OBJECTID desc' returnGeometry=false | jq -c '[[.features[].attributes.id], .exceededTransferLimit]' >got
ask "$signals/0/query" 'where=1=1' outFields=id orderByFields=OBJECTID resultOffset=4 returnGeometry=false | jq -c '[[.features[].attributes.id], .exceededTransferLimit]' >>got
t 'pages' 0 cat got 3<<'OUT'
[["it'4","it'2"],true]
[["it'5"],null]
OUT
ask "$signals/0/query" 'where=n > 20' returnCountOnly=true >got
ask "$signals/0/query" 'where=n > 20' returnIdsOnly=true | jq -c '.objectIds | length' >>got
ask "$signals/0/query" 'where=n > 99' returnIdsOnly=true | jq -c .objectIds >>got
t 'counts and ids' 0 cat got 3<<'OUT'
{"count": 3}
3
null
OUT
for where in 'nothing = 1' "id = 'x" 'upper(id) = 1' "id = 'x' -- all" '1=1; drop' ''; do
	ask "$signals/0/query" "where=$where" | jq -c .error.code
done >got
t 'conditions that are none' 0 cat got 3<<'OUT'
400
400
400
400
400
400
OUT

# ---- what goes wrong ----

control '{"set":{"max_body":300,"too_big":413}}'
big="features=[{\"attributes\":{\"id\":\"$(printf %0300d 0)\"}}]"
[ "$(curl -sS -o body -w '%{http_code}' -d "$big" "$signals/0/addFeatures")" = 413 ]; ok $? 'a body that is too large'
control '{"set":{"too_big":200}}'
t '... under status 200' 0 curl -sS -d f=json -d "$big" "$signals/0/addFeatures" 3<<'OUT'
{"error": {"code": 500, "message": "Unable to perform operation.", "details": []}}
OUT
control '{"reset":true,"set":{"max_body":0,"polls":0,"job_fails":""},"faults":[{"kind":"done","status":504}]}'
[ "$(curl -sS -o body -w '%{http_code}' -H "X-Esri-Authorization: Bearer $token" -d f=json --data-urlencode 'features=[{"attributes":{"id":"done"}}]' "$signals/0/addFeatures")" = 504 ]
ok $? '504 for what is done'
[ "$(features signals/0 .attributes.id | grep -c done)" -eq 1 ]; ok $? '... and it is'
control '{"reset":true,"faults":[{"kind":"late","status":504,"seconds":0.1}]}'
ask "$signals/0/addFeatures" 'features=[{"attributes":{"id":"late"}}]' >got
grep -q 'Error 504' got; ok $? '504 for what is done later'
until features signals/0 .attributes.id | grep -q late; do sleep 0.1; done
ok 0 '... and it is'
control '{"reset":true,"faults":[{"kind":"late","status":504,"after":"/query"}]}'
ask "$signals/0/addFeatures" 'features=[{"attributes":{"id":"later"}}]' >got
[ "$(features signals/0 .attributes.id | grep -c later)" -eq 0 ]; ok $? '504 for what is done after a query'
ask "$signals/0/query" "where=id = 'later'" returnCountOnly=true >got
t '... which does not see it' 0 cat got 3<<'OUT'
{"count": 0}
OUT
[ "$(features signals/0 .attributes.id | grep -c later)" -eq 1 ]; ok $? '... and then it is there'
control '{"expire":true}'
t 'a token that has ended' 0 sh -c 'printf %s "$1" | jq -c .error.code' - "$(ask "$signals/0/query" where=1=1)" 3<<'OUT'
498
OUT
control '{"set":{"expires":60}}'
login -d password=secret -d expiration=600 | jq -c '(.expires / 1000 - now) <= 60' >got
t 'tokens may be short' 0 cat got 3<<'OUT'
true
OUT
curl -sS "$agol/log" | jq -r 'select(.path | endswith("generateToken")) | .body | [.username, .client] | tostring' | sort -u >got
t 'the log has forms as objects' 0 cat got 3<<'OUT'
["maps","referer"]
OUT
done_testing
