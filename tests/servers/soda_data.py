"""soda_data - what reading and writing of the stand-in soda.py share: datasets, and errors in Socrata's two shapes."""
import bisect
import json
import os
import random
import re
import sys
import time
from decimal import Decimal

import soql
from standin import Refusal, Reply

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
    def __init__(self, field, data_type="text", name=None, flags=None):
        self.field, self.data_type, self.flags = field, data_type, flags
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
    at = time.time()
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{int(at * 1000) % 1000:03d}Z"


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
    known = {c["fieldName"]: Column(c["fieldName"], c.get("dataTypeName", "text"), c.get("name"), c.get("flags"))
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


# errors, in the two shapes of section 8

def shape_a(status, code, message, data):
    return Reply(status, json.dumps({"message": message, "errorCode": code, "data": data}) + "\n")


def shape_b(status, code, message, data=None):
    body = {"code": code, "error": True, "message": message} | ({"data": data} if data else {})
    return Reply(status, json.dumps(body, indent=2, separators=(",", " : ")) + "\n")


def refuse(status, code, message, data=None):
    raise Refusal(shape_b(status, code, message, data))
