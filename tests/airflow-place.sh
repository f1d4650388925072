# shellcheck shell=bash
# airflow-place.sh - a place to run the DAGs in: a real Airflow, of CULVERT_AIRFLOW (a directory that tests/real-airflow
# made; without it the tests are skipped, since they take minutes), its database in the private PostgreSQL, and all that the flows work on: stand-ins for
# Socrata, Knack, ArcGIS, a provider of trips; S3, the real one where it is built.  After lib.sh.
[ -n "${CULVERT_AIRFLOW-}" ] || skip_all 'CULVERT_AIRFLOW names no Airflow: tests/real-airflow build makes build/airflow3'
venv=$CULVERT_AIRFLOW
if ! [ -x "$venv/bin/airflow" ]; then
	give_up "no Airflow in $venv"
fi
major=$(sed -n 's/^apache-airflow==\([0-9]*\).*/\1/p' "$venv/requirements.txt")
. "$here/knack-place.sh"
eval "$(declare -f in_socrata wanted_in_socrata | sed 's/^\(wanted_\)\{0,1\}in_socrata/\1in_socrata_of_knack/')"
. "$here/mds-place.sh"
. "$here/flow.sh"		# starts PostgreSQL

knack_id=$(jq -r .application.id "$metadata") other_id=5d79512148c4af00106d15ff
fernet_key=$(fernet keygen)

# What the flows work on.  The 311 datasets are of 2018 to 2021.
start_services() {
	python3 "$servers/make311.py" --rows 300 --years 2018,2019,2020,2021 --seed 7 data
	make_dataset data
	make_trips_dataset data
	make_services >services.json
	make_apps | jq '{socrata_domain, timezone, apps: {"all-fields": {containers: .apps."all-fields".containers | {view_18, object_3: {}}}, other: .apps.other}}' >apps.json
	jq '.domain = "soda.test" | .datasets = [range(2018; 2022) | {year: ., id: "la31-\(.)"}]' "$top/scripts/311/311.json" >datasets.json
	if [ -x "${CULVERT_REAL_S3:-$top/build/versitygw}" ]; then
		start_real_s3
	else
		start_s3
	fi
	for bucket in knack-test mds-test orders-test; do
		"$here/s3-request" PUT "$AWS_ENDPOINT_URL/$bucket" >/dev/null
	done
	start_server soda python3 "$servers/soda.py" --data data
	jq --arg id "$other_id" '.application.id = $id' "$metadata" >other.json
	start_server other python3 "$servers/knack.py" --metadata other.json --rate 0
	start_server knack_server python3 "$servers/knack.py" --metadata "$metadata" --rate 0 \
	    --records "object_3=$data/knack/all_fields.json" --beside "$other_id=$other"
	start_server agol python3 "$servers/arcgis.py" --services services.json
	start_server provider python3 "$servers/mds.py" --make 20 --version 0.3
	tell "$soda" '{"set":{"key":"id:hush-socrata"}}'
	tell "$knack_server" '{"set":{"key":"hush-knack-key"}}'
	tell "$other" '{"set":{"key":"hush-other-key"}}'
	tell "$agol" '{"set":{"user":"city","password":"hush-agol"}}'
	tell "$provider" "{\"set\":{\"auth\":\"bearer:$jump_token\"}}"
	# for what the test itself asks: the DAGs' settings are in Airflow
	SODA_URL=$soda SOCRATA_KEY_ID=id SOCRATA_KEY_SECRET=hush-socrata AGOL_PORTAL=$agol
	KNACK_URL=$knack_server/v1 KNACK_APP_ID=$knack_id KNACK_API_KEY=hush-knack-key FERNET_KEY=$fernet_key
	export SODA_URL SOCRATA_KEY_ID SOCRATA_KEY_SECRET AGOL_PORTAL KNACK_URL KNACK_APP_ID KNACK_API_KEY FERNET_KEY
	(
		flow=$top/scripts/mds BUCKET=mds-test STAGE=test
		export BUCKET STAGE
		configure '{}'
		"$flow/init" >/dev/null
		mds-schedule seed --quiet --provider jump --since 2020-3-1-0 --until 2020-3-1-1 --zone America/Chicago --provider-id "$jump_id" >/dev/null
	)
}

