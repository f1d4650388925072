#!/bin/bash
# A whole file of requests: csv-normalize into the SODA stand-in, from there through the flow into PostgreSQL; then the real one.
. "$(dirname "$0")/lib.sh"
. "$here/flow.sh"
file=311/la311-2020-jan.csv

# whole FILE NAME: the file into an empty table, and every value of it is there
whole() {
	run 0 "$2: csv-normalize reads its dates" csv-normalize --date createddate --date updateddate --date servicedate \
	    --date closeddate "$1"
	mkdir -p soda
	cp out soda/la31-2020.csv
	head -n 1 out >soda/la31-2019.csv
	rows=$(python3 -c 'import csv, sys; print(sum(1 for _ in csv.reader(open(sys.argv[1], newline="", encoding="utf-8"))) - 1)' "$1")
	[ "$rows" -gt 300 ]; ok $? "... $rows of them"
	start_flow "$work/soda"
	TODAY=2020-03-02 MAX_AGE=0 MODE=full run 0 'the flow loads it whole' load
	is "all $rows" "$rows $rows" "$(jq -r '"\(.read) \(.inserted)"' out)"
	psql -XAtqc "COPY (SELECT * FROM requests) TO STDOUT CSV HEADER" >table.csv
	run 0 'every value is that of the file' python3 "$here/same311.py" --dates '%m/%d/%y %H:%M' table.csv "$1"
	grep -q "^$rows rows, 0 differences" out; ok $? "in $rows rows"

	csv2ndjson "$1" | ndjson2csv >back.csv
	tr -d '\r' <"$1" | sed '$a\' >wanted.csv
	same 'CSV to NDJSON to CSV is the identity' wanted.csv back.csv
}
whole "$data/$file" 'made-up requests'
if have_real "$file"; then
	for server in SODA_URL slack API_URL; do stop_server $server; done
	psql -Xqc 'DROP SCHEMA public CASCADE; CREATE SCHEMA public' 2>drop.log
	whole "$real_data/$file" 'real requests'
fi
done_testing
