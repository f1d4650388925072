#!/usr/bin/env bash
# culvert-doctor - is all there that a flow needs?  A line a check, with the mend.
#
# Checks run side by side, each in a process of its own with a limit, and are told in the order in which they were begun.  What a
# flow needs is said by the flow: its doctor.sh.  Services are asked by the toolkit's own tools, so that what is tried is what will
# run: the same proxy, the same certificates, the same credentials.
set -euo pipefail
set -m				# each check is a process group, so that it can be ended

bin=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
libexec=@LIBEXEC@
[[ $libexec == /* ]] || libexec=$(readlink -f "$bin/$libexec") || :
version=@VERSION@
CULVERT_BIN=${CULVERT_BIN:-$bin}
# shellcheck disable=SC2034
FLOW=culvert-doctor		# for lib.sh
if [[ ! -r $libexec/lib.sh ]]; then
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
	Check what a flow needs: a line each, with the mend; without a flow, what needs none.
	 -a --app-name NAME          knack: the app
	 -e --env NAME               knack: prod or dev
	 -p --provider NAME          mds: only this provider
	    --conf FILE              the flow's settings
	 -w --write                  put a small object into the flow's bucket, and delete it
	    --timeout TIME           the limit of a check: 60s
	    --to FORMAT              text, or ndjson: a record each
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
	-w | --write) write=true; shift; continue ;;
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
# ask WHAT MEND COMMAND...: what the command wrote is in answer; if it failed, that is said, with its own last words.  MEND is
# for a refusal, 77; of the other statuses each has its own.
ask() {
	local what=$1 mend=$2 status=0 words
	shift 2
	answer=$("$@" 2>"$notes") || status=$?
	((status != 0)) || return 0
	words=$(grep . "$notes" | tail -n 1) || words="$1 ended with status $status"
	words=${words#"$1: "} words=${words#culvert-doctor: }
	fail_of "$status" "$what" "$words" "$mend"
	return 1
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
net=(--quiet --retries 1 --retry-wait 0.3s --timeout 15s --max-time 25s --max-wait 5s)

# ---- what needs no flow ----

all_tools='soda-fetch soda-shape soda-push knack-fetch knack-format knack-push agol-push s3-put s3-get s3-list mds-fetch mds-trips mds-schedule
    geo-tag fernet csv-normalize csv2ndjson ndjson2csv json-explode pg-copy-in pg-copy-out pg-upsert pg-refresh sluice slack-notify airflow-last-run
    zip-cat'
check_tools() {
	local tool path said good=0
	for tool in $all_tools; do
		if ! path=$(command -v "$tool"); then
			bad 78 "tool $tool" 'not found in PATH' 'install culvert anew, or run make'
			continue
		fi
		said=$("$path" --version 2>&1 | head -n 1) || said="does not run: $said"
		if [[ $said == "$tool (culvert) $version" ]]; then
			((good += 1))
		else
			bad 78 "tool $tool" "$path: ${said:0:200}, and culvert-doctor is $version" 'install all of one version; see PATH and CULVERT_BIN'
		fi
	done
	((good == 0)) || ok tools "$good of version $version in $CULVERT_BIN"
}
# at_least VERSION WANTED
at_least() {
	[[ $(printf '%s\n' "$2" "$1" | sort -V | head -n 1) == "$2" ]]
}
check_programs() {
	local program wanted said version_of
	while read -r program wanted; do
		if ! command -v "$program" >/dev/null; then
			bad 78 "program $program" 'not found in PATH' "install it: apt-get install $(package_of "$program")"
			continue
		fi
		said=$("$program" --version 2>&1 | head -n 1) || said='it does not run'
		version_of=$(grep -oE '[0-9]+(\.[0-9]+)+' <<<"$said" | head -n 1) || version_of=
		if [[ -z $version_of ]]; then
			bad 78 "program $program" "${said:0:200}" 'install it anew'
		elif at_least "$version_of" "$wanted"; then
			ok "program $program" "$version_of"
		else
			bad 78 "program $program" "version $version_of" "$wanted or newer is needed"
		fi
	done <<-'X'
	bash 4.4
	jq 1.5
	psql 10
	curl 7.68
	flock 2.20
	X
}
package_of() {
	case $1 in psql) echo postgresql-client ;; flock) echo util-linux ;; *) echo "$1" ;; esac
}
check_disk() {
	local dir=${TMPDIR:-/tmp} file free kib=1048576
	if [[ ! -d $dir ]]; then
		bad 78 TMPDIR "$dir: no such directory" 'make it, or set TMPDIR to one that is there'
	elif ! file=$(mktemp "$dir/$ours.$$.XXXXXX" 2>/dev/null); then
		bad 78 TMPDIR "$dir: no file can be made there" 'see whether it is read-only or out of inodes, and whose it is; or set TMPDIR'
	elif ! head -c 1048576 /dev/zero 2>/dev/null >"$file" || [[ $(stat -c %s "$file") != 1048576 ]]; then
		rm -f "$file"
		bad 78 TMPDIR "$dir: not even 1 MiB can be written there: it is full" 'make room, or set TMPDIR to another disk'
	else
		rm -f "$file"
		free=$(df -Pk "$dir" | awk 'NR == 2 { print $4 }')
		if ((free < kib)); then
			notice TMPDIR "$dir: only $((free / 1024)) MiB are free" 'large uploads and replaces are spooled there: make room, or set TMPDIR'
		else
			ok TMPDIR "$dir: $((free / kib)) GiB free"
		fi
	fi
}
check_limits() {
	local files size memory
	files=$(ulimit -n) size=$(ulimit -f) memory=$(ulimit -v)
	if [[ $files != unlimited ]] && ((files < 256)); then
		notice limits "only $files files may be open" 'ulimit -n 1024, or LimitNOFILE= of the service'
	elif [[ $size != unlimited ]]; then
		notice limits "files may not be larger than $size KiB" 'ulimit -f unlimited, or LimitFSIZE= of the service'
	elif [[ $memory != unlimited ]] && ((memory < 524288)); then
		notice limits "only $((memory / 1024)) MiB of address space" 'ulimit -v unlimited, or LimitAS= of the service'
	else
		ok limits "$files open files"
	fi
}
# A proxy's own name and password are not shown.
check_proxy() {
	local name value seen=''
	for name in https_proxy HTTPS_PROXY http_proxy all_proxy ALL_PROXY; do
		value=${!name:-}
		[[ -n $value ]] || continue
		value=${value#*://} value=${value##*@}
		[[ $value =~ ^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+)(:[0-9]+)?/?$ ]] ||
		    { bad 78 proxy "$name is no [http://]host:port" 'set it right, or unset it'; return; }
		seen+="${seen:+, }$name=$value"
	done
	[[ -z ${HTTP_PROXY:-} || -n ${http_proxy:-} ]] || notice proxy 'HTTP_PROXY is not obeyed, only http_proxy' 'use the lower case'
	[[ -z ${no_proxy:-} ]] || seen+="${seen:+, }no_proxy=$no_proxy"
	ok proxy "${seen:-none}"
}

# ---- hosts: name, certificate, clock ----

# check_host URL: with the proxies and certificates that the tools would use, for they use curl's library.
check_host() {
	local url=$1 host port status=0 seen said addresses
	[[ $url =~ ^(https?)://([^/@?#]*@)?(\[[0-9a-fA-F:]+\]|[^/:?#]+)(:([0-9]+))? ]] || { bad 78 "host ${url%%\?*}" 'is no http or https URL' 'set it right'; return; }
	host=${BASH_REMATCH[3]} port=${BASH_REMATCH[5]:-}
	url=${BASH_REMATCH[1]}://$host${port:+:$port}/
	seen=$notes.host
	curl -sS --connect-timeout 10 --max-time 20 -o /dev/null -D "$seen.head" -w '%{http_connect} %{remote_ip}\n%{certs}' "$url" >"$seen.out" 2>"$seen.err" || status=$?
	addresses=$(sed -n '1{s/^000 //p;s/^[1-9].*/by the proxy/p;}' "$seen.out")
	said=$(sed -n 's/^curl: ([0-9]*) //p' "$seen.err" | tail -n 1)
	if [[ -s $seen.head && $(head -n 1 "$seen.head") == *' 407'* ]]; then
		bad 77 "proxy for $host" 'it wants another name and password' 'https_proxy=http://name:password@host:port'
		return
	fi
	case $status in
	6) bad 69 "dns $host" 'the name does not resolve' 'see the spelling, /etc/resolv.conf and whether a proxy is needed'; return ;;
	5) bad 69 "proxy for $host" "$said" 'see https_proxy'; return ;;
	60 | 51) bad 76 "tls $host" "$said" "$(certificate_mend "$said")"; return ;;
	35) bad 76 "tls $host" "$said" 'see whether TLS is spoken there, and what the proxy does to it'; return ;;
	77) bad 78 "tls $host" "$said" 'see CURL_CA_BUNDLE and SSL_CERT_FILE'; return ;;
	0 | 52) ;;	# an empty reply is one, too
	*) bad 69 "host $host" "${said:-no answer}" 'see that it is up, and that firewall and proxy let us there'; return ;;
	esac
	ok "dns $host" "${addresses:-it resolves}"
	[[ $url != https:* ]] || certificate_lasts "$host" "$seen.out"
	clock_of "$host" "$(sed -n 's/^[Dd][Aa][Tt][Ee]: *//p' "$seen.head" | tr -d '\r' | tail -n 1)"
}
certificate_mend() {
	case $1 in
	*expired*) echo 'its owner has to renew it; or this clock is wrong' ;;
	*'not yet valid'*) echo 'see whether this clock is right' ;;
	*self-signed* | *'self signed'* | *issuer*) echo 'if it is yours, or your proxy'\''s, name its CA in CURL_CA_BUNDLE; else somebody is in between' ;;
	*'match'*) echo 'see the address: another host answers there' ;;
	*) echo 'see who answers there' ;;
	esac
}
certificate_lasts() {	# certificate_lasts HOST FILE
	local until seconds
	until=$(sed -n 's/^Expire date: *//p' "$2" | head -n 1)
	if [[ -z $until ]] || ! seconds=$(date -d "$until" +%s 2>/dev/null); then
		ok "tls $1" 'the certificate is good'
	elif (((seconds - $(date +%s)) / 86400 < 14)); then
		notice "tls $1" "the certificate ends in $(((seconds - $(date +%s)) / 86400)) days" 'see that it is renewed in time'
	else
		ok "tls $1" "the certificate is good for $(((seconds - $(date +%s)) / 86400)) days"
	fi
}
# S3 refuses requests that are 15 minutes off, and 5 leave no room to drift.
clock_of() {		# clock_of WHERE TIME: of another clock, as of now
	local there skew
	[[ -n $2 ]] && there=$(date -d "$2" +%s 2>/dev/null) || return 0
	skew=$(($(date +%s) - there))
	if ((skew > 300 || skew < -300)); then
		bad 78 "clock against $1" "this clock is $(apart "$skew")" 'set it by NTP (timedatectl set-ntp true): S3 refuses what is signed so'
	elif ((skew > 30 || skew < -30)); then
		notice "clock against $1" "this clock is $(apart "$skew")" 'set it by NTP: timedatectl set-ntp true'
	else
		ok "clock against $1" "$skew s apart"
	fi
}
apart() {
	local by=${1#-}
	((by < 120)) && by="$by s" || by="$(((by + 30) / 60)) min"
	[[ $1 == -* ]] && echo "$by slow" || echo "$by fast"
}

# ---- the database ----

# check_database [TABLE:RIGHTS ...]: the connection, its clock, and the rights: of r (read), w (insert, update, delete), o (own: to
# vacuum or refresh it) and c (it is made by the flow where it is not there).  TABLE: as the flow's settings name it.
check_database() {
	local status=0 there table
	there=$(pg-copy-out --quiet --max-wait 5s --to csv --query "SELECT current_setting('server_version_num')::int AS v,
	    current_setting('server_version') AS n, round(extract(epoch FROM clock_timestamp())) AS t, pg_is_in_recovery() AS r,
	    current_setting('default_transaction_read_only') AS o, current_setting('server_encoding') AS e, current_database() AS d, current_user AS u,
	    has_database_privilege(current_database(), 'TEMP') AS m" 2>"$notes") || status=$?
	if ((status != 0)); then
		fail_of "$status" database "$(sed -n 's/^pg-copy-out: //p' "$notes" | tail -n 1)" 'see DSN, PGPASSWORD or ~/.pgpass, and pg_hba.conf of the server'
		return
	fi
	IFS=, read -r number name seconds recovery read_only encoding database user _ <<<"$(tail -n 1 <<<"$there" | sed 's/"//g')"
	if ((number < 130000)); then
		bad 78 database "PostgreSQL $name" '13 or newer is needed'
	elif [[ $recovery == t* || $read_only == on ]]; then
		bad 78 database "$database as $user: it is read-only, a standby perhaps" 'connect to the primary: target_session_attrs=read-write'
	elif [[ $encoding != UTF8 ]]; then
		bad 78 database "$database has the encoding $encoding" 'make it with ENCODING UTF8'
	else
		ok database "$database as $user, PostgreSQL ${name%% *}"
	fi
	clock_of 'the database' "@$seconds"
	dsn_without_password
	for table; do
		rights_on "${table%:*}" "${table##*:}"
	done
}
rights_on() {		# rights_on TABLE RIGHTS
	local lacking schema there
	# Of tables that are not there, the right to make them.  to_regclass is an error in a schema that is not ours to look into.
	IFS='|' read -r there schema lacking < <(db -v name="$1" -v rights="$2" 2>&1 <<-'SQL'
	WITH part AS (SELECT parse_ident(:'name') AS p), named AS (
	  SELECT CASE WHEN array_length(p, 1) > 1 THEN p[1] ELSE coalesce((SELECT n.nspname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace
	    WHERE relname = p[1] AND nspname = ANY (current_schemas(false)) ORDER BY array_position(current_schemas(false), nspname) LIMIT 1), current_schema()) END AS schema,
	    p[array_length(p, 1)] AS name FROM part
	), found AS (
	  SELECT schema, (SELECT oid FROM pg_namespace WHERE nspname = schema) AS namespace,
	    (SELECT c.oid FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace WHERE nspname = schema AND relname = name) AS class,
	    (SELECT relowner FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace WHERE nspname = schema AND relname = name) AS owner FROM named
	)
	SELECT CASE WHEN namespace IS NULL THEN 'no schema' WHEN class IS NULL THEN 'none' ELSE 'table' END, schema,
	  concat_ws(', ', CASE WHEN NOT has_schema_privilege(namespace, 'USAGE') THEN 'USAGE on schema ' || quote_ident(schema) END,
	    CASE WHEN class IS NULL AND :'rights' LIKE '%c%' OR :'rights' LIKE '%s%' THEN CASE WHEN NOT has_schema_privilege(namespace, 'CREATE') THEN 'CREATE on schema ' || quote_ident(schema) END END,
	    CASE WHEN :'rights' LIKE '%r%' AND NOT has_table_privilege(class, 'SELECT') THEN 'SELECT' END,
	    CASE WHEN :'rights' LIKE '%w%' AND NOT has_table_privilege(class, 'INSERT') THEN 'INSERT' END,
	    CASE WHEN :'rights' LIKE '%w%' AND NOT has_table_privilege(class, 'UPDATE') THEN 'UPDATE' END,
	    CASE WHEN :'rights' LIKE '%d%' AND NOT has_table_privilege(class, 'DELETE') THEN 'DELETE' END,
	    CASE WHEN :'rights' LIKE '%o%' AND NOT pg_has_role(owner, 'USAGE') THEN 'ownership' END)
	FROM found
	SQL
	) || :
	case $there in
	table | none) ;;
	'no schema') bad 78 "table $1" "there is no schema $schema" "$(if [[ $2 == *c* ]]; then echo "CREATE SCHEMA $schema"; else echo "$missing_mend"; fi)"; return ;;
	*) bad 78 "table $1" "${there#*ERROR:  }" 'see the settings'; return ;;
	esac
	if [[ $there == none && $2 != *c* ]]; then
		bad 78 "table $1" 'it is not there' "$missing_mend"
	elif [[ -n $lacking ]]; then
		bad 77 "table $1" "$user lacks $lacking" "as its owner: $(grant "$1" "$lacking")"
	elif [[ $there == none ]]; then
		ok "table $1" 'not there yet: the first load makes it'
	else
		ok "table $1" 'it is there, with the rights that the flow needs'
	fi
}
missing_mend='the flow makes it'
grant() {		# grant TABLE LACKING
	local right rights='' said=''
	while IFS= read -r right; do
		case $right in
		*' on schema '*) said+="${said:+; }GRANT ${right/ on / ON } TO $user" ;;
		ownership) said+="${said:+; }ALTER TABLE $1 OWNER TO $user" ;;
		?*) rights+="${rights:+, }$right" ;;
		esac
	done <<<"${2//, /$'\n'}"
	echo "${rights:+GRANT $rights ON $1 TO $user${said:+; }}$said"
}

