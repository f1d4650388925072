#!/bin/sh
# soda-fetch over a server, a network and a dataset that misbehave: the right end, and never a wrong row.
# Slow: it waits until time limits have passed, again and again.
. "$(dirname "$0")/lib.sh"
unset CURL_CA_BUNDLE SSL_CERT_FILE SSL_CERT_DIR http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY

mkdir data
python3 -c '
print("key,note")
for i in range(100): print("%d,\"note %d, of \"\"some\"\" length\"" % (i, i))' >data/abcd-1234.csv
start_server soda python3 "$here/servers/soda.py" --data "$work/data"

quick='--retry-wait 0.01 --retries 3 --page-size 30'
f() { soda-fetch --base-url "$soda" data.example.gov abcd-1234 $quick "$@"; }
log() { curl -sS "$soda/log"; }
control() {
	[ "$(curl -sS -o control.out -w '%{http_code}' --data-binary "$1" "$soda/control")" = 200 ] || give_up "control: $(cat control.out)"
}
fault() {		# fault FAULTS: after everything of before is forgotten
	control "{\"reset\":true,\"faults\":[$1]}"
}
# dataset: a second one in a state of its own, for tests that change it
fresh() {
	[ -z "${live_pid-}" ] || stop_server live
	start_server live python3 "$here/servers/soda.py" --data "$work/data" "$@"
}
g() { soda-fetch --base-url "$live" data.example.gov abcd-1234 $quick "$@"; }
between() {		# between N DO: once the Nth page is answered
	curl -sS -o control.out --data-binary "{\"between\":{\"match\":\"limit=30|pageSize..30\",\"after\":$1,\"do\":$2}}" \
	    "$live/control"
}

f >all.ndjson || exit 1
f --to csv >all.csv || exit 1

# what comes right when it is asked for again
page='"match":"limit=30"'
for fault in '"kind":"cut"' '"kind":"cut_chunked"' '"kind":"reset"' '"kind":"short"' '"kind":"no_reply"' '"kind":"bad_gzip"' \
    '"kind":"nonsense"' '"kind":"not_json_object"' '"kind":"short","lines":7' '"kind":"cut","bytes":0' \
    '"kind":"status","status":500' '"kind":"status","status":503' '"kind":"status","status":408' \
    '"kind":"status","status":425' '"kind":"status","status":502' '"kind":"status","status":429' \
    '"kind":"202"' '"kind":"202","variant":"location"' '"kind":"202","variant":"ticket"'; do
	for how in '' '--to csv' '--jobs 3'; do
		want=all.ndjson; [ "$how" != '--to csv' ] || want=all.csv
		fault "{$page,\"skip\":1,\"times\":2,$fault}"
		t "comes again: $fault $how" 0 f $how 3<$want
	done
done
for fault in '"kind":"stall"' '"kind":"drip","seconds":0.3'; do
	fault "{$page,\"skip\":1,$fault}"
	t "is given up and comes again: $fault" 0 f --timeout 1 3<all.ndjson
done
fault '{"match":"limit=30","skip":1,"kind":"latency","seconds":3600}'
t 'an answer that does not start' 0 f --timeout 1 3<all.ndjson
fault '{"match":"limit=30","skip":2,"kind":"cut","at":0.9},{"match":"pageSize","skip":1,"kind":"cut"}'
t 'SODA 3 too' 0 f --api 3 3<all.ndjson

