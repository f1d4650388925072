#!/usr/bin/env python3
"""make311 - makes realistic MyLA311 requests, the same ones for the same seed.

    make311.py --rows N --years 2019,2020 [--seed S] [--ids aaaa-bbbb,cccc-dddd] [--until DATE] OUTDIR
    make311.py changes [--seed S] OUTDIR

The first writes a dataset a year, OUTDIR/ID.csv and ID.json, for soda.py: N rows in all, in the order they were
created, with the columns of the city's datasets and values in Socrata's shapes.  Nothing is newer than --until.
The second reads what is there and prints the body of a /control request that changes 3 of 100 rows and adds 1 for
every 100 to the newest dataset, all of them within a day after the newest update that is there.  Streets and
council members are made up; the kinds of request and the shares of each are like the city's.
"""
import argparse
import csv
import datetime
import json
import os
import random
import sys

COLUMNS = """srnumber requesttype status actiontaken createddate updateddate servicedate closeddate requestsource
owner createdbyuserorganization mobileos anonymous assignto latitude longitude address zipcode apc cd cdmember nc
ncname policeprecinct""".split()
TYPES = {name: "calendar_date" if name.endswith("date") else
         "number" if name in ("latitude", "longitude") else "text" for name in COLUMNS}

KINDS = {               # request type: (share, owner, days to close)
    "Bulky Items": (447, "BOS", 6), "Graffiti Removal": (263, "OCB", 2), "Illegal Dumping Pickup": (90, "BOS", 6),
    "Metal/Household Appliances": (83, "BOS", 7), "Homeless Encampment": (41, "BOS", 30),
    "Electronic Waste": (34, "BOS", 6), "Dead Animal Removal": (17, "BOS", 1), "Other": (12, "ITA", 9),
    "Single Streetlight Issue": (8, "BSL", 14), "Multiple Streetlight Issue": (6, "BSL", 10),
    "Report Water Waste": (1, "LADWP", 20),
}
SOURCES = {             # source: (share, organization)
    "Call": (455, "BOS"), "Mobile App": (230, "Self Service"), "Driver Self Report": (209, "OCB"),
    "Self Service": (101, "Self Service"), "Email": (5, "ITA"), "Council's Office": (1, "Council's Office"),
}
AREAS = [               # commission area, precinct, latitude, longitude, first zip code, yard
    ("North Valley APC", "MISSION", 34.272, -118.468, 91331, "EV"),
    ("South Valley APC", "VAN NUYS", 34.183, -118.448, 91401, "WV"),
    ("West Los Angeles APC", "PACIFIC", 33.996, -118.421, 90034, "WLA"),
    ("Central APC", "OLYMPIC", 34.056, -118.301, 90004, "NC"),
    ("East Los Angeles APC", "HOLLENBECK", 34.046, -118.213, 90031, "NC"),
    ("South Los Angeles APC", "77TH STREET", 33.970, -118.291, 90043, "SLA"),
    ("Harbor APC", "HARBOR", 33.758, -118.290, 90731, "HB"),
]
MEMBERS = ["Ada Quintero", "Bram O'Leary", "Cleo Vance-Ito", "Dov Marchetti", "Esi Okonjo", "Finn Alvarado Jr.",
           "Gia Petrossian", "Hal Nakagawa", "Ines D'Amato", "Jun Castellano", "Kit Abernathy", "Lou Serrano",
           "Mae Thistlewood", "Nil Bergström", "Oona Reyes"]
STREETS = ["ALDER CREST", "BOUGAINVILLEA", "CALLE DEL RIO", "DRY CREEK", "EL MOLINO VIEJO", "FIG TREE", "GRANADA HILL",
           "HOLLYHOCK", "IRONBARK", "JACARANDA", "LEMON GROVE", "MISSION BELL", "NOPAL", "ORANGE BLOSSOM", "PEPPERTREE",
           "QUAIL RUN", "RANCHO VISTA", "SYCAMORE WASH", "TOYON", "VALLEY OAK", "WILD MUSTARD", "YUCCA FLAT"]
ENDINGS = ["ST", "AVE", "BLVD", "DR", "PL", "ROAD", "WAY"]
MINUTE = datetime.timedelta(minutes=1)


def stamp(when):
    return when.strftime("%Y-%m-%dT%H:%M:%S.000")


def weighted(rng, table):
    return rng.choices(list(table), [row[0] for row in table.values()])[0]


def address(rng, zipcode):
    street = lambda: f"{rng.choice(STREETS)} {rng.choice(ENDINGS)}"
    if rng.random() < 0.1:
        return f"{street()} AT {street()}, {zipcode}"
    if rng.random() < 0.01:
        return f"{street()}, {rng.choice(('REAR', 'UNIT B'))} AT {street()}, {zipcode}"
    return f"{rng.randrange(100, 19999)} {rng.choice('NSEW')} {street()}, {zipcode}"


def place(rng):
    """Where a request is; one in a thousand is nowhere."""
    if rng.random() < 0.001:
        return {"address": rng.choice(STREETS) + " AVE,", "assignto": None}
    district = rng.randrange(15)
    area, precinct, latitude, longitude, zipcode, yard = AREAS[district % len(AREAS)]
    zipcode += rng.randrange(12)
    council = rng.randrange(1, 100)
    found = {
        "latitude": f"{rng.gauss(latitude, 0.02):.8f}", "longitude": f"{rng.gauss(longitude, 0.02):.7f}",
        "address": address(rng, zipcode), "zipcode": str(zipcode), "apc": area, "cd": str(district + 1),
        "cdmember": MEMBERS[district] if rng.random() > 0.18 else None, "policeprecinct": precinct,
        "assignto": yard if rng.random() > 0.012 else None,
    }
    if rng.random() > 0.004:
        found |= {"nc": str(council), "ncname": f"{STREETS[council % len(STREETS)]} {council} NC"}
    return found


