#!/bin/bash
# The MDS flow from end to end: hours of trips from a provider through S3, encrypted, into PostgreSQL with their places, and on
# to Socrata; value by value against a reading that shares nothing with ours.  CULVERT_REAL_S3: with the real S3 server.
# Slow in its second part, which the quick run leaves out: each case is a whole run of the flow.
. "$(dirname "$0")/lib.sh"
. "$here/mds-place.sh"
start_place
receipt() {		# receipt FILTER: of the last command
	jq -r "$1" out
}
payload() {		# payload KEY: decrypted
	s3-get "s3://mds-test/$1" | fernet decrypt
}

# ---- one block ----

run 0 'extract' jump extract 2020-3-1-17
is '... its receipt' 'extract mds jump 1 0 20' "$(receipt '"\(.tool) \(.flow) \(.provider) \(.blocks) \(.failed) \(.trips)"')"
is '... the payload lies under the hour in which the block began' 'test/jump/2020/3/1/16/trips.json' "$(s3-list s3://mds-test/test/ | jq -r .key)"
is '... encrypted' gAAAAAB "$(s3-get s3://mds-test/test/jump/2020/3/1/16/trips.json | head -c 7)"
payload test/jump/2020/3/1/16/trips.json | jq -c '.data.trips[]' | jq -cS . | sort >got
truth 2020-03-01T22:00:00Z 2020-03-01T23:00:00Z | jq -cS . | sort >want
same '... it is the trips that the provider has for that hour' want got
is '... the block says so' '2 test/jump/2020/3/1/16/trips.json Successfully uploaded to S3 20' "$(block 2020-3-1-17 status_id payload message payload_trips_count)"
run 0 'sync-db' jump sync-db 2020-3-1-17
is '... its receipt' '1 0 20 0' "$(receipt '"\(.blocks) \(.failed) \(.trips) \(.errors)"')"
wanted_in_database 2020-03-01T22:00:00Z 2020-03-01T23:00:00Z >want; in_database >got
same '... each trip, its places and all, is what an independent reading makes of it' want got
is '... some of them lie in a district' true "$(jq -s 'any(.[]; .council_district_start != null) and any(.[]; .orig_cell_id != null)' got)"
is '... the block says so' '5 20 20 0 false' "$(block 2020-3-1-17 status_id records_total records_processed records_error_count rerun_flag)"
is '... in the words of before' 'Success 20 20 20 0' "$(block 2020-3-1-17 message | jq -r '"\(.message) \(.total_trips) \(.trips_valid) \(.trips_success) \(.trips_error)"')"
run 0 'sync-socrata' jump sync-socrata 2020-3-1-17
is '... its receipt' '1 0 20' "$(receipt '"\(.blocks) \(.failed) \(.trips)"')"
wanted_in_socrata >want; in_socrata >got
same '... what is published is what an independent reading makes of the table' want got
is '... no coordinates, nor ids of the provider' 0 "$(grep -cE 'latitude|longitude|-97\.|cell|[0-9a-f]{8}-' got)"
is '... the block says so' '8 20 0' "$(block 2020-3-1-17 status_id socrata_status | sed 's/ .*//') $(block 2020-3-1-17 socrata_status | jq -r '"\(."Rows Created") \(.Errors)"')"

# ---- again ----

in_database >before; in_socrata >published
run 0 'extract again: nothing is to be done' jump extract 2020-3-1-17
is '... and it says so' '0 1 true' "$(receipt '"\(.blocks) \(.left_alone) \(.empty)"')"
EMPTY_EXIT=99 run 99 '... by its status, too, if asked' jump extract 2020-3-1-17
EMPTY_EXIT=99 run 99 'run: nothing is to be done' jump run 2020-3-1-17 --no-logs --incomplete-only
is '... and it says so' '0 true' "$(receipt '"\(.blocks) \(.empty)"')"
for command in extract sync-db sync-socrata; do
	run 0 "$command --force" jump $command 2020-3-1-17 --force
done
in_database >got; same 'a block done twice is as a block done once' before got
in_socrata >got; same '... published too' published got
is '... with the devices numbered once' 0 "$(sql 'SELECT count(*) - count(DISTINCT device_id) FROM api.device')"

# ---- for a scheduler ----

