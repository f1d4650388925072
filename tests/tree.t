#!/bin/bash
# The tree is complete: what every tool and every flow has to have is there, and a new one that lacks any of it is named here.
. "$(dirname "$0")/lib.sh"

# lacking DIR: what the tree in DIR lacks, a line each, as "NAME: what"
lacking() {
	(
	cd "$1" || exit
	for source in src/*.c src/*.sh; do
		[ -e "$source" ] || continue
		tool=$(basename "${source%.*}")
		[ -e "man/$tool.1" ] || echo "$tool: a manual page, man/$tool.1"
		quick_of "$tool" || echo "$tool: a test that is not slow, tests/$tool.t"
		grep -qE "^\| .*\`$tool\`.* \|" README.md || echo "$tool: a row in the table of README.md"
		grep -qE "^\.It .*Xr $tool 1" man/culvert.7 || echo "$tool: an item in man/culvert.7"
		case $source in
		*.c)
			grep -qhE "^[[:space:]]*torture ['\"]?$tool( |'|\"|$)" tests/torture*.t tests/torture/* 2>/dev/null || echo "$tool: a line in tests/torture*.t"
			grep -qE "(^|[ '])$tool([ ']|$)" scripts/doctor.d/machine.sh || echo "$tool: its name in all_tools of scripts/doctor.d/machine.sh" ;;
		esac
	done
	for conf in scripts/*/*.conf; do
		[ -e "$conf" ] || continue
		flow=$(basename "$conf" .conf)
		[ "$(basename "$(dirname "$conf")")" = "$flow" ] || continue
		quick_of "$flow" || quick_of "$flow-flow" || echo "$flow: a test that is not slow, tests/$flow.t or tests/$flow-flow.t"
		[ -e "docs/$flow.md" ] || echo "$flow: a page, docs/$flow.md"
		[ -e "scripts/$flow/doctor.sh" ] || echo "$flow: scripts/$flow/doctor.sh for culvert-doctor"
		[ -e "scripts/airflow/culvert_$flow.py" ] || echo "$flow: a DAG, scripts/airflow/culvert_$flow.py"
		[ -e "tests/sweep/$flow" ] || { [ "$flow" = 311 ] && [ -e tests/sweep/run ]; } || echo "$flow: a kill sweep, tests/sweep/$flow"
	done
	)
}
quick_of() {		# quick_of NAME: it has a test of its own that the quick run runs
	[ -e "tests/$1.t" ] && ! head -n 8 "tests/$1.t" | grep -q '^# Slow: '
}

lacking "$top" >found
[ ! -s found ]; ok $? 'every tool and every flow has all that it needs' || sed 's/^/# lacks /' found

# The check itself: a tool and a flow that have nothing are named with all that they lack.
mkdir -p fake/src fake/scripts/bikes fake/scripts/doctor.d fake/man fake/tests/sweep
echo 'int main(void) { return 0; }' >fake/src/new-tool.c
touch fake/scripts/bikes/bikes.conf fake/README.md fake/man/culvert.7 fake/scripts/doctor.d/machine.sh
t 'a new tool and a new flow without anything are named' 0 lacking fake 3<<'OUT'
new-tool: a manual page, man/new-tool.1
new-tool: a test that is not slow, tests/new-tool.t
new-tool: a row in the table of README.md
new-tool: an item in man/culvert.7
new-tool: a line in tests/torture*.t
new-tool: its name in all_tools of scripts/doctor.d/machine.sh
bikes: a test that is not slow, tests/bikes.t or tests/bikes-flow.t
bikes: a page, docs/bikes.md
bikes: scripts/bikes/doctor.sh for culvert-doctor
bikes: a DAG, scripts/airflow/culvert_bikes.py
bikes: a kill sweep, tests/sweep/bikes
OUT
touch fake/man/new-tool.1 fake/tests/new-tool-faults.t
printf '# Slow: for this test\n' >fake/tests/new-tool.t
echo '| `new-tool` | does it |' >fake/README.md
echo '.It Xr new-tool 1' >fake/man/culvert.7
echo "all_tools='x new-tool y'" >fake/scripts/doctor.d/machine.sh
echo "torture 'new-tool of stdin' read new-tool" >fake/tests/torture.t
rm -r fake/scripts/bikes
t 'a slow test alone is not enough' 0 lacking fake 3<<'OUT'
new-tool: a test that is not slow, tests/new-tool.t
OUT
echo '# quick' >fake/tests/new-tool.t
t 'a tool with everything lacks nothing' 0 lacking fake 3</dev/null

# ---- the folders of src/lib ----
t 'the include lines follow the diagram in docs/architecture.md' 0 "$top/tests/lint" docs/architecture.md 3<<'OUT'
lint: 1 files: nothing found
OUT
t '... and each file that the page names is there' 0 bash -c 'cd "$1" && for file in $(grep -oE "\`[a-z0-9]+/[a-z0-9-]+\.[ch]\`" docs/architecture.md | tr -d "\`"); do
    [ -e "src/lib/$file" ] || [ -e "$file" ] || echo "$file"; done' - "$top" 3</dev/null

lines=$(cd "$top/src/lib" && sed -n '/^## Where to start/,$s/^[1-9]\. //p' "$top/docs/architecture.md" | grep -oE '[a-z0-9]+/[a-z0-9-]+\.h' | xargs cat | wc -l)
[ "$lines" -gt 500 ] && [ "$lines" -le 900 ]; ok $? 'the headers to start with have about 800 lines' || echo "# $lines"