# what does not come right
fault '{"match":"limit=30","skip":2,"kind":"status","status":500,"times":-1}'
head -n 60 all.ndjson >two-pages
t '500 for ever: page and rows so far' 69 f 3<two-pages
said 'page 3 after 60 rows: the server failed (500): "Internal error": gave up after 4 tries'
fault '{"match":"count","kind":"status","status":500,"times":-1}'
t '500 to the first question' 69 f 3</dev/null
fault '{"match":"limit=30","kind":"cut","times":-1}'
t 'cut for ever' 76 f 3</dev/null
said 'cut or garbled'
fault '{"match":"limit=30","kind":"short","bytes":333,"times":-1}'
t 'short for ever' 76 f 3</dev/null
said 'the JSON ends too soon'
t 'short CSV for ever' 76 f --to csv 3</dev/null
said 'the CSV ends within a line'
fault '{"match":"limit=30","kind":"short","lines":11,"times":-1}'
t 'cut between rows for ever' 76 f --to csv 3</dev/null
said '10 rows came where the source counts 30'
fault '{"match":"limit=30","kind":"reset","times":-1}'
t 'reset for ever' 69 f 3</dev/null
fault '{"match":"limit=30","kind":"stall","times":-1}'
t 'silence for ever' 69 f --timeout 1 --retries 1 3</dev/null
said 'stalled'
fault '{"match":"limit=30","kind":"bad_gzip","times":-1}'
t 'broken gzip' 76 f 3</dev/null
fault '{"match":"limit=1000","kind":"gzip_bomb","times":-1}'
export soda
t 'a bomb' 76 limited 700000 soda-fetch 'soda-fetch --base-url "$soda" d.gov abcd-1234' 3</dev/null
said 'unpacks to more than'
fault '{"match":"limit=30","kind":"nonsense","times":-1}'
t 'nonsense' 76 f 3</dev/null
fault '{"match":"limit=30","kind":"not_json_object","times":-1}'
t 'an error under status 200' 76 f 3</dev/null
said 'an error under status 200: "Internal error"'
fault '{"match":"limit=30","kind":"not_json_object","body":{"code":"permission_denied","message":"no"},"times":-1}'
t '... by its code: refused' 77 f 3</dev/null
fault '{"match":"limit=30","kind":"not_json_object","body":{"code":"service-unavailable","message":"no"},"times":-1}'
t '... by its code: unavailable' 69 f 3</dev/null
fault '{"match":"limit=30","kind":"html","times":-1}'
t 'HTML where JSON was due' 76 f 3</dev/null
said 'wanted JSON, got text/html: "Sign in"'
t 'HTML where CSV was due' 76 f --to csv 3</dev/null
said 'wanted CSV, got text/html: "Sign in"'
[ "$(log | grep -c '"html"')" -eq 2 ]; ok $? 'is not asked for again'
fault '{"match":"count","kind":"nonsense","body":"[{\"n\":\"many\"}]","times":-1}'
t 'a count that is none' 76 f --count 3</dev/null
said 'the count is no number'
fault '{"kind":"nonsense","body":"{\"columns\":[{\"name\":1}]}","times":-1}'
t 'metadata that are none' 76 f --describe 3</dev/null

# four different outcomes, and the fifth
fault ''
t 'no such dataset' 76 soda-fetch --base-url "$soda" data.example.gov h73f-gn57 3</dev/null
said 'soda-fetch: no dataset h73f-gn57 at data.example.gov'
fault '{"kind":"202","times":-1}'
t 'not ready' 75 f --max-wait 0.3 3</dev/null
said 'not ready (202)'
fault '{"kind":"202","retry_after":3600,"times":-1}'
t 'not ready for an hour' 75 f 3</dev/null
said 'not ready (202)'
fault ''
control '{"set":{"token":["good"]}}'
t 'a wrong token' 77 env SOCRATA_APP_TOKEN=wrong-token soda-fetch --base-url "$soda" d.gov abcd-1234 3</dev/null
said 'Invalid app_token'
said 'check SOCRATA_APP_TOKEN'
said_not wrong-token
t 'a token with a line break in it is no header more' 78 env SOCRATA_APP_TOKEN="token
X-Other: 1" soda-fetch --base-url "$soda" d.gov abcd-1234 3</dev/null
said 'check SOCRATA_APP_TOKEN'; said_not 'X-Other'
t '... by its other name' 77 env SOCRATA_TOKEN=wrong-token soda-fetch --base-url "$soda" d.gov abcd-1234 3</dev/null
said 'check SOCRATA_TOKEN'
[ "$(log | grep -c '"status": 403')" -eq 2 ]; ok $? 'is not asked for again'
control '{"set":{"token":[],"private":["abcd-1234"],"key":"id:right-one"}}'
t 'a private dataset' 77 f 3</dev/null
said 'set SOCRATA_APP_TOKEN, or SOCRATA_KEY_ID'
t 'a wrong key' 77 env SOCRATA_KEY_ID=id SOCRATA_KEY_SECRET=wrong-one soda-fetch --base-url "$soda" d.gov abcd-1234 3</dev/null
said 'check SOCRATA_KEY_ID and SOCRATA_KEY_SECRET'
said_not wrong-one
t 'the right one' 0 env SOCRATA_KEY_ID=id SOCRATA_KEY_SECRET=right-one soda-fetch --base-url "$soda" d.gov abcd-1234 3<all.ndjson
control '{"set":{"private":[],"key":""}}'
t 'a query that Socrata refuses' 64 f --where 'nope = 1' 3</dev/null
said 'No such column'
fault '{"match":"limit=30","skip":1,"kind":"status","status":403,"times":-1}'
head -n 30 all.ndjson >one-page
t 'refused in mid-run' 77 f 3<one-page
said 'page 2 after 30 rows: refused (403)'

