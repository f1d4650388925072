#!/bin/sh
# mds-fetch: what each version of the API is asked, who asks, and that all comes, byte for byte.
. "$(dirname "$0")/lib.sh"
unset http_proxy all_proxy ALL_PROXY

MDS_AUTH=bearer:token-of-jump-Jg8 start_server mds "$here/servers/mds.py" --make 30 --page-size 7
control() {
	[ "$(curl -sS -o control.out -w '%{http_code}' --data-binary "$1" "$mds/control")" = 200 ] || give_up "control: $(cat control.out)"
}
set_server() { control "{\"reset\":true,\"set\":{$1}}"; }
log() { curl -sS "$mds/log"; }
# config VERSION [SETTING,...]: providers.json, in which jump has that version and these settings
config() {
	printf '{"lime":{},"jump":{"auth_type":"Bearer","token":"token-of-jump-Jg8","mds_api_url":"%s/","version":"%s"%s}}' \
	    "$mds" "$1" "${2:+,$2}" >providers.json
}
own() { jq -c .jump providers.json >own.json; }
f() { mds-fetch --config providers.json --provider jump --retries 2 --retry-wait 0.01 "$@"; }
hour='--hour 2020-03-01-01'
from=1583024400000 to=1583028000000
# truth VERSION: the trips that there are.  (Of 0.2 the stand-in writes numbers in two ways; they are compared as jq does.)
truth() {
	curl -sS "$mds/truth?from=$from&to=$to&version=$1" >unsorted
	same_numbers=cat
	[ "$1" != 0.2 ] || same_numbers='jq -c .'
	$same_numbers unsorted | sort >truth
}
# sorted COMMAND...: its lines, sorted, with its status
sorted() { "$@" >unsorted; sorted_status=$?; $same_numbers unsorted | sort; return $sorted_status; }
asked() { log | jq -c "[.method, .path, .query] + [.headers.accept]"; }
receipt() { jq -c 'del(.seconds)' receipt.json; }

# ---- versions ----

for version in 0.2 0.3 0.4 1.0 1.1 1.2 2.0; do
	set_server "\"version\":\"$version\""
	config $version.0
	truth $version
	[ "$(wc -l <truth)" -eq 30 ]; ok $? "$version: there are 30 trips"
	t "$version: they come, byte for byte, once each" 0 sorted f $hour --receipt receipt.json 3<truth
	f $hour --envelope --receipt receipt2.json >envelope.json
	jq -c '.data.trips[]' envelope.json | sort >got
	jq -c . truth | sort >truth.jq
	same "$version: the envelope has the same" truth.jq got
	[ "$(wc -l <envelope.json)" -eq 1 ] && [ "$(jq -c '[keys, .version[:3], (.data | keys)]' envelope.json)" = \
	    "[[\"data\",\"version\"],\"$version\",[\"trips\"]]" ]; ok $? '... in the form of all versions but 2.0'
	jq -e '.read == 30 and .written == 30 and .rejected == 0 and .outside == 0 and .provider == "jump" and .endpoint == "trips"' \
	    receipt.json >/dev/null; ok $? '... and the receipt says so' || receipt
	[ "$(jq .version receipt.json)" = "$(jq .version envelope.json)" ]; ok $? '... and names the version'
done
first() {		# first VERSION ENDPOINT [OPTION...]: what is asked first
	set_server "\"version\":\"$1\",\"page_size\":0"
	config "$1"
	endpoint=$2
	shift 2
	f --endpoint $endpoint "$@" >first.out 2>first.err
	log | jq -c '[.method, .path, .query, .headers.accept, .headers.authorization]' | head -n 1
}
provider=application/vnd.mds.provider+json mds_type=application/vnd.mds+json bearer='Bearer token-of-jump-Jg8'
t 'questions: trips of 0.2, from three hours before' 0 first 0.2 trips $hour 3<<OUT
["GET","/trips",{"start_time":"1583013600","end_time":"1583028000"},"$provider;version=0.2","$bearer"]
OUT
t 'trips of 0.3' 0 first 0.3 trips $hour 3<<OUT
["GET","/trips",{"min_end_time":"1583024400000","max_end_time":"1583028000000"},"$provider;version=0.3","$bearer"]
OUT
t 'trips of 0.4' 0 first 0.4 trips $hour 3<<OUT
["GET","/trips",{"end_time":"2020-03-01T01"},"$provider;version=0.4","$bearer"]
OUT
for version in 1.0 1.1 1.2 2.0; do
	t "trips of $version" 0 first $version trips $hour 3<<OUT
