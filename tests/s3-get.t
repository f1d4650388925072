#!/bin/sh
# s3-get: objects, whole and of one version and in order, or a failure.
# Slow in its second part, which the quick run leaves out: it waits until time limits have passed, and moves large objects.
. "$(dirname "$0")/lib.sh"
start_s3 --bucket bkt --bucket many
control() {		# control JSON
	[ "$(curl -sS -o control.out -w '%{http_code}' --data-binary "$1" "$s3/control")" = 200 ] || give_up "control: $(cat control.out)"
}
fault() { control "{\"reset\":true,\"faults\":[$1]}"; }
log() { curl -sS "$s3/log"; }
asked() { log | jq -r 'select(.path | startswith("/bkt/")) | [.path, .headers.range // "all", if .headers["if-match"] then "if" else "-" end, .status] | join(" ")'; }
put() {			# put KEY FILE [HEADER]: stores it
	"$here/s3-request" -d "$2" ${3:+-H "$3"} PUT "$s3/bkt/$1" || give_up "put $1"
}
g() { s3-get --retry-wait 0.01 "$@"; }

control '{"objects":{
	"bkt/app/":{"body":"","modified":"2024-01-30T00:00:00Z"},
	"bkt/app/1.json":{"body":"{\"id\": 1}","modified":"2024-01-31T00:00:00Z"},
	"bkt/app/2.json":{"body":"{\n  \"id\": 2,\r\n  \"a b\": [ 1, 2.50 ]\n}\n","modified":"2024-02-01T00:00:00Z"},
	"bkt/app/3.json":{"body":"{}","modified":"2024-02-02T00:00:00Z"},
	"bkt/text":"no newline","bkt/empty":""}}'

# contents
run 0 'objects, in the order asked' g s3://bkt/text s3://bkt/app/1.json s3://bkt/empty s3://bkt/text
printf 'no newline{"id": 1}no newline' >wanted
same '... byte for byte' wanted out
printf '{"id": 1}{\n  "id": 2,\r\n  "a b": [ 1, 2.50 ]\n}\n{}' >wanted
run 0 'keys of a listing' sh -c 's3-list s3://bkt/app/ | s3-get s3://bkt'
same '... without the folder' wanted out
run 0 '... as CSV' sh -c 's3-list --to csv s3://bkt/app/ | s3-get s3://bkt/'
same '... the same' wanted out
run 0 'plain keys' sh -c 'printf "app/1.json\n\napp/2.json\napp/3.json" | s3-get --keys s3://bkt'
same '... the same' wanted out
run 0 '--prefix' g --prefix s3://bkt/app/
same '... the same' wanted out
run 0 '--jobs 1' g --prefix s3://bkt/app/ --jobs 1
same '... the same' wanted out
printf '{\n  "id": 2,\r\n  "a b": [ 1, 2.50 ]\n}\n{}' >wanted
run 0 '--since' g --prefix s3://bkt/app/ --since 2024-01-31T00:00:01Z
same '... later ones' wanted out
printf '{\n  "id": 2,\r\n  "a b": [ 1, 2.50 ]\n}\n' >wanted
run 0 '--since, --until' g --prefix s3://bkt/app/ --since 1706745600 --until 2024-02-02
same '... between them' wanted out
run 0 '--output' g --output file s3://bkt/text
printf 'no newline' >wanted
same '... is made' wanted file
same '... and nothing else is' /dev/null out
run 0 '--output replaces' g --output file --prefix s3://bkt/none/
same '... by nothing, too' /dev/null file
ls file.part 2>/dev/null
run 99 '--empty-exit' g --prefix s3://bkt/none/ --empty-exit 99
run 99 '--empty-exit, no keys' sh -c 's3-get s3://bkt --empty-exit 99 </dev/null'
run 65 '--expect-rows' g --prefix s3://bkt/app/ --expect-rows 4 --output few
said '3 objects, but --expect-rows 4'
[ ! -e few ] && [ ! -e few.part ]; ok $? '... makes no file'

