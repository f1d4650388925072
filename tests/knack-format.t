#!/bin/bash
# knack-format: values by type against an independent reading of the description, names, and what must not be lost.
. "$(dirname "$0")/lib.sh"
knack=$data/knack
oracle() { python3 "$here/knack_oracle.py" "$@"; }
f() { knack-format --metadata meta.json "$@"; }
json-explode .records "$knack/all_fields.json" >all.ndjson

# The application of the tests: an object with a field of each type, named after it, and one that is connected to it.
n=0 types='short_text number boolean currency rating multiple_choice date_time name email link phone address image file
signature connection timer equation concatenation user_roles some_new_type'
for type in $types; do
	n=$((n + 1))
	printf '{"key":"field_%d","name":"%s","type":"%s"},' $n $type $type
done >fields
cat >meta.json <<META
{"application":{"id":"a","settings":{"timezone":"Central Time (US & Canada)"},"objects":[
  {"key":"object_1","name":"Things","fields":[$(sed 's/,$//' fields)]},
  {"key":"object_2","name":"Places","identifier":"field_51","fields":[
    {"key":"field_51","name":"Place","type":"short_text","format":null},
    {"key":"field_52","name":"Phones","type":"phone"},
    {"key":"field_53","name":"Visits","type":"date_time"},
    {"key":"field_54","name":"Where","type":"address"}]}],
 "scenes":[{"key":"scene_1","views":[
  {"key":"view_1","name":"Things","type":"table","source":{"object":"object_1"},"columns":[
    {"type":"field","field":{"key":"field_52"}},{"type":"link"},{"type":"field","field":{"key":"field_53"}},
    {"type":"field","field":{"key":"field_2"}},{"type":"field","field":{"key":"field_54"}},{"type":"field","field":{"key":"field_999"}},
    {"type":"field","field":{"key":"field_2"}}]},
  {"key":"view_2","name":"Details","type":"details","source":{"object":"object_1"},"columns":[{"groups":[]}]},
  {"key":"view_3","name":"Menu","type":"menu"}]}]}}
META

# ---- records with every field type, value by value ----

