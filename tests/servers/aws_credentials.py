#!/usr/bin/env python3
"""aws_credentials - where a stand-in's access keys come from, and who holds them (api/s3.md, section 3).

    aws_credentials.py [--port N] [the settings below as options]

s3.py has all of this, too: there the keys given out are good for its buckets.  Alone it is for who gets credentials
from one place and uses them at another.

Endpoints:
  GET  /v2/credentials/...    the container's: AWS_CONTAINER_CREDENTIALS_FULL_URI=URL/v2/credentials/1
  PUT  /latest/api/token      IMDSv2, and GET /latest/meta-data/iam/security-credentials/[ROLE]:
                              AWS_EC2_METADATA_SERVICE_ENDPOINT=URL
  GET, POST /?Action=...      STS: AssumeRoleWithWebIdentity (unsigned), AssumeRole, GetCallerIdentity (signed for sts)

Settings: key and secret, the lasting credentials; lifetime, seconds that the keys given out are good for; uses,
requests that they are good for (0: no bound); container_token, what the container's Authorization header must be
("": it needs none); imds: v2, v1 (knows no token) or off; imds_token_lifetime, seconds, where it is below what
was asked for; role, the instance's ("": it has none); web_identity_token, what the token file must hold ("": whatever).

Changes for /control:
  {"credentials": {ID: {"secret": S, "token": T, "expires": SECONDS, "uses": N}, ID: null}}
        adds or changes credentials, null takes them away; "expires" counts from now, so 0 is at once; ID may be
        "*": all that were given out
"""
import itertools
import json
import re
import secrets
import urllib.parse
from xml.sax.saxutils import escape

import sigv4
from sigv4 import Refused
from standin import Reply, StandIn, options, serve

STS = "https://sts.amazonaws.com/doc/2011-06-15/"
STS_STATUS = {"AccessDenied": 403, "SignatureDoesNotMatch": 403, "InvalidClientTokenId": 403}


class Credential:
    def __init__(self, secret, token=None):
        self.secret, self.token = secret, token
        self.expires = self.uses = None
        self.given = False

    def change(self, spec, now):
        unknown = set(spec) - {"secret", "token", "expires", "uses"}
        if unknown:
            raise ValueError(f"credentials: no such word: {', '.join(sorted(unknown))}")
        self.secret, self.token = spec.get("secret", self.secret), spec.get("token", self.token)
        if "expires" in spec:
            self.expires = None if spec["expires"] is None else now + spec["expires"]
        self.uses = spec.get("uses", self.uses)


