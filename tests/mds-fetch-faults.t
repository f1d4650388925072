#!/bin/sh
# mds-fetch against a provider and a network that misbehave: the right end, nothing that is half there, and no word of a trip.
# Slow: it waits until time limits have passed, again and again.
. "$(dirname "$0")/lib.sh"
unset http_proxy all_proxy ALL_PROXY

MDS_AUTH=bearer:token-of-jump-Jg8 start_server mds "$here/servers/mds.py" --make 20 --page-size 7
control() {
	[ "$(curl -sS -o control.out -w '%{http_code}' --data-binary "$1" "$mds/control")" = 200 ] || give_up "control: $(cat control.out)"
}
log() { curl -sS "$mds/log"; }
# settings SETTINGS: of the server, in place of those of before, which is forgotten
settings() {
	control "{\"reset\":true,\"set\":{\"version\":\"0.3\",\"also\":[],\"strict\":false,\"deaf\":false,\"body_version\":\"\",\"make\":20,\"page_size\":7,
	    \"unready\":[],\"outage\":[],\"ready_after\":0,\"now\":\"\",\"quirk\":[],\"processing\":\"close\",\"token_uses\":0,
	    \"token_key\":\"access_token\",\"auth\":\"bearer:token-of-jump-Jg8\"${1:+,$1}}}"
}
fault() { control "{\"reset\":true,\"faults\":[$1]}"; }
# config VERSION [SETTING,...]: providers.json, in which jump has that version and these settings
config() {
	printf '{"jump":{"auth_type":"bearer","token":"token-of-jump-Jg8","mds_api_url":"%s","version":"%s"%s}}' \
	    "$mds" "$1" "${2:+,$2}" >providers.json
}
f() { mds-fetch --config providers.json --provider jump --retries 2 --retry-wait 0.01 "$@"; }
hour='--hour 2020-03-01-01'
g() { f $hour "$@"; }
# nothing NAME STATUS SAYS [OPTION...]: it ends so, by trips and as an envelope; nothing came before, so nothing is written
nothing() {
	name=$1 want=$2 says=$3
	shift 3
	control '{"reset":false}'
	t "$name" "$want" f "${@:-$hour}" 3</dev/null
	said "$says"
}
# ends NAME STATUS SAYS FAULT [FILE]: with that fault g ends so, with the trips of FILE before; and makes no envelope
ends() {
	fault "$4"
	t "$1" "$2" g 3<"${5:-/dev/null}"
	said "$3"
	fault "$4"
	t '... and no envelope' "$2" g --envelope 3</dev/null
}
settings; config 0.3
g >all && g --envelope >all.json || exit 1
head -n 7 all >one; head -n 14 all >two
[ "$(jq -r .trip_id all | sort -u | wc -l)" -eq 20 ]; ok $? 'all is well at first'
all_said=$work/all-said	# every word on stderr
said() { cat err >>"$all_said"; grep -qF -- "$1" err; ok $? "says: $1" || sed 's/^/# stderr: /' err; }

# ---- four outcomes, and none of them is "no trips" ----

settings '"version":"2.0","unready":["2020-03-01T01"]'; config 2.0
t 'not ready: 202' 75 g 3</dev/null
said 'mds-fetch: jump: trips of 2020-03-01-01: not ready (202): run again later'
t '... as an envelope' 75 g --envelope --receipt receipt.json 3</dev/null
[ ! -e receipt.json ]; ok $? '... and no receipt'
t '... is not tried again' 0 sh -c "curl -sS $mds/log | grep -c '\"status\": 202'" 3<<'OUT'
2
OUT
for variant in close open; do
	settings "\"version\":\"1.2\",\"unready\":[\"2020-03-01T01\"],\"processing\":\"$variant\""; config 1.2 '"timeout":3'
	t "not ready: 102 as the only answer, and the connection is $variant" 75 mds-fetch --config providers.json -p jump $hour 3</dev/null
	said 'trips of 2020-03-01-01: not ready (102, and no answer after it): run again later'
	[ "$(log | wc -l)" -eq 1 ]; ok $? '... is not tried again'