as_described() {	# as_described DIRECTORY WHOSE: its records, in every container
	json-explode .records "$1/all_fields.json" >records.ndjson
	for container in --object=object_3 --view=view_18 --view=view_6; do
		key=${container#*=}
		oracle "$1/metadata.json" "$key" <records.ndjson >want
		run 0 "$2 records: $key" knack-format -m "$1/metadata.json" $container records.ndjson
		same "... $(wc -l <want) records as described" want out
	done
	oracle "$1/metadata.json" object_3 --snake <records.ndjson >want
	run 0 "$2 records: --keys lower_snake" knack-format -m "$1/metadata.json" --object object_3 --keys lower_snake records.ndjson
	same '... as described' want out
	run 0 "$2 records without --object" knack-format -m "$1/metadata.json" records.ndjson
	oracle "$1/metadata.json" object_3 <records.ndjson >want
	same '... are those of their object' want out
	[ "$(jq -n '[inputs] | map(keys[]) | unique | length' <want)" -eq 33 ] && [ "$(grep -c . want)" -eq 25 ]
	ok $? 'which is 33 fields of 25 records'
}
as_described "$knack" 'made-up'
if have_real knack; then as_described "$real_data/knack" 'real'; fi

# ---- dates ----

date_of() {		# date_of MILLISECONDS [OPTION...]: what becomes of the stamp
	stamp=$1; shift
	printf '{"id":"a","field_7":"x","field_7_raw":{"date":"x","time":720,"unix_timestamp":%s,"to":{"unix_timestamp":1}}}\n' "$stamp" |
	    f "$@" | jq -r .date_time
}
dates() {
	while read -r stamp rest; do
		# shellcheck disable=SC2086
		date_of "$stamp" $rest
	done
}
t 'the wall clock stays and gets its offset' 0 dates <<'IN' 3<<'OUT'
1568218440000
1578254700000
1568160000000
1325434440000
-86400000
0
IN
2019-09-11T16:14:00-05:00
2020-01-05T20:05:00-06:00
2019-09-11T00:00:00-05:00
2012-01-01T16:14:00-06:00
1969-12-31T00:00:00-06:00
1970-01-01T00:00:00-06:00
OUT
t 'the spring gap: 01:59, 02:00, 02:30, 02:59, 03:00' 0 dates <<'IN' 3<<'OUT'
1583632740000
1583632800000
1583634600000
1583636340000
1583636400000
IN
2020-03-08T01:59:00-06:00
2020-03-08T03:00:00-05:00
2020-03-08T03:30:00-05:00
2020-03-08T03:59:00-05:00
2020-03-08T03:00:00-05:00
OUT
t 'the autumn overlap: 00:59, 01:00, 01:59, 02:00' 0 dates <<'IN' 3<<'OUT'
1604192340000
1604192400000
1604195940000
1604196000000
IN
2020-11-01T00:59:00-05:00
2020-11-01T01:00:00-06:00
2020-11-01T01:59:00-06:00
2020-11-01T02:00:00-06:00
OUT
t 'numbers of all shapes' 0 dates <<'IN' 3<<'OUT'
1.568218440e12
1568218440123
1568218440000.5
253402300799000
-62135596800000
IN
2019-09-11T16:14:00-05:00
2019-09-11T16:14:00.123-05:00
2019-09-11T16:14:00.000500-05:00
9999-12-31T23:59:59-06:00
0001-01-01T00:00:00-05:50:36
OUT
t '--zone: by either name, in any case' 0 dates <<'IN' 3<<'OUT'
1568218440000 --zone=Europe/London
1578254700000 --zone=Europe/London
1568218440000 --zone=UTC
1568218440000 --zone=HAWAII
1568218440000 --zone=chennai,kolkata,mumbai,newdelhi
1568218440000 --zone=Brasilia
IN
2019-09-11T16:14:00+01:00
2020-01-05T20:05:00+00:00
2019-09-11T16:14:00+00:00
2019-09-11T16:14:00-10:00
2019-09-11T16:14:00+05:30
2019-09-11T16:14:00-03:00
OUT
# Each hour of three years, every half hour around each change, and some of two centuries, in zones of many habits.
python3 - <<'PY' >stamps
import random
random.seed(7)
hours = [1514764800000 + h * 1800000 for h in range(3 * 366 * 48)]
for ms in hours + [random.randrange(-2208988800000, 4102444800000) // 60000 * 60000 for _ in range(5000)]:
    print('{"id":"a","field_53_raw":{"unix_timestamp":%d}}' % ms)
PY
for zone in America/Chicago Australia/Lord_Howe Asia/Kathmandu America/Sao_Paulo; do
	jq -c --arg z $zone '.application.settings.timezone = $z | .application.objects[1].fields |= map(select(.key == "field_53"))' meta.json >zone.json
	oracle zone.json object_2 <stamps >want
	run 0 "$(wc -l <stamps) dates in $zone" knack-format -m zone.json --object object_2 stamps
	same '... as another calendar has them' want out
done

# ---- each type's forms ----

t 'blank in every way is null; absent is null' 0 f --object object_2 <<'IN' 3<<'OUT'
{"id":"1","field_51":"","field_52":"","field_53":"","field_54":""}
{"id":"2","field_51":"","field_51_raw":"","field_52":"","field_52_raw":[],"field_53":"","field_53_raw":[ ],"field_54_raw":null}
{"id":"3","field_51":"x","field_51_raw":null,"field_52":null,"field_54":[]}
{"id":"4"}
IN
{"id":"1","Place":null,"Phones":null,"Visits":null,"Where":null}
{"id":"2","Place":null,"Phones":null,"Visits":null,"Where":null}
{"id":"3","Place":null,"Phones":null,"Visits":null,"Where":null}
{"id":"4","Place":null,"Phones":null,"Visits":null,"Where":null}
OUT
for i in $(seq $n); do printf ',"field_%d":""' "$i"; done >blanks
for i in $(seq $n); do printf ',"field_%d":"","field_%d_raw":[]' "$i" "$i"; done >arrays
for i in $(seq $n); do printf ',"field_%d":null,"field_%d_raw":null' "$i" "$i"; done >nulls
for blank in blanks arrays nulls; do
	printf '{"id":"a"%s}\n' "$(cat $blank)" | f --object object_1 >out
	[ "$(jq -c '[.[]] | unique' out)" = '[null,"a"]' ] && [ "$(jq length out)" -eq $((n + 1)) ]
	ok $? "$blank of all $n types"
done
t '0, false and numbers as they are written' 0 f <<'IN' 3<<'OUT'
{"id":"1","field_2":"0","field_2_raw":0,"field_3":"No","field_3_raw":false,"field_4":"$0","field_4_raw":"0","field_5":"0.00","field_5_raw":0,"field_6":"0","field_6_raw":0}
{"id":"2","field_2":1.10,"field_3":true,"field_4":"x","field_4_raw":"100.430","field_5_raw":12345678901234567890,"field_6":-0.0}
IN
{"id":"1","number":0,"boolean":false,"currency":"0","rating":0,"multiple_choice":0}
{"id":"2","number":1.10,"boolean":true,"currency":"100.430","rating":12345678901234567890,"multiple_choice":-0.0}
OUT
t 'multiple choices, roles, what is not known' 0 f <<'IN' 3<<'OUT'
{"id":"1","field_6":"A, B","field_6_raw":["A","B"],"field_20_raw":["profile_1","profile_2"],"field_21_raw":["x",1,true,null,2.50]}
{"id":"2","field_6":"","field_6_raw":[null],"field_20_raw":["p"],"field_21_raw":{"a": [1]}}
{"id":"3","field_6":"A","field_6_raw":"A","field_20_raw":[null,null],"field_21_raw":[{"a":1},"b"]}
{"id":"4","field_6_raw":["A \"B\"","\u00e9, \\"],"field_20_raw":["",""],"field_21_raw":{}}
IN
{"id":"1","multiple_choice":"A, B","user_roles":"profile_1, profile_2","some_new_type":"x, 1, true, 2.50"}
{"id":"2","multiple_choice":null,"user_roles":"p","some_new_type":{"a": [1]}}
{"id":"3","multiple_choice":"A","user_roles":null,"some_new_type":[{"a":1},"b"]}
{"id":"4","multiple_choice":"A \"B\", \u00e9, \\","user_roles":", ","some_new_type":{}}
OUT
t 'names: as shown, else of their parts' 0 f <<'IN' 3<<'OUT'
{"id":"1","field_8":"the Hut, Pizza Danger","field_8_raw":{"first":"Pizza","middle":"Danger","last":"the Hut"}}
{"id":"2","field_8":"","field_8_raw":{"first":"","last":""}}
{"id":"3","field_8":"","field_8_raw":{"last":"Ng","first":"Ada","title":"Dr."}}
{"id":"4","field_8":"Ada Ng"}
IN
{"id":"1","name":"the Hut, Pizza Danger"}
{"id":"2","name":null}
{"id":"3","name":"Dr. Ada Ng"}
{"id":"4","name":"Ada Ng"}
OUT
t 'one member: email, link, phone, signature' 0 f <<'IN' 3<<'OUT'
{"id":"1","field_9_raw":{"label":"me","email":"a@b.c"},"field_10_raw":{"url":"http://x/?a=\"1\"&b=\u00e9","label":"x"},"field_11_raw":{"full":"5129743546","formatted":"(512) 974-3546"},"field_15_raw":{"svg":"<?xml","base30":"1W_0"}}
{"id":"2","field_9_raw":{"label":"me"},"field_10_raw":{"url":null},"field_11_raw":{"full":""},"field_15_raw":{"svg":"<?xml"}}
{"id":"3","field_9":"a@b.c","field_10_raw":"http://x","field_11_raw":5129743546,"field_15_raw":{}}
IN
{"id":"1","email":"a@b.c","link":"http://x/?a=\"1\"&b=\u00e9","phone":"5129743546","signature":"1W_0"}
{"id":"2","email":null,"link":null,"phone":"","signature":null}
{"id":"3","email":"a@b.c","link":"http://x","phone":5129743546,"signature":null}
OUT
t 'addresses' 0 f <<'IN' 3<<'OUT'
{"id":"1","field_12":"x<br />y","field_12_raw":{"zip":"78754","state":"TX","city":"Austin","street2":"Suite 1","street":"8700 Cameron Rd","country":"USA","latitude":"30.1","longitude":-97}}
{"id":"2","field_12_raw":{"street":"1600 \"P\" Ave","street2":"","city":"Washington","state":null,"zip":20500}}
{"id":"3","field_12_raw":{"latitude":30.1,"longitude":-97.2}}
{"id":"4","field_12_raw":{"latitude":"","longitude":"","street":""}}
{"id":"5","field_12":"8700 Cameron Rd"}
IN
{"id":"1","address":"8700 Cameron Rd, Suite 1, Austin, TX, 78754, USA"}
{"id":"2","address":"1600 \"P\" Ave, Washington, 20500"}
{"id":"3","address":null}
{"id":"4","address":null}
{"id":"5","address":"8700 Cameron Rd"}
OUT
t 'files, and images of both kinds' 0 f <<'IN' 3<<'OUT'
{"id":"1","field_13":"<img>","field_13_raw":{"id":"x","url":"https://s3/a.jpg","thumb_url":""},"field_14_raw":{"url":"https://s3/a.pdf"}}
{"id":"2","field_13":"<img>","field_13_raw":"google.com","field_14":""}
{"id":"3","field_13_raw":{"url":null},"field_14_raw":"x.pdf"}
IN
{"id":"1","image":"https://s3/a.jpg","file":"https://s3/a.pdf"}
{"id":"2","image":"google.com","file":null}
{"id":"3","image":null,"file":"x.pdf"}
OUT
t 'connections: one, many, none' 0 f <<'IN' 3<<'OUT'
{"id":"1","field_16":"<span>","field_16_raw":[{"id":"5ea","identifier":"Johnny \"C\""}]}
{"id":"2","field_16_raw":[{"id":"5ea","identifier":"A, B"},{"identifier":7,"id":"5eb"},{"identifier":""},{"identifier":null}]}
{"id":"3","field_16":"","field_16_raw":[]}
{"id":"4","field_16_raw":[{"identifier":null}]}
IN
{"id":"1","connection":"Johnny \"C\""}
{"id":"2","connection":"A, B, 7, "}
{"id":"3","connection":null}
{"id":"4","connection":null}
OUT
t 'timers: text without its markup' 0 f <<'IN' 3<<'OUT'
{"id":"1","field_17":"<span>09/11/19</span>&nbsp;4:14pm to 5:14pm = 1:00 hours","field_17_raw":{"times":[]}}
{"id":"2","field_17":"\u003cspan\u003ea<\/span>&nbsp;&nbsp;\"b\"\n","field_17_raw":{"times":[]}}
{"id":"3","field_17":"<span>","field_17_raw":{"times":[]}}
{"id":"4","field_17":"","field_17_raw":{"total_time":1}}
IN
{"id":"1","timer":"09/11/19; 4:14pm to 5:14pm = 1:00 hours"}
{"id":"2","timer":"a; ; \"b\"\n"}
{"id":"3","timer":""}
{"id":"4","timer":{"total_time":1}}
OUT
t 'equations: the number shown; a shown 0 says nothing' 0 f <<'IN' 3<<'OUT'
{"id":"1","field_18":1,"field_18_raw":1.33333333}
{"id":"2","field_18":0,"field_18_raw":0.3333}
{"id":"3","field_18":-0.00,"field_18_raw":-0.001}
{"id":"4","field_18":0,"field_18_raw":0}
{"id":"5","field_18":"0","field_18_raw":0.3}
{"id":"6","field_18":"01/05/2020","field_18_raw":{"unix_timestamp":1578254700000}}
{"id":"7","field_18":"","field_18_raw":{"unix_timestamp":1578254700000}}
{"id":"8","field_18":0.5,"field_18_raw":0.55}
{"id":"9","field_18":0}
IN
{"id":"1","equation":1}
{"id":"2","equation":0.3333}
{"id":"3","equation":-0.001}
{"id":"4","equation":0}
{"id":"5","equation":"0"}
{"id":"6","equation":"01/05/2020"}
{"id":"7","equation":"2020-01-05T20:05:00-06:00"}
{"id":"8","equation":0.5}
{"id":"9","equation":0}
OUT
t 'text as it came: unicode, escapes, HTML' 0 f <<'IN' 3<<'OUT'
{"id":"é","field_1":"Jalape\u00f1os \ud83c\udf55 Ñandú\t\"<b>\"","field_19":"a\\b\/c"}
IN
{"id":"é","short_text":"Jalape\u00f1os \ud83c\udf55 Ñandú\t\"<b>\"","concatenation":"a\\b\/c"}
OUT
t 'a member of a record with an escape in its name, and one that comes twice' 0 f <<'IN' 3<<'OUT'
{"i\u0064":"1","field\u005f1":"a","field_9_raw":{"em\u0061il":"x","email":"y"},"field_1":"b"}
IN
{"id":"1","short_text":"b","email":"y"}
OUT

# ---- views ----

t 'a view has its columns, in the order of the metadata' 0 f --view view_1 <<'IN' 3<<'OUT'
{"id":"1","field_52":"x","field_52_raw":[{"full":"1"},{"full":"2"},null,{}],"field_53_raw":[{"unix_timestamp":0},{"unix_timestamp":86400000}],"field_2_raw":7,"field_54_raw":[{"city":"A","zip":"B"},{},{"city":"C"}]}
{"id":"2","field_52_raw":{"full":"1"},"field_53_raw":[{"unix_timestamp":0}],"field_2_raw":[1,2],"field_54_raw":[]}
{"id":"3","field_52_raw":[null,{}],"field_53":"","field_2_raw":"","field_54_raw":["x"]}
IN
{"id":"1","number":7,"Phones":"1, 2","Visits":"1970-01-01T00:00:00-06:00, 1970-01-02T00:00:00-06:00","Where":"A, B, C"}
{"id":"2","number":"1, 2","Phones":"1","Visits":"1970-01-01T00:00:00-06:00","Where":null}
{"id":"3","number":null,"Phones":null,"Visits":null,"Where":"x"}
OUT
t 'a bad one among many' 65 f --view view_1 3</dev/null <<'IN'
{"id":"1","field_53_raw":[{"unix_timestamp":0},{"unix_timestamp":"x"}]}
IN
said 'column "Visits": field_53: unix_timestamp is no number'
t 'a view without columns has what its records have' 0 f --view view_2 <<'IN' 3<<'OUT'
{"id":"1","field_51":"a","field_1":"b"}
{"id":"2","field_2":3}
IN
{"id":"1","short_text":"b","Place":"a"}
{"id":"2","short_text":null,"number":3,"Place":null}
OUT
t 'fields join as they come up' 0 f <<'IN' 3<<'OUT'
{"id":"1"}
{"id":"2","field_51":"a"}
{"id":"3","field_1":"b"}
IN
{"id":"1"}
{"id":"2","Place":"a"}
{"id":"3","short_text":"b","Place":null}
OUT

# ---- names ----

jq -c '.application.objects[1].fields = [
  {"key":"field_1x","name":"id","type":"short_text"}, {"key":"field_2x","name":"Stop-ID No","type":"number"},
  {"key":"field_3x","name":"ÀÉÎ Ωδός Улица","type":"number"}, {"key":"field_4x","name":"a \"b\", c","type":"number"}]' meta.json >names.json
echo '{"id":"1","field_1x":"x","field_2x":2,"field_3x":3,"field_4x":4}' >one
t 'names as in the Builder; a field called id' 0 knack-format -m names.json --object object_2 one 3<<'OUT'
{"id":"1","_id":"x","Stop-ID No":2,"ÀÉÎ Ωδός Улица":3,"a \"b\", c":4}
OUT
t '--keys lower_snake' 0 knack-format -m names.json --object object_2 --keys lower_snake one 3<<'OUT'
{"id":"1","_id":"x","stop_id_no":2,"àéî_ωδός_улица":3,"a_\"b\",_c":4}
OUT
t '... and in Python it is the same' 0 env PYTHONIOENCODING=utf8 python3 -c 'print("ÀÉÎ Ωδός Улица".lower().replace(" ", "_"))' 3<<'OUT'
àéî_ωδός_улица
OUT
t '--keys keys' 0 knack-format -m names.json --object object_2 --keys keys one 3<<'OUT'
{"id":"1","field_1x":"x","field_2x":2,"field_3x":3,"field_4x":4}
OUT
t 'CSV' 0 knack-format -m names.json --object object_2 --to csv one 3<<'OUT'
id,_id,Stop-ID No,ÀÉÎ Ωδός Улица,"a ""b"", c"
1,x,2,3,4
OUT
jq -c '.application.objects[1].fields = [
  {"key":"field_1x","name":"Status","type":"short_text"}, {"key":"field_2x","name":"Other","type":"number"},
  {"key":"field_3x","name":"Status","type":"number"}, {"key":"field_4x","name":"status","type":"number"},
  {"key":"field_5x","name":"ID","type":"number"}]' meta.json >twice.json
