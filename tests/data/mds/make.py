"""What MDS providers send, as rules and as examples: JSON Schemas of our own for four versions, and single trips.

The schemas say what the specification's tables and text ask for and nothing else.  They are not the files that the specification
publishes; where those are present, mds-trips.t and servers-mds.t hold the verdicts of both against each other.
"""
import copy
import json
import os

VERSIONS = "0.2.1", "0.3.2", "0.4.1", "1.2.0"
YEAR_2018 = 1514764800000       # ms; 1.2 knows no earlier time

LINE = {"type": "string", "pattern": "^.*$"}
NUMBER, INTEGER, TEXT = {"type": "number"}, {"type": "integer"}, {"type": "string"}
AMOUNT = {"type": ["integer", "null"]}
SHARE = {"type": ["number", "null"], "minimum": 0, "maximum": 1}
BOX = {"type": "array", "minItems": 4, "items": NUMBER}
NULL_OR_TEXT = {"type": ["string", "null"]}
ENGINES = {"enum": ["human", "electric_assist", "electric", "combustion"]}
UUID = {"type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"}
LINKS = {"type": "object", "required": ["next"], "additionalProperties": False,
         "properties": {"next": {"type": ["string", "null"], "pattern": "^.*$"}} | dict.fromkeys(("first", "prev", "last"), NULL_OR_TEXT)}
TTL = {"type": "integer", "minimum": 0, "maximum": 300000}


def ref(name):
    return {"$ref": "#/definitions/" + name}


def known(value, **properties):
    """An object of that type word, with these members among others."""
    return {"type": "object", "required": ["type", *properties], "properties": {"type": {"enum": [value]}} | properties | {"bbox": BOX}}


def definitions(version):
    point = {"type": "array", "minItems": 2, "items": NUMBER}
    if version >= "0.4":
        point |= {"maxItems": 2, "items": [{"type": "number", "minimum": -180, "maximum": 180}, {"type": "number", "minimum": -90, "maximum": 90}]}
    stamped = {"type": "object", "required": ["timestamp"], "properties": {"timestamp": ref("timestamp")}}
    feature = known("Feature", properties=stamped, geometry=known("Point", coordinates=point))
    if version >= "1.2":
        stamped["properties"] |= {"stop_id": ref("uuid"), "satellites": INTEGER} | dict.fromkeys(("altitude", "heading", "speed", "accuracy", "hdop"), NUMBER)
        feature["properties"]["id"] = {"type": ["number", "string"]}
    vehicles = {"0.2.1": [], "0.3.2": [], "0.4.1": ["car", "moped"], "1.2.0": ["car", "moped", "cargo_bicycle", "other"]}[version]
    return {
        "uuid": UUID, "version": {"type": "string", "pattern": "^" + version[:3].replace(".", "\\.") + "\\.[0-9]+$"},
        "timestamp": {"type": "number", "minimum": YEAR_2018 if version >= "1.2" else 0} | ({"multipleOf": 1} if version >= "0.3" else {}),
        "vehicle_type": {"enum": ["bicycle", "scooter", *vehicles]},
        "engines": {"type": "array", "items": ENGINES} | ({"uniqueItems": True} if version >= "1" else {"minItems": 1}),
        "line": LINE | ({"maxLength": 255} if version >= "1" else {}),
        "MDS_Feature_Point": feature,
        "route": known("FeatureCollection", features={"type": "array", "minItems": 2, "items": ref("MDS_Feature_Point")}),
    }


def record(version, needed, optional, *rules):
    vehicle = {"provider_id": ref("uuid"), "provider_name": ref("line"), "device_id": ref("uuid"), "vehicle_id": ref("line"),
               "vehicle_type": ref("vehicle_type"), "propulsion_types" if version >= "1" else "propulsion_type": ref("engines")}
    made = {"type": "object", "required": [*vehicle, *needed], "properties": vehicle | needed | optional}
    return made | ({"allOf": list(rules)} if rules else {})


def payload(version, member, of, links, more=None, closed=True):
    data = {"type": "object", "required": [member], "properties": {member: {"type": "array", "items": of}}}
    if closed:
        data["additionalProperties"] = False
    more = more or {}
    return {"$schema": "http://json-schema.org/draft-06/schema#", "definitions": definitions(version),
            "type": "object", "required": ["version", "data", *more], "additionalProperties": False,
            "properties": {"version": ref("version"), "data": data} | more | ({"links": LINKS} if links else {})}


