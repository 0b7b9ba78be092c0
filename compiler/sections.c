/* The raw sections of a module.
 *
 * A first cheap walk over the framing, for three reasons: function names stand at the end of a file but are wanted in
 * every diagnostic about its code; the decoder reads custom sections (linking, dylink, reloc) that we do not care for
 * and must not fail on; and the most common wrong inputs (text format, components, cut files) deserve their own words.
 */
#include "compiler/sections.h"

#include <string.h>

#include "compiler/limits.h"

struct reader {
    const uint8_t *p, *end;
};

static bool read_u32(struct reader *r, uint32_t *out) {
    uint32_t v = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        if (r->p == r->end)
            return false;
        uint8_t byte = *r->p++;
        if (shift == 28 && (byte & 0xf0))
            return false;
        v |= (uint32_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *out = v;
            return true;
        }
    }
    return false;
}

/* Shortest forms only, no surrogates, at most U+10FFFF (RFC 3629). */
static bool is_utf8(const uint8_t *s, size_t n) {
    for (size_t i = 0; i < n;) {
        uint8_t lead = s[i++];
        if (lead < 0x80)
            continue;
        unsigned more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
        if (lead < 0xc2 || lead > 0xf4 || n - i < more)
            return false;
        uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
        uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
        for (; more; more--, low = 0x80, high = 0xbf) {
            uint8_t byte = s[i++];
            if (byte < low || byte > high)
                return false;
        }
    }
    return true;
}

static bool read_name(struct reader *r, const char **out, uint32_t *out_n) {
    uint32_t n;
    if (!read_u32(r, &n) || n > (size_t)(r->end - r->p) || !is_utf8(r->p, n))
        return false;
    *out = (const char *)r->p;
    *out_n = n;
    r->p += n;
    return true;
}

const char *wasm_name_copy(struct arena *a, const char *name, size_t n) {
    size_t nuls = 0;
    for (size_t i = 0; i < n; i++)
        nuls += name[i] == 0;
    if (!nuls)
        return arena_strndup(a, name, n);
    char *copy = arena_alloc(a, n + nuls + 1), *p = copy;
    for (size_t i = 0; i < n; i++) {
        if (name[i]) {
            *p++ = name[i];
        } else {
            *p++ = (char)0xc0;
            *p++ = (char)0x80;
        }
    }
    return copy;
}

static bool read_name_map(struct reader *r, struct arena *a, struct wasm_name **names, uint32_t *count, uint32_t *cap) {
    uint32_t n;
    if (!read_u32(r, &n))
        return false;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t index, length;
        const char *text;
        if (!read_u32(r, &index) || !read_name(r, &text, &length))
            return false;
        struct wasm_name *name = arena_push(a, *names, *count, *cap);
        name->index = index;
        name->text = wasm_name_copy(a, text, length);
    }
    return r->p == r->end;
}

/* Subsections 1 (functions) and 7 (globals, of the extended-name-section proposal, which LLVM writes). */
static bool read_name_section(struct reader r, struct arena *a, struct wasm_names *out) {
    while (r.p < r.end) {
        uint8_t id = *r.p++;
        uint32_t size;
        if (!read_u32(&r, &size) || size > (size_t)(r.end - r.p))
            return false;
        struct reader sub = {r.p, r.p + size};
        r.p += size;
        bool ok = true;
        if (id == 1)
            ok = read_name_map(&sub, a, &out->funcs, &out->nfuncs, &out->funcs_cap);
        else if (id == 7)
            ok = read_name_map(&sub, a, &out->globals, &out->nglobals, &out->globals_cap);
        if (!ok)
            return false;
    }
    return true;
}

static bool wanted_custom(const char *name, uint32_t n) {
    return (n > 7 && memcmp(name, ".debug_", 7) == 0) || (n == 9 && memcmp(name, "producers", 9) == 0);
}

static bool fail(struct diag *d, enum diag_id id, size_t offset, const char *message) {
    diag_error(d, id, offset, -1, NULL, "%s", message);
    return false;
}

static bool check_header(const uint8_t *bytes, size_t size, struct diag *d) {
    if (size > FRONT_MAX_MODULE_BYTES) {
        diag_error(d, DIAG_LIMIT, DIAG_NO_OFFSET, -1, NULL, "the module has %zu bytes; the limit is %u", size,
                   (unsigned)FRONT_MAX_MODULE_BYTES);
        return false;
    }
    if (size == 0)
        return fail(d, DIAG_MALFORMED, 0, "the file is empty");
    size_t i = 0;
    while (i < size && (bytes[i] == ' ' || bytes[i] == '\n' || bytes[i] == '\t' || bytes[i] == '\r'))
        i++;
    if (i < size && (bytes[i] == '(' || (i + 1 < size && bytes[i] == ';' && bytes[i + 1] == ';')))
        return fail(d, DIAG_TEXT_FORMAT, i, "not a binary module");
    if (size < 4 || memcmp(bytes, "\0asm", 4) != 0)
        return fail(d, DIAG_MALFORMED, 0, "no WebAssembly magic number (00 61 73 6d) at the start");
    if (size < 8)
        return fail(d, DIAG_MALFORMED, 4, "the file ends before the version number");
    if (bytes[6] == 1 && bytes[7] == 0)
        return fail(d, DIAG_COMPONENT, 4, "a component, not a core module");
    if (memcmp(bytes + 4, "\1\0\0\0", 4) != 0)
        return fail(d, DIAG_MALFORMED, 4, "unknown version of the binary format");
    return true;
}

bool sections_scan(const uint8_t *bytes, size_t size, struct ir_module *m, struct wasm_names *out_names,
                   struct diag *d) {
    *out_names = (struct wasm_names){0};
    if (!check_header(bytes, size, d))
        return false;
    uint32_t customs_cap = 0;
    struct reader r = {bytes + 8, bytes + size};
    while (r.p < r.end) {
        size_t at = (size_t)(r.p - bytes);
        uint8_t id = *r.p++;
        uint32_t length;
        if (!read_u32(&r, &length))
            return fail(d, DIAG_MALFORMED, at + 1, "malformed section size");
        if (length > (size_t)(r.end - r.p))
            return fail(d, DIAG_MALFORMED, at, "the section extends past the end of the file");
        struct reader section = {r.p, r.p + length};
        r.p += length;
        if (id != 0)
            continue;
        const char *name;
        uint32_t n;
        if (!read_name(&section, &name, &n))
            return fail(d, DIAG_MALFORMED, at, "malformed name of a custom section");
        if (wanted_custom(name, n)) {
            struct ir_custom *c = arena_push(&m->arena, m->customs, m->ncustoms, customs_cap);
            c->name = wasm_name_copy(&m->arena, name, n);
            c->size = (uint32_t)(section.end - section.p);
            c->wasm_offset = (uint32_t)(section.p - bytes);
            c->bytes = memcpy(arena_alloc(&m->arena, c->size), section.p, c->size);
        } else if (n == 4 && memcmp(name, "name", 4) == 0 && !read_name_section(section, &m->arena, out_names)) {
            diag_warning(d, DIAG_NAME_SECTION, at, "the name section is damaged");
        }
    }
    return true;
}
