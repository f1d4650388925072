#!/usr/bin/env python3
"""same311 - does a table hold what the source files say?  An independent reading, by Python's csv module.

    same311.py TABLE.csv SOURCE.csv ...      [--dates FORMAT: of the sources; else ISO]

TABLE.csv is the table by COPY ... CSV HEADER.  Rows go by srnumber; each column of the table is compared.
"""
import argparse
import csv
import sys
from datetime import datetime

parser = argparse.ArgumentParser()
parser.add_argument("table")
parser.add_argument("sources", nargs="+")
parser.add_argument("--dates")
args = parser.parse_args()


def read(path):
    with open(path, newline="", encoding="utf-8-sig") as f:
        return {row["srnumber"]: row for row in csv.DictReader(f)}


def value(column, text, dates):
    if text == "":
        return None
    if column.endswith("date"):
        return datetime.strptime(text, dates) if dates else datetime.fromisoformat(text)
    if column in ("latitude", "longitude"):
        return float(text)
    return text


table = read(args.table)
source = {}
for path in args.sources:
    source.update(read(path))
wrong = [f"only in one: {key}" for key in table.keys() ^ source.keys()]
for key in table.keys() & source.keys():
    for column, text in table[key].items():
        got, wanted = value(column, text, None), value(column, source[key][column], args.dates)
        if got != wanted:
            wrong.append(f"{key} {column}: wanted {wanted!r}, got {got!r}")
for line in wrong[:20]:
    print(line)
print(f"{len(source)} rows, {len(wrong)} differences")
sys.exit(1 if wrong or not source else 0)
