#!/bin/bash
# tests/lint: each kind of fault is found, in the files that differ from HEAD, those that are named, or all.
. "$(dirname "$0")/lib.sh"
for program in git clang shellcheck pyflakes3 mandoc; do
	command -v $program >/dev/null || skip_all "no $program here: scripts/install-packages check"
done

# ---- a tree without faults ----
mkdir -p tree/{tests,src/lib/{base,net,pg,s3,soda},man,scripts,docs} home
export HOME=$work/home GIT_CONFIG_NOSYSTEM=1
cp "$top/tests/lint" tree/tests/
cd tree || exit
git init -q . && git config user.email a@example.org && git config user.name A
printf '#include "base/n.h"\nint\nn_of(const int *p)\n{\n\treturn p != 0 ? *p : 0;\n}\n' >src/lib/base/n.c
printf 'int n_of(const int *);\n' >src/lib/base/n.h
for header in net/url net/http pg/pg pg/merge-private s3/s3 soda/soda; do
	printf '#include "base/n.h"\n' >src/lib/$header.h
done
printf '#include "pg/merge-private.h"\n#include "base/n.h"\n#include "pg/pg.h"\n' >src/lib/pg/merge-stage.c
printf '#include "base/n.h"\n#include "net/url.h"\n#include "pg/pg.h"\n#include "soda/soda.h"\n' >src/tool.c
printf '# Code\n```\n src/*.c   programs\n s3/  soda/   services\n net/ pg/    none includes another\n base/       the rest\n```\n' >docs/architecture.md
printf '#!/bin/sh\necho "$1"\n' | tee scripts/say >src/say.sh
printf '#!/bin/sh\n. "$(dirname "$0")/lib.sh"\necho "$count" >out\n' >tests/say.t
printf 'import sys\n\nprint(sys.argv)\n' >scripts/x.py
printf '.Dd March 1, 2025\n.Dt SAY 1\n.Os\n.Sh NAME\n.Nm say\n.Nd say it\n' >man/say.1
echo '# Say' >README.md
printf "/build/\nout\nout.want\nerr\nwanted\n" >.gitignore
git add -A && git commit -q -m 'Start'
run 0 'a tree without faults' tests/lint --all
grep -qx 'lint: 19 files: nothing found' out; ok $? '... of which all files are read' || sed 's/^/# /' out
run 0 'nothing changed' tests/lint
grep -qx 'lint: 0 files: nothing found' out; ok $? '... nothing to read' || sed 's/^/# /' out

# ---- one fault at a time ----
# finds TITLE FILE: the changed file is found, by the check of that title; named as well; and all is well without the change
finds() {
	run 1 "$1 finds a fault in $2" tests/lint
	grep -q "^== $1" out && grep -q "$2" out; ok $? '... and names it' || sed 's/^/# /' out
	run 1 '... when the file is named' tests/lint "$2"
	run 1 '... among all' tests/lint --all
	git checkout -q . && git clean -qfd
}
printf '#include "base/n.h"\nint\nn_of(const int *p)\n{\n\tp = 0;\n\treturn *p;\n}\n' >src/lib/base/n.c
finds 'clang --analyze' src/lib/base/n.c
printf '#!/bin/sh\nx=1\nif [ $1 = ]; then echo; fi\n' >scripts/say
finds shellcheck scripts/say
printf '#!/bin/sh\nif [ $1 = ]; then echo; fi\n' >tests/new.t
finds 'shellcheck of tests' tests/new.t
printf '#!/bin/sh\nif [ $1 = ]; then echo; fi\n' >scripts/new-command
finds shellcheck scripts/new-command
printf 'import os\n' >scripts/x.py
finds pyflakes scripts/x.py
printf '#!/usr/bin/env python3\nprint(nothing)\n' >scripts/new-program
finds pyflakes scripts/new-program
echo '.Zz' >>man/say.1
finds mandoc man/say.1
echo 'A line. ' >>README.md
finds 'white space at the end of a line' README.md
printf 'A line.\r\n' >>README.md
finds CRLF README.md
printf 'A line' >>README.md
finds 'end of file' README.md