# a view whose rows have no :id
sort all.ndjson >all.sorted
fault '{"match":"(select|order)=.*:id","kind":"status","status":400,"times":-1}'
t 'no :id: one page' 0 sh -c 'soda-fetch --base-url "$1" d.gov abcd-1234 | sort' - "$soda" 3<all.sorted
t 'no :id: more than a page' 64 f 3</dev/null
said 'more than 30 rows, which have no :id to page by: give --order'
t 'no :id: by an order of its own' 0 sh -c 'soda-fetch --base-url "$1" d.gov abcd-1234 --page-size 30 --order key | sort' - "$soda" 3<all.sorted
t 'no :id: pages side by side' 0 sh -c 'soda-fetch --base-url "$1" d.gov abcd-1234 --page-size 30 --order key --jobs 3 | sort' - \
    "$soda" 3<all.sorted

# throttled
fault '{"match":"limit=30","kind":"status","status":429,"times":-1}'
t '429 for ever' 75 f 3</dev/null
said 'throttled (429)'
fault '{"match":"limit=30","skip":1,"kind":"status","status":400,"times":-1}'
run 64 'a page that is refused' f
said 'the query is refused (400)'
fault '{"match":"limit=30","kind":"status","status":429,"headers":{"Retry-After":"1"}}'
run 0 'Retry-After in seconds' f -v
said 'trying again in 1 s'
date=$(date -u -d '+2 seconds' '+%a, %d %b %Y %H:%M:%S GMT')
fault "{\"match\":\"limit=30\",\"kind\":\"status\",\"status\":429,\"headers\":{\"Retry-After\":\"$date\"}}"
t 'Retry-After as a date' 0 f 3<all.ndjson
fault '{"match":"limit=30","kind":"status","status":429,"headers":{"Retry-After":"86400"},"times":-1}'
t 'Retry-After of a day' 75 f 3</dev/null
said 'come back at 20'
[ "$(log | grep -c '"status": 429')" -eq 1 ]; ok $? 'is not waited for'
fault '{"match":"limit=30","kind":"status","status":429,"headers":{"Retry-After":"5"},"times":-1}'
t 'Retry-After over --max-wait' 75 f --max-wait 1 3</dev/null
said 'come back at '
fault '{"match":"limit=30","kind":"status","status":503,"headers":{"Retry-After":"86400"},"times":-1}'
t '503 until tomorrow' 75 f 3</dev/null
fault '{"match":"limit=30","kind":"status","status":500,"times":-1}'
t '--max-time' 69 f --retries 1000 --retry-wait 5 --max-time 1 3</dev/null
said '--max-time'

# a server that does not page
fault '{"match":"limit=30","skip":1,"kind":"repeat_page","times":-1}'
t 'a page that repeats' 76 f 3<one-page
said 'page 2 repeats page 1'
t '... by offset' 76 f --jobs 2 3<one-page
fault '{"match":"limit=30","skip":1,"kind":"repeat_page","times":-1}'
t '... as CSV' 76 f --to csv 3<<OUT
$(head -n 31 all.csv)
OUT
fault '{"match":"limit=30","kind":"ignore_limit","times":-1}'
t 'a limit that is ignored' 76 f 3</dev/null
said 'asked for 30 rows, got 100: the server ignores the limit'

