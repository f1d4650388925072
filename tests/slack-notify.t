#!/bin/sh
# slack-notify: what is sent, and what comes of it.
. "$(dirname "$0")/lib.sh"
unset http_proxy all_proxy ALL_PROXY

start_server slack python3 "$here/servers/slack.py"
hook=$slack/services/T000/B000/xyz
log() { curl -sS "$slack/log"; }
control() { curl -sS -o control.out --data-binary "$1" "$slack/control"; }
fault() { control "{\"reset\":true,\"faults\":[$1]}"; }
s() { SLACK_WEBHOOK_URL=$hook slack-notify --retry-wait 0.01 "$@"; }
sent() { log | jq -c '.body | fromjson | .text'; }

# what is sent
t 'a message from standard input' 0 s <<'IN' 3</dev/null
Loaded 9 rows
of 311
IN
t '--text' 0 s --text 'Loaded "all"' 3</dev/null
t 'a receipt as it is' 0 s <<'IN' 3</dev/null
{"tool":"pg-upsert","read":9}
IN
t 'a template' 0 s --template '{flow}: {{{inserted}}} rows in {table}, {read} read' --set flow=311 --set table=mine <<'IN' 3</dev/null
{"table":"requests","inserted":4,"read":null}
IN
said 'no field "read": shown as ?'
t 'a line a receipt' 0 s --template '{table} {n}' <<'IN' 3</dev/null
{"table":"a & b","n":1}
{"table":"c","n":2.50}
IN
t 'a template without a receipt' 0 s --template '{flow} failed' --set flow=311 </dev/null 3</dev/null
t 'markup is escaped' 0 s --text '<!channel> & <https://x|y>' 3</dev/null
t 'markup that is meant' 0 s --markup --template '<!channel> {what}' <<'IN' 3</dev/null
{"what":"<!here>"}
IN
printf 'bell \007 escape \033[1m nul \0 tab \t bad \377 \303 \303\251 delete \177.\n\n' >control-bytes
t 'control bytes go, bad UTF-8 is replaced' 0 s <control-bytes 3</dev/null
t 'a CSV receipt' 0 s --template '{a}' <<'IN' 3</dev/null
a,b
"x, y",2
IN
sent >got
t 'all of them, as sent' 0 cat got 3<<'OUT'
"Loaded 9 rows\nof 311"
"Loaded \"all\""
"{\"tool\":\"pg-upsert\",\"read\":9}"
"311: {4} rows in mine, ? read"
"a &amp; b 1\nc 2.50"
"311 failed"
"&lt;!channel&gt; &amp; &lt;https://x|y&gt;"
"<!channel> &lt;!here&gt;"
"bell  escape [1m nul  tab \t bad � � é delete ."
"x, y"
OUT
log | jq -c '[.method, .headers["content-type"], (.body | fromjson | .unfurl_links)]' | sort -u >how
t 'how it is sent' 0 cat how 3<<'OUT'
["POST","application/json; charset=utf-8",false]
OUT

# too long
control '{"reset":true}'
python3 -c 'print("é" * 4000)' >long
run 0 '4,000 characters' s <long
said_not 'cut'
python3 -c 'print("é" * 4001)' >long
run 0 '4,001 characters' s <long
said 'text over 4000 characters: cut'
python3 -c 'print("```" + "<a>&" * 12500)' >long
run 0 '50 kB in a code block' s <long
log | jq -r '.body | fromjson | .text | [length <= 4000, length > 3900, (.[-20:] | split("...") | if length > 1 then "..." + last else "" end)] | tostring' >got
t 'whole, cut with a mark, and with the block closed' 0 cat got 3<<'OUT'
[true,true,""]
[true,true,"... (cut)"]
[true,true,"... (cut)\n```"]
OUT
log | jq -r '.body | fromjson | .text' | grep -cE '&(a|am|amp|l|lt|g|gt)?\.\.\.' >got
t 'no entity is cut in two' 1 grep -v '^0$' got 3</dev/null
head -c 30000000 /dev/zero | tr '\0' x >huge
export hook
run 0 'a huge message in bounded memory' limited 150000 slack-notify 'SLACK_WEBHOOK_URL=$hook slack-notify <huge'
rm huge

# --dry-run
control '{"reset":true}'
t '--dry-run' 0 slack-notify --dry-run --text 'a "b" <c>' 3<<'OUT'
{"text":"a \"b\" &lt;c&gt;","unfurl_links":false,"unfurl_media":false}
OUT
run 74 '--dry-run to a full disk' sh -c 'slack-notify --dry-run --text x >/dev/full'
log >requests
same '--dry-run sends nothing' /dev/null requests

