#!/bin/bash
# zip-cat: every kind of member that zips have, against Python's reading of them; and zips that are cut, damaged or malicious.
# Slow in its second part, which the quick run leaves out: hundreds of archives, each with another fault.
. "$(dirname "$0")/lib.sh"

python3() {		# without site packages, which take longer to find than most of this to do
	command python3 -I -S "$@"
}
many=70000		# members, which are more than two bytes can count
mib=64			# of a large member, which is twice what zip-cat may take
cat >make.py <<'PY'
"""Zips: make.py KIND FILE."""
import io, struct, sys, zipfile
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

class Pipe(io.RawIOBase):       # what can't seek gets sizes behind the data: flag bit 3
    def __init__(self, f): self.f = f
    def writable(self): return True
    def write(self, b): return self.f.write(b)

def info(name, method=ZIP_DEFLATED):
    i = ZipInfo(name, (2017, 11, 3, 0, 0, 0)); i.compress_type = method
    return i

def plain(z):
    for n, method in ("one.json", ZIP_STORED), ("b/two.json", ZIP_DEFLATED), ("three.json", ZIP_DEFLATED):
        z.writestr(info(n, method), f'{{"orders":[{{"id":"{n}"}}]}}' * 4 + ("\n" if n == "three.json" else ""))

def mac(z):
    z.writestr(info("orders/"), "")
    z.writestr(info("orders/1.json"), "1\n")
    z.writestr(info("__MACOSX/"), "")
    z.writestr(info("__MACOSX/orders/._1.json"), "\0\5\26\7")
    z.writestr(info("orders/README.txt"), "read me\n")
    z.writestr(info("orders/empty.json"), "")
    z.writestr(info("orders/2.json"), "2")

def odd(z):
    for n in "../../up.json", "/etc/abs.json", "ctl\x1b[31m.json", "größe.json", "same.json", "same.json", "-rf.json":
        z.writestr(info(n), n[-9:] + "\n")

kind, path, *size = sys.argv[1:]
out = open(path, "wb")
if kind == "bit3":
    with ZipFile(Pipe(out), "w") as z: plain(z)
elif kind == "zip64":
    with ZipFile(Pipe(out), "w") as z:
        for n, method in ("one.json", ZIP_STORED), ("two.json", ZIP_DEFLATED):
            with z.open(info(n, method), "w", force_zip64=True) as m: m.write(b"x" * 100)
elif kind == "zip64-known":
    with ZipFile(out, "w") as z:
        with z.open(info("one.json"), "w", force_zip64=True) as m: m.write(b"x" * 100)
elif kind == "many":
    with ZipFile(out, "w") as z:
        for n in range(int(size[0])): z.writestr(info(f"{n}.json", ZIP_STORED), b"%d\n" % n)
elif kind == "nested":
    inner = io.BytesIO()
    with ZipFile(inner, "w") as z: plain(z)
    with ZipFile(Pipe(out), "w") as z:
        z.writestr(info("inner.zip", ZIP_STORED), inner.getvalue())
        z.writestr(info("1.json"), "1\n")
elif kind in ("bomb", "large"):
    with ZipFile(out, "w") as z, z.open(info(kind + ".json", ZIP_DEFLATED if kind == "bomb" else ZIP_STORED), "w") as m:
        for n in range(int(size[0])): m.write(bytes([n % 256 if kind == "large" else 0]) * (1 << 20))
elif kind == "comment":
    with ZipFile(out, "w") as z: plain(z); z.comment = b"PK\5\6" + b"c" * 65000
elif kind == "none":
    with ZipFile(out, "w"): pass
elif kind in ("password", "method", "crc", "size"):
    raw = io.BytesIO()
    with ZipFile(raw, "w") as z: plain(z)
    b = bytearray(raw.getvalue()); z = ZipFile(raw); m = z.infolist()[1]
    at = m.header_offset; central = raw.getvalue().index(b"PK\1\2", z.start_dir + 1)
    if kind == "password": b[at + 6] |= 1; b[central + 8] |= 1
    if kind == "method": struct.pack_into("<H", b, at + 8, 97); struct.pack_into("<H", b, central + 10, 97)
    if kind == "crc": b[at + 14] ^= 1; b[central + 16] ^= 1
    if kind == "size": b[at + 22] ^= 1; b[central + 24] ^= 1
    out.write(b)
else:
    with ZipFile(out, "w") as z: globals()[kind](z)
PY
# What Python makes of it: the members that fit, those that end no line with a newline behind them where another comes.
cat >read.py <<'PY'
import fnmatch, sys, zipfile
out, open_line = b"", False
for m in (z := zipfile.ZipFile(sys.argv[1])).infolist():
    if m.is_dir() or m.filename.startswith("__MACOSX/") or not fnmatch.fnmatchcase(m.filename, (sys.argv[2:] or ["*"])[0]): continue
    if b := z.read(m):
        out += (b"\n" if open_line else b"") + b
        open_line = not b.endswith(b"\n")
