#!/bin/bash
# Every example of every manual page runs, as it stands there; every tool has a page that names each of its options.
. "$(dirname "$0")/lib.sh"
start_postgres
python3 "$here/servers/make311.py" --rows 300 --years 2019,2020 --ids rq3b-xjk8,h73f-gn57 data 2>/dev/null
printf 'id,short_text,number,address_lat_lon\n' >data/p53x-x73x.csv
echo '{"rowIdentifier":"id","columns":[{"fieldName":"address_lat_lon","dataTypeName":"point"}]}' >data/p53x-x73x.json
start_server soda python3 "$here/servers/soda.py" --data data
start_server slack python3 "$here/servers/slack.py"
export SLACK_WEBHOOK_URL=$slack/services/T000/B000/xyz
echo '{"signals":[{"state":"success","logical_date":"2024-01-03T00:00:00.000000","start_date":"2024-01-04T00:00:03.123456"}],"culvert_311":[]}' >dags.json
start_server airflow python3 "$here/servers/airflow_api.py" --dags dags.json
start_s3 --bucket city
curl -sS -o s3.out -d '{"objects":{"city/app-prod/metadata.json":"{}","city/app-prod/view_197/1.json":"{\"id\":1}"}}' "$s3/control"
gzip -c data/rq3b-xjk8.csv >packed && "$here/s3-request" -d packed -H 'Content-Encoding: gzip' PUT "$s3/city/311/2020.csv"
export SOCRATA_KEY_ID=id SOCRATA_KEY_SECRET=secret AIRFLOW_URL=$airflow AIRFLOW_USERNAME=admin AIRFLOW_PASSWORD=secret
echo '[{"item":"0123456789abcdef0123456789abcdef","name":"signals","layers":[{"id":0,"geometryType":"esriGeometryPoint",
	"fields":[{"name":"id","type":"esriFieldTypeString"},{"name":"name","type":"esriFieldTypeString"}]}]}]' >services.json
start_server arcgis python3 "$here/servers/arcgis.py" --services services.json
export AGOL_USERNAME=maps AGOL_PASSWORD=secret

start_server knack python3 "$here/servers/knack.py" --metadata "$data/knack/metadata.json" --rate 0 \
    --records object_3="$data/knack/all_fields.json" --make object_10=3
export KNACK_APP_ID=5d79512148c4af00106d1507 KNACK_API_KEY=0b5c7c2e-1f6a-4b0e-9a64-1d1f2e3d4c5b

MDS_AUTH=bearer:a-token start_server mds "$here/servers/mds.py" --make 3

# The pages speak of data.lacity.org; here it is the stand-in.
mkdir shim
for tool in soda-fetch soda-push; do
	printf '#!/bin/sh\nexec "%s" --base-url %s "$@"\n' "$(command -v $tool)" "$soda" >shim/$tool
done
printf '#!/bin/sh\nexec "%s" --portal %s "$@"\n' "$(command -v agol-push)" "$arcgis" >shim/agol-push
for tool in knack-fetch knack-push; do
	printf '#!/bin/sh\nexec "%s" --base-url %s "$@"\n' "$(command -v $tool)" "$knack" >shim/$tool
