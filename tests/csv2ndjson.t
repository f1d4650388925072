#!/bin/sh
. "$(dirname "$0")/lib.sh"

t 'values are strings, blanks are null, "" is an empty string' 0 csv2ndjson <<'IN' 3<<'OUT'
id,name,note
007,Ann,
1e400,"",x
1.10,NaN,\.
IN
{"id":"007","name":"Ann","note":null}
{"id":"1e400","name":"","note":"x"}
{"id":"1.10","name":"NaN","note":"\\."}
OUT

t 'quotes, line breaks and control bytes are escaped; names too' 0 csv2ndjson <<'IN' 3<<'OUT'
"a ""b""",c
"say ""hi"", you","two
lines	and a tab, more than sixteen bytes"
IN
{"a \"b\"":"say \"hi\", you","c":"two\nlines\tand a tab, more than sixteen bytes"}
OUT

printf '\357\273\277a,b\r\n1,2\r3,4\n5,6' >odd.csv
t 'byte order mark, CRLF, CR, no newline at the end' 0 csv2ndjson odd.csv 3<<'OUT'
{"a":"1","b":"2"}
{"a":"3","b":"4"}
{"a":"5","b":"6"}
OUT

printf 'b,a\nx,y\n' >other.csv
t 'each file has a header of its own' 0 csv2ndjson odd.csv other.csv odd.csv 3<<'OUT'
{"a":"1","b":"2"}
{"a":"3","b":"4"}
{"a":"5","b":"6"}
{"b":"x","a":"y"}
{"a":"1","b":"2"}
{"a":"3","b":"4"}
{"a":"5","b":"6"}
OUT

t 'a ragged row ends the run, and what came before it is out' 65 csv2ndjson <<'IN' 3<<'OUT'
a,b
1,2
3,4,5
6,7
IN
{"a":"1","b":"2"}
OUT
said '<stdin>:3: 2 columns wanted, 3 found'

t '--rejects diverts it' 0 csv2ndjson --rejects bad.json <<'IN' 3<<'OUT'
a,b
1,2
3,4,5
6,7
IN
{"a":"1","b":"2"}
{"a":"6","b":"7"}
OUT
run 0 'the reject says line, reason and record' jq -e '.line == 3 and (.reason | test("3 found")) and .record == "3,4,5"' bad.json
t 'a CSV record that looks like JSON' 0 csv2ndjson --rejects bad.json <<'IN' 3<<'OUT'
a,b
{"c":1}
IN
OUT
run 0 '... is text in the reject' jq -e '.record == "{\"c\":1}"' bad.json

# What is no file must not become one.  By links, since a tool that got this wrong would do it to the machine's own devices.
printf 'a,b\n1\n' >short.csv
csv2ndjson --rejects wanted short.csv >/dev/null
ln -s /dev/null null; ln -s /dev/full full; mkfifo pipe; echo old >target; ln -s target link; mkdir directory
run 0 '--rejects into a null device' csv2ndjson --rejects null short.csv
run 74 '--rejects into a full one' csv2ndjson --rejects full short.csv; said 'full: No space left on device'
run 73 '--rejects into a directory' csv2ndjson --rejects directory short.csv; said 'directory: Is a directory'
run 0 '--rejects into a link' csv2ndjson --rejects link short.csv
same 'reaches its target' wanted target
timeout 120 cat pipe >piped & run 0 '--rejects into a pipe' timeout 120 csv2ndjson --rejects pipe short.csv; wait $!
same 'is read there' wanted piped
run 0 'they are what they were' sh -c '[ -L null ] && [ -L full ] && [ -L link ] && [ -p pipe ] && [ -c /dev/null ]'

printf 'a,b\n1,2\n3' >cut.csv
t 'a record cut in the middle' 65 csv2ndjson cut.csv 3<<'OUT'
{"a":"1","b":"2"}
OUT
said 'record is cut'

printf 'a,b\n1,"2\n3,4\n5,6\n' >open.csv
t 'a quote that is never closed' 65 csv2ndjson open.csv 3</dev/null
said 'open.csv:2:'
said 'quote is never closed'

printf 'a,b\n1,"2\n3,4\n5,"6"\n7,8\n' >later.csv
t 'a quote that another one seems to close' 65 csv2ndjson later.csv 3</dev/null
said 'later.csv:2: column "b": the quote that opens here closes on a later line'
t 'what stands behind that line is read' 0 csv2ndjson --rejects bad.json later.csv 3<<'OUT'
{"a":"7","b":"8"}
OUT
t 'text after a closing quote' 65 csv2ndjson 3</dev/null <<'IN'
a,b
1,"2"3
IN
said '<stdin>:2: column "b": text after a closing quote'

printf 'a,b\n1,2\0003\n' >nul.csv
t 'a NUL byte' 65 csv2ndjson nul.csv 3</dev/null
said 'nul.csv:2: column "b": a NUL byte'
t '--nul strip' 0 csv2ndjson --nul strip nul.csv 3<<'OUT'
{"a":"1","b":"23"}
OUT

