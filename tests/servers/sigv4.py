"""sigv4 - checks Signature Version 4 as S3 does, from what came over the wire (api/s3.md, section 1).

claim() reads what a request says of itself, check() recomputes the signature with the secret, check_body() the hash of
the body, unchunk() takes the aws-chunked form of a body apart.  All raise Refused, with S3's own code.  To make a
signature is not here: the tests' signer (tests/s3-request) shares no code with this, so that a mistake is not made twice.
"""
import binascii
import calendar
import email.utils
import functools
import hashlib
import hmac
import re
import time
import urllib.parse

ALGORITHM = "AWS4-HMAC-SHA256"
NOTHING = hashlib.sha256(b"").hexdigest()
STREAMING = {
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
    "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
}
SKEW = 900                      # seconds that a clock may be off
WEEK = 604800                   # seconds that a presigned URL may live


class Refused(Exception):
    """An error as S3 says it: a code, and elements of the XML beside Message."""

    def __init__(self, code, message=None, **elements):
        super().__init__(code)
        self.code, self.message, self.elements = code, message, elements


class Claim:
    """What the request says: who signed, when, for what, and which headers."""

    id = date = region = service = signature = moment = token = expires = None
    headers = ()
    presigned = False
    payload = "UNSIGNED-PAYLOAD"

    @property
    def scope(self):
        return f"{self.date}/{self.region}/{self.service}/aws4_request"


def claim(request, service="s3"):
    """The claim of a request, or None if it is anonymous."""
    if "authorization" in request.headers:
        made = header_claim(request, service)
    elif "X-Amz-Algorithm" in request.query:
        made = query_claim(request)
    else:
        return None
    if made.service != service:
        raise malformed(made, f'incorrect service "{made.service}". This endpoint belongs to "{service}".')
    if made.moment[:8] != made.date:
        raise malformed(made, f'Invalid credential date "{made.date}". This date is not the same as X-Amz-Date: '
                              f'"{made.moment[:8]}".')
    return made


def malformed(made, why, **elements):
    if made.presigned:
        return Refused("AuthorizationQueryParametersError", f"Error parsing the X-Amz-Credential parameter; {why}",
                       **elements)
    return Refused("AuthorizationHeaderMalformed", f"The authorization header is malformed; {why}", **elements)


def header_claim(request, service):
    made = Claim()
    text = request.headers["authorization"]
    if text.startswith("AWS "):
        raise Refused("InvalidRequest", "The authorization mechanism you have provided is not supported. "
                                        "Please use AWS4-HMAC-SHA256.")
    if not text.startswith(ALGORITHM):
        raise Refused("InvalidArgument", "Unsupported Authorization Type", ArgumentName="Authorization",
                      ArgumentValue=text)
    words = {}
    for word in text[len(ALGORITHM):].split(","):
        name, _, value = word.strip().partition("=")
        words[name] = value
    for name in ("Credential", "SignedHeaders", "Signature"):
        if name not in words:
            raise malformed(made, "the authorization header requires three components: Credential, SignedHeaders, "
                                  "and Signature.")
    split_credential(made, words["Credential"])
    made.headers = words["SignedHeaders"].split(";")
    made.signature = words["Signature"]
    made.token = request.headers.get("x-amz-security-token")
    made.payload = request.headers.get("x-amz-content-sha256")
    if service == "s3":
        check_payload_word(made.payload)
    elif made.payload is None:
        made.payload = hashlib.sha256(request.body).hexdigest()
    made.moment = moment_of(request)
    return made


def check_payload_word(word):
    if word is None:
        raise Refused("InvalidRequest", "Missing required header for this request: x-amz-content-sha256")
    if word != "UNSIGNED-PAYLOAD" and word not in STREAMING and not re.fullmatch("[0-9a-f]{64}", word):
        raise Refused("InvalidArgument", "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, "
                      "STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD or a valid sha256 value.",
                      ArgumentName="x-amz-content-sha256", ArgumentValue=word)


def split_credential(made, text):
    parts = text.rsplit("/", 4)
    if len(parts) != 5 or parts[4] != "aws4_request" or not re.fullmatch("[0-9]{8}", parts[1]):
        raise malformed(made, 'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/'
                              'aws4_request".')
    made.id, made.date, made.region, made.service, _ = parts


