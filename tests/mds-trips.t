#!/bin/sh
. "$(dirname "$0")/lib.sh"
oracle() {
	/usr/bin/python3 "$here/mds_trips_oracle.py" "$@"
}

# a_trip [JQ-FILTER]: one good trip of 0.3, in a line
cat >trip.json <<'IN'
{"provider_id":"0309585e-599f-4e57-ac85-ffffffffffff","provider_name":"VeoRide INC.","device_id":"da9e067b-7b40-4d2d-8053-aaaaaaaaaaaa",
"vehicle_id":"VID120SF","vehicle_type":"scooter","propulsion_type":["electric"],"trip_id":"b3ca5c86-7f45-4544-bf58-111111111111",
"trip_duration":957,"trip_distance":1879,"route":{"type":"FeatureCollection","features":[
{"type":"Feature","properties":{"timestamp":1581433705000},"geometry":{"type":"Point","coordinates":[-97.738363,30.2667]}},
{"type":"Feature","properties":{"timestamp":1581433705000},"geometry":{"type":"Point","coordinates":[-97.738561,30.25]}}]},
"accuracy":0,"start_time":1581433705000,"end_time":1581434662250}
IN
tr -d '\n' <trip.json >in.ndjson; echo >>in.ndjson
a_trip() {
	case ${1-.} in
	.) cat in.ndjson ;;
	*) jq -c "$1" in.ndjson ;;
	esac
}
# bad NAME JQ-FILTER COLUMN REASON [OPTION...]: the trip so changed is refused, for that
bad() {
	name=$1 column=$3 reason=$4
	a_trip "$2" >bad.ndjson
	shift 4
	run 65 "$name" mds-trips "$@" bad.ndjson
	said "mds-trips: bad.ndjson:1: column \"$column\": $reason"
}
good() {
	name=$1
	a_trip "$2" >good.ndjson
	shift 2
	run 0 "$name" mds-trips "$@" good.ndjson
}
field() {		# field NAME VALUE: of the last record
	got=$(jq -c ".$1" out)
	[ "$got" = "$2" ]; ok $? "... $1 is $2" || echo "# $got"
}

t 'a trip, flat' 0 mds-trips <<'IN' 3<<'OUT'
{"provider_id":"0309585e-599f-4e57-ac85-ffffffffffff","trip_id":"b3ca5c86-7f45-4544-bf58-111111111111","provider_name":"A \"b\" \u00e9","device_id":"d","vehicle_id":"v","vehicle_type":"scooter","propulsion_type":["human", "electric"],"trip_duration":957.0,"trip_distance":1.879e3,"route":{"features":[{"geometry":{"coordinates":[-97.7383630,30.2667,4]}},7,{"x":[{}],"geometry":{"coordinates":[-9.7738561E1,30.25]}}]},"accuracy":0,"start_time":1581433705000,"end_time":1581434662250,"actual_cost":330}
IN
{"trip_id":"b3ca5c86-7f45-4544-bf58-111111111111","provider_id":"0309585e-599f-4e57-ac85-ffffffffffff","provider_name":"A \"b\" \u00e9","device_id":"d","vehicle_id":"v","vehicle_type":"scooter","propulsion_type":["human", "electric"],"trip_duration":957.0,"trip_distance":1.879e3,"accuracy":0,"start_time":"2020-02-11T15:08:25Z","end_time":"2020-02-11T15:24:22.250Z","publication_time":null,"standard_cost":null,"actual_cost":330,"currency":null,"parking_verification_url":null,"start_longitude":-97.7383630,"start_latitude":30.2667,"end_longitude":-9.7738561E1,"end_latitude":30.25}
OUT
t 'as CSV' 0 mds-trips --to csv in.ndjson 3<<'OUT'
trip_id,provider_id,provider_name,device_id,vehicle_id,vehicle_type,propulsion_type,trip_duration,trip_distance,accuracy,start_time,end_time,publication_time,standard_cost,actual_cost,currency,parking_verification_url,start_longitude,start_latitude,end_longitude,end_latitude
b3ca5c86-7f45-4544-bf58-111111111111,0309585e-599f-4e57-ac85-ffffffffffff,VeoRide INC.,da9e067b-7b40-4d2d-8053-aaaaaaaaaaaa,VID120SF,scooter,"[""electric""]",957,1879,0,2020-02-11T15:08:25Z,2020-02-11T15:24:22.250Z,,,,,,-97.738363,30.2667,-97.738561,30.25
OUT
t 'CSV is no input' 65 mds-trips 3</dev/null <<'IN'
trip_id,provider_id
1,2
IN
said ':1: not a JSON object'
t 'an answer that was not taken apart' 65 mds-trips 3</dev/null <<'IN'
[{"trip_id":1}]
IN
said 'use json-explode'
samples() {		# samples DIRECTORY WHOSE
	for sample in valid valid_long valid_short; do
		tr -d '\n' <"$1/trip_sample_data_$sample.json" >sample.json
		run 0 "$2: $sample" mds-trips sample.json
	done
	tr -d '\n' <"$1/trip_sample_data_not_valid.json" >sample.json
	run 65 '... not_valid' mds-trips sample.json
	said 'column "provider_name": is missing'
}
samples "$data/mds" 'a sample'
if have_real mds/trip_sample_data_valid.json; then samples "$real_data/mds" "the old loader's sample"; fi
# Good and bad trips of each version: those that have no member named wrong, and no others, are taken.
jq -c '.trip + {version}' "$data/mds/trips.ndjson" >versions.ndjson
run 0 'trips of four versions' mds-trips -q --schema-version auto --version-field version --rejects rejects.json versions.ndjson
[ "$(wc -l <out)" -gt 15 ] && [ "$(wc -l <rejects.json)" -gt 40 ]; ok $? '... some are good and some are bad'
jq -c '[.line, (.column | split(".")[0])]' rejects.json >got
jq -c 'select(.wrong) | [input_line_number, .wrong]' "$data/mds/trips.ndjson" >want
same '... the bad ones by the member that is wrong' want got

