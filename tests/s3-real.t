#!/bin/sh
# The S3 tools against a real S3 server, which was written by others than we: tests/real-s3 says what it is, and what of S3
# it lacks.
# Slow: it does once more, against a real server, what the tests of the S3 tools do.
. "$(dirname "$0")/lib.sh"
start_real_s3
req() { "$here/s3-request" "$@"; }

# the server itself: what the rest builds upon
run 0 'a bucket' req -i PUT "$real_s3/bucket"
printf 'one\ntwo\n' >body
run 0 'an object' req -i -d body -H 'x-amz-meta-app: knack' PUT "$real_s3/bucket/k"
t 'which is there' 0 req GET "$real_s3/bucket/k" 3<body
t 'under its host, too' 0 req GET "http://bucket.localhost:${real_s3##*:}/k" 3<body
AWS_SECRET_ACCESS_KEY=wrong run 22 'a wrong secret' req GET "$real_s3/bucket/k"
grep -q '<Code>SignatureDoesNotMatch</Code>' out
ok $? 'is refused' || cat out
run 22 'no signature' req --unsigned GET "$real_s3/bucket/k"
run 22 'a body that was changed on the way' req -d body --payload "$(printf x | sha256sum | cut -c1-64)" PUT "$real_s3/bucket/changed"
grep -q '<Code>XAmzContentSHA256Mismatch</Code>' out
ok $? 'is refused' || cat out
run 22 'and not stored' req GET "$real_s3/bucket/changed"

# s3-put: one object
uploads() { req GET "$real_s3/bucket?uploads=" | grep -c '<Upload>'; }
begun() { [ "$(uploads)" -ge 1 ]; }
none_left() { [ "$(uploads)" -eq 0 ]; }
seq 5000000 >large		# 39 MB: five parts
for checksums in when_supported when_required; do
	run 0 "a small stream, checksums $checksums" env AWS_REQUEST_CHECKSUM_CALCULATION=$checksums s3-put --meta App=knack s3://bucket/small <body
	t '... is there' 0 s3-get s3://bucket/small 3<body
	run 0 '... a large one' env AWS_REQUEST_CHECKSUM_CALCULATION=$checksums s3-put --meta App=knack s3://bucket/large.json <large
	s3-get s3://bucket/large.json >got
	same '... is there' large got
	req -i HEAD "$real_s3/bucket/large.json" | grep -iE '^(content-type|x-amz-meta-app):' | tr 'A-Z' 'a-z' | sort >got
	t '... with what goes along' 0 cat got 3<<-'OUT'
	content-type: application/json
	x-amz-meta-app: knack
	OUT
done
run 0 'an empty stream' s3-put s3://bucket/empty </dev/null
run 0 'packed' s3-put --gzip s3://bucket/packed <large
s3-get s3://bucket/packed | gunzip >got
same 'unpacks' large got
run 73 '--if-none-match' s3-put --if-none-match s3://bucket/small <body
run 78 'no such bucket' s3-put s3://bucket-not/k <large
said 'create the bucket bucket-not, or check its name'
AWS_SECRET_ACCESS_KEY=wrong run 77 'a wrong secret' s3-put s3://bucket/large.json <large
said 'SignatureDoesNotMatch'
mkfifo pipe
for number in TERM KILL; do
	s3-put s3://bucket/k <pipe >out 2>err &
	putter=$!
	exec 8>pipe
	cat large >&8
	wait_for begun
	kill -$number $putter
	wait $putter
	exec 8>&-
	wait_for none_left; ok $? "SIG$number: no upload is left"
	t 'and the old object stays' 0 s3-get s3://bucket/k 3<body
done
s3-put s3://bucket/k <pipe >out 2>err &
putter=$!
exec 8>pipe
cat large >&8
wait_for begun
kill -KILL "$(pgrep -P $putter)" $putter
wait $putter
exec 8>&-
run 0 'a run after one that was killed with its guard' s3-put s3://bucket/k <large
said 'aborted 1 upload of a run that died'
none_left; ok $? 'no upload is left'

