#!/bin/bash
# .ci/run: a step of which one part fails ends it, whichever part that is.
. "$(dirname "$0")/lib.sh"
[ -e "$top/.ci/run" ] || skip_all 'no .ci here'

# A tree where all goes well but for the program $FAILING.
mkdir -p tree/.ci tree/scripts tree/tests/fuzz tree/tests/sweep tree/build tree/build/hadolint/bin tree/src/lib tree/man tools
cp "$top/.ci/run" tree/.ci/
printf '#!/bin/sh\n[ "${0##*/}" != "$FAILING" ] || { echo "$0: it failed" >&2; exit 1; }\n' >tools/any
chmod +x tools/any
for program in make prove shellcheck mandoc clang pg_config python3; do
	cp tools/any tools/$program
done
for program in scripts/{install-packages,test,demo} tests/real-{s3,airflow,package} tests/fuzz/run tests/sweep/{run,knack,mds,orders} build/hadolint/bin/hadolint; do
	cp tools/any tree/$program
done
touch tree/src/{a.c,lib/b.c} tree/tests/{a.t,b-flow.t} tree/man/a.1
step() {		# step NAME FAILING
	FAILING=$2 PATH=$work/tools:$PATH tree/.ci/run "$1"
}
while read -r name parts; do
	run 0 "$name" step "$name" none
	grep -q 'all good' out; ok $? '... is good'
	for part in $parts; do
		! step "$name" "$part" >out 2>err && ! grep -q 'all good' out
		ok $? "$name: $part fails" || sed 's/^/# /' out err
	done
done <<'X'
tests install-packages test
s3 make real-s3 prove
airflow make real-s3 real-airflow prove
report make prove
package make prove real-package hadolint
compilers make
lint clang shellcheck mandoc
sanitizers make prove
fuzz make run
sweep make run knack mds orders
demo demo
X
done_testing
