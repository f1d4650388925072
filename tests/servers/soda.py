#!/usr/bin/env python3
"""soda - a stand-in for a Socrata domain: SODA 2.1, SODA 3, metadata and the old bulk download, reading only.

    soda.py --data DIR [--port N] [setting ...]

DIR holds an ID.csv a dataset: a header of field names; an empty cell without quotes is null, "" is an empty
string.  ID.json beside it may say {"name": ..., "rowIdentifier": FIELD, "columns": [{"fieldName":,
"dataTypeName":, "name":}]}; columns that it leaves out are text, and so are all without it.

Each setting is an option (--no-gzip) and a key of {"set": {...}} (no_gzip):
  token T             a valid app token; repeat for more.  With any, another token is refused; none is fine
  key ID:SECRET       the one API key; another login is refused
  private ID          this dataset wants the API key; repeat for more
  token_required      SODA 3 refuses who sends neither token nor key
  legacy              SODA 2.0: pages of 50,000 at most, X-SODA2-Legacy-Types
  schema_headers W    X-SODA2-Fields and -Types on: all (unless told), json, none
  out_of_date         X-SODA2-Data-Out-Of-Date: true
  v3_headers          SODA 3 sends the X-SODA2 headers, too
  no_gzip             never compresses

Changes of data for /control, beside those of standin.py; all take "id", and "silent": true leaves the times
of the last change as they were:
  append {rows}   upsert {key, rows}   replace {rows}   delete {where}     rows are objects; upsert merges
  add_column {fieldName, dataTypeName, name, value}   drop_column {fieldName}
  rename_column {from, to}   retype_column {fieldName, dataTypeName}
  retire {}       the dataset is gone: 404

What a request sees is one state of the dataset: a change makes a new one.
"""
import base64
import bisect
import csv
import email.utils
import hashlib
import io
import json
import os
import random
import re
import sys
import time
from decimal import Decimal

import soql
from standin import Refusal, Reply, StandIn, options, serve

SOQL_TYPES = {          # metadata name: name in X-SODA2-Types, where they differ (section 7)
    "calendar_date": "floating_timestamp", "date": "fixed_timestamp", "checkbox": "boolean",
    "money": "number", "percent": "number",
}
SYSTEM = {              # field: (type, value in a query, text in a reply)
    ":id": ("row_identifier", lambda row: row.number, lambda row: row_id(row.number)),
    ":version": ("row_version", lambda row: row.version, lambda row: row_id(row.version, "rv-")),
    ":created_at": ("fixed_timestamp", lambda row: row.created, lambda row: row.created),
    ":updated_at": ("fixed_timestamp", lambda row: row.updated, lambda row: row.updated),
}
PARAMETERS = {"$select", "$where", "$order", "$group", "$limit", "$offset", "$q", "$query"}
IGNORED = {"$$app_token", "$$version", "$$exclude_system_fields", "$$bom", "ticket"}
HEADER_ROOM = 5000      # bytes of X-SODA2-Fields and -Types together, above which both are left out
LEGACY_LIMIT = 50_000
KEPT_RESULTS = 16       # ordered results of a dataset that later pages are cut from

# Row ids: "row-" and 64 bits in 12 digits of five bits and two separators of two; the counter is scrambled, so
# that the order of the ids as strings says nothing (section 4).
DIGITS = "23456789abcdefghijkmnpqrstuvwxyz"
SEPARATORS = "-._~"
WRAP = (1 << 64) - 1
STRIDE, START = 0x9e3779b97f4a7c15, 0x1d8e4e27c47d124f
UNSTRIDE = pow(STRIDE, -1, 1 << 64)
ROW_ID = re.compile(r"row-([2-9a-km-np-z]{4})([-._~])([2-9a-km-np-z]{4})([-._~])([2-9a-km-np-z]{4})")


def row_id(number, prefix="row-"):
    bits = (number * STRIDE + START) & WRAP
    text = ""
    for at in range(12):
        if at in (4, 8):
            text += SEPARATORS[bits & 3]
            bits >>= 2
        text += DIGITS[bits & 31]
        bits >>= 5
    return prefix + text


