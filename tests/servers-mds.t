#!/bin/bash
# The stand-in for MDS providers answers what api/mds.md says, version by version, and misbehaves as it is told.
# Slow: it validates every answer of every version against a schema; and it is about the stand-in, not about a tool.
. "$(dirname "$0")/lib.sh"

# Three trips of one hour of 2020-03-01 (04:00, 04:30 and 04:59:59.999, by their ends) and one of the next, at 05:00.
hour=1583035200000
jq -c --argjson hour $hour '. as $trip | {trips: [[0, 1], [1800000, 2], [3599999, 3], [3600000, 4]
    | ($hour + .[0]) as $at | $trip + {trip_id: "b3ca5c86-7f45-4544-bf58-11111111111\(.[1])", end_time: $at, start_time: ($at - 900001), currency: "USD"}
    | .route.features[0].properties.timestamp = $at - 900001 | .route.features[1].properties.timestamp = $at]}' \
    "$data/mds/trip_sample_data_valid.json" >data.json
start_server mds "$here/servers/mds.py" --data data.json --version 0.3 --now 2020-03-01T05:30:00Z

control() {
	curl -sS -o control.out --data-binary "$1" "$mds/control"
	[[ $(<control.out) == *'"ok"'* ]] || give_up "control: $(cat control.out)"
}
speak() { control "{\"reset\":true,\"set\":{\"version\":\"$1\"}}"; v=$1; }
accept() {		# accept VERSION: the header that asks for it
	case $1 in
	0.2)	echo 'Accept: application/json' ;;
	0.*)	echo "Accept: application/vnd.mds.provider+json;version=$1" ;;
	*)	echo "Accept: application/vnd.mds+json;version=$1" ;;
	esac
}
ask() {			# ask PATH [OPTION...]: in the version spoken
	path=$1; shift
	curl -sS -H "$(accept "$v")" "$@" "$mds/$path"
}
ends() { ask "$1" | jq -c '[(.data.trips // .trips)[].trip_id[35:]] | join(" ")'; }
answers() {		# answers NAME 'STATUS TYPE' PATH [OPTION...]: and the body goes to ./body
	name=$1 want=$2; shift 2
	got=$(ask "$@" -o body -w '%{http_code} %{content_type}')
	[ "$got" = "$want" ]; ok $? "$name: $want" || echo "# got $got"
}
provider='application/vnd.mds.provider+json;version='
mds_json='application/vnd.mds+json;version='

# ---- forms, computed from the data by other means ----

served() { ask "$1" | jq -cS '(.data.trips // .trips)[]'; }
wanted() { jq -cS ".trips[:${2:-3}][] | $1" data.json; }
for v in 0.2 0.3 0.4 1.0 1.1 1.2 2.0; do
	speak $v
	case $v in
	0.2)	path="trips?start_time=$((hour / 1000 - 3600))&end_time=$((hour / 1000 + 3599)).999"
		form='del(.currency, .publication_time) | .start_time /= 1000 | .end_time /= 1000 | .route.features[].properties.timestamp /= 1000' ;;
	0.3)	path="trips?min_end_time=$hour&max_end_time=$((hour + 3600000))" form=. ;;
	0.4)	path='trips?end_time=2020-03-01T04' form=. ;;
	1.*)	path='trips?end_time=2020-03-01T04' form='.propulsion_types = .propulsion_type | del(.propulsion_type)' ;;
	2.0)	path='trips?end_time=2020-03-01T04'
		form='def at: {lng: .geometry.coordinates[0], lat: .geometry.coordinates[1]}; .start_location = (.route.features[0] | at)
		    | .end_location = (.route.features[-1] | at) | .duration = .trip_duration | .distance = .trip_distance
		    | del(.provider_name, .vehicle_id, .vehicle_type, .propulsion_type, .trip_duration, .trip_distance, .route, .accuracy)' ;;
	esac
	wanted "$form" >want
	served "$path" >got
	same "trips in $v" want got
