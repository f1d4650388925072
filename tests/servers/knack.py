#!/usr/bin/env python3
"""knack - a stand-in for one Knack application, with its quirks.

    knack.py --metadata FILE [--records object_3=FILE]... [--make object_3=N]... [--key KEY] [--rate 10] ...

The base URL is .../v1 below the one that is printed.  FILE of --records is {"records":[...]} or NDJSON; a record is
sent as it lies there until it is changed.  --make adds N records with a value in most fields: auto increments 1 to N,
unique texts u1 to uN, dates one minute apart from 2020-01-01 00:00.

Settings (/control's "set"):
  key           the API key that is right
  token         the user token that opens pages with a login ("" for none)
  rate          calls a second of the clock; one more is 429 (0: no bound)
  plan          calls left today (-1: no bound), counted down; at 0 every call is 429
  plan_reset    ms until they come back, as X-PlanLimit-Reset says
  limits        the headers of both limits: "all" (on every reply), "429" or "none"
  extra         so many more than there are in total_records
  most          rows of a page at most (1000)
  deaf          fields whose filters are ignored, as those of unknown ones are
  lag           records of the end that pages leave out although they are counted
  clock         s that the server's clock is ahead
  still         it stands still

Changes: {"insert": {"object":..., "records":[...]}}, {"update": {"object":..., "id":..., "fields":{...}}},
{"delete": {"object":..., "ids":[...] or "all"}}, {"make": {"object":..., "n":N}}, {"drop_field": {"object":..., "field":...}},
which takes it out of the records and the metadata.  An entry of /log has "at", when the request came (s).
GET /table/OBJECT: its records, one on each line, as they lie there; takes `pick`.
"""
import datetime
import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request

from standin import Refusal, Reply, Request, StandIn, ndjson, options, serve

EPOCH = datetime.datetime(1970, 1, 1)
FIRST = datetime.datetime(2020, 1, 1)
HEX = re.compile(r"[0-9a-f]{24}")
READ_ONLY = {"auto_increment", "concatenation", "equation", "sum", "average", "count", "min", "max"}


def text(status, words):
    return Reply(status, words, "text/html; charset=utf-8")


def refuse(status, words):
    raise Refusal(text(status, words))


