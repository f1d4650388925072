#!/bin/sh
# fernet against the specification's vectors, against Python and openssl(1), and against what may happen to a token.
. "$(dirname "$0")/lib.sh"
oracle() {
	python3 -I -S "$here/fernet_oracle.py" "$@"
}
at=$(dirname "${CULVERT_BIN:-$top/bin}")/build/vectors/fernet-at
key=cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=
other=8zHNiqyI2_1nkt2xHYbJGbEZew2zRDfO1Jgii01jM5g=
unset FERNET_KEY_FILE
export FERNET_KEY=$key

# ---- the specification ----

t 'the values of the specification, each with its reason' 0 oracle check "$data/fernet.json" "$at" 3<<'OUT'
a token is made: 0, as it should be
a token is read: 0, as it should be
the MAC does not fit: 65, as it should be culvert: wrong key or altered token
the token ends early: 65, as it should be culvert: too short: 40 bytes where a token has 73 at least: is it cut?
the first characters are not base64url: 65, as it should be culvert: character 1 is no base64url
the message is not a whole number of blocks: 65, as it should be culvert: the message is no whole number of blocks: is the token cut?
the last block is padded wrongly: 65, as it should be culvert: the key fits, but the message's padding is wrong: whoever made the token made it wrong
the token is from the future: 65, as it should be culvert: made 36000 s in the future: is a clock wrong?
the token is older than allowed: 65, as it should be culvert: expired: 90 s old, and 60 allowed
another IV, so that the padding is wrong: 65, as it should be culvert: the key fits, but the message's padding is wrong: whoever made the token made it wrong
OUT
if have_real fernet; then
	run 0 'the values are those that the specification publishes' oracle published "$data/fernet.json" "$real_data/fernet"
fi
printf hello >hello
printf 'gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==' >token
t 'the token of the specification, by the tool itself' 0 fernet decrypt token 3<hello
t 'without --ttl its age of forty years does not matter' 0 fernet decrypt <token 3<hello
t 'with one it does' 65 fernet decrypt --ttl 1d token 3</dev/null
said 'token: expired: '

# ---- both ways ----

head -c 3000000 /dev/urandom >large
sizes='0 1 15 16 17 24575 24576 24577 65536 262144 3000000'
mkdir message ours theirs opened
for n in $sizes; do
	head -c $n large >message/$n
	fernet encrypt message/$n >ours/$n
done
run 0 'Python and openssl seal all messages' oracle seal $key message theirs
run 0 '... and open all tokens' oracle open $key ours opened
for n in $sizes; do
	t "ours and back, $n bytes" 0 fernet decrypt ours/$n 3<message/$n
	same "ours, read by Python and openssl, $n bytes" message/$n opened/$n
	t "theirs, read by us, $n bytes" 0 fernet decrypt <theirs/$n 3<message/$n
	[ "$(wc -c <ours/$n)" -eq "$(wc -c <theirs/$n)" ]
	ok $? "as many characters as theirs, $n bytes"
done
before=$(date +%s)
fernet encrypt hello >one; fernet encrypt hello >two
after=$(date +%s)
run 1 'no token is like the other: the IV is new each time' cmp -s one two
made=$(oracle time <one)
# time(2) may be a tick behind the clock that date reads.
[ "$made" -ge $((before - 1)) ] && [ "$made" -le "$after" ]
ok $? 'its time is now' || echo "# $made, between $before and $after"
run 0 'it has no newline at its end' sh -c 'tail -c 1 one | grep -q ='
{ echo; printf '  \t\r\n'; cat token; printf ' \n\n'; } >spaced
t 'white space around a token is nothing' 0 fernet decrypt spaced 3<hello
i=0
for delay in 0.01 0.01 0.01 0.01 0.01; do
	dd if=token bs=23 skip=$i count=1 2>/dev/null
	i=$((i + 1))
	sleep $delay
done >drip.want
t 'a token that comes in pieces' 0 sh -c '
	for i in 0 1 2 3 4; do dd if=token bs=23 skip=$i count=1 2>/dev/null; sleep 0.05; done | fernet decrypt' 3<hello
same 'whose pieces were all of it' token drip.want

# ---- what is no genuine token ----