done
speak 0.2
ask "trips?start_time=$((hour / 1000 - 3600))" >body
grep -o '"end_time":[0-9.]*' body >got
t '0.2: seconds with a fraction' 0 cat got 3<<'OUT'
"end_time":1583035200.0
"end_time":1583037000.0
"end_time":1583038799.999
"end_time":1583038800.0
OUT
for v in 0.2 0.3 0.4 1.0 1.1 1.2 2.0; do
	speak $v
	type=$(accept $v); type=${type#Accept: }
	answers "the media type of $v" "200 $type" "trips$([ $v = 0.2 ] || echo '?end_time=2020-03-01T04')"
	jq -c '[.version, (.data | type), has("links")]' body >>bodies
done
t '... versions in full, where the trips are, and whether there are links' 0 cat bodies 3<<'OUT'
["0.2.1","object",true]
["0.3.2","object",true]
["0.4.1","object",false]
["1.0.0","object",false]
["1.1.1","object",false]
["1.2.0","object",false]
["2.0.2","null",false]
OUT

# ---- the schemas of made-up trips and all that is told from them; the specification's own schemas, where they are present ----

control '{"set":{"make":40}}'
cat >check.py <<'X'
import copy, json, sys
import jsonschema
def validator(path):
    schema = json.load(open(path))
    schema["definitions"] = json.load(open(path.replace("events", "status_changes")))["definitions"] | schema["definitions"]  # 0.4.1's lacks one
    return jsonschema.Draft6Validator(schema)
def paths(value, before=()):
    yield before
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from paths(item, before + (key,))
def mutants(body, member):
    """One record of it, with another value at each place, or none."""
    body = body | {"data": {member: body["data"][member][:1]}}
    for path in list(paths(body))[1:]:
        for value in ("gone", None, True, -1, 0.5, 9e12, "", "a\nb", "x" * 256, "available", "reserved", "user_pick_up", "maintenance", "trip_end", [], [1],
                      ["trip_start"], ["located", "trip_end"], [200, 1], [1, 2, 3], {}, {"next": None}, {"type": "Point"}):
            mutant = copy.deepcopy(body)
            holder = mutant
            for key in path[:-1]:
                holder = holder[key]
            if value == "gone":
                del holder[path[-1]]
            else:
                holder[path[-1]] = value
            yield mutant
def check(body, member, ours, *others):
    for one in (ours, *others):
        one.validate(body)
    assert len(body["data"][member]) > 3, len(body["data"][member])
    for other in others:
        verdicts = [(ours.is_valid(mutant), other.is_valid(mutant), mutant) for mutant in mutants(body, member)]
        assert {by_ours for by_ours, _, _ in verdicts} == {True, False}
        for a, b, mutant in verdicts:
            assert a == b, (a, b, mutant)
for line in sys.stdin:      # a check each: its name, the file with the body, the member, and schemas
    name, path, member, *schemas = line.rstrip("\n").split("\t")
    try:
        check(json.load(open(path)), member, *map(validator, schemas))
        print("0", name, sep="\t")
    except Exception as error:
        print("1", name, sep="\t")
        print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr)
X
real_schemas=
have_real mds/schema && real_schemas=yes
to_check() {		# to_check NAME FILE MEMBER SCHEMA...: a line for check.py, which checks all in one process
	printf '%s' "$1" >>checks; shift
	printf '\t%s' "$@" >>checks
	echo >>checks
	wanted_checks=$((wanted_checks + 1))
}
wanted_checks=0
conforms() {		# conforms VERSION ENDPOINT PATH [MEMBER]
	ask "$3" >"body.$1.$2"
	to_check "$2 of $1 is as its schema wants it" "body.$1.$2" "${4:-$2}" "$data/mds/schema/$1/$2.json"
	[ -z "$real_schemas" ] || to_check "... and the specification's, which takes the same mutants of it" "body.$1.$2" "${4:-$2}" \
	    "$data/mds/schema/$1/$2.json" "$real_data/mds/schema/$1/$2.json"
}
speak 0.2; s="start_time=$((hour / 1000))&end_time=$((hour / 1000 + 3600))"
conforms 0.2.1 trips "trips?$s"
conforms 0.2.1 status_changes "status_changes?$s"
speak 0.3
conforms 0.3.2 trips "trips?min_end_time=$hour&max_end_time=$((hour + 3600000))"
conforms 0.3.2 status_changes "status_changes?start_time=$hour&end_time=$((hour + 3600000))"
for pair in 0.4:0.4.1 1.2:1.2.0; do
	speak ${pair%:*}
	conforms ${pair#*:} trips 'trips?end_time=2020-03-01T04'
	conforms ${pair#*:} status_changes 'status_changes?event_time=2020-03-01T04'
	conforms ${pair#*:} events "events?start_time=$hour&end_time=$((hour + 3600000))" status_changes
	conforms ${pair#*:} vehicles vehicles
done
/usr/bin/python3 -W ignore check.py <checks >checked 2>err
while IFS=$'\t' read -r status name; do
	ok "$status" "$name" || sed 's/^/# /' err | head -n 20
done <checked
[ "$(wc -l <checked)" -eq $wanted_checks ] || give_up "check.py ended early: $(tail -n 1 err)"
speak 2.0
for path in 'telemetry?telemetry_time=2020-03-01T04' 'events/historical?event_time=2020-03-01T04' \
    "events/recent?start_time=$hour&end_time=$((hour + 3600000))" vehicles vehicles/status; do
	ask "$path" | jq -c 'del(.version, .links, .last_updated, .ttl) | to_entries[] | [.key, (.value | length > 3), (.value[0] | keys)]'
done >got
t 'the other endpoints of 2.0' 0 cat got 3<<'OUT'
["telemetry",true,["device_id","location","provider_id","telemetry_id","timestamp","trip_ids"]]
["events",true,["device_id","event_id","event_types","location","provider_id","timestamp","trip_ids","vehicle_state"]]
["events",true,["device_id","event_id","event_types","location","provider_id","timestamp","trip_ids","vehicle_state"]]
["vehicles",true,["device_id","propulsion_types","provider_id","vehicle_id","vehicle_type"]]
["vehicles_status",true,["device_id","last_event","provider_id"]]
OUT
ask 'events/historical?event_time=2020-03-01T04' | jq -c "[.events[].timestamp] | [(. == sort), .[0] >= $hour, .[-1] < $hour + 3600000]" >got
ask 'telemetry?telemetry_time=2020-03-01T04' | jq -c "[.telemetry[].timestamp] | [(. == sort), .[0] >= $hour, .[-1] < $hour + 3600000]" >>got
t '... keep to their hour' 0 cat got 3<<'OUT'
[true,true,true]
[true,true,true]
OUT

# ---- made-up trips ----

all_of() { jq -cS '(.data.trips // .trips)[]' | sort; }
for v in 0.2 0.3 0.4 1.2 2.0; do
	speak $v
	case $v in
	0.2)	path="trips?start_time=$((hour / 1000 - 7200))&end_time=$((hour / 1000 + 3599)).999" ;;
	0.3)	path="trips?min_end_time=$((hour - 3600000))&max_end_time=$((hour + 3600000))" ;;
	*)	path= ;;
	esac
	if [ "$path" ]; then
		ask "$path" | all_of >got
	else
		{ ask 'trips?end_time=2020-03-01T03' | all_of; ask 'trips?end_time=2020-03-01T04' | all_of; } | sort >got
	fi
	curl -sS "$mds/truth?from=$((hour - 7200000))&to=$((hour + 3600000))&version=$v" |
	    if [ $v = 0.2 ]; then
		jq -cS "select(.start_time >= $((hour / 1000 - 7200)))"
	    else
		jq -cS "select(.end_time >= $((hour - 3600000)))"
	    fi | sort >want
	same "the same trips in $v, by whatever way" want got
done
curl -sS "$mds/truth?from=$hour&to=$((hour + 3600000))" | grep -v b3ca5c86-7f45 >made
jq -sc "[length, ([.[].trip_id] | unique | length), (map(.end_time) | [min - $hour, max - $hour]), (map(.end_time - .start_time == .trip_duration * 1000) | all),
    ([.[].route.features[].geometry.coordinates] | [(map(.[0] >= -97.9 and .[0] <= -97.6 and .[1] >= 30.1 and .[1] <= 30.45) | all)])]" made >got
