#!/bin/sh
# s3-list: what is in a bucket, all of it or a failure.
# Slow in its second part, which the quick run leaves out: hundreds of runs.
. "$(dirname "$0")/lib.sh"
start_s3 --bucket bkt --bucket empty --bucket many
control() {		# control JSON
	[ "$(curl -sS -o control.out -w '%{http_code}' --data-binary "$1" "$s3/control")" = 200 ] || give_up "control: $(cat control.out)"
}
fault() { control "{\"reset\":true,\"faults\":[$1]}"; }
log() { curl -sS "$s3/log"; }
l() { s3-list --retry-wait 0.01 "$@"; }
keys() { l "$@" | jq -r '.key // ("prefix " + .prefix)'; }

control '{"objects":{
	"bkt/app/1.json":{"body":"one","modified":"2024-01-31T00:00:00Z"},
	"bkt/app/2.json":{"body":"two, too","modified":"2024-01-31T12:00:00Z","headers":{"x-amz-storage-class":"GLACIER"}},
	"bkt/app/3.json":{"body":"","modified":"2024-02-01T00:00:00Z"},
	"bkt/app/sub/4.json":{"body":"4","modified":"2024-02-02T00:00:00Z"},
	"bkt/application":{"body":"5","modified":"2024-02-03T00:00:00Z"}}}'

# records
t 'a prefix' 0 l s3://bkt/app/ 3<<'OUT'
{"key":"app/1.json","size":3,"etag":"f97c5d29941bfb1b2fdab0874906ab82","last_modified":"2024-01-31T00:00:00.000Z"}
{"key":"app/2.json","size":8,"etag":"c6760a9e9bab38f2cfa27588327ed85d","last_modified":"2024-01-31T12:00:00.000Z"}
{"key":"app/3.json","size":0,"etag":"d41d8cd98f00b204e9800998ecf8427e","last_modified":"2024-02-01T00:00:00.000Z"}
{"key":"app/sub/4.json","size":1,"etag":"a87ff679a2f3e71d9181a67b7542122c","last_modified":"2024-02-02T00:00:00.000Z"}
OUT
t 'as CSV' 0 l --to csv --storage-class --since 2024-01-31T12:00:00Z s3://bkt/app 3<<'OUT'
key,size,etag,last_modified,storage_class
app/2.json,8,c6760a9e9bab38f2cfa27588327ed85d,2024-01-31T12:00:00.000Z,GLACIER
app/3.json,0,d41d8cd98f00b204e9800998ecf8427e,2024-02-01T00:00:00.000Z,STANDARD
app/sub/4.json,1,a87ff679a2f3e71d9181a67b7542122c,2024-02-02T00:00:00.000Z,STANDARD
application,1,e4da3b7fbbce2345d7772b0674a318d5,2024-02-03T00:00:00.000Z,STANDARD
OUT
t 'all of the bucket' 0 keys s3://bkt 3<<'OUT'
app/1.json
app/2.json
app/3.json
app/sub/4.json
application
OUT
t 'no slash: the application, too' 0 keys s3://bkt/app --since 2024-02-02 3<<'OUT'
app/sub/4.json
application
OUT
t '--delimiter' 0 l --delimiter / s3://bkt/app/ --start-after app/2.json 3<<'OUT'
{"key":"app/3.json","size":0,"etag":"d41d8cd98f00b204e9800998ecf8427e","last_modified":"2024-02-01T00:00:00.000Z"}
{"prefix":"app/sub/"}
OUT
t '--delimiter as CSV' 0 l -d / s3://bkt/app/ --start-after app/2.json --to csv 3<<'OUT'
key,size,etag,last_modified,prefix
app/3.json,0,d41d8cd98f00b204e9800998ecf8427e,2024-02-01T00:00:00.000Z,
,,,,app/sub/
OUT
t 'a prefix that nothing has' 0 l s3://bkt/none/ 3</dev/null
t 'an empty bucket' 0 l s3://empty 3</dev/null
t 'an empty bucket as CSV' 0 l --to csv s3://empty/ 3<<'OUT'
key,size,etag,last_modified
OUT

