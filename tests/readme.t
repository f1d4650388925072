#!/bin/bash
# README works as printed: its commands run in the order of the page, in one shell of a new user with a fresh clone.  The real
# hosts are stand-ins behind an HTTPS proxy, PostgreSQL is the page's own.  What the page shows is what comes; its links and
# those of docs/ lead somewhere; its table has every tool.
. "$(dirname "$0")/lib.sh"
. "$here/runs.sh"
[ -e "$top/Makefile" ] && command -v make >/dev/null || skip_all 'no make here'
[ -z "${SANITIZED:-}" ] || skip_all 'the page is the same, however the tools were built'
servers=$here/servers

cat >page.py <<'PY'
"""page.py blocks PAGE DIR | wide PAGE | output WANTED GOT | links PAGE... | tools PAGE | options PAGE BIN: what a page says, for the test."""
import os
import re
import subprocess
import sys


def lines_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read().splitlines()


def blocks(page):
    """The fenced blocks, in their order: (language, text)."""
    found, language = [], None
    for line in lines_of(page):
        if line.startswith("```"):
            if language is None:
                language, body = line[3:] or "none", []
            else:
                found.append((language, "".join(body)))
                language = None
        elif language is not None:
            body.append(line + "\n")
    return found


def normal(line):
    """Numbers, times, bars and the width of columns are of each run."""
    line = re.sub(r"[▁-█]+( *[▁-█]+)*", "#", line)
    line = re.sub(r"-{2,}", "-", line)
    return re.sub(r"\s+", " ", re.sub(r"\d[\d.:-]*", "0", line)).strip()


def missing(wanted, got):
    """The first line of wanted that does not come, in this order, in got; one that ends in ... or ...} goes up to there."""
    rest = iter([normal(line) for line in lines_of(got)])
    for line in lines_of(wanted):
        start = re.sub(r"\.\.\.}?$", "", line)
        one = normal(start)
        for other in rest:
            if other == one or (start != line and other.startswith(one)):
                break
        else:
            return line
    return ""


def prose(page):
    """The page without its fenced blocks."""
    text, inside = [], False
    for line in lines_of(page):
        if line.startswith("```"):
            inside = not inside
        elif not inside:
            text.append(line)
    return text


def anchors(page):
    """What a heading is called in a link, by GitHub's rule."""
    return {re.sub(r"[^\w\- ]", "", line.lstrip("#").strip().lower()).replace(" ", "-") for line in prose(page) if line.startswith("#")}


def links(pages):
    broken, some = [], 0
    for page in pages:
        for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "code", "\n".join(prose(page)))):
            if re.match(r"[a-z]+:", target):
                continue
            some += 1
            path, _, anchor = target.partition("#")
            path = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
            if not os.path.exists(path) or (anchor and anchor not in anchors(path)):
                broken.append(f"{page}: {target}")
    return broken if some else ["no link was found"]


def help_of(program, words):
    """--help of a tool, and of the command that the words begin with."""
    texts = [subprocess.run([program, "--help"], capture_output=True, text=True, check=True).stdout]
    if " COMMAND " in texts[0]:
        commands = [word for word in words if re.search(rf"^ {re.escape(word)}\s", texts[0], re.MULTILINE)]
        texts += [subprocess.run([program, word, "--help"], capture_output=True, text=True, check=True).stdout
                  for word in commands[:1]]
    return "".join(texts)


def options(page, programs):
    """The options of our tools in the page's commands that the tools do not have."""
    wrong = []
    for text in (text for language, text in blocks(page) if language == "sh"):
        for command in re.split(r"[|;&'()<>\n]|\s--\s|\bsluice\b", text.replace("\\\n", " ")):
            words = command.split()
            if words and os.path.isfile(f"{programs}/{words[0]}") and not words[0].startswith("culvert"):
                known = help_of(f"{programs}/{words[0]}", words[1:])
                wrong += [f"{words[0]} {word}" for word in words
                          if word.startswith("--") and not re.search(rf"(?<!\S){word}(?![\w-])", known)]
    return wrong


if sys.argv[1] == "blocks":
    for number, (language, text) in enumerate(blocks(sys.argv[2]), 1):
        with open(f"{sys.argv[3]}/{number:02}.{language}", "w", encoding="utf-8") as file:
            file.write(text)
