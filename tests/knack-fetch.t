#!/bin/sh
# knack-fetch: what is asked of Knack, and what comes out.
. "$(dirname "$0")/lib.sh"
unset http_proxy all_proxy ALL_PROXY
export KNACK_APP_ID=5d79512148c4af00106d1507 KNACK_API_KEY=0b5c7c2e-1f6a-4b0e-9a64-1d1f2e3d4c5b
meta=$data/knack/metadata.json

# records that no program of ours may touch
cat >odd.ndjson <<'X'
{"id":"5d7964422d7159001659b27a","field_60":1,"field_60_raw":1,"field_59":"a\u00e9\/b","field_59_raw":"a\u00e9\/b","n":[1.10,1E+2,12345678901234567890,-0]}
{"id":"5d7964422d7159001659b27b", "field_60" : 2,"field_60_raw":2 ,"field_59":"é \"q\" \\","field_59_raw":"é"}
{"field_59":"<br />","field_60_raw":30,"field_60":30,"field_59_raw":"\n","id":"5d7964422d7159001659b27c"}
X
start_server knack "$here/servers/knack.py" --metadata "$meta" --rate 0 --records object_10=odd.ndjson \
    --records "object_3=$data/knack/all_fields.json" --make object_4=3000 --make object_7=40
f() { knack-fetch --base-url "$knack" --retry-wait 0.01 "$@"; }
log() { curl -sS "$knack/log"; }
control() {
	[ "$(curl -sS -o control.out -w '%{http_code}' --data-binary "$1" "$knack/control")" = 200 ] || give_up "control: $(cat control.out)"
}
asked() {		# the records' requests since the last reset, as jq's filter $1 shows them
	log | grep -v '/applications/' | jq -c "$1"
}

# what comes out
t 'records byte for byte' 0 f --object object_10 3<odd.ndjson
t '... page by page' 0 f --object object_10 --page-size 1 3<odd.ndjson
jq -c '.records[]' "$data/knack/all_fields.json" >all.ndjson
t 'every type of field' 0 f --object object_3 3<all.ndjson
if have_real knack; then
	start_server real_knack "$here/servers/knack.py" --metadata "$real_data/knack/metadata.json" --rate 0 --records "object_3=$real_data/knack/all_fields.json"
	jq -c '.records[]' "$real_data/knack/all_fields.json" >real.ndjson
	t '... of real records' 0 env KNACK_APP_ID="$(jq -r .application.id "$real_data/knack/metadata.json")" \
	    knack-fetch --base-url "$real_knack" --object object_3 3<real.ndjson
fi
control '{"reset":true,"faults":[{"match":"object_10","kind":"nonsense","body":"{\n \"total_pages\" : \"1\",\r\n \"current_page\":\"1\",\"total_records\":\"2\", \"records\": [ {\n  \"id\":\"5d7964422d7159001659b27a\",\r\n  \"field_60\":1, \"a\":\"\\n\" }\n,\n {\"id\":\"5d7964422d7159001659b27b\",\"field_60\":2}\n] }\n"}]}'
t 'line breaks inside a record go, numbers may be texts' 0 f --object object_10 3<<'OUT'
{  "id":"5d7964422d7159001659b27a",  "field_60":1, "a":"\n" }
{"id":"5d7964422d7159001659b27b","field_60":2}
OUT
control '{"reset":true}'
run 0 'three pages' f --object object_4
[ "$(jq -r .field_55 out | uniq | wc -l)" -eq 3000 ] && [ "$(jq -r .field_55 out | sed -n '1p;$p' | tr '\n' ' ')" = '1 3000 ' ]
ok $? '... hold every record once, in order'
asked '[.query | .rows_per_page, .page, .sort_field, .sort_order, .filters]' >seen
t '... and each is asked for by what comes after the last' 0 cat seen 3<<'OUT'
["1000","1","field_55","asc",null]
["1000","1","field_55","asc","{\"match\":\"and\",\"rules\":[{\"field\":\"field_55\",\"operator\":\"higher than\",\"value\":\"1000\"}]}"]
["1000","1","field_55","asc","{\"match\":\"and\",\"rules\":[{\"field\":\"field_55\",\"operator\":\"higher than\",\"value\":\"2000\"}]}"]
["1000","1","field_55","asc","{\"match\":\"and\",\"rules\":[{\"field\":\"field_55\",\"operator\":\"higher than\",\"value\":\"3000\"}]}"]
OUT
control '{"reset":true}'
run 0 'an object without an auto increment' f --object object_7 --page-size 17
[ "$(jq -r .id out | sort -u | wc -l)" -eq 40 ]; ok $? '... every record once'
asked '[.query | .page, .sort_field]' >seen
t '... by page numbers' 0 cat seen 3<<'OUT'
["1",null]
["2",null]
["3",null]
OUT
control '{"reset":true}'
f --object object_4 --sort field_71:desc --page-size 1000 | jq -r .field_55 >numbers
seq 3000 -1 1 >want; same '--sort' want numbers
f --object object_4 --sort 'Order ID:desc' --limit 2 | jq -r .field_55 >numbers
head -n 2 want >want.2; same '--sort by name' want.2 numbers
asked '[.query | .rows_per_page, .page, .sort_field, .sort_order]' >seen
t '... as it is asked' 0 tail -n 2 seen 3<<'OUT'
["1000","4","field_71","desc"]
["2","1","field_55","desc"]
OUT