run 0 'blocks of a time' mds blocks --since 2020-03-01T20:00:00Z --until 2020-03-02T00:00:00Z
is '... that are not published, the oldest first, as a scheduler maps them' \
    '[{"PROVIDER":"jump","BLOCK":"2020-3-1-15"},{"PROVIDER":"jump","BLOCK":"2020-3-1-16"},{"PROVIDER":"jump","BLOCK":"2020-3-1-18"}]' "$(cat out)"
run 0 '... at most so many' mds blocks --since 2020-03-01T20:00:00Z --until 2020-03-02T00:00:00Z --limit 1
is '... the first' '[{"PROVIDER":"jump","BLOCK":"2020-3-1-15"}]' "$(cat out)"
said '3 blocks: these are the first 1 of them'
run 0 'blocks that nobody made' mds blocks --since 2020-11-01T05:00:00Z --until 2020-11-01T09:00:00Z --providers jump
is '... are made: where the clock goes back, one of two hours' '2020-11-1-1 2020-11-1-2 2020-11-1-3' "$(receipt 'map(.BLOCK) | join(" ")')"
run 0 'a time without the end of an hour' mds blocks --since 2020-03-01T20:10:00Z --until 2020-03-01T20:50:00Z
is '... has none' '[]' "$(cat out)"
run 64 'no time' mds blocks --since yesterday --until 2020-03-01T20:50:00Z
run 64 'no limit' mds blocks --since 2020-03-01T20:10:00Z --until 2020-03-01T20:50:00Z --limit 0
run 64 'the old name of --since' mds blocks --from 2020-03-01T20:10:00Z; said '--from is now --since'
run 64 'a value is missing' mds blocks --since
mds-schedule claim --provider jump --time-max 2020-3-1-18 --interval 1 --any-status --worker-pid $$ >claimed
run 75 'a block that another worker has is to be tried again' jump run 2020-3-1-18 --no-logs --incomplete-only
said 'jump 2020-3-1-18: another worker has it: try again later'
is '... it was left alone' '0 1' "$(block 2020-3-1-18 status_id) $(receipt 'select(.tool == "run").taken')"
jq -c '{schedule_id, claim}' claimed | mds-schedule set --release >released

# ---- a range, and the boundaries of before ----

