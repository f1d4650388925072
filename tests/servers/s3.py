#!/usr/bin/env python3
"""s3 - a stand-in for S3 (api/s3.md): checks signatures, pages listings, takes multipart uploads, fails as told.

    s3.py [--port N] [the settings as options]

Buckets are addressed by path, or by host: BUCKET.localhost:PORT, BUCKET.s3.amazonaws.com,
BUCKET.s3.REGION.amazonaws.com.  All is kept in memory.  Credentials are given out, too: aws_credentials.py says how.

Settings beside those of aws_credentials.py:
  region            of the server and of buckets that name none (us-east-1)
  bucket            a bucket that is there from the start; repeat for more
  clock             seconds that the server's clock is ahead, so 960 makes the client's 16 minutes slow
  wrong_region      400 or 301: how a request signed for another region than the bucket's is answered
  min_part          bytes of the smallest part but the last (5 MiB)
  max_parts         parts of an upload (10,000)
  ignore_conditions If-Match and If-None-Match on writes are not looked at, as some look-alikes do

What "match" of a fault and of "between" sees is `OPERATION /BUCKET/KEY?QUERY`, decoded, and below it the body of a
POST: "^PutObject /b/k", "^UploadPart .*partNumber=3&", "^CompleteMultipartUpload ".  Operations are called as in the API.

Faults beside those of standin.py:
  error         the error "code", as S3 says it: {"kind": "error", "code": "SlowDown", "times": 5}; not done.
                A `status` or `upload_refused` fault may have a "code" instead of a "status", too
  error200      200, and the error in the body ("code": InternalError unless told); done first with "done": true
  white_space   200 at once, white space for "seconds", a piece each 0.2 s, then the answer, or the error "code" and nothing is done;
                "leading": true puts the white space before the XML declaration, too
  damage        the reply's body has a byte changed
  damaged_body  the request's body has a byte changed before it is looked at
  empty_page    of a listing: no keys, and yet more to come
Done and then not answered: `no_reply`.  Listings know repeat_page and ignore_limit.  `redirect` is 307 unless told.

Changes for /control beside {"credentials": ...}:
  {"buckets": {NAME: {"region": R, "public": true}, NAME: null}}
  {"objects": {"BUCKET/KEY": SPEC}}
                            where SPEC is the text, or {"body": TEXT, "modified": "2024-01-31T00:00:00Z",
                            "headers": {NAME: VALUE}}, or null, which takes the object away
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
import hashlib
import json
import math
import re
import secrets
import time

import sigv4
from aws_credentials import Credentials
from s3_operations import Operations
from s3_store import Bucket, MadeUp, Object
from s3_wire import DECLARATION, OF_STATUS, S3Request, base64_of, error_reply, seconds_of
from sigv4 import Refused
from standin import KINDS, Handler, Reply, edit_headers, options, serve


class S3(Operations, Credentials):
    kinds = KINDS | {"error", "error200", "white_space", "damage", "damaged_body", "empty_page"}
    request = S3Request
    name = "AmazonS3"
    changes = Credentials.changes + ("buckets", "objects", "deny", "make_up", "age_uploads")
    settings = Credentials.settings | {
        "region": "us-east-1", "bucket": [], "clock": 0.0, "wrong_region": "400", "min_part": 5 << 20,
        "max_parts": 10_000, "ignore_conditions": False,
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
            text = "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries)
        return Reply(200, text, "application/x-ndjson")

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
        reply.headers["x-amz-request-id"] = secrets.token_hex(8).upper()
        reply.headers["x-amz-id-2"] = base64_of(secrets.token_bytes(33))
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


def damaged(body):
    middle = len(body) // 2
    return body[:middle] + bytes((body[middle] ^ 1,)) + body[middle + 1:] if body else body


class S3Handler(Handler):
    def fault_white_space(self, reply, fault):
        reply.body = reply.body.removeprefix(DECLARATION.encode())
        self.wfile.write(self.head(reply, None))
        if not fault.spec.get("leading"):
            self.chunk(DECLARATION.encode())
        for _ in range(math.ceil(fault.seconds(3) / 0.2)):
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
