# text.jq - the report for a terminal of 80 columns.
include "words";

def cut($n): tostring | gsub("[\\t\\n\\r]+"; " ") | if length > $n then .[0:$n - 1] + "…" else . end;
def left($n): cut($n) | . + (" " * ($n - length) // "");
def right($n): cut($n) | (" " * ($n - length) // "") + .;
def wrapped($n): [gsub("[\\t\\n\\r]+"; " ") | match(".{1,\($n)}( |$)|.{\($n)}"; "g").string | sub(" +$"; "")] | .[];

def datasets: if (.log.targets // []) == [] then empty else
	"",
	"\("DATASET" | left(22)) \("STATE" | left(16)) \("NEWEST ROW" | left(16)) \("AGE" | right(9)) \("LOADS" | right(6)) \("FAILED" | right(6))",
	(.log.targets | sort_by(if needs_a_look then 0 else 1 end)[] |
	    "\("\(.flow) \(.target)" | left(22)) \(state | state_words | left(16)) \(.newest | moment | left(16)) \(if .age == null then "-" else .age | lasting end | right(9)) \(.loads | thousands | right(6)) \(.failed | thousands | right(6))") end;
def loads: (.log.targets // [] | map(.flow as $f | .target as $t | (.drawn // [])[] | . + {flow: $f, target: $t}) | sort_by(.id)) as $all | if $all == [] then empty else
	"",
	"\("LOAD" | left(16)) \("DATASET" | left(20)) \("OUTCOME" | left(11)) \("READ" | right(11)) \("CHANGED" | right(10)) \("TOOK" | right(7))",
	($all[-20:] | reverse[] |
	    "\(.started | of_epoch | left(16)) \("\(.flow) \(.target)" | left(20)) \(.status | left(11)) \(if .read == null then "-" else .read | thousands end | right(11)) \(.changed | thousands | right(10)) \(.seconds | lasting | right(7))"),
	(if .log.loads > ([$all | length, 20] | min) then "The newest \([$all | length, 20] | min) of \(.log.loads | thousands) loads." else empty end) end;
def failures: if (.log.failed // 0) == 0 then empty else
	"", "FAILURES",
	(.log.failures[0:10][] | ("\(.started | moment)  \(.flow) \(.target): \(exit_said)" | cut(80)), (.message // "It left no message." | .[0:400] | wrapped(76) | "    " + .)),
	(if .log.failed > 10 then "The newest \(.log.failures[0:10] | length) of \(.log.failed | thousands) failures." else empty end) end;
def blocks: if .schedule == null then empty else
	"", "BLOCKS OF TRIPS, one sign an hour from 0 to 23",
	(.schedule.providers[] |
	    ("\(.provider): \(.blocks | plural("block"))" | cut(80)),
	    (.statuses as $n | [block_statuses[] | select($n[.[0] | tostring]) | "\(.[1]) \(.[3]) \($n[.[0] | tostring] | thousands)"] | join("; ") | wrapped(78) | "  " + .),
	    (.days[-14:] | reverse[] | (.hours // {}) as $h | "  \(.day)  \([range(24) | $h[tostring] | if . == null then " " else block_status(.[0])[1] end] | [.[0:6], .[6:12], .[12:18], .[18:24]] | map(join("")) | join(" "))"),
	    (.older_days + ([(.days | length) - 14, 0] | max) | if . > 0 then "  \(plural("earlier day")) left out." else empty end)),
	(if .schedule.blocks == 0 then "  none in this period" else empty end),
	(if .schedule.failed > 0 then .schedule.failures[0:10][] | "  \(.provider) \(.label): \(block_status(.status)[3]): \(.message // "")" | cut(80) else empty end) end;

verdict, "\(.database), \(period)",
(if .log != null then "\(.log.loads | plural("load")), \(.log.failed | thousands) failed, \(.log.changed_rows | plural("row")) changed." else empty end),
datasets, loads, failures, blocks
