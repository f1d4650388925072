#!/bin/sh
# The stand-in servers: what they answer is what api/socrata.md and api/slack.md say, and every fault can be had.
. "$(dirname "$0")/lib.sh"
servers=$here/servers

mkdir data
cat >data/abcd-1234.csv <<'X'
key,n,at,what,where
1,10,2020-01-01T00:05:00,plain,POINT (-118.5 34.1)
2,9,2020-01-02,"say ""hi"", they
said",
3,,2020-01-03T00:00:00.000,"",
4,-1.50,2020-01-04T10:00:00.000,Bob's é,
X
cat >data/abcd-1234.json <<'X'
{"name":"Four rows","rowIdentifier":"key","columns":[{"fieldName":"n","dataTypeName":"number","name":"The N"},
{"fieldName":"at","dataTypeName":"calendar_date","name":"At"},{"fieldName":"where","dataTypeName":"point"}]}
X
"$servers/make311.py" --rows 2500 --years 2020 --ids many-rows data
start_server soda "$servers/soda.py" --data data --token good
start_server slack "$servers/slack.py"
start_server status "$servers/status_api.py"

get() {			# get PATH [PARAMETER|OPTION...]: curl with the parameters encoded
	path=$1; shift
	for parameter; do
		case $parameter in
		*=*)	set -- "$@" --data-urlencode "$parameter" ;;
		*)	set -- "$@" "$parameter" ;;
		esac
		shift
	done
	curl -sS -G "$@" "$soda$path"
}
rows() {		# rows [PARAMETER...]: the small dataset as JSON
	get /resource/abcd-1234.json "$@"
}
control() {		# control SERVER JSON
	curl -sS -o control.out -w '%{http_code}\n' --data-binary "$2" "$1/control" >control.status
	read -r code <control.status && [ "$code" = 200 ] || { cat control.out >&2; return 1; }
}
fault() {		# fault NAME STATUS JSON COMMAND...: curl's exit status under one fault
	control "$soda" "{\"reset\":true,\"faults\":[$3]}"
	name=$1 want=$2; shift 3
	run "$want" "fault: $name" "$@"
}

# what is faithful

t 'JSON: a row a line, nulls left out, numbers as text, points as GeoJSON' 0 rows '$order=:id' '$limit=2' 3<<'OUT'
[{"key":"1","n":"10","at":"2020-01-01T00:05:00.000","what":"plain","where":{"type":"Point","coordinates":[-118.5,34.1]}}
,{"key":"2","n":"9","at":"2020-01-02T00:00:00.000","what":"say \"hi\", they\nsaid"}]
OUT
t 'CSV: all in quotes, null and "" apart' 0 get /resource/abcd-1234.csv '$order=:id' '$where=key > '"'1'" 3<<'OUT'
"key","n","at","what","where"
"2","9","2020-01-02T00:00:00.000","say ""hi"", they
said",
"3",,"2020-01-03T00:00:00.000","",
"4","-1.50","2020-01-04T10:00:00.000","Bob's é",
OUT
t 'nothing found is []' 0 rows "key=9" 3<<'OUT'
[]
OUT
t 'a count is text' 0 rows '$select=count(*) as n' 3<<'OUT'
[{"n":"4"}]
OUT
while read -r wanted where; do
	rows '$order=:id' '$select=key' "\$where=$where" >out 2>err
	[ "$(jq -r 'map(.key) | join(",")' out)" = "$wanted" ]
	ok $? "where $where" || cat out
done <<'X'
1,2 n > 0
1 n > 9
4 n < '0' and not key = '1'
3 n is null
1,2,4 n is not null
2,3 key in ('2', '3')
1,4 key not in ('2','3')
2,3 at between '2020-01-02' and '2020-01-03T00:00:00'
4 what = 'Bob''s é'
2 `what` like 'say%said'
1,2,4 (key = '1' or key = '2') or key = '4' and what is not null
3 what = ''
X
[ "$(for i in 1 2 3 4 5 6 7 8; do get /resource/many-rows.json '$limit=5' | md5sum; done | sort -u | wc -l)" -gt 1 ]
ok $? 'no order is none'