# a dataset that changes between pages
rows='[{"key":"1000","note":"new"},{"key":"1001","note":"newer"}]'
for how in '' '--jobs 2' '--order key'; do
	fresh; between 1 "{\"append\":{\"id\":\"abcd-1234\",\"rows\":$rows}}"
	run 75 "rows come between pages: $how" g $how
	said 'changed after'
	fresh; between 1 '{"delete":{"id":"abcd-1234","where":"key = '"'3'"'"}}'
	run 75 "a row goes between pages: $how" g $how
	fresh; between 2 "{\"append\":{\"id\":\"abcd-1234\",\"silent\":true,\"rows\":$rows}}"
	run 75 "rows come in silence: $how" g $how
	said 'from 100 rows to 102'
done
fresh; between 1 '{"replace":{"id":"abcd-1234","rows":'"$rows"'}}'
run 75 'all is replaced between pages' g
fresh; between 4 "{\"append\":{\"id\":\"abcd-1234\",\"rows\":$rows}}"
run 75 'rows come after the last page' g
fresh; between 1 '{"delete":{"id":"abcd-1234","silent":true,"where":"key = '"'3'"'"}}'
run 75 'a row goes in silence, SODA 3' g --api 3
fresh; between 1 "{\"append\":{\"id\":\"abcd-1234\",\"rows\":$rows}}"
{ cat all.ndjson; echo '{"key":"1000","note":"new"}'; echo '{"key":"1001","note":"newer"}'; } >grown
t '--allow-drift 2: all rows came, two new ones too' 0 g --allow-drift 2 3<grown
said 'going on under --allow-drift'
fresh; between 1 '{"delete":{"id":"abcd-1234","where":"key = '"'3'"'"}}'
t '--allow-drift 1: a row that was read and is gone' 0 g --allow-drift 1 3<all.ndjson
said '100 rows read, the source counts 99: within --allow-drift'
fresh; between 1 "{\"append\":{\"id\":\"abcd-1234\",\"rows\":$rows}}"
run 75 '--allow-drift 1: one too many' g --allow-drift 1
said '102 rows read, but the source counts 102 (100 at first)'
fresh; between 1 "{\"append\":{\"id\":\"abcd-1234\",\"rows\":$rows}}"
run 75 '--allow-drift 0 allows none' g --allow-drift 0
fresh; between 1 '{"replace":{"id":"abcd-1234","rows":'"$rows"'}}'
run 75 '--allow-drift 20: all is replaced between pages' g --allow-drift 20
fresh; between 1 '{"delete":{"id":"abcd-1234","where":"key = '"'3'"'"}}'
run 75 '--allow-drift is for pages by :id' g --allow-drift 5 --jobs 2
said 'without --jobs and --order'
fresh; between 1 '{"retire":{"id":"abcd-1234"}}'
run 76 'the dataset is retired in mid-run' g
said 'no dataset abcd-1234'
fresh; between 1 '{"add_column":{"id":"abcd-1234","fieldName":"more","value":"x","silent":true}}'
run 75 'a column comes between pages' g --to csv
said 'its columns are not those of page 1'
fault '{"match":"count","skip":1,"kind":"nonsense","body":"[{\"n\":\"100\"}]"},{"match":"limit=30","kind":"headers","headers":{"X-SODA2-Truth-Last-Modified":null,"X-SODA2-Secondary-Last-Modified":null},"times":-1}'
t 'no dates: the counts decide' 0 f 3<all.ndjson
fault '{"match":"count","kind":"nonsense","body":"[{\"n\":\"90\"}]","times":2}'
t 'a count that is not ours' 76 f 3<all.ndjson
said '100 rows read, but the source counts 90'
fault '{"match":"count","kind":"nonsense","body":"[{\"n\":\"98\"}]","times":-1}'
t '... within --allow-drift' 0 f --allow-drift 2 3<all.ndjson