# records
t '--records' 0 g --records --prefix s3://bkt/app/ 3<<'OUT'
{"id": 1}
{  "id": 2,  "a b": [ 1, 2.50 ]}
{}
OUT
t '--add-key' 0 g -r --add-key k --prefix s3://bkt/app/ 3<<'OUT'
{"id": 1,"k":"app/1.json"}
{  "id": 2,  "a b": [ 1, 2.50 ],"k":"app/2.json"}
{"k":"app/3.json"}
OUT
printf '\357\273\277{"a":1}{"b":"x\\ny\303\251"}\n\n\t{"c":\r\n{"d":[]}}\n{"e":1}\n\n' >content
put nd content
t 'many in one object, a byte order mark, blank lines' 0 g -r s3://bkt/nd s3://bkt/empty s3://bkt/app/1.json 3<<'OUT'
{"a":1}
{"b":"x\nyé"}
{"c":{"d":[]}}
{"e":1}
{"id": 1}
OUT
gzip -c content >packed; put packed packed
t 'gzip' 0 g -r s3://bkt/packed s3://bkt/app/1.json 3<<'OUT'
{"a":1}
{"b":"x\nyé"}
{"c":{"d":[]}}
{"e":1}
{"id": 1}
OUT
{ gzip -c content; printf '{"f":1}' | gzip; } >packed2; put packed2 packed2 'Content-Encoding: gzip'
t 'gzip in two members, and said to be' 0 g -r s3://bkt/packed2 3<<'OUT'
{"a":1}
{"b":"x\nyé"}
{"c":{"d":[]}}
{"e":1}
{"f":1}
OUT
run 0 'plain: as it is stored' g s3://bkt/packed2
same '... packed' packed2 out
run 0 '--decode' g --decode s3://bkt/packed2 s3://bkt/packed
{ cat content; printf '{"f":1}'; cat packed; } >wanted
same '... unpacks what is said to be packed' wanted out
head -c 40 packed >cut; put cut cut 'Content-Encoding: gzip'
for call in '-r' '--decode'; do
	run 65 "$call: gzip that is cut" g $call s3://bkt/app/1.json s3://bkt/cut
	said 's3://bkt/cut: its gzip ends too soon'
	head -n 1 out | head -c 8 >got; printf '{"id": 1' >wanted
	same '... behind what is good' wanted got
done
{ head -c -8 packed; printf 'xxxxxxxx'; } >damaged; put damaged damaged 'Content-Encoding: gzip'
run 65 'gzip that is damaged' g -r s3://bkt/damaged
said 's3://bkt/damaged: its gzip is damaged'
: >nothing; put nothing nothing 'Content-Encoding: gzip'
run 0 'nothing, said to be packed' g --decode s3://bkt/nothing

