# shellcheck shell=bash
# knack-place.sh - a place to run the Knack flow in: stand-ins for Knack, Socrata and ArcGIS, and S3, the real one with
# CULVERT_REAL_S3.  After lib.sh.  The app is the one whose records have every field type; its container is view_18.
. "$here/runs.sh"
servers=$here/servers
flow=$top/scripts/knack
metadata=$data/knack/metadata.json

# What the dataset and the layer take of a record.
make_dataset() {	# make_dataset DIRECTORY
	mkdir -p "$1"
	echo 'id,auto_increment,short_text,multiple_choice,number,rating,name,customer,test_record,modified_date,address_lat_lon,published' \
	    >"$1/kfld-test.csv"
	cat >"$1/kfld-test.json" <<-'X'
	{"name": "All fields", "rowIdentifier": "id", "columns": [{"fieldName": "number", "dataTypeName": "number"},
	 {"fieldName": "rating", "dataTypeName": "number"}, {"fieldName": "test_record", "dataTypeName": "checkbox"},
	 {"fieldName": "modified_date", "dataTypeName": "calendar_date"}, {"fieldName": "published", "dataTypeName": "calendar_date"},
	 {"fieldName": "address_lat_lon", "dataTypeName": "point"}]}
	X
}
make_services() {
	cat <<-'X'
	[{"item": "0123456789abcdef0123456789abcdef", "name": "all", "layers": [{"id": 3, "name": "all fields",
	  "geometryType": "esriGeometryPoint", "fields": [{"name": "id", "type": "esriFieldTypeString", "length": 24},
	  {"name": "auto_increment", "type": "esriFieldTypeInteger"}, {"name": "short_text", "type": "esriFieldTypeString", "length": 4000},
	  {"name": "rating", "type": "esriFieldTypeDouble"}, {"name": "modified_date", "type": "esriFieldTypeDate"}]}]}]
	X
}
make_apps() {
	cat <<-'X'
	{"socrata_domain": "soda.test", "timezone": "America/Chicago", "apps": {
	  "all-fields": {"containers": {
	    "view_18": {"scene": "scene_6", "modified_date_field": "field_37", "location_field": "field_44",
	      "socrata": {"dataset": "kfld-test", "stamp": "published"},
	      "agol": {"item": "0123456789abcdef0123456789abcdef", "layer": 3, "sanitize": true},
	      "knack": {"other": {"object": "object_3", "container": "object_3", "fields": [
	        {"from": "field_11_raw", "to": "field_10_raw", "key": true}, {"from": "field_7_raw", "to": "field_8", "by": "strip"},
	        {"from": "field_128_raw", "to": "field_125", "by": "connection", "ignore_diff": true},
	        {"from": null, "to": "field_6", "default": "Extra Olives"}, {"from": null, "to": "field_7", "default": "copy"}]}}},
	    "object_3": {"modified_date_field": "field_37", "socrata": {"dataset": "kfld-test", "no_replace": true},
	      "agol": {"item": "0123456789abcdef0123456789abcdef", "layer": 3, "no_replace": true}},
	    "view_1": {"scene": "scene_1"}, "view_12": {}}},
	  "other": {"containers": {"object_3": {}}}}}
	X
}
start_place() {
	if [ -n "${CULVERT_REAL_S3-}" ]; then
		start_real_s3
	else
		start_s3
	fi
	"$here/s3-request" PUT "$AWS_ENDPOINT_URL/knack-test" >/dev/null
	make_dataset data
	make_services >services.json
	make_apps >apps.json
	KNACK_APP_ID=$(jq -r .application.id "$metadata") KNACK_API_KEY=hush-knack-key
	SOCRATA_KEY_ID=id SOCRATA_KEY_SECRET=hush-socrata AGOL_USERNAME=city AGOL_PASSWORD=hush-agol
	export KNACK_APP_ID KNACK_API_KEY SOCRATA_KEY_ID SOCRATA_KEY_SECRET AGOL_USERNAME AGOL_PASSWORD
	start_server knack_server python3 "$servers/knack.py" --metadata "$metadata" --rate 0 \
	    --records "object_3=$data/knack/all_fields.json"
	start_server SODA_URL python3 "$servers/soda.py" --data data
	start_server AGOL_PORTAL python3 "$servers/arcgis.py" --services services.json
	# their secrets are in no command line, where the sweep would find them
	tell "$knack_server" "{\"set\":{\"key\":\"$KNACK_API_KEY\"}}"
	tell "$SODA_URL" "{\"set\":{\"key\":\"$SOCRATA_KEY_ID:$SOCRATA_KEY_SECRET\"}}"
	tell "$AGOL_PORTAL" "{\"set\":{\"user\":\"$AGOL_USERNAME\",\"password\":\"$AGOL_PASSWORD\"}}"
	KNACK_URL=$knack_server/v1 BUCKET=knack-test APPS=$work/apps.json RETRIES=2 RETRY_WAIT=0.05s OVERLAP=0
	KNACK_CREDENTIALS=$work/knack.json LOCK_DIR=$work/locks
	export KNACK_URL SODA_URL AGOL_PORTAL BUCKET APPS RETRIES RETRY_WAIT OVERLAP KNACK_CREDENTIALS LOCK_DIR
}
app=(--app-name all-fields --env prod)
knack() {		# knack COMMAND [ARGUMENT...]: on view_18
	"$flow/$1" "${app[@]}" --container view_18 "${@:2}"
}
tell() {		# tell SERVER JSON
	curl -fsS --data-binary @- "$1/control" >/dev/null <<<"$2"
}