["GET","/trips",{"end_time":"2020-03-01T01"},"$mds_type;version=$version","$bearer"]
OUT
done
t 'status changes of 0.2' 0 first 0.2 status_changes $hour 3<<OUT
["GET","/status_changes",{"start_time":"1583024400","end_time":"1583028000"},"$provider;version=0.2","$bearer"]
OUT
t 'status changes of 0.3' 0 first 0.3 status_changes $hour 3<<OUT
["GET","/status_changes",{"start_time":"1583024400000","end_time":"1583028000000"},"$provider;version=0.3","$bearer"]
OUT
t 'status changes of 1.1' 0 first 1.1 status_changes $hour 3<<OUT
["GET","/status_changes",{"event_time":"2020-03-01T01"},"$mds_type;version=1.1","$bearer"]
OUT
t 'events of 1.2' 0 first 1.2 events $hour 3<<OUT
["GET","/events",{"start_time":"1583024400000","end_time":"1583028000000"},"$mds_type;version=1.2","$bearer"]
OUT
t 'events of 2.0' 0 first 2.0 events $hour 3<<OUT
["GET","/events/historical",{"event_time":"2020-03-01T01"},"$mds_type;version=2.0","$bearer"]
OUT
t 'telemetry of 2.0' 0 first 2.0 telemetry $hour 3<<OUT
["GET","/telemetry",{"telemetry_time":"2020-03-01T01"},"$mds_type;version=2.0","$bearer"]
OUT
t 'vehicles of 0.4' 0 first 0.4 vehicles 3<<OUT
["GET","/vehicles",{},"$provider;version=0.4","$bearer"]
OUT
# what else can be asked for comes too
last_hour=$(date -u -d '2 hours ago' +%Y-%m-%d-%H)
comes() {		# comes VERSION ENDPOINT MEMBER OPTION...: as a plain request to the server has it
	version=$1 endpoint=$2 member=$3
	shift 3
	set_server "\"version\":\"$version\",\"page_size\":0"
	config "$version"
	f --endpoint $endpoint "$@" --envelope >got.json 2>err
	last=$(log | jq -r 'select(.path != "/control") | .target' | tail -n 1)
	curl -sSG "$mds$last" -H "Authorization: $bearer" -H "Accept: $(log | jq -r .headers.accept | tail -n 1)" |
	    jq -c "(.data // .).$member" >wanted
	jq -c ".data.$endpoint" got.json >got
	[ "$(jq length wanted)" -gt 0 ]; ok $? "$version $endpoint: there are some"
	same '... and they come' wanted got
}
comes 0.2 status_changes status_changes $hour
comes 0.3 status_changes status_changes $hour
comes 1.0 status_changes status_changes $hour
comes 1.2 events status_changes --hour $last_hour
comes 2.0 events events $hour
comes 2.0 telemetry telemetry $hour
set_server '"version":"1.2","page_size":7'; config 1.2
run 0 'vehicles come in pages' f --endpoint vehicles --receipt receipt.json
[ "$(wc -l <out)" -gt 14 ] && [ "$(jq .pages receipt.json)" -gt 2 ]; ok $? '... all of them'
config 0.3
t 'an endpoint that the version has not' 64 f --endpoint telemetry $hour 3</dev/null
said 'jump: version 0.3 has no telemetry'
config 1.2
t 'vehicles are as they are now' 64 f --endpoint vehicles $hour 3</dev/null
said 'leave out --hour'

# ---- spans ----

