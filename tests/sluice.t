#!/bin/sh
# sluice: the sink sees the end of its input only if all of the pipeline succeeded.
. "$(dirname "$0")/lib.sh"

# A sink as the design wants it: commits at end of file, undoes at SIGTERM.
cat >sink <<'S'
#!/bin/sh
trap 'echo "undone" >sink.log; exit 143' TERM
trap 'echo "undone" >sink.log; exit 130' INT
: >sink.ready
cat >sink.data & wait $!
echo "committed $(wc -l <sink.data)" >sink.log
exit "${1:-0}"
S
# cat in the background would read /dev/null: hand it the input by another number
sed -i 's|^cat >sink.data & wait|exec 3<\&0; cat <\&3 >sink.data \& wait|' sink
chmod +x sink
sink_said() { same "$1" want.log sink.log; }
# For pipelines that end at once: a sink that is told to undo before it has set its traps just dies.
cat >when_ready <<'S'
#!/bin/sh
until [ -e sink.ready ]; do sleep 0.01; done
S
chmod +x when_ready

echo 'committed 1000' >want.log
run 0 'a pipeline that succeeds is committed' sluice 'seq 2000 | head -n 1000 | cat; true' -- ./sink
sink_said 'the sink saw all of it'

echo 'undone' >want.log
for pipe in 'seq 10; exit 7' 'seq 10; (exit 7)' 'seq 10 | { cat; exit 7; }' '{ seq 10; exit 7; } | cat'; do
	rm -f sink.log sink.ready
	run 7 "its status is the pipeline's: $pipe" sluice "./when_ready; $pipe" -- ./sink
	sink_said 'the sink undid'
done
said 'sluice: the pipeline failed with status 7: the sink was told to undo'
rm -f sink.log sink.ready
run 137 'a pipeline killed by a signal' sluice './when_ready; seq 10; kill -9 $$' -- ./sink
sink_said 'the sink undid after the kill'
run 127 'no such command in the pipeline' sluice 'no-such-command' -- cat
run 127 'no such sink' sluice 'seq 3' -- ./no-such-sink
said './no-such-sink: No such file or directory'
run 66 "the sink's own failure at its end is the status" sluice 'seq 3' -- ./sink 66
run 65 'a sink that fails first ends the pipeline' sluice 'yes' -- sh -c 'exit 65'
run 0 'a sink that has had enough ends the pipeline' sluice 'yes' -- head -n 1
run 0 'also one that has more to do than to read' sluice 'yes' -- sh -c 'head -n 1; exec <&-; sleep 1; echo done'
[ "$(tr '\n' ' ' <out)" = 'y done ' ]; ok $? '... is let finish'
run 65 '... and one that fails then' sluice 'yes' -- sh -c 'exec <&-; sleep 1; exit 65'
run 65 "SIGPIPE in the pipeline is the sink's fault" sluice 'yes; exit 141' -- sh -c 'exit 65'

t 'the data go straight through' 0 sluice 'printf "a\nb\n"' -- cat 3<<'OUT'
a
b
OUT
t 'standard input is the pipeline'\''s' 0 sluice 'tr a b' -- cat <<'IN' 3<<'OUT'
banana
IN
bbnbnb
OUT
t 'an empty pipeline gives an empty input' 0 sluice 'true' -- cat 3</dev/null
t 'options after the sink are its own' 0 sluice 'printf "b\na\n"' -- sort -r 3<<'OUT'
b
a
OUT

none_runs() { ! pgrep -f "$1" >/dev/null; }
# stopped SIGNAL WANTED-STATUS: sends it in the middle; nothing is left running
stopped() {
	rm -f sink.log
	sluice "seq 10; sleep 61.7$$" -- ./sink 2>err &
	pid=$!
	wait_for test -s sink.data
	kill "-$1" $pid
	wait $pid; got=$?
	[ $got -eq "$2" ]; ok $? "SIG$1 gives $2"
	wait_for test -s sink.log
	sink_said "SIG$1 undoes"
	wait_for none_runs "sleep 61[.]7$$"; ok $? "SIG$1 leaves nothing running"
	rm -f sink.data
}
rm -f sink.data
stopped TERM 143
stopped INT 130
stopped KILL 137

# Once the sink and the pipeline are programs of their own, the child that still is a sluice is the guard.
sluice 'seq 3; until [ -e guard.gone ]; do sleep 0.1; done' -- cat >out 2>err &
pid=$!
wait_for pgrep -P $pid -x cat >/dev/null
wait_for pgrep -P $pid -x bash >/dev/null
wait_for pgrep -P $pid -x sluice >guard
kill -KILL "$(cat guard)"
: >guard.gone
wait $pid; got=$?
[ $got -eq 0 ]; ok $? 'a guard that is killed changes nothing' || echo "# status $got"
said 'the guard is gone'
seq 3 >want
same '... of what comes out' want out

run 137 'a sink that ignores SIGTERM is killed' sluice --kill-after 0.2s 'until [ -e deaf ]; do sleep 0.1; done; kill -9 $$' -- sh -c 'trap "" TERM; : >deaf; sleep 30'
said 'ignores signal 15: killing it'

run 5 'of several parts that failed the first tells why' sluice '(exit 5) | (exit 3) | cat' -- cat
run 3 '... but not one that lost its reader' sluice 'yes | (exit 3)' -- cat
run 64 'no sink' sluice 'seq 3'
run 64 'nothing at all' sluice
run 64 'a wrong option' sluice --no-such 'seq 3' -- cat
run 0 '--help' sluice --help
run 74 'stdout closed' sh -c 'exec >&-; exec sluice "seq 3" -- cat'
done_testing
