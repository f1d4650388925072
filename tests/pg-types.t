#!/bin/sh
# Each encoder against PostgreSQL's own input functions: what both take has to be the same value, bit for bit.
. "$(dirname "$0")/lib.sh"

start_postgres

# same_as_psql TYPE: values, one a line, on 0.  From CSV and NDJSON, by binary and by text COPY.
same_as_psql() {
	jq -Rr '[input_line_number, .] | @csv' >in.csv.rows
	{ echo n,v; cat in.csv.rows; } >in.csv
	{ echo n,v,p; sed 's/$/,/' in.csv.rows; } >in.text.csv
	jq -Rc 'capture("^(?<n>[0-9]+),\"(?<v>.*)\"$") | .v |= gsub("\"\""; "\"")' in.csv.rows >in.ndjson
	case $1 in json*) jq -Rrc 'capture("^(?<n>[0-9]+),\"(?<v>.*)\"$") | "{\"n\":\(.n),\"v\":\(.v | gsub("\"\""; "\""))}"' in.csv.rows >in.ndjson ;; esac
	sql "DROP TABLE IF EXISTS theirs, ours, nd, txt; CREATE TABLE theirs (n integer, v $1);
	     CREATE TABLE ours (LIKE theirs); CREATE TABLE nd (LIKE theirs); CREATE TABLE txt (LIKE theirs); ALTER TABLE txt ADD p point" 2>/dev/null
	psql -XAtqc "\\copy theirs FROM in.csv CSV HEADER" >psql.out 2>&1; ok $? "$1: psql" || sed 's/^/# /' psql.out
	run 0 "$1: CSV" pg-copy-in ours in.csv
	run 0 "$1: NDJSON" pg-copy-in nd in.ndjson
	run 0 "$1: text" pg-copy-in txt in.text.csv
	sql "SELECT n, t.v, o.v, d.v, x.v FROM theirs t FULL JOIN ours o USING (n) FULL JOIN nd d USING (n) FULL JOIN txt x USING (n)
	     WHERE ROW(t.v)::record *<> ROW(o.v)::record OR ROW(t.v)::record *<> ROW(d.v)::record OR ROW(t.v)::record *<> ROW(x.v)::record" >differ
	[ ! -s differ ] && [ "$(sql 'SELECT count(*) FROM ours')" = "$(wc -l <in.csv.rows)" ]
	ok $? "$1: the same values" || sed 's/^/# /' differ
}
same_as_psql smallint <<'IN'
0
-0
+7
 42 
32767
-32768
007
IN
same_as_psql integer <<'IN'
2147483647
-2147483648
IN
same_as_psql bigint <<'IN'
9223372036854775807
-9223372036854775808
000000000000000000000000000001
IN
same_as_psql boolean <<'IN'
t
true
TRUE
 tr 
y
yes
on
1
f
fals
no
of
off
0
IN
same_as_psql 'double precision' <<'IN'
0
-0
1
34.19402846
-118.4994716
.5
5.
1e22
1e23
123456789012345
1234567890123456789
0.1
1e-5
1.7976931348623157e308
2.2250738585072014e-308
5e-324
9007199254740993
-1E+2
NaN
Infinity
-inf
 1.5 
0.000000000000000000000000000000000000000001
IN
same_as_psql real <<'IN'
0.1
16777217
3.4028235e38
1e-45
1.00000006
NaN
-Infinity
34.19402846
IN
same_as_psql numeric <<'IN'
0
-0
0.00
1
-1
10000
9999
12345.6
1.10
0.1
0.0001
0.00001
0.00000001
100000000
123456789012345678901234567890.123456789012345678901234567890
1e10
1.5e3
1.5E-3
1e-10
-1234e-2
00012.3400
NaN
Infinity
-Infinity
 7 
.5
5.
1e1000
1e-1000
IN
{ printf 1; head -c 5000 /dev/zero | tr '\0' 7; printf .; head -c 3000 /dev/zero | tr '\0' 3; echo; } >long
same_as_psql numeric <long
same_as_psql 'numeric(6,2)' <<'IN'
9999.99
-9999.99
1.5
1.500
0
1e3
NaN
IN
same_as_psql 'numeric(3,-2)' <<'IN'
99900
100
-1200
0
IN
same_as_psql 'numeric(2,4)' <<'IN'
0.0099
0.0001
0
IN
same_as_psql date <<'IN'
2020-01-31
2000-02-29
0001-01-01
9999-12-31
1999-12-31
20200131
infinity
-infinity
IN
same_as_psql timestamp <<'IN'
2020-01-31T23:59:59.000
2020-01-31 23:59:59
2020-01-31T23:59:59.123456
1969-12-31T23:59:59.5
0001-01-01T00:00:00
9999-12-31T23:59:59.999999
2020-01-31
2020-01-31T23:59
2020-01-31T23:59:59Z
infinity
-infinity
IN
same_as_psql timestamptz <<'IN'
2020-01-31T23:59:59.000
2020-01-31T23:59:59Z
2020-01-31T23:59:59+01:00
2020-01-31T23:59:59-0830
2020-01-31T23:59:59.123456+05:45
infinity
IN
same_as_psql 'timestamp(0)' <<'IN'
2020-01-31T23:59:59.6
IN
same_as_psql uuid <<'IN'
a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11
A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11
{a0eebc99-9c0b4ef8-bb6d6bb9-bd380a11}
a0eebc999c0b4ef8bb6d6bb9bd380a11
a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11
IN
for type in text 'varchar(8)' 'char(8)' varchar name; do
	same_as_psql "$type" <<-'IN'
	a
	a b
	éßñ
	日本語
	\N
	\.
	a\nb
	it's
	12345678
	ääääääää
	IN
done
for type in json jsonb; do
	same_as_psql "$type" <<-'IN'
	{"a": [1, 2.50, null, true], "b": "\u00e9 \"q\""}
	"text"
	1.10
	[]
	IN
done
done_testing
