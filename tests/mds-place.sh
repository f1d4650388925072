# shellcheck shell=bash
# mds-place.sh - a place to run the MDS flow in: a provider's and Socrata's stand-ins, PostgreSQL, and S3, the real one with
# CULVERT_REAL_S3.  After lib.sh.  The provider is jump; its hours have 20 trips each.
. "$here/runs.sh"
servers=$here/servers
flow=$top/scripts/mds
jump_id=0309585e-599f-4e57-ac85-ffffffffffff	# the stand-in's
# Each test has secrets of its own: the sweep looks for its in the command lines of all the machine.
jump_token=hush-$$-jump-token

make_trips_dataset() {	# make_trips_dataset DIRECTORY
	mkdir -p "$1"
	echo 'trip_id,device_id,vehicle_type,trip_duration,trip_distance,start_time,end_time,modified_date,start_time_us_central,end_time_us_central,year,month,hour,day_of_week,council_district_start,council_district_end,census_geoid_start,census_geoid_end' \
	    >"$1/mds0-trip.csv"
	jq -n '{name: "Trips", rowIdentifier: "trip_id", columns: [("trip_id device_id trip_duration trip_distance year month hour day_of_week council_district_start council_district_end census_geoid_start census_geoid_end"
	    | split(" ")[] | {fieldName: ., dataTypeName: "number"}), ("start_time end_time modified_date start_time_us_central end_time_us_central"
	    | split(" ")[] | {fieldName: ., dataTypeName: "calendar_date"})]}' >"$1/mds0-trip.json"
}
start_place() {
	if [ -n "${CULVERT_REAL_S3-}" ]; then
		start_real_s3
	else
		start_s3
	fi
	"$here/s3-request" PUT "$AWS_ENDPOINT_URL/mds-test" >/dev/null
	start_postgres
	make_trips_dataset data
	start_server provider python3 "$servers/mds.py" --make 20 --version 0.3 --now 2026-06-01T00:00:00Z
	tell "$provider" "{\"set\":{\"auth\":\"bearer:$jump_token\"}}"
	start_server SODA_URL python3 "$servers/soda.py" --data data
	FERNET_KEY=$(fernet keygen) SOCRATA_KEY_ID=id SOCRATA_KEY_SECRET=hush-$$-socrata
	tell "$SODA_URL" "{\"set\":{\"key\":\"$SOCRATA_KEY_ID:$SOCRATA_KEY_SECRET\"}}"
	SOCRATA_DOMAIN=soda.test SOCRATA_DATASET=mds0-trip
	BUCKET=mds-test STAGE=test RETRIES=2 RETRY_WAIT=0.05s LOGS=$work/logs
	CENSUS_GEOJSON=$data/austin/census_tracts_2010_simplified_20pct.json
	DISTRICTS_GEOJSON=$data/austin/council_districts_simplified.json HEX_GEOJSON=$data/austin/hex1000.json
	export FERNET_KEY SOCRATA_KEY_ID SOCRATA_KEY_SECRET SOCRATA_DOMAIN SOCRATA_DATASET SODA_URL BUCKET STAGE RETRIES RETRY_WAIT LOGS
	export CENSUS_GEOJSON DISTRICTS_GEOJSON HEX_GEOJSON
	configure '{}'
	mds init >/dev/null
	seed 2020-3-1-0 2020-3-2-0
}
# configure JSON: the provider's configuration, with these changes, as the flow finds it
configure() {
	jq -n --arg url "$provider" --arg id $jump_id --arg token $jump_token --argjson more "$1" '{jump: ({auth_type: "bearer", token: $token,
	    mds_api_url: $url, provider_id: $id, version: "0.3.0", max_attempts: 2} + $more)}' |
	    "$flow/config" --file providers --upload >/dev/null
}
seed() {		# seed FROM TO
	mds-schedule seed --quiet --provider jump --since "$1" --until "$2" --zone America/Chicago --provider-id $jump_id >/dev/null
}
mds() {			# mds COMMAND [ARGUMENT...]
	"$flow/$1" "${@:2}"
}
jump() {		# jump COMMAND LABEL [ARGUMENT...]: the block of this label
	mds "$1" --provider jump --time-max "$2" "${@:3}"
}
tell() {		# tell SERVER JSON
	curl -fsS --data-binary @- "$1/control" >/dev/null <<<"$2"
}

# What is where.
in_database() {		# rows of api.trips, as the oracle has them
	sql "SELECT to_jsonb(t) - 'id' - 'modified_date' || jsonb_build_object(
	    'start_time', to_char(start_time AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US+00:00'),
	    'end_time', to_char(end_time AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US+00:00'),
	    'publication_time', to_char(publication_time AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US+00:00'))
	    FROM api.trips t ORDER BY trip_id" | jq -cS .
}
truth() {		# truth FROM TO: the provider's trips that end in [FROM, TO), ISO 8601
	curl -fsS "$provider/truth?from=$(date -d "$1" +%s)000&to=$(date -d "$2" +%s)000&version=0.3"
}
wanted_in_database() {	# wanted_in_database FROM TO
	truth "$1" "$2" | "$here/mds_oracle.py" trips "$data/austin" | jq -cS .
}
in_socrata() {
	soda-fetch soda.test mds0-trip --base-url "$SODA_URL" | jq -cS . | sort
}
wanted_in_socrata() {
	sql "SELECT to_jsonb(t) || jsonb_build_object('device', d.id) FROM api.trips t JOIN api.device d USING (device_id)" |
	    "$here/mds_oracle.py" published America/Chicago |
	    jq -cS 'map_values(if type == "number" then tostring else . end) | with_entries(if .key | test("_time|_date") then .value += ".000" else . end | select(.value != null))' | sort
}
block() {		# block LABEL COLUMN...: of the schedule
	mds-schedule list --quiet --provider jump --time-max "$1" --interval 1 --force | jq -r "[$(printf '.%s,' "${@:2}" | sed 's/,$//')] | map(tostring) | join(\" \")"
}
