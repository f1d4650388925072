#!/bin/sh
# The stand-in for S3: what it answers is what api/s3.md says, it takes AWS's published signatures and no others, and
# every fault can be had.
# Slow: hundreds of signed and forged requests, each a curl of its own; and it is about the stand-in, not about a tool.
. "$(dirname "$0")/lib.sh"

start_s3 --bucket b --bucket examplebucket
# Requests are sent by one process; req leaves the status of the last reply in $replied and its error codes in $codes.
mkfifo requests replies
"$here/s3-request" --serve <requests >replies 2>requests.log & requester=$!
at_exit="kill $requester 2>/dev/null; $at_exit"
exec 8>requests 9<replies
read -r _line <&9 || give_up "s3-request does not start: $(tail -n 1 requests.log)"
us=$(printf '\037')
ask() {			# ask ARGUMENT...: s3-request's, with -o FILE if there is a body to show
	printf "%s$us" "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY" "${AWS_SESSION_TOKEN-}" "$AWS_REGION" "$@" >&8
	printf '\036\n' >&8
	IFS=$us read -r _rc replied codes _message <&9 || give_up "s3-request ended: $(tail -n 1 requests.log)"
	[ -z "$_message" ] || echo "$_message" >&2
	return "$_rc"
}
req() {			# req ARGUMENT...: and the body goes to stdout
	ask -o req.out "$@" && set -- 0 || set -- $?
	cat req.out
	return "$1"
}
control() {		# control JSON
	ask --unsigned -o control.out --text "$1" POST "$s3/control" || { cat control.out >&2; return 1; }
}
fault() { control "{\"reset\":true,\"faults\":[$1]}"; }
log() { req --unsigned GET "$s3/log"; }
is() {			# is NAME WANTED GOT
	[ "$2" = "$3" ]
	ok $? "$1" || printf '# wanted %s\n# got %s\n' "$2" "$3"
}
# elements NAME: the texts of such elements of ./out, one a line
elements() {
	awk -v RS='<' -v tag="$1>" 'index($0, tag) == 1 { text = substr($0, length(tag) + 1); gsub(/\n/, "", text); gsub(/&quot;/, "\"", text); print text }' out
}
header() { sed -n "s/^$1: //p" out; }
answers() {		# answers STATUS CODE NAME PATH [OPTION...] METHOD: by its status, and the code of an error
	_status=$1 _code=$2 _name=$3 _path=$4; shift 4
	ask -o out -i "$@" "$s3$_path" 2>err
	[ "$replied $codes" = "$_status $_code" ]
	ok $? "$_status $_code: $_name" || { { head -c 2000 out; echo; } | sed 's/^/# /'; sed 's/^/# /' err; }
}
escape() { printf %s "$1" | sed 's/%/%25/g; s/+/%2B/g; s,/,%2F,g; s/=/%3D/g'; }
sum() { openssl dgst "-$1" -binary "$2" | base64; }

# signatures: AWS's published examples, by the signer and by the server
at=20130524T000000Z
control "{\"set\":{\"clock\":$((1369353600 - $(date +%s)))}}"
host=http://examplebucket.s3.amazonaws.com
printf 'Welcome to Amazon S3.' >welcome
while IFS='|' read -r want method path options; do
	eval "set -- $options"
	t "the signer makes the published signature of $method $path" 0 sh -c '"$@" | sed "s/.*Signature=//"' - \
	    "$here/s3-request" --sign --time $at "$@" "$method" "$host$path" 3<<-OUT
	$want
	OUT
	ask -o out -i --to "$s3" --time $at "$@" "$method" "$host$path" 2>err
	grep -q "^[2-5]" out && ! grep -q SignatureDoesNotMatch out
	ok $? "and the server takes it"
done <<'LIST'
f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41|GET|/test.txt|-H 'Range: bytes=0-9'
98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd|PUT|/test%24file.text|-d welcome -H 'Date: Fri, 24 May 2013 00:00:00 GMT' -H 'x-amz-storage-class: REDUCED_REDUNDANCY'
fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543|GET|/?lifecycle|
34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7|GET|/?max-keys=2&prefix=J|
LIST
curl -sS "$s3/raw/examplebucket/test%24file.text" >out
same 'what the published PUT sent is stored' welcome out
ask -o url --presign 86400 --time $at GET "$host/test.txt"
is 'the published presigned URL' aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404 "$(sed 's/.*X-Amz-Signature=//' url)"
ask -o out --unsigned --to "$s3" GET "$(cat url)"
is 'is good, up to the key that is not there' NoSuchKey "$(elements Code)"
control "{\"set\":{\"clock\":$((1369353600 + 86402 - $(date +%s)))}}"
ask -o out --unsigned --to "$s3" GET "$(cat url)"
is 'and a day later it is not' 'Request has expired' "$(elements Message)"
control "{\"set\":{\"clock\":$((1369353600 - $(date +%s)))}}"

a() { head -c "$1" /dev/zero | tr '\0' a; }
chunked() {		# chunked SIGNATURE...: the published body in chunks of 65536 and 1024
	printf '10000;chunk-signature=%s\r\n' "$1"; a 65536
	printf '\r\n400;chunk-signature=%s\r\n' "$2"; a 1024
	printf '\r\n0;chunk-signature=%s\r\n\r\n' "$3"
}
put_chunked() {
	curl -sS -X PUT -o out --data-binary @chunks -H 'Host: s3.amazonaws.com' -H "x-amz-date: $at" -H 'Content-Type:' -H 'Expect:' \
	    -H 'x-amz-storage-class: REDUCED_REDUNDANCY' -H 'x-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD' \
	    -H 'Content-Encoding: aws-chunked' -H 'x-amz-decoded-content-length: 66560' -H "Authorization: AWS4-HMAC-SHA256 \
Credential=$AWS_ACCESS_KEY_ID/20130524/us-east-1/s3/aws4_request,SignedHeaders=content-encoding;content-length;host;\
x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class,\
Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9" "$s3/examplebucket/chunkObject.txt"
}
one=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648
two=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497
three=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9
chunked $one $one $three >chunks
put_chunked
is 'a chunk with a wrong signature' SignatureDoesNotMatch "$(elements Code)"
chunked $one $two $three >chunks
put_chunked
curl -sS "$s3/raw/examplebucket/chunkObject.txt" >got
a 66560 >want
same 'the published chunks' want got
control '{"set":{"clock":0}}'

