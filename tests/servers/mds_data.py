"""mds_data - trips in the form of MDS 0.3, what other versions make of them, made-up ones, and how to spoil them.

Times are ms since 1970 unless a name says otherwise.
"""
import bisect
import collections
import datetime
import hashlib
import json
import random
import re

HOUR = 3_600_000
FULL = {"0.2": "0.2.1", "0.3": "0.3.2", "0.4": "0.4.1", "1.0": "1.0.0", "1.1": "1.1.1", "1.2": "1.2.0", "2.0": "2.0.2"}
LONGEST = 40 * 60               # s of a made-up trip
SHAPES = 512                    # made-up trips differ in route and vehicle as often as this
FIRST_MARK = 9_000_000_000_000  # times in a template: this, plus 1 to 9
MARK_ID = "00000000-0000-4000-8000-00000000cafe"
MARK = re.compile(MARK_ID + r"|9000000000(\.?)00([1-9])")


def dumps(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def seconds(value):
    return value / 1000 if is_number(value) else value


def hour_text(ms):
    return datetime.datetime.fromtimestamp(ms // 1000, datetime.timezone.utc).strftime("%Y-%m-%dT%H")


def hour_of(text):
    """When an hour YYYY-MM-DDTHH begins, or None."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d", text, re.A):
        return None
    try:
        return int(datetime.datetime.strptime(text + "+0000", "%Y-%m-%dT%H%z").timestamp()) * 1000
    except ValueError:
        return None


# forms

def features(trip):
    route = trip.get("route")
    points = route.get("features") if isinstance(route, dict) else None
    return [point for point in points if isinstance(point, dict)] if isinstance(points, list) else []


def place(feature):
    """A feature's point as 2.0 has it."""
    at = (feature.get("geometry") or {}).get("coordinates") or []
    return {"lat": at[1], "lng": at[0]} if len(at) >= 2 else None


def old_form(trip):
    """0.2: seconds with a fraction, and nothing that came later."""
    made = {key: value for key, value in trip.items() if key not in ("publication_time", "currency")}
    for name in "start_time", "end_time":
        if name in made:
            made[name] = seconds(made[name])
    if features(trip):
        made["route"] = trip["route"] | {"features": [
            point | {"properties": {key: seconds(value) if key == "timestamp" else value
                                    for key, value in (point.get("properties") or {}).items()}} for point in features(trip)]}
    return made


def new_form(trip):
    """2.0: no route, no vehicle, other names."""
    gone = {"provider_name", "vehicle_id", "vehicle_type", "propulsion_type", "accuracy", "route"}
    names = {"trip_duration": "duration", "trip_distance": "distance"}
    made = {names.get(key, key): value for key, value in trip.items() if key not in gone}
    points = features(trip)
    if points:
        made["start_location"], made["end_location"] = place(points[0]), place(points[-1])
    return made


def in_form(trip, version):
    """The trip, or whatever has the members of one, as this version writes it.  Members that no version knows stay."""
    if version == "0.2":
        return old_form(trip)
    if version == "2.0":
        return new_form(trip)
    if version >= "1.0":
        return {"propulsion_types" if key == "propulsion_type" else key: value for key, value in trip.items()}
    return dict(trip)


# what else can be told of trips

def vehicle(trip, version):
    names = ("provider_name", "provider_id", "device_id", "vehicle_id", "vehicle_type", "propulsion_type")
    made = {name: trip[name] for name in names if name in trip}
    if version >= "1.0" and "propulsion_type" in made:
        made["propulsion_types"] = made.pop("propulsion_type")
    return made


def point_in(feature, when, version):
    return {"type": "Feature", "properties": {"timestamp": seconds(when) if version == "0.2" else when},
            "geometry": feature.get("geometry")}


def events(trip):
    """(time, is a start, feature) of the trip's two ends, where they have them."""
    points = features(trip)
    ends = ((trip.get("start_time"), True, points[0]), (trip.get("end_time"), False, points[-1])) if points else ()
    return [end for end in ends if is_number(end[0])]


def state(is_start, version, last=""):
    """The members that say what happened."""
    if version >= "1.0":
        return {last + "vehicle_state": "on_trip" if is_start else "available",
                last + "event_types": ["trip_start" if is_start else "trip_end"]}
    return {last + "event_type": "reserved" if is_start else "available",
            last + "event_type_reason": "user_pick_up" if is_start else "user_drop_off"}


def event(trip, when, is_start, feature, version):
    if version == "2.0":
        name = hashlib.sha1(f"{trip.get('trip_id')}{is_start}".encode()).hexdigest()
        return {"provider_id": trip.get("provider_id"), "device_id": trip.get("device_id"), "event_id": uuid_of(name),
                "timestamp": when, "location": place(feature), "trip_ids": [trip.get("trip_id")]} | state(is_start, version)
    made = vehicle(trip, version) | state(is_start, version) | {
        "event_time": seconds(when) if version == "0.2" else when, "event_location": point_in(feature, when, version)}
    if version == "0.2":
        return made | {"associated_trips": [trip.get("trip_id")]}
    return made | {"trip_id" if version >= "1.0" else "associated_trip": trip.get("trip_id")}


def last_seen(trip, version):
    """The vehicle as it stands after the trip."""
    points = features(trip)
    if not points:
        return None
    when = trip["end_time"]
    return vehicle(trip, version) | {"last_event_time": when, "last_event_location": point_in(points[-1], when, version)
                                     } | state(False, version, "last_")


def telemetry(trip):
    """(time, point) of the route in 2.0's form."""
    for at, feature in enumerate(features(trip)):
        when = (feature.get("properties") or {}).get("timestamp")
        if is_number(when):
            name = hashlib.sha1(f"{trip.get('trip_id')}/{at}".encode()).hexdigest()
            yield when, {"provider_id": trip.get("provider_id"), "device_id": trip.get("device_id"), "telemetry_id": uuid_of(name),
                         "timestamp": when, "trip_ids": [trip.get("trip_id")], "location": place(feature)}


def uuid_of(digits):
    """A UUID of version 4 out of 32 hexadecimal digits."""
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:32]}"