def trips(version):
    time = ref("timestamp") if version >= "0.3" else NUMBER
    needed = {"trip_id": ref("uuid"), "trip_duration": INTEGER, "trip_distance": INTEGER, "route": ref("route"), "accuracy": INTEGER,
              "start_time": time, "end_time": time}
    optional = {"standard_cost": AMOUNT, "actual_cost": AMOUNT,
                "parking_verification_url": NULL_OR_TEXT | ({} if version >= "1" else {"pattern": "^https://.*$"})}
    if version >= "0.3":
        optional["publication_time"] = time
    if version >= "0.4":
        optional["currency"] = NULL_OR_TEXT | ({"pattern": "^[A-Z]{3}$"} if version >= "1" else {})
    of = record(version, needed, optional)
    if version >= "1":
        of["additionalProperties"] = False
    return payload(version, "trips", of, version < "0.4", closed=version >= "1")


# What may be the reason of a state, and from 1.0 which event leads to it.
REASONS = {
    "available": "service_start user_drop_off rebalance_drop_off maintenance_drop_off", "reserved": "user_pick_up",
    "unavailable": "low_battery maintenance", "removed": "service_end rebalance_pick_up maintenance_pick_up",
}
ALWAYS = "unspecified"
SEEN_AGAIN = "comms_restored located"
STATES = {
    "available": f"agency_drop_off battery_charged maintenance on_hours provider_drop_off reservation_cancel system_resume trip_cancel trip_end {SEEN_AGAIN}",
    "elsewhere": f"trip_leave_jurisdiction {SEEN_AGAIN}", "non_operational": f"battery_low maintenance off_hours system_suspend {SEEN_AGAIN}",
    "on_trip": f"trip_enter_jurisdiction trip_start {SEEN_AGAIN}",
    "removed": f"agency_pick_up compliance_pick_up decommissioned maintenance_pick_up rebalance_pick_up {SEEN_AGAIN}",
    "reserved": f"reservation_start {SEEN_AGAIN}", "unknown": "comms_lost missing",
}
OF_TRIPS = ["trip_cancel", "trip_end", "trip_enter_jurisdiction", "trip_leave_jurisdiction", "trip_start"]


def state(version, last=""):
    """The members that say what happened, and how they go together."""
    if version >= "1":
        every = sorted({word for words in STATES.values() for word in words.split()} | {ALWAYS})
        members = {last + "vehicle_state": {"enum": list(STATES)},
                   last + "event_types": {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"enum": every}}}
        pairs = [{"properties": {last + "vehicle_state": {"const": name}, last + "event_types": {"contains": {"enum": [*words.split(), ALWAYS]}}}}
                 for name, words in STATES.items()]
        return members, {"oneOf": pairs}
    reasons = {name: words.split() for name, words in REASONS.items()}
    if version >= "0.3":
        reasons["available"].append("agency_drop_off")
        reasons["removed"].append("agency_pick_up")
    if last:            # a vehicle that was taken away is not among them
        del reasons["removed"]
    pairs = [{"properties": {last + "event_type": {"const": name}, last + "event_type_reason": {"enum": words}}} for name, words in reasons.items()]
    return {last + "event_type": TEXT, last + "event_type_reason": TEXT}, {"oneOf": pairs}


def status_changes(version, links):
    members, pairs = state(version)
    time = ref("timestamp") if version >= "0.3" else NUMBER
    optional = {"battery_pct": SHARE}
    rules = [pairs]
    if version < "0.3":
        optional["associated_trips"] = {"type": ["array", "null"], "items": ref("uuid")}
    else:
        trip = "trip_id" if version >= "1" else "associated_trip"
        optional |= {"publication_time": time, trip: ref("uuid")}
        of_trip = {"event_types": {"contains": {"enum": OF_TRIPS}}} if version >= "1" else {"event_type_reason": {"enum": ["user_pick_up", "user_drop_off"]}}
        # 0.3 wants one of the two and not both, later versions at least one
        rules.append({"oneOf" if version < "0.4" else "anyOf": [{"not": {"properties": of_trip}}, {"required": [trip]}]})
    if version >= "0.4":
        optional["associated_ticket"] = ref("line") if version >= "1" else TEXT
    of = record(version, {"event_time": time, "event_location": ref("MDS_Feature_Point")} | members, optional, *rules)
    if version >= "1":
        of["additionalProperties"] = False
    return payload(version, "status_changes", of, links)


def vehicles(version):
    members, pairs = state(version, "last_")
    of = record(version, {"last_event_time": ref("timestamp"), "last_event_location": ref("MDS_Feature_Point")} | members,
                {"current_location": ref("MDS_Feature_Point"), "battery_pct": SHARE}, pairs)
    return payload(version, "vehicles", of, True, {"last_updated": ref("timestamp"), "ttl": TTL})


