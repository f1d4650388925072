#!/bin/bash
# The flows as cron and systemd start them: no terminal, no HOME, a bare environment, and whatever is wrong with the machine.
# Slow in its second part, which the quick run leaves out: each case is a whole load.
. "$(dirname "$0")/lib.sh"
. "$here/flow.sh"
[ -z "${SANITIZED:-}" ] || skip_all 'what cron does is the same whatever the tools were built with'
python3 "$servers/make311.py" --rows 200 --years 2019,2020 --seed 7 data
sed -i '2s/^\("[^"]*","[^"]*","[^"]*"\),"[^"]*"/\1,"Reçu à Montréal ☂"/' data/la31-2019.csv
start_flow "$work/data"
rows=$(($(cat data/*.csv | python3 -c 'import csv,sys; print(sum(1 for _ in csv.reader(sys.stdin)))') - 2))
make -s -C "$top" install DESTDIR="$work/root" PREFIX=/usr >make.log 2>&1; ok $? 'installed' || sed 's/^/# /' make.log
bin=$work/root/usr/bin examples=$work/root/usr/share/doc/culvert/examples/cron

# What a crontab would hold beside the line; SETTINGS has more of them.
settings() {
	env | grep -E '^(PGHOST|PGUSER|PGDATABASE|PGPORT|SODA_URL|API_URL|SLACK_WEBHOOK_URL|DATASETS|TODAY|RETRIES|RETRY_WAIT)='
}
# crontab_line FLOW: the command of its line in the example, as cron hands it to the shell
crontab_line() {
	grep -E "^[0-9*/, ]+[	 ].*culvert cron $1 " "$examples/crontab" | sed -E "s/^([^ 	]+ +){4}[^ 	]+[ 	]+//; s/\\\\%/%/g; s|/usr/bin/culvert|$bin/culvert|"
}
as_cron() {		# as_cron STATUS NAME COMMAND [NAME=VALUE...]
	local status=$1 name=$2 command=$3; shift 3
	mapfile -t given < <(settings)
	run "$status" "$name" setsid -w env -i PATH=/usr/bin:/bin SHELL=/bin/sh LOGNAME=nobody "${given[@]}" "$@" /bin/sh -c "cd / && $command" <&-
}
silent() {
	[ ! -s out ] && [ ! -s err ]; ok $? '... without a word' || cat out err | sed 's/^/# /'
}
line=$(crontab_line 311)
is 'the line of the 311 flow' "$bin/culvert cron 311 load" "$line"

# ---- a good run, a bad one, two at once ----
as_cron 0 'a load' "$line"
silent
is 'has loaded all' "$rows" "$(sql 'SELECT count(*) FROM requests')"
as_cron 0 'nothing new' "$line"
silent
as_cron 78 'a wrong setting' "$line" MODE=often
said 'MODE=often: want full or update'
said 'culvert: 311 load: ended with status 78: see culvert-status(7)'
[ ! -s out ]; ok $? '... on standard error'
as_cron 69 'no database' "$line" PGHOST=/nowhere CONNECT_WAIT=0
said 'culvert: 311 load: ended with status 69'
hold "SELECT pg_advisory_xact_lock(hashtext('culvert'), hashtext('requests'))"
as_cron 75 'the last one still runs' "$line"
said 'holds requests: try again later'
is '... and is not harmed' 1 "$(sql "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted")"
let_go
wait_for lock_is_free

# A signal to the job reaches the load.
control '{"faults":[{"match":"resource/la31-2020","times":-1,"kind":"latency","seconds":50}]}'
mapfile -t given < <(settings)
env -i PATH=/usr/bin:/bin MODE=full "${given[@]}" "$bin/culvert" cron 311 load >out 2>err </dev/null & pid=$!
wait_for holds 1 "$SODA_URL"
wait_for gives 2 "SELECT count(*) FROM pg_class WHERE relname LIKE 'requests_stage%'"
kill -TERM $pid; wait $pid; status=$?
is 'SIGTERM ends the load' '143 stopped' "$status $(log_last status)"
said 'ended with status 143'
no_stages
control '{"reset":true,"release":true}'

quick_ends
# ---- places for small files, HOME, locales, the clock ----
full() {		# a full load, since the others would have nothing to do
	sql 'SET client_min_messages = error; DROP TABLE IF EXISTS requests CASCADE' >/dev/null
}
loaded() {
	is '... all is loaded' "$rows" "$(sql 'SELECT count(*) FROM requests')"
}
if [ "$(id -u)" -eq 0 ] && mkdir small && mount -t tmpfs -o size=64k tmpfs small 2>/dev/null; then
	at_exit="umount '$work/small'; $at_exit"
	head -c 100000 /dev/zero >small/filler 2>/dev/null
	full
	as_cron 74 'a full TMPDIR' "$line" TMPDIR="$work/small"
	[ -s err ]; ok $? '... is said'
	is '... and nothing is loaded' '' "$(sql "SELECT to_regclass('requests') WHERE EXISTS (SELECT FROM requests)" 2>/dev/null)"
	rm small/filler
	wait_for mount -o remount,ro small 2>/dev/null	# who wrote there may not have left
	as_cron 73 'a TMPDIR that can only be read' "$line" TMPDIR="$work/small"
	said 'no directory for small files in'
	mount -o remount,rw small
	full
	as_cron 0 'one with 64 KiB' "$line" TMPDIR="$work/small"
	silent; loaded
else
	ok 0 'a small TMPDIR # skip no tmpfs can be mounted here'
fi
for locale in C C.UTF-8; do
	full
	as_cron 0 "LANG=$locale" "$line" LANG=$locale
	silent; loaded
	is '... with its letters' 1 "$(sql "SELECT count(*) FROM requests WHERE actiontaken = 'Reçu à Montréal ☂'")"
done
full
as_cron 0 'a HOME that is not there' "$line" HOME=/nonexistent
silent; loaded
clock=$(ls /usr/lib/*/faketime/libfaketimeMT.so.1 2>/dev/null)
if [ -n "$clock" ]; then
	for jump in -3d +400d; do
		full
		as_cron 0 "a clock that is $jump off" "$line" LD_PRELOAD="$clock" FAKETIME=$jump FAKETIME_DONT_FAKE_MONOTONIC=1
		silent; loaded
	done
	# While the load waits for its source, a day is taken back.
	full
	control '{"faults":[{"match":"resource/la31-2020","times":1,"kind":"latency","seconds":50}]}'
	echo '+0' >clock.rc
	echo '-1d' >clock.new
	(wait_for holds 1 "$SODA_URL"; mv clock.new clock.rc; control '{"release":true}') & jumper=$!	# a clock.rc that is written is empty first
	as_cron 0 'a clock that jumps back in the middle' "$line" LD_PRELOAD="$clock" FAKETIME_TIMESTAMP_FILE="$work/clock.rc" \
	    FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1
	silent; loaded
	wait $jumper
	control '{"reset":true}'
else
	ok 0 'a clock that jumps # skip faketime is not installed'
fi

# ---- systemd ----
mkdir credentials && printf 'dbname=%s host=%s user=%s\n' "$PGDATABASE" "$PGHOST" "$PGUSER" >credentials/secret_DSN
echo 'dbname=nowhere' >credentials/lower
full
as_cron 0 'the database is a credential of systemd' "$line" CREDENTIALS_DIRECTORY="$work/credentials" PGDATABASE=nowhere
silent; loaded
if command -v systemd-analyze >/dev/null; then
	mkdir units
	for unit in "$work"/root/usr/lib/systemd/system/culvert@.*; do
		sed "s|/usr/bin/culvert|$bin/culvert|" "$unit" >"units/culvert@311.${unit##*.}"
	done
	run 0 'systemd finds nothing wrong with the units' systemd-analyze verify --man=no units/*
	[ ! -s err ]; ok $? '... not even a warning' || sed 's/^/# /' err
	run 0 '... and they are hardened' systemd-analyze security --offline=true --threshold=25 --no-pager units/culvert@311.service
else
	ok 0 'systemd units # skip no systemd here'
fi
# What a job's COMMAND says is a line of the shell, behind "culvert".
for job in "$examples"/*.job; do
	command=$(env -i bash -c '. "$1"; printf %s "$COMMAND"' - "$job")
	flow=${command%% *} rest=${command#* }
	run 0 "$(basename "$job"): names a command" "$bin/culvert" help "$flow" "${rest%% *}"
done
while IFS= read -r line; do
	flow=$(sed -E 's/.*culvert cron ([^ ]+ [^ ]+).*/\1/' <<<"$line")
	run 0 "the crontab's line of $flow" sh -c "$bin/culvert help $flow && printf %s \"\$1\" | sed 's/.*culvert cron //; s/%/%/g' | sh -n" - "$line"
done < <(grep -E '^[0-9*]' "$examples/crontab")
# ---- what the unit tries again ----

statuses() {
	tr -cs '0-9' '\n' | awk 'NF && $1 < 128 && $1 != 0 && $1 != 99' | sort -nu | paste -sd' '
}
again=$(sed -n 's/^To retry://p' "$top/man/culvert-status.7" | statuses)
all=$(sed -n 's/^\.It \([0-9]*\) Em.*/\1/p' "$top/man/culvert-status.7" | statuses)
prevented=$(sed -n 's/^RestartPreventExitStatus=1 2 //p' "$top/scripts/cron/culvert@.service" | statuses)
is 'systemd tries again what culvert-status(7) says to, and nothing else' "$all" "$(echo "$again $prevented" | statuses)"
is '... none is on both lists' "$(wc -w <<<"$all")" "$(wc -w <<<"$again $prevented")"
done_testing