def row_number(text):
    """The counter behind a row id, or None for what is no row id."""
    found = ROW_ID.fullmatch(text)
    if not found:
        return None
    bits = 0
    for char in reversed("".join(found.groups())):
        if char in SEPARATORS:
            bits = bits << 2 | SEPARATORS.index(char)
        else:
            bits = bits << 5 | DIGITS.index(char)
    return ((bits - START) * UNSTRIDE) & WRAP


CASTS = {"row_identifier": row_number}


class Column:
    def __init__(self, field, data_type="text", name=None):
        self.field, self.data_type = field, data_type
        self.name = name or field
        self.type = SOQL_TYPES.get(data_type, data_type)

    @property
    def synthetic(self):
        return self.field.startswith(":@")


class Row:
    __slots__ = ("number", "version", "created", "updated", "values")

    def __init__(self, number, version, created, updated, values):
        self.number, self.version, self.created, self.updated, self.values = number, version, created, updated, values


class Dataset:
    """One state of a dataset: never changed, only replaced.  Rows stand in the order of their numbers."""

    def __init__(self, id, name, columns, rows, modified, next_number, row_identifier=None):
        self.id, self.name, self.columns, self.rows = id, name, columns, rows
        self.modified, self.next_number, self.row_identifier = modified, next_number, row_identifier
        self.place = {column.field: at for at, column in enumerate(columns)}
        self.results = {}

    def with_(self, **changed):
        parts = {name: getattr(self, name) for name in
                 ("id", "name", "columns", "rows", "modified", "next_number", "row_identifier")}
        return Dataset(**(parts | changed))

    def reader(self, field):
        """The type of a field and a function that gives a row's value for comparing; None if it has no such."""
        if field in SYSTEM:
            return SYSTEM[field][:2]
        if field not in self.place:
            return None
        at, kind = self.place[field], self.columns[self.place[field]].type
        cast = {"number": Decimal, "double": Decimal, "boolean": "true".__eq__}.get(kind)
        if not cast:
            return kind, lambda row: row.values[at]
        return kind, lambda row: None if row.values[at] is None else cast(row.values[at])

    def compiler(self):
        return soql.Compiler(self.reader, CASTS)

    # finding rows

    def find(self, query, repeat=False):
        """The rows of a query before limit and offset, a list.  `repeat`: no bound on :id counts."""
        bounds, rest = [], []
        for tree in soql.conjuncts(query.where):
            bound = id_bound(tree)
            if not bound:
                rest.append(tree)
            elif not repeat:
                bounds.append(bound)
        rows = within(self.filtered(rest), bounds)
        if not query.order:
            return random.sample(rows, len(rows))       # no order is none: sections 5 and 14
        return self.ordered(rows, query.order, key=repr((rest, bounds, query.order)))

    def filtered(self, conditions):
        if not conditions:
            return self.rows
        tests = [self.compiler().boolean(tree) for tree in conditions]
        return self.remember(repr(conditions), lambda: [
            row for row in self.rows if all(test(row) is True for test in tests)])

    def ordered(self, rows, order, key):
        if order == [(("column", ":id"), False)]:
            return rows
        keys = [(self.compiler().compile(tree)[1], descending) for tree, descending in order]

        def sort():
            found = random.sample(rows, len(rows))      # ties are in no order, either
            for get, descending in reversed(keys):
                found.sort(key=lambda row: nulls_last(get(row)), reverse=descending)
            return found
        if any(tree == ("column", ":id") for tree, _ in order):
            return self.remember(key, sort)
        return sort()

    def remember(self, key, make):
        found = self.results.get(key)
        if found is None:
            found = make()
            if len(self.results) >= KEPT_RESULTS:
                self.results.clear()
            self.results[key] = found
        return found


def nulls_last(value):
    return value is None, 0 if value is None else value


def id_bound(tree):
    """(operator, number) for a condition such as :id > 'row-...', else None."""
    if tree[0] != "cmp" or tree[2] != ("column", ":id") or tree[3][0] != "text" or tree[1] == "!=":
        return None
    number = row_number(tree[3][1])
    if number is None:
        raise soql.SoqlError("type-mismatch", f"Type mismatch: {tree[3][1]!r} is no row_identifier", type="text")
    return tree[1], number


def within(rows, bounds):
    """The rows whose numbers obey all bounds."""
    low, high = 0, len(rows)
    for op, number in bounds:
        first = bisect.bisect_left(rows, number, key=lambda row: row.number)
        past = bisect.bisect_right(rows, number, key=lambda row: row.number)
        if op in (">", ">=", "="):
            low = max(low, past if op == ">" else first)
        if op in ("<", "<=", "="):
            high = min(high, first if op == "<" else past)
    return rows if (low, high) == (0, len(rows)) else rows[low:max(low, high)]


