#!/bin/sh
# knack-push: what is written to Knack, and what comes of it when that goes wrong.
# Slow in its second part, which the quick run leaves out: it waits until time limits have passed.
. "$(dirname "$0")/lib.sh"
unset http_proxy all_proxy ALL_PROXY
export KNACK_APP_ID=5d79512148c4af00106d1507 KNACK_API_KEY=0b5c7c2e-1f6a-4b0e-9a64-1d1f2e3d4c5b
meta=$data/knack/metadata.json

# object_10 are toppings: field_60 an auto increment, field_59 a name, which is required and unique
start_server knack "$here/servers/knack.py" --metadata "$meta" --rate 0
p() { knack-push --base-url "$knack" --metadata "$meta" --object object_10 --retry-wait 0.01 --retries 3 "$@"; }
log() { curl -sS "$knack/log"; }
methods() { curl -sS "$knack/log?pick=method"; }
control() {
	[ "$(curl -sS -o control.out -w '%{http_code}' --data-binary "$1" "$knack/control")" = 200 ] || give_up "control: $(cat control.out)"
}
fresh() {		# fresh [FAULTS]: toppings u1 to u3 and nothing else, and these faults
	control "[{\"reset\":true,\"set\":{\"plan\":-1,\"rate\":0}},{\"delete\":{\"object\":\"object_10\",\"ids\":\"all\"}},
	    {\"insert\":{\"object\":\"object_10\",\"records\":[{\"id\":\"5f000000000000000000000a\",\"field_59\":\"u1\"},
	    {\"id\":\"5f000000000000000000000b\",\"field_59\":\"u2\"},{\"id\":\"5f000000000000000000000c\",\"field_59\":\"u3\"}]}},
	    {\"faults\":[${1-}]}]"
}
names() { curl -sS "$knack/table/object_10?pick=field_59" | sed 's/^\["//; s/"\]$//; s/\\"/"/g' | paste -sd' '; }
in_order() {		# in_order NAME...: the three that were there stay; those that are created side by side come in any order
	printf '%s\n' "$@" | sed 3q
	printf '%s\n' "$@" | sed 1,3d | sort
}
have() {		# have NAMES: those that are there now
	got=$(in_order $(names)); [ "$got" = "$(in_order $1)" ]; ok $? "... Knack has $1" || echo "# got $got"
}
counts() {		# counts READ CREATED UPDATED UNCHANGED REJECTED: of the receipt
	members out read created updated unchanged rejected
	[ "$values" = "$*" ]; ok $? "... $*" || { echo "# got $values"; sed 's/^/# /' err; }
}
sent() { log | jq -c 'select(.method != "GET") | '"$1"; }

# what is written
fresh
run 0 'create and update' p <<'X'
{"field_59":"Corn"}
{"id":"5f000000000000000000000b","field_59":"U2 \u00e9\/"}
X
counts 2 1 1 0 0
jq -c 'del(.seconds)' out >receipt
t '... the receipt' 0 cat receipt 3<<'OUT'
{"tool":"knack-push","object":"object_10","read":2,"created":1,"updated":1,"unchanged":0,"rejected":0}
OUT
have 'u1 U2 é/ u3 Corn'
sent '[.method, .path, .body, .headers["content-type"], .headers["x-knack-rest-api-key"]]' | sort >seen
t '... as it was sent' 0 cat seen 3<<OUT
["POST","/v1/objects/object_10/records","{\"field_59\":\"Corn\"}","application/json","$KNACK_API_KEY"]
["PUT","/v1/objects/object_10/records/5f000000000000000000000b","{\"field_59\":\"U2 \\\\u00e9\\\\/\"}","application/json","$KNACK_API_KEY"]
OUT
fresh
run 0 'CSV' p --jobs 1 <<'X'
id,field_59
,"Sweet ""Corn"""
5f000000000000000000000a,007
X
counts 2 1 1 0 0
have '007 u2 u3 Sweet "Corn"'
control '{"reset":true}'
run 0 'values of every kind' knack-push --base-url "$knack" --metadata "$meta" --object object_3 <<'X'
{"field_6":"Plain Crust","field_7":"x","field_10":1.10,"field_29":false,"field_19":{"first":"Ann","last":"Lee"},"field_128":[],"field_8":null}
X
sent .body >seen
t '... byte for byte' 0 cat seen 3<<'OUT'
"{\"field_6\":\"Plain Crust\",\"field_7\":\"x\",\"field_10\":1.10,\"field_29\":false,\"field_19\":{\"first\":\"Ann\",\"last\":\"Lee\"},\"field_128\":[],\"field_8\":\"\"}"
OUT
control '{"reset":true}'
run 0 'columns without a value' knack-push --base-url "$knack" --metadata "$meta" --object object_3 <<'X'
field_6,field_7,field_10
Plain Crust,x,
X
sent .body >seen
t '... are sent as blanks' 0 cat seen 3<<'OUT'
"{\"field_6\":\"Plain Crust\",\"field_7\":\"x\",\"field_10\":\"\"}"
OUT
fresh
knack-fetch --base-url "$knack" --metadata "$meta" --object object_10 >fetched
run 0 'what knack-fetch wrote' p fetched
counts 3 0 3 0 0
knack-fetch --base-url "$knack" --metadata "$meta" --object object_10 >again
same '... changes nothing' fetched again
fresh
run 0 'a field that comes twice' p <<'X'
{"field_59":"one","field_59":"two"}
X
have 'u1 u2 u3 two'
fresh
run 0 'a record that comes twice: the last stays' p <<'X'
{"id":"5f000000000000000000000a","field_59":"one"}
{"id":"5f000000000000000000000a","field_59":"two"}
{"id":"5f000000000000000000000a","field_59":"three"}
X
have 'three u2 u3'
t 'nothing' 0 sh -c 'knack-push --base-url "$0" --metadata "$1" --object object_10 </dev/null | jq -c "[.read, .empty]"' "$knack" "$meta" 3<<'OUT'
[0,true]
OUT
fresh
run 65 '--expect-rows' p --expect-rows 2 <<'X'
{"field_59":"x"}
X
said '1 good records, but --expect-rows 2: nothing was sent'
have 'u1 u2 u3'
run 99 '--empty-exit' p --empty-exit 99 </dev/null
control '{"reset":true}'
run 0 'by a view, without a key' env -u KNACK_API_KEY knack-push --base-url "$knack" --metadata "$meta" --view view_12 --scene scene_7 <<'X'
{"field_6":"Plain Crust","field_7":"by a form"}
X
[ "$(jq -r .view out)" = view_12 ]; ok $? '... says the receipt'
sent '[.path, .headers["x-knack-rest-api-key"]]' >seen
t '... and the log' 0 cat seen 3<<'OUT'
["/v1/pages/scene_7/views/view_12/records","knack"]
OUT

# --key
fresh
run 0 '--key' p --key field_59 <<'X'
{"field_59":"u1"}
{"field_59":"new"}
{"id":"5f000000000000000000000b","field_59":"by its id"}
X
counts 3 1 1 1 0
have 'u1 by its id u3 new'
[ "$(sent .method | sort | uniq -c | tr -s ' ' | paste -sd' ')" = ' 1 "POST"  1 "PUT"' ]; ok $? '... what is there already is not written'
fresh
run 0 '--key by a name, and a second run' sh -c 'printf "field_59\nx\ny\nu2\n" >in.csv; for i in 1 2; do
	knack-push --base-url "$0" --metadata "$1" --object object_10 --key "Topping Name" in.csv; done' "$knack" "$meta"
counts 3 0 0 3 0
have 'u1 u2 u3 x y'
control '{"reset":true}'
control '{"insert":{"object":"object_3","records":[{"field_6":"Plain Crust","field_7":"one","field_125":"k1","field_10":5,"field_29":false,"field_20":"a@example.org"},
	{"field_6":"Plain Crust","field_7":"two","field_125":"k2"},{"field_6":"Plain Crust","field_7":"two","field_125":"k3"}]}}'
