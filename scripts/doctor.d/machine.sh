# shellcheck shell=bash
# machine.sh - culvert-doctor's checks of this machine: tools, programs, TMPDIR, limits, proxy; no flow has to ask for them.

all_tools='soda-fetch soda-shape soda-push knack-fetch knack-format knack-push agol-push s3-put s3-get s3-list mds-fetch mds-trips mds-schedule
    geo-tag fernet csv-normalize csv2ndjson ndjson2csv json-explode pg-copy-in pg-copy-out pg-upsert pg-refresh sluice slack-notify airflow-last-run
    zip-cat'
check_tools() {
	local tool path said good=0
	for tool in $all_tools; do
		if ! hash "$tool" 2>/dev/null; then
			bad 78 "tool $tool" 'not found in PATH' 'install culvert anew, or run make'
			continue
		fi
		path=${BASH_CMDS[$tool]}	# as hash found it: command -v in $( ) would take a process each
		said=$("$path" --version 2>&1) || said="does not run: $said"
		said=${said%%$'\n'*}
		if [[ $said == "$tool (culvert) $version" ]]; then
			((good += 1))
		else
			bad 78 "tool $tool" "$path: ${said:0:200}, and culvert-doctor is $version" 'install all of one version; see PATH and CULVERT_BIN'
		fi
	done
	((good == 0)) || ok tools "$good of version $version in $CULVERT_BIN"
}
# at_least VERSION WANTED: numbers with dots between them
at_least() {
	local n got wanted
	IFS=. read -ra got <<<"$1"
	IFS=. read -ra wanted <<<"$2"
	for n in "${!wanted[@]}"; do
		((10#${got[n]:-0} == 10#${wanted[n]})) || return $((10#${got[n]:-0} < 10#${wanted[n]}))
	done
}
check_programs() {
	local program wanted said version_of
	while read -r program wanted; do
		if ! command -v "$program" >/dev/null; then
			bad 78 "program $program" 'not found in PATH' "install it: apt-get install $(package_of "$program")"
			continue
		fi
		said=$("$program" --version 2>&1) || said='it does not run'
		said=${said%%$'\n'*} version_of=
		[[ ! $said =~ [0-9]+(\.[0-9]+)+ ]] || version_of=${BASH_REMATCH[0]}
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