# made-up trips

class Template:
    """One shape of trip in one version as a text with holes."""

    def __init__(self, trip, version, after_end):
        """after_end: ms from the trip's end to each mark's time."""
        text = dumps(in_form(trip, version)).replace("%", "%%")
        marks = [match for match in MARK.finditer(text)]
        assert marks[0][0] == MARK_ID and all(match[2] for match in marks[1:])
        self.after = [after_end[int(match[2])] for match in marks[1:]]
        self.in_seconds = version == "0.2"
        self.text = MARK.sub(lambda match: "%s" if not match[2] else "%.3f" if match[1] else "%d", text)

    def fill(self, name, end):
        if self.in_seconds:
            return self.text % (name, *[(end + after) / 1000 for after in self.after])
        return self.text % (name, *[end + after for after in self.after])


class Maker:
    """N trips for each hour that they end in, the same whenever it is asked for.  The first ends as the hour begins and
    the last 1 ms before the next one does."""

    def __init__(self, provider_id, provider_name):
        self.provider = {"provider_id": provider_id, "provider_name": provider_name}
        rng = random.Random(provider_id)
        self.shapes = [self.shape(rng) for _ in range(SHAPES)]
        self.durations = [shape["trip_duration"] * 1000 for shape, _ in self.shapes]
        self.templates = {}

    def shape(self, rng):
        n = rng.randint(2, 6)
        duration = rng.randint(60, LONGEST)
        after = {1: -duration * 1000, 2: 0, 3: rng.randint(1, 3600) * 1000}
        stamps = [1, *range(4, 4 + n - 2), 2]
        for at in range(1, n - 1):
            after[stamps[at]] = -duration * 1000 + duration * 1000 * at // (n - 1)
        points = [[round(rng.uniform(-97.9, -97.6), 6), round(rng.uniform(30.1, 30.45), 6)] for _ in range(n)]
        is_scooter = rng.random() < 0.8
        trip = {"trip_id": MARK_ID} | self.provider | {
            "device_id": uuid_of(f"{rng.getrandbits(128):032x}"), "vehicle_id": f"V{rng.randint(0, 99999):05d}",
            "vehicle_type": "scooter" if is_scooter else "bicycle",
            "propulsion_type": ["electric"] if is_scooter else ["human", "electric_assist"],
            "trip_duration": duration, "trip_distance": rng.randint(0, 8000), "accuracy": rng.randint(0, 20),
            "start_time": FIRST_MARK + 1, "end_time": FIRST_MARK + 2, "publication_time": FIRST_MARK + 3,
            "standard_cost": 100 + duration // 60 * 15, "actual_cost": rng.choice((0, 100 + duration // 60 * 15)),
            "route": {"type": "FeatureCollection", "features": [
                {"type": "Feature", "properties": {"timestamp": FIRST_MARK + stamp},
                 "geometry": {"type": "Point", "coordinates": point}} for stamp, point in zip(stamps, points)]}}
        return trip, after

    def template(self, version):
        if version not in self.templates:
            self.templates[version] = [Template(trip, version, after) for trip, after in self.shapes]
        return self.templates[version]

    def plan(self, hour, n):
        """(trip id, end, number of its shape) of the trips that end in the hour."""
        seed = f"{self.provider['provider_id']} {hour}".encode()
        digits = hashlib.shake_128(seed).hexdigest(16 * n)
        turn = int(hashlib.sha1(seed).hexdigest(), 16)
        plan = []
        for i in range(n):
            d = digits[32 * i:32 * i + 32]
            into = 0 if i == 0 else HOUR - 1 if i == n - 1 else int(d[:8], 16) % HOUR
            plan.append((f"{d[:8]}-{d[8:12]}-4{d[13:16]}-a{d[17:20]}-{d[20:]}", hour + into, (turn + i) % SHAPES))
        return plan

    def started(self, entry):
        return entry[1] - self.durations[entry[2]]

    def text(self, entry, version):
        return self.template(version)[entry[2]].fill(entry[0], entry[1])

    def texts(self, plan, version):
        templates = self.template(version)
        return [templates[shape].fill(name, end) for name, end, shape in plan]


