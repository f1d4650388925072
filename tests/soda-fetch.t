#!/bin/sh
# soda-fetch over a server that behaves: what is asked for, what comes out, what it says of the whole.
. "$(dirname "$0")/lib.sh"
unset http_proxy all_proxy ALL_PROXY

mkdir data
cat >data/abcd-1234.csv <<'CSV'
key,status,zip,when,note,:@computed_region_k96s_3jcv
1,Open,90012,2020-01-01T00:05:00.000,"say ""hi"", all",14
2,Closed,,2020-01-02T00:05:00.000,"two
lines",14
3,Open,90013,2020-01-03T00:05:00.000,,14
4,Open,90014,2020-01-04T00:05:00.000,"",14
5,Closed,90012,2020-01-05T00:05:00.000,ж <&>,14
CSV
cat >data/abcd-1234.json <<'JSON'
{"columns":[{"fieldName":"key","dataTypeName":"number","name":"Key"},{"fieldName":"when","dataTypeName":"calendar_date"}]}
JSON
head -n 1 data/abcd-1234.csv >data/none-0000.csv
python3 -c '
print("n,text")
for i in range(3000): print("%d,%s" % (i, "row %d " % i * 3))' >data/many-3000.csv
start_server soda python3 "$here/servers/soda.py" --data "$work/data"

f() { id=$1; shift; soda-fetch --base-url "$soda" data.example.gov "$id" --retry-wait 0.01 "$@"; }
log() { curl -sS "$soda/log"; }
control() { curl -sS -o control.out --data-binary "$1" "$soda/control"; }

cat >all.ndjson <<'OUT'
{"key":"1","status":"Open","zip":"90012","when":"2020-01-01T00:05:00.000","note":"say \"hi\", all"}
{"key":"2","status":"Closed","when":"2020-01-02T00:05:00.000","note":"two\nlines"}
{"key":"3","status":"Open","zip":"90013","when":"2020-01-03T00:05:00.000"}
{"key":"4","status":"Open","zip":"90014","when":"2020-01-04T00:05:00.000","note":""}
{"key":"5","status":"Closed","zip":"90012","when":"2020-01-05T00:05:00.000","note":"ж <&>"}
OUT
cat >all.csv <<'OUT'
"key","status","zip","when","note"
"1","Open","90012","2020-01-01T00:05:00.000","say ""hi"", all"
"2","Closed",,"2020-01-02T00:05:00.000","two
lines"
"3","Open","90013","2020-01-03T00:05:00.000",
"4","Open","90014","2020-01-04T00:05:00.000",""
"5","Closed","90012","2020-01-05T00:05:00.000","ж <&>"
OUT

# every way to the same rows
for how in '' '--page-size 1' '--page-size 2' '--page-size 5' '--page-size 6' '--page-size 2 --jobs 3' '--jobs 16 --page-size 1' \
    '--order key' '--order key --page-size 2' '--api 3' '--api 3 --page-size 2' '--api 3 --page-size 2 --jobs 2' \
    '--api 3 --order key' '--api 3 --bulk'; do
	t "records: $how" 0 f abcd-1234 $how 3<all.ndjson
done
for how in '' '--page-size 1' '--page-size 2 --jobs 3' '--order key' '--api 3' '--api 3 --page-size 2 --jobs 2' '--api 3 --bulk'; do
	t "CSV: $how" 0 f abcd-1234 --to csv $how 3<all.csv
done

# pages follow each other by :id, which is asked for and cut out
control '{"reset":true}'
run 0 'pages of two' f abcd-1234 --page-size 2
log | jq -r 'select(.query["$where"]) | .query["$where"]' | grep -c "^:id > 'row-" >ids
t 'each page asks for what is after the last :id' 0 cat ids 3<<'OUT'
2
OUT
log | jq -r 'select(.path | startswith("/resource")) | .query["$select"]' | uniq -c | sed 's/^ *//' >selects
t 'the select has :id in front, and no computed regions' 0 cat selects 3<<'OUT'
1 count(*) AS n
1 :id,*
3 :id,key,status,zip,when,note
1 count(*) AS n
OUT

