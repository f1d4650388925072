/*
 * base/memory.h - a library gets its memory from us, and a lack of it ends the process with
 * EX_OSERR.
 *
 * Libraries report a lack of memory as something else, or not at all: libcurl 7.88 says "No URL set", or sends a request without
 * its query; OpenSSL 3.0 says that there is no SHA-256, or crashes while it starts; expat and GEOS report it as bad input.  So
 * those that let us choose their allocator get the functions of buf.h (libcurl: curl_global_init_mem(), expat:
 * XML_ParserCreate_MM()) or those below.  For the others, see memory_check().
 */
#ifndef MEMORY_H
#define MEMORY_H

#include <stddef.h>

void *memory_resize(void *, size_t);    /* realloc(3), never NULL */

/* To be called before the first use of OpenSSL; does nothing in a tool without it, or when it is too late. */
void memory_of_openssl(void);
/* To be called before the first use of a library in C++: what its operator new cannot get ends the process. */
void memory_of_cxx(void);

/*
 * For a library that has no allocator of ours: set errno to 0, call it, and if it fails call this.  Ends the process if malloc(3)
 * or open(2) has failed for lack of memory or descriptors, whatever the library says.
 */
void memory_check(const char *what);

#endif
