# shellcheck shell=bash
# common.sh - what the commands of the Knack flow share: arguments, the container's configuration, credentials, the
# lock, the receipt.  Sourced by each of them, with COMMAND (its name) and WANTS (which arguments it takes) set.
set -euo pipefail
set -m				# each pipeline is a process group, so that a signal to us can end it

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
FLOW=$COMMAND
. "$here/../lib.sh"

# ---- arguments ----

action=run app='' container='' env='' date='' app_dest=''
while (($#)); do
	[[ $1 != --*=* ]] || set -- "${1%%=*}" "${1#*=}" "${@:2}"
	case $1 in
	-h | --help) usage; exit 0 ;;
	--check | --dry-run) action=${1#--}; shift; continue ;;
	esac
	(($# > 1)) || die 64 "$1: no such option, or a value is missing: see --help"
	case $1 in
	-a | --app-name) app=$2 ;;
	-c | --container) container=$2 ;;
	-e | --env) env=$2 ;;
	-d | --date) date=$2 ;;
	-dest | --app-name-dest) app_dest=$2 ;;
	--conf) CONF=$2 ;;
	*) die 64 "$1: no such option: see --help" ;;
	esac
	shift 2
done
[[ -n $app ]] || die 64 'no --app-name'
[[ $env == prod || $env == dev ]] || die 64 "--env ${env:-is missing}: want prod or dev"
[[ " $WANTS " != *' container '* || -n $container ]] || die 64 'no --container'
[[ " $WANTS " != *' app-name-dest '* || -n $app_dest ]] || die 64 'no --app-name-dest'
for name in app container app_dest; do	# they become parts of keys in S3
	[[ ${!name} =~ ^([A-Za-z0-9_][A-Za-z0-9_.-]*)?$ ]] || die 64 "${!name}: want letters, digits, - and _"
done

# ---- settings and configuration ----

read_settings_of knack
APPS=$(beside "$APPS")
. "$here/secrets.sh"
[[ $OVERLAP =~ ^[0-9]{1,9}$ ]] || die 78 "OVERLAP=$OVERLAP: want a number of seconds"
[[ $JOBS =~ ^[1-9][0-9]{0,3}$ ]] || die 78 "JOBS=$JOBS: want a number from 1 on"
[[ $ALLOW_DRIFT =~ ^[0-9]{1,9}$ ]] || die 78 "ALLOW_DRIFT=$ALLOW_DRIFT: want a number"
for name in MAX_REJECTS MAX_DELETE; do
	[[ ${!name} =~ ^[0-9]+(\.[0-9]+)?%?$ ]] || die 78 "$name=${!name}: want a number, or a share such as 1%"
done
[[ -z $REJECTS || -d $REJECTS ]] || die 78 "REJECTS=$REJECTS: no such directory"
need jq sluice flock knack-fetch knack-format knack-push soda-fetch soda-shape soda-push agol-push s3-get s3-put slack-notify

# read_configuration - sets domain, zone and configured, the container's values by their paths, from APPS.
declare -A configured=()
read_configuration() {
	local lines name value status=0
	lines=$(jq -r --arg app "$app" --arg container "$container" --arg dest "$app_dest" \
	    -f "$here/config.jq" "$APPS") || status=$?
	((status < 128)) || exit "$status"
	((status == 0)) || die 78 "$APPS: see docs/knack.md for its format"
	while IFS=$'\t' read -r name value; do
		[[ -z $name ]] || configured[$name]=$value
	done <<<"$lines"
	domain=${configured[domain]:-} zone=${configured[zone]:-}
	[[ -n ${configured[app]:-} ]] || die 78 "$app: no such app in $APPS"
	[[ -z $container || -n ${configured[container]:-} ]] || die 78 "$container: no such container of $app in $APPS"
}
read_configuration

# A moment in POSIX seconds or ISO 8601, UTC where it names no zone; an empty one is none.
since=
if [[ -n $date ]]; then
	[[ $date =~ ^[0-9]+(\.[0-9]+)?$ ]] && seconds=${date%.*} ||
	    seconds=$([[ $date =~ ^[0-9]{4}-[0-9]{2}-[0-9]{2} ]] && TZ=UTC date -d "$date" +%s 2>/dev/null) ||
	    die 64 "--date $date: want POSIX seconds, or a time such as 2026-01-31T23:59:59Z"
	since=$(TZ=UTC date -d "@$((10#$seconds - 10#$OVERLAP))" +%Y-%m-%dT%H:%M:%SZ)
fi
place=s3://$BUCKET/$app-$env

# ---- credentials ----

