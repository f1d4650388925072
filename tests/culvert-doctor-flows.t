#!/bin/bash
# culvert-doctor of the flows that have many services: Knack, MDS and orders; good surroundings, then each fault by itself.
# Slow: forty doctors of flows with many services; each starts every tool.
. "$(dirname "$0")/lib.sh"
. "$here/doctor-place.sh"

# ---- Knack, with its S3 ----
. "$here/knack-place.sh"
start_place
light_tools
run 0 'Knack' doctor knack --app-name all-fields --env prod
no_line FAIL
line ok 'settings: settings are good'
line ok 'Knack app all-fields (prod): '
line ok "bucket knack-test: it can be listed as $AWS_ACCESS_KEY_ID"
line ok 'Socrata dataset kfld-test: 12 columns, read with the login'
line ok 'ArcGIS Online: the login is good, and layer 3 of 0123456789abcdef0123456789abcdef is there'
is 'nothing was put into the bucket' '' "$(s3-list --quiet s3://knack-test)"
is 'nothing was put on the maps' '' "$(in_agol)"
run 0 'with --write' doctor knack --write
line ok 'bucket knack-test: it can be written to'
line ok 'bucket knack-test: it can be deleted from'
is 'nothing is left there' '' "$(s3-list --quiet s3://knack-test)"
KNACK_API_KEY=hush-wrong run 77 'a wrong key of Knack' doctor knack
line FAIL 'Knack app all-fields (prod): '
KNACK_API_KEY='' run 78 'no key of Knack' doctor knack
line FAIL 'Knack app all-fields (prod): no KNACK_APP_ID, or no KNACK_API_KEY'
jq -n '{"all-fields": {prod: {app_id: env.KNACK_APP_ID, api_key: env.KNACK_API_KEY}}}' >knack.json
chmod 644 knack.json
KNACK_API_KEY='' KNACK_APP_ID='' run 0 'a file of credentials' doctor knack
line warn 'credentials: '
chmod 600 knack.json
KNACK_API_KEY='' KNACK_APP_ID='' run 0 '... which others may not read' doctor knack
line ok 'credentials: '
echo nonsense >knack.json
run 78 '... which is no JSON' doctor knack
line FAIL 'credentials: '
rm knack.json
SOCRATA_KEY_SECRET=hush-wrong run 77 'a wrong login of Socrata' doctor knack
line FAIL 'Socrata dataset kfld-test: '
AGOL_PASSWORD=hush-wrong run 77 'a wrong login of ArcGIS Online' doctor knack
line FAIL 'ArcGIS Online: '
no_secret
BUCKET=no-such-bucket run 78 'a bucket that is not there' doctor knack
line FAIL 'bucket no-such-bucket: '
AWS_SECRET_ACCESS_KEY=hush-wrong run 77 'a wrong secret of AWS' doctor knack
line FAIL 'bucket knack-test: '
no_secret
APPS=/no/such run 78 'no apps file' doctor knack
line FAIL 'settings: '
run 78 'an app that is none' doctor knack --app-name nobody
line FAIL 'settings: nobody: no such app'
! grep -q '^ok .*ArcGIS' out; ok $? '... of which nobody says that it is not published' || sed 's/^/# /' out
if has_faketime; then
	run 78 'a clock that is an hour slow, for S3' faketime -f '-1h' "$(command -v culvert-doctor)" knack
	line FAIL 'this clock is 60 min slow'
fi
unset BUCKET RETRIES RETRY_WAIT JOBS
stop_server "${CULVERT_REAL_S3:+real_}s3"
stop_server SODA_URL