# Each version's rules against a JSON Schema of it, over thousands of mutants; and that one against the specification's own.
# The quick run has half of the versions.
versions='old 0.2 0.3 0.4 1.0 1.1 1.2 2.0'
[ -z "${CULVERT_QUICK:-}" ] || versions='old 0.4 1.2 2.0'
oracle make "$data/mds/schema" $versions >made
for rules in $versions; do
	version=$rules
	[ "$rules" != old ] || version=0.3
	grep -q "^$rules: " made; ok $? "$rules: mutants are made"
	[ "$(wc -l <"m-$rules.ndjson")" -gt 3000 ]; ok $? '... thousands of them'
	run 0 "$rules: all of them go through" sh -c 'mds-trips -q --schema-version $0 --mds-version $1 --rejects rejects.json m-$0.ndjson' "$rules" "$version"
	cp out records
	run 0 "$rules: each verdict, record and reason is right" oracle compare "m-$rules" records rejects.json
done
if [ -z "${CULVERT_QUICK:-}" ] && have_real mds/schema; then
	oracle agree "$data/mds/schema" "$real_data/mds/schema" 0.2 0.3 0.4 1.0 1.1 1.2 >agreed
	for rules in 0.2 0.3 0.4 1.0 1.1 1.2; do
		grep -q "^$rules: agrees: " agreed
		ok $? "$rules: our schema takes the mutants that the specification's takes" || grep "^$rules: " agreed | head | sed 's/^/# /'
	done
fi
mds-trips -q --schema-version 1.1 --mds-version 1.2 --rejects rejects.json m-1.2.ndjson >records
run 1 'rules of the wrong version show' oracle compare m-1.2 records rejects.json

