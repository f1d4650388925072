# shellcheck shell=bash
# knack-place.sh - a place to run the Knack flow in: stand-ins for Knack, Socrata and ArcGIS, and S3, real where it is
# built.  After lib.sh.  The app is the one whose records have every field type; its container is view_18.
. "$here/runs.sh"
servers=$here/servers
flow=$top/scripts/knack
run=(--app-name all-fields --env prod)
container=(--container view_18)

# What the dataset takes of a record, by type; the row identifier first.
make_dataset() {	# make_dataset DIRECTORY
	mkdir -p "$1"
	cat >"$1/kfld-test.json" <<-'X'
	{"name": "All fields", "rowIdentifier": "id", "columns": [{"fieldName": "number", "dataTypeName": "number"},
	 {"fieldName": "rating", "dataTypeName": "number"}, {"fieldName": "pytest_record", "dataTypeName": "checkbox"},
	 {"fieldName": "pytest_modified_date", "dataTypeName": "calendar_date"}, {"fieldName": "published", "dataTypeName": "calendar_date"},
	 {"fieldName": "address_lat_lon", "dataTypeName": "point"}]}
	X
	echo 'id,auto_increment,short_text,multiple_choice,number,rating,name,customer,pytest_record,pytest_modified_date,address_lat_lon,published' \
	    >"$1/kfld-test.csv"
}
start_place() {
	make_dataset "$work/data"
	KNACK_APP_ID=$(jq -r .application.id "$shared/knack/metadata.json") KNACK_API_KEY=hush-knack-key
	SOCRATA_KEY_ID=id SOCRATA_KEY_SECRET=hush-socrata AGOL_USERNAME=city AGOL_PASSWORD=hush-agol
	start_server KNACK python3 "$servers/knack.py" --metadata "$shared/knack/metadata.json" --key "$KNACK_API_KEY" --rate 0 \
	    --records "object_3=$shared/knack/all_fields.json"
	start_server SODA_URL python3 "$servers/soda.py" --data "$work/data" --key "$SOCRATA_KEY_ID:$SOCRATA_KEY_SECRET"
	start_server AGOL_PORTAL python3 "$servers/arcgis.py" --user city --password "$AGOL_PASSWORD"
	KNACK_URL=$KNACK/v1 BUCKET=knack-test APPS=$work/apps.json RETRIES=2 RETRY_WAIT=0.05s OVERLAP=0 KNACK_CREDENTIALS=$work/knack.json
	export KNACK_APP_ID KNACK_API_KEY SOCRATA_KEY_ID SOCRATA_KEY_SECRET AGOL_USERNAME AGOL_PASSWORD KNACK_URL SODA_URL AGOL_PORTAL
	export BUCKET APPS RETRIES RETRY_WAIT OVERLAP KNACK_CREDENTIALS
	cat >"$APPS" <<-'X'
	{"socrata_domain": "soda.test", "timezone": "America/Chicago", "apps": {"all-fields": {"containers": {
	  "view_18": {"scene": "scene_6", "modified_date_field": "field_37", "location_field": "field_44",
	    "socrata": {"dataset": "kfld-test", "stamp": "published"}, "agol": {"item": "ITEM", "layer": 0, "sanitize": true}},
	  "object_3": {"modified_date_field": "field_37", "socrata": {"dataset": "kfld-test", "no_replace": true},
	    "agol": {"item": "ITEM", "layer": 0, "no_replace": true}},
	  "view_1": {"scene": "scene_1"}}}}}
	X
}
knack() {		# knack COMMAND [ARGUMENT...]: on view_18
	"$flow/$1" "${run[@]}" "${container[@]}" "${@:2}"
}
