"""s3_store - what the S3 stand-in keeps: buckets, objects, uploads; how it lists and checks them."""
import base64
import binascii
import bisect
import hashlib
import heapq
import secrets
import struct
import zlib

from s3_wire import base64_of
from sigv4 import Refused

MADE_UP_SINCE = 1704067200      # 2024-01-01


# checksums

def crc_table(polynomial):
    table = []
    for n in range(256):
        for _ in range(8):
            n = n >> 1 ^ (polynomial if n & 1 else 0)
        table.append(n)
    return table


CRC32C, CRC64NVME = crc_table(0x82f63b78), crc_table(0x9a6c9329ac4bc9b5)


def crc(table, all_ones, data):
    value = all_ones
    for byte in data:
        value = value >> 8 ^ table[(value ^ byte) & 255]
    return value ^ all_ones


CHECKSUMS = {
    "crc32": lambda data: struct.pack(">I", zlib.crc32(data)),
    "crc32c": lambda data: struct.pack(">I", crc(CRC32C, 0xffffffff, data)),
    "crc64nvme": lambda data: struct.pack(">Q", crc(CRC64NVME, 0xffffffffffffffff, data)),
    "sha1": lambda data: hashlib.sha1(data).digest(),
    "sha256": lambda data: hashlib.sha256(data).digest(),
}


def check_digests(request):
    """Checks Content-MD5 and x-amz-checksum-*; returns (algorithm, text) of the latter, or None."""
    md5 = request.headers.get("content-md5")
    if md5 is not None:
        try:
            wanted = base64.b64decode(md5, validate=True)
        except binascii.Error:
            wanted = b""
        if len(wanted) != 16:
            raise Refused("InvalidDigest", **{"Content-MD5": md5})
        if wanted != hashlib.md5(request.body).digest():
            raise Refused("BadDigest", ExpectedDigest=md5,
                          CalculatedDigest=base64_of(hashlib.md5(request.body).digest()))
    given = [(name[len("x-amz-checksum-"):], value) for name, value in request.headers.items()
             if name.startswith("x-amz-checksum-") and name not in ("x-amz-checksum-type", "x-amz-checksum-algorithm")]
    if not given:
        return None
    if len(given) > 1:
        raise Refused("InvalidRequest", "Expecting a single x-amz-checksum- header. Multiple checksum Types are not "
                                        "allowed.")
    algorithm, text = given[0]
    if algorithm not in CHECKSUMS:
        raise Refused("InvalidRequest", "The algorithm type you specified in x-amz-checksum- header is invalid.")
    right = base64_of(CHECKSUMS[algorithm](request.body))
    if len(text) != len(right):
        raise Refused("InvalidRequest", f"Value for x-amz-checksum-{algorithm} header is invalid.")
    if text != right:
        raise Refused("BadDigest", f"The {algorithm.upper()} you specified did not match the calculated checksum.")
    return algorithm, text


# what is stored

def etag_of(digest):
    return f'"{digest}"'


class Object:
    def __init__(self, body, headers, modified, etag=None, checksum=None, parts=()):
        self.body, self.headers, self.modified = body, headers, int(modified)
        self.etag = etag or etag_of(hashlib.md5(body).hexdigest())
        self.checksum = checksum        # (algorithm, text, COMPOSITE or FULL_OBJECT) or None
        self.parts = parts              # sizes

    def checksum_headers(self):
        if not self.checksum:
            return {}
        algorithm, text, type = self.checksum
        return {f"x-amz-checksum-{algorithm}": text, "x-amz-checksum-type": type}


class Part:
    def __init__(self, body, modified, checksum):
        self.body, self.modified = body, int(modified)
        self.md5 = hashlib.md5(body)
        self.etag = etag_of(self.md5.hexdigest())
        self.checksum = checksum        # (algorithm, text) or None


class Upload:
    def __init__(self, bucket, key, headers, started, algorithm, type):
        self.bucket, self.key, self.headers, self.started = bucket, key, headers, int(started)
        self.algorithm, self.type = algorithm, type
        self.parts = {}
        self.id = base64_of(b"\xfb\xef\xbf" + secrets.token_bytes(40))  # opaque, with + and / and =


