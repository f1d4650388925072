#!/bin/sh
# geo-tag: points and borders, bad records, what layers may hold, and that each answer is that of exact arithmetic.
# Slow in its second part, which the quick run leaves out: it compares thousands of points with exact arithmetic.
. "$(dirname "$0")/lib.sh"
oracle=$here/geo_oracle.py

# Two squares that share a border, the second with a hole; the third lies over the first; the fourth in two parts.
cat >zones.json <<'IN'
{"type":"FeatureCollection","features":[
{"type":"Feature","properties":{"name":"a","n":1,"x":null},"geometry":{"type":"Polygon","coordinates":
	[[[0,0],[10,0],[10,10],[0,10],[0,0]]]}},
{"type":"Feature","properties":{"name":"b","n":2.50,"x":true},"geometry":{"type":"Polygon","coordinates":
	[[[10,0],[20,0],[20,10],[10,10],[10,0]],[[12,2],[12,8],[18,8],[18,2],[12,2]]]}},
{"type":"Feature","properties":{"name":"c \"q\", é","n":3,"x":"t"},"geometry":{"type":"Polygon","coordinates":
	[[[5,5],[8,5],[8,15],[5,15],[5,5]]]}},
{"type":"Feature","properties":{"name":"d","n":4,"x":4},"geometry":{"type":"MultiPolygon","coordinates":
	[[[[30,0,7],[32,0,7],[32,2,7],[30,0,7]]],[[[40,0],[42,0],[42,2],[40,0]]]]}}]}
IN
zone='zone=zones.json:name@lon,lat'

# ---- points ----