# What a city's Airflow would have: secrets in Connections, the rest in a Variable a flow.
connections() {
	jq -n --arg pg "$PGHOST" --arg s3 "$AWS_ENDPOINT_URL" --arg key "$AWS_ACCESS_KEY_ID" --arg secret "$AWS_SECRET_ACCESS_KEY" \
	    --arg knack "$knack_id" --arg other "$other_id" --arg fernet "$fernet_key" '{
	    culvert_postgres: {conn_type: "postgres", host: $pg, login: "postgres", schema: "postgres"},
	    culvert_s3: {conn_type: "aws", login: $key, password: $secret, extra: ({endpoint_url: $s3, region_name: "us-east-1"} | tojson)},
	    culvert_socrata: {conn_type: "generic", login: "id", password: "hush-socrata"},
	    culvert_agol: {conn_type: "generic", login: "city", password: "hush-agol"},
	    "culvert_knack_all-fields": {conn_type: "generic", login: $knack, password: "hush-knack-key"},
	    culvert_knack_other: {conn_type: "generic", login: $other, password: "hush-other-key"},
	    culvert_mds: {conn_type: "generic", password: $fernet}}'
}
variables() {
	jq -n --arg soda "$soda" --arg knack "$knack_server/v1" --arg agol "$agol" --arg work "$work" --arg austin "$data/austin" '
	    {SODA_URL: $soda, RETRIES: 2, RETRY_WAIT: "0.05s"} as $all | {
	    culvert_311: ($all + {DATASETS: "\($work)/datasets.json", TODAY: "2021-12-25"}),
	    culvert_knack: ($all + {BUCKET: "knack-test", APPS: "\($work)/apps.json", KNACK_URL: $knack, AGOL_PORTAL: $agol, OVERLAP: 0,
	      LOCK_DIR: "\($work)/locks"}),
	    culvert_orders: {RETRIES: 2, RETRY_WAIT: "0.05s", SOURCE: "s3://orders-test/{date}.zip"},
	    culvert_mds: ($all + {BUCKET: "mds-test", STAGE: "test", SOCRATA_DOMAIN: "soda.test", SOCRATA_DATASET: "mds0-trip",
	      CENSUS_GEOJSON: "\($austin)/census_tracts_2010_simplified_20pct.json",
	      DISTRICTS_GEOJSON: "\($austin)/council_districts_simplified.json", HEX_GEOJSON: "\($austin)/hex1000.json"})}'
}

# Its environment is its own: nothing of what is exported here reaches a task.
airflow_env=(HOME="$work" LANG=C.UTF-8 PATH="$top/bin:$venv/bin:/usr/local/bin:/usr/bin:/bin" TMPDIR="${TMPDIR:-/tmp}"
    AIRFLOW_HOME="$work/airflow" AIRFLOW__CORE__DAGS_FOLDER="$work/dags" AIRFLOW__CORE__LOAD_EXAMPLES=False
    AIRFLOW__DATABASE__SQL_ALCHEMY_CONN="postgresql+psycopg2://postgres@/airflow?host=$PGHOST"
    AIRFLOW__CORE__FERNET_KEY="$fernet_key" AIRFLOW__USAGE_DATA_COLLECTION__ENABLED=False NO_COLOR=1)
airflow() {		# airflow COMMAND...
	env -i "${airflow_env[@]}" "$venv/bin/airflow" "$@"
}
# The DAGs lie in a folder below the one that Airflow reads, as they do where the package's is linked into it.  Tries come
# quickly, and nothing is due of its own: policies of the whole site, as an operator would write them.
start_airflow() {
	mkdir -p airflow/config dags
	ln -s "$top/scripts/airflow" dags/culvert
	cat >airflow/config/airflow_local_settings.py <<-'X'
	from datetime import datetime, timedelta, timezone
	def task_policy(task):
	    task.retry_delay = timedelta(seconds=1)
	    task.max_retry_delay = timedelta(seconds=4)
	def dag_policy(dag):
	    dag.end_date = datetime(2021, 12, 31, tzinfo=timezone.utc)
	X
	sql 'CREATE DATABASE airflow'
	airflow db migrate >migrate.log 2>&1 || give_up "no database for Airflow: $(tail -n 1 migrate.log)"
	connections >connections.json
	variables >variables.json
	airflow connections import connections.json >import.log 2>&1 && airflow variables import variables.json >>import.log 2>&1 ||
	    give_up "Airflow takes no connections: $(tail -n 1 import.log)"
}
