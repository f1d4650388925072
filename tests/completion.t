#!/bin/bash
# The shells offer every option of every tool, the words of those that have some, files where they are wanted, and the flows.
#
# CULVERT_SHELLS="bash zsh fish": these must be there; else what is not is skipped.
# Slow: three shells, each started for every question.
. "$(dirname "$0")/lib.sh"
. "$here/runs.sh"
[ -z "${SANITIZED:-}" ] || skip_all 'the table of options is the same whatever the tools were built with'
command -v make >/dev/null || skip_all 'no make here'
run 0 'the files are made' make -s -C "$top" completion
made=$top/build/completion
tools=$(ls "$made/bash")
is 'for every tool' "$(ls "$top"/src/*.c "$top"/src/*.sh | wc -l)" "$(echo "$tools" | wc -l)"
touch file.csv 'a file.csv' -- other.txt
mkdir directory

# offers_SHELL WORD...: what is offered for the last of the words, one a line, in order
offers_bash() {
	local words
	mapfile -t words < <(printf '%s\n' "$@" | sed 's/^\(--[^=]*\)=/\1\n=\n/')
	bash --norc -c '
		. "$1/bash/$2" || exit
		COMP_WORDS=("${@:2}") COMP_CWORD=$(($# - 2))
		compopt() { :; }
		COMPREPLY=()
		"$(complete -p "$2" | sed "s/.*-F \([^ ]*\) .*/\1/")" "$2" "${!#}" "${@: -2:1}"
		((${#COMPREPLY[@]} == 0)) || printf "%s\n" "${COMPREPLY[@]}"' - "$made" "${words[@]}" 2>>bash.err | sort
}
# A zsh with a terminal of its own; compadd says what it was given.
cat >inner.zsh <<'ZSH'
finish() { print -r -- '==done=='; exit }
zle -N finish; bindkey '^J' finish; bindkey '^M' finish; bindkey '^I' list-choices
compadd() {
	local -a hits
	if [[ ${@[1,(i)(-|--)]} != *-(O|A|D)\ * ]]; then	# else it only sorts out
		builtin compadd -A hits "$@"
		((! $#hits)) || print -lr -- '' "=="${^hits}
	fi
	builtin compadd "$@"
}
zstyle ':completion:*' verbose no
echo '==rea''dy=='
ZSH
cat >capture.zsh <<'ZSH'
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z "PROMPT=; fpath=(${(q)1}/zsh \$fpath); autoload -U compinit; compinit -u -D; source $PWD/inner.zsh"
while zpty -r z line; do [[ $line != *==ready==* ]] || break; done
zpty -w -n z "$2"$'\t\n'
while zpty -r z line; do [[ $line != *==done==* ]] || break; print -r -- "${line%%$'\r'*}"; done
ZSH
offers_zsh() {
	local IFS=' '
	timeout 300 zsh -f capture.zsh "$made" "$*" 2>>zsh.err | sed -n 's/^==//p' | sort -u
}
offers_fish() {
	local IFS=' '
	XDG_CONFIG_HOME=$work/fish XDG_DATA_HOME=$work/fish HOME=$work/fish fish --no-config -c 'source $argv[1]; complete -C "$argv[2]"' "$made/fish/$1.fish" "$*" 2>>fish.err | cut -f 1 | sort
}
holds() {		# holds SHELL NAME WORD: the last offer
	grep -qxF -- "$3" offer; ok $? "$1: $2: $3" || sed 's/^/# /' offer
}
holds_not() {
	! grep -qxF -- "$3" offer; ok $? "$1: $2: not $3" || sed 's/^/# /' offer
}
for shell in bash zsh fish; do
	if ! command -v $shell >/dev/null; then
		[[ " ${CULVERT_SHELLS:-} " != *" $shell "* ]]; ok $? "$shell # skip it is not installed"
		continue
	fi
	for tool in $tools; do
		offers_$shell "$tool" -- >offer
		"$tool" --help | grep -oE -- '--[a-z0-9][a-z0-9-]*' | sort -u | comm -23 - <(sort -u offer) >lacking
		[ ! -s lacking ]; ok $? "$shell: $tool: all of its options" || sed 's/^/# not: /' lacking
	done
	for command in encrypt decrypt rotate keygen; do
		offers_$shell fernet $command -- >offer
		fernet $command --help | grep -oE -- '--[a-z0-9][a-z0-9-]*' | sort -u | comm -23 - <(sort -u offer) >lacking
		[ ! -s lacking ]; ok $? "$shell: fernet $command: all of its options" || sed 's/^/# not: /' lacking
	done
	offers_$shell fernet -v encrypt -- >offer
	holds_not $shell 'another command' --or-plain
	offers_$shell fernet encrypt '' >offer
	holds $shell 'a file of a command' file.csv
	offers_$shell fernet keygen '' >offer
	holds_not $shell 'no file of a command' file.csv
	offers_$shell csv2ndjson --nul '' >offer
	is "$shell: the words of an option" 'refuse replace strip' "$(echo $(cat offer))"
	offers_$shell csv-normalize --date-order=d >offer
	[ "$(sed 's/.*=//' offer)" = dmy ]; ok $? "$shell: ... after =" || sed 's/^/# /' offer
	offers_$shell csv2ndjson --rejects '' >offer
	holds $shell '--rejects' file.csv
	offers_$shell csv2ndjson --max-rejects '' >offer
	holds_not $shell '--max-rejects' file.csv
	offers_$shell csv2ndjson '' >offer
	holds $shell 'an operand' file.csv
	offers_$shell fernet '' >offer
	holds $shell fernet keygen
	offers_$shell mds-schedule '' >offer
	holds $shell mds-schedule gaps
	offers_$shell mds-schedule gaps -- >offer
	holds $shell 'the options of a command' --stuck
	holds $shell '... and those of all commands' --schema
	holds_not $shell '... not those of others' --release
	offers_$shell mds-schedule --schema x gaps --socrata '' >offer
	holds $shell '... and their files' file.csv
	offers_$shell slack-notify '' >offer
	holds_not $shell 'no operands' file.csv
	offers_$shell sluice "'x'" -- ndjson2 >offer
	holds $shell 'the sink is a command' ndjson2csv
	offers_$shell culvert '' >offer
	for flow in 311 knack mds orders doctor report cron; do
		holds $shell culvert $flow
	done
	holds_not $shell culvert file.csv
	offers_$shell culvert help '' >offer
	holds $shell 'culvert help' orders
	holds_not $shell 'culvert help' cron
	offers_$shell culvert knack to >offer
	holds $shell 'culvert knack' to-socrata
	offers_$shell culvert mds run --in >offer
	holds $shell 'culvert mds run' --incomplete-only
	[ ! -s $shell.err ]; ok $? "$shell: says nothing wrong" || head -20 $shell.err | sed 's/^/# /'
done

# A program of the shell has no table: its --help is read.
cat >sh-tool <<'SH'
#!/bin/sh
[ "$1" = --help ] || exit 64
cat <<'END'
usage: sh-tool [option ...] [FLOW ...]
Do something; see --nothing of this line.
 -f --format text|json       how to print
    --state FILE             where it is kept
 -q --quiet, --progress, --version; more in sh-tool(1)
END
SH
chmod +x sh-tool
"$top/scripts/completion" bash "$work/sh-tool" >sh-tool.bash
grep -qF -- "-f | --format) COMPREPLY=(\$(compgen -W \$'text\\njson'" sh-tool.bash; ok $? 'a program of the shell: words'
grep -qF -- '--state) compopt -o filenames' sh-tool.bash; ok $? '... a file'
grep -qF -- "--format\\n--state\\n--quiet\\n--progress\\n--version'" sh-tool.bash; ok $? '... all options'
run 64 'completion wants a shell and a program' "$top/scripts/completion" bash

run 127 'a program that does not run' "$top/scripts/completion" bash /no/such
is '... has no completion' '' "$(cat out)"
done_testing