echo '{"id":"1","field_1x":"x","field_2x":2,"field_3x":3,"field_4x":4,"field_5x":5}' >one
cat one one >two
t 'two fields of one name: an error before the first record' 65 knack-format -m twice.json --object object_2 two 3</dev/null
said 'field_1x and field_3x are both "Status": see --same-name'
t '--same-name last' 0 knack-format -m twice.json --object object_2 --same-name last two 3<<'OUT'
{"id":"1","Status":3,"Other":2,"status":4,"ID":5}
{"id":"1","Status":3,"Other":2,"status":4,"ID":5}
OUT
[ "$(grep -c 'field_1x is left out' err)" -eq 1 ]; ok $? '... which is said, once'
t '--same-name key' 0 knack-format -m twice.json --object object_2 --same-name key one 3<<'OUT'
{"id":"1","Status":"x","Other":2,"Status (field_3x)":3,"status":4,"ID":5}
OUT
t '... and what lower_snake makes one' 0 knack-format -m twice.json --object object_2 --same-name key --keys lower_snake one 3<<'OUT'
{"id":"1","status":"x","other":2,"status_field_3x":3,"status_field_4x":4,"_id":5}
OUT
t '... and last of three' 0 knack-format -m twice.json --object object_2 --same-name last --keys lower_snake one 3<<'OUT'
{"id":"1","status":4,"other":2,"_id":5}
OUT
said 'field_1x is left out'
said 'field_3x is left out'
t '... and keys never meet' 0 knack-format -m twice.json --object object_2 --keys keys one 3<<'OUT'
{"id":"1","field_1x":"x","field_2x":2,"field_3x":3,"field_4x":4,"field_5x":5}
OUT
t 'a name that is taken even with its key' 65 knack-format -m - --object object_2 --same-name key one 3</dev/null <<IN
$(jq -c '.application.objects[1].fields[1].name = "Status (field_3x)"' twice.json)
IN
said 'both "Status (field_3x)": rename one in Knack'
t 'two of one name when the second comes up' 65 knack-format -m twice.json 3<<'OUT' <<'IN'
{"id":"1","Status":"x"}
OUT
{"id":"1","field_1x":"x"}
{"id":"2","field_3x":3}
IN
said 'field_1x and field_3x are both "Status"'

