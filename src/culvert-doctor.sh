#!/usr/bin/env bash
# culvert-doctor - is all there that a flow needs?  A line a check, with the mend.
#
# Checks run side by side, each in a process of its own with a limit, and are told in the order in which they were begun.  What a
# check looks at is in scripts/doctor.d; which ones a flow needs is said by the flow: its doctor.sh.  Services are asked by the
# toolkit's own tools, so that what is tried is what will run: the same proxy, the same certificates, the same credentials.
# shellcheck disable=SC2034	# what is set here and not used is for lib.sh and the checks
set -euo pipefail
set -m				# each check is a process group, so that it can be ended

bin=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
libexec=@LIBEXEC@
[[ $libexec == /* ]] || libexec=$(readlink -f "$bin/$libexec") || :
version=@VERSION@
CULVERT_BIN=${CULVERT_BIN:-$bin}
FLOW=culvert-doctor		# for lib.sh
if [[ ! -r $libexec/lib.sh || ! -d $libexec/doctor.d ]]; then
	echo "culvert-doctor: ${libexec:-$bin/@LIBEXEC@}: no flows there: install culvert anew" >&2
	exit 78
fi
. "$libexec/lib.sh"

# ---- arguments ----

flows() {
	local file
	for file in "$libexec"/*/doctor.sh; do
		[[ ! -e $file ]] || basename "$(dirname "$file")"
	done
}
put() {			# put FORMAT ARG...: on standard output
	# shellcheck disable=SC2059
	printf "$@" 2>/dev/null || die 74 'stdout: it was not written: is the disk full?'
}
print_help() {
	cat <<-X
	usage: culvert-doctor [option ...] [$(flows | paste -sd '|')]
	Check what a flow needs, or without a flow, what every flow needs.
	 -a --app-name NAME          knack: the app
	 -e --env NAME               knack: prod or dev
	 -p --provider NAME          mds: only this provider
	    --conf FILE              the flow's settings
	    --write                  put an object into the flow's bucket; delete it
	    --timeout TIME           the limit of a check: 60s
	    --to FORMAT              format of the output: text or ndjson
	 -q --quiet                  only what is not well
	 -h --help, --version; more in culvert-doctor(1)
	X
}
app='' env='' provider='' write=false limit=60 format=text quiet=false flow=''
while (($#)); do
	[[ $1 != --*=* ]] || set -- "${1%%=*}" "${1#*=}" "${@:2}"
	case $1 in
	-h | --help) put '%s\n' "$(print_help)"; exit ;;
	--version) put '%s\n' "culvert-doctor (culvert) $version"; exit ;;
	--write) write=true; shift; continue ;;
	-w) die 64 "-w is now --write" ;;
	-q | --quiet) quiet=true; shift; continue ;;
	-a | --app-name | -e | --env | -p | --provider | --conf | --timeout | --to)
		(($# > 1)) && [[ -n $2 ]] || die 64 "$1: its value is missing" ;;
	-*) die 64 "$1: no such option: see --help" ;;
	*)
		[[ -z $flow ]] || die 64 "$1: one flow at a time"
		flow=$1; shift; continue ;;
	esac
	case $1 in
	-a | --app-name) app=$2 ;;
	-e | --env) env=$2 ;;
	-p | --provider) provider=$2 ;;
	--conf) export CONF=$2 ;;	# the flow's own --check reads it, too
	--timeout) limit=${2%s} ;;
	--to) format=$2 ;;
	esac
	shift 2
