#!/usr/bin/env python3
"""arcgis - a stand-in for an ArcGIS portal and its feature services, with errors under status 200 as theirs.

    arcgis.py [--port N] --services FILE [--user maps] [--password secret] ...

FILE is an array of services: {"item": ID, "name": "signals", "layers": [LAYER...], "tables": [LAYER...], "xss": RULE}.  A
LAYER is what its document says, of which "id" and "fields" must be there, and "geometryType" for a layer; the object id
field is OBJECTID unless "objectIdField" says otherwise, and is put first where "fields" lacks it.  RULE is what happens to
text with tags: "rejectInvalid" (unless told), "sanitizeInvalid" or "none".  "url" of a service is what its item says.

Settings
  portal            the path before /sharing
  user, password    for generateToken; client_id, client_secret: for oauth2/token; api_key: a token without an end
  expires           s that a token lasts (at most; those asked for are minutes)
  no_expires        generateToken leaves `expires` out
  token_uses        requests that a token is good for (0: all)
  check_referer     a token is good only with the referer that it was made for
  max_record_count  features a query gives
  max_body          bytes of a request's body above which it is refused (0: any), as too_big says: 413, 500, 404 (as
                    statuses), or 200 (an error object of code 500)
  rollback_results  an edit that is rolled back answers for each feature (code 1003), not with one error
  poison            REGEX: a feature with such attributes, as JSON, is refused
  poison_whole      ... and with it the request, whatever rollbackOnFailure says
  nocase            text compares without case, and blanks at its end don't count, as some databases have it (from the
                    start only)
  status_member     of an asynchronous answer: statusUrl or statusURL
  polls             how often a job is not done yet
  job_fails         a job ends in this word ("Failed", "PartialFailure"...)

GET /features/NAME/ID   the features of a layer, one a line, by object id, in degrees; needs no token; takes `pick`
/control also takes
  {"features": {"layer": "signals/0", "features": [...]}}       in place of what is there; object ids go on
  {"add": {...}}                                                the same, beside what is there
  {"delete": {"layer": "signals/0", "where": "..."}}
  {"layer": {"layer": "signals/0", "set": {...}}}               members of its document
  {"expire": true}                                              all tokens end
Two more kinds of fault:
  done              the request is carried out, and answered as `status` is: "status", "headers", "body"
  late              the same, but it is carried out "seconds" later, or "after" a request in which this REGEX is found was
                    answered, and before the client can know the answer
"""
import functools
import json
import math
import re
import secrets
import sqlite3
import threading
import time
import urllib.parse

from standin import KINDS, Reply, Request, StandIn, ndjson, options, serve

PAGE = "<!DOCTYPE html>\n<html><head><title>{}</title></head><body>ArcGIS REST Services Directory</body></html>\n"
ALLOWED_TAGS = set("a abbr audio b blockquote br dd div dl dt em figcaption figure font h1 h2 h3 h4 h5 h6 hr i img li ol p "
                   "source span strong sub sup table tbody td tfoot th thead tr u ul video".split())
SQL_TYPES = {"esriFieldTypeString": "TEXT", "esriFieldTypeOID": "INTEGER", "esriFieldTypeInteger": "INTEGER",
             "esriFieldTypeSmallInteger": "INTEGER", "esriFieldTypeBigInteger": "INTEGER", "esriFieldTypeDate": "INTEGER",
             "esriFieldTypeDouble": "REAL", "esriFieldTypeSingle": "REAL"}
RANGES = {"esriFieldTypeInteger": 2**31, "esriFieldTypeSmallInteger": 2**15, "esriFieldTypeBigInteger": 2**53,
          "esriFieldTypeDate": 2**62}
SHAPES = {"esriFieldTypeDateOnly": r"\d{4}-\d\d-\d\d", "esriFieldTypeTimeOnly": r"\d\d:\d\d:\d\d(\.\d+)?",
          "esriFieldTypeTimestampOffset": r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)",
          "esriFieldTypeGUID": r"\{?[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\}?"}
TAG = re.compile(r"<\s*/?\s*([^\s/<>]*)[^<>]*>")
RADIUS = 6378137