q() { knack-push --base-url "$knack" --metadata "$meta" --object object_3 "$@"; }
run 0 '--key: what changes is written' q --key field_125 --rejects rejects <<'X'
{"field_125":"k1","field_7":"one","field_10":"5","field_29":"No"}
{"field_125":"k1","field_7":"one","field_10":6}
{"field_125":"K2","field_7":"other"}
{"field_125":"k4","field_7":"new"}
X
counts 4 0 1 1 2
jq -c '[.line, .column, .reason]' rejects | sort >seen	# they come in the order of the answers
t '... or cannot be' 0 cat seen 3<<'OUT'
[3,"field_125","Knack finds a record for it whose value is another one"]
[4,"field_6","Multiple Choice is required."]
OUT
run 0 '--key that is no text' q --key field_20 <<'X'
{"field_20":"a@example.org","field_7":"found"}
X
counts 1 0 1 0 0
run 65 '--key that several records have' q --key field_7 <<'X'
{"field_7":"two","field_6":"Mushrooms"}
X
said '<stdin>:1: column "field_7": several records have this value'
fresh
run 0 'a key that comes twice is created once' p --key field_59 <<'X'
{"field_59":"a"}
{"field_59":"b"}
{"field_59":"a"}
{"field_59":"a"}
X
counts 4 2 0 2 0
fresh
run 0 '--create-only leaves what is there' p --key field_59 --create-only <<'X'
{"field_59":"u1"}
{"field_59":"new"}
X
counts 2 1 0 1 0
fresh
run 0 '--update-only makes nothing new' p --key field_59 --update-only --rejects rejects <<'X'
{"field_59":"u1"}
{"field_59":"new"}
X
counts 2 0 0 1 1
have 'u1 u2 u3'
control '{"set":{"deaf":["field_59"]}}'
run 65 'a look-up that Knack passes over' p --key field_59 <<'X'
{"field_59":"new"}
X
control '{"set":{"deaf":[]}}'
have 'u1 u2 u3'