# refused NAME REASON COMMAND...: 65, nothing on stdout, and the reason
refused() {
	name=$1 why=$2; shift 2
	t "$name" 65 "$@" 3</dev/null
	said "fernet: $why"
}
mkdir flipped
oracle flip $key flipped <token
for file in flipped/*; do
	fernet decrypt "$file" >out 2>err
	[ $? -eq 65 ] && [ ! -s out ] && { read -r line && ! read -r line; } <err || echo "$file"
done >passed
[ "$(ls flipped | wc -l)" -eq 100 ] && [ ! -s passed ]
ok $? 'each byte of a token altered by a bit: 65, and nothing on stdout' || head -5 passed
for n in $(seq 1 99); do
	head -c "$n" token >cut
	fernet decrypt cut >out 2>err
	[ $? -eq 65 ] && [ ! -s out ] || echo "$n"
done >passed
[ ! -s passed ]; ok $? 'cut after each of its bytes: 65, and nothing on stdout' || head -5 passed
fernet encrypt large >big
for n in 3999900 2000000 65536 64; do
	head -c $n big >cut
	refused "a large one cut after $n characters" 'cut: ' fernet decrypt cut
done
refused 'a wrong key' '<stdin>: wrong key or altered token' env FERNET_KEY=$other fernet decrypt <token
refused 'the halves of a key the wrong way round' '<stdin>: wrong key or altered token' env FERNET_KEY="$(
	python3 -I -S -c 'import base64, sys; k = base64.urlsafe_b64decode(sys.argv[1]); print(base64.urlsafe_b64encode(k[16:] + k[:16]).decode())' $key
	)" fernet decrypt <token
refused 'an altered large one' 'altered: wrong key or altered token' sh -c '
	tr AB BA <big | head -c 2000000 >altered; tail -c +2000001 big >>altered; sed -i "s/^h/g/; s/^.\{8\}/gAAAAABr/" altered; fernet decrypt altered'
refused 'no token at all' '<stdin>: no token: the input is empty' fernet decrypt </dev/null
refused 'only white space' '<stdin>: no token: the input is empty' fernet decrypt <<'IN'

IN
refused 'plain JSON' '<stdin>: character 1 is no base64url' fernet decrypt <<'IN'
{"trip_id":"5f7114d1-4091-46ee-b492-e55875f7de00"}
IN
said_not 5f7114
refused 'plain words' '<stdin>: the token is cut: its length is no multiple of 4' fernet decrypt <<'IN'
notatoken
IN
refused 'two tokens' '<stdin>: character 101 follows the end of the token' sh -c 'cat token token | fernet decrypt'
refused 'a line break in a token' '<stdin>: character 63 follows the end' sh -c 'fold -w 60 token | sed "1s/^/ /" | fernet decrypt'
refused 'the common alphabet' '<stdin>: character' sh -c 'tr _- /+ <token | fernet decrypt'
refused 'padding that is missing' '<stdin>: the token is cut: its length is no multiple of 4' sh -c 'tr -d = <token | fernet decrypt'
refused 'padding for other bytes' '<stdin>: the four characters up to character 100 are no' sh -c 'sed s/DA==/D===/ token | fernet decrypt'
refused 'padding in the middle' '<stdin>: character 9 follows the end' sh -c 'sed "s/^gAAAAAAd/gAAAAAA=/" token | fernet decrypt'
refused 'unused bits that are set' '<stdin>: the four characters up to character 100 are no' sh -c 'sed s/DA==/DB==/ token | fernet decrypt'
refused 'a NUL byte' '<stdin>: character 101 ' sh -c '{ cat token; printf "\0"; } | fernet decrypt'
# forged WHAT: one of the tokens made here, of which most are wrong, under this name
mkdir forgeries
run 0 'tokens are forged' oracle forge $key forgeries version:0 version:129 version:255 padding:0 padding:16 padding:17 padding:255 uneven \
    blocks:0 blocks:1 blocks:15 blocks:17 blocks:31 age:-3600 age:-50 age:0 age:3000 age:36000 \
    made:0 made:9223372036854775807 made:9223372036854775808 made:18446744073709551615
forged() {
	ln -sf "forgeries/$1" forged
}
for what in version:0 version:129 version:255; do
	forged $what
	refused "$what, signed" 'forged: no Fernet token: it starts with 0x' fernet decrypt forged
done
for what in padding:0 padding:17 padding:255 uneven; do
	forged $what
	refused "$what, signed" "forged: the key fits, but the message's padding is wrong" fernet decrypt forged
done
for what in blocks:1 blocks:15 blocks:17 blocks:31; do
	forged $what
	refused "$what, signed" 'forged: the message is no whole number of blocks' fernet decrypt forged
done
forged blocks:0
refused 'no message at all, signed' 'forged: too short: 57 bytes where a token has 73 at least' fernet decrypt forged
forged padding:16
t 'a whole block of padding that is uneven' 65 fernet decrypt forged 3</dev/null

# ---- time ----

# age NAME STATUS NOW TTL: the specification's token, made at 499162800
age() {
	run "$2" "$1" "$at" decrypt "$3" "$4" <token
}
age 'exactly as old as --ttl' 0 499162860 60
age 'one second older' 65 499162861 60; said 'expired: 61 s old, and 60 allowed'
age 'no second old, and none allowed' 0 499162800 0
age '60 seconds from the future' 0 499162740 60
age '61 seconds from the future' 65 499162739 60; said 'made 61 s in the future'
age 'without a ttl neither matters: the future' 0 0 none
age 'without a ttl neither matters: the past' 0 18446744073709551615 none
for what in age:-50 age:0 age:3000; do
	forged $what
	run 0 "$what: --ttl 1h lets it pass" fernet decrypt --ttl 1h forged
done
forged age:-3600
refused 'an hour from the future' 'forged: made 3' fernet decrypt --ttl 2h forged
forged age:36000
refused 'older than an hour' 'forged: expired: 36' fernet decrypt --ttl 1h forged
for made in 18446744073709551615 9223372036854775808 9223372036854775807; do
	forged made:$made
	refused "made at $made" 'forged: made ' fernet decrypt --ttl 11000d forged
	run 0 '... which does not matter without --ttl' fernet decrypt forged
done
forged made:0
refused 'made in 1970' 'forged: expired: ' fernet decrypt --ttl 10000d forged
mkdir others; oracle forge $other others age:999999; ln -sf others/age:999999 forged
refused 'the age of a token that may be forged is not told' 'forged: wrong key or altered token' fernet decrypt --ttl 1 forged

# ---- keys ----

t 'several keys: each is tried' 0 env FERNET_KEY="$other,$key" fernet decrypt token 3<hello
t '... with white space between' 0 env FERNET_KEY="  $other
	$(fernet keygen) , $key " fernet decrypt -v token 3<hello
said 'with key 3 of 3'
t 'an old key that is not there any more' 65 env FERNET_KEY="$other,$(fernet keygen)" fernet decrypt token 3</dev/null
said 'wrong key or altered token'
FERNET_KEY="$other,$key" fernet encrypt hello >new
t 'the first encrypts' 0 oracle open $other <new 3<hello
printf '%s\n%s\r\n' $other $key >keys
t 'keys from a file, one a line' 0 env -u FERNET_KEY FERNET_KEY_FILE=keys fernet decrypt token 3<hello
t 'no key' 78 env -u FERNET_KEY fernet decrypt token 3</dev/null
said 'no key: set FERNET_KEY or FERNET_KEY_FILE: fernet keygen makes one'
t 'an empty list' 78 env FERNET_KEY=', ' fernet encrypt hello 3</dev/null
t 'no such file of keys' 78 env -u FERNET_KEY FERNET_KEY_FILE=nowhere fernet encrypt hello 3</dev/null
# bad_key NAME KEY REASON: refused by both, and not shown
bad_key() {
	for command in encrypt decrypt; do
		t "$1: $command" 78 env FERNET_KEY="$2" fernet $command --log-json token 3</dev/null
		said "$3"
		said_not "$(echo "$2" | sed 's/.*,//' | cut -c 2-9)"
	done
}
bad_key 'a key without its =' "${key%=}" 'FERNET_KEY: key 1: 43 characters where a key has 44, the last of them ='
bad_key 'a second key that is too long' "$key,${other}A" 'FERNET_KEY: key 2: 45 characters'
bad_key 'a key in common base64' "$(echo $key | tr _- /+)" 'key 1: + and / of common base64: they are - and _ in a key'
bad_key 'a key in hexadecimal' "$(seq -f %02g -s '' 10 31)" 'key 1: not base64url: a key is'
bad_key 'a key with unused bits' "$(echo $key | sed s/4=/5=/)" 'key 1: not base64url'
bad_key 'a key with a byte of another alphabet' "$(echo $key | sed s/R/%/)" 'key 1: not base64url'
t 'a key where the file should be is not shown either' 66 fernet decrypt "$key" 3</dev/null
said_not "$key"
t '... nor one of several' 66 env FERNET_KEY="$key $other" fernet decrypt "$other" 3</dev/null
said_not "$other"
t 'twelve keys' 0 env FERNET_KEY="$(for i in 1 2 3 4 5 6 7 8 9 10 11; do fernet keygen; done; echo $key)" fernet decrypt token 3<hello
t 'more are a list that nobody has looked after' 78 env FERNET_KEY="$(for i in 1 2 3 4 5 6 7 8 9 10 11 12; do fernet keygen; done; echo $key)" \
    fernet decrypt token 3</dev/null
said 'more than 12 keys'

fernet keygen >made; fernet keygen >made2
run 0 'keygen: 44 characters of the alphabet' grep -qxE '[A-Za-z0-9_-]{43}=' made
run 1 'and others each time' cmp -s made made2
run 0 'which make 32 bytes' sh -c 'tr _- /+ <made | base64 -d | wc -c | grep -qx 32'
t 'and encrypt' 0 sh -c 'FERNET_KEY_FILE=made; export FERNET_KEY_FILE; unset FERNET_KEY; fernet encrypt hello | fernet decrypt' 3<hello

# ---- rotate ----

FERNET_KEY="$other,$key" fernet rotate token >rotated
t 'rotated: the first key reads it' 0 env FERNET_KEY=$other fernet decrypt rotated 3<hello
t '... and so does Python' 0 oracle open $other <rotated 3<hello
t '... and the old key does not' 65 fernet decrypt rotated 3</dev/null
oracle time <token >old.time; oracle time <rotated >new.time
same '... and its time is what it was' old.time new.time
fernet rotate token >again
run 1 'a token under the first key already gets a new IV' cmp -s token again
t '... and is the same message' 0 fernet decrypt again 3<hello
fernet encrypt large | FERNET_KEY="$other,$key" fernet rotate >rotated
t 'a large one' 0 env FERNET_KEY=$other fernet decrypt rotated 3<large
t 'what no key opens is not rotated' 65 env FERNET_KEY=$other fernet rotate token 3</dev/null
t 'nor is plain text' 65 fernet rotate hello 3</dev/null

# ---- plain and encrypted side by side ----

printf '{"a":1}\n[2]' >plain
t '--or-plain: plain text passes as it is' 0 fernet decrypt --or-plain plain 3<plain
t '--or-plain: a token is decrypted' 0 fernet decrypt --or-plain <token 3<hello
t '--or-plain: behind white space too' 0 fernet decrypt --or-plain spaced 3<hello
printf '{}' >short
t '--or-plain: two bytes' 0 fernet decrypt --or-plain short 3<short
t '--or-plain: many' 0 fernet decrypt --or-plain large 3<large
printf '      \n' >blank; head -c 200000 /dev/zero | tr '\0' ' ' >blanks; cp blanks blanks.json; cat plain >>blanks.json
t '--or-plain: behind more white space than a token has' 0 fernet decrypt --or-plain blanks.json 3<blanks.json
t '--or-plain: in pieces' 0 sh -c '{ printf "{"; sleep 0.05; printf "\"a\":1}\n[2]"; } | fernet decrypt --or-plain -v' 3<plain
said '<stdin>: not encrypted: passed on as it is'
t '--or-plain: a token in pieces' 0 sh -c '{ printf gAA; sleep 0.05; tail -c +4 token; } | fernet decrypt --or-plain' 3<hello
for file in /dev/null blank; do
	refused '--or-plain: an empty object is neither' "$file: no token: the input is empty" fernet decrypt --or-plain $file
done
for n in 1 3 5; do
	head -c $n token >start
	refused "--or-plain: the first $n characters of a token" 'start: the token is cut' fernet decrypt --or-plain start
done
refused '--or-plain: a wrong key is no plain text' 'token: wrong key' env FERNET_KEY=$other fernet decrypt --or-plain token
t '--or-plain needs a key all the same' 78 env -u FERNET_KEY fernet decrypt --or-plain plain 3</dev/null
for n in 0 6 7 50 99; do
	refused "--or-plain: a token altered at $n" "flipped/$n: " fernet decrypt --or-plain flipped/$n
done

# ---- calls, files, pipes ----

for call in '' 'seal' 'encrypt a b' 'keygen a' 'encrypt --ttl 5' 'rotate --or-plain' 'keygen --ttl 5' 'decrypt --ttl x' 'decrypt --ttl -1' 'decrypt --key x'; do
	t "a wrong call: fernet $call" 64 fernet $call 3</dev/null <token
done
run 0 '--help lists the commands' fernet --help
grep -q '^ keygen  ' out && ! grep -q -- --ttl out; ok $? '... without their options' || cat out
run 0 '... those are in the help of each' fernet decrypt --help; grep -q -- ' --ttl TIME  ' out; ok $? '... --ttl' || cat out
run 64 'an option of another command' fernet encrypt --ttl 5 token
said 'fernet: encrypt takes no --ttl: see fernet encrypt --help'
run 64 'no such command' fernet seal; said 'fernet: seal: no such command: see fernet --help'
run 64 'no command' fernet; said 'fernet: no command: see fernet --help'
run 64 'an operand of a command that takes none' fernet keygen a; said 'fernet: a: keygen takes no operand'
t 'an option of a command may stand before it' 0 fernet --or-plain decrypt hello 3<hello
t '... so may the end of the options' 0 fernet --or-plain -- decrypt hello 3<hello
t 'the call is checked before the key' 64 env -u FERNET_KEY fernet encrypt --ttl 5 3</dev/null
t 'an empty message is a message' 0 sh -c 'fernet encrypt </dev/null | fernet decrypt' 3</dev/null
run 0 '... of 100 characters' sh -c 'fernet encrypt </dev/null | wc -c | grep -qx 100'
for command in encrypt 'decrypt --or-plain' decrypt rotate; do
	t "$command: a read error is no end of input" 74 fernet $command <. 3</dev/null
	t "$command: a full disk is no success" 74 sh -c "fernet $command token >/dev/full" 3</dev/null
	t "$command: no such file" 66 fernet $command nowhere 3</dev/null
	t "$command: stdin closed" 66 sh -c "fernet $command <&-" 3</dev/null
	t "$command: stdout closed" 74 sh -c "fernet $command token >&-" 3</dev/null
done
t 'keygen: a full disk' 74 sh -c 'fernet keygen >/dev/full' 3</dev/null
run 0 'a reader that leaves ends it quietly: encrypt' sh -c 'fernet encrypt large | head -c 10'; said_not fernet
run 0 'a reader that leaves ends it quietly: decrypt' sh -c 'fernet decrypt big | head -c 10'; said_not fernet

# A maker that dies leaves what no one takes for a token, by its length alone.
broken() {		# broken NAME FILE
	[ "$(wc -c <"$2")" -gt 0 ] && [ $(($(wc -c <"$2") % 64)) -eq 0 ]; ok $? "$1: what is out comes in whole 64 characters"
	t "$1: what is out is no token" 65 fernet decrypt "$2" 3</dev/null
	said 'is the token cut?'
}
if [ -z "${SANITIZED:-}" ] && ${CC:-cc} -std=c17 -O1 -shared -fPIC -o shim.so "$here/torture/shim.c"; then
	run 74 'a read that fails in the middle' env TORTURE=read:6 TORTURE_TOOL=fernet TORTURE_FIRED="$work/fired" \
	    LD_PRELOAD="$work/shim.so" fernet encrypt large
	mv out half
	run 0 '... was in the middle' [ -e fired ]
	broken 'a read that fails' half
fi
mkfifo pipe
fernet encrypt <pipe >killed & pid=$!
{ cat large; while [ ! -s killed ]; do sleep 0.05; done; sleep 0.1; kill -9 $pid; } >pipe
wait $pid 2>/dev/null
broken 'kill -9' killed

# ---- memory ----

mib=64 bytes=$((mib << 20))
run 0 "encrypting $mib MiB" resident sh -c "head -c $bytes /dev/zero | fernet encrypt | wc -c"
at_most 16384
echo $(((9 + 16 + bytes + 16 + 32 + 2) / 3 * 4)) >want; same '... makes so many characters' want out
head -c $bytes /dev/zero | sha256sum >want
run 0 "decrypting $mib MiB: as much as the message, and some" resident sh -c "head -c $bytes /dev/zero | fernet encrypt | fernet decrypt | sha256sum"
at_most $((mib * 1024 + 16384))
same '... is the message' want out
run 0 "rotating $mib MiB" resident sh -c "head -c $bytes /dev/zero | fernet encrypt | fernet rotate | fernet encrypt >/dev/null"
at_most $((mib * 1024 + 16384))
run 0 "passing on $mib MiB" resident sh -c "head -c $bytes /dev/zero | fernet decrypt --or-plain | sha256sum"
at_most 16384
same '... as it is' want out
run 71 'no memory for a token' sh -c 'grep -q __asan_init "$(command -v fernet)" && { echo "fernet: out of memory" >&2; exit 71; }
	head -c 67108864 /dev/zero | fernet encrypt | { ulimit -v 60000; fernet decrypt; }'
said 'out of memory'
done_testing
