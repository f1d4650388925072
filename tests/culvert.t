#!/bin/bash
# culvert: which program it runs, with what, and what it says where there is none.
. "$(dirname "$0")/lib.sh"

# A toolkit of our own: the dispatcher is the real one, at the same distance from the flows as in the tree.
mkdir -p own/bin own/scripts/city own/scripts/other
sed "s|^libexec=.*|libexec=../scripts|" "$(command -v culvert)" >own/bin/culvert
cat >own/scripts/city/load <<'SH'
#!/bin/sh
# load - takes all of the city: from here to there
#
#	load [--help]
printf '%s|' "$0" "$@"; echo; cat
exit 65
SH
echo "# nothing here" | tee own/scripts/city/city.conf >own/scripts/other/helper.conf
cp own/scripts/city/load own/scripts/other/run
chmod +x own/bin/culvert own/scripts/*/load own/scripts/other/run
PATH=$work/own/bin:$PATH

t 'arguments, standard input and status are the command'"'s" 65 culvert city load 'a b' '' --help <<'IN' 3<<OUT
some input
IN
$work/own/scripts/city/load|a b||--help|
some input
OUT
t 'by a link to it' 65 sh -c 'ln -s own/bin/culvert link; ./link city load' </dev/null 3<<OUT
$work/own/scripts/city/load|
OUT
t 'help lists flows and commands' 0 culvert help 3<<'OUT'
usage: culvert FLOW COMMAND [ARG ...]
       culvert cron FLOW COMMAND [ARG ...]
       culvert help [FLOW [COMMAND]]
Run a command of a flow.
 city load              takes all of the city
 --help, --version; more in culvert(1), and of the tools in culvert(7)
OUT
t '... of one flow' 0 culvert help city 3<<'OUT'
 city load              takes all of the city
OUT
for words in 'city --help' 'city -h'; do
	t "... by culvert $words" 0 culvert $words 3<<'OUT'
 city load              takes all of the city
OUT
done
culvert help >want
for words in 'help cron' 'help help' 'help --help' 'cron --help' 'cron -h'; do
	t "culvert $words: all that there is" 0 culvert $words 3<want
done
run 65 '... of a command, which says it itself' culvert help city load </dev/null
grep -q -- '--help|$' out; ok $? '... by --help'
run 64 'no flow' culvert
said 'culvert: which flow? see culvert help'
run 64 'no command' culvert city
said 'culvert: city: which command of it? load'
run 64 'a wrong command' culvert city lod
said 'culvert: city lod: no such command: want one of load'
run 64 'a wrong flow' culvert town load
said 'culvert: town: no such flow: see culvert help'
run 64 'a directory without settings is no flow' culvert other run
run 64 'nor is a path' culvert ../scripts/city load
run 64 'nor is one a command' culvert city ../city/load
run 64 'a wrong option' culvert --nix
printf '#!/bin/sh\necho "other $*"\n' >own/bin/culvert-other && chmod +x own/bin/culvert-other
t 'a program of its own beside it' 0 culvert other --x 3<<'OUT'
other --x
OUT
mkdir alone && cp own/bin/culvert alone/
run 78 'flows that are not there' alone/culvert city load
said 'no flows there: install culvert anew'
run 74 'a full disk is no success' bash -c 'culvert help >/dev/full'

for to in '>/dev/full' '>&-'; do
	run 65 "cron tells the status with 2$to, too" sh -c "culvert cron city load </dev/null 2$to"
done

cat >own/scripts/city/load <<'SH'
#!/bin/sh
# load - waits
trap 'exit 7' TERM
echo $$; while :; do sleep 0.1; done
SH
culvert city load >pid & pid=$!
until [ -s pid ]; do sleep 0.05; done
[ "$(cat pid)" = $pid ]; ok $? 'the command is the same process'
kill $pid; wait $pid; [ $? = 7 ]; ok $? '... and gets its signals'

# The flows of the tree.
PATH=${PATH#*:}
run 0 'help of the tree' culvert help
cp out all
for other in doctor report; do
	grep -q "^ $other  " all; ok $? "... has $other"
	run 0 "help $other" culvert help $other
done
for flow in 311 knack mds orders; do
	run 0 "help $flow" culvert help "$flow"
	while read -r _ command _; do
		run 0 "$flow $command --help" culvert "$flow" "$command" --help
		grep -q "^$command - " out && grep -q "^	$command" out; ok $? '... says what it is and how it is called'
	done < <(culvert help "$flow")
done
run 0 'settings of the tree' culvert 311 load --check
said 'settings are good: update, 13 datasets'

# Settings of this machine, in front of the defaults and behind CONF and the environment.
mkdir etc
export CULVERT_ETC=$PWD/etc
jq '.datasets |= .[:2]' "$top/scripts/311/311.json" >etc/two.json
printf 'MODE=full\nDATASETS=two.json\n' >etc/311.conf
run 0 'settings of the machine' culvert 311 load --check
said 'settings are good: full, 2 datasets'
run 0 '... behind the environment' env MODE=update culvert 311 load --check
said 'settings are good: update, 2 datasets'
echo MODE=update >own.conf
run 0 '... behind --conf' culvert 311 load --conf own.conf --check
said 'settings are good: update, 13 datasets'
run 0 '... and CONF' env CONF=own.conf culvert 311 load --check
said 'settings are good: update, 13 datasets'
cp "$top/scripts/knack/apps.json" etc/apps.json && jq '.apps |= {"one": .["data-tracker"]}' etc/apps.json >apps.new && mv apps.new etc/apps.json
run 0 'a file there goes before the default of its name' culvert knack metadata --app-name one --env dev --check
run 78 'a wrong setting of the machine is said' sh -c 'echo nonsense >etc/311.conf; culvert 311 load --check'
said 'etc/311.conf: "nonsense" is no KEY=value'
done_testing
