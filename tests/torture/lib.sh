# torture/lib.sh - for tests/torture-*.t: each call of a tool that can fail is made to fail.
#
# A run that fails ends with a promised status and a message, and leaves nothing behind; a run that exits 0 is complete and right.
# Which calls there are, and how many, depends on the libraries, so nothing here counts on it.  The cases' names begin with the
# tool's: tests/tree.t looks for them.
. "$(dirname "$0")/lib.sh"
[ -z "${SANITIZED:-}" ] || skip_all 'a sanitizer has a malloc of its own'
TORTURE_SHIM=$work/shim.so
${CC:-cc} -std=c17 -O1 -shared -fPIC -o "$TORTURE_SHIM" "$here/torture/shim.c" || skip_all 'no compiler for the shim'
export TORTURE_SHIM

# Steps before each run, and those that show what it has left behind, one on each line: see run.py.
FRESH='' STATE=''
: >in
# A command for an output that is never twice the same.
VIEW=
# Outcomes that a tool may have beside the promised ones, as CALL:STATUS: only where a library leaves us no way to tell.
ALSO=
export FRESH STATE VIEW ALSO

# torture NAME "CALL ..." COMMAND...: input is ./in.  A check for a clean run, one for each kind of call, and one for calls that
# are short, interrupted or not ready.
torture() {
	python3 -S "$here/torture/run.py" "$count" "$@"
	failed=$((failed + $?))
	for _check in clean $2 slow; do
		count=$((count + 1))
	done
}