done
[[ $format == text || $format == ndjson ]] || die 64 "--to $format: want text or ndjson"
[[ $limit =~ ^[1-9][0-9]{0,4}$ ]] || die 64 "--timeout $limit: want a number of seconds"
[[ -z $flow || -r $libexec/$flow/doctor.sh && $flow != */* ]] || die 64 "$flow: no such flow: want one of $(flows | paste -sd ' ')"
[[ $app$env$provider =~ ^[A-Za-z0-9_.\ -]*$ ]] || die 64 "$app$env$provider: want letters, digits, - and _"
[[ -z $env || $env == prod || $env == dev ]] || die 64 "--env $env: want prod or dev"

# ---- what a check says ----

say_line() {		# say_line LEVEL STATUS WHAT FOUND MEND
	local text
	printf '%s\037%s' "$1" "$2"
	for text in "$3" "$4" "$5"; do
		printf '\037%s' "${text//[[:cntrl:]]/ }"
	done
	echo
}
ok() {			# ok WHAT FOUND
	say_line ok 0 "$1" "$2" ''
}
notice() {		# notice WHAT FOUND MEND: works, but
	say_line warn 0 "$1" "$2" "$3"
}
bad() {			# bad STATUS WHAT FOUND MEND
	say_line FAIL "$@"
}
# fail_of STATUS WHAT FOUND MEND: a tool's status, and what is to be done about it
fail_of() {
	case $1 in
	69) bad 69 "$2" "$3" 'see that it is up, and that the network and proxy let us there; then try again' ;;
	75) bad 75 "$2" "$3" 'try again later' ;;
	76) bad 76 "$2" "$3" 'see whether the address is right, and who answers there' ;;
	77) bad 77 "$2" "$3" "$4" ;;
	*) bad 78 "$2" "$3" 'set it right, then run this again' ;;
	esac
}

for part in "$libexec"/doctor.d/*.sh; do
	# shellcheck source=/dev/null
	. "$part"
done

# ---- all checks, side by side ----

checks=()
start_check() {	# start_check NAME COMMAND...
	local n=${#checks[@]}
	notes=$small/$n.notes
	("${@:2}") >"$small/$n.out" 2>"$small/$n.err" &
	checks+=("$! $1")
}
worst=0 failures=0 all=0
# By exit status; another one is worse than all of these.
declare -A severity=([0]=0 [75]=1 [69]=2 [76]=3 [77]=4)
json_strings() {	# json_strings TEXT...: sets strings
	local text
	strings=()
	for text; do
		text=${text//\\/\\\\}
		strings+=("\"${text//\"/\\\"}\"")
	done
}
tell() {		# tell LEVEL STATUS WHAT FOUND MEND
	local colour='' plain='' strings
	((all += 1))
	[[ $1 != FAIL ]] || ((failures += 1))
	((${severity[$2]:-5} <= ${severity[$worst]:-5})) || worst=$2
	[[ $quiet == false || $1 != ok ]] || return 0
	if [[ $format == ndjson ]]; then
		json_strings "${@:3:3}"
		put '{"level":"%s","status":%d,"what":%s,"found":%s,"mend":%s}\n' "${1,,}" "$2" "${strings[@]}"
		return
	fi
	if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
		case $1 in ok) colour=$'\e[32m' ;; warn) colour=$'\e[33m' ;; *) colour=$'\e[1;31m' ;; esac
		plain=$'\e[0m'
	fi
	put '%s%-4s%s  %s: %s%s\n' "$colour" "$1" "$plain" "$3" "$4" "${5:+: $5}"
}
end_all() {
	local n=0 check pid name status deadline=$((SECONDS + limit)) level code what found mend
	for check in "${checks[@]}"; do
		pid=${check%% *} name=${check#* } status=0
		while kill -0 "$pid" 2>/dev/null && ((SECONDS < deadline)); do
			sleep 0.05
		done
		if kill -0 "$pid" 2>/dev/null; then
			kill -KILL -- "-$pid" 2>/dev/null
			wait "$pid" 2>/dev/null || :
			say_line FAIL 69 "$name" "no answer in $limit s" 'see what holds it up, or give it longer by --timeout' >>"$small/$n.out"
		else
			wait "$pid" || status=$?
			((status == 0)) || say_line FAIL $((status < 64 ? 70 : status < 128 ? status : 69)) "$name" "$(sed 's/^culvert-doctor: //' "$small/$n.err" | grep . | tail -n 1 || echo "ended with status $status")" \
			    'set it right, then run this again' >>"$small/$n.out"
		fi
		while IFS=$'\037' read -r level code what found mend; do
			tell "$level" "$code" "$what" "$found" "$mend"
		done <"$small/$n.out"
		((n += 1))
	done
	checks=()
}

# ---- main ----

# What the checks write down is small.  Where TMPDIR does not take it, which is what we are here to say, memory does; and check_disk
# fills as much as 1 MiB of TMPDIR while the others write, so there has to be room for both.
small='' ours=culvert-doctor.$(uname -n)
for dir in "${TMPDIR:-/tmp}" /dev/shm /var/tmp .; do
	for left in "$dir/$ours".*; do	# by one on this host that was killed
		pid=${left#"$dir/$ours".}
		[[ ! -O $left ]] || kill -0 "${pid%.*}" 2>/dev/null || rm -rf "$left"
	done
	free=$(df -Pk "$dir" 2>/dev/null | awk 'NR == 2 { print $4 }') || continue
	((${free:-0} >= 2048)) && small=$(mktemp -d "$dir/$ours.$$.XXXXXX" 2>/dev/null) || continue
	{ echo >"$small/room"; } 2>/dev/null && [[ -s $small/room ]] && break
	rm -rf "$small"
	small=''
done
[[ -n $small ]] || die 78 "no directory takes a small file, ${TMPDIR:-/tmp} and /dev/shm neither: see TMPDIR"
clean_up() {
	local status=$? check
	trap - EXIT
	for check in "${checks[@]}"; do
		kill -KILL -- "-${check%% *}" 2>/dev/null || :
	done
	rm -rf "$small"
	exit "$status"
}
trap clean_up EXIT
trap 'exit 143' TERM
trap 'exit 130' INT
trap 'exit 129' HUP

start_check tools check_tools
start_check programs check_programs
start_check TMPDIR check_disk
start_check limits check_limits
start_check proxy check_proxy
if [[ -z $flow ]]; then
	start_check database check_database
else
	here=$libexec/$flow
	. "$here/doctor.sh"
fi
end_all
((failures == 0)) || say "$failures of $all checks failed"
exit "$worst"