# what else is refused
printf 'one\ntwo\n' >body
run 0 'put' req -i -d body PUT "$s3/b/k"
t 'get' 0 req GET "$s3/b/k" 3<body
AWS_SECRET_ACCESS_KEY=wrong answers 403 SignatureDoesNotMatch 'a wrong secret' /b/k GET
is 'with the canonical request' "GET/b/khost:${s3#*//}x-amz-content-sha256:" "$(elements CanonicalRequest | sed 's/sha256:.*/sha256:/')"
is 'and the string to sign' AWS4-HMAC-SHA256 "$(elements StringToSign | cut -c1-16)"
AWS_ACCESS_KEY_ID=AKIAUNKNOWN answers 403 InvalidAccessKeyId 'an unknown key' /b/k GET
answers 400 InvalidRequest 'no x-amz-content-sha256' /b/k --drop x-amz-content-sha256 GET
answers 400 InvalidArgument 'an x-amz-content-sha256 that is none' /b/k --payload none GET
answers 403 AccessDenied 'no date' /b/k --drop x-amz-date GET
answers 403 AccessDenied 'host is not signed' /b/k --drop host --unsigned-header "host: ${s3#*//}" GET
answers 403 AccessDenied 'an x-amz header is not signed' /b/k --unsigned-header 'x-amz-meta-a: 1' -d body PUT
is 'which one' x-amz-meta-a "$(elements HeadersNotSigned)"
answers 200 '' 'other headers need no signature' /b/k --unsigned-header 'Accept: */*' GET
answers 400 XAmzContentSHA256Mismatch 'another body than was signed' /b/no --payload "$(sha256sum </dev/null | cut -c1-64)" -d body PUT
answers 200 '' 'a body without a hash' /b/unsigned --payload UNSIGNED-PAYLOAD -d body PUT
answers 403 AccessDenied 'no signature at all' /b/k --unsigned GET
answers 501 NotImplemented 'a body in chunks' /b/chunks --unsigned-header 'Transfer-Encoding: chunked' PUT
answers 400 AuthorizationHeaderMalformed 'a signature for another service' /b/k --service sts -H "x-amz-content-sha256: UNSIGNED-PAYLOAD" GET
t 'none of them stored anything' 0 sh -c 'curl -sS "$1/objects" | jq -r "select(.bucket == \"b\").key"' - "$s3" 3<<'OUT'
k
unsigned
OUT
for seconds in 960 -960; do
	control "{\"set\":{\"clock\":$seconds}}"
	answers 403 RequestTimeTooSkewed "a clock $seconds seconds off" /b/k GET
	off=$(($(date -d "$(header date)" +%s) - $(date +%s) - seconds))
	[ "${off#-}" -lt 60 ]
	ok $? 'the server tells its own time' || echo "# off by $off"
done
control '{"set":{"clock":800}}'
answers 200 '' 'a clock less than 15 minutes off' /b/k GET
control '{"set":{"clock":0}}'

# regions
control '{"buckets":{"far":{"region":"eu-west-1"},"open":{"public":true}},"objects":{"open/k":"hello\n"}}'
answers 400 AuthorizationHeaderMalformed 'signed for another region' /far GET
is 'which is' eu-west-1 "$(elements Region)"
answers 400 '' 'HEAD says it, too' /far HEAD
is 'in a header' eu-west-1 "$(header x-amz-bucket-region)"
AWS_REGION=eu-west-1 answers 200 '' 'signed for its region' /far GET
control '{"set":{"wrong_region":"301"}}'
answers 301 PermanentRedirect 'or so' /far GET
is 'to where' far.s3.eu-west-1.amazonaws.com "$(elements Endpoint)"
is 'without a Location' '' "$(header location)"
is 'the region, too' eu-west-1 "$(header x-amz-bucket-region)"
control '{"set":{"wrong_region":"400"}}'
t 'a public bucket' 0 req --unsigned GET "$s3/open/k" 3<<'OUT'
hello
OUT
answers 403 AccessDenied 'the same key in one that is not' /b/k --unsigned GET
fault '{"kind":"redirect","to":"http://elsewhere/b/k"}'
answers 307 TemporaryRedirect 'a redirect' /b/k GET
is 'to where' http://elsewhere/b/k "$(header location)"

# rights and buckets
control '{"deny":["^(Put|Get|Head)Object /b/secret/","^ListObjectsV2 /far/"]}'
answers 403 AccessDenied 'a prefix that is not ours' /b/secret/k -d body PUT
answers 403 '' 'HEAD, too' /b/secret/k HEAD
answers 200 '' 'beside it' /b/secrets -d body PUT
AWS_REGION=eu-west-1 answers 403 AccessDenied 'who may not list does not learn what is missing' /far/nix GET
control '{"deny":[]}'
answers 404 NoSuchKey 'no such key' /b/nix GET
answers 404 NoSuchBucket 'no such bucket' /nix/k GET
answers 404 '' 'an error to HEAD has no body' /b/nix HEAD
answers 200 '' 'a new bucket' /another-one PUT
answers 409 BucketAlreadyOwnedByYou 'twice' /another-one PUT
answers 204 '' 'none again' /another-one DELETE
answers 409 BucketNotEmpty 'one with objects' /b DELETE
answers 400 InvalidBucketName 'a name that is none' /A_b PUT
answers 405 MethodNotAllowed 'no such operation' /b/k POST
answers 501 NotImplemented 'what is not here says so' '/b?versions=' GET
req GET "http://b.localhost:${s3##*:}/k" >got
same 'a bucket by its host' body got

# objects
answers 200 '' 'put with headers' /b/k -d body -H 'Content-Type: text/plain' -H 'Content-Encoding: gzip' -H 'x-amz-meta-app: knack' PUT
etag=\"$(md5sum <body | cut -c1-32)\"
is 'its ETag' "$etag" "$(header etag)"
answers 200 '' 'head' /b/k HEAD
for line in 'content-length: 8' 'content-type: text/plain' 'content-encoding: gzip' 'x-amz-meta-app: knack' "etag: $etag"; do
	grep -qixF "$line" out
	ok $? "which tells $line" || cat out
done
while IFS='|' read -r status code want name options; do
	eval "set -- $options"
	answers "$status" "$code" "$name" /b/k "$@" GET
	[ -z "$want" ] || is 'the part' "$want" "$(sed '1,/^$/d' out | tr '\n' /)"
