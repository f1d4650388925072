#!/bin/sh
. "$(dirname "$0")/lib.sh"

cat >columns <<'X'
{"name":"id","type":"text","position":1,"title":"Id"}
{"name":"n","type":"number"}
{"name":"done","type":"checkbox"}
{"name":"at","type":"calendar_date"}
{"name":"fixed","type":"fixed_timestamp"}
{"name":"p","type":"point"}
{"name":"many","type":"multipoint"}
{"name":"site","type":"location"}
{"name":"link","type":"url"}
{"name":"two_words","type":"text"}
{"name":"blob","type":"photo"}
X
shape() { soda-shape --schema columns "$@"; }

# values, type by type
t 'text: booleans, arrays and objects become text; numbers and texts pass' 0 shape <<'IN' 3<<'OUT'
{"id":true}
{"id":false}
{"id":["a","b, c",1.50,null,true,{"x": [1]}]}
{"id":{"x": "é"}}
{"id":1.10}
{"id":"\u00e9\n"}
{"id":[]}
{"id":[null,null]}
{"id":""}
{"id":null}
IN
{"id":"True"}
{"id":"False"}
{"id":"a, b, c, 1.50, True, {\"x\": [1]}"}
{"id":"{\"x\": \"é\"}"}
{"id":1.10}
{"id":"\u00e9\n"}
{"id":null}
{"id":null}
{"id":""}
{"id":null}
OUT
t 'numbers pass as they stand, blanks are null' 0 shape <<'IN' 3<<'OUT'
{"n":1.50}
{"n":"-12.50"}
{"n":"1e3"}
{"n":".5"}
{"n":12345678901234567890}
{"n":""}
IN
{"n":1.50}
{"n":"-12.50"}
{"n":"1e3"}
{"n":".5"}
{"n":12345678901234567890}
{"n":null}
OUT
t 'checkboxes' 0 shape <<'IN' 3<<'OUT'
{"done":true}
{"done":"No"}
{"done":"TRUE"}
{"done":0}
{"done":""}
IN
{"done":true}
{"done":false}
{"done":true}
{"done":false}
{"done":null}
OUT
t 'floating timestamps keep the wall clock and drop the zone; fixed ones pass' 0 shape <<'IN' 3<<'OUT'
{"at":"2020-01-31T23:05:00-06:00"}
{"at":"2020-01-31T05:05:00.5Z"}
{"at":"2020-01-31"}
{"at":"","fixed":"2020-01-31T23:05:00-06:00"}
{"at":"2020-01-31 23:05:00+01","fixed":"2020-01-31 23:05:00.5-06"}
{"fixed":"2020-01-31T23:05:00.500000-06:00"}
{"fixed":"20200131"}
IN
{"at":"2020-01-31T23:05:00"}
{"at":"2020-01-31T05:05:00.500"}
{"at":"2020-01-31T00:00:00"}
{"at":null,"fixed":"2020-01-31T23:05:00-06:00"}
{"at":"2020-01-31T23:05:00","fixed":"2020-01-31T23:05:00.500-06:00"}
{"fixed":"2020-01-31T23:05:00.500000-06:00"}
{"fixed":"2020-01-31"}
OUT
t 'points' 0 shape <<'IN' 3<<'OUT'
{"p":{"latitude":30.25,"longitude":"-97.70","street":"1 Main"}}
{"p":{"latitude":"+.5","longitude":"-00.5"}}
{"p":[{"latitude":"1.","longitude":2}]}
{"p":[{"latitude":"","longitude":""},null,{"latitude":1,"longitude":2}]}
{"p":{"latitude":"","longitude":""}}
{"p":{"street":"1 Main"}}
{"p":""}
{"p":[]}
{"p":{"type":"Point","coordinates":[-97.7, 30.2]}}
{"p":"POINT (-97.7 30.2)"}
IN
{"p":{"type":"Point","coordinates":[-97.70,30.25]}}
{"p":{"type":"Point","coordinates":[-0.5,0.5]}}
{"p":{"type":"Point","coordinates":[2,1.0]}}
{"p":{"type":"Point","coordinates":[2,1]}}
{"p":null}
{"p":null}
{"p":null}
{"p":null}
{"p":{"type":"Point","coordinates":[-97.7, 30.2]}}
{"p":"POINT (-97.7 30.2)"}
OUT
t 'multipoints' 0 shape <<'IN' 3<<'OUT'
{"many":[{"latitude":1,"longitude":2},{"latitude":"","longitude":""},{"latitude":"3","longitude":"4"}]}
{"many":{"latitude":1,"longitude":2}}
{"many":[{"latitude":"","longitude":""}]}
IN
{"many":{"type":"MultiPoint","coordinates":[[2,1],[4,3]]}}
{"many":{"type":"MultiPoint","coordinates":[[2,1]]}}
{"many":null}
OUT
t 'locations and URLs' 0 shape <<'IN' 3<<'OUT'
{"site":{"latitude":"30.2","longitude":-97.70,"street":"1 \"Main\"","street2":"#2","city":"Austin","state":"TX","zip":"78701"}}
{"site":{"latitude":"30.2","longitude":"-97.7","human_address":"{}"},"link":"http://x/"}
{"site":{"latitude":"","longitude":""},"link":{"url":"http://x/"}}
{"site":{"type":"Point","coordinates":[-97.7,30.2]},"p":{"latitude":" 30.25 ","longitude":"-1.e1"}}
{"site":"{\"latitude\":30.2,\"longitude\":-97.7}"}
IN
{"site":{"latitude":"30.2","longitude":"-97.70","human_address":"{\"address\":\"1 \\\"Main\\\" #2\",\"city\":\"Austin\",\"state\":\"TX\",\"zip\":\"78701\"}"}}
{"site":{"latitude":"30.2","longitude":"-97.7","human_address":"{}"},"link":{"url":"http://x/"}}
{"site":null,"link":{"url":"http://x/"}}
{"site":{"latitude":"30.2","longitude":"-97.7","human_address":"{\"address\":\"\",\"city\":\"\",\"state\":\"\",\"zip\":\"\"}"},"p":{"type":"Point","coordinates":[-1.0e1,30.25]}}
{"site":{"latitude":"30.2","longitude":"-97.7","human_address":"{\"address\":\"\",\"city\":\"\",\"state\":\"\",\"zip\":\"\"}"}}
OUT
t 'a type without a rule passes' 0 shape <<'IN' 3<<'OUT'
{"blob":{"a": 1}}
IN
{"blob":{"a": 1}}
OUT

