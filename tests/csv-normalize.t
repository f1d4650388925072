#!/bin/sh
. "$(dirname "$0")/lib.sh"

t 'names, line ends, blanks, quotes' 0 csv-normalize <<'IN' 3<<'OUT'
 SR Number ,Request-Type,"Zip  -  Code",already_ok
1,"a, b",,"  "
2,"","c ""d""",x
IN
sr_number,request_type,zip_code,already_ok
1,"a, b",,
2,,"c ""d""",x
OUT
t 'names that end in dashes' 0 csv-normalize <<'IN' 3<<'OUT'
a-,- b --
1,2
IN
a_,_b_
1,2
OUT
t '--keep-names, --keep-empty' 0 csv-normalize --keep-names --keep-empty <<'IN' 3<<'OUT'
SR Number,Request-Type
1,""
2,
IN
SR Number,Request-Type
1,""
2,
OUT

t 'names empty or twice are made unique, and said' 0 csv-normalize <<'IN' 3<<'OUT'
Name,,name,name_2, ,NAME
1,2,3,4,5,6
IN
name,column_2,name_2,name_2_2,column_5,name_3
1,2,3,4,5,6
OUT
said '<stdin>: column 2 has no name: it is column_2'
said '<stdin>: column 3 is another "name": it is name_2'

t '--rename, by the new name or the old' 0 csv-normalize --rename sr_number=id --rename 'Request Type=kind' <<'IN' 3<<'OUT'
SR Number,Request Type
1,2
IN
id,kind
1,2
OUT
t '--columns: in this order, a missing one is empty, and said' 0 csv-normalize --columns c,zz,a <<'IN' 3<<'OUT'
A,B,C
1,2,3
IN
c,zz,a
3,,1
OUT
said '<stdin>:1: no column "zz" in the header'
t '--rename, by a name that has white space around it in the header' 0 csv-normalize --strict --rename 'Request Type=kind' <<'IN' 3<<'OUT'
id, Request Type ,b
1,x,2
IN
id,kind,b
1,x,2
OUT
t '--strict: all that is missing' 65 csv-normalize --strict --columns c,zz,a,yy --rename x=y --date when <<'IN' 3</dev/null
A,B,C
1,2,3
IN
said '<stdin>:1: no column "x", "zz", "yy", "when" in the header'

printf 'b;a\n1;"x;y"\n' >semicolon.csv
printf 'b\ta\n1\t"x,y"\n' >tab.csv
printf 'b|a\n1|x\n' >pipe.csv
t 'semicolons' 0 csv-normalize semicolon.csv 3<<'OUT'
b,a
1,x;y
OUT
said 'semicolon.csv: the delimiter is ";"'
t 'tabs, and a bar in the next file' 0 csv-normalize tab.csv pipe.csv 3<<'OUT'
b,a
1,"x,y"
1,x
OUT
said 'tab.csv: the delimiter is a tab'
said 'pipe.csv: the delimiter is "|"'
t 'the delimiter comes from the header alone' 0 csv-normalize <<'IN' 3<<'OUT'
a,"b;;;"
;;;;,2
IN
a,b;;;
;;;;,2
OUT
t '--delimiter' 0 csv-normalize --delimiter ';' <<'IN' 3<<'OUT'
"a,b,c,d";e
1;2
IN
"a,b,c,d",e
1,2
OUT
t '--delimiter tab' 0 csv-normalize --delimiter tab tab.csv 3<<'OUT'
b,a
1,"x,y"
OUT
t 'the wrong one is noticed' 65 csv-normalize --delimiter , semicolon.csv 3</dev/null
said 'one column: is the delimiter ";"?'

printf 'name,city\nJos\303\251,\342\202\254 5\n' >utf8.csv
for e in LATIN1 WINDOWS-1252 UTF-16LE UTF-16BE; do
	iconv -f UTF-8 -t "$e//TRANSLIT" utf8.csv >"$e.csv"
