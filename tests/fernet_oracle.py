#!/usr/bin/env python3
"""fernet_oracle.py - Fernet once more: Python's own HMAC and base64, and `openssl enc` for AES.

    seal KEY FROM TO    each file in the directory FROM becomes a token, in the file of the same name in TO
    open KEY [FROM TO]  tokens become messages again, or that on standard input; one that is not genuine exits 1
    forge KEY DIR WHAT...
                        tokens with a right MAC and something else wrong, or odd: DIR/WHAT; WHAT as below
    flip KEY DIR        each byte of the token on standard input altered, one token a file: DIR/0, DIR/1, ...
    time                seconds since 1970 in the token on standard input, whoever made it
    check FILE TOOL     the specification's values in FILE, by `TOOL encrypt TIME IV` and `TOOL decrypt TIME TTL`: prints a
                        line for each case, what it is and what came of it
    published FILE DIR  the values in FILE are those of the files in DIR, as the specification publishes them
"""
import base64
import datetime
import hashlib
import hmac
import json
import os
import struct
import subprocess
import sys
import time


def aes(mode, key, iv, data, *options):
    return subprocess.run(["openssl", "enc", mode, "-aes-128-cbc", "-K", key.hex(), "-iv", iv.hex(), *options], input=data,
                          stdout=subprocess.PIPE, check=True).stdout


def mac(key, body):
    return hmac.new(key[:16], body, hashlib.sha256).digest()


def text(key, body):
    return base64.urlsafe_b64encode(body + mac(key, body))


def seal(key, message, made, version=0x80, options=()):
    iv = os.urandom(16)
    return text(key, struct.pack(">BQ", version, made) + iv + aes("-e", key[16:], iv, message, *options))


def unseal(key, token):
    raw = base64.urlsafe_b64decode(token)
    if not hmac.compare_digest(mac(key, raw[:-32]), raw[-32:]):
        sys.exit(1)
    return aes("-d", key[16:], raw[9:25], raw[25:-32])


def forge(key, what):
    """Padding is made by hand where OpenSSL would not make it so."""
    now = int(time.time())
    word, _, number = what.partition(":")
    if word == "age":
        return seal(key, b"aged", now - int(number))
    if word == "made":
        return seal(key, b"made", int(number))
    if word == "version":
        return seal(key, b"versions", now, int(number))
    if word == "padding":       # the last byte of one block, and then of two
        return seal(key, b"x" * 31 + bytes([int(number)]), now, options=("-nopad",))
    if word == "uneven":        # 2 where it should be 3
        return seal(key, b"x" * 13 + b"\2\3\3", now, options=("-nopad",))
    if word == "blocks":        # so many bytes of message
        return text(key, struct.pack(">BQ", 0x80, now) + os.urandom(16) + bytes(int(number)))
    raise SystemExit(f"{what}?")


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


def vectors(path, tool):
    document = read(path)
    for case in document["cases"]:
        if case["do"] == "encrypt":
            option, given, wanted = case["iv"], case["message"], case["token"]
        else:
            option, given, wanted = str(case["max_age"]), case["token"], case["message"] or ""
        ran = subprocess.run([tool, case["do"], str(case["time"]), option], env=os.environ | {"FERNET_KEY": document["key"]},
                             input=given.encode(), capture_output=True, check=False)
        same = "as it should be" if ran.stdout.decode() == wanted else f"{ran.stdout} where {wanted!r} is due"
        print(f"{case['case']}: {ran.returncode}, {same} {ran.stderr.decode()}".strip())


def published(path, directory):
    """What the specification's files have and ours has not, or the other way round."""
    document = read(path)
    ours = {(document["key"], case["time"], case.get("iv") or case["max_age"], case["message"], case["token"]) for case in document["cases"]}
    theirs = {(case["secret"], int(datetime.datetime.fromisoformat(case["now"]).timestamp()),
               bytes(case["iv"]).hex() if "iv" in case else case["ttl_sec"], case.get("src"), case["token"])
              for name in ("generate", "verify", "invalid") for case in read(os.path.join(directory, name + ".json"))}
    for case in sorted(ours ^ theirs, key=str):
        print("only in", "ours" if case in ours else "theirs", *case)
    return ours != theirs


def main():
    word, *args = sys.argv[1:]
    if word == "check":
        vectors(*args)
        return
    if word == "published":
        sys.exit(published(*args))
    key = base64.urlsafe_b64decode(args[0]) if args else b""
    if word == "forge":
        for what in args[2:]:
            write(os.path.join(args[1], what), forge(key, what))
    elif word in ("seal", "open") and len(args) == 3:
        for name in os.listdir(args[1]):
            with open(os.path.join(args[1], name), "rb") as file:
                given = file.read()
            write(os.path.join(args[2], name), seal(key, given, int(time.time())) if word == "seal" else unseal(key, given))
    else:
        given = sys.stdin.buffer.read()
        if word == "time":
            print(struct.unpack(">Q", base64.urlsafe_b64decode(given)[1:9])[0])
        elif word == "flip":
            for i in range(len(given)):
                write(os.path.join(args[1], str(i)), given[:i] + bytes([given[i] ^ 1 << i % 7]) + given[i + 1:])
        else:
            sys.stdout.buffer.write(unseal(key, given))


main()
