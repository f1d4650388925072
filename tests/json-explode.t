#!/bin/sh
. "$(dirname "$0")/lib.sh"

t 'an array: its elements, byte for byte, without line breaks' 0 json-explode <<'IN' 3<<'OUT'
[ {"a": 1.10,
   "b":[ 1,2 ]}, 12345678901234567890 ,"x\ny",
null]
IN
{"a": 1.10,   "b":[ 1,2 ]}
12345678901234567890
"x\ny"
null
OUT
printf '[{"a":\r\n1},\r{"b"\r:2}]' >crlf.json
t 'CR is a line break too' 0 json-explode . crlf.json 3<<'OUT'
{"a":1}
{"b":2}
OUT
t 'one value that is no array' 0 json-explode <<'IN' 3<<'OUT'
{"a":1}
IN
{"a":1}
OUT
t 'many documents' 0 json-explode <<'IN' 3<<'OUT'
[1,2] [] {"a":[3]}{"b":4}
5 "x"
IN
1
2
{"a":[3]}
{"b":4}
5
"x"
OUT
printf '\357\273\277{"o":[1]}\n\357\273\277{"o":[2]}{"o":null}\n\357\273\277' >boms.json
t 'documents one behind the other, each with the byte order mark of its file' 0 json-explode .o boms.json 3<<'OUT'
1
2
OUT
printf '{"o":[1]}\n\357\273{"o":[2]}' >half.json
t 'half a mark is none' 65 json-explode .o half.json 3<<'OUT'
1
OUT
printf '\357\273\277[1]' >bom.json
t 'a byte order mark' 0 json-explode . bom.json crlf.json 3<<'OUT'
1
{"a":1}
{"b":2}
OUT

t 'a path' 0 json-explode .data.trips <<'IN' 3<<'OUT'
{"version":"1","data":{"n":{"trips":0},"trips":[{"id":1},{"id":2}]},"ttl":5}
{"data":{"trips":null}}
{"data":null}
{"data":{"trips":{"id":3}}}
{"data":{"trips":[]}}
IN
{"id":1}
{"id":2}
{"id":3}
OUT
t 'odd keys, and keys with escapes' 0 json-explode '."a.b"."\u00e9 \""' <<'IN' 3<<'OUT'
{"a.b":{"\u00e9 \u0022":[1]}}
IN
1
OUT
t 'a missing path' 65 json-explode .orders <<'IN' 3<<'OUT'
{"orders":[1]}
{"order":[2]}
IN
1
OUT
said '<stdin>: byte 28: no "orders" in the object'
t 'a missing path in an empty object' 65 json-explode .orders 3</dev/null <<'IN'
{}
IN
t '--optional: nothing' 0 json-explode --optional .orders <<'IN' 3<<'OUT'
{"order":[2]}
{}
{"orders":[1]}
IN
1
OUT
t 'an array where the path wants an object' 65 json-explode .a.b 3</dev/null <<'IN'
{"a":[{"b":1}]}
IN
said 'byte 6: PATH wants an object here'
t 'a key of the path twice' 65 json-explode .a <<'IN' 3<<'OUT'
{"a":[1],"a":[2]}
IN
1
OUT
said 'comes twice'