# What is where, a record a line in the order of its id.
in_knack() {
	knack-fetch --quiet --view view_18 --scene scene_6 --base-url "$KNACK_URL" | jq -c . | sort
}
in_s3() {		# in_s3 CONTAINER
	s3-get --records --prefix "s3://knack-test/all-fields-prod/$1/" | jq -c . | sort
}
in_socrata() {
	soda-fetch soda.test kfld-test --base-url "$SODA_URL" | jq -cS 'del(.published)' | sort
}
in_agol() {
	curl -fsS "$AGOL_PORTAL/features/all/3" | jq -cS 'del(.attributes.OBJECTID, .geometry.spatialReference?)' | sort
}
# The same, from what Knack has, by a reading of its records that shares nothing with ours.
formatted() {
	in_knack >raw
	"$here/knack_oracle.py" "$metadata" view_18 --snake <raw | jq -c --slurpfile raw raw '. as $r | input_line_number as $n
	    | . + {location: $raw[$n - 1].field_44_raw}'
}
wanted_in_socrata() {
	formatted | jq -cS '{id, auto_increment: (.auto_increment | tostring), short_text, multiple_choice,
	    number: (.number | if . == null then . else tostring end), rating: (.rating | if . == null then . else tostring end), name, customer,
	    test_record, modified_date: (.modified_date | if . == null then . else .[:19] + ".000" end),
	    address_lat_lon: (.location | if .latitude == null or .latitude == "" then null else
	      {type: "Point", coordinates: [(.longitude | tonumber), (.latitude | tonumber)]} end)} | with_entries(select(.value != null))' | sort
}
wanted_in_agol() {
	formatted | jq -cS '{attributes: {id, auto_increment, short_text: (.short_text | if . != null and contains("<") and contains(">") then gsub("[<>]"; "") else . end),
	    rating, modified_date: (.modified_date | if . == null then . else (.[:19] + "Z" | fromdate) * 1000
	      - (.[19:] | (.[:3] | tonumber) * 3600000) end)},
	    geometry: (.location | if .latitude == null or .latitude == "" then null else
	      {x: (.longitude | tonumber), y: (.latitude | tonumber)} end)}' | sort
}
