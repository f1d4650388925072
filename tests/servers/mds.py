#!/usr/bin/env python3
"""mds - a stand-in for a provider of the Mobility Data Specification, in any version from 0.2 to 2.0.

    mds.py [--data FILE] [--make N] [--version 0.3] [--now TIME] [--page-size N] [--auth WHAT] ...

FILE is {"trips": [...]} in the form of 0.3, which is turned into that of the version that is asked for; members that no
version knows pass untouched.  --make adds N made-up trips for each hour that they end in, the same ones whenever they
are asked for, one of which ends as the hour begins.  Events, vehicles and telemetry are told from the trips.

Settings (/control's "set")
  version         the one it is in; 0.2 is answered, too, to those who name no version
  also            further versions that it can be asked for (--also, repeated)
  strict          who names no version gets 406, not 0.2
  deaf            whatever is asked for, `version` is answered
  body_version    "version" of bodies, in place of the full one
  now             its clock: a time as ISO 8601 (UTC), which stands still; "" is the true one
  path            of the API below the URL that is printed
  names           query parameters that go by another name: "end_time=ending,..."
  page_size       trips of a page (0: all); also events' and vehicles', but not where the version forbids pages
  next            the link: "absolute", "path" (/trips?...), "name" (trips?...) or "query" (?...)
  links           "all" of them, "next" alone, or "needed": none but where a next page is
  indent          blanks by which bodies are laid out over lines (0: none)
  quirk           every trip is spoiled so (--quirk, repeated): see below
  make            trips an hour; provider_id and provider_name are theirs
  gzip            bodies are packed for those who ask
  cache           MiB of made-up trips kept
Hours, of versions that ask by them:
  ready_after     s after an hour's end before it is ready; until then 404 (0.4, 1.0), none (1.1), 102 (1.2), 202 (2.0)
  unready         hours (YYYY-MM-DDTHH) that are not ready, whatever the clock says
  outage          hours without service: 404
  service_from, service_to    hours before the first and from the second on: the same
  processing      what 102 looks like where it is the only answer: "close" (the connection), or "open": kept so
Credentials (never on the command line where ps may be read: by /control, or in the environment as MDS_AUTH):
  auth            "bearer:TOKEN", "basic:USER:PASSWORD", "custom:HEADER:VALUE", "oauth:ID:SECRET", or "oauth:FORM" with
                  all that the form must hold (a=b&c=d); "" for none.  Tokens are at /oauth/token, whose body must be a form
  token_key       the member that holds it: "access_token", "jwt", ...
  token_life, token_uses    s that a token lasts, and requests that it is good for (0: all)
  token_header    "Name: value" that /oauth/token wants, too

GET /truth?from=MS&to=MS&version=V   the trips that end in [from, to), one a line, sorted by end and id; needs no token
/control also takes {"trips": [...]} in place of those of FILE, {"add": [...]} beside them, {"expire": true}: all tokens
end.  An entry of /log has "at", when the request came (s).  More kinds of fault:

  102          "variant": "close", "open" (for "seconds", an hour unless told), or "interim": the true reply follows
  body         200 of the right type with the bytes "body"
  spoil        the true reply, but "quirk": NAME or [NAME...] on its trips, or on those at "rows": [0, 5] of the page;
               "integer_ids", "no_route", "empty_route", "one_point", "large_route" ("bytes"), "empty_coordinates",
               "null_coordinates", "swapped", "zero_zero", "seconds", "milliseconds", "text_times", "outside" (two hours
               later), "extra", "missing", "null", "no_object"
  duplicate    the page's first trip is there once more, at its end
  overlap      the page begins with the last trip of the one before it
  next         links.next is "to": a URL, or "self", "first", null, or whatever JSON
  endless      links.next is a new page, with the same trips, for ever; without any where "empty"
  repeat_page  whatever page is asked for, the first is answered
  envelope     the trips lie in the member "name", without an envelope where it is null; or there is "with": any JSON
"""
import base64
import datetime
import json
import os
import re
import secrets
import time
import urllib.parse

import mds_data
from mds_data import HOUR, dumps, hour_of
from standin import Handler, KINDS, Refusal, Reply, Request, StandIn, options, serve