# --filters
rule='{"field":"field_55","operator":"lower than","value":3}'
t '--filters, all of them' 0 sh -c 'knack-fetch --base-url "$0" --object object_4 --filters "[$1]" | jq .field_55' "$knack" "$rule" 3<<'OUT'
1
2
OUT
t '--filters, any of them' 0 sh -c 'knack-fetch --base-url "$0" --object object_4 --page-size 2 --filters \
    "{\"match\":\"or\",\"rules\":[$1,{\"field\":\"field_55\",\"operator\":\"is\",\"value\":\"2999\"}]}" | jq .field_55' "$knack" "$rule" 3<<'OUT'
1
2
2999
OUT
t '--count' 0 f --object object_4 --count 3<<'OUT'
3000
OUT
t '--count with a filter' 0 f --object object_4 --count --filters "[$rule]" 3<<'OUT'
2
OUT
[ "$(log | tail -n 1 | jq -r .query.rows_per_page)" = 1 ]; ok $? '... costs one record'
run 0 'an operator that may be new' f --object object_4 --limit 1 --filters '[{"field":"field_55","operator":"resembles","value":1}]'
said 'operator "resembles" is not known here'

# --since
since() {		# since NAME WANTED FIELD=TIMESTAMP [OPTION...]: the first order that comes, and how many
	name=$1 want=$2 at=$3; shift 3
	f --object object_4 --since "$at" "$@" 2>err | jq -r .field_55 >numbers
	got=$(head -n 1 numbers):$(wc -l <numbers)
	[ "$got" = "$want" ]; ok $? "--since $at: $name" || { echo "# got $got"; sed 's/^/# /' err; }
}
control '{"reset":true}'
since 'local time' 2876:125 field_71=2020-01-02T23:55
asked .query.filters >seen
t '... asks for days' 0 jq -c 'fromjson' seen 3<<'OUT'
{"match":"or","rules":[{"field":"field_71","operator":"is","value":"01/02/2020"},{"field":"field_71","operator":"is after","value":"01/02/2020"}]}
{"match":"and","rules":[{"field":"field_71","operator":"is after","value":"01/01/2020"},{"field":"field_55","operator":"higher than","value":"2440"}]}
OUT
since 'a space' 2876:125 'field_71=2020-01-02 23:55:00'
since 'UTC' 2876:125 field_71=2020-01-03T05:55:00Z
since 'an offset' 2876:125 field_71=2020-01-03T06:55+01:00
since 'POSIX seconds' 2876:125 field_71=1578030900
since '... with a fraction' 2876:125 field_71=1578030900.5
since 'Knack keeps minutes' 2876:125 field_71=2020-01-03T05:55:59Z
since 'the next minute' 2877:124 field_71=2020-01-03T05:56:00Z
since "the field's name" 2876:125 'Order Date=2020-01-02T23:55'
since 'a day' 2881:120 field_71=2020-01-03
since 'long ago' 1:3000 field_71=1999-01-01
since 'pages in which none is wanted' 2876:125 field_71=2020-01-02T23:55 --page-size 300
since 'with a limit' 2876:3 field_71=2020-01-02T23:55 --limit 3
since 'with --filters' 2876:24 field_71=2020-01-02T23:55 --filters '[{"field":"field_55","operator":"lower than","value":2900}]'
since 'with --sort' 3000:125 field_71=2020-01-02T23:55 --sort field_55:desc
since 'with another zone' 2816:185 field_71=2020-01-03T05:55:00Z --zone America/Denver
t '--count counts what is kept' 0 f --object object_4 --count --since field_71=2020-01-02T23:55 3<<'OUT'
125
OUT
since 'nothing as new' :0 field_71=2030-01-01
run 99 '--empty-exit' f --object object_4 --since field_71=2030-01-01 --empty-exit 99
run 99 '... of --count' f --object object_4 --since field_71=2030-01-01 --empty-exit 99 --count
run 65 '--expect-rows' f --object object_4 --since field_71=2030-01-01 --expect-rows 1
said 'knack-fetch: 0 records, but --expect-rows 1'
t '... as many' 0 f --object object_10 --expect-rows 3 --empty-exit 99 3<odd.ndjson

