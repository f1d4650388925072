#!/bin/bash
# soda-push: what is in the dataset afterwards, whatever the server makes of it.
# Slow in its second part, which the quick run leaves out: it waits until time limits have passed.
. "$(dirname "$0")/lib.sh"
unset http_proxy all_proxy ALL_PROXY SOCRATA_USERNAME SOCRATA_PASSWORD

mkdir data
export HOME=$work SOCRATA_KEY_ID=id SOCRATA_KEY_SECRET=top-secret
printf 'id,n,done,where,note,unseen,:@computed_region_k96s_3jcv\n' >data/keys-row1.csv
cat >data/keys-row1.json <<'X'
{"rowIdentifier":"id","columns":[{"fieldName":"n","dataTypeName":"number"},{"fieldName":"done","dataTypeName":"checkbox"},
{"fieldName":"where","dataTypeName":"point"},{"fieldName":"unseen","flags":["hidden"]}]}
X
printf 'a,b\n' >data/none-key1.csv
cat >data/from-here.csv <<'X'
id,n,done,at,fixed,where,many,site,link,note
a,1.50,true,2020-01-31T00:05:00.000,2020-01-31T00:05:00.000Z,POINT (-97.70 30.2),"{""type"":""MultiPoint"",""coordinates"":[[1,2],[3,4]]}","1 Main
(30.2, -97.7)",d (http://x/),"say ""é"", x
y"
b,,,,,,,,,""
c,-2,false,2021-12-31T23:59:59.999,,,,"(1, 2)",http://y/,
X
cat >data/from-here.json <<'X'
{"rowIdentifier":"id","columns":[{"fieldName":"n","dataTypeName":"number"},{"fieldName":"done","dataTypeName":"checkbox"},
{"fieldName":"at","dataTypeName":"calendar_date"},{"fieldName":"fixed","dataTypeName":"date"},{"fieldName":"where","dataTypeName":"point"},
{"fieldName":"many","dataTypeName":"multipoint"},{"fieldName":"site","dataTypeName":"location"},{"fieldName":"link","dataTypeName":"url"}]}
X
head -n 1 data/from-here.csv >data/over-ther.csv
cp data/from-here.json data/over-ther.json
start_server soda "$here/servers/soda.py" --data "$work/data" --key id:top-secret --no-gzip

p() { id=$1; shift; soda-push --base-url "$soda" data.example.gov "$id" --retry-wait 0.01 "$@"; }
control() {		# control ORDER...
	local IFS=, answer
	answer=$(curl -sS --data-binary "[$*]" "$soda/control")
	[[ $answer == *'"ok": true'* && $answer != *'"ok": false'* ]] || echo "$answer" >&2
}
cleared='{"reset":true,"replace":{"id":"keys-row1","rows":[]},"set":{"report":"counts","soft_errors":false,"lag":0}}'
clear() { control "$cleared"; }
fault() { control "{\"reset\":true,\"faults\":[{\"match\":\"^/resource\",${1#\{}]}"; }
writes() { curl -sS "$soda/log" | jq -c 'select(.method == "POST" or .method == "PUT")'; }
rows() { curl -sSg "$soda/resource/$1.json?\$order=${2:-:id}&\$limit=100000" | jq -c '.[]'; }
count() { curl -sSg "$soda/resource/$1.json?\$select=count(*)%20as%20n" | jq -r '.[0].n'; }
receipt() { jq -c 'del(.tool, .seconds, .bytes)' out >receipt; t "${1:-... receipt}" 0 cat receipt; }

