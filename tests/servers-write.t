#!/bin/sh
# The stand-in soda.py takes rows as section 12 of api/socrata.md says Socrata does.
. "$(dirname "$0")/lib.sh"
unset http_proxy all_proxy ALL_PROXY

mkdir data
printf 'id,n,done,at,on,where,site,places,link,note\n' >data/keys-row1.csv
cat >data/keys-row1.json <<'X'
{"rowIdentifier":"id","columns":[{"fieldName":"n","dataTypeName":"number"},{"fieldName":"done","dataTypeName":"checkbox"},
{"fieldName":"at","dataTypeName":"calendar_date"},{"fieldName":"on","dataTypeName":"date"},{"fieldName":"where","dataTypeName":"point"},
{"fieldName":"site","dataTypeName":"location"},{"fieldName":"places","dataTypeName":"multipoint"},{"fieldName":"link","dataTypeName":"url"}]}
X
printf 'a,b\nx,1\n' >data/none-key1.csv
start_server soda "$here/servers/soda.py" --data data --key id:secret --no-gzip

control() {
	curl -sS -o control.out -w '%{http_code}\n' --data-binary "$1" "$soda/control" >control.status
	read -r code <control.status && [ "$code" = 200 ] || { cat control.out >&2; return 1; }
}
send() {		# send METHOD ID BODY [OPTION...]: the answer on one line, with its status
	method=$1 id=$2 body=$3; shift 3
	curl -sS -u id:secret -X "$method" -H "Content-Type: ${kind:-application/json}" --data-binary "$body" "$@" -w ' %{http_code}\n' \
	    "$soda/resource/$id.json" | tr -d '\n' | sed 's/  */ /g'; echo
}
rows() { curl -sSg -u id:secret "$soda/resource/$1.json?\$order=:id"; }

# what is stored
t 'an upsert makes rows' 0 send POST keys-row1 '[{"id":"a","n":1.50,"done":true,"at":"2020-01-31T00:05","on":"2020-01-31T00:05:00-06:00",
 "where":{"type":"Point","coordinates":[-97.70,30.2]},"site":{"latitude":"30.2","longitude":-97.7,"human_address":"{\"address\":\"1 Main\"}"},
 "places":{"type":"MultiPoint","coordinates":[[-97.7,30.2]]},"link":{"url":"http://x","description":"d"},"note":"n"},
 {"id":"b","n":"1e2","AT":"2020-01-31","on":"2020-01-31T00:05:00.1234","where":"POINT (-97.7 30.2)","note":7}]' 3<<'OUT'
{ "Errors" : 0, "Rows Updated" : 0, "Rows Deleted" : 0, "Rows Created" : 2} 200
OUT
t '... as they are read' 0 rows keys-row1 3<<'OUT'
[{"id":"a","n":"1.50","done":true,"at":"2020-01-31T00:05:00.000","on":"2020-01-31T06:05:00.000Z","where":{"type":"Point","coordinates":[-97.70,30.2]},"site":{"latitude":"30.2","longitude":"-97.7","human_address":"{\"address\":\"1 Main\",\"city\":\"\",\"state\":\"\",\"zip\":\"\"}"},"places":{"type":"MultiPoint","coordinates":[[-97.7,30.2]]},"link":{"url":"http://x","description":"d"},"note":"n"}
,{"id":"b","n":"100","at":"2020-01-31T00:00:00.000","on":"2020-01-31T00:05:00.123Z","where":{"type":"Point","coordinates":[-97.7,30.2]},"note":"7"}]
OUT
t 'a second one merges, and null clears' 0 send POST keys-row1 '[{"id":"b","n":null,"note":"new"},{"id":"c"},{"id":"c","n":3}]' 3<<'OUT'
{ "Errors" : 0, "Rows Updated" : 2, "Rows Deleted" : 0, "Rows Created" : 1} 200
OUT
t ':deleted, and what is not there' 0 send POST keys-row1 '[{"id":"a",":deleted":true},{"id":"zz",":deleted":true},["c"]]' 3<<'OUT'
{ "Errors" : 1, "Rows Updated" : 0, "Rows Deleted" : 2, "Rows Created" : 0} 200
OUT
t '... and one object alone' 0 send POST keys-row1 '{"id":"d","link":"http://lost","site":"(30.2, -97.7)"}' 3<<'OUT'
{ "Errors" : 0, "Rows Updated" : 0, "Rows Deleted" : 0, "Rows Created" : 1} 200
OUT
t '... are as they should be; a url or location that is no object is null' 0 rows keys-row1 3<<'OUT'
[{"id":"b","at":"2020-01-31T00:00:00.000","on":"2020-01-31T00:05:00.123Z","where":{"type":"Point","coordinates":[-97.7,30.2]},"note":"new"}
,{"id":"d"}]
OUT
t 'a replace' 0 send PUT keys-row1 '[{"id":"e"},{"id":"f","n":1}]' 3<<'OUT'
{ "Errors" : 0, "Rows Updated" : 0, "Rows Deleted" : 0, "Rows Created" : 2} 200
OUT
printf '[{"id":"g","n":2}]' | gzip >body.gz
t 'gzip' 0 send POST keys-row1 @body.gz -H 'Content-Encoding: gzip' 3<<'OUT'
{ "Errors" : 0, "Rows Updated" : 0, "Rows Deleted" : 0, "Rows Created" : 1} 200
OUT
printf 'id,done,at,site,note\ng,TRUE,01/31/2020 01:05:00 PM,"(30.2, -97.7)","a, b"\nf,,,,""\n' >body.csv
kind=text/csv
t 'CSV' 0 send POST keys-row1 @body.csv 3<<'OUT'
{ "Errors" : 0, "Rows Updated" : 2, "Rows Deleted" : 0, "Rows Created" : 0} 200
OUT
kind=
t '... all of them' 0 rows keys-row1 3<<'OUT'
[{"id":"e"}
,{"id":"f","n":"1"}
,{"id":"g","n":"2","done":true,"at":"2020-01-31T13:05:00.000","site":{"latitude":"30.2","longitude":"-97.7","human_address":"{\"address\":\"\",\"city\":\"\",\"state\":\"\",\"zip\":\"\"}"},"note":"a, b"}]
OUT
t 'one row' 0 curl -sS "$soda/resource/keys-row1/f.json" 3<<'OUT'
{"id":"f","n":"1"}
OUT
t '... is deleted' 0 curl -sS -u id:secret -X DELETE "$soda/resource/keys-row1/f.json" 3<<'OUT'
[{"typ": "delete", "id": "f"}]
OUT
run 22 '... and gone' curl -sSf "$soda/resource/keys-row1/f.json"