get /resource/many-rows.json '$select=:id,srnumber' '$order=:id' '$limit=5000' | jq -c '.[]' >all
[ "$(wc -l <all)" -eq 2500 ]; ok $? 'every row comes under $order=:id'
jq -r '.":id"' all >ids
! sort -c ids 2>/dev/null; ok $? 'ids as strings are in another order'
! grep -qvxE 'row-[2-9a-z]{4}[-._~][2-9a-z]{4}[-._~][2-9a-z]{4}' ids; ok $? 'ids look like row-pdxn~kakk.kfji'
: >paged; after=
while get /resource/many-rows.json '$select=:id,srnumber' '$order=:id' ${after:+"\$where=:id > '$after'"} |
    jq -c '.[]' >page && [ -s page ]; do
	cat page >>paged
	after=$(tail -n 1 page | jq -r '.":id"')
done
same 'pages by :id are all rows, once' all paged
for offset in 0 1000 2000; do
	get /resource/many-rows.json '$select=:id,srnumber' '$order=:id' "\$offset=$offset" | jq -c '.[]'
done >paged
same 'so are pages by offset, of 1,000 rows' all paged

head_of() {		# head_of PATH [PARAMETER...]: the reply's headers, without CR
	get "$@" -D headers >/dev/null; tr -d '\r' <headers
}
curl -sS -D headers -o body "$soda/resource/abcd-1234.csv?\$limit=0"
tr -d '\r' <headers >heads
grep -qx 'X-SODA2-Types: \["text","number","floating_timestamp","text","point"\]' heads; ok $? 'X-SODA2-Types'
grep -qx 'X-SODA2-Fields: \["key","n","at","what","where"\]' heads; ok $? 'X-SODA2-Fields'
grep -q '^X-SODA2-Truth-Last-Modified: .* GMT$' heads; ok $? 'X-SODA2-Truth-Last-Modified'
[ "$(cat body)" = '"key","n","at","what","where"' ]; ok $? '$limit=0 is the header'
tag=$(sed -n 's/^ETag: //p' heads)
[ "$(curl -sS -o body -w '%{http_code}' -H "If-None-Match: $tag" "$soda/resource/abcd-1234.csv?\$limit=0")" = 304 ]
ok $? 'ETag and 304'
[ "$(curl -sS --raw -H 'Accept-Encoding: gzip' "$soda/resource/abcd-1234.csv?\$order=:id" | gzip -dc | wc -l)" -eq 6 ]
ok $? 'gzip for who asks'

refused() {		# refused CODE ERROR PATH [PARAMETER...]
	code=$1 error=$2; shift 2
	got=$(get "$@" -o body -w '%{http_code}')
	[ "$got $(jq -r '.code // .errorCode' body)" = "$code $error" ]
	ok $? "$code $error" || { echo "# $got"; sed 's/^/# /' body; }
}
refused 404 dataset.missing /resource/none-none.json
refused 400 query.soql.no-such-column /resource/abcd-1234.json 'limit=5'
refused 400 query.soql.bad-parse /resource/abcd-1234.json '$where=key = = 3'
refused 400 query.soql.unexpected-eof /resource/abcd-1234.json '$where=(key'
refused 400 query.soql.unterminated-string /resource/abcd-1234.json "\$where=key = 'x"
refused 400 query.soql.no-such-function /resource/abcd-1234.json '$where=f(key)'
refused 400 query.soql.type-mismatch /resource/abcd-1234.json "\$where=:id > 'row-1'"
refused 400 query.soql.type-mismatch /resource/abcd-1234.json "\$where=at > 'monday'"
refused 403 permission_denied /resource/abcd-1234.json '$$app_token=bad'