# --since, --until
for since in 2024-01-31T12:00:00Z 2024-01-31T12:00:00 2024-01-31T13:00:00+01:00 '2024-01-31 12:00:00.999Z' 1706702400 \
    1706702400.75; do
	t "--since $since" 0 keys s3://bkt/app/ --since "$since" --until 2024-02-02T00:00:00Z 3<<'OUT'
app/2.json
app/3.json
OUT
done
for since in '' 0 19991231 2000-01-01; do
	t "--since '$since' is all" 0 keys s3://bkt/app/ --since "$since" --limit 9 3<<'OUT'
app/1.json
app/2.json
app/3.json
app/sub/4.json
OUT
done
t '--until' 0 keys s3://bkt/app/ --until 20240201 3<<'OUT'
app/1.json
app/2.json
OUT
for since in yesterday 2024-02-30 1706702400000 2024-01-31T25:00 12345x; do
	run 64 "--since $since" l s3://bkt --since "$since"
	said "--since: \"$since\""
done

# --limit
control '{"reset":true}'
t '--limit' 0 keys s3://bkt --limit 2 3<<'OUT'
app/1.json
app/2.json
OUT
log | jq -r '.query."max-keys"' >got
t '... which S3 is told' 0 cat got 3<<'OUT'
2
OUT
t '--limit counts what is left' 0 keys s3://bkt --limit 1 --since 2024-02-01 3<<'OUT'
app/3.json
OUT
t '--limit counts prefixes' 0 keys s3://bkt --limit 1 -d / 3<<'OUT'
prefix app/
OUT

# counts and statuses
run 99 '--empty-exit' l s3://empty --empty-exit 99
run 0 '--empty-exit is for none' l s3://bkt --empty-exit 99
run 65 '--expect-rows' l s3://bkt --expect-rows 6
said '5 records, but --expect-rows 6'
run 0 '--expect-rows, and they are there' l s3://bkt --expect-rows 5

quick_ends
# keys of every kind
python3 - >odd.json <<'IN'
import json
odd = ["sp ace", "pl+us", "per%cent", "%41", "&amp;<>\"'", "é", "e\u0301", "😀", "//", "/a", "a//b", "../x", "a/./b", "?q=1#f", "a\\b",
       "tab\there", "line\nbreak", "\x01\x7f", "=", "[*]", "k" * 1020, "é" * 510]
print(json.dumps({"objects": {"bkt/odd" + key[:1] * (len(key) == 0) + key if len(key) > 500 else "bkt/odd/" + key: "" for key in odd}}))
IN
control "$(cat odd.json)"
jq -r '.objects | keys[] | ltrimstr("bkt/") | @json' odd.json | LC_ALL=C sort >wanted
[ "$(wc -l <wanted)" -eq 22 ]
ok $? 'twenty-two odd keys'
l s3://bkt/odd | jq -r '.key | @json' | LC_ALL=C sort >got
same '... come as they are' wanted got
l --to csv s3://bkt/odd | csv2ndjson | jq -r '.key | @json' | LC_ALL=C sort >got
same '... in CSV, too' wanted got
python3 - wanted >got <<'IN'
import json, subprocess, sys
for line in open(sys.argv[1]):
    key = json.loads(line)
    got = subprocess.run(["s3-list", "s3://bkt/" + key, "--limit", "1"], stdout=subprocess.PIPE, text=True).stdout
    print(json.dumps(json.loads(got)["key"]) if got else "nothing")
IN
python3 -c 'import json, sys; [print(json.dumps(json.loads(line))) for line in sys.stdin]' <wanted >wanted.again
same '... and each is a prefix of itself' wanted.again got

# many: bounded memory, pages of 1000, no key twice
control '{"reset":true,"make_up":{"many":{"keys":250000,"prefix":"p/","suffix":".json"}}}'
run 0 '250,000 keys' resident s3-list s3://many
at_most 32768
jq -r .key out | awk '$0 != sprintf("p/%08d.json", NR - 1) { print; exit } END { print NR }' >got
echo 250000 >wanted
same '... each once and in order' wanted got
[ "$(log | wc -l)" -eq 250 ]
ok $? '... in 250 requests'
control '{"reset":true}'
s3-list s3://many 2>err | head -n 1 >out
echo '{"key":"p/00000000.json","size":16,"etag":"'"$(echo p/00000000.json | md5sum | cut -c1-32)"'","last_modified":"2024-01-01T00:00:00.000Z"}' >wanted
same 'a reader who leaves has the first' wanted out
same '... and ends it without a word' /dev/null err
[ "$(log | wc -l)" -le 4 ]
ok $? '... soon'