done
settings '"version":"1.2"'; config 1.2
g >all.12
fault '{"kind":"102","variant":"interim"}'
t '102 and then the answer' 0 g 3<all.12
fault '{"kind":"102","variant":"open","times":-1}'
t '102 until --max-time' 75 g --max-time 3 3</dev/null
said 'not ready (102'
settings '"version":"1.1","unready":["2020-03-01T01"]'; config 1.1
t '1.1 has an empty answer for it' 0 g 3</dev/null
for version in 0.4 1.0; do
	settings "\"version\":\"$version\",\"ready_after\":36000"; config $version
	t "not ready: 404 of $version, soon after the end" 75 f --hour "$(date -u -d '2 hours ago' +%Y-%m-%d-%H)" 3</dev/null
	said 'not ready, so soon after its end (404): "Not ready yet": run again later'
	config $version '"settle":60'
	t '... but no longer than settle' 66 f --hour "$(date -u -d '3 hours ago' +%Y-%m-%d-%H)" 3</dev/null
	said 'the provider served no trips then (404): "Not ready yet"'
done
for version in 0.4 1.0 1.1 1.2 2.0; do
	settings "\"version\":\"$version\",\"outage\":[\"2020-03-01T01\"]"; config $version
	t "not served: 404 of $version" 66 g 3</dev/null
	said 'trips of 2020-03-01-01: the provider served no trips then (404): "Not operational in this hour"'
	t '... in a range, too' 66 f --since 2020-03-01-01 --until 2020-03-01-03 3</dev/null
done
settings '"version":"0.4","outage":["2020-03-01T01"]'; config 0.4 '"settle":1e9'
t '... unless settle says that it may come' 75 g 3</dev/null
settings '"version":"0.4","now":"2020-03-01T01:59:59Z"'; config 0.4
t "to come, by the provider's clock" 64 g 3</dev/null
said "is still to come, by the provider's clock (404): \"This hour is not over\""
for version in 0.2 0.3 0.4 2.0; do
	settings "\"version\":\"$version\""; config $version
	t "to come, by our own: $version" 64 f --hour "$(date -u -d '+1 hour' +%Y-%m-%d-%H)" 3</dev/null
	said 'is still to come: run again once it is over'
	# Where an hour ends before it is asked about, it is over, and so are years of them, all of which would be fetched.
	while [ "$(date +%M%S)" -ge 5930 ]; do sleep 1; done
	t '... an hour that is not over' 64 f --since 2020-03-01 --until "$(date -u -d '+1 hour' +%Y-%m-%d-%H)" 3</dev/null
	t '... is not even asked for' 0 log 3</dev/null
	fault '{"kind":"status","status":400,"body":{"error":"bad_param","error_description":"A required parameter is missing"}}'
	t "wrongly asked: 400 of $version" 64 g 3</dev/null
	said 'trips of 2020-03-01-01: refused as wrongly asked (400): "A required parameter is missing"'
done
settings '"version":"1.2"'; config 1.2
t 'events that are too old' 64 g --endpoint events 3</dev/null
said 'events of 2020-03-01-01: refused as wrongly asked (400): "start_time and end_time may be two weeks old at most"'
settings '"version":"0.3"'; config 0.3
fault '{"kind":"status","status":404}'
t '0.3 has no 404: the URL may be wrong' 66 g 3</dev/null
said 'the provider served no trips then (404): "No data for this hour": or check mds_api_url'
settings '"version":"1.2"'; config 1.2
fault '{"kind":"status","status":404}'
t 'what has no hour is not served: the URL is wrong' 76 f --endpoint vehicles 3</dev/null
said 'vehicles: not found (404): "No data for this hour": check mds_api_url'

# ---- what comes right when it is asked for again ----

