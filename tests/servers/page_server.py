#!/usr/bin/env python3
"""page_server - SODA pages as fast as Python can send them, so that a benchmark measures the client.

    page_server.py --data DIR [--port N]

DIR holds ID.csv files (header first) and, for JSON, ID.ndjson of the same rows; ID.json names the columns' types as
for soda.py.  Nothing is parsed or made per request: an index of where each row starts turns $offset and $limit
into a range of the file, which sendfile(2) sends.  Rows come in the file's order whatever $order says, every
column comes whatever $select says, but for count(*); `$where=:id > 'row-N'` goes on after the N-th row, whose :id the
file should give so; any other clause is refused, so that no benchmark measures a wrong answer.  `page_server.py --ndjson FILE.csv` makes the ID.ndjson (nulls left out) beside the CSV.
"""
import argparse
import array
import email.utils
import http.server
import json
import os
import re
import sys
import urllib.parse

from soda import json_string
from soda_data import SOQL_TYPES, read_cells
from standin import Server

PATH = re.compile(r"/resource/([^/.]+)\.(csv|json)$")
AFTER = re.compile(r":id > 'row-([0-9]+)'")


class Pages:
    """A file of rows and where each starts; the last entry is the file's end."""

    def __init__(self, path, has_header):
        self.file = open(path, "rb")
        self.modified = int(os.path.getmtime(path))
        self.starts = array.array("Q")
        at, quotes = 0, 0
        self.header = self.file.readline() if has_header else b""
        at = len(self.header)
        self.starts.append(at)
        for line in self.file:
            at += len(line)
            quotes += line.count(b'"') if has_header else 0
            if quotes % 2 == 0:
                self.starts.append(at)
        self.count = len(self.starts) - 1

    def range(self, offset, limit):
        first = min(offset, self.count)
        last = min(offset + limit, self.count)
        return self.starts[first], self.starts[last]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    pages, columns = {}, {}

    def log_message(self, *args):
        pass

    def do_GET(self):
        path, _, query = self.path.partition("?")
        given = dict(urllib.parse.parse_qsl(query))
        found = PATH.match(urllib.parse.unquote(path))
        view = re.match(r"/api/views/([^/.]+)\.json$", path)
        if view and view[1] in self.columns:
            return self.send_view(view[1])
        counted = re.fullmatch(r"count\(\*\)(?:\s+as\s+(\w+))?", given.get("$select", ""), re.I)
        pages = found and self.pages.get((found[1], "csv") if counted else found.groups())
        if not pages:
            return self.send(404, b'{ "code" : "dataset.missing", "error" : true, "message" : "Not found" }\n')
        after = AFTER.fullmatch(given.get("$where", ":id > 'row-0'"))
        odd = set(given) - {"$select", "$where", "$order", "$limit", "$offset"}
        if odd or not after or given.get("$order", ":id") != ":id":
            return self.send(400, json.dumps({"error": True, "message": f"page_server: not here: {query}"}).encode())
        if counted:
            name = counted[1] or "count"
            body = (f'"{name}"\n"{pages.count}"\n' if found[2] == "csv" else f'[{{"{name}":"{pages.count}"}}]\n')
            return self.send(200, body.encode(), found, pages)
        return self.send_page(found, pages, int(after[1]) + int(given.get("$offset", 0)), int(given.get("$limit", 1000)))

    def headers_for(self, found, pages):
        names, types = self.columns[found[1]]
        modified = email.utils.formatdate(pages.modified, usegmt=True)
        return (f"X-SODA2-Fields: {names}\r\nX-SODA2-Types: {types}\r\nX-SODA2-Truth-Last-Modified: {modified}\r\n"
                f"Last-Modified: {modified}\r\nX-SODA2-Data-Out-Of-Date: false\r\n")

    def send(self, status, body, found=None, pages=None):
        self.wfile.write(self.head(status, len(body), found, pages) + body)

    def head(self, status, length, found=None, pages=None):
        kind = "text/csv" if found and found[2] == "csv" else "application/json"
        more = self.headers_for(found, pages) if pages else ""
        return (f"HTTP/1.1 {status} {self.responses[status][0]}\r\nContent-Type: {kind};charset=utf-8\r\n"
                f"Content-Length: {length}\r\n{more}\r\n").encode()

    def send_page(self, found, pages, offset, limit):
        start, end = pages.range(offset, limit)
        if found[2] == "csv":
            before, after = pages.header, b""
        else:               # the file has a comma before each row: the first one's becomes the bracket
            before, after, start = b"[", b"]\n", min(start + 1, end)
        self.wfile.write(self.head(200, len(before) + end - start + len(after), found, pages) + before)
        while start < end:
            start += os.sendfile(self.connection.fileno(), pages.file.fileno(), start, end - start)
        if after:
            self.wfile.write(after)

    def send_view(self, id):
        names, types = (json.loads(part) for part in self.columns[id])
        columns = [{"id": at, "fieldName": n, "name": n, "dataTypeName": t, "position": at}
                   for at, (n, t) in enumerate(zip(names, types), 1)]
        self.send(200, json.dumps({"id": id, "name": id, "columns": columns}).encode())


def column_types(base):
    """The header's fields and their types, both as JSON."""
    fields = next(read_cells(base + ".csv"))
    known = {}
    if os.path.exists(base + ".json"):
        with open(base + ".json", encoding="utf-8") as file:
            known = {c["fieldName"]: c.get("dataTypeName", "text") for c in json.load(file)["columns"]}
    types = [known.get(field, "text") for field in fields]
    return json.dumps(fields, separators=(",", ":")), json.dumps(
        [SOQL_TYPES.get(t, t) for t in types], separators=(",", ":"))


def make_ndjson(path):
    cells = read_cells(path)
    labels = [json_string(field) + ":" for field in next(cells)]
    with open(path[:-4] + ".ndjson", "w", encoding="utf-8", newline="\n") as out:
        for row in cells:
            parts = [label + json_string(v) for label, v in zip(labels, row) if v is not None]
            out.write(",{" + ",".join(parts) + "}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", metavar="DIR")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--ndjson", metavar="FILE.csv", help="make the rows for JSON pages, and leave")
    args = parser.parse_args()
    if args.ndjson:
        return make_ndjson(args.ndjson)
    if not args.data:
        parser.error("no --data")
    for name in sorted(os.listdir(args.data)):
        id, extension = os.path.splitext(name)
        if extension in (".csv", ".ndjson"):
            pages = Pages(os.path.join(args.data, name), extension == ".csv")
            Handler.pages[id, "csv" if extension == ".csv" else "json"] = pages
        if extension == ".csv":
            Handler.columns[id] = column_types(os.path.join(args.data, id))
    server = Server(("127.0.0.1", args.port), Handler)
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    return server.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