# faults: retried, or a failure; never the end of the listing
page() { printf '{"match":"^ListObjectsV2 ","skip":%s,%s}' "$1" "$2"; }
for kind in '"kind":"error","code":"SlowDown"' '"kind":"error","code":"InternalError"' '"kind":"status","status":502' '"kind":"cut"' \
    '"kind":"reset"' '"kind":"no_reply"' '"kind":"empty_page"' '"kind":"cut_chunked"' '"kind":"nonsense","body":"<ListBucketResult>"' \
    '"kind":"nonsense","body":"ok"' '"kind":"error200"' '"kind":"html"' '"kind":"stall"'; do
	fault "$(page 1 "$kind")"
	l s3://many --start-after p/00245 --timeout 2 2>err | jq -r .key | awk 'END { print NR, $0 }' >got
	echo '5000 p/00249999.json' >wanted
	same "once, on page 2: $kind" wanted got
done
for kind in '"kind":"error","code":"SlowDown"' '"kind":"status","status":502' '"kind":"reset"' '"kind":"no_reply"'; do
	fault "$(page 1 "$kind,\"times\":-1")"
	run 69 "for good, from page 2 on: $kind" l s3://many --start-after p/00245 --retries 2
	said 'page 2 of the listing'
	head -n 1 out | jq -r .key >got
	echo p/00245000.json >wanted
	same '... behind the first page' wanted got
done
fault "$(page 0 '"kind":"error","code":"SlowDown","times":-1')"
run 69 'for good, on page 1' l s3://bkt --retries 2 --empty-exit 99
said 's3://bkt: page 1 of the listing: 503 SlowDown'
list='<ListBucketResult><IsTruncated>false</IsTruncated>'
for body in '<ListBucketResult>' '<ListBucketResult/>' '<html></html>' "$list<Contents><Size>1</Size></Contents></ListBucketResult>" \
    '<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>' \
    "$list<Contents><Key>k</Key><Size>-1</Size></Contents></ListBucketResult>"; do
	fault "$(page 0 "\"kind\":\"nonsense\",\"body\":\"$body\",\"times\":-1")"
	run 76 "nonsense: $body" l s3://bkt --retries 2
done
fault "$(page 0 '"kind":"repeat_page","times":-1')"
run 76 'a page that comes again and again' l s3://many
said 'page 3 of the listing repeats itself'
fault "$(page 0 "\"kind\":\"nonsense\",\"body\":\"$list<EncodingType>url</EncodingType><Contents><Key>a%FF</Key></Contents></ListBucketResult>\"")"
run 76 'a key that is no UTF-8' l s3://bkt
said 'a key that is none'
fault "$(page 0 "\"kind\":\"nonsense\",\"body\":\"$list<Contents><Key>k</Key><LastModified>then</LastModified></Contents></ListBucketResult>\"")"
run 76 'a time that is none' l s3://bkt --since 2024-01-01
said 's3://bkt/k: last modified: "then"'
fault "$(page 0 "\"kind\":\"nonsense\",\"body\":\"$list<Contents><Key>k+x%41</Key></Contents></ListBucketResult>\"")"
t 'a look-alike that tells little and encodes nothing' 0 l s3://bkt 3<<'OUT'
{"key":"k+x%41","size":0,"etag":null,"last_modified":null}
OUT
fault "$(page 0 '"kind":"error","code":"SlowDown","headers":{"Retry-After":"3600"}')"
run 75 'throttled for an hour' l s3://bkt
said 'come back at'