# bad records
bad() {			# bad NAME WHY CONTENT
	printf "$3" >content; put bad content
	run 65 "$1" g -r s3://bkt/app/1.json s3://bkt/bad
	said "s3://bkt/bad:$2"
	echo '{"id": 1}' >wanted
	head -n 1 out >got
	same '... behind what is good' wanted got
}
bad 'an array' '1: an array, not an object' '[{"a":1}]'
bad 'a number' '2: not a JSON object' '\n5\n'
bad 'cut' '3: record is cut at byte 9' '{"a":1}\n\n{"a":1,\n'
bad 'cut, as long as the one before it but for its end' '2: record is cut at byte 7' '{"b":2}\n{"a":1'
bad 'no JSON' '1: byte 6: ' '{"a":x}'
bad 'bad UTF-8' '1: byte 7: ' '{"a":"\377"}'
bad 'a comma between' '1: not a JSON object' '{"a":1},{"b":1}'
bad 'a NUL' '2: not a JSON object' '{"a":1}\n\0'
printf '{"a":1}\n{"b":}\n{"c":1}\n{"d":[\n{"e":1}\n[1]\n  2\n{"f":1}\n{"g":1' >content
put bad content
t '--rejects' 0 g -r --rejects bad.json s3://bkt/bad s3://bkt/app/1.json 3<<'OUT'
{"a":1}
{"c":1}
{"e":1}
{"f":1}
{"id": 1}
OUT
said '4 of 9 records are bad: see bad.json'
t '... has the bad ones' 0 jq -c '[.line, .reason, .record]' bad.json 3<<'OUT'
[2,"s3://bkt/bad: byte 6: no JSON value","{\"b\":}"]
[4,"s3://bkt/bad: byte 16: no comma or ] after an element","{\"d\":["]
[6,"s3://bkt/bad: an array, not an object: fetch it as it is, and use json-explode","[1]\n  2"]
[9,"s3://bkt/bad: record is cut at byte 7","{\"g\":1"]
OUT
rm bad.json
run 65 '--max-rejects' g -r --rejects bad.json --max-rejects 3 --output mended s3://bkt/bad
said '4 of 8 records are bad'
[ ! -e mended ] && [ ! -e mended.part ] && [ -s bad.json ]; ok $? '... makes no output, but the rejects'
run 65 '--max-rejects as a share' g -r --rejects bad.json --max-rejects 49% s3://bkt/bad
run 0 '... that is enough' g -r --rejects bad.json --max-rejects 50% --output mended s3://bkt/bad
[ "$(wc -l <mended)" -eq 4 ] && [ "$(wc -l <bad.json)" -eq 4 ]; ok $? '... two files'
run 65 '--add-key, and it is there' g -r --add-key id s3://bkt/app/1.json
said 's3://bkt/app/1.json:1: the record has a field "id" already'
run 65 '--add-key, and it is there in disguise' g -r --add-key 'a b' s3://bkt/app/2.json
run 65 '--expect-rows counts records' g -r --expect-rows 2 s3://bkt/app/1.json
said '1 records, but --expect-rows 2'
python3 -c 'print("{\"a\":1}\n{\"b\":\"" + "x" * 3000000 + "\"}\n{\"c\":1}")' >content; put huge content
t '--max-record' 0 g -r --max-record 1M --rejects bad.json s3://bkt/huge 3<<'OUT'
{"a":1}
{"c":1}
OUT
t '... is a bad record, and shown in part' 0 jq -c '[.line, .reason, (.record | length)]' bad.json 3<<'OUT'
[2,"s3://bkt/huge: record over 1 MiB: see --max-record",1024]
OUT
run 65 '--max-record without rejects' g -r --max-record 100 s3://bkt/huge
said 's3://bkt/huge:2: record over 100 bytes'

# large objects: ranges of 8 MiB
python3 - >big.json <<'IN'
import json, random
random.seed(7)
letters = "".join(random.choices('ab"\\\n{}[] é', k=300000))
for n in range(9500):
    start = random.randrange(295000)
    record = {"n": n, "text": letters[start:start + random.randrange(4000)]}
    print(json.dumps(record, ensure_ascii=n % 2, indent=random.choice((None, 1))), end=random.choice(("\n", " ", "", "\r\n\r\n")))
IN
size=$(wc -c <big.json)
[ "$size" -gt 25165824 ]; ok $? "a large object: $size bytes"
put big big.json "x-amz-checksum-sha256: $(openssl dgst -sha256 -binary big.json | base64)"
control '{"reset":true}'
run 0 'it comes' g s3://bkt/big
same '... byte for byte' big.json out
asked | sort >got
t '... its first range of the whole, the others under If-Match' 0 cat got 3<<OUT
/bkt/big all - 200
/bkt/big bytes=16777216-25165823 if 206
/bkt/big bytes=25165824-$((size - 1)) if 206
/bkt/big bytes=8388608-16777215 if 206
OUT
json-explode . big.json >wanted
run 0 'its records' g -r s3://bkt/big
same '... are those that json-explode finds' wanted out
gzip -1 -c big.json >packed; put big.gz packed
run 0 'its records, packed' resident s3-get -r s3://bkt/big.gz
same '... the same' wanted out
at_most 65536
run 0 'one after the other' g s3://bkt/big s3://bkt/text s3://bkt/big --jobs 2
{ cat big.json; printf 'no newline'; cat big.json; } | cmp -s - out; ok $? '... in order'
s3-get s3://bkt/big 2>err | head -c 10 >got
head -c 10 big.json >wanted
same 'a reader who leaves' wanted got
same '... is no reason for a word' /dev/null err

