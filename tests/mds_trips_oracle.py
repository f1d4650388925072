"""mds_trips_oracle - mutated trips, and what mds-trips has to make of each, computed without it.

    mds_trips_oracle.py make SCHEMAS RULES...         writes m-RULES.ndjson, one mutant a line, and m-RULES.want, the
                                                      verdicts; prints a line for each
    mds_trips_oracle.py agree SCHEMAS OTHERS RULES... whether both schemas give the same verdict on every mutant: "agrees"
                                                      in the line of each, or "differs"
    mds_trips_oracle.py compare NAME OUT REJECTS      holds what mds-trips made of them against that; prints what differs
    mds_trips_oracle.py ids N                         trips with N integer ids, and on descriptor 3 the UUIDs that they become
    mds_trips_oracle.py times N                       lines of UNIT NUMBER ISO

RULES is old, or a version.  A mutant is good if the JSON Schema of its version takes it (SCHEMAS: the directory of
versions; `old` is read out of the description of Austin's loader) and if a flat record can be made of it.  Runs
with /usr/bin/python3, whose jsonschema is Debian's.
"""
import copy
import decimal
import json
import os
import pickle
import random
import sys
import uuid
from datetime import datetime, timedelta, timezone

SECRET = "a secret of 4711"     # in values: must not come back in a reason
PROVIDER = "0309585e-599f-4e57-ac85-ffffffffffff"
DELETE = object()


def point(at, lon, lat, full):
    feature = {"type": "Feature", "properties": {"timestamp": at}, "geometry": {"type": "Point", "coordinates": [lon, lat]}}
    if full:
        feature["bbox"] = [1, 2, 3, 4]
        feature["id"] = "f1"
        feature["geometry"]["bbox"] = [1.5, 2, 3, 4, 5]
        feature["properties"] |= {"stop_id": PROVIDER, "altitude": 1.5, "heading": 9, "speed": 0, "accuracy": 1, "hdop": 2.5,
                                  "satellites": 7, "other": SECRET}
    return feature


def a_trip(rules):
    """A good trip with all that the rules know."""
    unit = 1 if rules == "0.2" else 1000
    start, end = 1581433705 * unit, 1581434662 * unit + 250 * (unit > 1)
    trip = {
        "provider_id": PROVIDER, "provider_name": "Sample Co", "device_id": "da9e067b-7b40-4d2d-8053-aaaaaaaaaaaa",
        "vehicle_id": "VID120SF", "vehicle_type": "scooter", "propulsion_type": ["electric"],
        "trip_id": "b3ca5c86-7f45-4544-bf58-111111111111", "trip_duration": 957, "trip_distance": 1879,
        "route": {"type": "FeatureCollection", "bbox": [1, 2, 3, 4],
                  "features": [point(start, -97.738363, 30.2667, True), point(end, -97.74, 30.26, False),
                               point(end, -97.738561, 30.25, False)]},
        "accuracy": 5, "start_time": start, "end_time": end, "parking_verification_url": "https://example.com/1.jpg",
        "standard_cost": 330, "actual_cost": 300,
    }
    if rules != "0.2":
        trip["publication_time"] = end
    if rules not in ("0.2", "0.3"):
        trip["currency"] = "USD"
    if rules[0] in "12":
        trip["propulsion_types"] = trip.pop("propulsion_type")
    if rules == "old":
        trip |= {"start": "x", "end": None, "start_latitude": 1, "council_district_end": "7"}
    if rules == "2.0":
        for name in "provider_name", "vehicle_id", "vehicle_type", "propulsion_types", "accuracy", "route":
            del trip[name]
        trip["duration"], trip["distance"] = trip.pop("trip_duration"), trip.pop("trip_distance")
        place = {"lat": 30.2667, "lng": -97.738363, "altitude": 1.5, "heading": 9, "speed": 0, "horizontal_accuracy": 1,
                 "vertical_accuracy": 2, "satellites": 3, "other": SECRET}
        trip |= {"start_location": place, "end_location": {"lng": -97.75, "lat": 30.5}, "data_provider_id": PROVIDER,
                 "journey_id": PROVIDER, "journey_attributes": {}, "trip_type": "rider", "trip_attributes": {"a": 1},
                 "fare_attributes": {}, "accessibility_attributes": ["wav"], "parking_category": "curb"}
    return trip