t 'system fields on demand' 0 sh -c 'curl -sSg "$1/resource/abcd-1234.json?\$select=:*,key&\$order=key&\$limit=1" |
	jq -c ".[0] | keys_unsorted"' - "$soda" 3<<'OUT'
[":id",":version",":created_at",":updated_at","key"]
OUT
t 'the bulk download: display names and dates' 0 curl -sS "$soda/api/views/abcd-1234/rows.csv?accessType=DOWNLOAD" 3<<'OUT'
key,The N,At,what,where
1,10,01/01/2020 12:05:00 AM,plain,POINT (-118.5 34.1)
2,9,01/02/2020 12:00:00 AM,"say ""hi"", they
said",
3,,01/03/2020 12:00:00 AM,,
4,-1.50,01/04/2020 10:00:00 AM,Bob's é,
OUT
t 'metadata' 0 sh -c 'curl -sS "$1/api/views/abcd-1234.json" | jq -c "[.name, (.columns[1] | .fieldName, .dataTypeName)]"
	curl -sS "$1/api/views/abcd-1234/columns.json" | jq length' - "$soda" 3<<'OUT'
["Four rows","n","number"]
5
OUT
v3() {			# v3 JSON [OPTION...]
	body=$1; shift
	curl -sS -H 'Content-Type: application/json' --data "$body" "$@" "$soda/api/v3/views/abcd-1234/query.json"
}
t 'SODA 3: pages, and a query' 0 v3 '{"query":"SELECT key, n WHERE key > '"'1'"' ORDER BY n DESC",
	"page":{"pageNumber":2,"pageSize":1},"includeSystem":false,"includeSynthetic":false}' 3<<'OUT'
[{"key":"2","n":"9"}]
OUT
t 'SODA 3: system fields unless told' 0 sh -c 'curl -sSG "$1/api/v3/views/abcd-1234/query.json" -d pageNumber=1 -d pageSize=1 \
	--data-urlencode "query=SELECT key" | jq -c ".[0] | keys_unsorted"' - "$soda" 3<<'OUT'
[":id",":version",":created_at",":updated_at","key"]
OUT
t 'SODA 3: the export' 0 sh -c 'curl -sS "$1/api/v3/views/abcd-1234/export.csv" | sed 1q' - "$soda" 3<<'OUT'
"key","n","at","what","where"
OUT
control "$soda" '{"set":{"token_required":true}}'
[ "$(v3 '{}' -o body -w '%{http_code}')" = 403 ]; ok $? 'SODA 3 without a token is refused'
[ "$(v3 '{}' -H 'X-App-Token: good' -o body -w '%{http_code}')" = 200 ]; ok $? 'and with one is served'

control "$soda" '{"set":{"token_required":false,"key":"id:secret","private":["abcd-1234"]}}'
refused 403 authentication_required /resource/abcd-1234.json
refused 401 authentication_required /resource/abcd-1234.json -uid:wrong
[ "$(get /resource/abcd-1234.json -uid:secret -o body -w '%{http_code}')" = 200 ]; ok $? 'private, with the key'
control "$soda" '{"set":{"private":[],"schema_headers":"json","out_of_date":true,"legacy":true,"no_gzip":true}}'
get /resource/abcd-1234.csv --compressed -D headers >body
! grep -qiE '^(x-soda2-(fields|types)|content-encoding):' headers; ok $? 'no schema on CSV, no gzip, when told'
grep -qi '^x-soda2-data-out-of-date: true' headers && grep -qi '^x-soda2-legacy-types: true' headers
ok $? 'out of date and SODA 2.0, when told'
control "$soda" '{"set":{"schema_headers":"all","out_of_date":false,"legacy":false,"no_gzip":false}}'

# what changes

