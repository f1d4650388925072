#!/usr/bin/env python3
"""knack_oracle.py METADATA CONTAINER [--snake] - what knack-format should write, by the description of Record.format().

Written from that description alone, with another calendar (Python's zoneinfo) and another JSON reader than ours.  Reads raw
records, a JSON line each, and writes formatted ones.
"""
import datetime
import json
import sys
import zoneinfo

ADDRESS = ("street", "street2", "city", "state", "zip", "country")
MEMBER = {"email": "email", "link": "url", "phone": "full", "signature": "base30"}


def local_time(milliseconds, zone):
    """The wall clock that was written as if it were UTC, in the zone; at a change of the clock in standard time."""
    wall = datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=milliseconds)
    readings = [wall.replace(tzinfo=zone, fold=fold) for fold in (0, 1)]
    standard = [r for r in readings if not r.dst()] or readings
    instant = wall - standard[0].utcoffset()
    return instant.replace(tzinfo=datetime.timezone.utc).astimezone(zone).isoformat()


def text(value):
    return value if isinstance(value, str) else json.dumps(value)


def joined(values):
    return ", ".join(text(v) for v in values) if values else None


def people(kind, shown, raw, zone):
    value = raw
    if kind in ("name", "timer", "equation") and shown:
        value = shown
    if value is None:
        return None
    if kind == "timer":
        return value.replace("<span>", "").replace("</span>", "").replace("&nbsp;", "; ")
    if kind == "address":
        return joined([value[part] for part in ADDRESS if value.get(part)])
    if kind == "connection":
        return joined([link["identifier"] for link in value])
    if kind == "date_time":
        return local_time(int(value["unix_timestamp"]), zone)
    if kind in MEMBER:
        return value.get(MEMBER[kind])
    if kind in ("image", "file"):
        return value if isinstance(value, str) else value["url"]
    if isinstance(value, list):
        return joined([v for v in value if v is not None])
    return value


def wanted_fields(application, container):
    """(key, name, type) in the order of the metadata."""
    fields = [(o["key"], f["key"], f["name"], f["type"]) for o in application["objects"] for f in o["fields"]]
    for scene in application["scenes"]:
        for view in scene["views"]:
            if view["key"] == container:
                columns = {c["field"]["key"] for c in view["columns"] if c.get("field")}
                return [f[1:] for f in fields if f[1] in columns]
    return [f[1:] for f in fields if f[0] == container]


def format_record(record, fields, zone, snake):
    blank = {key: None if value in ("", []) else value for key, value in record.items()}
    made = {"id": record["id"]}
    for key, name, kind in fields:
        shown = blank.get(key)
        raw = blank[key + "_raw"] if key + "_raw" in blank else shown
        if name == "id":
            name = "_id"
        if snake:
            name = name.lower().replace(" ", "_").replace("-", "_")
        made[name] = people(kind, shown, raw, zone)
    return made


def main():
    application = json.load(open(sys.argv[1], encoding="utf-8"))["application"]
    zone = {"Central Time (US & Canada)": "America/Chicago"}.get(application["settings"]["timezone"])
    zone = zoneinfo.ZoneInfo(zone or application["settings"]["timezone"])
    fields = wanted_fields(application, sys.argv[2])
    for line in sys.stdin:
        record = json.loads(line)
        print(json.dumps(format_record(record, fields, zone, "--snake" in sys.argv), ensure_ascii=False, separators=(",", ":")))


if __name__ == "__main__":
    main()