VALUES = [
    DELETE, None, True, False, 0, 1, -1, 0.5, 957.0, 957.5, 1e30, -0.0, 181, -180, -180.5, 90, 90.5, -97.7, 4711,
    1514764799999, 1514764800000, 1581433705, 1581433705.25, 1581433705123.0, 1581433705123.5, 99999999, 100000000, 99999999999,
    100000000000, 99999999999999, 100000000000000, 10**25,
    "", SECRET, "a\nb", "x" * 255, "x" * 256, "é" * 255, "é" * 256, PROVIDER, PROVIDER.upper(), PROVIDER + "0", PROVIDER[:-1],
    "0309585e599f4e57ac85ffffffffffff", "https://", "https://x\ny", "http://example.com", "ftp://" + SECRET,
    "USD", "usd", "USDX", "EU", "scooter", "bicycle", "car", "moped", "other", "cargo_bicycle", "curb", "invalid", "human", "Point",
    "Feature", "FeatureCollection",
    [], [1], [1, 2], [1, 2, 3], [1, 2, 3, 4], [1, "2"], [None, 2], [-97.7, 30.25, SECRET], [30.25, -97.7], [200, 0],
    ["electric"], ["human", "electric_assist", "combustion"], ["electric", "electric"], ["electric", SECRET], ["electric", 1],
    [{}], [[]], {}, {"a": SECRET}, {"type": "Point", "coordinates": [1, 2]}, {"timestamp": 1581433705000},
    {"lat": 1, "lng": 2}, {"lat": 91, "lng": 2}, {"lat": "1", "lng": 2},
]


def paths(value, before=()):
    if before:
        yield before
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from paths(item, before + (key,))


def at_path(trip, path):
    for key in path:
        trip = trip[key]
    return trip


def mutants(trip):
    """Pairs of a path and a trip that is another there."""
    whole = pickle.dumps(trip)          # which is copied faster than the trip
    yield (), trip
    for path in paths(trip):
        for value in VALUES:
            mutant = pickle.loads(whole)
            holder = at_path(mutant, path[:-1])
            if value is DELETE:
                del holder[path[-1]]
            else:
                holder[path[-1]] = value
            yield path, mutant
    for path in [(), *paths(trip)]:
        if isinstance(at_path(trip, path), (dict, list)):
            mutant = pickle.loads(whole)
            holder = at_path(mutant, path)
            if isinstance(holder, dict):
                holder["extra"] = SECRET
                yield path + ("extra",), mutant
            else:
                holder.append(copy.deepcopy(holder[0]))
                yield path + (len(holder) - 1,), mutant
    for optional in "publication_time", "currency", "propulsion_type", "propulsion_types", "vehicle_id", "start", "route":
        if optional not in trip:        # of another version
            yield (optional,), trip | {optional: SECRET}


# ---- the rules ----

UUID_2_0 = {"type": "string", "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"}
TIME_2_0 = {"type": "number", "multipleOf": 1.0, "minimum": 1514764800000}
GPS_2_0 = {
    "type": "object", "required": ["lat", "lng"],
    "properties": {"lat": {"type": "number", "minimum": -90, "maximum": 90},
                   "lng": {"type": "number", "minimum": -180, "maximum": 180}, "satellites": {"type": ["integer", "null"]}}
    | {name: {"type": ["number", "null"]} for name in ("altitude", "heading", "speed", "horizontal_accuracy", "vertical_accuracy")},
}


def or_null(rule):
    return {"anyOf": [rule, {"type": "null"}]}


# Trips in data-types.md of 2.0: what is required, and what is not.
NEEDED_2_0 = {
    "provider_id": UUID_2_0, "device_id": UUID_2_0, "trip_id": UUID_2_0, "start_time": TIME_2_0, "end_time": TIME_2_0,
    "start_location": GPS_2_0, "end_location": GPS_2_0, "duration": {"type": "integer"}, "distance": {"type": "integer"},
}
OPTIONAL_2_0 = {
    "data_provider_id": UUID_2_0, "journey_id": UUID_2_0, "journey_attributes": {"type": "object"},
    "trip_type": {"type": "string"}, "trip_attributes": {"type": "object"}, "fare_attributes": {"type": "object"},
    "publication_time": TIME_2_0, "accessibility_attributes": {"type": "array"},
    "parking_verification_url": {"type": "string"},
    "parking_category": {"enum": ["corral", "curb", "rack", "other_valid", "invalid"]},
    "standard_cost": {"type": "integer"}, "actual_cost": {"type": "integer"},
    "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
}
TRIP_2_0 = {
    "type": "object", "additionalProperties": False, "required": list(NEEDED_2_0),
    "properties": NEEDED_2_0 | {name: or_null(rule) for name, rule in OPTIONAL_2_0.items()},
}


