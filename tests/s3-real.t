#!/bin/sh
# The S3 tools against a real S3 server, which was written by others than we: tests/real-s3 says what it is, and what of S3
# it lacks.
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

done_testing