class Credentials(StandIn):
    """Settings, changes and endpoints as above; answer_credentials() gives None for what is none of them."""

    changes = ("credentials",)
    settings = {
        "key": "AKIAIOSFODNN7EXAMPLE", "secret": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "lifetime": 3600, "uses": 0,
        "container_token": "", "imds": "v2", "imds_token_lifetime": 21600, "role": "stand-in-role",
        "web_identity_token": "",
    }

    def __init__(self):
        super().__init__()
        self.known = {}                 # access key id: Credential, beside the lasting one
        self.imds_tokens = {}           # token: when it ends
        self.numbers = itertools.count(1)

    def change(self, what, args):
        if what != "credentials":
            return super().change(what, args)
        for id, spec in args.items():
            chosen = [c for c in self.known.values() if c.given] if id == "*" else None
            if spec is None:
                self.known.pop(id, None)
                continue
            if chosen is None:
                chosen = [self.known.setdefault(id, Credential(spec.get("secret", self.set["secret"])))]
            for credential in chosen:
                credential.change(spec, self.now())
        return len(self.known)

    def credential_of(self, claim, spend=True):
        """The credential of a claim, unless it is unknown, has another token, or is at its end."""
        with self.lock:
            credential = self.known.get(claim.id)
            if credential is None and claim.id == self.set["key"]:
                credential = Credential(self.set["secret"])
            if credential is None or (credential.token and not claim.token):
                raise Refused("InvalidAccessKeyId", AWSAccessKeyId=claim.id)
            if claim.token != credential.token:
                raise Refused("InvalidToken", **{"Token-0": claim.token})
            spent = credential.uses is not None and credential.uses <= 0
            if spent or (credential.expires is not None and self.now() >= credential.expires):
                raise Refused("ExpiredToken", **{"Token-0": claim.token})
            if spend and credential.uses is not None:
                credential.uses -= 1
            return credential

    def give_out(self, lifetime=None):
        with self.lock:
            id = f"ASIA{next(self.numbers):016d}"
            credential = Credential(secrets.token_urlsafe(30), secrets.token_urlsafe(180) + "+/==")
            credential.given = True
            credential.expires = self.now() + (lifetime or self.set["lifetime"])
            credential.uses = self.set["uses"] or None
            self.known[id] = credential
            return id, credential

    def answer_credentials(self, request):
        if request.path.startswith("/v2/credentials"):
            return self.container(request)
        if request.path.startswith("/latest/"):
            return self.instance(request)
        if request.path == "/" and (request.method == "POST" or "Action" in request.query):
            return self.security_tokens(request)
        return None

    def answer(self, request):
        return self.answer_credentials(request) or Reply(404, "Not Found\n", "text/plain")

    # the container's and the instance's

    def container(self, request):
        wanted = self.set["container_token"]
        if wanted and request.headers.get("authorization") != wanted:
            return Reply(401, json.dumps({"code": "AuthorizationError", "message": "Bad authorization token"}) + "\n")
        return Reply(200, json.dumps({"RoleArn": "arn:aws:iam::123456789012:role/task"} | self.document()) + "\n")

    def document(self):
        id, credential = self.give_out()
        return {"AccessKeyId": id, "SecretAccessKey": credential.secret, "Token": credential.token,
                "Expiration": sigv4.iso(credential.expires)}

    def instance(self, request):
        headers, mode = request.headers, self.set["imds"]
        if mode == "off" or (request.path == "/latest/api/token" and mode == "v1"):
            return Reply(404, "Not Found\n", "text/html")
        if request.path == "/latest/api/token":
            return self.imds_token(request)
        if mode == "v2" and self.imds_tokens.get(headers.get("x-aws-ec2-metadata-token"), 0) <= self.now():
            return Reply(401, "Unauthorized\n", "text/html")
        found = re.fullmatch("/latest/meta-data/iam/security-credentials/(.*)", request.path)
        role = self.set["role"]
        if not found or not role or found[1] not in ("", role):
            return Reply(404, "Not Found\n", "text/html")
        if not found[1]:
            return Reply(200, role, "text/plain")
        return Reply(200, json.dumps({"Code": "Success", "LastUpdated": sigv4.iso(self.now()), "Type": "AWS-HMAC"}
                                     | self.document(), indent=1) + "\n", "text/plain")

    def imds_token(self, request):
        seconds = request.headers.get("x-aws-ec2-metadata-token-ttl-seconds", "")
        if request.method != "PUT":
            return Reply(405, "", "text/html", {"Allow": "OPTIONS, PUT"})
        if "x-forwarded-for" in request.headers:
            return Reply(403, "", "text/html")
        if not seconds.isdigit() or not 1 <= int(seconds) <= 21600:
            return Reply(400, "Bad Request\n", "text/html")
        token = secrets.token_urlsafe(40) + "=="
        self.imds_tokens[token] = self.now() + min(int(seconds), self.set["imds_token_lifetime"])
        return Reply(200, token, "text/plain", {"X-Aws-Ec2-Metadata-Token-Ttl-Seconds": seconds})

    # the security token service

    def security_tokens(self, request):
        form = dict(request.query)
        form.update(fields_of(request))
        action = form.get("Action", "")
        try:
            if form.get("Version") != "2011-06-15":
                raise Refused("InvalidAction", f"Could not find operation {action} for version {form.get('Version')}")
            if action == "AssumeRoleWithWebIdentity":
                return self.web_identity(form)
            if action in ("AssumeRole", "GetCallerIdentity"):
                claim = self.signed_for_sts(request)
                return self.assume_role(form) if action == "AssumeRole" else caller(claim)
            raise Refused("InvalidAction", f"Could not find operation {action} for version 2011-06-15")
        except Refused as refused:
            code = {"InvalidAccessKeyId": "InvalidClientTokenId", "InvalidToken": "InvalidClientTokenId"}.get(
                refused.code, refused.code)
            return sts_error(STS_STATUS.get(code, 400), code, refused.message or code)

    def signed_for_sts(self, request):
        claim = sigv4.claim(request, "sts")
        if claim is None:
            raise Refused("MissingAuthenticationToken", "Request is missing Authentication Token")
        sigv4.check(request, claim, self.credential_of(claim).secret, self.now())
        sigv4.check_body(request, claim)
        return claim

    def web_identity(self, form):
        wanted = self.set["web_identity_token"]
        if not form.get("WebIdentityToken") or (wanted and form["WebIdentityToken"] != wanted):
            raise Refused("InvalidIdentityToken", "The ID Token provided is not a valid JWT. (You may see this error if "
                                                  "you sent an Access Token)")
        return self.assumed("AssumeRoleWithWebIdentity", form,
                            "<SubjectFromWebIdentityToken>subject</SubjectFromWebIdentityToken>")

    def assume_role(self, form):
        return self.assumed("AssumeRole", form)

    def assumed(self, action, form, more=""):
        for name in ("RoleArn", "RoleSessionName"):
            if not form.get(name):
                raise Refused("ValidationError", f"1 validation error detected: Value null at '{name}' failed to satisfy "
                                                 f"constraint: Member must not be null")
        if not re.fullmatch(r"arn:aws[\w-]*:iam::\d{12}:role/.+", form["RoleArn"]):
            raise Refused("ValidationError", f"{form['RoleArn']} is invalid")
        if "/forbidden" in form["RoleArn"]:
            raise Refused("AccessDenied", f"Not authorized to perform sts:{action}")
        id, credential = self.give_out(min(self.set["lifetime"], int(form.get("DurationSeconds", 43200))))
        arn = form["RoleArn"].replace(":iam:", ":sts:").replace(":role/", ":assumed-role/")
        arn += "/" + form["RoleSessionName"]
        return sts_reply(action, f"<AssumedRoleUser><Arn>{escape(arn)}</Arn><AssumedRoleId>AROAEXAMPLE:"
                                 f"{escape(form['RoleSessionName'])}</AssumedRoleId></AssumedRoleUser><Credentials>"
                                 f"<AccessKeyId>{id}</AccessKeyId><SecretAccessKey>{credential.secret}</SecretAccessKey>"
                                 f"<SessionToken>{credential.token}</SessionToken><Expiration>"
                                 f"{sigv4.iso(credential.expires)}</Expiration></Credentials>{more}")

    def failure(self, status):
        return sts_error(status, {403: "AccessDenied", 503: "ServiceUnavailable"}.get(status, "InternalFailure"),
                         "the stand-in was told so")


def fields_of(request):
    return dict(urllib.parse.parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))


def caller(claim):
    return sts_reply("GetCallerIdentity", f"<Arn>arn:aws:iam::123456789012:user/stand-in</Arn><UserId>"
                                          f"{escape(claim.id)}</UserId><Account>123456789012</Account>")


def sts_reply(action, inner):
    return Reply(200, f'<{action}Response xmlns="{STS}"><{action}Result>{inner}</{action}Result><ResponseMetadata>'
                      f"<RequestId>{secrets.token_hex(16)}</RequestId></ResponseMetadata></{action}Response>\n",
                 "text/xml")


def sts_error(status, code, message):
    return Reply(status, f'<ErrorResponse xmlns="{STS}"><Error><Type>Sender</Type><Code>{code}</Code><Message>'
                         f"{escape(message)}</Message></Error><RequestId>{secrets.token_hex(16)}</RequestId>"
                         f"</ErrorResponse>\n", "text/xml")


if __name__ == "__main__":
    serve(Credentials(), options(Credentials, description=__doc__.partition("\n")[0]).parse_args())