settings; config 0.3
for fault in '"kind":"cut"' '"kind":"cut_chunked"' '"kind":"reset"' '"kind":"short"' '"kind":"no_reply"' '"kind":"bad_gzip"' \
    '"kind":"nonsense"' '"kind":"body","body":"{}"' '"kind":"body","body":""' '"kind":"status","status":500' \
    '"kind":"status","status":503' '"kind":"status","status":408' '"kind":"status","status":429' \
    '"kind":"status","status":204' '"kind":"envelope","name":"trip"' '"kind":"status","status":502,"body":"upstream"'; do
	fault "{\"skip\":1,\"times\":2,$fault}"
	t "comes again: $fault" 0 g 3<all
	fault "{\"skip\":1,\"times\":2,$fault}"
	t '... as an envelope' 0 g --envelope 3<all.json
done
fault '{"skip":1,"kind":"stall"}'
t 'a stall' 0 g --timeout 2 3<all
fault '{"kind":"status","status":429,"headers":{"Retry-After":"1"}}'
t '429 with a time' 0 g -v 3<all
said 'throttled (429): "Too many requests": trying again in 1 s'

# ---- what does not come right ----

ends 'cut for ever' 76 'trips of 2020-03-01-01, page 2: the answer is cut or garbled' '{"skip":1,"kind":"cut","times":-1}' one
ends 'chunks that end too soon' 76 'page 2: the answer is cut' '{"skip":1,"kind":"cut_chunked","times":-1}' one
ends 'reset for ever' 69 'page 3' '{"skip":2,"kind":"reset","times":-1}' two
ends 'bad gzip' 76 'page 2: the answer is cut or garbled' '{"skip":1,"kind":"bad_gzip","times":-1}' one
ends 'a gzip bomb' 76 'unpacks to more than' '{"kind":"gzip_bomb","bytes":600000000}'
ends '500 for ever' 69 'the server failed (500): "Something went wrong": gave up after 3 tries' '{"kind":"status","status":500,"times":-1}'
ends '429 for ever' 75 'throttled (429)' '{"kind":"status","status":429,"times":-1}'
ends '429 until the day after tomorrow' 75 'come back at' '{"kind":"status","status":429,"headers":{"Retry-After":"172800"}}'
ends 'HTML' 76 'wanted JSON, got text/html: "Sign in"' '{"kind":"html"}'
ends 'HTML in mid-run' 76 'page 2: wanted JSON, got text/html: "Sign in"' '{"skip":1,"kind":"html"}' one
ends '401' 77 'refused (401): "No valid credentials": check token in the configuration' '{"kind":"status","status":401}'
ends '401 in mid-run' 77 'page 2: refused (401)' '{"skip":1,"kind":"status","status":401}' one
ends '403' 77 'refused (403)' '{"kind":"status","status":403}'
ends 'JSON that ends too soon' 76 'the JSON ends too soon' '{"kind":"body","body":"{\"version\":\"0.3.0\",\"data\":{","times":-1}'
ends 'no object' 76 'the answer is no JSON object' '{"kind":"body","body":"[]","times":-1}'
ends 'no list of trips' 76 'no "trips" in the answer' '{"kind":"envelope","name":"rides","times":-1}'
ends 'no envelope' 76 'the answer is no JSON object' '{"kind":"envelope","name":null,"times":-1}'
ends 'trips: null' 76 '"trips" in the answer is no array' '{"kind":"envelope","with":null,"times":-1}'
ends 'trips: an object' 76 '"trips" in the answer is no array' '{"kind":"envelope","with":{"a":{}},"times":-1}'
ends 'a trip that is none' 76 'an element of "trips" in the answer is no object' '{"kind":"spoil","quirk":"no_object","rows":[3],"times":-1}'
ends 'data: null' 76 'no "trips" in the answer' '{"kind":"body","body":"{\"version\":\"0.3.0\",\"data\":null}","times":-1}'
ends 'an error with status 200' 76 'no "trips" in the answer' '{"kind":"body","body":"{\"version\":\"0.3.0\",\"error\":\"x\"}","times":-1}'
ends '204' 76 'an answer without data' '{"kind":"status","status":204,"times":-1}'
fault '{"kind":"stall","times":-1}'
t 'a stall for ever' 69 g --timeout 2 --retries 1 3</dev/null
said 'stalled'
fault '{"kind":"drip","seconds":0.2,"times":-1}'
t 'byte by byte' 69 g --timeout 3 --retries 0 3</dev/null
said 'stalled: next to nothing came'
fault '{"kind":"status","status":500,"times":-1}'
t '--max-time' 69 g --retries 1000 --retry-wait 5 --max-time 1 3</dev/null
config 0.3; jq -c '.jump.mds_api_url = "http://127.0.0.1:1"' providers.json >nobody.json
t 'nobody there' 69 mds-fetch --config nobody.json -p jump $hour --retries 1 --retry-wait 0.01 3</dev/null
fault "{\"kind\":\"redirect\",\"to\":\"$mds/trips?min_end_time=1583024400000&max_end_time=1583028000000\"}"
t 'a redirect is followed' 0 g 3<all

