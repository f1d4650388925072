#!/bin/sh
# mds-schedule: blocks tile UTC whatever the clock does, a block has one worker, and an older schedule goes on.
# Slow in its second part, which the quick run leaves out: it makes schedules of years.
. "$(dirname "$0")/lib.sh"
start_postgres
chicago='--provider jump --zone America/Chicago'
rows() { sql "SELECT count(*) FROM api.schedule${1:+ WHERE $1}"; }
is() {			# is NAME WANTED GOT
	[ "$2" = "$3" ]; ok $? "$1" || echo "# wanted $2, got $3"
}
quietly() { "$@" >quiet.out 2>&1; }

# ---- before there are tables, and without a server ----

run 78 'no table' mds-schedule list; said 'mds-schedule: no table api.provider in database "postgres": run mds-schedule init'
run 78 'no schema of that name' mds-schedule --schema 'x"; drop' seed $chicago --since 2020-1-1-0 --until 2020-1-1-1
said 'no table x"; drop.provider'
run 69 'no server' sh -c 'PGHOST=/nowhere mds-schedule init --connect-wait 0.2'
run 0 'init' mds-schedule init
cp out got; t 'makes three tables' 0 jq -c 'del(.seconds)' got 3<<'OUT'
{"tool":"mds-schedule","table":"api.schedule","tables_created":3,"columns_added":0,"bounds_filled":0}
OUT
run 0 'init again' mds-schedule init
cp out got; t 'has nothing to do' 0 jq -c '[.tables_created, .columns_added]' got 3<<'OUT'
[0,0]
OUT
sql 'CREATE VIEW blocks AS SELECT s.*, p.provider_name FROM api.schedule s JOIN api.provider p ON p.id = s.provider_id'
is 'statuses by name' 'published' "$(sql 'SELECT name FROM api.schedule_status WHERE id = 8')"
sql 'CREATE ROLE guest LOGIN; GRANT USAGE ON SCHEMA api TO guest; GRANT ALL ON ALL TABLES IN SCHEMA api TO guest; CREATE SCHEMA old'
run 0 'init by one who may make nothing, where there is nothing to make' sh -c 'PGUSER=guest mds-schedule init'
run 77 'init by one who may make nothing' sh -c 'PGUSER=guest mds-schedule init --schema other'; said 'permission denied'
pids=
for n in 1 2 3 4; do
	(mds-schedule init --schema atonce >"atonce.$n" 2>&1 || : >atonce.failed) & pids="$pids $!"
done
wait $pids
[ ! -e atonce.failed ]; ok $? 'four inits at once' || cat atonce.?

# ---- seed ----

run 0 'seed' mds-schedule seed $chicago --since 2020-1-1-0 --until 2021-01-01-00 --provider-id 0309585E-599f-4e57-ac85-ffffffffffff
cp out got; t 'its receipt' 0 jq -c 'del(.seconds)' got 3<<'OUT'
{"tool":"mds-schedule","table":"api.schedule","provider":"jump","read":8783,"inserted":8783,"unchanged":0}
OUT
is 'the id in MDS' 0309585e-599f-4e57-ac85-ffffffffffff "$(sql 'SELECT provider_id FROM api.provider')"
run 0 'seed again' mds-schedule seed $chicago --since 2020-1-1-0 --until 2021-1-1-0
cp out got; t 'changes nothing' 0 jq -c '[.inserted, .unchanged]' got 3<<'OUT'
[0,8783]
OUT
run 65 'another zone' mds-schedule seed --provider jump --zone America/New_York --since 2020-12-31-0 --until 2021-1-1-5
said 'blocks of jump, such as 2020-12-31-1, have other bounds than --zone America/New_York gives: theirs is America/Chicago'
is 'and nothing of it' 8783 "$(rows)"
run 0 'none' mds-schedule seed $chicago --since 2020-1-1-5 --until 2020-1-1-5
jq -e .empty out >quiet.out; ok $? 'is said'
for wrong in '--since 2020-1-1' '--since 2020-1-1-24' '--since 2021-2-29-1' '--since 2020-13-1-1' '--since x' '--since 20-1-1-1' '--since 2020-1-1-1-1' \
    '--since 2020-001-1-1' '--since 3000-1-1-1' '--since 2020-1-2-1' '--since 2020-1-1-1 --zone' '--since 2020-1-1-1 --limit 3' \
    '--since 2020-1-1-1 --release' '--since 2020-1-1-1 --interval 0' '--since 2020-1-1-1 operand' '--since 2020-1-1-1 --provider-id 1' ''; do
	run 64 "seed $wrong" mds-schedule seed --provider x --zone UTC --until 2020-1-1-4 $wrong
done
run 78 'no such zone' mds-schedule seed --provider x --zone America/Nowhere --since 2020-1-1-1 --until 2020-1-1-4
is 'nothing of these' 8783 "$(rows)"
run 64 'no command' mds-schedule; run 64 'a wrong one' mds-schedule lost
run 64 'an option of another command' mds-schedule list --release; said 'mds-schedule: list takes no --release: see mds-schedule list --help'
run 64 'the old name of --since' mds-schedule gaps --from 2020-1-1-1; said 'mds-schedule: --from is now --since'
run 64 'an operand' mds-schedule gaps all; said 'mds-schedule: all: gaps takes no operand'
run 74 'a receipt that can not be written' sh -c "mds-schedule seed $chicago --since 2020-1-1-0 --until 2020-1-1-1 >/dev/full"

# the clock of whoever seeds steps back by hours, and on again: by what it says each time, two days up to now
for now in 2022-03-13-02 2022-03-13-05 2022-03-13-03 2022-03-12-20 2022-03-13-01 2022-03-14-00 2022-03-13-23 2022-03-16-00; do
	from=$(date -u -d "$(echo $now | sed 's/-\([0-9]*\)$/ \1:00/') 48 hours ago" +%Y-%m-%d-%H)
	quietly mds-schedule seed --provider stepping --zone America/Chicago --since "$from" --until "$now" || cat quiet.out
