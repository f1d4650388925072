/*
 * soda/stream.h - a whole dataset in one long answer, its rows passed on as they arrive.
 *
 * It fits in no memory and may take an hour, so there is no second try once a row was written: the process ends.
 */
#ifndef SODA_STREAM_H
#define SODA_STREAM_H

#include "records/rows.h"
#include "soda/soda.h"

/* Writes the rows of SODA 3's export, or of the rows.csv that it replaces; returns how many. */
unsigned long long soda_stream(struct soda *, const struct soda_query *, struct rows_out *);

#endif
