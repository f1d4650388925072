#!/usr/bin/env python3
"""s3 - a stand-in for S3 (api/s3.md): checks signatures, pages listings, takes multipart uploads, fails as told.

    s3.py [--port N] [the settings as options]

Buckets are addressed by path, or by host: BUCKET.localhost:PORT, BUCKET.s3.amazonaws.com, BUCKET.s3.REGION.amazonaws.com.
All is kept in memory.  Credentials are given out, too: aws_credentials.py says how.

Settings beside those of aws_credentials.py:
  region            of the server and of buckets that name none (us-east-1)
  bucket            a bucket that is there from the start; repeat for more
  clock             seconds that the server's clock is ahead, so 960 makes the client's 16 minutes slow
  wrong_region      400 or 301: how a request signed for another region than the bucket's is answered
  min_part          bytes of the smallest part but the last (5 MiB)
  max_parts         parts of an upload (10,000)
  ignore_conditions If-Match and If-None-Match on writes are not looked at, as some look-alikes do

What "match" of a fault and of "between" sees is `OPERATION /BUCKET/KEY?QUERY`, decoded, and below it the body of a POST:
"^PutObject /b/k", "^UploadPart .*partNumber=3&", "^CompleteMultipartUpload ".  Operations are called as in the API.

Faults beside those of standin.py:
  error         the error "code", as S3 says it: {"kind": "error", "code": "SlowDown", "times": 5}; not done.  A `status` or
                `upload_refused` fault may have a "code" instead of a "status", too
  error200      200, and the error in the body ("code": InternalError unless told); done first with "done": true
  white_space   200 at once, white space for "seconds", then the answer, or the error "code" and nothing is done;
                "leading": true puts the white space before the XML declaration, too
  damage        the reply's body has a byte changed
  damaged_body  the request's body has a byte changed before it is looked at
  empty_page    of a listing: no keys, and yet more to come
Done and then not answered: `no_reply`.  Listings know repeat_page and ignore_limit.  `redirect` is 307 unless told.

Changes for /control beside {"credentials": ...}:
  {"buckets": {NAME: {"region": R, "public": true}, NAME: null}}
  {"objects": {"BUCKET/KEY": TEXT or {"body": TEXT, "modified": "2024-01-31T00:00:00Z", "headers": {NAME: VALUE}} or null}}
  {"deny": [REGEX, ...]}    operations that are AccessDenied, as "match" sees them; a missing key is denied, too, where
                            `ListObjectsV2 /BUCKET/` is.  The list replaces the one before
  {"make_up": {BUCKET: {"keys": N, "prefix": P, "suffix": S, "step": SECONDS}}}
                            the bucket seems to hold N keys P00000000S, P00000001S, ... too; each holds its own name and
                            a line end; they were modified from 2024-01-01 on, "step" seconds (1) apart
  {"age_uploads": SECONDS}  the uploads under way were started so much earlier

Paths of its own, which need no signature: /objects lists what is stored, a JSON object a line (bucket, key, size, etag,
modified, headers, checksum, sha256); /uploads the uploads under way (bucket, key, upload, parts); /raw/BUCKET/KEY
is an object's bytes.  In /log a long body is only counted: "body": "8388608 bytes".
"""
import base64
import bisect
import binascii
import calendar
import email.utils
import functools
import hashlib
import heapq
import json
import re
import secrets
import struct
import time
import urllib.parse
import xml.etree.ElementTree
import zlib
from xml.sax.saxutils import escape

import sigv4
from aws_credentials import Credentials
from sigv4 import Refused
from standin import KINDS, Handler, Reply, Request, edit_headers, options, serve

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
ERRORS = {
    "AccessDenied": (403, "Access Denied"),
    "AuthorizationHeaderMalformed": (400, ""),
    "AuthorizationQueryParametersError": (400, ""),
    "BadDigest": (400, "The Content-MD5 you specified did not match what we received."),
    "BucketAlreadyOwnedByYou": (409, "Your previous request to create the named bucket succeeded and you already own it."),
    "BucketNotEmpty": (409, "The bucket you tried to delete is not empty"),
    "ConditionalRequestConflict": (409, "A conflicting operation occurred during the request."),
    "EntityTooLarge": (400, "Your proposed upload exceeds the maximum allowed size"),
    "EntityTooSmall": (400, "Your proposed upload is smaller than the minimum allowed size"),
    "ExpiredToken": (400, "The provided token has expired."),
    "IncompleteBody": (400, "You did not provide the number of bytes specified by the Content-Length HTTP header"),
    "InternalError": (500, "We encountered an internal error. Please try again."),
    "InvalidAccessKeyId": (403, "The AWS Access Key Id you provided does not exist in our records."),
    "InvalidArgument": (400, "Invalid Argument"),
    "InvalidBucketName": (400, "The specified bucket is not valid."),
    "InvalidDigest": (400, "The Content-MD5 you specified was invalid."),
    "InvalidPart": (400, "One or more of the specified parts could not be found.  The part may not have been uploaded, or "
                         "the specified entity tag may not match the part's entity tag."),
    "InvalidPartOrder": (400, "The list of parts was not in ascending order. Parts must be ordered by part number."),
    "InvalidRange": (416, "The requested range is not satisfiable"),
    "InvalidRequest": (400, "Invalid Request"),
    "InvalidToken": (400, "The provided token is malformed or otherwise invalid."),
    "InvalidURI": (400, "Couldn't parse the specified URI."),
    "KeyTooLongError": (400, "Your key is too long"),
    "MalformedXML": (400, "The XML you provided was not well-formed or did not validate against our published schema"),
    "MetadataTooLarge": (400, "Your metadata headers exceed the maximum allowed metadata size"),
    "MethodNotAllowed": (405, "The specified method is not allowed against this resource."),
    "MissingContentLength": (411, "You must provide the Content-Length HTTP header."),
    "NoSuchBucket": (404, "The specified bucket does not exist"),
    "NoSuchKey": (404, "The specified key does not exist."),
    "NoSuchUpload": (404, "The specified upload does not exist. The upload ID may be invalid, or the upload may have been "
                          "aborted or completed."),
    "NotImplemented": (501, "A header you provided implies functionality that is not implemented"),
    "NotModified": (304, ""),
    "OperationAborted": (409, "A conflicting conditional operation is currently in progress against this resource. Please "
                              "try again."),
    "PermanentRedirect": (301, "The bucket you are attempting to access must be addressed using the specified endpoint. "
                               "Please send all future requests to this endpoint."),
    "PreconditionFailed": (412, "At least one of the pre-conditions you specified did not hold"),
    "RequestHeaderSectionTooLarge": (400, "Your request header section exceeds the maximum allowed size"),
    "RequestTimeTooSkewed": (403, "The difference between the request time and the current time is too large."),
    "RequestTimeout": (400, "Your socket connection to the server was not read from or written to within the timeout "
                            "period. Idle connections will be closed."),
    "ServiceUnavailable": (503, "Service is unable to handle request."),
    "SignatureDoesNotMatch": (403, "The request signature we calculated does not match the signature you provided. Check "
                                   "your key and signing method."),
    "SlowDown": (503, "Please reduce your request rate."),
    "TemporaryRedirect": (307, "Please re-send this request to the specified temporary endpoint. Continue to use the original "
                               "request endpoint for future requests."),
    "XAmzContentSHA256Mismatch": (400, "The provided 'x-amz-content-sha256' header does not match what was computed."),
}
OF_STATUS = {301: "PermanentRedirect", 304: "NotModified", 400: "InvalidRequest", 403: "AccessDenied", 404: "NoSuchKey",
             405: "MethodNotAllowed", 409: "OperationAborted", 411: "MissingContentLength", 412: "PreconditionFailed",
             416: "InvalidRange", 429: "SlowDown", 500: "InternalError", 501: "NotImplemented", 503: "SlowDown"}