t '--carry: from before the array' 0 json-explode .items --carry id=order_id --carry on <<'IN' 3<<'OUT'
{"id":7,"on":"2020-01-01","items":[{"sku":"a"},{},{ "sku" : "b" }]}
IN
{"sku":"a","order_id":7,"on":"2020-01-01"}
{"order_id":7,"on":"2020-01-01"}
{ "sku" : "b" ,"order_id":7,"on":"2020-01-01"}
OUT
t '--carry: from behind it, with line breaks, record by record' 0 json-explode .items --carry id <<'IN' 3<<'OUT'
{"items":[{"a":1}],"x":[{"id":9}],"id":{"no":
 1}}
{"id":2,"items":[{"a":2},{"id":2}]}
IN
{"a":1,"id":{"no": 1}}
{"a":2,"id":2}
{"id":2}
OUT
t '--carry: the element has the field with another value' 65 json-explode .items --carry id 3</dev/null <<'IN'
{"id":2,"items":[{"id":3}]}
IN
said 'another value'
t '--carry: no such field' 65 json-explode .items --carry id 3</dev/null <<'IN'
{"items":[{"a":3}]}
IN
said 'no field "id" to carry'
t '--carry --optional' 0 json-explode .items --optional --carry id <<'IN' 3<<'OUT'
{"items":[{"a":3}]}
IN
{"a":3}
OUT
t '--carry: no object' 65 json-explode .items --carry id 3</dev/null <<'IN'
{"id":1,"items":[3]}
IN
said '--carry wants objects'
t '--carry: before and behind, and different' 65 json-explode .items --carry id <<'IN' 3<<'OUT'
{"id":1,"items":[{"a":1}],"id":2}
IN
{"a":1,"id":1}
OUT
t '--carry: the document is cut before the field came' 65 json-explode .items --carry id 3</dev/null <<'IN'
{"items":[{"a":1}],"i
IN

t '--carry .PATH: from the document, before the array' 0 json-explode .data.trips --carry .version=mds_version --carry .data.n --carry '."a.b".c' <<'IN' 3<<'OUT'
{"version":"0.3.0","a.b":{"c":[1,
2],"d":3},"data":{"n":1,"trips":[{"id":1},{"id":2,"n":1}]}}
{"version":"0.4","a.b":{"c":null},"data":{"n":2,"trips":[{"id":3}]},"version":"0.4"}
{"data":null}
IN
{"id":1,"mds_version":"0.3.0","n":1,"c":[1,2]}
{"id":2,"n":1,"mds_version":"0.3.0","c":[1,2]}
{"id":3,"mds_version":"0.4","n":2,"c":null}
OUT
t '--carry .PATH: from behind the array, in objects around it' 0 json-explode .a.b.list --carry .v --carry n --carry .a.m=am --carry '.x.y="z"' <<'IN' 3<<'OUT'
{"a":{"b":{"list":[{"i":1},{"i":2}],"o":[{"n":9}],"n":1},"m":{"n":2}, "p":[]} , "x":{"y":true},"v":12
}
{"v":1,"x":{"y":1,"y":2},"a":{"m":4,"b":{"n":3,"list":[{"i":3}]}}}
IN
{"i":1,"v":12,"n":1,"am":{"n":2},"\"z\"":true}
{"i":2,"v":12,"n":1,"am":{"n":2},"\"z\"":true}
{"i":3,"v":1,"n":3,"am":4,"\"z\"":2}
OUT
t '--carry .PATH: a document without it, after one with it' 65 json-explode .data.trips --carry .version <<'IN' 3<<'OUT'
{"version":"1","data":{"trips":[{"a":1}]}}
{"data":{"trips":[{"a":2}],"version":"2"}}
IN
{"a":1,"version":"1"}
OUT
said 'no field "version" to carry in the document'
t '--carry .PATH --optional' 0 json-explode .data.trips --optional --carry .version --carry .meta.version=v <<'IN' 3<<'OUT'
{"meta":{"v":1},"data":{"trips":[{"a":2}],"version":"2"}}
IN
{"a":2}
OUT
t '--carry .PATH: before and behind, and different' 65 json-explode .data.trips --carry .version <<'IN' 3<<'OUT'
{"version":1,"data":{"trips":[{"a":1}]},"version":2}
IN
{"a":1,"version":1}
OUT
said 'a carried field comes twice'
t '--carry .PATH: the document is cut before it came' 65 json-explode .data.trips --carry .version 3</dev/null <<'IN'
{"data":{"trips":[{"a":1}]},"version":1
IN
said 'is cut'
t '--carry .PATH: no JSON behind the array: its elements are out' 65 json-explode .data.trips --optional --carry .version <<'IN' 3<<'OUT'
{"data":{"trips":[{"a":1}],},"version":1}
IN
{"a":1}
OUT
said 'byte 28: a key has to be a string'
{ printf '{"data":{"trips":[{"a":"'; head -c 3000000 /dev/zero | tr '\0' x; printf '"}],"n":4},"v":5}'; } >behind.json
run 0 '--carry .PATH: from behind more than the window' sh -c 'json-explode .data.trips --carry n --carry .v behind.json | tail -c 20 | grep -q "\"n\":4,\"v\":5}"'
printf '{"data":{"trips":[{"a":1}],"n":678},"v":12345}' >bytes.json
run 0 '--carry .PATH: byte by byte' sh -c 'for i in $(seq 1 50); do dd bs=1 count=1 status=none; sleep 0.01; done <bytes.json | json-explode .data.trips --carry .v --carry n'
echo '{"a":1,"v":12345,"n":678}' | cmp -s - out; ok $? '... and its numbers are whole'

t 'the document is cut: what came whole is out' 65 json-explode .orders <<'IN' 3<<'OUT'
{"orders":[{"a":1},{"a":2},{"a"
IN
{"a":1}
{"a":2}
OUT
said 'record 3 is cut'
printf '[1,2' >cut.json
t 'cut behind a number' 65 json-explode . cut.json 3<<'OUT'
1
2
OUT
said 'is cut'
t 'something behind the document' 65 json-explode <<'IN' 3<<'OUT'
[1]x
IN
1
OUT
said 'byte 4: '
t 'words run together' 65 json-explode <<'IN' 3<<'OUT'
1true
IN
1
OUT
for bad in '[1,]' '[,1]' '[1 2]' '[01]' '[1.]' '[.5]' '[+1]' '[NaN]' "['a']" '["\x"]' '["\ud800"]' '["	"]' '{"a" 1}' '{a:1}' '{"a":1,}' '[tru]' '[1}'; do
	printf '%s\n' "$bad" >bad.json
	run 65 "no JSON: $bad" json-explode . bad.json
	said 'bad.json: byte '
	printf '%s\n' "{\"x\":$bad,\"y\":[]}" >bad.json
	run 65 "... nor beside a path" json-explode .y bad.json
done
printf '["\377"]' >utf8.json
run 65 'invalid UTF-8' json-explode . utf8.json
said 'byte 3: invalid UTF-8'
{ printf '['; awk 'BEGIN { for (i = 0; i < 100000; i++) printf "["; }'; } >deep.json
run 65 '100,000 levels' json-explode . deep.json
said 'deeper than 512'
t '-v reports keys that come twice' 0 json-explode -v <<'IN' 3<<'OUT'
[{"a":1,"b":{"c":1,"\u0063":2}}]
IN
{"a":1,"b":{"c":1,"\u0063":2}}
OUT
said 'key "c" comes twice: the last one wins'

t 'no input, no records' 0 json-explode </dev/null 3</dev/null
awk 'BEGIN { print "{\"n\":1,\"list\":["; for (i = 0; i < 400000; i++) print (i ? "," : "") "{\"a\":" i ",\n\"b\":\"some text that fills the element\"}"; print "]}" }' >big.json
run 0 'an array larger than the memory allowed' limited 20000 json-explode 'json-explode .list big.json | wc -l | grep -qx 400000'
run 0 'the same as jq' sh -c 'json-explode .list --carry n big.json | md5sum >ours; jq -c ".n as \$n | .list[] | .n = \$n" big.json | md5sum | cmp - ours'
{ printf '[{"a":"'; head -c 3000000 /dev/zero | tr '\0' x; printf '"},{"b":2}]'; } >large.json
run 0 'an element larger than the window' sh -c 'json-explode . large.json | wc -c | grep -qx 3000017'
run 65 'an element over --max-record' json-explode --max-record 1M . large.json
said 'large.json: byte 2: record over 1 MiB: see --max-record'
printf '[12345678]' >small.json
run 65 'even a small one' json-explode --max-record 7 . small.json
said 'record over 7 bytes'
run 0 'a reader that leaves ends it quietly' sh -c 'json-explode .list big.json | head -1'
said_not json-explode

t 'a full disk is no success' 74 sh -c 'json-explode . crlf.json >/dev/full' 3</dev/null
t 'a read error is no end of input' 74 json-explode <. 3</dev/null
t 'arguments are checked before input: --carry without a path' 64 json-explode --carry id 3</dev/null
t '--carry of nothing' 64 json-explode .a --carry =x 3</dev/null
t '--carry twice' 64 json-explode .a --carry x --carry x 3</dev/null
t '--carry of the array' 64 json-explode .a --carry a=x 3</dev/null
for carry in . .. .=x .a .a.b .a.b=x .a.b.c .c= .c=d=; do
	[ "$carry" = .c=d= ] && want=0 || want=64
	t "--carry $carry" $want json-explode .a.b --carry $carry 3</dev/null </dev/null
done
t '--carry of one field by both its names' 64 json-explode .a.b --carry c --carry .a.c=d 3</dev/null
for path in orders ./x.json ../x.json '.a[]' '.a.' '..a' '."a' '."a"b'; do
	t "no path: $path" 64 json-explode "$path" 3</dev/null
done
t 'no such file' 66 json-explode . nowhere.json 3</dev/null
t 'stdin closed' 66 sh -c 'json-explode <&-' 3</dev/null
t 'stdout closed' 74 sh -c 'json-explode . crlf.json >&-' 3</dev/null
echo '{"orders":[{"id":7,"items":[{"sku":"a"},{"sku":"b"}]},{"id":8,"items":null}]}' >batch.json
t "the manual's first example" 0 sh -c 'json-explode .orders batch.json | json-explode .items --carry id=order_id' 3<<'OUT'
{"sku":"a","order_id":7}
{"sku":"b","order_id":7}
OUT
printf '[{"a":1},\n{"a":"x"}]' >requests.json
t 'and its second' 0 sh -c 'json-explode . requests.json | ndjson2csv' 3<<'OUT'
a
1
x
OUT
done_testing