quick_ends
# a download that breaks goes on where it broke
get='"match":"^GetObject /bkt/big"'
for kind in '"kind":"cut"' '"kind":"reset"' '"kind":"stall"' '"kind":"cut","bytes":0' '"kind":"no_reply"' '"kind":"error","code":"SlowDown"' \
    '"kind":"status","status":502' '"kind":"reset","bytes":1'; do
	fault "{$get,$kind,\"times\":1},{$get,\"skip\":2,$kind,\"times\":2}"
	patience=60; case $kind in *stall*) patience=0.5 ;; esac
	run 0 "$kind" g s3://bkt/big --timeout $patience --output got
	cmp -s big.json got; ok $? '... it is the object'
done
fault "{$get,\"kind\":\"cut\",\"bytes\":3000000,\"times\":1}"
run 0 'cut after 3 MB' g s3://bkt/big --output got
asked | sed -n 2p >got; echo "/bkt/big bytes=3000000-8388607 if 206" >wanted
same '... goes on from there' wanted got
head -c 20000 big.json >part; put part part
fault '{"match":"^GetObject /bkt/part","kind":"cut","bytes":1500,"times":12}'
run 0 'tries are for standing still: twelve breaks, two tries' g s3://bkt/part --retries 1
same '... it is the object' part out
fault '{"match":"^GetObject /bkt/part","kind":"drip","seconds":0.02}'
run 0 'fifty bytes a second are next to nothing' g s3://bkt/part --timeout 2
same '... it is the object, too' part out
[ "$(log | wc -l)" -eq 2 ]; ok $? '... of which the rest is asked for again'
for kind in '"kind":"error","code":"SlowDown"' '"kind":"reset","bytes":0' '"kind":"no_reply"'; do
	fault "{$get,\"skip\":2,\"times\":-1,$kind}"
	run 69 "from the third request on for good: $kind" g s3://bkt/text s3://bkt/big --retries 2 --output never
	said 's3://bkt/big: '
	[ ! -e never ] && [ ! -e never.part ]; ok $? '... makes no file'
done

# one that changes is not mixed
control "{\"reset\":true,\"between\":{$get,\"after\":1,\"do\":{\"objects\":{\"bkt/big\":\"new\"}}}}"
run 75 'it changes' g s3://bkt/text s3://bkt/big
said 's3://bkt/big: it changed while it was read: run again'
head -c "$(wc -c <out)" big.json >old
{ printf 'no newline'; cat big.json; } | head -c "$(wc -c <out)" >wanted
same '... only the old one was written' wanted out
put big big.json
control "{\"reset\":true,\"faults\":[{$get,\"kind\":\"cut\"}],\"between\":{$get,\"after\":1,\"do\":{\"objects\":{\"bkt/big\":null}}}}"
run 66 'it goes' g s3://bkt/big --skip-missing
said 'NoSuchKey'
put big big.json
fault "{\"match\":\"^GetObject /bkt/big\",\"skip\":1,\"kind\":\"headers\",\"headers\":{\"ETag\":\"\\\"other\\\"\"}}"
run 75 'it changes, and the server knows no If-Match' g s3://bkt/big
for header in '"Content-Range":null' '"Content-Range":"bytes 0-8388607/99999999"' '"Content-Range":"nonsense"'; do
	fault "{\"match\":\"^GetObject /bkt/big\",\"skip\":1,\"kind\":\"headers\",\"headers\":{$header}}"
	run 76 "not the range: $header" g s3://bkt/big