# Versions
jq -c '. + {v: "0.2.1"} | .start_time = 1581433705.25 | .end_time = 1581433706' trip.json >mixed.ndjson
jq -c '. + {v: "0.3"}' trip.json >>mixed.ndjson
jq -c '. + {v: "1.2.0", propulsion_types: .propulsion_type} | del(.propulsion_type)' trip.json >>mixed.ndjson
jq -c '{v: "2.0.0", provider_id, device_id, trip_id, duration: 5, distance: 6, start_time, end_time, start_location: {lat: 30.5, lng: -97.5}, end_location: {lng: -97.25, lat: 30.25}}' trip.json >>mixed.ndjson
run 0 '--version-field: each by its own' mds-trips -q --version-field v mixed.ndjson
jq -c '[.start_time, .trip_duration, .propulsion_type, .start_longitude, .end_latitude]' out >got
cat >want <<'OUT'
["2020-02-11T15:08:25.250Z",957,["electric"],-97.738363,30.25]
["2020-02-11T15:08:25Z",957,["electric"],-97.738363,30.25]
["2020-02-11T15:08:25Z",957,["electric"],-97.738363,30.25]
["2020-02-11T15:08:25Z",5,null,-97.5,30.25]
OUT
same '... and its fields' want got
bad 'the field is a member like others where nobody says so' '.v = "0.3"' v 'is no member of a trip'
bad 'no version' . v 'is missing: see --mds-version' --version-field v
good 'no version, but one for all such' . --version-field v --mds-version 0.4
bad 'no version of MDS' '.v = "0.33"' v 'is no version of MDS that is known here' --version-field v
bad 'a number for one' '.v = 0.1' v 'is no version of MDS that is known here' --version-field v
bad 'the default for 0.4 is the old rules' '.currency = 5' currency 'is a number, want a string or null' --mds-version 0.4
good '... so is what the schema has not' '.vehicle_type = "truck"' --mds-version 0.4
bad '... for 1.0 it is the schema' '.vehicle_type = "truck"' vehicle_type 'is not bicycle, car, scooter, moped or other' --mds-version 1.0
bad 'auto: the schema always' '.vehicle_type = "truck"' vehicle_type 'is not bicycle or scooter' --schema-version auto
bad 'a trip of 1.0 under the old rules' 'del(.propulsion_type) + {propulsion_types: []}' propulsion_type 'is missing'

# Times
seconds='.start_time = 1581433705 | .end_time = 1581434662'
bad 'seconds where milliseconds are due' "$seconds" start_time 'is too small for ms since 1970: is it in seconds? see --time-unit'
bad 'milliseconds where seconds are due' . start_time 'is too large for seconds since 1970: is it in ms? see --time-unit' --mds-version 0.2
good '--time-unit s' "$seconds" --time-unit s
field start_time '"2020-02-11T15:08:25Z"'
good '--time-unit ms, for a 0.2 that has them' . --mds-version 0.2 --time-unit ms
bad 'no time at all' '.end_time = 0' end_time 'is too small for ms since 1970'
bad 'a negative one' '.end_time = -1581433705000' end_time 'is too small for ms since 1970'
bad 'text' '.end_time = "2020-02-11"' end_time 'is a string, want a number, the time since 1970'
said_not 2020-02
oracle times 3000 >times
[ "$(wc -l <times)" -gt 2500 ]; ok $? 'times to try'
for unit in s ms; do
	awk -v unit=$unit 'NR == FNR { start = $0; sub(/1581433705000,"end_time":.*/, "", start); next }
	    $1 == unit { print start $2 ",\"end_time\":" $2 "}" }' in.ndjson times >times.ndjson
	grep "^$unit " times | cut -d ' ' -f 3 >want
	mds-trips -q --time-unit $unit times.ndjson >out 2>err
	jq -r .start_time out >got
	same "times in $unit are those of Python's datetime" want got
done

# Integer ids
oracle ids 2000 >ids.ndjson 3>want
run 0 '--integer-ids' mds-trips -q --integer-ids Other --integer-ids 'VeoRide INC.' --receipt receipt.json ids.ndjson
jq -r '[.trip_id, .device_id, .vehicle_id] | join(" ")' out >got
same "... are those of the old loader's" want got
[ "$(jq -c '[.read, .written, .mended]' receipt.json)" = '[2010,2010,2010]' ]; ok $? '... and counted'
veo='.trip_id = 104865 | .device_id = 1 | .vehicle_id = 99999999'
good "the description's examples" "$veo" --integer-ids '*'
field trip_id '"0309585e-599f-4e57-ac85-fffffff199a1"'
field device_id '"0309585e-599f-4e57-ac85-fffffffffff1"'
field vehicle_id '"99999999"'
good '... and its third' '.trip_id = 99999999' --integer-ids 'VeoRide INC.'
field trip_id '"0309585e-599f-4e57-ac85-fffff5f5e0ff"'
bad 'not for others' "$veo" device_id 'is a number, want a string: see --integer-ids' --integer-ids Veo
bad 'no integer' '.trip_id = 1.5' trip_id 'is a number, want a string' --integer-ids '*'
bad 'zero' '.trip_id = 0' trip_id 'is an integer that no UUID is made of: want 1 to 2^128 - 1' --integer-ids '*'
bad 'a negative one' '.device_id = -5' device_id 'is an integer that no UUID is made of' --integer-ids '*'
sed 's/"trip_id":"[^"]*"/"trip_id":340282366920938463463374607431768211456/' in.ndjson >bad.ndjson
run 65 'past 128 bits' mds-trips --integer-ids '*' bad.ndjson
said 'bad.ndjson:1: column "trip_id": is an integer that no UUID is made of'
bad 'no UUID to put it below' '.trip_id = 5 | .provider_id = "0309"' provider_id 'is no UUID, which an integer id is to be put below' --integer-ids '*'
bad 'nor any provider' '.trip_id = 5 | del(.provider_id)' provider_id 'is no UUID' --integer-ids '*'