# ---- versions ----

settings '"version":"1.1","also":["0.4"],"strict":true'; config 0.3
t 'a version that is not to be had' 78 g 3</dev/null
said 'jump: trips of 2020-03-01-01: no version 0.3 (406): "Not in this version": the provider offers 1.1: set version in the configuration'
settings '"version":"1.2","strict":true'; config 0.4
t '... by who does not say which is' 78 g 3</dev/null
said 'no version 0.4 (406): "Not in this version": the provider offers others, but does not say which'
config auto; fault '{"match":"trips","kind":"status","status":406,"times":-1}'
t 'none is to be had' 78 g 3</dev/null
said 'none of the versions 2.0 to 0.2 is to be had (406)'
settings '"version":"1.0","deaf":true'; config 0.4
t 'another version is answered' 76 g 3</dev/null
said 'answered version 1.0.0, but 0.4 was asked for: set version in the configuration'
settings '"version":"0.2","deaf":true,"make":0'; config 0.3
t '... even 0.2, whose type has no version' 76 g 3</dev/null
said 'answered version 0.2.1, but 0.3 was asked for'
settings '"version":"0.3"'
fault '{"kind":"headers","headers":{"Content-Type":"application/vnd.mds+json;version=3.7"},"times":-1}'
t 'a version that nobody knows' 76 g 3</dev/null
said 'answered version 3.7, but 0.3'
fault '{"kind":"headers","headers":{"Content-Type":"application/json"},"times":-1}'
t "without one in the type, the body's counts" 0 g 3<all
fault '{"skip":1,"kind":"headers","headers":{"Content-Type":"application/vnd.mds.provider+json; charset=utf-8; version=\"0.4\""}}'
t 'another version in mid-run' 76 g 3<one
said 'page 2: answered version 0.4, but 0.3'
settings '"body_version":"0.3.1"'
t "the body's version is the envelope's" 0 sh -c 'mds-fetch --config providers.json --provider jump --hour 2020-03-01-01 --envelope | jq -r .version' 3<<'OUT'
0.3.1
OUT
settings '"version":"0.3"'
fault '{"kind":"nonsense","body":"{\"data\":{\"trips\":[]}}"}'
t 'no version at all is taken as the one that was asked for' 0 g --envelope 3<<'OUT'
{"version":"0.3.0","data":{"trips":[]}}
OUT
said 'the answer names no version: taken as 0.3'
settings '"version":"2.0"'; config 2.0
fault '{"kind":"body","body":"{\"version\":\"2.0.0\",\"data\":{\"trips\":[{\"a\":1}]}}"}'
t 'the form of another version is read' 0 g 3<<'OUT'
{"a":1}
OUT
fault '{"kind":"body","body":"{\"v\\u0065rsion\":\"2.0.0\",\"d\\u0061ta\":{\"tr\\u0069ps\":[{\"a\":1}]}}"}'
t 'names with escapes are read' 0 g 3<<'OUT'
{"a":1}
OUT
fault '{"kind":"body","body":"{\"version\":\"2.0.0\",\"data\":{\"trips\":[{\"a\":\r1},\r{\"b\":\n2}]}}"}'
t 'line breaks of either kind within a trip are left out' 0 g 3<<'OUT'
{"a":1}
{"b":2}
OUT