done <<LIST
206||ne/t|a range|-H 'Range: bytes=1-4'
206||two/|to the end|-H 'Range: bytes=4-'
206||wo/|the last three|-H 'Range: bytes=-3'
206||o/|beyond the end|-H 'Range: bytes=6-99'
416|InvalidRange||all beyond it|-H 'Range: bytes=8-'
200||one/two/|a range that is none|-H 'Range: bytes=4-1'
200||one/two/|If-Match|-H 'If-Match: $etag'
412|PreconditionFailed||another one|-H 'If-Match: "x"'
206||ne/|with a range|-H 'If-Match: $etag' -H 'Range: bytes=1-3'
304|||If-None-Match|-H 'If-None-Match: $etag'
200||one/two/|of another one|-H 'If-None-Match: "x"'
304|||not modified|-H 'If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT'
200||one/two/|modified|-H 'If-Modified-Since: Fri, 01 Jan 2010 00:00:00 GMT'
412|PreconditionFailed||modified since|-H 'If-Unmodified-Since: Fri, 01 Jan 2010 00:00:00 GMT'
LIST
: >empty
answers 200 '' 'an empty object' /b/empty -d empty PUT
answers 416 InvalidRange 'of which there is no range' /b/empty -H 'Range: bytes=0-0' GET
answers 412 PreconditionFailed 'a key that must be new' /b/k -H 'If-None-Match: *' -d body PUT
answers 200 '' 'one that is' /b/new -H 'If-None-Match: *' -d body PUT
answers 412 PreconditionFailed 'put over another version' /b/k -H 'If-Match: "x"' -d body PUT
answers 200 '' 'over this one' /b/k -H "If-Match: $etag" -d body PUT
answers 404 NoSuchKey 'over none' /b/nix -H "If-Match: $etag" -d body PUT
control '{"set":{"ignore_conditions":true}}'
answers 200 '' 'a look-alike that knows no conditions' /b/k -H 'If-None-Match: *' -d body PUT
control '{"set":{"ignore_conditions":false}}'
answers 400 MetadataTooLarge 'much metadata' /b/k -H "x-amz-meta-a: $(a 2048)" -d body PUT
answers 400 RequestHeaderSectionTooLarge 'long headers' /b/k -H "x-amz-meta-a: $(a 9000)" -d body PUT

# checksums
printf 123456789 >digits
while read -r algorithm value; do
	answers 200 '' "$algorithm" "/b/$algorithm" -H "x-amz-checksum-$algorithm: $value" -d digits PUT
	answers 200 '' 'asked for' "/b/$algorithm" -H 'x-amz-checksum-mode: ENABLED' HEAD
	is 'is there' "$value FULL_OBJECT" "$(header "x-amz-checksum-$algorithm") $(header x-amz-checksum-type)"
	answers 400 BadDigest "$algorithm of another body" "/b/$algorithm" -H "x-amz-checksum-$algorithm: $value" -d body PUT
done <<LIST
crc32 y/Q5Jg==
crc32c 4waSgw==
crc64nvme rosUhgp5mIg=
sha1 $(sum sha1 digits)
sha256 $(sum sha256 digits)
LIST
answers 200 '' 'not asked for' /b/sha256 HEAD
is 'it is not there' '' "$(header x-amz-checksum-sha256)"
answers 400 InvalidRequest 'two checksums' /b/k -H 'x-amz-checksum-crc32: y/Q5Jg==' -H 'x-amz-checksum-crc32c: 4waSgw==' -d digits PUT
answers 400 InvalidRequest 'an unknown one' /b/k -H 'x-amz-checksum-crc33: y/Q5Jg==' -d digits PUT
answers 400 InvalidRequest 'one that is none' /b/k -H 'x-amz-checksum-crc32: y/Q5' -d digits PUT
answers 200 '' 'Content-MD5' /b/md5 -H "Content-MD5: $(sum md5 digits)" -d digits PUT
answers 400 BadDigest 'of another body' /b/md5 -H "Content-MD5: $(sum md5 digits)" -d body PUT
answers 400 InvalidDigest 'that is none' /b/md5 -H 'Content-MD5: x' -d digits PUT
printf '9\r\n123456789\r\n0\r\nx-amz-checksum-crc32:y/Q5Jg==\r\n\r\n' >trailed
trailer() {
	answers "$@" -H 'x-amz-trailer: x-amz-checksum-crc32' -H 'x-amz-decoded-content-length: 9' -H 'Content-Encoding: aws-chunked' \
	    --payload STREAMING-UNSIGNED-PAYLOAD-TRAILER -d trailed PUT
}
trailer 200 '' 'a checksum behind the body' /b/trailed
answers 200 '' 'the body without its chunks' /b/trailed GET
is 'and without their encoding' '123456789 ' "$(tail -n 1 out) $(header content-encoding)"
sed -i s/y.Q5/y-Q5/ trailed
trailer 400 BadDigest 'a wrong one' /b/trailed
printf '9\r\n1234567' >trailed
trailer 400 IncompleteBody 'chunks that end early' /b/trailed

# keys, as bytes
python3 - >keys <<'E'
import urllib.parse
for key in ["a b", "a+b", "a%b", "a%2Bb", "a&b", "a<b>", "a=b", "a?b", "a#b", "a//b", "/lead", "tail/", "é", "\U0001f600", "a\x01b",
            "a\rb", "../up", "a/../b", "a/./b", "..", "q\"q", "back\\s", "a'b*(c)!~", "x" * 1024]:
    print(urllib.parse.quote(key, safe="/~"))
E
control '{"buckets":["odd"]}'
host=http://odd.localhost:${s3##*:}
while read -r key; do
	printf %s "$key" >odd.body
	ask -o out -d odd.body PUT "$host/$key" && ask -o out GET "$s3/odd/$key" && cmp -s odd.body out || echo "$key" >>lost
done <keys
[ ! -e lost ]
ok $? 'odd keys are found under host and path' || cat lost
curl -sS "$s3/objects" >objects
python3 -c 'import json, urllib.parse
for line in open("objects"):
    entry = json.loads(line)
    if entry["bucket"] == "odd": print(urllib.parse.quote(entry["key"], safe="/~"))' >got
sort keys >want; sort got >got.sorted
same 'each as its own' want got.sorted
answers 400 KeyTooLongError 'a key of 1025 bytes' "/odd/$(a 1025)" -d body PUT
answers 400 InvalidURI 'a key that is no UTF-8' /odd/%ff -d body PUT

