#!/bin/bash
# The Knack flow from end to end: records with every field type in Knack, and what becomes of them in S3, Socrata and
# ArcGIS; then what changed, and nothing else.  CULVERT_REAL_S3: with the real S3 server.
# Slow in its second part, which the quick run leaves out: each case is a whole command of the flow.
. "$(dirname "$0")/lib.sh"
. "$here/knack-place.sh"
start_place
receipt() {		# receipt FILTER: of the last command
	jq -r "$1" out
}
writes() {		# writes SERVER REGEX: how many requests of that sort came since the log was cleared
	curl -fsS "$1/log" | jq -s --arg match "$2" '[.[] | select(.method + " " + .target | test($match))] | length'
}

# ---- everything ----

run 0 'the metadata' knack metadata
s3-get s3://knack-test/all-fields-prod/metadata.json | jq -c . >got
jq -c . "$metadata" >want
same '... lie beside the containers as Knack gave them' want got

run 0 'to-s3' knack to-s3
is '... its receipt' 'to-s3 knack all-fields view_18 25 25 0 0' \
    "$(receipt '"\(.tool) \(.flow) \(.app) \(.container) \(.read) \(.put) \(.unchanged) \(.rejected)"')"
in_knack >want; in_s3 view_18 >got
same '... each record is there as Knack sent it' want got
s3-list s3://knack-test/all-fields-prod/view_18/ | jq -r .key | sort >got
in_knack | jq -r '"all-fields-prod/view_18/\(.id).json"' | sort >want
same '... under its id' want got

run 0 'to-socrata' knack to-socrata
is '... its receipt' '25 25 0' "$(receipt '"\(.read) \(.created + .updated) \(.rejected)"')"
wanted_in_socrata >want; in_socrata >got
same '... value by value what an independent reading makes of the records' want got
is '... in one PUT that carries all rows' 1 "$(writes "$SODA_URL" '^PUT /resource/kfld-test')"
is '... and no POST' 0 "$(writes "$SODA_URL" '^POST /resource/kfld-test')"
run 0 'each row has the time of the run' sh -c "soda-fetch soda.test kfld-test --base-url $SODA_URL | jq -e '.published | test(\"^20[0-9-]+T[0-9:.]+\$\")'"

run 0 'to-agol' knack to-agol
is '... its receipt' '25 25 0' "$(receipt '"\(.read) \(.added) \(.rejected)"')"
wanted_in_agol >want; in_agol >got
same '... value by value, points and all' want got

# ---- again: nothing changes ----

run 0 'the same again' knack to-s3
is '... leaves every file alone' '25 0 25' "$(receipt '"\(.read) \(.put) \(.unchanged)"')"
run 0 '... and the features' knack to-agol
in_agol >got
same '... are the same' want got

run 74 'a receipt that nobody gets' sh -c '"$@" >/dev/full' - "$flow/to-s3" "${app[@]}" --container view_18
said 'failed with status 74'

# ---- what changed ----

sleep 1.1			# S3 keeps whole seconds: what comes from here on is later
since=$(date +%s)
first=$(in_knack | head -n 1 | jq -r .id) second=$(in_knack | sed -n 2p | jq -r .id)
for id in "$first" "$second"; do
	tell "$knack_server" "{\"update\":{\"object\":\"object_3\",\"id\":\"$id\",\"fields\":{\"field_7\":\"changed <b>\",\"field_37\":\"11/20/2026 10:30am\"}}}"
done
tell "$knack_server" '{"reset":true}'; tell "$SODA_URL" '{"reset":true}'
run 0 'to-s3 --date: what was modified since' knack to-s3 --date 2026-11-20T16:00:00Z
is '... and nothing else' '2 2' "$(receipt '"\(.read) \(.put)"')"
is '... says since when' 2026-11-20T16:00:00Z "$(receipt .since)"
in_knack >want; in_s3 view_18 >got
same '... S3 is what Knack is' want got
run 0 'to-socrata --date' knack to-socrata --date "$since"
is '... upserts these two' '2 2' "$(receipt '"\(.read) \(.updated)"')"
is '... and replaces nothing' 0 "$(writes "$SODA_URL" '^PUT ')"
wanted_in_socrata >want; in_socrata >got
same '... Socrata is what Knack is' want got
run 0 'to-agol --date' knack to-agol --date "$(date -u -d "@$since" +%FT%TZ)"
is '... the same' '2 2 0 0' "$(receipt '"\(.read) \(.updated) \(.added) \(.deleted)"')"
wanted_in_agol >want; in_agol >got
same '... ArcGIS is what Knack is' want got
run 0 'to-s3 at a time past all of them' knack to-s3 --date 2026-11-21T00:00:00Z
is '... is empty' true "$(receipt .empty)"
EMPTY_EXIT=99 run 99 '... and has the status that was asked for' knack to-s3 --date 2026-11-21T00:00:00Z
is '... its receipt, too' true "$(receipt .empty)"
run 0 'and so is to-socrata' knack to-socrata --date "$(($(date +%s) + 3600))"
is '... as its receipt says' true "$(receipt .empty)"
run 0 'an empty --date is everything' knack to-s3 --date ''
is '... 25 records' '25 null' "$(receipt '"\(.read) \(.since)"')"
run 0 'OVERLAP reaches back' env OVERLAP=86400 "$flow/to-s3" "${app[@]}" -c view_18 -d 2026-11-21T00:00:00Z
is '... to these two' 2 "$(receipt .read)"

