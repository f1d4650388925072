#!/bin/sh
# s3-put: a stream as one object, against the stand-in; records as objects are in s3-put-each.t.
# Slow in its second part, which the quick run leaves out: it waits until time limits have passed, and moves large objects.
. "$(dirname "$0")/lib.sh"

PATH=$(dirname "${CULVERT_BIN:-$top/bin}")/build/vectors:$PATH
start_s3 --bucket city
control() { curl -sS -f -o control.out --data-binary "$1" "$s3/control" || echo "# control: $1"; }
fault() { control "{\"reset\":true,\"faults\":[$1]}"; }
reset() { control '{"reset":true}'; }
log() { curl -sS "$s3/log"; }
objects() { curl -sS "$s3/objects"; }
uploads() { curl -sS "$s3/uploads"; }
raw() { curl -sS -f "$s3/raw/city/$1"; }
# of requests: what each was for, one a line
asked() { log | jq -r '.method + " " + (.query | keys | map(select(. != "encoding-type" and . != "prefix")) | join("&"))'; }
put() { s3-put --retry-wait 0.01 "$@"; }
no_seconds() { sed 's/,"seconds":[0-9.]*}/}/' out; }
stored() {		# stored NAME KEY FILE: the object is that
	raw "$2" >got.object
	same "$1" "$3" got.object
}
nothing_left() {	# nothing_left NAME: no upload is under way
	uploads >left
	same "$1: no upload is left" /dev/null left
}
old() { echo old | put s3://city/k >out 2>&1 && reset; }
still_old() {		# still_old NAME: a failure has changed nothing
	echo old >old; stored "$1: the old object stays" k old
	nothing_left "$1"
}
seq 2000000 >large		# 14 MB: two parts
seq 4000000 >huge		# 30 MB: four

# calls
t 'no operand' 64 s3-put 3</dev/null <.
t 'no S3 URL' 64 s3-put http://b/k 3</dev/null <.
said 'want s3://BUCKET/KEY'
t 'no key' 64 s3-put s3://city 3</dev/null <.
said 's3://city: a key must not be empty'
t 'no bucket' 64 s3-put s3://B_/k 3</dev/null <.
t 'metadata without a value' 64 s3-put --meta a s3://city/k 3</dev/null <.
t 'metadata with an empty value' 64 s3-put --meta a= s3://city/k 3</dev/null <.
t 'metadata that is no ASCII' 64 s3-put --meta a=é s3://city/k 3</dev/null <.
t 'metadata with a line break' 64 s3-put --meta "a=b
c" s3://city/k 3</dev/null <.
t 'metadata with an odd key' 64 s3-put --meta 'a b=c' s3://city/k 3</dev/null <.
t 'metadata twice' 64 s3-put --meta a=1 --meta A=2 s3://city/k 3</dev/null <.
said 'this key comes twice'
t 'too much metadata' 64 s3-put --meta "a=$(printf '%02048d' 1)" s3://city/k 3</dev/null <.
said 'S3 takes 2048'
t 'an odd --sse' 64 s3-put --sse rot13 s3://city/k 3</dev/null <.
t 'a part too small' 64 s3-put --part-size 1M s3://city/k 3</dev/null <.
t 'options of --each' 64 s3-put --skip-unchanged s3://city/k 3</dev/null <.
t 'a file that is not there' 66 s3-put s3://city/k nowhere 3</dev/null
t 'stdin closed' 66 s3-put s3://city/k <&- 3</dev/null
t 'a read error is no end of input' 74 s3-put s3://city/k <. 3</dev/null
log >asked
same 'none of them asked S3 for anything' /dev/null asked

# a small object
echo hello >hello
run 0 'a small object' s3-put s3://city/dir/hello.txt <hello
no_seconds >got
t 'its receipt' 0 cat got 3<<'OUT'
{"tool":"s3-put","url":"s3://city/dir/hello.txt","put":1,"parts":1,"bytes":6,"etag":"b1946ac92492d2347c6235b4d2611184"}
OUT
stored 'is there' dir/hello.txt hello
asked >got
t 'by one request' 0 cat got 3<<'OUT'
PUT 
OUT
run 0 'an empty stream' s3-put s3://city/empty </dev/null
no_seconds >got
t 'its receipt' 0 cat got 3<<'OUT'
{"tool":"s3-put","url":"s3://city/empty","put":1,"parts":1,"bytes":0,"etag":"d41d8cd98f00b204e9800998ecf8427e","empty":true}
OUT
stored 'is an empty object' empty /dev/null
echo 1 >one; echo 2 >two
run 0 'files' s3-put s3://city/both one - two <hello
cat one hello two >both
stored 'are one object' both both
run 74 'a receipt that can not be written' sh -c 's3-put s3://city/full <hello >/dev/full'
stored 'says so, but the object is there' full hello

# what goes along
reset
run 0 'headers' s3-put --content-type 'text/x; charset=utf-8' --meta App=knack --meta run-id='a  b=c' --storage-class STANDARD_IA \
    --sse aws:kms:key/1 s3://city/along <hello
log | jq -c '.headers | [."content-type", ."x-amz-meta-app", ."x-amz-meta-run-id", ."x-amz-storage-class", ."x-amz-server-side-encryption",
    ."x-amz-server-side-encryption-aws-kms-key-id", ."x-amz-checksum-sha256"]' >got
