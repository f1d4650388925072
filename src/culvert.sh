#!/usr/bin/env bash
# culvert - run a command of a flow, wherever the toolkit is installed.
#
# It finds the flows by its own place, so that a tree that is moved, or one that lies below a DESTDIR, works as well.
set -euo pipefail

bin=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
libexec=@LIBEXEC@
[[ $libexec == /* ]] || libexec=$(readlink -f "$bin/$libexec") || :

die() {			# die STATUS MESSAGE
	printf 'culvert: %s\n' "$2" >&2
	exit "$1"
}

# A flow is a directory with settings of its name; its commands are the programs there.
flows() {
	local conf flow
	for conf in "$libexec"/*/*.conf; do
		flow=$(basename "$conf" .conf)
		[[ $conf != "$libexec/$flow/$flow.conf" ]] || echo "$flow"
	done
}
is_flow() {
	[[ $1 =~ ^[a-z0-9][a-z0-9-]*$ && -e $libexec/$1/$1.conf ]]
}
commands() {		# commands FLOW
	find "$libexec/$1/" -maxdepth 1 -type f -perm -u+x -printf '%f\n' | LC_ALL=C sort
}
# What a program says that it is, in the second line of its file.
summary() {
	sed -n '2{s/^# [^ ]* \(\[[^]]*\] \)*- //;s/[:;] .*//;s/? .*/?/;s/\.$//;p;}' "$1"
}
list() {		# list FLOW: its commands, a line each
	local command
	for command in $(commands "$1"); do
		printf ' %-22s %s\n' "$1 $command" "$(summary "$libexec/$1/$command")"
	done
}
others() {		# what is of no flow
	[[ ! -x $bin/culvert-doctor ]] || printf 'doctor\t%s\n' "$(summary "$bin/culvert-doctor")"
	[[ ! -x $libexec/report ]] || printf 'report\t%s\n' "$(summary "$libexec/report")"
}
print_help() {
	local flow summary
	echo 'usage: culvert FLOW COMMAND [ARG ...]
       culvert cron FLOW COMMAND [ARG ...]
       culvert help [FLOW [COMMAND]]
Run a command of a flow.'
	for flow in $(flows); do
		list "$flow"
	done
	others | while IFS=$'\t' read -r flow summary; do
		printf ' %-22s %s\n' "$flow" "$summary"
	done
	echo ' --help, --version; more in culvert(1), and of the tools in culvert(7)'
}

# complete [WORD...]: what may come after these, a word and what it is, for the shells; no manual names it
complete() {
	local name first=true
	[[ ${1:-} != help && ${1:-} != cron ]] || { first=false; shift; }
	case $# in
	0)	for name in $(flows); do
			printf '%s\tcommands of this flow\n' "$name"
		done
		others
		! "$first" || printf '%s\t%s\n' cron 'run a command, quiet unless it fails' help 'list what there is' --help 'list what there is' --version 'print the version' ;;
	1)	is_flow "$1" || { options_of "$@"; return; }
		for name in $(commands "$1"); do
			printf '%s\t%s\n' "$name" "$(summary "$libexec/$1/$name")"
		done ;;
	*)	options_of "$@" ;;
	esac
}
options_of() {		# options_of WORD...: of the program that they name
	program_of "$@"
	"$program" --help | grep -oE -- '--[a-z][a-z-]*' | LC_ALL=C sort -u
}
put() {			# put TEXT
	printf '%s\n' "$1" 2>/dev/null || die 74 'stdout: it was not written: is the disk full?'
}

# program_of WORD...: sets program, and words, how many of them name it
program_of() {
	local flow=$1 command=${2:-} known
	[[ $flow =~ ^[a-z0-9][a-z0-9-]*$ ]] || die 64 "$flow: no such flow: see culvert help"
	words=1
	if [[ $flow == report && -x $libexec/report ]]; then
		program=$libexec/report
	elif is_flow "$flow"; then
		known=$(commands "$flow")
		[[ -n $command ]] || die 64 "$flow: which command of it? ${known//$'\n'/, }"
		[[ $'\n'$known$'\n' == *$'\n'"$command"$'\n'* ]] || die 64 "$flow $command: no such command: want one of ${known//$'\n'/, }"
		program=$libexec/$flow/$command words=2
	elif [[ -x $bin/culvert-$flow ]]; then
		program=$bin/culvert-$flow
	else
		die 64 "$flow: no such flow: see culvert help"
	fi
}

# take_credentials - those that systemd has put there for this service: the file DSN, or secret_DSN, stands for DSN_FILE
take_credentials() {
	local file name
	for file in "${CREDENTIALS_DIRECTORY:-/nonexistent}"/*; do
		name=${file##*/} name=${name#secret_}
		[[ -f $file && $name =~ ^[A-Z][A-Z0-9_]*$ ]] || continue
		[[ -n ${!name+set} ]] || export "${name}_FILE=$file"
	done
}

# quietly PROGRAM [ARG...]: what it says is told only where it fails.  It is kept in memory, the last of it, since a file would
# want a place that may be full.
quietly() {
	local said='' line='' status=0 out pid
	exec {out}< <(exec "$@" </dev/null 2>&1)
	pid=$!
	trap 'kill -TERM "$pid" 2>/dev/null || :' TERM INT HUP
	while IFS= read -r line <&"$out" || [[ -n $line ]]; do
		said+=$line$'\n'
		((${#said} < 200000)) || said=${said: -100000}
	done
	while :; do
		status=0
		wait "$pid" || status=$?
		((status > 128)) && kill -0 "$pid" 2>/dev/null || break	# else it was only wait that a signal ended
	done
	((status != 99)) || status=0	# nothing new
	((status == 0)) || printf '%sculvert: %s: ended with status %d: see culvert-status(7)\n' "$said" "${words_given[*]}" "$status" >&2 || :
	exit "$status"
}

[[ -d $libexec ]] || die 78 "${libexec:-$bin/@LIBEXEC@}: no flows there: install culvert anew"
case ${1:-} in
'') die 64 'which flow? see culvert help' ;;
--version) put 'culvert (culvert) @VERSION@'; exit ;;
--completion) complete "${@:2}"; exit ;;
-h | --help) put "$(print_help)"; exit ;;
help)
	[[ ${2:-help} != help && ${2:-} != cron && ${2:-} != -* ]] || { put "$(print_help)"; exit; }
	(($# > 2)) || ! is_flow "$2" || { put "$(list "$2")"; exit; }
	program_of "${@:2}"
	exec "$program" --help ;;
-*) die 64 "$1: no such option: see culvert --help" ;;
esac
if [[ ${2:-} == -h || ${2:-} == --help ]]; then		# of a command, the command says it
	[[ $1 != cron ]] || { put "$(print_help)"; exit; }
	! is_flow "$1" || { put "$(list "$1")"; exit; }
fi
export CULVERT_BIN=${CULVERT_BIN:-$bin}		# its own tools, where others are in PATH as well
take_credentials
if [[ $1 == cron ]]; then
	shift
	(($# > 0)) || die 64 'cron: which flow? see culvert help'
	program_of "$@"
	words_given=("${@:1:words}")
	quietly "$program" "${@:words + 1}"
fi
program_of "$@"
exec "$program" "${@:words + 1}"