# s3-put --each: 10,000 records; it is killed in the middle, since it gets no more than half of them, and a rerun completes
python3 -c 'for i in range(10000): print("{\"id\":%d,\"v\":\"%s\"}" % (i, "x" * (800 + i % 400)))' >records
sort records >wanted
s3-put --each 's3://bucket/each/{id}.json' <pipe >out 2>err &
putter=$!
exec 8>pipe
head -n 5000 records >&8 &
some() { [ "$(ls "$work/real-s3/buckets/bucket/each" 2>/dev/null | wc -l)" -ge 2000 ]; }
wait_for some
kill -KILL $putter
wait $putter; [ $? -eq 137 ]; ok $? '10,000 records: killed in the middle'
exec 8>&-
# What it had sent is stored, or not, once the server has closed the connections of who is gone.
idle() { ! awk -v port=":$(printf %04X "${real_s3##*:}")" '$2 ~ port "$" && ($4 == "01" || $4 == "08")' /proc/net/tcp | grep -q .; }
wait_for idle; ok $? 'the server has done what it was asked'
s3-get --records --prefix s3://bucket/each/ | sort >got
[ "$(wc -l <got)" -ge 2000 ] && [ "$(wc -l <got)" -lt 10000 ]; ok $? 'some of them are stored' || wc -l got
comm -23 got wanted >strange
same 'and nothing half-written is there' /dev/null strange
there=$(wc -l <got)
run 0 'a rerun' s3-put --each 's3://bucket/each/{id}.json' --skip-unchanged records
jq -c '[.read, .put, .unchanged]' out >got
t 'stores the rest' 0 cat got 3<<OUT
[10000,$((10000 - there)),$there]
OUT
s3-get --records --prefix s3://bucket/each/ | sort >got
same 'then all are there' wanted got
# Keys are files to this server: what it refuses for that is the record's own fault.
printf '{"id":"0.json/below"}\n{"id":"fine"}\n' | jq -c '.a = (.id | split("/")[0]) | .b = (.id | split("/")[1] // "x")' >below
run 0 'a key below an object' s3-put --each 's3://bucket/each/{a}/{b}' --rejects rejects.ndjson below
jq -r .reason rejects.ndjson >got
t 'is a bad record' 0 grep -c ObjectParentIsFile got 3<<'OUT'
1
OUT

# s3-list, s3-get: the same 10,000 again, and what else there is
jq -r '"each/\(.id).json"' records | LC_ALL=C sort >wanted
s3-list s3://bucket/each/ >listed
jq -r .key listed | grep -v fine | LC_ALL=C sort >got
same 's3-list has them all' wanted got
head -n 3000 listed | tail -n 1000 >some
s3-list s3://bucket/each/ --start-after "$(head -n 2000 listed | tail -n 1 | jq -r .key)" --limit 1000 >got
same '--start-after and --limit: a thousand of them' some got
jq -r .key some | sed 's,each/,,; s/.json//' | awk 'NR == FNR { line[NR] = $0; next } { print line[$1 + 1] }' records - >wanted
s3-get -r s3://bucket <some >got
same 's3-get of these is in their order' wanted got
jq -r .key some | s3-get -r --keys --jobs 3 s3://bucket >got
same '... as plain keys, too' wanted got
t '--delimiter' 0 sh -c 's3-list s3://bucket/ -d / | jq -c "select(.prefix)"' 3<<'OUT'
{"prefix":"each/"}
OUT
sleep 1.1
now=$(date +%s)
printf '%s\n' 'sp ace' 'pl+us' 'per%cent%41' "&amp;<'>\"" 'é' '😀' 'q?=1#f' 'a=b;c' '[*]' | jq -Rc '{name: .}' >odd
run 0 'odd keys' s3-put --each 's3://bucket/odd/{name}' odd
s3-list s3://bucket/odd/ | jq -c '{name: (.key | ltrimstr("odd/"))}' | sort >got
sort odd >wanted
same '... are listed as they are' wanted got
s3-list s3://bucket/odd/ --to csv | s3-get -r s3://bucket | sort >got
same '... and asked for so' wanted got
s3-get -r --prefix s3://bucket/ --since "$now" | sort >got
same '--since has these, and no others' wanted got
run 66 'no such key' s3-get s3://bucket/each/none.json
said 'NoSuchKey'
run 0 '--skip-missing' s3-get --skip-missing s3://bucket/each/none.json
run 78 'no such bucket' s3-list s3://bucket-not
AWS_SECRET_ACCESS_KEY=wrong run 77 'a wrong secret' s3-list s3://bucket
req POST "$real_s3/bucket/begun?uploads=" | sed -n 's/.*<UploadId>//; T; s/<.*//p' >id
printf '%s\n' "$(cat id)" >wanted
s3-list --uploads s3://bucket | jq -r .upload_id >got
[ -s id ]; ok $? 'an upload'
same '... is listed' wanted got
run 0 'a large object as a file' s3-get --output got s3://bucket/large.json
same '... is there' large got
s3-get s3://bucket/large.json >pipe 2>err &
getter=$!
exec 8<pipe
dd bs=1000 count=1 <&8 >got 2>dd.err
run 0 'another is stored while one is read' s3-put s3://bucket/large.json <body
cat <&8 >>got
exec 8<&-
wait $getter; [ $? -eq 75 ]; ok $? 'which is noticed'
said 'it changed while it was read'
head -c "$(wc -c <got)" large >wanted
same '... and nothing of it is written' wanted got
run 0 'stored with a checksum' s3-put s3://bucket/whole <body
printf 'one\ntwX\n' >"$work/real-s3/buckets/bucket/whole"
run 76 'a disk that is no good' s3-get s3://bucket/whole
said 'is not the one that S3 has for it'
same '... nothing of it is written' /dev/null out

done_testing
