# shellcheck shell=bash
# common.sh - what the commands of the MDS flow share: arguments, settings, what is configured in S3, the blocks of a range
# and their claims, the receipt.  Sourced by each of them, with COMMAND (its name) set.
set -euo pipefail
set -m				# each pipeline is a process group, so that a signal to us can end it

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
FLOW=$COMMAND
. "$here/../lib.sh"

# ---- settings ----

# old_name OLD NEW: a variable of the pipeline before us stands for ours.
old_name() {
	[[ -z ${!1:-} || -n ${!2+set} ]] || export "$2=${!1}"
}
read_settings() {
	old_name ATD_MDS_BUCKET BUCKET
	old_name ATD_MDS_RUN_MODE STAGE
	old_name ATD_MDS_PROVIDERS PROVIDERS
	old_name ATD_MDS_SETTINGS SETTINGS
	old_name ATD_MDS_CENSUS_GEOJSON CENSUS_GEOJSON
	old_name ATD_MDS_DISTRICTS_GEOJSON DISTRICTS_GEOJSON
	old_name ATD_MDS_HEX_GEOJSON HEX_GEOJSON
	[[ -n ${FERNET_KEY_FILE:-} ]] || old_name ATD_MDS_FERNET_KEY FERNET_KEY
	read_settings_of mds
	STAGE=${STAGE,,}
	[[ $STAGE =~ ^[a-z0-9_-]+$ ]] || die 78 "STAGE=$STAGE: want a word such as production"
	[[ -n $BUCKET ]] || die 78 'BUCKET is empty: where are payloads kept?'
	[[ $JOBS =~ ^[1-9][0-9]{0,3}$ ]] || die 78 "JOBS=$JOBS: want a number from 1 on"
	[[ $MAX_REJECTS =~ ^[0-9]+(\.[0-9]+)?%?$ ]] || die 78 "MAX_REJECTS=$MAX_REJECTS: want a number, or a share such as 1%"
	[[ -z $REJECTS || -d $REJECTS ]] || die 78 "REJECTS=$REJECTS: no such directory"
	[[ $TIMEZONE =~ ^[A-Za-z0-9_+/-]+$ ]] || die 78 "TIMEZONE=$TIMEZONE: want a name such as America/Chicago"
	: "${PROVIDERS:=config/providers_$STAGE.json}" "${SETTINGS:=config/settings_$STAGE.json}"
	again=(--retries "$RETRIES" --retry-wait "$RETRY_WAIT")
	dsn_without_password
}

# ---- arguments ----

# of a range of blocks; what else a command takes, its own_option FUNCTION says: 0 not its own, 1 a flag, 2 with a value
provider='' time_min='' time_max='' interval='' force=false file=''
action=run
own_option() {
	return 0
}
read_arguments() {
	local taken
	while (($#)); do
		[[ $1 != --*=* ]] || set -- "${1%%=*}" "${1#*=}" "${@:2}"
		taken=0
		own_option "$@" || taken=$?
		((taken == 0)) || { shift "$taken"; continue; }
		case $1 in
		-h | --help) usage; exit 0 ;;
		--force) force=true; shift; continue ;;
		--check) action=check; shift; continue ;;
		--provider | --time-min | --time-max | --interval | --file | --conf) ;;
		*) die 64 "$1: no such option: see --help" ;;
		esac
		(($# > 1)) || die 64 "$1: its value is missing"
		case $1 in
		--provider) provider=$2 ;;
		--time-min) time_min=$2 ;;
		--time-max) time_max=$2 ;;
		--interval) interval=$2 ;;
		--file) file=$2 ;;
		--conf) CONF=$2 ;;
		esac
		shift 2
	done
	[[ -n $provider ]] || die 64 'no --provider'
	[[ $provider =~ ^[A-Za-z0-9_][A-Za-z0-9_.\ -]*$ ]] || die 64 "--provider $provider: want letters, digits, - and _"
	[[ -n $time_max ]] || die 64 'no --time-max: want yyyy-mm-dd-hh, the label of the last block'
	range=(--provider "$provider" --time-max "$time_max" ${time_min:+--time-min "$time_min"} ${interval:+--interval "$interval"})
}

# die_of STATUS EXIT MESSAGE...: of a program's status; one that a signal ended has judged nothing.
die_of() {
	(($1 < 128)) || exit "$1"
	die "${@:2}"
}

# ---- what lies in S3 ----

# decrypted NAME FILE: a configuration, a key in BUCKET or a file of ours, into FILE.
decrypted() {
	local status=0
	if [[ $1 == [/.]* ]]; then
		[[ -r $1 ]] || die 78 "$1: no such file"
		run fernet decrypt --or-plain "$1" >"$2" || status=$?
	else
		run s3-get --quiet "${again[@]}" --output "$tmp/object" "s3://$BUCKET/$1" || status=$?
		((status != 66)) || die 78 "s3://$BUCKET/$1: no such configuration: upload one with culvert mds config"
		((status == 0)) || exit "$status"
		run fernet decrypt --or-plain "$tmp/object" >"$2" || status=$?
		rm -f "$tmp/object"
	fi
	((status == 0 || status == 65 || status == 78)) || exit "$status"	# it has said why: a full disk is no wrong key
	((status == 0)) || die 78 "$1: can't be decrypted: is FERNET_KEY the one that it was encrypted with?"
}
need_fernet_key() {
	[[ -n ${FERNET_KEY:-} || -n ${FERNET_KEY_FILE:-} ]] ||
	    die 78 'no FERNET_KEY (or ATD_MDS_FERNET_KEY): payloads are kept encrypted; `fernet keygen` makes one'
}