class Error(Exception):
    """An error object under status 200."""

    def __init__(self, code, message, details=(), **more):
        super().__init__(message)
        self.body = {"error": {"code": code, **more, "message": message, "details": list(details)}}


class Bad(Exception):
    """A feature is refused."""

    def __init__(self, description, code=1000):
        super().__init__(description)
        self.result = {"success": False, "error": {"code": code, "description": description}}


class ArcRequest(Request):
    """A form's fields go before those of the query."""

    @functools.cached_property
    def form(self):
        if not self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            return self.query
        return self.query | dict(urllib.parse.parse_qsl(self.body.decode("utf-8", "strict"), keep_blank_values=True))

    def sought(self):
        return self.target + ("\n" + urllib.parse.unquote_plus(self.body.decode("utf-8", "replace")) if self.body else "")

    def token(self):
        for header in "x-esri-authorization", "authorization":
            scheme, _, token = self.headers.get(header, "").partition(" ")
            if scheme.lower() == "bearer":
                return token
        return self.form.get("token")

    def yes(self, name, default=False):
        return self.form.get(name, str(default)).lower() == "true"

    def given(self, name):
        """A form field that is JSON."""
        try:
            return json.loads(self.form.get(name, "[]"))
        except ValueError:
            raise Error(400, "Unable to complete operation.", [f"Parsing of '{name}' failed."]) from None


def reply_json(body, status=200):
    return Reply(status, json.dumps(body, ensure_ascii=False) + "\n", "application/json;charset=UTF-8")


# geometry: kept in the layer's own system, which is Web Mercator unless it says otherwise

def to_mercator(x, y):
    return x * math.pi * RADIUS / 180, RADIUS * math.log(math.tan(math.pi / 4 + math.radians(max(-89.9, min(89.9, y))) / 2))


def to_degrees(x, y):
    return math.degrees(x / RADIUS), math.degrees(2 * math.atan(math.exp(y / RADIUS)) - math.pi / 2)


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def convert(points, wkid, to):
    if (wkid == 4326) == (to == 4326):
        return points
    return [[*(to_degrees if to == 4326 else to_mercator)(p[0], p[1]), *p[2:]] for p in points]


def read_points(kind, geometry):
    """Points of a geometry as it was sent, or None."""
    if geometry is None or geometry.get("x", 0) in (None, "NaN"):
        return None
    if kind == "esriGeometryPoint":
        points = [[geometry.get("x"), geometry.get("y")]]
    elif kind == "esriGeometryMultipoint":
        points = geometry.get("points")
    else:
        raise Bad("The geometry is not of the layer's type.")
    if points == []:
        return None
    if not isinstance(points, list) or not all(isinstance(p, list) and len(p) >= 2 and all(map(is_number, p)) for p in points):
        raise Bad("Geometry could not be converted.")
    return points


def show_geometry(kind, points, wkid):
    if points is None:
        return None
    reference = {"spatialReference": {"wkid": wkid}}
    if kind == "esriGeometryPoint":
        return {"x": points[0][0], "y": points[0][1]} | reference
    return {"points": points} | reference