# bad records: nothing is sent
fresh
while IFS='|' read -r name says call record; do
	echo "$record" >record
	run 65 "$name" p $call record
	said "record:1: $says"
	run 0 '... is put aside' sh -c 'echo "{\"field_59\":\"$1\"}" >good; knack-push --base-url "$2" --metadata "$3" --object object_10 --key field_59 $4 --rejects rejects good record' \
	    - "u1" "$knack" "$meta" "$(echo "$call" | sed 's/--key field_59//')"
	counts 2 0 0 1 1
done <<'X'
an id that is none|column "id": "12" is no id of a record||{"id":"12","field_59":"x"}
a field that the object has not|column "field_7": object_10 has no such field: Knack would leave it out||{"field_7":"x"}
a field by its name|column "Topping Name": object_10 has no such field||{"Topping Name":"x"}
an id alone|no field in it but the id||{"id":"5f000000000000000000000a"}
a record without the key|column "field_59": neither an id nor a field_59|--key field_59|{"field_60":5}
a new record|column "field_59": neither an id|--update-only --key field_59|{"field_59":null}
an old record|column "id": a record with an id, under --create-only|--create-only|{"id":"5f000000000000000000000a","field_59":"x"}
what is no object|an array, not an object: use json-explode|--from ndjson|["field_59"]
X
run 65 'a new record, and no key' p --update-only <<'X'
{"field_59":"x"}
X
said 'column "id": no id, under --update-only'
run 65 'the second record is bad' p <<'X'
{"field_59":"good"}
{"field_59":"cut
X
run 65 'more bad ones than allowed' p --rejects rejects --max-rejects 50% <<'X'
{"field_59":"good"}
{"x":1}
{"x":2}
X
said '2 of 3 records are bad'
sent .path >seen; same 'nothing was sent' /dev/null seen

# records that Knack refuses
fresh
run 65 'a record that Knack refuses' p --jobs 1 <<'X'
{"field_59":"good"}
{"field_59":"u3"}
{"field_59":"never sent"}
X
said '<stdin>:2: column "field_59": Topping Name must be unique.'
said 'stopped: 1 created and 0 updated stay; nothing after <stdin>:2 was sent'
have 'u1 u2 u3 good'
fresh
run 0 '... is put aside' p --rejects rejects <<'X'
{"field_59":"good"}
{"field_59":"u3"}
{"field_59":""}
{"id":"5f00000000000000000000ff","field_59":"lost"}
{"field_59":"sent"}
X
counts 5 2 0 0 3
sort rejects >seen
t '... with the reason' 0 cat seen 3<<'OUT'
{"line":2,"column":"field_59","reason":"Topping Name must be unique.","record":{"field_59":"u3"}}
{"line":3,"column":"field_59","reason":"Topping Name is required.","record":{"field_59":""}}
{"line":4,"column":"id","reason":"no record has this id (404)","record":{"id":"5f00000000000000000000ff","field_59":"lost"}}
OUT
run 65 '... and too many of them' p --rejects rejects --max-rejects 1 <<'X'
{"field_59":"u3"}
{"field_59":"u2"}
X
for body in '{"errors":["no good"]}' '{"errors":[]}' 'no good' '[5]' '' '{"errors":{}}' '{"message":"no good"}'; do
	fresh "{\"match\":\"records\$\",\"method\":\"POST\",\"kind\":\"status\",\"status\":400,\"body\":\"$(printf %s "$body" | sed 's/"/\\"/g')\"}"
	run 65 "... in other words: $body" p <<'X'
{"field_59":"x"}
X
	said '<stdin>:1: '
done

quick_ends
# a create whose answer is lost
post='"match":"records$","method":"POST"'
timeout() {		# timeout FAULT: short for one that never answers; no busy machine is as slow as the other
	case $1 in *stall*) seconds=1 ;; *) seconds=60 ;; esac
}
for fault in '"kind":"no_reply"' '"kind":"reset"' '"kind":"cut"' '"kind":"short"' '"kind":"nonsense"' '"kind":"stall"' '"kind":"html"' \
    '"kind":"nonsense","body":"{}"' '"kind":"status","status":503' '"kind":"status","status":500' '"kind":"status","status":408' \
    '"kind":"upload_reset"' '"kind":"upload_cut"' '"kind":"status","status":502'; do
	timeout "$fault"
	fresh "{$post,$fault}"
	run 75 "without --key: $fault" p --jobs 1 --timeout $seconds <<'X'
{"field_59":"a"}
{"field_59":"b"}
X
	said '<stdin>:1: create: '
	said 'stopped: 0 created and 0 updated stay; nothing after <stdin>:1 was sent'
	[ "$(methods | grep -c POST)" -le 1 ]; ok $? '... is not sent again'
	fresh "{$post,$fault}"
	run 0 "--key finds out: $fault" p --key field_59 --timeout $seconds <<'X'
{"field_59":"a"}
{"field_59":"b"}
X
	counts 2 2 0 0 0
	[ "$(names | tr ' ' '\n' | sort | paste -sd' ')" = 'a b u1 u2 u3' ]; ok $? '... and each is there once'
