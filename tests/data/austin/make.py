"""Three layers of polygons over Austin, made up: tracts, districts of tracts, and hexagons.

Tracts are cells of an uneven grid whose edges wander, so that neighbours share every corner of a border and no edge is parallel
to an axis.  A district is all that is left of its tracts' edges when those between two of them are taken away: one lies in a
hole of another, one is in two parts, and what belongs to none is a hole as well.  Names of files, members and properties are
those that the flow and its test read.
"""
import json
import math
import os
import random

WEST, SOUTH, EAST, NORTH = -97.91, 30.09, -97.59, 30.46
COLUMNS, ROWS = 10, 10
STEPS = 4               # pieces of an edge; a river has more
RIVER, RIVER_STEPS = 4, 60
DISTRICTS = """
1111122229
1111122229
1133322222
4438333222
4433355522
4444555522
4466557777
0066667777
0006667.77
9900667777
"""                     # rows from south to north; 0 is district 10, a dot is in none


def wander(rng, a, b, pieces, reach):
    """Points from a to b, both included, each a little beside the straight line."""
    points = [a]
    for at in range(1, pieces):
        t = at / pieces
        points.append((round(a[0] + (b[0] - a[0]) * t + rng.uniform(-reach, reach), 5), round(a[1] + (b[1] - a[1]) * t + rng.uniform(-reach, reach), 5)))
    return points + [b]


class Grid:
    def __init__(self, rng):
        wide, high = (EAST - WEST) / COLUMNS, (NORTH - SOUTH) / ROWS
        self.corners = {(x, y): (round(WEST + wide * (x + rng.uniform(-.25, .25)), 5), round(SOUTH + high * (y + rng.uniform(-.25, .25)), 5))
                        for x in range(COLUMNS + 1) for y in range(ROWS + 1)}
        self.edges = {}
        for (x, y), a in self.corners.items():
            for to in (x + 1, y), (x, y + 1):
                if to in self.corners:
                    is_river = y == RIVER and to[1] == y
                    path = wander(rng, a, self.corners[to], RIVER_STEPS if is_river else STEPS, wide * (.004 if is_river else .05))
                    self.edges[(x, y), to] = path
                    self.edges[to, (x, y)] = path[::-1]

    @staticmethod
    def around(x, y):
        """A cell's edges, counterclockwise."""
        corners = [(x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1)]
        return list(zip(corners, corners[1:] + corners[:1]))

    def rings(self, cells):
        """The rings around cells: those counterclockwise are outlines, the others holes."""
        left = {edge for cell in cells for edge in self.around(*cell)}
        left -= {(b, a) for a, b in left} & left
        after = {}
        for a, b in sorted(left):
            assert a not in after, "cells of a district may not touch at a corner alone"
            after[a] = b
        rings = []
        while after:
            start = a = min(after)
            ring = []
            while a in after:
                b = after.pop(a)
                ring += self.edges[a, b][:-1]
                a = b
            assert a == start
            rings.append(ring + ring[:1])
        return rings


def area(ring):
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, ring[1:]))


def holds(ring, point):
    x, y = point
    inside = False
    for (ax, ay), (bx, by) in zip(ring, ring[1:]):
        if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
            inside = not inside
    return inside


def geometry(rings):
    """Each hole goes to the outline around it."""
    outlines = [[ring] for ring in rings if area(ring) > 0]
    for hole in rings:
        if area(hole) < 0:
            next(polygon for polygon in outlines if holds(polygon[0], hole[0])).append(hole)
    if len(outlines) == 1:
        return {"type": "Polygon", "coordinates": outlines[0]}
    return {"type": "MultiPolygon", "coordinates": outlines}


def feature(shape, properties, number):
    return {"type": "Feature", "geometry": shape, "properties": properties, "id": number}


def tracts(grid):
    for number, (y, x) in enumerate(((y, x) for y in range(ROWS) for x in range(COLUMNS)), 1):
        properties = {"OBJECTID": number, "GEOID10": f"48453{number:04}{number % 3:02}", "Shape_Length": number / 7, "note": None}
        yield feature(geometry(grid.rings([(x, y)])), properties, number)


def districts(grid):
    places = {}
    for y, line in enumerate(DISTRICTS.split()):
        for x, name in enumerate(line):
            places.setdefault("10" if name == "0" else name, []).append((x, y))
    for number, name in enumerate(sorted(set(places) - {"."}, key=int), 1):
        properties = {"fedname": "", "rgb": "0", "district_n": name, "label \"é\"": f"District {name}, of {len(places[name])}"}
        yield feature(geometry(grid.rings(places[name])), properties, number)


def hexagons(radius=0.016):
    """As a map has them on its side: columns three halves of a radius apart, every other one half a cell higher."""
    high = radius * math.sqrt(3) * .88
    number = 0
    for column in range(math.ceil((-97.6 + 97.88) / (1.5 * radius)) + 1):
        for row in range(math.ceil((30.44 - 30.1) / high) + 1):
            x, y = column * 2, row * 2 + column % 2         # in thirds and halves: corners of neighbours are the same numbers
            corners = [(x - 2 / 3 * 2, y), (x - 1 / 3 * 2, y - 1), (x + 1 / 3 * 2, y - 1), (x + 2 / 3 * 2, y), (x + 1 / 3 * 2, y + 1), (x - 1 / 3 * 2, y + 1)]
            ring = [[round(-97.88 + .75 * radius * a, 6), round(30.11 + high / 2 * b, 6)] for a, b in corners]
            number += 1
            yield feature({"type": "Polygon", "coordinates": [ring + ring[:1]]}, {"id": f"{number:06}"}, number)


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def write(path, before, features):
    with open(path, "w", encoding="utf-8") as file:
        file.write(before + '"features":[\n' + ",\n".join(map(compact, features)) + "\n]}\n")


def make(directory):
    grid = Grid(random.Random("tests/data/austin"))
    cells = list(hexagons())
    collection = '{"type":"FeatureCollection",'
    write(os.path.join(directory, "census_tracts_2010_simplified_20pct.json"),
          collection + '"crs":{"type":"name","properties":{"name":"EPSG:4326"}},', tracts(grid))
    write(os.path.join(directory, "council_districts_simplified.json"), collection, districts(grid))
    # a member that GeoJSON does not know comes first: features once more, by their names
    index = {one["properties"]["id"]: one for one in cells[::40]}
    write(os.path.join(directory, "hex1000.json"), '{"FeatureIndex":' + compact(index) + ',"type":"FeatureCollection",', cells)