def schema_of(rules, directory):
    """The payload's schema.  1.0 and 1.1 are 1.2 without what that one brought."""
    if rules == "2.0":
        return {"properties": {"data": {"properties": {"trips": {"items": TRIP_2_0}}}}}
    full = {"0.2": "0.2.1", "0.3": "0.3.2", "0.4": "0.4.1"}.get(rules, "1.2.0")
    with open(os.path.join(directory, full, "trips.json"), encoding="utf-8") as file:
        schema = json.load(file)
    if rules in ("1.0", "1.1"):
        of = schema["definitions"]
        of["timestamp"]["minimum"] = 0
        of["vehicle_type"]["enum"].remove("cargo_bicycle")
        feature = of["MDS_Feature_Point"]["properties"]
        del feature["id"]
        feature["properties"]["properties"] = {name: feature["properties"]["properties"][name]
                                               for name in ("timestamp", "stop_id")}
        of["version"]["pattern"] = of["version"]["pattern"].replace("1\\.2", rules.replace(".", "\\."))
    return schema


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_string(value):
    return isinstance(value, str)


OLD = {                 # mds.md, section 4: type, may be left out and null
    **{name: (is_string, False) for name in ("provider_id", "provider_name", "device_id", "vehicle_id", "vehicle_type", "trip_id")},
    "propulsion_type": (lambda value: isinstance(value, list), False), "route": (lambda value: isinstance(value, dict), False),
    **{name: (is_number, False) for name in ("trip_duration", "trip_distance", "accuracy", "start_time", "end_time")},
    **{name: (is_number, True) for name in ("standard_cost", "actual_cost", "publication_time")},
    **{name: (is_string, True) for name in ("parking_verification_url", "currency", "start", "end")},
}
# What the loader has put in itself by the time that it looks: of no account before.
OLD_DERIVED = {"start_latitude", "start_longitude", "end_latitude", "end_longitude", "council_district_start",
               "council_district_end", "orig_cell_id", "dest_cell_id", "census_geoid_start", "census_geoid_end"}


def old_takes(trip):
    for name, (good, optional) in OLD.items():
        if name not in trip and optional:
            continue
        value = trip.get(name)
        if not (good(value) or (optional and value is None)):
            return False
    return set(trip) <= set(OLD) | OLD_DERIVED


class Memory:
    """Verdicts by the text of the rule and the value.  Most of a mutant is as in the one before, and most rules of a version are
    as in the one before, so that one memory serves all of them."""

    def __init__(self):
        self.numbers, self.rules, self.verdicts = {}, {}, {}

    def number(self, rule):
        if id(rule) not in self.rules:          # which is kept, and with it the id
            text = json.dumps(rule, sort_keys=True)
            self.rules[id(rule)] = self.numbers.setdefault(text, len(self.numbers)), rule
        return self.rules[id(rule)][0]

    def takes(self, validator, rule, value, name=None):
        if name in ("data", "trips"):           # around the trip, and never the same
            return next(validator.descend(value, rule), None) is None
        key = self.number(rule), repr(value)
        if key not in self.verdicts:
            self.verdicts[key] = next(validator.descend(value, rule), None) is None
        return self.verdicts[key]


def validator_of(schema, memory):
    """jsonschema's, which asks the memory about each member of an object and each item of an array."""
    import jsonschema
    items_of = jsonschema.Draft6Validator.VALIDATORS["items"]

    def properties(validator, rules, value, schema):
        if isinstance(value, dict):
            for name in rules.keys() & value.keys():
                if not memory.takes(validator, rules[name], value[name], name):
                    yield jsonschema.ValidationError(name)

    def items(validator, rule, value, schema):
        if isinstance(value, list) and isinstance(rule, dict):
            for item in value:
                if not memory.takes(validator, rule, item):
                    yield jsonschema.ValidationError("item")
        else:
            yield from items_of(validator, rule, value, schema)

    return jsonschema.validators.extend(jsonschema.Draft6Validator, {"properties": properties, "items": items})(schema)


