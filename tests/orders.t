#!/bin/bash
# The order flow: what is loaded, value by value, against an independent reading; what zips and batches may have wrong; how it ends.
# Slow in its second part, which the quick run leaves out: each case is a whole load.
. "$(dirname "$0")/lib.sh"
. "$here/runs.sh"
unset $(env | sed -n 's/^\(_PGSQL_[A-Z]*\|_AWS_S3_URL_SOURCE\)=.*/\1/p')
servers=$here/servers
start_postgres
start_server slack python3 "$servers/slack.py"
start_s3 --bucket shop
export SLACK_WEBHOOK_URL=$slack/services/T000/B000/xyz RETRIES=1 RETRY_WAIT=0.05s RUN_DATE=2018-01-02
oracle=$here/orders_oracle.py
load() {
	"$top/scripts/orders/load" "$@"
}
log_last() {		# log_last COLUMNS: of the newest row of the load log
	sql "SELECT $1 FROM load_log ORDER BY id DESC LIMIT 1"
}
as_read() {		# as_read NAME ZIP...: the tables are what an independent reading makes of these
	run 0 "$1" python3 "$oracle" compare "${@:2}"
}
digest() {
	for table in users orders order_line_items; do sql "SELECT * FROM $table ORDER BY id"; done | cksum
}
fresh() {		# as before the first load
	psql -Xqc 'DROP TABLE IF EXISTS users, orders, order_line_items, orders_history, load_log CASCADE' 2>>fresh.log
}
no_stages() {
	is '... and no stage is left' 0 "$(sql "SELECT count(*) FROM pg_class WHERE relname LIKE '%stage%'")"
}
fixture() {
	python3 "$oracle" make "$1" "$1.zip"
}
put() {			# put FILE KEY: into the bucket
	"$here/s3-request" -d "$1" PUT "$s3/shop/$2" >put.out
}
s3_control() {
	curl -fsS -o control.out --data-binary "$1" "$s3/control"
}

# ---- settings ----

fixture good
run 0 'the settings are good' load --check good.zip
said 'settings are good: upsert of good.zip, as of 2018-01-02'
run 78 'no source' load --check
said 'SOURCE is empty'
run 64 'a wrong option' load --often good.zip
run 64 'an option without its value' load --run-date
run 74 '--help where nothing can be written' sh -c '"$1" --help >/dev/full' sh "$top/scripts/orders/load"
run 64 'two sources' load good.zip good.zip
for setting in APPEND=x TIMEZONE=Mars/Olympus RUN_DATE=2018-02-30 RUN_DATE=today MAX_BYTES=lots MAX_REJECTS=all REJECTS=/no/such \
    LOCK_WAIT=x CONNECT_WAIT=x RETRIES=x RETRY_WAIT=x EMPTY_EXIT=256; do
	run 78 "a wrong setting: $setting" env "$setting" "$top/scripts/orders/load" --check good.zip
	said "$setting: "
done
day=$(TZ=Pacific/Kiritimati date +%F)
run 0 'the date of a run without one is the shop'"'s" env RUN_DATE= TIMEZONE=Pacific/Kiritimati "$top/scripts/orders/load" --check good.zip
grep -qE "as of ($day|$(TZ=Pacific/Kiritimati date +%F))\$" err; ok $? '... there' || sed 's/^/# /' err	# a day may end meanwhile
run 0 '--dry-run says what would be done' load --dry-run --append 's3://shop/{date}.zip?x=secret'
grep -q "'s3-get'.*'s3://shop/2018-01-02.zip?x=secret' | 'zip-cat'.* | 'json-explode' '.orders' | tee" out; ok $? '... from where' || cat out
grep -q "'pg-upsert' 'users'.*'--and' 'orders'.*'--and' 'order_line_items'.*'--and' 'orders_history'" out; ok $? '... and to where' || cat out
run 0 '... of https' load --dry-run 'https://x.test/a.zip?X-Amz-Signature=secret'
! grep -q secret out; ok $? '... without the signature'
is '... and touches nothing' 0 "$(sql "SELECT count(*) FROM pg_class WHERE relname IN ('orders', 'load_log')")"

# ---- two months of orders, a batch a day ----