# ---- pages ----

settings; config 0.3
for style in absolute path name query; do
	control "{\"set\":{\"next\":\"$style\"}}"
	t "links: $style" 0 g 3<all
done
control '{"set":{"next":"absolute"}}'
for links in next needed; do
	control "{\"set\":{\"links\":\"$links\"}}"
	t "links: $links" 0 g 3<all
done
control '{"set":{"links":"all"}}'
for to in null '""'; do
	fault "{\"kind\":\"next\",\"to\":$to}"
	t "a next that is $to is none" 0 g 3<one
done
ends 'next elsewhere' 76 'its link to the next page leads to another server, which is not followed' \
    '{"kind":"next","to":"https://mds.example.com/trips?page=2"}'
# (the page that has the link is not written either: what it says of itself is nonsense)
ends 'next on another port' 76 'leads to another server' '{"kind":"next","to":"http://127.0.0.1:1/trips"}'
ends 'next by another scheme' 76 'leads to another server' '{"kind":"next","to":"file:///etc/passwd"}'
ends 'next that looks like ours' 76 'leads to another server' "{\"kind\":\"next\",\"to\":\"$mds@127.0.0.1:1/x\"}"
ends 'next that is the same page' 76 'leads to one that came before' '{"kind":"next","to":"self"}'
ends 'next that is the first page' 76 'page 2: its link to the next page leads to one that came before' \
    '{"skip":1,"kind":"next","to":"self"}' one
ends 'next that is a number' 76 '"links.next" is no text' '{"kind":"next","to":7,"times":-1}'
ends 'next that is a list' 76 '"links.next" is no text' '{"kind":"next","to":["x"],"times":-1}'
ends 'an endless next, always the same trips' 76 'page 2: repeats a page that came before' '{"kind":"endless","times":-1}' one
ends 'an endless next without any' 76 'page 10: the 10th page in a row with nothing on it' '{"kind":"endless","empty":true,"times":-1}'
ends 'the same page twice' 76 'page 2: repeats a page that came before' '{"kind":"repeat_page","times":-1}' one
fault '{"skip":1,"kind":"overlap","times":-1}'
run 0 'the same trip on two pages' g
[ "$(wc -l <out)" -eq 22 ] && [ "$(sort -u out | wc -l)" -eq 20 ]; ok $? '... comes twice, for mds-trips to judge'
fault '{"kind":"duplicate","times":-1}'
run 0 'the same trip twice on a page' g
[ "$(wc -l <out)" -eq 23 ]; ok $? '... too'
settings '"version":"0.4","deaf":true'; config 0.4
fault '{"kind":"body","times":-1,"body":"{\"version\":\"0.4.1\",\"data\":{\"trips\":[{\"trip_id\":\"a\"}]}}"}'
t 'a server that ignores the hour' 76 f --since 2020-03-01-01 --until 2020-03-01-03 3<<'OUT'
{"trip_id":"a"}
OUT
said 'trips of 2020-03-01-02: repeats a page that came before'
fault '{"kind":"body","times":-1,"body":"{\"version\":\"0.4.1\",\"data\":{\"trips\":[]}}"}'
t 'hours without trips are no repetition' 0 f --since 2020-03-01-01 --until 2020-03-02-03 3</dev/null
fault '{"kind":"body","body":"{\"version\":\"0.4.1\",\"data\":{\"trips\":[{\"a\":1}]},\"links\":{\"next\":\"/trips?end_time=2020-03-01T09\"}}"},
    {"kind":"body","body":"{\"version\":\"0.4.1\",\"data\":{\"trips\":[{\"a\":2}]}}"}'
