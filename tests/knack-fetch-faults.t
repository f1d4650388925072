#!/bin/sh
# knack-fetch over a server, a network and an application that misbehave: the right end, and never a wrong record.
# Slow: it waits until time limits have passed, again and again.
. "$(dirname "$0")/lib.sh"
unset http_proxy all_proxy ALL_PROXY
export KNACK_APP_ID=5d79512148c4af00106d1507 KNACK_API_KEY=0b5c7c2e-1f6a-4b0e-9a64-1d1f2e3d4c5b
meta=$data/knack/metadata.json
PATH=$(dirname "${CULVERT_BIN:-$top/bin}")/build/vectors:$PATH

# object_4 has an auto increment, object_7 has none: pages go by what comes after the last, or by their numbers
start_server knack "$here/servers/knack.py" --metadata "$meta" --rate 0 --make object_4=100 --make object_7=100
quick='--retry-wait 0.01 --retries 3 --page-size 30'
fetch() { object=$1; shift; knack-fetch --base-url "$knack" --metadata "$meta" --object "$object" $quick "$@"; }
f() { fetch object_4 "$@"; }
g() { fetch object_7 "$@"; }
log() { curl -sS "$knack/log"; }
control() {
	[ "$(curl -sS -o control.out -w '%{http_code}' --data-binary "$1" "$knack/control")" = 200 ] || give_up "control: $(cat control.out)"
}
fault() {		# fault FAULTS: after everything of before is forgotten
	control "{\"reset\":true,\"faults\":[$1]}"
}
fresh() {		# a server in a state of its own, for tests that change it, with these options
	kill "$knack_pid"; wait "$knack_pid" 2>/dev/null; rm -f server.knack.fifo
	start_server knack "$here/servers/knack.py" --metadata "$meta" --rate 0 --make object_4=100 --make object_7=100 "$@"
}
between() {		# between N OBJECT DO: once its Nth page is answered
	control "{\"reset\":true,\"between\":{\"match\":\"$2/records\",\"after\":$1,\"do\":$3}}"
}
f >all.4 && g >all.7 || exit 1
[ "$(jq -r .id all.4 | sort -u | wc -l)" -eq 100 ] && [ "$(jq -r .id all.7 | sort -u | wc -l)" -eq 100 ]; ok $? 'all is well at first'
head -n 60 all.4 >two.4; head -n 30 all.4 >one.4; head -n 60 all.7 >two.7; head -n 30 all.7 >one.7

# what comes right when it is asked for again
for fault in '"kind":"cut"' '"kind":"cut_chunked"' '"kind":"reset"' '"kind":"short"' '"kind":"no_reply"' '"kind":"bad_gzip"' \
    '"kind":"nonsense"' '"kind":"not_json_object"' '"kind":"nonsense","body":"[]"' '"kind":"nonsense","body":{"records":[]}' \
    '"kind":"nonsense","body":{"total_records":5,"records":[{"field_1":1}]}' '"kind":"status","status":500' \
    '"kind":"status","status":503' '"kind":"status","status":408' '"kind":"status","status":502' \
    '"kind":"status","status":504,"body":"upstream"'; do
	for n in 4 7; do
		fault "{\"skip\":1,\"times\":2,$fault}"
		t "object_$n comes again: $fault" 0 fetch object_$n 3<all.$n
	done
done
fault '{"skip":1,"kind":"stall"}'
t 'is given up and comes again: a stall' 0 f --timeout 3 3<all.4
fault '{"match":"applications","kind":"status","status":503,"times":2}'
t 'metadata too' 0 knack-fetch --base-url "$knack" --object object_4 $quick 3<all.4