class Store:
    """The trips of --data by the time of their end; those whose end is no number belong to every hour."""

    def __init__(self):
        self.replace([])

    def replace(self, trips):
        timed = [trip for trip in trips if is_number(trip.get("end_time"))]
        self.timed = sorted(timed, key=lambda trip: trip["end_time"])
        self.ends = [trip["end_time"] for trip in self.timed]
        self.untimed = [trip for trip in trips if not is_number(trip.get("end_time"))]

    def all(self):
        return self.timed + self.untimed

    def between(self, start, end):
        return self.timed[bisect.bisect_left(self.ends, start):bisect.bisect_left(self.ends, end)] + self.untimed


class Cache:
    """The latest made-up hours, of at most so many bytes."""

    def __init__(self, most):
        self.most, self.size, self.kept = most, 0, collections.OrderedDict()

    def get(self, key):
        if key in self.kept:
            self.kept.move_to_end(key)
            return self.kept[key]
        return None

    def put(self, key, texts):
        self.size += sum(map(len, texts)) - sum(map(len, self.kept.pop(key, ())))
        self.kept[key] = texts
        while self.size > self.most and len(self.kept) > 1:
            self.size -= sum(map(len, self.kept.popitem(last=False)[1]))


# how trips go wrong: each changes one, in the form in which it is sent

TIMES = ("start_time", "end_time", "publication_time")