done
fresh "{$post,\"kind\":\"no_reply\",\"skip\":1}"
run 75 'several under way' p <<'X'
{"field_59":"a"}
{"field_59":"b"}
{"field_59":"c"}
{"id":"5f000000000000000000000a","field_59":"d"}
X
said 'stopped: 2 created and 1 updated stay'
fresh "{$post,\"kind\":\"status\",\"status\":503,\"times\":-1}"
run 75 'a create that never goes well' p --key field_59 <<'X'
{"field_59":"a"}
X
[ "$(methods | grep -c POST)" -eq 4 ]; ok $? '... four tries'
have 'u1 u2 u3'
fresh "{$post,\"kind\":\"status\",\"status\":429,\"times\":2}"
run 0 'a create that is throttled is not done' p <<'X'
{"field_59":"a"}
X
counts 1 1 0 0 0
run 69 'nobody there' knack-push --base-url http://127.0.0.1:1 --metadata "$meta" --object object_10 --retries 1 --retry-wait 0.01 <<'X'
{"field_59":"a"}
X
said '<stdin>:1: create: '
said 'gave up after 2 tries: it was not done'

# what may be repeated is
for fault in '"kind":"no_reply"' '"kind":"reset"' '"kind":"cut"' '"kind":"nonsense"' '"kind":"stall"' '"kind":"status","status":503'; do
	timeout "$fault"
	fresh "{\"method\":\"PUT\",$fault}"
	run 0 "an update comes again: $fault" p --timeout $seconds <<'X'
{"id":"5f000000000000000000000a","field_59":"a"}
X
	counts 1 0 1 0 0
	fresh "{\"match\":\"filters=\",$fault}"
	run 0 "a look-up comes again: $fault" p --timeout $seconds --key field_59 <<'X'
{"field_59":"a"}
X
	counts 1 1 0 0 0
done
fresh '{"method":"PUT","kind":"status","status":503,"times":-1}'
run 69 'an update that never goes well' p <<'X'
{"id":"5f000000000000000000000a","field_59":"a"}
X
said '<stdin>:1: update: the server failed (503)'
fresh '{"match":"filters=","kind":"nonsense","body":"{\"records\":[{\"field_59\":1}]}","times":-1}'
run 76 'a look-up that makes no sense' p --key field_59 <<'X'
{"field_59":"a"}
X
fresh '{"match":"records","method":"PUT","kind":"redirect","to":"http://127.0.0.1:1/"}'
run 76 'a redirect is not followed with the record' p <<'X'
{"id":"5f000000000000000000000a","field_59":"a"}
X