# whole NAME ARCHIVE: into empty tables; all of its users, orders and items are new
whole() {
	read -r users orders items batches < <(python3 "$oracle" rows "$2")
	rows=$((users + orders + items))
	[ "$orders" -gt 2000 ] && [ "$batches" -ge 60 ]; ok $? "$1: $orders orders, $items items, $batches batches"
	run 0 "... is loaded" load "$2"
	is 'its receipt' "loaded $rows $rows 0 $batches [$users,$orders,$items]" \
	    "$(jq -r '"\(.status) \(.read) \(.inserted) \(.rejected) \(.members) \(.tables | map(.inserted) | tostring)"' out)"
	is 'its row in the load log' "loaded|0|upsert|2018-01-02|$rows|$rows|t" "$(log_last 'status, exit_status, mode, years, read, inserted, published')"
	is 'the newest order is known' t "$(log_last "newest = (SELECT max(updated_at) AT TIME ZONE 'UTC' FROM orders)")"
	as_read 'users, orders, items and summary are those of the archive, value by value' "$2"
	curl -fsS "$slack/log" | grep -q "orders upsert 2018-01-02: loaded; $rows inserted"; ok $? 'Slack was told'
	no_stages
}
if have_real orders/orders-2017.zip; then
	whole 'the archive of 2017' "$real_data/orders/orders-2017.zip"
	fresh
fi
archive=$work/archive.zip
python3 "$oracle" archive "$archive"
whole 'an archive' "$archive"
is 'some orders have no user' t "$(sql 'SELECT count(*) > 100 FROM orders WHERE user_id IS NULL')"
is 'money has no more than cents' 'numeric(14,2)' "$(sql "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'orders'::regclass AND attname = 'total_price'")"
before=$(digest)
EMPTY_EXIT=99 run 99 'again, by the old variable: nothing new' env _AWS_S3_URL_SOURCE="$archive" "$top/scripts/orders/load"
is '... says the receipt' "nothing new 0 $rows" "$(jq -r '"\(.status) \(.inserted + .updated) \(.unchanged)"' out)"
is '... and all is the same' "$before" "$(digest)"
run 0 'make orders' make -s -C "$top" orders SOURCE="$archive"
is '... is the same' 'nothing new' "$(jq -r .status out)"

# ---- fixtures ----

fresh
run 0 'every odd good thing' load good.zip
is 'its receipt' 'loaded 9 2 1 0' "$(jq -r '"\(.status) \(.members) \(.skipped) \(.folders) \(.rejected)"' out)"
is '... adds up' true "$(jq '.read == .inserted + .updated + .unchanged + .superseded + .kept_newer + .rejected + .left_out' out)"
as_read '... is read so by Python' good.zip
is 'prices are rounded, half away from zero' '52.26|130.65|0.01|2.00|-0.13' \
    "$(sql 'SELECT total_price, total_tax, subtotal_price, total_discounts, total_price_usd FROM orders WHERE number = 7')"
keys() {
	sql "SELECT string_agg(conrelid::regclass || ' -> ' || confrelid::regclass, ', ' ORDER BY conrelid::regclass::text) FROM pg_constraint WHERE contype = 'f'"
}
keys=$(keys)
is 'the foreign keys are there' 'order_line_items -> orders, orders -> users' "$keys"
is '"" is no null' '||t' "$(sql "SELECT gateway, tags, cancel_reason IS NULL FROM orders WHERE number = 1")"
is 'the shop'"'s day is not UTC'"'s' '2017-11-04' "$(sql "SELECT min(day) FROM order_summary")"
for kind in older newer bit3 empty; do fixture $kind; done
run 0 'an order from before' load older.zip
is '... changes nothing' 'nothing new 3' "$(jq -r '"\(.status) \(.kept_newer)"' out)"
as_read '... at all' good.zip older.zip
run 0 'a newer one' load newer.zip
as_read '... does' good.zip older.zip newer.zip
sql 'ALTER TABLE orders DROP CONSTRAINT orders_user_id_fkey; DROP INDEX order_line_items_order_id'
sql 'ALTER TABLE order_line_items DROP CONSTRAINT order_line_items_order_id_fkey; INSERT INTO order_line_items (id, order_id) VALUES (404, 404)'
run 78 'a run that died before it made the keys, and a line item that somebody wrote' load good.zip
said 'violates foreign key constraint'
is '... leaves none of the keys' '' "$(keys)"
sql 'DELETE FROM order_line_items WHERE order_id = 404'
run 0 '... without it' load good.zip
is '... the next run makes them' "$keys t" "$(keys) $(sql "SELECT to_regclass('order_line_items_order_id') IS NOT NULL")"
state=$(digest)
fresh; for kind in newer older good; do load $kind.zip >out 2>err || break; done
is 'in any order the end is the same' "$state" "$(digest)"
run 0 'stored, with sizes behind the data, and zip64' load bit3.zip
as_read '... are read' newer.zip older.zip good.zip bit3.zip
run 99 'a batch of nothing is nothing new' env EMPTY_EXIT=99 "$top/scripts/orders/load" empty.zip
is '... and empty' true "$(jq .empty out)"
zip-cat --include again.json good.zip >again.json
run 0 'one batch as it is' load again.json
json-explode .orders again.json >again.ndjson
run 0 'orders as lines' load again.ndjson
is '... are the same' 'nothing new' "$(jq -r .status out)"
run 0 'another zone: the summary is made again' env TIMEZONE=UTC "$top/scripts/orders/load" newer.zip
is '... by its days' 2017-11-05 "$(sql 'SELECT min(day) FROM order_summary')"

