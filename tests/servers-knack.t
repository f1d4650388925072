#!/bin/sh
# The stand-in for Knack: what it answers is what api/knack.md says, and its quirks can be had.
. "$(dirname "$0")/lib.sh"
app=5d79512148c4af00106d1507 key=0b5c7c2e-1f6a-4b0e-9a64-1d1f2e3d4c5b
start_server knack "$here/servers/knack.py" --metadata "$data/knack/metadata.json" --rate 0 \
    --records "object_3=$data/knack/all_fields.json" --make object_10=1100 --make object_6=2

as() {			# as KEY PATH [OPTION...]: a call with that key
	k=$1 path=$2; shift 2
	curl -sS -H "X-Knack-Application-Id: $app" -H "X-Knack-REST-API-Key: $k" "$@" "$knack/v1$path"
}
get() {			# get PATH [NAME=VALUE|OPTION...]
	path=$1; shift
	for parameter; do
		case $parameter in
		*=*)	set -- "$@" --data-urlencode "$parameter" ;;
		*)	set -- "$@" "$parameter" ;;
		esac
		shift
	done
	as "$key" "$path" -G "$@"
}
control() {
	[ "$(curl -sS -o control.out -w '%{http_code}' --data-binary "$1" "$knack/control")" = 200 ] || { cat control.out >&2; return 1; }
}
status() {		# status WANTED NAME COMMAND...: the HTTP status, and what is said
	want=$1 name=$2; shift 2
	got=$("$@" -o said -w '%{http_code}'):$(cat said)
	[ "$got" = "$want" ]; ok $? "$name: $want" || echo "# got $got"
}
numbers() {		# numbers FIELD [NAME=VALUE...]: of object_3, the field of what comes
	field=$1; shift
	get /objects/object_3/records rows_per_page=1000 "$@" | jq -r "[.records[].$field] | join(\" \")"
}

# pages
jq -cj . "$data/knack/metadata.json" >document
t 'the metadata, without headers' 0 curl -sSf "$knack/v1/applications/$app" 3<document
get /objects/object_3/records rows_per_page=1000 >page
jq -c '.records[]' "$data/knack/all_fields.json" >want
t 'a page as it is' 0 jq -c '.records[]' page 3<want
t '25 rows unless told, and numbers' 0 sh -c 'jq -c "[.total_pages, .current_page, .total_records, (.records | length)]"' <<IN 3<<'OUT'
$(get /objects/object_10/records)
$(get /objects/object_10/records/ rows_per_page=5000 page=2)
$(get /objects/object_10/records rows_per_page=1000 page=3)
IN
[44,1,1100,25]
[2,2,1100,100]
[2,3,1100,0]
OUT
t 'one record' 0 sh -c 'jq -c .field_6' <<IN 3<<'OUT'
$(get /objects/object_3/records/5d7964422d7159001659b27a)
IN
"Extra Olives"
OUT
t 'a view has its columns only' 0 sh -c 'jq -c ".records[0] | keys"' <<IN 3<<'OUT'
$(as knack '/pages/scene_1/views/view_6/records' | jq '.records[0] |= with_entries(select(.key | test("field_(11|37|6)(_raw)?$")))')
IN
["field_11","field_11_raw","field_6","field_6_raw"]
OUT
[ "$(as knack /scenes/scene_1/views/view_6/records -o page -w '%{http_code}')" = 200 ]; ok $? 'a page by its old name'

# order and filters
[ "$(numbers field_11)" = "$(numbers field_11 sort_field=field_11)" ]; ok $? "the object's own order"
numbers field_11 sort_field=field_11 sort_order=desc | tr ' ' '\n' >down
sort -rn down >sorted; same 'another order' sorted down
while IFS='|' read -r wanted filters; do
	got=$(numbers field_11 "filters=$filters")
	[ "$(echo "$got" | wc -w)" = "$wanted" ]; ok $? "$wanted: $filters" || echo "# $got"