printf 'a,b\n1,\351t\351\n' >latin1.csv
t 'invalid UTF-8' 65 csv2ndjson latin1.csv 3</dev/null
said 'latin1.csv:2: column "b": invalid UTF-8: see csv-normalize --encoding'

printf 'a;b\n1;2\n' >semicolon.csv
t 'another delimiter is noticed' 65 csv2ndjson semicolon.csv 3</dev/null
said 'one column: is the delimiter ";"?'

t 'NDJSON already' 65 csv2ndjson 3</dev/null <<'IN'
{"a":1,"b":2}
IN
said 'NDJSON where CSV is due'
t 'an HTML page' 65 csv2ndjson 3</dev/null <<'IN'
<!DOCTYPE html><title>Down</title>
IN
said 'an HTML page, not records'

t 'no input, no records' 0 csv2ndjson </dev/null 3</dev/null
t 'a header with no rows' 0 csv2ndjson other.csv <<'IN' 3<<'OUT'
IN
{"b":"x","a":"y"}
OUT
printf 'a,b\n' >header.csv
t 'a header alone' 0 csv2ndjson header.csv 3</dev/null

awk 'BEGIN { print "a,b"; for (i = 0; i < 200000; i++) print i ",some text to fill the row with" }' >many.csv
run 0 'a reader that leaves ends it quietly' sh -c 'csv2ndjson many.csv | head -1'
said_not csv2ndjson
run 0 'memory is bounded' limited 40000 csv2ndjson 'for i in 1 2 3 4 5 6 7 8; do tail -n +2 many.csv; done | cat header.csv - | csv2ndjson | wc -l | grep -qx 1600000'

{ printf 'a,b\n1,"'; head -c 3000000 /dev/zero | tr '\0' x; printf '"\n2,3\n'; } >large.csv
run 0 'a record larger than the window' sh -c 'csv2ndjson large.csv | wc -c | grep -qx 3000035'
run 65 'a record over --max-record' csv2ndjson --max-record 1M large.csv
said 'record over 1 MiB'

t 'a full disk is no success' 74 sh -c 'csv2ndjson odd.csv >/dev/full' 3</dev/null
t 'a read error is no end of input' 74 csv2ndjson <. 3</dev/null
t 'arguments are checked before input' 64 csv2ndjson --max-record 0 3</dev/null
t 'no such file' 66 csv2ndjson nowhere.csv 3</dev/null
cat >terminal.py <<'EOF'
import os, pty, sys
out = os.dup(1)
pid, tty = pty.fork()
if pid == 0:
    os.dup2(out, 1)
    os.execvp(sys.argv[1], sys.argv[1:])
seen = b""
while b"ctrl-D" not in seen:
    seen += os.read(tty, 1000)
os.write(tty, b"a,b\n1,2\n\x04")
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
EOF
if python3 -c 'import pty; pty.openpty()' 2>/dev/null; then	# a bare chroot may have no /dev/pts
	t 'a terminal gets a hint, and is read' 0 timeout 120 python3 terminal.py csv2ndjson 3<<-'OUT'
	{"a":"1","b":"2"}
	OUT
else
	echo '# no pseudo-terminal here: a terminal as input is not tested'
fi
run 0 'a reader that is slow loses nothing' sh -c '
    seq 200000 | sed "1i a" | csv2ndjson | { sleep 2; cat; } | tail -n 1'
echo '{"a":"200000"}' >want; same 'the last record came' want out
t 'stdin closed' 66 sh -c 'csv2ndjson <&-' 3</dev/null
t 'stdout closed' 74 sh -c 'csv2ndjson odd.csv >&-' 3</dev/null

back_and_forth() {	# back_and_forth FILE WHOSE
	{ tr -d '\r' <"$1"; echo; } >plain.csv
	csv2ndjson "$1" >by-us.json
	ndjson2csv by-us.json >back.csv
	same "CSV to NDJSON to CSV is the identity on $2 requests" plain.csv back.csv
	jq -c . by-us.json >by-jq.json
	same 'and what is between is what jq would write' by-jq.json by-us.json
}
back_and_forth "$data/311/la311-2020-jan.csv" 'made-up'
have_real 311/la311-2020-jan.csv && back_and_forth "$real_data/311/la311-2020-jan.csv" 'real'
printf 'id,status\n1,Open\n2,Closed\n' >requests.csv
t "the manual's example" 0 sh -c "csv2ndjson requests.csv | jq -c 'select(.status == \"Open\")'" 3<<'OUT'
{"id":"1","status":"Open"}
OUT
printf 'a\n1\n' >itself.csv
run 64 'rejects that would replace the input' csv2ndjson --rejects itself.csv ./itself.csv
said 'is the input itself'
same 'the input is still there' itself.csv - <<'IN'
a
1
IN
done_testing
