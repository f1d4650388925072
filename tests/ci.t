#!/bin/bash
# .ci/run: a step of which one part fails ends it, whichever part that is.
. "$(dirname "$0")/lib.sh"
[ -e "$top/.ci/run" ] || skip_all 'no .ci here'

# A tree where all goes well but for the program $FAILING.
mkdir -p tree/.ci tree/scripts tree/tests/fuzz tree/tests/sweep tree/build tools
cp "$top/.ci/run" tree/.ci/
cat >tools/any <<'X'
#!/bin/sh
case /$0 in
*/"$FAILING") echo "$0: it failed" >&2; exit 1 ;;
esac
X
chmod +x tools/any
cp tools/any tools/make
for program in scripts/{install-packages,demo} tests/{run,lint,alone} tests/real-{s3,airflow,package,machine} tests/fuzz/run tests/sweep/{run,knack,mds,orders}; do
	cp tools/any tree/$program
done
touch tree/tests/{a.t,b-flow.t}
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
tests install-packages make tests/run
alone alone
s3 make real-s3 tests/run
airflow make real-s3 real-airflow tests/run
report make tests/run
package make tests/run real-package real-machine
compilers make
lint lint
sanitizers make tests/run
fuzz make fuzz/run
sweep make sweep/run knack mds orders
demo demo
X
done_testing