done
fault '{"kind":"headers","headers":{"ETag":null}}'
run 76 'no ETag' g s3://bkt/text
said 'the answer has no ETag'

# checksums
sizes='0 1 9 255 4095 4096 4097 70001'
python3 - "$here" "$s3" $sizes >sums <<'IN'
import base64, sys
sys.path.insert(0, sys.argv[1] + "/servers")
import s3_store
data = open("big.json", "rb").read()
for size in map(int, sys.argv[3:]):
    with open(f"part.{size}", "wb") as part:
        part.write(data[:size])
    for name, work in s3_store.CHECKSUMS.items():
        print(f"-d part.{size} -H 'x-amz-checksum-{name}: {base64.b64encode(work(data[:size])).decode()}' PUT {sys.argv[2]}/bkt/sum/{name}/{size}")
IN
"$here/s3-request" --batch <sums || give_up 'put sum'
for kind in crc32 crc32c crc64nvme sha1 sha256; do
	control '{"reset":true}'
	run 0 "$kind" g --prefix "s3://bkt/sum/$kind/"
	for size in 0 1 255 4095 4096 4097 70001 9; do head -c "$size" big.json; done >wanted
	same '... of good objects' wanted out
	fault '{"match":"^GetObject .*/4097","kind":"damage","times":-1},{"match":"^GetObject .*/70001","kind":"damage","times":-1}'
	run 76 "$kind of damage" g "s3://bkt/sum/$kind/4097"
	said "s3://bkt/sum/$kind/4097: its $kind is not the one that S3 has for it"
	same '... of which nothing is written' /dev/null out
	run 76 "$kind of more damage" g "s3://bkt/sum/$kind/70001" --output never
	[ ! -e never ]; ok $? '... makes no file'
done
put big big.json "x-amz-checksum-crc32: $(python3 -c 'import base64, struct, zlib; print(base64.b64encode(struct.pack(">I", zlib.crc32(open("big.json", "rb").read()))).decode())')"
run 0 'a checksum over ranges' g s3://bkt/big
fault "{\"match\":\"^GetObject /bkt/big\",\"skip\":2,\"kind\":\"damage\"}"
run 76 'damage in a range' g s3://bkt/big --output never
said 'its crc32 is not'
[ ! -e never ] && [ ! -e never.part ]; ok $? '... makes no file'
for header in '"x-amz-checksum-crc32":"AAAAAA==-2"' '"x-amz-checksum-crc32":"AAAAAA==","x-amz-checksum-type":"COMPOSITE"' '"x-amz-checksum-md5":"AAAAAA=="'; do
	control "{\"reset\":true,\"objects\":{\"bkt/odd\":{\"body\":\"x\",\"headers\":{$header}}}}"
	run 0 "nothing to compare with: $header" g s3://bkt/odd
done
for header in '"x-amz-checksum-crc32":"AAAAAA=="' '"x-amz-checksum-crc64nvme":"nonsense"' '"x-amz-checksum-sha256":""'; do
	control "{\"reset\":true,\"objects\":{\"bkt/odd\":{\"body\":\"x\",\"headers\":{$header}}}}"
	run 76 "not its checksum: $header" g s3://bkt/odd
done