t 'N an hour, the first and the last at its ends, all in Austin' 0 cat got 3<<'OUT'
[40,40,[0,3599999],true,[true]]
OUT
speak 0.4
ask 'trips?end_time=2020-03-01T04' >once; ask 'trips?end_time=2020-03-01T04' >twice
same 'an hour asked for again is the same' once twice
ask 'trips?end_time=2020-03-01T03' | jq -r '.data.trips[].trip_id' >ids; jq -r .trip_id made >>ids
[ "$(sort ids | uniq -d | wc -l)" = 0 ] && [ "$(wc -l <ids)" = 80 ]; ok $? 'no id comes in two hours'
control '{"set":{"provider_id":"c20e08cf-8488-46a6-a66c-5d8fb827f7e0","provider_name":"other"}}'
ask 'trips?end_time=2020-03-01T03' | jq -r '.data.trips[].trip_id' >>ids
[ "$(sort ids | uniq -d | wc -l)" = 0 ]; ok $? '... nor of two providers'
speak 0.3
answers 'made-up trips without a range' '400 text/plain' trips
control '{"set":{"make":0,"provider_name":"sample_co"}}'

# ---- bounds ----

speak 0.2; s=$((hour / 1000))
for query in "" "start_time=$s" "start_time=$((s - 901))" "end_time=$s" "start_time=$((s - 901))&end_time=$((s + 3600))" \
    "end_time=$((s + 3599)).998" "end_time=$((s + 3599)).999" "start_time=$((s + 900))&end_time=$((s + 1800))" \
    "min_end_time=0&max_end_time=1" "device_id=x" "vehicle_id=VID120SF" \
    'bbox=[[-97.7384,30.26],[-97.73,30.27]]' 'bbox=[[-97.7,30.26],[-97.6,30.27]]'; do
	ask "trips?$query" -g
done | jq -c '[.data.trips[].trip_id[35:]] | join(" ")' >got
t '0.2: the start on the trip'\''s start, the end on its end, both inclusive' 0 cat got 3<<'OUT'
"1 2 3 4"
"2 3 4"
"1 2 3 4"
"1"
"1 2 3 4"
"1 2"
"1 2 3"
""
"1 2 3 4"
""
"1 2 3 4"
"1 2 3 4"
""
OUT
answers 'a box that is none' '400 text/plain' 'trips?bbox=[1,2]' -g
speak 0.3
for query in "" "min_end_time=$hour" "min_end_time=$((hour + 1))" "max_end_time=$hour" "max_end_time=$((hour + 3600000))" \
    "min_end_time=$hour&max_end_time=$((hour + 3600000))" "start_time=1&end_time=2"; do
	ends "trips?$query"
done >got
t '0.3: half-open, on the end' 0 cat got 3<<'OUT'
"1 2 3 4"
"1 2 3 4"
"2 3 4"
""
"1 2 3"
"1 2 3"
"1 2 3 4"
OUT
answers 'ms with a fraction' '400 text/plain' 'trips?min_end_time=1583035200000.5'
answers 'no time' '400 text/plain' 'trips?max_end_time=2020-03-01T04'
control '{"set":{"now":"2020-03-01T05:00:00"}}'
ends trips >got
t 'what is to come is not there' 0 cat got 3<<<'"1 2 3"'
control '{"set":{"now":"2020-03-01T05:30:00Z"}}'
speak 0.2
for query in "start_time=$s&end_time=$((s + 3600))" "start_time=$((s - 901))&end_time=$s"; do
	ask "status_changes?$query" | jq -c '[.data.status_changes[] | [.event_time, .event_type, .event_type_reason, .associated_trips[0][35:]]]'