# the clock goes back at 2019-11-03 02:00, and on at 2019-03-10 02:00, in Chicago
control '{"insert":{"object":"object_7","records":[]}}'
jq '.application.objects[2].fields |= map(if .key == "field_71" then .format.date_format = "dd/mm/yyyy" else . end)
    | .application.objects[2].fields |= map(if .key == "field_74" then .type = "date_time" | .format = {date_format: "mm/dd/yyyy", time_format: "Ignore Time"} else . end)
    | .application.objects[2].fields |= map(if .key == "field_73" then .type = "date_time" | .format = {date_format: "M D, yyyy"} else . end)' "$meta" >clocks.json
start_server clocks "$here/servers/knack.py" --metadata clocks.json --rate 0
curl -sS -o control.out --data-binary '{"insert":{"object":"object_4","records":[{"field_71":"10/03/2019 01:59"},{"field_71":"10/03/2019 03:30"},
    {"field_71":"03/11/2019 00:30"},{"field_71":"03/11/2019 01:30"},{"field_71":"03/11/2019 02:30"},
    {"field_71":"01/01/2000","field_74":"11/03/2019"},{"field_71":"01/01/2000","field_74":"11/02/2019"}]}}' "$clocks/control"
while read -r at wanted; do
	got=$(knack-fetch --base-url "$clocks" --object object_4 --since "$at" 2>err | jq -r .field_55 | tr '\n' ' ')
	[ "$got" = "$wanted " ]; ok $? "--since $at: $wanted" || { echo "# got $got"; sed 's/^/# /' err; }
done <<'X'
field_71=2019-11-03T06:45:00Z 4 5
field_71=2019-11-03T07:30:00Z 4 5
field_71=2019-11-03T07:31:00Z 5
field_71=2019-11-03T05:30:00Z 3 4 5
field_71=2019-11-03T05:31:00Z 4 5
field_71=2019-03-10T08:00:00Z 2 3 4 5
field_71=2019-03-10T07:59:00Z 1 2 3 4 5
field_74=2019-11-03T13:00 6
field_74=2019-11-02T13:00 6 7
X
curl -sS "$clocks/log" | jq -r 'select(.query.filters) | .query.filters | fromjson.rules[0].value' | sed -n 1p >seen
t "the day is written as the field's format has it" 0 cat seen 3<<'OUT'
03/11/2019
OUT
knack-fetch --base-url "$clocks" --object object_4 --since field_73=2019-11-03 >out 2>err
[ "$(curl -sS "$clocks/log" | tail -n 1 | jq -r '.query.filters | fromjson.rules[0].value')" = 'November 3, 2019' ]; ok $? '... a month by its name'

# a filter that Knack would pass over in silence
control '{"reset":true}'
run 65 'a field that is not there' f --object object_4 --filters '[{"field":"field_999","operator":"is","value":1}]'
said 'field_999 is no field of object_4 (orders)'
run 65 'a field of another object' f --object object_4 --filters '{"match":"or","rules":[{"field":"field_59","operator":"is","value":1}]}'
run 65 '... in a group' f --object object_4 --filters '{"match":"or","rules":[],"groups":[[{"field":"field_59","operator":"is","value":1}]]}'
run 65 '--since' f --object object_4 --since field_59=2020-01-01
run 65 '--since by a name' f --object object_4 --since 'No Date=2020-01-01'
said '"No Date" is no field of object_4 (orders)'
run 65 '--sort' f --object object_4 --sort nothing
run 65 '--since by what is no date' f --object object_4 --since field_73=2020-01-01
said 'field_73 (Order Type) is no date but multiple_choice'
run 65 '--since by a time of no day' f --object object_3 --since field_14=2020-01-01
said 'has times without a date'
asked .target >seen
same 'nothing was asked' /dev/null seen
control '{"set":{"deaf":["field_71"]}}'
t 'a server that leaves --since out' 76 f --object object_4 --since field_71=2020-01-05 3</dev/null
said 'has an older day: Knack leaves a rule out and sends everything'
control '{"set":{"deaf":[]}}'
control '{"update":{"object":"object_7","id":"'"$(f --object object_7 --limit 1 | jq -r .id)"'","fields":{"field_42":""}}}'
f --describe >app.json
control '{"drop_field":{"object":"object_7","field":"field_67"}}'
t 'a field that went since --metadata was fetched' 76 f --metadata app.json --object object_7 --filters '[{"field":"field_67","operator":"is not blank"}]' 3</dev/null
said 'a field of --filters is not there'
t '... for --count too' 76 f --metadata app.json --object object_7 --count --filters '[{"field":"field_67","operator":"is not blank"}]' 3</dev/null
run 65 '... and with metadata of today' f --object object_7 --filters '[{"field":"field_67","operator":"is not blank"}]'