# ---- parts and raw values ----

cat >parts <<'IN'
{"id":"1","field_8":"B, A","field_8_raw":{"first":"A","last":"B"},"field_12":"x","field_12_raw":{"street":"S","city":"C","latitude":"30.1","longitude":-97.50,"zip":""}}
{"id":"2","field_8":"","field_12":""}
IN
t '--expand' 0 f --expand --keys lower_snake parts 3<<'OUT'
{"id":"1","name_first":"A","name_middle":null,"name_last":"B","address_city":"C","address_state":null,"address_street":"S","address_street2":null,"address_zip":"","address_country":null,"address_latitude":"30.1","address_longitude":-97.50}
{"id":"2","name_first":null,"name_middle":null,"name_last":null,"address_city":null,"address_state":null,"address_street":null,"address_street2":null,"address_zip":null,"address_country":null,"address_latitude":null,"address_longitude":null}
OUT
t '--expand --to csv' 0 f -x --keys keys --to csv parts 3<<'OUT'
id,field_8_first,field_8_middle,field_8_last,field_12_city,field_12_state,field_12_street,field_12_street2,field_12_zip,field_12_country,field_12_latitude,field_12_longitude
1,A,,B,C,,S,,"",,30.1,-97.50
2,,,,,,,,,,,
OUT
t '--raw of some' 0 f --raw field_12 --expand parts 3<<'OUT'
{"id":"1","name_first":"A","name_middle":null,"name_last":"B","address":{"street":"S","city":"C","latitude":"30.1","longitude":-97.50,"zip":""}}
{"id":"2","name_first":null,"name_middle":null,"name_last":null,"address":null}
OUT
t '--raw all' 0 f --raw all parts 3<<'OUT'
{"id":"1","name":{"first":"A","last":"B"},"address":{"street":"S","city":"C","latitude":"30.1","longitude":-97.50,"zip":""}}
{"id":"2","name":null,"address":null}
OUT
t 'parts of a text' 65 f --expand 3</dev/null <<'IN'
{"id":"1","field_12":"8700 Cameron Rd"}
IN
said 'column "address": field_12: no object with parts'