# what is sent
run 0 'an upsert' p keys-row1 <<'IN'
{"id":"a","n":1.50,"done":true,"where":{"type":"Point","coordinates":[-97.7,30.2]},"note":"say \"é\"","unseen":"x"}
{"id":"b","n":"2","note":null}
IN
receipt 3<<'OUT'
{"dataset":"keys-row1","mode":"upsert","read":2,"created":2,"updated":0,"deleted":0,"rejected":0,"requests":1}
OUT
run 0 'CSV: an empty cell is null, types are the columns' p keys-row1 <<'IN'
id,n,done,where,note
b,,TRUE,"{""type"":""Point"",""coordinates"":[1,2]}",""
c,3,,POINT (3 4),"{""a"":1}"
IN
receipt 3<<'OUT'
{"dataset":"keys-row1","mode":"upsert","read":2,"created":1,"updated":1,"deleted":0,"rejected":0,"requests":1}
OUT
t 'what is there: fields that were not sent are as they were' 0 rows keys-row1 3<<'OUT'
{"id":"a","n":"1.50","done":true,"where":{"type":"Point","coordinates":[-97.7,30.2]},"note":"say \"é\"","unseen":"x"}
{"id":"b","done":true,"where":{"type":"Point","coordinates":[1,2]},"note":""}
{"id":"c","n":"3","where":{"type":"Point","coordinates":[3,4]},"note":"{\"a\":1}"}
OUT
writes >all
[ "$(jq -r '.headers["content-type"]' all | sort -u)" = application/json ]; ok $? 'sent as JSON'
[ "$(jq -r '.headers.authorization' all | sort -u)" = "Basic $(printf id:top-secret | base64)" ]; ok $? 'with the login'
run 0 'from a file, with a token' env SOCRATA_APP_TOKEN=token soda-push --base-url "$soda" data.example.gov keys-row1 <(echo '{"id":"a","n":null}')
[ "$(writes | tail -n 1 | jq -r .token)" = token ]; ok $? 'which is sent'
[ "$(rows keys-row1 | sed -n 1p | jq 'has("n")')" = false ]; ok $? 'null clears'
run 0 '--delete' p keys-row1 --delete <<'IN'
{"id":"a","other":1}
{"id":"nobody"}
IN
receipt 3<<'OUT'
{"dataset":"keys-row1","mode":"delete","read":2,"created":0,"updated":0,"deleted":1,"missing":1,"rejected":0,"requests":1}
OUT
[ "$(rows keys-row1 | jq -r .id | tr '\n' ' ')" = 'b c ' ]; ok $? 'deleted'
run 0 'SOCRATA_USERNAME' env -u SOCRATA_KEY_ID -u SOCRATA_KEY_SECRET SOCRATA_USERNAME=id SOCRATA_PASSWORD=top-secret \
    soda-push --base-url "$soda" data.example.gov keys-row1 <<<'{"id":"b"}'
t 'nothing to do' 0 sh -c 'soda-push --base-url "$1" data.example.gov keys-row1 </dev/null | jq -c "[.read, .empty, .requests]"' - "$soda" 3<<'OUT'
[0,true,0]
OUT
run 9 '--empty-exit' p keys-row1 --empty-exit 9 </dev/null

# from one dataset into another
fetch() { soda-fetch --base-url "$soda" data.example.gov "$@"; }
run 0 '(what is there)' fetch from-here
mv out here.ndjson
for how in '' --replace; do
	control '{"replace":{"id":"over-ther","rows":[]}}'
	run 0 "soda-fetch | soda-push $how" p over-ther $how here.ndjson
	fetch over-ther >there.ndjson
	same '... every value is the same' here.ndjson there.ndjson
	control '{"replace":{"id":"over-ther","rows":[]}}'
	run 0 "through soda-shape $how" bash -c 'set -o pipefail; soda-shape --schema <(soda-fetch --base-url "$1" x.y over-ther --describe) here.ndjson |
	    soda-push --base-url "$1" x.y over-ther $2' - "$soda" "$how"
	fetch over-ther >there.ndjson
	same '... they are the same' here.ndjson there.ndjson
done
some='id, n, done, at, fixed, `where`, many, note'
control '{"replace":{"id":"over-ther","rows":[]}}'
run 0 '(as CSV)' fetch from-here --to csv --select "$some"
mv out here.csv
[ "$(wc -l <here.csv)" -eq 5 ]; ok $? '(three rows, one of two lines)'
run 0 'as CSV' p over-ther here.csv
fetch over-ther --to csv --select "$some" >there.csv
same '... every cell is the same' here.csv there.csv
run 0 'a text for a URL' p over-ther <<<$'id,link,site\na,http://x,\nb,http://y,'
said '<stdin>:2: column "link" wants objects: Socrata may store nothing of a text: see soda-shape'
[ "$(wc -l <err)" -eq 1 ]; ok $? '... is said once' || cat err