# views
control '{"reset":true}'
t 'a view of a public page needs no key' 0 env -u KNACK_API_KEY knack-fetch --base-url "$knack" --view view_6 --scene scene_1 --count 3<<'OUT'
25
OUT
asked '[.path, .headers["x-knack-rest-api-key"], .headers["x-knack-application-id"]]' >seen
t '... but the word knack' 0 cat seen 3<<OUT
["/v1/pages/scene_1/views/view_6/records","knack","$KNACK_APP_ID"]
OUT
run 0 'the metadata know the page' f --view view_6
[ "$(jq -s 'map(keys | length > 10) | all' out)" = true ] && [ "$(wc -l <out)" -eq 25 ]; ok $? '... its columns came'
asked '[.path, .headers["x-knack-rest-api-key"]]' | tail -n 1 >seen
t '... with the key where there is one' 0 cat seen 3<<OUT
["/v1/pages/scene_1/views/view_6/records","$KNACK_API_KEY"]
OUT
run 0 '--since in a view' f --view view_18 --since field_37=2019-09-13T02:43
jq -r .field_11 out >numbers
jq -r 'select((.field_37_raw.unix_timestamp // 0) >= 1568342580000) | .field_11' all.ndjson >want
[ -s want ] && same '... by its column' want numbers
run 76 '--since by what is no column' f --view view_6 --since field_37=2000-01-01
said 'is it a column of the view'
t 'a page with a login' 77 env -u KNACK_API_KEY knack-fetch --base-url "$knack" --view view_18 3</dev/null
said 'refused (403): "Invalid or Expired Token": KNACK_API_KEY is not set'
run 65 'a view of another page' f --view view_18 --scene scene_1
said 'view_18 is in scene_6, not in scene_1'

# --describe
printf '%s\n' "$(cat "$meta")" >meta.json
control '{"reset":true}'
start_server whole "$here/servers/knack.py" --metadata "$meta" --rate 0
t '--describe, without a key' 0 env -u KNACK_API_KEY knack-fetch --base-url "$whole/v1/" --describe 3<<OUT
$(jq -c . "$meta")
OUT
t '--metadata is not asked for again' 0 knack-fetch --base-url "$knack" --metadata "$meta" --object object_10 3<odd.ndjson
[ "$(log | grep -c applications)" -eq 0 ]; ok $? '... indeed'
t '... and knows the application' 0 env -u KNACK_APP_ID knack-fetch --base-url "$knack" --metadata "$meta" --object object_10 3<odd.ndjson
t '--metadata -' 0 sh -c 'knack-fetch --base-url "$0" --metadata - --object object_10 <"$1"' "$knack" "$meta" 3<odd.ndjson
run 78 '... of another application' env KNACK_APP_ID=5d79512148c4af00106d1508 knack-fetch --base-url "$knack" --metadata "$meta" --object object_10
run 66 'no such file' f --metadata nowhere --object object_10
echo '{}' >empty.json
run 65 'no metadata in it' f --metadata empty.json --object object_10
said 'no "application"'

# who asks
echo "$KNACK_API_KEY" >key
t 'the key from a file' 0 env -u KNACK_API_KEY KNACK_API_KEY_FILE=key knack-fetch --base-url "$knack" --object object_10 3<odd.ndjson
t 'a wrong key' 77 env KNACK_API_KEY=wrong-key knack-fetch --base-url "$knack" --object object_10 3</dev/null
said 'refused (401): "Invalid API key": check KNACK_API_KEY'
said_not wrong-key
run 78 'no key for an object' env -u KNACK_API_KEY knack-fetch --base-url "$knack" --object object_10
said 'KNACK_API_KEY is not set'
run 78 'no application' env -u KNACK_APP_ID knack-fetch --base-url "$knack" --object object_10
said 'KNACK_APP_ID is not set'
run 78 'what is no application' env KNACK_APP_ID=my-app knack-fetch --base-url "$knack" --object object_10
said 'want 24 hex digits'
run 76 'an application that is not there' env KNACK_APP_ID=5d79512148c4af00106d1508 knack-fetch --base-url "$knack" --object object_10
said 'no application 5d79512148c4af00106d1508: check KNACK_APP_ID'
run 76 'an object that is not there' f --object object_99
said 'no object_99 in the application'
run 76 'a view that is not there' f --view view_99
jq '.application.id = "5d79512148c4af00106d1508"' "$meta" >other.json
t 'an application that Knack does not know any more' 77 env -u KNACK_APP_ID knack-fetch --base-url "$knack" --metadata other.json \
    --object object_10 3</dev/null