def without_references(schema, definitions):
    """Draft 6 ignores what stands beside a $ref."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            name = schema["$ref"].removeprefix("#/definitions/")
            return without_references(definitions[name], definitions)
        return {name: without_references(rule, definitions) for name, rule in schema.items() if name != "definitions"}
    return [without_references(rule, definitions) for rule in schema] if isinstance(schema, list) else schema


def judge_of(rules, directory, memory):
    if rules == "old":
        return old_takes
    schema = schema_of(rules, directory)
    validator = validator_of(without_references(schema, schema.get("definitions")), memory)
    version = {"0.2": "0.2.1", "0.3": "0.3.2", "0.4": "0.4.1"}.get(rules, rules + ".0")
    return lambda trip: validator.is_valid({"version": version, "data": {"trips": [trip]}})


# ---- the flat record ----

COLUMNS = """trip_id provider_id provider_name device_id vehicle_id vehicle_type propulsion_type trip_duration trip_distance accuracy
start_time end_time publication_time standard_cost actual_cost currency parking_verification_url start_longitude start_latitude
end_longitude end_latitude""".split()
NAMES_2_0 = {"trip_duration": "duration", "trip_distance": "distance"}
LATER = {"0.2": {"publication_time", "currency"}, "0.3": {"currency"}}         # fields that the version has not


def iso(number, unit):
    """ISO 8601 of a time since 1970; None where it is no time of this unit.  A number is a float, an int or its text."""
    seconds = decimal.Decimal(repr(number) if not isinstance(number, str) else number)
    low, high = (10**8, 10**11) if unit == "s" else (10**11, 10**14)
    if not low <= seconds < high:
        return None
    usec = int((seconds * (10**6 if unit == "s" else 1000)).to_integral_value(decimal.ROUND_HALF_UP))
    at = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=usec)
    digits = f".{at.microsecond:06d}" if at.microsecond % 1000 else f".{at.microsecond // 1000:03d}" if at.microsecond else ""
    return at.strftime("%Y-%m-%dT%H:%M:%S") + digits + "Z"


def point_of(trip, rules, which):
    if rules == "2.0":
        place = trip["start_location" if which == 0 else "end_location"]
        at = [place["lng"], place["lat"]]
    else:
        features = trip["route"]["features"]
        if not isinstance(features, list) or len(features) < 2:
            raise ValueError
        at = features[which]["geometry"]["coordinates"]
        if not isinstance(at, list):
            raise ValueError
    lon, lat = at[:2]
    if not (is_number(lon) and is_number(lat) and abs(lon) <= 180 and abs(lat) <= 90):
        raise ValueError
    return lon, lat


def flat(trip, rules):
    """The record, or None where there is none to be made."""
    flat_trip = {}
    for name in COLUMNS[:17]:
        flat_trip[name] = None if name in LATER.get(rules, ()) else trip.get(NAMES_2_0.get(name, name) if rules == "2.0" else name)
    if rules[0] == "1":
        flat_trip["propulsion_type"] = trip.get("propulsion_types")
    for name in "start_time", "end_time", "publication_time":
        if flat_trip[name] is not None:
            flat_trip[name] = iso(flat_trip[name], "s" if rules == "0.2" else "ms")
            if flat_trip[name] is None:
                return None
    try:
        for which, end in (0, "start"), (-1, "end"):
            flat_trip[end + "_longitude"], flat_trip[end + "_latitude"] = point_of(trip, rules, which)
    except (KeyError, TypeError, ValueError, IndexError):
        return None
    return flat_trip


# ---- commands ----

def dotted(path):
    text = ""
    for key in path:
        text += f"[{key}]" if isinstance(key, int) else ("." if text else "") + key
    return text


def make(directory, *versions):
    memory = Memory()
    for rules in versions:
        takes = judge_of(rules, directory, memory)
        good = bad = 0
        name = "m-" + rules
        with open(name + ".ndjson", "w", encoding="utf-8") as lines, open(name + ".want", "w", encoding="utf-8") as wants:
            for path, trip in mutants(a_trip(rules)):
                by_rules = takes(trip)
                record = flat(trip, rules) if by_rules else None
                good, bad = good + (record is not None), bad + (record is None)
                print(json.dumps(trip), file=lines)
                print(json.dumps({"path": dotted(path), "by_rules": by_rules, "record": record}), file=wants)
        print(f"{rules}: {good} good, {bad} bad")


def agree(ours, theirs, *versions):
    memory = Memory()
    for rules in versions:
        agree_on(rules, judge_of(rules, ours, memory), judge_of(rules, theirs, memory))


def agree_on(rules, ours, theirs):
    good = bad = wrong = 0
    for path, trip in mutants(a_trip(rules)):
        verdict = ours(trip)
        good, bad = good + verdict, bad + (not verdict)
        if verdict != theirs(trip):
            wrong += 1
            print(f"{rules}: {dotted(path)}: {json.dumps(trip)[:300]}: {verdict} by ours")
    print(f"{rules}: {'differs' if wrong or not good or not bad else 'agrees'}: {good} good, {bad} bad, {wrong} judged otherwise")


def compare(name, out, rejects):
    """Each mutant's verdict, record and reason.  A reason names the field that is another, or one around or in it."""
    with open(rejects, encoding="utf-8") as file:
        refused = {reject["line"]: reject for reject in map(json.loads, file)}
    wrong = 0
    with open(name + ".want", encoding="utf-8") as wants, open(out, encoding="utf-8") as records:
        for line, want in enumerate(map(json.loads, wants), 1):
            reject = refused.pop(line, None)
            what = None
            if want["record"] is None and reject is None:
                what = f"taken, but {'a flat record cannot be made' if want['by_rules'] else 'the rules refuse it'}"
                records.readline()
            elif want["record"] is not None and reject is not None:
                what = "refused: " + reject["reason"]
            elif reject is None:
                got = json.loads(records.readline())
                if got != want["record"] or list(got) != COLUMNS:
                    what = f"flat record {got}"
            else:
                column, path = reject["column"] or "", want["path"]
                if not column or not (path.startswith(column) or column.startswith(path)):
                    what = f"the reason is of {column}"
                elif "4711" in column + reject["reason"] or "secret" in column + reject["reason"]:
                    what = "the reason has the value: " + reject["reason"]
            if what:
                wrong += 1
                print(f"{name} {line}, {want['path']}: {what}")
        if records.readline() or refused:
            wrong += 1
            print(f"{name}: more than the mutants came out")
    return 1 if wrong else 0


