# shellcheck shell=bash
# runs.sh - for tests of flows: values compared, and the processes of a run, which has CULVERT_RUN_ID=NAME.$$.  After lib.sh.
is() {			# is NAME WANTED GOT
	[ "$2" = "$3" ]
	ok $? "$1" || printf '# wanted: %s\n# got:    %s\n' "$2" "$3"
}
# processes RUN: ids and names of all that runs with CULVERT_RUN_ID=RUN.$$, whosever children they have become.
processes() {
	local file id name
	for file in $(grep -lzxF "CULVERT_RUN_ID=$1.$$" /proc/[0-9]*/environ 2>/dev/null); do
		id=${file//[^0-9]/}
		{ read -r name <"/proc/$id/comm"; } 2>/dev/null && echo "$id $name"
	done
}
kill_run() {		# kill_run RUN: all of it, and what it began while it was looked for
	local found id
	while found=$(processes "$1"); [ -n "$found" ]; do
		while read -r id _; do kill -KILL "$id"; done <<<"$found"
	done
} 2>/dev/null
# For wait_for.
holds() {		# holds N SERVER: the stand-in holds back so many requests, by the fault latency
	[ "$(curl -fsS "$2/held")" = "$1" ]
}
gives() {		# gives TEXT QUERY: what the database says to it
	[ "$(sql "$2")" = "$1" ]
}
lock_is_free() {	# the server may see a moment later that a run is gone
	gives 0 "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
}