# ---- fields that the other side does not know ----

cat >odd <<'IN'
{"id":"1","field_51":"a","field_900":"x","field_900_raw":{"a": 1},"field_1":"other","field_1_raw":"other"}
{"id":"2","field_51":"b","field_900":"y","field_901_raw":[1, 2]}
IN
t 'what the metadata lack is left out' 0 f -q --object object_2 odd 3<<'OUT'
{"id":"1","Place":"a","Phones":null,"Visits":null,"Where":null}
{"id":"2","Place":"b","Phones":null,"Visits":null,"Where":null}
OUT
cat err >got
t '... and each named once' 0 cat got 3<<'OUT'
knack-format: field_900 is not in meta.json: left out: see --keep-unknown
knack-format: field_1, which is "short_text" of object_1, is not in object_2: left out: see --keep-unknown
knack-format: field_901 is not in meta.json: left out: see --keep-unknown
OUT
t '--keep-unknown' 0 f --object object_2 --keep-unknown odd 3<<'OUT'
{"id":"1","Place":"a","Phones":null,"Visits":null,"Where":null,"field_900":"x","field_900_raw":{"a": 1},"field_1":"other","field_1_raw":"other"}
{"id":"2","Place":"b","Phones":null,"Visits":null,"Where":null,"field_900":"y","field_901_raw":[1, 2]}
OUT
said 'field_52, "Phones", was in no record: null: is meta.json older than the records?'
said_not 'field_51'
t '--keep-unknown: the name of a column' 65 f --keep-unknown 3</dev/null <<'IN'
{"id":"1","field_51":"a","Place":"b"}
IN
said 'column "Place": an unknown field with the name of a column'
python3 -c '
import json
for i in range(3): print(json.dumps({"id": "a"} | {"x%d" % j: i for j in range(i * 700, i * 700 + 700)}))' >many
run 0 'more unknown fields than can be named' f many
[ "$(grep -c 'left out' err)" -eq 1001 ]; ok $? '... a thousand are, and that there are more'
said 'over 1000 fields are left out: no more of them are named'
t 'CSV takes no column after its header' 65 f --to csv 3<<'OUT' <<'IN'
id,Place
1,a
OUT
{"id":"1","field_51":"a"}
{"id":"2","field_51":"b","field_52":"1"}
IN
said '<stdin>:2: column "field_52": no column, since the first record did not have it: see --object and --view'
t '... but it has all of the object' 0 f --to csv --object object_2 3<<'OUT' <<'IN'
id,Place,Phones,Visits,Where
1," ",,,
2,"b ""c"", d",1,1970-01-01T00:00:00-06:00,
OUT
{"id":"1","field_51_raw":" "}
{"id":"2","field_51":"b \"c\", d","field_52":"1","field_53_raw":{"unix_timestamp":0}}
IN