# fields
t 'names fit by lower case and _; what is no column is left out' 0 shape <<'IN' 3<<'OUT'
{"Two Words":"a","ID":1,"junk":2}
{"two-words":"b","Junk 2":3,"junk":4}
IN
{"two_words":"a","id":1}
{"two_words":"b"}
OUT
said 'dropped: the dataset has no column junk (2 of 2 records)'
said 'dropped: the dataset has no column Junk 2 (1 of 2 records)'
t 'a field that comes twice: the last one wins' 0 shape <<'IN' 3<<'OUT'
{"id":1,"n":2,"id":3}
IN
{"id":3,"n":2}
OUT
t '--strict' 65 shape --strict <<'IN' 3<<'OUT'
{"id":1}
{"id":2,"junk":2}
IN
{"id":1}
OUT
said 'soda-shape: <stdin>:2: column "junk": the dataset has no such column'
t '--point makes a column of two fields, which are no columns themselves' 0 shape --point p=Lon,Lat <<'IN' 3<<'OUT'
{"id":1,"Lon":"-97.7","Lat":30}
{"id":2,"Lon":"","Lat":null}
{"id":3}
IN
{"id":1,"p":{"type":"Point","coordinates":[-97.7,30]}}
{"id":2,"p":null}
{"id":3,"p":null}
OUT
said_not dropped
run 0 '--stamp' sh -c 'echo "{\"id\":1,\"at\":\"2020-01-01\"}" | soda-shape --schema columns --stamp at --zone America/Chicago'
python3 - >ago <<'X'
import datetime, json, zoneinfo
at = datetime.datetime.fromisoformat(json.load(open("out"))["at"]).replace(tzinfo=zoneinfo.ZoneInfo("America/Chicago"))
now = datetime.datetime.now(datetime.timezone.utc)
# In one hour of November the clock there goes back: a time in it comes twice.
print(any(0 <= (now - at.replace(fold=fold)).total_seconds() < 600 for fold in (0, 1)))
X
t 'is now, on the wall clock of the zone, in place of what the record had' 0 cat ago 3<<'OUT'
True
OUT

