#!/usr/bin/env python3
"""mds_oracle - what the MDS flow should make of trips, by a reading that shares nothing with ours.

    mds_oracle.py trips DIRECTORY < trips of MDS 0.3, one a line > rows of api.trips, in the order of trip_id
    mds_oracle.py published ZONE < rows of api.trips with id, modified_date and device > rows of the dataset

DIRECTORY holds the polygons.  Points are judged in exact arithmetic.
"""
import datetime
import json
import sys
import zoneinfo
from fractions import Fraction

LAYERS = [("council_district", "start", "council_districts_simplified.json", "district_n", "council_district_start"),
          ("council_district", "end", "council_districts_simplified.json", "district_n", "council_district_end"),
          ("hexagon", "start", "hex1000.json", "id", "orig_cell_id"),
          ("hexagon", "end", "hex1000.json", "id", "dest_cell_id"),
          ("census", "start", "census_tracts_2010_simplified_20pct.json", "GEOID10", "census_geoid_start"),
          ("census", "end", "census_tracts_2010_simplified_20pct.json", "GEOID10", "census_geoid_end")]


def in_ring(x, y, ring):
    """1 inside, 0 on the border, -1 outside"""
    inside = False
    for (ax, ay), (bx, by) in zip(ring, ring[1:]):
        cross = (bx - ax) * (y - ay) - (by - ay) * (x - ax)
        if cross == 0 and min(ax, bx) <= x <= max(ax, bx) and min(ay, by) <= y <= max(ay, by):
            return 0
        if (ay > y) != (by > y) and (cross > 0) == (by > ay):
            inside = not inside
    return 1 if inside else -1


def in_polygon(x, y, rings):
    outer = in_ring(x, y, rings[0])
    if outer <= 0:
        return outer == 0
    return all(in_ring(x, y, hole) <= 0 for hole in rings[1:])


class Layer:
    def __init__(self, path, name):
        self.features = []
        for feature in json.load(open(path))["features"]:
            geometry = feature["geometry"]
            polygons = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
            exact = []
            for polygon in polygons:
                rings = [[(Fraction(p[0]), Fraction(p[1])) for p in ring] for ring in polygon]
                xs, ys = zip(*rings[0])
                exact.append((float(min(xs)), float(min(ys)), float(max(xs)), float(max(ys)), rings))
            self.features.append((exact, feature["properties"][name]))

    def at(self, lon, lat):
        for polygons, value in self.features:
            for west, south, east, north, rings in polygons:
                if west <= lon <= east and south <= lat <= north and in_polygon(Fraction(lon), Fraction(lat), rings):
                    return value
        return None


def moment(ms):
    if ms is None:
        return None
    return datetime.datetime.fromtimestamp(ms / 1000, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f+00:00")


def row_of(trip, layers):
    first, last = (trip["route"]["features"][n]["geometry"]["coordinates"] for n in (0, -1))
    row = {name: trip.get(name) for name in (
        "trip_id", "provider_id", "provider_name", "device_id", "vehicle_id", "vehicle_type", "propulsion_type",
        "trip_duration", "trip_distance", "accuracy", "standard_cost", "actual_cost", "currency", "parking_verification_url")}
    for name in ("start_time", "end_time", "publication_time"):
        row[name] = moment(trip.get(name))
    row |= {"start_longitude": first[0], "start_latitude": first[1], "end_longitude": last[0], "end_latitude": last[1]}
    ends = {"start": first, "end": last}
    for kind, end, _, _, column in LAYERS:
        row[column] = layers[kind].at(*ends[end][:2])
    return row


def published_of(row, zone):
    def utc(text):
        return datetime.datetime.fromisoformat(text).astimezone(datetime.timezone.utc)

    def plain(when):
        return when.strftime("%Y-%m-%dT%H:%M:%S")

    start, end = utc(row["start_time"]), utc(row["end_time"])
    places = {name: 0 if row[name] in (None, "None") else row[name] for name in (
        "council_district_start", "council_district_end", "census_geoid_start", "census_geoid_end")}
    return {"trip_id": row["id"], "device_id": row["device"], "vehicle_type": row["vehicle_type"],
            "trip_duration": row["trip_duration"], "trip_distance": row["trip_distance"],
            "start_time": plain(start), "end_time": plain(end), "modified_date": plain(utc(row["modified_date"])),
            "start_time_us_central": plain(start.astimezone(zone)), "end_time_us_central": plain(end.astimezone(zone)),
            "year": end.year, "month": end.month, "hour": end.hour, "day_of_week": end.weekday()} | places


def main():
    if sys.argv[1] == "trips":
        layers = {kind: Layer(f"{sys.argv[2]}/{file}", name) for kind, _, file, name, _ in LAYERS}
        rows = {trip["trip_id"]: row_of(trip, layers) for trip in map(json.loads, sys.stdin)}
        for key in sorted(rows):
            print(json.dumps(rows[key], sort_keys=True))
    else:
        zone = zoneinfo.ZoneInfo(sys.argv[2])
        for line in sys.stdin:
            print(json.dumps(published_of(json.loads(line), zone), sort_keys=True))


main()