# listings
list() {		# list QUERY: all pages, into the file pages
	_token='' _pages=0
	: >pages
	while :; do
		ask -o out GET "$s3/$1${_token:+&continuation-token=$(escape "$_token")}"
		[ "$(elements Code)" = '' ] || { cat out; return 1; }
		cat out >>pages; echo >>pages
		_pages=$((_pages + 1))
		[ "$(elements IsTruncated)" = true ] || return 0
		_token=$(elements NextContinuationToken)
	done
}
list 'odd?list-type=2&encoding-type=url&max-keys=5'
is 'pages of five' 5 $_pages
python3 -c 'import re, urllib.parse
for key in re.findall("<Key>([^<]*)", open("pages").read()): print(urllib.parse.quote(urllib.parse.unquote_plus(key), safe="/~"))' >got
python3 -c 'import sys, urllib.parse
for key in sorted(urllib.parse.unquote_to_bytes(line) for line in sys.stdin.read().split()): print(urllib.parse.quote(key, safe="/~"))' <keys >want
same 'bring every key once, in the order of their bytes' want got
case $_token in *+*/*=*) true ;; *) false ;; esac
ok $? 'a token holds a plus sign, a slash and an equals sign' || echo "# $_token"
ask -o out GET "$s3/odd?list-type=2&continuation-token=$_token"
is 'and is another one when they are not encoded' SignatureDoesNotMatch "$(elements Code)"
answers 400 InvalidArgument 'a token that is none' '/odd?list-type=2&continuation-token=x' GET
ask -o out GET "$s3/odd?list-type=2&prefix=a%01"
is 'control characters without encoding' 'a&#x1;b' "$(elements Key)"
is 'the number of keys' 1 "$(elements KeyCount)"
answers 400 InvalidArgument 'another encoding' '/b?list-type=2&encoding-type=base64' GET
answers 400 InvalidArgument 'max-keys that is no number' '/b?list-type=2&max-keys=x' GET

control '{"buckets":["tree"],"objects":{"tree/a":"1","tree/b/1":"22","tree/b/2":"","tree/b/c/3":"","tree/c":
	{"body":"333","modified":"2024-01-31T12:34:56Z","headers":{"x-amz-storage-class":"GLACIER"}},"tree/d-e/1":"","tree/d-f":""}}'
tree() {		# tree NAME WANTED QUERY
	list "tree?list-type=2$3"
	is "$1" "$2" "$(tr -d '\n' <pages | grep -o '<Key>[^<]*\|<Prefix>[^<]*</Prefix></CommonP' |
	    sed 's/<Key>//; s/<Prefix>//; s/<.*//' | tr '\n' ' ')"
}
tree 'all' 'a b/1 b/2 b/c/3 c d-e/1 d-f ' ''
tree 'a prefix' 'b/1 b/2 b/c/3 ' '&prefix=b%2F'
tree 'a delimiter' 'a c d-f b/ d-e/ ' '&delimiter=%2F'
tree 'page by page' 'a b/ c d-e/ d-f ' '&delimiter=%2F&max-keys=1'
is 'a common prefix counts as one' 5 $_pages
tree 'in a prefix' 'b/1 b/2 b/c/ ' '&delimiter=%2F&prefix=b%2F'
tree 'another delimiter' 'a b/1 b/2 b/c/3 c d- ' '&delimiter=-'
tree 'start-after' 'b/2 b/c/3 c d-e/1 d-f ' '&start-after=b%2F1'
tree 'start-after within a common prefix' 'c d-f b/ d-e/ ' '&delimiter=%2F&start-after=b%2F1'
tree 'nothing' '' '&prefix=nix'
ask -o out GET "$s3/tree?list-type=2&prefix=c"
is 'what is told of a key' "c 2024-01-31T12:34:56.000Z \"$(printf 333 | md5sum | cut -c1-32)\" 3 GLACIER" \
    "$(echo $(elements Key) $(elements LastModified) $(elements ETag) $(elements Size) $(elements StorageClass))"
ask -o out GET "$s3/tree?prefix=b&max-keys=1&marker=b%2F1"
is 'the older listing' 'b/2 true' "$(elements Key) $(elements IsTruncated)"
fault '{"kind":"empty_page","skip":1}'
tree 'an empty page that is not the last' 'a b/1 b/2 b/c/3 c d-e/1 d-f ' '&max-keys=3'
is 'is there' 4 $_pages
fault '{"kind":"repeat_page","match":"^ListObjectsV2 /tree/"}'
ask -o out GET "$s3/tree?list-type=2&max-keys=1"
ask -o out GET "$s3/tree?list-type=2&max-keys=1&continuation-token=$(escape "$(elements NextContinuationToken)")"
is 'a page that is repeated' 'a ' "$(elements Key) $(elements StartAfter)"
fault '{"kind":"error","code":"InternalError","match":"^ListObjectsV2 .*continuation-token","times":1}'
list 'tree?list-type=2&max-keys=3' >failed
is 'a listing that fails half way' '1 InternalError' "$_pages $(elements Code)"

control '{"buckets":["huge"],"objects":{"huge/k/00000001.5":"x"},"make_up":{"huge":{"keys":250000,"prefix":"k/","suffix":".json","step":60}}}'
ask -o out GET "$s3/huge?list-type=2&prefix=k%2F002499&max-keys=3"
is 'keys that are made up' 'k/00249900.json k/00249901.json k/00249902.json' "$(echo $(elements Key))"
is 'with their times' 2024-06-22T13:00:00.000Z "$(elements LastModified | head -1)"
ask -o out GET "$s3/huge?list-type=2&max-keys=4"
is 'among those that are stored' 'k/00000000.json k/00000001.5 k/00000001.json k/00000002.json' "$(echo $(elements Key))"
ask -o out GET "$s3/huge?list-type=2&start-after=k%2F00249997.json"
is 'to the end' 'k/00249998.json k/00249999.json false' "$(echo $(elements Key) $(elements IsTruncated))"
answers 200 '' 'they can be read' /huge/k/00123456.json GET
is 'and hold their names' k/00123456.json "$(tail -n 1 out)"
answers 404 NoSuchKey 'but no others' /huge/k/00250000.json GET

