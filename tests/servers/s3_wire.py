"""s3_wire - S3's requests, errors and XML, as they go over the wire (api/s3.md, sections 4 and 6)."""
import base64
import calendar
import email.utils
import functools
import re
import secrets
import time
import urllib.parse
import xml.etree.ElementTree

from sigv4 import Refused
from standin import Reply, Request

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
ERRORS = {
    "AccessDenied": (403, "Access Denied"),
    "AuthorizationHeaderMalformed": (400, ""),
    "AuthorizationQueryParametersError": (400, ""),
    "BadDigest": (400, "The Content-MD5 you specified did not match what we received."),
    "BucketAlreadyOwnedByYou": (409, "Your previous request to create the named bucket succeeded and you already "
                                     "own it."),
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
    "InvalidPart": (400, "One or more of the specified parts could not be found.  The part may not have been uploaded, "
                         "or the specified entity tag may not match the part's entity tag."),
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
    "NoSuchUpload": (404, "The specified upload does not exist. The upload ID may be invalid, or the upload may have "
                          "been aborted or completed."),
    "NotImplemented": (501, "A header you provided implies functionality that is not implemented"),
    "NotModified": (304, ""),
    "OperationAborted": (409, "A conflicting conditional operation is currently in progress against this resource. "
                              "Please try again."),
    "PermanentRedirect": (301, "The bucket you are attempting to access must be addressed using the specified "
                               "endpoint. Please send all future requests to this endpoint."),
    "PreconditionFailed": (412, "At least one of the pre-conditions you specified did not hold"),
    "RequestHeaderSectionTooLarge": (400, "Your request header section exceeds the maximum allowed size"),
    "RequestTimeTooSkewed": (403, "The difference between the request time and the current time is too large."),
    "RequestTimeout": (400, "Your socket connection to the server was not read from or written to within the timeout "
                            "period. Idle connections will be closed."),
    "ServiceUnavailable": (503, "Service is unable to handle request."),
    "SignatureDoesNotMatch": (403, "The request signature we calculated does not match the signature you provided. "
                                   "Check your key and signing method."),
    "SlowDown": (503, "Please reduce your request rate."),
    "TemporaryRedirect": (307, "Please re-send this request to the specified temporary endpoint. Continue to use "
                               "the original request endpoint for future requests."),
    "XAmzContentSHA256Mismatch": (400, "The provided 'x-amz-content-sha256' header does not match what was computed."),
}
OF_STATUS = {301: "PermanentRedirect", 304: "NotModified", 400: "InvalidRequest", 403: "AccessDenied", 404: "NoSuchKey",
             405: "MethodNotAllowed", 409: "OperationAborted", 411: "MissingContentLength", 412: "PreconditionFailed",
             416: "InvalidRange", 429: "SlowDown", 500: "InternalError", 501: "NotImplemented", 503: "SlowDown"}
SUBRESOURCES = {
    "accelerate", "acl", "analytics", "attributes", "cors", "encryption", "intelligent-tiering", "inventory",
    "legal-hold", "lifecycle", "logging", "metrics", "notification", "object-lock", "ownershipControls", "policy", "policyStatus",
    "publicAccessBlock", "replication", "requestPayment", "restore", "retention", "select", "tagging", "torrent",
    "versioning", "versions", "website",
}
KEPT_HEADERS = (
    "content-type", "content-encoding", "content-disposition", "content-language", "cache-control", "expires",
)


# requests

class S3Request(Request):
    """Knows its bucket, key and operation.  A plus sign in a path is a space to S3."""

    def __init__(self, method, url, headers, body):
        super().__init__(method, url, headers, body)
        path = urllib.parse.unquote_to_bytes(url.partition("?")[0].replace("+", " "))
        signed = self.headers.get("authorization", "").startswith("AWS") or "X-Amz-Algorithm" in self.query
        self.anonymous = not signed
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
            raise Refused("InvalidArgument", f"Provided {name} not an integer or within integer range",
                          ArgumentName=name, ArgumentValue=text)
        return int(text)


# XML

TO_ESCAPE = re.compile('[&<>"\x00-\x08\x0b-\x1f\x7f\ufffe\uffff]')
ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}


def text_of(text):
    """Escaped; control characters become references, which XML 1.0 has not: S3 sends them all the same."""
    return TO_ESCAPE.sub(lambda found: ENTITIES.get(found[0]) or f"&#x{ord(found[0]):x};", text)


def base64_of(data):
    return base64.b64encode(data).decode()


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


# what a request asks to keep, and how

def url_encoder(query):
    kind = query.get("encoding-type")
    if kind not in (None, "url"):
        raise Refused("InvalidArgument", "Invalid Encoding Method specified in Request", ArgumentName="encoding-type",
                      ArgumentValue=kind)
    return functools.partial(urllib.parse.quote_plus, safe="/*") if kind else str


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
    metadata = sum(len(name.removeprefix("x-amz-meta-")) + len(value) for name, value in kept.items()
                   if name.startswith("x-amz-meta-"))
    if metadata > 2048:
        raise Refused("MetadataTooLarge", Size=metadata, MaxSizeAllowed=2048)
    return kept
