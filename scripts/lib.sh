# shellcheck shell=bash
# lib.sh - what the flows share: settings, the database, the lock, the load log.  Sourced by bash scripts that have
# set -euo pipefail and FLOW (its name in the log), and set TARGET (the table that it locks and loads).

# Below this file's directory: where the tools are, and settings of this machine.  make install writes other values here.
tools=../bin
etc=
lib=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
PATH=${CULVERT_BIN:-$lib/$tools}:$PATH
etc=${CULVERT_ETC:-$etc}

say() {
	printf '%s: %s\n' "$FLOW" "$*" >&2
}
die() {			# die STATUS MESSAGE...
	local status=$1; shift
	say "$*"
	exit "$status"
}

# settings FILE - reads KEY=value lines into the environment, where the tools find theirs; what it already has stays.
settings() {
	local line key value
	[[ -r $1 ]] || die 66 "$1: no such settings file"
	while IFS= read -r line || [[ -n $line ]]; do
		[[ $line =~ ^[[:space:]]*(#|$) ]] && continue
		[[ $line =~ ^([A-Z_][A-Z0-9_]*)=(.*)$ ]] || die 78 "$1: \"$line\" is no KEY=value"
		key=${BASH_REMATCH[1]} value=${BASH_REMATCH[2]}
		[[ $value =~ ^\"(.*)\"$ || $value =~ ^\'(.*)\'$ ]] && value=${BASH_REMATCH[1]}
		[[ -n ${!key+set} ]] || export "$key=$value"
	done <"$1"
}

usage() {		# what the command's file says of itself
	sed -n '2,/^[^#]/{s/^# \{0,1\}//p;}' "$0" || exit 74
}

# read_settings_of FLOW: those of CONF, else of the flow in the machine's directory; then the defaults for what they leave out.
read_settings_of() {
	if [[ -z ${CONF:-} && -n $etc && -e $etc/$1.conf ]]; then
		CONF=$etc/$1.conf
	fi
	CONF=${CONF:-$here/$1.conf}
	settings "$CONF"
	settings "$here/$1.conf"
	EMPTY_EXIT=${EMPTY_EXIT:-0}
	[[ $EMPTY_EXIT =~ ^[0-9]{1,2}$|^1[0-9]{2}$|^2[0-4][0-9]$ ]] || die 78 "EMPTY_EXIT=$EMPTY_EXIT: want an exit status, such as 99"
}
# beside NAME: a file that the settings name, which lies beside them, in the machine's directory, or beside the defaults.
beside() {
	local dir dirs
	[[ $1 != /* ]] || { echo "$1"; return; }
	dirs=("$(cd "$(dirname "$CONF")" && pwd -P)" ${etc:+"$etc"} "$here")
	[[ ${dirs[0]} != "$here" ]] || dirs=("${dirs[@]:1}")
	for dir in "${dirs[@]}"; do
		[[ ! -e $dir/$1 ]] || { echo "$dir/$1"; return; }
	done
	echo "${dirs[0]}/$1"
}

# jq_holds ARGUMENT...: is the last value neither false nor null?  A jq that was killed has said neither, and ends us.
jq_holds() {
	local status=0
	jq -e "$@" >/dev/null || status=$?
	((status < 128)) || exit "$status"
	((status == 0))
}

need() {		# need PROGRAM...
	local program
	for program; do
		command -v "$program" >/dev/null || die 78 "$program: not found: run make, or install it"
	done
}

# psql takes a DSN as an argument only, where ps shows it; so the password in it goes into the environment.
dsn_without_password() {
	local name file dsn='' password='' left
	local url='^(postgres(ql)?://[^:/@?]*):([^@/]*)@(.*)$' query='^(postgres(ql)?://.*[?&])password=([^&]*)&?(.*)$'
	local pair="^[[:space:]]*([a-z_]+)[[:space:]]*=[[:space:]]*('([^'\\]|\\\\.)*'|(([^'[:space:]\\]|\\\\.)([^[:space:]\\]|\\\\.)*)?)(.*)$"
	for name in DSN DATABASE_URL; do
		dsn=${!name:-} file=${name}_FILE
		if [[ -z $dsn && -n ${!file:-} ]]; then
			[[ -r ${!file} ]] || die 78 "$file=${!file}: no such file, or it can't be read"
			dsn=$(<"${!file}")
		fi
		[[ -z $dsn ]] || break
	done
	if [[ $dsn =~ ^postgres(ql)?:// ]]; then
		if [[ $dsn =~ $url ]]; then
			dsn=${BASH_REMATCH[1]}@${BASH_REMATCH[4]} password=${BASH_REMATCH[3]}
		fi
		if [[ $dsn =~ $query ]]; then
			dsn=${BASH_REMATCH[1]}${BASH_REMATCH[4]} password=${BASH_REMATCH[3]}
		fi
		password=${password//\\/\\\\}
		printf -v password %b "${password//%/\\x}"
	else
		left=$dsn dsn=
		while [[ $left =~ $pair ]]; do
			left=${BASH_REMATCH[7]}
			if [[ ${BASH_REMATCH[1]} == password ]]; then
				password=${BASH_REMATCH[2]}
				[[ $password != \'* ]] || password=${password:1:-1}
				password=$(sed 's/\\\(.\)/\1/g' <<<"$password")
			else
				dsn+="${dsn:+ }${BASH_REMATCH[1]}=${BASH_REMATCH[2]}"
			fi
		done
		[[ $left =~ ^[[:space:]]*$ ]] || die 78 "$name is no connection string: want postgresql://user@host/database or key=value ..."
	fi
	[[ -z $password ]] || export PGPASSWORD=$password
	psql_dsn=$dsn
}

# Debian's psql is a wrapper that may choose a server by rules of its own (PGCLUSTER, ~/.postgresqlrc), where the tools, which do not
# know them, would go to another; and looking for it takes longer than a short query does.
psql=psql
if [[ $(readlink -f "$(command -v psql)") == */pg_wrapper ]]; then
	psql=$(printf '%s\n' /usr/lib/postgresql/*/bin/psql | sort -V | tail -n 1)
	[[ -x $psql ]] || psql=psql
fi

# db [-v NAME=VALUE ...] <<<SQL - one script, values by :'NAME'; rows unaligned on stdout.  Status: 69 when the server is
# not there, 78 when it refuses the script, 128 + n when signal n ended psql.
db() {
	local status=0 name="$FLOW ${CULVERT_RUN_ID:-}"	# of which PostgreSQL takes 63 bytes
	PGAPPNAME=${name:0:63} "$psql" -XAtq -v ON_ERROR_STOP=1 -v VERBOSITY=terse ${psql_dsn:+-d "$psql_dsn"} "$@" || status=$?
	case $status in
	0) ;;
	2) return 69 ;;
	129 | 13? | 14? | 15?) return "$status" ;;
	*) return 78 ;;
	esac
}

# make_tmp - sets tmp, a directory of this run's own, and removes those of runs on this host that died before they could.
make_tmp() {
	local dir pid ours
	ours=${TMPDIR:-/tmp}/culvert-$FLOW.$(uname -n)
	for dir in "$ours".*; do
		pid=${dir#"$ours".}
		[[ ! -O $dir ]] || kill -0 "${pid%.*}" 2>/dev/null || rm -rf "$dir"
	done
	# shellcheck disable=SC2034
	tmp=$(mktemp -d "$ours.$$.XXXXXX") || die 73 "no directory for small files in ${TMPDIR:-/tmp}: see TMPDIR"
}

# last_words OUTCOME STATUS - what was said last in $tmp/log of why a run failed.  Not what the shell says of a process that a signal
# ended; nor, unless all of us were stopped, what others say when we end them.
last_words() {
	local not=': line [0-9]+: ( *[0-9]+ [A-Z]|wait_for: No record of process)'
	[[ $1 == stopped ]] || not+='|: stopped: '
	grep -vE "$not" "$tmp/log" | tail -n 1 | grep . || echo "ended with status $2, without a word"
}

# A program in the background, so that a signal reaches us while it runs.  Its group is its own (set -m).
run() {
	"$@" &
	wait $!
}

# children_below N - waits until fewer than N of the processes in children run; the first that fails ends us, with its
# status.  Not by wait -n: in a shell with another process that lives on (the lock's), bash 5.2 misses a child that ends
# just before it waits, and then waits for ever.
declare -A children=()		# process id: what it does
children_below() {
	local pid status
	while :; do
		for pid in "${!children[@]}"; do
			kill -0 "$pid" 2>/dev/null && continue
			status=0
			wait "$pid" || status=$?
			unset "children[$pid]"
			((status == 0)) || exit "$status"
		done
		((${#children[@]} >= $1)) || return 0
		sleep 0.05
	done
}

# take_lock NAME SECONDS - false when another run has it.  A psql in the background holds it in a transaction, which a
# pooler leaves alone; when we die, by whatever signal, it reads an end of file and the lock is free.
take_lock() {
	local got deadline=$((SECONDS + $2))
	coproc LOCK { exec 2>/dev/null; db; }
	lock_in=${LOCK[1]} lock_out=${LOCK[0]}
	printf "\\\\set lock '%s'\nBEGIN; SET LOCAL idle_in_transaction_session_timeout = 0;\n" "${1//\'/\'\'}" >&"$lock_in"
	while :; do
		echo "SELECT pg_try_advisory_xact_lock(hashtext('culvert'), hashtext(:'lock'));" >&"$lock_in"
		read -r got <&"$lock_out" || die 69 'the connection that should hold the lock is gone'
		[[ $got != t ]] || return 0
		((SECONDS < deadline)) || return 1
		sleep 1
	done
}
drop_lock() {
	[[ -n ${lock_in:-} ]] || return 0
	exec {lock_in}>&- {lock_out}<&-
	wait "${LOCK_PID:-}" 2>/dev/null || :
	lock_in=
}

# ---- the load log ----

log_create() {
	db <<-'SQL'
	SET client_min_messages = warning;
	CREATE TABLE IF NOT EXISTS load_log (
	  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	  flow text NOT NULL,
	  target text NOT NULL,  -- the table, as the flow names it: flows into other tables are none of ours
	  status text NOT NULL,  -- running, loaded, nothing new, failed, stopped, refused
	  exit_status int,
	  started timestamptz NOT NULL DEFAULT clock_timestamp(),
	  finished timestamptz,
	  mode text, years text, since timestamp,
	  read bigint, inserted bigint, updated bigint, unchanged bigint, deleted bigint, rejected bigint,
	  newest timestamp,
	  changed boolean NOT NULL DEFAULT false,    -- the target may hold other rows than before
	  published boolean NOT NULL DEFAULT false,  -- views, statistics and caches have followed
	  message text, warnings text, run text, host text,
	  receipts jsonb
	);
	SQL
}
# A row that still says running although we hold the lock is of a run that died; its merge may have been committed.
log_close_stale() {
	local stale
	stale=$(db -v flow="$FLOW" -v target="$TARGET" <<-'SQL'
	UPDATE load_log SET status = 'failed', finished = clock_timestamp(), changed = true,
	  message = 'died without a word; closed by the next run'
	WHERE flow = :'flow' AND target = :'target' AND status = 'running'
	RETURNING id || ' since ' || to_char(started, 'YYYY-MM-DD HH24:MI')
	SQL
	)
	[[ -z $stale ]] || say "run ${stale//$'\n'/, } died: taking over what it left"
}
log_start() {		# sets log_id
	log_id=$(db -v flow="$FLOW" -v target="$TARGET" -v mode="$MODE" -v years="$YEARS" -v host="$(uname -n)" -v run="${CULVERT_RUN_ID:-}" <<-'SQL'
	INSERT INTO load_log (flow, target, status, mode, years, host, run)
	VALUES (:'flow', :'target', 'running', :'mode', nullif(:'years', ''), :'host', nullif(:'run', '')) RETURNING id
	SQL
	)
}
log_set() {		# log_set COLUMN VALUE: an empty value is NULL.  Says it if it can't be written, and returns db's status
	local status=0 literal=${2:+":'value'"}
	db -v id="$log_id" -v column="$1" -v value="$2" <<<"UPDATE load_log SET :\"column\" = ${literal:-NULL} WHERE id = :id" || status=$?
	((status == 0)) || say "load_log: could not write $1"
	return "$status"
}
# log_finish STATUS EXIT MESSAGE WARNINGS RECEIPT - from the receipt come the counts.
log_finish() {
	db -v id="$log_id" -v status="$1" -v exit="$2" -v message="$3" -v warnings="$4" -v receipt="$5" <<-'SQL'
	UPDATE load_log SET status = :'status', exit_status = :exit, finished = clock_timestamp(),
	  message = nullif(:'message', ''), warnings = nullif(:'warnings', ''),
	  receipts = r, read = (r->>'read')::bigint, inserted = (r->>'inserted')::bigint, updated = (r->>'updated')::bigint,
	  unchanged = (r->>'unchanged')::bigint, deleted = (r->>'deleted')::bigint, rejected = (r->>'rejected')::bigint
	FROM (SELECT nullif(:'receipt', '')::jsonb AS r) AS receipt
	WHERE id = :id
	SQL
}