# ---- a container is not its neighbour ----

echo '{"id":"5d7964422d7159001659b27a","field_11":1}' | s3-put --each 's3://knack-test/all-fields-prod/view_180/{id}.json' >/dev/null
run 0 'the records of view_180 are none of view_18' knack to-socrata
is '... 25 records' 25 "$(receipt .read)"

# ---- into another app ----

jq '.application.id = "5d79512148c4af00106d15ff"' "$metadata" >other.json
start_server other python3 "$servers/knack.py" --metadata other.json --key hush-other-key --rate 0
their_app=(--app-name other --env prod --container object_3)
cat >knack.json <<-X
{"other": {"prod": {"app_id": "5d79512148c4af00106d15ff", "api_key": "hush-other-key"}}}
X
chmod 600 knack.json
into() {
	KNACK_URL=$other/v1 knack to-knack --app-name-dest other "$@"
}
run 0 'to-knack: all are new there' into
is '... and are created' '25 25 0' "$(receipt '"\(.read) \(.created) \(.updated)"')"
run 0 'to-knack again, although S3 knows nothing of them yet' into
is '... creates none twice' '0' "$(receipt .created)"
run 0 'their records into S3' env -u KNACK_APP_ID -u KNACK_API_KEY KNACK_URL="$other/v1" "$flow/to-s3" "${their_app[@]}"
said_not 'chmod'
run 0 'to-knack: nothing differs' into
is '... nothing moves' '0 true' "$(receipt '"\(.read) \(.empty)"')"
tell "$knack_server" "{\"update\":{\"object\":\"object_3\",\"id\":\"$first\",\"fields\":{\"field_7\":\"  moved  \"}}}"
knack to-s3 >/dev/null 2>&1
run 0 'to-knack: what differs' into
is '... is updated' '1 0 1' "$(receipt '"\(.read) \(.created) \(.updated)"')"
KNACK_APP_ID=5d79512148c4af00106d15ff KNACK_API_KEY=hush-other-key knack-fetch --quiet --object object_3 --base-url "$other/v1" |
    jq -r 'select(.field_8 == "moved") | "\(.field_10_raw) \(.field_6_raw)"' >got
in_knack | jq -r --arg id "$first" 'select(.id == $id) | "\(.field_11_raw) Extra Olives"' >want
same '... as the map says' want got

# ---- for a scheduler ----

run 0 'list apps' "$flow/list" apps
is '... as a scheduler maps them' '[{"APP":"all-fields"},{"APP":"other"}]' "$(cat out)"
run 0 'list containers' "$flow/list" containers
is '... with how they are published' 'view_18 replace replace,object_3 upsert upsert,view_1  ,view_12  ,object_3  ' \
    "$(receipt 'map("\(.CONTAINER) \(.SOCRATA) \(.AGOL)") | join(",")')"
run 0 'list copies' "$flow/list" copies
is '... with the app that each goes to' '[{"APP":"all-fields","CONTAINER":"view_18","DEST":"other"}]' "$(cat out)"
run 64 'list what?' "$flow/list"
run 64 'list something else' "$flow/list" views
echo '{"apps":' >bad.json
APPS=$work/bad.json run 78 'no configuration' "$flow/list" apps
APPS=$work/none.json run 78 'none there' "$flow/list" apps

quick_ends
# ---- what must not be ----

run 78 'a container that is not to be replaced' "$flow/to-socrata" "${app[@]}" --container object_3
said 'object_3 is not to be replaced (no_replace): give a --date'
run 78 '... nor in ArcGIS' "$flow/to-agol" "${app[@]}" --container object_3
run 0 '... but may be updated' "$flow/to-socrata" "${app[@]}" --container object_3 --date "$(($(date +%s) + 3600))"

wanted_in_socrata >want
tell "$SODA_URL" '{"faults":[{"match":"^/resource/kfld-test[.]json","kind":"status","status":500,"times":-1}]}'
run 69 'Socrata fails in a replace' knack to-socrata
tell "$SODA_URL" '{"reset":true}'
in_knack >/dev/null; knack to-s3 >/dev/null 2>&1
tell "$SODA_URL" '{"faults":[{"match":"^/resource/kfld-test[.]json","kind":"cut","times":1}]}'
run 0 '... or cuts the connection once' knack to-socrata
in_socrata >got; wanted_in_socrata >want
same '... the dataset is whole' want got