# who we are
run 78 'no such bucket' l s3://nix
said 'NoSuchBucket'; said 'create the bucket nix, or check its name'
AWS_SECRET_ACCESS_KEY=wrong-secret run 77 'a wrong secret' l s3://bkt
said 'SignatureDoesNotMatch'; said 'check '; said_not wrong-secret
control '{"reset":true,"deny":["^ListObjectsV2 "]}'
run 77 'denied' l s3://bkt
said 'AccessDenied'
said ': check the keys in AWS_ACCESS_KEY_ID, and its rights on '
fault "$(page 0 '"kind":"error","code":"RequestTimeTooSkewed","times":-1')"
run 78 'a clock that is wrong' l s3://bkt
said 'RequestTimeTooSkewed'; said ": set this machine's clock"
control '{"deny":[]}'
for how in 400 301; do
	control "{\"reset\":true,\"set\":{\"wrong_region\":\"$how\"},\"buckets\":{\"far$how\":{\"region\":\"eu-west-1\"}},\"objects\":{\"far$how/k\":\"x\"}}"
	t "a bucket in another region ($how)" 0 keys "s3://far$how" 3<<'OUT'
k
OUT
done
control '{"reset":true,"credentials":{"ASIAEXPIRED":{"secret":"s3cret","token":"t0ken-of-old","expires":0}}}'
AWS_ACCESS_KEY_ID=ASIAEXPIRED AWS_SECRET_ACCESS_KEY=s3cret AWS_SESSION_TOKEN=t0ken-of-old run 77 'an expired token' l s3://bkt
said 'ExpiredToken'; said 'renew the keys in AWS_ACCESS_KEY_ID'; said_not t0ken; said_not s3cret
run 69 'nobody there' env AWS_ENDPOINT_URL=http://127.0.0.1:1 s3-list s3://bkt --retry-wait 0.01 --retries 1

# --uploads, more than a page of them
control '{"reset":true,"buckets":{"public":{"public":true}}}'
for key in 'u/a' 'u/b%2B%20c' 'v'; do
	"$here/s3-request" POST "$s3/bkt/$key?uploads=" && echo
done >ids
l --uploads s3://bkt/u/ >listed
t '--uploads' 0 jq -r .key listed 3<<'OUT'
u/a
u/b+ c
OUT
sed -n 's/.*<UploadId>//; T; s/<.*//p' ids | head -n 2 >wanted
jq -r .upload_id listed >got
same '... with their ids' wanted got
jq -e '.initiated | test("^20..-..-..T..:..:..")' listed >/dev/null
ok $? '... and when they were begun'
l --uploads --to csv s3://bkt | head -n 1 >got
echo key,upload_id,initiated >wanted
same '--uploads as CSV' wanted got
run 99 'none open' l --uploads s3://empty --empty-exit 99
curl -sS -o posted -X POST "$s3/public/same?uploads=&n=[1-1100]"
l --uploads s3://public | jq -r .upload_id | sort -u | wc -l >got
echo 1100 >wanted
same 'two pages of uploads, all of one key' wanted got
fault '{"match":"^ListMultipartUploads ","skip":1,"times":-1,"kind":"error","code":"SlowDown"}'
run 69 '--uploads, and a listing that fails' l --uploads s3://public --retries 1

# wrong calls
control '{"reset":true}'
run 64 'no operand' l
run 64 'two operands' l s3://bkt s3://empty
for place in bkt /bkt s3:bkt s3:// s3://ab s3://UPPER s3://b_b http://bkt/; do
	run 64 "no place: $place" l "$place"
done
run 64 'an empty delimiter' l s3://bkt -d ''
run 64 '--uploads --since' l s3://bkt --uploads --since 2024-01-01
run 64 '--limit 0' l s3://bkt --limit 0
log >got
same 'a wrong call asks nothing' /dev/null got
run 74 'a full disk' sh -c 's3-list s3://bkt >/dev/full'
said 'stdout'
run 74 'stdout is closed' sh -c 's3-list s3://bkt >&-'
run 64 'an endpoint without a host' s3-list --endpoint-url https:// s3://bucket/
said 'endpoint https://: want http:// or https:// and a host'
control '{"reset":true}'
run 66 'an endpoint with a path' s3-list --endpoint-url "$s3/bkt/" s3://shelf --retries 1
[ "$(log | jq -r .path)" = /bkt/shelf ]; ok $? '... that the bucket comes below' || log
done_testing