# reading the data directory

def read_cells(path):
    """Yields the records of a CSV file, telling null (no quotes) from "" as Python's csv module cannot."""
    cell = re.compile(r'("(?:[^"]|"")*"|[^,"]*),')
    with open(path, encoding="utf-8-sig", newline="\n") as lines:
        for line in lines:
            while line.count('"') % 2:
                more = next(lines, None)
                if more is None:
                    sys.exit(f"soda: {path}: a quote is never closed")
                line += more
            line = line.rstrip("\r\n")
            if '"' in line:
                yield [c[1:-1].replace('""', '"') if c[:1] == '"' else c or None for c in cell.findall(line + ",")]
            else:
                yield [c or None for c in line.split(",")]


def now():
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + f".{int(time.time() * 1000) % 1000:03d}Z"


def stored(value, column, where):
    """A value as it is kept: text in Socrata's own shape, or None."""
    if value is None or isinstance(value, (dict, list)):
        return value and json.dumps(value, separators=(",", ":"))
    text = value if isinstance(value, str) else json.dumps(value)
    cast = soql.CASTS.get(column.type)
    if cast and cast(text) is None:
        raise ValueError(f"{where}: column {column.field}: {text!r} is no {column.data_type}")
    return cast(text) if column.type.endswith("_timestamp") else sys.intern(text)


def load(path):
    id = os.path.basename(path)[:-len(".csv")]
    about = {}
    if os.path.exists(path[:-4] + ".json"):
        with open(path[:-4] + ".json", encoding="utf-8") as file:
            about = json.load(file)
    known = {c["fieldName"]: Column(c["fieldName"], c.get("dataTypeName", "text"), c.get("name"))
             for c in about.get("columns", ())}
    cells = read_cells(path)
    columns = [known.get(field, Column(field)) for field in next(cells, [])]
    modified = int(os.path.getmtime(path))
    touched = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(modified))
    rows = []
    for number, values in enumerate(cells, 1):
        if len(values) != len(columns):
            sys.exit(f"soda: {path}: record {number + 1}: {len(columns)} columns wanted, {len(values)} found")
        try:
            values = [stored(v, c, f"{path}: record {number + 1}") for v, c in zip(values, columns)]
        except ValueError as error:
            sys.exit(f"soda: {error}")
        rows.append(Row(number, number, touched, touched, values))
    return Dataset(id, about.get("name", id), columns, rows, modified, len(rows) + 1, about.get("rowIdentifier"))


# writing rows

def json_point(text):
    found = re.match(r"POINT \((\S+) (\S+)\)$", text)
    return f'{{"type":"Point","coordinates":[{found[1]},{found[2]}]}}' if found else text


def json_url(text):
    found = re.match(r"(.*) \((.*)\)$", text)
    link = {"url": found[2], "description": found[1]} if found else {"url": text}
    return json.dumps(link, ensure_ascii=False, separators=(",", ":"))


def json_location(text):
    """street, city/state/zip and (lat, lon) lines become the object form; parts may lack."""
    found, parts = {}, {"address": "", "city": "", "state": "", "zip": ""}
    for line in text.split("\n"):
        point = re.match(r"\((\S+), (\S+)\)$", line)
        city = re.match(r"(.*), (\w\w) ?(\S*)$", line)
        if point:
            found = {"latitude": point[1], "longitude": point[2]}
        elif city:
            parts |= {"city": city[1], "state": city[2], "zip": city[3]}
        else:
            parts["address"] = line
    found["human_address"] = json.dumps(parts, separators=(",", ":"))
    return json.dumps(found, separators=(",", ":"))


JSON_FORM = {"boolean": str, "double": str, "json": str, "point": json_point, "url": json_url,
             "location": json_location}
json_string = json.encoder.encode_basestring


def as_json(items, rows):
    """Nulls are left out; a row a line, the comma in front (section 7)."""
    shown = [(json_string(name) + ":", get, JSON_FORM.get(kind, json_string)) for name, kind, get in items]
    lines = []
    for row in rows:
        parts = []
        for label, get, form in shown:
            value = get(row)
            if value is not None:
                parts.append(label + form(value))
        lines.append("{" + ",".join(parts) + "}")
    return "[" + "\n,".join(lines) + "]\n"


