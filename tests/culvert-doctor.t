#!/bin/bash
# culvert-doctor: surroundings that are good, and then each fault by itself: its line, its mend, its status.
# Slow in its second part, which the quick run leaves out: each case runs all checks.
. "$(dirname "$0")/lib.sh"
. "$here/doctor-place.sh"

# ---- usage ----
run 64 'a flow that is none' doctor nothing
said 'nothing: no such flow: want one of 311'
run 64 'two flows' doctor 311 mds
run 64 'an option that is none' doctor --frobnicate
run 64 'a wrong --to' doctor --to csv
run 64 'a wrong --timeout' doctor --timeout never
run 64 'an option without its value' doctor --app-name
run 64 'a path for a flow' doctor ../311
run 0 '--help' doctor --help
for words in --help --version '' '--to ndjson'; do
	run 74 "a full disk is no success: culvert-doctor $words" sh -c "culvert-doctor $words >/dev/full"
	said 'culvert-doctor: stdout: it was not written'
done
is 'it knows each tool' "$(cd "$top/src" && ls ./*.c | sed 's/^..//; s/\.c$//' | sort)" \
    "$(sed -n "/^all_tools='/,/'\$/p" "$top/scripts/doctor.d/machine.sh" | sed "s/^all_tools=//; s/'//g" | tr -s ' \t' '\n' | grep . | sort)"

# ---- without a flow ----
start_postgres
run 0 'this machine' doctor
no_line FAIL
line ok 'tools: '
line ok 'program jq: '
line ok 'TMPDIR: '
line ok 'limits: '
line ok 'proxy: none'
line ok 'database: postgres as postgres, PostgreSQL '
line ok 'clock against the database: '
is '... nothing is left in TMPDIR' '' "$(ls "$TMPDIR")"
mkdir "$TMPDIR/culvert-doctor.$(uname -n).999999999.abcdef" && : >"$TMPDIR/culvert-doctor.$(uname -n).999999999.fedcba"
run 0 'as records' doctor --to ndjson
is '... nor of one that was killed' '' "$(ls "$TMPDIR")"
jq -es 'length > 9 and all(.[]; .level == "ok" and .status == 0 and (.what | length > 0) and (.found | length > 0) and .mend == "")' out >/dev/null; ok $? '... which are JSON'
run 0 'with --quiet' doctor --quiet
[ ! -s out ]; ok $? '... nothing is said when all is well'
run 0 'by the dispatcher' culvert doctor --quiet
if command -v script >/dev/null; then
	script -qec 'culvert-doctor' /dev/null </dev/null >out 2>err
	grep -q $'\e\\[32mok' out; ok $? 'in colour on a terminal'
	! doctor | grep -q $'\e'; ok $? '... and nowhere else'
fi