# Points
at='.route.features[0].geometry.coordinates'
bad 'no route' 'del(.route)' route 'is missing'
bad 'null' '.route = null' route 'is null, want an object'
bad 'a route without features' '.route = {}' route.features 'is missing'
bad 'no array of them' '.route.features = {}' route.features 'is no array'
bad 'none of them' '.route.features = []' route.features 'is empty, want two points or more'
bad 'one point' 'del(.route.features[1])' route.features 'has one point, want two or more'
bad 'empty coordinates' "$at = []" route.features[0].geometry.coordinates 'has fewer than 2 numbers'
bad 'one' "$at = [5]" route.features[0].geometry.coordinates 'has fewer than 2 numbers'
bad 'null coordinates' "$at = null" route.features[0].geometry.coordinates 'is no array'
bad 'none at all' '.route.features[1].geometry = null' route.features[1].geometry.coordinates 'is missing'
bad 'nulls' '.route.features[1].geometry.coordinates = [null, 1]' route.features[1].geometry.coordinates 'has what is no number'
bad 'text' "$at = [1, \"30\"]" route.features[0].geometry.coordinates 'has what is no number'
bad 'coordinates swapped' "$at = [30.2667, -97.738363]" route.features[0].geometry.coordinates 'has a latitude out of -90 to 90: are the coordinates swapped?'
said_not 97.7
bad 'a longitude that is none' "$at = [180.5, 1]" route.features[0].geometry.coordinates 'has a longitude out of -180 to 180'
bad 'a latitude that is none' "$at = [170, 90.01]" route.features[0].geometry.coordinates 'has a latitude out of -90 to 90'
sed 's/30.25\]/1e999]/' in.ndjson >bad.ndjson
run 65 'more than any number' mds-trips bad.ndjson
said 'column "route.features[1].geometry.coordinates": has a latitude out of -90 to 90'
good 'the edges of the world' "$at = [-180, 90]"
austin=-98.2,30,-97.4,30.6
good '--bounds: in them' . --bounds=$austin --receipt receipt.json
good '... out of them' "$at = [0, 0]" --bounds=$austin --receipt receipt.json
said '1 of 1 trips start or end out of the bounds: kept'
[ "$(jq .out_of_bounds receipt.json)" = 1 ]; ok $? '... which is counted'
bad '... swapped' '.route.features[1].geometry.coordinates = [35, 25]' 'end point' 'coordinates are swapped' --bounds=20,30,30,40