done
is 'a clock that steps back: no block lost or doubled' '123|t' "$(sql "SELECT count(*), bool_and(gap IS NULL OR gap = '0') FROM
    (SELECT lead(starts) OVER (ORDER BY date) - ends AS gap FROM blocks
    WHERE provider_name = 'stepping') q")"

# ---- what blocks cover ----

t 'the nights on which the clock changes, 2020 in Chicago (mds.md)' 0 sql "SELECT to_char(date, 'MM-DD HH24'), to_char(starts AT TIME ZONE 'UTC', 'HH24'),
    to_char(ends AT TIME ZONE 'UTC', 'HH24') FROM api.schedule WHERE provider_id = 1 AND (date BETWEEN '2020-03-08 02:00' AND '2020-03-08 04:00'
    OR date BETWEEN '2020-11-01 00:00' AND '2020-11-01 02:00') ORDER BY date" 3<<'OUT'
03-08 02|07|08
03-08 04|08|09
11-01 00|04|05
11-01 01|05|07
11-01 02|07|08
OUT
t 'folders are by the wall clock at the start' 0 sh -c '
    for label in 2020-1-1-17 2020-11-01-01 2020-11-1-2 2020-3-8-4 2020-03-01-00; do
	mds-schedule list --provider jump --time-max $label | jq -r ".block + \" \" + .folder"
    done' 3<<'OUT'
2020-1-1-17 2020/1/1/16
2020-11-1-1 2020/11/1/0
2020-11-1-2 2020/11/1/1
2020-3-8-4 2020/3/8/3
2020-3-1-0 2020/2/29/23
OUT

# Each zone and year: python's zoneinfo says when each label is; SQL says that nothing is lost or twice.
cat >blocks.py <<'PY'
"""blocks.py <ZONES: of each line ZONE AFTER UPTO, provider, label, start and end of the blocks, by python's zoneinfo."""
import sys
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo
HOUR = timedelta(hours=1)


def there(utc):
    return utc.replace(tzinfo=timezone.utc).astimezone(zone).replace(tzinfo=None)


def edge(wall):
    """The last instant that shows this wall clock; where none does, the first that shows a later one."""
    early, late = (wall.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    if early == late:  # neither twice nor left out
        return wall - early
    candidates = {(wall.replace(tzinfo=zone, fold=fold)).astimezone(timezone.utc).replace(tzinfo=None) for fold in (0, 1)}
    shown = [c for c in candidates if there(c) == wall]
    if shown:
        return max(shown)
    minute = min(candidates) - timedelta(hours=26)
    while there(minute) < wall:
        minute += timedelta(minutes=1)
    return minute


def moment(text):
    return datetime(*map(int, text.split("-")))


for line in sys.stdin:
    name, after, upto = line.split()
    zone, label, upto, after = ZoneInfo(name), moment(after), moment(upto), after
    end, made = edge(label), 0
    while label < upto:
        label += HOUR
        start, end = end, edge(label)
        if start < end:
            print(f"{name} {after}", label, start, end, sep="|")
            made += 1
    assert made > 0
PY
for zone in America/Chicago America/New_York Europe/Berlin Australia/Lord_Howe Asia/Kolkata Africa/Casablanca UTC \
    Antarctica/Troll America/Havana Asia/Kathmandu; do
	for year in 2007 2020; do
		echo "$zone $year-1-1-0 $((year + 1))-1-1-0"
	done
done >zones
echo 'America/Caracas 2007-12-1-0 2007-12-31-0
America/Caracas 2016-4-1-0 2016-6-1-0
Africa/Casablanca 2016-1-1-0 2017-1-1-0
Africa/Casablanca 2026-1-1-0 2027-1-1-0
Europe/Berlin 1995-12-31-0 1997-1-1-0
Pacific/Apia 2011-12-25-0 2012-1-3-0
America/Chicago 1999-1-1-0 2008-6-1-0
America/Chicago 2036-1-1-0 2040-1-1-0' >>zones
: >wrong
while read -r zone after upto; do
	mds-schedule seed --provider "$zone $after" --zone "$zone" --since "$after" --until "$upto" >quiet.out 2>&1 || cat quiet.out >>wrong
done <zones
sql "COPY (SELECT provider_name, date, starts AT TIME ZONE 'UTC', ends AT TIME ZONE 'UTC' FROM blocks JOIN (SELECT provider_name, min(schedule_id) AS first
    FROM blocks WHERE provider_name LIKE '% %' GROUP BY 1) q USING (provider_name) ORDER BY first, date) TO STDOUT DELIMITER '|'" >blocks.got
python3 blocks.py <zones >blocks.want || echo python >>wrong
cmp blocks.want blocks.got >>wrong 2>&1 || diff blocks.want blocks.got >>wrong
[ ! -s wrong ]; ok $? "blocks of $(wc -l <zones) zones and times are what python says" || head wrong
t 'and tile UTC: none without width, none that leaves a gap or overlaps' 0 sql "SELECT provider_name, date FROM (SELECT provider_name, date,
    starts, ends, lead(starts) OVER (PARTITION BY provider_id ORDER BY date) AS next FROM blocks) q WHERE ends <= starts OR next <> ends" 3</dev/null
is 'up to the ends that were asked for' "$(wc -l <zones)" "$(sql "SELECT count(*) FROM (SELECT min(starts) AS f, max(ends) AS t,
    min(date) - interval '1 hour' AS after, max(date) AS upto, zone FROM blocks
    WHERE provider_name LIKE '% %' GROUP BY provider_id, zone) q WHERE f = after AT TIME ZONE zone AND t = upto AT TIME ZONE zone")"
# What follows reads the whole schedule often, and does without these.
sql "DELETE FROM api.schedule s USING api.provider p WHERE p.id = s.provider_id AND provider_name LIKE '% %'"
sql 'VACUUM ANALYZE api.schedule'

# ---- list ----

