# page.jq - the report as one page of HTML.  All that comes from the database goes through h, which escapes it.
include "words";

def h: tostring | @html;
def each(f): map(f) | join("");
def when: if . == null then "never" else "<time datetime=\"\(.[0:19] | h)\(if test("[+-][0-9:]+$|Z$") then "Z" else "" end)\">\(moment | h)</time>" end;
def badge($look; $sign; $words): "<span class=\"badge \($look)\"><span aria-hidden=\"true\">\($sign)</span> \($words | h)</span>";
def state_badge: state as $s | badge({"fresh": "good", "old": "warn", "failing": "bad"}[$s] // "plain"; {"fresh": "✓", "unlimited": "✓", "old": "!", "failing": "✕"}[$s] // "?"; $s | state_words);
def outcome_badge: badge({"loaded": "good", "nothing new": "plain", "failed": "bad", "running": "going", "refused": "plain", "stopped": "warn"}[.] // "plain";
	{"loaded": "✓", "nothing new": "=", "failed": "✕", "running": "▸", "refused": "–", "stopped": "■"}[.] // "?"; .);
def scrolls($says): "<div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"\($says | h)\">\(.)</div>";

# ---- the head of the page ----

def tile($name; $note): "<div class=\"tile\"><dt>\($name)</dt><dd>\(. | h)<small>\($note | h)</small></dd></div>";
def tiles: if .log == null then "" else .log as $l | ($l.targets | map(select(needs_a_look)) | length) as $bad
	| "<dl class=\"tiles\">"
	+ ($l.loads | thousands | tile("Loads"; if $l.loads == 0 then "in this period" else "\($l.targets | map(select(.loads > 0)) | length | plural("dataset")) loaded" end))
	+ ($l.failed | thousands | tile("Failed"; if $l.loads == 0 then "" else "\($l.failed * 1000 / $l.loads | round / 10) % of them" end))
	+ ($l.changed_rows | thousands | tile("Rows changed"; "inserted, updated, deleted"))
	+ (($l.targets_ever - $bad) | tostring | tile("In order"; "of \($l.targets_ever | plural("dataset"))"))
	+ "</dl>" end;

# ---- datasets ----

def meter: if .age == null or .max_age == null or .max_age == 0 then "" else
	([.age / .max_age * 50, 100] | min | [., 0] | max | round) as $part
	| "<span class=\"meter\" aria-hidden=\"true\"><span class=\"\(if .age > .max_age then "over" else "under" end)\" style=\"width:\($part)%\"></span></span>" end;
def dataset_row: "<tr><th scope=\"row\"><span class=\"name\">\(.target | h)</span><small>\(.flow | h)</small></th><td>\(state_badge)</td>"
	+ "<td class=\"age\">\(if .age == null then "–" else .age | lasting end)\(meter)<small>\(if .max_age == null then "no limit" else "of \(.max_age | lasting)" end)</small></td>"
	+ "<td>\(.newest | when)</td><td>\(.good | when)</td><td class=\"n\">\(.loads | thousands)</td><td class=\"n\">\(.failed | thousands)</td></tr>\n";
def datasets: if (.log.targets // []) == [] then "" else
	"<section aria-labelledby=\"datasets\"><h2 id=\"datasets\">Datasets</h2>\n"
	+ ("<table><thead><tr><th scope=\"col\">Dataset</th><th scope=\"col\">State</th><th scope=\"col\">Age</th><th scope=\"col\">Newest row</th><th scope=\"col\">Last success</th>"
	  + "<th scope=\"col\" class=\"n\">Loads</th><th scope=\"col\" class=\"n\">Failed</th></tr></thead><tbody>\n"
	  + (.log.targets | sort_by(if needs_a_look then 0 else 1 end) | each(dataset_row)) + "</tbody></table>" | scrolls("Datasets and how fresh they are"))
	+ (if .log.targets_ever > (.log.targets | length) then "<p class=\"note\">\(.log.targets_ever - (.log.targets | length) | plural("dataset")) more are left out.</p>" else "" end)
	+ "</section>\n" end;

# ---- loads over time ----

def load_row: "<tr><td>\(.started | todate | when)</td><td>\(.status | outcome_badge)</td><td>\(.mode // "" | h)</td>"
	+ ([.read, .inserted, .updated, .deleted, .rejected] | each("<td class=\"n\">\(if . == null then "–" else thousands end)</td>"))
	+ "<td class=\"n\">\(.seconds | lasting)</td></tr>\n";
# $charts: a line "gnuplot", then for each drawing a line of \036 and its name; empty without gnuplot.
def drawings: split("\u001e")[1:] | map(index("\n") as $i | {key: .[:$i], value: .[$i + 1:]}) | from_entries;
def chart($drawings; $n; $size; $box; $says): $drawings["\($n) \($size)"] as $svg | if $svg == null then "" else
	"<svg class=\"chart \($size)\" viewBox=\"0 0 \($box)\" role=\"img\" aria-label=\"\($says | h)\"><title>\($says | h)</title><g>\n\($svg)</svg>\n" end;
def chart_says: (.drawn | map(.changed) | max) as $rows | (.drawn | map(.seconds) | max) as $long | (.drawn | map(select(.status == "failed")) | length) as $failed
	| "\(.target): \(.drawn | length | plural("load")) from \(.drawn[0].started | of_epoch) to \(.drawn[-1].started | of_epoch); at most \($rows | plural("row")) changed; the longest took \($long | lasting); \($failed) failed.";
def loads_of_target($drawings): chart_says as $says | .target as $name
	| "<figure><figcaption><h3>\(.target | h) <small>\(.flow | h)</small></h3><p>\(.drawn | length | plural("load"))\(if .loads > (.drawn | length) then ", the newest of \(.loads | thousands)" else "" end)"
	+ " · longest \(.drawn | map(.seconds) | max | lasting) · most rows changed \(.drawn | map(.changed) | max | thousands)</p></figcaption>\n"
	+ chart($drawings; .n; "broad"; "880 300"; $says) + chart($drawings; .n; "narrow"; "340 290"; $says)
	+ "<details><summary>\(if (.drawn | length) == 1 then "The load" else "The newest \(.drawn | length | [., 60] | min)" end) as a table</summary>"
	+ ("<table><thead><tr><th scope=\"col\">Started</th><th scope=\"col\">Outcome</th><th scope=\"col\">Mode</th><th scope=\"col\" class=\"n\">Read</th><th scope=\"col\" class=\"n\">Inserted</th><th scope=\"col\" class=\"n\">Updated</th>"
	  + "<th scope=\"col\" class=\"n\">Deleted</th><th scope=\"col\" class=\"n\">Rejected</th><th scope=\"col\" class=\"n\">Took</th></tr></thead><tbody>\n"
	  + (.drawn[-60:] | reverse | each(load_row)) + "</tbody></table>" | scrolls("Loads of \($name)"))
	+ "</details></figure>\n";
def key: "<p class=\"key\" aria-hidden=\"true\"><span><i class=\"c1 dot\"></i>rows read</span><span><i class=\"c2 bar\"></i>rows changed</span><span><i class=\"c3 bar\"></i>time it took</span><span><b class=\"c4\">✕</b>failed</span></p>\n";
def loads: (.log.targets // []) as $all | ($all | map(select((.drawn // []) != []))) as $some | if .log == null or .log.ever == 0 then "" else
	"<section aria-labelledby=\"loads\"><h2 id=\"loads\">Loads over time</h2>\n"
	+ (if $some == [] then "<p class=\"empty\">No load in this period. The newest began \($all | map(.last_started) | max | when).</p>"
	   else (if $charts == "" then "<p class=\"note\">Charts need gnuplot, which is not installed here.</p>" else key end) + (($charts | drawings) as $drawings | $some | each(loads_of_target($drawings))) end)
	+ (($all | map(select(.loads > 0)) | length) - ($some | length) | if . > 0 then "<p class=\"note\">\(plural("dataset")) more are only in the table above.</p>" else "" end)
	+ "</section>\n" end;

# ---- failures ----

def failure: "<li><p class=\"what\">\(.started | when) <strong>\(.target | h)</strong> <span class=\"exit\">\(exit_said | h)</span></p>"
	+ "<p class=\"message\">\(if (.message // "") == "" then "It left no message." else .message | h end)\(if .cut then " …" else "" end)</p>"
	+ "<p class=\"note\">\(.flow | h)\(if .mode then ", " + (.mode | h) else "" end) · load_log \(.id)\(if .host then " · on " + (.host | h) else "" end)\(if .run then " · run " + (.run | h) else "" end)</p></li>\n";
def warned: "<li><p class=\"what\">\(.started | when) <strong>\(.target | h)</strong></p><p class=\"message\">\(.text | h)</p></li>\n";
def left_out($all; $some; $what): if $all > $some then "<p class=\"note\">The newest \($some) of \($all | thousands) \($what).</p>\n" else "" end;
# The first of a list are shown, the others when asked for.
def few(f): "<ol class=\"failures\">\(.[:6] | each(f))</ol>\n" + (if length > 6 then "<details><summary>\(length - 6) more</summary><ol class=\"failures\">\(.[6:] | each(f))</ol></details>\n" else "" end);
def failures: if .log == null or .log.loads == 0 then "" else
	"<section aria-labelledby=\"failures\"><h2 id=\"failures\">Failures</h2>\n"
	+ (if .log.failed == 0 then "<p class=\"empty\">No load failed in this period.</p>\n"
	   else (.log.failures | few(failure)) + left_out(.log.failed; .log.failures | length; "failures") end)
	+ "</section>\n"
	+ (if .log.warned == 0 then "" else "<section aria-labelledby=\"warnings\"><h2 id=\"warnings\">Warnings of loads that went on</h2>\n<ol class=\"failures warnings\">\(.log.warnings | each(warned))</ol>\n"
	   + left_out(.log.warned; .log.warnings | length; "warnings") + "</section>\n" end) end;

# ---- blocks ----

def cell: if . == null then "<td class=\"none\"></td>" else block_status(.[0]) as $s
	| "<td class=\"\($s[2])\(if .[1] then " claimed" else "" end)\" title=\"\(.[3] | h): \($s[3] | h)\(if .[2] then ", " + (.[2] | plural("trip")) else "" end)\(if .[1] then ", claimed" else "" end)\">\($s[1])</td>" end;
def day_row: (.hours // {}) as $hours | "<tr><th scope=\"row\">\(.day | strptime("%Y-%m-%d") | mktime | strftime("%a %d %b"))</th>\([range(24)] | each($hours[tostring] | cell))</tr>\n";
def legend: .statuses as $n | "<ul class=\"legend\">" + ([block_statuses[] | select($n[.[0] | tostring]) | "<li><i class=\"\(.[2])\" aria-hidden=\"true\">\(.[1])</i>\(.[3]): \($n[.[0] | tostring] | thousands)</li>"] | join("")) + "</ul>\n";
def provider: .provider as $name | "<h3>\(.provider | h) <small>\(.blocks | plural("block")), \(.days[0].day | h) to \(.days[-1].day | h)</small></h3>\n"
	+ legend
	+ ("<table class=\"calendar\"><thead><tr><th scope=\"col\">Hour from</th>\([range(24)] | each("<th scope=\"col\">\(.)</th>"))</tr></thead><tbody>\n"
	  + (.days | reverse | each(day_row)) + "</tbody></table>" | scrolls("Blocks of \($name) by day and hour"))
	+ (if .older_days > 0 then "<p class=\"note\">\(.older_days | plural("earlier day")) are left out.</p>\n" else "" end)
	+ (if .later > 0 then "<p class=\"note\">\(.later | plural("block")) of later days, not drawn.</p>\n" else "" end);
def block_failure: "<li><p class=\"what\"><strong>\(.provider | h) \(.label | h)</strong> <span class=\"exit\">\(block_status(.status)[3] | h)</span></p>"
	+ (if (.message // "") == "" then "" else "<p class=\"message\">\(.message | h)</p>" end) + "</li>\n";
def blocks: if .schedule == null then "" else
	"<section aria-labelledby=\"blocks\"><h2 id=\"blocks\">Scooter trips, hour by hour</h2>\n"
	+ (if .schedule.blocks == 0 then "<p class=\"empty\">The schedule has no block in this period: see mds-schedule seed.</p>\n"
	   else "<p class=\"note\">A field is an hour block by the provider's wall clock. A hatched field was never seeded; one with a frame is being worked on.</p>\n" + (.schedule.providers | each(provider)) end)
	+ (if .schedule.providers_ever > (.schedule.providers | length) then "<p class=\"note\">\(.schedule.providers_ever - (.schedule.providers | length) | plural("provider")) more are left out.</p>\n" else "" end)
	+ (if .schedule.failed == 0 then "" else "<h3>Blocks that failed</h3>\n<ol class=\"failures\">\(.schedule.failures | each(block_failure))</ol>\n" + left_out(.schedule.failed; .schedule.failures | length; "blocks that failed") end)
	+ "</section>\n" end;

# Shapes that the charts' points refer to.
def shapes: "<svg width=\"0\" height=\"0\" aria-hidden=\"true\"><defs><circle id=\"gpPt6\" r=\"1\" fill=\"currentColor\"/>"
	+ "<path id=\"gpPt1\" stroke-width=\".4\" stroke=\"currentColor\" d=\"M-1,-1 L1,1 M1,-1 L-1,1\"/></defs></svg>\n";

([.log.targets[]? | select(needs_a_look)] | length > 0) as $bad
| "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
+ "<meta name=\"color-scheme\" content=\"light dark\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
+ "<meta name=\"robots\" content=\"noindex\">\n<title>\(if $bad then "✕ " else "" end)Loads of \(.flow // .database | h), \(.now | moment | h) UTC</title>\n<style>\n\($style)</style>\n</head>\n<body>\n\(shapes)"
+ "<header><p class=\"over\">Loads into \(.database | h)\(if .flow then ", flow " + (.flow | h) else "" end)</p>\n"
+ "<h1 class=\"\(if $bad then "bad" elif (.log.ever // 0) == 0 then "plain" else "good" end)\"><span aria-hidden=\"true\">\(if $bad then "✕" elif (.log.ever // 0) == 0 then "–" else "✓" end)</span> \(verdict | h)</h1>\n"
+ "<p class=\"note\">\(period | h)</p></header>\n<main>\n"
+ tiles + datasets + failures + loads + blocks
+ "</main>\n<footer><p>Made by culvert report from load_log\(if .schedule then " and api.schedule" else "" end). Times are UTC, unless a source gives its own.</p></footer>\n</body>\n</html>"