# copies and deletes
answers 200 '' 'an object with metadata' /b/k -d body -H 'x-amz-meta-app: knack' PUT
answers 200 '' 'a copy' /b/copy -H 'x-amz-copy-source: /b/k' PUT
answers 200 '' 'has the same headers' /b/copy HEAD
is 'metadata, too' knack "$(header x-amz-meta-app)"
answers 200 '' 'an encoded name' /b/copy -H 'x-amz-copy-source: /odd/a%252Bb' -H 'x-amz-metadata-directive: REPLACE' PUT
is 'of what it is' "$(printf %s a%252Bb | md5sum | cut -c1-32)" "$(elements ETag | tr -d '"')"
answers 400 InvalidRequest 'onto itself' /b/k -H 'x-amz-copy-source: /b/k' PUT
answers 412 PreconditionFailed 'of another version' /b/copy -H 'x-amz-copy-source: /b/k' -H 'x-amz-copy-source-if-match: "x"' PUT
answers 404 NoSuchKey 'of nothing' /b/copy -H 'x-amz-copy-source: /b/nix' PUT
fault '{"kind":"error200","match":"^CopyObject "}'
answers 200 InternalError 'a 200 that is an error' /b/copy2 -H 'x-amz-copy-source: /b/k' PUT
answers 404 NoSuchKey 'and nothing was copied' /b/copy2 GET
answers 204 '' 'delete' /b/copy DELETE
answers 204 '' 'again' /b/copy DELETE
control '{"deny":["^DeleteObject /tree/b/"]}'
echo '<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Object><Key>a</Key></Object><Object><Key>b/1</Key></Object>
<Object><Key>nix &amp; nix</Key></Object></Delete>' >delete
answers 400 InvalidRequest 'several without a checksum' '/tree?delete=' -d delete POST
answers 200 AccessDenied 'several, of which one is not ours' '/tree?delete=' -d delete -H "Content-MD5: $(sum md5 delete)" POST
is 'which are gone' 'b/1 a nix &amp; nix' "$(echo $(tr -d '\n' <out | grep -o '<Error><Key>[^<]*' | sed 's/.*>//') \
    $(tr -d '\n' <out | grep -o '<Deleted><Key>[^<]*' | sed 's/.*>//'))"
tree 'and which are left' 'b/1 b/2 b/c/3 c d-e/1 d-f ' ''
control '{"deny":[]}'

# multipart uploads
created() {		# created PATH [OPTION...]: starts an upload; its id as the file id has it, and encoded, in $u
	_at=$1; shift
	ask -o out "$@" POST "$s3$_at?uploads=" && elements UploadId >id
	u=$(escape "$(cat id)")
}
part() {		# part PATH NUMBER FILE [OPTION...]: adds a line to the file parts
	_at=$1 _n=$2 _file=$3; shift 3
	ask -o out -i -d "$_file" "$@" PUT "$s3$_at?partNumber=$_n&uploadId=$u" || cat out >&2
	echo "<Part><PartNumber>$_n</PartNumber><ETag>$(header etag)</ETag></Part>" >>parts
}
completion() {		# completion [FILE]: of these parts
	{ echo '<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'; cat "${1:-parts}"; echo '</CompleteMultipartUpload>'; }
}
uploads() { curl -sS "$s3/uploads"; }
head -c 5242880 /dev/zero >five
cat five body >whole
control '{"buckets":["up"]}'
created /up/k -H 'Content-Type: text/csv' -H 'x-amz-meta-app: knack'
case $(cat id) in *[+/=]*) true ;; *) false ;; esac
ok $? 'an upload id is to be encoded' || cat id
: >parts
part /up/k 2 body
part /up/k 1 body
part /up/k 1 five
answers 404 NoSuchKey 'nothing is there before the upload is complete' /up/k GET
t 'it is listed without the API, too' 0 sh -c 'curl -sS "$1/uploads" | jq -c "[.bucket, .key, .parts]"' - "$s3" 3<<'OUT'
["up","k",{"1":5242880,"2":8}]
OUT
ask -o out GET "$s3/up/k?uploadId=$u"
is 'its parts' '1 5242880 2 8 false' "$(echo $(tr -d '\n' <out | grep -o '<PartNumber>[^<]*\|<Size>[^<]*' | sed 's/.*>//') $(elements IsTruncated))"
ask -o out GET "$s3/up/k?uploadId=$u&max-parts=1"
is 'page by page' '1 true 1' "$(elements PartNumber) $(elements IsTruncated) $(elements NextPartNumberMarker)"
ask -o out GET "$s3/up/k?uploadId=$u&part-number-marker=1"
is 'and the next' '2 false' "$(elements PartNumber) $(elements IsTruncated)"
completion >complete
answers 400 InvalidPartOrder 'parts out of order' "/up/k?uploadId=$u" -d complete POST
{ sed -n 3p parts; sed -n 1p parts; } >sorted; completion sorted >complete
sed 's/ETag>"./ETag>"x/' complete >wrong
answers 400 InvalidPart 'another ETag' "/up/k?uploadId=$u" -d wrong POST
sed 's/Number>2/Number>3/' complete >wrong
answers 400 InvalidPart 'a part that was not sent' "/up/k?uploadId=$u" -d wrong POST
echo '<CompleteMultipartUpload/>' >wrong
answers 400 MalformedXML 'no parts' "/up/k?uploadId=$u" -d wrong POST
head -c 20 complete >wrong
answers 400 MalformedXML 'half an XML document' "/up/k?uploadId=$u" -d wrong POST
answers 404 NoSuchUpload 'another key' "/up/other?uploadId=$u" -d complete POST
answers 404 NoSuchUpload 'an unknown upload' '/up/k?uploadId=x' -d complete POST
answers 400 InvalidArgument 'part 0' "/up/k?partNumber=0&uploadId=$u" -d body PUT
answers 400 InvalidArgument 'part 10001' "/up/k?partNumber=10001&uploadId=$u" -d body PUT
answers 200 '' 'complete' "/up/k?uploadId=$u" -d complete POST
is 'the ETag of one in two parts' "\"$({ openssl dgst -md5 -binary five; openssl dgst -md5 -binary body; } | md5sum | cut -c1-32)-2\"" "$(elements ETag)"
answers 404 NoSuchUpload 'once more' "/up/k?uploadId=$u" -d complete POST
ask -o got GET "$s3/up/k"
same 'the parts are the object' whole got
answers 206 '' 'its second part' '/up/k?partNumber=2' GET
is 'with type and metadata, as the upload was told' 'text/csv knack one two' "$(header content-type) $(header x-amz-meta-app) $(sed '1,/^$/d' out | paste -sd ' ')"

