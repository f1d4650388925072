/* format/xml.c - flat XML, by expat. */
#include "format/xml.h"

#include <expat.h>
#include <limits.h>
#include <stdlib.h>

#include "base/memory.h"

#define MAX_PATH 1024           /* bytes: AWS nests five names at most, and a name says little past this */

struct reader {
	struct buf path;                /* below the root: "Contents/Key" */
	struct buf text;                /* of the innermost element */
	struct buf *root;
	bool leaf;                      /* the innermost element has had no other in it */
	int depth;
	const char *why;
	void (*take)(const char *path, struct str text, void *);
	void *arg;
	XML_Parser parser;
};

static const char *
local_name(const char *name)
{
	const char *colon = strrchr(name, ':');

	return colon != NULL && colon[1] != '\0' ? colon + 1 : name;
}

static void
stop(struct reader *r, const char *why)
{
	if (r->why == NULL)
		r->why = why;
	XML_StopParser(r->parser, XML_FALSE);
}

static void
take_start(void *arg, const char *name, const char **attributes)
{
	struct reader *r = arg;

	(void)attributes;
	name = local_name(name);
	if (r->depth++ == 0) {
		if (r->root != NULL)
			buf_text(r->root, name);
	} else {
		if (r->path.len > 0)
			buf_char(&r->path, '/');
		buf_text(&r->path, name);
		if (r->path.len > MAX_PATH)
			stop(r, "elements are nested too deep");
	}
	r->leaf = true;
	buf_reset(&r->text);
}

static void
take_text(void *arg, const char *p, int n)
{
	struct reader *r = arg;

	buf_add(&r->text, p, (size_t)n);
}

static void
take_end(void *arg, const char *name)
{
	struct reader *r = arg;
	size_t n = strlen(local_name(name));

	if (r->why != NULL)             /* expat may still tell of an element that is empty */
		return;
	if (r->take != NULL)
		r->take(buf_all(&r->path).p, r->leaf ? buf_all(&r->text) : (struct str){ NULL, 0 }, r->arg);
	r->leaf = false;
	if (--r->depth > 0 && r->path.p != NULL) {
		r->path.len -= n < r->path.len ? n + 1 : n;
		r->path.p[r->path.len] = '\0';
	}
}

/* A document type declares entities, which grow: nobody honest sends one. */
static void
take_doctype(void *arg, const char *name, const char *system, const char *public, int internal)
{
	(void)name, (void)system, (void)public, (void)internal;
	stop(arg, "a document type is not taken");
}

const char *
xml_read(struct str xml, struct buf *root, void (*take)(const char *path, struct str text, void *), void *arg)
{
	static const XML_Memory_Handling_Suite memory = { xmalloc, memory_resize, free };
	struct reader r = { .root = root, .take = take, .arg = arg, .parser = XML_ParserCreate_MM(NULL, &memory, NULL) };

	if (r.parser == NULL)
		die(EX_OSERR, "out of memory");
	while (xml.n > 0 && strchr(" \t\r\n", *xml.p) != NULL && *xml.p != '\0')       /* S3 keeps a connection alive so */
		xml.p++, xml.n--;
	XML_SetUserData(r.parser, &r);
	XML_SetElementHandler(r.parser, take_start, take_end);
	XML_SetCharacterDataHandler(r.parser, take_text);
	XML_SetStartDoctypeDeclHandler(r.parser, take_doctype);
	if (xml.n > INT_MAX)
		r.why = "it is larger than 2 GiB";
	else if (XML_Parse(r.parser, xml.p, (int)xml.n, XML_TRUE) != XML_STATUS_OK && r.why == NULL)
		r.why = XML_GetErrorCode(r.parser) == XML_ERROR_NO_ELEMENTS ? "the XML ends too soon"
		    : XML_ErrorString(XML_GetErrorCode(r.parser));
	XML_ParserFree(r.parser);
	buf_free(&r.path);
	buf_free(&r.text);
	return r.why;
}

struct search { struct buf *out; const char *path; bool found; };

static void
take_found(const char *path, struct str text, void *arg)
{
	struct search *s = arg;

	if (s->found || strcmp(path, s->path) != 0)
		return;
	s->found = true;
	buf_str(s->out, text);
}

bool
xml_find(struct buf *out, struct str xml, const char *path)
{
	struct search s = { .out = out, .path = path };

	xml_read(xml, NULL, take_found, &s);
	return s.found;
}

void
xml_escape(struct buf *b, struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		switch (text.p[i]) {
		case '&': buf_text(b, "&amp;"); break;
		case '<': buf_text(b, "&lt;"); break;
		case '>': buf_text(b, "&gt;"); break;
		case '"': buf_text(b, "&quot;"); break;
		default: buf_char(b, text.p[i]);
		}
}