t 'are sent' 0 cat got 3<<OUT
["text/x; charset=utf-8","knack","a  b=c","STANDARD_IA","aws:kms","key/1","$(openssl dgst -sha256 -binary hello | base64)"]
OUT
reset
for key in a.json a.NDJSON a.csv a.txt a.csv.gz a; do put s3://city/$key <hello >out; done
log | jq -r '.headers."content-type"' >got
t 'types by ending' 0 cat got 3<<'OUT'
application/json
application/x-ndjson
text/csv
text/plain
application/gzip
application/octet-stream
OUT
reset
run 0 '--gzip' s3-put -z s3://city/packed.csv <large
objects | jq -c 'select(.key == "packed.csv") | .headers | [."content-type", ."content-encoding"]' >got
t 'says so' 0 cat got 3<<'OUT'
["text/csv","gzip"]
OUT
raw packed.csv | gunzip >got
same 'and packs' large got
raw packed.csv >packed
run 0 'the same again' s3-put -z s3://city/packed.csv <large
stored 'is the same bytes' packed.csv packed
run 0 '--gzip of nothing' s3-put -z s3://city/packed.csv </dev/null
raw packed.csv | gunzip >got
same 'unpacks to nothing' /dev/null got
reset
AWS_REQUEST_CHECKSUM_CALCULATION=when_required run 0 'checksums only where required' s3-put s3://city/plain <large
log | jq -r '.headers | keys[]' | grep -c checksum >got
t 'none is sent' 0 cat got 3<<'OUT'
0
OUT
stored 'and all is stored' plain large

# keys
i=0
while IFS= read -r key; do
	i=$((i + 1))
	echo "$i" >wanted
	run 0 "the key '$key'" s3-put "s3://city/$key" <wanted
	objects | jq -r --arg key "$key" 'select(.key == $key) | .size' >got
	t 'is stored under these bytes' 0 cat got 3<<OUT