SUBRESOURCES = {
    "accelerate", "acl", "analytics", "attributes", "cors", "encryption", "intelligent-tiering", "inventory", "legal-hold",
    "lifecycle", "logging", "metrics", "notification", "object-lock", "ownershipControls", "policy", "policyStatus",
    "publicAccessBlock", "replication", "requestPayment", "restore", "retention", "select", "tagging", "torrent",
    "versioning", "versions", "website",
}
KEPT_HEADERS = ("content-type", "content-encoding", "content-disposition", "content-language", "cache-control", "expires")
GIB = 1 << 30
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


def base64_of(data):
    return base64.b64encode(data).decode()


def etag_of(digest):
    return f'"{digest}"'


# what is stored

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
        return Object(key.encode() + b"\n", {"content-type": "binary/octet-stream"}, MADE_UP_SINCE + int(number) * self.step)


# requests

class S3Request(Request):
    """Knows its bucket, key and operation.  A plus sign in a path is a space to S3."""

    def __init__(self, method, url, headers, body):
        super().__init__(method, url, headers, body)
        path = urllib.parse.unquote_to_bytes(url.partition("?")[0].replace("+", " "))
        self.anonymous = not (self.headers.get("authorization", "").startswith("AWS") or "X-Amz-Algorithm" in self.query)
        host = self.headers.get("host", "").rpartition(":")[0] or self.headers.get("host", "")
        found = re.fullmatch(r"(.+)\.(localhost|s3[.-]([a-z0-9-]+\.)?amazonaws\.com(\.cn)?)", host)
        self.by_host = found is not None
        try:
            path = path.decode()
        except UnicodeDecodeError:
            path = None
        if path is None:
            self.bucket, self.key = None, None
        elif found:
            self.bucket, self.key = found[1], path[1:]
        else:
            self.bucket, _, self.key = path[1:].partition("/")
        self.operation = self.find_operation()

    def find_operation(self):
        method, query, copies = self.method, self.query, "x-amz-copy-source" in self.headers
        if SUBRESOURCES & query.keys():
            return "Unsupported"
        if not self.bucket:
            return {"GET": "ListBuckets", "POST": "SecurityTokens"}.get(method)
        if not self.key:
            if method == "GET":
                return ("GetBucketLocation" if "location" in query else "ListMultipartUploads" if "uploads" in query
                        else "ListObjectsV2" if query.get("list-type") == "2" else "ListObjects")
            if method == "POST":
                return "DeleteObjects" if "delete" in query else None
            return {"PUT": "CreateBucket", "HEAD": "HeadBucket", "DELETE": "DeleteBucket"}.get(method)
        if method == "PUT":
            if "uploadId" in query:
                return "UploadPartCopy" if copies else "UploadPart"
            return "CopyObject" if copies else "PutObject"
        if method == "POST":
            return ("CreateMultipartUpload" if "uploads" in query else "CompleteMultipartUpload" if "uploadId" in query
                    else None)
        if method == "GET":
            return "ListParts" if "uploadId" in query else "GetObject"
        if method == "DELETE":
            return "AbortMultipartUpload" if "uploadId" in query else "DeleteObject"
        return {"HEAD": "HeadObject"}.get(method)

    def sought(self):
        query = self.url.partition("?")[2]
        query = "?" + urllib.parse.unquote_plus(query) if query else ""
        line = f"{self.operation} /{self.bucket}/{self.key}{query}"
        return line + "\n" + self.body.decode("utf-8", "replace") if self.method == "POST" and self.body else line

    def whole(self, name, default):
        """A parameter that is a whole number."""
        text = self.query.get(name, "")
        if text == "":
            return default
        if not re.fullmatch("[0-9]{1,9}", text):
            raise Refused("InvalidArgument", f"Provided {name} not an integer or within integer range", ArgumentName=name,
                          ArgumentValue=text)
        return int(text)


# XML

def text_of(text):
    """Escaped; control characters become references, which XML 1.0 has not: S3 sends them all the same."""
    text = escape(text, {'"': "&quot;"})
    return re.sub("[\x00-\x08\x0b-\x1f\x7f\ufffe\uffff\r]", lambda found: f"&#x{ord(found[0]):x};", text)