# ---- the machine ----
mkdir tools
ln -s "$(dirname "$(command -v pg-copy-out)")"/* tools/
rm tools/geo-tag tools/culvert-doctor
with_tools() {		# the same doctor, which finds these tools
	CULVERT_BIN=$work/tools "$(command -v culvert-doctor)" "$@"
}
mkdir few
for program in bash sh sed awk grep cat tr head tail sort date mktemp rm stat df uname dirname basename readlink paste sleep env jq curl flock psql; do
	ln -s "$(command -v $program)" few/$program
done
PATH=$work/few run 78 'a tool that is missing' env CULVERT_BIN="$work/tools" "$(command -v culvert-doctor)"
line FAIL 'tool geo-tag: not found in PATH: install culvert anew, or run make'
printf '#!/bin/sh\necho "geo-tag (culvert) 0.0.9"\n' >tools/geo-tag
chmod +x tools/geo-tag
run 78 'a tool of another version' with_tools
line FAIL "tool geo-tag: $work/tools/geo-tag: geo-tag (culvert) 0.0.9, and culvert-doctor is "
rm few/jq
printf '#!/bin/sh\necho "curl 7.10.0"\n' >few/curl.old && chmod +x few/curl.old && mv few/curl.old few/curl
PATH=$work/few run 78 'jq is missing, curl is old' env CULVERT_BIN="$(dirname "$(command -v geo-tag)")" "$(command -v culvert-doctor)" --to ndjson
grep -q '"what":"program jq","found":"not found in PATH","mend":"install it: apt-get install jq"' out; ok $? '... as records too, which need no jq'
grep -q '"what":"program curl","found":"version 7.10.0","mend":"7.68 or newer is needed"' out; ok $? '... the old one'
TMPDIR=/no/such run 78 'no TMPDIR' doctor
line FAIL 'TMPDIR: /no/such: no such directory: make it, or set TMPDIR'
if [ "$(id -u)" = 0 ] && mkdir small && mount -t tmpfs -o size=512k none small 2>/dev/null; then
	at_exit="umount '$work/small'; $at_exit"
	TMPDIR=$work/small run 78 'a full TMPDIR' doctor
	line FAIL "small: not even 1 MiB can be written there: it is full"
	printf '#!/bin/sh\nfind "$TMPDIR" -mindepth 1 -type d >>"%s"\n' "$work/notes-in-small" >tools/geo-tag
	TMPDIR=$work/small run 78 '... and what the checks write down' with_tools
	[ -e notes-in-small ] && [ ! -s notes-in-small ]; ok $? '... is kept elsewhere, since one check fills it'
	mount -o remount,ro "$work/small"
	TMPDIR=$work/small run 78 'a read-only TMPDIR' doctor
	line FAIL "small: no file can be made there"
	mount -o remount,rw,size=4m "$work/small"
	TMPDIR=$work/small run 0 'a small TMPDIR' doctor
	line warn 'TMPDIR: '
fi
run 0 'few open files' bash -c 'ulimit -n 200; exec culvert-doctor'
line warn 'limits: only 200 files may be open: ulimit -n 1024'
https_proxy='http://me:proxy-secret@proxy.example:8080' no_proxy=localhost run 0 'a proxy' doctor
line ok 'proxy: https_proxy=proxy.example:8080, no_proxy=localhost'
no_secret
https_proxy='some thing' run 78 'a proxy that is none' doctor
line FAIL 'proxy: https_proxy is no [http://]host:port'
HTTP_PROXY=proxy.example:8080 run 0 'HTTP_PROXY' doctor
line warn 'HTTP_PROXY is not obeyed'
run 0 'no HOME' env -u HOME culvert-doctor
run 0 'LANG=C' env LC_ALL=C LANG=C culvert-doctor

light_tools

# ---- the database ----
PGHOST=/nowhere run 69 'no server' doctor --timeout 12
line FAIL 'database: '
DSN="host=$PGHOST dbname=no_such" run 78 'no such database' doctor
line FAIL 'database "no_such" does not exist'
DSN=nonsense run 78 'no connection string' doctor
PGOPTIONS='-c default_transaction_read_only=on' run 78 'a read-only one' doctor
line FAIL 'it is read-only'
sql "CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
PGDATABASE=latin run 78 'a wrong encoding' doctor
line FAIL 'latin has the encoding LATIN1'
if has_faketime; then
	run 78 'a clock that is an hour slow' faketime -f '-1h' culvert-doctor
	line FAIL 'clock against the database: this clock is 60 min slow: set it by NTP'
	run 0 'a clock that is a minute fast' faketime -f '+60s' culvert-doctor
	line warn 'clock against the database: this clock is '
fi

# ---- 311 ----
python3 "$servers/make311.py" --rows 100 --years 2019,2020 --seed 7 data
start_server SODA_URL python3 "$servers/soda.py" --data data
export SODA_URL DATASETS=$work/datasets.json
jq '.domain = "soda.test" | .datasets = [{year: 2019, id: "la31-2019"}, {year: 2020, id: "la31-2020"}]' "$top/scripts/311/311.json" >"$DATASETS"
control() {		# control SERVER JSON
	curl -fsS --data-binary @- "$1/control" >/dev/null <<<"$2"
}
run 0 '311' doctor 311
no_line FAIL
line ok 'settings: settings are good: update, 2 datasets'
line ok 'table requests: not there yet'
line ok 'dns '
line ok 'dataset la31-2020: 50 rows of 2020 at soda.test'
line warn 'Socrata app token: none is set'
line ok 'slack: no webhook is set'
SOCRATA_APP_TOKEN=a-token MODE=full "$top/scripts/311/load" >/dev/null 2>&1
SOCRATA_APP_TOKEN=a-token run 0 '311 after a load' doctor 311
no_line warn
line ok 'table requests: it is there, with the rights'
line ok 'table load_log: it is there, with the rights'
is 'nothing is left in the database' 0 "$(sql "SELECT count(*) FROM pg_class WHERE relname LIKE '%doctor%'")"
JOBS=none run 78 'a wrong setting' doctor 311
line FAIL 'settings: JOBS=none: want a number'
DATASETS=/no/such run 78 'no datasets file' doctor 311
jq '.datasets = ["la31-2020"]' "$DATASETS" >words.json
DATASETS=$work/words.json run 78 'datasets that are no objects' doctor 311
line FAIL "settings: $work/words.json: see docs/311.md for its format"
SODA_URL=http://nowhere.invalid run 69 'a name that does not resolve' doctor 311
line FAIL 'dns nowhere.invalid: the name does not resolve: see the spelling'
SODA_URL=http://127.0.0.1:1 run 69 'a connection that is refused' doctor 311
line FAIL 'host 127.0.0.1: Failed to connect'
control "$SODA_URL" '{"faults":[{"match":"resource","times":-1,"kind":"status","status":403,"body":"{\"code\":\"permission_denied\",\"error\":true,\"message\":\"Invalid app_token specified\"}"}]}'
SOCRATA_APP_TOKEN=hush-socrata run 77 'a wrong token' doctor 311
line FAIL 'Invalid app_token specified'
grep 'Invalid app_token' out | grep -q 'see SOCRATA_APP_TOKEN'; ok $? '... with the mend'
no_secret
control "$SODA_URL" '{"reset":true,"faults":[{"match":".","times":-1,"kind":"headers","headers":{"Date":"'"$(LC_ALL=C date -u -d '1 hour ago' '+%a, %d %b %Y %H:%M:%S GMT')"'"}}]}'
run 78 'a server whose clock is an hour behind' doctor 311
line FAIL 'this clock is 60 min fast'
control "$SODA_URL" '{"reset":true,"faults":[{"match":"resource","times":-1,"kind":"status","status":429,"headers":{"Retry-After":"3600"}}]}'
run 75 'a service that is throttled' doctor 311
line FAIL 'dataset la31-2020'
control "$SODA_URL" '{"reset":true,"faults":[{"match":"resource","times":-1,"kind":"html"}]}'
run 76 'a login page' doctor 311
control "$SODA_URL" '{"reset":true,"faults":[{"match":"resource","times":-1,"kind":"stall","seconds":100}]}'
CULVERT_RUN_ID=hung.$$ run 69 'a service that hangs' doctor 311 --timeout 3s
line FAIL 'dataset: no answer in 3 s'
all_gone() {
	[ -z "$(processes hung)" ]
}
wait_for all_gone; ok $? '... is not waited for, by nobody'
control "$SODA_URL" '{"reset":true}'
sql "CREATE ROLE loader LOGIN PASSWORD 'sesame-open'; REVOKE CREATE ON SCHEMA public FROM PUBLIC"
DSN="postgresql://loader:sesame-open@/postgres?host=$PGHOST" run 77 'a role without rights' doctor 311
line FAIL 'table requests: loader lacks CREATE on schema public, SELECT, INSERT, UPDATE, DELETE, ownership: as its owner: GRANT SELECT, INSERT, UPDATE, DELETE ON requests TO loader; GRANT CREATE ON schema public TO loader; ALTER TABLE requests OWNER TO loader'
no_secret
mend=$(sed -n 's/^FAIL .*as its owner: //p' out | paste -sd ';')
sql "$mend"; ok $? 'the mends are SQL'
DSN="postgresql://loader:sesame-open@/postgres?host=$PGHOST" run 0 '... which mend it' doctor 311
jq '.table = "nowhere.requests" | .views = []' "$DATASETS" >elsewhere.json
DATASETS=$work/elsewhere.json run 78 'a schema that is not there' doctor 311
line FAIL 'table nowhere.requests: there is no schema nowhere: CREATE SCHEMA nowhere'
SLACK_WEBHOOK_URL=ftp://hush-hook run 78 'a hook that is none' doctor 311
line FAIL 'slack: '
no_secret
quick_ends
# ---- certificates ----
cat >tls.py <<'PY'
import http.server, ssl, sys
class Anything(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1] + ".pem", sys.argv[1] + ".key")
server = http.server.HTTPServer(("127.0.0.1", 0), Anything)
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
server.serve_forever()
PY
make_certificate() {	# make_certificate NAME OPTION...: of openssl
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$1.key" -out "$1.pem" -subj "/CN=localhost" -addext 'subjectAltName=DNS:localhost' "${@:2}" 2>/dev/null
}
serve_with() {		# serve_with NAME: a server with that certificate, which answers everything, at $tls
	start_server "tls_$1" python3 tls.py "$1"
	eval "tls=\$tls_$1"
}
certificate() {		# certificate NAME OPTION...: both
	make_certificate "$@"
	serve_with "$1"
}
certificate self -days 90
API_URL=https://localhost:$tls run 76 'a certificate that nobody vouches for' doctor 311
line FAIL 'tls localhost: SSL certificate problem: self-signed certificate: if it is yours'
API_URL=https://localhost:$tls CURL_CA_BUNDLE=$work/self.pem run 0 '... is good for who trusts it' doctor 311
line ok 'tls localhost: the certificate is good for '
SLACK_WEBHOOK_URL=https://localhost:$tls/services/hush-hook CURL_CA_BUNDLE=$work/self.pem run 0 'a hook' doctor 311
line ok 'a webhook is set; it was not tried'
no_secret
SLACK_WEBHOOK_URL=https://localhost:$tls/services/hush-hook run 76 'a hook behind a wrong certificate' doctor 311
no_secret
API_URL=https://127.0.0.1:$tls CURL_CA_BUNDLE=$work/self.pem run 76 '... and of another name' doctor 311
line FAIL 'tls 127.0.0.1: '
API_URL=https://localhost:$tls CURL_CA_BUNDLE=/no/such run 78 'no file of certificates' doctor 311
certificate soon -days 5
API_URL=https://localhost:$tls CURL_CA_BUNDLE=$work/soon.pem run 0 'one that ends soon' doctor 311
line warn 'tls localhost: the certificate ends in '
if has_faketime; then
	openssl() { faketime -f '-60d' openssl "$@"; }
	make_certificate gone -days 30
	unset -f openssl
	serve_with gone
	API_URL=https://localhost:$tls CURL_CA_BUNDLE=$work/gone.pem run 76 'one that has expired' doctor 311
	line FAIL 'tls localhost: SSL certificate problem: certificate has expired: its owner has to renew it; or this clock is wrong'
fi

# ---- proxies ----
https_proxy=http://nowhere.invalid:3128 API_URL=https://localhost:$tls no_proxy='' run 69 'a proxy that does not resolve' doctor 311
line FAIL 'proxy for localhost: '
cat >proxy.py <<'PY'
import http.server
class Proxy(http.server.BaseHTTPRequestHandler):
    def do_CONNECT(self):
        self.send_error(407)
server = http.server.HTTPServer(("127.0.0.1", 0), Proxy)
print("http://me:proxy-secret@127.0.0.1:%d" % server.server_port, flush=True)
server.serve_forever()
PY
start_server proxy python3 proxy.py
https_proxy=$proxy API_URL=https://localhost:$tls no_proxy='' run 77 'a proxy that refuses our password' doctor 311
line FAIL 'proxy for localhost: it wants another name and password'
no_secret

# ---- Airflow ----
echo '{"culvert_311":[{"state":"success","logical_date":"2024-01-03T00:00:00.000000","start_date":"2024-01-04T00:00:03.123456"}]}' >dags.json
start_server airflow python3 "$servers/airflow_api.py" --dags dags.json
export AIRFLOW_URL=$airflow AIRFLOW_USERNAME=admin AIRFLOW_PASSWORD=secret
run 0 'Airflow' doctor 311
line ok 'airflow: culvert_311 last succeeded: 2024-01-04T00:00:03'
AIRFLOW_PASSWORD=hush-airflow run 77 'a wrong password of it' doctor 311
line FAIL 'airflow: '
no_secret
unset AIRFLOW_URL

done_testing