created /up/k2; : >parts; part /up/k2 1 body; part /up/k2 2 body; completion >complete
answers 400 EntityTooSmall 'a small part that is not the last' "/up/k2?uploadId=$u" -d complete POST
is 'which' '1 8 5242880' "$(elements PartNumber) $(elements ProposedSize) $(elements MinSizeAllowed)"
control '{"set":{"min_part":8}}'
answers 200 '' 'unless the stand-in is told' "/up/k2?uploadId=$u" -d complete POST
created /up/k2; : >parts; part /up/k2 1 body; completion >complete
answers 412 PreconditionFailed 'complete, if the key is new' "/up/k2?uploadId=$u" -H 'If-None-Match: *' -d complete POST
answers 204 '' 'abort' "/up/k2?uploadId=$u" DELETE
answers 404 NoSuchUpload 'again' "/up/k2?uploadId=$u" DELETE
answers 404 NoSuchUpload 'a part after that' "/up/k2?partNumber=1&uploadId=$u" -d body PUT
created /up/copied; : >parts
answers 200 '' 'a part that is a copy' "/up/copied?partNumber=1&uploadId=$u" -H 'x-amz-copy-source: /up/k' -H 'x-amz-copy-source-range: bytes=5242880-5242883' PUT
is 'its ETag' "\"$(printf 'one\n' | md5sum | cut -c1-32)\"" "$(elements ETag)"
answers 400 InvalidArgument 'of bytes that are not there' "/up/copied?partNumber=1&uploadId=$u" -H 'x-amz-copy-source: /up/k' -H 'x-amz-copy-source-range: bytes=5242880-5242888' PUT
created /up/a; created /up/a; created /up/b
ask -o out GET "$s3/up?uploads=&max-uploads=2"
is 'uploads under way' 'a a true' "$(echo $(elements Key) $(elements IsTruncated))"
ask -o out GET "$s3/up?uploads=&key-marker=a&upload-id-marker=$(escape "$(elements NextUploadIdMarker)")"
is 'and the next' 'b copied false' "$(echo $(elements Key) $(elements IsTruncated))"
control '{"age_uploads":172800}'
ask -o out GET "$s3/up?uploads=&prefix=b"
off=$(($(date +%s) - $(date -d "$(elements Initiated)" +%s) - 172800))
[ "${off#-}" -lt 60 ]; ok $? 'they can be aged' || elements Initiated

# checksums of parts
for algorithm in sha256 crc32; do
	[ $algorithm = sha256 ] && sums="$(sum sha256 five) $(sum sha256 body)" || sums=$(python3 -c 'import base64, zlib
for file in "five", "body": print(base64.b64encode(zlib.crc32(open(file, "rb").read()).to_bytes(4, "big")).decode())')
	first=$(echo $sums | cut -d' ' -f1) second=$(echo $sums | cut -d' ' -f2) upper=$(echo $algorithm | tr a-z A-Z)
	created /up/sums -H "x-amz-checksum-algorithm: $algorithm"
	answers 400 InvalidRequest "a part without its $algorithm" "/up/sums?partNumber=1&uploadId=$u" -d five PUT
	answers 400 BadDigest 'a part of another' "/up/sums?partNumber=1&uploadId=$u" -H "x-amz-checksum-$algorithm: $second" -d five PUT
	: >parts; part /up/sums 1 five -H "x-amz-checksum-$algorithm: $first"; part /up/sums 2 body -H "x-amz-checksum-$algorithm: $second"
	completion >complete
	answers 400 InvalidRequest 'complete without them' "/up/sums?uploadId=$u" -d complete POST
	completion | sed "2s,</ETag>,&<Checksum$upper>$first</Checksum$upper>,; 3s,</ETag>,&<Checksum$upper>$second</Checksum$upper>," >complete
	answers 200 '' 'complete with them' "/up/sums?uploadId=$u" -d complete POST
	composite=$(python3 -c 'import base64, hashlib, sys, zlib
data = b"".join(base64.b64decode(word) for word in sys.argv[2:])
print(base64.b64encode(hashlib.sha256(data).digest() if sys.argv[1] == "sha256" else zlib.crc32(data).to_bytes(4, "big")).decode() + "-2")' $algorithm $sums)
	answers 200 '' 'head' /up/sums -H 'x-amz-checksum-mode: ENABLED' HEAD
	is 'the checksum of checksums' "$composite COMPOSITE" "$(header "x-amz-checksum-$algorithm") $(header x-amz-checksum-type)"
done
created /up/full -H 'x-amz-checksum-algorithm: CRC32' -H 'x-amz-checksum-type: FULL_OBJECT'
: >parts; part /up/full 1 five; part /up/full 2 body; completion >complete
answers 400 BadDigest 'another checksum of the whole' "/up/full?uploadId=$u" -H 'x-amz-checksum-crc32: y/Q5Jg==' -d complete POST
answers 200 '' 'complete' "/up/full?uploadId=$u" -d complete POST
is 'the checksum of the whole' "$(python3 -c 'import base64, zlib; print(base64.b64encode(zlib.crc32(open("whole", "rb").read()).to_bytes(4, "big")).decode())') FULL_OBJECT" \
    "$(elements ChecksumCRC32) $(elements ChecksumType)"

# a Complete that goes wrong
again() {		# again PATH: a new upload of one part, ready to complete
	created "$1"; : >parts; part "$1" 1 body; completion >complete
}
again /up/once
fault '{"kind":"error200","match":"^CompleteMultipartUpload "}'
answers 200 InternalError 'a 200 that is an error' "/up/once?uploadId=$u" -d complete POST
answers 404 NoSuchKey 'after which nothing is there' /up/once GET
answers 200 '' 'and once more' "/up/once?uploadId=$u" -d complete POST
again /up/done
fault '{"kind":"error200","match":"^CompleteMultipartUpload ","done":true}'
answers 200 InternalError 'or it was done after all' "/up/done?uploadId=$u" -d complete POST
answers 404 NoSuchUpload 'as the second try tells' "/up/done?uploadId=$u" -d complete POST
again /up/lost
fault '{"kind":"no_reply","match":"^CompleteMultipartUpload "}'
run 1 'done, and then no answer' req -d complete POST "$s3/up/lost?uploadId=$u"
answers 200 '' 'done it is' /up/lost GET
for leading in true false; do
	again /up/slow
	fault "{\"kind\":\"white_space\",\"seconds\":0.5,\"leading\":$leading}"
	answers 200 '' "white space, and then it is done ($leading)" "/up/slow?uploadId=$u" -d complete POST
	sed '1,/^$/d' out >answer
	is 'with white space where it was told' "$leading" "$(head -1 answer | grep -q '^ ' && echo true || echo false)"
	[ "$(grep -c '^ *$' answer)" -gt 1 ] && grep -q CompleteMultipartUploadResult answer
	ok $? 'in plenty' || cat answer
done
again /up/never
fault '{"kind":"white_space","seconds":0.3,"code":"InternalError"}'
answers 200 InternalError 'white space, and then an error' "/up/never?uploadId=$u" -d complete POST
answers 404 NoSuchKey 'and nothing' /up/never GET

# faults of every request
fault '{"kind":"error","code":"SlowDown","times":2,"match":"^PutObject /up/t"}'
answers 503 SlowDown 'too fast' /up/t -d body PUT
answers 200 '' 'beside it' /up/other -d body PUT
answers 503 SlowDown 'and again' /up/t -d body PUT
answers 200 '' 'not the third time' /up/t -d body PUT
fault '{"kind":"error","code":"RequestTimeout"}'
answers 400 RequestTimeout 'too slow' /up/t2 -d body PUT
is 'the connection is closed' close "$(header connection)"
fault '{"kind":"error","code":"SlowDown","headers":{"Retry-After":"7"}}'
answers 503 '' 'come back later' /up/t HEAD
is 'when' 7 "$(header retry-after)"
fault '{"kind":"error","code":"InternalError","method":"PUT","match":"/up/t"}'
answers 200 '' 'a fault of one method' /up/t GET
answers 500 InternalError 'strikes only that' /up/t -d body PUT
fault '{"kind":"damage","match":"^GetObject"}'
ask -o got GET "$s3/up/t"
is 'one byte of the body is another' 1 "$(cmp -l body got | wc -l)"
fault '{"kind":"damaged_body"}'
answers 400 BadDigest 'a body that is damaged on the way there' /up/t3 -H "Content-MD5: $(sum md5 body)" --payload UNSIGNED-PAYLOAD -d body PUT
fault '{"kind":"damaged_body"}'
answers 400 XAmzContentSHA256Mismatch 'with a hash' /up/t3 -d body PUT
fault '{"kind":"damaged_body"}'
answers 200 '' 'without' /up/t3 --payload UNSIGNED-PAYLOAD -d body PUT
[ "$(header etag)" != "$etag" ]
ok $? 'shows in the ETag'
fault '{"kind":"headers","headers":{"ETag":null}}'
answers 200 '' 'headers changed' /up/t GET
is 'or gone' '' "$(header etag)"
broken() {		# broken NAME STATUS FAULT [OPTION...] PATH: curl's exit status, of a request that the fault breaks off
	_name=$1 _want=$2; fault "$3"; shift 3
	for _path; do :; done
	curl -sS -o got -w '%{http_code} %{size_upload}\n' --aws-sigv4 aws:amz:us-east-1:s3 -u "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \
	    -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' "$@" >out 2>err
	_got=$?
	case " $_want " in *" $_got "*) true ;; *) false ;; esac
	ok $? "$_name" || { echo "# wanted $_want, got $_got"; cat out err; }
}
broken 'a reset in the body of a GET' 56 '{"kind":"reset","at":0.5}' "$s3/up/k"
broken 'a body that ends early' 18 '{"kind":"cut"}' "$s3/up/k"
broken 'a short one whose length fits' 0 '{"kind":"short","bytes":3}' "$s3/up/t"
is 'so that nobody notices' one "$(cat got)"
broken 'silence in the body' 28 '{"kind":"stall"}' -m 1 "$s3/up/k"
broken 'an answer that does not come' 52 '{"kind":"no_reply"}' "$s3/up/k"

