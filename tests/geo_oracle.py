#!/usr/bin/env python3
"""geo_oracle - which polygons a point is in, by exact arithmetic: what geo-tag.t compares with.

    geo_oracle.py layer SEED                    a layer of made-up polygons that overlap, touch and have holes
    geo_oracle.py points FILE NAME N SEED       records NAME_x, NAME_y: every corner and every middle of an edge of the file's
                                                polygons (one in N), their neighbours by one bit, and as many at random
    geo_oracle.py check RECEIPT SPEC... <OUT    compares geo-tag's output with the truth; SPEC as geo-tag --layer takes it

The very doubles are taken as exact numbers, so that nothing is rounded; a border belongs to its polygon.  GEOS computes with 106
bits, which is exact too where differences of coordinates have 53: not for neighbours of 0, whose last bit is worth 1e-324.
"""
import fractions
import json
import math
import random
import sys
from collections import Counter


def polygons_of(path):
    """For each feature: its properties and its polygons, each a list of rings."""
    with open(path, encoding="utf-8") as file:
        features = json.load(file)["features"]
    for feature in features:
        geometry = feature["geometry"]
        yield feature["properties"], (geometry["coordinates"] if geometry["type"] == "MultiPolygon" else
                                      [geometry["coordinates"]])


def scaled(value, shift):
    numerator, denominator = float(value).as_integer_ratio()
    return numerator * ((1 << shift) // denominator)


def locate(x, y, rings):
    """0 outside, 1 on the border, 2 inside: a ray to the right, and the number of edges that it crosses."""
    inside = False
    for ring in rings:
        x1, y1 = ring[-1]
        for x2, y2 in ring:
            if x == x2 and y == y2:
                return 1
            if y1 == y2 == y and min(x1, x2) <= x <= max(x1, x2):
                return 1
            if (y1 > y) != (y2 > y):
                side = (x2 - x1) * (y - y1) - (x - x1) * (y2 - y1)
                if side == 0:
                    return 1
                inside ^= (side > 0) == (y2 > y1)
            x1, y1 = x2, y2
    return 2 if inside else 0


class Layer:
    CELLS = 64

    def __init__(self, path, key, shift):
        self.shift, self.values, self.shapes = shift, [], []
        for properties, polygons in polygons_of(path):
            self.values.append(properties[key])
            self.shapes.append([[[(scaled(x, shift), scaled(y, shift)) for x, y, *_ in ring] for ring in rings]
                                for rings in polygons])
        boxes = [self.box(shape) for shape in self.shapes]
        self.west, self.south = min(b[0] for b in boxes), min(b[1] for b in boxes)
        self.size = max(max(b[2] for b in boxes) - self.west, max(b[3] for b in boxes) - self.south) // self.CELLS + 1
        self.near = {}
        for at, (west, south, east, north) in enumerate(boxes):
            for i in range((west - self.west) // self.size, (east - self.west) // self.size + 1):
                for j in range((south - self.south) // self.size, (north - self.south) // self.size + 1):
                    self.near.setdefault((i, j), []).append((at, west, south, east, north))

    @staticmethod
    def box(shape):
        xs, ys = zip(*(position for rings in shape for ring in rings for position in ring))
        return min(xs), min(ys), max(xs), max(ys)

    def find(self, x, y):
        """The value of the first, whether on its border, whether in several."""
        x, y = scaled(x, self.shift), scaled(y, self.shift)
        hits = []
        for at, west, south, east, north in self.near.get(((x - self.west) // self.size, (y - self.south) // self.size), ()):
            if west <= x <= east and south <= y <= north:
                place = max(locate(x, y, rings) for rings in self.shapes[at])
                if place:
                    hits.append((at, place))
        if not hits:
            return None, "outside", False
        return self.values[hits[0][0]], "border" if hits[0][1] == 1 else "inside", len(hits) > 1


def shift_of(numbers):
    return max(float(number).as_integer_ratio()[1].bit_length() - 1 for number in numbers)


def check(receipt, *specs):
    records = [json.loads(line) for line in sys.stdin]
    with open(receipt, encoding="utf-8") as file:
        counts = {layer["name"]: layer for layer in json.load(file)["layers"]}
    wrong = 0
    for spec in specs:
        name, _, rest = spec.partition("=")
        path, _, rest = rest.partition(":")
        key, _, columns = rest.rpartition("@")
        lon, lat = columns.split(",")
        points = [(record[lon], record[lat]) for record in records]
        shift = shift_of([number for point in points for number in point] + [
            number for _, polygons in polygons_of(path) for rings in polygons for ring in rings
            for position in ring for number in position[:2]])
        layer = Layer(path, key, shift)
        truth = Counter(inside=0, outside=0, border=0, several=0)
        for record, (x, y) in zip(records, points):
            value, place, several = layer.find(x, y)
            truth["outside" if place == "outside" else "inside"] += 1
            truth["border"] += place == "border"
            truth["several"] += several
            if record[name] != value:
                wrong += 1
                if wrong < 10:
                    print(f"{name}: {x!r}, {y!r}: {value!r} wanted ({place}), {record[name]!r} found")
        for what, n in truth.items():
            if counts[name][what] != n:
                wrong += 1
                print(f"{name}: {what}: {n} wanted, {counts[name][what]} found")
        print(f"{name}: {len(points)} points: {dict(truth)}", file=sys.stderr)
    return wrong > 0


def beside(dice, number):
    return math.nextafter(number, dice.choice((-180, number, 180))) if number else number


def points(path, name, step, seed):
    dice, step, made = random.Random(int(seed)), int(step), []
    corners = [position[:2] for _, polygons in polygons_of(path) for rings in polygons for ring in rings for position in ring]
    edges = list(zip(corners, corners[1:]))
    middles = [((a[0] + b[0]) / 2, (a[1] + b[1]) / 2) for a, b in edges]
    for x, y in corners[::step] + middles[::step]:
        made.append((x, y))
        made.append((beside(dice, x), beside(dice, y)))
    xs, ys = zip(*corners)
    west, south, east, north = min(xs) - .01, min(ys) - .01, max(xs) + .01, max(ys) + .01
    for _ in range(len(made) // 2):
        x, y = dice.uniform(west, east), dice.uniform(south, north)
        digits = dice.choice((2, 3, 6, 17))
        made.append((round(x, digits), round(y, digits)))
    dice.shuffle(made)
    for x, y in made:
        print(json.dumps({name + "_x": max(-180., min(180., x)), name + "_y": max(-90., min(90., y))}))


def triangle(dice, at):
    """Three corners of the lattice that are not in a line, and a hole of the same shape within, at times."""
    while True:
        a, b, c = corners = [at() for _ in range(3)]
        if (b[0] - a[0]) * (c[1] - a[1]) != (b[1] - a[1]) * (c[0] - a[0]):
            break
    middle = [sum(fractions.Fraction(corner[i]) for corner in corners) / 3 for i in (0, 1)]
    rings = [corners + corners[:1]]
    if dice.random() < .3:
        hole = [[float(middle[i] + (fractions.Fraction(corner[i]) - middle[i]) / 4) for i in (0, 1)] for corner in corners]
        rings.append(hole + hole[:1])
    return rings


def rectangle(dice, at):
    """With a hole that may touch the shell in a corner."""
    while True:
        (x1, y1), (x2, y2) = sorted(at() for _ in range(2))
        if x1 != x2 and y1 != y2:
            break
    ring = [[x1, y1], [x2, y1], [x2, y2], [x1, y2], [x1, y1]]
    if dice.random() < .5:
        return [ring]
    mx, my = (x1 + x2) / 2, (y1 + y2) / 2
    return [ring, [[x1, y1], [mx, my], [x1 + (mx - x1) / 2, my], [x1, y1]]]


def layer(seed):
    """Corners are of a coarse lattice, so that many of one polygon lie on the borders of others."""
    dice = random.Random(int(seed))
    unit, span, x0, y0 = dice.choice(((.125, 16, 0, 0), (.1, 16, -97.5, 30.5), (.001, 24, -97.7, 30.2), (1e-9, 16, -97.7, 30.2),
                                      (.01, 100, -97.5, 30.5)))

    def at():
        return [x0 + dice.randint(-span, span) * unit, y0 + dice.randint(-span, span) * unit]

    features = []
    for number in range(30):
        make = dice.choice((triangle, rectangle))
        features.append({"type": "Feature", "properties": {"n": number}, "geometry":
                         {"type": "Polygon", "coordinates": make(dice, at)}})
    x, y = x0 + span * unit, y0
    features.append({"type": "Feature", "properties": {"n": "two"}, "geometry": {"type": "MultiPolygon", "coordinates": [
        [[[x, y], [x + unit, y], [x + unit, y + unit], [x, y + unit], [x, y]]],
        [[[x + 2 * unit, y], [x + 3 * unit, y], [x + 3 * unit, y + unit], [x + 2 * unit, y + unit], [x + 2 * unit, y]]]]}})
    json.dump({"type": "FeatureCollection", "features": features}, sys.stdout)


if __name__ == "__main__":
    sys.exit({"layer": layer, "points": points, "check": check}[sys.argv[1]](*sys.argv[2:]))
