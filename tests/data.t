#!/bin/sh
# The project's own data: the generators make what is committed, byte for byte, and each file is described.
. "$(dirname "$0")/lib.sh"

run 0 'the data are made again' python3 "$data/make.py" made
(cd made && find . -type f | sort) >files
[ "$(wc -l <files)" -ge 20 ]; ok $? '... all of them' || cat files
while read -r file; do
	cmp -s "made/$file" "$data/$file"; ok $? "${file#./} is what its generator makes"
done <files
# What no generator makes is written by hand, and there is nothing else.
(cd "$data" && find . -type f ! -name '*.pyc' ! -name make.py ! -name README.md ! -name fernet.json | sort) >kept
same 'no file is left over' files kept
for file in "$data"/*/ "$data"/*.json; do
	name=$(basename "$file")
	[ "$name" = __pycache__ ] || { grep -qF "$name" "$data/README.md"; ok $? "README.md describes $name"; }
done
size=$(cat "$data"/*/*.* | wc -c)
[ "$size" -lt 600000 ]; ok $? 'the data are small' || echo "# $size bytes"
if have_real 311 knack mds; then
	find "$real_data" -type f -exec cksum {} + | cut -d ' ' -f 1,2 | sort >theirs
	find "$data" -type f -exec cksum {} + | cut -d ' ' -f 1,2 | sort >ours
	comm -12 ours theirs >both
	same 'no file of other people is among them' /dev/null both
fi
done_testing