# ---- MDS ----
. "$here/mds-place.sh"
start_place
tell "$provider" '{"set":{"now":""}}'	# the true clock: its Date is looked at
run 0 'MDS' doctor mds
no_line FAIL
line ok 'table api.schedule: it is there, with the rights'
line ok 'table api.trips: it is there, with the rights'
line ok 'FERNET_KEY: it is a key'
line ok 'providers in config/providers_test.json: jump'
line ok 'provider jump: it serves the hour '
line ok 'CENSUS_GEOJSON: '
line ok 'Socrata dataset mds0-trip: 18 columns, read with the login'
! grep -E '[0-9a-f]{8}-[0-9a-f]{4}|-97\.' out err; ok $? 'nothing of a trip is said'
is 'no block was claimed' 0 "$(sql 'SELECT count(*) FROM api.schedule WHERE claim IS NOT NULL')"
run 0 'one provider' doctor mds --provider jump
SOCRATA_DATASET='' run 0 'a dataset that is not in the environment' doctor mds --provider jump
line ok 'Socrata: its address is in '
run 78 'one that is not configured' doctor mds --provider lime
line FAIL 'provider lime: it is not configured'
configure '{"token": "hush-wrong"}'
run 77 'a wrong token of a provider' doctor mds
line FAIL 'provider jump: '
no_secret
configure '{"mds_api_url": "https://nowhere.invalid"}'
run 69 'a provider whose name does not resolve' doctor mds
line FAIL 'dns nowhere.invalid: '
configure '{"mds_api_url": "http://nowhere.invalid"}'
run 78 '... without TLS: the status is that of the worst failure' doctor mds
line FAIL 'provider jump: '
configure '{}'
FERNET_KEY=$(fernet keygen) run 78 'another key than the configuration was encrypted with' doctor mds
line FAIL "providers in config/providers_test.json: config/providers_test.json: can't be decrypted"
FERNET_KEY=hush-wrong run 78 'a key that is none' doctor mds
line FAIL 'FERNET_KEY: '
no_secret
FERNET_KEY='' run 78 'no key' doctor mds
line FAIL 'FERNET_KEY: it is not set'
HEX_GEOJSON=/no/such.json run 78 'no polygons' doctor mds
line FAIL 'HEX_GEOJSON: /no/such.json: no such file'
MAX_REJECTS=many run 78 'a wrong setting' doctor mds
line FAIL 'settings: MAX_REJECTS=many: want a number'
sql 'CREATE ROLE scooter LOGIN'
PGUSER=scooter run 77 'a role without rights' doctor mds
line FAIL 'table api.trips: scooter lacks USAGE on schema api, '
mends=$(sed -n 's/^FAIL .*as its owner: //p' out | paste -sd ';')
sql "$mends"; ok $? 'the mends are SQL'
PGUSER=scooter run 0 '... which mend it' doctor mds
sql 'DROP SCHEMA api CASCADE' 2>/dev/null
run 78 'no tables' doctor mds
line FAIL 'table api.trips: there is no schema api: culvert mds init makes it'

# ---- orders ----
unset BUCKET MAX_REJECTS
: >day.zip
SOURCE=day.zip run 0 'orders' doctor orders
no_line FAIL
no_line warn
line ok 'settings: settings are good: upsert of day.zip'
line ok 'table orders: not there yet'
line ok 'table order_summary: not there yet'
line ok 'source day.zip: it is there'
python3 "$here/orders_oracle.py" make good good.zip
RUN_DATE=2018-01-02 "$top/scripts/orders/load" good.zip >load.out 2>&1
SOURCE=day.zip run 0 'orders after a load' doctor orders
line ok 'table orders: it is there, with the rights'
line ok 'table order_summary: it is there, with the rights'
SOURCE=gone.zip run 0 'a zip that did not come' doctor orders
line warn "source gone.zip: no such file, or it can't be read: see SOURCE"
"$here/s3-request" -d good.zip PUT "$AWS_ENDPOINT_URL/mds-test/2018-01-02.zip" >/dev/null
SOURCE='s3://mds-test/{date}.zip?x=hush-signature' RUN_DATE=2018-01-02 run 0 'a zip of S3' doctor orders
no_secret
SOURCE='s3://mds-test/{date}.zip' RUN_DATE=2018-01-02 run 0 'a zip of S3' doctor orders
line ok 'source s3://mds-test/2018-01-02.zip: it is there'
SOURCE='s3://mds-test/{date}.zip' RUN_DATE=2018-01-03 run 0 'of another day' doctor orders
line warn 'source s3://mds-test/2018-01-03.zip: it is not there'
SOURCE=s3://no-such-bucket/a.zip run 78 'of a bucket that is none' doctor orders
echo SOURCE=there.zip >mine.conf && : >there.zip
run 0 'settings of --conf' doctor --conf mine.conf orders
line ok 'settings: settings are good: upsert of there.zip'
run 78 'of one that is not there' doctor --conf none.conf orders
line FAIL 'settings: none.conf: no such settings file: see none.conf'
SOURCE='' run 78 'no source' doctor orders
line FAIL 'settings: SOURCE is empty'
_AWS_S3_URL_SOURCE=s3://mds-test/2018-01-02.zip _PGSQL_DATABASE=no_such _PGSQL_HOSTNAME=$PGHOST run 0 'the names of before are for where ours are not' doctor orders
line ok 'source s3://mds-test/2018-01-02.zip: it is there'
(unset PGDATABASE; _AWS_S3_URL_SOURCE=s3://mds-test/2018-01-02.zip _PGSQL_DATABASE=no_such doctor orders >out 2>err); is '... and understood there' 78 $?
line FAIL 'database "no_such" does not exist'
sql 'CREATE ROLE clerk LOGIN'
PGUSER=clerk SOURCE=day.zip run 77 'a role without rights on orders' doctor orders
line FAIL 'table orders: clerk lacks CREATE on schema public, SELECT, INSERT, UPDATE, ownership'
done_testing