# chunks
clear
seq 1 2500 | jq -c '{id: "k\(.)", n: .}' >many
run 0 'chunks of 1,000' p keys-row1 many
receipt 3<<'OUT'
{"dataset":"keys-row1","mode":"upsert","read":2500,"created":2500,"updated":0,"deleted":0,"rejected":0,"requests":3}
OUT
rows keys-row1 | jq -c '.n |= tonumber' >got
same 'all are there' many got
run 0 'a second run changes nothing' p keys-row1 --chunk 900 --gzip many
receipt 3<<'OUT'
{"dataset":"keys-row1","mode":"upsert","read":2500,"created":0,"updated":2500,"deleted":0,"rejected":0,"requests":3}
OUT
[ "$(writes | tail -n 1 | jq -r '.headers["content-encoding"]')" = gzip ]; ok $? 'packed'
rows keys-row1 | jq -c '.n |= tonumber' >got
same 'and they are the same' many got
clear
jq -cn '("x" * 1048576) as $x | range(6) | {id: "w\(.)", note: $x}' >wide
run 0 'large records: a chunk is 4 MiB at most' p keys-row1 wide
[ "$(jq .requests out)" -eq 2 ]; ok $? 'two requests' || cat out

# a replace
run 0 'a replace' p keys-row1 --replace many
receipt 3<<'OUT'
{"dataset":"keys-row1","mode":"replace","read":2500,"created":2500,"updated":0,"deleted":0,"rejected":0,"requests":1}
OUT
[ "$(writes | jq -r .method | tail -n 1)" = PUT ]; ok $? 'is one PUT'
head -n 1500 many >fewer
run 0 'a replace, packed' p keys-row1 --replace --gzip fewer
rows keys-row1 | jq -c '.n |= tonumber' >got
same 'and it is what was read' fewer got
run 78 'a fraction of what is there' p keys-row1 --replace <<<'{"id":"one"}'
said '1499 of the 1500 rows of keys-row1 would go: nothing was changed, allow it with --max-delete'
run 78 'a number of rows' p keys-row1 --replace --max-delete 10 <(head -n 1489 fewer)
run 0 'as many as allowed' p keys-row1 --replace --max-delete 10 <(head -n 1490 fewer)
run 0 'no record at all' p keys-row1 --replace </dev/null
said 'no records: keys-row1 stays as it is (--allow-empty would empty it)'
receipt 3<<'OUT'
{"dataset":"keys-row1","mode":"replace","read":0,"created":0,"updated":0,"deleted":0,"rejected":0,"requests":0,"empty":true}
OUT
[ "$(count keys-row1)" = 1490 ]; ok $? 'the dataset stays'
run 0 '--allow-empty' p keys-row1 --replace --allow-empty </dev/null
[ "$(count keys-row1)" = 0 ]; ok $? 'and is empty'
run 65 '--expect-rows' p keys-row1 --replace --expect-rows 3 <<<'{"id":"one"}'
said '1 good records, but --expect-rows 3: nothing was sent'
run 0 'without a row identifier a replace is fine' p none-key1 --replace <<'IN'
a,b
1,2
1,2
IN
[ "$(count none-key1)" = 2 ]; ok $? 'two rows'
run 0 'a row identifier that comes twice' p keys-row1 --replace <<'IN'
{"id":"a","n":1}
{"id":"a","n":2}
IN
said '1 records had a row identifier that came before: the last one of each is there'
receipt 3<<'OUT'
{"dataset":"keys-row1","mode":"replace","read":2,"created":1,"updated":1,"deleted":0,"rejected":0,"requests":1}
OUT
control '{"reset":true,"set":{"lag":3}}'
run 0 'readers lag behind: they are waited for' p keys-row1 --replace < <(head -n 2 many)
said 'the source still counts 1 rows, not 2: asking again'
[ "$(writes | wc -l)" -eq 1 ]; ok $? '... and nothing is sent again'
control '{"reset":true,"set":{"lag":100000}}'
run 76 'they never come' p keys-row1 --replace --max-wait 0.1 < <(head -n 3 many)
said 'keys-row1 was replaced by 3 rows, but the source counts 2'
control '{"set":{"lag":1}}'
run 0 '(they come)' p keys-row1 --replace <<<'{"id":"z"}'
clear