def scale(trip, factor):
    for name in TIMES:
        if is_number(trip.get(name)):
            trip[name] = trip[name] // 1000 if factor < 1 else int(trip[name] * factor)
    for point in features(trip):
        if is_number((point.get("properties") or {}).get("timestamp")):
            stamp = point["properties"]["timestamp"]
            point["properties"]["timestamp"] = stamp // 1000 if factor < 1 else int(stamp * factor)


def set_points(trip, change):
    """change: takes [lon, lat], gives what stands in its place."""
    for point in features(trip):
        point["geometry"]["coordinates"] = change(point["geometry"]["coordinates"])
    for name in "start_location", "end_location":
        if trip.get(name):
            at = change([trip[name]["lng"], trip[name]["lat"]])
            trip[name] = {"lat": at[1], "lng": at[0]} if at else None


def cut_route(trip, n):
    if "route" in trip:
        trip["route"]["features"] = trip["route"]["features"][:n]
    else:
        for name in ("start_location", "end_location")[n:]:
            trip.pop(name, None)


def without_route(trip):
    for name in "route", "start_location", "end_location":
        trip.pop(name, None)


def large_route(trip, size):
    """Points between the first and the last, until they take `size` bytes."""
    points = trip["route"]["features"]
    between = json.loads(dumps(points[0]))
    each = len(dumps(between)) + 1
    trip["route"]["features"] = [points[0], *[between] * (size // each + 1), points[-1]]


def integer_ids(trip):
    """As VeoRide has them: numbers that stay the same for the same id."""
    for name, digits in ("trip_id", 12), ("device_id", 6), ("vehicle_id", 5):
        if isinstance(trip.get(name), str):
            trip[name] = int(hashlib.sha1(trip[name].encode()).hexdigest()[:digits], 16) or 1


def shift(trip, version):
    """To where it ends two hours after it did."""
    for name in "start_time", "end_time":
        if is_number(trip.get(name)):
            trip[name] += HOUR * 2 / 1000 if version == "0.2" else HOUR * 2


def put(name, value):
    return lambda trip, spec, version: trip.__setitem__(name, value)


QUIRKS = {
    "integer_ids": lambda trip, spec, version: integer_ids(trip),
    "no_route": lambda trip, spec, version: without_route(trip),
    "empty_route": lambda trip, spec, version: cut_route(trip, 0),
    "one_point": lambda trip, spec, version: cut_route(trip, 1),
    "large_route": lambda trip, spec, version: large_route(trip, spec.get("bytes", 5 << 20)),
    "empty_coordinates": lambda trip, spec, version: set_points(trip, lambda at: []),
    "null_coordinates": lambda trip, spec, version: set_points(trip, lambda at: [None, None]),
    "swapped": lambda trip, spec, version: set_points(trip, lambda at: [at[1], at[0], *at[2:]]),
    "zero_zero": lambda trip, spec, version: set_points(trip, lambda at: [0, 0]),
    "seconds": lambda trip, spec, version: scale(trip, 0.001),
    "milliseconds": lambda trip, spec, version: scale(trip, 1000),
    "text_times": lambda trip, spec, version: trip.update({name: str(trip[name]) for name in TIMES if name in trip}),
    "outside": lambda trip, spec, version: shift(trip, version),
    "extra": put("surplus", {"a": [1, None]}),
    "missing": lambda trip, spec, version: trip.pop("device_id", None),
    "null": put("device_id", None),
    "no_object": None,              # the trip is the text "trip" instead
}


def spoil(text, spec, version):
    """The trip's text after the quirks of spec, {"quirk": NAME or [NAME...], ...}."""
    names = spec["quirk"] if isinstance(spec["quirk"], list) else [spec["quirk"]]
    trip = json.loads(text)
    for name in names:
        if name == "no_object":
            return '"trip"'
        QUIRKS[name](trip, spec, version)
    return dumps(trip)