# what does not come right
fault '{"skip":2,"kind":"status","status":503,"times":-1}'
t '503 for ever: page and rows so far' 69 f 3<two.4
said 'records: page 3 after 60 rows: the server failed (503): "503 Service Temporarily Unavailable": gave up after 4 tries'
t 'by numbers too' 69 g 3</dev/null
fault '{"skip":2,"kind":"status","status":503,"times":-1}'
t '... page and rows' 69 g 3<two.7
fault '{"skip":1,"kind":"cut","times":-1}'
t 'cut for ever' 76 f 3<one.4
fault '{"skip":1,"kind":"reset","times":-1}'
t 'reset for ever' 69 f 3<one.4
fault '{"kind":"html","times":-1}'
t 'HTML where JSON was due' 76 f 3</dev/null
said 'wanted JSON, got text/html: "Sign in"'
fault '{"kind":"not_json_object","times":-1}'
t 'an answer that is no page' 76 f 3</dev/null
said 'no "records" in the answer'
fault '{"skip":1,"kind":"status","status":401,"times":-1,"body":"Invalid API key"}'
t 'refused in mid-run' 77 f 3<one.4
said 'page 2 after 30 rows: refused (401): "Invalid API key": check KNACK_API_KEY'
[ "$(log | grep -c '"status": 401')" -eq 1 ]; ok $? '... is not asked for again'
fault '{"kind":"status","status":400,"times":-1}'
t 'an application id that Knack calls malformed' 78 f --limit 1 3</dev/null
said '"Malformed App ID.": check KNACK_APP_ID'
fault '{"kind":"status","status":400,"times":-1,"body":"no such operator"}'
t 'a question that Knack refuses' 64 f --filters '[{"field":"field_55","operator":"is","value":1}]' 3</dev/null
said 'refused (400): "no such operator"'
t '400 to no question' 76 g 3</dev/null
fault '{"skip":1,"kind":"status","status":404,"times":-1}'
t 'the object is gone in mid-run' 76 f 3<one.4
fault '{"match":"applications","kind":"not_json_object","times":-1}'
t 'metadata that are none' 76 knack-fetch --base-url "$knack" --object object_4 3</dev/null
t '... are not written either' 76 knack-fetch --base-url "$knack" --describe 3</dev/null
fault '{"kind":"status","status":500,"times":-1}'
t '--max-time' 69 f --retries 1000 --retry-wait 5 --max-time 1 3</dev/null
t 'nobody there' 69 knack-fetch --base-url http://127.0.0.1:1 --object object_4 $quick 3</dev/null

# limits
fault '{"skip":1,"kind":"status","status":429}'
t '429 until the second is over' 0 f -v 3<all.4
said 'throttled (429): more than 10 calls a second, of ours or of others: trying again in 1 s'
control '{"reset":true,"set":{"clock":3600},"faults":[{"kind":"status","status":429}]}'
t "... on the server's own clock" 0 f -v 3<all.4
said 'trying again in 1 s'
control '{"reset":true,"set":{"clock":0,"limits":"none"},"faults":[{"kind":"status","status":429}]}'
t '... and where it does not say' 0 f -v 3<all.4
said 'trying again in 1 s'
control '{"reset":true,"set":{"limits":"all"},"faults":[{"kind":"status","status":429,"times":3}]}'
t 'a storm of them' 0 f 3<all.4
fault '{"skip":1,"kind":"status","status":429,"times":-1}'
t '... that does not end' 75 f --retries 1 3<one.4
said 'page 2 after 30 rows: throttled (429)'
fault '{"kind":"status","status":429,"times":-1,"headers":{"X-RateLimit-Reset":"4102444800"}}'
t '... until 2100' 75 f 3</dev/null
said 'come back at 2100-01-01'
control '{"reset":true,"set":{"plan":2,"plan_reset":18000000}}'
t "the day's calls end after page 2" 75 f 3<two.4
said 'object_4: page 3 after 60 rows: the calls of today are used up (25000 of the account'"'"'s plan): they come back at 20'
said ' UTC: run again then'
[ "$(log | wc -l)" -eq 2 ]; ok $? '... and no more is asked'
t 'none is left at first' 75 g 3</dev/null
said 'the calls of today are used up'
[ "$(log | wc -l)" -eq 3 ]; ok $? '... one call shows it'
control '{"reset":true,"set":{"plan":4}}'
t 'the last call of the day is the last that was due' 0 f 3<all.4
control '{"reset":true,"set":{"plan":-1,"rate":10}}'
run 0 'many pages' f --page-size 4
same '... all of them' all.4 out
log | jq -s '[.[] | select(.query.page)] | map(.status) | unique' -c >seen
t '... never throttled' 0 cat seen 3<<'OUT'
[200]
OUT
log | jq -s '[.[] | select(.query.page).at] | [range(10; length) as $i | .[$i] - .[$i - 10]] | length > 5 and all(. >= 1)' >seen
t '... for no second sees more than ten calls' 0 cat seen 3<<'OUT'
true
OUT

