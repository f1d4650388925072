# words.jq - what both looks of the report say in the same words: times, sizes, statuses.
def moment: if . == null then "never" else tostring | .[0:16] | sub("T"; " ") end;
def of_epoch: todate | moment;
def thousands: (. // 0) | tostring | (if startswith("-") then "-" + .[1:] else . end) | [match("([0-9]{1,3})(?=([0-9]{3})*$)"; "g").string] | join(",");
def plural($one): "\(thousands) \($one)\(if . == 1 then "" else "s" end)";
def lasting: (. // 0) as $s | if $s < 0 then "in the future" elif $s < 100 then "\($s | if . < 10 then . * 10 | round / 10 else round end) s"
	elif $s < 6000 then "\($s / 60 | round) min" elif $s < 172800 then "\($s / 3600 | round) h" else "\($s / 86400 | floor) days" end;

# What is to be said of a dataset, the worst first.
def state: if .outcome == "failed" then "failing" elif .outcome == null then "no load yet"
	elif .newest == null then "unknown" elif .max_age == null then "unlimited" elif .age > .max_age then "old" else "fresh" end;
def state_words: if . == "failing" then "last load failed" elif . == "unknown" then "age not known" elif . == "unlimited" then "loaded, no limit" else . end;
def needs_a_look: state | IN("failing", "old");

# As culvert-status(7) has them.
def exit_words: {"64": "usage", "65": "bad data", "66": "no input", "69": "unavailable", "70": "our bug", "71": "no memory or process",
	"73": "can't create", "74": "input or output", "75": "try again later", "76": "nonsense", "77": "not allowed", "78": "configuration",
	"130": "interrupted", "137": "killed", "143": "terminated"}[tostring] // "";
def exit_said: if .exit_status == null then "no exit status" else "exit \(.exit_status)" + (.exit_status | exit_words | if . == "" then . else ", " + . end) end;

# Statuses of a block, in the order of its way: number, sign, look, words.
def block_statuses: [[0, "·", "new", "new"], [-1, "w", "waiting", "not ready at the provider yet"], [2, "u", "uploaded", "uploaded to S3"],
	[5, "d", "loaded", "all trips in the database"], [7, "0", "notrips", "no trips in the payload"], [8, "p", "published", "published"],
	[6, "!", "partly", "some trips failed"], [-2, "F", "bad", "fetch failed"], [-5, "L", "bad", "load failed"], [-6, "T", "bad", "all trips failed"],
	[-8, "P", "bad", "publishing failed"], [-3, "–", "unserved", "not served by the provider"]];
def block_status($n): first(block_statuses[] | select(.[0] == $n)) // [$n, "?", "bad", "status \($n)"];

def verdict: . as $r | ($r.log.targets // []) as $all | ($all | map(select(needs_a_look)) | length) as $bad | ($r.log.failed // 0) as $failed
	| if $r.log == null then "No load log here, but a schedule."
	  elif $r.log.ever == 0 then "The load log is empty: no flow has run yet."
	  elif $bad > 0 then "\($bad) of \($all | length | plural("dataset")) \(if $bad == 1 then "needs" else "need" end) a look."
	  else (if ($all | length) == 1 then "The dataset is" else "All \($all | length) datasets are" end) + " in order"
	    + (if $failed > 0 then ", though \($failed | plural("load")) failed." else ", and no load failed." end) end;
def period: "\(.begins | moment) to \(.now | moment) UTC";