# faults while the body is on its way to the server
cat five five five five >twenty
for kind in reset cut stall; do
	broken "upload_$kind" '52 55 56' "{\"kind\":\"upload_$kind\",\"bytes\":100000,\"seconds\":0.2}" -H Expect: -T twenty "$s3/up/broken"
	log >out
	is 'is in the log' "upload_$kind null 100000 bytes" "$(jq -r '"\(.fault) \(.status) \(.body)"' out)"
done
broken 'upload_refused' 0 '{"kind":"upload_refused","code":"SlowDown"}' -H Expect: -T twenty "$s3/up/broken"
is 'is an answer before the body is there' 503 "$(cut -d' ' -f1 out)"
AWS_SECRET_ACCESS_KEY=wrong broken 'a refusal before the body is sent' 0 '' -H 'Expect: 100-continue' --expect100-timeout 60 -T twenty "$s3/up/broken"
is 'to who waits for leave to send' '403 0' "$(cat out)"
broken 'a body that is waited for' 0 '' -H 'Expect: 100-continue' -T twenty "$s3/up/twenty"
ask -o url --presign 60 PUT "$s3/up/broken"
python3 -c 'import socket, sys, urllib.parse
url = urllib.parse.urlsplit(open("url").read().strip())
s = socket.create_connection((url.hostname, url.port))
s.sendall(f"PUT {url.path}?{url.query} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Length: 9\r\n\r\nshort".encode())
s.shutdown(socket.SHUT_WR)
s.recv(1)'
log | tail -n 1 >out
is 'a client that leaves' 'null null short' "$(jq -r '"\(.fault) \(.status) \(.body)"' out)"
answers 404 NoSuchKey 'nothing of all that is stored' /up/broken GET

# an object that changes while it is read
control '{"reset":true,"objects":{"up/t":"first"},"between":{"match":"^GetObject /up/t","do":{"objects":{"up/t":"other"}}}}'
answers 206 '' 'a range' /up/t -H 'Range: bytes=0-1' GET
was=$(header etag)
answers 412 PreconditionFailed 'and the next, of what is another object now' /up/t -H "If-Match: $was" -H 'Range: bytes=2-' GET

# credentials
known() {		# known "ID SECRET TOKEN" STATUS CODE NAME: a request with these
	read -r _id _secret _token <<-IN
	$1
	IN
	shift
	AWS_ACCESS_KEY_ID=$_id AWS_SECRET_ACCESS_KEY=$_secret AWS_SESSION_TOKEN=$_token answers "$@" /b/k GET
}
control '{"credentials":{"ASIA1":{"secret":"s/1","token":"t+1=","uses":2}}}'
known 'ASIA1 s/1 t+1=' 200 '' 'a session token'
known 'ASIA1 s/1 other' 400 InvalidToken 'another one'
known 'ASIA1 s/1' 403 InvalidAccessKeyId 'none'
known 'ASIA1 s/1 t+1=' 200 '' 'for the last time'
known 'ASIA1 s/1 t+1=' 400 ExpiredToken 'an expired one'
control '{"credentials":{"ASIA1":{"uses":null,"expires":60}}}'
known 'ASIA1 s/1 t+1=' 200 '' 'one that expires in a minute'
control '{"credentials":{"ASIA1":{"expires":0}}}'
known 'ASIA1 s/1 t+1=' 400 ExpiredToken 'and now'
control '{"credentials":{"ASIA1":null}}'
known 'ASIA1 s/1 t+1=' 403 InvalidAccessKeyId 'or is not known any more'

