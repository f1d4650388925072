#!/bin/bash
# agol-push: every record is in the layer once, whatever the server answers, or the run says that it is not.
# Slow in its second part, which the quick run leaves out: hundreds of runs, of which some wait for time limits.
. "$(dirname "$0")/lib.sh"
unset http_proxy all_proxy ALL_PROXY AGOL_TOKEN AGOL_API_KEY AGOL_USERNAME AGOL_PASSWORD AGOL_CLIENT_ID AGOL_CLIENT_SECRET
unset AGOL_TOKEN_FILE AGOL_API_KEY_FILE AGOL_USERNAME_FILE AGOL_PASSWORD_FILE AGOL_CLIENT_ID_FILE AGOL_CLIENT_SECRET_FILE

item=0123456789abcdef0123456789abcdef
cat >services.json <<X
[{"item":"$item","name":"signals","layers":[
 {"id":0,"name":"Signals","geometryType":"esriGeometryPoint","fields":[
  {"name":"id","type":"esriFieldTypeString","length":24},{"name":"name","type":"esriFieldTypeString","length":10},
  {"name":"Note","type":"esriFieldTypeString","length":1000},{"name":"n","type":"esriFieldTypeInteger"},
  {"name":"small","type":"esriFieldTypeSmallInteger"},{"name":"big","type":"esriFieldTypeBigInteger"},
  {"name":"ratio","type":"esriFieldTypeDouble"},{"name":"at","type":"esriFieldTypeDate"},
  {"name":"day","type":"esriFieldTypeDateOnly"},{"name":"clock","type":"esriFieldTypeTimeOnly"},
  {"name":"stamp","type":"esriFieldTypeTimestampOffset"},{"name":"guid","type":"esriFieldTypeGUID"},
  {"name":"must","type":"esriFieldTypeInteger","nullable":false,"defaultValue":7},
  {"name":"blob","type":"esriFieldTypeBlob"},
  {"name":"Creator","type":"esriFieldTypeString","length":50,"editable":false},
  {"name":"GlobalID","type":"esriFieldTypeGlobalID"}]},
 {"id":3,"name":"Corridors","geometryType":"esriGeometryMultipoint","objectIdField":"FID","fields":[
  {"name":"id","type":"esriFieldTypeInteger"},{"name":"name","type":"esriFieldTypeString"}]},
 {"id":4,"name":"Roads","geometryType":"esriGeometryPolyline","fields":[{"name":"id","type":"esriFieldTypeString"}]}],
 "tables":[{"id":7,"name":"Notes","fields":[{"name":"id","type":"esriFieldTypeString"},{"name":"g","type":"esriFieldTypeGUID"}]}]},
 {"item":"aaaa0000","name":"alone","tables":[{"id":2,"name":"Alone","fields":[{"name":"id","type":"esriFieldTypeString"}]}]},
 {"item":"bbbb0000","name":"elsewhere","url":"http://localhost:1/services/x/FeatureServer","layers":[]},
 {"item":"cccc0000","name":"map","type":"Web Map","layers":[]}]
X
start_server agol "$here/servers/arcgis.py" --services services.json
export AGOL_USERNAME=maps AGOL_PASSWORD=secret
signals=$agol/org/arcgis/rest/services/signals/FeatureServer
control() {
	curl -sS -o control.out --data-binary "$1" "$agol/control"
	[[ $(<control.out) == *'"ok"'* ]] || give_up "control: $(<control.out)"
}
log() { curl -sS "$agol/log"; }
asked() { log | jq -r '.path | split("/") | last' | sort | uniq -c | sed 's/^ *//' | paste -sd ,; }
there() {		# there [LAYER [MEMBER,...]]: what the layer has
	curl -sS "$agol/features/${1:-signals/0}?pick=${2:-attributes.id,attributes.name,geometry.x,geometry.y}"
}
there_jq() {		# there_jq LAYER FILTER: the same, as the filter makes it
	curl -sS "$agol/features/$1" | jq -c "$2"
}
push() { agol-push --portal "$agol" --retry-wait 0.01 "$@"; }
p() { push "$item" --layer 0 --key id "$@"; }
did() {			# did STATUS NAME COMMAND...: as run, and keeps the receipt
	run "$@"
	cp out last
}
receipt() { sed -E 's/"(tool|layer|seconds|requests)":("[^"]*"|[0-9.]+),?//g; s/,}$/}/' last; }
fresh() {		# fresh [CONTROL]: the layer is empty; then this is done
	control '[{"reset":true,"features":{"layer":"signals/0","features":[]}}'"${1:+,}${1-}]"
}
fault() { control "{\"reset\":true,\"faults\":[$1]}"; }

# ---- an upsert ----

cat >one <<'X'
{"id":"a","name":"Lamar","latitude":"30.25","longitude":-97.75}
{"id":"b","name":"Guadalupe","latitude":30.5,"longitude":"-97.5"}
X
did 0 'new features' p --geometry point=latitude,longitude one
t '... and the receipt' 0 receipt 3<<'OUT'
{"mode":"upsert","read":2,"added":2,"updated":0,"deleted":0,"sanitized":0,"rejected":0}
OUT
t '... are there, in degrees' 0 there 3<<'OUT'
["a","Lamar",-97.75,30.25]
["b","Guadalupe",-97.5,30.5]
OUT
asked >got
t '... by so many requests' 0 cat got 3<<OUT
1 0,1 $item,1 FeatureServer,1 addFeatures,1 generateToken,1 query
OUT
log | jq -r 'select(.path | endswith("generateToken") | not) | [.headers["x-esri-authorization"] != null, .headers.referer, .token == .query.token] | tostring' | sort -u >got
t '... with the token in a header, and the referer' 0 cat got 3<<OUT
[true,"$agol",false]
OUT
log | jq -r 'select(.path | endswith("addFeatures")) | .body | .rollbackOnFailure, (.features | fromjson[0] | tostring)' >got
t '... and as the layer wants them' 0 cat got 3<<'OUT'
false
{"attributes":{"id":"a","name":"Lamar"},"geometry":{"x":-97.75,"y":30.25,"spatialReference":{"wkid":4326}}}
OUT
cat >two <<'X'
{"id":"b","name":"Guada"}
{"id":"c","name":"Congress","latitude":"","longitude":null}
{"id":"a","latitude":30.3,"longitude":-97.8}
X
did 0 'some are there' p --geometry point=latitude,longitude two
t '... and are updated' 0 receipt 3<<'OUT'
{"mode":"upsert","read":3,"added":1,"updated":2,"deleted":0,"sanitized":0,"rejected":0}
OUT
t 'what a record does not speak of stays' 0 there 3<<'OUT'
["a","Lamar",-97.8,30.3]
["b","Guada",-97.5,30.5]
["c","Congress",null,null]
OUT
did 0 'the same again' p --geometry point=latitude,longitude two
t '... changes nothing' 0 there 3<<'OUT'
["a","Lamar",-97.8,30.3]
["b","Guada",-97.5,30.5]
["c","Congress",null,null]
OUT
did 0 'by the URL of the layer, as CSV' push --url "$signals/0/" --key id --geometry point=lat,lon <<'IN'
id,name,lat,lon
d,"x ""y"", z",30.1,-97.1
a,,,
IN
t '... where blanks are no values' 0 there 3<<'OUT'
["a",null,null,null]
["b","Guada",-97.5,30.5]
["c","Congress",null,null]
["d","x \"y\", z",-97.1,30.1]
OUT
did 0 'by the URL of the service' push --url "$signals" --layer 0 --key id two
said_not 'warning'
fresh
did 0 'a key that comes twice' p <<'IN'
{"id":"a","name":"first"}
{"id":"b","name":"other"}
{"id":"a","name":"second"}
IN
t '... the last one counts' 0 there 3<<'OUT'
["b","other",null,null]
["a","second",null,null]
OUT
t '... and the other is superseded' 0 receipt 3<<'OUT'
{"mode":"upsert","read":3,"added":2,"updated":0,"deleted":0,"superseded":1,"sanitized":0,"rejected":0}
OUT
did 0 'also across requests' p --chunk 1 <<'IN'
{"id":"c","name":"first"}
{"id":"c","name":"second"}
IN
t '... where it is an update' 0 receipt 3<<'OUT'
{"mode":"upsert","read":2,"added":1,"updated":1,"deleted":0,"sanitized":0,"rejected":0}
OUT
fresh
did 0 'keys that would be SQL' p <<'IN'
{"id":"it's","name":"1"}
{"id":"') OR (1=1","name":"2"}
{"id":"a, b & c=d%","name":"3"}
{"id":"ü \"q\" \\","name":"4"}
{"id":"--","name":"5"}
IN
did 0 '... again' p <<'IN'
{"id":"it's","name":"11"}
{"id":"') OR (1=1","name":"22"}
{"id":"a, b & c=d%","name":"33"}
{"id":"ü \"q\" \\","name":"44"}
{"id":"--","name":"55"}
IN
t '... are only keys' 0 there signals/0 attributes.id,attributes.name 3<<'OUT'
["it's","11"]
["') OR (1=1","22"]
["a, b & c=d%","33"]
["ü \"q\" \\","44"]
["--","55"]
OUT