# secret VARIABLE FILTER: from the environment, or else from KNACK_CREDENTIALS.
secret() {
	local file=${1}_FILE value status=0
	[[ -z ${!1:-} && -z ${!file:-} && -e $KNACK_CREDENTIALS ]] || return 0
	value=$(jq -r --arg app "$app" --arg env "$env" --arg dest "$app_dest" "$2 // empty" "$KNACK_CREDENTIALS") || status=$?
	((status < 128)) || exit "$status"
	((status == 0)) || die 78 "$KNACK_CREDENTIALS: not valid JSON: see docs/knack.md"
	[[ -z $value ]] || export "$1=$value"
}
check_credentials_file() {
	[[ -e $KNACK_CREDENTIALS ]] || return 0
	[[ -r $KNACK_CREDENTIALS ]] || die 78 "$KNACK_CREDENTIALS: can't be read"
	[[ $(stat -Lc %a "$KNACK_CREDENTIALS") == [0-7]00 ]] ||
	    say "$KNACK_CREDENTIALS can be read by others: chmod 600 $KNACK_CREDENTIALS"
}
check_credentials_file
take_secrets

# ---- commands of the toolkit, with what all of their calls share ----

again=(--retries "$RETRIES" --retry-wait "$RETRY_WAIT")
knack=("${again[@]}" ${KNACK_URL:+--base-url "$KNACK_URL"})
soda=("${again[@]}" ${SODA_URL:+--base-url "$SODA_URL"})
agol=("${again[@]}" ${AGOL_PORTAL:+--portal "$AGOL_PORTAL"})

# rejects_of TOOL: sets rejects, its options; each tool of a pipe has a file of its own.
rejects_of() {
	rejects=()
	[[ -z $REJECTS ]] || rejects=(--rejects "$REJECTS/$app-$env-$container.$COMMAND.$1.ndjson" --max-rejects "$MAX_REJECTS")
}

# records_of CONTAINER APP SINCE: sets get, which reads them from S3.
records_of() {
	get=(s3-get --records --jobs "$JOBS" "${again[@]}" --prefix "s3://$BUCKET/$2-$env/$1/" ${3:+--since "$3"})
}

# fetch_metadata: the app's document, as it was put beside the containers, into $tmp/metadata.json.
fetch_metadata() {
	local status=0
	run s3-get "${again[@]}" --output "$tmp/metadata.json" "$place/metadata.json" || status=$?
	((status != 66)) || die 78 "the metadata of $app is not in S3: run culvert knack metadata --app-name $app --env $env first"
	((status == 0)) || exit "$status"
}

# field_name KEY: what knack-format --keys lower_snake calls it; nothing of nothing.
field_name() {
	[[ -n $1 && $action != dry-run ]] || { echo "$1"; return; }
	local status=0
	jq -r --arg key "$1" '[.application.objects[].fields[] | select(.key == $key) | .name][0] // error("no field \($key)")
	    | ascii_downcase | gsub("[ -]"; "_")' "$tmp/metadata.json" || status=$?
	((status < 128)) || exit "$status"
	((status == 0)) || die 78 "$1: no such field in the metadata of $app"
}

# pour PIPELINE... -- SINK...: shows it under --dry-run; else runs it, with the sink's receipt in $tmp/receipt.
pour() {
	if [[ $action == dry-run ]]; then
		printf 'sluice %q --' "$1"; printf ' %q' "${@:2}"; echo
		return 0
	fi
	run sluice "$1" -- "${@:2}" >"$tmp/receipt"
}

# ---- one run at a time, and how it ends ----

# The lock is this machine's; over several, the scheduler runs one at a time (max_active_runs=1).
lock_container() {
	local dir=${LOCK_DIR:-${TMPDIR:-/tmp}/culvert-locks.$(id -u)}
	(umask 077; mkdir -p "$dir") && [[ -O $dir ]] || die 73 "$dir: no directory for locks: see LOCK_DIR"
	exec {lock}>"$dir/$COMMAND-$app-$env-${container:-app}${app_dest:+-$app_dest}"
	flock -n "$lock" || die 75 "another $COMMAND of ${container:-$app} is running: try again later"
}
finish() {
	local status=$? pid
	trap - EXIT
	trap '' TERM INT HUP
	set +e
	for pid in $(jobs -p); do
		{ kill -TERM -- "-$pid" && wait "$pid"; } 2>/dev/null
	done
	if ((status == 0 || status == 65)) && [[ -s $tmp/receipt ]]; then
		jq -c --arg command "$COMMAND" --arg app "$app" --arg env "$env" --arg container "$container" --arg since "$since" \
		    --argjson seconds "$SECONDS" '{tool: $command, flow: "knack", app: $app, env: $env}
		    + if $container == "" then {} else {container: $container} end
		    + if $since == "" then {} else {since: $since} end
		    + del(.tool, .seconds) + {seconds: $seconds}' "$tmp/receipt" || ((status != 0)) || status=74
	fi
	((status == 0)) || say "failed with status $status"
	((status == 0)) || slack-notify --quiet --text "$COMMAND ${container:-$app} ($app, $env): failed with status $status" ||
	    say 'Slack was not told'
	((status != 0)) || ! grep -qs '"empty":true' "$tmp/receipt" || status=$EMPTY_EXIT
	rm -rf "$tmp"
	exit "$status"
}
begin() {		# after the settings: --check ends here
	if [[ $action == check ]]; then
		say 'settings are good'
		exit 0
	fi
	make_tmp
	[[ $action == dry-run ]] || lock_container
	trap finish EXIT
	trap 'exit 143' TERM
	trap 'exit 130' INT
	trap 'exit 129' HUP
}
