/* The trap map of an ELF object, from what LLVM wrote about its accesses.
 *
 *     HOST_PLACES_SECTION:  address ... address  wasm offset  address ...     (32-bit words; addresses are relocated)
 *     HOST_TRAP_SECTION:    sorted array of  code offset | wasm offset << 32  (struct wm_trap_map, runtime/abi.h)
 *
 * How many entries there are is known only after code generation, so the compiler emits a trap section with one zero
 * entry.  Here the object is written anew: the places section and its relocations are dropped (their headers become
 * inactive ones), the trap section gets its table, and the module constant the count.  All code lies in one .text
 * section, between two marker functions.
 *
 * Format: ELF-64 object file format, version 1.5.  Each read is checked against the buffer, though only our own output
 * comes here.
 */
#include "backends/host/host_internal.h"

#include <stdlib.h>
#include <string.h>

enum {
    EHDR_SHOFF = 40,
    SHDR_SIZE = 64,
    SYM_SIZE = 24,
    RELA_SIZE = 24,
    TYPE_SYMTAB = 2,
    TYPE_RELA = 4,
    TYPE_NOBITS = 8
};

struct elf_section {
    uint64_t header; /* file offset of the section header */
    uint64_t offset, size, align;
    uint32_t index, name, type, link, info;
};

struct elf {
    uint8_t *bytes;
    uint64_t size;
    uint64_t shoff, nsections;
    struct elf_section names, text, traps, symtab, strtab;
    const char *error;
};

struct places {
    uint64_t *v; /* packed entries, heap */
    size_t n, cap;
};

/* ---- reading ---- */

static uint64_t get(struct elf *e, uint64_t at, unsigned bytes) {
    uint64_t v = 0;
    if (at > e->size || e->size - at < bytes) {
        e->error = "truncated object";
        return 0;
    }
    for (unsigned i = 0; i < bytes; i++)
        v |= (uint64_t)e->bytes[at + i] << (8 * i);
    return v;
}

static void put(uint8_t *bytes, uint64_t v, unsigned n) {
    for (unsigned i = 0; i < n; i++)
        bytes[i] = (uint8_t)(v >> (8 * i));
}

static struct elf_section section(struct elf *e, uint64_t index) {
    uint64_t h = e->shoff + index * SHDR_SIZE;
    struct elf_section s = {.header = h, .index = (uint32_t)index};
    s.name = (uint32_t)get(e, h, 4);
    s.type = (uint32_t)get(e, h + 4, 4);
    s.offset = get(e, h + 24, 8);
    s.size = get(e, h + 32, 8);
    s.link = (uint32_t)get(e, h + 40, 4);
    s.info = (uint32_t)get(e, h + 44, 4);
    s.align = get(e, h + 48, 8);
    if (s.type != TYPE_NOBITS && (s.offset > e->size || e->size - s.offset < s.size))
        e->error = "truncated object";
    return s;
}

static bool name_is(struct elf *e, const struct elf_section *strings, uint64_t name, const char *want) {
    size_t n = strlen(want) + 1;
    uint64_t at = strings->offset + name;
    return at <= e->size && e->size - at >= n && memcmp(e->bytes + at, want, n) == 0;
}

static void find_sections(struct elf *e) {
    static const uint8_t magic[] = {0x7f, 'E', 'L', 'F', 2, 1}; /* 64 bits, little-endian */
    if (e->size < 64 || memcmp(e->bytes, magic, sizeof magic) != 0) {
        e->error = "not a 64-bit little-endian ELF object";
        return;
    }
    e->shoff = get(e, EHDR_SHOFF, 8);
    e->nsections = get(e, 60, 2);
    uint64_t names = get(e, 62, 2);
    if (e->nsections == 0)
        e->nsections = get(e, e->shoff + 32, 8);
    if (names == 0xffff)
        names = get(e, e->shoff + 40, 4);
    e->names = section(e, names);
    for (uint64_t i = 1; i < e->nsections && !e->error; i++) {
        struct elf_section s = section(e, i);
        if (name_is(e, &e->names, s.name, ".text"))
            e->text = s;
        else if (name_is(e, &e->names, s.name, HOST_TRAP_SECTION))
            e->traps = s;
        else if (s.type == TYPE_SYMTAB)
            e->symtab = s;
    }
    if (!e->error && (!e->text.index || !e->traps.index || !e->symtab.index))
        e->error = "the object lacks .text, the trap section or its symbol table";
    if (!e->error)
        e->strtab = section(e, e->symtab.link);
}

/* Value and section of a symbol. */
static bool find_symbol(struct elf *e, const char *name, uint64_t *out_value, uint32_t *out_section) {
    for (uint64_t at = 0; at + SYM_SIZE <= e->symtab.size && !e->error; at += SYM_SIZE) {
        uint64_t symbol = e->symtab.offset + at;
        if (name_is(e, &e->strtab, get(e, symbol, 4), name)) {
            *out_section = (uint32_t)get(e, symbol + 6, 2);
            *out_value = get(e, symbol + 8, 8);
            return true;
        }
    }
    e->error = "the object lacks a symbol that the compiler put there";
    return false;
}

/* ---- places ---- */

static bool is_places(struct elf *e, const struct elf_section *s) {
    return s->type != TYPE_RELA && name_is(e, &e->names, s->name, HOST_PLACES_SECTION);
}

static void add_place(struct places *p, uint64_t address) {
    if (p->n == p->cap) {
        p->cap = p->cap ? 2 * p->cap : 1024;
        p->v = realloc(p->v, p->cap * sizeof *p->v);
        if (!p->v)
            ICE("out of memory for the trap map");
    }
    p->v[p->n++] = address;
}

