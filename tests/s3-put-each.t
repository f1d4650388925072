#!/bin/sh
# s3-put --each: every record an object, against the stand-in.
# Slow in its second part, which the quick run leaves out: it waits until time limits have passed.
. "$(dirname "$0")/lib.sh"

start_s3 --bucket city
control() { curl -sS -f -o control.out --data-binary "$1" "$s3/control" || echo "# control: $1"; }
fault() { control "{\"reset\":true,\"faults\":[$1]}"; }
reset() { control '{"reset":true}'; }
log() { curl -sS "$s3/log"; }
objects() { curl -sS "$s3/objects"; }
raw() { curl -sS -f "$s3/raw/city/$1"; }
line() { raw "$1"; echo; }
keys() { objects | jq -r '.key' | grep "^$1" | sort; }
asked() { log | jq -r '.method' | sort | uniq -c | sed 's/^ *//'; }
each() {		# each URL [OPTION...]
	_url=$1; shift
	s3-put --retry-wait 0.01 --each "$_url" "$@"
}
adds_up() {		# adds_up SUM PART PART PART
	[ $# -eq 4 ] && [ "$1" -eq $(($2 + $3 + $4)) ]
}
receipt() {		# receipt [FIELD...]: of the last run; read = put + unchanged + rejected, whatever they are
	members out read put unchanged rejected
	adds_up $values || echo "# the receipt does not add up: $(cat out)"
	jq -c "[$(printf '.%s,' "$@" | sed 's/,$//')]" out
}
contents() {		# of the objects under a prefix: "KEY CONTENT", sorted
	objects | jq -r 'select(.key | startswith("'"$1"'")) | .key' | sort | while IFS= read -r key; do
		printf '%s ' "$key"; curl -sS -f -G "$s3/raw/city/$(jq -rn --arg k "$key" '$k | split("/") | map(@uri) | join("/")')"; echo
	done
}

# calls
t 'no field in the key' 64 s3-put --each s3://city/a.json <. 3</dev/null
said 'no field of the records is in it: all would be one object'
t 'only a setting in the key' 64 s3-put --each 's3://city/{a}.json' -s a=1 <. 3</dev/null
t 'an open brace' 64 s3-put --each 's3://city/{a.json' <. 3</dev/null
said 'a brace without its like'
t 'a closing brace' 64 s3-put --each 's3://city/a}.json' <. 3</dev/null
t 'an empty field' 64 s3-put --each 's3://city/{}.json' <. 3</dev/null
t 'dots in the key' 64 s3-put --each 's3://city/../{a}' <. 3</dev/null
t 'a setting that is none' 64 s3-put --each 's3://city/{a}' -s x <. 3</dev/null
t 'an empty setting' 64 s3-put --each 's3://city/{a}' -s x= <. 3</dev/null
t 'dots in a setting' 64 s3-put --each 's3://city/{x}/{a}' -s x=a/../b <. 3</dev/null
t 'an empty segment in a setting' 64 s3-put --each 's3://city/{x}/{a}' -s x=/b <. 3</dev/null
t 'a control character in a setting' 64 s3-put --each 's3://city/{x}/{a}' -s "x=a	b" <. 3</dev/null
t '--part-size' 64 s3-put --each 's3://city/{a}' --part-size 5M <. 3</dev/null
t 'a file that is not there' 66 s3-put --each 's3://city/{a}' nowhere 3</dev/null
t 'stdin closed' 66 s3-put --each 's3://city/{a}' <&- 3</dev/null
t 'a read error is no end of input' 74 s3-put --each 's3://city/{a}' <. 3</dev/null
log >asked
same 'none of them asked S3 for anything' /dev/null asked

# records
cat >records <<'IN'
{"id": "a1", "n": 1.50,  "nested": {"b": [1, 2]}}
  {"id":"b 2","n":-0,"text":"\u00e9 \"é\""}  

{"n":7,"id":300,"id":4e2}
IN
run 0 'records' each 's3://city/{app}-test/{n}/{id}.json' --set app=311 records
receipt read put unchanged rejected superseded bytes >got
t 'their receipt' 0 cat got 3<<'OUT'
[3,3,0,0,0,116]
OUT
contents 311 >got
t 'are stored as they came' 0 cat got 3<<'OUT'
311-test/-0/b 2.json {"id":"b 2","n":-0,"text":"\u00e9 \"é\""}
311-test/1.50/a1.json {"id": "a1", "n": 1.50,  "nested": {"b": [1, 2]}}
311-test/7/4e2.json {"n":7,"id":300,"id":4e2}
OUT
log | jq -r '.headers."content-type"' | sort | uniq -c | sed 's/^ *//' >got
t 'as JSON' 0 cat got 3<<'OUT'
3 application/json
OUT
run 0 'CSV' each 's3://city/csv/{{{id}}}.json' <<'IN'
id,name,note
1,"x, y",
2,,""
IN
contents csv >got
t 'is stored as objects' 0 cat got 3<<'OUT'
csv/{1}.json {"id":"1","name":"x, y","note":null}
csv/{2}.json {"id":"2","name":null,"note":""}
OUT
run 0 'no records' each 's3://city/{id}' </dev/null
jq -c 'del(.seconds)' out >got
t 'are a receipt' 0 cat got 3<<'OUT'
{"tool":"s3-put","url":"s3://city/{id}","read":0,"put":0,"unchanged":0,"rejected":0,"superseded":0,"bytes":0,"empty":true}
OUT
reset
printf '{"id":1}\n{"id":2}\n' >two
run 0 'what goes along' each 's3://city/along/{id}.json' --gzip --meta app=knack --content-type text/plain two
log | jq -c '.headers | [."content-type", ."content-encoding", ."x-amz-meta-app"]' | sort | uniq -c | sed 's/^ *//' >got
t 'goes with each' 0 cat got 3<<'OUT'
2 ["text/plain","gzip","knack"]
OUT
{ raw along/1.json | gunzip; echo; raw along/2.json | gunzip; echo; } >got
same 'and each is packed by itself' two got
printf '%s\n' '{"id":"+ % # ? & = \u00e9 \ud83d\ude00 a\\b \" ~"}' >odd
run 0 'an odd key' each 's3://city/odd/{id}' odd
objects | jq -r 'select(.key | startswith("odd/")).key' >got
t 'is stored under these bytes' 0 cat got 3<<'OUT'
odd/+ % # ? & = é 😀 a\b " ~
OUT
run 74 'a receipt that can not be written' sh -c 's3-put --each "s3://city/{id}" two >/dev/full'

# bad records
cat >bad <<'IN'
{"id":"good"}
{"key":"x"}
{"id":null}
{"id":""}
{"id":"a/b"}
{"id":".."}
{"id":"."}
{"id":"a\nb"}
{"id":"a\u0085b"}
{"id":"a\u0000b"}
{"id":{"a":1}}
{"id":[1]}
{"id":"cut
{"id":"better"}
IN
run 0 'bad records' each 's3://city/bad/{id}' --rejects rejects.ndjson bad
receipt read put rejected >got
t 'are counted' 0 cat got 3<<'OUT'
[14,2,12]
OUT
jq -r '"\(.line) \(.column) \(.reason)"' rejects.ndjson >got
t 'and put aside' 0 cat got 3<<'OUT'
2 id the field is missing
3 id the field is empty
4 id the field is empty
5 id a slash in a part of a key
6 null the key has a segment that is . or ..
7 null the key has a segment that is . or ..
8 id a control character in a part of a key
9 id a control character in a part of a key
10 id a control character in a part of a key
11 id an object or array is no part of a key
12 id an object or array is no part of a key
13 null record is cut at byte 11
OUT
contents bad/ >got
t 'the others are stored' 0 cat got 3<<'OUT'
bad/better {"id":"better"}
bad/good {"id":"good"}
OUT
run 65 'a bad record' each 's3://city/first/{id}' <bad
said '<stdin>:2: column "id": the field is missing'
same 'has no receipt' /dev/null out
contents first/ >got
t 'ends the run, with those before it stored' 0 cat got 3<<'OUT'
first/good {"id":"good"}
OUT
run 65 'too many bad records' each 's3://city/bad/{id}' --rejects rejects.ndjson --max-rejects 3 bad
said 'more than --max-rejects 3'
printf '{"id":"%01100d"}\n' 1 >long
run 65 'a key that is too long' each 's3://city/{id}' long
said 'a key has 1024 bytes at most'
printf '{"id":"1","v":"%0200d"}\n{"id":2}\n' 1 >huge
run 0 'a record that is too large' each 's3://city/huge/{id}' --max-record 100 --rejects rejects.ndjson huge
receipt put rejected >got
t 'is a bad one' 0 cat got 3<<'OUT'
[1,1]
OUT
# What S3 itself refuses for the record's own fault.
fault '{"match":"^PutObject .*/2$","kind":"error","code":"KeyTooLongError"}'
run 0 'a record that S3 refuses' each 's3://city/r/{id}' --rejects rejects.ndjson two
jq -c '[.line, .reason, .record]' rejects.ndjson >got
t 'is a bad one, too' 0 cat got 3<<'OUT'
[2,"400 KeyTooLongError: Your key is too long",{"id":2}]
OUT
fault '{"match":"^PutObject .*/2$","kind":"error","code":"KeyTooLongError"}'
run 65 'without --rejects' each 's3://city/r/{id}' two
said 'two:2: s3://city/r/2: 400 KeyTooLongError'

quick_ends
# one key
reset
run 0 'records of one key' each 's3://city/one/{id}' <<'IN'
{"id":1,"v":1}
{"id":2,"v":1}
{"id":1,"v":2}
{"id":1,"v":3}
IN
receipt read put superseded >got
t 'are counted' 0 cat got 3<<'OUT'
[4,4,2]
OUT
fault '{"match":"^PutObject .*/1$","kind":"latency","seconds":1},{"match":"^PutObject .*/1$","kind":"no_reply"}'
run 0 'the first of them is slow' each 's3://city/one/{id}' <<'IN'
{"id":1,"v":4}
{"id":1,"v":5}
IN
line one/1 >got
t 'the last stays' 0 cat got 3<<'OUT'
{"id":1,"v":5}
OUT
# That they are never on their way together shows where the first is tried again and again: the second has to wait.
fault '{"match":"^PutObject","kind":"error","code":"SlowDown","times":3}'
run 0 'the first of them is throttled' each 's3://city/order/{id}' <<'IN'
{"id":1,"v":"first"}
{"id":1,"v":"second"}
IN
log | jq -c '[.status, (.headers."x-amz-content-sha256"[0:4])]' | uniq -c | sed 's/^ *//' >got
t 'one after the other' 0 cat got 3<<OUT
3 [503,"$(printf '{"id":1,"v":"first"}' | sha256sum | cut -c1-4)"]
1 [200,"$(printf '{"id":1,"v":"first"}' | sha256sum | cut -c1-4)"]
1 [200,"$(printf '{"id":1,"v":"second"}' | sha256sum | cut -c1-4)"]
OUT

# --skip-unchanged
seq 1 40 | sed 's/.*/{"id":"&","v":"some text"}/' >forty
reset
run 0 '--skip-unchanged: all new' each 's3://city/skip/{id}' --skip-unchanged forty
receipt put unchanged bytes >got
reset
run 0 'the same again' each 's3://city/skip/{id}' --skip-unchanged forty
receipt read put unchanged bytes >got
t 'is all unchanged' 0 cat got 3<<'OUT'
[40,0,40,0]
OUT
asked >got
t 'and only asked for' 0 cat got 3<<'OUT'
40 HEAD
OUT
sed '7s/some/other/' forty >changed
run 0 'one has changed' each 's3://city/skip/{id}' --skip-unchanged changed
receipt read put unchanged bytes >got
t 'one is put' 0 cat got 3<<'OUT'
[40,1,39,27]
OUT
printf '{"id":"7","v":"A"}\n{"id":"7","v":"some text"}\n{"id":"7","v":"some text"}\n{"id":"7","v":"A"}\n' >back
control '{"objects":{"city/skip/7":"{\"id\":\"7\",\"v\":\"A\"}"}}'
run 0 'there and back again' each 's3://city/skip/{id}' --skip-unchanged back
receipt read put unchanged superseded >got
t 'is put as often as it changes' 0 cat got 3<<'OUT'
[4,2,2,1]
OUT
line skip/7 >got
t 'and stays as it was last' 0 cat got 3<<'OUT'
{"id":"7","v":"A"}
OUT
control '{"deny":["^HeadObject"]}'
run 0 'without the right to look' each 's3://city/skip/{id}' --skip-unchanged forty
receipt put unchanged >got
t 'all are put' 0 cat got 3<<'OUT'
[40,0]
OUT
control '{"deny":[]}'
run 0 'packed, and unchanged' each 's3://city/packed/{id}' -z --skip-unchanged forty
run 0 'the same again' each 's3://city/packed/{id}' -z --skip-unchanged forty
receipt put unchanged >got
t 'packs to the same bytes' 0 cat got 3<<'OUT'
[0,40]
OUT
# Many: then the prefix is listed.
seq 1 2500 | sed 's/.*/{"id":"&","v":"some text"}/' >many
run 0 'many' each 's3://city/{dir}/{id}' -s dir=a/many many
head -c 6000000 /dev/zero | s3-put --part-size 5M s3://city/a/many/2050 >out	# whose ETag is no MD5
control '{"reset":true,"objects":{"city/a/many/17":"x","city/a/many/2000":"x","city/a/many/2100":null}}'
run 0 'many, of which four have changed' each 's3://city/{dir}/{id}' --skip-unchanged -s dir=a/many many
receipt read put unchanged superseded >got
t 'four are put, each for the first time' 0 cat got 3<<'OUT'
[2500,4,2496,0]
OUT
asked >got
t 'of the others, the first are asked for, and the one with such an ETag; the rest is listed' 0 cat got 3<<'OUT'
4 GET
500 HEAD
4 PUT
OUT
log | jq -r 'select(.method == "GET") | .query.prefix' | sort -u >got
t 'with the keys that may be meant' 0 cat got 3<<'OUT'
a/many/
OUT
{ sed -n '1,700p' many; sed -n '600p;600p' many | sed 's/some/other/'; sed -n 600p many; } >again
run 0 'a listing is older than what this run has put' each 's3://city/{dir}/{id}' --skip-unchanged -s dir=a/many again
receipt read put unchanged superseded >got
t 'which counts' 0 cat got 3<<'OUT'
[703,2,701,1]
OUT
control '{"reset":true,"deny":["^ListObjectsV2"]}'
run 0 'without the right to list' each 's3://city/{dir}/{id}' --skip-unchanged -s dir=a/many many
asked >got
t 'each is asked for' 0 cat got 3<<'OUT'
1 GET
2500 HEAD
OUT
control '{"deny":[]}'
fault '{"match":"^ListObjectsV2 .*continuation","kind":"error","code":"AccessDenied"}'
run 77 'a listing that fails half way' each 's3://city/{dir}/{id}' --skip-unchanged -s dir=a/many many

# --if-none-match
reset
run 0 '--if-none-match' each 's3://city/none/{id}' --if-none-match two
run 65 'what is there' each 's3://city/none/{id}' --if-none-match two
said 'two:1: s3://city/none/1: is there already'
printf '{"id":1,"v":2}\n{"id":3}\n{"id":2}\n' >three
run 0 'is a bad record' each 's3://city/none/{id}' --if-none-match --rejects rejects.ndjson three
receipt put rejected >got
t 'and the others are put' 0 cat got 3<<'OUT'
[1,2]
OUT
run 0 'or left, if it is the same' each 's3://city/none/{id}' --if-none-match --skip-unchanged --rejects rejects.ndjson three
receipt put unchanged rejected >got
t 'and counted so' 0 cat got 3<<'OUT'
[0,2,1]
OUT
fault '{"match":"^PutObject","kind":"no_reply","times":1}'
run 0 'an answer that is lost' each 's3://city/none2/{id}' --if-none-match two
fault '{"match":"^HeadObject .*/1$","kind":"error","code":"NoSuchKey"}'
run 65 'what came meanwhile' each 's3://city/none/{id}' --if-none-match two
line none/1 >got
t 'stays' 0 cat got 3<<'OUT'
{"id":1}
OUT

# failures
fault '{"match":"^PutObject .*/7$","kind":"error","code":"SlowDown","times":4},{"match":"^PutObject .*/8$","kind":"reset"},{"match":"^PutObject .*/9$","kind":"no_reply"}'
run 0 'failures that pass' each 's3://city/pass/{id}' forty
keys pass/ | wc -l >got
t 'are got over' 0 cat got 3<<'OUT'
40
OUT
for code in AccessDenied:77 ExpiredToken:77 NoSuchBucket:78 SlowDown:69 InternalError:69; do
	fault "{\"match\":\"^PutObject .*/20\$\",\"kind\":\"error\",\"code\":\"${code%:*}\",\"times\":-1}"
	run "${code#*:}" "${code%:*}" each "s3://city/${code%:*}/{id}" --retries 2 --jobs 1 forty
	said "s3://city/${code%:*}/20: "
	said '19 objects were stored before: run again'
	same 'no receipt' /dev/null out
	reset
	run 0 'a rerun' each "s3://city/${code%:*}/{id}" --skip-unchanged forty
	receipt read put unchanged >got
	t 'does the rest' 0 cat got 3<<'OUT'
[40,21,19]
OUT
done
run 78 'no such bucket' each 's3://nowhere/{id}' forty
fault '{"match":"^PutObject","kind":"headers","headers":{"x-amz-checksum-sha256":"AAAA"},"times":-1}'
run 76 'S3 has other bytes' each 's3://city/{id}' --retries 1 two
fault '{"match":"^PutObject","kind":"error","code":"NotImplemented","times":2}'
run 0 'a server that takes no checksum' each 's3://city/simple/{id}' forty
keys simple/ | wc -l >got
t 'gets none' 0 cat got 3<<'OUT'
40
OUT
reset
AWS_REQUEST_CHECKSUM_CALCULATION=when_required run 0 'checksums only where required' each 's3://city/plain/{id}' forty
log | jq -r '.headers | keys[]' | grep -c checksum >got
t 'none is sent' 0 cat got 3<<'OUT'
0
OUT
AWS_REQUEST_CHECKSUM_CALCULATION=when_required run 0 'and the same again' each 's3://city/plain/{id}' --skip-unchanged forty
receipt put unchanged >got
t 'is known by its ETag' 0 cat got 3<<'OUT'
[0,40]
OUT

# while the input waits.  The fourth is sent when the answers to the first three have been read, and gets none itself.
mkfifo pipe
fault '{"match":"^PutObject .*/4$","kind":"upload_stall"}'
s3-put --jobs 1 --each 's3://city/slow/{id}' <pipe >out 2>err &
putter=$!
exec 8>pipe
head -3 forty >&8
has() { [ "$(keys "$1" | wc -l)" -ge "$2" ]; }
wait_for has slow/ 3; ok $? 'records are stored while the next is waited for'
sed -n 4p forty >&8
stalled() { log | grep -q upload_stall; }
wait_for stalled
kill -TERM $putter
wait $putter; [ $? -eq 143 ]; ok $? 'SIGTERM'
exec 8>&-
said 's3-put: stopped: 3 objects were stored, run again'
# The pipeline fails once some are stored: those stay.
export s3
echo '{"id":"41"}' | cat forty - >forty_one
fault '{"match":"^PutObject .*/41$","kind":"upload_stall"}'
run 3 'a pipeline that fails' sluice 'cat forty_one; until curl -sS $s3/log | grep -q upload_stall; do :; done; exit 3' -- \
    s3-put --jobs 1 --each 's3://city/sluice/{id}'
said 's3-put: stopped: 40 objects were stored, run again'

# kill -9, at moments that differ, and before all are stored: some more get no answer
seq 1 300 | sed 's/.*/{"id":"&","v":"'"$(printf '%0900d' 0)"'"}/' >three_hundred
python3 -c 'import hashlib, json
for line in open("three_hundred"):
    print(json.loads(line)["id"], hashlib.sha256(line.strip().encode()).hexdigest())' | sort >wanted
whole() {		# each object that is there is one of the records, and nothing less
	objects | jq -r 'select(.key | startswith("killed/")) | "\(.key[7:]) \(.sha256)"' | sort >there
	comm -23 there wanted >strange
	same "$1: nothing half-written is there" /dev/null strange
}
for after in 20 100 200; do
	fault "{\"match\":\"^PutObject\",\"kind\":\"latency\",\"seconds\":0.2,\"times\":-1},
	    {\"match\":\"^PutObject\",\"kind\":\"upload_stall\",\"skip\":$((after + 50)),\"times\":-1}"
	s3-put --jobs 8 --each 's3://city/killed/{id}' three_hundred >out 2>err &
	putter=$!
	enough() { [ "$(log | grep -c PUT)" -ge $after ]; }
	wait_for enough
	kill -KILL $putter
	wait $putter 2>/dev/null; [ $? -eq 137 ]; ok $? "killed after $after"
	whole "killed after $after"
done
[ "$(wc -l <there)" -lt 300 ]; ok $? 'not all were stored'
reset
run 0 'a rerun' each 's3://city/killed/{id}' --skip-unchanged three_hundred
whole 'a rerun'
same 'completes it' wanted there

# memory
python3 -c 'for i in range(40): print("{\"id\":%d,\"v\":\"%s\"}" % (i, "x" * 4000000))' >large
run 0 'large records in bounded memory' limited 200000 s3-put 's3-put --each "s3://city/large/{id}" large'
receipt put >got
t 'all of them' 0 cat got 3<<'OUT'
[40]
OUT

done_testing