elif sys.argv[1] == "wide":
    print("\n".join(line for _, text in blocks(sys.argv[2]) for line in text.splitlines() if len(line) > 99), end="")
elif sys.argv[1] == "options":
    print("\n".join(options(*sys.argv[2:])), end="")
elif sys.argv[1] == "output":
    print(missing(*sys.argv[2:]), end="")
elif sys.argv[1] == "links":
    print("\n".join(links(sys.argv[2:])), end="")
else:                   # the tools that the first cells of tables name
    print("\n".join(sorted(name for line in prose(sys.argv[2]) if line.startswith("|")
                           for name in re.findall(r"`([a-z0-9-]+)`", line.split("|")[1]))))
PY

nothing() {		# nothing NAME COMMAND...: it succeeds and finds nothing to print
	local name=$1 got; shift
	got=$("$@" 2>"$work/err") && [ -z "$got" ]
	ok $? "$name" || printf '%s\n' "$got" "$(cat "$work/err")" | sed 's/^/# /'
}

# ---- a fresh clone: what is committed or about to be, and nothing beside it; in a tarball, all but what was built ----

clone=$work/clone home=$work/home
mkdir "$clone" "$home"
copy() {		# copy: the files that are named on standard input, with their times
	tar -C "$top" --null --no-recursion -T - -cf - | tar -C "$clone" -xf -
}
(cd "$top" && if git ls-files -z --cached --others --exclude-standard >"$work/files" 2>/dev/null && [ -s "$work/files" ]; then
	xargs -0 sh -c 'for file; do [ ! -e "$file" ] || printf "%s\0" "$file"; done' - <"$work/files"
else
	find . \( -path ./bin -o -path ./build -o -path ./.git \) -prune -o -type f -print0
fi) | copy
# What was built there need not be built again.  Where it is not up to date, or cannot be read, make builds it.
(cd "$top" && find bin build/*.[aod] build/lib build/completion build/vectors -type f -print0) 2>/dev/null | copy 2>/dev/null
cd "$clone" || exit 1

nothing 'the page has at most 150 lines' awk 'END { if (NR > 150) print NR }' README.md
nothing '... and no command of 100 columns' python3 "$work/page.py" wide README.md
nothing 'its links, and those of docs/, lead somewhere' python3 "$work/page.py" links README.md docs/*.md
lacking=
for program in $(grep -oh '`scripts/[^` ]*' README.md docs/*.md | tr -d '`' | grep -v '[*/]$' | sort -u); do
	[ -e "$program" ] || lacking="$lacking $program"
done
is 'the scripts that they name in passing are there' '' "$lacking"
[ -x scripts/test ]; ok $? '... scripts/test can be run: it is not, since that would run this test'
python3 "$work/page.py" tools README.md >"$work/named"
for tool in src/*.c src/*.sh; do
	basename "${tool%.*}"
done | LC_ALL=C sort >"$work/tools"
nothing 'every tool is in its table' comm -13 "$work/named" "$work/tools"
for page in README.md docs/*.md; do
	mkdir -p "$work/pages/$page" && python3 "$work/page.py" blocks "$page" "$work/pages/$page"
	bad=
	for block in "$work/pages/$page"/*.sh; do
		[ ! -e "$block" ] || bash -n "$block" 2>"$work/err" || bad="$bad ${block##*/}: $(cat "$work/err")"
	done
	is "$page: bash can read its commands" '' "$bad"
	nothing '... and the tools have the options in them' python3 "$work/page.py" options "$page" "${CULVERT_BIN:-$top/bin}"
done
cd "$work" || exit 1
page=$work/pages/README.md
: >all_replaced

# ---- the hosts that the page names ----

