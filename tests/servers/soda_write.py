"""soda_write - what the stand-in soda.py does with rows that are sent to it: section 12 of Socrata's API.

POST upserts (JSON or CSV, gzip or not), PUT replaces all rows, DELETE of /resource/ID/ROW.json deletes one.  Who does
not log in is refused.  Rows match by the dataset's row identifier, or by :id where it has none; keys that a row
leaves out keep their values.  A field that the dataset lacks, a value of a wrong type and a row without its row
identifier refuse the whole request; a deletion of what is not there counts as one of "Errors".  As in Socrata's source,
a url, location, phone or document that is no object becomes null without a word.

Settings, beside those of soda.py:
  read_only ID        this login may not write it (403); repeat for more
  synced ID           400: "Cannot update a synced dataset manually"; repeat for more
  soft_errors         a row with a value of a wrong type is one of "Errors" under 200, and the others are done
  report SHAPE        of the answer: counts (unless told), old (with By SID and By RowIdentifier), sparse (no zeros),
                      snake (rows_created), rows (an array), and those that lie: zeros, updates (no row was created)
  lag N               after a write the next N requests for rows see the dataset as it was, and X-SODA2-Data-Out-Of-Date

Faults, beside those of standin.py: all is done, and then
  saved               400: "Row data was saved." and more
  late                the answer waits for "seconds" (60 unless told)
  failed_after        the answer is "status" (504 unless told), as from a gateway
"""
import collections
import csv
import datetime
import gzip
import io
import json
import re
import time
from decimal import Decimal

from soda_data import Row, now, refuse, row_id, row_number, shape_a
from standin import KINDS, Refusal, Reply

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
DAY_AND_TIME = re.compile(r"(\d{4}-\d\d-\d\d)(?:T(\d\d)(?::(\d\d)(?::(\d\d)(?:[.,](\d+))?)?)?)?")
ZONE = re.compile(r"(?:Z|[+-]\d\d(?::?\d\d)?)$")
US_DATE = re.compile(r"(\d\d)/(\d\d)/(\d{4})(?: (\d\d):(\d\d):(\d\d) ([AP])M)?")
GEOMETRY = {"point": "Point", "multipoint": "MultiPoint", "line": "LineString", "multiline": "MultiLineString",
            "polygon": "Polygon", "multipolygon": "MultiPolygon"}


class Maltyped(Exception):
    """A value that its column does not take."""

    def __init__(self, column, got):
        super().__init__(column.field)
        self.column, self.got = column, got

    def reply(self):
        field, expected, got = self.column.field, self.column.type, json.dumps(self.got, default=str)
        return shape_a(400, "soda.column.maltyped", f"Column is maltyped; for field '{field}' we expected "
                       f"'{expected}' but got '{got}'", {"field": field, "expected": expected, "got": json.loads(got)})


# values: each function gives the text that is kept, None for null, or raises ValueError

def plain(number):
    return format(number, "f") if isinstance(number, Decimal) else str(number)


def text(value):
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str):
        return value
    raise ValueError


def number(value):
    value = text(value)
    if not NUMBER.fullmatch(value):
        raise ValueError
    return plain(Decimal(value))


def double(value):
    return value if value in ("NaN", "Infinity", "-Infinity") else number(value)


def boolean(value):
    if not isinstance(value, bool):
        raise ValueError
    return str(value).lower()


def moment(value):
    found = DAY_AND_TIME.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise ValueError
    day, hour, minute, second, fraction = (part or "" for part in found.groups())
    read = datetime.datetime.fromisoformat(f"{day}T{hour or '00'}:{minute or '00'}:{second or '00'}")
    return read.replace(microsecond=int((fraction + "000")[:3]) * 1000)


def shown(read):
    return read.strftime("%Y-%m-%dT%H:%M:%S.") + f"{read.microsecond // 1000:03d}"


def floating(value):
    return shown(moment(value))


def fixed(value):
    zone = ZONE.search(value[10:]) if isinstance(value, str) else None
    read = moment(value[:10 + zone.start()] if zone else value)
    if zone and zone[0] != "Z":
        sign, digits = zone[0][0], zone[0][1:].replace(":", "").ljust(4, "0")
        east = datetime.timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        read = read - east if sign == "+" else read + east
    return shown(read) + "Z"