done <<X
$(jq '.records | map(select(.field_11 > 20)) | length' "$data/knack/all_fields.json")|[{"field":"field_11","operator":"higher than","value":"20"}]
$(jq '.records | map(select(.field_11 < 3 or .field_11 > 20)) | length' "$data/knack/all_fields.json")|{"match":"or","rules":[{"field":"field_11","operator":"higher than","value":20},{"field":"field_11","operator":"lower than","value":3}]}
$(jq '.records | map(select(.field_6 == "Extra Olives")) | length' "$data/knack/all_fields.json")|[{"field":"field_6","operator":"is","value":"extra olives"}]
$(jq '.records | map(select(.field_6 == "")) | length' "$data/knack/all_fields.json")|[{"field":"field_6","operator":"is blank"}]
$(jq '.records | map(select(.field_12 == "09/11/2019")) | length' "$data/knack/all_fields.json")|[{"field":"field_12","operator":"is","value":"09/11/2019"}]
$(jq '.records | map(select((.field_12_raw.unix_timestamp // 0) >= 1568246400000)) | length' "$data/knack/all_fields.json")|[{"field":"field_12","operator":"is after","value":"09/11/2019"}]
25|[{"field":"Multiple Choice","operator":"is","value":"nothing"}]
25|[{"field":"field_99","operator":"is","value":"nothing"}]
25|[{"field":"field_12","operator":"is","value":"no date"}]
X

# who may
status '401:Invalid API Request' 'no application' curl -sS "$knack/v1/objects/object_3/records"
status '400:Malformed App ID.' 'what is no id' curl -sS "$knack/v1/applications/nonsense"
status '401:Invalid API key' 'a wrong key' as wrong /objects/object_3/records
status '403:Unauthorized Object Access' 'no key for an object' as knack /objects/object_3/records
status '403:Invalid or Expired Token' 'a page with a login' as knack /pages/scene_6/views/view_18/records
control '{"set":{"token":"eyJ0"}}'
[ "$(as knack /pages/scene_6/views/view_18/records -H 'Authorization: eyJ0' -o page -w '%{http_code}')" = 200 ]; ok $? 'and with it'
status '404:Object not found' 'no such object' get /objects/object_99/records
status '404:Record not found' 'no such record' get /objects/object_3/records/ffffffffffffffffffffffff

# writing
as "$key" /objects/object_10/records -d '{"field_59":"Corn","nonsense":1}' >made
t 'a record is made' 0 jq -c '[.field_60, .field_59, .nonsense, (.id | test("^[0-9a-f]{24}$"))]' made 3<<'OUT'
[1101,"Corn",null,true]
OUT
id=$(jq -r .id made)
t 'and changed, in what is sent' 0 sh -c 'jq -c "[.field_60, .field_59_raw]"' <<IN 3<<'OUT'
$(as "$key" "/objects/object_10/records/$id" -X PUT -d '{"field_59":"Maize"}')
IN
[1101,"Maize"]
OUT
status '400:{"errors":[{"field":"field_59","message":"Topping Name is required."}]}' 'what is required' as "$key" /objects/object_10/records/ -d '{}'
status '400:{"errors":[{"field":"field_59","message":"Topping Name must be unique."}]}' 'what is unique' as "$key" /objects/object_10/records -d '{"field_59":"u7"}'
status '200:{"delete":true}' 'and taken away' as "$key" "/objects/object_10/records/$id" -X DELETE
t 'values of many types' 0 sh -c 'jq -c "[.field_12_raw.unix_timestamp, .field_12_raw.time, .field_13, .field_20_raw.email, .field_29_raw, .field_21, has(\"field_10_raw\"), .field_128_raw]"' <<IN 3<<'OUT'
$(as "$key" /objects/object_3/records -d '{"field_6":"Plain Crust","field_7":"x","field_12":"11/01/2015","field_13":{"date":"11/01/2015","hours":16,"minutes":14},
    "field_20":"a@example.org","field_29":"on","field_21":{"street":"1 Main St","city":"Austin"},"field_10":"","field_128":[]}')