# who may, and how often
fresh
run 77 'a wrong key' env KNACK_API_KEY=wrong-key knack-push --base-url "$knack" --metadata "$meta" --object object_10 <<'X'
{"field_59":"a"}
X
said 'refused (401): "Invalid API key": check KNACK_API_KEY'
said_not wrong-key
run 77 '... for a look-up' env KNACK_API_KEY=wrong-key knack-push --base-url "$knack" --metadata "$meta" --object object_10 --key field_59 <<'X'
{"field_59":"a"}
X
run 78 'no key' env -u KNACK_API_KEY knack-push --base-url "$knack" --metadata "$meta" --object object_10 <<'X'
{"field_59":"a"}
X
fresh; control '{"set":{"plan":2,"plan_reset":3600000}}'
seq -f '{"field_59":"n%.0f"}' 5 >five
run 75 "the day's calls end" p --jobs 1 five
said 'the calls of today are used up (25000 of the account'"'"'s plan): they come back at'
said 'stopped: 2 created and 0 updated stay; nothing after five:2 was sent'
[ "$(sent .status | paste -sd' ')" = '200 200' ]; ok $? '... and no more is sent'
fresh; control '{"set":{"plan":5}}'
run 0 'the last call of the day is the last that was due' p five
counts 5 5 0 0 0
control '{"set":{"plan":-1,"rate":10},"faults":[{"method":"POST","kind":"status","status":429,"skip":7}]}'
seq -f '{"field_59":"m%.0f"}' 25 >many
run 0 'many' p many
counts 25 25 0 0 0
# the log is in the order of the answers
log | jq -s '[.[] | select(.method == "POST") | .at] | .[-26:] | sort | [range(10; length) as $i | .[$i] - .[$i - 10]] | length == 16 and all(. >= 1)' >seen
t '... no second sees more than ten calls' 0 cat seen 3<<'OUT'
true
OUT
control '{"set":{"rate":0}}'

# a producer that dies, and signals
fresh
mkfifo in
knack-push --base-url "$knack" --metadata "$meta" --object object_10 in >out 2>err &
pid=$!
exec 9>in
echo '{"field_59":"a"}' >&9
sleep 0.2
kill -TERM $pid; wait $pid; [ $? -eq 143 ]; ok $? 'SIGTERM before the input ends'
exec 9>&-
said 'stopped: nothing was sent, run again'
sent .path >seen; same '... nothing was sent' /dev/null seen
run 3 'a producer that fails, under sluice' sluice 'cat five; exit 3' -- knack-push --base-url "$knack" --metadata "$meta" --object object_10
sent .path >seen; same '... nothing was sent' /dev/null seen
run 0 'and one that does not' sluice 'cat five' -- knack-push --base-url "$knack" --metadata "$meta" --object object_10
counts 5 5 0 0 0
fresh '{"method":"POST","kind":"latency","seconds":0.5,"times":-1}'
seq -f '{"field_59":"n%.0f"}' 200 >long
knack-push --base-url "$knack" --metadata "$meta" --object object_10 --jobs 1 long >out 2>err &
pid=$!
begun() { methods | grep -q POST; }
wait_for begun
kill -TERM $pid; wait $pid; [ $? -eq 143 ]; ok $? 'SIGTERM while it sends ends it'
said 'created and 0 updated stay; nothing after long:'
n=$(sed -n 's/.*stopped: \([0-9]*\) created.*/\1/p' err)
control '{"reset":true}'; [ "$(names | wc -w)" -eq $((3 + n)) ]; ok $? '... once what is under way is settled, and it says how far it came'

# large
python3 -c 'for i in range(300000): print("{\"x\":%d,\"y\":\"%s\"}" % (i, "y" * 100))' >bad
export knack meta
run 0 'many bad records in little memory' limited 150000 knack-push 'knack-push --base-url "$knack" --metadata "$meta" --object object_10 --rejects rejects bad'
counts 300000 0 0 0 300000
rm -f bad rejects

# wrong calls
while IFS='|' read -r name call; do
	eval "run 64 '$name' knack-push --base-url $knack $call <."
done <<'X'
no object|
an object and a view|--object object_1 --view view_1
an object by its name|--object toppings
a page for an object|--object object_10 --scene scene_1
two things at once|--object object_10 --update-only --create-only
too many jobs|--object object_10 --jobs 9
--max-rejects without --rejects|--object object_10 --metadata "$meta" --max-rejects 5
X
run 65 'a key that the object has not' p --key field_7 <.
run 65 'a key by a name that it has not' p --key Name <.
run 76 'no such object' knack-push --base-url "$knack" --object object_99 <.
run 66 'no such file' p nowhere
run 74 'a read error' p <.
run 66 'a closed stdin' p <&-
run 74 'a full disk for the receipt' sh -c 'knack-push --base-url "$0" --metadata "$1" --object object_10 </dev/null >/dev/full' "$knack" "$meta"
run 73 'no place for the records' env TMPDIR=/nowhere knack-push --base-url "$knack" --metadata "$meta" --object object_10 five
run 73 'no place for the rejects' p --rejects /nowhere/rejects five
run 0 '--help' knack-push --help
done_testing