given() { jq -r '"\(.AccessKeyId) \(.SecretAccessKey) \(.Token)"' out; }
# expires NAME SECONDS: the Expiration in ./out is so far away, give or take a minute
expires() {
	_at=$(jq -r .Expiration out 2>/dev/null || elements Expiration)
	_off=$(($(date -d "$_at" +%s) - $(date +%s) - $2))
	[ "${_off#-}" -lt 60 ]
	ok $? "$1" || echo "# $_at"
}
control '{"set":{"lifetime":7200}}'
t 'the container gives credentials' 0 sh -c 'curl -sSf "$1" | tee container | jq -r "keys | join(\" \")"' - "$s3/v2/credentials/1" 3<<'OUT'
AccessKeyId Expiration RoleArn SecretAccessKey Token
OUT
cp container out
expires 'which expire' 7200
known "$(given)" 200 '' 'which are good'
control '{"set":{"container_token":"let me in"}}'
run 22 'only with the token' curl -sSf "$s3/v2/credentials/1"
run 0 'which is this' curl -sSf -H 'Authorization: let me in' "$s3/v2/credentials/1"

imds=$s3/latest/meta-data/iam/security-credentials/
run 22 'the instance: no token' curl -sSf "$imds"
run 22 'a token has a life' curl -sSf -X PUT "$s3/latest/api/token"
run 22 'and is not for a GET' curl -sSf -H 'x-aws-ec2-metadata-token-ttl-seconds: 21600' "$s3/latest/api/token"
run 22 'nor for a proxy' curl -sSf -X PUT -H 'X-Forwarded-For: 10.0.0.1' -H 'x-aws-ec2-metadata-token-ttl-seconds: 60' "$s3/latest/api/token"
run 0 'a token' curl -sSf -X PUT -H 'x-aws-ec2-metadata-token-ttl-seconds: 60' "$s3/latest/api/token"
token="x-aws-ec2-metadata-token: $(cat out)"
run 0 'the role' curl -sSf -H "$token" "$imds"
is 'which is' stand-in-role "$(cat out)"
control '{"set":{"lifetime":60}}'
run 0 'its credentials' curl -sSf -H "$token" "${imds}stand-in-role"
is 'which say so' Success "$(jq -r .Code out)"
expires 'and expire in a minute' 60
known "$(given)" 200 '' 'and are good'
run 0 'others' curl -sSf -H "$token" "${imds}stand-in-role"
control '{"credentials":{"*":{"expires":0}}}'
known "$(given)" 400 ExpiredToken 'until all that were given out expire'
run 22 'another role' curl -sSf -H "$token" "${imds}other"
control '{"set":{"clock":100}}'
run 22 'the token, after its time' curl -sSf -H "$token" "$imds"
control '{"set":{"clock":0,"imds":"v1"}}'
run 22 'an old instance knows no tokens' curl -sSf -X PUT -H 'x-aws-ec2-metadata-token-ttl-seconds: 60' "$s3/latest/api/token"
run 0 'and needs none' curl -sSf "$imds"
control '{"set":{"imds":"v2","role":""}}'
run 22 'an instance without a role' curl -sSf -H "$token" "$imds"

control '{"set":{"lifetime":3600,"web_identity_token":"a.web.token"}}'
sts() {			# sts NAME=VALUE...: of ./out
	for _word; do set -- "$@" --data-urlencode "$_word"; shift; done
	curl -sS -w '%{stderr}%{http_code}' -o out "$@" "$s3/" 2>err
}
role=arn:aws:iam::123456789012:role/flow
sts Action=AssumeRoleWithWebIdentity Version=2011-06-15 RoleArn=$role RoleSessionName=culvert WebIdentityToken=a.web.token
is 'a web identity gives a role' "arn:aws:sts::123456789012:assumed-role/flow/culvert" "$(elements Arn)"
expires 'that expires' 3600
known "$(elements AccessKeyId) $(elements SecretAccessKey) $(elements SessionToken)" 200 '' 'and is good'
sts Action=AssumeRoleWithWebIdentity Version=2011-06-15 RoleArn=$role RoleSessionName=culvert WebIdentityToken=other
is 'another token' '400 InvalidIdentityToken' "$(cat err) $(elements Code)"
sts Action=AssumeRoleWithWebIdentity Version=2011-06-15 RoleArn=$role WebIdentityToken=a.web.token
is 'no session name' '400 ValidationError' "$(cat err) $(elements Code)"
sts Action=AssumeRoleWithWebIdentity Version=2011-06-15 RoleArn=arn:aws:iam::123456789012:role/forbidden RoleSessionName=culvert WebIdentityToken=a.web.token
is 'a role that is not for us' '403 AccessDenied' "$(cat err) $(elements Code)"
printf 'Action=AssumeRole&Version=2011-06-15&RoleSessionName=culvert&DurationSeconds=900&RoleArn=%s' $role >form
form() { ask -o out -i --service sts -d form -H 'Content-Type: application/x-www-form-urlencoded' "$@" POST "$s3/"; }
form
expires 'AssumeRole, signed' 900
known "$(elements AccessKeyId) $(elements SecretAccessKey) $(elements SessionToken)" 200 '' 'gives a role, too'
form --unsigned
is 'not signed' MissingAuthenticationToken "$(elements Code)"
AWS_SECRET_ACCESS_KEY=wrong form
is 'signed wrongly' SignatureDoesNotMatch "$(elements Code)"
AWS_ACCESS_KEY_ID=wrong form
is 'signed with an unknown key' InvalidClientTokenId "$(elements Code)"
printf 'Action=Nothing&Version=2011-06-15' >form
form
is 'another action' InvalidAction "$(elements Code)"
fault '{"kind":"status","status":503,"match":"latest/api/token"}'
run 22 'faults strike these, too' curl -sSf -X PUT -H 'x-aws-ec2-metadata-token-ttl-seconds: 60' "$s3/latest/api/token"
start_server alone "$here/servers/aws_credentials.py"
run 0 'the credentials have a server of their own' curl -sSf "$alone/v2/credentials/1"

# what the stand-in does not know
for order in '{"faults":[{"kind":"nix"}]}' '{"set":{"nix":1}}' '{"credentials":{"a":{"nix":1}}}' '{"nix":1}' '{"make_up":{"nix":{"keys":1}}}'; do
	run 22 "$order is refused" curl -sSf --data-binary "$order" "$s3/control"
done
is 'no request made the stand-in stumble' '' "$(cat server.s3.log)"
done_testing