done >got
speak 0.3
for query in "start_time=$hour&end_time=$((hour + 3600000))" "start_time=$hour&end_time=$((hour + 1))"; do
	ask "status_changes?$query" | jq -c '[.data.status_changes[] | [.event_time, .event_type, .event_type_reason, .associated_trip[35:]]]'
done >>got
t 'status changes: 0.2 with the end, 0.3 without' 0 cat got 3<<'OUT'
[[1583035200,"available","user_drop_off","1"],[1583036099.999,"reserved","user_pick_up","2"],[1583037000,"available","user_drop_off","2"],[1583037899.998,"reserved","user_pick_up","3"],[1583037899.999,"reserved","user_pick_up","4"],[1583038799.999,"available","user_drop_off","3"],[1583038800,"available","user_drop_off","4"]]
[[1583034299.999,"reserved","user_pick_up","1"],[1583035200,"available","user_drop_off","1"]]
[[1583035200000,"available","user_drop_off","1"],[1583036099999,"reserved","user_pick_up","2"],[1583037000000,"available","user_drop_off","2"],[1583037899998,"reserved","user_pick_up","3"],[1583037899999,"reserved","user_pick_up","4"],[1583038799999,"available","user_drop_off","3"]]
[[1583035200000,"available","user_drop_off","1"]]
OUT
speak 1.2
ask 'status_changes?event_time=2020-03-01T05' | jq -c .error >got
ask 'status_changes?event_time=2020-03-01T04' | jq -c '.data.status_changes[0] | [.event_time, .vehicle_state, .event_types, .trip_id[35:]]' >>got
t '... and by the hour' 0 cat got 3<<'OUT'
"not_found"
[1583035200000,"available",["trip_end"],"1"]
OUT
for v in 0.4 2.0; do
	speak $v
	recent=$([ $v = 2.0 ] && echo events/recent || echo events)
	answers "$v: events without an end" "400 $([ $v = 2.0 ] && echo "$mds_json" || echo "$provider")$v" "$recent?start_time=$hour"
	answers "$v: ... that are more than two weeks old" "400 $([ $v = 2.0 ] && echo "$mds_json" || echo "$provider")$v" \
	    "$recent?start_time=$((hour + 5400000 - 14 * 86400000 - 1))&end_time=$hour"
	answers "$v: ... two weeks" "200 $([ $v = 2.0 ] && echo "$mds_json" || echo "$provider")$v" \
	    "$recent?start_time=$((hour + 5400000 - 14 * 86400000))&end_time=$hour"
done

# ---- hours, and what comes in place of their trips ----

for v in 0.4 1.0 1.1 1.2 2.0; do
	speak $v
	type=$(accept $v); type=${type#Accept: }
	answers "$v: no hour" "400 $type" trips
	answers "$v: an hour by the parameters of 0.3" "400 $type" "trips?min_end_time=$hour"
	for bad in 2020-03-01 2020-03-01T4 2020-03-01T24 2020-02-30T04 2020-03-01T04:00 "$hour"; do
		answers "$v: no hour: $bad" "400 $type" "trips?end_time=$bad"
	done
	answers "$v: an hour that is not over" "404 $type" 'trips?end_time=2020-03-01T05'
	answers "$v: an hour to come" "404 $type" 'trips?end_time=2020-03-01T06'
	control '{"set":{"outage":["2020-03-01T01"],"service_from":"2020-02-29T22","service_to":"2020-03-01T04"}}'
	for gone in 2020-02-29T21 2020-03-01T01 2020-03-01T04; do
		answers "$v: no service: $gone" "404 $type" "trips?end_time=$gone"
	done
	answers "$v: no trips" "200 $type" 'trips?end_time=2020-02-29T22'
	control '{"set":{"outage":[],"service_from":"","service_to":"","ready_after":3600}}'
	case $v in
	0.4|1.0) want=404 ;;
	1.1)	want=200 ;;
	1.2)	want=102 ;;
	2.0)	want=202 ;;
	esac
	if [ $v != 1.2 ]; then
		answers "$v: an hour not ready" "$want $type" 'trips?end_time=2020-03-01T04'
		[ $v != 1.1 ] || jq -c . body >got
	else
		ask 'trips?end_time=2020-03-01T04' -o body -w '%{http_code}' 2>/dev/null >code; status=$?
		[ "$status $(cat code)" = '52 102' ]; ok $? "$v: 102, and the connection is closed" || echo "# $status $(cat code)"
		control '{"set":{"processing":"open"}}'
		ask 'trips?end_time=2020-03-01T04' -m 5 -o body -w '%{http_code}' 2>/dev/null >code; status=$?
		[ "$status $(cat code)" = '28 102' ]; ok $? "$v: 102, and it is kept open" || echo "# $status $(cat code)"
		control '{"set":{"processing":"close"}}'
	fi
	control '{"set":{"ready_after":0,"unready":["2020-03-01T02"]}}'
	answers "$v: another hour is ready" "200 $type" 'trips?end_time=2020-03-01T03'
	control '{"set":{"ready_after":0,"unready":[]}}'
done
t '1.1: an hour not ready is an empty one' 0 cat got 3<<<'{"version":"1.1.1","data":{"trips":[]}}'

# ---- the shape of errors ----