# The nesting's order, twins and oddities
bad 'the first field is named' '.trip_id = 1 | .accuracy = "1" | .foo = 1' trip_id 'is a number'
bad 'an unknown member' '.foo = 1' foo 'is no member of a trip'
bad 'a long one is cut' '. + {("x" * 500): 1}' "$(printf '%080d' 0 | tr 0 x)" 'is no member'
bad 'a path into the route' '.route.features[1].properties.timestamp = "soon"' route.features[1].properties.timestamp 'is a string, want a number of ms since 1970' --schema-version 0.3
said_not soon
t 'a key twice: the last one wins, at any level' 0 sh -c 'mds-trips --schema-version 0.3 | jq -c "[.accuracy, .start_longitude, .end_longitude]"' <<'IN' 3<<'OUT'
{"accuracy":"no","provider_id":"0309585e-599f-4e57-ac85-ffffffffffff","provider_name":"x","device_id":"da9e067b-7b40-4d2d-8053-aaaaaaaaaaaa","vehicle_id":"1","vehicle_type":"scooter","propulsion_type":["electric"],"trip_id":"b3ca5c86-7f45-4544-bf58-111111111111","trip_duration":1,"trip_distance":1,"route":{"features":[{"type":7}],"t\u0079pe":"FeatureCollection","features":[{"type":[],"type":"Feature","properties":{"timestamp":"x","timestamp":5},"geometry":{"type":"Point","coordinates":{},"coordinates":[1,2]}},{"geometry":null,"geometry":{"coordinates":[3,4],"type":"Point"},"properties":{"timestamp":5},"type":"Feature"}]},"accuracy":1,"start_time":1581433705000,"end_time":1581433705000}
IN
[1,1,3]
OUT
t '... and is refused if it is the bad one' 65 mds-trips --schema-version 0.3 3</dev/null <<'IN'
{"accuracy":1,"provider_id":"0309585e-599f-4e57-ac85-ffffffffffff","provider_name":"x","device_id":"da9e067b-7b40-4d2d-8053-aaaaaaaaaaaa","vehicle_id":"1","vehicle_type":"scooter","propulsion_type":["electric"],"trip_id":"b3ca5c86-7f45-4544-bf58-111111111111","trip_duration":1,"trip_distance":1,"route":{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"timestamp":5,"timestamp":"x"},"geometry":{"type":"Point","coordinates":[1,2]}},{"geometry":{"coordinates":[3,4],"type":"Point","type":"Line"},"properties":{"timestamp":5},"type":"Feature"}]},"start_time":1581433705000,"end_time":1581433705000}
IN
said 'column "route.features[0].properties.timestamp": is a string'
bad 'line ends of all kinds are line ends (ECMA 262)' '.vehicle_id = "a\u2028"' vehicle_id 'has a line break in it' --schema-version 0.3
bad '... at the end, too' '.vehicle_id = "a\n"' vehicle_id 'has a line break in it' --schema-version 0.3
bad 'a UUID and a line break' '.trip_id += "\n"' trip_id 'is no UUID of lower-case hex digits' --schema-version 0.3
bad 'a NUL in a name' '. + {"accuracy\u0000x": 1}' 'accuracy' 'is no member of a trip' 2>/dev/null

# Counts
a_trip '.end_time = (1581433199999, 1581433200000, 1581436799999, 1581436800000)' >hour.ndjson
run 0 '--window' mds-trips --window 2020-02-11T15:00:00Z,2020-02-11T16:00 --receipt receipt.json hour.ndjson
said '2 of 4 trips end outside the window: kept'
said '3 of 4 trips came before, by their trip_id: kept'
jq -c 'del(.seconds)' receipt.json >got
echo '{"tool":"mds-trips","read":4,"written":4,"rejected":0,"outside":2,"out_of_bounds":0,"mended":0,"duplicates":3}' >want
same '... and its receipt' want got
{ a_trip; a_trip '.trip_id = 5'; echo '{"trip_id":'; a_trip '.route.features = []'; a_trip '.trip_id = "other"'; } >some.ndjson
run 0 '--rejects' mds-trips --rejects rejects.json --receipt receipt.json some.ndjson
jq -c '[.line, .column, .reason, (.record | type)]' rejects.json >got
cat >want <<'OUT'
[2,"trip_id","is a number, want a string: see --integer-ids","object"]
[3,null,"record is cut at byte 12","string"]
[4,"route.features","is empty, want two points or more","object"]
OUT
same '... with the reasons' want got
[ "$(jq -c '[.read, .written, .rejected, .duplicates]' receipt.json)" = '[5,2,3,0]' ]; ok $? '... read = written + rejected'
rm -f receipt.json
run 65 '--max-rejects' mds-trips --rejects rejects.json --max-rejects 2 --receipt receipt.json some.ndjson
[ ! -e receipt.json ]; ok $? '... and no receipt'
t 'nothing in, nothing out' 0 mds-trips --receipt receipt.json </dev/null 3</dev/null
[ "$(jq -c '[.read, .empty]' receipt.json)" = '[0,true]' ]; ok $? '... which the receipt says'
printf %s "$(a_trip)" >no-newline.ndjson
run 0 'no newline at the end' mds-trips no-newline.ndjson
printf %s "$(a_trip)" | cut -c1-200 | tr -d '\n' >cut.ndjson
run 65 'a record that is cut' mds-trips cut.ndjson

