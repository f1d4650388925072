#!/bin/bash
# 10,000 real requests: csv-normalize into the SODA stand-in, from there through the flow into PostgreSQL.
. "$(dirname "$0")/lib.sh"
real=$shared/311/la311-2020-jan.csv
[ -r "$real" ] || skip_all "no $real here"
. "$here/flow.sh"

run 0 'csv-normalize reads its dates' csv-normalize --date createddate --date updateddate --date servicedate \
    --date closeddate "$real"
mkdir data
cp out data/la31-2020.csv
head -n 1 out >data/la31-2019.csv
start_flow "$work/data"
TODAY=2020-02-01 MAX_AGE=0 MODE=full run 0 'the flow loads it whole' load
is 'all 10,000' '10000 10000' "$(jq -r '"\(.read) \(.inserted)"' out)"
psql -XAtqc "COPY (SELECT * FROM requests) TO STDOUT CSV HEADER" >table.csv
run 0 'every value is that of the file' python3 "$here/same311.py" --dates '%m/%d/%y %H:%M' table.csv "$real"
grep -q '^10000 rows, 0 differences' out; ok $? 'in 10,000 rows'

csv2ndjson "$real" | ndjson2csv >back.csv
tr -d '\r' <"$real" | sed '$a\' >wanted.csv
same 'CSV to NDJSON to CSV is the identity' wanted.csv back.csv
done_testing