TWO_WEEKS = 14 * 24 * HOUR
MOST_HOURS = 24 * 400           # that one request may have made up
OLD = {"trips": "trips", "status_changes": "status_changes"}
MIDDLE = OLD | {"events": "events", "vehicles": "vehicles"}
NEW = {"trips": "trips", "telemetry": "telemetry", "events/historical": "status_changes", "events/recent": "events",
       "vehicles": "vehicles", "vehicles/status": "vehicles"}
VERSIONS = tuple(mds_data.FULL)


def media_type(version):
    if version == "0.2":
        return "application/json"
    return f"application/vnd.mds{'.provider' if version < '1.0' else ''}+json;version={version}"


def wishes(accept):
    """The versions that an Accept names, best first; who names none means 0.2."""
    found = []
    for part in accept.split(",") if accept.strip() else ["*/*"]:
        kind, *parameters = [piece.strip() for piece in part.split(";")]
        given = dict(piece.lower().replace(" ", "").partition("=")[::2] for piece in parameters)
        version = ".".join(given.get("version", "0.2").strip('"').split(".")[:2])
        try:
            quality = float(given.get("q", 1))
        except ValueError:
            quality = 0
        is_named = "version" in given
        if kind.lower() == "application/vnd.mds+json" and version < "1.0":
            continue
        if kind.lower() == "application/vnd.mds.provider+json" and version >= "1.0":
            continue
        if kind.lower() in ("application/json", "*/*", "application/*"):
            version, is_named = "0.2", False
        elif not kind.lower().startswith("application/vnd.mds"):
            continue
        if quality > 0:
            found.append((-quality, "*" in kind, len(found), version, is_named))
    return [(version, is_named) for *_, version, is_named in sorted(found)]


def parse_time(text):
    """s since 1970 of a time as ISO 8601, UTC where it has no zone; or of such a number."""
    if isinstance(text, (int, float)) or re.fullmatch(r"[0-9.]+", text):
        return float(text)
    when = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (when if when.tzinfo else when.replace(tzinfo=datetime.timezone.utc)).timestamp()


def parse_cursor(text):
    try:
        return json.loads(base64.urlsafe_b64decode(text))
    except ValueError:
        return None


def number(text):
    """Of a query: a float where it has a point, which keeps ms apart from what is none."""
    if re.fullmatch(r"-?\d+", text, re.A):
        return int(text)
    return float(text) if re.fullmatch(r"-?\d+\.\d+", text, re.A) else None


class Call(Request):
    def __init__(self, *args):
        super().__init__(*args)
        self.at = time.time()
        self.fault = None           # the one that changes trips or pages

    def token(self):
        return self.headers.get("authorization")