def times(rng, created, days, until):
    """Status and dates of a request that takes about `days`: an open one has no closeddate."""
    closed = created + MINUTE * int(rng.expovariate(1 / (days * 1440)) + 20)
    service = closed.replace(hour=0, minute=0, second=0)
    dates = {"createddate": stamp(created), "servicedate": stamp(service) if rng.random() > 0.055 else None}
    if closed > until:
        updated = min(created + MINUTE * rng.randrange(1, 600), until)
        return dates | {"status": rng.choice(("Open", "Pending")), "updateddate": stamp(updated), "closeddate": None}
    updated = min(closed + MINUTE * (rng.randrange(3000) if rng.random() < 0.1 else 0), until)
    return dates | {"status": "Cancelled" if rng.random() < 0.025 else "Closed",
                    "updateddate": stamp(updated), "closeddate": stamp(closed)}


def request(rng, number, created, until):
    kind = weighted(rng, KINDS)
    source = weighted(rng, SOURCES)
    _, owner, days = KINDS[kind]
    row = {
        "srnumber": f"1-{number}", "requesttype": kind, "requestsource": source, "owner": owner,
        "actiontaken": "SR Updated" if rng.random() < 0.0003 else "SR Created",
        "createdbyuserorganization": SOURCES[source][1],
        "mobileos": rng.choice(("iOS", "iOS", "Android")) if source == "Mobile App" else None,
        "anonymous": "Y" if rng.random() < 0.14 else "N",
    }
    return row | place(rng) | times(rng, created, days, until)


def requests(rng, year, rows, until):
    """The requests of a year, by creation."""
    start = datetime.datetime(year, 1, 1)
    span = max(1, int((min(until, datetime.datetime(year, 12, 31, 23, 59)) - start).total_seconds()))   # until may be 1 January
    number = 1_000_000_000 + (year - 2000) * 25_000_000
    for seconds in sorted(rng.randrange(span) for _ in range(rows)):
        number += rng.randrange(1, 200)
        yield request(rng, number, start + datetime.timedelta(seconds=seconds), until)


def write_dataset(outdir, id, year, rows):
    with open(os.path.join(outdir, id + ".csv"), "w", encoding="utf-8", newline="") as out:
        out.write(",".join(COLUMNS) + "\n")
        for row in rows:
            cells = (row.get(name) for name in COLUMNS)
            out.write(",".join("" if c is None else '"' + c.replace('"', '""') + '"' for c in cells) + "\n")
    about = {"name": f"MyLA311 Service Request Data {year}", "rowIdentifier": "srnumber",
             "columns": [{"fieldName": n, "dataTypeName": TYPES[n], "name": n.capitalize()} for n in COLUMNS]}
    with open(os.path.join(outdir, id + ".json"), "w", encoding="utf-8") as out:
        json.dump(about, out, indent=1)
        out.write("\n")


def make(args):
    years = [int(year) for year in args.years.split(",")]
    ids = args.ids.split(",") if args.ids else [f"la31-{year}" for year in years]
    if len(ids) != len(years):
        sys.exit("make311: --ids: want as many as --years")
    os.makedirs(args.outdir, exist_ok=True)
    until = datetime.datetime.fromisoformat(args.until or f"{max(years)}-12-24T23:59:00")
    for at, (id, year) in enumerate(zip(ids, years)):
        share = args.rows // len(years) + (at < args.rows % len(years))
        rng = random.Random(f"{args.seed} {year}")
        write_dataset(args.outdir, id, year, requests(rng, year, share, until))


def changes(args):
    rng = random.Random(f"{args.seed} changes")
    data = {}
    for name in sorted(os.listdir(args.outdir)):
        if name.endswith(".csv"):
            with open(os.path.join(args.outdir, name), encoding="utf-8", newline="") as file:
                data[name[:-4]] = list(csv.DictReader(file))
    newest = max(row["updateddate"] for rows in data.values() for row in rows)
    start = datetime.datetime.fromisoformat(newest)
    youngest = max(data, key=lambda id: max(row["createddate"] for row in data[id]))
    orders = []
    for id, rows in data.items():
        changed = []
        for row in rng.sample(rows, min(len(rows), len(rows) * 3 // 100 + 1)):
            when = stamp(start + MINUTE * rng.randrange(1, 1440))
            changed.append({"srnumber": row["srnumber"], "status": "Closed", "actiontaken": "SR Updated",
                            "updateddate": when, "closeddate": when})
        last = max(int(row["srnumber"][2:]) for row in rows)
        for n in range(1, len(rows) // 100 + 2 if id == youngest else 1):
            created = start + MINUTE * rng.randrange(1, 1440)
            fresh = request(rng, last + n * 7, created, created + MINUTE)
            changed.append({name: value for name, value in fresh.items() if value is not None})
        orders.append({"upsert": {"id": id, "key": "srnumber", "rows": changed}})
    json.dump(orders, sys.stdout, indent=1)
    print()


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", default="1")
    if sys.argv[1:2] == ["changes"]:
        parser.add_argument("outdir", metavar="OUTDIR")
        return changes(parser.parse_args(sys.argv[2:]))
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--years", default="2019,2020")
    parser.add_argument("--ids", help="a dataset id for each year; la31-YEAR unless told")
    parser.add_argument("--until", metavar="DATE", help="nothing is newer; 24 December of the last year unless told")
    parser.add_argument("outdir", metavar="OUTDIR")
    return make(parser.parse_args())


if __name__ == "__main__":
    main()