tell "$knack_server" '{"faults":[{"match":"/records","kind":"status","status":503,"times":-1}]}'
run 69 'Knack fails' knack to-s3
tell "$knack_server" '{"reset":true}'
run 77 'a key that Knack refuses' env KNACK_API_KEY=hush-wrong "$flow/to-s3" "${app[@]}" --container object_3
said KNACK_API_KEY
! grep -q hush out err; ok $? 'no secret is shown'
run 77 'a key that S3 refuses' env AWS_SECRET_ACCESS_KEY=hush-wrong "$flow/to-s3" "${app[@]}" --container view_18
run 78 'a bucket that is not there' env BUCKET=no-such-bucket "$flow/to-s3" "${app[@]}" --container view_18
said no-such-bucket
run 78 'no metadata yet' "$flow/to-socrata" --app-name all-fields --env dev --container view_18
said 'the metadata of all-fields is not in S3: run culvert knack metadata --app-name all-fields --env dev first'

tell "$knack_server" '{"faults":[{"match":"/records","kind":"latency","seconds":50}]}'
"$flow/to-s3" "${app[@]}" --container view_18 >first.out 2>first.err &
running=$!
wait_for holds 1 "$knack_server"
run 75 'a second one at the same time' knack to-s3
said 'another to-s3 of view_18 is running: try again later'
tell "$knack_server" '{"release":true}'
wait $running; ok $? '... leaves the first alone'

tell "$knack_server" '{"faults":[{"match":"/records","kind":"stall","seconds":30}]}'
CULVERT_RUN_ID=stopped.$$ "$flow/to-s3" "${app[@]}" --container view_18 >stopped.out 2>stopped.err &
running=$!
fetching() {
	[[ $(processes stopped) == *knack-fetch* ]]
}
wait_for fetching
kill -TERM $running; wait $running; is 'SIGTERM stops it' 143 $?
all_gone() {
	[ -z "$(processes stopped)" ]
}
wait_for all_gone
is '... and all of its processes' '' "$(processes stopped)"
tell "$knack_server" '{"reset":true}'

# ---- settings ----

run 64 'no app' "$flow/to-s3" --env prod --container view_18
run 64 'no container' "$flow/to-s3" "${app[@]}"
run 64 'an environment that is none' "$flow/to-s3" --app-name all-fields --env test --container view_18
run 0 'a date with zeros before it' knack to-s3 --date 0080 --dry-run
run 64 'a date that is none' knack to-s3 --date yesterday
run 64 'an option that is none' knack to-s3 --dates 1
run 64 'a path in the place of a name' "$flow/to-s3" --app-name ../x --env prod --container view_18
run 64 'no destination' knack to-knack
run 78 'an app that is not configured' "$flow/to-s3" --app-name nobody --env prod --container view_18
run 78 'a container that is not' "$flow/to-s3" "${app[@]}" --container view_99
run 78 'a view without its scene' "$flow/to-s3" "${app[@]}" --container view_12
said 'a view wants its scene'
run 78 'no dataset' "$flow/to-socrata" "${app[@]}" --container view_1
run 78 'no layer' "$flow/to-agol" "${app[@]}" --container view_1
run 78 'no map' "$flow/to-knack" "${app[@]}" --container view_1 --app-name-dest other
echo '{"apps":{"all-fields":{"containers":{"view_18":{"scene":"73"}}}}}' >bad.json
run 78 'a configuration that makes no sense' env APPS="$work/bad.json" "$flow/to-s3" "${app[@]}" --container view_18
said 'bad.json: see docs/knack.md for its format'
run 78 'a setting that makes no sense' env JOBS=many "$flow/to-s3" "${app[@]}" --container view_18
chmod 644 knack.json
run 0 'credentials that others may read' env -u KNACK_APP_ID -u KNACK_API_KEY KNACK_URL="$other/v1" "$flow/to-s3" "${their_app[@]}" --check
said 'knack.json can be read by others: chmod 600'
echo '{' >knack.json
run 78 'credentials that are no JSON' env -u KNACK_API_KEY "$flow/to-s3" "${app[@]}" --container view_18
said 'not valid JSON'
rm knack.json
run 0 '--check' knack to-s3 --check
said 'settings are good'
run 0 '--help' "$flow/to-s3" --help
tell "$knack_server" '{"reset":true}'
for command in metadata to-s3 to-socrata to-agol; do
	run 0 "--dry-run of $command" knack "$command" --dry-run
	grep -q '^sluice ' out; ok $? '... shows the pipeline' || cat out
	! grep -q hush out; ok $? '... and no secret'
done
jq '.apps["all-fields"].containers.view_18 += {zone: "Mars/Olympus", domain: "elsewhere.test", app: false}' apps.json >stray.json
APPS=$work/stray.json run 0 'members of a container that have the names of others' knack to-socrata --dry-run
grep -q 'America/Chicago' out && grep -q soda.test out && ! grep -q 'Mars\|elsewhere' out; ok $? '... change nothing' || cat out
is '... and asks nobody' 0 "$(writes "$knack_server" .)"
is 'no directory is left' '' "$(ls "$TMPDIR")"
done_testing