done
chmod +x shim/*
PATH=$work/shim:$PATH

# prepare PAGE: the files and tables that its examples name
prepare() {
	mkdir -p "$work/$1" && cd "$work/$1" || exit
	case $1 in
	csv-normalize | csv2ndjson)
		printf 'srnumber,status,createddate\n1,Open,1/31/20 0:05\n2,Closed,1/31/20 13:05\n' >requests.csv
		printf 'Id;Opened\n 1 ;N/A\n2;1/31/2020\n3;31/31/2020\n' >export.csv ;;
	geo-tag)
		cp "$data"/austin/hex1000.json . && cp "$data"/austin/council_districts_simplified.json districts.json
		printf 'id,longitude,latitude\n1,-97.74,30.27\n2,0,0\n' >requests.csv
		echo '{"start_longitude":-97.74,"start_latitude":30.27,"end_longitude":null,"end_latitude":null}' >trips.ndjson ;;
	json-explode | ndjson2csv)
		echo '{"orders":[{"id":1,"items":[{"sku":"a"},{"sku":"b"}]},{"id":2,"items":[]}]}' >batch.json
		echo '{"version":"0.3.0","data":{"trips":[{"trip_id":"1"}]}}' >trips.json
		echo '{"srnumber":"1","status":"Open","createddate":"2020-01-31T00:05:00"}' >requests.json ;;
	zip-cat)
		sql 'DROP TABLE IF EXISTS orders' 2>>"$work/psql.log"
		python3 -c 'import zipfile; zipfile.ZipFile("orders.zip", "w").writestr("1.json", "{\"orders\":[{\"id\":1}]}")'
		python3 -c 'import zipfile; zipfile.ZipFile("2020.zip", "w").writestr("1.log", "GET /\n")'
		"$here/s3-request" -d 2020.zip PUT "$s3/city/logs/2020.zip" ;;
	agol-push)
		printf 'id,name,lat,lon\n1,Lamar,30.25,-97.75\n' >signals.csv
		echo '{"id":"1","name":"Lamar","location":{"latitude":"30.25","longitude":"-97.75"}}' >signals.ndjson ;;
	soda-push)
		printf '{"id":"%s","short_text":"%s"}\n' 1 new 2 removed | tee signals.ndjson >shaped.ndjson ;;
	mds-fetch)
		echo '{"jump":{"mds_api_url":"'$mds'","version":"0.3.0","auth_type":"bearer","token":"a-token"}}' >providers.json ;;
	s3-get | s3-list | knack-fetch | mds-schedule) ;;
	culvert-doctor)
		jq '.datasets = [{year: 2020, id: "rq3b-xjk8"}]' "$top/scripts/311/311.json" >datasets.json
		export SODA_URL=$soda DATASETS=$PWD/datasets.json ;;
	mds-trips)
		tr -d '\n' <"$data/mds/trip_sample_data_valid_short.json" >trips.ndjson
		jq -c '{version: "0.3.0", data: {trips: [.]}}' trips.ndjson >trips.json ;;
	knack-push) printf 'field_59\nu1\nBasil\n' >toppings.csv ;;
	knack-format | soda-shape)
		cp "$data"/knack/metadata.json . && cp "$data"/knack/all_fields.json page.json
		json-explode .records page.json >records.ndjson ;;
	*)
		echo '{"jump":{"mds_api_url":"'$mds'","version":"0.3.0","auth_type":"bearer","token":"a-token"}}' >providers.json
		cp "$data"/austin/council_districts_simplified.json districts.json
		cp ../data/rq3b-xjk8.csv requests.csv
		psql -Xq 2>>"$work/psql.log" <<-'SQL'
		DROP TABLE IF EXISTS requests, stage, requests_stage CASCADE; DROP SCHEMA IF EXISTS stage CASCADE;
		SQL
		[ "$1" = pg-copy-in ] && return
		pg-copy-in --quiet --create requests requests.csv >/dev/null
		pg-copy-in --quiet --create stage requests.csv >/dev/null
		psql -Xq 2>>"$work/psql.log" <<-'SQL'
		ALTER TABLE requests ADD PRIMARY KEY (srnumber);
		CREATE SCHEMA stage; CREATE TABLE stage.requests (LIKE requests);
		CREATE MATERIALIZED VIEW service_requests_by_month AS
		  SELECT date_trunc('month', createddate) AS month, count(*) FROM requests GROUP BY 1;
		SQL
		[ "$1" != pg-upsert ] || psql -Xq <<-'SQL'
		CREATE TABLE users (id bigint PRIMARY KEY);
		CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint REFERENCES users, updated_at timestamptz);
		CREATE TABLE users_stage (LIKE users); CREATE TABLE orders_stage (LIKE orders);
		INSERT INTO users_stage VALUES (7); INSERT INTO orders_stage VALUES (1, 7, now());
		SQL
	esac
}

# examples PAGE: its commands, one a paragraph; a command starts at "$ "
examples() {
	awk '/^\.Sh EXAMPLES/ { on = 1; next } /^\.Sh/ { on = 0 }
	    !on { next }
	    /^\.Dl \$ / { sub(/^\.Dl \$ /, ""); print ""; print; command = 0; next }
	    /^\.Bd/ { block = 1; next } /^\.Ed/ { block = 0; next }
	    block && /^\$ / { sub(/^\$ /, ""); print "" } block { print }' "$1" |
	    sed 's/\\(dq/"/g; s/\\e/\\/g; s/\\&//g; s/\\-/-/g'
}

for page in "$top"/man/*.[17]; do
	tool=$(basename "${page%.*}")
	examples "$page" >"$work/examples"
	[ -s "$work/examples" ] || continue
	prepare "$tool"
	while IFS= read -r -d '' command; do
		bash -c "set -o pipefail; $command" >out 2>err </dev/null
		status=$?
		ok $status "$tool: ${command//$'\n'/ }" || sed 's/^/# /' err
	done < <(awk 'BEGIN { RS = "" } { printf "%s%c", $0, 0 }' "$work/examples")
	cd "$work" || exit
done

# check_help TOOL [COMMAND]: what --help says of it
check_help() {
	local lacking='' lines
	"$@" --help >help; ok $? "$*: --help" || return
	for option in $(grep -oE -- '--[a-z0-9-]+' help | sort -u); do
		grep -qE -- "Fl (. , )?${option#-}( |$)" "$top/man/$1.1" "$top/man/culvert.7" || lacking="$lacking $option"
	done
	[ -z "$lacking" ]; ok $? "$*: its page or culvert.7 names each option" || echo "# not:$lacking"
	! grep -q '[[:cntrl:]]' help; ok $? "$*: --help holds no control character"
	lines=$(wc -l <help)
	[ "$lines" -le 30 ]; ok $? "$*: --help fits a screen" || echo "# $lines lines"
}
for source in "$top"/src/*.c "$top"/src/*.sh; do
	tool=$(basename "${source%.*}")
	check_help "$tool"
	for command in $("$tool" --completion 2>/dev/null | sed -n 's/^command\t\([^\t]*\).*/\1/p'); do
		check_help "$tool" "$command"
		grep -q "^\.Cm $command\( \|$\)" "$top/man/$tool.1"; ok $? "$tool: its page names $command"
	done
done
if command -v mandoc >/dev/null; then
	mandoc -T lint -W warning "$top"/man/* >lint; ok $? 'mandoc finds nothing' || sed 's/^/# /' lint
fi
done_testing