sys.stdout.buffer.write(out)
PY

# ---- members of every kind ----
for kind in plain bit3 zip64 zip64-known odd mac nested; do
	python3 make.py $kind $kind.zip 2>/dev/null
	python3 read.py $kind.zip >want
	t "$kind: as Python reads it" 0 zip-cat $kind.zip 3<want
	t "$kind: through a pipe" 0 sh -c "cat $kind.zip | zip-cat" 3<want
	t "$kind: a byte at a time" 0 sh -c "dd bs=1 if=$kind.zip 2>/dev/null | zip-cat" 3<want
done
python3 make.py comment comment.zip
python3 read.py plain.zip >want
t 'a comment that looks like an end record' 0 zip-cat comment.zip 3<want
cat >places.py <<'PY'
import json, sys, zipfile
z, out = zipfile.ZipFile(sys.argv[1]), open(sys.argv[2], "rb").read()
for m in map(json.loads, open(sys.argv[3])):
    b = z.read(m["name"])
    if out[m["byte"] - 1:][:len(b)] != b: print(m)
PY
whole() {		# whole NAME ARCHIVE: of orders
	python3 read.py "$2" >want
	t "$1, $(du -h want | cut -f 1)" 0 zip-cat --receipt receipt --index index <"$2" 3<want
	members=$(python3 -m zipfile -l "$2" | sed 1d | grep -vc '/  \|^__MACOSX/')
	[ "$members" -ge 60 ] && [ "$(jq -c '[.members, .skipped + .folders, .bytes]' receipt)" = "[$members,$(($(python3 -m zipfile -l "$2" | sed 1d | wc -l) - members)),$(stat -c %s want)]" ]
	ok $? 'the receipt counts them' || cat receipt
	python3 places.py "$2" want index >wrong
	[ ! -s wrong ] && [ "$(wc -l <index)" = "$members" ]; ok $? 'the index tells where each begins' || cat wrong
}
python3 "$here/orders_oracle.py" archive archive.zip
whole 'an archive of orders' archive.zip
if have_real orders/orders-2017.zip; then whole 'the real archive of orders' "$real_data/orders/orders-2017.zip"; fi
printf '1\n2' >want
t 'only some: folders, __MACOSX/ and other names are skipped; nothing is put behind the last' 0 zip-cat -i '*.json' --receipt receipt mac.zip 3<want
OUT=$(jq -c '[.members, .skipped, .folders]' receipt)
[ "$OUT" = '[3,2,2]' ]; ok $? '... and counted' || echo "# $OUT"
run 0 'with -v they are named' zip-cat -v -i '*.json' mac.zip
said 'mac.zip: member 5 "orders/README.txt": skipped'
t 'more than one --include, and several zips' 0 zip-cat -i '*.txt' -i '*/1.json' mac.zip mac.zip 3<<'OUT'
1
read me
1
read me
OUT
mkdir empty && cd empty && run 0 'a name with .. writes no file' zip-cat ../odd.zip
cd .. && [ "$(find empty -type f | sort | tr '\n' ' ')" = 'empty/err empty/out ' ] && [ ! -e up.json ]
ok $? '... anywhere'
python3 read.py odd.zip >want
t 'names are UTF-8 in any locale' 0 env LC_ALL=C zip-cat -i '*' odd.zip 3<want
t 'a name that is UTF-8 fits' 0 env LC_ALL=C zip-cat -i 'gr??e.json' odd.zip 3<<'OUT'
röße.json
OUT

quick_ends
# ---- what a zip can have wrong with it ----
for kind in password method crc size none; do
	python3 make.py $kind $kind.zip