def mapped(n, provider):
    """The UUID of an integer id, as the loader's text operations made it."""
    text = str(uuid.UUID(int=n))
    at = next(i for i, c in enumerate(text) if c not in "0-")
    return provider[:at] + text[at:]


def ids(n):
    r = random.Random(n)
    numbers = [1, 104865, 99999999, 15, 16, 2**48 - 1, 2**48, 2**64, 2**128 - 1, 16**31]
    numbers += [r.getrandbits(1 + i % 128) or 1 for i in range(n)]
    with os.fdopen(3, "w") as want:
        for number in numbers:
            provider = str(uuid.UUID(int=r.getrandbits(128)))
            provider = provider.upper() if number % 3 == 0 else PROVIDER if number < 10**8 else provider
            trip = a_trip("old") | {"provider_id": provider, "provider_name": "VeoRide INC.", "trip_id": number,
                                    "device_id": number ^ 1 or 5, "vehicle_id": number}
            print(json.dumps(trip))
            print(mapped(number, provider), mapped(number ^ 1 or 5, provider), str(number), file=want)


def times(n):
    r = random.Random(n)
    for i in range(n):
        unit = "s" if i % 2 else "ms"
        number = str(r.randrange(10**8, 10**11) * (1 if unit == "s" else 1000) + r.randrange(1000))
        if i % 3 == 0:
            number += "." + str(r.randrange(10**r.randrange(1, 10)))
        if i % 5 == 0:
            number = f"{decimal.Decimal(number):e}"
        text = iso(number, unit)
        if text:
            print(unit, number, text)


COMMANDS = {"make": make, "agree": agree, "compare": compare, "ids": lambda n: ids(int(n)), "times": lambda n: times(int(n))}
sys.exit(COMMANDS[sys.argv[1]](*sys.argv[2:]))