# ---- one version everywhere ----
version=$(sed -n 's/^VERSION = //p' "$top/Makefile")
t 'the newest version in NEWS is the Makefile'\''s' 0 sed -n '0,/^## /s/^## \([0-9.]*\).*/\1/p' "$top/NEWS.md" 3<<<"$version"
t '... and so is that of the Debian package' 0 sed -n '1s/^culvert (\([^)]*\)).*/\1/p' "$top/debian/changelog" 3<<<"$version"

# ---- a clone alone ----
# Tests read nothing outside the tree but by CULVERT_DATA, whose default is in lib.sh.
t 'no test has a path that leaves the tree' 0 bash -c 'cd "$1" && grep -rnE "\.\./shared|\\\$top/\.\./" tests .ci scripts Makefile |
    grep -vE "^tests/(tree\.t|lib\.sh|bench/|data/README.md)"; :' - "$top" 3</dev/null
t 'no test ends the whole run' 0 bash -c 'cd "$1" && grep -rnE "(echo|printf) .*Bail ""out" tests; :' - "$top" 3</dev/null

# ---- the runner ----
mkdir -p runner/tests
cp "$top/tests/run" runner/tests/
printf '#!/bin/sh\necho "ok 1 - it works"\necho 1..1\n' | tee runner/tests/pg-thing.t runner/tests/pg-thing-faults.t >runner/tests/other.t
printf '#!/bin/sh\n# A test.\n# Slow: it waits.\necho "not ok 1 - it fails"\necho 1..1\n' >runner/tests/slow.t
cat >runner/tests/partly.t <<'X'
#!/bin/sh
. "$(dirname "$0")/lib.sh"
ok 0 'the quick part'
quick_ends
ok 0 'the slow part'
done_testing
X
ln -s "$here/lib.sh" "$here/keeper" "$here/servers" runner/tests/
ran() {			# ran NAME FILES: the last run ran these
	grep -oE '^\[[0-9:]+\] tests/[a-z-]+\.t' out | sed 's/.* //' | sort | paste -sd ' ' >files
	[ "$(cat files)" = "$2" ]; ok $? "$1" || sed 's/^/# ran: /' files
}
run 0 'the quick run' runner/tests/run
ran '... leaves out what is slow' 'tests/other.t tests/partly.t tests/pg-thing-faults.t tests/pg-thing.t'
grep -q '^Files=4, Tests=4,' out; ok $? '... and the slow part of a file' || sed 's/^/# /' out
run 1 'the whole run, of which a test fails' runner/tests/run --all
grep -q '^Files=5, Tests=6,' out; ok $? '... has everything' || sed 's/^/# /' out
grep -q '^tests/slow.t .*Failed: 1' out; ok $? '... says which' || sed 's/^/# /' out
grep -qE '^ +[0-9.]+  tests/other.t$' out; ok $? '... and how long files took'
run 0 'the tests of a tool' runner/tests/run pg-thing
ran '... are all that begin with its name' 'tests/pg-thing-faults.t tests/pg-thing.t'
run 0 'a file by its name' runner/tests/run partly
grep -q '^Files=1, Tests=2,' out; ok $? '... is run as a whole' || sed 's/^/# /' out
run 66 'a name that no test has' runner/tests/run pg-other
said 'run: pg-other: no such test'
run 64 'an option that it does not have' runner/tests/run --everything

# However a run ends, it leaves no process and no directory.
cat >runner/tests/waits.t <<'X'
#!/bin/sh
. "$(dirname "$0")/lib.sh"
start_server api python3 "$here/servers/status_api.py"
mkfifo never
exec 5<>never
[ -z "${STRAY:-}" ] || { setsid sleep 1000 & api_pid=$!; }
echo "$$ $api_pid $work" >"$STARTED"
read -r line <&5
X
export STARTED=$work/started
is_gone() {
	! kill -0 "$pid" 2>/dev/null && ! kill -0 "$server" 2>/dev/null && [ ! -e "$dir" ]
}
for signal in TERM INT; do
	[ $signal = INT ] && status=130 || status=143
	rm -f started
	# What a shell starts in the background ignores SIGINT, and a shell cannot change that for itself.
	perl -e '$SIG{INT} = "DEFAULT"; exec @ARGV' runner/tests/run waits >out 2>err & runner=$!
	wait_for test -s started
	read -r pid server dir <started
	kill -$signal $runner
	wait $runner; [ $? = "$status" ]; ok $? "a run that gets SIG$signal ends with its status"
	wait_for is_gone; ok $? '... and leaves nothing'
done
for killed in 'a test' 'prove and its test'; do
	rm -f started
	runner/tests/run waits >out 2>err & runner=$!
	wait_for test -s started
	read -r pid server dir <started
	[ "$killed" = 'a test' ] || kill -KILL "$(ps -o ppid= -p "$pid" | tr -d ' ')"
	kill -KILL "$pid"
	! wait $runner; ok $? "$killed, killed by SIGKILL: the run fails"
	wait_for is_gone; ok $? '... and leaves nothing'
done
# A test that is told to stop when nobody reads its output any more, and that has a process which it does not know of.
rm -f started
STRAY=yes runner/tests/run waits >out 2>err & runner=$!
wait_for test -s started
read -r pid server dir <started
kill -KILL "$(ps -o ppid= -p "$pid" | tr -d ' ')"
kill -TERM "$pid"
wait $runner
wait_for is_gone; ok $? 'a test that is stopped when prove is gone leaves nothing, not even a stray process'
done_testing
