/*
 * geo/grid.h - a grid over a layer of polygons, that remembers the answer of every cell which no
 * border touches.
 *
 * All points of such a cell lie in the same polygons, and so do those of the cells beside it that no border touches.  So the
 * caller asks its exact judge once, and keeps the answer for them all.  This is exact, not an estimate:
 *  - A coordinate's column or row is floor((x - origin) * scale), computed in doubles.  Every step of it is monotone, so
 *    the points of a cell are all those of a rectangle, and a border that runs through the rectangle runs through cells
 *    that lie between those of its ends.
 *  - An edge marks the cells that it touches and those it comes near: a row's share of the edge is computed for the row made
 *    larger by GEO_GRID_NEAR of a cell on either side, and made larger by as much itself.  Rounding errors are below 1e-12
 *    degrees here, and GEO_GRID_NEAR of the smallest cell is 1e-10.
 *  - So no border runs between two neighbours that are not marked: it would be near to both, and have marked them.
 */
#ifndef GEO_GRID_H
#define GEO_GRID_H

#include <stddef.h>

#define GEO_GRID_NEAR (1.0 / 1024)
#define GEO_GRID_LEAST 1.1e-7   /* degrees, a centimetre: no smaller cells */

enum { GEO_GRID_UNKNOWN, GEO_GRID_BORDER, GEO_GRID_FREE };      /* from GEO_GRID_FREE on the numbers are the caller's */

struct geo_grid;

struct geo_box { double west, south, east, north; };

/* SIDE: how many cells it is wide and high.  NULL where they would be too small. */
struct geo_grid *geo_grid_open(struct geo_box, size_t side);
/* Marks the cells of a border from one point to another, both of which lie in the box. */
void geo_grid_edge(struct geo_grid *, const double *from, const double *to);
/* The cell of a point in the box.  2 bytes each: three layers fit a processor's cache. */
size_t geo_grid_at(const struct geo_grid *, double x, double y);
unsigned short geo_grid_value(const struct geo_grid *, size_t cell);
/* Gives this cell, which is GEO_GRID_UNKNOWN, a value, and all that are reached from it without crossing a border. */
void geo_grid_fill(struct geo_grid *, size_t cell, unsigned short value);
void geo_grid_free(struct geo_grid *);

#endif
