# lib.sh - TAP from plain sh: sourced by every tests/*.t, which then runs in a directory of its own.
#
#	t NAME STATUS COMMAND...        input on 0, wanted output on 3; compares both, and the exit status
#	said TEXT                       the last command's stderr holds TEXT
#	said_not TEXT                   ... holds no TEXT
#	run STATUS NAME COMMAND...      only the status counts; output is in ./out, stderr in ./err
#	limited KIB TOOL SCRIPT         a command for run: the script with so much memory
#	same NAME WANTED GOT            two files are alike
#	members FILE NAME...            these members of a receipt, in $values, with a space between them
#	wait_for COMMAND...             until it succeeds, by the work of another process
#	give_up MESSAGE                 one failed check, and the end of this file: what it needs is not there
#	have_real NAME...               other people's data is there to compare with, as $data/NAME always is
#	quick_ends                      what follows is slow: scripts/test leaves it out, scripts/test --all does not
#	done_testing                    prints the plan; the last line of every test
set -u
here=$(cd "$(dirname "$0")" && pwd)
[ -e "$here/lib.sh" ] || here=$(dirname "$here")	# of a program in a directory below
top=$(dirname "$here")
data=$here/data						# the project's own, made data
real_data=${CULVERT_DATA:-$top/../shared/data}		# other people's data, where it is present
# The programs of Debian's packages come first, and psql itself before Debian's wrapper of it: a wrapper in front of
# python3 or psql takes longer than most of what they are asked to do here.
for _dir in /bin /usr/bin $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1) "${CULVERT_BIN:-$top/bin}"; do
	PATH=$_dir:$PATH