# many: in order, in bounded memory, over few connections
control '{"reset":true,"make_up":{"many":{"keys":3000,"prefix":"p/"}}}'
seq 0 2999 | awk '{ printf "p/%08d\n", $1 }' >wanted
fault '{"match":"^GetObject /many/p/00000000","kind":"latency","seconds":0.5},{"match":"^GetObject /many/p/0000.*7$","kind":"error","code":"SlowDown","times":100},{"match":"^GetObject /many/p/0000.*3$","kind":"reset","bytes":5,"times":50}'
run 0 '3,000 objects, the first one late, some failing' resident s3-get --retry-wait 0.01 --prefix s3://many/
same '... in order' wanted out
at_most 65536
control '{"reset":true}'
producer() {		# writes two keys, and the third once somebody has seen what the first two gave
	echo p/00000000; echo p/00000001
	wait_for [ -e seen ]
	ls seen >&2 && echo p/00000002
}
producer 2>seen.too | s3-get --keys s3://many | { read -r a; read -r b; echo "$a $b" >seen; cat; } >got
echo 'p/00000000 p/00000001' >wanted
same 'a slow producer of keys: the first ones do not wait for the last' wanted seen
echo p/00000002 >wanted
same '... which comes, too' wanted got
head -c 1000000 big.json >part
control '{"reset":true,"buckets":{"public":{"public":true}}}'
curl -sS -o posted -T part "$s3/public/k[00-79]"
i=0; while [ $i -lt 80 ]; do cat part; i=$((i + 1)); done | md5sum >wanted
for source in 's3-get --prefix s3://public/k' 's3-list s3://public/k | jq -r .key | s3-get --keys s3://public' 's3-get -j 256 --prefix s3://public/k'; do
	fault '{"match":"^GetObject /public/k00","kind":"latency","seconds":1}'
	run 0 "80 MB of objects behind a late one: $source" resident sh -c "$source | md5sum"
	same '... in order' wanted out
	at_most 65536
done

# keys of every kind
python3 - >odd.json <<'IN'
import json
odd = ["sp ace", "pl+us", "per%cent", "%41", "&amp;<>\"'", "é", "e\u0301", "😀", "//", "/a", "a//b", "../x", "a/./b", "?q=1#f", "a\\b",
       "tab\there", "line\nbreak", "\x01\x7f", "=", "[*]", "k" * 1000, "é" * 500]
print(json.dumps({"objects": {"bkt/odd/" + key: key for key in odd}}))
IN
control '{"reset":true}'
control "$(cat odd.json)"
jq -r '.objects[]' odd.json | LC_ALL=C sort >wanted
[ "$(jq '.objects | length' odd.json)" -eq 22 ]; ok $? 'twenty-two odd keys'
python3 - >got <<'IN'
import json, subprocess
for path in json.load(open("odd.json"))["objects"]:
    run = subprocess.run(["s3-get", "s3://" + path], stdout=subprocess.PIPE, text=True)
    print(run.stdout)
IN
LC_ALL=C sort got | cmp -s wanted -; ok $? '... each is asked for as it is'
for to in ndjson csv; do
	s3-list s3://bkt/odd/ --to $to | s3-get s3://bkt >got
	python3 - got >names <<'IN'
import json, sys
text = open(sys.argv[1]).read()
names = sorted(json.load(open("odd.json"))["objects"].values(), key=lambda name: ("odd/" + name).encode())
print("same" if text == "".join(names) else text)
IN
	t "... by a listing as $to, too" 0 cat names 3<<'OUT'
same
OUT
done

