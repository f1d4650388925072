# shellcheck shell=bash
# doctor-place.sh - for tests of culvert-doctor: what a line of it says.  After lib.sh.
. "$here/runs.sh"
servers=$here/servers
unset http_proxy https_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY CONF AIRFLOW_URL SLACK_HOOK PGHOST PGDATABASE
unset NO_COLOR
export CULVERT_ETC=$work/etc
export RES_OPTIONS='timeout:1 attempts:1'	# a name server that is slow to say that there is no such name, or does not say it
doctor() {
	culvert-doctor "$@"
}
# light_tools: from now on CULVERT_BIN is a directory of scripts that say the version of the tool and else are the tool.  A doctor asks each
# tool for its version, which takes longer than all else; that it asks the tools themselves is seen before.
light_tools() {
	local real tool version
	real=$(dirname "$(command -v pg-copy-out)")
	version=$("$real/pg-copy-out" --version)
	mkdir light
	for tool in "$real"/*; do
		tool=${tool##*/}
		printf '#!/bin/sh\ncase $* in\n--version) echo "%s" ;;\n*) exec "%s" "$@" ;;\nesac\n' "$tool ${version#* }" "$real/$tool" >"light/$tool"
	done
	chmod +x light/*
	export CULVERT_BIN=$work/light
}
line() {		# line LEVEL TEXT: the last output has a line of that level with the text
	local said found=1
	while IFS= read -r said; do
		[[ $said != "$1"*"$2"* ]] || { found=0; break; }
	done <out
	ok $found "$1: $2" || sed 's/^/# /' out err
}
no_line() {		# no_line LEVEL
	! grep -q "^$1" out; ok $? "no line says $1" || grep "^$1" out | sed 's/^/# /'
}
no_secret() {		# each secret of these tests has one of these words in it
	! grep -hE 'sesame-open|hush-|wJalrXUtnFEMI|proxy-secret' out err; ok $? 'no secret is said'
}
has_faketime() {	# sanitizers want to be loaded before anything else, and so does it
	[ -z "${SANITIZED:-}" ] && command -v faketime >/dev/null
}