done
python3 make.py bomb bomb.zip 100
python3 make.py large large.zip $mib
python3 make.py many many.zip $many
run 65 'a password' zip-cat password.zip
said 'password.zip: member 2 "b/two.json": it has a password: ask for a zip without one'
run 0 'a password of a member that nobody wants' zip-cat -i 'one*' password.zip
run 65 'a method that nobody knows' zip-cat method.zip
said 'method.zip: member 2 "b/two.json": '
run 65 'a bad checksum' zip-cat crc.zip
said 'crc.zip: member 2 "b/two.json": ZIP bad CRC'
run 65 'a wrong size' zip-cat size.zip
said 'size.zip: member 2 "b/two.json": '
run 0 'a zip of nothing' zip-cat none.zip
run 99 '... with --empty-exit' zip-cat --empty-exit 99 --receipt receipt none.zip
[ "$(jq .empty receipt)" = true ]; ok $? '... and its receipt says so'
run 99 'none that fits' zip-cat --empty-exit 99 -i '*.xml' plain.zip
run 65 'no bytes at all' zip-cat </dev/null
said 'zip-cat: <stdin>: no zip: it is empty'
printf '<!DOCTYPE html><html><head><title>Sign in</title>' >login.html
run 65 'a login page' zip-cat <login.html
said 'no zip: it starts with "<!DOCTYPE html><html><head><title>Sign i"'
run 65 'a bomb' zip-cat bomb.zip
said 'bomb.zip: member 1 "bomb.json": unpacked it is more than --max-ratio times its size: is it a bomb?'
[ "$(wc -c <out)" -lt 70000000 ]; ok $? '... is stopped in time'
run 65 'a bound on all that is unpacked' zip-cat --max-bytes 5M --max-ratio 2000 bomb.zip
said 'more than --max-bytes unpacked: is it a bomb?'
run 0 'within it' zip-cat --max-bytes 100M --max-ratio 2000 bomb.zip
run 65 'a byte less' zip-cat --max-bytes 104857599 --max-ratio 2000 bomb.zip
python3 - many.zip fewer.zip <<'PY'
import sys
b = bytearray(open(sys.argv[1], "rb").read())
at = b.rindex(b"PK\6\6"); b[at + 32] ^= 1
open(sys.argv[2], "wb").write(b)
PY
run 65 'a directory with another number of members' zip-cat fewer.zip
said "behind $many members: its directory lists $((many ^ 1)): it is cut"
# Without zip64 the number of members has two bytes, and starts again at 0.
python3 - plain.zip many.zip $many <<'PY'
import struct, sys
plain, many = (bytearray(open(f, "rb").read()) for f in sys.argv[1:3])
wrapped = int(sys.argv[3]) % 65536
struct.pack_into("<HH", plain, plain.rindex(b"PK\5\6") + 8, 4, 4)
open("four.zip", "wb").write(plain)
struct.pack_into("<Q", many, many.rindex(b"PK\6\6") + 32, wrapped)
open("wrapped64.zip", "wb").write(many)
del many[many.rindex(b"PK\6\6"):many.rindex(b"PK\5\6")]
struct.pack_into("<HH", many, many.rindex(b"PK\5\6") + 8, wrapped, wrapped)
open("wrapped.zip", "wb").write(many)
PY
run 65 'a small directory with another number of members' zip-cat four.zip
said 'behind 3 members: its directory lists 4: it is cut'
run 0 "$many members of a program that counts to 65535" zip-cat wrapped.zip
run 65 '... but zip64 counts them all' zip-cat wrapped64.zip
said "behind $many members: its directory lists $((many % 65536)): it is cut"
for kind in plain zip64 zip64-known; do
	cat $kind.zip $kind.zip >twice.zip
	run 65 "$kind behind one with as many members" zip-cat twice.zip
	said 'are there two zips, one behind the other?'
done
{ cat plain.zip; echo; } >more.zip
run 65 'bytes behind the end' zip-cat more.zip
said 'or something stands behind it'
# Cut at every byte: never a success, and never other bytes than those of the members.
cat >cuts.py <<'PY'
import os, subprocess, sys
zip, want = (open(f, "rb").read() for f in sys.argv[1:])
for n in range(len(zip)):
    read, write = os.pipe()     # which takes the whole of these small zips
    os.write(write, zip[:n]); os.close(write)
    with open("cut.out", "w+b") as out:
        status = subprocess.call(["zip-cat"], stdin=read, stdout=out, stderr=subprocess.DEVNULL)
        os.close(read); out.seek(0)
        if status != 65 or not want.startswith(out.read()): print(n, status)
PY
for kind in plain bit3 zip64; do
	python3 read.py $kind.zip >want
	python3 cuts.py $kind.zip want >wrong
	[ ! -s wrong ]; ok $? "$kind, cut at each of its $(stat -c %s $kind.zip) bytes" || head wrong
done
head -c 80 plain.zip | zip-cat >out 2>err; said 'member 1 "one.json": the zip is cut: '

# ---- bounds ----
seq 0 $((many - 1)) >want
t "$many members" 0 resident zip-cat many.zip 3<want
at_most 32768
run 0 'a large member' resident sh -c 'exec zip-cat large.zip >large.out'
[ "$(wc -c <large.out)" = $((mib << 20)) ]; ok $? '... whole'
at_most 32768
rm -f large.*

# ---- as every filter ----
t 'a full disk is no success' 74 sh -c 'zip-cat >/dev/full' <plain.zip 3</dev/null
t 'a read error is no end of input' 74 zip-cat <. 3</dev/null
t 'arguments are checked before input' 64 zip-cat --max-bytes 0 3</dev/null
run 66 'no such file' zip-cat /no/such.zip
run 73 'no such place for the index' zip-cat --index /no/such/index plain.zip
run 73 'no such place for the receipt' zip-cat --receipt /no/such/receipt plain.zip
run 74 'a full disk below the index' zip-cat --index /dev/full plain.zip
run 0 'a reader that leaves' bash -c 'zip-cat many.zip | head -n 1; [ ${PIPESTATUS[0]} = 141 ]'
[ ! -s err ]; ok $? '... is no news'
done_testing