def schemas():
    for version in VERSIONS:
        yield version, "trips", trips(version)
        yield version, "status_changes", status_changes(version, version < "0.4")
        if version >= "0.4":
            yield version, "events", status_changes(version, True)
            yield version, "vehicles", vehicles(version)


# ---- trips ----

def point(when, lon, lat):
    return {"type": "Feature", "properties": {"timestamp": when}, "geometry": {"type": "Point", "coordinates": [lon, lat]}}


def sample():
    start, end = 1581433705000, 1581434662000
    return {
        "provider_id": "0309585e-599f-4e57-ac85-ffffffffffff", "provider_name": "sample_co", "device_id": "da9e067b-7b40-4d2d-8053-aaaaaaaaaaaa",
        "vehicle_id": "VID120SF", "vehicle_type": "scooter", "propulsion_type": ["electric"], "trip_id": "b3ca5c86-7f45-4544-bf58-111111111111",
        "trip_duration": 957, "trip_distance": 1879,
        "route": {"type": "FeatureCollection", "features": [point(start, -97.738363, 30.2667), point(end, -97.742561, 30.2701)]},
        "accuracy": 3, "start_time": start, "end_time": end, "standard_cost": 330, "actual_cost": 330, "publication_time": end + 60000}


def samples():
    """Each with the members that a loader may meet or miss."""
    yield "valid", sample()
    yield "valid_long", sample() | {"parking_verification_url": "https://scooters.example/parked/at/the/kerb.jpg", "currency": "USD"}
    optional = "standard_cost", "actual_cost", "publication_time"
    short = {key: value for key, value in sample().items() if key not in optional} | {"provider_name": "VeoRide INC."}
    yield "valid_short", short
    yield "not_valid", {key: value for key, value in sample().items() if key not in ("provider_name", "propulsion_type")}


def of_version(version):
    trip = sample()
    if version < "0.3":
        del trip["publication_time"]
        for name in "start_time", "end_time":
            trip[name] /= 1000
        for one in trip["route"]["features"]:
            one["properties"]["timestamp"] /= 1000
    if version >= "1":
        trip["propulsion_types"] = trip.pop("propulsion_type")
    return trip


# The member that is wrong, what becomes of it, and in which versions that is wrong; elsewhere the trip is good.
FAULTS = [
    ("vehicle_type", "moped", "<0.4"), ("vehicle_type", "cargo_bicycle", "<1"), ("vehicle_type", "tandem", ""), ("device_id", None, ""),
    ("trip_id", "B3CA5C86-7F45-4544-BF58-111111111111", ""), ("trip_duration", 957.5, ""), ("accuracy", "3", ""), ("standard_cost", 3.3, ""),
    ("currency", "usd", ">=1"), ("currency", 5, ">=0.4"), ("surplus", 1, ">=1"), ("provider_name", "two\nlines", ""), ("provider_name", "x" * 256, ">=1"),
    ("parking_verification_url", "http://scooters.example/", "<1"), ("start_time", "2020-02-11", ""), ("start_time", 1500000000000, ">=1"),
    ("publication_time", 1581434662000.5, ">=0.3"), ("route", {"type": "FeatureCollection", "features": []}, ""), ("route", None, ""),
]


def is_wrong(version, versions):
    return not versions or (version < versions[1:] if versions[0] == "<" else version >= versions[2:])


def by_version():
    """Lines of a trip with its version, and the member for which it is to be refused, or null."""
    for version in VERSIONS:
        yield {"version": version, "wrong": None, "trip": of_version(version)}
        for name, value, versions in FAULTS:
            if version < "0.3" and name == "start_time" and value == 1500000000000:
                continue        # of 0.2, which has seconds
            trip = copy.deepcopy(of_version(version)) | {name: value}
            yield {"version": version, "wrong": name if is_wrong(version, versions) else None, "trip": trip}


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def make(directory):
    for version, name, schema in schemas():
        os.makedirs(os.path.join(directory, "schema", version), exist_ok=True)
        with open(os.path.join(directory, "schema", version, name + ".json"), "w", encoding="utf-8") as file:
            json.dump(schema, file, separators=(",", ":"))
            file.write("\n")
    for name, trip in samples():
        with open(os.path.join(directory, f"trip_sample_data_{name}.json"), "w", encoding="utf-8") as file:
            json.dump(trip, file, indent=1)
            file.write("\n")
    with open(os.path.join(directory, "trips.ndjson"), "w", encoding="utf-8") as file:
        file.writelines(compact(line) + "\n" for line in by_version())
