#!/bin/sh
. "$(dirname "$0")/lib.sh"

t 'the union of the first records, in the order the keys come up' 0 ndjson2csv <<'IN' 3<<'OUT'
{"a":1,"b":"x"}
{"c":null,"a":1.10}

{"b":"","a":12345678901234567890}
IN
a,b,c
1,x,
1.10,,
12345678901234567890,"",
OUT

t 'quoting: comma, quote, line break, spaces at the ends' 0 ndjson2csv <<'IN' 3<<'OUT'
{"a,b":"x,y","c":"say \"hi\"","d":"two\nlines"," e":" f","g":"\u00e9 \\ \/"}
IN
"a,b",c,d," e",g
"x,y","say ""hi""","two
lines"," f",é \ /
OUT

t 'nested values stay JSON text, numbers and words stay as they are' 0 ndjson2csv <<'IN' 3<<'OUT'
{"a":{"x": [1, "y"]},"b":[],"c":true,"d":-0,"e":1E+2}
IN
a,b,c,d,e
"{""x"": [1, ""y""]}",[],true,-0,1E+2
OUT

t '--columns: these, in this order; others are left out' 0 ndjson2csv --columns 'b,a,"x,zz' <<'IN' 3<<'OUT'
{"a":1,"b":2,"c":3}
{"zz":4}
IN
b,a,"""x",zz
2,1,,
,,,4
OUT

t 'a key twice: the last one wins' 0 ndjson2csv <<'IN' 3<<'OUT'
{"a":1,"a":2,"\u0061":3}
IN
a
3
OUT
t '-v says so' 0 ndjson2csv -v <<'IN' 3<<'OUT'
{"a":1,"a":null}
IN
a

OUT
said '<stdin>:1: "a" comes twice: the last one wins'
t '--strict refuses it' 65 ndjson2csv --strict --columns a <<'IN' 3<<'OUT'
{"a":1}
{"a":1,"a":2}
IN
a
1
OUT
said '<stdin>:2: column "a": the key comes twice'

awk 'BEGIN { for (i = 0; i < 1000; i++) print "{\"a\":" i "}"; print "{\"a\":1,\"late\":2}"; print "{\"late\":3,\"a\":4}"; print "{\"a\":5}" }' >late.json
run 65 'a key that is new after the window is a bad record' ndjson2csv late.json
said 'late.json:1001: column "late": no column'
said '--columns'
run 0 'the 1,000 before it are out' sh -c '[ "$(ndjson2csv late.json 2>/dev/null | wc -l)" -eq 1001 ]'
run 0 '--ignore-new leaves it out' ndjson2csv --ignore-new late.json
said 'left out: "late", in 2 records'
run 0 'and keeps the records' sh -c '[ "$(ndjson2csv --ignore-new late.json 2>/dev/null | tail -n 3 | tr "\n" " ")" = "1 4 5 " ]'
run 0 '--rejects diverts them' ndjson2csv --rejects bad.json late.json
run 0 'both' sh -c '[ "$(jq -r .column bad.json | tr "\n" " ")" = "late late " ]'

awk 'BEGIN { s = sprintf("%3000s", ""); gsub(" ", "x", s); for (i = 0; i < 500; i++) print "{\"a\":\"" s "\"}"; print "{\"a\":\"\",\"late\":2}" }' >wide.json
run 65 'the window ends after 1 MiB too' ndjson2csv wide.json
said 'column "late"'

t 'a record cut in the middle' 65 ndjson2csv --columns a <<'IN' 3<<'OUT'
{"a":1}
{"a":
IN
a
1
OUT
said '<stdin>:2: record is cut'
t 'an array' 65 ndjson2csv 3</dev/null <<'IN'
[{"a":1}]
IN
said 'json-explode'
t 'no object' 65 ndjson2csv 3</dev/null <<'IN'
17
IN
t 'a lone surrogate' 65 ndjson2csv 3</dev/null <<'IN'
{"a":"\ud800"}
IN
said 'lone surrogate'
t 'records without a field have no columns' 65 ndjson2csv 3</dev/null <<'IN'
{}
IN
said 'say --columns'
t 'with --columns they are empty' 0 ndjson2csv --columns a,b <<'IN' 3<<'OUT'
{}
IN
a,b
,
OUT
awk 'BEGIN { for (i = 0; i < 100000; i++) printf "["; }' | sed 's/^/{"a":/' >deep.json
run 65 '100,000 levels' ndjson2csv deep.json
said 'deeper than 512'

t 'no input' 0 ndjson2csv </dev/null 3</dev/null
t 'no input, known columns: the header' 0 ndjson2csv -c a,b </dev/null 3<<'OUT'
a,b
OUT
run 0 'a reader that leaves ends it quietly' sh -c 'awk "BEGIN { for (i = 0; i < 200000; i++) print \"{\\\"a\\\":1,\\\"b\\\":2}\" }" | ndjson2csv | head -1'
said_not ndjson2csv
run 0 'memory is bounded' limited 40000 ndjson2csv 'awk "BEGIN { for (i = 0; i < 1000000; i++) print \"{\\\"a\\\":1,\\\"b\\\":\\\"some more text than that\\\"}\" }" | ndjson2csv | wc -l | grep -qx 1000001'

echo '{"a":1}' >one.json
t 'a full disk is no success' 74 sh -c 'ndjson2csv one.json >/dev/full' 3</dev/null
t 'a read error is no end of input' 74 ndjson2csv <. 3</dev/null
t 'arguments are checked before input: a column twice' 64 ndjson2csv --columns a,a 3</dev/null
t 'an empty name' 64 ndjson2csv --columns a,,b 3</dev/null
t '--ignore-new with --columns' 64 ndjson2csv --columns a --ignore-new 3</dev/null
t 'no such file' 66 ndjson2csv nowhere.json 3</dev/null
t 'stdin closed' 66 sh -c 'ndjson2csv <&-' 3</dev/null
t 'stdout closed' 74 sh -c 'ndjson2csv one.json >&-' 3</dev/null
echo '{"createddate":"2020-01-01","srnumber":"1-1","owner":"BOS","status":"Open"}' >requests.json
t "the manual's example" 0 ndjson2csv --columns srnumber,status,createddate requests.json 3<<'OUT'
srnumber,status,createddate
1-1,Open,2020-01-01
OUT
done_testing