# what is not there
t '--skip-missing' 0 g -r --skip-missing s3://bkt/app/1.json s3://bkt/none s3://bkt/app/3.json 3<<'OUT'
{"id": 1}
{}
OUT
said 's3://bkt/none: no such key: skipped'; said '1 keys were not there'
run 66 'no such key' g -r s3://bkt/app/1.json s3://bkt/none s3://bkt/app/3.json
said 's3://bkt/none: 404 NoSuchKey'
echo '{"id": 1}' >wanted
same '... behind what is in front of it' wanted out
[ "$(log | grep -c '"/bkt/none"')" -le 2 ]; ok $? '... is not asked for again'
run 78 'no such bucket' g --skip-missing s3://nix/k
said 'create the bucket nix'
body='<Error><Code>InvalidObjectState</Code><Message>The operation is not valid</Message><StorageClass>GLACIER</StorageClass></Error>'
fault "{\"match\":\"^GetObject \",\"kind\":\"status\",\"status\":403,\"body\":\"$body\"}"
run 66 'an object in an archive' g s3://bkt/text
said 's3://bkt/text: archived in GLACIER: restore it first'
body='<Error><Code>InvalidRequest</Code><Message>The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.</Message></Error>'
fault "{\"match\":\"^GetObject \",\"kind\":\"status\",\"status\":400,\"body\":\"$body\"}"
run 77 "encrypted with a customer's key" g s3://bkt/text
said "encrypted with a customer's key"
fault '{"match":"^GetObject ","kind":"status","status":400,"body":"<Error><Code>InvalidRequest</Code></Error>"}'
run 76 'another request that is no good' g s3://bkt/text
said '400 InvalidRequest'
fault '{"match":"^ListObjectsV2 ","kind":"error","code":"SlowDown","times":-1}'
run 69 'a listing that fails' g --prefix s3://bkt/app/ --retries 1 --empty-exit 99
fault '{"match":"^ListObjectsV2 ","skip":2,"kind":"error","code":"SlowDown","times":-1}'
run 69 'a listing that fails half way' g --prefix s3://many/ --retries 1 --output never
[ ! -e never ]; ok $? '... makes no file'
control '{"reset":true,"deny":["^GetObject /bkt/text"]}'
run 77 'denied' g s3://bkt/text
said 'AccessDenied'; said 'the keys in AWS_ACCESS_KEY_ID'
control '{"reset":true,"deny":[],"buckets":{"far":{"region":"eu-west-1"}},"objects":{"far/k":"x"}}'
run 0 'a bucket in another region' g s3://far/k s3://bkt/text s3://far/k
printf 'xno newlinex' >wanted
same '... and another' wanted out
control '{"reset":true,"set":{"clock":3600}}'
run 0 "S3's clock is another" g s3://bkt/text
said 'set it right'
control '{"reset":true,"set":{"clock":0}}'

# credentials that end in mid-run
control '{"credentials":{"ASIASHORT":{"secret":"s3cret","token":"t0ken","uses":5}}}'
AWS_ACCESS_KEY_ID=ASIASHORT AWS_SECRET_ACCESS_KEY=s3cret AWS_SESSION_TOKEN=t0ken run 77 'they end' g --prefix s3://many/p/0000000 -j 2
said 'ExpiredToken'; said_not t0ken; said_not s3cret
seq 0 9 | awk '{ printf "p/%08d\n", $1 }' | head -n "$(wc -l <out)" >wanted
same '... behind the first ones' wanted out
control '{"reset":true,"set":{"uses":7}}'
run 0 'they are renewed' env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY AWS_CONTAINER_CREDENTIALS_FULL_URI="$s3/v2/credentials/1" \
    s3-get --retry-wait 0.01 --prefix s3://many/p/0000000
seq 0 9 | awk '{ printf "p/%08d\n", $1 }' >wanted
same '... and all is there' wanted out
control '{"set":{"uses":0}}'

# the output
run 74 'a full disk' sh -c 's3-get s3://bkt/big >/dev/full'
said 'stdout: No space left'
run 74 'a full disk at the last' sh -c 's3-get s3://bkt/text >/dev/full'
run 74 'a device that is full' g s3://bkt/text --output /dev/full
run 74 'a file that may not grow' sh -c 'ulimit -f 100; s3-get s3://bkt/big --output never'
said 'never.part'
[ ! -e never ] && [ ! -e never.part ]; ok $? '... is not there'
run 73 'a directory that is not there' g s3://bkt/text --output none/file
run 74 'stdout is closed' sh -c 's3-get s3://bkt/text >&-'
stalled() { log | grep -q '"fault": "stall"'; }	# the request was taken, so that no later test gets it, and the part was begun before
echo old >file
fault '{"match":"^GetObject /bkt/text","kind":"stall","bytes":3}'
s3-get s3://bkt/text --output file 2>err & pid=$!
wait_for stalled
kill -TERM $pid; wait $pid
[ $? -eq 143 ]; ok $? 'SIGTERM'
said 'the output was not made'
echo old >wanted
same '... leaves the old file' wanted file
[ ! -e file.part ]; ok $? '... and no part'
fault '{"match":"^GetObject /bkt/text","kind":"stall","bytes":3}'
s3-get s3://bkt/text --output file 2>err & pid=$!
wait_for stalled
kill -KILL $pid; wait $pid 2>/dev/null
same 'SIGKILL leaves the old file' wanted file
control '{"reset":true}'
run 0 'a rerun completes it' g s3://bkt/text --output file
printf 'no newline' >wanted
same '... whole' wanted file
[ ! -e file.part ]; ok $? '... and no part is left'