t 'pages where there should be none are followed' 0 g 3<<'OUT'
{"a":1}
{"a":2}
OUT
said 'version 0.4 has no pages, but here is a link to the next one: following it'

# ---- times ----

settings; config 0.3
fault '{"skip":1,"kind":"spoil","quirk":"outside","rows":[0,3]}'
run 0 'trips outside the hour' g --receipt receipt.json
[ "$(wc -l <out)" -eq 20 ] && [ "$(jq -c '[.read, .written, .outside]' receipt.json)" = '[20,20,2]' ]; ok $? '... are kept and counted'
said 'mds-fetch: jump: 2 of 20 trips are outside the time that was asked for: kept'
for version in 0.2 2.0; do
	settings "\"version\":\"$version\""; config $version
	fault '{"kind":"spoil","quirk":"outside","times":-1}'
	run 0 "... in $version" g --receipt receipt.json
	[ "$(jq .outside receipt.json)" -ge 5 ]; ok $? '... some'
done
settings '"version":"0.2"'; config 0.2
g | sort >twenty; [ "$(wc -l <twenty)" -eq 20 ]; ok $? '0.2: trips that were under way as the hour began come, too'
config 0.2 '"reach":0'
run 0 '... not so without reach' g
[ "$(wc -l <out)" -lt 20 ] && [ "$(sort out | comm -12 - twenty | wc -l)" -ge $(($(wc -l <out) - 1)) ]; ok $? '... which asks as others did'
settings; config 0.3
for quirk in no_route empty_route one_point null_coordinates integer_ids extra missing text_times; do
	fault "{\"kind\":\"spoil\",\"quirk\":\"$quirk\",\"times\":-1}"
	run 0 "trips that are wrong in themselves pass: $quirk" g
	[ "$(wc -l <out)" -eq 20 ]; ok $? '... all'
done

# ---- credentials ----

form='{"grant_type":"client_credentials","client_id":"austin","client_secret":"secret-of-ours"}'
# oauth FORM MEMBER: own.json
oauth() {
	printf '{"mds_api_url":"%s","version":"0.3","auth_type":"oauth","auth_data":%s,"token_url":"%s/oauth/token","auth_token_res_key":"%s"}' \
	    "$mds" "$1" "$mds" "$2" >own.json
}
o() { mds-fetch --config own.json -p jump $hour --retries 1 --retry-wait 0.01 "$@"; }
oauth_ends() {		# oauth_ends NAME STATUS SAYS FAULT
	fault "{\"match\":\"oauth/token\",\"times\":-1,$4}"
	t "token: $1" "$2" o 3</dev/null
	said "mds-fetch: jump: token: $3"
}
settings '"auth":"oauth:austin:secret-of-ours"'
oauth "$form" access_token
t 'token: all is well' 0 o 3<all
oauth_ends 401 77 'refused (401)' '"kind":"status","status":401'
oauth_ends 'a client that is not known (400)' 77 'refused (400): "invalid_client": check auth_data in the configuration' \
    '"kind":"status","status":400,"body":{"error":"invalid_client"}'