class MDS(StandIn):
    request = Call
    kinds = KINDS | {"102", "body", "spoil", "duplicate", "overlap", "next", "endless", "envelope"}
    changes = ("trips", "add", "expire")
    settings = {
        "version": "0.3", "also": [], "strict": False, "deaf": False, "body_version": "", "now": "", "path": "", "names": "",
        "page_size": 0, "next": "absolute", "links": "all", "indent": 0, "quirk": [], "make": 0,
        "provider_id": "0309585e-599f-4e57-ac85-ffffffffffff", "provider_name": "sample_co", "gzip": False, "cache": 256,
        "ready_after": 0, "unready": [], "outage": [], "service_from": "", "service_to": "", "processing": "close",
        "auth": "", "token_key": "access_token", "token_life": 3600, "token_uses": 0, "token_header": "",
    }

    def __init__(self):
        super().__init__()
        self.store = mds_data.Store()
        self.makers = {}
        self.tokens = {}            # token: [when it ends, requests left]
        self.cache = None

    def prepare(self):
        self.set["auth"] = self.set["auth"] or os.environ.get("MDS_AUTH", "")
        self.cache = mds_data.Cache(self.set["cache"] << 20)

    def change(self, what, args):
        if what == "expire":
            self.tokens.clear()
            return 0
        self.store.replace(args if what == "trips" else self.store.all() + args)
        return len(self.store.all())

    def now(self):
        return parse_time(self.set["now"]) if self.set["now"] else time.time()

    def note(self, request, reply, fault):
        with self.lock:
            super().note(request, reply, fault)
            self.log[-1]["at"] = request.at

    def own(self, request):
        if request.path != "/truth":
            return super().own(request)
        query = request.query
        return Reply(200, self.truth(int(query["from"]), int(query["to"]), query.get("version", "0.3")), "application/x-ndjson")

    # how it fails

    def error(self, status, words, version=None, details=()):
        """In the shape that the version has for errors; before 0.4 there is none."""
        version = version or self.set["version"]
        if version < "0.4" or (version < "2.0" and status == 500):
            return Reply(status, words + "\n", "text/plain")
        kinds = {400: "bad_param", 401: "unauthorized", 403: "forbidden", 404: "not_found", 406: "not_acceptable"}
        body = {"error": kinds.get(status, "server_error"), "error_description": words}
        return Reply(status, dumps(body | ({"error_details": list(details)} if details else {})) + "\n", media_type(version))

    def refuse(self, status, words, version=None, details=()):
        raise Refusal(self.error(status, words, version, details))

    def failure(self, status):
        if status == 102:
            return self.processing(self.set["processing"])
        if status < 400:
            return Reply(status, "", media_type(self.set["version"]))
        reply = self.error(status, {401: "No valid credentials", 404: "No data for this hour", 406: "Not in this version",
                                    429: "Too many requests"}.get(status, "Something went wrong"))
        if status == 401:
            reply.headers["WWW-Authenticate"] = "Bearer"
        return reply

    def processing(self, variant, seconds=3600):
        reply = Reply(102)
        reply.processing, reply.seconds = variant, seconds
        return reply

    def reply_102(self, request, fault):
        variant = fault.spec.get("variant", self.set["processing"])
        if variant != "interim":
            return self.processing(variant, fault.seconds(3600))
        reply = self.attempt(request)
        reply.processing = "interim"
        return reply

    def reply_body(self, request, fault):
        return Reply(200, fault.spec["body"], media_type(self.set["version"]))

    def reply_with_fault(self, request, fault):
        request.fault = fault
        return self.attempt(request)

    reply_spoil = reply_duplicate = reply_overlap = reply_next = reply_endless = reply_envelope = reply_with_fault
    reply_repeat_page = reply_with_fault

    # credentials

    def token_wanted(self, given):
        """The form that is right: written out, or the usual one of an id and a secret."""
        if "=" in given:
            return dict(urllib.parse.parse_qsl(given, keep_blank_values=True))
        name, _, secret = given.partition(":")
        return {"grant_type": "client_credentials", "client_id": name, "client_secret": secret}

    def give_token(self, request):
        scheme, _, given = self.set["auth"].partition(":")
        said = lambda status, word: Reply(status, dumps({"error": word}) + "\n", "application/json")
        if scheme != "oauth":
            return said(404, "not_found")
        if request.method != "POST":
            return said(405, "invalid_request")
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
            return said(400, "invalid_request")
        name, _, value = self.set["token_header"].partition(":")
        if name and request.headers.get(name.lower()) != value.strip():
            return said(401, "invalid_request")
        form = dict(urllib.parse.parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
        wanted = self.token_wanted(given)
        if "grant_type" in wanted and form.get("grant_type") != wanted["grant_type"]:
            return said(400, "unsupported_grant_type")
        if form != wanted:
            return said(401, "invalid_client")
        token = secrets.token_urlsafe(30)
        with self.lock:
            self.tokens[token] = [time.time() + self.set["token_life"], self.set["token_uses"] or -1]
        return Reply(200, dumps({self.set["token_key"]: token, "token_type": "bearer", "expires_in": self.set["token_life"]}) + "\n",
                     "application/json")

    def token_is_good(self, token):
        with self.lock:
            left = self.tokens.get(token)
            if left is None or left[0] <= time.time() or left[1] == 0:
                return False
            left[1] -= 1
            return True

    def authorize(self, request):
        scheme, _, given = self.set["auth"].partition(":")
        sent = request.headers.get("authorization", "")
        kind, _, token = sent.partition(" ")
        if scheme == "custom":
            name, _, value = given.partition(":")
            good = request.headers.get(name.lower()) == value
        elif scheme == "basic":
            good = kind.lower() == "basic" and token == base64.b64encode(given.encode()).decode()
        elif scheme == "oauth":
            good = kind.lower() == "bearer" and self.token_is_good(token)
        else:
            good = not scheme or (kind.lower() == "bearer" and token == given)
        if not good:
            raise Refusal(self.failure(401))

    # versions

    def spoken(self):
        return {self.set["version"], *self.set["also"], *(() if self.set["strict"] else ("0.2",))}

    def negotiate(self, request):
        if self.set["deaf"]:
            return self.set["version"]
        spoken = self.spoken()
        for version, is_named in wishes(request.headers.get("accept", "")):
            if version in spoken and (is_named or not self.set["strict"]):
                return version
        return self.refuse(406, "Not in this version")

    def options(self, request):
        """0.3 and 0.4 say which of several versions would be answered."""
        if not self.spoken() & {"0.3", "0.4"}:
            return self.error(405, "Not allowed")
        return Reply(200, "", media_type(self.negotiate(request)), {"Allow": "GET, OPTIONS"})

    # requests

    def answer(self, request):
        if request.path == "/oauth/token":
            return self.give_token(request)
        path = self.set["path"].rstrip("/") + "/"
        if not request.path.startswith(path):
            return Reply(404, "Not found\n", "text/plain")
        self.authorize(request)
        name = request.path[len(path):].rstrip("/")
        if request.method == "OPTIONS":
            return self.options(request)
        if request.method != "GET":
            return self.error(405, "Not allowed")
        version = self.negotiate(request)
        endpoints = NEW if version == "2.0" else MIDDLE if version >= "0.4" else OLD
        if name not in endpoints:
            return self.error(404, "No such endpoint", version)
        return getattr(self, "get_" + endpoints[name])(request, version, name)

    def parameter(self, request, name):
        names = dict(pair.split("=", 1) for pair in self.set["names"].split(",") if pair)
        return request.query.get(names.get(name, name))

    def times(self, request, version, names, needed=False):
        """Query parameters in ms.  0.2 has s with a fraction or without, later versions whole ms."""
        found = []
        for name in names:
            text = self.parameter(request, name)
            if text is None and needed:
                self.refuse(400, f"{name} is missing", version, [f"{name}: required"])
            value = None if text is None else number(text)
            if text is not None and (value is None or (version != "0.2" and isinstance(value, float))):
                self.refuse(400, f"{name} is no time", version, [f"{name}: invalid"])
            found.append(round(value * 1000) if version == "0.2" and value is not None else value)
        return found

    def hour(self, request, version, name):
        """The hour that is asked for, in ms; None where it shows nothing.  Whatever stands against it is refused."""
        text = self.parameter(request, name)
        if text is None:
            self.refuse(400, f"{name} is missing", version, [f"{name}: required"])
        hour = hour_of(text)
        if hour is None:
            self.refuse(400, f"{name} is no hour YYYY-MM-DDTHH", version, [f"{name}: invalid"])
        now = self.now() * 1000
        if hour + HOUR > now:
            self.refuse(404, "This hour is not over", version)
        first, last = (hour_of(self.set[bound]) if self.set[bound] else None for bound in ("service_from", "service_to"))
        if text in self.set["outage"] or (first is not None and hour < first) or (last is not None and hour >= last):
            self.refuse(404, "Not operational in this hour", version)
        if text in self.set["unready"] or hour + HOUR + self.set["ready_after"] * 1000 > now:
            return self.not_ready(version)
        return hour

    def not_ready(self, version):
        if version == "1.1":
            return None
        if version == "1.2":
            raise Refusal(self.processing(self.set["processing"]))
        if version == "2.0":
            raise Refusal(Reply(202, "", media_type(version)))
        return self.refuse(404, "Not ready yet", version)

    # trips

    def maker(self):
        key = self.set["provider_id"], self.set["provider_name"]
        with self.lock:
            if key not in self.makers:
                self.makers[key] = mds_data.Maker(*key)
            return self.makers[key]

    def made_hour(self, hour, version):
        """Texts of a whole made-up hour."""
        key = hour, version, self.set["make"], self.set["provider_id"], self.set["provider_name"]
        with self.lock:
            texts = self.cache.get(key)
        if texts is None:
            maker = self.maker()
            texts = maker.texts(maker.plan(hour, self.set["make"]), version)
            with self.lock:
                self.cache.put(key, texts)
        return texts

    def made(self, start, end, since, version):
        """Texts of the made-up trips that end in [start, end) and did not start before `since`."""
        texts, maker = [], self.maker()
        for hour in range(start // HOUR * HOUR, end, HOUR):
            if start <= hour and hour + HOUR <= end and since is None:
                texts += self.made_hour(hour, version)
            else:
                texts += [maker.text(one, version) for one in maker.plan(hour, self.set["make"])
                          if start <= one[1] < end and (since is None or maker.started(one) >= since)]
        return texts

    def bound(self, start, end):
        """Where what is asked for begins and ends: nothing that is to come is there."""
        end = min(end if end is not None else 1 << 62, int(self.now() * 1000))
        if self.set["make"] and (start is None or end - start > MOST_HOURS * HOUR):
            self.refuse(400, "Made-up trips have no end: ask for a range")
        return start if start is not None else -1 << 62, end

    def trips(self, start, end, version="0.3", since=None, keep=None):
        """Texts of the trips that end in [start, end), first those of --data.  keep: a test on the form of 0.3."""
        start, end = self.bound(start, end)
        found = [trip for trip in self.store.between(start, end)
                 if since is None or not mds_data.is_number(trip.get("start_time")) or trip["start_time"] >= since]
        if keep:
            made = [json.loads(text) for text in self.made(start, end, since, "0.3")] if self.set["make"] else []
            return [dumps(mds_data.in_form(trip, version)) for trip in found + made if keep(trip)]
        texts = [dumps(mds_data.in_form(trip, version)) for trip in found]
        return texts + self.made(start, end, since, version) if self.set["make"] else texts

    def dicts(self, start, end):
        return [json.loads(text) for text in self.trips(start, end)]

    def truth(self, start, end, version):
        trips = sorted(self.dicts(start, end), key=lambda trip: (str(trip.get("end_time")), str(trip.get("trip_id"))))
        return "".join(dumps(mds_data.in_form(trip, version)) + "\n" for trip in trips)

    def filters(self, request, version):
        """The test that device_id, vehicle_id and bbox ask for, or None."""
        wanted = {name: self.parameter(request, name) for name in ("device_id", "vehicle_id")}
        wanted = {name: value for name, value in wanted.items() if value is not None}
        box = self.parameter(request, "bbox") if version == "0.2" else None
        corners = None
        if box is not None:
            try:
                (x1, y1), (x2, y2) = json.loads(box)
                corners = (float(x1), float(y1)), (float(x2), float(y2))
            except (ValueError, TypeError):
                self.refuse(400, "bbox is no pair of corners", version)
        if not wanted and not corners:
            return None

        def keep(trip):
            return all(trip.get(name) == value for name, value in wanted.items()) and (
                not corners or any(in_box(corners, point) for point in mds_data.features(trip)))
        return keep

    def get_trips(self, request, version, name):
        request, at = self.turn_page(request, version)
        if version >= "0.4":
            hour = self.hour(request, version, "end_time")
            texts = [] if hour is None else self.trips(hour, hour + HOUR, version)
            return self.envelope(request, version, "trips", texts)
        keep = self.filters(request, version)
        if version == "0.2":
            since, end = self.times(request, version, ("start_time", "end_time"))
            texts = self.trips(since, None if end is None else end + 1, version, since, keep)
        else:
            start, end = self.times(request, version, ("min_end_time", "max_end_time"))
            texts = self.trips(start, end, version, None, keep)
        return self.page(request, version, "trips", texts, at)

    # pages

    def turn_page(self, request, version):
        """A link of ours stands for the query that it was made from, and for where to go on."""
        if "cursor" not in request.query:
            return request, 0
        cursor = parse_cursor(request.query["cursor"])
        if cursor is None or len(request.query) > 1:
            self.refuse(400, "cursor: the link has to be used as it is", version)
        turned = Call(request.method, request.url, request.headers, request.body)
        turned.query, turned.fault, turned.at = cursor["query"], request.fault, request.at
        turned.spin = cursor.get("spin", 0)
        return turned, cursor["at"]

    def link(self, request, at, **more):
        cursor = base64.urlsafe_b64encode(dumps({"query": request.query, "at": at} | more).encode()).decode()
        query = "?" + urllib.parse.urlencode({"cursor": cursor})
        style = self.set["next"]
        path = request.path.rstrip("/")
        return {"absolute": request.base + path + query, "path": path + query, "query": query}.get(
            style, ("../" if request.path.endswith("/") else "") + path.rpartition("/")[2] + query)

    def page(self, request, version, member, texts, at, more=()):
        """Some of the texts, under their links."""
        fault = request.fault
        size = self.set["page_size"] or max(len(texts), 1)
        if fault and fault.kind == "repeat_page":
            at = 0
        rows = texts[at:at + size]
        if fault and fault.kind == "overlap" and at > 0:
            rows = [texts[at - 1], *rows]
        if fault and fault.kind == "endless" and fault.spec.get("empty"):
            rows = []
        following = self.link(request, at + size) if at + size < len(texts) else None
        links = {"next": following}
        if self.set["links"] == "all":
            last = max(len(texts) - 1, 0) // size * size
            links = {"first": self.link(request, 0), "last": self.link(request, last),
                     "prev": self.link(request, max(at - size, 0)) if at else None} | links
        if fault and fault.kind == "next":
            to = fault.spec["to"]
            links["next"] = {"self": request.base + request.url, "first": self.link(request, 0)}.get(
                to, to) if isinstance(to, str) else to
        elif fault and fault.kind == "endless":
            links["next"] = self.link(request, at, spin=getattr(request, "spin", 0) + 1)
        if self.set["links"] == "needed" and links["next"] is None:
            links = None
        return self.envelope(request, version, member, rows, links, more)

    def envelope(self, request, version, member, texts, links=None, more=()):
        fault = request.fault
        for name in self.set["quirk"]:
            texts = [mds_data.spoil(text, {"quirk": name}, version) for text in texts]
        if fault and fault.kind == "spoil":
            texts = [mds_data.spoil(text, fault.spec, version) if at in fault.spec.get("rows", (at,)) else text
                     for at, text in enumerate(texts)]
        if fault and fault.kind == "duplicate":
            texts = texts + texts[:1]
        rows = "[" + ",".join(texts) + "]"
        named = fault.spec.get("name", member) if fault and fault.kind == "envelope" else member
        if fault and fault.kind == "envelope" and "with" in fault.spec:
            rows = dumps(fault.spec["with"])
        parts = [f'"version":{dumps(self.set["body_version"] or mds_data.FULL[version])}']
        parts += [f"{dumps(key)}:{dumps(value)}" for key, value in dict(more).items()]
        parts.append(f"{dumps(named)}:{rows}" if version == "2.0" else f'"data":{{{dumps(named)}:{rows}}}')
        if links:
            parts.append('"links":' + dumps(links))
        body = rows if named is None else "{" + ",".join(parts) + "}"
        if self.set["indent"]:
            body = json.dumps(json.loads(body), ensure_ascii=False, indent=self.set["indent"])
        reply = Reply(200, body + "\n", media_type(version))
        reply.compress = self.set["gzip"]
        return reply

    # what else can be asked for

    def events(self, start, end, version):
        """Those in [start, end), in the order of their times."""
        made = [(when, dumps(mds_data.event(trip, when, is_start, feature, version)))
                for trip in self.dicts(start, None if end is None else end + mds_data.LONGEST * 1000)
                for when, is_start, feature in mds_data.events(trip)]
        made += [(when, dumps(mds_data.event(trip, when, is_start, feature, version)))
                 for trip in self.store.timed if end is not None and trip["end_time"] >= end + mds_data.LONGEST * 1000
                 for when, is_start, feature in mds_data.events(trip)]
        start, end = self.bound(start, end)
        return [text for when, text in sorted(made) if start <= when < end]

    def get_status_changes(self, request, version, name):
        request, at = self.turn_page(request, version)
        member = "events" if version == "2.0" else "status_changes"
        if version >= "0.4":
            hour = self.hour(request, version, "event_time")
            return self.envelope(request, version, member, [] if hour is None else self.events(hour, hour + HOUR, version))
        start, end = self.times(request, version, ("start_time", "end_time"))
        if version == "0.2" and end is not None:
            end += 1
        return self.page(request, version, member, self.events(start, end, version), at)

    def get_events(self, request, version, name):
        request, at = self.turn_page(request, version)
        start, end = self.times(request, version, ("start_time", "end_time"), needed=True)
        if min(start, end) < self.now() * 1000 - TWO_WEEKS:
            self.refuse(400, "start_time and end_time may be two weeks old at most", version)
        member = "events" if version == "2.0" else "status_changes"
        return self.page(request, version, member, self.events(start, end, version), at)

    def get_telemetry(self, request, version, name):
        hour = self.hour(request, version, "telemetry_time")
        points = [] if hour is None else [
            (when, dumps(point)) for trip in self.dicts(hour, hour + HOUR + mds_data.LONGEST * 1000)
            for when, point in mds_data.telemetry(trip) if hour <= when < hour + HOUR]
        return self.envelope(request, version, "telemetry", [text for _, text in sorted(points)])

    def get_vehicles(self, request, version, name):
        """Those of the trips of the last day, or of all that are no made-up ones."""
        request, at = self.turn_page(request, version)
        now = int(self.now() * 1000)
        last = {}
        for trip in self.dicts(now - 24 * HOUR if self.set["make"] else None, None):
            kept = last.get(trip.get("device_id"))
            if mds_data.is_number(trip.get("end_time")) and mds_data.features(trip) and (
                    kept is None or kept["end_time"] <= trip["end_time"]):
                last[trip.get("device_id")] = trip
        if version != "2.0":
            made = [mds_data.last_seen(trip, version) for trip in last.values()]
        elif name == "vehicles":
            made = [{key: value for key, value in mds_data.vehicle(trip, version).items() if key != "provider_name"}
                    for trip in last.values()]
        else:
            made = [{"provider_id": trip.get("provider_id"), "device_id": trip.get("device_id"),
                     "last_event": mds_data.event(trip, *mds_data.events(trip)[-1], version)} for trip in last.values()]
        return self.page(request, version, "vehicles_status" if name.endswith("status") else "vehicles",
                         [dumps(one) for one in made], at, {"last_updated": now, "ttl": 60000})


def in_box(corners, feature):
    place = mds_data.place(feature)
    (x1, y1), (x2, y2) = corners
    return bool(place) and min(x1, x2) <= place["lng"] <= max(x1, x2) and min(y1, y2) <= place["lat"] <= max(y1, y2)


class Interim(Handler):
    """Sends 102 before a reply, or in place of one."""

    do_OPTIONS = Handler.serve

    def send(self, request, reply, fault=None):
        variant = getattr(reply, "processing", None)
        if not variant:
            return super().send(request, reply, fault)
        self.wfile.write(b"HTTP/1.1 102 Processing\r\n\r\n")
        if variant == "interim":
            return super().send(request, reply)
        self.close_connection = True
        if variant == "open":       # until the client leaves
            self.connection.settimeout(reply.seconds)
            self.connection.recv(1)
        return None


def main():
    parser = options(MDS, description=__doc__.partition("\n")[0])
    parser.add_argument("--data", metavar="FILE", help='{"trips": [...]}, in the form of 0.3')
    args = parser.parse_args()
    app = MDS()
    for version in (args.version, *args.also):
        if version not in VERSIONS:
            parser.error(f"no such version: {version}")
    if args.now:
        parse_time(args.now)
    if args.data:
        with open(args.data, encoding="utf-8") as file:
            app.store.replace(json.load(file)["trips"])
    serve(app, args, Interim)


if __name__ == "__main__":
    main()
