"""rtree-loop.py FILE NAME=LAYER:PROPERTY@LON,LAT ... - geo-tag by shapely and rtree, used as Austin's pipeline used them: an index
of the polygons' boxes, and then every polygon whose box holds the point, until one intersects it.

Run by Debian's python3: its packages are python3-shapely and python3-rtree.
"""
import json
import sys

import rtree.index
import shapely.geometry


class Layer:
    def __init__(self, path, key):
        self.index, self.shapes, self.values = rtree.index.Index(), [], []
        with open(path, encoding="utf-8") as file:
            for at, feature in enumerate(json.load(file)["features"]):
                shape = shapely.geometry.shape(feature["geometry"])
                self.index.insert(at, shape.bounds)
                self.shapes.append(shape)
                self.values.append(feature["properties"][key])

    def find(self, x, y):
        point = shapely.geometry.Point(x, y)
        for at in sorted(self.index.intersection((x, y, x, y))):
            if self.shapes[at].intersects(point):
                return self.values[at]
        return None


layers, tags = {}, []
for spec in sys.argv[2:]:
    name, _, rest = spec.partition("=")
    layer, _, point = rest.rpartition("@")
    if layer not in layers:
        layers[layer] = Layer(*layer.rsplit(":", 1))
    tags.append((name, layers[layer], *point.split(",")))
with open(sys.argv[1], encoding="utf-8") as file:
    for line in file:
        trip = json.loads(line)
        for name, layer, x, y in tags:
            trip[name] = layer.find(trip[x], trip[y])
        print(json.dumps(trip, separators=(",", ":")))