labels() { jq -r .block out | tr '\n' ' '; }
run 0 'a range' mds-schedule list --provider jump --time-min 2020-1-1-0 --time-max 2020-01-02-00
is 'of a day: 24 blocks, the first labelled 1, the last 0' '24 2020-1-1-1 2020-1-2-0' "$(wc -l <out) $(head -1 out | jq -r .block) $(tail -1 out | jq -r .block)"
run 0 'an interval' mds-schedule list --provider jump --time-max 2020-1-1-2 --interval 3
is 'as far as there are blocks' '2020-1-1-1 2020-1-1-2 ' "$(labels)"
said '1 of the 3 blocks of jump after 2019-12-31-23 up to 2020-1-1-2 are not in api.schedule, the first is 2020-1-1-0: see mds-schedule seed'
run 0 '--time-min goes before --interval' mds-schedule list --provider jump --time-max 2020-1-1-3 --time-min 2020-1-1-1 --interval 1; is 'of the two' '2020-1-1-2 2020-1-1-3 ' "$(labels)"
run 0 'an interval of 0' mds-schedule list --provider jump --time-max 2020-1-1-3 --interval 0; is 'selects nothing' '' "$(labels)"
run 0 'neither' mds-schedule list --provider jump --time-max 2020-1-1-3; is 'is one' '2020-1-1-3 ' "$(labels)"
cp out got; t 'a record' 0 cat got 3<<'OUT'
{"schedule_id":3,"provider":"jump","block":"2020-1-1-3","folder":"2020/1/1/2","date":"2020-01-01T03:00:00","starts":"2020-01-01T08:00:00Z","ends":"2020-01-01T09:00:00Z","zone":"America/Chicago","provider_id":1,"year":2020,"month":1,"day":1,"hour":3,"status_id":0,"payload":null,"message":null,"records_processed":null,"records_total":null,"payload_trips_count":null,"records_error_count":null,"trips_outside":null,"trips_duplicate":null,"error_payload":null,"rerun_flag":false,"socrata_status":null,"claim":null,"claimed_by":null,"claimed_at":null,"updated_at":null}
OUT
sql 'UPDATE api.schedule SET status_id = -1 WHERE schedule_id = 4; UPDATE api.schedule SET status_id = 8 WHERE schedule_id = 5;
    UPDATE api.schedule SET status_id = -8 WHERE schedule_id = 6; UPDATE api.schedule SET status_id = 2 WHERE schedule_id = 7'
five='--provider jump --time-max 2020-1-1-7 --interval 5'
run 0 'by status' mds-schedule list $five --status 0,-1; is 'of two' '2020-1-1-3 2020-1-1-4 ' "$(labels)"
run 0 '--incomplete' mds-schedule list $five --incomplete; is 'all but 8' '2020-1-1-3 2020-1-1-4 2020-1-1-6 2020-1-1-7 ' "$(labels)"
run 0 'of all providers' mds-schedule list --status -8; is 'one block' '2020-1-1-6 ' "$(labels)"
run 99 '--empty-exit' mds-schedule list $five --status 7 --empty-exit 99
run 99 'an hour that the clock leaves out' mds-schedule list --provider jump --time-max 2020-3-8-3 --empty-exit 99
said '2020-3-8-3: the clock leaves this hour out: it is no block'
run 65 'no such provider' mds-schedule list --provider lime --time-max 2020-1-1-3; said 'no provider "lime" in api.provider, which has'
run 65 'blocks that were never seeded' mds-schedule list --provider jump --time-max 2019-1-1-3 --interval 2
said 'no block of jump after 2019-1-1-1 up to 2019-1-1-3 is in api.schedule: mds-schedule seed --provider jump --since 2019-1-1-1 --until 2019-1-1-3 makes them'
for wrong in '--time-min 2020-1-1-1' '--interval 2' '--time-max 2020-1-1-1 --time-min 2020-1-1-2' '--status x' '--status 1,' '--status 0 --any-status' \
    '--zone UTC' '--since 2020-1-1-1' '--limit 1' '--stale 1h' '--stuck 1' 'x' '--provider-id x'; do
	run 64 "list $wrong" mds-schedule list $wrong
done
run 74 'a full disk' sh -c 'mds-schedule list --provider jump --time-max 2020-12-1-0 --interval 5000 >/dev/full'
run 0 'a reader that leaves' sh -c 'mds-schedule list --provider jump --time-max 2020-12-1-0 --interval 5000 2>left | head -1'; [ ! -s left ]; ok $? 'is no matter'
sql "UPDATE api.schedule SET error_payload = repeat('x', 1000000) WHERE provider_id = 1 AND date < '2020-01-05'"
run 0 '95 MB of errors' resident mds-schedule list --provider jump --time-max 2020-1-5-0 --time-min 2020-1-1-0; at_most 32768
is 'all of it' t "$([ "$(wc -c <out)" -gt 95000000 ] && echo t)"
sql 'UPDATE api.schedule SET error_payload = NULL WHERE error_payload IS NOT NULL'

# ---- claim ----

day='--provider jump --time-min 2020-2-1-0 --time-max 2020-2-2-0'
run 0 'claim' mds-schedule claim $day --status 0 --worker-pid $$ --limit 2
is 'the first of them' '2020-2-1-1 2020-2-1-2 ' "$(labels)"; cp out mine
is 'with a claim each' 2 "$(jq -r .claim mine | sort -u | grep -c ....................)"
run 0 'another worker' mds-schedule claim $day --status 0 --worker-pid 1 --limit 2
is 'has others' '2020-2-1-3 2020-2-1-4 ' "$(labels)"
run 0 'the rest' mds-schedule claim $day --any-status --worker-pid $$; is 'of them' 20 "$(wc -l <out)"
run 99 'none' mds-schedule claim $day --incomplete --worker-pid $$ --empty-exit 99; said '24 blocks of jump are claimed by others'
run 65 'never seeded' mds-schedule claim --provider jump --time-max 2019-1-1-3 --status 0 --worker-pid $$; said 'mds-schedule seed'
for wrong in '--status 0' '--worker-pid 1' '--status 0 --worker-pid 0' '--status 0 --worker-pid 999999999' '--status 0 --worker-pid x' '--status 0 --worker-pid 1 --limit 0' \
    '--status 0 --any-status --worker-pid 1'; do
	run 64 "claim $wrong" mds-schedule claim $day $wrong