set_server '"version":"0.4","page_size":0'; config 0.4.0
truth 0.4
t 'a range is asked for hour by hour' 0 sorted f --since 2020-03-01T01:00:00Z --until 2020-03-01-02 3<truth
from=1582934400000 to=1582945200000; truth 0.4
t '... and each hour once' 0 sorted f --since 2020-02-29 --until 2020-02-29T03:00+00:00 --receipt receipt.json 3<truth
receipt >got
t '... as the receipt has it' 0 cat got 3<<'OUT'
{"tool":"mds-fetch","provider":"jump","endpoint":"trips","version":"0.4.1","pages":3,"read":90,"written":90,"rejected":0,"outside":0,"passed_over":0}
OUT
f --since 2020-02-29 --until 2020-02-29-3 --envelope | jq -c '.data.trips[]' | sort >got
jq -c . truth | sort >truth.jq
same '... one envelope for all' truth.jq got
run 64 'the old name of --since' f --from 2020-02-29 --until 2020-03-01; said 'mds-fetch: --from is now --since'
run 64 '... of --until' f --since 2020-02-29 --to 2020-03-01; said 'mds-fetch: --to is now --until'
t 'a range that is no whole hours' 64 f --since 2020-03-01T01:30 --until 2020-03-01-02 3</dev/null
said 'version 0.4 knows whole hours only'
set_server '"version":"0.3","page_size":4'; config 0.3.0
from=1583026200000 to=1583028000000; truth 0.3
t '0.3 takes any range' 0 sorted f --since 2020-03-01T02:30+01:00 --until 2020-03-01T02:00 3<truth
from=1583024400000 to=1583028000000
for wrong in '--hour 2020-02-30-01' '--hour 2020-03-01-24' '--hour yesterday' '--hour 2020-03-01T01:30' \
    '--since 2020-03-01' '--until 2020-03-01' "$hour --since 2020-03-01" '--since 2020-03-02 --until 2020-03-01' \
    '--since 2020-03-01 --until 2020-03-01' '' '--since x --until y' "$hour extra" "$hour --endpoint bikes"; do
	t "wrong: $wrong" 64 f $wrong 3</dev/null
done
t 'arguments are checked before input' 64 mds-fetch --config - --hour x <. 3</dev/null
t 'no configuration' 64 mds-fetch $hour 3</dev/null
said 'no --config'

# ---- output ----

set_server '"version":"0.3","page_size":7'; config 0.3.0
truth 0.3
t 'the configuration by a pipe' 0 sorted sh -c 'mds-fetch --config - --provider jump --hour 2020-03-01-01 <providers.json' 3<truth
own
t '... of one provider alone' 0 sorted sh -c 'mds-fetch --config - --provider jump --hour 2020-03-01-01 <own.json' 3<truth
t '... which needs no name' 0 sorted mds-fetch --config own.json $hour 3<truth
control '{"set":{"indent":2}}'
f $hour >laid
[ "$(wc -l <laid)" -eq 30 ]; ok $? 'trips over many lines go on one'
jq -c . laid | sort >got; jq -c . truth | sort >truth.jq; same '... and are the same' truth.jq got
control '{"set":{"indent":0,"gzip":true}}'
t 'packed pages' 0 sorted f $hour 3<truth
for mode in '' --envelope; do
	t "a full disk is no success $mode" 74 sh -c "mds-fetch --config own.json $hour $mode >/dev/full" 3</dev/null
	said 'stdout'
	run 141 "a reader that left $mode" python3 -c '
import os, subprocess, sys
there, here = os.pipe()
os.close(there)
sys.exit(128 - subprocess.run(sys.argv[1:], stdout=here).returncode)' mds-fetch --config own.json $hour $mode
done
t 'a read error is no end of input' 74 mds-fetch --config - $hour <. 3</dev/null
t 'a configuration that is not there' 66 mds-fetch --config nowhere $hour 3</dev/null
t 'a receipt that cannot be made' 73 sh -c "mds-fetch --config own.json $hour --receipt nowhere/r >out.trips" 3</dev/null
run 73 'no place to put an envelope aside' env TMPDIR=nowhere mds-fetch --config own.json $hour --envelope
said 'TMPDIR'
set_server '"version":"0.3","make":0'
t 'no trips are a success' 0 f $hour --receipt receipt.json 3</dev/null
[ "$(jq -c '[.empty, .pages, .read]' receipt.json)" = '[true,1,0]' ]; ok $? '... and the receipt says so'
t '... or what --empty-exit says' 99 f $hour --empty-exit 99 3</dev/null
t '... as an envelope' 0 f $hour --envelope 3<<'OUT'
{"version":"0.3.2","data":{"trips":[]}}
OUT
t '... or too few' 65 f $hour --expect-rows 1 3</dev/null
said '0 trips, but --expect-rows 1'
t '... of which no envelope is made' 65 f $hour --envelope --expect-rows 1 3</dev/null