def moment_of(request):
    """X-Amz-Date, or Date in its place, as YYYYMMDDTHHMMSSZ."""
    text = request.headers.get("x-amz-date") or request.headers.get("date", "")
    if re.fullmatch(r"\d{8}T\d{6}Z", text):
        return text
    try:
        when = email.utils.parsedate_to_datetime(text)
    except ValueError:
        raise Refused("AccessDenied", "AWS authentication requires a valid Date or x-amz-date header") from None
    return time.strftime("%Y%m%dT%H%M%SZ", when.utctimetuple())


def query_claim(request):
    made = Claim()
    made.presigned = True
    query = request.query
    for name in ("Credential", "Date", "Expires", "SignedHeaders", "Signature"):
        if "X-Amz-" + name not in query:
            raise Refused("AuthorizationQueryParametersError",
                          "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "
                          "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.")
    split_credential(made, query["X-Amz-Credential"])
    made.headers = query["X-Amz-SignedHeaders"].split(";")
    made.signature = query["X-Amz-Signature"]
    made.token = query.get("X-Amz-Security-Token")
    made.moment = query["X-Amz-Date"]
    made.payload = request.headers.get("x-amz-content-sha256", made.payload)
    if not re.fullmatch(r"\d{8}T\d{6}Z", made.moment):
        raise Refused("AuthorizationQueryParametersError", 'X-Amz-Date must be in the ISO8601 Long Format '
                                                           '"yyyyMMdd\'T\'HHmmss\'Z\'"')
    if not query["X-Amz-Expires"].isdigit() or not 1 <= int(query["X-Amz-Expires"]) <= WEEK:
        raise Refused("AuthorizationQueryParametersError",
                      "X-Amz-Expires must be less than a week (in seconds) that is 604800")
    made.expires = int(query["X-Amz-Expires"])
    return made


def check(request, made, secret, now):
    """Refuses a claim that is too old, signs too little or is wrong.  Returns the key, for unchunk()."""
    check_time(made, now)
    present = {"host"} | {name for name in request.headers if name.startswith("x-amz-")}
    lacking = sorted(present - set(made.headers))
    if lacking:
        raise Refused("AccessDenied", "There were headers present in the request which were not signed",
                      HeadersNotSigned=", ".join(lacking))
    canonical = canonical_request(request, made)
    to_sign = "\n".join((ALGORITHM, made.moment, made.scope, hashlib.sha256(raw(canonical)).hexdigest()))
    key = signing_key(secret, made.date, made.region, made.service)
    if sign(key, to_sign) != made.signature:
        raise Refused("SignatureDoesNotMatch", AWSAccessKeyId=made.id, StringToSign=to_sign,
                      SignatureProvided=made.signature, StringToSignBytes=spaced_hex(to_sign),
                      CanonicalRequest=canonical, CanonicalRequestBytes=spaced_hex(canonical))
    return key


def check_body(request, made):
    if len(made.payload) == 64:
        found = hashlib.sha256(request.body).hexdigest()
        if found != made.payload:
            raise Refused("XAmzContentSHA256Mismatch", ClientComputedContentSHA256=made.payload,
                          S3ComputedContentSHA256=found)


def check_time(made, now):
    signed = seconds_of(made.moment)
    if made.presigned:
        if now > signed + made.expires:
            raise Refused("AccessDenied", "Request has expired", **{
                "X-Amz-Expires": made.expires, "Expires": iso(signed + made.expires), "ServerTime": iso(now)})
        if signed > now + SKEW:
            raise Refused("AccessDenied", "Request is not yet valid")
    elif abs(signed - now) > SKEW:
        raise Refused("RequestTimeTooSkewed", RequestTime=made.moment, ServerTime=iso(now),
                      MaxAllowedSkewMilliseconds=SKEW * 1000)


def seconds_of(moment):
    try:
        return calendar.timegm(time.strptime(moment, "%Y%m%dT%H%M%SZ"))
    except ValueError:
        raise Refused("AccessDenied", "AWS authentication requires a valid Date or x-amz-date header") from None