done
{ printf '\377\376'; cat UTF-16LE.csv; } >bom.csv
for e in UTF-16LE UTF-16BE WINDOWS-1252; do
	t "$e is guessed" 0 csv-normalize "$e.csv" 3<utf8.csv
	said "$e.csv: read as $(echo "$e" | tr A-Z a-z)"
done
t 'UTF-16 with a byte order mark' 0 csv-normalize --encoding utf-16 bom.csv 3<utf8.csv
said_not 'read as'
t 'UTF-8 with one' 0 csv-normalize 3<utf8.csv <<IN
$(printf '\357\273\277')$(cat utf8.csv)
IN
t 'latin1' 0 csv-normalize --encoding latin1 LATIN1.csv 3<<'OUT'
name,city
José,EUR 5
OUT
printf 'a,b\n\223\372\226{,\274\n' >sjis.csv
t 'any encoding that iconv knows, by a name in any case' 0 csv-normalize --encoding Shift_JIS sjis.csv 3<<'OUT'
a,b
日本,ｼ
OUT
printf 'a,b\n1,\223' >cut.csv
t '... half a character at the end is bad' 65 csv-normalize --encoding shift_jis cut.csv 3<<'OUT'
a,b
OUT
said 'cut.csv:2: column "b": invalid UTF-8'
printf 'a,b\n\033$BF|K\\\033(B,2\n' >jis.csv
t '... with shifts between alphabets, in the second file too' 0 csv-normalize --encoding iso-2022-jp jis.csv jis.csv 3<<'OUT'
a,b
日本,2
日本,2
OUT
t 'each file has an encoding of its own' 0 csv-normalize UTF-16BE.csv utf8.csv WINDOWS-1252.csv 3<<'OUT'
name,city
José,€ 5
José,€ 5
José,€ 5
OUT
awk 'BEGIN { print "name,city"; for (i = 0; i < 20000; i++) print i ",😀 é 😀😀" }' >long.csv
{ cat long.csv; echo 'José,€ 5'; } >long.want
run 0 '... behind a file larger than the guess too' sh -c 'csv-normalize long.csv WINDOWS-1252.csv | cmp - long.want'
iconv -f UTF-8 -t UTF-16LE long.csv >long16.csv
run 0 'surrogate pairs across the edges of the window' sh -c 'csv-normalize long16.csv | cmp - long.csv'
awk 'BEGIN { print "a,b"; for (i = 0; i < 20000; i++) print i ",text" }' >late.csv
printf '1,\351\n2,x\n' >>late.csv
run 65 'invalid UTF-8 far behind the guess is a bad record' csv-normalize late.csv
said 'late.csv:20002: column "b": invalid UTF-8: see csv-normalize --encoding'
run 0 '... or a reject' csv-normalize --rejects bad.json late.csv
run 0 '... and --encoding reads it' sh -c 'csv-normalize --encoding windows-1252 late.csv | grep -c "1,é" | grep -qx 1'
printf 'a,b\n1,\201\n' >hole.csv
t 'a byte that Windows-1252 has not' 65 csv-normalize --encoding windows-1252 hole.csv 3<<'OUT'
a,b
OUT
said 'hole.csv:2: column "b": invalid UTF-8'
printf 'a\0,\0b\0\n\0001\0,\0\0\330\n\0' >surrogate.csv
t 'a lone surrogate' 65 csv-normalize surrogate.csv 3<<'OUT'
a,b
OUT
said 'surrogate.csv:2: column "b": invalid UTF-8'
printf 'a,b\r\n1,2\r\n3,"4\r\n5"\r6,7' >cr.csv
t 'CRLF and CR end records' 0 csv-normalize cr.csv 3<<OUT
a,b
1,2
3,"4$(printf '\r')
5"
6,7
OUT