# ---- bad records ----

bad() {			# bad MEMBERS REASON: a record with them is bad, for this reason
	t "$2" 65 f --object object_1 3</dev/null <<IN
{"id":"1",$1}
IN
	said "<stdin>:1: column \"$2"
}
bad '"field_7_raw":{"date":"09/11/2019"}' 'date_time": field_7: a date without unix_timestamp'
bad '"field_7_raw":{"unix_timestamp":"1568218440000"}' 'date_time": field_7: unix_timestamp is no number'
bad '"field_7_raw":{"unix_timestamp":null}' 'date_time": field_7: unix_timestamp is no number'
bad '"field_7_raw":{"unix_timestamp":253402300800000}' 'date_time": field_7: unix_timestamp is not in the years 1 to 9999'
bad '"field_7_raw":{"unix_timestamp":1e300}' 'date_time": field_7: unix_timestamp is not in the years 1 to 9999'
bad '"field_7_raw":{"unix_timestamp":-99999999999999999999}' 'date_time": field_7: unix_timestamp is not in the years 1 to 9999'
bad '"field_7":"09/11/2019"' 'date_time": field_7: no date object'
bad '"field_7_raw":[{"unix_timestamp":0}]' 'date_time": field_7: an array where an object is due'
bad '"field_9_raw":["a@b.c"]' 'email": field_9: an array where an object is due'
bad '"field_9_raw":{"email":{"a":1}}' 'email": field_9: an object or an array where text is due'
bad '"field_12_raw":[{"city":"A"}]' 'address": field_12: an array where an object is due'
bad '"field_12_raw":{"city":["A"]}' 'address": field_12: an object or an array where text is due'
bad '"field_14_raw":{"id":"x"}' 'file": field_14: a file without a url'
bad '"field_16_raw":"<span>"' 'connection": field_16: no array of connected records'
bad '"field_16_raw":["x"]' 'connection": field_16: a connected record that is no object'
bad '"field_16_raw":[{"id":"x"}]' 'connection": field_16: a connected record without an identifier'
bad '"field_16_raw":[{"identifier":"a"},{"identifier":[1]}]' 'connection": field_16: an object or an array where text is due'
t 'no id' 65 f 3</dev/null <<'IN'
{"field_1":"a"}
IN
said 'column "id": no id: is it a record of Knack?'
t 'a page, not records' 65 f 3</dev/null <<'IN'
{"total_pages":1,"records":[{"id":"1"}]}
IN
said 'see json-explode'
t 'an array' 65 f 3</dev/null <<'IN'
[{"id":"1"}]
IN
said 'use json-explode'
cat >mixed <<'IN'
{"id":"1","field_51":"a"}
{"id":"2","field_51":"b","field_53_raw":{"hours":"04"}}
{"id":"3","field_51":"c"
{"id":"4","field_51":"d"}
IN
t '--rejects: the others go through' 0 f --object object_2 --rejects bad.json mixed 3<<'OUT'
{"id":"1","Place":"a","Phones":null,"Visits":null,"Where":null}
{"id":"4","Place":"d","Phones":null,"Visits":null,"Where":null}
OUT
t '... and the bad ones are there' 0 jq -c . bad.json 3<<'OUT'
{"line":2,"column":"Visits","reason":"field_53: a date without unix_timestamp","record":{"id":"2","field_51":"b","field_53_raw":{"hours":"04"}}}
{"line":3,"column":null,"reason":"record is cut at byte 25","record":"{\"id\":\"3\",\"field_51\":\"c\""}
OUT
rm bad.json
t '--max-rejects' 65 f -q --object object_2 --rejects bad.json --max-rejects 1 mixed 3</dev/null
said '2 of 3 records are bad'
[ "$(wc -l <bad.json)" -eq 2 ]; ok $? '... and both are there to see'
t 'good records before a bad one go out' 65 f -q --object object_2 mixed 3<<'OUT'
{"id":"1","Place":"a","Phones":null,"Visits":null,"Where":null}
OUT

# ---- the metadata ----

meta() {		# meta STATUS SAID [OPTION...]: the document on standard input
	cat >m.json; want=$1 text=$2; shift 2
	run "$want" "metadata: $text" knack-format -m m.json "$@" all.ndjson
	said "$text"
	[ ! -s out ]; ok $? '... and nothing is written'
}
meta 65 'm.json: empty' </dev/null
meta 65 'm.json: byte 17: ends in the middle' <<'IN'
{"application":
IN
meta 65 'text after the document' <<'IN'
{"application":{"objects":[]}} {}
IN
meta 65 'no "application": want what knack-fetch --describe writes' <<'IN'
{"records":[]}
IN
meta 65 'no "objects"' <<'IN'
{"application":{"scenes":[]}}
IN
meta 65 'object 1 has no "key"' <<'IN'
{"application":{"objects":[{"name":"x"}]}}
IN
meta 65 'object_1 has no "fields"' <<'IN'
{"application":{"objects":[{"key":"object_1","name":"x"}]}}
IN
meta 65 'field 2 has no "type"' <<'IN'
{"application":{"objects":[{"key":"object_1","name":"x","fields":[{"key":"field_1","name":"a","type":"x"},{"key":"field_2","name":"b"}]}]}}
IN
meta 65 'field_1 comes twice' <<'IN'
{"application":{"objects":[{"key":"object_1","name":"x","fields":[{"key":"field_1","name":"a","type":"x"},{"key":"field_1","name":"b","type":"x"}]}]}}
IN
meta 65 'the key field_1 is that of another field, or of its raw value' <<'IN'
{"application":{"objects":[{"key":"object_1","name":"x","fields":[{"key":"field_1_raw","name":"a","type":"x"},{"key":"field_1","name":"b","type":"x"}]}]}}
IN
meta 65 'view 1 has no "key"' <<'IN'
{"application":{"objects":[],"scenes":[{"key":"scene_1","views":[{}]}]}}
IN
meta 65 'scene 1 has no "key"' <<'IN'
{"application":{"objects":[],"scenes":[{}]}}
IN
meta 65 'a field has the key id' <<'IN'
{"application":{"objects":[{"key":"object_1","name":"x","fields":[{"key":"id","name":"a","type":"x"}]}]}}
IN
meta 78 'the application has no time zone: see --zone' <<'IN'
{"application":{"objects":[]}}
IN
meta 78 'time zone "Mars": not known: see --zone' <<'IN'
{"application":{"objects":[],"settings":{"timezone":"Mars"}}}
IN
meta 78 '--object object_9: m.json has no such object: want one such as object_1' --object object_9 <meta.json
meta 78 '--view view_9: m.json has no such view' -V view_9 <meta.json
meta 78 '--raw field_77: m.json has no such field' --raw field_1,field_77 <meta.json
for zone in ../../etc/passwd /etc/localtime right/UTC posix/UTC America ''; do
	run 78 "--zone '$zone'" f --zone "$zone" all.ndjson
	said "time zone \"$zone\": not known"
done
mkdir zones && echo TZif >zones/Torn && echo x >zones/Else
for zone in Torn Else; do
	run 78 "rules that libc can't read: $zone" env TZDIR="$PWD/zones" knack-format -m meta.json --zone $zone one
	said "zones/$zone: no rules of a time zone"
done
run 78 'no time zones on the machine' env TZDIR=/nonexistent knack-format -m meta.json all.ndjson
said 'no time zones in /nonexistent: install the package tzdata'
t '--zone where the application has none' 0 knack-format -m - --zone UTC one 3<<'OUT' <<'IN'
{"id":"1"}
OUT
{"application":{"objects":[]}}
IN
t 'metadata on one line, from a pipe' 0 bash -c 'knack-format -q -m <(jq -c . meta.json) --object object_2 odd' 3<<'OUT'
{"id":"1","Place":"a","Phones":null,"Visits":null,"Where":null}
{"id":"2","Place":"b","Phones":null,"Visits":null,"Where":null}
OUT

# ---- input and output ----

run 0 'no input' f --object object_2 </dev/null
t 'no input: a header' 0 f --object object_2 --to csv 3<<'OUT' </dev/null
id,Place,Phones,Visits,Where
OUT
t 'no newline at the end, a BOM, CRLF, blank lines' 0 f < <(printf '\357\273\277{"id":"1"}\r\n\r\n\n{"id":"2"}') 3<<'OUT'
{"id":"1"}
{"id":"2"}
OUT
head -n 1 mixed >mixed.a; tail -n 1 mixed >mixed.b
t 'files one after the other' 0 f -q --object object_2 mixed.a mixed.b 3<<'OUT'
{"id":"1","Place":"a","Phones":null,"Visits":null,"Where":null}
{"id":"4","Place":"d","Phones":null,"Visits":null,"Where":null}
OUT
python3 - <<'PY' >huge
print('{"id":"1","field_1":"%s","field_6_raw":["%s"],"field_17":"%s"}' % ("x" * 3000000, '","'.join(["y"] * 500000), "<span>" * 300000 + "z"))
PY
run 0 'a record of 8 MB' f huge
[ "$(jq -r '.timer, (.short_text | length), (.multiple_choice | length)' out | tr '\n' ' ')" = 'z 3000000 1499998 ' ]
ok $? '... is all there'
run 65 'a record over --max-record' f --max-record 1M huge
said 'record over 1 MiB'
rm huge
for i in 1 2 3 4 5 6 7 8; do cat all.ndjson all.ndjson all.ndjson all.ndjson; done >block
for i in $(seq 60); do cat block; done >big
run 0 "$(du -h big | cut -f 1) in bounded memory" limited 40000 knack-format "knack-format -m $knack/metadata.json --object object_3 big >big.out"
[ "$(wc -l <big.out)" -eq 48000 ] && [ "$(sort -u big.out | wc -l)" -eq 25 ]
ok $? '... and every record is there'
run 0 'a reader that leaves' bash -c "knack-format -m $knack/metadata.json --object object_3 big | head -n 1 >/dev/null; [ \"\${PIPESTATUS[0]}\" -eq 141 ]"
said_not 'knack-format'
rm big big.out block

run 74 'a full disk is no success' sh -c 'knack-format -q -m meta.json odd >/dev/full'
run 74 'a read error is no end of input' f <.
run 74 'nor one of the metadata' knack-format -m . odd
run 66 'no such file' f nowhere
run 66 'no such metadata' knack-format -m nowhere odd
said 'nowhere'
run 73 'rejects that can not be' f --rejects /nonexistent/bad odd
usage() {		# usage SAID OPTION...: known before a byte is read, of either
	text=$1; shift
	run 64 "usage: $text" knack-format "$@" </dev/null
	said "$text"
}
usage 'no --metadata'
usage '--object and --view: choose one' -m nowhere --object object_1 -V view_1
usage '--metadata -: standard input has the records' -m -
usage '--metadata -: standard input has the records' -m - -
usage '--keys' -m nowhere --keys upper
usage '--same-name' -m nowhere --same-name first
usage '--to' -m nowhere --to xml
usage '--nonsense' -m nowhere --nonsense
done_testing
