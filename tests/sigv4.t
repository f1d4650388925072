#!/bin/sh
# Signature Version 4 by AWS's published vectors: those of the S3 pages, and of the signing test suite in awslabs/aws-c-auth.
. "$(dirname "$0")/lib.sh"
PATH=$(dirname "${CULVERT_BIN:-$top/bin}")/build/vectors:$PATH

empty=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
s3() {			# s3 METHOD PATH QUERY PAYLOAD HEADER...
	sigv4 AKIAIOSFODNN7EXAMPLE wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY us-east-1 s3 20130524T000000Z "$@" \
		'x-amz-date: 20130524T000000Z' 'Host: examplebucket.s3.amazonaws.com'
}
suite() {		# suite METHOD PATH QUERY HEADER...: an empty body
	_method=$1 _path=$2 _query=$3; shift 3
	sigv4 AKIDEXAMPLE wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY us-east-1 service 20150830T123600Z \
		"$_method" "$_path" "$_query" "$empty" "$@" 'Host:example.amazonaws.com' 'X-Amz-Date:20150830T123600Z'
}
signed() {		# signed NAME HEADERS SIGNATURE COMMAND...
	_name=$1 _headers=$2 _signature=$3; shift 3
	"$@" >out 2>err
	grep -q "SignedHeaders=$_headers, Signature=$_signature\$" out
	ok $? "$_name" || sed 's/^/# /' out err
}
one() {			# one NAME WANTED GOT
	[ "$2" = "$3" ]
	ok $? "$1" || echo "# wanted $2, got $3"
}

t 'GET of a range: the canonical request, and all of the header' 0 \
	s3 GET /test.txt '' $empty 'Range: bytes=0-9' "x-amz-content-sha256: $empty" </dev/null 3<<'OUT'
7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972
AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41
OUT
printf 'Welcome to Amazon S3.' >welcome
put() {
	s3 PUT /test%24file.text '' - 'x-amz-storage-class: REDUCED_REDUNDANCY' 'Date: Fri, 24 May 2013 00:00:00 GMT' \
		'x-amz-content-sha256: 44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072' <welcome
}
signed 'PUT with a body, hashed here' 'date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class' \
	98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd put
names='host;x-amz-content-sha256;x-amz-date'
signed 'a parameter without a value' "$names" fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543 \
	s3 GET / lifecycle= $empty "x-amz-content-sha256: $empty"
signed 'two parameters' "$names" 34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7 \
	s3 GET / 'max-keys=2&prefix=J' $empty "x-amz-content-sha256: $empty"
presigned() {		# without x-amz-date: the query has it
	sigv4 AKIAIOSFODNN7EXAMPLE wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY us-east-1 s3 20130524T000000Z GET /test.txt \
		"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request$(
		)&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host" UNSIGNED-PAYLOAD \
		'host:examplebucket.s3.amazonaws.com'
}
signed 'an unsigned payload' host aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404 presigned

names='host;x-amz-date'
signed get-vanilla "$names" 5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31 suite GET / ''
signed 'an empty path is /' "$names" 5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31 suite GET '' ''
signed get-space-unnormalized "$names" 652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741 \
	suite GET /example%20space/ ''
signed get-utf8 "$names" 8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85 suite GET /%E1%88%B4 ''
signed get-vanilla-utf8-query "$names" 2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04 \
	suite GET / %E1%88%B4=bar

# What a header may look like does not change what is signed.
canonical() {
	suite GET / '' "$@" | head -1
}
wanted=$(printf 'GET\n/\n\nhost:example.amazonaws.com\nmy-header1:value4,value1,value3\nmy-header2:a b c\nx-amz-date:%s\n\n%s\n%s' \
	20150830T123600Z 'host;my-header1;my-header2;x-amz-date' $empty | sha256sum | cut -d' ' -f1)
one 'values are trimmed, inner runs of blanks are one, repeated names are joined in their order' "$wanted" \
	"$(canonical 'My-Header1:value4' 'My-Header2:  a   b	c ' 'My-Header1: value1' 'my-header1:value3')"
wanted=$(printf 'GET\n/\n\nhost:example.amazonaws.com\nx-amz-copy-source:/b/k\nx-amz-copy-source-range:bytes=0-9\nx-amz-date:%s\n\n%s\n%s' \
	20150830T123600Z 'host;x-amz-copy-source;x-amz-copy-source-range;x-amz-date' $empty | sha256sum | cut -d' ' -f1)
one 'a name comes before the longer one that starts with it' "$wanted" \
	"$(canonical 'x-amz-copy-source-range: bytes=0-9' 'x-amz-copy-source: /b/k')"
one 'an empty value' "$(printf 'GET\n/\n\nhost:example.amazonaws.com\nx:\nx-amz-date:%s\n\nhost;x;x-amz-date\n%s' 20150830T123600Z $empty |
	sha256sum | cut -d' ' -f1)" "$(canonical 'X:  ')"
run 70 'a header that is none' suite GET / '' no-colon
done_testing