# pages that are not what was asked for
fresh
fault '{"skip":1,"kind":"repeat_page","times":-1}'
t 'a page that repeats' 76 f 3<one.4
said 'page 2 after 30 rows: repeats the page before it'
fault '{"skip":1,"kind":"repeat_page","times":-1}'
t '... by numbers' 76 g 3<one.7
fault '{"skip":2,"kind":"repeat_page","times":-1}'
t '... the first again' 76 f 3<two.4
said 'the server ignores the condition on field_55'
fault '{"kind":"ignore_limit","times":-1}'
t 'a limit that is ignored' 76 f 3</dev/null
said 'asked for 30 records, got 100: the server ignores the limit'
control '{"reset":true,"set":{"deaf":["field_55"]}}'
t 'a condition on the counter that is ignored' 0 f 3<all.4
said 'the server ignores the condition on field_55: going on by page numbers'
{ sed -n 1,50p all.4 | jq -c '.field_55 = "" | del(.field_55_raw)'; sed -n '51,$p' all.4; } >blank.4
fresh --records object_10=blank.4
jq -c '.application.objects[4].fields[0].key = "field_55x" | .application.objects[2].fields[0].key = "field_60"
    | .application.objects[4].fields[0].key = "field_55"' "$meta" >moved.json
t 'counters that are missing' 0 knack-fetch --base-url "$knack" --metadata moved.json --object object_10 $quick 3<blank.4
fresh --most 20
t 'pages smaller than asked for' 0 f 3<all.4
t '... by numbers' 0 g 3<all.7
fresh
page='{"total_pages":4,"current_page":2,"total_records":100,"records":['$(sed -n 31,35p all.7 | paste -sd,)']}'
fault "{\"skip\":1,\"kind\":\"nonsense\",\"body\":$(printf %s "$page" | jq -R .)}"
t 'a page shorter than promised is asked for again' 0 g 3<all.7
[ "$(log | wc -l)" -eq 5 ]; ok $? '... once'
fault "{\"skip\":1,\"kind\":\"nonsense\",\"body\":$(printf %s "$page" | jq -R .)}"
t '... or the next one brings what it lacks' 0 sh -c 'knack-fetch --base-url "$0" --metadata "$1" --object object_4 --page-size 30 --sort field_55' \
    "$knack" "$meta" 3<all.4
fresh --extra 1
t 'a total that is one too high' 0 f 3<all.4
t '... by numbers' 0 g 3<all.7
t '... for an object without records' 0 fetch object_10 3</dev/null
fresh --lag 3
head -n 97 all.4 >lagging.4; head -n 97 all.7 >lagging.7
t 'records that are counted and do not come' 76 f 3<lagging.4
said 'Knack counts 3 records more'
t '... by numbers' 76 g 3<lagging.7
t '... with --allow-drift' 0 g --allow-drift 2 3<lagging.7
t '... and with less of it' 76 g --allow-drift 1 3<lagging.7

# records that change meanwhile
id() { sed -n "$1s/^{\"id\":\"\([^\"]*\)\".*/\1/p" "$2"; }
fresh; between 1 object_4 '{"insert":{"object":"object_4","records":[{"field_73":"Normal"},{"field_73":"Refund"}]}}'
run 0 'records come' f
[ "$(jq .field_55 out | tr '\n' ' ')" = "$(seq 102 | tr '\n' ' ')" ]; ok $? '... at the end'
fresh; between 2 object_4 '{"delete":{"object":"object_4","ids":["'"$(id 3 all.4)"'","'"$(id 70 all.4)"'"]}}'
sed 70d all.4 >want
t 'records go, one that was read and one that was not' 0 f 3<want
fresh; between 2 object_4 '{"update":{"object":"object_4","id":"'"$(id 3 all.4)"'","fields":{"field_71":"01/01/2030"}}}'
t 'a record changes' 0 f 3<all.4
fresh; between 2 object_4 '{"delete":{"object":"object_4","ids":["'"$(id 70 all.4)"'","'"$(id 71 all.4)"'","'"$(id 72 all.4)"'"]}}'
sed 70,72d all.4 >want; head -n 90 want >want.90
t 'more records go than is usual' 75 f 3<want.90
said 'changed: Knack counted 100 records at first, and 97 came'
fresh; between 2 object_4 '{"delete":{"object":"object_4","ids":["'"$(id 70 all.4)"'","'"$(id 71 all.4)"'","'"$(id 72 all.4)"'"]}}'
t '... and may' 0 f --allow-drift 1 3<want