# ---- history ----

fresh
run 0 '--append' load --append older.zip
run 0 'on another day' load --append --run-date 2018-02-01 newer.zip
run 0 'that day again' load --append --run-date 2018-02-01 newer.zip
is 'nothing twice' 'nothing new' "$(jq -r .status out)"
is 'each run has its orders' '2018-01-02|older,2018-02-01|newer' \
    "$(sql "SELECT string_agg(run_date || '|' || note, ',' ORDER BY run_date) FROM orders_history")"
is 'a month is a partition' 'orders_history_2018_01 orders_history_2018_02' \
    "$(sql "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relispartition AND relkind = 'r'")"
is 'the view has the newest' 'newer' "$(sql 'SELECT note FROM orders_current')"
run 0 'a day that was missed' load --append --run-date 2017-12-31 older.zip
is '... is older still' '3 newer' "$(sql "SELECT count(*) || ' ' || (SELECT note FROM orders_current) FROM orders_history")"

quick_ends
# ---- bad zips and batches: nothing is loaded, and it is said why ----

fresh
load good.zip >out 2>err
before=$(digest)
fails() {		# fails NAME STATUS SAYS SOURCE
	run "$2" "$1" load "$4"
	said "$3"
	is '... the log says so' "failed|$2" "$(log_last 'status, exit_status')"
	is '... nothing was loaded' "$before" "$(digest)"
}
size=$(stat -c %s "$archive")
head -c $((size / 2)) "$archive" >cut.zip
fails 'a zip that is cut' 65 'the zip is cut' cut.zip
head -c $((size - 1000)) "$archive" >cut.zip
fails 'a zip that is cut in its directory' 65 "behind $(python3 -m zipfile -l "$archive" | sed 1d | wc -l) members: it is cut" cut.zip
python3 - "$archive" <<'PY'
import sys
b = bytearray(open(sys.argv[1], "rb").read())
b[14] ^= 1; open("crc.zip", "wb").write(b)
b[14] ^= 1; b[6] |= 1; open("password.zip", "wb").write(b)
PY
fails 'a bad checksum' 65 'ZIP bad CRC' crc.zip
fails 'a password' 65 'it has a password' password.zip
echo '<html><title>Sign in</title>' >page.zip
fails 'a page' 65 'no zip: it starts with "<html>' page.zip
fails 'no such file' 66 'none.zip: No such file' none.zip
MAX_BYTES=1M fails 'too many bytes' 65 'more than --max-bytes unpacked' "$archive"
fixture others
fixture no-byte
fails 'a batch without a byte' 65 'no-byte.zip: 1 of its 2 batches are empty: were they cut short' no-byte.zip
: >no-byte.json
fails '... which is no zip' 65 'no-byte.json: it is empty: was it cut short' no-byte.json
run 65 '--max-bytes' load --max-bytes 100 good.zip
said 'more than --max-bytes unpacked'
mkdir tools && ln -s "$(dirname "$(command -v pg-upsert)")"/* tools/ && rm tools/pg-upsert
printf '#!/bin/sh\nkill -KILL $$\n' >tools/pg-upsert && chmod +x tools/pg-upsert
run 137 'a tool that is killed' env CULVERT_BIN="$work/tools" "$top/scripts/orders/load" good.zip
is '... the log says so in its own words' 'ended with status 137, without a word' "$(log_last message)"
rm tools/json-explode && printf '#!/bin/sh\nhead -c 1 >/dev/null\nkill -TERM $$\n' >tools/json-explode && chmod +x tools/json-explode
ln -sf "$(command -v pg-upsert)" tools/pg-upsert
run 143 'a tool that is stopped: who wrote to it has no say' env CULVERT_BIN="$work/tools" "$top/scripts/orders/load" "$archive"
ln -sf "$(command -v json-explode)" tools/json-explode
fails '... is not there' 66 'no-such.json: No such file' no-such.json
fails 'orders as lines that are not there' 66 'no-such.ndjson: No such file' no-such.ndjson
fails 'no batch in the zip' 65 'no batch in it' others.zip
for kind in no-orders not-json no-object huge-price bad-price bad-time huge-id float-id nul no-id bad-item; do fixture $kind; done
fails 'a batch without orders' 65 'no "orders" in the object' no-orders.zip
said 'of the batch 2017-11-02.json'
is 'which the log names too' t "$(log_last "message LIKE '%of the batch 2017-11-02.json'")"
mkdir slow && printf '#!/bin/sh\n[ "${1#/dev/fd/}" != "$1" ] || sleep 1\nexec %s "$@"\n' "$(command -v tee)" >slow/tee && chmod +x slow/tee
PATH=$work/slow:$PATH fails '... although the log is behind' 65 'of the batch 2017-11-02.json' no-orders.zip
PATH=$work/slow:$PATH fails '... and what is wrong with a zip' 65 'ZIP bad CRC' crc.zip
is '... is its message all the same' t "$(log_last "message LIKE 'zip-cat: %ZIP bad CRC%'")"
echo '{"orders":[{"id":1}]' >cut.json
fails '... without a zip around it' 65 'json-explode: <stdin>: byte 22' cut.json
fails 'a batch that is cut' 65 'of the batch 2017-11-02.json' not-json.zip
fails 'a batch that is an array' 65 'PATH wants an object here' no-object.zip
fails 'a price that the table does not take' 65 '"1000000000000.00" ' huge-price.zip
fails 'a price that is none' 65 '"12,50" is no number' bad-price.zip
fails 'a time that is none' 65 'column "created_at"' bad-time.zip
fails 'an id over 64 bits' 65 'column "id"' huge-id.zip
fails 'an id with a fraction' 65 'column "id"' float-id.zip
fails 'a NUL' 65 'column "note"' nul.zip
fails 'an order without an id' 65 'column "id"' no-id.zip
fails 'a line item that is bad' 65 'column "id"' bad-item.zip
no_stages

# ---- rejects ----

mkdir aside
run 0 'with --rejects the good ones load' env MAX_REJECTS=50% "$top/scripts/orders/load" --rejects aside no-id.zip
said 'bad records were left out: see aside'
is '... counted' '90000000001 90000000090' "$(sql 'SELECT string_agg(id::text, $$ $$ ORDER BY id) FROM orders WHERE number IN (1, 90)')"
is '... the bad ones are aside, with a reason' 'id: no value, and the column needs one' "$(jq -r '"\(.column): \(.reason)"' aside/orders.ndjson | sort -u)"
is '... both of them, and their items' '2 2 0' "$(jq -s length aside/orders.ndjson) $(jq -s length aside/order_line_items.ndjson) $(jq .left_out out)"
MAX_REJECTS=10% run 65 'too many' load --rejects aside no-id.zip
rm aside/*
run 0 'a bad order of which the items are good' env MAX_REJECTS=50% "$top/scripts/orders/load" --rejects aside bad-price.zip
is '... leaves them out with it' '1 1' "$(jq -r '"\(.rejected) \(.left_out)"' out)"
is '... and adds up' true "$(jq '.read == .inserted + .updated + .unchanged + .superseded + .kept_newer + .rejected + .left_out' out)"
mkdir huge && MAX_REJECTS=50% run 0 'a price that is too large is set aside, too' load --rejects huge huge-price.zip
is '... alone' '90000000002 1' "$(jq -r '.record.id' huge/orders.ndjson) $(jq .rejected out)"
jq -c '.record.total_price = "12.50"' aside/orders.ndjson >mended.ndjson
run 0 'mended, it loads' load mended.ndjson
is '... as it should be' 12.50 "$(sql 'SELECT total_price FROM orders WHERE number = 2')"
is '... with its items' 1 "$(sql 'SELECT count(*) FROM order_line_items WHERE order_id = 90000000002')"
run 0 'a bad line item' env MAX_REJECTS=50% "$top/scripts/orders/load" --rejects aside bad-item.zip
is '... and the order is there' '2 1' "$(jq .rejected out) $(sql 'SELECT count(*) FROM order_line_items WHERE order_id = 90000000002 AND id < 9')"
jq -c 'if .record.id == null then .record.id = 3 else .record.quantity = 4 end' aside/order_line_items.ndjson >mended
run 0 'mended, it loads by the tool' bash -c 'set -o pipefail; json-explode .record mended | pg-upsert order_line_items --key id --newer order_updated_at'
is '... too' '1 1|2 4|3 5' "$(sql "SELECT string_agg(id || ' ' || quantity, '|' ORDER BY id) FROM order_line_items WHERE id < 9 AND order_id = 90000000002")"

# ---- from S3 and the web ----

fresh
put good.zip 2018/orders-2018-01-02.zip
run 0 'from S3, by the date' load 's3://shop/2018/orders-{date}.zip'
as_read '... whole' good.zip
before=$(digest)
run 66 'no such key' load s3://shop/none.zip
run 0 'by a presigned URL' load "$("$here/s3-request" --presign 86400 GET "$s3/shop/2018/orders-2018-01-02.zip")"
is '... the same' 'nothing new' "$(jq -r .status out)"
run 77 'one that is no good' load "$("$here/s3-request" --presign 86400 GET "$s3/shop/2018/orders-2018-01-02.zip" | sed 's/Signature=./Signature=x/')"
said 'orders-2018-01-02.zip: the server answers 403'
said_not 'X-Amz'
is '... nor in the log' t "$(log_last "message NOT LIKE '%X-Amz%'")"
url=$("$here/s3-request" --presign 86400 GET "$s3/shop/2018/orders-2018-01-02.zip")
web() {			# web NAME STATUS SAYS FAULT
	s3_control "{\"reset\":true,\"faults\":[{\"match\":\"orders-2018\",$4}]}"
	run "$2" "$1" load "$url"
	said "$3"
	is '... nothing was loaded' "$before" "$(digest)"
	s3_control '{"reset":true}'
}
web 'a page with status 200' 76 'wanted a zip, and got a page' '"kind":"html","times":-1'
web 'a server that is down' 69 'the server answers 503' '"kind":"status","status":503,"times":-1'
web 'a server that is busy' 75 'the server answers 429' '"kind":"status","status":429,"times":-1,"headers":{"Retry-After":"0"}'
web 'a body that is cut' 69 'it did not come whole' '"kind":"cut","times":-1'
web 'a reset' 69 'it did not come whole' '"kind":"reset","times":-1'
web 'a length that fits what is cut' 65 'cut' '"kind":"short","times":-1'
web 'no such object' 66 'the server answers 404' '"kind":"status","status":404,"times":-1'
s3_control '{"faults":[{"match":"orders-2018","kind":"status","status":503,"times":1}]}'
run 0 'once down is tried again' load "$url"
run 69 'nobody there' load http://127.0.0.1:1/orders.zip

# ---- the database ----

run 0 'the old variables of the database' env -u PGHOST -u PGUSER -u PGDATABASE -u PGPORT _PGSQL_HOSTNAME="$PGHOST" _PGSQL_PORT="$PGPORT" \
    _PGSQL_USER=postgres _PGSQL_PASS=none _PGSQL_DATABASE=postgres "$top/scripts/orders/load" good.zip
run 69 'no server' env PGHOST=/nowhere CONNECT_WAIT=0 "$top/scripts/orders/load" good.zip
sql 'CREATE DATABASE old'
PGDATABASE=old sql 'CREATE TABLE orders (id bigint, total_price text); CREATE TABLE users (id bigint)'
PGDATABASE=old run 78 'tables of the pipeline before' load good.zip
said 'orders, users: not made by this flow'

run 0 'as cron starts it: no HOME, no locale, a short PATH' env -u HOME LC_ALL=C PATH=/usr/bin:/bin "$top/scripts/orders/load" good.zip
run 73 'no place for small files' env TMPDIR=/no/such "$top/scripts/orders/load" good.zip

# ---- two at once, signals, and what a dead run left ----

stalled() {		# stalled NAME: a load that waits for its source, in $pid
	rm -f pipe.zip; mkfifo pipe.zip
	CULVERT_RUN_ID=$1.$$ "$top/scripts/orders/load" pipe.zip >stalled.out 2>stalled.err &
	pid=$!
	exec 8>pipe.zip
	head -c $((size / 2)) "$archive" >&8
	wait_for gives 2 "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pg-copy-in%'"
}
before=$(digest)
stalled one
run 75 'a second load' load good.zip
said 'holds orders: try again later'
is 'is in the log' 'refused|75' "$(log_last 'status, exit_status')"
kill -TERM $pid; wait $pid; is 'SIGTERM gives 143' 143 $?
exec 8>&-
is 'and is logged' 'stopped|143' "$(sql "SELECT status, exit_status FROM load_log WHERE status = 'stopped'")"
no_stages
is 'and changes nothing' "$before" "$(digest)"
stalled two
kill_run two; wait $pid 2>/dev/null
exec 8>&-
wait_for lock_is_free
is 'a kill -9 leaves its stages' t "$(sql "SELECT count(*) > 0 FROM pg_class WHERE relname LIKE 'orders_stage%'")"
run 0 'the next run' load "$archive"
said 'died: taking over what it left'
no_stages
as_read 'and is as one clean run' good.zip "$archive"
rm -f pipe.zip
is 'nothing of it is in TMPDIR' '' "$(ls "$TMPDIR")"

# ---- many ----

python3 "$oracle" many 30000 many.zip
run 0 'more than fits at once' resident "$top/scripts/orders/load" many.zip
at_most 32768
as_read '... each as it is' good.zip "$archive" many.zip
SLACK_WEBHOOK_URL=$slack/services/T000/B000/wrong run 0 'a revoked Slack hook is no failed load' load good.zip
said 'Slack was not told'
# ---- what follows the merge ----

fresh
rm tools/pg-refresh
printf '#!/bin/sh\n[ "$1" != order_summary ] || { echo "pg-refresh: not now" >&2; exit 75; }\nexec "%s" "$@"\n' "$(command -v pg-refresh)" >tools/pg-refresh
chmod +x tools/pg-refresh
run 75 'the summary cannot be made' env CULVERT_BIN="$work/tools" "$top/scripts/orders/load" good.zip
is '... which is a load that changed the tables and was not published' 'failed|t|f|pg-refresh: not now' "$(log_last 'status, changed, published, message')"
run 0 'the next run, which finds nothing new' env PGCLUSTER=99/elsewhere "$top/scripts/orders/load" good.zip
is '... publishes it; and no variable of Debian'"'"'s own psql sends it elsewhere' 'nothing new t t' \
    "$(jq -r .status out) $(sql 'SELECT bool_and(published) FROM load_log WHERE changed') $(sql 'SELECT count(*) > 0 FROM order_summary')"

# ---- psql dies half-way: nothing that was not read passes for read, nor what was not written for written ----

mkdir dying && ln -s "$(dirname "$(command -v pg-upsert)")"/* dying/
printf '#!/bin/sh\ncase " $* " in *"$LOST"*) echo "psql: error: the connection is lost" >&2; exit 2 ;; esac\nexec "%s" "$@"\n' "$(command -v psql)" >dying/psql
chmod +x dying/psql
dying() {		# dying WORDS SOURCE: a load of which psql dies where its arguments hold these words
	env CULVERT_BIN="$work/dying" LOST="$1" "$top/scripts/orders/load" "$2"
}
fresh
load older.zip >out 2>err
before=$(digest)
run 69 'that the tables change cannot be written down' dying column=changed newer.zip
said 'load_log: could not write changed'
is '... they do not change, since nobody would publish it' "$before failed|69|f" "$(digest) $(log_last 'status, exit_status, changed')"
run 0 'how it ended cannot be written down' dying exit= newer.zip
said 'load_log: could not write how it ended'
rm dying/pg-upsert
printf '#!/bin/sh\nexit 65\n' >dying/pg-upsert && chmod +x dying/pg-upsert
run 69 'a merge that failed, and stages that cannot be counted' dying "items=orders_stage_$(log_last 'id + 1')_items" good.zip
said_not 'the database server has crashed'
done_testing