# formats
t 'CSV in, CSV out: all columns, in the order of the dataset' 0 shape --point p=lon,lat <<'IN' 3<<'OUT'
Two Words,id,lon,lat,done
"a, b",007,-97.7,30.2,yes
,2,,,
IN
id,n,done,at,fixed,p,many,site,link,two_words,blob
007,,true,,,"{""type"":""Point"",""coordinates"":[-97.7,30.2]}",,,,"a, b",
2,,,,,,,,,,
OUT
t 'CSV in, NDJSON out: cells that hold objects' 0 shape --to ndjson <<'IN' 3<<'OUT'
id,p,many,link,two words
1,"{""latitude"":30,""longitude"":""-97""}","[{""latitude"":1,""longitude"":2}]","{""url"":""http://x/""}","{""a"":1}"
2,"{""type"":""Point"",""coordinates"":[1,2]}",,{x,[]
3,POINT (1 2),,,
IN
{"id":"1","p":{"type":"Point","coordinates":[-97,30]},"many":{"type":"MultiPoint","coordinates":[[2,1]]},"link":{"url":"http://x/"},"two_words":"{\"a\":1}"}
{"id":"2","p":{"type":"Point","coordinates":[1,2]},"many":null,"link":{"url":"{x"},"two_words":"[]"}
{"id":"3","p":"POINT (1 2)","many":null,"link":null,"two_words":null}
OUT
t 'nothing in, nothing out' 0 shape </dev/null 3</dev/null

# bad records
cat >bad <<'X'
{"id":1,"n":"1,000"}
{"n":true}
{"done":"maybe"}
{"at":"31/01/2020"}
{"at":1580428800}
{"fixed":"soon"}
{"p":{"latitude":"97.7","longitude":"30"}}
{"p":{"latitude":"30","longitude":"197"}}
{"p":{"latitude":"30","longitude":""}}
{"p":{"latitude":"x","longitude":"1"}}
{"p":[{"latitude":1,"longitude":2},{"latitude":1,"longitude":2}]}
{"p":[3]}
{"p":7}
{"site":"(1, 2)"}
{"link":7}
{"junk":1}
{"id":1,"ID":2}
{"site":{"type":"Polygon","coordinates":[[[0,0],[0,1],[1,1],[0,0]]]}}
{"site":{"type":"Point","coordinates":5}}
X
run 0 'bad records go to --rejects' shape --rejects rejects bad
jq -r '"\(.line) \(.column) \(.reason)"' rejects >reasons
cat >want <<'X'
1 n "1,000" is no number
2 n "true" is no number
3 done "maybe" is neither true nor false
4 at "31/01/2020" is no date of ISO 8601
5 at "1580428800" is no date of ISO 8601
6 fixed "soon" is no date of ISO 8601
7 p "{"latitude":"97.7","longitude":"30"}" has a latitude beyond 90 degrees: were the two swapped?
8 p "{"latitude":"30","longitude":"197"}" has a longitude beyond 180 degrees
9 p "{"latitude":"30","longitude":""}" has a latitude or a longitude, but not both
10 p "{"latitude":"x","longitude":"1"}" has a latitude or longitude that is no number
11 p "[{"latitude":1,"longitude":2},{"latitude":1,"longitude":2}]" has several places, and the column takes one
12 p "[3]" has a place without latitude and longitude
13 p "7" is no place: want latitude and longitude
14 site "(1, 2)" is no place: want latitude and longitude
15 link "7" is no URL
16  none of its fields is a column of the dataset
17 ID the fields id and ID are both column id
18 site "{"type":"Polygon","coordinates":[[[0,0],[0,1],[1,1],[0,0]]]}" is GeoJSON, but no Point or MultiPoint
19 site "{"type":"Point","coordinates":5}" is GeoJSON whose coordinates are no positions
X
sed 's/^16 null/16 /' reasons >got
same '... each with its reason' want got
same '... and none comes out' /dev/null out
run 65 'without, the first one ends it' shape bad
said 'soda-shape: bad:1: column "n": "1,000" is no number'
run 65 'a field and a --point may not meet' sh -c 'echo "{\"p\":null,\"a\":1,\"b\":2}" | soda-shape --schema columns --point p=a,b'
said 'comes from --point, but is a field, too'
python3 -c 'print("{" + ",".join(f"\"f{i}\":1" for i in range(10001)) + "}")' >wide
run 65 'data in the place of names' shape wide
said 'more than 10000 different fields'

# settings
run 64 'no --schema' soda-shape
run 64 '--point wants two fields' shape --point p=x
run 64 '--zone without --stamp' shape --zone UTC
run 66 'columns that are not there' soda-shape --schema nowhere
run 65 'columns that are none' soda-shape --schema bad
printf '{"name":"a","type":"text"}\n{"name":"a","type":"text"}\n' >twice
run 65 'columns that come twice' soda-shape --schema twice
said 'column a comes twice'
run 78 '--location has to be there' shape --location somewhere
said '--location somewhere: the dataset has no such column: see columns'
run 78 '... as a place' shape --location n
said '--location n: the column is no point, multipoint or location'
run 0 '... and may be called as the field is' sh -c 'printf "{\"P\":null}\n" | soda-shape --schema columns --location P'
run 78 '--point has to be a place' shape --point n=a,b
run 78 '--stamp has to be there' shape --stamp nowhere
run 78 'a zone that is none' shape --stamp at --zone Mars/Olympus
run 74 'a full disk is no success' sh -c 'echo "{\"id\":1}" | soda-shape --schema columns >/dev/full'
run 74 'a read error is no end of input' sh -c 'soda-shape --schema columns <.'
python3 -c 'for i in range(300000): print("{\"id\":%d,\"n\":\"1.5\",\"junk\":1,\"at\":\"2020-01-31\",\"p\":{\"latitude\":30,\"longitude\":-97}}" % i)' >many
run 0 'many records in little memory' limited 40000 soda-shape 'soda-shape --schema columns many | tail -n 1'
mv out last
t '... to the last one' 0 cat last 3<<'OUT'
{"id":299999,"n":"1.5","at":"2020-01-31T00:00:00","p":{"type":"Point","coordinates":[-97,30]}}
OUT
done_testing