# The keys are those that the page has in its example of the file for keys.
keys=$(echo "$page"/*.ini)
key() { tr ' ' '\n' <"$keys" | sed -n "s/^$1=//p"; }

# Chicago: a request every hour for five days, the last one an hour ago; every third was closed.
mkdir city portal
{
	echo sr_number,sr_type,status,owner_department,created_date,last_modified_date,closed_date
	now=$(date +%s)
	for hour in $(seq 120 -1 1); do
		at=$(date -d "@$((now - hour * 3600))" +%Y-%m-%dT%H:%M:%S.000)
		if [ $((hour % 3)) -eq 0 ]; then status=Completed closed=$at; else status=Open closed=; fi
		echo "SR26-$(printf %08d "$hour"),Pothole,$status,CDOT,$at,$at,$closed"
	done
} >city/v6vf-nfxy.csv
echo '{"columns": [{"fieldName": "created_date", "dataTypeName": "calendar_date"}, {"fieldName": "last_modified_date", "dataTypeName":
	"calendar_date"}, {"fieldName": "closed_date", "dataTypeName": "calendar_date"}]}' >city/v6vf-nfxy.json
start_server city python3 "$servers/soda.py" --data city
# The reader's own portal: two rows, one of which is still in Knack.
printf '%s\n' id,signal_id,location,modified_date 5f0000000000000000000001,11,old,2020-01-01T00:00:00.000 \
    5fffffffffffffffffffffff,99,gone,2020-01-01T00:00:00.000 >"portal/$(key DATASET).csv"
echo '{"rowIdentifier": "id", "columns": [{"fieldName": "signal_id", "dataTypeName": "number"}, {"fieldName": "modified_date",
	"dataTypeName": "calendar_date"}]}' >"portal/$(key DATASET).json"
start_server portal python3 "$servers/soda.py" --data portal --key "$(key SOCRATA_KEY_ID):$(key SOCRATA_KEY_SECRET)"
# The reader's Knack app: one object, and a view of it.
jq -n --arg id "$(key KNACK_APP_ID)" --arg view "$(key VIEW)" '{application: {id: $id, name: "Signals", slug: "signals",
	settings: {timezone: "America/Chicago"}, counts: {}, objects: [{key: "object_1", name: "signals", identifier: "field_2", fields: [
	{key: "field_1", type: "number", name: "Signal ID"}, {key: "field_2", type: "short_text", name: "Location"},
	{key: "field_3", type: "date_time", name: "Modified Date", format: {date_format: "mm/dd/yyyy", time_format: "HH MM (military)"}}]}],
	scenes: [{key: "scene_1", slug: "signals", views: [{key: $view, type: "table", source: {object: "object_1"},
	columns: [range(1; 4) | {type: "field", header: "\(.)", field: {key: "field_\(.)"}, object: {key: "object_1"}}]}]}]}}' >app.json
start_server knack python3 "$servers/knack.py" --metadata app.json --key "$(key KNACK_API_KEY)" --rate 0 --make object_1=5

start_server proxy python3 "$servers/https_hosts.py" --certificate "$work/hosts.pem" \
    data.cityofchicago.org="$city" "$(key DOMAIN)=$portal" api.knack.com="$knack"

# What does not run as it is printed, and why:
# - crontab is not the real one, which would change the table of whoever runs this test;
# - a line that installs cron would install it on this machine.  That there is such a set of packages is looked at.
mkdir own
cat >own/crontab <<'SH'
#!/bin/sh
case $1 in
-l) [ -e ~/crontab ] && exec cat ~/crontab; echo "no crontab for $LOGNAME" >&2; exit 1 ;;
-) exec cat >~/crontab ;;
esac
exit 64
SH
chmod +x own/crontab

# ---- the shell of the reader ----

# bare PROGRAM...: in the place of this process, in an environment that has nothing of ours but the way to the stand-ins
bare() {
	exec env -i TZ=UTC HOME="$home" LOGNAME=reader USER=reader LANG=C.UTF-8 TMPDIR="$TMPDIR" https_proxy="$proxy" CURL_CA_BUNDLE="$work/hosts.pem" "$@"
}
in_bare() {		# in_bare DIRECTORY COMMAND...: in a process of its own
	(cd "$1" && bare "${@:2}")
}
mkfifo to_shell from_shell
# What fails is noted by line, in functions and substitutions too; as in a shell at a prompt, the next command runs all the same.
cat >shell.rc <<SH
set -E
trap 'echo "\$?: \${BASH_COMMAND//\$'"'\\n'"'/ }" >>"$work/failures"' ERR
cd '$clone'
SH
bare PATH="$work/own:/usr/local/bin:/usr/bin:/bin" setsid bash --noprofile --norc <to_shell >from_shell 2>shell.err &
shell=$!
exec 7>to_shell 8<from_shell
at_exit="exec 7>&-; kill -- -$shell 2>/dev/null; wait $shell
	for pg in '$home/citydata/pg' '$clone/build/demo/pg'; do
		[ ! -e \"\$pg/data/postmaster.pid\" ] || '$top/scripts/private-postgres' stop \"\$pg\"
	done >/dev/null 2>&1; $at_exit"
echo ". '$work/shell.rc'" >&7
in_shell() {		# in_shell COMMAND: in the reader's shell; its last line is done, or the shell is gone
	echo "$1; echo done" >&7
	read -r line <&8 && [ "$line" = done ]
}
# replace FILE: takes out of a block what must not run
replace() {
	sed -E 's/^scripts\/install-packages cron( .*)?$/grep -q "^cron=" scripts\/install-packages/w replaced' "$1" >"$1.run"
	cat replaced >>all_replaced
}
# may_fail COMMAND: the failures that the page provides for
may_fail() {
	case $1 in
	'1: crontab -l 2> /dev/null') ;;	# the reader has no crontab yet
	*) return 1 ;;
	esac
}
run_block() {		# run_block FILE: every command in it succeeds
	local bad='' line
	: >failures
	replace "$1"
	in_shell ". '$1.run' >'$1.out' 2>'$1.err' </dev/null" || bad='the shell has exited'
	while read -r line; do
		may_fail "$line" || bad=${bad:-$line}		# the first: it is what made others fail
	done <failures
	[ -z "$bad" ]
	ok $? "block ${1##*/}: $(grep -m 1 . "$1")" || { echo "# failed: $bad"; tail -n 5 "$1.out" "$1.err" | sed 's/^/# /'; return 1; }
}
publications() {	# how many requests have changed the reader's portal
	curl -fsS "$portal/log" | jq -s '[.[] | select(.method != "GET")] | length'
}
tell() {		# tell SERVER JSON
	curl -fsS --data-binary @- "$1/control" >/dev/null <<<"$2"
}
in_city() {		# of the requests since a time: number, status and time, as they are at the source
	in_bare / PATH="$home/.local/bin:/usr/bin:/bin" soda-fetch data.cityofchicago.org v6vf-nfxy --since "last_modified_date=$1" \
	    --select sr_number,status,last_modified_date --order sr_number | jq -r '"\(.sr_number)|\(.status)|\(.last_modified_date | .[:19] | sub("T"; " "))"'
}
in_table() {
	PGHOST=$home/citydata/pg PGUSER=postgres PGDATABASE=postgres psql -XAtqc 'SELECT sr_number, status, last_modified_date FROM requests ORDER BY 1'
}
# What happens elsewhere before a block runs, and what must be so after it.
before_block() {	# before_block FILE
	if grep -q 'max(last_modified_date).*load_requests' "$1"; then
		in_shell 'echo "$SINCE" >"$TMPDIR/since"' && read -r since <"$TMPDIR/since"
		is 'the first load: all of three days' "$(in_city "$since")" "$(in_table)"
		tell "$city" '{"upsert": {"id": "v6vf-nfxy", "key": "sr_number", "rows": [
		    {"sr_number": "SR26-00000002", "status": "Completed", "last_modified_date": "'"$(date +%FT%T)"'.000"},
		    {"sr_number": "SR26-90000001", "sr_type": "Rats", "status": "Open", "last_modified_date": "'"$(date +%FT%T)"'.000"}]}}'
	elif grep -q 'soda-push' "$1"; then
		is 'the dry run has published nothing' 0 "$(publications)"
	fi
}
after_block() {		# after_block FILE
	if grep -q 'max(last_modified_date).*load_requests' "$1"; then
		looked_at="$looked_at load"
		is 'the second load: one new, one changed, and the newest of before' 'read 3, 1 new, 1 changed' \
		    "$(jq -Rr 'fromjson? | "read \(.read), \(.inserted) new, \(.updated) changed"' "$1.out")"
		is '... is what the source has' "$(in_city "$since")" "$(in_table)"
	elif grep -q 'touch.*keys' "$1"; then
		looked_at="$looked_at keys"
		is 'the file for keys is its owner'"'"'s alone' 600 "$(stat -c %a "$home/citydata/keys")"
	elif grep -q 'soda-push' "$1"; then
		looked_at="$looked_at publication"
		is 'all records are published, and no row was deleted' '1 2 3 4 5 99 ' \
		    "$(curl -fsS "$portal/resource/$(key DATASET).json?\$order=signal_id" | jq -j '.[] | "\(.signal_id) "')"
	fi
}