def tag(name, text):
    return f"<{name}>{text_of(str(text))}</{name}>"


def xml_reply(root, inner, headers=None):
    return Reply(200, f'{DECLARATION}<{root} xmlns="{NAMESPACE}">{inner}</{root}>', "application/xml", headers)


def error_reply(code, message=None, status=None, elements=None):
    known, words = ERRORS.get(code, (400, code))
    inner = tag("Code", code) + tag("Message", message or words)
    inner += "".join(tag(name, value) for name, value in (elements or {}).items() if value is not None)
    inner += tag("RequestId", secrets.token_hex(8).upper()) + tag("HostId", base64_of(secrets.token_bytes(33)))
    return Reply(status or known, f"{DECLARATION}<Error>{inner}</Error>", "application/xml")


def moment(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(seconds))


def seconds_of(text):
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))


def local_names(body):
    """An XML body as (name, text, children) without namespaces."""
    try:
        root = xml.etree.ElementTree.fromstring(body)
    except xml.etree.ElementTree.ParseError:
        raise Refused("MalformedXML") from None
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


# conditions

def matches(header, etag):
    return header.strip() == "*" or etag.strip('"') in (word.strip().strip('"') for word in header.split(","))


def date_of(text):
    try:
        return email.utils.parsedate_to_datetime(text).timestamp()
    except ValueError:
        return None


def check_read_conditions(headers, object, prefix=""):
    """RFC 9110 13.2.2; S3 gives a copy's conditions names with a prefix, and 412 where GET has 304."""
    modified = Refused("PreconditionFailed" if prefix else "NotModified")
    words = {name: headers.get(prefix + name) for name in
             ("if-match", "if-none-match", "if-unmodified-since", "if-modified-since")}
    if words["if-match"] is not None:
        if not matches(words["if-match"], object.etag):
            raise Refused("PreconditionFailed", Condition="If-Match")
    elif words["if-unmodified-since"] and object.modified > (date_of(words["if-unmodified-since"]) or object.modified):
        raise Refused("PreconditionFailed", Condition="If-Unmodified-Since")
    if words["if-none-match"] is not None:
        if matches(words["if-none-match"], object.etag):
            raise modified
    elif words["if-modified-since"] and object.modified <= (date_of(words["if-modified-since"]) or 0):
        raise modified


def range_of(text, size):
    """The first and last byte of a Range header, or None where S3 sends all."""
    found = re.fullmatch(r"bytes=(\d*)-(\d*)", text.strip())
    if not found or found.groups() == ("", "") or (found[1] and found[2] and int(found[1]) > int(found[2])):
        return None
    if found[1]:
        first, last = int(found[1]), min(int(found[2] or size - 1), size - 1)
    else:
        first, last = max(0, size - int(found[2])), size - 1
    if first >= size or found.groups() == ("", "0"):
        raise Refused("InvalidRange", RangeRequested=text, ActualObjectSize=size)
    return first, last