$(wc -c <wanted)
OUT
done <<'KEYS'
with space + plus & and %41 % percent
what?a=b#c;d,e'f"g<h>i
//slashes//here/
../up/./../and/..
é/日本/😀
a{b}~!*()=:@$[]^|\`
KEYS
long=$(printf '%01024d' 1)
run 0 'a key of 1024 bytes' s3-put "s3://city/$long" <hello
t 'one byte more' 64 s3-put "s3://city/1$long" <hello 3</dev/null
said 'a key has 1024 bytes at most'

# parts
reset
run 0 'a large stream' s3-put s3://city/large <large
no_seconds >got
t 'its receipt' 0 cat got 3<<OUT
{"tool":"s3-put","url":"s3://city/large","put":1,"parts":2,"bytes":$(wc -c <large),"etag":"$(objects | jq -r 'select(.key == "large").etag | gsub("\"";"")')"}
OUT
stored 'is there' large large
nothing_left 'a large stream'
asked | sort >got
t 'by these requests' 0 cat got 3<<'OUT'
GET max-uploads&uploads
POST uploadId
POST uploads
PUT partNumber&uploadId
PUT partNumber&uploadId
OUT
objects | jq -c 'select(.key == "large") | .checksum' | grep -e '-2".*COMPOSITE' >got
t 'with a checksum of checksums' 0 grep -c 'sha256' got 3<<'OUT'
1
OUT
head -c 8388608 large >exact
reset
run 0 'one part to the byte' s3-put s3://city/exact <exact
asked >got
t 'is one PUT' 0 cat got 3<<'OUT'
PUT 
OUT
head -c 16777216 huge >exact
reset
run 0 'two parts to the byte' s3-put --meta a=b --content-type text/plain s3://city/exact <exact
log | jq -c 'select(.method == "PUT") | .headers."content-length"' >got
t 'are two' 0 cat got 3<<'OUT'
"8388608"
"8388608"
OUT
stored 'which are the object' exact exact
objects | jq -c 'select(.key == "exact") | .headers | [."content-type", ."x-amz-meta-a"]' >got
t 'with what goes along' 0 cat got 3<<'OUT'
["text/plain","b"]
OUT
reset
run 0 'smaller parts, one at a time' s3-put --part-size 5M -j 1 s3://city/huge <huge
log | jq -c 'select(.method == "PUT") | [.query.partNumber, .headers."content-length"]' >got
t 'are in order' 0 cat got 3<<OUT
["1","5242880"]
["2","5242880"]
["3","5242880"]
["4","5242880"]
["5","5242880"]
["6","$(($(wc -c <huge) - 5 * 5242880))"]
OUT
stored 'and right' huge huge
mkdir files
reset
TMPDIR=$work/files run 0 'parts that go through files' s3-put --part-size 21M s3://city/huge <huge
log | jq -c 'select(.method == "PUT") | .headers."content-length"' | sort >got
t 'of that size' 0 cat got 3<<OUT
"22020096"
"$(($(wc -c <huge) - 22020096))"
OUT
stored 'are right' huge huge
ls -A files >got
same 'and leave no file' /dev/null got
TMPDIR=$work/files run 0 'one PUT from a file' s3-put --part-size 40M s3://city/one <huge
stored 'is right' one huge
old
TMPDIR=$work/nowhere run 73 'no place for a file' s3-put --part-size 21M s3://city/k <huge
said "$work/nowhere/s3-put."
still_old 'no place for a file'
run 74 'a full disk under a part' sh -c 'ulimit -f 10000; TMPDIR=. s3-put --part-size 21M s3://city/k <huge'
said "a part's file in .: File too large"
still_old 'a full disk under a part'
run 0 'parts in bounded memory' limited 200000 s3-put 's3-put s3://city/huge <huge'
t 'parts grow: 10,000 of them are 29 TiB and more' 0 s3-parts 8388608 1 1000 1001 2000 5000 10000 3<<'OUT'
1 8388608 8388608
1000 8388608 8388608000
1001 8404992 8397012992
2000 65474560 36623552512
5000 5368709120 6779471818752
10000 5368709120 33623017418752
OUT
t 'or all that S3 takes' 0 s3-parts 5368709120 10000 3<<'OUT'
10000 5368709120 53687091200000
OUT
# A producer that waits is no reason for those parts to wait that are there.
mkfifo slow
{ cat large; while [ "$(log | grep -c partNumber=1)" -eq 0 ]; do sleep 0.1; done; cat large; } >slow &
reset
run 0 'a slow producer' timeout 60 s3-put s3://city/slow <slow
cat large large >twice
stored 'is waited for, while parts are sent' slow twice

quick_ends
# failures on the way
old
fault '{"match":"^UploadPart .*partNumber=2","kind":"error","code":"SlowDown","times":3}'
run 0 'throttled in a part' put s3://city/k <large
stored 'and stored' k large
fault '{"match":"^UploadPart .*partNumber=1","kind":"reset","times":2},{"match":"^UploadPart","kind":"no_reply"}'
run 0 'a connection cut in a part' put s3://city/k <huge
stored 'and stored' k huge
nothing_left 'a connection cut in a part'
fault '{"match":"^CompleteMultipartUpload","kind":"error200","times":2}'
run 0 'an error in a 200' put s3://city/k <large
stored 'is tried again' k large
fault '{"match":"^CompleteMultipartUpload","kind":"white_space","seconds":1.5,"leading":true}'
run 0 'white space before the answer' put s3://city/k <huge
stored 'and stored' k huge
fault '{"match":"^CompleteMultipartUpload","kind":"no_reply"}'
run 0 'the answer to the end is lost' put s3://city/k <large
said 'the answer was lost, but the object is there'
stored 'and stored' k large
nothing_left 'the answer to the end is lost'
fault '{"match":"^CompleteMultipartUpload","kind":"error200","done":true}'
AWS_REQUEST_CHECKSUM_CALCULATION=when_required run 0 'done, but said not to be, without checksums' put s3://city/k <huge
said 'the answer was lost, but the object is there'
stored 'and stored' k huge
nothing_left 'done, but said not to be'
fault '{"match":"^CreateMultipartUpload","kind":"no_reply"}'
run 0 'the answer to the start is lost' put s3://city/k <large
nothing_left 'the answer to the start is lost'
fault '{"match":"^PutObject","kind":"no_reply"}'
run 0 'the answer to a PUT is lost' put s3://city/k <hello
stored 'and stored' k hello

old
fault '{"match":"^UploadPart .*partNumber=2","kind":"error","code":"SlowDown","times":-1}'
run 69 'throttled for good' put --retries 3 s3://city/k <large
said 's3://city/k: part 2: 503 SlowDown: Please reduce your request rate.: gave up after 4 tries: nothing was stored'
still_old 'throttled for good'
fault '{"match":"^CompleteMultipartUpload","kind":"error200","times":-1}'
run 69 'an error in each 200' put --retries 3 s3://city/k <large
said 'completing the upload: 200, but InternalError'
still_old 'an error in each 200'
fault '{"match":"^PutObject","kind":"error","code":"InternalError","times":-1}'
run 69 'a PUT that fails' put --retries 2 s3://city/k <hello
still_old 'a PUT that fails'
reset
for code in AccessDenied:77 InvalidAccessKeyId:77 SignatureDoesNotMatch:77 ExpiredToken:77 NoSuchBucket:78 EntityTooLarge:76; do
	for op in PutObject:hello CreateMultipartUpload:large UploadPart:large CompleteMultipartUpload:large; do
		fault "{\"match\":\"^${op%:*}\",\"kind\":\"error\",\"code\":\"${code%:*}\",\"times\":-1}"
		run "${code#*:}" "${code%:*} for ${op%:*}" put s3://city/k <"${op#*:}"
		said "${code%:*}"
		still_old "${code%:*} for ${op%:*}"
	done
done
run 78 'no such bucket' put s3://nowhere/k <large
said 'create the bucket nowhere, or check its name'
AWS_SECRET_ACCESS_KEY=secret-not run 77 'a wrong key' put s3://city/k <large
said 'check the keys in AWS_ACCESS_KEY_ID'
said_not secret-not
run 69 'nobody there' put --retries 1 --endpoint-url http://127.0.0.1:1 s3://city/k <hello
still_old 'nobody there'
# Somebody aborts it under our hands.
control '{"reset":true,"faults":[{"match":"^UploadPart .*partNumber=2","kind":"error","code":"NoSuchUpload"}]}'
run 75 'an upload that is gone' put s3://city/k <large
said 'the upload is gone'
still_old 'an upload that is gone'
fault '{"match":"^CompleteMultipartUpload","kind":"error","code":"NoSuchUpload"}'
run 75 'gone at its end' put s3://city/k <large
said 'the upload is gone'
still_old 'gone at its end'
fault '{"match":"^CompleteMultipartUpload","kind":"no_reply"},{"match":"^HeadObject","kind":"error","code":"AccessDenied"}'
run 75 'stored perhaps, and no right to look' put s3://city/k <huge
said 'whether it is stored is not known: run again'
old

# what was stored is what was sent
fault '{"match":"^PutObject","kind":"damaged_body"}'
run 76 'a body that was changed on the way' put s3://city/k <hello
still_old 'a body that was changed on the way'
fault '{"match":"^UploadPart","kind":"damaged_body","times":-1}'
run 76 'a part that was changed on the way' put s3://city/k <large
still_old 'a part that was changed on the way'
fault '{"match":"^PutObject","kind":"headers","headers":{"x-amz-checksum-sha256":"AAAA"},"times":-1}'
run 76 'another checksum than ours' put --retries 1 s3://city/other <hello
said 'S3 has other bytes than were sent: SHA-256 AAAA'
fault '{"match":"^PutObject","kind":"headers","headers":{"x-amz-checksum-sha256":null,"ETag":"\"00000000000000000000000000000000\""},"times":-1}'
run 76 'another ETag than ours' put --retries 1 s3://city/other <hello
said 'S3 has other bytes than were sent: ETag'
fault '{"match":"^PutObject","kind":"headers","headers":{"x-amz-checksum-sha256":null,"ETag":"\"00000000000000000000000000000000\"","x-amz-server-side-encryption":"aws:kms"},"times":-1}'
run 0 'an ETag that is none of the content' put s3://city/other <hello
fault '{"match":"^UploadPart","kind":"headers","headers":{"x-amz-checksum-sha256":"AAAA"},"times":-1}'
run 76 'another checksum of a part' put --retries 1 s3://city/k <large
said 'S3 has other bytes than were sent: SHA-256 AAAA'
still_old 'another checksum of a part'
fault '{"match":"^UploadPart","kind":"headers","headers":{"ETag":null},"times":-1}'
run 76 'a part without an ETag' put --retries 1 s3://city/k <large
still_old 'a part without an ETag'
fault '{"match":"^CreateMultipartUpload","kind":"nonsense","body":"<x/>"}'
run 76 'no UploadId' put s3://city/k <large
still_old 'no UploadId'
# Look-alikes that know no checksums.
fault '{"match":"^PutObject","kind":"error","code":"NotImplemented"}'
run 0 'a server that takes no checksum' put s3://city/simple <hello
log | jq -c '.headers | has("x-amz-checksum-sha256")' >got
t 'gets none' 0 cat got 3<<'OUT'
true
false
OUT
fault '{"match":"^CreateMultipartUpload","kind":"error","code":"InvalidArgument"}'
run 0 'nor in parts' put s3://city/simple <large
stored 'and all is stored' simple large
log | jq -c 'select(.method == "PUT") | .headers | has("x-amz-checksum-sha256")' | sort -u >got
t 'gets none there' 0 cat got 3<<'OUT'
false
OUT

# who we are, where, and when
control '{"reset":true,"set":{"clock":960}}'
run 0 'a clock that is 16 minutes off' put s3://city/clock <large
said 'this clock is 16 min behind that of S3'
stored 'does not keep it from being stored' clock large
control '{"reset":true,"set":{"clock":0},"buckets":{"west":{"region":"us-west-2"}}}'
run 0 'a bucket elsewhere' put s3://west/k <large
reset
expiring() {		# credentials that the container gives out, which are good for some requests
	env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY AWS_CONTAINER_CREDENTIALS_FULL_URI="$s3/v2/credentials/1" "$@"
}
control '{"reset":true,"set":{"uses":4}}'
run 0 'credentials that expire in mid-upload' expiring s3-put --retry-wait 0.01 --part-size 5M -j 1 s3://city/k <huge
stored 'are fetched anew' k huge
log | grep -c '"path": *"/v2/credentials' >got
t 'more than once' 1 grep -qx 1 got 3</dev/null
nothing_left 'credentials that expire in mid-upload'
control '{"reset":true,"set":{"uses":0}}'

# --if-none-match
reset
run 0 '--if-none-match: nothing there' put --if-none-match s3://city/new <hello
run 73 '... and then there is' put --if-none-match s3://city/new <.
said 's3://city/new: is there already: nothing was stored'
fault '{"match":"^PutObject","kind":"no_reply"}'
run 0 '... the answer is lost, and our own object is there' put --if-none-match s3://city/new2 <hello
stored 'which is that' new2 hello
# Another process was quicker, after we looked.
fault '{"match":"^HeadObject","kind":"error","code":"NoSuchKey","times":2}'
run 73 '... it came meanwhile' put --if-none-match s3://city/new <one
stored 'and stays' new hello
fault '{"match":"^HeadObject","kind":"error","code":"NoSuchKey"}'
run 73 '... it came meanwhile, while parts were sent' put --if-none-match s3://city/new <large
stored 'and stays' new hello
nothing_left '--if-none-match'
fault '{"match":"^CompleteMultipartUpload","kind":"no_reply"}'
run 0 '... the answer to the end is lost' put --if-none-match s3://city/new3 <large
stored 'and our own object is there' new3 large
control '{"reset":true,"set":{"ignore_conditions":true}}'
run 73 '... a server that ignores it' put --if-none-match s3://city/new <one
stored 'and the object stays' new hello
control '{"reset":true,"set":{"ignore_conditions":false}}'

# stopped
old
mkfifo pipe
begin() {		# begin COMMAND...: in the background ($!), until its first part is there; its input stays open
	reset
	"$@" <pipe >out 2>err &
	putter=$!
	exec 8>pipe
	cat large >&8
	while [ "$(log | grep -c '"PUT"')" -eq 0 ]; do kill -0 $putter || break; sleep 0.05; done
}
end() { wait $putter 2>/dev/null; got=$?; exec 8>&-; [ "$got" -eq "$1" ]; ok $? "$2: status $1" || { echo "# got $got"; sed 's/^/# /' err; }; }
begin s3-put s3://city/k
kill -TERM $putter; end 143 'SIGTERM'
said 's3-put: stopped: nothing was stored, run again'
still_old 'SIGTERM'
begin s3-put s3://city/k
kill -INT $putter; kill -TERM $putter; end 130 'SIGINT, and SIGTERM after it'
still_old 'SIGINT, and SIGTERM after it'
begin s3-put s3://city/k
kill -KILL $putter; end 137 'SIGKILL'
none_left() { [ -z "$(uploads)" ]; }
wait_for none_left; ok $? 'SIGKILL: the guard aborts the upload'
still_old 'SIGKILL'
wait_for grep -q 'killed, and its upload aborted: nothing was stored' err; ok $? 'and says so'
begin s3-put s3://city/k
guard=$(pgrep -P $putter)
kill -KILL $guard $putter; end 137 'SIGKILL of both'
uploads | jq -r .key >got
t 'leaves an upload' 0 cat got 3<<'OUT'
k
OUT
run 0 'the next run' put s3://city/k <huge
said 's3-put: s3://city/k: aborted 1 upload of a run that died'
stored 'stores' k huge
nothing_left 'the next run'
control '{"deny":["^ListMultipartUploads"]}'
run 0 'without the right to list uploads' put s3://city/k <large
stored 'all is stored too' k large
control '{"deny":["^AbortMultipartUpload"]}'
begin s3-put --retry-wait 0.01 s3://city/k
kill -TERM $putter; end 143 'SIGTERM without the right to abort'
said 'the upload could not be aborted: the next run to this key does it'
control '{"deny":[]}'
run 0 'the next run does it' put s3://city/k <huge
said 'aborted 1 upload'
nothing_left 'the next run does it'
old
run 3 'a pipeline that fails' sluice 'cat large; exit 3' -- s3-put s3://city/k
said 's3-put: stopped: nothing was stored, run again'
still_old 'a pipeline that fails'
run 3 'a short pipeline that fails' sluice 'echo x; exit 3' -- s3-put s3://city/k
still_old 'a short pipeline that fails'
run 0 'a pipeline that ends well' sluice 'cat large' -- s3-put s3://city/k
stored 'is stored' k large

# two at a time
begin s3-put s3://city/k
run 75 'a second one to the same key' put s3://city/k <huge
said 'another process of this machine is sending to it: run again later'
run 0 'a second one to another' put s3://city/k2 <huge
exec 8>&-; end 0 'the first'
stored 'is unharmed' k large

done_testing