# ---- values ----

fresh
did 0 'a value of each type' p --quiet <<'IN'
{"id":"1","name":true,"NOTE":["x","y",3,null,{"a":1}],"n":"12","small":false,"big":9007199254740991,"ratio":"1.50","at":"2024-01-31T23:59:59.5-06:00","day":"2024-01-31T23:59","clock":"23:59:59","stamp":"2024-01-31 10:00","guid":"{6F9619FF-8B86-D011-B42D-00C04FC964FF}","must":true}
{"id":2,"name":1.50,"Note":{"a":[1, 2]},"n":-3.0,"small":"","big":" 7 ","ratio":".5"}
{"id":"3","name":"","n":1e3,"ratio":"+.5","at":"2024-07-01","day":null,"stamp":"2024-07-01T00:00:00Z"}
{"id":"4","at":1700000000123,"name":"a😀😀😀😀b","ratio":-0.0,"n":"-0"}
{"id":"5","at":"1969-12-31T23:59:59.9999Z","name":null,"ratio":"007","big":"-9007199254740992","n":2147483647,"small":"-32768"}
IN
said_not 'warning'
t '... as the layer has them' 0 there_jq signals/0 '.attributes | del(.OBJECTID, .Creator, .GlobalID) | with_entries(select(.value != null))' 3<<'OUT'
{"id":"1","name":"True","Note":"x, y, 3, {\"a\":1}","n":12,"small":0,"big":9007199254740991,"ratio":1.5,"at":1706767199500,"day":"2024-01-31","clock":"23:59:59","stamp":"2024-01-31T10:00:00Z","guid":"{6F9619FF-8B86-D011-B42D-00C04FC964FF}","must":1}
{"id":"2","name":"1.50","Note":"{\"a\":[1, 2]}","n":-3,"big":7,"ratio":0.5,"must":7}
{"id":"3","name":"","n":1000,"ratio":0.5,"at":1719792000000,"stamp":"2024-07-01T00:00:00Z","must":7}
{"id":"4","name":"a😀😀😀😀b","n":0,"ratio":0,"at":1700000000123,"must":7}
{"id":"5","n":2147483647,"small":-32768,"big":-9007199254740992,"ratio":7,"at":-1,"must":7}
OUT
fresh
did 0 'dates in a time zone' p --zone America/Chicago <<'IN'
{"id":"1","at":"2024-01-31 23:59:59","stamp":"2024-07-01 10:00"}
{"id":"2","at":"2024-07-01","day":"2024-07-01"}
{"id":"3","at":"2024-07-01T00:00:00Z"}
IN
t '... are as the clock there was' 0 there signals/0 attributes.at,attributes.day,attributes.stamp 3<<'OUT'
[1706767199000,null,"2024-07-01T10:00:00-05:00"]
[1719810000000,"2024-07-01",null]
[1719792000000,null,null]
OUT
fresh
while IFS='|' read -r value why; do
	printf '{"id":"good"}\n{"id":"x",%s}\n' "$value" >in
	run 65 "bad: $value" p in
	said "in:2: column $why"
done <<'X'
"name":"eleven more"|"name": 11 characters, and the layer takes 10
"name":"a😀😀😀😀😀"|"name": 11 characters, and the layer takes 10
"n":"12.5"|"n": "12.5" is no integer
"n":2147483648|"n": "2147483648" is too large for an integer of 32 bits
"small":40000|"small": "40000" is too large for an integer of 16 bits
"big":99999999999999999999|"big": "99999999999999999999" is too large
"n":"0x10"|"n": "0x10" is no integer
"n":"twelve"|"n": "twelve" is no integer
"n":[1]|"n": an array, and the layer wants a single value
"ratio":{"a":1}|"ratio": an object, and the layer wants a single value
"ratio":"nan"|"ratio": "nan" is no number
"ratio":"1e999"|"ratio": "1e999" is no number
"at":"31/12/2024"|"at": "31/12/2024" is no ISO 8601 date
"at":"2024-02-30"|"at": "2024-02-30" is no date: that month has no such day
"at":true|"at": "true" is no ISO 8601 date
"at":12.5|"at": "12.5" is no integer
"must":null|"must": no value, and the layer wants one
"must":" "|"must": no value, and the layer wants one
"blob":"eA=="|"blob": of a type that is not loaded
"NAME":"a","name":"b"|"name": "NAME" is the same field of the layer
X
run 65 'no key' p <<'IN'
{"name":"x"}
IN
said '<stdin>:1: column "id": no value, and it is the key'
for key in null '""'; do
	echo "{\"id\":$key}" >in
	run 65 "a key that is $key" p in
	said 'no value, and it is the key'