done
run 64 'claim without --time-max' mds-schedule claim --provider jump --status 0 --worker-pid $$; said 'no --time-max'
run 64 'claim without --provider' mds-schedule claim --time-max 2020-1-1-1 --status 0 --worker-pid $$; said 'no --provider'

# Eight workers, a block or seven at a time, over 700 blocks: each takes until there is none.
cat >worker <<'SH'
while mds-schedule claim --quiet --provider jump --time-min 2020-3-1-0 --time-max 2020-3-30-5 --status 0 --worker-pid $$ --limit "$1" --empty-exit 9 >"got.$2.part" || { [ $? -eq 9 ] || echo failed >>"failed.$2"; false; }; do
	cat "got.$2.part" >>"got.$2"
	jq -c '{schedule_id, claim, status_id: 2}' "got.$2.part" | mds-schedule set --release >"set.$2" || echo "set: $?" >>"failed.$2"
done
SH
pids=
for n in 1 2 3 4 5 6 7 8; do
	sh worker $((n % 2 * 30 + 5)) $n 2>"worker.$n" & pids="$pids $!"
done
wait $pids
[ -z "$(cat failed.* worker.* 2>/dev/null)" ]; ok $? 'eight workers on one range' || cat failed.* worker.*
cat got.? | jq .schedule_id | sort -n >got.all
is 'took every block, and each once' '700 700' "$(wc -l <got.all) $(sort -u got.all | wc -l)"
is 'several of them' t "$([ "$(ls got.? | wc -l)" -gt 1 ] && echo t)"
is 'and all were set' 700 "$(rows "status_id = 2 AND claim IS NULL AND date > '2020-03-01 00:00' AND date <= '2020-03-30 05:00' AND provider_id = 1")"

# A worker that is killed: its claim is void at once, though nobody has asked for the dead process yet.
one='--provider jump --time-max 2020-4-1-1 --status 0'
sleep 100 & worker=$!
run 0 'a worker' mds-schedule claim $one --worker-pid $worker; cp out dead
run 0 'is alive' mds-schedule claim $one --worker-pid $$ --stale 0; is 'and keeps it, however old' '' "$(labels)"
said '1 blocks of jump are claimed by others'
kill -KILL $worker
wait $worker 2>/dev/null
run 0 'it is killed' mds-schedule claim $one --worker-pid $$; is 'and its claim taken back' '2020-4-1-1 ' "$(labels)"
said "block 2020-4-1-1 of jump: taken back from pid $worker of"; said 'which is dead'
cp out mine
jq -c '{schedule_id, claim, status_id: 2, payload: "theirs"}' dead >dead.set
run 75 'the dead one writes after all' mds-schedule set dead.set; said "dead.set:1: block 2020-4-1-1 of jump was taken over by pid $$ of"
is 'to no effect' 0 "$(rows "payload = 'theirs'")"
python3 - $$ <<'PY' &		# a zombie: its parent does not ask for it
import os, signal, time
child = os.fork()
if child == 0:
    signal.pause()
print(child, file=open("zombie.part", "w"), flush=True)
os.rename("zombie.part", "zombie")
while not os.path.exists("zombie.kill"):
    time.sleep(0.05)
os.kill(child, signal.SIGKILL)
os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
open("zombie.dead", "w")
while not os.path.exists("zombie.over"):
    time.sleep(0.05)
PY
parent=$!
while [ ! -e zombie ]; do sleep 0.05; done
one='--provider jump --time-max 2020-4-1-2 --status 0'
run 0 'a worker' mds-schedule claim $one --worker-pid "$(cat zombie)"; : >zombie.kill
while [ ! -e zombie.dead ]; do sleep 0.05; done
run 0 'a zombie works on nothing' mds-schedule claim $one --worker-pid $$; is 'it is taken back' '2020-4-1-2 ' "$(labels)"; said 'which is dead'
: >zombie.over; wait $parent
# a later process with that number is another
sql "UPDATE api.schedule SET claimed_by = regexp_replace(claimed_by, ' [0-9]+ pid', ' 1 pid') WHERE date = '2020-04-01 02:00' AND provider_id = 1"
run 0 'a number used again' mds-schedule claim $one --worker-pid $$; is 'is taken back' '2020-4-1-2 ' "$(labels)"

# Another machine's: nobody knows, so its age decides.
elsewhere() {	# elsewhere AGE [CLAIMER]
	sql "UPDATE api.schedule SET claim = 'far \"away\\', claimed_by = ${2-"'tram 12 34 pid:[56] 8cdc5b96-0000-4b89-a204-c0cf5329e399'"},
	    claimed_at = now() - interval '$1' WHERE date = '2020-04-01 03:00' AND provider_id = 1"
}
one='--provider jump --time-max 2020-4-1-3 --status 0'
elsewhere '59 minutes'
run 0 'a claim of another machine' mds-schedule claim $one --worker-pid $$; is 'is good for an hour' '' "$(labels)"
run 0 'or --stale' mds-schedule claim $one --worker-pid $$ --stale 58m; is 'which is over' '2020-4-1-3 ' "$(labels)"
said 'block 2020-4-1-3 of jump: taken back from pid 12 of tram, which was last heard of 59 min ago'
elsewhere '61 minutes'
run 0 'an hour later' mds-schedule claim $one --worker-pid $$; is 'it is taken back' '2020-4-1-3 ' "$(labels)"
elsewhere '61 minutes' NULL
run 0 'a claim of nobody' mds-schedule claim $one --worker-pid $$; is 'too' '2020-4-1-3 ' "$(labels)"
elsewhere '61 minutes'
jq -c '{schedule_id, claim: "far \"away\\", message: "at work"}' out >alive
run 0 'a word of its claimer' mds-schedule set alive
run 0 'is what --stale counts from' mds-schedule claim $one --worker-pid $$; is 'so it is kept' '' "$(labels)"
run 0 'and keeps it' mds-schedule claim $one --worker-pid $$ --stale 0; is 'but for --stale 0' '2020-4-1-3 ' "$(labels)"
# another machine's namespace or boot is not ours, though the number and the start may be
sql "UPDATE api.schedule SET claimed_by = replace(claimed_by, 'pid:[', 'pid:[9') WHERE date = '2020-04-01 03:00' AND provider_id = 1"
run 0 'a container of this machine' mds-schedule claim $one --worker-pid $$; is 'is elsewhere' '' "$(labels)"