def is_place(value):
    return (isinstance(value, list) and len(value) == 2 and
            all(isinstance(n, (int, Decimal)) and not isinstance(n, bool) for n in value))


def geometry(kind, value):
    """GeoJSON, or WKT of a point."""
    if kind == "point" and isinstance(value, str):
        found = re.fullmatch(r"(?i)POINT ?\(\s*(\S+)\s+(\S+)\s*\)", value)
        if not found:
            raise ValueError
        return f"POINT ({number(found[1])} {number(found[2])})"
    if not isinstance(value, dict) or value.get("type") != GEOMETRY[kind] or "coordinates" not in value:
        raise ValueError
    places = value["coordinates"]
    if kind == "point":
        if not is_place(places):
            raise ValueError
        return f"POINT ({plain(places[0])} {plain(places[1])})"
    if not isinstance(places, list) or kind == "multipoint" and not all(is_place(place) for place in places):
        raise ValueError
    return compact(value)


def compact(value):
    """JSON with numbers as they came."""
    if isinstance(value, dict):
        return "{" + ",".join(json.dumps(name) + ":" + compact(v) for name, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(compact, value)) + "]"
    return plain(value) if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)


def location(value):
    """The object form as the lines of a cell: street, city and zip, (lat, lon)."""
    if not isinstance(value, dict):
        return None
    lines, address = [], value.get("human_address") or {}
    if isinstance(address, str):
        address = json.loads(address)
    if address.get("address"):
        lines.append(address["address"])
    if address.get("city"):
        lines.append(f"{address['city']}, {address.get('state', '')} {address.get('zip', '')}".rstrip())
    try:
        lines.append(f"({number(value['latitude'])}, {number(value['longitude'])})")
    except (KeyError, ValueError):
        pass                    # such a part is null: the rest stays
    return "\n".join(lines) or None


def url(value):
    if not isinstance(value, dict) or not value.get("url"):
        return None
    return f"{value['description']} ({value['url']})" if value.get("description") else value["url"]


def anything(value):
    return compact(value) if isinstance(value, dict) else None


FROM_JSON = {"text": text, "number": number, "double": double, "boolean": boolean, "floating_timestamp": floating,
             "fixed_timestamp": fixed, "location": location, "url": url, "json": compact,
             "phone": anything, "document": anything}


def kept(column, value):
    if value is None:
        return None
    try:
        if column.type in GEOMETRY:
            return geometry(column.type, value)
        return FROM_JSON.get(column.type, text)(value)
    except (ValueError, AttributeError):
        raise Maltyped(column, value) from None


def from_cell(column, cell):
    """What a cell of CSV stands for in JSON."""
    if cell == "":
        return None             # both ,, and ,"",
    if column.type == "boolean":
        return {"true": True, "false": False}.get(cell.lower(), cell)
    place = re.fullmatch(r"\(\s*(\S+),\s*(\S+)\s*\)", cell)
    if column.type == "location" and place:
        return {"latitude": place[1], "longitude": place[2]}
    day = US_DATE.fullmatch(cell)
    if column.type.endswith("_timestamp") and day:
        hour = int(day[4] or 12) % 12 + (12 if day[7] == "P" else 0)
        return f"{day[3]}-{day[1]}-{day[2]}T{hour:02d}:{day[5] or '00'}:{day[6] or '00'}"
    return cell


# requests

def unpacked(request):
    if request.headers.get("content-encoding") != "gzip":
        return request.body
    try:
        return gzip.decompress(request.body)
    except (OSError, EOFError):
        refuse(400, "invalid_request", "The body is not gzip")