done
run 65 'nothing for the layer' push "$item" --layer 0 --replace --in-place --max-delete 100% <<'IN'
{"other":1}
IN
said 'no field of it is in Signals'
run 65 'a cut record' p <<'IN'
{"id":"x"
IN
log | grep -c Features >got
t 'a bad record leaves the layer alone, and so do the good ones before it' 0 cat got 3<<'OUT'
0
OUT
cat >mixed <<'X'
{"id":"1","n":1}
{"id":"2","n":"two"}
{"n":3}
{"id":"4","n":4}
X
did 0 '--rejects' p --rejects bad.json mixed
t '... and the receipt counts them' 0 receipt 3<<'OUT'
{"mode":"upsert","read":4,"added":2,"updated":0,"deleted":0,"sanitized":0,"rejected":2}
OUT
t '... and they are there' 0 cat bad.json 3<<'OUT'
{"line":2,"column":"n","reason":"\"two\" is no integer","record":{"id":"2","n":"two"}}
{"line":3,"column":"id","reason":"no value, and it is the key","record":{"n":3}}
OUT
fresh
run 65 '--max-rejects' p --rejects bad.json --max-rejects 25% mixed
said '2 of 4 records are bad, more than --max-rejects 25%'
there >got
same '... and nothing was sent' /dev/null got
did 0 'fields that the layer lacks' p <<'IN'
{"id":"1","extra":1,"OBJECTID":77,"creator":"me"}
{"id":"2","extra":2,"more":[1]}
IN
said 'Signals lacks these fields, which are not sent: extra, more'
said 'Signals fills these fields itself, which are not sent: OBJECTID, creator'
[ "$(wc -l <err)" -eq 2 ]; ok $? '... are named once'
did 0 '--strict' p --strict --rejects bad.json <<'IN'
{"id":"1","extra":1}
{"id":"2","Creator":"me"}
IN
t '... makes them bad' 0 cat bad.json 3<<'OUT'
{"line":1,"column":"extra","reason":"Signals has no such field","record":{"id":"1","extra":1}}
OUT
did 0 'more names than are worth remembering' p < <(for i in {1..100}; do printf '{"id":"%d"' "$i"; printf ',"field_with_a_name_%d":0' $(seq $((i * 50)) $((i * 50 + 49))); echo '}'; done)
said 'and more'

# ---- keys of other types ----

fresh
corridors() { push "$item" --layer 3 --key id "$@"; }
did 0 'integers' corridors <<'IN'
{"id":1,"name":"a"}
{"id":"2","name":"b"}
{"id":-3.0,"name":"c"}
IN
did 0 '... again' corridors <<'IN'
{"id":"1.0","name":"aa"}
{"id":2,"name":"bb"}
{"id":"-3","name":"cc"}
IN
t '... are the same numbers' 0 there signals/3 attributes.FID,attributes.id,attributes.name 3<<'OUT'
[1,1,"aa"]
[2,2,"bb"]
[3,-3,"cc"]
OUT
notes() { push "$item" --layer 7 --key g "$@"; }
did 0 'GUIDs' notes <<'IN'
{"g":"{6F9619FF-8B86-D011-B42D-00C04FC964FF}","id":"a"}
IN
control '{"features":{"layer":"signals/7","features":[{"attributes":{"g":"6f9619ff-8b86-d011-b42d-00c04fc964ff","id":"a"}}]}}'
log | jq -r 'select(.path | endswith("query")) | .body.where' | sort -u >got
t '... are asked for in small letters' 0 cat got 3<<'OUT'
g IN ('6f9619ff-8b86-d011-b42d-00c04fc964ff')
id IN (-3,1,2)
OUT
for bad in 'ratio:want a field of text or integers' 'OBJECTID:Signals fills it itself' 'nothing:Signals has no such field'; do
	run 78 "--key ${bad%%:*}" push "$item" --layer 0 --key "${bad%%:*}" one
	said "--key ${bad%%:*}: ${bad#*:}"
done

# ---- geometry ----

fresh
did 0 'locations' p --location location --quiet <<'IN'
{"id":"knack","location":{"street":"1 Main","latitude":"30.25","longitude":-97.75}}
{"id":"text","location":"{\"latitude\":30.5,\"longitude\":\"-97.5\"}"}
{"id":"geojson","location":{"type":"Point","coordinates":[-97.25,30.125,200]}}
{"id":"one of one","location":[{"latitude":"","longitude":""},{"latitude":30,"longitude":-97}]}
{"id":"blank","location":{"latitude":"","longitude":""}}
{"id":"street only","location":{"street":"1 Main"}}
{"id":"empty text","location":" "}
{"id":"null","location":null}
{"id":"none"}
{"id":"empty array","location":[]}
{"id":"empty geojson","location":{"type":"Point","coordinates":[]}}
{"id":"null geojson","location":{"type":"Point","coordinates":null}}
{"id":"edge","location":{"latitude":-85,"longitude":"180"}}
{"id":"zero","location":{"latitude":"0","longitude":"+.0"}}
IN
t '... as points' 0 there signals/0 attributes.id,geometry.x,geometry.y 3<<'OUT'
["knack",-97.75,30.25]
["text",-97.5,30.5]
["geojson",-97.25,30.125]
["one of one",-97,30]
["blank",null,null]
["street only",null,null]
["empty text",null,null]
["null",null,null]
["none",null,null]
["empty array",null,null]
["empty geojson",null,null]
["null geojson",null,null]
["edge",180,-85]
["zero",0,0]
OUT
log | jq -r 'select(.path | endswith("addFeatures")) | .body.features | fromjson | map([.attributes.id, has("geometry"), .geometry != null]) | map(select(.[2] | not))[] | tostring' >got
t '... and what is none is null' 0 cat got 3<<'OUT'
["blank",true,false]
["street only",true,false]
["empty text",true,false]
["null",true,false]
["none",false,false]
["empty array",true,false]
["empty geojson",true,false]
["null geojson",true,false]
OUT
did 0 'a place that is lost' p --location location --quiet <<'IN'
{"id":"knack","location":""}
{"id":"text"}
IN
t '... and one that is not spoken of' 0 there_jq signals/0 'select(.attributes.id | IN("knack", "text")) | [.attributes.id, .geometry.x]' 3<<'OUT'
["knack",null]
["text",-97.5]
OUT
did 0 'several points' corridors --location where --quiet <<'IN'
{"id":10,"where":[{"latitude":"30.25","longitude":"-97.75"},null,{"latitude":null,"longitude":""},{"latitude":30.5,"longitude":-97.5}]}
{"id":11,"where":{"latitude":30.5,"longitude":-97.5}}
{"id":12,"where":{"type":"MultiPoint","coordinates":[[-97,30],[-98,31]]}}
{"id":13,"where":[]}
{"id":14,"where":{"type":"MultiPoint","coordinates":[]}}
IN
did 0 '... one of which is lost' corridors --location where --quiet <<'IN'
{"id":12,"where":[]}
IN
t '... are multipoints' 0 there_jq signals/3 'select(.attributes.id >= 10) | [.attributes.id, .geometry.points]' 3<<'OUT'
[10,[[-97.75,30.25],[-97.5,30.5]]]
[11,[[-97.5,30.5]]]
[12,null]
[13,null]
[14,null]
OUT
did 0 'coordinates of another system' p --wkid 102100 --geometry point=y,x <<'IN'
{"id":"mercator","x":-10880000,"y":3540000}
IN
t '... with a word which' 0 there_jq signals/0 'select(.attributes.id == "mercator") | [.geometry.x, .geometry.y]' 3<<'OUT'
[-97.7367029,30.2831631]
OUT
did 0 'CSV with a location' p --location where --quiet <<'IN'
id,where
csv,"{""latitude"":""30.25"",""longitude"":""-97.75""}"
IN
t '... is a point, too' 0 there_jq signals/0 'select(.attributes.id == "csv") | .geometry.x' 3<<'OUT'
-97.75
OUT
while IFS='|' read -r value why; do
	printf '{"id":"x","at":null,"where":%s}\n' "$value" >in
	run 65 "bad: $value" p --location where --quiet in
	said "column \"where\": $why"
done <<'X'
{"latitude":30.5}|a latitude without a longitude
{"latitude":"","longitude":-97.5}|a longitude without a latitude
{"latitude":"north","longitude":-97.5}|"north, -97.5" is no latitude and longitude
{"latitude":-97.5,"longitude":30.5}|latitude -97.5: past the pole: are they swapped?
{"latitude":30.5,"longitude":-197.5}|longitude -197.5: past 180
{"latitude":"NaN","longitude":"NaN"}|"NaN, NaN" is no latitude and longitude
[{"latitude":30,"longitude":-97},{"latitude":31,"longitude":-97}]|2 points, and the layer has single ones
{"type":"MultiPoint","coordinates":[[1,2],[3,4]]}|2 points, and the layer has single ones
{"type":"Polygon","coordinates":[[[0,0],[0,1],[1,1],[0,0]]]}|a GeoJSON Polygon, and only Point and MultiPoint are loaded
{"type":"Point","coordinates":5}|GeoJSON whose coordinates are no positions
{"type":"Point","coordinates":[5]}|GeoJSON whose coordinates are no positions
{"type":"MultiPoint","coordinates":5}|GeoJSON whose coordinates are no positions
[-97.5,30.5]|an array of no locations
"1 Main St"|"1 Main St" is no location
"{\"latitude\":"|"{"latitude":" is no location
12|12 is no location
true|true is no location
X
run 65 'half a pair of fields' p --geometry point=lat,lon <<'IN'
{"id":"x","lat":30}
IN
said 'column "lat": a latitude without a longitude'
did 0 'a field that no record has' p --location wheer <<'IN'
{"id":"knack"}
IN
said 'no record has the field of --location: geometry stays as it is'
did 0 'fields of a place that are the layer'"'"'s, too' p --geometry point=ratio,n --quiet <<'IN'
{"id":"both","ratio":30.25,"n":-97}
IN
t '... are attributes as well' 0 there_jq signals/0 'select(.attributes.id == "both") | [.geometry.x, .geometry.y, .attributes.ratio, .attributes.n]' 3<<'OUT'
[-97,30.25,30.25,-97]
OUT
did 0 'a table' push "$item" --layer 7 --key id --location where <<'IN'
{"id":"a","where":{"latitude":1,"longitude":2}}
IN
said 'Notes is a table: no geometry is sent'
run 78 'lines' push "$item" --layer 4 --key id --location where one
said 'Roads has lines or polygons'
did 0 'attributes of lines' push "$item" --layer 4 --key id one

# ---- < and > ----

fresh
cat >html <<'X'
{"id":"1","name":"a<b>c","Note":"x < y > z <script>"}
{"id":"2","name":"a < b","Note":"c > d"}
{"id":"<b>","name":"3"}
X
did 0 '--sanitize all' p --sanitize all html
t '... counts the values' 0 receipt 3<<'OUT'
{"mode":"upsert","read":3,"added":3,"updated":0,"deleted":0,"sanitized":2,"rejected":0}
OUT
t '... and spares the key, and values with one of the two' 0 there signals/0 attributes.id,attributes.name,attributes.Note 3<<'OUT'
["1","abc","x  y  z script"]
["2","a < b","c > d"]
["<b>","3",null]
OUT
fresh
did 65 '--sanitize name' p --sanitize NAME html
said '1 features were refused, the others are in: html:1: Field Note has invalid html content.'
t '... leaves the others to the server' 0 there signals/0 attributes.id,attributes.name 3<<'OUT'
["2","a < b"]
["<b>","3"]
OUT
run 78 '--sanitize of a field that there is not' p --sanitize name,nmae html
said '--sanitize nmae: Signals has no such field'

# ---- what the layer refuses ----

refusing() {		# refusing SETTINGS: the layer is empty, and these hold
	control "[{\"reset\":true,\"set\":{\"poison\":\"\",\"poison_whole\":false,\"rollback_results\":false}},
	    {\"layer\":{\"layer\":\"signals/0\",\"set\":{\"supportsRollbackOnFailureParameter\":true}}},
	    {\"features\":{\"layer\":\"signals/0\",\"features\":[{\"attributes\":{\"id\":\"7\",\"name\":\"old\",\"must\":1}}]}},$1]"
}
for i in {1..9}; do echo "{\"id\":\"$i\",\"name\":\"n$i\"}"; done >nine
sed 's/"n[357]"/"bad"/' nine >three-bad
for how in '{"set":{"poison":"\"bad\""}}' '{"set":{"poison":"\"bad\"","poison_whole":true}}' \
    '[{"set":{"poison":"\"bad\""}},{"layer":{"layer":"signals/0","set":{"supportsRollbackOnFailureParameter":false}}}]' \
    '[{"set":{"poison":"\"bad\"","rollback_results":true}},{"layer":{"layer":"signals/0","set":{"supportsRollbackOnFailureParameter":false}}}]'; do
	refusing "$how"
	did 65 "refused: $how" p three-bad
	said '3 features were refused, the others are in: three-bad:'
	t '... and the others are in' 0 there signals/0 attributes.id,attributes.name 3<<'OUT'
["7","old"]
["1","n1"]
["2","n2"]
["4","n4"]
["6","n6"]
["8","n8"]
["9","n9"]
OUT
	t '... as the receipt says' 0 receipt 3<<'OUT'
{"mode":"upsert","read":9,"added":6,"updated":0,"deleted":0,"sanitized":0,"rejected":3}
OUT
	refusing "$how"
	did 0 '... or they go to --rejects' p --rejects bad.json three-bad
	t '... by line' 0 jq -sc 'sort_by(.line)[] | [.line, .column, .record]' bad.json 3<<'OUT'
[3,null,{"id":"3","name":"bad"}]
[5,null,{"id":"5","name":"bad"}]
[7,null,{"id":"7","name":"bad"}]
OUT
	refusing "$how"
	did 65 '... unless there are too many' p --rejects bad.json --max-rejects 2 three-bad
	t '... and even then the others are in' 0 receipt 3<<'OUT'
{"mode":"upsert","read":9,"added":6,"updated":0,"deleted":0,"sanitized":0,"rejected":3}
OUT
done
refusing '{"set":{"poison":"bad"}}'
did 65 'the reason is the server'"'"'s' p three-bad
said 'three-bad:7: Poisoned.'
refusing '{"set":{"poison":"."}}'
did 65 'all refused' p nine
t '... one by one' 0 receipt 3<<'OUT'
{"mode":"upsert","read":9,"added":0,"updated":0,"deleted":0,"sanitized":0,"rejected":9}
OUT
refusing '{"set":{"poison":".","poison_whole":true}}'
for i in {100..200}; do echo "{\"id\":\"$i\"}"; done >many
did 65 'all refused, by the request' p many
said 'Signals refuses every feature: Invalid or unsafe content. (400)'
[ "$(log | grep -c addFeatures)" -lt 60 ]; ok $? '... is noticed' || log | grep -c addFeatures
refusing '{"layer":{"layer":"signals/0","set":{"capabilities":"Query"}}}'
run 77 'a layer that is not to be edited' p nine
said 'refused: "You do not have permissions to access this resource or perform this operation. (403)"'
control '{"layer":{"layer":"signals/0","set":{"capabilities":"Create,Delete,Query,Update,Editing"}}}'
fault '{"kind":"nonsense","match":"Features","body":"{\"error\":{\"message\":\"You do not have permissions to access this resource or perform this operation.\",\"details\":[]}}"}'
run 77 'the same without a code' p nine
fault '{"kind":"nonsense","match":"FeatureServer/0","body":"{\"name\":\"Signals\"}"}'
run 76 'a document without fields' p nine
said 'FeatureServer/0: no fields in its document: is it a layer?'
fault '{"kind":"nonsense","match":"FeatureServer/0","body":"{\"name\":\"Signals\",\"fields\":[]}"}'
run 76 'a document without an object id' p nine
said 'FeatureServer/0: no object id field in its document'
fault '{"kind":"nonsense","match":"query","body":"{\"features\":{}}"}'
run 76 'an answer to a query without features' p nine
said 'no features in the answer to a query'

# ---- a replace ----

old() {			# old N: the layer holds features 1 to N
	control "{\"reset\":true,\"features\":{\"layer\":\"signals/0\",\"features\":[$(for ((i = 1; i <= $1; i++)); do
		printf '%s{"attributes":{"id":"%d","name":"old","must":1}}' "${comma=}" "$i"; comma=,; done; unset comma)]}}"
}
ids() { there signals/0 attributes.id | tr -d '"[]' | sort -n | paste -sd ,; }
old 12
did 0 '--replace' p --replace nine
t '... updates, adds, and deletes what is gone' 0 receipt 3<<'OUT'
{"mode":"replace","read":9,"added":0,"updated":9,"deleted":3,"sanitized":0,"rejected":0}
OUT
t '... in this order, so that the layer is never empty' 0 sh -c "curl -sS $agol/log | jq -r '.path | split(\"/\") | last' | grep Features" 3<<'OUT'
updateFeatures
deleteFeatures
OUT
ids >got
t '... and leaves what was read' 0 cat got 3<<'OUT'
1,2,3,4,5,6,7,8,9
OUT
old 9
control '{"add":{"layer":"signals/0","features":[{"attributes":{"id":"3","must":1}},{"attributes":{"id":null,"must":1}},{"attributes":{"id":"3 ","must":1}}]}}'
run 78 'a key on two features' p nine
said 'key "3" is on two features'
did 0 '... which --replace mends' p --replace nine
ids >got
t '... and what has no key is gone' 0 cat got 3<<'OUT'
1,2,3,4,5,6,7,8,9
OUT
did 0 'by chunks of 2' p --replace --chunk 2 --max-delete 100% < <(tail -n 4 nine; echo '{"id":"10"}')
t '... too' 0 receipt 3<<'OUT'
{"mode":"replace","read":5,"added":1,"updated":4,"deleted":5,"sanitized":0,"rejected":0}
OUT
old 5
did 0 'a bad record is no gone one' p --replace --rejects bad.json <<'IN'
{"id":"1","n":"bad"}
{"id":"2"}
{"id":"3","at":"bad"}
{"id":"3","name":"good"}
{"id":"4","name":"good"}
{"id":"4","n":"bad"}
IN
ids >got
t '... its feature stays' 0 cat got 3<<'OUT'
1,2,3,4
OUT
there signals/0 attributes.id,attributes.name >got
t '... and does not hide a good one' 0 cat got 3<<'OUT'
["1","old"]
["2","old"]
["3","good"]
["4","good"]
OUT
refusing '{"set":{"poison":"bad"}}'
did 65 'a refused one is no gone one' p --replace --max-delete 100% three-bad
ids >got
t '... either' 0 cat got 3<<'OUT'
1,2,4,6,7,8,9
OUT
refusing '{"set":{}}'
old 12
did 78 '--max-delete' p --replace <<'IN'
{"id":"1"}
{"id":"2"}
IN
said '10 of the 12 rows of Signals would go'
ids >got
t '... and nothing was done' 0 cat got 3<<'OUT'
1,2,3,4,5,6,7,8,9,10,11,12
OUT
did 0 'no records' p --replace </dev/null
said 'no records: Signals stays as it is (--allow-empty would empty it)'
t '... is told by the receipt' 0 receipt 3<<'OUT'
{"mode":"replace","read":0,"added":0,"updated":0,"deleted":0,"sanitized":0,"rejected":0,"empty":true}
OUT
did 99 '... and by --empty-exit' p --replace --empty-exit 99 </dev/null
did 0 'no good records' p --replace --rejects bad.json <<'IN'
{"id":"1","n":"bad"}
IN
ids >got
t '... the layer stays as it is' 0 cat got 3<<'OUT'
1,2,3,4,5,6,7,8,9,10,11,12
OUT
did 0 '--allow-empty' p --replace --allow-empty </dev/null
t '... empties it' 0 receipt 3<<'OUT'
{"mode":"replace","read":0,"added":0,"updated":0,"deleted":12,"sanitized":0,"rejected":0,"empty":true}
OUT
did 0 'no records, no replace' p </dev/null
t '... is nothing to do' 0 receipt 3<<'OUT'
{"mode":"upsert","read":0,"added":0,"updated":0,"deleted":0,"sanitized":0,"rejected":0,"empty":true}
OUT
did 99 '... and --empty-exit' p --empty-exit 99 </dev/null
in_place() { push "$item" --layer 0 --replace --in-place "$@"; }
old 12
did 0 '--replace --in-place' in_place --chunk 5 nine
t '... deletes all, then adds' 0 receipt 3<<'OUT'
{"mode":"replace in place","read":9,"added":9,"updated":0,"deleted":12,"sanitized":0,"rejected":0}
OUT
asked >got
t '... in chunks' 0 cat got 3<<OUT
1 0,1 $item,1 FeatureServer,2 addFeatures,3 deleteFeatures,1 generateToken,3 query
OUT
did 78 '--in-place and --max-delete' in_place --max-delete 4 <<'IN'
{"id":"1"}
IN
did 0 '--in-place without a key' in_place --max-delete 100% <<'IN'
{"name":"x"}
{"name":"x"}
IN
there >got
t '... has no key' 0 cat got 3<<'OUT'
[null,"x",null,null]
[null,"x",null,null]
OUT
did 0 '--in-place of a table that is empty' push aaaa0000 --replace --in-place one
did 0 '... and --allow-empty' push aaaa0000 --replace --in-place --allow-empty </dev/null
there alone/2 >got
same '... empties it' /dev/null got