t 'dates of many shapes' 0 csv-normalize --date when <<'IN' 3<<'OUT'
id,when
1,1/1/20 0:05
2,01/31/2020 11:59:59 PM
3,2020-01-01T00:05:00.000
4,2020-01-01 00:05:00+02
5,2020-01-01T00:05:00Z
6,20200101
7,"January 31, 2020 5:03 pm"
8,31-Jan-99
9,"Fri, 31 Jan 2020 10:00:00 GMT"
10,2020/1/5
11,12/5/19 11:11
12,2016-12-31 23:59:60
13,2020-01-01T12:00:00.1234567
IN
id,when
1,2020-01-01T00:05:00
2,2020-01-31T23:59:59
3,2020-01-01T00:05:00
4,2020-01-01T00:05:00+02:00
5,2020-01-01T00:05:00Z
6,2020-01-01
7,2020-01-31T17:03:00
8,1999-01-31
9,2020-01-31T10:00:00Z
10,2020-01-05
11,2019-12-05T11:11:00
12,2017-01-01T00:00:00
13,2020-01-01T12:00:00.123457
OUT
t 'a time alone is none' 65 csv-normalize --date when <<'IN' 3<<'OUT'
id,when
14,12:00 AM
IN
id,when
OUT
bad_date() {		# bad_date VALUE REASON OPTION...
	value=$1 reason=$2; shift 2
	printf 'id,when\n1,"%s"\n' "$value" >date.csv
	t "no date: $value" 65 csv-normalize --date when "$@" date.csv 3<<'OUT'
id,when
OUT
	said "date.csv:2: column \"when\": \"$value\" $reason"
}
bad_date 02/30/2020 'is no date: that month has no such day'
bad_date 31/02/2020 'is no date: there is no such month'
bad_date 31/01/2020 'is no date: there is no such month; day first? see --date-order dmy'
bad_date 01/31/2020 'is no date: there is no such month; month first? see --date-order mdy' --date-order dmy
bad_date 01/02/03 'is ambiguous: each number may be the month: see --date-order'
bad_date 12/12/12 'is ambiguous: each number may be the month: see --date-order'
bad_date 01.02.2020 'is ambiguous: is the day or the month first? see --date-order'
bad_date 1/2/2020 'is no date: the year is not first: see --date-order' --date-order ymd
bad_date 1900-02-29 'is no date: that month has no such day'
bad_date 0000-01-01 'is no date: the year is not in 1 to 9999'
bad_date '2020-01-01 25:00' 'is no date: the hour is past 23'
bad_date '2020-01-01 24:00' 'is no date: the hour is past 23'
bad_date '2020-01-01 23:60' 'is no date: the minute is past 59'
bad_date '2020-01-01 23:58:60' 'is no date: the second is past 59'
bad_date '2020-01-01 13:00 PM' 'is no date: the hour is not in 1 to 12'
bad_date '2020-01-01 10:00 PST' 'has a time zone by name: want Z or an offset such as -08:00'
bad_date '2020-01-01 10:00+16:00' 'is no date: there is no such time zone offset'
bad_date 2020-01-01x10:00 'is no date'
bad_date '2020-01-01 10:00*' 'is no date: the time makes no sense'
bad_date '9999-12-31 23:59:60' 'is no date: the year is not in 1 to 9999'
bad_date 'Wed, 31 Jan 2020' 'is no date: that day is another day of the week'
bad_date 'Jan 2020' 'is no date'
bad_date 20200132 'is no date: that month has no such day'
bad_date 1/1/020 'is no date'
bad_date yesterday 'is no date'
t '--date-order' 0 csv-normalize --date-order dmy --date a <<'IN' 3<<'OUT'
a
01/02/03
31.12.2019 23:59
2020-02-01
IN
a
2003-02-01
2019-12-31T23:59:00
2020-02-01
OUT
t '--date with a format' 0 csv-normalize --date 'a=%m/%d/%Y %I:%M:%S %p' --date b=%s --date 'c=%d. %b %y' --date d=%Y-%j --date 'e=%D %R %z' <<'IN' 3<<'OUT'
a,b,c,d,e
01/02/2020 12:00:00 AM,1577836800,3. Feb 70,2020-366,1/2/20 3:04 -0800
IN
a,b,c,d,e
2020-01-02T00:00:00,2020-01-01T00:00:00Z,1970-02-03,2020-12-31,2020-01-02T03:04:00-08:00
OUT
t 'a number over 12 is not the month' 0 csv-normalize --date a <<'IN' 3<<'OUT'
a
12/12/13
12/13/12
IN
a
2013-12-12
2012-12-13
OUT
bad_format() {		# bad_format VALUE FORMAT REASON
	printf 'when\n"%s"\n' "$1" >date.csv
	run 65 "no date by $2: $1" csv-normalize --date "when=$2" date.csv
	said "date.csv:2: column \"when\": \"$1\" $3"
}
bad_format /1/2020 %m/%d/%Y 'is no date in the format wanted'
bad_format 2/30/2020 %m/%d/%Y 'is no date'
bad_format '1/2/2020 13 PM' '%m/%d/%Y %I %p' 'is no date: the hour is not in 1 to 12'
t 'a format with %n and %t, which stand for any white space' 0 csv-normalize --date a=%Y%n%m%t%d <<'IN' 3<<'OUT'
a
2020 2  29
IN
a
2020-02-29
OUT
bad_format '1/2/2020 x' %m/%d/%Y 'is no date in the format wanted: there is more behind it'
bad_format '2020-01-01 10:00 8' '%Y-%m-%d %H:%M %z' 'is no date'
t 'thousandths, and a comma before the time' 0 csv-normalize --date a <<'IN' 3<<'OUT'
a
2020-01-02T03:04:05.678
"1/2/2020, 3:04 AM"
IN
a
2020-01-02T03:04:05.678
2020-01-02T03:04:00
OUT
t 'the T before the time may be small' 0 csv-normalize --date a <<'IN' 3<<'OUT'
a
2020-01-02t03:04
IN
a
2020-01-02T03:04:00
OUT
t '... and --null for those that are none' 0 csv-normalize --date a --null N/A --null NULL <<'IN' 3<<'OUT'
a,b
N/A,x
,NULL
1/2/2020,N/A 
IN
a,b
,x
,
2020-01-02,"N/A "
OUT
t '--trim' 0 csv-normalize --trim --null N/A <<'IN' 3<<'OUT'
a,b
  x , N/A 