IN
[1446336000000,720,"11/01/2015 16:14","a@example.org",true,"1 Main St<br />Austin",false,[]]
OUT
[ "$(curl -sS "$knack/log" | jq -s 'map(.at) | . == sort and (.[0] > 1e9)')" = true ]; ok $? 'the log tells when'

# limits
control '{"reset":true,"set":{"rate":3,"still":true}}'
for i in 1 2 3 4; do get /objects/object_10/records rows_per_page=1 -o body -D headers -w '%{http_code} '; done >out
[ "$(cat out)" = '200 200 200 429 ' ] && [ "$(cat body)" = 'Rate limit exceeded' ]; ok $? 'one call too many' || cat out
grep -q '^X-RateLimit-Reset: 1600000001' headers; ok $? '... until the second is over'
control '{"set":{"clock":1}}'
[ "$(get /objects/object_10/records rows_per_page=1 -o body -w '%{http_code}')" = 200 ]; ok $? '... and then again'
control '{"reset":true,"set":{"rate":0,"still":false,"clock":0,"plan":1,"plan_reset":5000}}'
for i in 1 2; do get /objects/object_10/records rows_per_page=1 -o body -D headers -w '%{http_code} '; done >out
[ "$(cat out)" = '200 429 ' ]; ok $? "the day's calls are used up" || cat out
grep -q '^X-PlanLimit-Remaining: 0' headers && grep -q '^X-PlanLimit-Reset: 5000' headers; ok $? '... and it says so'
control '{"reset":true,"set":{"plan":-1,"extra":1,"most":10,"lag":2},"faults":[{"kind":"status","status":503}]}'
[ "$(get /objects/object_10/records -o body -w '%{content_type}')" = 'text/html; charset=utf-8' ]; ok $? '503 is a page of HTML'
get /objects/object_10/records rows_per_page=500 page=110 >body
t 'an estimate that is too high, a page that is too small, records that stay behind' 0 jq -c '[.total_records, (.records | length)]' body 3<<'OUT'
[1101,8]
OUT

# changes
control '{"reset":true,"set":{"extra":0,"most":1000,"lag":0},"between":{"match":"page=1$","after":1,"do":[{"delete":{"object":"object_10","ids":["5f0000000000000000000001"]}},
	{"insert":{"object":"object_10","records":[{"field_59":"new"}]}},{"update":{"object":"object_10","id":"5f0000000000000000000002","fields":{"field_59":"other"}}}]}}'
get /objects/object_10/records rows_per_page=2 page=1 | jq -c '[.records[].field_59]' >seen
get /objects/object_10/records rows_per_page=2 page=1 | jq -c '[.total_records, .records[].field_59]' >>seen
t 'records change between two pages' 0 cat seen 3<<'OUT'
["u1","u2"]
[1100,"other","u3"]
OUT
control '{"drop_field":{"object":"object_10","field":"field_59"}}'
t 'a field goes' 0 sh -c 'jq -c "[.records[0] | keys]"' <<IN 3<<'OUT'
$(get /objects/object_10/records rows_per_page=1)
IN
[["field_60","field_60_raw","id"]]
OUT
run 22 'an order that it does not know is refused' curl -sSf --data '{"delete":{"object":"object_10"}}' "$knack/control"

# the same of an application and records that are not ours
if have_real knack; then
	stop_server knack
	start_server knack "$here/servers/knack.py" --metadata "$real_data/knack/metadata.json" --rate 0 --records "object_3=$real_data/knack/all_fields.json"
	jq -cj . "$real_data/knack/metadata.json" >document
	t 'the real metadata' 0 curl -sSf "$knack/v1/applications/$(jq -r .application.id document)" 3<document
	get /objects/object_3/records rows_per_page=1000 >page
	jq -c '.records[]' "$real_data/knack/all_fields.json" >want
	t 'a page of real records' 0 jq -c '.records[]' page 3<want
fi
done_testing