oauth_ends 404 78 'refused (404)' '"kind":"status","status":404'
oauth_ends HTML 76 'wanted JSON, got text/html: "Sign in"' '"kind":"html"'
oauth_ends 'no JSON' 76 'the answer is empty' '"kind":"nonsense","body":""'
oauth_ends 'another member' 76 'no "access_token" in the answer: check auth_token_res_key' '"kind":"nonsense","body":"{\"jwt\":\"abcdef\"}"'
oauth_ends 'no text' 76 'no "access_token"' '"kind":"nonsense","body":"{\"access_token\":{\"a\":1}}"'
oauth_ends 'an empty one' 76 'no "access_token"' '"kind":"nonsense","body":"{\"access_token\":\"\"}"'
oauth_ends 'line breaks in it' 76 'no "access_token"' '"kind":"nonsense","body":"{\"access_token\":\"ab\\r\\nX: y\"}"'
oauth_ends 'no object' 76 'no "access_token"' '"kind":"nonsense","body":"[\"access_token\"]"'
oauth_ends 500 69 'the server failed (500)' '"kind":"status","status":500'
oauth_ends 'a redirect, with the secret' 76 '307, a redirect that is not followed' '"kind":"redirect","status":307,"to":"http://127.0.0.1:1/"'
fault '{"match":"oauth/token","kind":"status","status":503}'
t 'token: comes again' 0 o 3<all
oauth '{"client_id":"austin","client_secret":"wrong-secret"}' access_token
fault ''
t 'token: wrong credentials' 77 o 3</dev/null
said 'check auth_data in the configuration'
said_not wrong-secret
oauth "$form" access_token
control '{"reset":true,"between":{"match":"^/trips","after":2,"do":{"expire":true}}}'
t 'token: ends in mid-run, and is renewed' 0 o 3<all
said 'jump: the token has ended: asking for another'
fault '{"match":"^/trips","skip":1,"kind":"status","status":401,"times":-1}'
t 'token: is refused for good in mid-run' 77 o 3<one
said 'page 2: refused (401)'
[ "$(log | grep -c oauth/token)" -eq 2 ]; ok $? '... renewed once'
fault '{"match":"^/trips","kind":"status","status":401,"times":-1}'
t 'token: is refused at once' 77 o 3</dev/null
[ "$(log | grep -c oauth/token)" -eq 1 ]; ok $? '... and not renewed'
settings; config 0.3
jq -c '.jump.token = "another-token"' providers.json >wrong.json
t 'a token that is wrong' 77 mds-fetch --config wrong.json -p jump $hour 3</dev/null
said 'jump: trips of 2020-03-01-01: refused (401): "No valid credentials": check token in the configuration'
start_server other "$here/servers/mds.py" --make 1
fault "{\"kind\":\"redirect\",\"times\":-1,\"to\":\"$other/trips?min_end_time=1583024400000&max_end_time=1583028000000\"}"
jq -c '.jump.headers = {"X-Key": "key-of-ours"}' providers.json >keyed.json
run 0 'a redirect to another server' mds-fetch --config keyed.json -p jump $hour
curl -sS "$other/log" | jq -r '.headers | has("authorization") or has("x-key")' >leaked
t '... without our credentials' 0 cat leaked 3<<'OUT'
false
OUT
fault '{"kind":"status","status":400,"times":-1,"body":{"error_description":"your token-of-jump-Jg8 and key-of-ours are no good"}}'
t 'secrets that a server repeats' 64 mds-fetch --config keyed.json -p jump $hour 3</dev/null
said 'your *** and *** are no good'

# ---- what is said of trips: nothing ----

settings; config 0.3
for kind in cut reset bad_gzip; do
	fault "{\"skip\":1,\"kind\":\"$kind\",\"times\":-1}"
	g -v >/dev/null 2>>"$all_said"
done
fault '{"kind":"envelope","name":"rides","times":-1}'
g -v >/dev/null 2>>"$all_said"
jq -r '.trip_id, .device_id, .start_time, .end_time, .vehicle_id, (.route.features[].geometry.coordinates[])' all >values
[ "$(wc -l <values)" -gt 200 ] && [ "$(wc -l <"$all_said")" -gt 50 ] && ! grep -qFf values "$all_said"
ok $? 'no word of a trip in any message'

# ---- killed ----

fault '{"skip":1,"kind":"stall","bytes":0,"times":-1}'
mkdir aside
TMPDIR=$work/aside mds-fetch --config providers.json -p jump $hour --envelope >out 2>err & pid=$!
n=0; while [ "$(log | wc -l)" -lt 2 ] && [ $n -lt 600 ]; do sleep 0.1; n=$((n + 1)); done
kill -9 $pid; wait $pid 2>/dev/null
[ $n -lt 600 ] && [ ! -s out ] && [ -z "$(ls -A aside)" ]
ok $? 'killed in the middle of an envelope: nothing is there, and nothing is left'
done_testing