class Bucket:
    def __init__(self, name, region):
        self.name, self.region, self.public = name, region, False
        self.objects = {}
        self.order = []                 # of the keys
        self.sorted = True
        self.made_up = None

    def put(self, key, object):
        if key not in self.objects:
            self.order.append(key)
            self.sorted = False
        self.objects[key] = object

    def drop(self, key):
        if self.objects.pop(key, None):
            self.order = list(self.objects)
            self.sorted = False

    def get(self, key):
        return self.objects.get(key) or (self.made_up.object(key) if self.made_up else None)

    def keys_after(self, after, prefix):
        """Keys with the prefix, in order; byte order of UTF-8 is that of code points."""
        if not self.sorted:
            self.order.sort()
            self.sorted = True
        order = self.order
        if after < prefix:
            start = bisect.bisect_left(order, prefix)
        else:
            start = bisect.bisect_right(order, after)
        keys = (order[i] for i in range(start, len(order)))
        if self.made_up:
            keys = heapq.merge(keys, (key for key in self.made_up.keys_after(after, prefix) if key not in self.objects))
        for key in keys:
            if not key.startswith(prefix):
                break
            yield key


class MadeUp:
    """Keys that exist only when they are asked for."""

    def __init__(self, keys, prefix="", suffix="", step=1):
        self.prefix, self.suffix, self.step = prefix, suffix, step
        self.numbers = range(keys)

    def key(self, number):
        return f"{self.prefix}{number:08d}{self.suffix}"

    def keys_after(self, after, prefix):
        if after < prefix:
            start = bisect.bisect_left(self.numbers, prefix, key=self.key)
        else:
            start = bisect.bisect_right(self.numbers, after, key=self.key)
        return map(self.key, self.numbers[start:])

    def object(self, key):
        number = key[len(self.prefix):len(self.prefix) + 8]
        if not number.isdecimal() or int(number) not in self.numbers or self.key(int(number)) != key:
            return None
        headers = {"content-type": "binary/octet-stream"}
        return Object(key.encode() + b"\n", headers, MADE_UP_SINCE + int(number) * self.step)


def assembled(upload, parts, now):
    """The object that an upload becomes."""
    digest = hashlib.md5(b"".join(part.md5.digest() for part in parts)).hexdigest()
    body = b"".join(part.body for part in parts)
    checksum = None
    if upload.algorithm:
        work = CHECKSUMS[upload.algorithm]
        if upload.type == "COMPOSITE":
            text = base64_of(work(b"".join(base64.b64decode(part.checksum[1]) for part in parts))) + f"-{len(parts)}"
        else:
            text = base64_of(work(body))
        checksum = (upload.algorithm, text, upload.type)
    etag = etag_of(f"{digest}-{len(parts)}")
    return Object(body, upload.headers, now, etag, checksum, [len(part.body) for part in parts])


# listings

def token_of(position):
    """A token that must be taken as it is: it holds a plus sign, a slash and an equals sign."""
    data = b"\xfb\xef\xbf" + position.encode()
    return base64_of(data + bytes((1 - len(data)) % 3))


def position_of(token):
    try:
        data = base64.b64decode(token, validate=True)
        if data[:3] != b"\xfb\xef\xbf":
            raise ValueError(token)
        return data[3:].rstrip(b"\0").decode()
    except ValueError:
        raise Refused("InvalidArgument", "The continuation token provided is incorrect",
                      ArgumentName="continuation-token") from None


def list_page(bucket, after, prefix, delimiter, limit):
    """[(key or common prefix, is it one)], the position after them, and whether there is more."""
    page, last = [], after
    keys = bucket.keys_after(after, prefix)
    while True:
        key = next(keys, None)
        if key is None or limit == 0:
            return page, last, False
        if len(page) == limit:
            return page, last, True
        end = key.find(delimiter, len(prefix)) if delimiter else -1
        if end < 0:
            page.append((key, False))
            last = key
        else:
            common = key[:end + len(delimiter)]
            page.append((common, True))
            last = common + "\U0010ffff"
            keys = bucket.keys_after(last, prefix)
