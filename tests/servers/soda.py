#!/usr/bin/env python3
"""soda - a stand-in for a Socrata domain: SODA 2.1, SODA 3, metadata and the old bulk download.

    soda.py --data DIR [--port N] [setting ...]

DIR holds an ID.csv a dataset: a header of field names; an empty cell without quotes is null, "" is an empty
string.  ID.json beside it may say {"name": ..., "rowIdentifier": FIELD, "columns": [{"fieldName":,
"dataTypeName":, "name":, "flags": []}]}; columns that it leaves out are text, and so are all without it.

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
Those of writing are in soda_write.py.

Changes of data for /control, beside those of standin.py; all take "id", and "silent": true leaves the times
of the last change as they were:
  append {rows}   upsert {key, rows}   replace {rows}   delete {where}     rows are objects; upsert merges
  add_column {fieldName, dataTypeName, name, value}   drop_column {fieldName}
  rename_column {from, to}   retype_column {fieldName, dataTypeName}
  retire {}       the dataset is gone: 404

What a request sees is one state of the dataset: a change makes a new one.
"""
import base64
import csv
import email.utils
import hashlib
import io
import json
import os
import random
import re
import time
from decimal import Decimal

import soql
from soda_data import SYSTEM, Column, Row, load, now, refuse, row_id, shape_a, shape_b, stored
from soda_write import Writing
from standin import Refusal, Reply, StandIn, options, serve

PARAMETERS = {"$select", "$where", "$order", "$group", "$limit", "$offset", "$q", "$query"}
IGNORED = {"$$app_token", "$$version", "$$exclude_system_fields", "$$bom", "ticket"}
HEADER_ROOM = 5000      # bytes of X-SODA2-Fields and -Types together, above which both are left out
LEGACY_LIMIT = 50_000


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


def json_shape(text):
    return text if text.startswith("{") else json_string(text)


JSON_FORM = {"boolean": str, "double": str, "json": str, "point": json_point, "url": json_url,
             "location": json_location, "document": json_shape, "phone": json_shape} | dict.fromkeys(
             ("multipoint", "line", "multiline", "polygon", "multipolygon"), json_shape)
json_string = json.encoder.encode_basestring


def json_rows(items, rows):
    """An object a row; nulls are left out (section 7)."""
    shown = [(json_string(name) + ":", get, JSON_FORM.get(kind, json_string)) for name, kind, get in items]
    for row in rows:
        parts = []
        for label, get, form in shown:
            value = get(row)
            if value is not None:
                parts.append(label + form(value))
        yield "{" + ",".join(parts) + "}"


def as_json(items, rows):
    """A row a line, the comma in front."""
    return "[" + "\n,".join(json_rows(items, rows)) + "]\n"


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


def soql_refusal(error, dataset):
    at = error.data.get("position", {"row": 1, "column": 1, "line": ""})
    place = f'Map(row -> {at["row"]}, column -> {at["column"]}, line -> "{at["line"]}")'
    data = error.data | {"dataset": "alpha." + dataset.id, "position": at}
    message = f"Query coordinator error: {error.code}; {error.message}; position: {place}"
    return Refusal(shape_a(400, error.code, message, data))


class Soda(Writing, StandIn):
    settings = {"token": [], "key": "", "private": [], "token_required": False, "legacy": False,
                "schema_headers": "all", "out_of_date": False, "v3_headers": False, "no_gzip": False
                } | Writing.write_settings
    changes = ("append", "upsert", "replace", "delete", "add_column", "drop_column", "rename_column",
               "retype_column", "retire")

    def __init__(self, directory):
        super().__init__()
        self.datasets = {}
        self.behind = {}        # id: [what readers still see, for how many requests]
        for name in sorted(os.listdir(directory)):
            if name.endswith(".csv"):
                dataset = load(os.path.join(directory, name))
                self.datasets[dataset.id] = dataset

    # requests

    ROUTES = [(re.compile(pattern), name) for pattern, name in (
        (r"/resource/([^/]+?)(?:\.(\w+))?$", "resource"),
        (r"/resource/([^/]+)/([^/]+?)(?:\.json)?$", "row"),
        (r"(?:/api)?/views/([^/]+)/rows\.(\w+)$", "bulk"),
        (r"/api/views/([^/]+)/columns\.json$", "columns"),
        (r"/api/views/([^/.]+)(?:\.json)?$", "view"),
        (r"/api/v3/views/([^/]+)/query\.(\w+)$", "v3_query"),
        (r"/api/v3/views/([^/]+)/export\.(\w+)$", "v3_export"),
    )]

    METHODS = {"resource": ("POST", "PUT"), "row": ("DELETE",), "v3_query": ("POST",), "v3_export": ("POST",)}

    def answer(self, request):
        self.check_login(request)
        for pattern, name in self.ROUTES:
            found = pattern.match(request.path)
            if found:
                if request.method not in ("GET", "HEAD") + self.METHODS.get(name, ()):
                    return shape_b(405, "method_not_allowed", "Method not allowed")
                dataset = self.dataset(found[1], request)
                if name == "resource" and request.method in self.METHODS[name]:
                    return self.write(request, dataset)
                if name in ("resource", "v3_query"):
                    dataset = self.replica(dataset)
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

    def row_json(self, dataset, row):
        return next(json_rows([self.plain(dataset, column.field) for column in dataset.columns], [row]))

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
            "X-SODA2-Data-Out-Of-Date": str(self.set["out_of_date"] or dataset is not self.datasets.get(dataset.id)).lower(),
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
        } | ({"flags": c.flags} if c.flags else {}) for at, c in enumerate(dataset.columns, 1)]

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
            408: ("request-timeout", "Request timed out"),
            409: ("soda.dataset.cannot-acquire-write-lock", "Dataset cannot acquire a write lock"), 429: ("too-many-requests", "Too many requests"),
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