before=$(head_of /resource/abcd-1234.json | grep Truth)
control "$soda" '{"reset":true,"between":{"match":"offset=2","after":1,"do":{"append":{"id":"abcd-1234","rows":[{"key":"5"}]}}}}'
for offset in 0 2 4; do rows '$order=:id' '$select=key' '$limit=2' "\$offset=$offset"; done >out
[ "$(jq -r '.[].key' out | tr '\n' ' ')" = '1 2 3 4 5 ' ]; ok $? 'a row arrives between two pages'
[ "$before" != "$(head_of /resource/abcd-1234.json | grep Truth)" ]; ok $? 'and the time of the last change shows it'
control "$soda" '[{"upsert":{"id":"abcd-1234","key":"key","rows":[{"key":"2","what":"new"},{"key":"6"}]}},
	{"delete":{"id":"abcd-1234","where":"key = '"'1'"'"}},
	{"add_column":{"id":"abcd-1234","fieldName":"extra","value":"x"}},
	{"rename_column":{"id":"abcd-1234","from":"what","to":"said"}},
	{"drop_column":{"id":"abcd-1234","fieldName":"where"}}]'
t 'upsert, delete, columns added, renamed and dropped' 0 get /resource/abcd-1234.csv '$order=:id' '$select=key,n,said,extra' 3<<'OUT'
"key","n","said","extra"
"2","9","new","x"
"3",,"","x"
"4","-1.50","Bob's é","x"
"5",,,"x"
"6",,,"x"
OUT
mkdir made && cp data/many-rows.* made && "$servers/make311.py" changes made >changes.json
control "$soda" @changes.json; ok $? 'make311 changes fits /control'
[ "$(get /resource/many-rows.json '$select=count(*) as n' | jq -r '.[0].n')" = 2526 ]; ok $? 'and adds rows'
"$servers/make311.py" --rows 50 --years 2019 a && "$servers/make311.py" --rows 50 --years 2019 b
same 'the same seed, the same rows' a/la31-2019.csv b/la31-2019.csv

# what goes wrong

csv=$soda/resource/many-rows.csv
fault 'status, with header and body' 22 '{"kind":"status","status":429,"headers":{"Retry-After":"7"},"body":{"m":1}}' \
    curl -sS --fail-with-body -D headers "$csv"
[ "$(cat out)" = '{"m": 1}' ] && grep -qi '^retry-after: 7' headers; ok $? 'as told'
run 0 'fault: only once' curl -sSf "$csv"
control "$soda" '{"reset":true,"faults":[{"kind":"status","status":500,"skip":1,"times":2,"match":"many-rows.csv[?][$]limit=1$"},
	{"kind":"status","status":503,"times":-1}]}'