# ---- who asks ----

# auth TYPE SERVER SETTINGS: the trips come, by that kind of credential
auth() {
	control "{\"reset\":true,\"set\":{\"version\":\"0.3\",\"make\":30,\"page_size\":7,\"gzip\":false,\"token_uses\":${4:-0},\"auth\":\"$2\"}}"
	printf '{"mds_api_url":"%s","version":"0.3.0",%s}' "$mds" "$3" >own.json
	t "auth: $1" 0 sorted mds-fetch --config own.json -p jump --retries 1 --retry-wait 0.01 $hour 3<truth
}
form='"auth_data":{"grant_type":"client_credentials","client_id":"atx id","client_secret":"s&cr t%+ü"}'
auth basic 'basic:austin:p:ss word' '"auth_type":"BASIC","auth_data":{"username":"austin","password":"p:ss word"}'
auth 'custom headers' 'custom:X-Api-Key:key-1234' '"auth_type":"custom","headers":{"X-Api-Key":"key-1234","X-Empty":"","Accept":"text/csv"}'
[ "$(log | jq -r '.headers | [.accept, ."x-empty"] | @tsv' | sort -u)" = "$provider;version=0.3	" ]; ok $? '... and Accept is ours'
auth oauth 'oauth:atx id:s&cr t%+ü' "\"auth_type\":\"oauth\",$form,\"token_url\":\"$mds/oauth/token\",\"auth_token_res_key\":\"access_token\""
control '{"set":{"token_key":"jwt","token_header":"X-Client: austin-tx"}}'
oauth="\"auth_type\":\"oauth\",$form,\"token_url\":\"$mds/oauth/token\",\"auth_token_res_key\":\"jwt\""
auth 'oauth, with a header and a member of their own' 'oauth:atx id:s&cr t%+ü' \
    "$oauth,\"request\":{\"auth\":{\"headers\":{\"X-Client\":\"austin-tx\"}}}"
auth 'oauth, the header by its flat name' 'oauth:atx id:s&cr t%+ü' "$oauth,\"request.auth.headers\":{\"X-Client\":\"austin-tx\"}"
control '{"set":{"token_header":""}}'
auth 'oauth: a token that ends in mid-run is renewed' 'oauth:atx id:s&cr t%+ü' "$oauth" 2
said 'jump: the token has ended: asking for another'
[ "$(log | jq -r 'select(.path == "/oauth/token").status' | tr '\n' ' ')" = '200 200 200 ' ]; ok $? '... each time that it ends'
[ "$(log | jq -r 'select(.path == "/trips").status' | tr '\n' ' ')" = '200 200 401 200 200 401 200 ' ]; ok $? '... and no page comes twice'
said_not 's&cr'

# ---- negotiation ----

auto() {		# auto NAME VERSION SERVER QUESTIONS
	control "{\"reset\":true,\"set\":{\"page_size\":0,\"auth\":\"bearer:token-of-jump-Jg8\",\"also\":[],\"strict\":false,\"deaf\":false}}"
	control "{\"set\":{$3}}"
	config auto
	truth "$2"
	t "auto: $1" 0 sorted f $hour --receipt receipt.json 3<truth
	[ "$(jq -r .version receipt.json | cut -c 1-3)" = "$2" ]; ok $? '... and knows its version'
	log | jq -r '[.method, (.headers.accept | if length > 60 then "all" else split("=")[1] end), .status] | @tsv' | tr '\t\n' ' ,' >got
	[ "$(cat got)" = "$4" ]; ok $? '... by these questions' || sed 's/^/# /' got
}
auto '0.4 says it by OPTIONS' 0.4 '"version":"0.4","also":["0.3"]' 'OPTIONS all 200,GET 0.4 200,'
auto '0.3, too' 0.3 '"version":"0.3"' 'OPTIONS all 200,GET 0.3 200,'
auto 'the newest at once' 2.0 '"version":"2.0"' 'OPTIONS all 405,GET 2.0 200,'
auto 'others are tried from the newest on' 1.1 '"version":"1.1","also":["1.0"],"strict":true' \
    'OPTIONS all 405,GET 2.0 406,GET 1.2 406,GET 1.1 200,'