/* Words with a relocation are addresses of instructions, the word after them is their wasm offset. */
static void read_places(struct elf *e, const struct elf_section *s, const struct elf_section *rela,
                        struct places *places) {
    uint64_t nwords = s->size / 4;
    uint64_t *targets = calloc(nwords + 1, sizeof *targets); /* code offset + 1 */
    if (!targets)
        ICE("out of memory for the trap map");
    for (uint64_t at = 0; at + RELA_SIZE <= rela->size && !e->error; at += RELA_SIZE) {
        uint64_t r = rela->offset + at, word = get(e, r, 8) / 4;
        uint64_t symbol = e->symtab.offset + (get(e, r + 8, 8) >> 32) * SYM_SIZE;
        uint64_t target = get(e, symbol + 8, 8) + get(e, r + 16, 8);
        if (word >= nwords || get(e, symbol + 6, 2) != e->text.index || target > UINT32_MAX)
            e->error = "an access lies outside the code";
        else
            targets[word] = target + 1;
    }
    size_t open = places->n; /* first address whose offset has not come yet */
    for (uint64_t w = 0; w < nwords && !e->error; w++) {
        if (targets[w]) {
            add_place(places, targets[w] - 1);
            continue;
        }
        uint64_t offset = get(e, s->offset + 4 * w, 4);
        for (; open < places->n; open++)
            places->v[open] |= offset << 32;
    }
    if (open != places->n)
        e->error = "an access without its wasm offset";
    free(targets);
}

static int compare_places(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    uint32_t code_x = (uint32_t)x, code_y = (uint32_t)y;
    return code_x != code_y ? (code_x < code_y ? -1 : 1) : (x > y) - (x < y);
}

static void collect(struct elf *e, struct places *places) {
    for (uint64_t i = 1; i < e->nsections && !e->error; i++) {
        struct elf_section rela = section(e, i);
        if (rela.type != TYPE_RELA)
            continue;
        struct elf_section s = section(e, rela.info);
        if (is_places(e, &s))
            read_places(e, &s, &rela, places);
    }
    if (!e->error && places->n)
        qsort(places->v, places->n, sizeof *places->v, compare_places);
}

/* ---- writing ---- */

static uint64_t align_up(uint64_t v, uint64_t align) {
    return align > 1 ? (v + align - 1) / align * align : v;
}

static bool is_dropped(struct elf *e, const struct elf_section *s) {
    if (s->type == TYPE_RELA) {
        struct elf_section of = section(e, s->info);
        return is_places(e, &of);
    }
    return is_places(e, s);
}

/* The object again, section after section, the section headers last.  Returns its size; `to` NULL: only that. */
static uint64_t rewrite(struct elf *e, const struct places *places, uint64_t count_section, uint64_t count_at,
                        uint8_t *to) {
    uint64_t at = 64, table = 0;
    for (int pass = 0; pass < 2; pass++) { /* first where the headers come to stand, then all of it */
        table = align_up(at, 8);
        at = 64;
        for (uint64_t i = 1; i < e->nsections; i++) {
            struct elf_section s = section(e, i);
            uint8_t *header = to && pass ? to + table + i * SHDR_SIZE : NULL;
            bool traps = i == e->traps.index;
            if (header)
                memcpy(header, e->bytes + s.header, SHDR_SIZE);
            if (is_dropped(e, &s)) { /* all fields of an inactive header but the type are undefined: zero them */
                if (header)
                    memset(header, 0, SHDR_SIZE);
                continue;
            }
            uint64_t size = traps && places->n ? places->n * 8 : s.size;
            at = align_up(at, s.align);
            if (header) {
                put(header + 24, at, 8);
                put(header + 32, size, 8);
                if (s.type != TYPE_NOBITS && !(traps && places->n))
                    memcpy(to + at, e->bytes + s.offset, s.size);
                for (size_t k = 0; traps && k < places->n; k++)
                    put(to + at + 8 * k, places->v[k], 8);
                if (i == count_section)
                    put(to + at + count_at, places->n, 8);
            }
            at += s.type == TYPE_NOBITS ? 0 : size;
        }
    }
    if (to) {
        memcpy(to, e->bytes, 64);
        put(to + EHDR_SHOFF, table, 8);
        memcpy(to + table, e->bytes + e->shoff, SHDR_SIZE); /* header 0 holds counts of large files */
    }
    return table + e->nsections * SHDR_SIZE;
}

bool host_elf_fill_trap_map(struct host_object *object, const char *module_symbol, const char **out_error) {
    struct elf e = {.bytes = object->bytes, .size = object->size};
    struct places places = {0};
    uint64_t start = 0, end = 0, module = 0;
    uint32_t start_section = 0, end_section = 0, module_section = 0;
    find_sections(&e);
    bool ok = !e.error && find_symbol(&e, "wasmetal_code_start", &start, &start_section) &&
              find_symbol(&e, "wasmetal_code_end", &end, &end_section) &&
              find_symbol(&e, module_symbol, &module, &module_section);
    if (ok && (start_section != e.text.index || end_section != e.text.index || start != 0 || end > UINT32_MAX))
        e.error = "the code is not in one piece below 4 GiB";
    if (!e.error)
        collect(&e, &places);
    if (!e.error) {
        uint64_t count_at = module + offsetof(struct wm_module, trap_map.nentries);
        uint64_t size = rewrite(&e, &places, module_section, count_at, NULL);
        uint8_t *bytes = calloc(1, size);
        if (!bytes)
            ICE("out of memory for the object");
        rewrite(&e, &places, module_section, count_at, bytes);
        free(object->bytes);
        *object = (struct host_object){bytes, size};
    }
    free(places.v);
    *out_error = e.error;
    return !e.error;
}
