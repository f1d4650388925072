/* base/memory.c - a library gets its memory from us, and a lack of it ends the process. */
#include "base/memory.h"

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"

/* Weak, since many tools have these libraries only through another one (libcurl, GEOS), or not at all. */
extern int CRYPTO_set_mem_functions(void *(*)(size_t, const char *, int), void *(*)(void *, size_t, const char *, int),
    void (*)(void *, const char *, int)) __attribute__((weak));
/* std::set_new_handler() */
extern void (*set_new_handler(void (*)(void)))(void) __asm__("_ZSt15set_new_handlerPFvvE") __attribute__((weak));

void *
memory_resize(void *p, size_t n)
{
	return xrealloc(p, n, 1);
}

static void *
openssl_malloc(size_t n, const char *file, int line)
{
	(void)file, (void)line;
	return xmalloc(n);
}

static void
openssl_free(void *p, const char *file, int line)
{
	(void)file, (void)line;
	free(p);
}

static void *
openssl_realloc(void *p, size_t n, const char *file, int line)
{
	if (n > 0)
		return memory_resize(p, n);
	openssl_free(p, file, line);    /* as OpenSSL's own does */
	return NULL;
}

void
memory_of_openssl(void)
{
	if (CRYPTO_set_mem_functions != NULL)
		CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free);
}

static void
no_memory(void)
{
	die(EX_OSERR, "out of memory");
}

void
memory_of_cxx(void)
{
	if (set_new_handler != NULL)
		set_new_handler(no_memory);
}

void
memory_check(const char *what)
{
	if (errno == ENOMEM || errno == EMFILE || errno == ENFILE)
		die_errno(EX_OSERR, "%s", what);
}