# standard input
run 65 'a record without a key' sh -c 'echo "{\"prefix\":\"app/\"}" | s3-get s3://bkt'
said 'column "key": the record has no key'
run 65 '... with --rejects, too: those are for what the objects hold' sh -c 'echo "{\"prefix\":\"app/\"}" | s3-get s3://bkt --records --rejects keyless'
run 65 'an empty key' sh -c 'echo "{\"key\":\"\"}" | s3-get s3://bkt'
run 65 'a key that is too long' sh -c 'head -c 1025 /dev/zero | tr "\0" k | s3-get --keys s3://bkt'
said '<stdin>:1: a key has 1024 bytes at most'
run 65 'a key with a NUL' sh -c 'printf "text\nte\\000xt\n" | s3-get --keys s3://bkt'
said '<stdin>:2: '
printf 'no newline' >wanted
same '... behind what is good' wanted out
run 65 'a listing that is cut' sh -c 'printf "{\"key\":\"text\"}\n{\"key\":\"te" | s3-get s3://bkt'
said 'record is cut'
same '... behind what is good, too' wanted out
run 0 'a size that is wrong or none' sh -c 'printf "{\"key\":\"text\",\"size\":3}\n{\"key\":\"text\",\"size\":\"x\"}\n{\"key\":\"text\",\"size\":99999999}\n" | s3-get s3://bkt'
printf 'no newlineno newlineno newline' >wanted
same '... is a hint' wanted out
printf '{"key":"big","size":100000}\n{"key":"text"}\n' >keys
run 0 'one that has grown' g s3://bkt <keys
{ cat big.json; printf 'no newline'; } | cmp -s - out; ok $? '... comes all the same'
run 74 'a read error' g s3://bkt <.
run 66 'a closed stdin' g s3://bkt <&-
run 74 'a read error of plain keys' g --keys s3://bkt <.

# wrong calls
run 64 'no operand' g
run 64 'a bucket and a key' g s3://bkt s3://bkt/text
run 64 'a key and a bucket' g s3://bkt/text s3://bkt
run 64 '--prefix and a key' g --prefix s3://bkt/app/ s3://bkt/text
run 64 '--since without --prefix' g --since 2024-01-01 s3://bkt/text
run 64 '--since, which is no time' g --since now --prefix s3://bkt/app/
run 64 '--keys without a bucket' g --keys s3://bkt/text
run 64 '--from without a bucket' g --from csv --prefix s3://bkt/app/
run 64 '--from and --keys' g --from csv --keys s3://bkt
run 64 '--add-key without --records' g --add-key k s3://bkt/text
run 64 '--rejects without --records' g --rejects bad.json s3://bkt/text
run 64 '--max-rejects without --rejects' g -r --max-rejects 3 s3://bkt/text
run 64 'no URL' g text
run 64 '--jobs 0' g -j 0 s3://bkt/text
run 73 '--rejects in no directory' g -r --rejects none/bad s3://bkt/app/1.json
run 69 'nobody there' env AWS_ENDPOINT_URL=http://127.0.0.1:1 s3-get s3://bkt/text --retry-wait 0.01 --retries 1
done_testing