class S3(Credentials):
    kinds = KINDS | {"error", "error200", "white_space", "damage", "damaged_body", "empty_page"}
    request = S3Request
    name = "AmazonS3"
    changes = Credentials.changes + ("buckets", "objects", "deny", "make_up", "age_uploads")
    settings = Credentials.settings | {
        "region": "us-east-1", "bucket": [], "clock": 0.0, "wrong_region": "400", "min_part": 5 << 20, "max_parts": 10_000,
        "ignore_conditions": False,
    }

    def __init__(self):
        super().__init__()
        self.buckets, self.uploads, self.denied = {}, {}, []

    def prepare(self):
        self.change_buckets(self.set["bucket"])

    def now(self):
        return time.time() + self.set["clock"]

    def failure(self, status):
        return error_reply(OF_STATUS.get(status, "InternalError"), status=status)

    def logged_body(self, request):
        if request.method == "POST" or len(request.body) <= 4096:
            return super().logged_body(request)
        return f"{len(request.body)} bytes"

    # what /control and our own paths do

    def change(self, what, args):
        if what == "buckets":
            return self.change_buckets(args)
        if what == "objects":
            return self.change_objects(args)
        if what == "deny":
            self.denied = [re.compile(pattern, re.M) for pattern in args]
        elif what == "make_up":
            for name, spec in args.items():
                self.buckets[name].made_up = MadeUp(**spec)
        elif what == "age_uploads":
            for upload in self.uploads.values():
                upload.started -= args
            return len(self.uploads)
        else:
            return super().change(what, args)
        return len(args)

    def change_buckets(self, args):
        for name, spec in (args if isinstance(args, dict) else dict.fromkeys(args, {})).items():
            if spec is None:
                self.buckets.pop(name, None)
                continue
            bucket = self.buckets.setdefault(name, Bucket(name, self.set["region"]))
            bucket.region, bucket.public = spec.get("region", bucket.region), spec.get("public", bucket.public)
        return len(args)

    def change_objects(self, args):
        for path, spec in args.items():
            bucket, _, key = path.partition("/")
            if spec is None:
                self.buckets[bucket].drop(key)
                continue
            spec = {"body": spec} if isinstance(spec, str) else spec
            modified = seconds_of(spec["modified"]) if "modified" in spec else self.now()
            headers = {"content-type": "binary/octet-stream"} | spec.get("headers", {})
            self.buckets[bucket].put(key, Object(spec.get("body", "").encode(), headers, modified))
        return len(args)

    def own(self, request):
        if request.by_host or not request.anonymous:
            return None
        if request.path == "/objects":
            return self.lines(self.describe(bucket, key) for bucket in sorted(self.buckets)
                              for key in sorted(self.buckets[bucket].objects))
        if request.path == "/uploads":
            return self.lines({"bucket": upload.bucket, "key": upload.key, "upload": upload.id,
                               "parts": {str(n): len(part.body) for n, part in sorted(upload.parts.items())}}
                              for upload in self.uploads.values())
        if request.path.startswith("/raw/"):
            bucket, _, key = request.path[5:].partition("/")
            object = bucket in self.buckets and self.buckets[bucket].get(key)
            return Reply(200, object.body, "application/octet-stream") if object else Reply(404, "no such object\n")
        return super().own(request)

    def lines(self, entries):
        with self.lock:
            return Reply(200, "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries), "application/x-ndjson")

    def describe(self, bucket, key):
        object = self.buckets[bucket].objects[key]
        return {"bucket": bucket, "key": key, "size": len(object.body), "etag": object.etag.strip('"'),
                "modified": sigv4.iso(object.modified), "headers": object.headers, "checksum": object.checksum,
                "sha256": hashlib.sha256(object.body).hexdigest()}

    # faults

    def fault_reply(self, fault, default):
        reply = error_reply(fault.spec.get("code", default), status=fault.spec.get("status"))
        if fault.spec.get("code") == "RequestTimeout":
            reply.headers["Connection"] = "close"
        edit_headers(reply.headers, fault.spec.get("headers", {}))
        return reply

    def reply_status(self, request, fault):
        if "code" not in fault.spec:
            return self.finish(request, super().reply_status(request, fault))
        return self.finish(request, self.fault_reply(fault, "InternalError"))

    def reply_error(self, request, fault):
        return self.finish(request, self.fault_reply(fault, "InternalError"))

    def reply_redirect(self, request, fault):
        status = fault.spec.get("status", 307)
        reply = error_reply("PermanentRedirect" if status == 301 else "TemporaryRedirect", status=status)
        reply.headers["Location"] = fault.spec["to"]
        return self.finish(request, reply)

    def reply_error200(self, request, fault):
        if fault.spec.get("done"):
            self.attempt(request)
        reply = self.fault_reply(fault, "InternalError")
        reply.status = 200
        return self.finish(request, reply)

    def reply_white_space(self, request, fault):
        if "code" not in fault.spec:
            return self.attempt(request)
        return self.reply_error200(request, fault)

    def reply_damage(self, request, fault):
        reply = self.attempt(request)
        reply.body = damaged(reply.body)
        return reply

    def reply_damaged_body(self, request, fault):
        request.body = damaged(request.body)
        return self.attempt(request)

    # requests

    def refuse_early(self, request):
        if "expect" in request.headers and not request.anonymous:
            try:
                self.authorize(request, early=True)
            except Refused as refused:
                return self.refusal(request, refused)
        return None

    def answer(self, request):
        if not request.by_host and (request.anonymous or request.path == "/"):
            reply = self.answer_credentials(request)
            if reply:
                return reply
        try:
            self.authorize(request)
            return self.finish(request, getattr(self, "do_" + request.operation)(request))
        except Refused as refused:
            return self.refusal(request, refused)

    def refusal(self, request, refused):
        elements = {"Resource": "/" + request.bucket + "/" + request.key if request.bucket else "/"} | refused.elements
        return self.finish(request, error_reply(refused.code, refused.message, elements=elements))

    def finish(self, request, reply):
        """What every reply has; and what an error to HEAD has not."""
        reply.headers |= {"x-amz-request-id": secrets.token_hex(8).upper(), "x-amz-id-2": base64_of(secrets.token_bytes(33))}
        bucket = self.buckets.get(request.bucket)
        if bucket and (reply.status >= 300 or request.operation in ("HeadBucket", "ListObjectsV2")):
            reply.headers["x-amz-bucket-region"] = bucket.region
        if reply.status in (204, 304) or (request.method == "HEAD" and reply.status >= 300):
            reply.body = b""
            if reply.status in (204, 304):
                reply.headers.pop("Content-Type", None)
        return reply

    def authorize(self, request, early=False):
        """Checks signature, rights and body; early means before the body is there."""
        if request.bucket is None:
            raise Refused("InvalidURI")
        if sum(len(name) + len(value) for name, value in request.headers.items()) > 8192:
            raise Refused("RequestHeaderSectionTooLarge", MaxSizeAllowed=8192)
        bucket = self.buckets.get(request.bucket)
        claim = sigv4.claim(request)
        if claim is None:
            if not (bucket and bucket.public):
                raise Refused("AccessDenied")
        else:
            key = self.check_claim(request, claim, bucket, early)
        if self.denies(request.sought()):
            raise Refused("AccessDenied")
        if early:
            return
        if "transfer-encoding" in request.headers:
            raise Refused("NotImplemented", Header="Transfer-Encoding")
        if claim is not None:
            sigv4.check_body(request, claim)
            if claim.payload in sigv4.STREAMING:
                request.body, trailers = sigv4.unchunk(request, claim, key)
                request.headers |= trailers
        if request.operation is None:
            raise Refused("MethodNotAllowed", Method=request.method)

    def check_claim(self, request, claim, bucket, early):
        region = bucket.region if bucket else self.set["region"]
        if claim.region != region and request.operation != "CreateBucket":
            if bucket and self.set["wrong_region"] == "301":
                raise Refused("PermanentRedirect", Endpoint=f"{request.bucket}.s3.{region}.amazonaws.com",
                              Bucket=request.bucket)
            raise sigv4.malformed(claim, f"the region '{claim.region}' is wrong; expecting '{region}'", Region=region)
        credential = self.credential_of(claim, spend=not early)
        return sigv4.check(request, claim, credential.secret, self.now())

    def denies(self, sought):
        return any(pattern.search(sought) for pattern in self.denied)

    def bucket_of(self, request):
        if request.bucket not in self.buckets:
            raise Refused("NoSuchBucket", BucketName=request.bucket)
        return self.buckets[request.bucket]

    def object_of(self, request, name=None, key=None):
        """The object that is asked for, or of another bucket and key (of a copy's source)."""
        name, key = name or request.bucket, request.key if key is None else key
        if name not in self.buckets:
            raise Refused("NoSuchBucket", BucketName=name)
        object = self.buckets[name].get(key)
        if object is None:
            if self.denies(f"ListObjectsV2 /{name}/"):
                raise Refused("AccessDenied")       # who may not list shall not learn what is there
            raise Refused("NoSuchKey", Key=key)
        return object

    # buckets

    def do_Unsupported(self, request):
        raise Refused("NotImplemented", "The stand-in has none of this")

    def do_ListBuckets(self, request):
        listed = "".join(f"<Bucket>{tag('Name', name)}{tag('CreationDate', moment(MADE_UP_SINCE))}</Bucket>"
                         for name in sorted(self.buckets))
        return xml_reply("ListAllMyBucketsResult", f"<Owner><ID>stand-in</ID></Owner><Buckets>{listed}</Buckets>")

    def do_CreateBucket(self, request):
        if not re.fullmatch("[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", request.bucket):
            raise Refused("InvalidBucketName", BucketName=request.bucket)
        region = self.set["region"]
        if request.body:
            region = local_names(request.body).findtext("LocationConstraint") or region
        with self.lock:
            if request.bucket in self.buckets:
                raise Refused("BucketAlreadyOwnedByYou", BucketName=request.bucket)
            self.buckets[request.bucket] = Bucket(request.bucket, region)
        return Reply(200, b"", "application/xml", {"Location": "/" + request.bucket})

    def do_HeadBucket(self, request):
        self.bucket_of(request)
        return Reply(200, b"", "application/xml")

    def do_DeleteBucket(self, request):
        with self.lock:
            if self.bucket_of(request).objects:
                raise Refused("BucketNotEmpty", BucketName=request.bucket)
            del self.buckets[request.bucket]
        return Reply(204)

    def do_GetBucketLocation(self, request):
        region = self.bucket_of(request).region
        return xml_reply("LocationConstraint", "" if region == "us-east-1" else text_of(region))

    # listings

    def do_ListObjectsV2(self, request):
        return self.list_objects(request, 2)

    def do_ListObjects(self, request):
        return self.list_objects(request, 1)

    def list_objects(self, request, version):
        bucket, query = self.bucket_of(request), request.query
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        after = query.get("start-after" if version == 2 else "marker", "")
        if "continuation-token" in query:
            after = position_of(query["continuation-token"])
        limit = min(request.whole("max-keys", 1000), 1000)
        if request.quirk == "ignore_limit":
            limit = 5000
        encode = url_encoder(query)
        with self.lock:
            page, last, more = list_page(bucket, after, prefix, delimiter, 0 if request.quirk == "empty_page" else limit)
        if request.quirk == "empty_page":
            last, more = after, True
        if request.quirk == "repeat_page":
            last, more = after, True
        elements = tag("Name", bucket.name) + tag("Prefix", encode(prefix))
        if delimiter:
            elements += tag("Delimiter", encode(delimiter))
        elements += tag("MaxKeys", limit)
        if "encoding-type" in query:
            elements += tag("EncodingType", "url")
        elements += tag("IsTruncated", "true" if more else "false")
        if version == 2:
            elements += tag("KeyCount", len(page))
            if "continuation-token" in query:
                elements += tag("ContinuationToken", query["continuation-token"])
            if more:
                elements += tag("NextContinuationToken", token_of(last))
            if query.get("start-after"):
                elements += tag("StartAfter", encode(query["start-after"]))
        else:
            elements += tag("Marker", encode(after))
            if more and delimiter:
                elements += tag("NextMarker", encode(last))
        elements += "".join(entry_of(bucket, key, encode, query) for key, is_prefix in page if not is_prefix)
        elements += "".join(f"<CommonPrefixes>{tag('Prefix', encode(key))}</CommonPrefixes>"
                            for key, is_prefix in page if is_prefix)
        return xml_reply("ListBucketResult", elements)

    # objects

    def do_GetObject(self, request):
        object = self.object_of(request)
        headers = self.object_headers(request, object)
        try:
            check_read_conditions(request.headers, object)
            span = self.span_of(request, object, headers)
        except Refused as refused:
            if refused.code == "NotModified":
                return Reply(304, b"", headers={name: headers[name] for name in ("ETag", "Last-Modified")})
            raise
        if span is None:
            return Reply(200, object.body, headers.pop("Content-Type"), headers)
        headers["Content-Range"] = f"bytes {span[0]}-{span[1]}/{len(object.body)}"
        return Reply(206, object.body[span[0]:span[1] + 1], headers.pop("Content-Type"), headers)

    do_HeadObject = do_GetObject

    def object_headers(self, request, object):
        headers = {"Content-Type": "binary/octet-stream", "Last-Modified": email.utils.formatdate(object.modified, usegmt=True),
                   "ETag": object.etag, "Accept-Ranges": "bytes"}
        for name, value in object.headers.items():
            headers[name.title() if not name.startswith("x-amz-") else name] = value
        for name in KEPT_HEADERS:
            if "response-" + name in request.query:
                headers[name.title()] = request.query["response-" + name]
        if request.headers.get("x-amz-checksum-mode", "").upper() == "ENABLED" and "range" not in request.headers:
            headers |= object.checksum_headers()
        return headers

    def span_of(self, request, object, headers):
        number = request.whole("partNumber", None)
        if number is None:
            return range_of(request.headers["range"], len(object.body)) if "range" in request.headers else None
        parts = object.parts or (len(object.body),)
        if not 1 <= number <= len(parts):
            raise Refused("InvalidRange", ActualPartCount=len(parts), PartNumberRequested=number)
        if object.parts:
            headers["x-amz-mp-parts-count"] = str(len(parts))
        first = sum(parts[:number - 1])
        return first, first + parts[number - 1] - 1

    def do_PutObject(self, request):
        bucket = self.bucket_of(request)
        check_key(request.key)
        need_length(request)
        if len(request.body) > 5 * GIB:
            raise Refused("EntityTooLarge", ProposedSize=len(request.body), MaxSizeAllowed=5 * GIB)
        headers = kept_headers(request)
        checksum = check_digests(request)
        object = Object(request.body, headers, self.now(), checksum=checksum and (*checksum, "FULL_OBJECT"))
        with self.lock:
            self.check_write_conditions(request, bucket)
            bucket.put(request.key, object)
        return Reply(200, b"", "application/xml", {"ETag": object.etag} | object.checksum_headers())

    def check_write_conditions(self, request, bucket):
        if self.set["ignore_conditions"]:
            return
        object = bucket.get(request.key)
        if "if-none-match" in request.headers:
            if request.headers["if-none-match"].strip() != "*":
                raise Refused("NotImplemented", Header="If-None-Match")
            if object:
                raise Refused("PreconditionFailed", Condition="If-None-Match")
        if "if-match" in request.headers:
            if not object:
                raise Refused("NoSuchKey", Key=request.key)
            if not matches(request.headers["if-match"], object.etag):
                raise Refused("PreconditionFailed", Condition="If-Match")

    def copied(self, request):
        """The source of a copy: its object, once its conditions hold."""
        source = urllib.parse.unquote_to_bytes(request.headers["x-amz-copy-source"].partition("?")[0].replace("+", " "))
        bucket, _, key = source.decode("utf-8", "replace").removeprefix("/").partition("/")
        if not key:
            raise Refused("InvalidArgument", "Invalid copy source object key", ArgumentName="x-amz-copy-source",
                          ArgumentValue="x-amz-copy-source")
        object = self.object_of(request, bucket, key)
        check_read_conditions(request.headers, object, "x-amz-copy-source-")
        return bucket, key, object

    def do_CopyObject(self, request):
        bucket = self.bucket_of(request)
        check_key(request.key)
        from_bucket, from_key, source = self.copied(request)
        replace = request.headers.get("x-amz-metadata-directive", "COPY") == "REPLACE"
        if (from_bucket, from_key) == (request.bucket, request.key) and not replace:
            raise Refused("InvalidRequest", "This copy request is illegal because it is trying to copy an object to itself "
                          "without changing the object's metadata, storage class, website redirect location or encryption "
                          "attributes.")
        headers = kept_headers(request) if replace else source.headers
        object = Object(source.body, headers, self.now())
        with self.lock:
            self.check_write_conditions(request, bucket)
            bucket.put(request.key, object)
        return xml_reply("CopyObjectResult", tag("LastModified", moment(object.modified)) + tag("ETag", object.etag))

    def do_DeleteObject(self, request):
        bucket = self.bucket_of(request)
        with self.lock:
            if "if-match" in request.headers:
                self.check_write_conditions(request, bucket)
            bucket.drop(request.key)
        return Reply(204)

    def do_DeleteObjects(self, request):
        bucket = self.bucket_of(request)
        if not check_digests(request) and "content-md5" not in request.headers:
            raise Refused("InvalidRequest", "Missing required header for this request: Content-MD5")
        root = local_names(request.body)
        keys = [item.findtext("Key") for item in root.findall("Object")]
        if root.tag != "Delete" or not 1 <= len(keys) <= 1000 or not all(keys):
            raise Refused("MalformedXML")
        done, failed = "", ""
        with self.lock:
            for key in keys:
                if self.denies(f"DeleteObject /{bucket.name}/{key}"):
                    failed += f"<Error>{tag('Key', key)}{tag('Code', 'AccessDenied')}{tag('Message', 'Access Denied')}</Error>"
                    continue
                bucket.drop(key)
                done += f"<Deleted>{tag('Key', key)}</Deleted>"
        return xml_reply("DeleteResult", failed if root.findtext("Quiet") == "true" else done + failed)

    # multipart uploads

    def do_CreateMultipartUpload(self, request):
        self.bucket_of(request)
        check_key(request.key)
        algorithm = request.headers.get("x-amz-checksum-algorithm", "").lower() or None
        if algorithm and algorithm not in CHECKSUMS:
            raise Refused("InvalidRequest", "Checksum algorithm provided is unsupported. Please try again with any of the "
                                            "valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")
        type = request.headers.get("x-amz-checksum-type", "FULL_OBJECT" if algorithm == "crc64nvme" else "COMPOSITE")
        if algorithm and (algorithm, type) in (("crc64nvme", "COMPOSITE"), ("sha1", "FULL_OBJECT"), ("sha256", "FULL_OBJECT")):
            raise Refused("InvalidRequest", f"The {type} checksum type cannot be used with the {algorithm} checksum algorithm.")
        upload = Upload(request.bucket, request.key, kept_headers(request), self.now(), algorithm, type)
        with self.lock:
            self.uploads[upload.id] = upload
        headers = {"x-amz-checksum-algorithm": algorithm.upper(), "x-amz-checksum-type": type} if algorithm else {}
        return xml_reply("InitiateMultipartUploadResult", tag("Bucket", request.bucket) + tag("Key", request.key)
                         + tag("UploadId", upload.id), headers)

    def upload_of(self, request):
        self.bucket_of(request)
        upload = self.uploads.get(request.query["uploadId"])
        if upload is None or (upload.bucket, upload.key) != (request.bucket, request.key):
            raise Refused("NoSuchUpload", UploadId=request.query["uploadId"])
        return upload

    def part_number(self, request):
        number = request.whole("partNumber", 0)
        if not 1 <= number <= self.set["max_parts"]:
            raise Refused("InvalidArgument", f"Part number must be an integer between 1 and {self.set['max_parts']}, inclusive",
                          ArgumentName="partNumber", ArgumentValue=number)
        return number

    def do_UploadPart(self, request):
        upload, number = self.upload_of(request), self.part_number(request)
        need_length(request)
        if len(request.body) > 5 * GIB:
            raise Refused("EntityTooLarge", ProposedSize=len(request.body), MaxSizeAllowed=5 * GIB)
        checksum = check_digests(request)
        if upload.algorithm and upload.type == "COMPOSITE" and (checksum or [None])[0] != upload.algorithm:
            raise Refused("InvalidRequest", f"Checksum Type mismatch occurred, expected checksum Type: {upload.algorithm}, "
                                            f"actual checksum Type: {checksum[0] if checksum else 'null'}")
        part = Part(request.body, self.now(), checksum)
        self.keep_part(upload, number, part)
        headers = {f"x-amz-checksum-{checksum[0]}": checksum[1]} if checksum else {}
        return Reply(200, b"", "application/xml", {"ETag": part.etag} | headers)

    def keep_part(self, upload, number, part):
        with self.lock:
            if upload.id not in self.uploads:       # aborted meanwhile
                raise Refused("NoSuchUpload", UploadId=upload.id)
            upload.parts[number] = part

    def do_UploadPartCopy(self, request):
        upload, number = self.upload_of(request), self.part_number(request)
        body = self.copied(request)[2].body
        if "x-amz-copy-source-range" in request.headers:
            text = request.headers["x-amz-copy-source-range"]
            found = re.fullmatch(r"bytes=(\d+)-(\d+)", text)
            if not found or not int(found[1]) <= int(found[2]) < len(body):
                raise Refused("InvalidArgument", f"Range specified is not valid for source object of size: {len(body)}",
                              ArgumentName="x-amz-copy-source-range", ArgumentValue=text)
            body = body[int(found[1]):int(found[2]) + 1]
        part = Part(body, self.now(), None)
        self.keep_part(upload, number, part)
        return xml_reply("CopyPartResult", tag("LastModified", moment(part.modified)) + tag("ETag", part.etag))

    def do_CompleteMultipartUpload(self, request):
        bucket, upload = self.bucket_of(request), self.upload_of(request)
        root = local_names(request.body)
        wanted = [(int(item.findtext("PartNumber", "0")), item) for item in root.findall("Part")
                  if item.findtext("PartNumber", "0").isdigit()]
        if root.tag != "CompleteMultipartUpload" or not wanted or len(wanted) != len(root):
            raise Refused("MalformedXML")
        with self.lock:
            parts = self.chosen_parts(upload, wanted)
            object = assembled(upload, parts, self.now())
            check_whole(request, object)
            self.check_write_conditions(request, bucket)
            if self.uploads.pop(upload.id, None) is None:
                raise Refused("NoSuchUpload", UploadId=upload.id)
            bucket.put(upload.key, object)
        elements = tag("Location", f"{request.base}/{upload.bucket}/{urllib.parse.quote(upload.key)}")
        elements += tag("Bucket", upload.bucket) + tag("Key", upload.key) + tag("ETag", object.etag)
        if object.checksum:
            elements += tag("Checksum" + object.checksum[0].upper(), object.checksum[1]) + tag("ChecksumType", object.checksum[2])
        return xml_reply("CompleteMultipartUploadResult", elements)

    def chosen_parts(self, upload, wanted):
        parts, last = [], 0
        for number, item in wanted:
            if number <= last:
                raise Refused("InvalidPartOrder", UploadId=upload.id)
            part, last = upload.parts.get(number), number
            etag = item.findtext("ETag", "").strip('"')
            if part is None or etag != part.etag.strip('"'):
                raise Refused("InvalidPart", UploadId=upload.id, PartNumber=number, ETag=etag)
            self.check_part_sum(upload, number, part, item)
            parts.append(part)
        for (number, _), part in zip(wanted, parts[:-1]):
            if len(part.body) < self.set["min_part"]:
                raise Refused("EntityTooSmall", ProposedSize=len(part.body), MinSizeAllowed=self.set["min_part"],
                              PartNumber=number, ETag=part.etag.strip('"'))
        return parts

    def check_part_sum(self, upload, number, part, item):
        given = {child.tag.removeprefix("Checksum").lower(): child.text for child in item if child.tag.startswith("Checksum")}
        if upload.algorithm and upload.type == "COMPOSITE" and upload.algorithm not in given:
            raise Refused("InvalidRequest", f"The upload was created using a {upload.algorithm} checksum. The complete request "
                          f"must include the checksum for each part. It was missing for part {number} in the request.")
        for algorithm, text in given.items():
            if part.checksum != (algorithm, text):
                raise Refused("InvalidPart", UploadId=upload.id, PartNumber=number, ETag=part.etag.strip('"'))

    def do_AbortMultipartUpload(self, request):
        with self.lock:
            del self.uploads[self.upload_of(request).id]
        return Reply(204)

    def do_ListParts(self, request):
        upload = self.upload_of(request)
        after, limit = request.whole("part-number-marker", 0), min(request.whole("max-parts", 1000), 1000)
        encode = url_encoder(request.query)
        with self.lock:
            numbers = sorted(n for n in upload.parts if n > after)
            page = numbers[:limit]
            listed = "".join(f"<Part>{tag('PartNumber', n)}{tag('LastModified', moment(upload.parts[n].modified))}"
                             f"{tag('ETag', upload.parts[n].etag)}{tag('Size', len(upload.parts[n].body))}</Part>" for n in page)
        elements = tag("Bucket", upload.bucket) + tag("Key", encode(upload.key)) + tag("UploadId", upload.id)
        elements += tag("StorageClass", "STANDARD") + tag("PartNumberMarker", after)
        elements += tag("NextPartNumberMarker", page[-1] if page else 0) + tag("MaxParts", limit)
        return xml_reply("ListPartsResult", elements + tag("IsTruncated", "true" if len(numbers) > limit else "false") + listed)

    def do_ListMultipartUploads(self, request):
        bucket, query = self.bucket_of(request), request.query
        prefix, limit = query.get("prefix", ""), min(request.whole("max-uploads", 1000), 1000)
        after = (query.get("key-marker", ""), query.get("upload-id-marker", "\U0010ffff"))
        encode = url_encoder(query)
        with self.lock:
            found = sorted((upload.key, upload.id) for upload in self.uploads.values()
                           if upload.bucket == bucket.name and upload.key.startswith(prefix))
            found = [entry for entry in found if entry > after] if "key-marker" in query else found
            page = found[:limit]
            listed = "".join(f"<Upload>{tag('Key', encode(key))}{tag('UploadId', id)}<Initiator><ID>stand-in</ID></Initiator>"
                             f"<Owner><ID>stand-in</ID></Owner><StorageClass>STANDARD</StorageClass>"
                             f"{tag('Initiated', moment(self.uploads[id].started))}</Upload>" for key, id in page)
        more = len(found) > limit
        elements = tag("Bucket", bucket.name) + tag("KeyMarker", encode(query.get("key-marker", "")))
        elements += tag("UploadIdMarker", query.get("upload-id-marker", "")) + tag("Prefix", encode(prefix))
        if more:
            elements += tag("NextKeyMarker", encode(page[-1][0])) + tag("NextUploadIdMarker", page[-1][1])
        if "encoding-type" in query:
            elements += tag("EncodingType", "url")
        elements += tag("MaxUploads", limit) + tag("IsTruncated", "true" if more else "false")
        return xml_reply("ListMultipartUploadsResult", elements + listed)


# parts of the above

def damaged(body):
    middle = len(body) // 2
    return body[:middle] + bytes((body[middle] ^ 1,)) + body[middle + 1:] if body else body


def url_encoder(query):
    kind = query.get("encoding-type")
    if kind not in (None, "url"):
        raise Refused("InvalidArgument", "Invalid Encoding Method specified in Request", ArgumentName="encoding-type",
                      ArgumentValue=kind)
    return functools.partial(urllib.parse.quote_plus, safe="/*") if kind else str


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


def entry_of(bucket, key, encode, query):
    object = bucket.get(key)
    entry = tag("Key", encode(key)) + tag("LastModified", moment(object.modified)) + tag("ETag", object.etag)
    if object.checksum:
        entry += tag("ChecksumAlgorithm", object.checksum[0].upper()) + tag("ChecksumType", object.checksum[2])
    entry += tag("Size", len(object.body))
    if query.get("fetch-owner") == "true" or query.get("list-type") != "2":
        entry += "<Owner><ID>stand-in</ID></Owner>"
    return f"<Contents>{entry}{tag('StorageClass', object.headers.get('x-amz-storage-class', 'STANDARD'))}</Contents>"


def check_key(key):
    size = len(key.encode())
    if size > 1024:
        raise Refused("KeyTooLongError", Size=size, MaxSizeAllowed=1024)


def need_length(request):
    if "content-length" not in request.headers:
        raise Refused("MissingContentLength")


def kept_headers(request):
    """What a GET gives back: type, encoding, metadata, ..."""
    kept = {"content-type": "binary/octet-stream"}
    for name, value in request.headers.items():
        if name in KEPT_HEADERS or name.startswith("x-amz-meta-"):
            kept[name] = value
    encodings = [word.strip() for word in kept.pop("content-encoding", "").split(",")]
    encodings = [word for word in encodings if word not in ("", "aws-chunked")]
    if encodings:
        kept["content-encoding"] = ",".join(encodings)
    if request.headers.get("x-amz-storage-class", "STANDARD") != "STANDARD":
        kept["x-amz-storage-class"] = request.headers["x-amz-storage-class"]
    metadata = sum(len(name) - len("x-amz-meta-") + len(value) for name, value in kept.items() if name.startswith("x-amz-meta-"))
    if metadata > 2048:
        raise Refused("MetadataTooLarge", Size=metadata, MaxSizeAllowed=2048)
    return kept


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
            raise Refused("BadDigest", ExpectedDigest=md5, CalculatedDigest=base64_of(hashlib.md5(request.body).digest()))
    given = [(name[len("x-amz-checksum-"):], value) for name, value in request.headers.items()
             if name.startswith("x-amz-checksum-") and name not in ("x-amz-checksum-type", "x-amz-checksum-algorithm")]
    if not given:
        return None
    if len(given) > 1:
        raise Refused("InvalidRequest", "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
    algorithm, text = given[0]
    if algorithm not in CHECKSUMS:
        raise Refused("InvalidRequest", "The algorithm type you specified in x-amz-checksum- header is invalid.")
    right = base64_of(CHECKSUMS[algorithm](request.body))
    if len(text) != len(right):
        raise Refused("InvalidRequest", f"Value for x-amz-checksum-{algorithm} header is invalid.")
    if text != right:
        raise Refused("BadDigest", f"The {algorithm.upper()} you specified did not match the calculated checksum.")
    return algorithm, text


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
    return Object(body, upload.headers, now, etag_of(f"{digest}-{len(parts)}"), checksum, [len(part.body) for part in parts])


def check_whole(request, object):
    """A checksum of the whole that came with Complete."""
    for name, value in request.headers.items():
        algorithm = name.removeprefix("x-amz-checksum-")
        if algorithm in CHECKSUMS and object.checksum and (algorithm, value) != object.checksum[:2]:
            raise Refused("BadDigest", f"The {algorithm.upper()} you specified did not match the calculated checksum.")
    size = request.headers.get("x-amz-mp-object-size")
    if size is not None and size != str(len(object.body)):
        raise Refused("InvalidRequest", f"The provided 'x-amz-mp-object-size' header value {size} does not match what was "
                                        f"computed: {len(object.body)}.")


class S3Handler(Handler):
    def fault_white_space(self, reply, fault):
        reply.body = reply.body.removeprefix(DECLARATION.encode())
        self.wfile.write(self.head(reply, None))
        if not fault.spec.get("leading"):
            self.chunk(DECLARATION.encode())
        end = time.monotonic() + fault.seconds(3)
        while time.monotonic() < end:
            self.chunk(b" \n")
            time.sleep(0.2)
        if fault.spec.get("leading"):
            self.chunk(DECLARATION.encode())
        self.chunk(reply.body)
        self.wfile.write(b"0\r\n\r\n")

    def chunk(self, data):
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))


if __name__ == "__main__":
    serve(S3(), options(S3, description=__doc__.partition("\n")[0]).parse_args(), S3Handler)