# Nothing of a trip in what is said.
a_trip 'del(.accuracy), (.route.features[0].type = "F"), (.trip_duration = 1.5), (.x = 1), (.end_time = 5)' >personal.ndjson
[ "$(wc -l <personal.ndjson)" -eq 5 ]; ok $? 'five bad trips'
mds-trips -v --schema-version 1.2 --rejects rejects.json --receipt receipt.json personal.ndjson >out 2>err
jq -c 'del(.record)' rejects.json | cat - err receipt.json >words
for personal in b3ca5c86 da9e067b 97.738 30.26 1581433705 2020-02-11 VID120SF; do
	! grep -qF "$personal" words; ok $? "said of bad trips: no $personal"
done

# Memory
route() {		# route N: a trip with so many points
	python3 -c 'import sys
feature = """{"type":"Feature","properties":{"timestamp":1581433705000},"geometry":{"type":"Point","coordinates":[-97.738363,30.%d]}}"""
before, after = sys.stdin.read().split("[]", 1)
print(before + "[" + ",".join(feature % i for i in range(int(sys.argv[1]))) + "]" + after, end="")' "$1"
}
a_trip '.route.features = []' >empty.ndjson
route 45000 <empty.ndjson >large.ndjson
[ "$(wc -c <large.ndjson)" -gt 5000000 ]; ok $? 'a route of 5 MiB'
for i in 1 2 3 4 5 6; do cat large.ndjson; done >larges.ndjson
for rules in old 0.3; do
	run 0 "$rules: it goes through" resident mds-trips --schema-version $rules larges.ndjson
	at_most 32000
	[ "$(grep -c '"start_latitude":30.0,"end_longitude":-97.738363,"end_latitude":30.44999}$' out)" = 6 ]; ok $? '... with its first and last point'
done
sed 's/"accuracy":0,//' larges.ndjson >larges-bad.ndjson
run 0 'refused' resident mds-trips --rejects rejects.json larges-bad.ndjson
at_most 40000
a_trip >one.ndjson
python3 -c 'import sys
before, after = open("one.ndjson").read().split("-111111111111")
for i in range(100000):
    sys.stdout.write(f"{before}-{i:012}{after}")' >many.ndjson
run 0 'many trips' resident sh -c 'mds-trips --receipt receipt.json many.ndjson | wc -l | grep -qx 100000'
at_most 20000
[ "$(jq .duplicates receipt.json)" = 0 ]; ok $? '... no two of one id'
cat many.ndjson one.ndjson >>again.ndjson
run 0 'and one of another, at the end' sh -c 'mds-trips -q --receipt receipt.json again.ndjson many.ndjson >/dev/null'
[ "$(jq .duplicates receipt.json)" = 100000 ]; ok $? '... and all of them twice'
rm -f many.ndjson again.ndjson
a_trip ".vehicle_id = \"$(printf '%05000d' 0)\"" >over.ndjson
run 65 'over --max-record' mds-trips --max-record 4K over.ndjson
said 'record over 4096 bytes'

run 0 'a reader that leaves ends it quietly' sh -c 'mds-trips -q larges.ndjson larges.ndjson | head -1 >/dev/null'
said_not mds-trips
t 'a full disk is no success' 74 sh -c 'mds-trips in.ndjson >/dev/full' 3</dev/null
t '... for the receipt' 74 sh -c 'mds-trips --receipt /dev/full in.ndjson >/dev/null' 3</dev/null
t 'a receipt that cannot be made' 73 sh -c 'mds-trips --receipt nowhere/r.json in.ndjson >/dev/null' 3</dev/null
t 'a read error is no end of input' 74 mds-trips <. 3</dev/null
t 'no such file' 66 mds-trips nowhere.ndjson 3</dev/null
for wrong in '--mds-version 0.5' '--mds-version 3' '--schema-version 0.5' '--time-unit us' '--bounds 1,2,3' '--bounds 1,2,3,4,5' '--bounds 5,2,3,4' \
    '--bounds 1,2,x,4' '--bounds nan,2,3,4' '--window 2020-01-01' '--window 2020-01-02,2020-01-01' '--window x,y' '--from csv' --nothing; do
	t "arguments are checked before input: $wrong" 64 mds-trips $wrong 3</dev/null <.
done
done_testing