class Layer:
    def __init__(self, server, service, document):
        self.server = server
        self.service = service
        self.next_id = 1
        self.document = {
            "name": service["name"], "type": "Feature Layer" if "geometryType" in document else "Table",
            "objectIdField": "OBJECTID", "indexes": [], "capabilities": "Create,Delete,Query,Update,Editing",
            "supportsTruncate": True, "supportsAppend": True, "supportsRollbackOnFailureParameter": True,
            "supportsAsyncDelete": True, "hasZ": False, "hasM": False,
        } | document
        document = self.document
        oid = document["objectIdField"]
        if "geometryType" in document:
            document.setdefault("extent", {"spatialReference": {"wkid": 102100, "latestWkid": 3857}})
        if all(field["name"] != oid for field in document["fields"]):
            document["fields"].insert(0, {"name": oid, "type": "esriFieldTypeOID"})
        for field in document["fields"]:
            made = field["type"] in ("esriFieldTypeOID", "esriFieldTypeGlobalID")
            field.setdefault("alias", field["name"])
            field.setdefault("nullable", not made)
            field.setdefault("editable", not made)
            field.setdefault("domain", None)
            field.setdefault("defaultValue", None)
        self.fields = {field["name"].lower(): field for field in document["fields"]}
        self.table = f'"{service["name"]}/{document["id"]}"'
        self.make_table()

    def make_table(self):
        columns = ", ".join(f'"{f["name"]}" {SQL_TYPES.get(f["type"], "TEXT")}' + self.server.collation(f)
                            for f in self.document["fields"])
        self.run(f"DROP TABLE IF EXISTS {self.table}")
        self.run(f'CREATE TABLE {self.table} ({columns}, "_geometry" TEXT, PRIMARY KEY ("{self.oid}"))')

    @property
    def oid(self):
        return self.document["objectIdField"]

    @property
    def kind(self):
        return self.document.get("geometryType")

    @property
    def wkid(self):
        return self.document.get("extent", {}).get("spatialReference", {}).get("wkid", 102100)

    def run(self, sql, *values):
        return self.server.db.execute(sql, values)

    # values

    def check_text(self, field, value):
        if not isinstance(value, str):
            raise Bad(f"Setting of Value for {field['name']} failed.")
        if len(value.encode("utf-16-le")) // 2 > field.get("length", 256):
            raise Bad("String or binary data would be truncated.\r\nThe statement has been terminated.")
        for tag in TAG.finditer(value):
            if tag[1].lower() not in ALLOWED_TAGS and self.service["xss"] == "rejectInvalid":
                raise Bad(f"Field {field['name']} has invalid html content.")
        if self.service["xss"] == "sanitizeInvalid":
            value = TAG.sub(lambda tag: tag[0] if tag[1].lower() in ALLOWED_TAGS else "", value)
        return value

    def check_value(self, field, value):
        kind = field["type"]
        if value is None:
            if not field["nullable"]:
                raise Bad(f"Cannot insert the value NULL into column '{field['name']}'.")
            return None
        if kind in ("esriFieldTypeString", "esriFieldTypeXML"):
            return self.check_text(field, value)
        good = True
        if kind in RANGES:
            good = isinstance(value, int) and not isinstance(value, bool) and -RANGES[kind] <= value < RANGES[kind]
        elif kind in SHAPES:
            good = isinstance(value, str) and re.fullmatch(SHAPES[kind], value)
        elif kind in ("esriFieldTypeDouble", "esriFieldTypeSingle"):
            good = is_number(value)
        if not good:
            raise Bad(f"Setting of Value for {field['name']} failed.")
        return value

    def check_feature(self, feature):
        """Its columns and their values, without the object id, which comes apart."""
        attributes = feature.get("attributes")
        if not isinstance(attributes, dict):
            raise Bad("A feature without attributes.")
        if self.server.set["poison"] and re.search(self.server.set["poison"], json.dumps(attributes, ensure_ascii=False)):
            if self.server.set["poison_whole"]:
                raise Error(400, "", ["Invalid or unsafe content."])
            raise Bad("Poisoned.")
        oid, row = None, {}
        for name, value in attributes.items():
            field = self.fields.get(name.lower())
            if field is not None and field["name"] == self.oid:
                oid = value
            elif field is not None and field["editable"]:
                row[field["name"]] = self.check_value(field, value)
        if "geometry" in feature and self.kind:
            points = read_points(self.kind, feature["geometry"])
            if points is not None:
                reference = feature["geometry"].get("spatialReference") or {}
                points = convert(points, reference.get("wkid", self.wkid), self.wkid)
            row["_geometry"] = json.dumps(points)
        return oid, row

    def check_unique(self, row, oid):
        for index in self.document["indexes"]:
            name = index["fields"]
            if index.get("isUnique") and row.get(name) is not None and self.run(
                    f'SELECT 1 FROM {self.table} WHERE "{name}" = ? AND "{self.oid}" IS NOT ?', row[name], oid).fetchone():
                raise Bad(f"Cannot insert duplicate key row in object with unique index '{index.get('name', name)}'.")

    # edits: each returns a result

    def add(self, feature):
        _, row = self.check_feature(feature)
        for field in self.document["fields"]:
            if field["name"] not in row and field["editable"]:
                row[field["name"]] = self.check_value(field, field["defaultValue"])
        self.check_unique(row, None)
        oid, self.next_id = self.next_id, self.next_id + 1
        row[self.oid] = oid
        for field in self.document["fields"]:
            if field["type"] == "esriFieldTypeGlobalID":
                row[field["name"]] = secrets.token_hex(16)
        names = ", ".join(f'"{name}"' for name in row)
        self.run(f"INSERT INTO {self.table} ({names}) VALUES ({', '.join('?' * len(row))})", *row.values())
        return self.result(oid)

    def result(self, oid):
        return {"objectId": oid, "uniqueId": oid, "globalId": None, "success": True}

    def update(self, feature):
        oid, row = self.check_feature(feature)
        if not self.run(f'SELECT 1 FROM {self.table} WHERE "{self.oid}" = ?', oid).fetchone():
            raise Bad("The feature does not exist.", 1019)
        self.check_unique(row, oid)
        if row:
            names = ", ".join(f'"{name}" = ?' for name in row)
            self.run(f'UPDATE {self.table} SET {names} WHERE "{self.oid}" = ?', *row.values(), oid)
        return self.result(oid)

    def delete(self, oid):
        if not self.run(f'DELETE FROM {self.table} WHERE "{self.oid}" = ?', oid).rowcount:
            raise Bad("The feature does not exist.", 1018)
        return self.result(oid)

    def truncate(self):
        self.run(f"DELETE FROM {self.table}")
        self.next_id = 1

    # queries

    def where(self, text):
        plain = re.sub(r"'(''|[^'])*'", "''", text)
        if re.search(r"--|/\*|;|\b(?!(?:in|and|or|not|like|between|is)\b)\w+\s*\(", plain, re.I):
            raise Error(400, "Cannot perform query. Invalid query parameters.", ["'where' clause is invalid."])
        for name in re.findall(r'(?<![\w\'"])[A-Za-z_]\w*|"[^"]*"', plain):
            if name.strip('"').lower() not in self.fields and name.lower() not in (
                    "in", "and", "or", "not", "like", "between", "is", "null"):
                raise Error(400, "Cannot perform query. Invalid query parameters.", [f"'Invalid field: {name}' parameter is invalid"])
        return text

    def select(self, what, where, rest="", *values):
        try:
            return self.run(f"SELECT {what} FROM {self.table} WHERE {self.where(where)} {rest}", *values).fetchall()
        except sqlite3.Error:
            raise Error(400, "Cannot perform query. Invalid query parameters.", ["'where' clause is invalid."]) from None

    def ids(self, where):
        return [row[0] for row in self.select(f'"{self.oid}"', where, f'ORDER BY "{self.oid}"')]

    def features(self, where="1=1", names=None, wkid=4326, order="", limit=-1, offset=0):
        names = names or [field["name"] for field in self.document["fields"]]
        columns = ", ".join(f'"{name}"' for name in names)
        rows = self.select(columns + ', "_geometry"', where, f'ORDER BY {order or chr(34) + self.oid + chr(34)} LIMIT ? OFFSET ?', limit, offset)
        for row in rows:
            points = json.loads(row[-1]) if row[-1] else None
            if points:
                points = convert(points, self.wkid, wkid)
                if wkid == 4326:
                    points = [[round(x, 7) for x in p] for p in points]
            feature = {"attributes": dict(zip(names, row))}
            if self.kind:
                feature["geometry"] = show_geometry(self.kind, points, wkid)
            yield feature

    def names(self, text):
        if text in (None, ""):
            return [self.oid]
        if text == "*":
            return None
        names = []
        for name in text.split(","):
            if name.strip().lower() not in self.fields:
                raise Error(400, "Cannot perform query. Invalid query parameters.", [f"'Invalid field: {name}' parameter is invalid"])
            names.append(self.fields[name.strip().lower()]["name"])
        return names

    def order(self, text):
        parts = []
        for part in filter(None, (text or "").split(",")):
            name, _, way = part.strip().partition(" ")
            parts.append(f'"{self.names(name)[0]}" {"DESC" if way.strip().upper() == "DESC" else "ASC"}')
        return ", ".join(parts)