# ---- set ----

id() { sql "SELECT schedule_id FROM api.schedule WHERE provider_id = 1 AND date = '$1'"; }
run 0 'claim' mds-schedule claim --provider jump --time-max 2020-5-1-3 --interval 3 --status 0 --worker-pid $$; cp out mine
jq -c '{schedule_id, claim, status_id: 6, payload: "production/jump/2020/5/1/0/trips.json", message: {"total_trips": 5.5, "a": "\"é\""},
    records_processed: 4, records_total: 5, payload_trips_count: 5, records_error_count: 1, trips_outside: 2, trips_duplicate: 0,
    error_payload: {errors: [{description: "x'\''; DROP TABLE api.schedule"}]}, rerun_flag: true, socrata_status: null}' mine >change
run 0 'set' mds-schedule set change
cp out got; t 'its receipt' 0 jq -c 'del(.seconds)' got 3<<'OUT'
{"tool":"mds-schedule","table":"api.schedule","read":3,"updated":3,"rejected":0}
OUT
t 'what is in the row' 0 sql "SELECT status_id, payload, message, records_processed, records_total, payload_trips_count, records_error_count, trips_outside,
    trips_duplicate, error_payload, rerun_flag, socrata_status IS NULL, claim IS NOT NULL FROM api.schedule WHERE schedule_id = $(id '2020-05-01 01:00')" 3<<'OUT'
6|production/jump/2020/5/1/0/trips.json|{"total_trips":5.5,"a":"\"é\""}|4|5|5|1|2|0|{"errors":[{"description":"x'; DROP TABLE api.schedule"}]}|t|t|t
OUT
run 0 'a part of it, CSV without a newline, --release' sh -c 'jq -r "[.schedule_id, .claim] | \"schedule_id,claim,status_id,message\n\(.[0]),\(.[1]),8,done\"" mine | head -n 2 | head -c -1 | mds-schedule set --release'
is 'the rest stays' '8|done|5|t' "$(sql "SELECT status_id, message, records_total, claim IS NULL FROM api.schedule WHERE schedule_id = $(id '2020-05-01 01:00')")"
run 0 'nothing' mds-schedule set /dev/null; jq -e '.read == 0 and .empty' out >quiet.out; ok $? 'is said'
snapshot() { sql 'SELECT md5(string_agg(s::text, chr(10) ORDER BY schedule_id)) FROM api.schedule s'; }
before=$(snapshot)
tail -n 1 mine | jq -c '{schedule_id, claim, status_id: 7}' >good
b=$(jq .schedule_id good)
bad() {		# bad STATUS SENTENCE RECORD: nothing of a good record before it is in
	{ cat good; printf '%s\n' "$3"; } >bad.in
	run "$1" "set $3" mds-schedule set bad.in; said "$2"
	is 'nothing was changed' "$before" "$(snapshot)"
}
bad 65 'bad.in:2: no block 99999999: seed it: nothing was changed' '{"schedule_id":99999999,"status_id":2}'
bad 65 'bad.in:2: column "schedule_id": is missing: which block?' '{"status_id":2}'
bad 65 'column "schedule_id": is no id of a block' '{"schedule_id":"x","status_id":2}'
bad 65 'column "schedule_id": is no id of a block' '{"schedule_id":null,"status_id":2}'
bad 65 'out of range' '{"schedule_id":1,"records_total":99999999999}'
bad 65 'column "claim": is null: leave it out' '{"schedule_id":1,"claim":null}'
bad 65 'column "sattus_id": is nothing that set knows' '{"schedule_id":1,"sattus_id":2}'
bad 65 'column "provider_id": is nothing that set knows' '{"schedule_id":1,"provider_id":2}'
bad 65 'column "status_id": is no status' '{"schedule_id":1,"status_id":99}'
bad 65 'column "status_id": is no status' '{"schedule_id":1,"status_id":null}'
bad 65 'column "records_total": is no whole number' '{"schedule_id":1,"records_total":1.5}'
bad 65 'column "rerun_flag": is neither true nor false' '{"schedule_id":1,"rerun_flag":"yes"}'
bad 65 'column "error_payload": holds a NUL' '{"schedule_id":1,"error_payload":"a\u0000b"}'
bad 65 'record is cut' '{"schedule_id":1,"error_payl'
bad 75 'is not claimed any more: nothing was changed, claim it again' "$(head -n 1 change)"
bad 75 'was taken over by' '{"schedule_id":'"$b"',"claim":"another"}'
said_not DROP
run 74 'a read error' mds-schedule set <.
run 66 'no such file' mds-schedule set nowhere
run 64 'an option of another' mds-schedule set --provider x good
run 0 'without a claim' sh -c "echo '{\"schedule_id\":$b,\"status_id\":0}' | mds-schedule set --release"
is 'whoever has it' '0|t' "$(sql "SELECT status_id, claim IS NULL FROM api.schedule WHERE schedule_id = $b")"
python3 -c 'print("{\"schedule_id\":1,\"error_payload\":[" + ",".join("%07d" % i for i in range(1000000, 3000000)) + "]}")' >large
run 0 '16 MB of errors' mds-schedule set large
is 'in a row' 16000001 "$(sql 'SELECT length(error_payload) FROM api.schedule WHERE schedule_id = 1')"
sql 'UPDATE api.schedule SET error_payload = NULL WHERE schedule_id = 1'
jq -nc 'range(1; 8001) | {schedule_id: ., message: "m"}' >many
run 0 '8000 blocks' resident mds-schedule set many; at_most 32768
is 'are set' 8000 "$(rows "message = 'm'")"

quick_ends
# ---- gaps ----