# ---- which folder includes which ----
# layer TITLE FILE HEADER MESSAGE: the line is named when the file includes the header, even if the file does not differ from HEAD
layer() {
	printf '#include "%s"\n' "$3" >>"$2"
	git add -A && git commit -q -m "$1"
	printf '== include lines\n%s:%s: %s\n' "$2" "$(wc -l <"$2")" "$4" >wanted
	t "$1" 1 tests/lint README.md 3<wanted
	git reset -q --hard HEAD^
}
see='see docs/architecture.md'
layer 'an include of a folder above' src/lib/base/n.c net/http.h "base/ may not include \"net/http.h\": $see"
layer 'an include of a service by HTTP' src/lib/net/url.h s3/s3.h "net/ may not include \"s3/s3.h\": $see"
layer 'an include of one service by another' src/lib/soda/soda.h s3/s3.h "soda/ may not include \"s3/s3.h\": $see"
layer 'an include of PostgreSQL by HTTP' src/lib/net/http.h pg/pg.h "net/ may not include \"pg/pg.h\": $see"
layer 'an include of HTTP by PostgreSQL' src/lib/pg/pg.h net/url.h "pg/ may not include \"net/url.h\": $see"
layer 'an include of a private header' src/lib/pg/pg.h pg/merge-private.h 'only pg/merge*.c may include "pg/merge-private.h"'
layer '... by a program' src/tool.c pg/merge-private.h 'only pg/merge*.c may include "pg/merge-private.h"'
layer 'an include of a file without a folder' src/tool.c n.h '"n.h": no folder of the diagram in docs/architecture.md'
printf '#define WORDS "see other-tool"\n' >src/words.h
printf '#include "words.h"\n' >>src/tool.c
run 0 'a program may include a header of programs' tests/lint src/tool.c
printf '#include "words.h"\n' >>src/lib/base/n.c
run 1 '... and a module may not' tests/lint README.md
grep -qx 'src/lib/base/n.c:7: "words.h": no folder of the diagram in docs/architecture.md' out; ok $? '... which is named' || sed 's/^/# /' out
git checkout -q . && git clean -qfd
mkdir src/lib/mds && layer 'a folder that the diagram lacks' src/lib/mds/page.h base/n.h 'its folder is not in the diagram of docs/architecture.md'
layer 'a file that is in no folder' src/lib/page.h base/n.h 'its folder is not in the diagram of docs/architecture.md'
sed -i 's|soda/|& mds/|' docs/architecture.md
finds 'include lines' 'docs/architecture.md'
sed -i '/^ net/d' docs/architecture.md
run 1 'a page without two of the folders' tests/lint
[ "$(grep -c 'net/.*diagram' out)" -eq 3 ]; ok $? '... names each file and include of theirs' || sed 's/^/# /' out
git checkout -q .

# ---- what a module may not have ----
# setting TITLE FILE LINE MESSAGE: the line is found in the file
setting() {
	echo "$3" >>"$2"
	printf '== settings of src/lib\n%s:%s: %s\n' "$2" "$(wc -l <"$2")" "$4" >wanted
	t "$1" 1 tests/lint README.md 3<wanted
	git checkout -q .
}
printf 'int main(void) { return 0; }\n' >src/a-tool.c
git add -A && git commit -q -m 'A program'
w='a variable that others may write'
setting 'a variable of a module' src/lib/base/n.h 'extern int n_most;' "$w"
setting '... a pointer to what is const' src/lib/base/n.h 'extern const char *n_file;' "$w"
setting '... one of several' src/lib/base/n.h 'extern const char *const n_words[], *n_word;' "$w"
setting '... a hook' src/lib/base/n.h 'extern int (*n_read)(int fd);' "$w"
setting 'the name of a program' src/lib/net/url.h '#define SEE "see a-tool --help"	/* a comment */' 'names a-tool'
setting '... where a file name begins so' src/lib/net/url.h '#define PLACE "a-tool.XXXXXX"' 'names a-tool'
cat >>src/lib/base/n.h <<'END'
extern const int n_least;
extern const char *const n_names[], *const n_others[];      /* those of a-tool */
extern int n_read(int (*)(int));
/*
 * a-tool uses this,
 */
#define N_FILE "src/a-tool.c data-tool a-tools"
END
run 0 'a constant, a function, a comment and another word are no fault' tests/lint README.md
git reset -q --hard HEAD^

echo 'int n_of(int);' >src/lib/base/n.h
run 1 'a header is checked with the files that include it' tests/lint
git checkout -q .
run 66 'a file that is not there' tests/lint none.c
run 64 'an option that it does not have' tests/lint --everything
cd "$work" || exit
done_testing