def as_csv(items, rows):
    """Every cell in quotes but null, which is nothing."""
    lines = [",".join(quoted(name) for name, _, _ in items)]
    gets = [get for _, _, get in items]
    for row in rows:
        lines.append(",".join("" if (v := get(row)) is None else '"' + v.replace('"', '""') + '"' for get in gets))
    return "\n".join(lines) + "\n"


def quoted(text):
    return '"' + text.replace('"', '""') + '"'


def display_date(text):
    day = time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")
    return time.strftime("%m/%d/%Y %I:%M:%S %p", day)


WRITERS = {"json": (as_json, "application/json;charset=utf-8"), "csv": (as_csv, "text/csv;charset=utf-8")}


def text_of(kind, get):
    """A function that gives a computed value as the text of a reply."""
    def text(row):
        value = get(row)
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, bool):
            return str(value).lower()
        if kind == "row_identifier":
            return row_id(value)
        return format(value, "f") if isinstance(value, Decimal) else str(value)
    return text


def of_first(get):
    """The value of a group's key: that of any of its rows."""
    return lambda rows: get(rows[0])


# errors, in the two shapes of section 8

def shape_a(status, code, message, data):
    return Reply(status, json.dumps({"message": message, "errorCode": code, "data": data}) + "\n")


def shape_b(status, code, message, data=None):
    body = {"code": code, "error": True, "message": message} | ({"data": data} if data else {})
    return Reply(status, json.dumps(body, indent=2, separators=(",", " : ")) + "\n")


def soql_refusal(error, dataset):
    at = error.data.get("position", {"row": 1, "column": 1, "line": ""})
    place = f'Map(row -> {at["row"]}, column -> {at["column"]}, line -> "{at["line"]}")'
    data = error.data | {"dataset": "alpha." + dataset.id, "position": at}
    message = f"Query coordinator error: {error.code}; {error.message}; position: {place}"
    return Refusal(shape_a(400, error.code, message, data))


def refuse(status, code, message, data=None):
    raise Refusal(shape_b(status, code, message, data))


