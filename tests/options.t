#!/bin/sh
# One name has one meaning: the options of every tool and command are those of the dictionary, tests/options.txt.
. "$(dirname "$0")/lib.sh"
for source in "$top"/src/*.c "$top"/src/*.sh; do
	tool=$(basename "${source%.*}")
	echo "# $tool"
	"$tool" --help
	for command in $("$tool" --completion 2>/dev/null | sed -n 's/^command	\([^	]*\).*/\1/p'); do
		echo "# $tool $command"
		"$tool" "$command" --help
	done
done >help
[ "$(grep -c '^# ' help)" -ge 38 ]; ok $? 'the tools and their commands' || grep '^# ' help
t 'they have the options of the dictionary, in 79 columns' 0 python3 "$here/options.py" "$here/options.txt" 3</dev/null <help

# What is wrong is found.
printf '%s  %s\n' 'from - FORMAT' '^format' 'dry-run n -' nothing >some.txt
t 'the test itself' 0 python3 "$here/options.py" some.txt 3<<'OUT' <<'IN'
a: --from FILE: the dictionary has FORMAT
a: --from: a file: does not mean ^format
b: longer than 79 columns:     --long                   text text text text text text text text text text text text
b: -x is --extra here, and --expand elsewhere
b: --size BYTES is --size N elsewhere
b: --dry-run has the letter -d, not n
no tool has --from FORMAT
-n is --null, and --dry-run in the dictionary
OUT
# a
 -x --expand                 more
    --from FILE              a file
    --size N                 how much
 -n --null TOKEN             a value
# b
    --long                   text text text text text text text text text text text text
 -x --extra                  more
    --size BYTES             how much
 -d --dry-run                change nothing
 -q --quiet, -v --verbose, --progress, --log-json, --version: see culvert(7)
IN

# ---- old names ----

while read -r tool old new command; do
	run 64 "$tool $command $old" "$tool" $command "$old" x
	said "$tool: $old is now $new"
	case $old in --*) row=" $old\( \|\$\)" ;; *) row="^ $old $new" ;; esac
	! "$tool" $command --help | grep -q -- "$row" && ! "$tool" --completion | cut -f 3 | grep -qx -- "${old#--}"
	ok $? '... and is not shown'
done <<'IN'
agol-push --timezone --zone
airflow-last-run -d --dag
csv-normalize -n --null
geo-tag -o --outside
json-explode -o --optional
knack-fetch --app --metadata
knack-fetch --timezone --zone
knack-fetch -n --limit
knack-fetch -o --object
knack-format --timezone --zone
knack-format -O --object
knack-push --app --metadata
knack-push -a --metadata
mds-fetch --from --since
mds-fetch --to --until
mds-schedule --from --since seed
mds-schedule --to --until gaps
mds-schedule --max-wait --connect-wait list
mds-trips -w --window
pg-copy-in --max-wait --connect-wait
pg-copy-out --max-wait --connect-wait
pg-copy-out -q --query
pg-refresh -a --analyze
pg-upsert --from --stage
s3-list -n --limit
s3-put --metadata --meta
sluice -k --kill-after
soda-fetch --columns --describe
soda-fetch -o --order
soda-shape --columns --schema
soda-shape --timezone --zone
IN
run 64 'an option without a name is none that lost its letter' knack-fetch --=5
said 'knack-fetch: --: no such option'
done_testing
