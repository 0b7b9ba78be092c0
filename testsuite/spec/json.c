/* Recursive descent over one NUL-terminated text; see json.h. */
#include "testsuite/spec/json.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 64 };

struct parser {
    struct arena *arena;
    const char *p;
    unsigned depth;
};

static void skip_space(struct parser *s) {
    s->p += strspn(s->p, " \t\r\n");
}

static bool take(struct parser *s, char c) {
    skip_space(s);
    if (*s->p != c)
        return false;
    s->p++;
    return true;
}

static char *put_utf8(char *out, uint32_t c) {
    if (c == 0) {
        *out++ = (char)0xc0;
        *out++ = (char)0x80;
    } else if (c < 0x80) {
        *out++ = (char)c;
    } else if (c < 0x800) {
        *out++ = (char)(0xc0 | c >> 6);
        *out++ = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        *out++ = (char)(0xe0 | c >> 12);
        *out++ = (char)(0x80 | (c >> 6 & 0x3f));
        *out++ = (char)(0x80 | (c & 0x3f));
    } else {
        *out++ = (char)(0xf0 | c >> 18);
        *out++ = (char)(0x80 | (c >> 12 & 0x3f));
        *out++ = (char)(0x80 | (c >> 6 & 0x3f));
        *out++ = (char)(0x80 | (c & 0x3f));
    }
    return out;
}

static bool hex4(struct parser *s, uint32_t *out) {
    uint32_t v = 0;
    for (int i = 0; i < 4; i++) {
        char c = *s->p;
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return false;
        v = v << 4 | (uint32_t)digit;
        s->p++;
    }
    *out = v;
    return true;
}

static bool escape(struct parser *s, char **out) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    char c = *s->p;
    if (!c)
        return false;
    s->p++;
    const char *at = strchr(from, c);
    if (at) {
        *(*out)++ = to[at - from];
        return true;
    }
    uint32_t v, low;
    if (c != 'u' || !hex4(s, &v))
        return false;
    if (v >= 0xd800 && v < 0xdc00) {
        if (s->p[0] != '\\' || s->p[1] != 'u')
            return false;
        s->p += 2;
        if (!hex4(s, &low) || low < 0xdc00 || low > 0xdfff)
            return false;
        v = 0x10000 + ((v - 0xd800) << 10 | (low - 0xdc00));
    }
    *out = put_utf8(*out, v);
    return true;
}

/* No escape is shorter than what it stands for. */
static const char *string(struct parser *s) {
    if (!take(s, '"'))
        return NULL;
    const char *end = s->p;
    while (*end && *end != '"')
        end += *end == '\\' && end[1] ? 2 : 1;
    if (!*end)
        return NULL;
    char *text = arena_alloc(s->arena, (size_t)(end - s->p) + 1), *out = text;
    while (s->p < end) {
        if (*s->p != '\\') {
            *out++ = *s->p++;
            continue;
        }
        s->p++;
        if (!escape(s, &out))
            return NULL;
    }
    s->p = end + 1;
    *out = 0;
    return text;
}

static struct json *value(struct parser *s);

static bool members(struct parser *s, struct json *parent, char close) {
    struct json **tail = &parent->first;
    if (take(s, close))
        return true;
    do {
        const char *key = NULL;
        if (parent->kind == JSON_OBJECT && (!(key = string(s)) || !take(s, ':')))
            return false;
        struct json *item = value(s);
        if (!item)
            return false;
        item->key = key;
        *tail = item;
        tail = &item->next;
    } while (take(s, ','));
    return take(s, close);
}

static struct json *value(struct parser *s) {
    struct json *j = arena_new(s->arena, struct json);
    skip_space(s);
    bool ok;
    if (*s->p == '{' || *s->p == '[') {
        j->kind = *s->p == '{' ? JSON_OBJECT : JSON_ARRAY;
        s->p++;
        ok = ++s->depth <= MAX_DEPTH && members(s, j, j->kind == JSON_OBJECT ? '}' : ']');
        s->depth--;
    } else if (*s->p == '"') {
        j->kind = JSON_STRING;
        ok = (j->text = string(s)) != NULL;
    } else {
        size_t n = strcspn(s->p, ",]} \t\r\n");
        j->text = arena_strndup(s->arena, s->p, n);
        s->p += n;
        char *end;
        strtod(j->text, &end);
        j->kind = strcmp(j->text, "null") == 0                                    ? JSON_NULL
                  : strcmp(j->text, "true") == 0 || strcmp(j->text, "false") == 0 ? JSON_BOOL
                                                                                  : JSON_NUMBER;
        ok = j->kind != JSON_NUMBER || (n && !*end);
    }
    return ok ? j : NULL;
}

const struct json *json_parse(struct arena *a, const char *text) {
    struct parser s = {.arena = a, .p = text};
    struct json *j = value(&s);
    skip_space(&s);
    return j && !*s.p ? j : NULL;
}

const struct json *json_get(const struct json *object, const char *key) {
    if (object && object->kind == JSON_OBJECT) {
        json_foreach(item, object) {
            if (strcmp(item->key, key) == 0)
                return item;
        }
    }
    return NULL;
}

const char *json_text(const struct json *object, const char *key) {
    const struct json *item = json_get(object, key);
    return item ? item->text : NULL;
}

unsigned json_count(const struct json *list) {
    unsigned n = 0;
    json_foreach(item, list) n++;
    return n;
}