stopped='' looked_at=''
for block in "$page"/*; do
	case $block in
	*.sh)
		last=$block
		before_block "$block"
		run_block "$block" || { stopped=yes; break; }
		after_block "$block" ;;
	*.text | *.json)
		nothing "block ${block##*/}: it is what block ${last##*/} prints" python3 page.py output "$block" "$last.out" ;;
	*.ini)	# the reader's editor
		cp "$block" keys && cat keys >"$home/citydata/keys" ;;
	esac
done
[ -z "$stopped" ] || done_testing

# ---- afterwards ----

is 'the blocks that are looked at closely were found' ' load keys publication' "$looked_at"
is 'what was to be replaced was there' 1 "$(wc -l <all_replaced)"
for server in city portal knack; do
	curl -fsS "${!server}/log" >log && [ -s log ]; ok $? "the page has asked $server"
done
is '... and no other host' '' "$(cat server.proxy.log)"
# cron runs the line by sh, in an environment of its own, and mails what it prints.
run 0 'what cron will run succeeds' in_bare / PATH=/usr/bin:/bin SHELL=/bin/sh /bin/sh -c "$(sed 's/^17 5 [*] [*] [*] //' "$home/crontab")"
is '... and prints nothing' '' "$(cat out err)"
is '... and has loaded' 'update|0' "$(PGHOST=$home/citydata/pg PGUSER=postgres PGDATABASE=postgres sql 'SELECT mode, exit_status FROM load_log ORDER BY id DESC LIMIT 1')"
lacking=
for manual in $(grep -o '`man [a-z0-9 -]*`' "$clone/README.md" | tr -d '`' | sed 's/.* //'); do
	ls "$home"/.local/share/man/man*/"$manual".[1-9] >/dev/null 2>&1 || lacking="$lacking $manual"
