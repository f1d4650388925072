/*
 * records/receipt.h - the one JSON object that a sink prints at its end, and a filter writes to a
 * file if it is asked to.
 *
 *	receipt_open();                                 "tool" comes first
 *	receipt_str("table", name);
 *	receipt_int("read", n);
 *	receipt_close(n == 0);                          "empty" if so, "run" if CULVERT_RUN_ID is set, "seconds"; then prints it
 */
#ifndef RECEIPT_H
#define RECEIPT_H

#include <stdbool.h>

#include "base/opt.h"

/* Option of a filter, whose standard output carries records: it makes a receipt once all are out,
 * if FILE is not NULL. */
#define OPT_RECEIPT(file) \
	OPT_STRING(0, "receipt", "FILE", &(file), "write what was done there, as one JSON object")

void receipt_open(void);
void receipt_str(const char *key, const char *value);
void receipt_int(const char *key, unsigned long long value);
void receipt_bool(const char *key, bool value);
void receipt_json(const char *key, const char *value);  /* JSON already */
/* Prints it, or writes it to a file.  A write that fails dies EX_IOERR, a file that won't open EX_CANTCREAT. */
void receipt_close(bool empty);
void receipt_close_file(bool empty, const char *file);

#endif
