#!/bin/bash
# What make install puts below a DESTDIR works from there, survives an upgrade in the middle of a load, and goes again.
# Slow: installs into several places, and loads while each kind of upgrade happens.
. "$(dirname "$0")/lib.sh"
. "$here/flow.sh"
[ -e "$top/Makefile" ] && command -v make >/dev/null || skip_all 'no make here'
[ -z "${SANITIZED:-}" ] || skip_all 'what is installed is the same whatever it was built with'

# The build's own options would have it built anew; what is installed is what CULVERT_BIN holds, or bin.
unset MAKEFLAGS MAKELEVEL
makes() {		# makes TARGET PREFIX
	make -s -C "$top" "$1" DESTDIR="$work/root" PREFIX="$2"
}
files() {
	(cd root && find . ! -type d) | LC_ALL=C sort
}
mkdir -m 755 root
for prefix in /usr /opt/city/culvert; do
	umask 077
	run 0 "install into $prefix" makes install $prefix
	umask 022
	is '... for all users, whatever the umask' '' "$(find root ! -perm -go+r; find root -type d ! -perm -go+x)"
	files >first
	run 0 '... and once more' makes install $prefix
	files | cmp -s - first; ok $? '... are the same files'
	tools=$(ls "$work/root$prefix/bin")
	[ "$(echo "$tools" | wc -w)" -eq "$(ls "$top"/src/*.c "$top"/src/*.sh | wc -l)" ]; ok $? 'a program for each source'
	lacking=
	for page in README.md $(cd "$top" && ls docs/*.md); do
		grep -qx "./${prefix#/}/share/doc/culvert/$page" first || lacking="$lacking $page"
		for file in $(grep -oE '\([A-Za-z0-9./-]+\.md[)#]' "$top/$page" | tr -d '()#' | grep -v CONTRIBUTING); do
			[ -e "$work/root$prefix/share/doc/culvert/$(dirname "$page")/$file" ] || lacking="$lacking $page:$file"
		done
	done
	[ -z "$lacking" ]; ok $? 'README, the pages of docs/ and the pages that they link to' || echo "# not: $lacking"
	lacking=
	for tool in $tools; do
		grep -qx "./${prefix#/}/share/man/man1/$tool.1" first || lacking="$lacking $tool"
	done
	[ -z "$lacking" ]; ok $? '... with a page' || echo "# not: $lacking"
	! grep -rlIE "@[A-Z]+@|$top" root >left; ok $? 'no file speaks of the source tree, or has a gap to be filled' || sed 's/^/# /' left
	[ -z "$(find root -perm -go+w ! -type l -print)" ]; ok $? 'no file can be written by others'

	# Away from the tree, with the bare environment of cron.
	at=$work/root$prefix/bin
	bare() {
		(cd / && env -i PATH=/usr/bin:/bin CULVERT_ETC="$work/etc" SODA_URL="${SODA_URL:-}" TODAY=2020-12-25 "$@")
	}
	bad=
	for tool in $tools; do
		bare "$at/$tool" --version >>versions 2>&1 || bad="$bad $tool"
	done
	[ -z "$bad" ]; ok $? 'every tool starts' || echo "# not: $bad"
	run 0 'culvert lists its flows' bare "$at/culvert" help
	for flow in 311 knack mds orders report; do
		grep -q "^ $flow " out; ok $? "... $flow"
	done
	run 0 'a check' bare "$at/culvert" 311 load --check
	said 'settings are good: update, 13 datasets'
	run 0 'a dry run' bare MODE=full YEARS=2020 "$at/culvert" 311 load --dry-run
	grep -q "'soda-fetch' 'data.lacity.org' 'rq3b-xjk8'" out; ok $? '... prints the pipeline'
	run 0 'the manual of culvert-doctor'"'s flows" bare "$at/culvert" doctor --help
	run 0 'a check of another flow' bare "$at/culvert" knack to-s3 --app-name data-tracker --container view_197 --env prod --check
	mkdir -p etc && echo MODE=full >etc/311.conf
	run 0 'settings of the machine' bare "$at/culvert" 311 load --check
	said 'settings are good: full, 13 datasets'
	rm -r etc
	printf '{"a":1}\n' >in.ndjson
	t 'a pipeline' 0 bare sh -c "'$at/ndjson2csv' <'$work/in.ndjson' | '$at/csv2ndjson'" 3<<'OUT'
{"a":"1"}
OUT
	# As culvert mds run --docker-mode calls a command in the image, by a link.
	mkdir image && ln -s "$work/root$prefix/libexec/culvert" image/scripts
	run 0 'by the path that it has in the image' bare FERNET_KEY=key sh -c "cd '$work/image' && scripts/mds/extract --provider jump --time-max 2020-1-1-17 --check"
	rm -r image
	run 0 'uninstall' makes uninstall $prefix
	[ -z "$(files)" ]; ok $? '... leaves no file' || files | sed 's/^/# /'
	[ -z "$(find root -type d -name '*culvert*' ! -path "*${prefix%/*}/culvert" ! -path '*/culvert/bin')" ]; ok $? '... and no directory of its own'
	mkdir -p "root$prefix/bin" && echo mine >"root$prefix/bin/other"
	makes uninstall $prefix
	[ "$(cat "root$prefix/bin/other")" = mine ]; ok $? 'a file of others is left alone'
	rm -rf root && mkdir root
done

# ---- an upgrade while a load runs ----
python3 "$servers/make311.py" --rows 800 --years 2019,2020 --seed 7 data
start_flow "$work/data"
rows=$(($(cat data/*.csv | python3 -c 'import csv,sys; print(sum(1 for _ in csv.reader(sys.stdin)))') - 2))
makes install /usr >/dev/null
cp -a root installed
reinstall() {		# what make install would leave, which takes ten times as long
	rm -rf root
	cp -a installed root
}
libexec=$work/root/usr/libexec/culvert
# What comes is of other length and does nothing but harm.
spoilt() {
	case $1 in
	*.jq) echo 'error("of the next version")' ;;
	*.json) echo '{}' ;;
	*) seq -f '#%.0f' 3000; echo 'echo harm >&2; exit 99'; seq -f 'exit 99 #%.0f' 3000 ;;
	esac
}
by_rename() {		# as dpkg does: all are written under other names, and then take their places
	local file
	for file in "$libexec"/311/* "$libexec"/lib.sh; do
		spoilt "$file" >"$file.dpkg-new"
	done
	for file in "$libexec"/311/*.dpkg-new "$libexec"/lib.sh.dpkg-new; do
		mv -f "$file" "${file%.dpkg-new}"
	done
}
in_place() {		# as cp does
	local file
	for file in "$libexec"/311/* "$libexec"/lib.sh; do
		spoilt "$file" >"$file"
	done
}
removed() {
	rm -r "$libexec"
}
# upgrade HOW WHERE: a load that waits at WHERE meanwhile
upgrade() {
	reinstall
	sql 'SET client_min_messages = error; DROP TABLE IF EXISTS requests CASCADE; DROP TABLE IF EXISTS load_log'
	case $2 in
	lock)	hold "SELECT pg_advisory_xact_lock(hashtext('culvert'), hashtext('requests'))" ;;
	source)	control '{"faults":[{"match":"resource/la31-2020","times":1,"kind":"latency","seconds":50}]}' ;;
	esac
	MODE=full LOCK_WAIT=60 env -u CULVERT_BIN "$work/root/usr/bin/culvert" 311 load >out 2>err & load=$!
	case $2 in
	lock)	until [ "$(sql "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_try_advisory%' AND pid <> pg_backend_pid()")" -gt 0 ]; do sleep 0.1; done ;;
	source)	wait_for holds 1 "$SODA_URL" ;;
	esac
	$1
	case $2 in
	lock)	let_go ;;
	source)	control '{"release":true}' ;;
	esac
	wait $load; status=$?
	is "$1 while it waits for the $2: the load ends well" 0 $status || sed 's/^/# /' err
	is '... and has loaded everything' "loaded $rows" "$(jq -r '"\(.status) \(.read)"' out)"
	is '... as the source has it' "$rows" "$(sql 'SELECT count(*) FROM requests')"
	control '{"reset":true}'
}
for how in by_rename in_place removed; do
	for where in lock source; do
		upgrade $how $where
	done
done
reinstall
run 0 'and the next one finds the new version' env -u CULVERT_BIN MODE=full root/usr/bin/culvert 311 load

# ---- the source's tarball ----
if git -C "$top" rev-parse HEAD >/dev/null 2>&1; then
	for n in 1 2; do
		run 0 "dist $n" make -s -C "$top" dist DIST="$work/dist$n.tar.gz"
		sleep 1
	done
	same 'is the same at any time' dist1.tar.gz dist2.tar.gz
	tar xzf dist1.tar.gz
	git -C "$top" ls-tree -r --name-only HEAD | LC_ALL=C sort >wanted
	(cd culvert-*/ && find . -type f -o -type l) | sed 's|^\./||' | LC_ALL=C sort >got
	same 'holds what is committed' wanted got
	(cd culvert-*/ && make -s dist deb >"$work/out" 2>"$work/err"); is 'no tarball nor package is made of nothing' 2 $?
	said 'make: this is no git repository'
	is '... nor is there one' '' "$(find culvert-*/ -name '*.gz*')"
	(cd culvert-*/ && make -n install DESTDIR=/x >/dev/null 2>"$work/err"); ok $? 'and can be built' || sed 's/^/# /' err
fi
done_testing