for v in 0.3 0.4 1.2 2.0; do
	speak $v
	control '{"faults":[{"kind":"status","status":500},{"kind":"status","status":401},{"kind":"status","status":429,"headers":{"Retry-After":"1"}}]}'
	for i in 1 2 3; do
		ask trips -i | tr -d '\r' | sed -n '1p; /^Content-Type/p; /^Retry/p; $p'
	done
done >got
t 'errors' 0 cat got 3<<'OUT'
HTTP/1.1 500 Internal Server Error
Content-Type: text/plain
Something went wrong
HTTP/1.1 401 Unauthorized
Content-Type: text/plain
No valid credentials
HTTP/1.1 429 Too Many Requests
Content-Type: text/plain
Retry-After: 1
Too many requests
HTTP/1.1 500 Internal Server Error
Content-Type: text/plain
Something went wrong
HTTP/1.1 401 Unauthorized
Content-Type: application/vnd.mds.provider+json;version=0.4
{"error":"unauthorized","error_description":"No valid credentials"}
HTTP/1.1 429 Too Many Requests
Content-Type: application/vnd.mds.provider+json;version=0.4
Retry-After: 1
{"error":"server_error","error_description":"Too many requests"}
HTTP/1.1 500 Internal Server Error
Content-Type: text/plain
Something went wrong
HTTP/1.1 401 Unauthorized
Content-Type: application/vnd.mds+json;version=1.2
{"error":"unauthorized","error_description":"No valid credentials"}
HTTP/1.1 429 Too Many Requests
Content-Type: application/vnd.mds+json;version=1.2
Retry-After: 1
{"error":"server_error","error_description":"Too many requests"}
HTTP/1.1 500 Internal Server Error
Content-Type: application/vnd.mds+json;version=2.0
{"error":"server_error","error_description":"Something went wrong"}
HTTP/1.1 401 Unauthorized
Content-Type: application/vnd.mds+json;version=2.0
{"error":"unauthorized","error_description":"No valid credentials"}
HTTP/1.1 429 Too Many Requests
Content-Type: application/vnd.mds+json;version=2.0
Retry-After: 1
{"error":"server_error","error_description":"Too many requests"}
OUT
speak 0.4
ask trips >got
t 'a bad parameter' 0 cat got 3<<'OUT'
{"error":"bad_param","error_description":"end_time is missing","error_details":["end_time: required"]}
OUT
for pair in 0.3:events 0.3:vehicles 0.4:telemetry 1.2:events/recent 2.0:status_changes 2.0:events; do
	speak ${pair%:*}
	ask ${pair#*:} -o body -w '%{http_code}\n'
done | uniq -c | xargs >got
t 'endpoints of other versions' 0 cat got 3<<<'6 404'
speak 0.3
answers 'trips are not posted' '405 text/plain' trips -d x

# ---- versions ----

speak 0.4
control '{"set":{"also":["0.3","1.0"]}}'
wish() {		# wish ACCEPT [OPTION...]: what is answered
	want=$1; shift
	curl -sS -o body -w '%{http_code} %{content_type}\n' -H "Accept: $want" "$@" "$mds/trips${hour_asked-?end_time=2020-03-01T04}"
}
{
	wish "${provider}0.4"; wish "${provider}0.4.1"; wish "${provider}0.3"; wish "${mds_json}1.0"; wish "${mds_json}1.0.0"
	hour_asked='' wish application/json; hour_asked='' wish '*/*'; curl -sS -H 'Accept:' -o body -w '%{http_code} %{content_type}\n' "$mds/trips"
	wish "${provider}0.5"; wish "${provider}1.0"; wish "${mds_json}0.4"; wish "${mds_json}1.2"; wish text/html
	wish "${provider}0.5, ${provider}0.3;q=0.5, ${provider}0.4;q=0.9"; wish "${provider}0.4;q=0, ${provider}0.3;q=0.1"
} >got
t 'a version is asked for by Accept; who names none gets 0.2' 0 cat got 3<<'OUT'
200 application/vnd.mds.provider+json;version=0.4
200 application/vnd.mds.provider+json;version=0.4
200 application/vnd.mds.provider+json;version=0.3
200 application/vnd.mds+json;version=1.0
200 application/vnd.mds+json;version=1.0
200 application/json
200 application/json
200 application/json
406 application/vnd.mds.provider+json;version=0.4
406 application/vnd.mds.provider+json;version=0.4
406 application/vnd.mds.provider+json;version=0.4
406 application/vnd.mds.provider+json;version=0.4
406 application/vnd.mds.provider+json;version=0.4
200 application/vnd.mds.provider+json;version=0.4
200 application/vnd.mds.provider+json;version=0.3
OUT
both="${provider}0.3;q=0.5,${provider}0.4"
best() { curl -sS -i -X OPTIONS -H "Accept: $1" "$mds/trips/" | tr -d '\r' | sed -n '1p; /^Content-/p'; }
{ best "$both"; best "${provider}0.9,${provider}0.3"; best "${provider}0.9"; } >got
t 'OPTIONS: the best match' 0 cat got 3<<'OUT'
HTTP/1.1 200 OK
Content-Type: application/vnd.mds.provider+json;version=0.4
Content-Length: 0
HTTP/1.1 200 OK
Content-Type: application/vnd.mds.provider+json;version=0.3
Content-Length: 0
HTTP/1.1 406 Not Acceptable
Content-Type: application/vnd.mds.provider+json;version=0.4
Content-Length: 69
OUT
control '{"set":{"strict":true,"also":[]}}'
{ wish application/json; wish '*/*'; wish "${provider}0.2"; wish "${provider}0.4"; } | cut -c1-3 >got
speak 1.2
best "$both" | sed 1q >>got
control '{"set":{"strict":false,"deaf":true,"body_version":"0.3.0"}}'
wish "${provider}0.4" >>got; jq -c .version body >>got
control '{"set":{"deaf":false,"body_version":""}}'
t 'strict; later versions without OPTIONS; deaf' 0 cat got 3<<'OUT'
406
406
406
200
HTTP/1.1 405 Method Not Allowed
200 application/vnd.mds+json;version=1.2
"0.3.0"
OUT

# ---- pages ----

follow() {		# follow PATH: all pages by their next links; a line for each
	url=$mds/$1
	for i in 1 2 3 4 5 6; do
		curl -sS -H "$(accept "$v")" "$url" >page
		jq -r '([(.data.trips | map(.trip_id[35:]) | join(" ")), (.links | if . then keys else . end), (.links.next | type)] | @json),
		    .links.next // ""' page >line
		{ read -r line; read -r next; } <line
		echo "$line"
		case $next in
		'')	return ;;
		http*)	url=$next ;;
		/*)	url=$mds$next ;;
		\?*)	url=${url%%\?*}$next ;;
		*)	url=${url%%\?*}; url=${url%/*}/$next ;;
		esac
		case $next in *end_time*) echo "the query is in it" ;; esac
	done
}
for v in 0.2 0.3; do
	speak $v
	for next in absolute path name query; do
		control "{\"set\":{\"page_size\":3,\"next\":\"$next\"}}"
		follow trips
		jq -r .links.next page
	done | cut -d'?' -f1 >got
	t "$v: pages under every kind of link" 0 cat got 3< <(for i in 1 2 3 4; do
		echo '["1 2 3",["first","last","next","prev"],"string"]'
		echo '["4",["first","last","next","prev"],"null"]'
		echo null
	done)
done
speak 0.3
control '{"set":{"links":"next","next":"absolute"}}'
follow trips >got
control '{"set":{"links":"needed"}}'
follow trips >>got
t 'fewer links' 0 cat got 3<<'OUT'
["1 2 3",["next"],"string"]
["4",["next"],"null"]
["1 2 3",["next"],"string"]
["4",null,"null"]
OUT
ask trips | jq -r .links.next >link
[ "$(curl -sS -o body -w '%{http_code}' -H "$(accept 0.3)" "$(cat link)&min_end_time=0")" = 400 ]; ok $? 'a link with parameters of one'\''s own'
ask trips | jq -r .links.last >link
control '{"set":{"links":"all"}}'
curl -sS -H "$(accept 0.3)" "$(ask trips | jq -r .links.next)" | jq -c '.links | [.first, .prev] | map(type)' >got
t 'the others point back' 0 cat got 3<<<'["string","string"]'
for pair in 1.2:events 2.0:vehicles; do
	speak ${pair%:*}
	control '{"set":{"page_size":1}}'
	ask "${pair#*:}?start_time=$hour&end_time=$((hour + 3600000))" | jq -c '[(.data.status_changes // .vehicles | length), (.links | type)]'
done >got
t 'other endpoints have pages later, too' 0 cat got 3<<'OUT'
[1,"object"]
[1,"object"]
OUT

# ---- pages that go wrong: what is seen by a client that follows six links ----

speak 0.3
control '{"set":{"page_size":2,"next":"path"}}'
wrong() {		# wrong FAULT: of every request; and how many URLs were asked for
	control "{\"reset\":true,\"faults\":[$1]}"
	follow trips | jq -c '.[0]'
	curl -sS "$mds/log" | jq -r '.target' | sort | uniq -c | sed -n '$='
}
{ wrong '{"kind":"next","to":"self","times":-1}'; wrong '{"kind":"repeat_page","times":-1}'; } >got
t 'next that points to itself, or whose page is the first' 0 cat got 3<<'OUT'
"1 2"
"1 2"
"1 2"
"1 2"
"1 2"
"1 2"
1
"1 2"
"1 2"
"1 2"
"1 2"
"1 2"
"1 2"
2
OUT
{ wrong '{"kind":"endless","times":-1}'; wrong '{"kind":"endless","empty":true,"times":-1,"match":"cursor"}'; } >got
t 'pages for ever' 0 cat got 3<<'OUT'
"1 2"
"1 2"
"1 2"
"1 2"
"1 2"
"1 2"
6
"1 2"
""
""
""
""
""
6
OUT
{ wrong '{"kind":"next","to":"first","skip":1,"times":-1}'; wrong '{"kind":"overlap","skip":1}'; wrong '{"kind":"duplicate","skip":1}'; } >got
t 'next that leads back; trips on two pages, and twice on one' 0 cat got 3<<'OUT'
"1 2"
"3 4"
"1 2"
"1 2"
"1 2"
"1 2"
3
"1 2"
"2 3 4"
2
"1 2"
"3 4 3"
2
OUT
control '{"reset":true,"set":{"page_size":0},"faults":[{"kind":"next","to":"http://elsewhere.test/trips"},{"kind":"next","to":7}]}'
{ ask trips; ask trips; ask trips; } | jq -c .links.next >got
t 'next to another host, and to nothing' 0 cat got 3<<'OUT'
"http://elsewhere.test/trips"
7
null
OUT

# ---- trips that go wrong ----

quirk() {		# quirk NAME FILTER [VERSION]: asks for trips; what the first one is then, by quirks
	speak "${3:-0.3}"
	control "{\"faults\":[{\"kind\":\"spoil\",\"quirk\":\"$1\"}]}"
	[ $v = 0.2 ] && ask trips >>quirks || ask 'trips?end_time=2020-03-01T04' >>quirks
	filters+="${filters:+, }(input | (.data.trips // .trips)[0] | $2)"
}
quirks() {		# what the filters find in the answers, by one process
	jq -nc "$filters" quirks
	filters='' && : >quirks
}
filters=''
: >quirks
{
	quirk integer_ids '[.trip_id, .device_id, .vehicle_id] | map(type)'
	quirk no_route .route; quirk empty_route .route.features; quirk one_point '.route.features | length'
	quirk empty_coordinates '.route.features[0].geometry'; quirk null_coordinates '.route.features[1].geometry'
	quirk swapped '.route.features[0].geometry.coordinates'; quirk zero_zero '.route.features[0].geometry.coordinates'
	quirk seconds '[.start_time, .end_time, .publication_time, .route.features[0].properties.timestamp]'
	quirk text_times '[.start_time, .end_time]'; quirk outside '.end_time'
	quirk extra .surplus; quirk missing 'has("device_id")'; quirk null .device_id; quirk no_object .
	quirks
} >got
t 'every quirk' 0 cat got 3<<'OUT'
["number","number","number"]
null
[]
1
{"type":"Point","coordinates":[]}
{"type":"Point","coordinates":[null,null]}
[30.2667,-97.738363]
[0,0]
[1583034299,1583035200,1581434722,1583034299]
["1583034299999","1583035200000"]
1583042400000
{"a":[1,null]}
false
null
"trip"
OUT
quirk large_route '[(. | tostring | length > 5242880), .route.features[0].geometry.coordinates, .route.features[-1].geometry.coordinates]'
quirks >got
t 'a route of 5 MiB, from the first point to the last' 0 cat got 3<<<'[true,[-97.738363,30.2667],[-97.742561,30.2701]]'
{
	quirk milliseconds '[.end_time, .route.features[1].properties.timestamp]' 0.2; quirk outside .end_time 0.2
	quirk no_route '[.start_location, .end_location]' 2.0; quirk one_point '[has("start_location"), has("end_location")]' 2.0
	quirk swapped .start_location 2.0; quirk null_coordinates .end_location 2.0; quirk empty_coordinates .end_location 2.0
	quirks
} >got
t 'quirks of 0.2 and 2.0' 0 cat got 3<<'OUT'
[1583035200000,1583035200000]
1583042400
[null,null]
[true,false]
{"lat":-97.738363,"lng":30.2667}
{"lat":null,"lng":null}
null
OUT
speak 0.3
control '{"faults":[{"kind":"spoil","quirk":["no_route","extra"],"rows":[1,3]}]}'
ask trips | jq -c '.data.trips | map([has("route"), has("surplus")])' >got
control '{"set":{"quirk":["seconds"]}}'
ask trips | jq -c '.data.trips | map(.end_time)' >>got
ask trips | jq -c '.data.trips | map(.end_time)' >>got
control '{"set":{"quirk":[]}}'
t 'quirks of some trips, and of all' 0 cat got 3<<'OUT'
[[true,false],[false,true],[true,false],[false,true]]
[1583035200,1583037000,1583038799,1583038800]
[1583035200,1583037000,1583038799,1583038800]
OUT

# ---- replies that go wrong ----

control '{"reset":true,"faults":[{"kind":"envelope","name":"rides"},{"kind":"envelope","name":null},{"kind":"envelope","with":{}},{"kind":"body","body":"{\"version\":\"0.3.0\",\"data\":{\"trips\":[ {\"a\" : 1.10}]}}"}]}'
{ ask trips | jq -c '.data | keys'; ask trips | jq -c type; ask trips | jq -c .data; } >got
t 'envelopes' 0 cat got 3<<'OUT'
["rides"]
"array"
{"trips":{}}
OUT
answers 'a body as it is told' "200 ${provider}0.3" trips
t '... byte for byte' 0 cat body 3< <(printf '{"version":"0.3.0","data":{"trips":[ {"a" : 1.10}]}}')
control '{"set":{"indent":2}}'
[ "$(ask trips | sed -n '3,5p' | tr -d '\n')" = '  "data": {    "trips": [      {' ]; ok $? 'over many lines'
control '{"set":{"indent":0},"faults":[{"kind":"102"},{"kind":"102","variant":"interim"},{"kind":"202"},{"kind":"html"},{"kind":"cut"},{"kind":"headers","headers":{"Content-Type":null}}]}'
ask trips -o body -w '%{http_code}' 2>/dev/null >code; [ "$? $(cat code)" = '52 102' ]; ok $? '102 in any version'
ask trips -i | tr -d '\r' | sed -n '/^HTTP/p' >got
t 'an interim 102' 0 cat got 3<<'OUT'
HTTP/1.1 102 Processing
HTTP/1.1 200 OK
OUT
answers '202' '202 application/json;charset=utf-8' trips
answers 'a login page' '200 text/html;charset=utf-8' trips
run 18 'a body cut short' ask trips
answers 'no type' '200 ' trips
control '{"set":{"names":"min_end_time=from,max_end_time=to"}}'
{ ends "trips?from=$hour&to=$((hour + 1))"; ends "trips?min_end_time=$hour&max_end_time=$((hour + 1))"; } >got
control '{"set":{"names":"","path":"/mds/v0"}}'
ask trips -o body -w '%{http_code}\n' >>got
ask mds/v0/trips/ -o body -w '%{http_code}\n' >>got
control '{"set":{"path":""}}'
t 'parameters of another name, and another path' 0 cat got 3<<'OUT'
"1"
"1 2 3 4"
404
200
OUT
control '{"add":[{"trip_id":"new","end_time":1583035200001}],"reset":true}'
ask trips | jq -c '.data.trips | map(.trip_id[35:])' >got
control '{"trips":[{"trip_id":7,"end_time":"x"}]}'
ask "trips?min_end_time=$hour&max_end_time=$((hour + 1))" | jq -c .data.trips >>got
t 'data are changed; a trip that ends at no time is in every hour' 0 cat got 3<<'OUT'
["1","","2","3","4"]
[{"trip_id":7,"end_time":"x"}]
OUT

# ---- credentials ----

codes() {		# codes OPTION...: of a request each
	for option; do
		ask trips -o body -w '%{http_code}\n' ${option:+-H "$option"}
	done | xargs
}
{
	control '{"set":{"auth":"bearer:hush"}}'; codes '' 'Authorization: Bearer hush' 'Authorization: Bearer hus' 'Authorization: Basic hush' 'Authorization: hush'
	control '{"set":{"auth":"basic:me:a:b"}}'; codes '' "Authorization: Basic $(printf me:a:b | base64)" "Authorization: Basic $(printf me:a | base64)"
	control '{"set":{"auth":"custom:X-Key:hush now"}}'; codes '' 'X-Key: hush now' 'x-key: hush' 'Authorization: Bearer hush now'
} >got
t 'bearer, basic, a header' 0 cat got 3<<'OUT'
401 200 401 401 401
401 200 401
401 200 401 401
OUT
login() { curl -sS -o token -w '%{http_code} ' "$mds/oauth/token" "$@"; jq -c '.error // keys' token; }
answers 'no token where there is none to have' '404 application/json' oauth/token
control '{"set":{"auth":"oauth:me:hush"}}'
form=(-d grant_type=client_credentials -d client_id=me --data-urlencode client_secret=hush)
{
	login "${form[@]}"; login -d grant_type=client_credentials -d client_id=me -d client_secret=x; login -d client_id=me -d client_secret=hush
	login -H 'Content-Type: application/json' -d '{"grant_type":"client_credentials","client_id":"me","client_secret":"hush"}'
	login -G "${form[@]}"; login "${form[@]}" -d scope=all
	control '{"set":{"token_header":"X-Agent: city"}}'; login "${form[@]}"; login "${form[@]}" -H 'X-Agent: city'
	control '{"set":{"token_header":"","token_key":"jwt","auth":"oauth:email=a%40b&password=x y"}}'; login --data-urlencode email=a@b --data-urlencode 'password=x y'
} >got
t 'tokens for a form that is right' 0 cat got 3<<'OUT'
200 ["access_token","expires_in","token_type"]
401 "invalid_client"
400 "unsupported_grant_type"
400 "invalid_request"
405 "invalid_request"
401 "invalid_client"
401 "invalid_request"
200 ["access_token","expires_in","token_type"]
200 ["expires_in","jwt","token_type"]
OUT
token() { curl -sS "$mds/oauth/token" --data-urlencode email=a@b --data-urlencode 'password=x y' | jq -r .jwt; }
{
	one=$(token); codes '' "Authorization: Bearer $one" "Authorization: Bearer $one" 'Authorization: Bearer x'
	control '{"expire":true}'; codes "Authorization: Bearer $one"
	control '{"set":{"token_uses":2}}'; one=$(token); codes "Authorization: Bearer $one" "Authorization: Bearer $one" "Authorization: Bearer $one"
	control '{"set":{"token_uses":0,"token_life":0}}'; codes "Authorization: Bearer $(token)"
} >got
t '... that end' 0 cat got 3<<'OUT'
401 200 200 401
401
200 200 401
401
OUT
control '{"reset":true,"set":{"auth":""}}'
ask 'trips?min_end_time=5' -H 'X-One: 1' -o body
curl -sS "$mds/log" | jq -c '[.method, .path, .query, .headers["x-one"], .status, (.at | type)]' >got
t 'the log' 0 cat got 3<<<'["GET","/trips",{"min_end_time":"5"},"1",200,"number"]'
MDS_AUTH=bearer:quiet start_server other "$here/servers/mds.py" --version 0.4 --also 0.3
{ curl -sS -o body -w '%{http_code}\n' -H 'Authorization: Bearer quiet' "$other/trips"; curl -sS -o body -w '%{http_code}\n' "$other/trips"; } >got
t 'a credential out of the environment' 0 cat got 3<<'OUT'
200
401
OUT
run 2 'no such version' "$here/servers/mds.py" --version 0.5
done_testing