# no webhook
t 'no webhook' 0 slack-notify --text x 3</dev/null
said 'no SLACK_WEBHOOK_URL: no message sent'
t 'an empty webhook' 0 env SLACK_WEBHOOK_URL= slack-notify --text x 3</dev/null
run 0 'no webhook does not break the pipe in front' bash -c 'set -o pipefail; seq 100000 | slack-notify'
t 'SLACK_HOOK' 0 env SLACK_HOOK="$hook" slack-notify --text other 3</dev/null
printf '%s\n' "$hook" >hook
t 'SLACK_WEBHOOK_URL_FILE' 0 env SLACK_WEBHOOK_URL_FILE=hook slack-notify --text file 3</dev/null
sent >got
t '... both were sent' 0 cat got 3<<'OUT'
"other"
"file"
OUT
t 'nothing to say' 0 s </dev/null 3</dev/null
said 'nothing to say'
t 'blanks only' 0 s <<'IN' 3</dev/null

IN
said 'nothing to say'

# what Slack says
run 77 'a wrong secret' env SLACK_WEBHOOK_URL="$slack/services/T000/B000/wrong" slack-notify --text x
said 'refused (403): "invalid_token"'
said_not wrong
run 77 'a removed hook' env SLACK_WEBHOOK_URL="$slack/services/T000/B111/secret" slack-notify --text x
said 'refused (404): "no_service"'
said_not B111
for fault in '410:channel_is_archived:77' '400:no_active_hooks:77' '400:invalid_payload:76' '400:too_many_attachments:76' \
    '403:action_prohibited:77' '413::76' '405::76'; do
	status=${fault%%:*} word=${fault#*:}; want=${word#*:} word=${word%:*}
	fault "{\"kind\":\"status\",\"status\":$status,\"body\":\"$word\",\"times\":-1}"
	run "$want" "$status $word" s --text x
	[ -z "$word" ] || said "$word"
	[ "$(log | wc -l)" -eq 1 ]; ok $? '... is not tried again'
done
fault '{"kind":"html","body":"no_service","times":-1}'
run 77 'an error under status 200' s --text x
said no_service
fault '{"kind":"html","times":-1}'
run 76 'a page under status 200' s --text x
said '"Sign in" instead of ok'
fault '{"kind":"redirect","to":"http://127.0.0.1:1/","times":-1}'
run 76 'a redirect is not followed with the message' s --text x
for fault in '"kind":"status","status":500' '"kind":"status","status":503' '"kind":"no_reply"' \
    '"kind":"status","status":429,"headers":{"Retry-After":"1"}'; do
	fault "{$fault,\"times\":1}"
	run 0 "a while: $fault" s --text x
	[ "$(log | wc -l)" -eq 2 ]; ok $? '... is tried again'
done
fault '{"kind":"status","status":500,"times":-1}'
run 69 '500 for ever' s --text x
said 'rollup_error'
[ "$(log | wc -l)" -eq 4 ]; ok $? '... four tries'
fault '{"kind":"status","status":429,"headers":{"Retry-After":"3600"},"times":-1}'
run 75 'throttled for an hour' s --text x
said 'come back at'
fault '{"kind":"stall","bytes":0,"times":-1}'
run 69 'silence' s --text x --timeout 0.2 --retries 1
run 69 'nobody there' env SLACK_WEBHOOK_URL=http://127.0.0.1:1/services/T/B/secret slack-notify --text x --retry-wait 0.01
said_not secret
run 0 'a flow does not care' sh -c 'SLACK_WEBHOOK_URL=http://127.0.0.1:1/ slack-notify --text x --retries 0 || true'

# wrong calls
run 78 'plain http' env SLACK_WEBHOOK_URL=http://hooks.example.com/services/T/B/secret slack-notify --text x
said 'want an https:// URL'
said_not secret
run 78 'a name that looks like this machine' env SLACK_WEBHOOK_URL=http://127.0.0.1.example.com/secret slack-notify --text x
run 64 'an operand' s message
run 64 'text and template' s --text a --template b
run 64 'an open brace' s --template 'a {b'
said 'a brace without its like'
run 64 'a closing brace' s --template 'a } b'
run 64 'a field without a name' s --template 'a {} b'
run 64 '--set without a value' s --template '{a}' --set a
run 64 '--set without a template' s --set a=b
run 65 'a bad receipt' s --template '{a}' <<'IN'
{"a":
IN
run 74 'a read error' s <.
run 66 'a closed stdin' s <&-
done_testing