# the stream of --bulk: what was passed on cannot be had again
b() { soda-fetch --base-url "$soda" data.example.gov abcd-1234 --retry-wait 0.01 --retries 3 --api 3 --bulk "$@"; }
fault '{"match":"export","kind":"status","status":500,"times":2}'
t 'bulk: fails before the first row' 0 b 3<all.ndjson
for how in '' '--to csv'; do
	fault '{"match":"export","kind":"cut_chunked"}'
	run 76 "bulk: cut $how" b $how
	said 'part of it was passed on already: run again'
	fault '{"match":"export","kind":"reset"}'
	run 69 "bulk: reset $how" b $how
	fault '{"match":"export","kind":"short"}'
	run 76 "bulk: short $how" b $how
	said 'the stream ends too soon'
	fault '{"match":"export","kind":"html"}'
	run 76 "bulk: HTML $how" b $how
	said 'got text/html: "Sign in"'
done
fault '{"match":"export","kind":"nonsense"}'
run 76 'bulk: nonsense' b
fault '{"match":"export","kind":"nonsense","body":"[{\"a\":\"1\"},{\"b\":}]"}'
run 76 'bulk: nonsense within a row' b
said 'after 1 rows: no JSON value'
fault '{"match":"export","kind":"short","lines":51}'
run 76 'bulk: cut between rows' b --to csv
said '50 rows read, but the source counts 100'

# the network
t 'nobody listens' 69 soda-fetch --base-url http://127.0.0.1:1 d.gov abcd-1234 --retry-wait 0.01 --retries 1 3</dev/null
said '127.0.0.1'
said 'gave up after 2 tries'
t 'no such name' 69 soda-fetch no-such-host.invalid abcd-1234 --retry-wait 0.01 --retries 1 3</dev/null
said 'no-such-host.invalid'
t 'a dead proxy' 69 env http_proxy=http://127.0.0.1:1 no_proxy= soda-fetch --base-url http://data.example.gov d.gov abcd-1234 \
    --retry-wait 0.01 --retries 1 3</dev/null
said 'the proxy 127.0.0.1'
fault '{"match":"example.gov|resource","kind":"status","status":407,"times":-1}'
t 'a proxy that wants a password' 77 env http_proxy="$soda" no_proxy= soda-fetch --base-url http://data.example.gov d.gov abcd-1234 3</dev/null
said 'the proxy refused us (407)'

# redirects
fresh
fault "{\"match\":\"limit=30\",\"kind\":\"redirect\",\"to\":\"$live/resource/abcd-1234.json?\$select=:id,*&\$order=:id&\$limit=30\"}"
t 'a redirect to another host' 0 env SOCRATA_APP_TOKEN=token-12 SOCRATA_KEY_ID=id SOCRATA_KEY_SECRET=secret-12 \
    soda-fetch --base-url "$soda" d.gov abcd-1234 --page-size 30 3<all.ndjson
curl -sS "$live/log" | jq -c '[.token, .headers.authorization]' >sent
t '... without the credentials' 0 cat sent 3<<'OUT'
[null,null]
OUT
fault '{"match":"limit=30","kind":"redirect","to":"'"$soda"'/resource/abcd-1234.json?$limit=30","times":-1}'
t 'a redirect in circles' 76 f 3</dev/null
said 'one redirect too many'
fault '{"match":"limit=30","kind":"redirect","to":"file:///etc/passwd","times":-1}'
run 76 'a redirect to a file' f
said_not root:

# TLS
cat >tls.py <<'PY'
import http.server, ssl, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/plain":
            self.send_response(302); self.send_header("Location", "http://127.0.0.1:1/")
        else:
            self.send_response(200)
        body = b'[{"n":"0"}]' if "count" in self.path else b"[]\n"
        if "downgrade" in self.path:
            self.send_response_only(302)
        self.send_header("Content-Type", "application/json"); self.send_header("Content-Length", str(len(body)))
        self.end_headers(); self.wfile.write(body)
        print("request", file=sys.stderr, flush=True)
    def log_message(self, *args): pass
class Downgrade(Handler):
    def do_GET(self):
        self.send_response(302); self.send_header("Location", "http://127.0.0.1:1/x")
        self.send_header("Content-Length", "0"); self.end_headers()
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Downgrade if "downgrade" in sys.argv else Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1] + ".pem", sys.argv[1] + ".key")
if "old" in sys.argv:
    context.set_ciphers("ALL:@SECLEVEL=0"); context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