class ArcGIS(StandIn):
    request = ArcRequest
    name = "Microsoft-IIS/10.0"
    kinds = KINDS | {"done", "late"}
    changes = ("features", "add", "delete", "layer", "expire")
    settings = {"portal": "", "user": "maps", "password": "secret", "client_id": "client", "client_secret": "client secret",
                "api_key": "key-without-end", "expires": 3600, "no_expires": False, "token_uses": 0, "check_referer": False,
                "max_record_count": 2000, "max_body": 0, "too_big": 413, "rollback_results": False, "poison": "",
                "poison_whole": False, "nocase": False, "status_member": "statusUrl", "polls": 2, "job_fails": ""}

    def __init__(self, services):
        super().__init__()
        self.db = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self.db.create_collation("LOOSE", lambda a, b: (a.rstrip().lower() > b.rstrip().lower()) - (a.rstrip().lower() < b.rstrip().lower()))
        self.tokens = {}            # token: {"until", "referer", "uses"}
        self.jobs = {}
        self.raw = services
        self.layers = {}            # "signals/0": Layer

    def prepare(self):
        for service in self.raw:
            service.setdefault("xss", "rejectInvalid")
            for document in service.get("layers", []) + service.get("tables", []):
                layer = Layer(self, service, document)
                self.layers[f"{service['name']}/{document['id']}"] = layer

    def collation(self, field):
        return " COLLATE LOOSE" if self.set["nocase"] and field["type"] == "esriFieldTypeString" else ""

    # our own

    def own(self, request):
        if request.path.startswith("/features/"):
            layer = self.layers.get(request.path[len("/features/"):])
            with self.lock:
                return ndjson(request, layer.features()) if layer else Reply(404, "")
        return super().own(request)

    def logged_body(self, request):
        return {k: v[:1 << 20] for k, v in request.form.items()} if request.body else None

    def change(self, what, args):
        if what == "expire":
            for token in self.tokens.values():
                token["until"] = 0
            return True
        layer = self.layers[args["layer"]]
        if what == "layer":
            layer.document |= args["set"]
        elif what == "delete":
            return [layer.delete(oid)["objectId"] for oid in layer.ids(args["where"])]
        else:
            if what == "features":
                layer.run(f"DELETE FROM {layer.table}")
            return [layer.add(feature)["objectId"] for feature in args["features"]]
        return True

    def failure(self, status):
        return Reply(status, PAGE.format(f"Error {status}"), "text/html")

    def reply_done(self, request, fault):
        self.attempt(request)
        return self.reply_status(request, fault)

    def reply_late(self, request, fault):
        if "after" in fault.spec:
            with self.lock:
                self.between.append([re.compile(fault.spec["after"], re.M), 1, functools.partial(self.attempt, request)])
        else:
            threading.Timer(fault.seconds(1), self.attempt, [request]).start()
        return self.reply_status(request, fault)

    # routes

    def answer(self, request):
        limit = self.set["max_body"]
        if limit and len(request.body) > limit:
            if self.set["too_big"] == 200:
                return reply_json(Error(500, "Unable to perform operation.").body)
            return self.failure(self.set["too_big"])
        try:
            with self.lock:
                return self.route(request)
        except Error as error:
            return reply_json(error.body)

    def route(self, request):
        path = request.path
        sharing = self.set["portal"] + "/sharing/rest/"
        if request.form.get("f") not in ("json", "pjson"):
            return Reply(200, PAGE.format("ArcGIS REST Services Directory"), "text/html;charset=utf-8")
        if path == sharing + "generateToken":
            return self.generate_token(request)
        if path == sharing + "oauth2/token":
            return self.oauth_token(request)
        if path == sharing + "portals/self":
            self.check_token(request)
            return reply_json({"id": "org", "name": "City", "user": {"username": self.set["user"]}})
        found = re.fullmatch(re.escape(sharing) + r"content/items/([^/]+)", path)
        if found:
            return self.item(request, found[1])
        found = re.fullmatch(r"/org/arcgis/rest/(admin/)?services/([^/]+)/FeatureServer(?:/(\d+)(?:/(\w+)(?:/([\w-]+))?)?)?", path)
        if not found:
            raise Error(404, "Item or group does not exist or is inaccessible.")
        admin, name, number, operation, job = found.groups()
        self.check_token(request)
        if number is None:
            return self.service(request, name)
        layer = self.layers.get(f"{name}/{number}")
        if layer is None:
            raise Error(400, "Invalid URL", ["Invalid URL"])
        if operation is None:
            return reply_json(layer.document | {"maxRecordCount": self.set["max_record_count"], "standardMaxRecordCount": 32000,
                                                "editingInfo": {"lastEditDate": int(time.time() * 1000)}})
        if job:
            return self.poll(request, job)
        handler = getattr(self, "do_" + operation, None)
        if handler is None or (operation == "truncate" and not admin):
            raise Error(400, "Invalid URL", ["Invalid URL"])
        if request.method != "POST" and operation != "query":
            raise Error(405, "HTTP GET is disabled")
        return handler(request, layer)

    # tokens

    def make_token(self, request, minutes, referer=None):
        token = secrets.token_urlsafe(40)
        life = min(self.set["expires"], max(1, minutes) * 60)
        self.tokens[token] = {"until": time.time() + life, "referer": referer, "uses": self.set["token_uses"] or -1}
        return token, life

    def minutes(self, request):
        try:
            return int(request.form.get("expiration", 60))
        except ValueError:
            raise Error(400, "'expiration' should be a number", []) from None

    def generate_token(self, request):
        form = request.form
        if request.method != "POST" or "password" in request.query:
            raise Error(405, "Method Not Allowed", ["POST is required."])
        if form.get("client") == "referer" and not form.get("referer"):
            raise Error(400, "Unable to generate token.", ["'referer' must be specified."])
        if form.get("client") not in ("referer", "requestip", "ip"):
            raise Error(400, "Unable to generate token.", ["'client' must be specified."])
        if (form.get("username"), form.get("password")) != (self.set["user"], self.set["password"]):
            raise Error(400, "Unable to generate token.", ["Invalid username or password."])
        token, life = self.make_token(request, self.minutes(request), form.get("referer"))
        reply = {"token": token}
        if not self.set["no_expires"]:
            reply |= {"expires": int((time.time() + life) * 1000), "ssl": True}
        return reply_json(reply)

    def oauth_token(self, request):
        form = request.form
        if request.method != "POST" or form.get("grant_type") != "client_credentials":
            raise Error(400, "Invalid grant_type", error="unsupported_grant_type", error_description="Invalid grant_type")
        if (form.get("client_id"), form.get("client_secret")) != (self.set["client_id"], self.set["client_secret"]):
            raise Error(400, "Invalid client_id", error="invalid_client_id", error_description="Invalid client_id")
        token, life = self.make_token(request, self.minutes(request))
        return reply_json({"access_token": token, "expires_in": life})

    def check_token(self, request):
        token = request.token()
        if not token:
            raise Error(499, "Token Required", ["Token Required"], messageCode="GWM_0003")
        if token == self.set["api_key"]:
            return
        known = self.tokens.get(token)
        if known is None or known["until"] < time.time() or known["uses"] == 0:
            raise Error(498, "Invalid token.")
        if self.set["check_referer"] and known["referer"] not in (None, request.headers.get("referer")):
            raise Error(498, "Invalid token.")
        known["uses"] -= 1

    # documents

    def item(self, request, item):
        self.check_token(request)
        for service in self.raw:
            if service["item"] == item:
                url = service.get("url", f"{request.base}/org/arcgis/rest/services/{service['name']}/FeatureServer")
                return reply_json({"id": item, "owner": self.set["user"], "title": service["name"], "url": url,
                                   "type": service.get("type", "Feature Service"), "access": "private"})
        raise Error(400, "Item does not exist or is inaccessible.", messageCode="CONT_0001")

    def service(self, request, name):
        for service in self.raw:
            if service["name"] == name:
                lists = {part: [{"id": d["id"], "name": d.get("name", name)} for d in service.get(part, [])] for part in ("layers", "tables")}
                return reply_json(lists | {
                    "capabilities": "Create,Delete,Query,Update,Editing", "maxRecordCount": self.set["max_record_count"],
                    "xssPreventionInfo": {"xssPreventionEnabled": service["xss"] != "none", "xssPreventionRule": "InputOnly",
                                          "xssInputRule": service["xss"]}})
        raise Error(400, "Invalid URL", ["Invalid URL"])

    # edits

    def need(self, layer, capability):
        if capability not in layer.document["capabilities"].split(","):
            raise Error(403, "You do not have permissions to access this resource or perform this operation.")

    def edit(self, request, layer, edits):
        """Carries out [(function, thing), ...]: all of it, or what goes.  Returns a list of results."""
        rolls_back = request.yes("rollbackOnFailure", True) or not layer.document["supportsRollbackOnFailureParameter"]
        self.db.execute("BEGIN")
        results, next_id = [], layer.next_id
        try:
            for function, thing in edits:
                try:
                    results.append(function(thing))
                except Bad as bad:
                    oid = thing if isinstance(thing, int) else -1
                    results.append({"objectId": oid, "globalId": None} | bad.result)
            failed = any(not result["success"] for result in results)
        except Error:
            self.db.execute("ROLLBACK")
            layer.next_id = next_id
            raise
        if not failed or not rolls_back:
            self.db.execute("COMMIT")
            return results
        self.db.execute("ROLLBACK")
        if not self.set["rollback_results"]:
            raise Error(400, "Unable to complete operation.", ["Operation rolled back."] * len(results), extendedCode=-2147467259)
        undone = {"objectId": -1, "success": False, "error": {"code": 1003, "description": "Operation rolled back."}}
        return [undone if result["success"] else result for result in results]

    def listed(self, request, name):
        features = request.given(name)
        if not isinstance(features, list) or not features:
            raise Error(400, "Unable to complete operation.", [f"'{name}' is empty."])
        return features

    def do_addFeatures(self, request, layer):
        self.need(layer, "Create")
        return reply_json({"addResults": self.edit(request, layer, [(layer.add, f) for f in self.listed(request, "features")])})

    def do_updateFeatures(self, request, layer):
        self.need(layer, "Update")
        return reply_json({"updateResults": self.edit(request, layer, [(layer.update, f) for f in self.listed(request, "features")])})

    def deleted(self, request, layer):
        if "objectIds" in request.form:
            ids = [int(oid) for oid in request.form["objectIds"].split(",")]
        elif request.form.get("where"):
            ids = layer.ids(request.form["where"])
        else:
            raise Error(400, "Unable to complete operation.", ["'objectIds' or 'where' must be specified."])
        return self.edit(request, layer, [(layer.delete, oid) for oid in ids])

    def do_deleteFeatures(self, request, layer):
        self.need(layer, "Delete")
        if request.yes("async"):
            return self.start_job(request, lambda: self.deleted(request, layer))
        results = self.deleted(request, layer)
        return reply_json({"deleteResults": results} if request.yes("returnDeleteResults", True) else {"success": True})

    def do_applyEdits(self, request, layer):
        self.need(layer, "Editing")
        adds, updates = request.given("adds"), request.given("updates")
        deletes = [int(oid) for oid in re.findall(r"\d+", request.form.get("deletes", ""))]
        results = self.edit(request, layer, [(layer.add, f) for f in adds] + [(layer.update, f) for f in updates]
                            + [(layer.delete, oid) for oid in deletes])
        n, m = len(adds), len(adds) + len(updates)
        return reply_json({"addResults": results[:n], "updateResults": results[n:m], "deleteResults": results[m:]})

    def do_truncate(self, request, layer):
        if not layer.document["supportsTruncate"]:
            raise Error(400, "", ["Unable to truncate layer data."])
        if request.yes("async"):
            return self.start_job(request, layer.truncate)
        layer.truncate()
        return reply_json({"success": True})

    def do_append(self, request, layer):
        if not layer.document["supportsAppend"]:
            raise Error(400, "Append is not supported.")
        edits = request.given("edits")
        features = edits["layers"][0]["featureSet"]["features"] if isinstance(edits, dict) else None
        if features is None:
            raise Error(400, "'edits' must be a feature collection.")
        return self.start_job(request, lambda: self.appended(request, layer, features))

    def appended(self, request, layer, features):
        key = request.form.get("upsertMatchingField")
        if not request.yes("upsert"):
            return self.edit(request, layer, [(layer.add, f) for f in features])
        if not any(i["fields"] == key and i.get("isUnique") for i in layer.document["indexes"]):
            raise Error(400, "Append job failed.", [f"'{key}' has no unique index."])
        keys = [f["attributes"].get(key) for f in features]
        if len({k for k in keys if k is not None}) != sum(k is not None for k in keys):
            raise Error(400, "Append job failed.", ["Duplicate values of the matching field in the source."])
        edits = []
        for feature, value in zip(features, keys):
            found = layer.run(f'SELECT "{layer.oid}" FROM {layer.table} WHERE "{key}" = ?', value).fetchone()
            if found:
                feature["attributes"][layer.oid] = found[0]
            edits.append((layer.update if found else layer.add, feature))
        return self.edit(request, layer, edits)

    # jobs

    def start_job(self, request, work):
        job = secrets.token_hex(8)
        self.jobs[job] = {"polls": self.set["polls"], "work": work, "since": int(time.time() * 1000)}
        return reply_json({self.set["status_member"]: f"{request.base}{request.path}/{job}"})

    def poll(self, request, name):
        job = self.jobs.get(name)
        if job is None:
            raise Error(404, "Job not found.")
        if request.form.get("results"):
            return reply_json({"results": job["results"]})
        times = {"submissionTime": job["since"], "lastUpdatedTime": int(time.time() * 1000)}
        job["polls"] -= 1
        if job["polls"] >= 0:
            return reply_json({"status": "Pending" if job["polls"] else "InProgress"} | times)
        if self.set["job_fails"]:
            return reply_json({"status": self.set["job_fails"]} | Error(400, "The job failed.").body)
        if job["work"]:
            try:
                job["results"] = job["work"]() or []
                job["failed"] = None
            except Error as error:
                job["failed"] = error.body
            job["work"] = None
        if job["failed"]:
            return reply_json({"status": "Failed"} | times | job["failed"])
        url = f"{request.base}{request.path}?results=true"
        return reply_json({"status": "Completed"} | times | {"resultUrl": url, "recordCount": len(job["results"])})

    # queries

    def do_query(self, request, layer):
        self.need(layer, "Query")
        form = request.form
        where = form.get("where", "")
        if form.get("objectIds"):
            where = f"{layer.oid} IN ({','.join(str(int(oid)) for oid in form['objectIds'].split(','))})"
        if not where:
            raise Error(400, "Cannot perform query. Invalid query parameters.", ["'where' parameter not specified"])
        if request.yes("returnCountOnly"):
            return reply_json({"count": layer.select("count(*)", where)[0][0]})
        if request.yes("returnIdsOnly"):
            return reply_json({"objectIdFieldName": layer.oid, "objectIds": layer.ids(where) or None})
        most = self.set["max_record_count"]
        limit = min(int(form.get("resultRecordCount") or most), most)
        wkid = int(form.get("outSR") or layer.wkid)
        found = list(layer.features(where, layer.names(form.get("outFields")), wkid, layer.order(form.get("orderByFields")),
                                    limit + 1, int(form.get("resultOffset") or 0)))
        reply = {"objectIdFieldName": layer.oid, "uniqueIdField": {"name": layer.oid, "isSystemMaintained": True},
                 "fields": [f for f in layer.document["fields"]], "features": found[:limit]}
        if layer.kind:
            reply |= {"geometryType": layer.kind, "spatialReference": {"wkid": wkid}}
        if not request.yes("returnGeometry", True):
            for feature in reply["features"]:
                feature.pop("geometry", None)
        if len(found) > limit:
            reply["exceededTransferLimit"] = True
        return reply_json(reply)


def main():
    parser = options(ArcGIS, description=__doc__.partition("\n")[0])
    parser.add_argument("--services", metavar="FILE", required=True, help="services, as JSON")
    args = parser.parse_args()
    with open(args.services, encoding="utf-8") as file:
        services = json.load(file)
    serve(ArcGIS(services), args)


if __name__ == "__main__":
    main()
