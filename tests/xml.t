#!/bin/sh
# The XML that AWS answers with.
. "$(dirname "$0")/lib.sh"
PATH=$(dirname "${CULVERT_BIN:-$top/bin}")/build/vectors:$PATH

cat >listing <<'XML'


<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><Prefix/><IsTruncated>false</IsTruncated>
	<Contents><Key>a&amp;b &#60;c&#x3e; &quot;d&quot; é&#38;</Key><Size>1</Size><Owner><ID>x</ID></Owner></Contents>
	<Contents a="1"><Key><![CDATA[a&b]]></Key><!-- no --><Size>2</Size></Contents>
</ListBucketResult>

XML
t 'paths, entities, white space before' 0 xml <listing 3<<'OUT'
Name=b
Prefix=
IsTruncated=false
Contents/Key=a&b <c> "d" é&
Contents/Size=1
Contents/Owner/ID=x
Contents/Owner
Contents
Contents/Key=a&b
Contents/Size=2
Contents

root ListBucketResult: good
OUT
t 'the first of its path' 0 xml Contents/Size <listing 3<<'OUT'
1
OUT
t 'one that is not there' 0 xml Size <listing 3<<'OUT'
(none)
OUT
t 'a prefix is no part of a name' 0 xml <<'IN' 3<<'OUT'
<a:R xmlns:a="u"><a:Key>k</a:Key></a:R>
IN
Key=k

root R: good
OUT
t 'text in the root' 0 xml <<'IN' 3<<'OUT'
<LocationConstraint>eu-west-1</LocationConstraint>
IN
=eu-west-1
root LocationConstraint: good
OUT
[ "$(printf '<R><Key>a&#13;&#10;b</Key></R>' | xml Key | od -An -c | tr -d ' ')" = 'a\r\nb\n' ]
ok $? "a line's end in a key"
bad() {			# bad NAME XML WANTED
	printf '%s' "$2" >in
	xml <in >out; tail -1 out >got; printf '%s\n' "$3" >want
	same "$1" want got
}
bad 'nothing' '' 'root : the XML ends too soon'
bad 'cut in a text' '<R><a>x' 'root R: the XML ends too soon'
bad 'cut in a tag' '<R><a' 'root R: unclosed token'
bad 'cut behind an element' '<R><a>x</a>' 'root R: the XML ends too soon'
bad 'crossed' '<R><a></R>' 'root R: mismatched tag'
bad 'two roots' '<R/><R/>' 'root R: junk after document element'
bad 'not XML' '{"a":1}' 'root : not well-formed (invalid token)'
bad 'bad UTF-8' "$(printf '<R>\377</R>')" 'root R: not well-formed (invalid token)'
bad 'an unknown entity' '<R>&nbsp;</R>' 'root R: undefined entity'
bad 'entities of its own, which may grow' '<!DOCTYPE R [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><R>&b;</R>' \
	'root : a document type is not taken'
deep=$(awk 'BEGIN { for (i = 0; i < 400; i++) printf "<abcd>" }')
bad 'nested without end' "$deep" 'root abcd: elements are nested too deep'
t 'escaped' 0 xml --escape <<'IN' 3<<'OUT'
<a href="x">b & 'c'
IN
&lt;a href=&quot;x&quot;&gt;b &amp; 'c'

OUT
# A listing's page of a thousand keys of a thousand bytes.
awk 'BEGIN { printf "<R>"; k = sprintf("%1000s", ""); for (i = 0; i < 1000; i++) printf "<Contents><Key>%s</Key></Contents>", k; print "</R>" }' >large
xml <large >out; [ "$(grep -c '^Contents/Key' out)" -eq 1000 ] && [ "$(awk '/^Contents.Key/ { print length }' out | sort -u)" = 1013 ]
ok $? 'a large page'
done_testing