auto 'what is answered without being asked is asked for' 1.0 '"version":"1.0","deaf":true' 'OPTIONS all 405,GET 2.0 200,GET 1.0 200,'
auto '0.2' 0.2 '"version":"0.2","strict":true' 'OPTIONS all 405,GET 2.0 406,GET 1.2 406,GET 1.1 406,GET 1.0 406,GET 0.4 406,GET 0.3 406,GET 0.2 200,'

# ---- settings ----

set_server '"version":"0.3","page_size":7,"strict":false,"names":"min_end_time=von,max_end_time=bis"'
truth 0.3
config 0.3.0 '"mds_param_override":{"start_time":"von","max_end_time":"bis"}'
t 'parameters by other names' 0 sorted f $hour 3<truth
set_server '"names":""'
config 0.3.0 '"delay":0.3'
run 0 'a delay' f $hour --receipt receipt.json
jq -e '.pages == 5 and .seconds >= 1.5' receipt.json >/dev/null; ok $? '... before each request' || receipt
control '{"reset":true,"faults":[{"kind":"status","status":500,"times":-1}]}'
config 0.3.0 '"max_attempts":2'
t 'attempts' 69 mds-fetch --config providers.json -p jump $hour --retry-wait 0.01 3</dev/null
said 'gave up after 2 tries'
t '... but the command line says more' 69 f $hour 3</dev/null
said 'gave up after 3 tries'
control '{"reset":true,"faults":[{"kind":"stall","bytes":0,"times":-1}]}'
for name in timeout interval; do
	config 0.3.0 "\"$name\":0.3"
	t "$name" 69 f $hour --retries 0 3</dev/null
	said 'for 0.3 s'
done
set_server '"version":"0.3"'
config 0.3.0 '"paging":false'
run 0 'paging: false' f $hour
[ "$(wc -l <out)" -eq 7 ]; ok $? '... is one page'
said 'there is another page, which is not fetched: paging is false'
config 0.3.0 '"passwort":"abc","time_format":"%Y","Token":1'
t 'settings that nobody knows' 0 sorted f $hour 3<truth
said 'providers.json: jump: unknown settings, which do nothing: passwort, Token'
said_not abc