t 'inside, outside, on borders, in a hole, in the parts of a multipolygon' 0 geo-tag -l "$zone" --receipt receipt <<'IN' 3<<'OUT'
{"lon":1,"lat":1}
{"lon":-1,"lat":1}
{"lon":0,"lat":0}
{"lon":10,"lat":5}
{"lon":15,"lat":5}
{"lon":12,"lat":5}
{"lon":6,"lat":6}
{"lon":6,"lat":12}
{"lon":31.9,"lat":0.1}
{"lon":40.5,"lat":0.25}
IN
{"lon":1,"lat":1,"zone":"a"}
{"lon":-1,"lat":1,"zone":null}
{"lon":0,"lat":0,"zone":"a"}
{"lon":10,"lat":5,"zone":"a"}
{"lon":15,"lat":5,"zone":null}
{"lon":12,"lat":5,"zone":"b"}
{"lon":6,"lat":6,"zone":"a"}
{"lon":6,"lat":12,"zone":"c \"q\", é"}
{"lon":31.9,"lat":0.1,"zone":"d"}
{"lon":40.5,"lat":0.25,"zone":"d"}
OUT
counts='inside outside nowhere border several zero swapped polygons mended empty'
wanted() {		# wanted READ WRITTEN REJECTED COUNT...: what the receipt is to say of its first layer
	jq -r "[.read, .written, .rejected, (.layers[0] | .$(echo "$counts" | sed 's/ /, ./g'))] | @sh" receipt >got
	echo "$@" >want
	same 'the receipt counts them' want got
}
wanted 10 10 0 8 2 0 3 2 0 1 4 0 0
t 'nothing of a record changes but what is added' 0 geo-tag -l "$zone" <<'IN' 3<<'OUT'
 { "lon" : 1.00 , "n":{"a": [1, 2.50]},"lat":"1e0" , "é\u00e9":"\u0041" }  
{"lon":null,"x":1E+2}
{"lat":1,"lat":2,"lon":3}
{}
IN
{ "lon" : 1.00 , "n":{"a": [1, 2.50]},"lat":"1e0" , "é\u00e9":"\u0041" ,"zone":"a"}
{"lon":null,"x":1E+2,"zone":null}
{"lat":1,"lat":2,"lon":3,"zone":"a"}
{"zone":null}
OUT
t 'a field that is there already gets the value in its place' 0 geo-tag -l "$zone" <<'IN' 3<<'OUT'
{"zone":"old","lon":1,"lat":1,"nested":{"a": 1}}
{"lon":-1,"zone":{"x":1},"lat":1}
{"lon":-1,"zone":1,"lat":1,"zone":2}
IN
{"zone":"a","lon":1,"lat":1,"nested":{"a": 1}}
{"lon":-1,"zone":null,"lat":1}
{"lon":-1,"zone":null,"lat":1,"zone":null}
OUT
t 'values are written as they stand in the file; null is null' 0 geo-tag -l n=zones.json:n@lon,lat -l x=zones.json:x@lon,lat <<'IN' 3<<'OUT'
{"lon":1,"lat":1}
{"lon":11,"lat":1}
{"lon":6,"lat":12}
IN
{"lon":1,"lat":1,"n":1,"x":null}
{"lon":11,"lat":1,"n":2.50,"x":true}
{"lon":6,"lat":12,"n":3,"x":"t"}
OUT
t 'CSV in and out; no value at all is null' 0 geo-tag -l "$zone" -l n=zones.json:n@lon,lat <<'IN' 3<<'OUT'
id,lon,lat,note
1,1,1,"a ""b"", c"
2,6.0,12,""
3,,,
4,50,5,x
IN
id,lon,lat,note,zone,n
1,1,1,"a ""b"", c",a,1
2,6.0,12,"","c ""q"", é",3
3,,,,,
4,50,5,x,,
OUT
t 'CSV to NDJSON, with a field that is there' 0 geo-tag -l "$zone" --to ndjson <<'IN' 3<<'OUT'
zone,lon,lat
x,1,1
IN
{"zone":"a","lon":"1","lat":"1"}
OUT
t 'NDJSON to CSV' 0 geo-tag -l "$zone" --to csv <<'IN' 3<<'OUT'
{"id":"é\n","lon":1,"lat":1}
{"id":2}
IN
id,lon,lat,zone
"é
",1,1,a
2,,,
OUT
t 'a header of CSV without records' 0 geo-tag -l "$zone" <<'IN' 3<<'OUT'
lat,lon
IN
lat,lon,zone
OUT
for case in '0=0' '"0"="0"' 'none="none"' 'null=null' 'a "b"="a \"b\""' '[1]="[1]"' '1.50=1.50' '=""'; do
	t "--outside ${case%%=*}" 0 geo-tag -l "$zone" --outside "${case%%=*}" 3<<-OUT <<-'IN'
	{"lon":-1,"lat":1,"zone":${case#*=}}
	{"zone":null}
	OUT
	{"lon":-1,"lat":1}
	{}
	IN
done
# Without an environment and under a short name, the argument lies at the end of the stack: a read of 16 bytes would be past it.
cp "$(command -v geo-tag)" g
t '--outside with nothing behind it in memory' 0 env -i ./g -l "$zone" --outside é 3<<'OUT' <<'IN'
lon,lat,zone
-1,1,é
OUT
lon,lat
-1,1
IN
rm g
t 'two ends and two files in one pass; the last record has no newline' 0 sh -c 'printf %s "$(cat)" | geo-tag -l s=zones.json:name@a,b \
    -l e=zones.json:name@c,d -l sn=zones.json:n@a,b' <<'IN' 3<<'OUT'
{"a":1,"b":1,"c":11,"d":1}
{"a":11,"b":1}
IN
{"a":1,"b":1,"c":11,"d":1,"s":"a","e":"b","sn":1}
{"a":11,"b":1,"s":"b","e":null,"sn":2.50}
OUT
strace -f -e trace=openat -o calls geo-tag -l s=zones.json:name@a,b -l e=zones.json:n@c,d </dev/null 2>/dev/null &&
    { [ "$(grep -c 'zones.json' calls)" -eq 1 ]; ok $? 'a file that two layers name is read once'; }
t 'empty input' 0 geo-tag -l "$zone" --receipt receipt </dev/null 3</dev/null
run 0 '... is told by the receipt' jq -e '.read == 0 and .empty' receipt
printf '%s\n' '{"lon":2,"lat":-4}' '{"lon":8,"lat":12}' '{"lon":4,"lat":19}' '{"lon":0,"lat":0}' '{}' >in
sed 's/\[0,0\]/[0.5,0.5]/g' zones.json >apart.json
run 0 '0,0 and swapped coordinates are outside' geo-tag -l zone=apart.json:name@lon,lat --receipt receipt in
said 'zone: 1 points are outside that would be inside with longitude and latitude swapped'
wanted 5 5 0 1 3 1 1 0 1 1 4 0 0
run 0 'a name that no record has' geo-tag -l zone=zones.json:name@long,latt in
said 'no record has a field "long": is it the right name?'

# ---- bad records ----

cat >bad <<'IN'
{"lon":"x 77.7","lat":1}
{"lon":"NaN","lat":1}
{"lon":"","lat":1}
{"lon":1,"lat":" 1"}
{"lon":1,"lat":"0x1"}
{"lon":1,"lat":"1e"}
{"lon":1,"lat":"."}
{"lon":1,"lat":"inf"}
{"lon":1,"lat":true}
{"lon":[1],"lat":1}
{"lon":{"a":1},"lat":1}
{"lon":180.0000001,"lat":1}
{"lon":30.2,"lat":-97.7}
{"lon":1e999,"lat":1}
{"lon":1}
{"lon":null,"lat":1}
{"lon":1,"lat":
not a record
IN
{ echo '{"lon":1,"lat":1}'; cat bad; echo '{"lon":-180,"lat":90}'; } >in
t 'bad coordinates are bad records' 0 geo-tag -l "$zone" --rejects rejects --receipt receipt in 3<<'OUT'
{"lon":1,"lat":1,"zone":"a"}
{"lon":-180,"lat":90,"zone":null}
OUT
wanted 20 2 18 1 1 0 0 0 0 0 4 0 0
jq -r '"\(.line) \(.column) \(.reason)"' rejects >got
cat >want <<'OUT'
2 lon is no number
3 lon is no number
4 lon is no number
5 lat is no number
6 lat is no number
7 lat is no number
8 lat is no number
9 lat is no number
10 lat is no number
11 lon is no number
12 lon is no number
13 lon is outside +-180 degrees
14 lat is outside +-90 degrees
15 lon is no number
16 lat has no value, but lon has one
17 lon has no value, but lat has one
18 null record is cut at byte 16
19 null not a JSON object
OUT
same 'the reasons name the field, and no value' want got
head -16 rejects | sed 's/.*"record"://; s/}$//' >got
head -16 bad >want
same 'and the records are as they came' want got
t 'the first one ends the run' 65 geo-tag -l "$zone" in 3<<'OUT'
{"lon":1,"lat":1,"zone":"a"}
OUT
said 'geo-tag: in:2: column "lon": is no number'
said_not 77.7
run 65 'too many of them' geo-tag -l "$zone" --rejects rejects --max-rejects 3 in
run 65 'a share of them' geo-tag -l "$zone" --rejects rejects --max-rejects 50% --receipt none in
run 1 '... and no receipt' test -e none
run 65 'CSV with one of the two' geo-tag -l "$zone" <<'IN'
lon,lat
1,
IN
said 'geo-tag: <stdin>:2: column "lat": has no value, but lon has one'
run 65 'CSV without the column' geo-tag -l "$zone" <<'IN'
long,lat
IN
said 'no column "lon" in the header'
printf 'lon,lat\n1,1\n' >1.csv; printf 'lat,id\n1,1\n' >2.csv
run 65 'a second file of CSV without the column' geo-tag -l "$zone" --to ndjson 1.csv 2.csv
said '2.csv:2: no column "lon" in the header'
run 65 'a NUL' sh -c 'printf "lon,lat\n1\0,1\n" | geo-tag -l "$1"' x "$zone"
run 65 'a large record' geo-tag -l "$zone" --max-record 10 1.csv in

# ---- layers ----

n_is_1='{"n":1}'
layer() {		# layer GEOMETRY [PROPERTIES]: a layer of one feature
	printf '{"type":"Feature","properties":%s,"geometry":%s}' "${2:-$n_is_1}" "$1" >layer.json
}
polygon() {		# polygon RINGS
	layer "{\"type\":\"Polygon\",\"coordinates\":[$1]}"
}
square='[[0,0],[4,0],[4,4],[0,4],[0,0]]'
echo '{"lon":1,"lat":2}' >point
refused() {		# refused NAME WORDS: before a record is read or written
	run 65 "refused: $1" geo-tag -l z=layer.json:n@lon,lat bad point
	said "geo-tag: layer.json: $2"
	run 0 '... and nothing is written' test ! -s out
}
mended() {		# mended NAME VALUE WORDS: what it then says of the point
	run 0 "mended: $1" geo-tag -l z=layer.json:n@lon,lat --receipt receipt point
	said "$3"
	echo "{\"lon\":1,\"lat\":2,\"z\":$2}" >want
	same '... with the right answer' want out
	run 0 '... and counted' jq -e '.layers[0].mended == 1' receipt
	run 65 '... or refused' geo-tag -l z=layer.json:n@lon,lat --strict-polygons bad point
	said "${3%: mended}"
}
polygon '[[0,0],[4,4],[0,4],[4,0],[0,0]]'
mended 'a bow tie, beside it' null 'layer.json: feature 1: not valid (Self-intersection): mended'
polygon '[[0,0],[4,4],[4,0],[0,4],[0,0]]'
mended 'a bow tie, in it' 1 'not valid (Self-intersection): mended'
polygon '[[0,0],[4,0],[4,4],[0,4],[0,0]],[[1,1],[5,1],[5,3],[1,3],[1,1]]'
mended 'a hole that leaves its shell' 1 'not valid (Self-intersection): mended'
polygon '[[0,0],[4,0],[4,4],[9,9],[4,4],[0,4],[0,0]]'
mended 'a spike' 1 'feature 1: not valid'
polygon '[[0,0],[4,0],[4,4],[0,4]]'
mended 'a ring that is not closed' 1 'feature 1: a ring that is not closed: closed'
layer "{\"type\":\"MultiPolygon\",\"coordinates\":[[$square],[[[2,0],[6,0],[6,4],[2,4],[2,0]]]]}"
mended 'a multipolygon that overlaps itself' 1 'feature 1: not valid'
polygon '[[0,0],[4,0],[0,0],[4,0],[0,0]]'
refused 'no area' 'feature 1: a polygon without an area'
for coordinates in '[[0,0],[1,1],[0,0]]' '[[0,0],[1,1]]' '[[0,0]]' '[]'; do
	polygon "$coordinates"
	refused "a ring of few positions: $coordinates" 'feature 1: a ring of fewer than 4 positions'
done
for coordinate in 1e999 181 -180.001 '"1"' null true '[1]'; do
	polygon "[[0,0],[$coordinate,0],[4,4],[0,4],[0,0]]"
	refused "a coordinate $coordinate" 'feature 1: a coordinate is no number of degrees'
done
polygon '[[30,-97],[31,-97],[31,-96],[30,-97]]'
refused 'swapped coordinates' 'feature 1: a coordinate is no number of degrees within +-180, +-90: are they swapped'
polygon '[[0,0],[1],[4,4],[0,0]]'
refused 'half a position' 'feature 1: a position is no array'
polygon '[0,0,4,4]'
refused 'numbers for positions' 'feature 1: a position is no array'
for coordinates in 7 '{"a":[]}' '"x"' '[7]' '[[7]]' null; do
	layer "{\"type\":\"MultiPolygon\",\"coordinates\":$coordinates}"
	refused "coordinates that are $coordinates" 'feature 1: '
done
polygon '[[170,0],[-170,0],[-170,9],[170,9],[170,0]]'
refused 'over the antimeridian' 'feature 1: a step of more than 180 degrees: does it cross the antimeridian? split it there'
layer '{"type":"MultiPolygon","coordinates":[[[[170,0],[180,0],[180,9],[170,0]]],[[[-180,0],[-170,0],[-180,9],[-180,0]]]]}'
t 'split there it is none' 0 geo-tag -l z=layer.json:n@lon,lat <<'IN' 3<<'OUT'
{"lon":180,"lat":1}
{"lon":-180,"lat":1}
{"lon":0,"lat":1}
IN
{"lon":180,"lat":1,"z":1}
{"lon":-180,"lat":1,"z":1}
{"lon":0,"lat":1,"z":null}
OUT
for kind in Point LineString GeometryCollection; do
	layer "{\"type\":\"$kind\",\"coordinates\":[0,0]}"
	refused "$kind" 'feature 1: its geometry is no Polygon and no MultiPolygon'
done
layer null
refused 'no geometry at all' 'no polygon in it'
layer '{"type":"Polygon","coordinates":[]}'
refused 'an empty geometry alone' 'no polygon in it'
echo '{"type":"FeatureCollection","features":[]}' >layer.json
refused 'no features' 'no polygon in it'
polygon "$square"
feature=$(cat layer.json)
printf '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"n":0},"geometry":null},%s]}' "$feature" >layer.json
t 'a feature without a geometry is said' 0 geo-tag -l z=layer.json:n@lon,lat --receipt receipt <point 3<<'OUT'
{"lon":1,"lat":2,"z":1}
OUT
said 'layer.json: feature 1: no polygon: no point is in it'
wanted 1 1 0 1 0 0 0 0 0 0 2 0 1
run 65 '... or refused' geo-tag -l z=layer.json:n@lon,lat --strict-polygons point
for properties in '{"N":1}' '{}' null; do
	layer "{\"type\":\"Polygon\",\"coordinates\":[$square]}" "$properties"
	refused "no such property: $properties" 'feature 1: no property "n"'
done
for value in '{}' '[1]'; do
	layer "{\"type\":\"Polygon\",\"coordinates\":[$square]}" "{\"n\":$value}"
	refused "a property that is $value" 'feature 1: property "n" is an object or an array'
done
echo "{\"type\":\"Polygon\",\"coordinates\":[$square]}" >layer.json
refused 'a geometry alone, which has no property' 'feature 1: no property "n"'
for document in '' 'x' '[]' '{}' '{"type":"Topology"}' '{"type":"FeatureCollection"}' '{"type":"FeatureCollection","features":{}}' \
    '{"type":"FeatureCollection","features":[7]}' '{"type":"FeatureCollection","features":[{"type":"Polygon"}]}' \
    '{"type":"FeatureCollection","features":[{"type":"Feature","properties":[]}]}' "$feature $feature" '{"type":"Feature",'; do
	printf %s "$document" >layer.json
	refused "$document" ''
done
crs() {			# crs JSON: a layer with it
	printf '{"crs":%s,%s' "$1" "${feature#?}" >layer.json
}
for name in EPSG:4326 urn:ogc:def:crs:OGC:1.3:CRS84 urn:ogc:def:crs:EPSG::4326 http://www.opengis.net/def/crs/OGC/1.3/CRS84; do
	crs "{\"type\":\"name\",\"properties\":{\"name\":\"$name\"}}"
	run 0 "crs $name" geo-tag -l z=layer.json:n@lon,lat point
done
crs null
run 0 'crs null' geo-tag -l z=layer.json:n@lon,lat point
for crs in '{"type":"name","properties":{"name":"EPSG:3857"}}' '{"type":"name","properties":{"name":"EPSG:14326"}}' \
    '{"type":"link","properties":{"href":"x"}}' '{"type":"name"}' '"EPSG:4326"' 4326; do
	crs "$crs"
	refused "crs $crs" 'a CRS other than WGS 84'
done
printf '\357\273\277%s' "$feature" >layer.json
run 0 'a byte order mark' geo-tag -l z=layer.json:n@lon,lat point
polygon "$square"
sed 's/"n"/"\\u006e"/' layer.json >escaped.json
t 'names with escapes, a name that needs them' 0 geo-tag -l z=escaped.json:n@lon,lat \
    -l '"y=layer.json:n@c,d' <<'IN' 3<<'OUT'
{"\u006con":1,"lat":2}
IN
{"\u006con":1,"lat":2,"z":1,"\"y":null}
OUT
sed 's/"n"/"addr:n@"/' layer.json >colon.json
run 0 'a property with a colon and an @' geo-tag -l z=colon.json:addr:n@@lon,lat point
awk 'BEGIN { printf "{\"type\":\"FeatureCollection\",\"features\":["
    for (i = 0; i < 30; i++) printf "%s{\"type\":\"Feature\",\"properties\":{\"n\":1},\"geometry\":null}", i ? "," : ""
    print "]}" }' >layer.json
run 65 'many that are empty' geo-tag -l z=layer.json:n@lon,lat point
said 'layer.json: and 20 features more'
said_not 'feature 11'

# ---- as every filter ----

run 64 'no layer' geo-tag
for word in '' x z=zones.json z=zones.json:name z=zones.json:name@lon =zones.json:name@lon,lat z=:name@lon,lat z=zones.json:@lon,lat \
    z=zones.json:name@,lat z=zones.json:name@lon, z=zones.json:name@lon,lon lon=zones.json:name@lon,lat z=-:name@lon,lat; do
	run 64 "a wrong layer: $word" geo-tag -l "$word"
done
run 64 'two layers of a name' geo-tag -l "$zone" -l "$zone"
run 64 'a wrong option' geo-tag -l "$zone" --inside
run 66 'no such layer' geo-tag -l z=none.json:n@lon,lat
run 74 'a layer that cannot be read' geo-tag -l z=.:n@lon,lat
run 66 'no such file' geo-tag -l "$zone" none
run 74 'a read error' geo-tag -l "$zone" <.
run 74 'a full disk' sh -c 'geo-tag -l "$1" point >/dev/full' x "$zone"
run 73 'no place for the receipt' geo-tag -l "$zone" --receipt none/receipt point
run 73 'no place for the rejects' geo-tag -l "$zone" --rejects none/rejects point
run 0 'a reader that leaves' bash -c 'yes "{\"lon\":1,\"lat\":1}" | geo-tag -l "$1" | head -1' x "$zone"
if [ -n "${SANITIZED:-}" ]; then many=20000; else many=2000000; fi
yes '{"lon":1,"lat":1,"text":"some more of it"}' | head -n $many >many
resident geo-tag -l "$zone" -q many >out; ok $? 'many records'
at_most 16384
[ "$(grep -c '"zone":"a"' out)" -eq $many ]; ok $? 'each has its zone'
rm -f many out

quick_ends
# ---- exact ----

for seed in 1 2 3 4 5 6 7 8 9 10 11 12; do
	python3 "$oracle" layer $seed >made.json
	python3 "$oracle" points made.json p 1 $seed >points
	run 0 "made-up polygons $seed: none is mended" geo-tag --strict-polygons -l z=made.json:n@p_x,p_y --receipt receipt points
	python3 "$oracle" check receipt z=made.json:n@p_x,p_y <out >wrong 2>err
	ok $? '... and every answer is the true one' || sed 's/^/# /' wrong
done
# exact DIRECTORY WHOSE: its three layers, at every corner and middle of an edge, and all of them at once
exact() {
	districts=$1/council_districts_simplified.json:district_n
	tracts=$1/census_tracts_2010_simplified_20pct.json:GEOID10
	cells=$1/hex1000.json:id
	for layer in "$districts" "$tracts" "$cells"; do
		python3 "$oracle" points "${layer%:*}" p 1 7 >points
		run 0 "$2 ${layer##*:}: every corner and middle of an edge" geo-tag --strict-polygons -l "z=$layer@p_x,p_y" --receipt receipt points
		python3 "$oracle" check receipt "z=$layer@p_x,p_y" <out >wrong 2>err
		ok $? "... $(cut -d : -f 2- <err)" || sed 's/^/# /' wrong
	done
	six="-l ds=$districts@a,b -l de=$districts@c,d -l ts=$tracts@a,b -l te=$tracts@c,d -l cs=$cells@a,b -l ce=$cells@c,d"
	python3 -c 'import random
dice = random.Random(3)
for _ in range(20000):
    print("{\"a\":%.6f,\"b\":%.6f,\"c\":%.4f,\"d\":%.4f}" % (*(dice.gauss(-97.74, .08), dice.gauss(30.28, .08)) * 1,
          dice.uniform(-97.9, -97.6), dice.uniform(30.1, 30.45)))' >trips
	resident geo-tag $six --receipt receipt trips >out; ok $? 'six layers at once'
	at_most 24576
	python3 "$oracle" check receipt $(echo "$six" | sed 's/-l //g') <out >wrong 2>err
	ok $? '... are all true' || sed 's/^/# /' wrong
}
exact "$data/austin" 'made-up'
if have_real austin; then exact "$real_data/austin" 'real'; fi
done_testing