insert='{"insert":{"object":"object_7","records":[{"field_42":"New One"}]}}'
delete='{"delete":{"object":"object_7","ids":["'$(id 3 all.7)'"]}}'
fresh; between 2 object_7 "$insert"
t 'by numbers: a record comes' 75 g 3<two.7
said 'page 3 after 60 rows: changed: Knack counted 100 records at first, 101 now: run again, or see --allow-drift'
fresh; between 2 object_7 "$insert"
run 0 '... and may' g --allow-drift 1
[ "$(jq -r .id out | sort -u | wc -l)" -eq 101 ]; ok $? '... none twice'
said 'going on under --allow-drift'
fresh; between 2 object_7 "$delete"
t '... one goes, which shifts the others' 75 g 3<two.7
fresh; between 2 object_7 "$delete"
run 0 '... and may' g --allow-drift 1
[ "$(jq -r .id out | sort -u | wc -l)" -eq 99 ]; ok $? '... and takes one with it that was to come'
fresh; g --sort field_42 >sorted.7; { sed -n 1,60p sorted.7; sed -n 62,91p sorted.7; } >sorted.90
between 2 object_7 '{"update":{"object":"object_7","id":"'"$(id 3 sorted.7)"'","fields":{"field_42":{"first":"Z","last":"Z"}}}}'
t '... one moves to the end of the order, and is seen twice' 75 g --sort field_42 3<sorted.90
said 'came before: the records moved while they were read'

# --resume
fresh
st() { members state "$1"; echo "$values"; }
again() {		# again N OBJECT: a run that fails at page N, then one that does not
	rm -f state part
	fault "{\"skip\":$(($1 - 1)),\"kind\":\"status\",\"status\":503,\"times\":-1}"
	fetch "$2" --retries 0 --resume state >>part 2>err
	[ $? -eq 69 ] && [ "$(wc -l <part)" -eq $((30 * ($1 - 1))) ] && [ "$(st length)" -eq "$(wc -c <part)" ]
	ok $? "$2: fails at page $1, and says where in the file" || cat err
	fault ''
}
for n in 1 2 3 4; do
	again $n object_4
	fetch object_4 --resume state >>part 2>err; ok $? '... goes on'
	same '... to the same end' all.4 part
	[ ! -e state ]; ok $? '... where the file goes'
	again $n object_7
	fetch object_7 --resume state >>part 2>err; ok $? '... goes on'
	same '... to the same end' all.7 part
done
again 3 object_4; f --resume state >>part 2>err
log | jq -r '.query.filters | fromjson.rules[0].value' | sed -n 1p >seen
t 'what was written is not asked for again' 0 cat seen 3<<'OUT'
60
OUT
again 3 object_7; g --resume state >>part 2>err
log | jq -r .query.page >seen
t '... by numbers the last page is, to see that it is the same' 0 cat seen 3<<'OUT'
2
3
4
OUT
again 3 object_7; control "$delete"
cp part before
run 75 'by numbers: records moved between the runs' sh -c 'knack-fetch --base-url "$0" --metadata "$1" --object object_7 --page-size 30 --resume state >>part' "$knack" "$meta"
said 'the records moved since the run before'
same '... nothing is written' before part
fresh
rm -f state; t '--resume without a file, and without trouble' 0 f --resume state 3<all.4
[ ! -e state ]; ok $? '... leaves none'
again 3 object_4
cp state good; cp part good.part
for damage in 'truncate -s -1 state' 'truncate -s -20 state' 'truncate -s 0 state' 'echo x >>state' 'echo "{}" >state' 'echo "[1]" >state' \
    "sed -i 's/\"after\":[0-9]*/\"after\":\"x\"/' state" "sed -i 's/\"size\":30/\"size\":0/' state" 'head -c 2000000 /dev/zero >state'; do
	cp good state; cp good.part part; eval "$damage"
	run 78 "a file that is torn: $damage" sh -c 'knack-fetch --base-url "$0" --metadata "$1" --object object_4 --resume state >>part' "$knack" "$meta"
	said 'remove it, and what was written so far, to start over'
	same '... nothing is written' good.part part