done
export LC_ALL=C.UTF-8 TZ=UTC
unset DSN DATABASE_URL SOCRATA_APP_TOKEN SOCRATA_TOKEN SLACK_WEBHOOK_URL SLACK_HOOK CULVERT_RUN_ID KNACK_APP_ID KNACK_API_KEY KNACK_API_KEY_FILE FERNET_KEY FERNET_KEY_FILE
unset $(env | sed -n 's/^\(\(AWS\|ATD_MDS\)_[A-Z0-9_]*\)=.*/\1/p')
work=$(mktemp -d "${TMPDIR:-/tmp}/culvert-test.XXXXXX") || exit 1
chmod 755 "$work"
at_exit=:
count=0 failed=0
# However this test ends, the keeper stops what it started and removes its directory.  When it ends in good order,
# at_exit has stopped everything before, and anything that is still running is a failure.
"$here/keeper" wait $$ "$work" </dev/null >/dev/null 2>&1 &
keeper=$!
finish() {
	_status=$?
	trap '' EXIT INT TERM
	cd /; unset CULVERT_TEST_DIR
	eval "$at_exit"
	kill "$keeper" 2>/dev/null
	"$here/keeper" clean "$work" || { [ "$_status" -ne 0 ] || _status=1; }
	exit "$_status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
cd "$work" || exit 1
export CULVERT_TEST_DIR=$work		# by which the keeper knows this test's processes
# What this test's programs leave behind is theirs, not another test's on this machine.
mkdir -m 1777 tmp && export TMPDIR=$work/tmp || exit 1

ok() {			# ok STATUS NAME: 0 is good
	count=$((count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $count - $2"
	else
		echo "not ok $count - $2"
		failed=$((failed + 1))
		return 1
	fi
}
t() {
	name=$1 want=$2; shift 2
	cat <&3 >out.want
	"$@" >out 2>err; got=$?
	[ "$got" -eq "$want" ] && cmp -s out.want out
	ok $? "$name" || {
		echo "# status: wanted $want, got $got"
		diff -a -u out.want out | head -40 | sed 's/^/# /'; sed 's/^/# stderr: /' err
	}
}
run() {
	want=$1 name=$2; shift 2
	"$@" >out 2>err; got=$?
	[ "$got" -eq "$want" ]
	ok $? "$name" || {
		echo "# status: wanted $want, got $got"
		head -20 out | sed 's/^/# stdout: /'; head -20 err | sed 's/^/# stderr: /'
	}
}
# in_err TEXT: a line of ./err holds it.  Read by the shell: its messages are short, and grep takes longer to start.
in_err() {
	case $1 in
	*"
"*) grep -qF -- "$1" err; return ;;
	esac
	while IFS= read -r _line || [ -n "$_line" ]; do
		case $_line in *"$1"*) return 0 ;; esac
	done <err
	return 1
}
said() {
	in_err "$1"
	ok $? "says: $1" || sed 's/^/# stderr: /' err
}
said_not() {
	! in_err "$1"
	ok $? "does not say: $1" || sed 's/^/# stderr: /' err
}
# limited KIB TOOL SCRIPT: the script in so much memory, unless the tool has sanitizers in it, which reserve terabytes.
limited() {
	grep -q __asan_init "$(command -v "$2")" || set -- "$1" "$2" "ulimit -v $1; $3"
	sh -c "$3"
}
# resident COMMAND...: its largest resident set, in KiB, goes to ./resident
resident() {
	python3 -c 'import resource, subprocess, sys
status = subprocess.run(sys.argv[1:]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=open("resident", "w"))
sys.exit(status)' "$@"
}
at_most() {		# at_most KIB: the last resident set; a sanitizer's is no measure
	read -r kib <resident
	[ -n "${SANITIZED:-}" ] || [ "$kib" -le "$1" ]
	ok $? "... in $1 KiB" || echo "# $kib KiB"
}
same() {
	cmp -s "$2" "$3"
	ok $? "$1" || diff -a -u "$2" "$3" | head -40 | sed 's/^/# /'
}
# members FILE NAME...: puts these members of the flat JSON object on FILE's last line into $values, a text without its
# quotes, an absent one as null, as jq -r prints them, in a hundredth of the time that a jq takes to start.
members() {
	_object='' values=''
	while IFS= read -r _line; do _object=$_line; done <"$1"
	shift
	[ -n "$_object" ] || return 0
	for _name; do
		_value=${_object#*[\{,]\""$_name"\":}
		if [ "$_value" = "$_object" ]; then
			_value=null
		else
			_value=${_value%%[,\}]*} _value=${_value#\"} _value=${_value%\"}
		fi
		values="$values${values:+ }$_value"
	done
}
# wait_for COMMAND...: what another process brings about has come; two minutes are for a machine that is very busy.
wait_for() {
	_left=1225
	until "$@"; do
		_left=$((_left - 1))
		[ "$_left" -gt 0 ] || { echo "# waited in vain for: $*" >&2; return 1; }
		if [ "$_left" -gt 1200 ]; then sleep 0.02; else sleep 0.1; fi
	done
}
skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}
give_up() {
	ok 1 "$1"
	echo "1..$count"
	exit 1
}
# quick_ends: here the quick run is done with this file; what follows takes long, as its first lines say.
quick_ends() {
	[ -z "${CULVERT_QUICK:-}" ] || done_testing
}
# have_real NAME...: these files or directories are readable below $real_data; if not, one line says which is not.
have_real() {
	for _name; do
		[ -r "$real_data/$_name" ] || { echo "# not compared with the real $_name: not present (see CULVERT_DATA)"; return 1; }
	done
}
done_testing() {
	echo "1..$count"
	[ "$failed" -eq 0 ]
	exit $?
}
# start_server VARIABLE COMMAND...: runs it in the background, waits for the one line it prints first (its
# address) and puts that into VARIABLE; it is stopped by its process id when the test ends, or by stop_server VARIABLE.
# Who was stopped before is not stopped again: among 32,768 numbers, that one may be another test's by then.
start_server() {
	_var=$1; shift
	mkfifo "server.$_var.fifo"
	"$@" >"server.$_var.fifo" 2>"server.$_var.log" </dev/null &
	eval "${_var}_pid=$!"
	case $at_exit in
	*"kill \$${_var}_pid "*) ;;
	*)	at_exit="kill \$${_var}_pid 2>/dev/null; $at_exit" ;;
	esac
	read -r _line <"server.$_var.fifo" || {
		for _word; do case $_word in */*) break ;; esac; done
		give_up "${_word##*/} does not start: $(tail -n 1 "server.$_var.log")"
	}
	eval "$_var=\$_line"
}
stop_server() {
	eval "kill \$${1}_pid; wait \$${1}_pid 2>/dev/null; ${1}_pid="
	rm -f "server.$1.fifo"
}
# start_postgres: a private cluster in $work/pg on a socket; sets PGHOST, PGDATABASE, PGUSER for libpq.
start_postgres() {
	PGUSER=postgres PGDATABASE=postgres PGPORT=5432
	export PGHOST PGUSER PGDATABASE PGPORT
	mkdir -p "$top/build"
	PGHOST=$(PG_TEMPLATE=$top/build/postgres-template "$top/scripts/private-postgres" start "$work/pg" 2>pg.log) ||
	    give_up "PostgreSQL does not start: $(cat pg.log "$work/pg/postgres.log" 2>/dev/null | grep -v '^waiting' | tail -n 1)"
	at_exit="'$top/scripts/private-postgres' kill '$work/pg' >/dev/null 2>&1; $at_exit"
}
# use_s3 URL KEY SECRET: the environment that every S3 tool reads, and none of what this machine's user has.
use_s3() {
	unset $(env | sed -n 's/^\(AWS_[A-Z0-9_]*\)=.*/\1/p') http_proxy all_proxy ALL_PROXY
	AWS_ENDPOINT_URL=$1 AWS_ACCESS_KEY_ID=$2 AWS_SECRET_ACCESS_KEY=$3 AWS_REGION=us-east-1
	AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true
	export AWS_ENDPOINT_URL AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_REGION
	export AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE AWS_EC2_METADATA_DISABLED
}
# start_s3 [OPTION...]: the stand-in at $s3, with these options (--bucket NAME, ...), and its environment.
start_s3() {
	start_server s3 "$here/servers/s3.py" "$@"
	use_s3 "$s3" AKIAIOSFODNN7EXAMPLE wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
}
# start_real_s3: the real one at $real_s3, with its environment; comes first in a test, since it skips it where none is
# built, unless CULVERT_REAL_S3 says that there must be one.
start_real_s3() {
	if ! [ -x "${CULVERT_REAL_S3:-$top/build/versitygw}" ]; then
		[ -n "${CULVERT_REAL_S3-}" ] || skip_all 'no real S3 server here: tests/real-s3 build makes one'
		give_up "there is no real S3 server at $CULVERT_REAL_S3"
	fi
	use_s3 '' AKIAREALSERVER 'a/real+secret=of-our-own'
	start_server real_s3 "$here/real-s3" start "$work/real-s3"
	AWS_ENDPOINT_URL=$real_s3
}
sql() {			# sql QUERY: its unaligned result
	PGOPTIONS="${PGOPTIONS-} -c client_min_messages=warning" psql -XAtq -v ON_ERROR_STOP=1 -c "$1"
}
is_so() {		# is_so CONDITION: PostgreSQL finds it true
	[ "$(sql "SELECT $1")" = t ]
}
at_work() {		# at_work NAME CONDITION: a session of that name has a query that meets it, as pg_stat_activity has it
	is_so "EXISTS (SELECT FROM pg_stat_activity WHERE application_name = '$1' AND state = 'active' AND $2)"
}
# hold SQL: somebody else has done it, in a transaction that stays open until let_go.
hold() {
	mkfifo hold.in; : >hold.out
	psql -XAtq -v ON_ERROR_STOP=1 <hold.in >hold.out 2>&1 & holder=$!
	exec 6>hold.in
	echo "BEGIN; $1; SELECT 'it is held';" >&6
	wait_for grep -qx 'it is held' hold.out
}
let_go() {		# ... and commits
	printf 'COMMIT;\n\\q\n' >&6
	exec 6>&-
	wait "$holder"
	rm -f hold.in hold.out
}
