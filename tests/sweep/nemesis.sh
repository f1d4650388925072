# shellcheck shell=bash
# nemesis.sh - what the kill sweeps share: a run that is watched, somebody who kills a part of it, and what went wrong.
# After lib.sh.  A run is a process $pid with CULVERT_RUN_ID=NAME.$$; its output is in NAME.out and NAME.err.

wrong() {
	printf '# %s\n' "$*" >>wrongs
}
now_ms() {
	echo $((${EPOCHREALTIME/./} / 1000))
}
# dice SEED: the numbers of below from here on.  The first ones that bash makes of small seeds are much alike.
dice() {
	local n
	RANDOM=$(($1 * 1000003))
	for ((n = 0; n < 8; n++)); do
		: $RANDOM
	done
}
# below VARIABLE N: sets it to a number from 0 to N - 1.  Not for $(...): a subshell has random numbers of its own.
below() {
	printf -v "$1" %d $((RANDOM * $2 / 32768))
}
pause_ms() {
	sleep "$(printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)))"
}
# Kills a process of that name, or any; waits for one that has not begun yet.
strike() {		# strike RUN SIGNAL [NAME]
	local victims n wait
	for ((n = 0; n < 100; n++)); do
		mapfile -t victims < <(processes "$1" | grep -- " ${3:-.*}\$")
		((${#victims[@]} == 0)) || break
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.01
	done
	((${#victims[@]} > 0)) || { met='nobody any more'; return; }
	below n ${#victims[@]}
	below wait 6
	pause_ms "$wait"
	met="$2 to ${victims[n]#* }"
	kill "-$2" "${victims[n]% *}" 2>/dev/null || met+=', which was gone'
}

# wait_run RUN: sets status; a run that takes three minutes hangs.  What the machine's command lines show is kept, for secrets.
wait_run() {
	local n
	for ((n = 0; n < 9000; n++)); do
		kill -0 "$pid" 2>/dev/null || break
		((n % 5)) || cat /proc/[0-9]*/cmdline >>command.lines 2>/dev/null
		sleep 0.02
	done
	((n < 9000)) || { wrong "$1 hangs: $(processes "$1" | tr '\n' ';')"; kill_run "$1"; }
	wait "$pid" 2>/dev/null
	status=$?
}
check_processes() {	# check_processes RUN: what was orphaned ends by itself soon
	local n
	for ((n = 0; n < 600; n++)); do
		[ -n "$(processes "$1")" ] || return
		sleep 0.1
	done
	wrong "processes of $1 are left: $(processes "$1" | tr '\n' ';')"
}