quick_ends
# ---- what may be done, and what is not ----

for i in {1..40}; do echo "{\"id\":\"$i\",\"name\":\"n$i\"}"; done >forty
sed 's/{"id":\("[^"]*"\),"name":\(.*\)}/[\1,\2]/' forty | sort >all
whole() {		# every feature is there, once, as it was sent
	there signals/0 attributes.id,attributes.name | sort >got
	same "$1" all got
}
twenty=$(printf ',{"attributes":{"id":"%d","name":"old","must":1}}' {1..20})
half() {		# half [CONTROL...]: the layer holds 20 of them, as they were; then these are done
	local IFS=,
	control "[{\"reset\":true,\"features\":{\"layer\":\"signals/0\",\"features\":[${twenty#,}]}}${1:+,}$*]"
}
for operation in addFeatures updateFeatures query deleteFeatures; do
	for fault in '"kind":"done","status":504' '"kind":"done","status":502,"body":"<html><title>Bad Gateway</title></html>"' \
	    '"kind":"no_reply"' '"kind":"reset"' '"kind":"cut"' '"kind":"cut_chunked"' '"kind":"short"' '"kind":"bad_gzip"' \
	    '"kind":"status","status":500' '"kind":"status","status":503,"headers":{"Retry-After":"0"}' '"kind":"status","status":504' \
	    '"kind":"status","status":429' '"kind":"upload_reset"' \
	    '"kind":"nonsense","body":"{\"error\":{\"code\":500,\"message\":\"Unable to perform operation.\",\"details\":[]}}"' \
	    '"kind":"nonsense","body":"{\"error\":{\"code\":503,\"message\":\"\",\"details\":\"busy\"}}"' \
	    '"kind":"nonsense","body":"{\"error\":{\"code\":429,\"message\":\"Too many requests\"}}"' '"kind":"nonsense"' \
	    '"kind":"nonsense","body":"{\"error\":{\"code\":498,\"message\":\"Invalid token.\",\"details\":[]}}"' \
	    '"kind":"nonsense","body":"{\"error\":{\"code\":499,\"message\":\"Token Required\",\"details\":null}}"' '"kind":"status","status":498'; do
		often='"skip":1,"times":2'
		case $fault in *49[89]*) often='"times":1' ;; esac
		half '{"add":{"layer":"signals/0","features":[{"attributes":{"id":"gone","must":1}}]}}' \
		    "{\"faults\":[{$fault,\"match\":\"/$operation\",$often}]}"
		did 0 "$operation: $fault" p --replace --chunk 10 forty
		whole '... every feature once'
	done