def iso(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def canonical_request(request, made):
    path, _, query = request.url.partition("?")
    path = urllib.parse.quote(urllib.parse.unquote_to_bytes(path.replace("+", " ")), safe="/")
    pairs = []
    for pair in query.split("&") if query else ():
        name, _, value = pair.partition("=")
        pairs.append((encode_again(name), encode_again(value)))
    query = "&".join(f"{name}={value}" for name, value in sorted(pairs) if name != "X-Amz-Signature")
    headers = "".join(f"{name}:{value_of(request, name)}\n" for name in made.headers)
    return "\n".join((request.method, path or "/", query, headers, ";".join(made.headers), made.payload))


def value_of(request, name):
    """A header as it was sent: http.server takes bytes for Latin-1."""
    value = request.headers.get(name, "")
    if not value.isascii():
        value = value.encode("latin-1").decode("utf-8", "surrogateescape")
    return " ".join(value.split())


def raw(text):
    return text.encode("utf-8", "surrogateescape")


def encode_again(text):
    return urllib.parse.quote(urllib.parse.unquote_to_bytes(text.replace("+", " ")), safe="")


@functools.lru_cache(256)
def signing_key(secret, *scope):
    key = ("AWS4" + secret).encode()
    for word in (*scope, "aws4_request"):
        key = hmac.digest(key, word.encode(), "sha256")
    return key


def sign(key, text):
    return hmac.digest(key, text.encode(), "sha256").hex()


def spaced_hex(text):
    return binascii.hexlify(raw(text), " ").decode()


# bodies in chunks of their own

def unchunk(request, made, key):
    """The data of an aws-chunked body, and its trailing headers."""
    if not request.headers.get("x-amz-decoded-content-length", "").isdigit():
        raise Refused("MissingContentLength")
    signed = made.payload.startswith("STREAMING-AWS4")
    body, at, data, last = request.body, 0, [], made.signature
    while True:
        head, at = chunk_line(body, at)
        size, _, extension = head.partition(";chunk-signature=")
        if not re.fullmatch("[0-9a-fA-F]+", size):
            raise Refused("IncompleteBody", "The request body terminated unexpectedly")
        chunk = body[at:at + int(size, 16)]
        if signed:
            last = check_chunk(made, key, last, chunk, extension)
        if not chunk:
            break
        data.append(chunk)
        at += len(chunk)
        if len(chunk) != int(size, 16) or body[at:at + 2] != b"\r\n":
            raise Refused("IncompleteBody", "The request body terminated unexpectedly")
        at += 2
    trailers = read_trailers(body, at)
    if signed and made.payload.endswith("-TRAILER"):
        check_trailers(made, key, last, trailers)
    whole = b"".join(data)
    if len(whole) != int(request.headers["x-amz-decoded-content-length"]):
        raise Refused("IncompleteBody", "You did not provide the number of bytes specified by the "
                                        "x-amz-decoded-content-length HTTP header")
    return whole, trailers


def chunk_line(body, at):
    end = body.find(b"\r\n", at)
    if end < 0:
        raise Refused("IncompleteBody", "The request body terminated unexpectedly")
    return body[at:end].decode("latin-1"), end + 2


def check_chunk(made, key, last, chunk, signature):
    to_sign = "\n".join((ALGORITHM + "-PAYLOAD", made.moment, made.scope, last, NOTHING,
                         hashlib.sha256(chunk).hexdigest()))
    return agreed(made, sign(key, to_sign), signature, to_sign)


def read_trailers(body, at):
    trailers = {}
    while at < len(body):
        line, at = chunk_line(body, at)
        if not line:
            break
        name, _, value = line.partition(":")
        trailers[name.lower()] = value.strip()
    return trailers


def check_trailers(made, key, last, trailers):
    signature = trailers.pop("x-amz-trailer-signature", "")
    text = "".join(f"{name}:{value}\n" for name, value in sorted(trailers.items()))
    to_sign = "\n".join((ALGORITHM + "-TRAILER", made.moment, made.scope, last,
                         hashlib.sha256(text.encode()).hexdigest()))
    agreed(made, sign(key, to_sign), signature, to_sign)


def agreed(made, right, signature, to_sign):
    if right != signature:
        raise Refused("SignatureDoesNotMatch", AWSAccessKeyId=made.id, StringToSign=to_sign,
                      SignatureProvided=signature)
    return right
