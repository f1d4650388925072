#!/bin/sh
# The small functions of src/lib/base that everything else uses, in their edge cases.
. "$(dirname "$0")/lib.sh"
PATH=$(dirname "${CULVERT_BIN:-$top/bin}")/build/vectors:$PATH

all() {			# all WHAT: each line of standard input in turn
	while IFS= read -r _text; do
		printf '%s: ' "$_text"
		base "$@" "$_text" || return
	done
}

t 'hex digits of either case; no half byte, nothing else' 0 all hex <<'IN' 3<<'OUT'
00ff7F80
0123456789abcdefABCDEF

abc
0g
+1
 1
0x
@`
/:
IN
00ff7F80: 00ff7f80
0123456789abcdefABCDEF: 0123456789abcdefabcdef
: 
abc: none
0g: none
+1: none
 1: none
0x: none
@`: none
/:: none
OUT

t 'the hash is FNV-1a, by the vectors of its authors' 0 all hash <<'IN' 3<<'OUT'

a
foobar
IN
: cbf29ce484222325
a: af63dc4c8601ec8c
foobar: 85944171f73967e8
OUT

t 'percent-encoding leaves the unreserved characters of RFC 3986' 0 all percent <<'IN' 3<<'OUT'
AZaz09-._~
a b+c/d?e=f&g%h
é"'()*
IN
AZaz09-._~: AZaz09-._~
a b+c/d?e=f&g%h: a%20b%2Bc%2Fd%3Fe%3Df%26g%25h
é"'()*: %C3%A9%22%27%28%29%2A
OUT

printf '%10000s' x >file
: >empty
mkdir directory
slurps() {
	for _words in 'file 10000' 'file 9999' 'file 0' 'empty 0' 'none 10' 'directory 10'; do
		# shellcheck disable=SC2086
		base slurp $_words
	done
}
t 'a file is read as a whole, or it is said why not' 0 slurps 3<<'OUT'
whole 10000
too large 10000
too large 4096
whole 0
not opened 0
failed 0
OUT

t 'a UUID as PostgreSQL reads it, and as MDS wants it' 0 all uuid <<'IN' 3<<'OUT'
0309585e-599f-4e57-ac85-fffffff199a1
0309585E-599f-4e57-ac85-fffffff199a1
{0309585e599f4e57ac85fffffff199a1}
0309-585e-599f-4e57-ac85-ffff-fff1-99a1
0309585e-599f-4e57-ac85-fffffff199a1-
0309585e-599f-4e57-ac85-fffffff199a
0309585e-599f-4e57-ac85-fffffff199ag
{0309585e-599f-4e57-ac85-fffffff199a1
03-09585e-599f-4e57-ac85-fffffff199a1
0309585e--599f-4e57-ac85-fffffff199a1

IN
0309585e-599f-4e57-ac85-fffffff199a1: canonical, 0309585e-599f-4e57-ac85-fffffff199a1
0309585E-599f-4e57-ac85-fffffff199a1: upper case, 0309585e-599f-4e57-ac85-fffffff199a1
{0309585e599f4e57ac85fffffff199a1}: other, 0309585e-599f-4e57-ac85-fffffff199a1
0309-585e-599f-4e57-ac85-ffff-fff1-99a1: other, 0309585e-599f-4e57-ac85-fffffff199a1
0309585e-599f-4e57-ac85-fffffff199a1-: other, none
0309585e-599f-4e57-ac85-fffffff199a: other, none
0309585e-599f-4e57-ac85-fffffff199ag: other, none
{0309585e-599f-4e57-ac85-fffffff199a1: other, none
03-09585e-599f-4e57-ac85-fffffff199a1: other, none
0309585e--599f-4e57-ac85-fffffff199a1: other, none
: other, none
OUT

pauses() {
	for _words in '1 60 0 1' '1 60 1 2' '1 60 5 32' '1 60 6 60' '1 60 4000000000 60' '.1 5 5 3.2' '.1 5 6 5'; do
		# shellcheck disable=SC2086
		base backoff $_words || return
	done | sort -u
}
t 'a pause is any time up to one that doubles, until it is the longest' 0 pauses 3<<'OUT'
good
OUT

t 'the parts of a decimal number' 0 all decimal <<'IN' 3<<'OUT'
0
+007.50
.5
1.
1e3
1.5E-0003
123456789012345
1234567890123456
00000000000000000001.5
1e22
1e23
1e400
1e99999999999999999999
0e99999999999999999999
.
e5
1e
1e+
+
1.2.3
0x10
 1
1_0
inf

IN
0: 0||0, 1 of 1 in front are 0, 0
+007.50: 007|50|0, 2 of 5 in front are 0, 7.5
.5: |5|0, 0 of 1 in front are 0, 0.5
1.: 1||0, 0 of 1 in front are 0, 1
1e3: 1||3, 0 of 1 in front are 0, 1000
1.5E-0003: 1|5|-3, 0 of 2 in front are 0, 0.0015
123456789012345: 123456789012345||0, 0 of 15 in front are 0, 123456789012345
1234567890123456: 1234567890123456||0, 0 of 16 in front are 0, 1234567890123456 by strtod
00000000000000000001.5: 00000000000000000001|5|0, 19 of 21 in front are 0, 1.5 by strtod
1e22: 1||22, 0 of 1 in front are 0, 1e+22
1e23: 1||23, 0 of 1 in front are 0, 9.9999999999999992e+22 by strtod
1e400: 1||400, 0 of 1 in front are 0, no double
1e99999999999999999999: 1||999999999, 0 of 1 in front are 0, no double
0e99999999999999999999: 0||999999999, 1 of 1 in front are 0, 0 by strtod
.: none
e5: none
1e: none
1e+: none
+: none
1.2.3: none
0x10: none
 1: none
1_0: none
inf: none
: none
OUT

done_testing