IN
a,b
x,
OUT

t 'ragged rows to the rejects' 0 csv-normalize --rejects bad.json <<'IN' 3<<'OUT'
a,b
1
2,3,4

5,6
IN
a,b
5,6
OUT
run 0 'both of them' sh -c '[ "$(jq -r .line bad.json | tr "\n" " ")" = "2 3 " ]'
run 65 'or the end of the run' sh -c 'printf "a,b\n1,2,3\n" | csv-normalize'
said '<stdin>:2: 2 columns wanted, 3 found'
t 'a bad date to the rejects, with the whole record' 0 csv-normalize --rejects bad.json --date b <<'IN' 3<<'OUT'
A a,b
1,2/30/2020
2,2/28/2020
IN
a_a,b
2,2020-02-28
OUT
run 0 'by name, as it came' jq -e '.column == "b" and .line == 2 and .record == {"a_a":"1","b":"2/30/2020"}' bad.json

t 'files with other columns: by name' 0 csv-normalize semicolon.csv utf8.csv --columns a,city <<'IN' 3<<'OUT'
IN
a,city
x;y,
,€ 5
OUT
t '... and without --columns nothing is dropped' 65 csv-normalize semicolon.csv utf8.csv 3<<'OUT'
b,a
1,x;y
OUT
said 'utf8.csv:1: column "name" is not in the first file: see --columns'

t 'no input' 0 csv-normalize </dev/null 3</dev/null
t 'a header alone' 0 csv-normalize <<'IN' 3<<'OUT'
A,B
IN
a,b
OUT
t 'an open quote in the header' 65 csv-normalize 3</dev/null <<'IN'
a,"b
1,2
IN
printf 'a,b\n1,2\0\n' >nul.csv
t 'a NUL byte' 65 csv-normalize nul.csv 3<<'OUT'
a,b
OUT
t '--nul replace' 0 csv-normalize --nul replace nul.csv 3<<'OUT'
a,b
1,2�
OUT