span='--zone America/Chicago --since 2023-3-10-0 --until 2023-3-15-0'
gaps() { mds-schedule gaps --provider bird $span "$@"; }
quietly mds-schedule seed --provider bird --provider-id 2411D395-04f2-47c9-ab66-d09e9e3c3251 $span
run 0 'gaps' gaps; said 'no table api.trips: counts were not compared'
is 'all are stuck' '119 stuck' "$(wc -l <out) $(jq -r .kind out | sort -u)"
head -n 1 out | jq -c 'del(.schedule_id)' >got; t 'a block that is stuck' 0 cat got 3<<'OUT'
{"kind":"stuck","provider":"bird","block":"2023-3-10-1","status_id":0,"ends":"2023-03-10T07:00:00Z","updated_at":null}
OUT
run 0 'but not yet' gaps --stuck 9999d --empty-exit 0; is 'by --stuck' '' "$(cat out)"
run 78 'a table of trips that is not there' gaps --trips nowhere; said 'no table nowhere'
sql "UPDATE api.schedule SET status_id = 8 WHERE zone = 'America/Chicago' AND date > '2023-03-10' AND date < '2023-04-01'"
run 99 'none' gaps --empty-exit 99
sql "DELETE FROM api.schedule s USING api.provider p WHERE p.id = s.provider_id
    AND provider_name = 'bird' AND date IN ('2023-03-10 01:00', '2023-03-12 04:00')"
run 0 'two blocks are missing, and none of the hour that is left out' gaps; cp out got
t 'says which' 0 cat got 3<<'OUT'
{"kind":"missing","provider":"bird","block":"2023-3-10-1","starts":"2023-03-10T06:00:00Z","ends":"2023-03-10T07:00:00Z"}
{"kind":"missing","provider":"bird","block":"2023-3-12-4","starts":"2023-03-12T08:00:00Z","ends":"2023-03-12T09:00:00Z"}
OUT
quietly mds-schedule seed --provider bird $span
sql "UPDATE api.schedule SET status_id = 8 WHERE status_id = 0 AND zone = 'America/Chicago' AND date > '2023-03-10' AND date < '2023-04-01'"

sleep 100 & worker=$!
quietly mds-schedule claim --provider bird --time-max 2023-3-11-1 --any-status --worker-pid $worker
quietly mds-schedule claim --provider bird --time-max 2023-3-11-2 --any-status --worker-pid $$
run 0 'blocks at work' gaps; is 'are no gap' '' "$(cat out)"
kill -KILL $worker; wait $worker 2>/dev/null
run 0 'a dead worker' gaps; is 'is' '2023-3-11-1 false' "$(jq -r '.block + " " + (.alive | tostring)' out)"
run 0 'claims that are stale' gaps --stale 0; is 'too' '2023-3-11-1 false 2023-3-11-2 true ' "$(jq -r '.block + " " + (.alive | tostring)' out | tr '\n' ' ')"
sql "UPDATE api.schedule SET claim = NULL WHERE claim IS NOT NULL"

# counts: four trips an hour; the day after spring's change has 92
sql "CREATE TABLE api.trips (trip_id int, provider_id uuid, provider_name text, end_time timestamptz);
    INSERT INTO api.trips SELECT row_number() OVER (), '2411d395-04f2-47c9-ab66-d09e9e3c3251', 'Bird', starts + m * interval '14 minutes' FROM blocks,
	generate_series(0, 3) m WHERE provider_name = 'bird' AND date > '2023-03-10' AND date <= '2023-03-15';
    INSERT INTO api.trips SELECT 0, '2411d395-04f2-47c9-ab66-d09e9e3c3252', 'Bird', timestamptz '2023-03-11 12:00Z' FROM generate_series(1, 7);
    UPDATE api.schedule SET payload_trips_count = 5, records_error_count = 1, trips_duplicate = 0, trips_outside = 0, socrata_status =
	'{\"By RowIdentifier\":0,\"Rows Updated\":1,\"Rows Deleted\":0,\"Rows Created\":3,\"Errors\":0,\"By SID\":0}'
	WHERE zone = 'America/Chicago' AND date > '2023-03-10' AND date <= '2023-03-15'"
on() { echo "zone = 'America/Chicago' AND date = timestamp '$1'"; }
run 0 'counts that are the same' gaps; is 'are no gap' '' "$(cat out)"
sql "DELETE FROM api.trips WHERE end_time >= '2023-03-12 06:00Z' AND end_time < '2023-03-12 06:30Z'"
run 0 'three trips are gone from the database' gaps; cp out got
t 'the day of spring, with 23 hours' 0 cat got 3<<'OUT'
{"kind":"counts","provider":"bird","day":"2023-03-12","source":115,"rejected":23,"duplicate":0,"outside":0,"database":89,"socrata":92}
OUT
sql "UPDATE api.schedule SET trips_outside = 3 WHERE $(on '2023-03-12 05:00')"
run 0 'three trips were outside of their hours' gaps; is 'which explains it' '' "$(cat out)"
sql "UPDATE api.schedule SET trips_outside = 2 WHERE $(on '2023-03-12 05:00')"
run 0 'two do' gaps; is 'not' 2023-03-12 "$(jq -r .day out)"
sql "UPDATE api.schedule SET trips_outside = 0, trips_duplicate = 3, socrata_status = 'no reply' WHERE $(on '2023-03-12 05:00')"
run 0 'three were twice' gaps; is 'so the database is right, but Socrata has fewer' '[89,88]' "$(jq -c '[.database, .socrata]' out)"
sql "UPDATE api.schedule SET socrata_status = '{\"Rows Updated\":1}' WHERE $(on '2023-03-12 05:00')"
run 0 'all is right again' gaps; is 'nothing' '' "$(cat out)"
sql "UPDATE api.schedule SET status_id = 2, updated_at = now() WHERE $(on '2023-03-13 05:00'); DELETE FROM api.trips WHERE end_time >= '2023-03-13 10:00Z' AND end_time < '2023-03-13 11:00Z'"
run 0 'a day that is not loaded yet' gaps; is 'is stuck, and not counted' 'stuck' "$(jq -r .kind out)"
sql "UPDATE api.schedule SET status_id = 8 WHERE $(on '2023-03-13 05:00')"
sql "INSERT INTO api.trips SELECT 1, '2411d395-04f2-47c9-ab66-d09e9e3c3251', 'Bird', timestamptz '2023-03-13 10:30Z' FROM generate_series(1, 4)"
sql "UPDATE api.provider SET provider_id = NULL WHERE provider_name = 'bird'"
run 0 'by name, where the id is not known' gaps; is 'seven of another id have the name too' '2023-03-11 103' "$(jq -r '"\(.day) \(.database)"' out)"
sql "UPDATE api.provider SET provider_id = '2411d395-04f2-47c9-ab66-d09e9e3c3251' WHERE provider_name = 'bird'"
printf 'day,trips\n2023-03-10,96\n2023-03-11T00:00:00.000,103\n2023-03-12,89\n2023-03-14,95\n2023-03-15,5\n2020-01-01,7\n' >dataset.csv
run 0 'the dataset, over all providers' gaps --socrata dataset.csv; cp out got
t 'differs on two days, one of which it does not have' 0 cat got 3<<'OUT'
{"kind":"counts","provider":"bird","day":"2023-03-13","source":120,"rejected":24,"duplicate":0,"outside":0,"database":96,"socrata":96,"database_all":96,"dataset":0}
{"kind":"counts","provider":"bird","day":"2023-03-14","source":120,"rejected":24,"duplicate":0,"outside":0,"database":96,"socrata":96,"database_all":96,"dataset":95}
OUT
for wrong in 'x,5' '2023-03-11,x' '2023-03-11,' ',5' '2023-02-30,5'; do
	printf 'day,trips\n%s\n' "$wrong" >wrong.csv
	run 65 "a dataset of $wrong" gaps --socrata wrong.csv
