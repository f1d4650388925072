"""Requests in the form of the city's export of MyLA311, made up by tests/servers/make311.py.

The form is that of the real file: CRLF line ends and none after the last row, dates as 1/1/20 0:05, empty fields, zip code 0
where there is no place.  Some fields have what is rare there: double quotes, line breaks and letters outside ASCII.
"""
import csv
import datetime
import io
import os
import random
import runpy

HERE = os.path.dirname(os.path.abspath(__file__))
make311 = runpy.run_path(os.path.join(HERE, "..", "..", "servers", "make311.py"))
ROWS = 400


def short(stamp):
    """1/1/20 0:05"""
    if stamp is None:
        return ""
    when = datetime.datetime.fromisoformat(stamp)
    return f"{when.month}/{when.day}/{when:%y} {when.hour}:{when:%M}"


def rows(n=ROWS):
    rng = random.Random("tests/data/311")
    start = datetime.datetime(2020, 1, 1)
    until = datetime.datetime(2020, 4, 1)
    number = 1_523_590_000
    for at in range(n):
        number += rng.randrange(1, 400)
        row = make311["request"](rng, number, start + datetime.timedelta(minutes=(at * 9 + rng.randrange(9)) % (60 * 24 * 80)), until)
        for name in make311["COLUMNS"]:
            if name.endswith("date"):
                row[name] = short(row[name])
        if at % 25 == 3:
            row |= {"address": "CALLE DEL RIO AT DRY CREEK,", "zipcode": "0"}
        if at % 40 == 7:
            row["address"] = '9 W "OLD" TOYON ST, REAR, ' + row.get("zipcode", "0")
        if at % 50 == 11:
            row["ncname"] = "NOPAL\nALTO NC"
        if at % 50 == 17:
            row["cdmember"] = "Zoë Ōno-Ibáñez 🙂"
        if at % 80 == 23:
            row["ncname"] = '"'
        if at % 90 == 31:
            row |= {"policeprecinct": " LEADING, AND TRAILING ", "apc": "Central, APC"}
        yield row
    # one that has hardly anything
    yield {"srnumber": f"1-{number + 1}", "requesttype": "Other", "createddate": "2/29/20 23:59"}


def make(directory):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(make311["COLUMNS"])
    for row in rows():
        writer.writerow(row.get(name) or "" for name in make311["COLUMNS"])
    with open(os.path.join(directory, "la311-2020-jan.csv"), "w", encoding="utf-8", newline="") as file:
        file.write(out.getvalue().removesuffix("\r\n"))