done
for fault in '"kind":"done","status":504' '"kind":"reset"' '"kind":"status","status":500' '"kind":"cut"' '"kind":"html"'; do
	half "{\"faults\":[{$fault,\"match\":\"/addFeatures\",\"times\":2},{$fault,\"match\":\"/addFeatures\",\"skip\":3}]}"
	did 0 "in place: $fault" in_place --chunk 10 forty
	whole '... every feature once'
done
half '{"faults":[{"kind":"stall","match":"/addFeatures","bytes":0}]}'
did 0 'an add without an answer' p --timeout 1 forty
whole '... is looked for, and found'
t '... and not sent again' 0 receipt 3<<'OUT'
{"mode":"upsert","read":40,"added":20,"updated":20,"deleted":0,"sanitized":0,"rejected":0}
OUT
[ "$(log | grep -c '/addFeatures"')" -eq 1 ]; ok $? '... not once' || log | grep -c addFeatures
half '{"faults":[{"kind":"late","status":504,"after":"/query","match":"/addFeatures"}]}'
did 0 'an add that is done after we looked' p --verbose forty
said 'was added twice by a request that was long under way'
whole '... is there once'
half '{"faults":[{"kind":"done","status":504,"match":"/addFeatures"}]}'
did 0 'an add that was done, beside one that is refused' p <(sed 's/"n33"/"far too long a name"/' forty) --rejects bad.json
half '{"set":{"poison":"n33"},"faults":[{"kind":"done","status":504,"match":"/addFeatures"}]}'
did 65 'an add that was done in part' p forty
said ':33: Poisoned.'
[ "$(there | wc -l)" -eq 39 ]; ok $? '... the rest of it is there'
control '{"set":{"poison":""}}'
half '{"faults":[{"kind":"status","status":504,"match":"/addFeatures","times":-1}]}'
run 69 'adds that never end' p --retries 3 forty
said 'the server failed (504)'
said 'gave up after 4 tries'
t '... features a request' 0 sh -c "curl -sS $agol/log | jq -r 'select(.path | endswith(\"/addFeatures\")) | .body.features | fromjson | length'" 3<<'OUT'
20
10
5
2
OUT
half '{"faults":[{"kind":"status","status":504,"match":"/updateFeatures","times":-1}]}'
run 69 'updates that never end' p --retries 2 forty
run 69 'and --max-time' p --max-time 0.2 --retries 100 --retry-wait 1 forty
# The pause after a failure is of a random length.  A short one may end just before the time does, which then ends in the midst of a
# request, and that is said otherwise: so once more.
for try in 1 2 3 4; do
	half '{"faults":[{"kind":"status","status":504,"match":"/addFeatures","times":-1}]}'
	run 69 'adds that never end, and --max-time' p --max-time 5 --retries 100 --retry-wait 60 forty
	grep -q 'stopped by --max-time' err || break
done
said '--max-time is over'
half '{"faults":[{"kind":"done","status":504,"match":"/addFeatures"}]}'
run 69 'an add that is done, and no retries' p --retries 0 forty
said 'gave up after 1 try'
did 0 '... and the next run' p forty
whole '... finds it'
half '{"faults":[{"kind":"done","status":504,"match":"/addFeatures","times":-1}]}'
did 0 'adds that are always done, and never said so' p --chunk 10 --retries 3 forty
whole '... are taken as done'
half '{"faults":[{"kind":"headers","headers":{},"match":"/addFeatures"},{"kind":"nonsense","match":"/query","skip":1,"times":-1,"body":"{\"features\":[{\"attributes\":{\"id\":\"1\",\"OBJECTID\":5}},{\"attributes\":{\"id\":\"2\",\"OBJECTID\":5}}]}"}]}'
run 76 'object ids that do not ascend' p --chunk 20 forty
said 'a page repeats'

# ---- too much ----

for how in 413 500 404 200; do
	half "{\"set\":{\"max_body\":900,\"too_big\":$how}}"
	did 0 "too large, as $how" p --replace --retries 4 forty
	whole '... goes in smaller requests'
	half
	did 0 "too large, as $how, in place" in_place --retries 4 forty
	whole '... too'
done
half '{"set":{"too_big":413}}'
long=$(printf %0900d 0)
did 65 'one feature that is too large' p <(sed "5s/.*/{\"id\":\"5\",\"Note\":\"$long\"}/" forty)
said ':5: '
said '(413)'
[ "$(there signals/0 attributes.id,attributes.name | grep -cxF -f all)" -eq 39 ]; ok $? '... the others are in'
control '{"set":{"max_body":0}}'
half
python3 -c 'for i in range(300): print("{\"id\":\"%d\",\"Note\":\"%s\"}" % (i, "\u00fc<" * 498))' >wide
did 0 'text that grows on its way' p wide
t '... by requests of a megabyte at most' 0 sh -c "curl -sS $agol/log | jq -r 'select(.path | endswith(\"Features\")) | .headers[\"content-length\"] | tonumber <= 1048576' | sort | uniq -c | sed 's/^ *//'" 3<<'OUT'
3 true
OUT

# ---- tokens ----

half '{"between":{"match":"/addFeatures","after":1,"do":{"expire":true}}}'
did 0 'a token that ends in mid-run' p --chunk 10 --replace forty
whole '... is renewed'
[ "$(log | grep -c generateToken)" -eq 2 ]; ok $? '... once'
half '{"set":{"token_uses":1}}'
did 0 'a token for each request' p --chunk 10 --replace forty
whole '... is got'
control '{"set":{"token_uses":0}}'
control '{"reset":true,"set":{"expires":3600,"no_expires":true}}'
did 0 'a token that does not say when it ends' p one
control '{"set":{"no_expires":false,"check_referer":true}}'
did 0 'a token for our referer only' p one
control '{"set":{"check_referer":false},"reset":true,"faults":[{"kind":"nonsense","match":"/query","times":-1,"body":"{\"error\":{\"code\":498,\"message\":\"Invalid token.\"}}"}]}'
run 77 'a new token that is no good either' p one
said '"Invalid token. (498)": check AGOL_USERNAME and AGOL_PASSWORD'
[ "$(log | grep -c generateToken)" -eq 2 ]; ok $? '... is the last one'
control '{"reset":true,"set":{"token_uses":1}}'
did 0 'more tokens than there is room for secrets' p --chunk 1 forty
control '{"set":{"token_uses":0}}'
run 77 'a wrong password' env AGOL_PASSWORD=wrong-password agol-push --portal "$agol" "$item" --layer 0 --key id one
said 'no token: "Unable to generate token. Invalid username or password.": check AGOL_USERNAME and AGOL_PASSWORD'
said_not wrong-password
no_login() { env -u AGOL_USERNAME -u AGOL_PASSWORD "$@"; }
control '{"reset":true}'
did 0 'AGOL_CLIENT_ID' no_login AGOL_CLIENT_ID=client AGOL_CLIENT_SECRET='client secret' agol-push --portal "$agol" "$item" --layer 0 --key id one
[ "$(log | grep -c oauth2/token)" -eq 1 ]; ok $? '... by oauth2'
control '{"reset":true,"faults":[{"kind":"nonsense","match":"oauth2/token","times":-1,"body":"{\"access_token\":\"key-without-end\",\"expires_in\":1e-9}"}]}'
did 0 'a token that says that it ends at once' no_login AGOL_CLIENT_ID=client AGOL_CLIENT_SECRET='client secret' agol-push --portal "$agol" "$item" --layer 0 --key id one
[ "$(log | grep -c oauth2/token)" -eq 5 ]; ok $? '... is renewed before each request' || log | grep -c oauth2/token
control '{"reset":true}'
run 77 'a wrong secret' no_login AGOL_CLIENT_ID=client AGOL_CLIENT_SECRET=wrong agol-push --portal "$agol" "$item" --layer 0 --key id one
said 'check AGOL_CLIENT_ID and AGOL_CLIENT_SECRET'
control '{"reset":true}'
echo key-without-end >key
for variable in AGOL_TOKEN=key-without-end AGOL_API_KEY=key-without-end AGOL_API_KEY_FILE=key; do
	did 0 "$variable" no_login "$variable" agol-push --portal "$agol" "$item" --layer 0 --key id one
done
[ "$(log | grep -cE 'generateToken|oauth2/token')" -eq 0 ]; ok $? '... need no other'
run 77 'a wrong AGOL_TOKEN' no_login AGOL_TOKEN=wrong-token agol-push --portal "$agol" "$item" --layer 0 --key id one
said '"Invalid token. (498)": check AGOL_TOKEN'
said_not wrong-token
log | jq -r '[.headers["x-esri-authorization"], .target] | tostring' | grep -c 'token=' >got
t 'no token in any URL' 0 cat got 3<<'OUT'
0
OUT

# ---- items and layers ----

control '{"reset":true}'
run 64 'no --layer, where there are several' push "$item" --key id one
said 'no --layer: there are 0 (Signals), 3 (Corridors), 4 (Roads), 7 (Notes)'
run 78 'a layer that there is not' push "$item" --layer 1 --key id one
said 'no layer 1: there are 0 (Signals), 3 (Corridors), 4 (Roads), 7 (Notes)'
run 78 'the same by URL' push --url "$signals" --layer 1 --key id one
did 0 'no --layer, where there is one' push aaaa0000 --key id one
run 76 'an item that there is not' push ffff0000 --key id one
said '"Item does not exist or is inaccessible. (400)"'
run 64 'an item that is no item' push signals --key id one
run 78 'an item of another kind' push cccc0000 --key id one
said 'item cccc0000 is no Feature Service but a Web Map'
run 78 'an item that is elsewhere' push bbbb0000 --key id one
said 'item bbbb0000 is at localhost:1/services/x/FeatureServer, which is not the portal'"'"'s'
log | grep -c 'services/x' >got
t '... gets no token' 0 cat got 3<<'OUT'
0
OUT
run 76 'a URL that is no layer' push --url "$agol/org/arcgis/rest/services/none/FeatureServer/0" --key id one
said '"Invalid URL (400)"'
run 64 'a layer twice' push --url "$signals/0" --layer 0 --key id one
run 64 'a URL with a query' push --url "$signals/0?f=json" --key id one
run 64 'a URL that is none' push --url services.arcgis.com/x --key id one
run 76 'a portal that is none' push --portal "$agol/nothing" "$item" --layer 0 --key id one
run 69 'nobody there' push --portal http://127.0.0.1:1 "$item" --layer 0 --key id --retries 1 one
for fault in '76 "kind":"html"' '76 "kind":"nonsense","body":"[]"' '69 "kind":"no_reply"' '76 "kind":"nonsense","body":"{}"'; do
	for path in generateToken items/ 'FeatureServer[?]' '/0[?]' /query /addFeatures; do
		[[ $path$fault != /addFeatures*no_reply* ]] || continue		# it is done, and found
		fresh
		control "{\"faults\":[{${fault#* },\"match\":\"$path\",\"times\":-1}]}"
		want=${fault%% *}
		[ "$path$want" != /addFeatures76 ] || want='[67][69]'
		push "$item" --layer 0 --key id --retries 2 one >out 2>err; got=$?
		[[ $got == $want ]]; ok $? "${fault#* } for ever at $path" || sed "s/^/# $got /" err
		[ ! -s out ]; ok $? '... and no receipt'
	done
done

# ---- servers that page, and that compare loosely ----

half '{"set":{"max_record_count":3}}'
did 0 'pages of 3' p --replace forty
whole '... are all read'
half
did 0 'pages of 3, in place' in_place forty
whole '... too'
control '{"set":{"max_record_count":2000}}'
start_server loose "$here/servers/arcgis.py" --services services.json --nocase
curl -sS -o control.out --data-binary '{"add":{"layer":"signals/0","features":[{"attributes":{"id":"A","name":"other","must":1}},{"attributes":{"id":"a ","must":1}}]}}' "$loose/control"
did 0 'a server that compares loosely' agol-push --portal "$loose" "$item" --layer 0 --key id one
curl -sS "$loose/features/signals/0?pick=attributes.id,attributes.name" >got
t '... confuses no keys' 0 cat got 3<<'OUT'
["A","other"]
["a ",null]
["a","Lamar"]
["b","Guadalupe"]
OUT
did 0 'the same again' agol-push --portal "$loose" "$item" --layer 0 --key id one
[ "$(curl -sS "$loose/features/signals/0" | wc -l)" -eq 4 ]; ok $? '... makes no doubles'
half '{"layer":{"layer":"signals/0","set":{"indexes":[{"fields":"id","isUnique":true}]}}}'
did 0 'a unique key' p --replace forty
whole '... is no trouble'
control '{"layer":{"layer":"signals/0","set":{"indexes":[]}}}'
half '{"between":{"match":"/addFeatures","after":1,"do":{"delete":{"layer":"signals/0","where":"id = '"'1'"'"}}}}'
run 76 'somebody else edits while we replace' p --replace forty
said 'Signals has 39 features, and should have 40: run again'
run 0 'which the next run mends' p --replace forty
whole '... in full'
half '{"between":{"match":"/query","after":1,"do":{"delete":{"layer":"signals/0","where":"id = '"'1'"'"}}}}'
did 65 'a feature that goes before it is updated' p forty
said 'The feature does not exist.'
did 0 '... is added by the next run' p forty
whole '... in full'
half '{"faults":[{"kind":"nonsense","match":"/addFeatures","body":"{\"addResults\":[{\"objectId\":21,\"success\":true}]}"}]}'
run 76 'fewer results than features' p forty
said 'sent 20, and the answer is for 1: run again'
half '{"faults":[{"kind":"nonsense","match":"/addFeatures","body":"{\"addResults\":{}}"}]}'
run 76 'results that are none' p forty
half '{"faults":[{"kind":"nonsense","match":"/updateFeatures","body":"{\"updateResults\":['"$(printf '5,%.0s' {1..19})"'5]}"}]}'
did 65 'results that say nothing' p forty
said '20 features were refused, the others are in: forty:1: no message'

# ---- a producer that fails, and signals ----

half
run 65 'sluice: a producer that fails' sluice "cat forty; until curl -sS $agol/log | grep -q FeatureServer/0; do sleep 0.1; done; exit 65" -- agol-push --portal "$agol" "$item" --layer 0 --key id --replace
said 'stopped: nothing was sent, run again'
log | grep -c Features >got
t '... and nothing is sent' 0 cat got 3<<'OUT'
0
OUT
did 0 'sluice: one that does not' sluice "cat forty" -- agol-push --portal "$agol" "$item" --layer 0 --key id --replace
whole '... and all is there'
half '{"faults":[{"kind":"stall","match":"/addFeatures","bytes":0}]}'
agol-push --portal "$agol" "$item" --layer 0 --key id --chunk 10 forty >out 2>err & pid=$!
until log | grep -q addFeatures; do sleep 0.1; done
kill -TERM "$pid"
wait "$pid"; got=$?
[ "$got" -eq 143 ]; ok $? 'SIGTERM in the middle' || echo "# $got"
said 'a part was sent: run again'
did 0 '... and the next run' p --chunk 10 forty
whole '... completes it'
ls "$TMPDIR" | grep -c '^culvert\.[A-Za-z0-9]\{6\}$' >got
t 'no temporary file has a name' 0 cat got 3<<'OUT'
0
OUT

# ---- much, little, and wrong calls ----

fresh
python3 -c 'for i in range(6000): print("{\"id\":\"%d\",\"dropped\":\"%s\"}" % (i, "x" * 30000))' >huge
did 0 'a huge input in bounded memory' limited 130000 agol-push "agol-push --quiet --portal '$agol' $item --layer 0 --key id --replace --chunk 1000 huge"
[ "$(there | wc -l)" -eq 6000 ]; ok $? '... is all there'
rm huge
fresh
did 74 'a receipt that nobody takes' sh -c "agol-push --portal '$agol' $item --layer 0 --key id one >/dev/full"
said 'the work is done, but its receipt could not be written'
there >got
[ "$(wc -l <got)" -eq 2 ]; ok $? '... and the work is done'
fresh
run 74 'a read error' p <.
run 66 'a file that is not there' p nothing
run 66 'a closed stdin' p <&-
run 73 'no room for a temporary file' env TMPDIR=/nonexistent agol-push --portal "$agol" "$item" --layer 0 --key id one
said 'see TMPDIR'
log | grep -c Features >got
t '... nothing was sent' 0 cat got 3<<'OUT'
0
OUT
control '{"reset":true}'
run 64 'no item' push --key id
said 'no ITEM and no --url'
run 64 'no key' push "$item" --layer 0 one
said 'no --key'
run 64 '--replace alone' push "$item" --layer 0 --replace one
said 'add --in-place if that will do, or give a --key'
run 64 '--in-place with a key' push "$item" --layer 0 --key id --replace --in-place one
run 64 '--in-place alone' push "$item" --layer 0 --in-place --key id one
run 64 '--allow-empty alone' p --allow-empty one
run 64 '--geometry and --location' p --geometry point=a,b --location c one
run 64 'a key without a name' push "$item" --layer 0 --key '' one
run 64 'a chunk of nothing' p --chunk 0 one
run 64 'a chunk over 1000' p --chunk 1001 one
run 64 'a share that is none' p --max-delete many one
run 78 'a time zone that there is not' p --zone Mars/Olympus one
run 64 'a portal that is no URL' push --portal www.arcgis.com "$item" --layer 0 --key id one
run 64 'a portal over plain http' push --portal http://www.example.com "$item" --layer 0 --key id one
said 'use https'
run 64 'a layer over plain http' push --url http://www.example.com/FeatureServer/0 --key id one
run 78 'no credentials' no_login agol-push --portal "$agol" "$item" --layer 0 --key id one
said 'no credentials: set AGOL_USERNAME and AGOL_PASSWORD'
run 78 'half of them' env -u AGOL_PASSWORD agol-push --portal "$agol" "$item" --layer 0 --key id one
run 78 'half of the others' env AGOL_CLIENT_ID=x agol-push --portal "$agol" "$item" --layer 0 --key id one
log | grep -vc generateToken >got
t 'wrong calls ask for nothing' 0 cat got 3<<'OUT'
0
OUT
run 64 'a rejects file that is the input' p --rejects one one
for geometry in lat,lon point=lat point=lat, point=,lon point=a,b,c; do
	run 64 "--geometry $geometry" p --geometry "$geometry" one
done
done_testing