done
run 66 'no such file' gaps --socrata nowhere
run 65 'no such provider' mds-schedule gaps --provider birt $span; said 'no provider "birt"'
run 64 'no zone' mds-schedule gaps --provider bird --since 2023-3-10-0 --until 2023-3-11-0; said 'gaps: no --zone'
run 74 'a full disk' sh -c "mds-schedule gaps --provider jump --zone America/Chicago --since 2024-1-1-0 --until 2024-2-1-0 >/dev/full"
run 0 'before 2000, and nothing asked for' sh -c "mds-schedule gaps --provider bird --zone UTC --since 1999-12-30-5 --until 1999-12-30-5 && mds-schedule gaps --provider bird --zone UTC --since 1999-12-30-5 --until 2000-1-2-0"
is 'all missing' 67 "$(wc -l <out)"

# ---- one that stops in the middle ----

before=$(snapshot)
jq -nc 'range(1; 8001) | {schedule_id: ., message: "half"}' >half
mkfifo pipe
(cat half; exec sleep 100) >pipe & feeding=$!
# started STAGE: waits until the transaction has changed rows
started() {
	while [ "$(sql "SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation WHERE c.relname = 'schedule' AND l.mode = 'RowExclusiveLock'")" = 0 ]; do sleep 0.05; done
}
mds-schedule set <pipe >out 2>err & pid=$!
started
kill -KILL $pid; wait $pid 2>/dev/null; kill $feeding; wait $feeding 2>/dev/null
while [ "$(sql "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'mds-schedule'")" != 0 ]; do sleep 0.05; done
is 'kill -9 in the middle of set: nothing' "$before" "$(snapshot)"
(cat half; exec sleep 100) >pipe & feeding=$!
mds-schedule set <pipe >out 2>err & pid=$!
started
kill -TERM $pid; wait $pid; got=$?; kill $feeding; wait $feeding 2>/dev/null
is 'SIGTERM in the middle of set' 143 $got; said 'mds-schedule: stopped: nothing was changed'
while [ "$(sql "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'mds-schedule'")" != 0 ]; do sleep 0.05; done
is 'nothing' "$before" "$(snapshot)"
mkfifo pipe.2
(cat half; while [ ! -e killed ]; do sleep 0.05; done; cat half) >pipe.2 &
mds-schedule set --connect-wait 0.1 <pipe.2 >out 2>err & pid=$!
started
"$top/scripts/private-postgres" kill "$work/pg" >kill.log 2>&1; : >killed
wait $pid; got=$?
is 'the server is killed in the middle of set' 69 $got
[ ! -s out ]; ok $? 'no receipt'
PGHOST=$("$top/scripts/private-postgres" start "$work/pg" 2>pg.log)
is 'nothing is half' "$before" "$(snapshot)"
for when in before after gone; do
	start_server "proxy_$when" "$here/servers/pgproxy.py" "$work/pg" "$work/proxy-$when" $when
	sql "UPDATE api.schedule SET message = NULL WHERE schedule_id = 9"
	echo '{"schedule_id":9,"message":"in"}' >nine
	want=75; [ $when != after ] || want=0
	run $want "the connection is cut at COMMIT: $when" sh -c "PGHOST='$work/proxy-$when' mds-schedule set --connect-wait 1 nine"
	case $when in
	before) is 'nothing is in' '' "$(sql 'SELECT message FROM api.schedule WHERE schedule_id = 9')" ;;
	*) is 'it is in' in "$(sql 'SELECT message FROM api.schedule WHERE schedule_id = 9')" ;;
	esac
done
psql -XAtqc 'BEGIN; UPDATE api.schedule SET message = message WHERE schedule_id = 9; SELECT pg_sleep(1000)' >quiet.out 2>&1 & holder=$!
while [ "$(sql "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")" = 0 ]; do sleep 0.05; done
run 75 'a row that another has locked' mds-schedule set --lock-timeout 0.2 nine
said 'lock timeout'
sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'" >released
wait $holder
sql "ALTER ROLE guest PASSWORD 'right'"
sed -i 's/trust$/scram-sha-256/' "$work/pg/data/pg_hba.conf"
sql 'SELECT pg_reload_conf()' >quiet.out
run 77 'a wrong password' sh -c 'PGUSER=guest PGPASSWORD=wrong-word mds-schedule list'; said 'password authentication failed'; said_not wrong-word
run 77 'no password' sh -c 'PGUSER=guest mds-schedule list -q'
sed -i 's/scram-sha-256$/trust/' "$work/pg/data/pg_hba.conf"
PGPASSWORD=x PGUSER=guest psql -XAtqc 'SELECT 1' >quiet.out 2>&1
"$top/scripts/private-postgres" stop "$work/pg" >/dev/null 2>&1
PGHOST=$("$top/scripts/private-postgres" start "$work/pg" 2>pg.log)