class Soda(StandIn):
    settings = {"token": [], "key": "", "private": [], "token_required": False, "legacy": False,
                "schema_headers": "all", "out_of_date": False, "v3_headers": False, "no_gzip": False}
    changes = ("append", "upsert", "replace", "delete", "add_column", "drop_column", "rename_column",
               "retype_column", "retire")

    def __init__(self, directory):
        super().__init__()
        self.datasets = {}
        for name in sorted(os.listdir(directory)):
            if name.endswith(".csv"):
                dataset = load(os.path.join(directory, name))
                self.datasets[dataset.id] = dataset

    # requests

    ROUTES = [(re.compile(pattern), name) for pattern, name in (
        (r"/resource/([^/]+?)(?:\.(\w+))?$", "resource"),
        (r"(?:/api)?/views/([^/]+)/rows\.(\w+)$", "bulk"),
        (r"/api/views/([^/]+)/columns\.json$", "columns"),
        (r"/api/views/([^/.]+)(?:\.json)?$", "view"),
        (r"/api/v3/views/([^/]+)/query\.(\w+)$", "v3_query"),
        (r"/api/v3/views/([^/]+)/export\.(\w+)$", "v3_export"),
    )]

    def answer(self, request):
        self.check_login(request)
        for pattern, name in self.ROUTES:
            found = pattern.match(request.path)
            if found:
                if request.method not in ("GET", "HEAD") and not (name.startswith("v3") and request.method == "POST"):
                    return shape_b(405, "method_not_allowed", "Method not allowed")
                dataset = self.dataset(found[1], request)
                try:
                    reply = getattr(self, "answer_" + name)(request, dataset, *found.groups()[1:])
                except soql.SoqlError as error:
                    raise soql_refusal(error, dataset) from None
                reply.compress = not self.set["no_gzip"]
                return reply
        return shape_b(404, "not_found", "Not found")

    def check_login(self, request):
        token, valid = request.token(), self.set["token"]
        if token is not None and valid and token not in valid:
            refuse(403, "permission_denied", "Invalid app_token specified")
        login = request.headers.get("authorization")
        if login and self.set["key"] and not self.logged_in(request):
            refuse(401, "authentication_required", "Invalid username or password")

    def logged_in(self, request):
        wanted = "Basic " + base64.b64encode(self.set["key"].encode()).decode()
        return bool(self.set["key"]) and request.headers.get("authorization") == wanted

    def dataset(self, id, request):
        dataset = self.datasets.get(id)
        if not dataset:
            refuse(404, "dataset.missing", "Not found", {"id": id})
        if id in self.set["private"] and not self.logged_in(request):
            refuse(403, "authentication_required", "You must be logged in to access this resource")
        return dataset

    def answer_resource(self, request, dataset, extension):
        form = extension or ("csv" if "text/csv" in request.headers.get("accept", "") else "json")
        if form not in WRITERS:
            return Reply(406)
        query = self.read_parameters(request)
        explicit = query.select is not None and query.select != [(("star", "*"), None)]
        items, rows = self.run(request, dataset, query, default_limit=1000,
                               hide_synthetic=bool(query.order) and not explicit)
        tag = self.tag(dataset, request)
        if request.headers.get("if-none-match") == tag:
            return Reply(304, headers={"ETag": tag})
        write, kind = WRITERS[form]
        body = write(items, rows)
        if request.query.get("$$bom") == "true" and form == "csv":
            body = "\ufeff" + body
        return Reply(200, body, kind, self.headers(dataset, items, form, tag))

    def read_parameters(self, request):
        """The query of a SODA 2 request; whatever has no $ is a filter on that column."""
        given = request.query
        if "$query" in given:
            if any(name in given for name in PARAMETERS - {"$query"}):
                refuse(400, "query.compiler.malformed", "$query goes with no other $ parameter",
                       {"query": given["$query"]})
            query = soql.parse_statement(given["$query"])
        else:
            query = soql.Query()
            for name, clause in (("select", "selection"), ("where", "expression"), ("order", "ordering"),
                                 ("group", "grouping")):
                if "$" + name in given:
                    setattr(query, name, soql.parse(given["$" + name], clause))
            query.limit, query.offset = self.count_of(given, "$limit"), self.count_of(given, "$offset")
        for name, value in given.items():
            if name in PARAMETERS | IGNORED:
                continue
            if name.startswith("$"):
                refuse(400, "invalid_request", f"Unrecognized arguments [{name}]")
            query.narrow(("cmp", "=", ("column", name.lower()), ("text", value)))
        query.search = given.get("$q")
        return query

    def count_of(self, given, name):
        text = given.get(name)
        if text is not None and not re.fullmatch(r"\d+", text):
            raise Refusal(shape_a(400, "req.bad-parameter", f"Invalid value for {name}: {text}",
                                  {"parameter": name, "value": text}))
        return None if text is None else int(text)

    def run(self, request, dataset, query, default_limit=None, hide_synthetic=False, page=None, extra=()):
        """The output columns and the rows of a query.  `page` is (offset, limit) within its result."""
        items, aggregated = self.columns_of(dataset, query, hide_synthetic, extra)
        repeat = request.quirk == "repeat_page"
        rows = dataset.find(query, repeat)
        if getattr(query, "search", None):
            words = query.search.lower().split()
            rows = [r for r in rows if all(w in " ".join(v or "" for v in r.values).lower() for w in words)]
        if aggregated:
            rows = self.grouped(dataset, query, rows)
        limit = default_limit if query.limit is None else query.limit
        if self.set["legacy"] and limit is not None:
            limit = min(limit, LEGACY_LIMIT)
        rows = self.slice(request, rows, query.offset or 0, limit)
        if page:
            rows = self.slice(request, rows, *page)
        return items, rows

    def slice(self, request, rows, offset, limit):
        if request.quirk == "repeat_page":
            offset = 0
        if request.quirk == "ignore_limit":
            limit = None
        return rows[offset:] if limit is None else rows[offset:offset + limit]

    def columns_of(self, dataset, query, hide_synthetic, extra):
        """The output columns, (name, type, function of a row), and whether they are of groups."""
        compiler = dataset.compiler()
        select = query.select or [(("star", "*"), None)]
        grouped = bool(query.group) or any(t[0] == "call" and t[1] in soql.AGGREGATES for t, _ in select)
        items = []
        for tree, alias in select:
            if tree == ("star", ":*"):
                items += [(field, kind, text) for field, (kind, _, text) in SYSTEM.items()]
            elif tree[0] == "star":
                items += [self.plain(dataset, c.field) for c in dataset.columns
                          if not (hide_synthetic and c.synthetic)]
            elif tree[0] == "column" and not grouped:
                name, kind, get = self.plain(dataset, tree[1])
                items.append((alias or name, kind, get))
            elif tree[0] == "call" and tree[1] in soql.AGGREGATES:
                kind, get = compiler.aggregate(tree)
                items.append((alias or self.synthetic_name(dataset, tree), kind, text_of(kind, get)))
            else:
                kind, get = compiler.compile(tree)
                if grouped and tree not in (query.group or []):
                    raise soql.SoqlError("column-not-in-group-bys", "Column not in group bys")
                get = of_first(get) if grouped else get
                items.append((alias or self.synthetic_name(dataset, tree), kind, text_of(kind, get)))
        names = [name for name, _, _ in items]
        for name in names:
            if names.count(name) > 1:
                raise soql.SoqlError("duplicate-alias", f"There is already a column named {name}", name=name)
        if not grouped:
            items = [self.plain(dataset, field) for field in extra if field not in names] + items
        return items, grouped

    def plain(self, dataset, field):
        kind, _ = dataset.compiler().compile_column(field)
        if field in SYSTEM:
            return field, kind, SYSTEM[field][2]
        at = dataset.place[field]
        return field, kind, lambda row: row.values[at]

    def synthetic_name(self, dataset, tree):
        """What the server calls an expression without an alias: section 3."""
        if tree[0] == "column":
            return tree[1]
        if tree[0] == "call":
            name = "_".join([tree[1]] + [a[1].lstrip(":@") for a in tree[2] if a[0] == "column"])
        else:
            name = "column"
        tries = [name] + [f"{name}_{n}" for n in range(1, 99)]
        return next(t for t in tries if t not in dataset.place)

    def grouped(self, dataset, query, rows):
        gets = [dataset.compiler().compile(tree)[1] for tree in query.group or []]
        groups = {} if gets else {(): []}
        for row in rows:
            groups.setdefault(tuple(get(row) for get in gets), []).append(row)
        return list(groups.values())

    def tag(self, dataset, request):
        seen = f"{dataset.id} {dataset.modified} {request.url} {request.headers.get('accept-encoding')}"
        return 'W/"' + hashlib.md5(seen.encode()).hexdigest() + '"'

    def headers(self, dataset, items, form, tag=None):
        modified = email.utils.formatdate(dataset.modified, usegmt=True)
        headers = {
            "X-SODA2-Truth-Last-Modified": modified,
            "X-SODA2-Secondary-Last-Modified": modified,
            "X-SODA2-Data-Out-Of-Date": str(self.set["out_of_date"]).lower(),
            "X-Socrata-RequestId": "%022x" % random.getrandbits(88),
            "X-Socrata-Region": "aws-us-east-1-fedramp-prod",
            "Last-Modified": modified,
            "Vary": "Accept, Accept-Encoding",
            "Access-Control-Allow-Origin": "*",
        }
        if tag:
            headers["ETag"] = tag
        if self.set["legacy"]:
            headers["X-SODA2-Legacy-Types"] = "true"
        if self.set["schema_headers"] == "all" or self.set["schema_headers"] == form:
            fields = json.dumps([name for name, _, _ in items], separators=(",", ":"))
            types = json.dumps([kind for _, kind, _ in items], separators=(",", ":"))
            if len(fields) + len(types) >= HEADER_ROOM:
                headers["X-SODA2-Warning"] = "X-SODA2-Fields and X-SODA2-Types are too long and were left out"
            else:
                headers |= {"X-SODA2-Fields": fields, "X-SODA2-Types": types}
        return headers

    # metadata and the old bulk download

    def answer_columns(self, request, dataset):
        return Reply(200, json.dumps(self.column_list(dataset), indent=2) + "\n")

    def column_list(self, dataset):
        return [{
            "id": 500_000_000 + at, "name": c.name, "dataTypeName": c.data_type, "fieldName": c.field, "position": at,
            "renderTypeName": c.data_type, "tableColumnId": 90_000_000 + at, "width": 100, "format": {},
        } for at, c in enumerate(dataset.columns, 1)]

    def answer_view(self, request, dataset):
        view = {
            "id": dataset.id, "name": dataset.name, "assetType": "dataset", "createdAt": dataset.modified - 86400,
            "displayType": "table", "newBackend": True, "publicationDate": dataset.modified - 86400,
            "publicationStage": "published", "rowsUpdatedAt": int(dataset.modified),
            "viewLastModified": int(dataset.modified), "viewType": "tabular", "columns": self.column_list(dataset),
        }
        if dataset.row_identifier:
            view["rowIdentifierColumnId"] = 500_000_001 + dataset.place[dataset.row_identifier]
        return Reply(200, json.dumps(view, indent=2) + "\n")

    def answer_bulk(self, request, dataset, extension):
        """Display names, display dates, chunked; deprecated.  Of the formats, csv alone."""
        if extension != "csv":
            return Reply(406)
        columns = [c for c in dataset.columns if not c.synthetic]
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([c.name for c in columns])
        at = [dataset.place[c.field] for c in columns]
        dates = [c.type.endswith("_timestamp") for c in columns]
        for row in dataset.rows:
            writer.writerow([display_date(row.values[i]) if date and row.values[i] else row.values[i]
                             for i, date in zip(at, dates)])
        return Reply(200, out.getvalue(), "text/csv; charset=utf-8", {
            "Deprecation": "@1790812800", "Last-Modified": email.utils.formatdate(dataset.modified, usegmt=True),
            "Content-Disposition": f"attachment; filename={dataset.id}.csv"}, chunked=True)

    # SODA 3

    def v3_body(self, request):
        """The options of a SODA 3 request, from the JSON of a POST or the parameters of a GET."""
        if self.set["token_required"] and not request.token() and not self.logged_in(request):
            refuse(403, "authentication_required", "An app token or a login is needed to access this resource")
        if request.method != "POST":
            given = dict(request.query)
            if "pageNumber" in given or "pageSize" in given:
                given["page"] = {name: self.count_of(given, name) or default for name, default in
                                 (("pageNumber", 1), ("pageSize", 1000))}
            return given | {name: given.get(name, "true") == "true" for name in ("includeSystem", "includeSynthetic")}
        if not request.headers.get("content-type", "").startswith("application/json"):
            raise Refusal(shape_a(415, "req.content-type.not-json", "Content-Type is not JSON", {}))
        try:
            body = json.loads(request.body)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise Refusal(shape_a(400, "req.body.malformed-json", "Malformed JSON in the request",
                                  {"row": 1, "column": 1}))
        return body

    def v3_select(self, request, dataset, body, extension, **words):
        if extension not in WRITERS:
            return Reply(406)
        query = soql.parse_statement(body.get("query") or "SELECT *")
        if not query.order and not query.group and body.get("orderingSpecifier", "total") == "total":
            query.order = [(("column", ":id"), False)]          # paging forces a total order: section 9
        items, rows = self.run(request, dataset, query, **words)
        write, kind = WRITERS[extension]
        headers = self.headers(dataset, items, extension)
        if not self.set["v3_headers"]:
            headers = {n: v for n, v in headers.items() if not n.startswith("X-SODA2")}
        return Reply(200, write(items, rows), kind, headers)

    def answer_v3_query(self, request, dataset, extension):
        body = self.v3_body(request)
        page = body.get("page") or {"pageNumber": 1, "pageSize": 1000}
        number, size = page.get("pageNumber", 1), page.get("pageSize", 1000)
        if not (isinstance(number, int) and isinstance(size, int) and number >= 1 and size >= 0):
            raise Refusal(shape_a(400, "req.bad-parameter", "Invalid page", {"parameter": "page"}))
        extra = list(SYSTEM) if body.get("includeSystem", True) else []
        if body.get("includeSynthetic", True):
            extra += [c.field for c in dataset.columns if c.synthetic]
        return self.v3_select(request, dataset, body, extension, page=((number - 1) * size, size), extra=extra,
                              hide_synthetic=not body.get("includeSynthetic", True))

    def answer_v3_export(self, request, dataset, extension):
        reply = self.v3_select(request, dataset, self.v3_body(request), extension, hide_synthetic=True)
        reply.chunked = True
        return reply

    def failure(self, status):
        known = {
            400: ("query.soql.bad-parse", "Query coordinator error: query.soql.bad-parse; Could not parse"),
            408: ("request-timeout", "Request timed out"), 429: ("too-many-requests", "Too many requests"),
            500: ("internal-error", "Internal error"), 503: ("service-unavailable", "Service unavailable"),
        }
        if status in (401, 403):
            return shape_b(status, "authentication_required", "You must be logged in to access this resource")
        if status == 404:
            return shape_b(404, "dataset.missing", "Not found", {"id": "zzzz-zzzz"})
        if status in known:
            return shape_a(status, *known[status], {"tag": "0a1b2c3d"} if status == 500 else {})
        return Reply(status, f"<html><head><title>{status}</title></head><body></body></html>\n", "text/html")

    # changes of data

    def change(self, what, args):
        old = self.datasets.get(args["id"])
        if not old:
            raise ValueError(f"no dataset {args['id']}")
        if what == "retire":
            del self.datasets[old.id]
            return {}
        new, counts = getattr(self, "change_" + what)(old, args)
        if not args.get("silent"):
            new.modified = max(int(time.time()), old.modified + 1)      # HTTP dates have whole seconds
        self.datasets[old.id] = new
        return counts

    def made_rows(self, dataset, objects):
        """New rows, numbered after all that the dataset ever had."""
        stamp = now()
        for at, given in enumerate(objects):
            number = dataset.next_number + at
            yield Row(number, number, stamp, stamp, self.merged(dataset, [None] * len(dataset.columns), given))

    def merged(self, dataset, values, given):
        values = list(values)
        for field, value in given.items():
            if field not in dataset.place:
                raise ValueError(f"Illegal field name sent: {field}")
            at = dataset.place[field]
            values[at] = stored(value, dataset.columns[at], dataset.id)
        return values

    def change_append(self, old, args):
        rows = list(self.made_rows(old, args["rows"]))
        return old.with_(rows=old.rows + rows, next_number=old.next_number + len(rows)), {"created": len(rows)}

    def change_replace(self, old, args):
        new, counts = self.change_append(old, args)
        new.rows = new.rows[len(old.rows):]
        return new, counts

    def change_upsert(self, old, args):
        at, stamp = old.place[args["key"]], now()
        where = {row.values[at]: place for place, row in enumerate(old.rows)}
        rows, fresh = list(old.rows), []
        for given in args["rows"]:
            place = where.get(given[args["key"]])
            if place is None:
                fresh.append(given)
                continue
            row = rows[place]
            rows[place] = Row(row.number, row.version + 1, row.created, stamp, self.merged(old, row.values, given))
        new, counts = self.change_append(old.with_(rows=rows), {"rows": fresh})
        return new, counts | {"updated": len(args["rows"]) - len(fresh)}

    def change_delete(self, old, args):
        test = old.compiler().boolean(soql.parse(args["where"], "expression"))
        rows = [row for row in old.rows if test(row) is not True]
        return old.with_(rows=rows), {"deleted": len(old.rows) - len(rows)}

    def change_add_column(self, old, args):
        column = Column(args["fieldName"], args.get("dataTypeName", "text"), args.get("name"))
        value = stored(args.get("value"), column, old.id)
        return self.remade(old, old.columns + [column], lambda values: values + [value])

    def change_drop_column(self, old, args):
        at = old.place[args["fieldName"]]
        return self.remade(old, old.columns[:at] + old.columns[at + 1:], lambda values: values[:at] + values[at + 1:])

    def change_rename_column(self, old, args):
        return self.with_column(old, args["from"], lambda c: Column(args["to"], c.data_type, args.get("name")))

    def change_retype_column(self, old, args):
        return self.with_column(old, args["fieldName"], lambda c: Column(c.field, args["dataTypeName"], c.name))

    def with_column(self, old, field, make):
        columns = list(old.columns)
        columns[old.place[field]] = make(columns[old.place[field]])
        return old.with_(columns=columns), {}

    def remade(self, old, columns, values):
        rows = [Row(r.number, r.version, r.created, r.updated, values(r.values)) for r in old.rows]
        return old.with_(columns=columns, rows=rows), {}


def main():
    parser = options(Soda, description="A stand-in for a Socrata domain.")
    parser.add_argument("--data", required=True, metavar="DIR", help="directory of ID.csv and ID.json")
    args = parser.parse_args()
    serve(Soda(args.data), args)


if __name__ == "__main__":
    main()