said 'refused (401): "Invalid API Request": check KNACK_APP_ID'

# wrong calls
control '{"reset":true}'
while IFS='|' read -r name call; do
	eval "run 64 '$name' f $call"
done <<'X'
nothing|
an object and a view|--object object_1 --view view_1
an object by its name|--object toppings
an object of no number|--object object_
a view by its name|--view pizzas
a page alone|--scene scene_1
a page for an object|--object object_10 --scene scene_1
a page by its name|--view view_1 --scene home
an operand|--object object_10 object_3
no FIELD in --since|--object object_4 --since 2020-01-01
an empty FIELD in --since|--object object_4 --since =2020-01-01
no time in --since|--object object_4 --since field_71=
an American time in --since|--object object_4 --since field_71=01/31/2020
a time past 9999 in --since|--object object_4 --since field_71=999999999999
an empty --sort|--object object_4 --sort :desc
filters that are no JSON|--object object_4 --filters '{field_55 is 1}'
filters that are cut|--object object_4 --filters '[{"field":"field_55"'
filters and more|--object object_4 --filters '[{"field":"field_55","operator":"is","value":1}] x'
filters that are a number|--object object_4 --filters 5
filters without a rule|--object object_4 --filters '[]'
filters of numbers|--object object_4 --filters '[5]'
a rule on a name|--object object_4 --filters '[{"field":"Order ID","operator":"is","value":1}]'
a rule without an operator|--object object_4 --filters '[{"field":"field_55","value":1}]'
filters that match all|--object object_4 --filters '{"match":"all","rules":[{"field":"field_55","operator":"is","value":1}]}'
filters with a slip|--object object_4 --filters '{"match":"and","rule":[{"field":"field_55","operator":"is","value":1}]}'
--since and filters of which one may hold|--object object_4 --since field_71=2020-01-01 --filters '{"match":"or","rules":[{"field":"field_55","operator":"is","value":1}]}'
a page of no rows|--object object_4 --page-size 0
a page of too many|--object object_4 --page-size 1001
--describe of an object|--describe --object object_4
--count of some|--count --object object_4 --limit 5
--count with --resume|--count --object object_4 --resume state
a slug and a URL|--object object_4 --slug atd
X
run 64 'a slug that is none' knack-fetch --slug 'a.b/' --object object_4
run 64 'a base that is none' knack-fetch --base-url ftp://x --object object_4
run 64 'a key over plain http' knack-fetch --base-url http://knack.example.com --metadata "$meta" --object object_10 --retries 0
said 'plain http would show the credentials'
said_not "$KNACK_API_KEY"
log >requests
same 'no wrong call asks the server' /dev/null requests

# standard files
run 74 'a full disk is no success' sh -c 'knack-fetch --base-url "$0" --object object_10 >/dev/full' "$knack"
run 74 '... nor for --count' sh -c 'knack-fetch --base-url "$0" --object object_10 --count >/dev/full' "$knack"
run 74 '... nor for --describe' sh -c 'knack-fetch --base-url "$0" --describe >/dev/full' "$knack"
run 74 'a closed stdout' sh -c 'knack-fetch --base-url "$0" --object object_10 >&-' "$knack"
t 'a closed stdin is not needed' 0 sh -c 'knack-fetch --base-url "$0" --object object_10 <&-' "$knack" 3<odd.ndjson
run 74 'an application that cannot be read' sh -c 'knack-fetch --base-url "$0" --object object_10 --metadata - <.' "$knack"
t 'a reader that leaves ends it quietly' 0 sh -c 'knack-fetch --base-url "$0" --object object_4 --page-size 300 | head -n 1 | jq .field_55' "$knack" 3<<'OUT'
1
OUT
same '... without a word' /dev/null err
run 0 '--help' knack-fetch --help
done_testing