def given_rows(request, dataset):
    """The objects of a request's body, or Refusal."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not kind:
        raise Refusal(shape_a(400, "req.content-type.missing", "No content-type is set on the request", {}))
    if kind not in ("application/json", "text/csv"):
        raise Refusal(shape_a(415, "req.content-type.not-json", f"The content-type set on the request ({kind}) should "
                              "instead be of type 'application/json'", {"content-type": kind}))
    body = unpacked(request)
    if kind == "text/csv":
        lines = csv.reader(io.StringIO(body.decode(), newline=""), strict=True)
        header = [name.lower() for name in next(lines, [])]
        columns = [dataset.columns[dataset.place[name]] if name in dataset.place else None for name in header]
        return [{name: from_cell(column, cell) if column else cell == "true" if name == ":deleted" else cell
                 for name, column, cell in zip(header, columns, line)} for line in lines]
    try:
        rows = json.loads(body, parse_float=Decimal)
    except ValueError as error:
        at = {"row": getattr(error, "lineno", 1), "column": getattr(error, "colno", 1)}
        raise Refusal(shape_a(400, "req.body.malformed-json", "The json request body is malformed at row "
                              f"{at['row']} and column {at['column']}", at)) from None
    if isinstance(rows, dict) and request.method == "POST":
        rows = [rows]
    if not isinstance(rows, list):
        raise Refusal(shape_a(400, "req.content.json.invalid", "The json content of the request is not an array or "
                              "object", {"expected": "array"}))
    return rows


class Work:
    """The rows of one request on their way into a dataset."""

    def __init__(self, dataset, replaces, soft):
        self.dataset, self.replaces, self.soft = dataset, replaces, soft
        self.key = dataset.row_identifier or ":id"
        self.todo = []          # (what, key, {place: text})
        self.count = collections.Counter()
        self.items = []         # of the report by rows

    def take(self, given):
        """Checks one row, before any is stored."""
        dataset = self.dataset
        if isinstance(given, list) and len(given) == 1:
            given = {self.key: given[0], ":deleted": True}
        if not isinstance(given, dict):
            raise Refusal(shape_a(400, "soda.row.upsert-row-not-an-object", "Row is not parseable as a json object: "
                                  + json.dumps(given, default=str), {"value": None}))
        values, key, deleted = {}, None, False
        for name, value in given.items():
            name = name.lower()
            if name == ":deleted" and value is True:
                deleted = True
            elif name == ":id":
                key = row_number(str(value)) if self.key == ":id" else key
            elif name not in dataset.place or name.startswith(":"):
                refuse(400, "invalid_request", "Illegal field name sent: " + name)
            else:
                place = dataset.place[name]
                try:
                    values[place] = kept(dataset.columns[place], value)
                except Maltyped as bad:
                    if not self.soft:
                        raise Refusal(bad.reply()) from None
                    self.todo.append(("error", str(value), bad.reply()))
                    return
                if name == self.key:
                    key = values[place]
        if key is None and deleted:
            raise Refusal(shape_a(400, "soda.row.delete-without-primary-key", "Cannot delete an individual row without "
                                  "giving the primary key/row-identifier value", {}))
        if key is None and self.key != ":id":
            raise Refusal(shape_a(400, "soda.row.primary-key-nonexistent-or-null", "Row in dataset lacks a primary key "
                                  "or has the primary key column set to null", {"value": ""}))
        self.todo.append(("delete" if deleted else "upsert", key, values))

    def key_of(self, row):
        return row.number if self.key == ":id" else row.values[self.dataset.place[self.key]]

    def done(self):
        """The dataset with all of it done."""
        dataset, stamp = self.dataset, now()
        rows = [] if self.replaces else list(dataset.rows)
        where = {self.key_of(row): at for at, row in enumerate(rows)}
        fresh = dataset.next_number
        for what, key, values in self.todo:
            at = where.get(key)
            if what == "error" or what == "delete" and at is None:
                self.report("error", key)
            elif what == "delete":
                self.report("delete", key)
                del where[key]
                rows[at] = None
            elif at is not None:
                old = rows[at]
                merged = [values.get(place, value) for place, value in enumerate(old.values)]
                rows[at] = Row(old.number, old.version + 1, old.created, stamp, merged)
                self.report("update", key)
            elif self.key == ":id" and key is not None:
                self.report("error", key)       # an :id that is none of ours
            else:
                row = Row(fresh, fresh, stamp, stamp, [values.get(place) for place in range(len(dataset.columns))])
                where[self.key_of(row)] = len(rows)
                rows.append(row)
                fresh += 1
                self.report("insert", self.key_of(row))
        return dataset.with_(rows=[row for row in rows if row], next_number=fresh)

    def report(self, what, key):
        self.count[what] += 1
        item = {"typ": what, "id": row_id(key) if isinstance(key, int) else key}
        self.items.append(item | ({"err": "no such row, or a value of a wrong type"} if what == "error" else
                                  {} if what == "delete" else {"ver": "rv-2222.2222.2222"}))

    def answer(self, shape):
        count = self.count
        if shape == "rows":
            return Reply(200, json.dumps(self.items) + "\n")
        if shape == "zeros":
            count = collections.Counter()
        elif shape == "updates":
            count = count | collections.Counter(insert=0)
            count["update"] += count.pop("insert", 0)
        report = {"Errors": count["error"], "Rows Updated": count["update"], "Rows Deleted": count["delete"],
                  "Rows Created": count["insert"]}
        if shape == "old":
            matched = count["update"] + count["delete"]
            report |= {"By RowIdentifier": 0 if self.key == ":id" else matched, "By SID": matched if self.key == ":id" else 0}
        elif shape == "sparse":
            report = {name: n for name, n in report.items() if n}
        elif shape == "snake":
            report = {name.lower().replace(" ", "_"): n for name, n in report.items()}
        return Reply(200, json.dumps(report, indent=2, separators=(",", " : ")) + "\n")


class Writing:
    """What soda.py's server inherits."""

    write_settings = {"read_only": [], "synced": [], "soft_errors": False, "report": "counts", "lag": 0}
    kinds = KINDS | {"saved", "late", "failed_after"}

    def check_writer(self, request, dataset):
        """A login that is wrong was refused already."""
        if "authorization" not in request.headers:
            refuse(403, "authentication_required", "You must be logged in to access this resource")
        if dataset.id in self.set["read_only"]:
            refuse(403, "permission_denied", "You do not have permission to write this dataset")
        if dataset.id in self.set["synced"]:
            refuse(400, "invalid_request", "Cannot update a synced dataset manually")

    def write(self, request, dataset):
        self.check_writer(request, dataset)
        with self.lock:
            dataset = self.datasets[dataset.id]
            work = Work(dataset, request.method == "PUT", self.set["soft_errors"])
            for given in given_rows(request, dataset):
                work.take(given)
            self.publish(dataset, work.done())
        return work.answer(self.set["report"])

    def publish(self, old, new):
        """NEW is what OLD is from now on, but readers may see OLD for a while."""
        new.modified = max(int(time.time()), old.modified + 1)          # HTTP dates have whole seconds
        self.datasets[old.id] = new
        if self.set["lag"]:
            self.behind[old.id] = [old, self.set["lag"]]

    def replica(self, dataset):
        """What a reader sees of it."""
        with self.lock:
            old, left = self.behind.get(dataset.id, (None, 0))
            if not left:
                return dataset
            self.behind[dataset.id][1] -= 1
            return old

    def answer_row(self, request, dataset, key):
        """One row, by the row identifier or :id."""
        work = Work(dataset, False, False)
        wanted = key if dataset.row_identifier else row_number(key)
        row = next((row for row in dataset.rows if work.key_of(row) == wanted), None)
        if not row:
            raise Refusal(shape_a(404, "soda.row.not-found", f"Row with identifier {key} was not found", {"value": key}))
        if request.method != "DELETE":
            return Reply(200, self.row_json(dataset, row) + "\n")
        self.check_writer(request, dataset)
        with self.lock:
            self.publish(dataset, dataset.with_(rows=[r for r in dataset.rows if r is not row]))
        return Reply(200, json.dumps([{"typ": "delete", "id": key}]) + "\n")

    # faults after the work is done

    def reply(self, request, fault):
        reply = super().reply(request, fault)
        kind = fault.kind if fault and reply.status == 200 else None
        if kind == "late":
            time.sleep(fault.seconds(60))
        elif kind == "failed_after":
            return self.failure(fault.spec.get("status", 504))
        elif kind == "saved":
            return shape_a(400, "invalid_request", "Row data was saved. However, an error occurred while updating "
                           "metadata.", {})
        return reply