server.socket = context.wrap_socket(server.socket, server_side=True)
print("https://127.0.0.1:%d" % server.server_address[1], flush=True)
server.serve_forever()
PY
cert() {		# cert NAME SUBJECT-ALT-NAME [OPTION...]: self-signed
	name=$1 alt=$2; shift 2
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$name.key" -out "$name.pem" -subj /CN=stand-in -addext "subjectAltName=$alt" \
	    "$@" 2>cert.log || give_up "openssl: $(tail -n 1 cert.log)"
}
cert good IP:127.0.0.1
cert wrong DNS:elsewhere.example.gov
openssl req -newkey rsa:2048 -nodes -keyout expired.key -out expired.csr -subj /CN=stand-in 2>cert.log
printf 'subjectAltName=IP:127.0.0.1\n' >expired.ext
openssl x509 -req -in expired.csr -signkey expired.key -out expired.pem -days -1 -extfile expired.ext 2>cert.log ||
    give_up "openssl: $(tail -n 1 cert.log)"
start_server good python3 tls.py good
start_server wrong python3 tls.py wrong
start_server expired python3 tls.py expired
start_server old python3 tls.py good old
start_server down python3 tls.py good downgrade
tls() { soda-fetch --base-url "$@" d.gov abcd-1234 --retry-wait 0.01; }
t 'TLS: self-signed' 76 tls "$good" 3</dev/null
said 'TLS: '
said 'self-signed certificate'
t 'TLS: self-signed, and trusted' 0 tls "$good" --cacert good.pem 3</dev/null
t '... by CURL_CA_BUNDLE' 0 env CURL_CA_BUNDLE=good.pem soda-fetch --base-url "$good" d.gov abcd-1234 3</dev/null
mkdir authorities && cp good.pem "authorities/$(openssl x509 -hash -noout -in good.pem).0"
t '... by SSL_CERT_DIR' 0 env SSL_CERT_DIR=authorities soda-fetch --base-url "$good" d.gov abcd-1234 3</dev/null
t '... by SSL_CERT_FILE' 0 env SSL_CERT_FILE=good.pem soda-fetch --base-url "$good" d.gov abcd-1234 3</dev/null
t 'TLS: the wrong name' 76 tls "$wrong" --cacert wrong.pem 3</dev/null
said 'no alternative certificate subject name matches'
t 'TLS: expired' 76 tls "$expired" --cacert expired.pem 3</dev/null
said 'expired'
t 'TLS: an old version' 76 tls "$old" --cacert good.pem 3</dev/null
said 'TLS: '
t 'TLS: no such file of certificates' 78 tls "$good" --cacert nowhere.pem 3</dev/null
t 'TLS: a server that speaks none' 76 tls "https://${soda#http://}" 3</dev/null
t 'TLS: never down to plain http' 76 tls "$down" --cacert good.pem 3</dev/null
said 'redirected to plain http'
[ "$(cat server.wrong.log server.expired.log server.old.log | grep -c request)" -eq 0 ]; ok $? 'no request was sent to the wrong ones'

# a signal in the middle of a wait, which goes on until the signal was sent
fault "{\"match\":\"limit=30\",\"kind\":\"latency\",\"until\":\"$work/signalled\"}"
soda-fetch --base-url "$soda" data.example.gov abcd-1234 $quick >out 2>err & pid=$!
until log | grep -q count; do sleep 0.05; done
sleep 0.2
kill -USR1 $pid
: >signalled
wait $pid; ok $? 'SIGUSR1 harms nothing'
same '... all rows' all.ndjson out
said 'rows'

# a reader that leaves stops the transfer; from the fourth page on they come when it has left
fault "{\"match\":\"limit=1\",\"kind\":\"latency\",\"until\":\"$work/left\",\"skip\":3,\"times\":-1}"
soda-fetch --base-url "$soda" data.example.gov abcd-1234 --page-size 1 | { head -n 1 >out; exec <&-; : >left; }
[ "$(log | wc -l)" -lt 20 ]; ok $? 'the rest is not fetched for nobody'
done_testing