run 0 'run --interval 3' mds run --provider jump --time-max 2020-3-1-20 --interval 3 --no-logs
is '... three blocks' '3 0' "$(receipt 'select(.tool == "run") | "\(.blocks) \(.failed)"')"
is '... 18, 19 and 20' '18 19 20' "$(mds-schedule list --provider jump --time-min 2020-3-1-17 --time-max 2020-3-1-23 --status 8 | jq -r .hour | xargs)"
run 0 'run --time-min' mds run --provider jump --time-min 2020-3-1-20 --time-max 2020-3-1-23 --jobs 2
wanted_in_database 2020-03-01T22:00:00Z 2020-03-02T05:00:00Z >want; in_database >got
same '... side by side: all of them are there' want got
wanted_in_socrata >want; in_socrata >got
same '... and published' want got
[ -s "$LOGS/jump/jump-2020-3-1-21-extract.log" ]; ok $? '... with a log a command'
[ -e "$LOGS/jump/jump-2020-3-1-21-sync-db-error.log" ]; ok $? '... and one of errors'
run 0 'run --dry-run' mds run --provider jump --time-max 2020-3-1-23 --interval 2 --force --dry-run --no-sync-socrata
cat >want <<X
$flow/extract --provider jump --time-max 2020-3-1-22 --interval 1 --force
$flow/sync-db --provider jump --time-max 2020-3-1-22 --interval 1 --force
$flow/extract --provider jump --time-max 2020-3-1-23 --interval 1 --force
$flow/sync-db --provider jump --time-max 2020-3-1-23 --interval 1 --force
X
same '... prints each command' want out
run 0 'run by a service, whose words go to a socket' python3 -c 'import socket, subprocess, sys
ours, theirs = socket.socketpair()
sys.exit(subprocess.run(sys.argv[1:], stdout=theirs, stderr=theirs).returncode)' "$flow/run" --provider jump --time-max 2020-3-1-23 --force --no-logs
mkdir -p full/jump; ln -s /dev/full full/jump/jump-2020-3-1-23-extract.log
run 74 'run, when the disk with its logs is full' env LOGS=full "$flow/run" --provider jump --time-max 2020-3-1-23 --force
is '... has done its work' 8 "$(block 2020-3-1-23 status_id)"
mkdir etc; cp "$data"/austin/*.json etc/; grep -v '_GEOJSON=' "$flow/mds.conf" >etc/mds.conf
for name in "$CENSUS_GEOJSON" "$DISTRICTS_GEOJSON" "$HEX_GEOJSON"; do basename "$name"; done | paste -d= <(echo CENSUS_GEOJSON; echo DISTRICTS_GEOJSON; echo HEX_GEOJSON) - >>etc/mds.conf
run 0 'run --conf, and what lies beside it' env -u CENSUS_GEOJSON -u DISTRICTS_GEOJSON -u HEX_GEOJSON "$flow/run" --provider jump --time-max 2020-3-1-23 --force --conf etc/mds.conf
mkdir docker && printf '#!/bin/sh\n' >docker/docker && chmod +x docker/docker	# it has to be there, and is not run
PATH=$work/docker:$PATH run 0 'run in containers' mds run --provider jump --time-max 2020-3-1-16 --dry-run --no-extract --no-sync-db --docker-mode --env-file e.env --docker-args '--network host'
is '... prints how' 'docker run --rm --env-file e.env --network host culvert scripts/mds/sync-socrata --provider jump --time-max 2020-3-1-16 --interval 1' "$(cat out)"
run 64 '--docker-mode without --env-file' mds run --provider jump --time-max 2020-3-1-16 --docker-mode
run 0 '--interval 0 selects nothing' mds extract --provider jump --time-max 2020-3-1-16 --interval 0
is '... and says so' true "$(receipt .empty)"
run 64 'no --time-max' mds run --provider jump --time-min 2020-3-1-16
run 64 'no --provider' mds run --time-max 2020-3-1-16
run 65 'blocks that were never made' jump extract 2021-1-1-1
said 'mds-schedule seed'

# ---- an hour without trips is marked, and the range goes on ----

tell "$provider" '{"faults":[{"path":"/trips","kind":"envelope","with":[],"times":1}]}'
run 0 'an hour without trips' mds extract --provider jump --time-max 2020-3-1-3 --interval 3
run 0 '... is loaded with the others' mds sync-db --provider jump --time-max 2020-3-1-3 --interval 3
is '... and marked' '7 No trips per MDS payload,5,5' "$(block 2020-3-1-1 status_id message),$(block 2020-3-1-2 status_id),$(block 2020-3-1-3 status_id)"

quick_ends
# ---- what the provider may do ----

outcome_of() {		# outcome_of NAME STATUS STATUS_ID FAULT: block 5 meets it
	tell "$provider" "{\"faults\":[{\"path\":\"/trips\",$4}]}"
	run "$2" "$1" jump extract 2020-3-1-5
	tell "$provider" '{"reset":true}'
	is '... the block waits for another try' "$3" "$(block 2020-3-1-5 status_id)"
}
outcome_of '401' 77 -2 '"kind":"status","status":401,"times":-1'
outcome_of 'not ready (202)' 75 -1 '"kind":"status","status":202,"times":-1'
outcome_of 'not served (404)' 66 -3 '"kind":"status","status":404,"times":-1'
outcome_of '429' 75 -1 '"kind":"status","status":429,"headers":{"Retry-After":"86400"},"times":-1'
configure '{"max_attempts":4}'
tell "$provider" '{"reset":true,"faults":[{"path":"/trips","kind":"status","status":500,"times":-1}]}'
run 69 '500' jump extract 2020-3-1-5
is '... after as many tries as the provider is configured for' 4 "$(curl -fsS "$provider/log" | jq -r .target | grep -c ^/trips)"
tell "$provider" '{"reset":true}'
configure '{}'
outcome_of 'an HTML page' 76 -2 '"kind":"html","times":-1'
is '... with why' true "$(block 2020-3-1-5 message | grep -q 'text/html' && echo true)"
run 0 'and then it is fetched' jump extract 2020-3-1-5
is '... without another word' '2 Successfully uploaded to S3' "$(block 2020-3-1-5 status_id message)"

spoilt() {		# spoilt LABEL SPOIL: a block whose first trip is spoilt so
	tell "$provider" "{\"faults\":[{\"path\":\"/trips\",\"kind\":\"spoil\",\"rows\":[0],$2,\"times\":1}]}"
	run 0 "extract: $2" jump extract "$1"
	run 0 '... sync-db' jump sync-db "$1"
}
for fault in no_route one_point empty_route swapped null_coordinates seconds extra; do
	spoilt 2020-3-1-6 "\"quirk\":\"$fault\""
	is '... 19 of 20 are in, and it says which is not' '6 20 19 1 true' "$(block 2020-3-1-6 status_id records_total records_processed records_error_count rerun_flag)"
	is '... by its id' 1 "$(block 2020-3-1-6 error_payload | jq '.error_trip_ids | length')"
	sql "UPDATE api.schedule SET status_id = 0 WHERE date = '2020-03-01 06:00'"
done
spoilt 2020-3-1-7 '"quirk":"large_route","bytes":5242880'
is '... 5 MiB of route are no fault' '5 20' "$(block 2020-3-1-7 status_id records_processed)"
spoilt 2020-3-1-8 '"quirk":"outside"'
is 'a trip outside the hour is kept, and counted' '5 20 1' "$(block 2020-3-1-8 status_id records_processed trips_outside)"
tell "$provider" '{"faults":[{"path":"/trips","kind":"duplicate","times":1}]}'
run 0 'the same trip twice' jump extract 2020-3-1-9
run 0 '... sync-db' jump sync-db 2020-3-1-9
is '... is one row' '5 21 21 1' "$(block 2020-3-1-9 status_id records_total records_processed trips_duplicate)"
tell "$provider" '{"set":{"quirk":["extra"]}}'
run 0 'a payload of bad trips only' jump extract 2020-3-1-10
tell "$provider" '{"set":{"quirk":[]}}'
run 0 '... is loaded' jump sync-db 2020-3-1-10
is '... as -6' '-6 20 0 20 true' "$(block 2020-3-1-10 status_id records_total records_processed records_error_count rerun_flag)"
run 0 '... and publishing it' jump sync-socrata 2020-3-1-10
is '... is 8, as before' 8 "$(block 2020-3-1-10 status_id)"

# ---- bad trips, kept apart; and nothing of one in a message ----

mkdir bad
REJECTS=bad run 0 'bad trips, with REJECTS' jump sync-db 2020-3-1-10 --force
is '... lie there' 'jump-2020-3-1-10.mds-trips.ndjson 20' "$(cd bad && echo *) $(wc -l <bad/jump-2020-3-1-10.mds-trips.ndjson)"
is '... for their owner alone' 600 "$(stat -c %a bad/*)"
REJECTS=bad MAX_REJECTS=5 run 65 'more of them than MAX_REJECTS' jump sync-db 2020-3-1-10 --force
said 'see bad/jump-2020-3-1-10.mds-trips.ndjson'
[ -s bad/jump-2020-3-1-10.mds-trips.ndjson ]; ok $? '... and there they are'
MAX_REJECTS=5 run 65 '... without REJECTS' jump sync-db 2020-3-1-10 --force
said 'set REJECTS to keep them'
said_not "${TMPDIR:-/tmp}/culvert-sync-db"
run 0 'the hour again, well this time' jump extract 2020-3-1-10 --force
REJECTS=bad run 0 '... is loaded' jump sync-db 2020-3-1-10 --force
is '... and those of the try before are no more' '' "$(ls bad)"
truth 2020-03-01T15:00:00Z 2020-03-01T16:00:00Z | jq -r '.trip_id, .device_id, (.route.features[].geometry.coordinates[])' | sort -u >private
sql 'UPDATE api.trips SET accuracy = accuracy + 1'
sql 'ALTER TABLE api.trips ADD CONSTRAINT near CHECK (trip_distance < 0) NOT VALID'
run 65 'trips that the table itself refuses' jump sync-db 2020-3-1-10 --force
said 'violates check constraint "near"'
is '... the block says by which rule' true "$(block 2020-3-1-10 message | grep -qF 'constraint "near"' && echo true)"
{ cat err; block 2020-3-1-10 message; } >words
is '... and nobody says where somebody went' '' "$(grep -aoFf private words | head -n 3)"
sql 'ALTER TABLE api.trips DROP CONSTRAINT near'
sql 'UPDATE api.trips SET accuracy = accuracy - 1'
run 0 '... which it does not any more' jump sync-db 2020-3-1-10

# ---- the other versions ----

label=10
for version in 0.2 0.4 1.2 2.0; do
	label=$((label + 1))
	tell "$provider" "{\"set\":{\"version\":\"$version\"}}"
	configure "{\"version\":\"$version.0\"}"
	run 0 "MDS $version" mds run --provider jump --time-max 2020-3-1-$label --no-logs
	is '... all trips are in' '8 20 20' "$(block 2020-3-1-$label status_id records_total records_processed)"
	wanted_in_database "2020-03-01T$((label + 5)):00:00Z" "2020-03-01T$((label + 6)):00:00Z" |
	    jq -cS '[.trip_id, .end_time, .trip_duration, .start_longitude, .end_latitude, .orig_cell_id, .council_district_end, .census_geoid_start]' >want
	in_database | jq -cS --arg hour "2020-03-01T$((label + 5))" 'select(.end_time | startswith($hour)) |
	    [.trip_id, .end_time, .trip_duration, .start_longitude, .end_latitude, .orig_cell_id, .council_district_end, .census_geoid_start]' >got
	same '... as they are' want got
done
tell "$provider" '{"set":{"version":"0.3"}}'
configure '{}'

# ---- daylight saving: every UTC hour once ----

seed 2020-10-31-22 2020-11-1-4
seed 2020-3-7-22 2020-3-8-5
tell "$provider" '{"set":{"version":"0.4"}}'
configure '{"version":"0.4.0"}'
run 0 'the night in which daylight saving ends' mds extract --provider jump --time-min 2020-10-31-22 --time-max 2020-11-1-4 
run 0 '... and the one in which it begins' mds extract --provider jump --time-min 2020-3-7-22 --time-max 2020-3-8-5
run 0 '... are loaded' mds sync-db --provider jump --time-min 2020-10-31-22 --time-max 2020-11-1-4
run 0 '... both' mds sync-db --provider jump --time-min 2020-3-7-22 --time-max 2020-3-8-5
curl -fsS "$provider/log" | jq -r .target | grep -o 'end_time=2020-\(11\|10-31\|03-08\)[^&]*' | sort >asked
is '... no UTC hour is asked for twice' "$(sort -u asked | wc -l)" "$(wc -l <asked)"
is '... nor left out' 1 "$(grep -c 'end_time=2020-11-01T05' asked)"
{ wanted_in_database 2020-11-01T03:00:00Z 2020-11-01T10:00:00Z; wanted_in_database 2020-03-08T04:00:00Z 2020-03-08T10:00:00Z; } | jq -r .trip_id | sort >want
in_database | jq -r 'select(.end_time | test("2020-(11-01|03-08)")) | .trip_id' | sort >got
same '... all trips of these nights are there' want got
tell "$provider" '{"set":{"version":"0.3"}}'
configure '{}'

# ---- what may be wrong on our side ----

run 0 'a block in S3' jump extract 2020-3-2-0
run 65 'the wrong Fernet key' env FERNET_KEY="$(fernet keygen)" "$flow/sync-db" --provider jump --time-max 2020-3-2-0
said 'wrong key'
is '... is said in the schedule' -5 "$(block 2020-3-2-0 status_id)"
s3-get s3://mds-test/test/jump/2020/3/1/23/trips.json >token
# The second has another character in one place, whichever was there.
for how in 'head -c -40 token' "sed 's/^\(.\{300\}\)A/\1B/; t; s/^\(.\{300\}\)./\1A/' token"; do
	sh -c "$how" | s3-put s3://mds-test/test/jump/2020/3/1/23/trips.json >/dev/null
	run 65 "a token that is not whole: $how" jump sync-db 2020-3-2-0
	is '... loads nothing' 0 "$(sql "SELECT count(*) FROM api.trips WHERE end_time >= '2020-03-02T05:00Z' AND end_time < '2020-03-02T06:00Z'")"
done
s3-put s3://mds-test/test/jump/2020/3/1/23/trips.json <token >/dev/null
run 0 'the right one' jump sync-db 2020-3-2-0
is '... loads it' '5 20' "$(block 2020-3-2-0 status_id records_processed)"
run 0 'run takes no block that is loaded' jump run 2020-3-2-0 --dry-run
same '... and would do nothing' /dev/null out
run 0 '... with --incomplete-only it does, until it is published' jump run 2020-3-2-0 --dry-run --incomplete-only
is '... by three commands' 3 "$(grep -c 2020-3-2-0 out)"
run 78 'no key at all' env -u FERNET_KEY "$flow/extract" --provider jump --time-max 2020-3-1-15
said 'FERNET_KEY'
run 0 'the key by its old name' env -u FERNET_KEY ATD_MDS_FERNET_KEY="$FERNET_KEY" ATD_MDS_BUCKET=mds-test "$flow/extract" --provider jump --time-max 2020-3-1-15
run 69 'S3 is gone' env AWS_ENDPOINT_URL=http://127.0.0.1:9 "$flow/sync-db" --provider jump --time-max 2020-3-1-15
is '... the block is still to be loaded' -5 "$(block 2020-3-1-15 status_id)"
run 0 '... and is, when S3 is back' jump sync-db 2020-3-1-15
run 78 'another provider' mds extract --provider lime --time-max 2020-3-1-15
said 'no such provider'
sql "DELETE FROM api.schedule WHERE date = '2020-03-01 15:00'"
run 65 'the row is gone' jump sync-db 2020-3-1-15
said 'mds-schedule seed'

# ---- configurations ----

echo '{"SOCRATA_DATASET":"mds0-trip","SOCRATA_DATA_ENDPOINT":"soda.test","SOCRATA_KEY_ID":"id","SOCRATA_KEY_SECRET":"'$SOCRATA_KEY_SECRET'"}' >settings.json
run 0 'config --upload' sh -c "'$flow/config' --file settings --upload <settings.json"
run 0 'config --download' mds config --file settings --download
same '... gives it back' settings.json out
run 74 'config --download, where nothing can be written' sh -c '"$@" >/dev/full' - "$flow/config" --file settings --download
said 'stdout: it was not written'
run 74 'a receipt that nobody gets' sh -c '"$@" >/dev/full' - "$flow/sync-db" --provider jump --time-max 2020-3-2-0 --force
said 'stdout: the receipt was not written'
is '... of a block that is loaded' 5 "$(block 2020-3-2-0 status_id)"
is '... it is encrypted there' gAAAAAB "$(s3-get s3://mds-test/config/settings_test.json | head -c 7)"
run 0 'sync-socrata finds its login there' env -u SOCRATA_DATASET -u SOCRATA_DOMAIN -u SOCRATA_KEY_ID -u SOCRATA_KEY_SECRET \
    "$flow/sync-socrata" --provider jump --time-max 2020-3-2-0
is '... and publishes' '8' "$(block 2020-3-2-0 status_id)"
run 65 'what is no JSON is not uploaded' sh -c "echo nonsense | '$flow/config' --file settings --upload"
run 0 'config --edit' env EDITOR="sed -i s/soda.test/soda.example/" "$flow/config" --file settings --edit
run 0 '... has changed it' sh -c "'$flow/config' --file settings --download | grep -q soda.example"
run 0 'config --production' sh -c "PROVIDERS=config/mine.json '$flow/config' --file providers --upload --production <settings.json"
s3-get s3://mds-test/config/providers_production.json | fernet decrypt >got
same '... is of that stage whatever the other has' settings.json got
run 0 'config --plain-text of a file' mds config --file settings.json --upload --plain-text --upload-path config/other.json
is '... lies there in clear' '{' "$(s3-get s3://mds-test/config/other.json | head -c 1)"

# ---- what is run dies half-way: the block is as it was, and free ----

mkdir dying
ln -s "$(dirname "$(command -v fernet)")"/* dying/
for tool in ndjson2csv jq cat fernet; do
	path=$(command -v $tool)
	rm -f dying/$tool
	printf '#!/bin/sh\ncase "%s $* END" in *"$KILLED"*) kill -KILL $$ ;; *"$FULL"*) echo "%s: No space left on device" >&2; exit 74 ;; esac\nexec "%s" "$@"\n' \
	    $tool $tool "$path" >dying/$tool
	chmod +x dying/$tool
done
dying() {		# dying VARIABLE=WORDS COMMAND LABEL [ARGUMENT...]: a tool that is called so is KILLED, or finds the disk FULL
	env CULVERT_BIN="$work/dying" KILLED=@none FULL=@none "$1" "$flow/$2" --provider jump --time-max "$3" "${@:4}"
}
is_free() {		# is_free STATUS LABEL
	is '... it is as it was, and nobody has it' "$1 0" "$(block "$2" status_id) $(sql 'SELECT count(*) FROM api.schedule WHERE claim IS NOT NULL')"
	sql 'UPDATE api.schedule SET claim = NULL'
}
seed 2020-3-4-0 2020-3-4-4
run 137 'extract: who reads the receipt' dying KILLED='ndjson2csv --columns written' extract 2020-3-4-1
is_free 0 2020-3-4-1
tell "$provider" '{"faults":[{"path":"/trips","kind":"spoil","rows":[0],"quirk":"no_route","times":1}]}'
jump extract 2020-3-4-1 >out 2>err
for words in 'ndjson2csv --columns read' 'ndjson2csv --columns rejected' 'jq -cn --argjson n'; do
	run 137 "sync-db: $words" dying KILLED="$words" sync-db 2020-3-4-1
	is_free 2 2020-3-4-1
done
run 0 '... and then it is loaded' jump sync-db 2020-3-4-1
is '... with what was bad' '6 19 1' "$(block 2020-3-4-1 status_id records_processed) $(block 2020-3-4-1 error_payload | jq '.error_trip_ids | length')"
run 137 'sync-socrata' dying KILLED='ndjson2csv --columns created' sync-socrata 2020-3-4-1
is_free 6 2020-3-4-1
run 74 'extract --file, without room for the payload' dying FULL='cat '"$TMPDIR"'/culvert-extract' extract 2020-3-4-2 --file hour.json
said 'the payloads could not be kept in'
is_free 0 2020-3-4-2
run 74 '... nor for all of them' dying FULL='/payloads END' extract 2020-3-4-3 --file hour.json
said 'hour.json: it could not be written'
is '... is no file' '' "$(ls hour.json* 2>/dev/null)"
run 0 'extract --file' mds extract --provider jump --time-max 2020-3-4-3 --interval 3 --force --file hour.json
is '... has each payload' '20 20 20' "$(jq -r '[.[].data.trips | length] | join(" ")' hour.json)"
run 0 '... of no block' jump extract 2020-3-4-3 --file hour.json
is '... none' '[]' "$(jq -c . hour.json)"
run 74 'a configuration, without room for it' dying FULL='fernet decrypt' extract 2020-3-4-4
said_not FERNET_KEY

# ---- by make ----

seed 2020-3-5-0 2020-3-5-3
run 0 'make: blocks side by side' make -s -j2 -C "$top" mds-jump-2020-3-5-1 mds-jump-2020-3-5-2
is '... each is done' '8 8' "$(block 2020-3-5-1 status_id) $(block 2020-3-5-2 status_id)"
is '... has its receipt' '1 1' "$(jq 'select(.tool == "run").blocks' out | paste -sd ' ')"
is '... and says what it says in one piece' 2 "$(grep -o '2020-3-5-[12] [a-z]' err | cut -d ' ' -f 1 | uniq | wc -l)"
run 2 'make: a provider that is none' make -s -C "$top" mds-no-such-2020-3-5-1
said 'no-such'

# ---- all of it again ----

sql 'UPDATE api.trips SET vehicle_type = vehicle_type'
run 0 'resync-socrata' mds resync-socrata --time-min 2020-2-1-0 --time-max 2020-12-1-0
wanted_in_socrata >want; in_socrata >got
same '... Socrata is what the database is' want got
is 'nothing of a run is left in TMPDIR' '' "$(ls "$TMPDIR")"
is 'nor in the database' 0 "$(sql "SELECT count(*) FROM api.schedule WHERE claim IS NOT NULL")"
done_testing