done
for other in '--object object_7' '--object object_4 --limit 50' '--object object_4 --sort field_71' '--object object_4 --since field_71=2020-01-01' \
    '--object object_4 --filters [{"field":"field_55","operator":"is","value":"1"}]'; do
	cp good state; cp good.part part
	run 78 "another question: $other" sh -c 'knack-fetch --base-url "$0" --metadata "$1" --resume state $2 >>part' "$knack" "$meta" "$other"
	said 'is of another question'
done
cp good state; cp good.part part
run 78 'the output was emptied' sh -c 'knack-fetch --base-url "$0" --metadata "$1" --object object_4 --resume state >part' "$knack" "$meta"
said 'add to it with >>'
run 78 'the output is a pipe now' sh -c 'knack-fetch --base-url "$0" --metadata "$1" --object object_4 --resume state | cat; exit 78' "$knack" "$meta"
said 'the run before wrote to a file, not to a pipe'
cp good state; cp good.part part; printf '{"id":"half of a pa' >>part
run 0 'what was written past the last whole page' sh -c 'knack-fetch --base-url "$0" --metadata "$1" --object object_4 --page-size 30 --resume state >>part' "$knack" "$meta"
said '19 bytes that were written past the last whole page are cut off'
same '... is cut off' all.4 part
rm -f state
fault '{"skip":2,"kind":"status","status":503,"times":-1}'
{ f --retries 0 --resume state; fault ''; f --resume state; } 2>err | cat >piped
same 'through pipes' all.4 piped
fault ''; run 73 'a file that cannot be made' f --resume nowhere/state
log >requests; same '... is known before anything is asked' /dev/null requests
mkdir directory; run 64 'a directory' f --resume directory
rm -f state; fault '{"skip":1,"kind":"status","status":503,"times":-1}'
f --limit 50 --retries 0 --resume state >part 2>err; fault ''
f --limit 50 --resume state >>part 2>err; head -n 50 all.4 >want; same '--limit over two runs' want part
rm -f state; fault '{"skip":2,"kind":"status","status":503,"times":-1}'
fetch object_4 --since field_71=2020-01-01T00:40 --retries 0 --resume state >part 2>err; fault ''
fetch object_4 --since field_71=2020-01-01T00:40 --resume state --expect-rows 60 >>part 2>err; ok $? '--since and --expect-rows over two runs'
sed 1,40d all.4 >want; same '... the records of both' want part

# killed at any page, and between the page and its mark
stalled() { [ "$(log | wc -l)" -ge 2 ] || ! kill -0 $pid 2>/dev/null; }	# or had but one page to fetch
for object in object_4 object_7; do
	rm -f state part; : >part
	for page in 1 2 3 4; do
		fault "{\"skip\":1,\"kind\":\"stall\"}"
		# not by fetch(): of a function the shell would make a process more, and $! be that
		knack-fetch --base-url "$knack" --metadata "$meta" --object $object $quick --resume state >>part 2>err & pid=$!
		wait_for stalled
		kill -9 $pid 2>/dev/null; wait $pid 2>/dev/null
		[ ! -e state ] || [ "$(st length)" -le "$(wc -c <part)" ]; ok $? "$object, kill -9 $page: the file is not ahead of the output"
	done
	fault ''
	[ ! -e state ] || fetch $object --resume state >>part 2>err; ok $? 'and a last run'
	same '... all records, each once' all.${object#object_} part
done

# large
python3 -c '
import json
for i in range(400): print(json.dumps({"id": "%024x" % (i + 1), "field_60": i + 1, "field_60_raw": i + 1, "field_59": "x" * 120000}))' >wide.ndjson
fresh --records object_10=wide.ndjson
export knack meta
run 0 'a page of 48 MB comes in parts' limited 180000 knack-fetch 'knack-fetch --base-url "$knack" --metadata "$meta" --object object_10'
same '... that are all of it' wide.ndjson out
said 'a page of 1000 records is more than 20 MiB: going on by 500'
cp out wide
jq '.application.objects[4].fields[0].type = "number"' "$meta" >plain.json
run 0 '... by numbers' limited 180000 knack-fetch 'knack-fetch --base-url "$knack" --metadata plain.json --object object_10'
same '... too' wide.ndjson out
rm -f wide wide.ndjson out
t 'three million ids, and each again' 0 env ASAN_OPTIONS=quarantine_size_mb=0 idset 3000000 800000 3<<'OUT'
3000000 new, 2200000 known, small
OUT
done_testing