awk 'BEGIN { print "a,b"; for (i = 0; i < 300000; i++) print i ",some text to fill the row with" }' >many.csv
run 0 'a reader that leaves ends it quietly' sh -c 'csv-normalize many.csv | head -1'
said_not csv-normalize
run 0 'memory is bounded' limited 40000 csv-normalize 'csv-normalize many.csv | cmp - many.csv'
iconv -t UTF-16 many.csv >many16.csv
run 0 '... in UTF-16 too' limited 40000 csv-normalize 'csv-normalize --quiet <many16.csv | cmp - many.csv'

t 'a full disk is no success' 74 sh -c 'csv-normalize utf8.csv >/dev/full' 3</dev/null
t 'a read error is no end of input' 74 csv-normalize <. 3</dev/null
t 'arguments are checked before input: --delimiter' 64 csv-normalize --delimiter ';;' 3</dev/null
t '--rename' 64 csv-normalize --rename a 3</dev/null
t '--date without a column' 64 csv-normalize --date =%Y 3</dev/null
t '--date with half a format' 64 csv-normalize --date a=%Y 3</dev/null
said 'it has to say year, month and day'
t '--date with an unknown letter' 64 csv-normalize --date a=%Q 3</dev/null
t '--date with %I alone' 64 csv-normalize --date 'a=%F %I' 3</dev/null
t '--date with minutes alone' 64 csv-normalize --date 'a=%F %M' 3</dev/null
t '--date-order without --date' 64 csv-normalize --date-order dmy 3</dev/null
t '--date twice' 64 csv-normalize --date a --date a 3</dev/null
t '--columns twice' 64 csv-normalize --columns a,a 3</dev/null
t '--columns with an empty name' 64 csv-normalize --columns a,,b 3</dev/null
t '--encoding' 64 csv-normalize --encoding ebcdic 3</dev/null
said 'iconv -l lists them'
t '--encoding with a suffix of iconv' 64 csv-normalize --encoding utf-16//IGNORE 3</dev/null
t 'no such file' 66 csv-normalize nowhere.csv 3</dev/null
t 'stdin closed' 66 sh -c 'csv-normalize <&-' 3</dev/null
t 'stdout closed' 74 sh -c 'csv-normalize utf8.csv >&-' 3</dev/null

cat >by-python.py <<'PY'
import csv, datetime, sys
def iso(s):
    return datetime.datetime.strptime(s, "%m/%d/%y %H:%M").isoformat() if s else s
rows = csv.reader(open(sys.argv[1], newline="", encoding="utf-8"))
out = csv.writer(sys.stdout, lineterminator="\n")
head = next(rows)
dates = [i for i, name in enumerate(head) if name.endswith("date")]
out.writerow(head)
for row in rows:
    out.writerow([iso(v) if i in dates else v for i, v in enumerate(row)])
PY
as_python() {		# as_python FILE WHOSE
	python3 by-python.py "$1" >wanted.csv
	csv-normalize "$1" --date 'createddate=%m/%d/%y %H:%M' --date 'updateddate=%m/%d/%y %H:%M' \
		--date 'servicedate=%m/%d/%y %H:%M' --date 'closeddate=%m/%d/%y %H:%M' >got.csv
	same "$2 requests, as Python reads them" wanted.csv got.csv
	csv-normalize "$1" --date createddate --date updateddate --date servicedate --date closeddate >got.csv
	same '... without a format too' wanted.csv got.csv
}
as_python "$data/311/la311-2020-jan.csv" 'made-up'
have_real 311/la311-2020-jan.csv && as_python "$real_data/311/la311-2020-jan.csv" 'real'
printf 'createddate\n1/31/20 0:05\n' >requests.csv
t "the manual's first example" 0 csv-normalize --date 'createddate=%m/%d/%y %H:%M' requests.csv 3<<'OUT'
createddate
2020-01-31T00:05:00
OUT
printf 'Opened,Note\n 1/31/2020 ,N/A\n1/31/2020,x,y\nsoon,\n' >export.csv
t 'and its second' 0 csv-normalize --trim --null N/A --date opened --rejects bad.json export.csv 3<<'OUT'
opened,note
2020-01-31,
OUT
done_testing