# a configuration that is wrong
wrong() {		# wrong SAYS JSON
	printf %s "$2" >wrong.json
	t "wrong configuration: $1" 78 mds-fetch --config wrong.json -p jump $hour 3</dev/null
	said "mds-fetch: wrong.json: $1"
}
wrong 'byte 1: it is empty' ''
wrong 'byte 9: ends in the middle' '{"jump":'
wrong 'want one JSON object' '[]'
wrong 'want one JSON object' '{}{}'
wrong 'no provider jump: there are none' '{}'
wrong 'no provider jump: there are lime, bird' '{"lime":{},"bird":{"token":"xyzzy"}}'
wrong 'jump: want an object' '{"jump":7}'
wrong 'mds_api_url is missing' '{"jump":{}}'
wrong 'mds_api_url: want a URL' '{"jump":{"mds_api_url":"ftp://x"}}'
wrong 'mds_api_url: plain http' '{"jump":{"mds_api_url":"http://example.com"}}'
wrong 'mds_api_url: a query' '{"jump":{"mds_api_url":"https://example.com/?a=b"}}'
url='"mds_api_url":"https://example.com"'
wrong 'auth_type is missing: want bearer, basic, oauth or custom' "{\"jump\":{$url}}"
wrong 'auth_type: want bearer' "{\"jump\":{$url,\"auth_type\":\"magic\"}}"
wrong 'auth_type: want a text' "{\"jump\":{$url,\"auth_type\":{}}}"
wrong 'token is missing' "{\"jump\":{$url,\"auth_type\":\"bearer\",\"token\":null}}"
wrong 'token: want a text' "{\"jump\":{$url,\"auth_type\":\"bearer\",\"token\":\"a\\nb\"}}"
wrong 'auth_data: want an object with username and password' "{\"jump\":{$url,\"auth_type\":\"basic\"}}"
wrong 'auth_data: want a username and a password' "{\"jump\":{$url,\"auth_type\":\"basic\",\"auth_data\":{\"username\":\"x\"}}}"
wrong 'token_url is missing' "{\"jump\":{$url,\"auth_type\":\"oauth\"}}"
o="$url,\"auth_type\":\"oauth\",\"token_url\":\"https://example.com/t\""
wrong 'token_url: plain http' "{\"jump\":{$url,\"auth_type\":\"oauth\",\"token_url\":\"http://example.com/t\"}}"
wrong 'auth_token_res_key is missing' "{\"jump\":{$o}}"
wrong 'auth_data is missing' "{\"jump\":{$o,\"auth_token_res_key\":\"jwt\"}}"
wrong 'auth_data: a: want a text' "{\"jump\":{$o,\"auth_token_res_key\":\"jwt\",\"auth_data\":{\"a\":[1]}}}"
b="$url,\"auth_type\":\"bearer\",\"token\":\"t-o-k-e-n\""
wrong 'headers: want an object' "{\"jump\":{$b,\"headers\":[]}}"
wrong 'headers: a name that is none' "{\"jump\":{$b,\"headers\":{\"a b\":\"c\"}}}"
wrong 'headers: A: want a text on one line' "{\"jump\":{$b,\"headers\":{\"A\":\"c\\r\\nd\"}}}"
wrong 'mds_param_override: want names' "{\"jump\":{$b,\"mds_param_override\":{\"end_time\":\"a&b\"}}}"
wrong 'paging: want true or false' "{\"jump\":{$b,\"paging\":\"no\"}}"
wrong 'delay: want a number' "{\"jump\":{$b,\"delay\":-1}}"
wrong 'max_attempts: want a number of at least 1' "{\"jump\":{$b,\"max_attempts\":0}}"
wrong 'settle: want a number' "{\"jump\":{$b,\"settle\":\"1h\"}}"
wrong 'more than 12 credentials' "{\"jump\":{$b,\"headers\":{$(seq -s, 12 | sed 's/\([0-9]*\)/"X-\1":"secret-\1"/g')}}}"
printf '{"jump":{%s,"version":"0.9"}}' "$b" >wrong.json
t 'a version that there is not' 78 mds-fetch --config wrong.json -p jump $hour 3</dev/null
said 'jump: version: want one from 0.2 to 2.0, or "auto"'
config 0.3
t 'which provider?' 78 mds-fetch --config providers.json $hour 3</dev/null
said 'no --provider: there are lime, jump'

# ---- memory ----

set_server '"version":"0.3","make":4000,"page_size":500,"cache":1024'
config 0.3.0
resident mds-fetch --config providers.json -p jump --since 2020-03-01-01 --until 2020-03-01-03 >many
[ "$(wc -l <many)" -eq 8000 ]; ok $? '8000 trips'
at_most 24576
resident mds-fetch --config providers.json -p jump --since 2020-03-01-01 --until 2020-03-01-03 --envelope >many.json
[ "$(jq '.data.trips | length' many.json)" -eq 8000 ]; ok $? '... in one document'
at_most 24576
set_server '"make":8,"page_size":1'
control '{"faults":[{"kind":"spoil","quirk":"large_route","bytes":5242880,"times":-1}]}'
for mode in '' --envelope; do
	resident mds-fetch --config providers.json -p jump $hour $mode >large.json
	[ "$(wc -c <large.json)" -gt 41943040 ] && [ "$(jq -c "${mode:+.data.trips[]|}.trip_id" large.json | sort -u | wc -l)" -eq 8 ]
	ok $? "pages of 5 MiB $mode"
	at_most 49152
done
done_testing
