#!/bin/sh
# Our readers against Python's: thousands of seeded random texts, good and broken, in a few processes.
. "$(dirname "$0")/lib.sh"

cat >make.py <<'PY'
import csv, datetime, io, json, random
random.seed(311)

# CSV: 1,000 files; the name of the first column says which file a row comes from.
bits = ["a", "bc", " ", '"', '"', '""', ",", ",", "\n", "\r", "\r\n", "é", "\\.", "0.10", "x" * 20]
good = 0
with open("csv.want", "w") as want:
    for i in range(1000):
        body = "".join(random.choice(bits) for _ in range(random.randrange(24)))
        with open(f"{i}.csv", "w", newline="", encoding="utf-8") as f:
            f.write(f"f{i},b\n{body}")
        rows, whole, ragged = [], True, 0
        try:
            for row in csv.reader(io.StringIO(body, newline=""), strict=True):
                if len(row) == 2:
                    rows.append(row)
                elif row:
                    ragged += 1
        except csv.Error:
            whole = False
        good += whole
        json.dump([rows, whole, ragged], want)
        want.write("\n")

# JSON: a document a line, as a member of a record; half of them have one byte of them changed.
def value(depth):
    kind = random.randrange(9 if depth < 4 else 7)
    if kind < 3:
        return "".join(random.choice('ab"\\/\n\t é€😀\x7f\x01') for _ in range(random.randrange(20)))
    if kind < 5:
        return random.choice([0, -1, 1.5, 1e300, 10**25, -0.0, 1e-7])
    if kind == 5:
        return random.choice([True, False, None])
    if kind == 6:
        return random.choice([[], {}])
    if kind == 7:
        return [value(depth + 1) for _ in range(random.randrange(4))]
    return {str(random.randrange(99)): value(depth + 1) for _ in range(random.randrange(4))}

alphabet = b'{}[]",:\\ue0123.+-tfn /\x00\x09\x1f\x7f\x80\xc0\xc3\xa9\xed\xa0\xf5\xff aEdD8'
pieces = [b"\\ud800", b"\\ud83d\\ude00", b"\\udc00", b"NaN", b"01", b"1e5", b"-", b"\xed\xa0\x80", b"\xf0\x9f\x98\x80"]

def verdict(text):
    def no(_):
        raise ValueError
    def all_text(v):
        if isinstance(v, str):
            v.encode("utf-8")
        elif isinstance(v, list):
            for x in v:
                all_text(x)
        elif isinstance(v, dict):
            for k, x in v.items():
                all_text(k)
                all_text(x)
    def pairs(p):
        for k, v in p:
            all_text(k)
            all_text(v)
        return dict(p)
    try:
        v = json.loads(text.decode("utf-8"), parse_constant=no, object_pairs_hook=pairs)
        return isinstance(v, dict)
    except (ValueError, RecursionError):
        return False

with open("in.json", "wb") as out, open("json.want", "w") as want:
    for line in range(1, 3001):
        doc = json.dumps(value(0), ensure_ascii=random.random() < .5).encode("utf-8")
        text = bytearray(b'{"v": ' + doc + b'}')
        if line % 2:
            at = random.randrange(5, len(text))
            how = random.randrange(4)
            new = bytes([random.choice(alphabet)]) if how else random.choice(pieces)
            text[at:at + random.randrange(2)] = new if how != 3 else b""
        out.write(text + b"\n")
        if not verdict(bytes(text)):
            want.write(f"{line}\n")

# Dates, in and out of range.
with open("dates.csv", "w") as out, open("dates.want", "w") as want:
    print("id,a,b", file=out)
    print("id,a,b", file=want)
    for i in range(3000):
        y, m, d = random.choice([1900, 1999, 2000, 2020, 2021]), random.randrange(0, 14), random.randrange(0, 33)
        h, mi, s = random.randrange(0, 26), random.randrange(0, 62), random.randrange(0, 60)
        us = f"{m:02d}/{d:02d}/{y} {h % 12}:{mi:02d}:{s:02d} {'AM' if h < 12 else 'PM'}"
        iso = f"{y}-{m:02d}-{d:02d}T{h:02d}:{mi:02d}:{s:02d}"
        print(f"{i},{us},{iso}", file=out)
        try:
            a = datetime.datetime.strptime(us, "%m/%d/%Y %I:%M:%S %p").isoformat()
            b = datetime.datetime.strptime(iso, "%Y-%m-%dT%H:%M:%S").isoformat()
            print(f"{i},{a},{b}", file=want)
        except ValueError:
            pass
PY
run 0 'the texts are made' python3 make.py

run 0 'CSV is read' sh -c 'csv2ndjson --rejects rejects $(seq 0 999 | sed "s/$/.csv/") >csv.got'
cat >compare.py <<'PY'
import collections, json, sys
got = collections.defaultdict(list)
for line in open("csv.got", encoding="utf-8"):
    name, row = next(iter(json.loads(line))), list(json.loads(line).values())
    got[name].append([v or "" for v in row])
bad = rejects = 0
for i, line in enumerate(open("csv.want")):
    rows, whole, ragged = json.loads(line)
    ours = got[f"f{i}"]
    rejects += ragged + (not whole)
    if ours != rows if whole else ours[:len(rows)] != rows:
        bad += 1
        print("#", i, repr(open(f"{i}.csv", newline="").read()), "wanted", rows, "got", ours)
found = sum(1 for _ in open("rejects"))
print(f"# {rejects} rejects wanted at least, {found} found")
sys.exit(bad > 0 or found < rejects)
PY
run 0 'as Python reads it, and refused where Python refuses it' python3 compare.py

run 0 'JSON is read' sh -c 'ndjson2csv --columns v --rejects rejects in.json >/dev/null'
jq .line rejects >json.got
same 'what Python takes is taken, what it refuses is refused' json.want json.got
run 0 'enough of both' sh -c '[ "$(wc -l <json.want)" -gt 500 ]'
awk 'NR == FNR { bad[$1] = 1; next } !(FNR in bad)' json.want in.json >good.json
run 0 'json-explode passes them byte for byte' sh -c 'json-explode . good.json | cmp - good.json'

run 0 'dates are read' sh -c 'csv-normalize --date "a=%m/%d/%Y %I:%M:%S %p" --date b --rejects rejects dates.csv >dates.got'
same 'as Python reads them' dates.want dates.got
run 0 'without a format too' sh -c 'csv-normalize --date a --date b --rejects rejects dates.csv | cmp - dates.want'
done_testing
