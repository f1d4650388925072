/* geo/grid.c - cells that no border touches. */
#include "geo/grid.h"

#include <stdlib.h>

#include "base/buf.h"

struct axis { double origin, cell, scale; };    /* cell: degrees; scale: cells a degree */

struct geo_grid {
	struct axis x, y;
	size_t side;
	unsigned short *cell;
	size_t *todo, n, cap;           /* cells to fill from */
};

static struct axis
axis_of(double low, double high, size_t side)
{
	double cell = (high - low) / (double)side;

	return (struct axis){ low, cell, 1 / cell };
}

struct geo_grid *
geo_grid_open(struct geo_box box, size_t side)
{
	struct axis x = axis_of(box.west, box.east, side), y = axis_of(box.south, box.north, side);
	struct geo_grid *g;

	if (x.cell < GEO_GRID_LEAST || y.cell < GEO_GRID_LEAST)
		return NULL;
	g = xcalloc(1, sizeof *g);
	*g = (struct geo_grid){ .x = x, .y = y, .side = side, .cell = xcalloc(side * side, sizeof *g->cell) };
	return g;
}

/* What lies outside is of the first or last cell: only points that were made larger do. */
static inline size_t
place_on(const struct axis *a, double at, size_t side)
{
	double place = (at - a->origin) * a->scale;

	return place < 0 ? 0 : place >= (double)side ? side - 1 : (size_t)place;
}

size_t
geo_grid_at(const struct geo_grid *g, double x, double y)
{
	return place_on(&g->y, y, g->side) * g->side + place_on(&g->x, x, g->side);
}

unsigned short
geo_grid_value(const struct geo_grid *g, size_t cell)
{
	return g->cell[cell];
}

static void
mark(struct geo_grid *g, size_t row, double west, double east)
{
	double near = g->x.cell * GEO_GRID_NEAR;
	size_t to = place_on(&g->x, east + near, g->side);

	for (size_t at = place_on(&g->x, west - near, g->side); at <= to; at++)
		g->cell[row * g->side + at] = GEO_GRID_BORDER;
}

/* Where the edge is at this latitude, and no further than its ends. */
static double
cross_at(const double *low, const double *high, double y)
{
	if (y <= low[1])
		return low[0];
	if (y >= high[1])
		return high[0];
	return low[0] + (high[0] - low[0]) * ((y - low[1]) / (high[1] - low[1]));
}

void
geo_grid_edge(struct geo_grid *g, const double *from, const double *to)
{
	const double *low = from[1] <= to[1] ? from : to, *high = low == from ? to : from;
	double near = g->y.cell * GEO_GRID_NEAR;
	size_t last = place_on(&g->y, high[1] + near, g->side);

	for (size_t row = place_on(&g->y, low[1] - near, g->side); row <= last; row++) {
		double south = g->y.origin + (double)row * g->y.cell;
		double a = cross_at(low, high, south - near), b = cross_at(low, high, south + g->y.cell + near);

		mark(g, row, a < b ? a : b, a < b ? b : a);
	}
}

/* Cells of another row beside a run of this one: the first of each run of unknown ones is to do. */
static void
fill_later(struct geo_grid *g, size_t from, size_t to)
{
	for (size_t at = from; at <= to; at++) {
		if (g->cell[at] != GEO_GRID_UNKNOWN || (at > from && g->cell[at - 1] == GEO_GRID_UNKNOWN))
			continue;
		if (g->n == g->cap) {
			g->cap = g->cap == 0 ? 256 : g->cap * 2;
			g->todo = xrealloc(g->todo, g->cap, sizeof *g->todo);
		}
		g->todo[g->n++] = at;
	}
}

/* The run of unknown cells around this one in its row. */
static void
fill_run(struct geo_grid *g, size_t cell, unsigned short value)
{
	size_t row = cell / g->side * g->side, from = cell, to = cell;

	while (from > row && g->cell[from - 1] == GEO_GRID_UNKNOWN)
		from--;
	while (to < row + g->side - 1 && g->cell[to + 1] == GEO_GRID_UNKNOWN)
		to++;
	for (size_t at = from; at <= to; at++)
		g->cell[at] = value;
	if (row > 0)
		fill_later(g, from - g->side, to - g->side);
	if (row < (g->side - 1) * g->side)
		fill_later(g, from + g->side, to + g->side);
}

void
geo_grid_fill(struct geo_grid *g, size_t cell, unsigned short value)
{
	fill_run(g, cell, value);
	while (g->n > 0)
		if (g->cell[cell = g->todo[--g->n]] == GEO_GRID_UNKNOWN)
			fill_run(g, cell, value);
}

void
geo_grid_free(struct geo_grid *g)
{
	if (g == NULL)
		return;
	free(g->cell);
	free(g->todo);
	free(g);
}