# ---- services that more than one flow has ----

# check_settings COMMAND...: the flow's own --check
check_settings() {
	local status=0
	"$libexec/$flow/$1" "${@:2}" --check >"$notes" 2>&1 || status=$?
	if ((status == 0)); then
		ok settings "$(sed 's/^[^:]*: //' "$notes" | tail -n 1)"
	else
		bad 78 settings "$(sed 's/^[^:]*: //' "$notes" | tail -n 1)" "see ${CONF:-$libexec/$flow/$flow.conf}"
	fi
}
# check_bucket BUCKET [PREFIX]
check_bucket() {
	local key endpoint=${AWS_ENDPOINT_URL_S3:-${AWS_ENDPOINT_URL:-}} region=${AWS_REGION:-${AWS_DEFAULT_REGION:-us-east-1}}
	check_host "${endpoint:-https://s3.$region.amazonaws.com}"
	ask "bucket $1" "the policy of $(aws_identity) needs s3:ListBucket on it, and its secret has to be right" \
	    s3-list "${net[@]}" --limit 1 "s3://$1/${2:-}" || return 0
	ok "bucket $1" "it can be listed as $(aws_identity)"
	"$write" || return 0
	key=${2:-}culvert-doctor.$(uname -n).$$
	ask "bucket $1" "the policy of $(aws_identity) needs s3:PutObject on it" s3-put "${net[@]}" "s3://$1/$key" </dev/null || return 0
	ok "bucket $1" "it can be written to"
	if delete_object "$1" "$key"; then
		ok "bucket $1" 'it can be deleted from'
	else
		notice "bucket $1" "s3://$1/$key could not be deleted" 'delete it; no flow needs the right to'
	fi
}
aws_identity() {
	echo "${AWS_ACCESS_KEY_ID:-${AWS_PROFILE:-the role of this machine or profile}}"
}
# No tool of ours deletes objects.  By curl, with the keys of the environment, if they are there.
delete_object() {
	local endpoint=${AWS_ENDPOINT_URL_S3:-${AWS_ENDPOINT_URL:-}} region=${AWS_REGION:-${AWS_DEFAULT_REGION:-us-east-1}}
	[[ -n ${AWS_ACCESS_KEY_ID:-} && -n ${AWS_SECRET_ACCESS_KEY:-} ]] || return 1
	[[ -n $endpoint ]] || endpoint=https://s3.$region.amazonaws.com
	curl -fsS --max-time 20 -o /dev/null -X DELETE --aws-sigv4 "aws:amz:$region:s3" -K - "${endpoint%/}/$1/$2" 2>/dev/null <<-X
	user = "$AWS_ACCESS_KEY_ID:${AWS_SECRET_ACCESS_KEY//[\"\\]/\\&}"
	${AWS_SESSION_TOKEN:+header = "x-amz-security-token: $AWS_SESSION_TOKEN"}
	header = "x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	X
}
# check_slack: nothing is posted, so a hook that was revoked is not seen.
check_slack() {
	if ! is_set SLACK_WEBHOOK_URL && ! is_set SLACK_HOOK; then
		ok slack 'no webhook is set: nobody is told'
		return
	fi
	local hook=${SLACK_WEBHOOK_URL:-${SLACK_HOOK:-}} file=${SLACK_WEBHOOK_URL_FILE:-${SLACK_HOOK_FILE:-}}
	if [[ -z $hook ]] && ! hook=$(cat "$file" 2>/dev/null); then
		bad 78 slack "$file: no such file, or it can't be read" 'see SLACK_WEBHOOK_URL_FILE'
	elif [[ ! $hook =~ ^https://[^/]+/.|^http://(localhost|127\.0\.0\.1|\[::1\])[:/] ]]; then
		bad 78 slack 'the webhook is no https URL' 'see SLACK_WEBHOOK_URL'
	else
		check_host "$hook"
		ok slack 'a webhook is set; it was not tried, since that would post'
	fi
}
check_airflow() {	# check_airflow DAG
	if [[ -z ${AIRFLOW_URL:-} ]]; then
		ok airflow 'no AIRFLOW_URL is set: not asked'
	elif ask airflow 'see AIRFLOW_USERNAME and AIRFLOW_PASSWORD, or AIRFLOW_TOKEN' airflow-last-run "${net[@]}" --dag "$1"; then
		ok airflow "$1 last succeeded: ${answer:-never}"
	fi
}
is_set() {		# is_set NAME: or the file of it
	local file=${1}_FILE
	[[ -n ${!1:-} || -n ${!file:-} ]]
}

# ---- all checks, side by side ----

checks=()
start_check() {	# start_check NAME COMMAND...
	local n=${#checks[@]}
	notes=$small/$n.notes
	("${@:2}") >"$small/$n.out" 2>"$small/$n.err" &
	checks+=("$! $1")
}
worst=0 failures=0 all=0
severity() {
	case $1 in 0) echo 0 ;; 75) echo 1 ;; 69) echo 2 ;; 76) echo 3 ;; 77) echo 4 ;; *) echo 5 ;; esac
}
json() {
	local text=${1//\\/\\\\}
	printf '"%s"' "${text//\"/\\\"}"
}
tell() {		# tell LEVEL STATUS WHAT FOUND MEND
	local colour='' plain=''
	((all += 1))
	[[ $1 != FAIL ]] || ((failures += 1))
	(($(severity "$2") <= $(severity "$worst"))) || worst=$2
	[[ $quiet == false || $1 != ok ]] || return 0
	if [[ $format == ndjson ]]; then
		put '{"level":"%s","status":%d,"what":%s,"found":%s,"mend":%s}\n' "${1,,}" "$2" "$(json "$3")" "$(json "$4")" "$(json "$5")"
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