# ---- a schedule of the old system ----

sql "CREATE TABLE old.provider (id integer, provider_name text, extra text); INSERT INTO old.provider VALUES (7, 'jump'), (9, 'lime');
    CREATE TABLE old.schedule_status (id integer, name text); INSERT INTO old.schedule_status VALUES (0, 'New'), (2, 'Uploaded');
    CREATE TABLE old.schedule (schedule_id integer, provider_id integer, year integer, month integer, day integer, hour integer,
	date timestamp, status_id integer, payload text, message jsonb, records_processed integer, records_total integer,
	payload_trips_count integer, records_error_count integer, error_payload json, rerun_flag boolean, socrata_status text, theirs numeric);
    INSERT INTO old.schedule SELECT n, 7, extract(year FROM d), extract(month FROM d), extract(day FROM d), extract(hour FROM d), d, 0
	FROM generate_series(timestamp '2020-01-01 01:00', '2021-01-01 00:00', '1 hour') WITH ORDINALITY q(d, n)"
run 64 'init of an old schedule' mds-schedule init --schema old; said 'blocks of old.schedule have no bounds in UTC: say whose wall clock they go by'
is 'and nothing of it' '' "$(sql "SELECT attname FROM pg_attribute WHERE attrelid = 'old.schedule'::regclass AND attname = 'starts'")"
sql 'INSERT INTO old.schedule SELECT * FROM old.schedule WHERE schedule_id = 5'
run 65 'a block twice' mds-schedule init --schema old --zone America/Chicago
said 'old.schedule has 1 cases of several rows with the same schedule_id: leave one of each, then run init again'
sql 'DELETE FROM old.schedule WHERE ctid = (SELECT max(ctid) FROM old.schedule WHERE schedule_id = 5)'
run 0 'with its zone' mds-schedule init --schema old --zone America/Chicago
cp out got; t 'what was lacking' 0 jq -c 'del(.seconds)' got 3<<'OUT'
{"tool":"mds-schedule","table":"old.schedule","tables_created":0,"columns_added":11,"bounds_filled":8784}
OUT
run 0 'twice' mds-schedule init --schema old --zone America/Chicago
cp out got; t 'has nothing to do' 0 jq -c '[.columns_added, .bounds_filled]' got 3<<'OUT'
[0,0]
OUT
is 'the old block without width' '2020-03-08 03:00:00' "$(sql 'SELECT date FROM old.schedule WHERE ends <= starts')"
is 'the rest is what seed makes' 8783 "$(sql "SELECT count(*) FROM old.schedule o JOIN api.schedule n USING (date, starts, ends, zone) WHERE n.provider_id = 1")"
is 'statuses' 'New|12' "$(sql 'SELECT (SELECT name FROM old.schedule_status WHERE id = 0), count(*) FROM old.schedule_status')"
old="--schema old --provider jump"
run 0 'list' mds-schedule list $old --time-max 2020-3-8-4 --interval 3; is 'leaves it out' '2020-3-8-2 2020-3-8-4 ' "$(labels)"
run 0 'list --force' mds-schedule list $old --time-max 2020-3-8-4 --interval 3 --force; is 'does not' '2020-3-8-2 2020-3-8-3 2020-3-8-4 ' "$(labels)"
is 'columns of theirs' 'true' "$(head -n 1 out | jq 'has("theirs")')"
run 0 'seed on' mds-schedule seed $old --zone America/Chicago --since 2020-12-31-12 --until 2021-1-1-5
cp out got; t 'adds what is new' 0 jq -c '[.inserted, .unchanged]' got 3<<'OUT'
[5,12]
OUT
run 0 'of a new provider' mds-schedule seed --schema old --provider bird --provider-id 0309585e-599f-4e57-ac85-000000000000 --zone America/Chicago --since 2021-1-1-0 --until 2021-1-1-1
is 'its number' t "$(sql "SELECT id > 9 FROM old.provider WHERE provider_name = 'bird'")"
run 0 'claim' mds-schedule claim $old --time-max 2020-1-1-2 --interval 2 --status 0 --worker-pid $$
jq -c '{schedule_id, claim, status_id: 2, message: "Successfully uploaded to S3", error_payload: "{\"error_count\": 1}"}' out >change
run 0 'set of JSON columns' mds-schedule set --schema old --release change
is 'text is a string of it, JSON is JSON' '"Successfully uploaded to S3"|1' "$(sql "SELECT message, error_payload->'error_count' FROM old.schedule WHERE schedule_id = 1")"
sql "INSERT INTO old.schedule (provider_id, year, month, day, hour, date, status_id) VALUES (9, 2021, 1, 1, 1, '2021-01-01 01:00', 0)"
run 78 'a row of whoever else makes some' mds-schedule list --schema old --provider lime --time-max 2021-1-1-1
said '1 blocks of old.schedule have no bounds in UTC: run mds-schedule init --zone ZONE'
run 0 'init gives it some' mds-schedule init --schema old --zone America/Chicago
run 0 'and it is there' mds-schedule list --schema old --provider lime --time-max 2021-1-1-1; is 'by its label' '2021-1-1-1 ' "$(labels)"
sql 'ALTER TABLE old.schedule DROP COLUMN claim'
run 78 'a column is lacking' mds-schedule list --schema old; said 'old.schedule has no column claim: run mds-schedule init'
sql 'CREATE SCHEMA zoned; CREATE TABLE zoned.schedule (schedule_id int, provider_id int, date timestamptz)'
run 78 'a date with a zone' mds-schedule init --schema zoned; said 'zoned.schedule.date is a timestamp with time zone: want timestamp'
done_testing