# without a row identifier
send POST none-key1 '[{"a":"y"}]' >first; send POST none-key1 '[{"a":"y"}]' >second
t 'without a row identifier the same again is another row' 0 cat second 3<<'OUT'
{ "Errors" : 0, "Rows Updated" : 0, "Rows Deleted" : 0, "Rows Created" : 1} 200
OUT
id=$(curl -sSg "$soda/resource/none-key1.json?\$select=:id&a=x" | jq -r '.[0][":id"]')
t '... but :id finds one' 0 send POST none-key1 "[{\":id\":\"$id\",\"b\":\"2\"}]" 3<<'OUT'
{ "Errors" : 0, "Rows Updated" : 1, "Rows Deleted" : 0, "Rows Created" : 0} 200
OUT

# what is refused, and then nothing is done
before=$(rows keys-row1)
refused() {		# refused STATUS CODE METHOD BODY [OPTION...]
	status=$1 want=$2 method=$3 body=$4; shift 4
	got=$(curl -sS -X "$method" -H "Content-Type: ${kind:-application/json}" --data-binary "$body" "$@" -o body -w '%{http_code}' \
	    "$soda/resource/${id:-keys-row1}.json")
	[ "$got $(jq -r '.code // .errorCode' body)" = "$status $want" ]; ok $? "refused: $want" || { echo "# $got"; sed 's/^/# /' body; }
}
id=
refused 403 authentication_required POST '[]'
refused 401 authentication_required POST '[]' -u id:wrong
set -- -u id:secret
refused 400 invalid_request POST '[{"id":"x"},{"id":"y","nope":1}]' "$@"
grep -q 'Illegal field name sent: nope' body; ok $? '... which is named'
for row in '"n":"1,5"' '"n":true' '"n":[1]' '"done":"true"' '"done":1' '"at":"2020-01-31T00:00:00Z"' '"at":"31/01/2020"' \
    '"at":"2020-02-30"' '"at":"2020-01-31 00:05"' '"note":true' '"note":["a"]' '"note":{"a":1}' '"where":{"latitude":1,"longitude":2}' \
    '"where":{"type":"Point","coordinates":["1","2"]}' '"places":{"type":"Point","coordinates":[1,2]}'; do
	refused 400 soda.column.maltyped POST "[{\"id\":\"x\"},{\"id\":\"y\",$row}]" "$@"
