#!/bin/bash
# scripts/report: what it takes and refuses, what it says of loads that ran and of logs made by hand, and how a browser shows it.
# Slow in its second part, which the quick run leaves out: it makes logs of years, and starts browsers.
. "$(dirname "$0")/lib.sh"
. "$here/flow.sh"
page="python3 $here/report_page.py"
report() {
	"$top/scripts/report" "$@"
}
# looked_at FILE: ./text, ./faults and ./calendar are those of the page as it is now.
looked_at() {
	[[ $1 = "${looked_at:-}" && text -nt $1 ]] || $page look "$1"
	looked_at=$1
}
well_formed() {		# well_formed FILE
	looked_at "$1" && [ ! -s faults ]; ok $? 'the page is well formed and needs nothing but itself' || head -5 faults | sed 's/^/# /'
}
has() {			# has TEXT: the page in ./out shows it
	looked_at out
	[[ $(<text) == *"$1"* ]]; ok $? "shows: $1" || fold -w 200 text | head -20 | sed 's/^/# /'
}
charts=0
command -v gnuplot >/dev/null && charts=1

# ---- what it takes and refuses ----
run 64 'an option that is none' report --frobnicate
said 'report: --frobnicate: no such option: see --help'
run 64 'an option without its value' report --since
for since in yesterday 2026-02-30 '1; DROP TABLE load_log' -1 '9999 years'; do
	run 64 "--since $since" report --since "$since"
done
run 64 'a wrong --max-age' report --max-age often
run 0 '--help' report --help
run 66 'a database without a log' report
said 'database postgres has no load_log: a flow makes it with its first load'
[ ! -s out ]; ok $? '... is no page'
PGHOST=/nowhere run 69 'no server' report --connect-wait 0.1s
DSN="host=$PGHOST dbname=no_such" run 78 'no such database' report
run 73 'no place for small files' env TMPDIR=/no/such "$top/scripts/report"

# ---- an empty log, made as flows make it ----
(FLOW=test psql_dsn=; . "$top/scripts/lib.sh"; log_create)
run 0 'an empty log' report
has 'The load log is empty: no flow has run yet.'
well_formed out
run 0 'an empty log, as text' report --text
grep -q 'The load log is empty' out; ok $? '... which says so'
run 66 'a flow that has no load' report --flow 311
said 'no load of flow 311 in load_log: it has none yet'
run 74 'a full disk is no success' sh -c "'$top/scripts/report' >/dev/full"

