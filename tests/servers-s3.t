#!/bin/sh
# The stand-in for S3: what it answers is what api/s3.md says, it takes AWS's published signatures and no others, and
# every fault can be had.
. "$(dirname "$0")/lib.sh"

start_s3 --bucket b --bucket examplebucket
req() { "$here/s3-request" "$@"; }
control() {		# control JSON
	curl -sS -o control.out -w '%{http_code}\n' --data-binary "$1" "$s3/control" >control.status
	read -r code <control.status && [ "$code" = 200 ] || { cat control.out >&2; return 1; }
}
fault() { control "{\"reset\":true,\"faults\":[$1]}"; }
log() { curl -sS "$s3/log"; }
is() {			# is NAME WANTED GOT
	[ "$2" = "$3" ]
	ok $? "$1" || echo "# wanted $2, got $3"
}
# elements NAME: the texts of such elements of ./out, one a line
elements() { grep -o "<$1>[^<]*" out | sed "s/<$1>//;s/&quot;/\"/g"; }
answers() {		# answers STATUS CODE NAME [OPTION...] METHOD PATH: a refusal, by status and code
	_status=$1 _code=$2 _name=$3; shift 3
	for _last; do :; done
	_n=$#
	while [ $((_n = _n - 1)) -gt 0 ]; do set -- "$@" "$1"; shift; done
	shift
	req -i "$@" "$s3$_last" >out 2>err
	[ "$(sed -n '1s/ .*//p' out)" = "$_status" ] && [ "$(elements Code)" = "$_code" ]
	ok $? "$_status $_code: $_name" || { head -30 out; sed 's/^/# /' err; }
}
escape() { printf %s "$1" | sed 's/+/%2B/g; s,/,%2F,g; s/=/%3D/g'; }

# signatures: AWS's published examples, by the signer and by the server
control "{\"set\":{\"clock\":$((1369353600 - $(date +%s)))}}"
at=20130524T000000Z
host=http://examplebucket.s3.amazonaws.com
printf 'Welcome to Amazon S3.' >welcome
while IFS='|' read -r want method path options; do
	eval "set -- $options"
	t "the signer makes the published signature of $method $path" 0 sh -c \
	    '"$@" | sed "s/.*Signature=//"' - "$here/s3-request" --sign --time $at "$@" "$method" "$host$path" 3<<-OUT
	$want
	OUT
	req -i --to "$s3" --time $at "$@" "$method" "$host$path" >out 2>err
	! grep -q SignatureDoesNotMatch out
	ok $? "and the server takes it"
done <<'LIST'
f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41|GET|/test.txt|-H 'Range: bytes=0-9'
98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd|PUT|/test%24file.text|-d welcome -H 'Date: Fri, 24 May 2013 00:00:00 GMT' -H 'x-amz-storage-class: REDUCED_REDUNDANCY'
fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543|GET|/?lifecycle|
34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7|GET|/?max-keys=2&prefix=J|
LIST
t 'the published presigned URL' 0 sh -c '"$@" | sed "s/.*X-Amz-Signature=//"' - "$here/s3-request" --presign 86400 --time $at GET \
    "$host/test.txt" 3<<'OUT'
aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404
OUT
run 22 'is good' req -i --unsigned --to "$s3" GET "$(req --presign 86400 --time $at GET "$host/test.txt")"
is 'up to the key that is not there' NoSuchKey "$(elements Code)"
control "{\"set\":{\"clock\":0}}"

# objects
printf 'one\ntwo\n' >body
run 0 'put' req -i -d body -H 'Content-Type: text/plain' -H 'x-amz-meta-app: knack' PUT "$s3/b/k"
t 'get' 0 req GET "$s3/b/k" 3<body
req -i HEAD "$s3/b/k" >out
for line in 'content-length: 8' 'content-type: text/plain' 'x-amz-meta-app: knack' 'etag: "'"$(md5sum <body | cut -c1-32)"'"'; do
	grep -qix "$line" out
	ok $? "head: $line" || cat out
done
answers 404 NoSuchKey 'no such key' GET /b/nix
answers 404 NoSuchBucket 'no such bucket' GET /nix/k
answers 404 '' 'an error to HEAD has no body' HEAD /b/nix
AWS_SECRET_ACCESS_KEY=wrong answers 403 SignatureDoesNotMatch 'a wrong secret' GET /b/k
AWS_ACCESS_KEY_ID=wrong answers 403 InvalidAccessKeyId 'a key that is unknown' GET /b/k

# a multipart upload
req POST "$s3/b/big?uploads=" >out; id=$(elements UploadId)
head -c 5242880 /dev/zero >part1
for n in 1 2; do
	[ $n = 1 ] && part=part1 || part=body
	req -i -d $part PUT "$s3/b/big?partNumber=$n&uploadId=$(escape "$id")" >out
	echo "<Part><PartNumber>$n</PartNumber><ETag>$(sed -n 's/^etag: //p' out)</ETag></Part>"
done >parts
{ echo '<CompleteMultipartUpload>'; cat parts; echo '</CompleteMultipartUpload>'; } >complete
answers 404 NoSuchKey 'nothing is there before the upload is complete' GET /b/big
run 0 'complete' req -d complete POST "$s3/b/big?uploadId=$(escape "$id")"
cat part1 body >whole
req -o got GET "$s3/b/big"
same 'the parts are the object' whole got
answers 404 NoSuchUpload 'complete again' -d complete POST "/b/big?uploadId=$(escape "$id")"

# listings
req "GET" "$s3/b?list-type=2&max-keys=1" >out
is 'a page' big "$(elements Key)"
token=$(elements NextContinuationToken)
case $token in *+*/*=*) true ;; *) false ;; esac
ok $? "a token holds + and / and =: $token"
req GET "$s3/b?continuation-token=$(escape "$token")&list-type=2" >out
is 'and the next' k "$(elements Key)"
done_testing