for i in 1 2 3 4; do curl -sS -o body -w '%{http_code} ' "$csv?%24limit=1"; done >out
[ "$(cat out)" = '503 500 500 503 ' ]; ok $? 'faults are a sequence, with skip, times and match' || cat out
control "$soda" '{"reset":true,"faults":[{"kind":"latency","seconds":0.01},{"kind":"status","status":502}]}'
[ "$(curl -sS -o body -w '%{http_code}' "$csv")" = 502 ]; ok $? 'latency lets the next fault have it, too'
fault 'latency until there is a file' 28 "{\"kind\":\"latency\",\"until\":\"$work/begun\",\"times\":-1}" curl -sS -m 1 "$csv"
: >begun
run 0 '... and then no longer' curl -sSf -o body "$csv"
control "$soda" '{"reset":true,"faults":[{"kind":"latency","seconds":3600}]}'
curl -sS -o body "$csv" & curl=$!
until [ "$(curl -sS "$soda/held")" = 1 ]; do sleep 0.05; done
control "$soda" '{"release":true}'
wait $curl && [ "$(curl -sS "$soda/held")" = 0 ]; ok $? 'what a latency holds back is counted, and let go when told'
fault cut 18 '{"kind":"cut","at":0.9}' curl -sS "$csv"
fault 'cut after lines' 18 '{"kind":"cut","lines":3}' curl -sS --compressed "$csv"
[ "$(wc -l <out)" -eq 3 ]; ok $? 'three of them'
fault cut_chunked 18 '{"kind":"cut_chunked"}' curl -sS "$csv"
fault reset 56 '{"kind":"reset"}' curl -sS "$csv"
fault no_reply 52 '{"kind":"no_reply"}' curl -sS "$csv"
fault stall 28 '{"kind":"stall"}' curl -sS -m 1 "$csv"
fault drip 28 '{"kind":"drip","seconds":0.2}' curl -sS -m 1 "$csv"
fault 'short, for JSON' 5 '{"kind":"short"}' sh -c 'curl -sSf "$1/resource/many-rows.json" | jq . >body || exit 5' - "$soda"
fault html 0 '{"kind":"html"}' curl -sSf -D headers "$csv"
grep -qi '^content-type: text/html' headers; ok $? 'as text/html'
fault bad_gzip 61 '{"kind":"bad_gzip"}' curl -sS --compressed "$csv"
fault gzip_bomb 0 '{"kind":"gzip_bomb","bytes":8388608}' curl -sS --compressed -w '%{size_download}' -o bomb "$csv"
[ "$(wc -c <bomb)" -eq 8388608 ] && [ "$(cat out)" -lt 20000 ]; ok $? 'small on the wire, large when open'
fault nonsense 5 '{"kind":"nonsense"}' sh -c 'curl -sSf "$1" | jq . >body || exit 5' - "$csv"
fault not_json_object 0 '{"kind":"not_json_object"}' sh -c 'curl -sSf "$1" | jq -e .error' - "$csv"
fault '202 with Location' 0 '{"kind":"202","variant":"location","retry_after":1,"times":2}' \
    sh -c 'to=$(curl -sSf -o /dev/null -w "%header{location}" "$1") && curl -sSf -o /dev/null -w "%{http_code}" "$to" &&
	curl -sSf "$to" | sed -n 1p' - "$csv"
grep -q '202"srnumber"' out; ok $? 'polled until it is there'
fault '202 with a ticket' 0 '{"kind":"202","variant":"ticket"}' \
    sh -c 'curl -sSf "$1?ticket=$(curl -sSf "$1" | jq -r .ticket)"' - "$csv"
fault redirect 0 '{"kind":"redirect","to":"http://127.0.0.1:1/x"}' curl -sS -o body -w '%{http_code} %{redirect_url}' "$csv"
[ "$(cat out)" = '302 http://127.0.0.1:1/x' ]; ok $? 'to where it was told'
fault headers 0 '{"kind":"headers","headers":{"content-type":"text/plain","ETag":null}}' curl -sSf -D headers "$csv"
grep -qi '^content-type: text/plain' headers && ! grep -qi '^etag' headers; ok $? 'changed and taken away'
fault repeat_page 0 '{"kind":"repeat_page","times":-1}' curl -sSg "$csv?\$order=:id&\$limit=3&\$offset=3"
curl -sSg "$csv?\$order=:id&\$limit=3&\$offset=6&\$where=:id%20%3E%20'$after'" >again
same 'the same page for ever' out again
fault ignore_limit 0 '{"kind":"ignore_limit"}' curl -sSg "$csv?\$order=:id&\$limit=3"
[ "$(wc -l <out)" -eq 2527 ]; ok $? 'more than was asked for'
run 1 'an order that it does not know is refused' control "$soda" '{"fault":[]}'

control "$soda" '{"reset":true}'
curl -sS -H 'X-App-Token: good' -o body "$csv?%24where=n%2B1%20%3E%202"
t 'the log' 0 sh -c 'curl -sS "$1/log" | jq -c "[.method, .path, .query, .token, .status]"' - "$soda" 3<<'OUT'
["GET","/resource/many-rows.csv",{"$where":"n+1 > 2"},"good",400]
OUT