# ---- real loads ----
python3 "$servers/make311.py" --rows 300 --years 2019,2020 --seed 7 data
start_flow "$work/data"
MODE=full run 0 'a load' load
run 0 'another, which finds nothing new' load
control '{"faults":[{"match":"resource/la31-2020","times":-1,"kind":"status","status":500}]}'
MODE=full run 69 'one that fails' load
control '{"reset":true}'
run 0 'a page of them' report
well_formed out
message=$(log_last message)
has "$message"
has '1 of 1 dataset needs a look.'
has 'exit 69, unavailable'
has "Rows changed$(sql 'SELECT count(*) FROM requests')inserted"
run 0 'the same as text' report --text
grep -qF "311 requests: exit 69, unavailable" out; ok $? '... has the failure'
[ "$(grep -c '^20.*311 requests  *\(loaded\|nothing new\|failed\)' out)" = 3 ]; ok $? '... and each load'
[ "$(wc -L <out)" -le 80 ]; ok $? '... in 80 columns'
grep -q '^311 requests .* [0-9]\{4\} days ' out; ok $? '... none of them cut, such as the age of rows from years ago'
sql "INSERT INTO load_log (flow, target, status, newest) VALUES ('orders', 'orders', 'loaded', 'infinity')"
run 0 'a newest row of no date is one that nobody knows' report --text
grep -q '^orders orders  *age not known' out; ok $? '... and no reason to say nothing' || sed 's/^/# /' out
sql "DELETE FROM load_log WHERE flow = 'orders'"
MAX_AGE='90000 days' run 0 'and one that goes well again' load
run 0 'with --max-age' report --max-age '90000 days'
has 'The dataset is in order, though 1 load failed.'
has '✓ fresh'
run 0 'without a limit' report --max-age 0
has '✓ loaded, no limit'
run 0 '... as text' report --text --max-age 0
! grep -q fresh out && grep -q '^311 requests .*loaded, no limit  *20' out; ok $? '... nothing is called fresh whatever its age' || sed 's/^/# /' out
run 0 'by the flow'\''s own MAX_AGE' report
has '1 of 1 dataset needs a look.'
run 0 'or by that of the environment' env MAX_AGE='90000 days' "$top/scripts/report"
has 'The dataset is in order, though 1 load failed.'
if ((charts)); then
	[ "$(grep -c '<svg class="chart' out)" = 2 ]; ok $? 'a chart, broad and narrow'
fi
mkdir few
for program in bash sh jq psql sed awk cat rm mv chmod mkdir mktemp uname dirname basename head tail grep date env sync; do
	ln -s "$(command -v $program)" few/$program
done
run 0 'without gnuplot' env PATH="$work/few" CULVERT_BIN="$(dirname "$(command -v pg-copy-out)")" "$top/scripts/report"
said 'gnuplot: not found: the page has no charts'
has 'Charts need gnuplot'

# ---- a file ----
run 0 '--output' report --output page.html
[ ! -s out ] && grep -q '</html>' page.html; ok $? '... has it all'
is '... with the rights of any file' "$(printf %o $((0666 & ~$(umask))))" "$(stat -c %a page.html)"
run 73 '--output in no directory' report --output /no/such/page.html
mkdir full.d
run 73 '--output that is a directory' report --output full.d
said 'report: full.d: is a directory: name a file in it'
is '... stays as empty as it was' '' "$(ls full.d)"
ln -s page.html link.html && : >page.html
run 0 '--output by a link' report --output link.html
[ -L link.html ] && grep -q '</html>' page.html; ok $? '... is where it points to'
rm link.html
mkfifo pipe.html && cat pipe.html >read.html & reader=$!
until [ -p pipe.html ]; do sleep 0.1; done
run 0 '--output into a pipe, as into a device' report --output pipe.html
[ -p pipe.html ]; ok $? '... which it still is' || kill $reader
wait $reader; grep -q '</html>' read.html; ok $? '... has it all'
ln -s /dev/full full.html
run 74 'a full disk is no success there either' report --output full.html
rm -r pipe.html full.html full.d
: >"page.html.part.$(uname -n).999999999.abcdef"
run 0 'after one that was killed' report --output page.html
is '... nothing of it is left' page.html "$(echo page.html*)"
cp page.html before.html
PGHOST=/nowhere run 69 'one that fails' report --connect-wait=0.1s --output page.html
same '... leaves the page that was there' before.html page.html
is '... and nothing beside it' page.html "$(echo page.html*)"
hold 'LOCK TABLE load_log'
"$top/scripts/report" --output page.html 2>killed.err &
pid=$!
wait_for gives 1 "SELECT count(*) FROM pg_locks WHERE NOT granted"
kill -TERM $pid
wait $pid; is 'SIGTERM gives 143, also while PostgreSQL is waited for' 143 $?
same '... and leaves the page that was there' before.html page.html
is '... nothing beside it' page.html "$(echo page.html*)"
is '... and no small files' '' "$(ls "$TMPDIR")"
PGOPTIONS='-c lock_timeout=200' run 78 'a log that cannot be read' report --output page.html
said 'canceling statement due to lock timeout'
same '... leaves the page that was there' before.html page.html
is '... and nothing beside it, either' page.html "$(echo page.html*)"
PGOPTIONS='-c lock_timeout=200' run 78 'the same without --output' report
[ ! -s out ]; ok $? '... is no page'
let_go

# ---- who may read what ----
sql "CREATE ROLE reader LOGIN PASSWORD 'sesame-open'" && sql 'CREATE SCHEMA api' && sql 'CREATE TABLE api.schedule (); CREATE TABLE api.provider ()'
PGUSER=reader run 77 'a role without rights' report
said 'reader may not read load_log: GRANT SELECT ON load_log TO reader'
sql 'GRANT SELECT ON load_log TO reader'
mkdir shim
cat >shim/psql <<EOF
#!/bin/sh
tr '\0' ' ' </proc/\$\$/cmdline >>'$work/psql.log'
exec $(command -v psql) "\$@"
EOF
chmod +x shim/psql
DSN="postgresql://reader:sesame-open@/postgres?host=$PGHOST" PATH=$work/shim:$PATH run 0 'a role that may read the log only' report
said 'reader may not read the MDS schedule, which is left out: GRANT USAGE'
[ -s psql.log ] && ! grep -q sesame psql.log; ok $? 'its password is in no argument'
said_not sesame
! grep -q sesame out; ok $? '... nor on the page'
sql 'DROP TABLE api.schedule, api.provider; DROP SCHEMA api'

quick_ends
# ---- a log by hand: what others write is harmless; what is bounded is said ----
sql "INSERT INTO load_log (flow, target, status, exit_status, started, finished, message, warnings, run, host, mode, newest) VALUES
  ('<b>f&', 'x\"onload=\"alert(1)', 'failed', 65, now(), now(), '<script>alert(1)</script> &amp; ''q'' ' || chr(1) || chr(7) || chr(8238) || E'\n</title></style>', '<img src=x onerror=alert(2)>',
   '</p>', '\"><svg onload=alert(3)>', '<i>', NULL)"
run 0 'a log full of markup' report
well_formed out
has "<script>alert(1)</script> &amp; 'q' ??"
has '<img src=x onerror=alert(2)>'
cp out markup.html
run 0 '... of one flow' report --flow '<b>f&'
looked_at out && ! grep -q requests text; ok $? '... only'
run 0 '... and as text' report --text --flow '<b>f&'
! LC_ALL=C grep -q $'[\001-\010\013-\037]' out; ok $? '... without control bytes'
sql "TRUNCATE load_log"
sql "INSERT INTO load_log (flow, target, status, exit_status, started, finished, read, inserted, message, newest)
  SELECT '311', 'requests' || g % 40, CASE WHEN g % 50 = 0 THEN 'failed' ELSE 'loaded' END, CASE WHEN g % 50 = 0 THEN 69 ELSE 0 END, now() - (100000 - g) * interval '20 s',
    now() - (100000 - g) * interval '20 s' + interval '5 s', g, g % 1000, CASE WHEN g % 50 = 0 THEN repeat('long ', 2000) END, now() FROM generate_series(1, 100000) AS g"
resident env MAX_AGE='90000 days' "$top/scripts/report" >out 2>err
ok $? 'a log of 100,000 loads'
at_most 262144
[ "$(wc -c <out)" -lt 4000000 ]; ok $? '... makes a page of less than 4 MB' || wc -c out
has 'The newest 40 of 2,000 failures.'
has '16 datasets more are only in the table above.'
has '300 loads, the newest of 2,500'
has "Rows changed$(sql "SELECT to_char(sum(inserted), 'FM999,999,999,999') FROM load_log")inserted"
well_formed out
run 0 'as text' report --text
grep -q 'The newest 20 of 100,000 loads.' out && [ "$(wc -l <out)" -lt 150 ]; ok $? '... it is short and says so'
[ "$(wc -L <out)" -le 80 ]; ok $? '... and in 80 columns'
of_a_day() {
	sql "SELECT count(*) FROM load_log WHERE started >= now() - interval '1 day'"
}
before=$(of_a_day)
run 0 'of one day' report --text --since 1
shown=$(sed -n 's/^\([0-9,]*\) loads, .*/\1/p' out | tr -d ,)
[ "$shown" -le "$before" ] && [ "$shown" -ge "$(of_a_day)" ]; ok $? '... are those of it' || echo "# $before, $shown"	# the day moves on meanwhile
day=$(date -u -d '3 days ago' +%F)
run 0 'since a day' report --text --since "$day"
is '... are those from then on' "$(sql "SELECT to_char(count(*), 'FM999,999') FROM load_log WHERE started >= '$day'") loads" "$(sed -n 's/^\([0-9,]* loads\), .*/\1/p' out)"
sql "UPDATE load_log SET started = started - interval '90 days'"
run 0 'no load in the period' report
has 'No load in this period. The newest began'

# ---- the schedule of MDS blocks ----
sql 'TRUNCATE load_log'
sql "INSERT INTO load_log (flow, target, status, exit_status, started, finished, read, inserted, updated, message, warnings, newest)
  SELECT f, t, CASE WHEN g IN (4, 9) THEN 'failed' ELSE 'loaded' END, CASE WHEN g IN (4, 9) THEN 69 ELSE 0 END, now() - (30 - g) * interval '23 hours',
    now() - (30 - g) * interval '23 hours' + g * interval '40 s', g * 1000, g * 300, g, CASE WHEN g IN (4, 9) THEN repeat('a-word-without-any-blank-in-it', 20) END,
    CASE WHEN g = 7 THEN 'newest row is 8 days old' END, now() - interval '1 day'
  FROM generate_series(1, 29) AS g, (VALUES ('311', 'requests'), ('orders', 'a_schema_with_a_long_name.' || repeat('orders_', 8))) AS v (f, t)"
mds-schedule init --zone America/Chicago --quiet >/dev/null
mds-schedule seed --quiet --provider jump --since 2020-10-28-0 --until 2020-11-3-0 --zone America/Chicago >/dev/null
mds-schedule seed --quiet --provider 'li<me>' --since 2020-2-1-0 --until 2020-4-1-0 --zone America/Chicago >/dev/null
sql "UPDATE api.schedule SET status_id = (ARRAY[0,-1,2,5,7,8,6,-2,-5,-6,-8,-3,8,8,8])[1 + schedule_id % 15], payload_trips_count = schedule_id,
  claim = CASE WHEN schedule_id = 20 THEN 'somebody' END, message = CASE WHEN status_id < 0 THEN 'it <failed>' END"
sql "UPDATE api.schedule SET message = 'it <failed>' WHERE status_id < -1"
run 0 'a schedule' report
cp out full.html
well_formed out
looked_at out; sort calendar >got
# The label is the end of the hour; the field is that of its start.  35 days of each provider are drawn.
sql "SELECT to_char(date - interval '1 hour', 'Dy DD Mon') || '|' || extract(hour FROM date - interval '1 hour') || '|' ||
    CASE status_id WHEN 0 THEN 'new' WHEN -1 THEN 'waiting' WHEN 2 THEN 'uploaded' WHEN 5 THEN 'loaded' WHEN 7 THEN 'notrips' WHEN 8 THEN 'published'
      WHEN 6 THEN 'partly' WHEN -3 THEN 'unserved' ELSE 'bad' END || CASE WHEN claim <> '' THEN ' claimed' ELSE '' END || '|' || year || '-' || month || '-' || day || '-' || hour || ': ' ||
    CASE status_id WHEN 0 THEN 'new' WHEN -1 THEN 'not ready at the provider yet' WHEN 2 THEN 'uploaded to S3' WHEN 5 THEN 'all trips in the database'
      WHEN 7 THEN 'no trips in the payload' WHEN 8 THEN 'published' WHEN 6 THEN 'some trips failed' WHEN -3 THEN 'not served by the provider'
      WHEN -2 THEN 'fetch failed' WHEN -5 THEN 'load failed' WHEN -6 THEN 'all trips failed' WHEN -8 THEN 'publishing failed' END ||
    ', ' || to_char(payload_trips_count, 'FM9,999') || ' trip' || CASE payload_trips_count WHEN 1 THEN '' ELSE 's' END || CASE WHEN claim <> '' THEN ', claimed' ELSE '' END
  FROM api.schedule WHERE date - interval '1 hour' >= '2020-10-01' OR date - interval '1 hour' BETWEEN '2020-02-26' AND '2020-03-31 23:00'" | sort >want
same 'each block is a field of its hour, with its status in words and colour' want got
[ "$(wc -l <want)" -gt 900 ]; ok $? '... and they are many'
has 'li<me> 1,439 blocks'
has '25 earlier days are left out.'
has 'it <failed>'
run 0 'as text' report --text
[ "$(wc -L <out)" -le 80 ]; ok $? '... in 80 columns'
run 0 'of a flow without a schedule' report --flow 311
looked_at out && [ ! -s calendar ]; ok $? '... has no calendar'
sql 'DROP TABLE load_log'
run 0 'a schedule without a log' report
well_formed out
has 'No load log here, but a schedule.'
run 0 '... as text' report --text

# ---- colours ----
$page contrast full.html >faults; ok $? 'text has a contrast of 4.5 at least, in the light and in the dark' || sed 's/^/# /' faults

# ---- a browser ----
# CULVERT_BROWSER says that there must be one.
if [ -z "${SANITIZED:-}" ] && { [ -n "${CULVERT_BROWSER:-}" ] || { command -v chromium >/dev/null && ((charts)); }; }; then
	browse() {	# browse FILE OPTION...
		local file=$1; shift
		timeout -k 5 600 chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
		    --disable-component-update --disable-sync --disable-dev-shm-usage --hide-scrollbars --user-data-dir="$(mktemp -d "$work/chromium.XXXXXX")" \
		    --enable-logging=stderr "$@" "file://$work/$file"
	}
	export HOME=$work
	$page wrap full.html 320 full.html 390 full.html 1280 markup.html 390 >wrap.html
	# picture NAME SCHEME: ./NAME is what the pixels of a screenshot are like
	picture() {
		browse full.html --window-size=1280,2400 --blink-settings=preferredColorScheme="$2" --screenshot="$work/$1.png" >/dev/null 2>"$1.err"
		$page pixels "$1.png" >"$1"
	}
	picture light 1 & light=$!
	picture dark 0 & dark=$!
	browse wrap.html --window-size=1400,1000 --dump-dom >dom 2>browser
	title=$(sed -n 's/.*<title>\([^<]*\)<.*/\1/p' dom | head -1)
	for width in 320 390 1280; do
		shown=${title%%; *} title=${title#*; }
		is "at a width of $width all is within it, wide things scroll in boxes of their own, and each chart is there once" \
		    "width $width of $width, scripts 0, charts 2, out 0" "${shown%, wide*}"
		wide=${shown#*wide } wide=${wide%%,*}
		[ $width = 1280 ] || [ "${wide:-0}" -gt 2 ]; ok $? "... $wide boxes scroll"
		[ "${shown##* }" -ge 9 ]; ok $? '... and the smallest letters of a chart can be read' || echo "# $shown"
		! grep CONSOLE browser; ok $? '... without a word on the console'
	done
	[[ $title == 'width 390 of 390, scripts 0,'* ]] && ! grep CONSOLE browser; ok $? 'a log full of markup runs nothing' || { echo "# $title"; grep CONSOLE browser; }
	wait "$light" "$dark"
	read -r _ r g b <light; [ "${r:-0}" -gt 240 ] && [ "$g" -gt 240 ] && [ "$b" -gt 235 ]; ok $? 'the page is light' || cat light
	read -r _ r g b <dark; [ "${r:-255}" -lt 40 ] && [ "$g" -lt 40 ] && [ "$b" -lt 40 ]; ok $? '... and dark where that is wanted' || cat dark
	[ "$(sed -n 's/bright \([0-9]*\) .*/\1/p' light)" -gt 80 ] && [ "$(sed -n 's/bright \([0-9]*\) .*/\1/p' dark)" -lt 8 ]; ok $? '... all of it' || cat light dark
	[ "$(sed -n 's/.*blue //p' light)" -gt 500 ] && [ "$(sed -n 's/.*blue //p' dark)" -gt 500 ]; ok $? '... with charts and calendars in colour' || cat light dark
else
	ok 0 'a browser shows it # SKIP chromium or gnuplot is not installed, or sanitizers are looked at: scripts/install-packages check'
fi
done_testing
