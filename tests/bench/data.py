"""The files that make bench reads: requests, multiplied, in every format; the real ones where CULVERT_DATA has them.

raw.csv     as the city writes it, keys made unique
rows.csv    through csv-normalize, dates in ISO 8601: what the databases load
rows.ndjson, rows.json      the same, an object a line, and all in one array
pages.csv   rows.csv with the system field :id in front, for the page server
few.json    the first fifth of the array, for jq, which holds it all in memory
trips.ndjson, trips.json    raw trips of an MDS provider, and its answer
knack.ndjson    raw Knack records with every field type, over and over
made        what these were made of: if that is another time, they are made anew
"""
import csv
import io
import itertools
import json
import os
import random
import runpy
import subprocess
import uuid

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OURS = os.path.join(TOP, "tests", "data")                # made up, and always there
REAL = os.environ.get("CULVERT_DATA") or os.path.join(TOP, "..", "shared", "data")
ROWS_MADE_UP = 10_000   # requests, before they are multiplied
DATES = ["createddate", "updateddate", "servicedate", "closeddate"]
NORMALIZE = ["csv-normalize", "--date-order=mdy", *(f"--date={name}" for name in DATES)]


def is_real(name):
    return os.access(os.path.join(REAL, name), os.R_OK)


def path_of(name):
    """Other people's file or directory of that name if it is there, else the project's own."""
    return os.path.join(REAL if is_real(name) else OURS, name)


def described():
    """Which data this is, in a line."""
    names = "311/la311-2020-jan.csv", "knack", "austin"
    return "data: " + ", ".join(f"{name} {'real' if is_real(name) else 'made up'}" for name in names)


def requests():
    """A header and some thousand requests with CRLF ends, as the city writes them.  No line end is inside a field."""
    maker = runpy.run_path(os.path.join(OURS, "311", "make.py"))
    if is_real("311/la311-2020-jan.csv"):
        with open(path_of("311/la311-2020-jan.csv"), encoding="utf-8", newline="") as file:
            return list(csv.reader(file))
    columns = maker["make311"]["COLUMNS"]
    return [columns, *([(row.get(name) or "").replace("\n", " ") for name in columns] for row in maker["rows"](ROWS_MADE_UP))]


def make_raw(path, rows):
    """Each copy of the source continues its numbers, so every key is new and as likely as the first."""
    header, *records = requests()
    numbers = [int(record[0].partition("-")[2]) for record in records]
    span = max(numbers) - min(numbers) + 1
    tails = []
    for record in records:
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow(record[1:])
        tails.append(line.getvalue())
    with open(path, "w", encoding="utf-8", newline="") as out:
        out.write(",".join(header) + "\n")
        made = (f"1-{number + copy * span},{tail}"
                for copy in itertools.count() for number, tail in zip(numbers, tails))
        out.writelines(itertools.islice(made, rows))


def make_knack(path, rows):
    """The page of records, over and over, each with an id of its own."""
    with open(path_of("knack/all_fields.json"), encoding="utf-8") as file:
        records = json.load(file)["records"]
    with open(path, "w", encoding="utf-8") as out:
        for number, record in zip(range(rows), itertools.cycle(records)):
            print(json.dumps(record | {"id": f"{number:024x}"}, ensure_ascii=False, separators=(",", ":")), file=out)


def make_trips(path, document, rows, points):
    """Trips of MDS 0.3 in Austin with so many points each; one a line, and as a provider's answer."""
    r = random.Random(points)
    with open(path, "w", encoding="utf-8") as out:
        for number in range(rows):
            start = 1581433705000 + 1000 * number
            route = [{"type": "Feature", "properties": {"timestamp": start + 1000 * at}, "geometry": {
                "type": "Point", "coordinates": [round(r.uniform(-97.9, -97.6), 6), round(r.uniform(30.1, 30.45), 6)]}}
                for at in range(points)]
            print(json.dumps({
                "provider_id": "0309585e-599f-4e57-ac85-ffffffffffff", "provider_name": "sample_co",
                "device_id": str(uuid.UUID(int=r.getrandbits(128))), "vehicle_id": f"VID{number}", "vehicle_type": "scooter",
                "propulsion_type": ["electric"], "trip_id": str(uuid.UUID(int=r.getrandbits(128))), "trip_duration": 957,
                "trip_distance": 1879, "route": {"type": "FeatureCollection", "features": route}, "accuracy": 5,
                "start_time": start, "end_time": start + 957000, "publication_time": start + 1000000,
                "standard_cost": 330, "actual_cost": 330}, separators=(",", ":")), file=out)
    with open(path, encoding="utf-8") as file, open(document, "w", encoding="utf-8") as out:
        out.write('{"version":"0.3.0","data":{"trips":[' + ",".join(line[:-1] for line in file) + "]}}\n")


def make_array(ndjson, path, rows):
    with open(ndjson, encoding="utf-8") as file, open(path, "w", encoding="utf-8") as out:
        out.write("[")
        for at, line in enumerate(itertools.islice(file, rows)):
            out.write(("," if at else "") + line[:-1])
        out.write("]\n")


def make_pages(path, target, copies=1):
    """The rows, so many times over, numbered in the column :id.  No record of ours has a line end inside."""
    number = itertools.count(1)
    with open(target, "w", encoding="utf-8") as out:
        for copy in range(copies):
            with open(path, encoding="utf-8") as file:
                header = file.readline()
                if copy == 0:
                    out.write(f":id,{header}")
                out.writelines(f"row-{at:012},{line}" for line, at in zip(file, number))


def filter_file(command, source, target):
    with open(source, "rb") as file, open(target, "wb") as out:
        subprocess.run(command, stdin=file, stdout=out, check=True)


def make(rows):
    """Makes what is not there yet for so many rows, in the working directory."""
    stamp = f"{rows} rows, {described()}\n"
    if os.path.exists("made") and open("made", encoding="utf-8").read() == stamp:
        return
    make_raw("raw.csv", rows)
    filter_file(NORMALIZE, "raw.csv", "rows.csv")
    filter_file(["csv2ndjson"], "rows.csv", "rows.ndjson")
    make_array("rows.ndjson", "rows.json", rows)
    make_array("rows.ndjson", "few.json", max(1, rows // 5))
    make_pages("rows.csv", "pages.csv")
    with open("made", "w", encoding="utf-8") as file:
        file.write(stamp)