done
is 'the manual pages that it names are installed' '' "$lacking"

# Of the pages in docs/ run the commands that check, or show what they would do, and those that make files for secrets, with the
# settings before them; but nothing that would write to /etc.
PGHOST=$home/citydata/pg PGUSER=postgres PGDATABASE=postgres sql 'CREATE DATABASE docs'
for docs in "$work"/pages/docs/*; do
	{
		echo 'set -euo pipefail'
		for block in "$docs"/*.sh; do
			if [ ! -e "$block" ] || grep -q /etc/ "$block"; then
				continue
			elif grep -q 'umask 077' "$block"; then
				cat "$block"
			else
				sed -n '/[{\\]$/d; /^[a-z]*=/p; /^export /p; /--check/p; /--dry-run/p' "$block"
			fi
		done | sed "s|=db.example|=$home/citydata/pg|; s|PGDATABASE=[a-z]*|PGDATABASE=docs|; s|PGUSER=me|PGUSER=postgres|"
	} >"$docs/commands"
	[ "$(wc -l <"$docs/commands")" -gt 1 ] || continue
	run 0 "${docs##*/}: its checks, dry runs and files for secrets" \
	    in_bare "$clone" PATH="$clone/bin:/usr/bin:/bin" bash "$docs/commands"
	cp out "$docs/output"
done
grep -q '^sluice .*soda-push' pages/docs/knack.md/output; ok $? '... a dry run shows the pipeline'
is '... the files for secrets are their owner'"'"'s alone' '600 600' "$(stat -c %a "$home/.mds/key" "$home/.knack/knack.json" | paste -sd' ')"
cp "$home/.mds/key" key
run 0 '... and once more' in_bare "$clone" PATH="$clone/bin:/usr/bin:/bin" bash "$work/pages/docs/mds.md/commands"
same '... a key is not made anew' key "$home/.mds/key"

remove=$(grep -o '`make uninstall[^`]*`' "$clone/README.md" | tr -d '`')
in_shell "cd '$clone' && $remove >'$work/out' 2>'$work/err'"
is 'what make has installed, the line for it removes' '' "$(find "$home/.local" -type f)"
done_testing