# bad records, found here: nothing is sent
fresh() { clear; control '{"append":{"id":"keys-row1","rows":[{"id":"old"}]}}'; control '{"reset":true}'; }
untouched() {
	[ -z "$(writes)" ] && [ "$(rows keys-row1)" = '{"id":"old"}' ]; ok $? '... nothing was sent' || writes
}
fresh
while IFS='|' read -r words record; do
	for mode in '' --replace; do
		run 65 "$words $mode" p keys-row1 --max-delete 100% $mode < <(printf '{"id":"a"}\n%s\n{"id":"b"}\n' "$record")
		said "<stdin>:2: $words"
		untouched
	done
done <<'X'
column "nope": keys-row1 has no such column: see soda-shape|{"id":"x","nope":1}
column "ID": keys-row1 has no such column: see soda-shape|{"ID":"x"}
column ":@computed_region_k96s_3jcv": keys-row1 has no such column|{"id":"x",":@computed_region_k96s_3jcv":"1"}
column ":deleted": keys-row1 has no such column|{"id":"x",":deleted":true}
column "id": comes twice in one record|{"id":"x","id":"x"}
column "id": no value, and it tells which row this is|{"n":1}
column "id": no value, and it tells which row this is|{"id":null}
column "id": no value, and it tells which row this is|{"id":""}
record is cut|{"id":"x
X
run 65 'an unknown column of CSV' p keys-row1 <<<$'id,zzz\n1,2'
said 'column "zzz": keys-row1 has no such column: see soda-shape'
run 65 '--delete without the key' p keys-row1 --delete <<<'{"other":"x"}'
untouched
cat >some <<'IN'
{"id":"a","nope":1}
{"id":"b"}
{"n":1}
IN
run 65 'more rejects than --max-rejects' p keys-row1 --rejects bad --max-rejects 1 <some
untouched
run 65 '... a share' p keys-row1 --rejects bad --max-rejects 60% <some
untouched
run 0 'rejects' p keys-row1 --rejects bad --max-rejects 67% <some
receipt 3<<'OUT'
{"dataset":"keys-row1","mode":"upsert","read":3,"created":1,"updated":0,"deleted":0,"rejected":2,"requests":1}
OUT
t '... are there' 0 cat bad 3<<'OUT'
{"line":1,"column":"nope","reason":"keys-row1 has no such column: see soda-shape","record":{"id":"a","nope":1}}
{"line":3,"column":"id","reason":"no value, and it tells which row this is","record":{"n":1}}
OUT
run 0 'all of them bad: no replace by nothing' p keys-row1 --replace --rejects bad <<<'{"nope":1}'
said 'keys-row1 stays as it is'
receipt 3<<'OUT'
{"dataset":"keys-row1","mode":"replace","read":1,"created":0,"updated":0,"deleted":0,"rejected":1,"requests":0}
OUT

# a dataset without a row identifier
control '{"reset":true,"replace":{"id":"none-key1","rows":[]}}'
run 78 'an upsert without a row identifier' p none-key1 <<<'{"a":"1"}'
said 'none-key1 has no row identifier, so that every record would be a new row in every run'
[ -z "$(writes)" ]; ok $? '... nothing was sent'
run 0 '--allow-duplicates' p none-key1 --allow-duplicates <<<$'a\n1\n1'
[ "$(count none-key1)" = 2 ]; ok $? 'two rows'
ids=$(curl -sSg "$soda/resource/none-key1.json?\$select=:id,a" | jq -c '.[0] | {":id": .[":id"], b: "new"}')
run 0 ':id tells rows apart' p none-key1 <<<"$ids"
receipt 3<<'OUT'
{"dataset":"none-key1","mode":"upsert","read":1,"created":0,"updated":1,"deleted":0,"rejected":0,"requests":1}
OUT
run 65 '... of every record' p none-key1 <<<"$ids"$'\n{"a":"x"}'
said '<stdin>:2: column ":id": no value'
run 0 '... and which to delete' p none-key1 --delete <<<"$ids"
[ "$(count none-key1)" = 1 ]; ok $? 'one row'
for kind in '"kind":"no_reply"' '"kind":"failed_after"' '"kind":"reset","bytes":10' '"kind":"late","seconds":3600' '"kind":"html"' '"kind":"202"'; do
	control '{"replace":{"id":"none-key1","rows":[]}}' '{"reset":true,"faults":[{"match":"^/resource",'"$kind"',"method":"POST","skip":1,"times":1}]}'
	want=75; [ "$kind" = '"kind":"html"' ] && want=76
	patience=60; [[ $kind != *late* ]] || patience=3
	run $want "what may be done twice is not: $kind" p none-key1 --allow-duplicates --chunk 2 --timeout $patience <<<$'a\n1\n2\n3\n4\n5'
	[ -z "$(rows none-key1 | sort | uniq -d)" ] && [ "$(writes | wc -l)" -le 2 ]; ok $? '... is asked once' || writes
	said '<stdin>:4 to <stdin>:5, after 2 records that are in'
	[ $want = 76 ] || said 'it may be done or not: look before you send it again'
done
for kind in '"kind":"status","status":429' '"kind":"status","status":409'; do
	control '{"replace":{"id":"none-key1","rows":[]}}'
	fault "{$kind,\"method\":\"POST\",\"times\":2}"
	run 0 "what was not done is: $kind" p none-key1 --allow-duplicates <<<$'a\n1\n2'
	[ "$(count none-key1)" = 2 ]; ok $? '... once'
done
run 69 'nobody there' soda-push --base-url http://127.0.0.1:1 data.example.gov none-key1 --allow-duplicates --retries 1 --retry-wait 0.01 <<<$'a\n1'

quick_ends
# rows that the server refuses
bad_rows() { seq 1 1000 | jq -c '{id: "r\(.)", n: (if . % 400 == 7 then "seven" else . end)}'; }
bad_rows >three-bad
for soft in false true; do
	for shape in counts rows; do
		clear; control "{\"set\":{\"soft_errors\":$soft,\"report\":\"$shape\"}}"
		run 65 "three bad rows of a thousand: the others go through (soft $soft, $shape)" p keys-row1 three-bad
		said 'keys-row1: 3 of 1000 records were refused, the others are in; the first: three-bad:7: the server'
		[ "$(jq .requests out)" -lt 130 ]; ok $? '... not too many requests' || cat out
		jq -c 'del(.tool, .seconds, .bytes, .requests)' out >receipt; t '... receipt' 0 cat receipt 3<<'OUT'
{"dataset":"keys-row1","mode":"upsert","read":1000,"created":997,"updated":0,"deleted":0,"rejected":3}
OUT
		[ "$(count keys-row1)" = 997 ]; ok $? '... and they are in'
		run 0 '--rejects' p keys-row1 --rejects bad --max-rejects 3 three-bad
		jq -c '[.line, .record.id, .record.n]' bad >got; t '... names them' 0 cat got 3<<'OUT'
[7,"r7","seven"]
[407,"r407","seven"]
[807,"r807","seven"]
OUT
		run 65 '--max-rejects' p keys-row1 --rejects bad --max-rejects 2 three-bad
		said '3 of 1000 records are bad, more than --max-rejects 2: see bad'
		[ "$(jq .rejected out)" = 3 ]; ok $? '... with a receipt, for the others are in'
	done
done
clear
run 65 'the reason is the server'"'"'s' p keys-row1 --rejects bad --max-rejects 0 <<<'{"id":"a","n":"x"}'
t '... with the column' 0 jq -c '[.line, .column, .reason]' bad 3<<'OUT'
[1,"n","the server refuses it: Column is maltyped; for field 'n' we expected 'number' but got '\"x\"'"]
OUT
jq -c 'select(.id | test("7$|9$")) | .n = "bad"' three-bad >all-bad
clear; control '{"set":{"soft_errors":true}}'
run 65 'all of them bad' p keys-row1 all-bad
said '100 records were refused: that is enough without --rejects; the first: all-bad:1'
run 0 'all of them bad, with --rejects' p keys-row1 --rejects bad all-bad
[ "$(wc -l <bad)" -eq 200 ]; ok $? '... all are there'
clear; control '{"set":{"soft_errors":true}}'
run 65 'a replace with bad rows that the server only counts' p keys-row1 --replace three-bad
said 'the server refused 3 of 1000 records and does not say which; the others are in'
[ "$(jq -c '[.created, .rejected]' out)" = '[997,3]' ]; ok $? '... receipt'
control '{"replace":{"id":"keys-row1","rows":[{"id":"old"}]},"set":{"soft_errors":false}}'
run 65 'a replace with bad rows that it refuses' p keys-row1 --replace three-bad
said 'keys-row1: nothing was replaced: the server refuses the rows: Column is maltyped'
[ "$(rows keys-row1)" = '{"id":"old"}' ]; ok $? '... nothing was'
control '{"set":{"soft_errors":true},"replace":{"id":"none-key1","rows":[]},"retype_column":{"id":"none-key1","fieldName":"b","dataTypeName":"number"}}'
run 65 'without a row identifier nothing is sent twice to find the bad row' p none-key1 --allow-duplicates --rejects bad <<<$'a,b\n1,1\n2,x\n3,3'
said 'none-key1: the server refused 1 of 3 records and does not say which; the others are in'
[ "$(count none-key1)" = 2 ]; ok $? '... two are in'
control '{"set":{"soft_errors":false}}'
run 65 '... but a request that was refused as a whole is' p none-key1 --allow-duplicates <<<$'a,b\n1,1\n2,x\n3,3'
said '<stdin>:3: the server refuses it'
[ "$(count none-key1)" = 4 ]; ok $? '... two more are in'

# reports
for shape in old sparse snake; do
	clear; control "{\"set\":{\"report\":\"$shape\"}}"
	run 0 "a report: $shape" p keys-row1 <<<$'id\na\nb'
	[ "$(jq -c '[.read, .created, .updated]' out)" = '[2,2,0]' ]; ok $? '... is read' || cat out
done
clear; control '{"set":{"report":"zeros"}}'
run 0 'a report that does not add up' p keys-row1 <<<$'id\na\nb'
receipt 3<<'OUT'
{"dataset":"keys-row1","mode":"upsert","read":2,"sent":2,"server":{"created":0,"updated":0,"deleted":0},"rejected":0,"requests":1}
OUT
run 0 '... of a replace' p keys-row1 --replace <<<$'id\na\nb'
[ "$(jq -c .server out)" = '{"created":0,"updated":0,"deleted":0}' ]; ok $? '... either'
clear
fault '{"kind":"nonsense","method":"POST","body":"[{\"typ\":\"insert\",\"id\":\"a\"},{\"typ\":\"error\",\"err\":\"too long\"}]"}'
run 0 'a report with an entry for each row' p keys-row1 --rejects bad <<<$'id\na\nb'
t '... says which is refused, and why' 0 jq -c '[.line, .reason]' bad 3<<'OUT'
[3,"the server refuses it: too long"]
OUT
[ "$(writes | wc -l)" -eq 1 ]; ok $? '... and is not asked again'
fault '{"kind":"saved","method":"P.*"}'
run 0 '"Row data was saved."' p keys-row1 <<<$'id\na\nb'
said 'keys-row1: "Row data was saved. However, an error occurred while updating metadata.": the rows are in, and are not sent again'
[ "$(writes | wc -l)" -eq 1 ]; ok $? '... once'
fault '{"kind":"saved","method":"P.*"}'
run 0 '... of a replace' p keys-row1 --replace <<<$'id\na\nb\nc'
[ "$(count keys-row1)" = 3 ]; ok $? '... is done'

# the network: with a row identifier what broke is sent again.  Only where no answer comes is it waited for so shortly: an answer
# may take its time on a busy machine.
for kind in '"kind":"no_reply"' '"kind":"reset","bytes":10' '"kind":"cut"' '"kind":"failed_after"' '"kind":"status","status":500' \
    '"kind":"status","status":503,"body":"<html><title>busy</title></html>"' '"kind":"late","seconds":3600' '"kind":"bad_gzip"' \
    '"kind":"nonsense"' '"kind":"status","status":409' '"kind":"status","status":429,"headers":{"Retry-After":"0"}' \
    '"kind":"upload_reset"' '"kind":"upload_cut"' '"kind":"202"'; do
	patience=60; [[ $kind != *late* ]] || patience=0.4
	for mode in '--chunk 2' --replace '--replace --gzip'; do
		control "$cleared" '{"append":{"id":"keys-row1","rows":[{"id":"k1"}]}}' \
		    '{"reset":true,"faults":[{"match":"^/resource",'"$kind"',"method":"POST|PUT","times":2}]}'
		run 0 "$kind, twice: $mode" p keys-row1 $mode --timeout $patience --max-wait 2 < <(head -n 5 many)
		[ "$(curl -sSg "$soda/resource/keys-row1.csv?\$select=id&\$order=n" | tr -d '"\r' | tr '\n' ' ')" = 'id k1 k2 k3 k4 k5 ' ]; ok $? '... all are there, once' || rows keys-row1
	done
done
while IFS='|' read -r want words kind; do
	patience=60; [[ $kind != *late* ]] || patience=0.3
	for mode in '--chunk 2' --replace; do
		control "$cleared" '{"reset":true,"faults":[{"match":"^/resource",'"$kind"',"method":"POST|PUT","times":-1}]}'
		run "$want" "$kind, for ever: $mode" p keys-row1 $mode --timeout $patience --max-wait 0.2 --retries 2 < <(head -n 5 many)
		said "$words"
	done
done <<'X'
69|no answer|"kind":"late","seconds":3600
69|the server failed (500)|"kind":"status","status":500
69|gave up after 3 tries|"kind":"upload_cut"
75|come back at|"kind":"status","status":429,"headers":{"Retry-After":"3600"}
75|not now (409): "Dataset cannot acquire a write lock"|"kind":"status","status":409
75|not ready (202)|"kind":"202"
76|text/html|"kind":"html"
76|the JSON ends too soon|"kind":"short"
76|a redirect that is not followed|"kind":"redirect","to":"http://127.0.0.1:1/"
76|answered 418|"kind":"status","status":418
77|check SOCRATA_KEY_ID and SOCRATA_KEY_SECRET|"kind":"status","status":403
77|check SOCRATA_APP_TOKEN|"kind":"not_json_object","body":{"error":true,"code":"permission_denied","message":"no"}
69|an error under status 200: "later"|"kind":"not_json_object","body":{"error":true,"code":"internal-error","message":"later"}
76|a count in the report is no number|"kind":"not_json_object","body":{"Rows Created":"many"}
76|the answer is no report|"kind":"not_json_object","body":"7\n"
76|the JSON request is no good|"kind":"status","status":400,"body":{"errorCode":"req.body.malformed-json","message":"the JSON request is no good"}
65|its columns changed after the start|"kind":"status","status":400,"body":{"code":"invalid_request","message":"Illegal field name sent: n"}
65|its columns changed after the start|"kind":"status","status":400,"body":{"errorCode":"soda.row.column-not-found","message":"gone"}
X
clear
fault '{"kind":"status","status":500,"method":"POST","skip":1,"times":-1}'
run 69 'the second chunk fails' p keys-row1 --chunk 2 --retries 1 < <(head -n 5 many)
said '<stdin>:3 to <stdin>:4, after 2 records that are in'
control '{"reset":true}'
run 0 '... and a second run makes it whole' p keys-row1 --chunk 2 < <(head -n 5 many)
[ "$(jq -c '[.created, .updated]' out)" = '[3,2]' ]; ok $? '... as one run would have'

# who may not
run 77 'a wrong key' env SOCRATA_KEY_SECRET=wrong-key soda-push --base-url "$soda" data.example.gov keys-row1 <<<'{"id":"a"}'
said 'check SOCRATA_KEY_ID and SOCRATA_KEY_SECRET'
said_not wrong-key
run 78 'no login' env -u SOCRATA_KEY_ID -u SOCRATA_KEY_SECRET soda-push --base-url "$soda" data.example.gov keys-row1 <.
said 'nobody may write without a login: set SOCRATA_KEY_ID and SOCRATA_KEY_SECRET'
run 78 'half a login' env -u SOCRATA_KEY_ID -u SOCRATA_KEY_SECRET SOCRATA_USERNAME=id soda-push --base-url "$soda" data.example.gov keys-row1 <.
said 'SOCRATA_USERNAME and SOCRATA_PASSWORD: set both, or neither'
printf 'machine 127.0.0.1 login id password top-secret\n' >.netrc
run 0 '~/.netrc' env -u SOCRATA_KEY_ID -u SOCRATA_KEY_SECRET soda-push --base-url "$soda" data.example.gov keys-row1 <<<'{"id":"a"}'
rm .netrc
control '{"set":{"read_only":["keys-row1"]}}'
run 77 'a login that may not write' p keys-row1 <<<'{"id":"a"}'
said 'You do not have permission'
control '{"set":{"read_only":[],"synced":["keys-row1"]}}'
run 78 'a synced dataset' p keys-row1 <<<'{"id":"a"}'
said 'keys-row1: "Cannot update a synced dataset manually": something else fills it'
run 78 '... to replace' p keys-row1 --replace --max-delete 100% <<<'{"id":"a"}'
control '{"set":{"synced":[]}}'
run 76 'no such dataset' p nope-nope <<<'{"id":"a"}'
said 'no dataset nope-nope at data.example.gov'

# wrong calls
run 64 'no operands' soda-push
run 64 'one operand' soda-push data.example.gov
run 64 'no dataset' soda-push data.example.gov nothing
run 64 'replace and delete' p keys-row1 --replace --delete
run 64 '--allow-empty without --replace' p keys-row1 --allow-empty
run 64 '--allow-duplicates with --replace' p keys-row1 --replace --allow-duplicates
run 64 '--max-delete' p keys-row1 --replace --max-delete some
run 64 '--max-rejects without --rejects' p keys-row1 --max-rejects 3 <<<'{"id":"a"}'
run 64 '--chunk 0' p keys-row1 --chunk 0
run 66 'no such file' p keys-row1 nope
run 73 'no place for a temporary file' env TMPDIR=/no/such soda-push --base-url "$soda" data.example.gov keys-row1 <<<'{"id":"a"}'
said '/no/such (see TMPDIR)'

# the machine
fresh
for mode in '' --replace; do
	run 74 "no room for the temporary file $mode" sh -c "ulimit -f 1; soda-push --base-url $soda data.example.gov keys-row1 $mode many"
	said "a temporary file in $TMPDIR (see TMPDIR)"
	untouched
	run 74 "a read error $mode" p keys-row1 $mode <.
	untouched
done
run 74 'a full disk for the receipt' sh -c "soda-push --base-url $soda data.example.gov keys-row1 many >/dev/full"
said 'the work is done, but its receipt could not be written'
run 0 'a run without enough memory for its input' limited 200000 soda-push \
    "seq -f '{\"id\":\"m%.0f\",\"note\":\"some words to make it larger\"}' 1 300000 >large; soda-push --base-url $soda data.example.gov keys-row1 --replace <large"
[ "$(count keys-row1)" = 300000 ]; ok $? 'all are there'
rm large

# stopped
fresh
mkfifo pipe
for mode in '' --replace; do
	soda-push --base-url "$soda" data.example.gov keys-row1 $mode >out 2>err <pipe & pid=$!
	exec 5>pipe; cat many >&5
	until [ -n "$(curl -sS "$soda/log" | grep api/views)" ]; do :; done
	kill -TERM $pid; exec 5>&-; wait $pid
	[ $? -eq 143 ]; ok $? "SIGTERM before the end of the input $mode"
	said 'stopped: nothing was sent, run again'
	untouched
	control '{"reset":true}'
	run 1 "the pipe in front fails $mode" sluice 'cat many; exit 1' -- soda-push --base-url "$soda" data.example.gov keys-row1 $mode
	untouched
	control '{"reset":true}'
done
fault '{"kind":"late","seconds":3600,"method":"POST","skip":1}'
soda-push --base-url "$soda" data.example.gov keys-row1 many >out 2>err & pid=$!
until [ "$(count keys-row1)" -eq 2001 ]; do :; done
kill -INT $pid; wait $pid
[ $? -eq 130 ]; ok $? 'SIGINT in the second chunk'
said 'stopped: 1000 of 2500 records are in, of the next 1000 nobody knows: run again'
fault '{"kind":"late","seconds":3600,"method":"PUT"}'
soda-push --base-url "$soda" data.example.gov keys-row1 --replace many >out 2>err & pid=$!
until [ "$(count keys-row1)" -eq 2500 ]; do :; done
kill -TERM $pid; wait $pid
[ $? -eq 143 ]; ok $? 'SIGTERM in a replace'
said 'stopped: keys-row1 has its old rows or the new ones, nobody knows which: run again'
[ -z "$(ls "$TMPDIR")" ]; ok $? 'no temporary file is left'
! grep -q top-secret err; ok $? 'no secret was said'
done_testing