done
jq -c .data body >data.out
t 'a wrong type says what' 0 cat data.out 3<<'OUT'
{"field":"places","expected":"multipoint","got":{"type":"Point","coordinates":[1,2]}}
OUT
refused 400 soda.row.primary-key-nonexistent-or-null POST '[{"n":1}]' "$@"
refused 400 soda.row.primary-key-nonexistent-or-null POST '[{"id":null}]' "$@"
refused 400 soda.row.delete-without-primary-key POST '[{":deleted":true}]' "$@"
refused 400 soda.row.upsert-row-not-an-object POST '[1]' "$@"
refused 400 req.content.json.invalid PUT '{"id":"x"}' "$@"
refused 400 req.body.malformed-json POST '[{"id":}]' "$@"
kind=text/plain
refused 415 req.content-type.not-json POST '[]' "$@"
kind=
control '{"set":{"read_only":["keys-row1"]}}'
refused 403 permission_denied PUT '[]' "$@"
control '{"set":{"read_only":[],"synced":["keys-row1"]}}'
refused 400 invalid_request PUT '[]' "$@"
grep -q 'Cannot update a synced dataset manually' body; ok $? '... as synced'
control '{"set":{"synced":[]}}'
[ "$before" = "$(rows keys-row1)" ]; ok $? 'after all that the rows are what they were'

# other answers
control '{"set":{"soft_errors":true}}'
t 'soft errors: the others go through' 0 send POST keys-row1 '[{"id":"s1"},{"id":"s2","n":"x"},{"id":"s3"}]' 3<<'OUT'
{ "Errors" : 1, "Rows Updated" : 0, "Rows Deleted" : 0, "Rows Created" : 2} 200
OUT
control '{"set":{"soft_errors":false,"report":"old"}}'
send POST keys-row1 '[{"id":"s1"}]' >reports
for shape in sparse snake rows zeros updates; do
	control "{\"set\":{\"report\":\"$shape\"}}"
	send POST keys-row1 "[{\"id\":\"s1\"},{\"id\":\"$shape\"},{\"id\":\"nobody\",\":deleted\":true}]" >>reports
done
t 'reports' 0 cat reports 3<<'OUT'
{ "Errors" : 0, "Rows Updated" : 1, "Rows Deleted" : 0, "Rows Created" : 0, "By RowIdentifier" : 1, "By SID" : 0} 200
{ "Errors" : 1, "Rows Updated" : 1, "Rows Created" : 1} 200
{ "errors" : 1, "rows_updated" : 1, "rows_deleted" : 0, "rows_created" : 1} 200
[{"typ": "update", "id": "s1", "ver": "rv-2222.2222.2222"}, {"typ": "insert", "id": "rows", "ver": "rv-2222.2222.2222"}, {"typ": "error", "id": "nobody", "err": "no such row, or a value of a wrong type"}] 200
{ "Errors" : 0, "Rows Updated" : 0, "Rows Deleted" : 0, "Rows Created" : 0} 200
{ "Errors" : 1, "Rows Updated" : 2, "Rows Deleted" : 0, "Rows Created" : 0} 200
OUT
control '{"set":{"report":"counts","lag":2}}'
send PUT keys-row1 '[{"id":"new"}]' >out
for i in 1 2 3; do
	curl -sS -D headers "$soda/resource/keys-row1.json?\$select=count(*)%20as%20n" | jq -r '.[0].n'
	sed -n 's/^X-SODA2-Data-Out-Of-Date: //p' headers | tr -d '\r'
done >seen
t 'readers lag behind' 0 paste -d ' ' - - <seen 3<<'OUT'
9 true
9 true
1 false
OUT

# faults after the work
control '{"set":{"lag":0},"reset":true,"faults":[{"kind":"saved"},{"kind":"failed_after"},{"kind":"no_reply"},{"kind":"late","seconds":0.05}]}'
send POST keys-row1 '{"id":"new","n":1}' >out
grep -q 'Row data was saved.* 400$' out; ok $? 'saved, and a 400' || cat out
send POST keys-row1 '{"id":"new","note":"x"}' >out
grep -q ' 504$' out; ok $? 'done, and a 504' || cat out
send POST keys-row1 '{"id":"two"}' >out 2>err
grep -q 'Empty reply' err; ok $? 'done, and no answer' || cat err
send POST keys-row1 '{"id":"three"}' >out
grep -q ' 200$' out; ok $? 'done, and a late answer' || cat out
t '... done they are' 0 rows keys-row1 3<<'OUT'
[{"id":"new","n":"1","note":"x"}
,{"id":"two"}
,{"id":"three"}]
OUT
done_testing
