#!/bin/sh
# Each call of the filters that can fail is made to fail: each malloc, read, write, ... of a short run.
. "$(dirname "$0")/torture/lib.sh"

cat >in.csv <<'IN'
id,name,when
1,"a ""b"", c",1/2/2020 0:05
2,torn
3,"two
lines",12/31/2020 11:59:59 PM
IN
cat >in.json <<'IN'
{"id":1,"name":"a \"b\"","nested":{"x":[1,2.50]}}
{"id":2,"name":
{"id":3,"other":null,"name":"é"}
IN
echo '{"page":7,"rows":[{"id":1},{"id":2,"tags":[{"t":"x"},{"t":"y"}]}]}' >in.doc
tail -n +2 in.csv >body		# a copy: a file appended to itself has no end
for n in 1 2 3 4 5 6 7 8 9 10; do
	cat body
done >>in.csv

cp in.csv in
torture 'csv2ndjson' 'malloc read write close fsync open' csv2ndjson --rejects bad.json in.csv
torture 'csv2ndjson of stdin' 'malloc read write' csv2ndjson --rejects bad.json
torture 'csv-normalize' 'malloc read write close fsync open' \
    csv-normalize --columns id,when,name,none --date when --null x --trim --rejects bad.json in.csv
cp in.json in
torture 'ndjson2csv' 'malloc read write close fsync open' ndjson2csv --rejects bad.json in.json
torture 'ndjson2csv of known columns' 'malloc read write' ndjson2csv --columns id,name,other,nested --rejects bad.json
cp in.doc in
torture 'json-explode' 'malloc read write close open' json-explode .rows --carry page=page in.doc
torture 'json-explode of stdin' 'malloc read write' json-explode .rows
python3 -c 'import sys, zipfile
with zipfile.ZipFile("in.zip", "w", zipfile.ZIP_DEFLATED) as z: z.writestr("a.json", "1\n" * 300); z.writestr("b", "x"); z.writestr("c.json", "2")'
cp in.zip in
# Not malloc: libarchive 3.6 crashes, or ends the process with status 1 and a message of its own, if it has no memory.
torture 'zip-cat' 'read write close open' zip-cat -i '*.json' in.zip
torture 'zip-cat of stdin' 'read write' zip-cat
cat >in.meta <<'IN'
{"application":{"settings":{"timezone":"Central Time (US & Canada)"},"objects":[{"key":"object_1","name":"Things","fields":[
{"key":"field_1","name":"Name","type":"short_text"},{"key":"field_2","name":"When","type":"date_time"}]}]}}
IN
for stamp in 1568218440000 '"x"' 1578254700000; do
	printf '{"id":"a","field_1":"N","field_2_raw":{"unix_timestamp":%s}}\n' "$stamp"
done >in.knack
cp in.knack in
# glibc 2.36's newlocale(3) without memory reports that there is no such locale (ENOENT), which is 78.
ALSO='malloc:78'
torture 'knack-format' 'malloc read write close fsync open' knack-format -m in.meta --object object_1 --keys lower_snake --rejects bad.json in.knack
torture 'knack-format of stdin' 'malloc read write' knack-format -m in.meta -q --rejects bad.json
ALSO=
jq -c '.trip_id = 7, ., .x = 1, .' "$data/mds/trip_sample_data_valid.json" >in.trips
cp in.trips in
torture 'mds-trips' 'malloc read write close fsync open' mds-trips -q --integer-ids sample_co --receipt receipt.json --rejects bad.json in.trips
torture 'mds-trips of stdin' 'malloc read write' mds-trips -q --schema-version 0.3 --rejects bad.json

printf '{"name":"%s","type":"%s"}\n' id text n number at calendar_date p point >in.columns
printf '{"id":%s,"n":"1","at":"2020-01-02","x":1,"y":2}\n' 1 '"?' '"a"' >in
torture 'soda-shape' 'malloc read write close fsync open' soda-shape -q --schema in.columns --point p=x,y --rejects bad.json in
torture 'soda-shape of stdin' 'malloc read write' soda-shape -q --schema in.columns --rejects bad.json

FERNET_KEY=cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=
export FERNET_KEY
seq 200000 | fernet encrypt >in.token
VIEW='fernet decrypt'
seq 200000 >in
torture 'fernet encrypt' 'malloc read write close' fernet encrypt
torture 'fernet encrypt of a file' 'open' fernet encrypt in.csv
torture 'fernet rotate' 'malloc read write close open' fernet rotate in.token
VIEW="tr -c '=\\n' x"
torture 'fernet keygen' 'malloc write close' fernet keygen
VIEW=
cp in.token in
torture 'fernet decrypt' 'malloc read write close' fernet decrypt
cat >in.zones <<'IN'
{"type":"FeatureCollection","features":[
{"type":"Feature","properties":{"n":"a"},"geometry":{"type":"Polygon","coordinates":[[[0,0],[4,0],[4,4],[0,0]]]}},
{"type":"Feature","properties":{"n":"b"},"geometry":{"type":"Polygon","coordinates":[[[0,0],[4,4],[4,0],[0,4],[0,0]]]}}]}
IN
printf '{"x":%s,"y":1}\n' 1 '"?"' 3.5 0 9 >in
torture 'geo-tag' 'malloc read write close fsync open' geo-tag -q -l z=in.zones:n@x,y --rejects bad.json
torture 'geo-tag of a file' 'read close open' geo-tag -q -l z=in.zones:n@x,y --to csv --rejects bad.json in

# ---- sluice ----

torture 'sluice' 'malloc open process' sluice 'cat in.doc in.doc' -- cat

# ---- limits ----

cp in.csv many.csv
awk 'BEGIN { for (i = 0; i < 20000; i++) print "2,torn" }' >>many.csv
awk 'BEGIN { for (i = 0; i < 20000; i++) print "{\"id\":2," }' >many.json
awk 'BEGIN { printf "{\"a\":\""; for (i = 0; i < 400000; i++) printf "%100s", "x"; print "\"}" }' >huge.json
{ echo a; sed 's/{"a"://; s/}//' huge.json; } >huge.csv
for command in 'ndjson2csv huge.json' 'json-explode . huge.json' 'csv2ndjson huge.csv' 'csv-normalize huge.csv'; do
	run 71 "no memory: $command" sh -c "ulimit -v 60000; $command"
	said 'out of memory at'
done
for command in 'csv2ndjson --rejects bad.json in.csv' 'csv-normalize --rejects bad.json in.csv' 'ndjson2csv --rejects bad.json in.json'; do
	rm -f bad.json
	run 71 "no descriptor: $command" sh -c "ulimit -n 4; exec $command"
	said 'ulimit -n'
	run 0 'and no file of rejects' sh -c '[ ! -e bad.json ] && [ ! -e bad.json.part ]'
	run 74 "a file of rejects that may not grow: ${command%% *}" sh -c "ulimit -f 1; $command many.${command##*.} >/dev/null"
	run 0 'and no file of rejects' sh -c '[ ! -e bad.json ] && [ ! -e bad.json.part ]'
done
if mkdir full && mount -t tmpfs -o size=1m tmpfs full 2>/dev/null; then
	at_exit="umount '$work/full'; $at_exit"
	run 74 'a full disk under the rejects' csv2ndjson --rejects full/bad.json many.csv
	said 'full/bad.json'
	run 0 'leaves no file' sh -c '[ -z "$(ls full)" ]'
else
	ok 0 'a full disk under the rejects # SKIP may not mount'
fi
done_testing