# the others

post() {		# post JSON [OPTION...]: what Slack says, with its status
	body=$1; shift
	printf '%s' "$body" | curl -sS -H 'Content-Type: application/json' --data-binary @- -w ' %{http_code}' "$@" "$slack/services/${hook:-T000/B000/xyz}"
}
while read -r wanted body; do
	hook='' got=$(post "$body")
	[ "$got" = "$(echo "$wanted" | tr : ' ')" ]; ok $? "Slack: $wanted" || echo "# $got"
done <<X
ok:200 {"text":"hello &amp; goodbye"}
no_text:400 {"text":""}
no_text:400 {}
invalid_payload:400 {"text":
invalid_payload:400 {"text":"$(printf '\377')"}
invalid_blocks:400 {"blocks":[{"type":"header","text":{"type":"plain_text","text":"$(printf %0151d 0)"}}]}
invalid_blocks:400 {"blocks":[{"type":"section","text":{"type":"mrkdwn","text":"$(printf %03001d 0)"}}]}
invalid_blocks_format:400 {"blocks":{}}
ok:200 {"blocks":[{"type":"section","fields":[{"type":"mrkdwn","text":"*Rows*"}]},{"type":"divider"}]}
X
hook=T000/B000/other; [ "$(post '{"text":"x"}')" = 'invalid_token 403' ]; ok $? 'Slack: another token'
hook=T000/B001/xyz; [ "$(post '{"text":"x"}')" = 'no_service 404' ]; ok $? 'Slack: another hook'
hook=
[ "$(curl -sS -o body -w '%{http_code}' "$slack/services/T000/B000/xyz")" = 405 ]; ok $? 'Slack: no GET'
control "$slack" '{"reset":true,"faults":[{"kind":"status","status":429,"headers":{"Retry-After":1}},{"kind":"cut"}]}'
[ "$(post '{"text":"x"}')" = 'rate_limited 429' ]; ok $? 'Slack: throttled when told'
run 18 'Slack: cut when told' post '{"text":"x"}'
[ "$(post '{"text":"last"}')" = 'ok 200' ]; ok $? 'Slack: and well again'
[ "$(curl -sS "$slack/log" | jq -r '.body | fromjson | .text' | tr '\n' ' ')" = 'x x last ' ]; ok $? 'Slack: the log has the messages'

run 0 'the API resets its cache' curl -sSf -X POST "$status/status/reset-cache"
control "$status" '{"faults":[{"kind":"status","status":500}]}'
run 22 'the API fails when told' curl -sSf -X POST "$status/status/reset-cache"

"$servers/page_server.py" --ndjson data/many-rows.csv
start_server pages "$servers/page_server.py" --data data
for offset in 0 1000 2000 3000; do curl -sSfg "$pages/resource/many-rows.csv?\$order=:id&\$offset=$offset&\$limit=1000" | sed 1d; done >paged
sed 1d data/many-rows.csv >all
same 'the page server: CSV pages are the file' all paged
for offset in 0 1000 2000 3000; do curl -sSfg "$pages/resource/many-rows.json?\$order=:id&\$offset=$offset&\$limit=1000" | jq -r '.[].srnumber'; done >paged
cut -d '"' -f 2 all >numbers
same 'the page server: and JSON pages' numbers paged
[ "$(curl -sSfg "$pages/resource/many-rows.json?\$select=count(*)%20as%20n")" = '[{"n":"2500"}]' ]; ok $? 'the page server: count'
curl -sSfg "$pages/resource/many-rows.csv?\$where=:id%20%3E%20'row-2490'&\$order=:id&\$limit=5" | sed 1d >paged
sed -n 2491,2495p all >some
same 'the page server: the rows after an :id' some paged
run 22 'the page server: no filter' curl -sSfg "$pages/resource/many-rows.json?\$where=x"
done_testing