def dumps(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def date_object(when):
    """A wall clock as Knack shows it: the Z is a lie, and midnight's time is noon's."""
    return {
        "date": when.strftime("%m/%d/%Y"), "date_formatted": when.strftime("%m/%d/%Y"),
        "hours": when.strftime("%I"), "minutes": when.strftime("%M"), "am_pm": when.strftime("%p"),
        "unix_timestamp": int((when - EPOCH).total_seconds()) * 1000,
        "iso_timestamp": when.strftime("%Y-%m-%dT%H:%M:00.000Z"),
        "timestamp": when.strftime("%m/%d/%Y %I:%M ") + when.strftime("%p").lower(),
        "time": (when.hour or 12) * 60 + when.minute,
    }


def day_order(field):
    return "%d/%m/%Y" if (field.get("format") or {}).get("date_format") == "dd/mm/yyyy" else "%m/%d/%Y"


def parse_date(field, value):
    """A wall clock out of what may be written to a date field; None where it is none.  And whether it has a time."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return EPOCH + datetime.timedelta(milliseconds=value), True
    if isinstance(value, dict):
        if "date" not in value and "unix_timestamp" in value:
            return parse_date(field, value["unix_timestamp"])
        when, _ = parse_date(field, value.get("date"))
        if when is None:
            return None, False
        hours = int(value.get("hours", 0))
        if value.get("am_pm"):
            hours = hours % 12 + (12 if value["am_pm"].upper() == "PM" else 0)
        return when.replace(hour=hours, minute=int(value.get("minutes", 0))), True
    for shape, timed in (("", False), (" %H:%M", True), (" %I:%M%p", True), (" %I:%M %p", True)):
        try:
            return datetime.datetime.strptime(str(value).strip(), day_order(field) + shape), timed
        except ValueError:
            pass
    return None, False


def show_date(field, when):
    form = field.get("format") or {}
    day = "" if form.get("date_format") == "Ignore Date" else when.strftime(day_order(field))
    clock = {"Ignore Time": "", "HH MM (military)": when.strftime("%H:%M")}.get(
        form.get("time_format"), when.strftime("%I:%M%p").lstrip("0").lower())
    return (day + " " + clock).strip()


class Bad(Exception):
    """A value that its field does not take."""


class Table:
    """An object: its fields, and its records as Knack would send them."""

    def __init__(self, app, meta):
        self.app, self.meta, self.key = app, meta, meta["key"]
        self.fields = {field["key"]: field for field in meta["fields"]}
        self.records = []           # dicts, in the order they were made
        self.text = {}              # id: the line that it came as
        self.by_id = {}
        self.count = 0              # of auto increments

    def add(self, record, line=None):
        self.records.append(record)
        self.by_id[record["id"]] = record
        if line:
            self.text[record["id"]] = line
        for key, field in self.fields.items():
            if field["type"] == "auto_increment" and isinstance(record.get(key), int):
                self.count = max(self.count, record[key])

    def new_id(self):
        self.app.made += 1
        return f"5f{self.app.made:022x}"

    # values

    def render(self, field, value):
        """(field_N, field_N_raw) of a value that somebody wrote; the second None where it is absent."""
        kind = field["type"]
        if value is None or value == "" or value == []:
            return "", [] if kind == "connection" else None
        made = getattr(self, "render_" + kind, None)
        return made(field, value) if made else (value, value)

    def render_number(self, field, value):
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise Bad("must be a number.") from None
        number = int(number) if number == int(number) else number
        return number, number

    def render_password(self, field, value):
        return "", None

    def render_currency(self, field, value):
        amount = str(value).lstrip("$")
        return "$" + amount, amount

    def render_boolean(self, field, value):
        said = str(value).lower()
        if said not in ("true", "yes", "on", "1", "false", "no", "off", "0"):
            raise Bad("must be true or false.")
        is_true = said in ("true", "yes", "on", "1")
        return "Yes" if is_true else "No", is_true

    def render_multiple_choice(self, field, value):
        if (field.get("format") or {}).get("type") == "single":
            return value, value
        values = value if isinstance(value, list) else [value]
        return ", ".join(values), values

    def render_date_time(self, field, value):
        when, _ = parse_date(field, value)
        if when is None:
            raise Bad("must be a valid date.")
        return show_date(field, when), date_object(when)

    def render_name(self, field, value):
        if not isinstance(value, dict):
            first, _, last = str(value).rpartition(" ")
            value = {"first": first, "last": last}
        names = value.get("first", ""), value.get("middle", ""), value.get("last", "")
        if (field.get("format") or {}).get("format") == "Last, First Middle":
            return f"{names[2]}, {names[0]} {names[1]}".strip(), value
        return f"{names[0]} {names[2]}".strip(), value

    def render_email(self, field, value):
        address = value["email"] if isinstance(value, dict) else str(value)
        if "@" not in address:
            raise Bad("must be a valid email address.")
        return f'<a href="mailto:{address}">{address}</a>', {"email": address}

    def render_link(self, field, value):
        url = value["url"] if isinstance(value, dict) else str(value)
        return f'<a href="{url}">{url}</a>', {"url": url}

    def render_phone(self, field, value):
        digits = re.sub(r"\D", "", value.get("full", "") if isinstance(value, dict) else str(value))
        if not digits:
            raise Bad("must be a valid phone number.")
        shown = f"({digits[:3]}) {digits[3:6]}-{digits[6:]}"
        return shown, {"area": digits[:3], "number": digits[3:], "full": digits, "formatted": shown}

    def render_address(self, field, value):
        if not isinstance(value, dict):
            value = {"street": str(value)}
        lines = [value.get(key) for key in ("street", "street2", "city", "state", "zip", "country")]
        return "<br />".join(str(line) for line in lines if line), value

    def render_connection(self, field, value):
        links = []
        for one in value if isinstance(value, list) else [value]:
            link = one["id"] if isinstance(one, dict) else str(one)
            other = self.app.tables.get((field.get("relationship") or {}).get("object"))
            record = other.by_id.get(link) if other else None
            shown = record.get(other.meta.get("identifier"), "") if record else link
            links.append({"id": link, "identifier": str(shown)})
        return "<br />".join(f'<span class="{one["id"]}">{one["identifier"]}</span>' for one in links), links

    # writing

    def check(self, record, fields, new):
        errors = []
        for key, field in self.fields.items():
            value = fields.get(key)
            blank = value in (None, "", [])
            if field.get("required") and blank and (new or key in fields):
                errors.append((key, f'{field["name"]} is required.'))
            if field.get("unique") and not blank and any(
                    other is not record and value in (other.get(key), other.get(key + "_raw")) for other in self.records):
                errors.append((key, f'{field["name"]} must be unique.'))
        return errors

    def write(self, record, fields, new=False):
        """Renders the fields into the record; refuses with the list of what is wrong."""
        errors, done = self.check(record, fields, new), {}
        for key, field in self.fields.items():
            if new and field["type"] == "auto_increment":
                done[key] = done[key + "_raw"] = self.count + 1
            elif field["type"] not in READ_ONLY and (new or key in fields):
                try:
                    done[key], done[key + "_raw"] = self.render(field, fields.get(key))
                except Bad as bad:
                    errors.append((key, f'{field["name"]} {bad}'))
        if errors:
            raise Refusal(Reply(400, dumps({"errors": [{"field": key, "message": said} for key, said in errors]})))
        for key, value in done.items():
            record.pop(key, None)
            if value is not None:
                record[key] = value
        self.count += 1 if new else 0
        self.text.pop(record["id"], None)
        return record

    def made_values(self, i):
        values = {}
        for key, field in self.fields.items():
            kind = field["type"]
            if kind == "date_time":
                values[key] = (FIRST + datetime.timedelta(minutes=i - 1) - EPOCH).total_seconds() * 1000
            elif kind == "multiple_choice":
                values[key] = (field.get("format") or {}).get("options", ["A"])[0]
            elif kind == "password":
                values[key] = f"secret {i}"
            elif kind == "boolean":
                values[key] = i % 2 == 0
            elif kind == "number":
                values[key] = i
            elif kind == "short_text":
                values[key] = f"u{i}" if field.get("unique") else f"text {i}"
            elif kind == "email":
                values[key] = f"u{i}@example.org"
            elif kind == "name":
                values[key] = {"first": "N", "last": str(i)}
            elif kind == "address":         # numbers, text, and nothing, as they come
                values[key] = {"street": f"{i} Main St", "latitude": (30.2, "30.25", "")[i % 3],
                               "longitude": (-97.7, "-97.75", "")[i % 3]}
        return values

    def make(self, n):
        for _ in range(n):
            record = {"id": self.new_id()}
            self.add(self.write(record, self.made_values(self.count + 1 if self.count else len(self.records) + 1), new=True))

    # reading

    def sort_key(self, key):
        kind = self.fields.get(key, {}).get("type")

        def of(record):
            value = record.get(key + "_raw", record.get(key))
            if isinstance(value, dict) and "unix_timestamp" in value:
                value = value["unix_timestamp"]
            if value in (None, "", []):
                return (0, 0, "")
            if kind != "short_text" and isinstance(value, (int, float)):
                return (1, value, "")
            return (1, 0, str(value).lower())
        return of


def rule_test(table, rule):
    """A function that tells whether a record meets the rule; None where Knack would ignore it."""
    key, op, value = rule.get("field"), rule.get("operator"), rule.get("value")
    field = table.fields.get(key)
    if field is None or key in table.app.set["deaf"]:
        return None
    blank = lambda record: record.get(key) in (None, "", [])
    if op == "is blank":
        return blank
    if op == "is not blank":
        return lambda record: not blank(record)
    if field["type"] in ("date_time",):
        return date_test(table, field, op, value)
    raw = lambda record: record.get(key + "_raw", record.get(key))
    if op in ("higher than", "lower than"):
        try:
            bound = float(value)
        except (TypeError, ValueError):
            return None
        return lambda record: not blank(record) and (
            float(raw(record)) > bound if op == "higher than" else float(raw(record)) < bound)
    if field["type"] == "connection":
        wanted = set(value if isinstance(value, list) else [value])
        has = lambda record: bool(wanted & {link["id"] for link in raw(record) or []})
        return {"is": has, "contains": has, "is not": lambda r: not has(r), "does not contain": lambda r: not has(r)}.get(op)
    return text_test(raw, op, value)


def words(value):
    """What of a value a filter sees: its text, or the texts in it."""
    if isinstance(value, bool):
        return ["yes" if value else "no", str(value).lower()]
    if isinstance(value, dict):
        return [str(part).lower() for part in value.values()]
    if isinstance(value, list):
        return [str(part).lower() for part in value]
    return ["" if value is None else str(value).lower()]


def text_test(raw, op, value):
    wanted = words(value)[-1]
    some = {
        "is": lambda have: have == wanted, "contains": lambda have: wanted in have,
        "starts with": lambda have: have.startswith(wanted), "ends with": lambda have: have.endswith(wanted),
    }
    none = {"is not": "is", "does not contain": "contains"}
    if op in some:
        return lambda record: any(some[op](have) for have in words(raw(record)))
    if op in none:
        return lambda record: not any(some[none[op]](have) for have in words(raw(record)))
    return None


def date_test(table, field, op, value):
    """Days are compared, unless the value has a time."""
    when, timed = parse_date(field, value)
    if when is None or op not in ("is", "is not", "is after", "is before"):
        return None

    def test(record):
        raw = record.get(field["key"] + "_raw")
        if not raw:
            return op == "is not"
        have = EPOCH + datetime.timedelta(milliseconds=raw["unix_timestamp"])
        pair = (have, when) if timed else (have.date(), when.date())
        return {"is": pair[0] == pair[1], "is not": pair[0] != pair[1], "is after": pair[0] > pair[1],
                "is before": pair[0] < pair[1]}[op]
    return test


def choose(table, records, filters):
    """The records that the filters let through; rules on what Knack does not know count for nothing."""
    if isinstance(filters, list):
        filters = {"match": "and", "rules": filters}
    tests = [test for rule in filters.get("rules") or [] if (test := rule_test(table, rule))]
    if not tests:
        return records
    join = any if filters.get("match") in ("or", "any") else all
    return [record for record in records if join(test(record) for test in tests)]


class Call(Request):
    def __init__(self, *args):
        super().__init__(*args)
        self.at = time.time()


class Knack(StandIn):
    request = Call
    changes = ("insert", "update", "delete", "make", "drop_field")
    settings = {"key": "0b5c7c2e-1f6a-4b0e-9a64-1d1f2e3d4c5b", "token": "", "rate": 10, "plan": -1, "plan_reset": 18_000_000,
                "limits": "all", "extra": 0, "most": 1000, "deaf": [], "lag": 0, "clock": 0, "still": False}

    def __init__(self, metadata):
        super().__init__()
        self.metadata = metadata
        self.document = dumps(metadata)
        self.meta = metadata["application"]
        self.made = 0
        self.beside = {}                # other applications of this address: id -> where they are
        self.calls = [0, 0]             # of which second, how many
        self.tables = {meta["key"]: Table(self, meta) for meta in self.meta["objects"]}
        self.views = {(scene["key"], view["key"]): (scene, view)
                      for scene in self.meta["scenes"] for view in scene.get("views", [])}

    def load(self, key, path):
        with open(path, encoding="utf-8") as file:
            whole = file.read()
        try:
            pairs = [(record, dumps(record)) for record in json.loads(whole)["records"]]
        except (ValueError, KeyError):
            pairs = [(json.loads(line), line) for line in whole.splitlines() if line.strip()]
        for record, line in pairs:
            self.tables[key].add(record, line)

    def own(self, request):
        if request.path.startswith("/table/"):
            with self.lock:
                return ndjson(request, self.tables[request.path[len("/table/"):]].records)
        return super().own(request)

    def change(self, what, args):
        table = self.tables[args["object"]]
        if what == "make":
            table.make(args["n"])
        elif what == "insert":
            for fields in args["records"]:
                record = {"id": fields.pop("id", None) or table.new_id()}
                table.add(table.write(record, fields, new=True))
        elif what == "update":
            table.write(table.by_id[args["id"]], args["fields"])
        elif what == "delete":
            for one in list(table.by_id) if args["ids"] == "all" else args["ids"]:
                table.records.remove(table.by_id.pop(one))
        else:
            table.fields.pop(args["field"])
            table.meta["fields"] = list(table.fields.values())
            self.document = dumps(self.metadata)
            for record in table.records:
                record.pop(args["field"], None), record.pop(args["field"] + "_raw", None)
            table.text.clear()
        return len(table.records)

    def now(self):
        return (1_600_000_000 if self.set["still"] else time.time()) + self.set["clock"]

    def note(self, request, reply, fault):
        with self.lock:
            super().note(request, reply, fault)
            self.log[-1]["at"] = request.at

    # limits

    def limit_headers(self, left):
        headers = {"X-RateLimit-Limit": str(self.set["rate"] or 10), "X-RateLimit-Remaining": str(max(left, 0)),
                   "X-RateLimit-Reset": str(int(self.now()) + 1)}
        if self.set["plan"] >= 0:
            headers |= {"X-PlanLimit-Limit": "25000", "X-PlanLimit-Remaining": str(self.set["plan"]),
                        "X-PlanLimit-Reset": str(self.set["plan_reset"])}
        return headers

    def throttle(self):
        """Counts the call; the headers of its reply.  Those over a limit are refused, and count, too."""
        now = int(self.now())
        self.calls = [now, self.calls[1] + 1 if self.calls[0] == now else 1]
        left = (self.set["rate"] or 1 << 30) - self.calls[1]
        spent = self.set["plan"] == 0
        if self.set["plan"] > 0:
            self.set["plan"] -= 1
        headers = self.limit_headers(left)
        if left < 0 or spent:
            reply = text(429, "Rate limit exceeded")
            reply.headers |= headers if self.set["limits"] != "none" else {}
            raise Refusal(reply)
        return headers if self.set["limits"] == "all" else {}

    def failure(self, status):
        if status == 429:
            reply = text(429, "Rate limit exceeded")
            reply.headers |= self.limit_headers(0) if self.set["limits"] != "none" else {}
            return reply
        if status >= 500:
            return text(status, f"<html><head><title>{status} Service Temporarily Unavailable</title></head></html>\n")
        return text(status, {400: "Malformed App ID.", 401: "Invalid API Request", 403: "Invalid or Expired Token"}.get(status, ""))

    # requests

    def answer(self, request):
        for key, url in self.beside.items():
            if request.headers.get("x-knack-application-id") == key or request.path == "/v1/applications/" + key:
                return self.pass_on(request, url)
        if not request.path.startswith("/v1/"):
            return text(404, "Cannot " + request.method + " " + request.path)
        parts = [urllib.parse.unquote(part) for part in request.path[4:].split("/")]
        if parts[-1] == "":
            parts.pop()
        if parts[0] == "applications" and len(parts) == 2 and request.method == "GET":
            return self.application(parts[1])
        with self.lock:
            headers = self.throttle()
            reply = self.records(request, parts)
        reply.headers |= headers
        return reply

    def pass_on(self, request, url):
        """Another application of the same address: a stand-in of its own."""
        headers = {name: value for name, value in request.headers.items() if name not in ("host", "accept-encoding", "content-length")}
        there = urllib.request.Request(url + request.url, request.body or None, headers, method=request.method)
        try:
            with urllib.request.urlopen(there) as reply:
                return Reply(reply.status, reply.read(), reply.headers["Content-Type"])
        except urllib.error.HTTPError as reply:
            return Reply(reply.code, reply.read(), reply.headers["Content-Type"])

    def application(self, key):
        if not HEX.fullmatch(key):
            refuse(400, "Malformed App ID.")
        if key != self.meta["id"]:
            refuse(404, "Application not found")
        reply = Reply(200, self.document, "application/json; charset=utf-8")
        reply.compress = True
        return reply

    def authorize(self, request, scene):
        app, key = (request.headers.get(name) for name in ("x-knack-application-id", "x-knack-rest-api-key"))
        if app and not HEX.fullmatch(app):
            refuse(400, "Malformed App ID.")
        if app != self.meta["id"] or not key:
            refuse(401, "Invalid API Request")
        if key == self.set["key"]:
            return
        if key != "knack":
            refuse(401, "Invalid API key")
        if scene is None:
            refuse(403, "Unauthorized Object Access")
        if scene.get("authenticated") and (not self.set["token"] or request.headers.get("authorization") != self.set["token"]):
            refuse(403, "Invalid or Expired Token")

    def records(self, request, parts):
        scene = view = None
        if parts[0] == "objects" and len(parts) in (3, 4) and parts[2] == "records":
            self.authorize(request, None)
            table, rest = self.tables.get(parts[1]), parts[3:]
        elif parts[0] in ("pages", "scenes") and len(parts) in (5, 6) and parts[2] == "views" and parts[4] == "records":
            scene, view = self.views.get((parts[1], parts[3]), (None, None))
            self.authorize(request, scene or {})
            table, rest = self.tables.get(view["source"].get("object")) if view else None, parts[5:]
        else:
            return text(404, "")
        if table is None:
            return text(404, "Object not found" if view is None else "View not found")
        if not rest:
            if request.method == "GET":
                return self.list(request, table, view)
            return self.create(request, table) if request.method == "POST" else text(405, "")
        return self.one(request, table, rest[0])

    def body(self, request):
        try:
            fields = json.loads(request.body)
            assert isinstance(fields, dict)
            return fields
        except (ValueError, AssertionError):
            return refuse(400, "Invalid JSON")

    def create(self, request, table):
        record = {"id": table.new_id()}
        table.add(table.write(record, self.body(request), new=True))
        return self.json(dumps(record))

    def one(self, request, table, key):
        record = table.by_id.get(key)
        if record is None:
            return text(404, "Record not found")
        if request.method == "PUT":
            table.write(record, self.body(request))
        elif request.method == "DELETE":
            table.records.remove(table.by_id.pop(key))
            return self.json('{"delete":true}')
        return self.json(self.line(table, record, None))

    def json(self, body):
        return Reply(200, body, "application/json; charset=utf-8")

    def line(self, table, record, columns):
        if columns is None:
            return table.text.get(record["id"]) or dumps(record)
        keep = {"id"} | columns | {key + "_raw" for key in columns}
        return dumps({key: value for key, value in record.items() if key in keep})

    def number(self, request, name, default):
        value = request.query.get(name, "")
        return max(int(value), 1) if value.isdigit() else default

    def sorted(self, request, table, records, view):
        sort = table.meta.get("sort")
        if view and view["source"].get("sort"):
            sort = view["source"]["sort"][0]
        if request.query.get("sort_field") in table.fields:
            sort = {"field": request.query["sort_field"], "order": request.query.get("sort_order", "asc")}
        if not sort:
            return records
        return sorted(records, key=table.sort_key(sort["field"]), reverse=sort.get("order") == "desc")

    def list(self, request, table, view):
        records, columns = table.records, None
        if view:
            records = choose(table, records, view["source"].get("criteria") or {})
            columns = {column["field"]["key"] for column in view.get("columns", []) if column.get("field")}
        if "filters" in request.query and request.quirk != "repeat_page":
            try:
                filters = json.loads(request.query["filters"])
            except ValueError:
                refuse(400, "Invalid filters")
            records = choose(table, records, filters)
        records = self.sorted(request, table, records, view)
        total = len(records) + self.set["extra"]
        size = min(self.number(request, "rows_per_page", 25), self.set["most"])
        if request.quirk == "ignore_limit":
            size = len(records)
        page = 1 if request.quirk == "repeat_page" else self.number(request, "page", 1)
        records = records[:len(records) - self.set["lag"]]
        lines = [self.line(table, record, columns) for record in records[(page - 1) * size:page * size]]
        reply = self.json('{"total_pages":%d,"current_page":%d,"total_records":%d,"records":[%s]}' % (
            -(-total // size), page, total, ",".join(lines)))
        reply.compress = True
        return reply


def main():
    parser = options(Knack, description=__doc__.partition("\n")[0])
    parser.add_argument("--metadata", required=True, metavar="FILE", help="the application's document")
    parser.add_argument("--records", action="append", default=[], metavar="OBJECT=FILE")
    parser.add_argument("--make", action="append", default=[], metavar="OBJECT=N")
    parser.add_argument("--beside", action="append", default=[], metavar="ID=URL", help="another stand-in, for the application ID")
    args = parser.parse_args()
    with open(args.metadata, encoding="utf-8") as file:
        app = Knack(json.load(file))
    app.set = {name: getattr(args, name) for name in app.settings}
    app.beside = dict(spec.split("=", 1) for spec in args.beside)
    for key, path in (spec.split("=", 1) for spec in args.records):
        app.load(key, path)
    for key, n in (spec.split("=", 1) for spec in args.make):
        app.tables[key].make(int(n))
    serve(app, args)


if __name__ == "__main__":
    main()
