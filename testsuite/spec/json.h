/* Reads JSON (RFC 8259) into a tree: enough for the files that wast2json writes. */
#ifndef WASMETAL_TESTSUITE_SPEC_JSON_H
#define WASMETAL_TESTSUITE_SPEC_JSON_H

#include <stdint.h>

#include "ir/util/arena.h"

enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
    enum json_kind kind;
    const char *key;  /* as a member of an object, else NULL */
    const char *text; /* strings; numbers and booleans as they were written */
    struct json *first, *next;
};

/* The tree of `text`, all of it in `a`; NULL when it is no JSON.  U+0000 in a string becomes C0 80, as in the names of
 * compiled modules (compiler/sections.h). */
const struct json *json_parse(struct arena *a, const char *text);

/* A member of an object; NULL when there is none, or `object` is NULL or none. */
const struct json *json_get(const struct json *object, const char *key);
/* The text of a member; NULL when there is none. */
const char *json_text(const struct json *object, const char *key);
unsigned json_count(const struct json *list); /* elements; 0 for NULL */

#define json_foreach(item, list) for (const struct json *item = (list) ? (list)->first : NULL; item; item = item->next)

#endif