# ---- blocks ----

# columns NAME...: of records on standard input, comma-separated lines; many times as quick to start as jq.
columns() {
	local IFS=,
	ndjson2csv --columns "$*" | tail -n +2
}
# for_blocks STATUSES FUNCTION: calls it for each block of the range that is in one of these statuses, or for all of them under
# --force, once it is ours alone: label, block_id, claim, folder (of its key), starts, ends, payload.  The function leaves what there is
# to tell by outcome, and returns the status of what failed: in it set -e is off.  A failure that is the block's own does not end the
# range; one that would meet every block does.
for_blocks() {
	local list label status wanted=(--status "$1")
	! "$force" || wanted=(--any-status --force)
	list=$(mds-schedule list --quiet "${range[@]}" --force)
	list=$(columns block <<<"$list")
	while read -r label <&3; do
		[[ -n $label ]] || break
		block=$(mds-schedule claim --provider "$provider" --time-max "$label" --interval 1 "${wanted[@]}" \
		    --worker-pid $$ --stale "$CLAIM_STALE")
		[[ -n $block ]] || { ((left_alone += 1)); continue; }
		block=$(columns schedule_id claim folder starts ends payload <<<"$block")
		IFS=, read -r block_id claim folder starts ends payload <<<"$block"
		status=0
		: >"$tmp/outcome"
		: >"$tmp/said"
		"$2" || status=$?
		release
		count_outcome "$label" "$status"
		case $status in
		0 | 64 | 65 | 66 | 75 | 76) ;;
		*) break ;;
		esac
	done 3<<<"$list"
}
# outcome MEMBERS: JSON, for release.
outcome() {
	printf '{"schedule_id":%s,"claim":"%s",%s}\n' "$block_id" "$claim" "$1" >"$tmp/outcome"
}
# failed_as STATUS: the outcome is a failure, whose reason is what was said last, but by those who only stopped.
failed_as() {
	local why
	why=$(grep -v -e ': stopped: ' -e '^sluice: ' "$tmp/said" | tail -n 1 | cut -c1-1000 | jq -R .)
	outcome "\"status_id\":$1,\"message\":${why:-null}"
}
# Says what became of the block, and lets it go.
release() {
	local id=$block_id
	[[ -n $id ]] || return 0
	[[ -s $tmp/outcome ]] || printf '{"schedule_id":%s,"claim":"%s"}\n' "$id" "$claim" >"$tmp/outcome"
	block_id=
	mds-schedule set --quiet --release "$tmp/outcome" >"$tmp/set"
}
# pour PIPELINE -- SINK...: as sluice does it; the sink's receipt in $tmp/receipt, what they say in $tmp/said too.
pour() {
	local status=0
	run sluice "$@" >"$tmp/receipt" 2>"$tmp/heard" || status=$?
	sed "s|see $tmp/.*|set REJECTS to keep them|" "$tmp/heard" >"$tmp/said"	# what lies there is gone with us
	cat "$tmp/said" >&2
	return "$status"
}

# ---- how it ends ----

left_alone=0 blocks=0 worst=0 block_id='' failed_blocks=0
# 0, or by how much it matters: what another block would meet too; what is wrong with this one; not ready; not served
severity() {
	case $1 in 0) echo 0 ;; 66) echo 1 ;; 75) echo 2 ;; 64 | 65 | 76) echo 3 ;; *) echo 4 ;; esac
}
count_outcome() {	# count_outcome LABEL STATUS
	((blocks += 1))
	(($2 == 0)) || { ((failed_blocks += 1)); say "$provider $1: status $2"; }
	(($(severity "$2") <= $(severity "$worst"))) || worst=$2
}
begin() {
	need jq sluice fernet mds-schedule ndjson2csv s3-get s3-put
	if [[ $action == check ]]; then
		say 'settings are good'
		exit 0
	fi
	make_tmp
	trap finish EXIT
	trap 'exit 143' TERM
	trap 'exit 130' INT
	trap 'exit 129' HUP
}
finish() {
	local status=$? pid
	trap - EXIT
	trap '' TERM INT HUP
	set +e
	for pid in $(jobs -p); do
		{ kill -TERM -- "-$pid" && wait "$pid"; } 2>/dev/null
	done
	: >"$tmp/outcome"
	release 2>/dev/null
	rm -rf "$tmp"
	exit "$status"
}
# report [MEMBERS]: the receipt, with these; and the end
report() {
	local empty=
	((blocks > 0)) || empty='"empty":true,'
	printf '{"tool":"%s","flow":"mds","provider":"%s","blocks":%d,"failed":%d,"left_alone":%d,%s%s"seconds":%d}\n' \
	    "$COMMAND" "$provider" "$blocks" "$failed_blocks" "$left_alone" "$empty" "${1:+$1,}" "$SECONDS" 2>/dev/null || {
		say 'stdout: the receipt was not written: is the disk full?'
		((worst > 0)) || worst=74
	}
	((worst > 0 || blocks > 0)) || worst=$EMPTY_EXIT
	exit "$worst"
}