# what is asked for
t '--select' 0 f abcd-1234 --select 'key, upper(status) AS s' --where "zip = '90012'" 3<<'OUT'
{"key":"1","s":"OPEN"}
{"key":"5","s":"CLOSED"}
OUT
t '--select with :id of its own keeps it' 0 sh -c 'soda-fetch --base-url "$1" d.gov abcd-1234 --select key,:id --page-size 2 |
    sed "s/row-[^\"]*/X/"' - "$soda" 3<<'OUT'
{"key":"1",":id":"X"}
{"key":"2",":id":"X"}
{"key":"3",":id":"X"}
{"key":"4",":id":"X"}
{"key":"5",":id":"X"}
OUT
t '... under another name, too' 0 sh -c 'soda-fetch --base-url "$1" d.gov abcd-1234 --select ":id AS row,key" --page-size 2 |
    sed "s/row-[^\"]*/X/"' - "$soda" 3<<'OUT'
{"row":"X","key":"1"}
{"row":"X","key":"2"}
{"row":"X","key":"3"}
{"row":"X","key":"4"}
{"row":"X","key":"5"}
OUT
run 0 'all system fields' f abcd-1234 --select ':*,*' --page-size 2
[ "$(grep -c '":id":"row-.*":version":' out)" -eq 5 ]; ok $? '... are there'
t '... in CSV too' 0 sh -c 'soda-fetch --base-url "$1" d.gov abcd-1234 --select key,:id --page-size 2 --to csv --limit 1 |
    sed "s/row-[^\"]*/X/"' - "$soda" 3<<'OUT'
"key",":id"
"1","X"
OUT
t 'a select of computed regions has them' 0 f abcd-1234 --select 'key,:@computed_region_k96s_3jcv' --limit 1 3<<'OUT'
{"key":"1",":@computed_region_k96s_3jcv":"14"}
OUT
t '--since is at or after' 0 f abcd-1234 --select key --since when=2020-01-04T00:05:00 3<<'OUT'
{"key":"4"}
{"key":"5"}
OUT
t '--since as Postgres writes it, with a condition that has an OR' 0 f abcd-1234 --select key --since 'when=2020-01-03 00:05:00' \
    --where "key = 1 OR key = 3" 3<<'OUT'
{"key":"3"}
OUT
t '--since a day' 0 f abcd-1234 --select key --since 'when=2020-01-05' 3<<'OUT'
{"key":"5"}
OUT
t '--order' 0 f abcd-1234 --select key --order 'status, when DESC' --page-size 2 3<<'OUT'
{"key":"5"}
{"key":"2"}
{"key":"4"}
{"key":"3"}
{"key":"1"}
OUT
t '--limit' 0 f abcd-1234 --select key --limit 3 --page-size 2 3<<'OUT'
{"key":"1"}
{"key":"2"}
{"key":"3"}
OUT
t '--limit with pages of one size' 0 f abcd-1234 --select key --limit 3 --page-size 2 --jobs 2 --api 3 3<<'OUT'
{"key":"1"}
{"key":"2"}
{"key":"3"}
OUT
t '... as CSV' 0 f abcd-1234 --select note --limit 3 --page-size 2 --jobs 2 --api 3 --to csv 3<<'OUT'
"note"
"say ""hi"", all"
"two
lines"

OUT
t '--limit 0 has a header' 0 f abcd-1234 --select key --limit 0 --to csv 3<<'OUT'
"key"
OUT
t 'values all alike are no repeated page' 0 sh -c 'soda-fetch --base-url "$1" d.gov many-3000 --select "1 AS one" --page-size 500 |
    sort | uniq -c | sed "s/^ *//"' - "$soda" 3<<'OUT'
3000 {"one":"1"}
OUT
t 'groups come as one page' 0 f abcd-1234 --select 'count(*) AS n, max(key) AS top' 3<<'OUT'
{"n":"5","top":"5"}
OUT
t '--count' 0 f abcd-1234 --count 3<<'OUT'
5
OUT
t '--count with a condition, by SODA 3' 0 f abcd-1234 --count --where "status = 'Open'" --since when=2020-01-02 --api 3 3<<'OUT'
2
OUT
t '--describe' 0 f abcd-1234 --describe 3<<'OUT'
{"name":"key","type":"number","position":1,"title":"Key"}
{"name":"status","type":"text","position":2,"title":"status"}
{"name":"zip","type":"text","position":3,"title":"zip"}
{"name":"when","type":"calendar_date","position":4,"title":"when"}
{"name":"note","type":"text","position":5,"title":"note"}
OUT
t '--describe --to csv' 0 f none-0000 --describe --to csv 3<<'OUT'
name,type,position,title
key,text,1,key
status,text,2,status
zip,text,3,zip
when,text,4,when
note,text,5,note
OUT

# the columns of an earlier day
f abcd-1234 --describe >columns.ndjson
t '--expect-columns: the same' 0 f abcd-1234 --expect-columns columns.ndjson 3<all.ndjson
{ grep -v '"zip"' columns.ndjson | sed 's/calendar_date/text/'; echo '{"name":"street","type":"text"}'; } >other.ndjson
t '--expect-columns: others stop the run before a row' 65 f abcd-1234 --expect-columns other.ndjson 3</dev/null
said 'gone: street; new: zip; retyped: when from text to calendar_date'
t '--expect-columns: no columns' 65 f abcd-1234 --expect-columns all.ndjson 3</dev/null
said 'want the output of soda-fetch --describe'
run 66 '--expect-columns: no file' f abcd-1234 --expect-columns nowhere

# large, empty, and how many
for how in '' '--page-size 700' '--page-size 100 --jobs 4' '--api 3 --bulk'; do
	f many-3000 $how >many.out 2>err
	[ $? -eq 0 ] && [ "$(wc -l <many.out)" -eq 3000 ] && [ "$(sort -u many.out | wc -l)" -eq 3000 ]
	ok $? "3000 rows, each once: $how"
done
t 'no rows' 0 f none-0000 3</dev/null
t 'no rows have a header' 0 f none-0000 --to csv 3<<'OUT'
"key","status","zip","when","note"
OUT
t 'no rows in bulk' 0 f none-0000 --api 3 --bulk 3</dev/null
t '--empty-exit' 99 f none-0000 --empty-exit 99 3</dev/null
t '--empty-exit of --count' 99 f none-0000 --count --empty-exit 99 3<<'OUT'
0
OUT
t '--empty-exit is for no rows' 0 f abcd-1234 --empty-exit 99 3<all.ndjson
t '--expect-rows' 65 f none-0000 --expect-rows 1 3</dev/null
said 'soda-fetch: 0 rows, but --expect-rows 1'
t '--expect-rows: as many' 0 f abcd-1234 --expect-rows 5 3<all.ndjson
run 0 'the old bulk download' f abcd-1234 --bulk --to csv
said 'deprecated'
head -n 2 out >out.2
t '... has names and dates for people' 0 cat out.2 3<<'OUT'
Key,status,zip,when,note
1,Open,90012,01/01/2020 12:05:00 AM,"say ""hi"", all"
OUT

python3 -c '
print("n,shape")
for i in range(1800): print("%d,%s" % (i, "x" * (60000 if i > 1300 else 10)))' >data/wide-0000.csv
stop_server soda
start_server soda python3 "$here/servers/soda.py" --data "$work/data" --no-gzip
f wide-0000 --select n >numbers
for how in '' '--jobs 4'; do
	f wide-0000 $how | cut -d, -f1 | sed 's/$/}/' | cmp -s - numbers; ok $? "rows that are suddenly wide come in smaller pages: $how"
done

# what the server says of itself
control '{"set":{"out_of_date":true}}'
run 0 'a copy that is behind' f abcd-1234
said 'behind its last change'
control '{"set":{"out_of_date":false,"legacy":true}}'
t 'SODA 2.0' 0 f abcd-1234 3<all.ndjson
control '{"set":{"legacy":false,"schema_headers":"none"}}'
t 'no headers for the columns' 0 f abcd-1234 3<all.ndjson
control '{"set":{"schema_headers":"all"}}'

# the manual's examples, against this server
sed 's/^key,status,zip,when/srnumber,status,zip,createddate/' data/abcd-1234.csv >data/rq3b-xjk8.csv
stop_server soda
start_server soda python3 "$here/servers/soda.py" --data "$work/data"
cat >examples.sh <<'SH'
set -e
soda-fetch() { command soda-fetch --base-url "$soda" "$@"; }
pg-copy-in() { cat; }
SH
sed -n 's/^\.Dl \$ //p' "$top/man/soda-fetch.1" | sed "s/\\\\(dq/\"/g; s/\\\\(aq/'/g" >>examples.sh
export soda
run 0 'the examples of the manual' bash examples.sh
grep -qx 3 out; ok $? '... count what is open'
cmp -s rows.ndjson /dev/null; [ $? -eq 1 ]; ok $? '... and write rows'

# credentials
control '{"reset":true}'
run 0 'a token and a key' env SOCRATA_APP_TOKEN=token-123 SOCRATA_KEY_ID=me SOCRATA_KEY_SECRET=secret-456 soda-fetch \
    --base-url "$soda" d.gov abcd-1234
log | jq -r '[.token, .headers.authorization] | join(" ")' | sort -u >sent
t '... go in the headers' 0 cat sent 3<<'OUT'
token-123 Basic bWU6c2VjcmV0LTQ1Ng==
OUT
[ "$(log | grep -c 'token=\|%token')" -eq 0 ]; ok $? '... and not in the URL'
control '{"reset":true}'
echo token-of-file >token
run 0 'the other name, from a file' env SOCRATA_TOKEN_FILE=token soda-fetch --base-url "$soda" d.gov abcd-1234 --count
log | jq -r .token >sent
t '... is the token' 0 cat sent 3<<'OUT'
token-of-file
OUT
run 78 'half a key' env SOCRATA_KEY_ID=me soda-fetch --base-url "$soda" d.gov abcd-1234
said 'set both, or neither'
run 64 'no secret over plain http' env SOCRATA_KEY_ID=me SOCRATA_KEY_SECRET=secret-456 soda-fetch \
    --base-url http://data.example.gov d.gov abcd-1234
said 'plain http would show the credentials'
said_not secret-456

# wrong calls
control '{"reset":true}'
run 64 'no dataset' soda-fetch data.example.gov
run 64 'no domain' soda-fetch https://data.example.gov abcd-1234
run 64 'no such id' soda-fetch data.example.gov 'abcd-123/'
run 64 'a --since without a column' f abcd-1234 --since 2020-01-01
run 64 'a --since with SoQL in it' f abcd-1234 --since "when=2020-01-01' OR '1'='1"
run 64 'a --since in American' f abcd-1234 --since when=01/31/2020
run 64 'two things at once' f abcd-1234 --count --describe
run 64 'the old bulk download has no records' f abcd-1234 --bulk
run 64 'the old bulk download has no conditions' f abcd-1234 --bulk --to csv --where 1=1
run 64 'bulk has no limit' f abcd-1234 --bulk --api 3 --limit 1
run 64 'a base that is no URL' soda-fetch --base-url ftp://x d.gov abcd-1234
run 64 'a page of no rows' f abcd-1234 --page-size 0
run 64 'more jobs than we hold' f abcd-1234 --jobs 17
log >requests
same 'no wrong call asks the server' /dev/null requests

# standard files
run 74 'a full disk is no success' sh -c 'soda-fetch --base-url "$1" d.gov abcd-1234 >/dev/full' - "$soda"
run 74 '... nor for --count' sh -c 'soda-fetch --base-url "$1" d.gov abcd-1234 --count >/dev/full' - "$soda"
run 74 '... nor for --describe' sh -c 'soda-fetch --base-url "$1" d.gov abcd-1234 --describe >/dev/full' - "$soda"
run 74 'a closed stdout' sh -c 'soda-fetch --base-url "$1" d.gov abcd-1234 >&-' - "$soda"
t 'a closed stdin is not needed' 0 sh -c 'soda-fetch --base-url "$1" d.gov abcd-1234 <&-' - "$soda" 3<all.ndjson
t 'a reader that leaves ends it quietly' 0 sh -c 'soda-fetch --base-url "$1" d.gov many-3000 --page-size 10 | head -n 1' - "$soda" 3<<'OUT'
{"n":"0","text":"row 0 row 0 row 0 "}
OUT
same '... without a word' /dev/null err

run 0 '--help' soda-fetch --help
run 0 '--version' soda-fetch --version
done_testing
