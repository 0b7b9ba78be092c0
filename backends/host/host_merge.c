/* One ELF object from those of a module's parts: what `ld -r` does, as far as our own objects need it.
 *
 *     .text               of all parts one after the other, in one section: the trap map counts from its start
 *     .eh_frame           likewise, for JITLink expects one
 *     relocations of both likewise, offsets moved
 *     all other sections  as they are, side by side, also when their names are equal
 *     symbols             hidden ones are resolved between the parts and become local; what stays global is the
 *                         module's constant and what the runtime and the C library define
 *
 * A relocation against the section symbol of a .text (jump tables, places of accesses) gets the distance that this
 * .text was moved by added.  Objects have addends of their own (RELA), as all 64-bit targets of LLVM do.
 *
 * Sections of groups (the address of the exceptions' personality routine) become ordinary ones, and of a weak symbol
 * that several parts define the first is taken.
 *
 * Format: ELF-64 object file format, version 1.5.  What LLVM did not put there so far (extended section indices) is
 * refused.  Every read is checked against its buffer.
 */
#include "backends/host/host_internal.h"

#include <stdlib.h>
#include <string.h>

#include "ir/util/strbuf.h"

enum {
    SHDR_SIZE = 64,
    SYM_SIZE = 24,
    RELA_SIZE = 24,
    TYPE_SYMTAB = 2,
    TYPE_STRTAB = 3,
    TYPE_RELA = 4,
    TYPE_NOBITS = 8,
    TYPE_GROUP = 17,
    TYPE_SHNDX = 18,
    FLAG_LINK_ORDER = 0x80,
    FLAG_GROUP = 0x200,
    BINDING_WEAK = 2,
    SYMBOL_SECTION = 3,
    SYMBOL_FILE = 4,
    INDEX_RESERVED = 0xff00,
    MAX_SECTIONS = 0xff00
};

struct section {
    uint32_t name, type, link, info;
    uint64_t flags, offset, size, align, entsize;
    uint32_t out;  /* its section in the result, 0: dropped */
    uint64_t move; /* where it begins in that */
};

struct symbol {
    uint32_t name, section;
    uint8_t info, other;
    uint64_t value, size;
};

struct part {
    const uint8_t *bytes;
    uint64_t size;
    struct section *sections;
    uint32_t nsections, text, symtab, names, nsymbols, first_global;
    uint32_t *symbol_out; /* index in the result */
};

struct out_section {
    struct section head; /* name: in the result's string table */
    uint32_t part;       /* where it is from; .text, .eh_frame and their relocations: all parts */
    uint32_t from;
};

struct merge {
    struct arena arena;
    struct part *parts;
    uint32_t nparts;
    struct out_section *out;
    uint32_t nout, out_cap, text, rela_text, frames, rela_frames;
    struct symbol *locals, *globals;
    uint32_t nlocals, locals_cap, nglobals, globals_cap;
    struct strbuf strings;
    struct slot {
        const char *name;
        uint32_t index; /* in globals */
    } * table;
    uint32_t table_size;
    const char *error;
};

/* ---- reading ---- */

static uint64_t get(struct merge *m, const struct part *p, uint64_t at, unsigned bytes) {
    uint64_t v = 0;
    if (at > p->size || p->size - at < bytes) {
        m->error = "truncated object";
        return 0;
    }
    for (unsigned i = 0; i < bytes; i++)
        v |= (uint64_t)p->bytes[at + i] << (8 * i);
    return v;
}

static void put(uint8_t *to, uint64_t v, unsigned bytes) {
    for (unsigned i = 0; i < bytes; i++)
        to[i] = (uint8_t)(v >> (8 * i));
}

static const char *string_at(struct merge *m, const struct part *p, uint32_t table, uint64_t at) {
    const struct section *s = &p->sections[table];
    if (at >= s->size || !memchr(p->bytes + s->offset + at, 0, s->size - at)) {
        m->error = "a name outside of its string table";
        return "";
    }
    return (const char *)p->bytes + s->offset + at;
}

static void read_section(struct merge *m, struct part *p, uint32_t index, uint64_t at) {
    struct section *s = &p->sections[index];
    *s = (struct section){.name = (uint32_t)get(m, p, at, 4),
                          .type = (uint32_t)get(m, p, at + 4, 4),
                          .flags = get(m, p, at + 8, 8),
                          .offset = get(m, p, at + 24, 8),
                          .size = get(m, p, at + 32, 8),
                          .link = (uint32_t)get(m, p, at + 40, 4),
                          .info = (uint32_t)get(m, p, at + 44, 4),
                          .align = get(m, p, at + 48, 8),
                          .entsize = get(m, p, at + 56, 8)};
    if (s->type != TYPE_NOBITS && (s->offset > p->size || p->size - s->offset < s->size))
        m->error = "truncated object";
    if (s->type == TYPE_SHNDX)
        m->error = "a section of a kind that is not expected";
    if (s->type == TYPE_SYMTAB)
        p->symtab = index;
}

static void read_part(struct merge *m, struct part *p) {
    static const uint8_t magic[] = {0x7f, 'E', 'L', 'F', 2, 1}; /* 64 bits, little-endian */
    if (p->size < 64 || memcmp(p->bytes, magic, sizeof magic) != 0) {
        m->error = "not a 64-bit little-endian ELF object";
        return;
    }
    uint64_t table = get(m, p, 40, 8);
    p->nsections = (uint32_t)get(m, p, 60, 2);
    p->names = (uint32_t)get(m, p, 62, 2);
    p->sections = arena_array(&m->arena, struct section, p->nsections + 1);
    for (uint32_t i = 0; i < p->nsections; i++)
        read_section(m, p, i, table + (uint64_t)i * SHDR_SIZE);
    if (m->error)
        return;
    for (uint32_t i = 1; i < p->nsections; i++)
        if (p->sections[i].link >= p->nsections ||
            (p->sections[i].type == TYPE_RELA && p->sections[i].info >= p->nsections))
            m->error = "a section refers to one that is not there";
    if (!p->nsections || p->names >= p->nsections || !p->symtab)
        m->error = "an object without sections, names or symbols";
    if (m->error)
        return;
    for (uint32_t i = 1; i < p->nsections; i++)
        if (strcmp(string_at(m, p, p->names, p->sections[i].name), ".text") == 0)
            p->text = i;
    if (!p->text)
        m->error = "an object without .text";
    p->nsymbols = (uint32_t)(p->sections[p->symtab].size / SYM_SIZE);
    p->first_global = p->sections[p->symtab].info;
    p->symbol_out = arena_array(&m->arena, uint32_t, p->nsymbols + 1);
}

static struct symbol read_symbol(struct merge *m, const struct part *p, uint32_t index) {
    uint64_t at = p->sections[p->symtab].offset + (uint64_t)index * SYM_SIZE;
    struct symbol s = {.name = (uint32_t)get(m, p, at, 4),
                       .info = (uint8_t)get(m, p, at + 4, 1),
                       .other = (uint8_t)get(m, p, at + 5, 1),
                       .section = (uint32_t)get(m, p, at + 6, 2),
                       .value = get(m, p, at + 8, 8),
                       .size = get(m, p, at + 16, 8)};
    if (s.section < INDEX_RESERVED && s.section >= p->nsections) {
        m->error = "a symbol of a section that is not there";
        s.section = 0;
    }
    return s;
}

/* ---- sections ---- */

static uint64_t align_up(uint64_t v, uint64_t align) {
    return align > 1 ? (v + align - 1) / align * align : v;
}

static uint32_t add_string(struct merge *m, const char *text) {
    uint32_t at = (uint32_t)m->strings.len;
    strbuf_add_bytes(&m->strings, text, strlen(text) + 1);
    return at;
}

static uint32_t add_section(struct merge *m, const struct part *p, uint32_t index) {
    if (m->nout >= MAX_SECTIONS)
        m->error = "too many sections";
    struct out_section *o = arena_push(&m->arena, m->out, m->nout, m->out_cap);
    *o = (struct out_section){.head = p->sections[index], .part = (uint32_t)(p - m->parts), .from = index};
    o->head.name = add_string(m, string_at(m, p, p->names, p->sections[index].name));
    return m->nout - 1;
}

/* Appends a piece to the one section that all parts share. */
static void append(struct merge *m, uint32_t *shared, const struct part *p, uint32_t index) {
    struct section *s = &p->sections[index];
    if (!*shared) {
        *shared = add_section(m, p, index);
        m->out[*shared].head.size = 0;
    }
    struct section *head = &m->out[*shared].head;
    s->out = *shared;
    s->move = align_up(head->size, s->align);
    head->size = s->move + s->size;
    head->align = s->align > head->align ? s->align : head->align;
}

static bool is_frames(struct merge *m, const struct part *p, uint32_t index) {
    return strcmp(string_at(m, p, p->names, p->sections[index].name), ".eh_frame") == 0;
}

static void place_sections(struct merge *m) {
    bool noted = false;
    for (uint32_t k = 0; k < m->nparts && !m->error; k++) {
        struct part *p = &m->parts[k];
        append(m, &m->text, p, p->text);
        for (uint32_t i = 1; i < p->nsections; i++) {
            struct section *s = &p->sections[i];
            if (i == p->text || s->type == TYPE_SYMTAB || s->type == TYPE_STRTAB || s->type == TYPE_GROUP)
                continue;
            s->flags &= ~(uint64_t)FLAG_GROUP;
            if (strcmp(string_at(m, p, p->names, s->name), ".note.GNU-stack") == 0) {
                if (noted)
                    continue;
                noted = true;
            }
            if (s->type == TYPE_RELA && s->info == p->text)
                append(m, &m->rela_text, p, i);
            else if (s->type == TYPE_RELA && is_frames(m, p, s->info))
                append(m, &m->rela_frames, p, i);
            else if (is_frames(m, p, i) && s->size % (s->align ? s->align : 1) == 0) /* zeros would end the list */
                append(m, &m->frames, p, i);
            else
                s->out = add_section(m, p, i);
        }
    }
}

/* ---- symbols ---- */

static uint32_t hash_name(const char *name) {
    uint32_t h = 2166136261u; /* FNV-1a */
    for (; *name; name++)
        h = (h ^ (uint8_t)*name) * 16777619u;
    return h;
}

static struct slot *find_slot(struct merge *m, const char *name) {
    uint32_t i = hash_name(name) & (m->table_size - 1);
    while (m->table[i].name && strcmp(m->table[i].name, name) != 0)
        i = (i + 1) & (m->table_size - 1);
    return &m->table[i];
}

static struct symbol move_symbol(const struct part *p, struct symbol s) {
    if (s.section && s.section < INDEX_RESERVED) {
        s.value += p->sections[s.section].move;
        s.section = p->sections[s.section].out;
    }
    return s;
}

static void add_locals(struct merge *m, struct part *p, uint32_t *text_symbol) {
    for (uint32_t i = 1; i < p->first_global && i < p->nsymbols; i++) {
        struct symbol s = read_symbol(m, p, i);
        unsigned type = s.info & 15;
        bool of_text = type == SYMBOL_SECTION && s.section == p->text;
        if (s.section && s.section < INDEX_RESERVED && !p->sections[s.section].out)
            continue; /* of a dropped section */
        if ((type == SYMBOL_FILE && p != m->parts) || (of_text && *text_symbol)) {
            p->symbol_out[i] = of_text ? *text_symbol : 0;
            continue;
        }
        if (of_text)
            *text_symbol = m->nlocals;
        p->symbol_out[i] = m->nlocals;
        const char *name = s.name ? string_at(m, p, p->sections[p->symtab].link, s.name) : "";
        struct symbol out = move_symbol(p, s);
        if (type == SYMBOL_SECTION)
            out.value = 0;
        out.name = *name ? add_string(m, name) : 0;
        *arena_push(&m->arena, m->locals, m->nlocals, m->locals_cap) = out;
    }
}

/* One entry a name; a definition takes the place of references. */
static void add_globals(struct merge *m, struct part *p) {
    for (uint32_t i = p->first_global; i < p->nsymbols && !m->error; i++) {
        struct symbol s = read_symbol(m, p, i);
        const char *name = string_at(m, p, p->sections[p->symtab].link, s.name);
        struct slot *slot = find_slot(m, name);
        struct symbol *known = slot->name ? &m->globals[slot->index] : NULL;
        p->symbol_out[i] = slot->name ? slot->index : m->nglobals;
        s = move_symbol(p, s);
        if (!known) {
            *slot = (struct slot){name, m->nglobals};
            s.name = add_string(m, name);
            *arena_push(&m->arena, m->globals, m->nglobals, m->globals_cap) = s;
        } else if (s.section && known->section) {
            if (s.info >> 4 == BINDING_WEAK)
                continue;
            m->error = "a symbol defined twice";
        } else if (s.section) {
            s.name = known->name;
            *known = s;
        }
    }
}

/* Globals that the parts share become locals; indices are made final. */
static void settle_symbols(struct merge *m, const char *module_symbol) {
    uint32_t *final = arena_array(&m->arena, uint32_t, m->nglobals + 1);
    uint32_t kept = 0;
    for (uint32_t g = 0; g < m->nglobals; g++) {
        struct symbol s = m->globals[g];
        if (s.section && strcmp(m->strings.data + s.name, module_symbol) != 0) {
            s.info &= 15; /* STB_LOCAL */
            s.other = 0;
            final[g] = m->nlocals;
            *arena_push(&m->arena, m->locals, m->nlocals, m->locals_cap) = s;
        } else {
            final[g] = UINT32_MAX;
        }
    }
    for (uint32_t g = 0; g < m->nglobals; g++)
        if (final[g] == UINT32_MAX) {
            final[g] = m->nlocals + kept;
            m->globals[kept++] = m->globals[g];
        }
    m->nglobals = kept;
    for (uint32_t k = 0; k < m->nparts; k++)
        for (uint32_t i = m->parts[k].first_global; i < m->parts[k].nsymbols; i++)
            m->parts[k].symbol_out[i] = final[m->parts[k].symbol_out[i]];
}

static void merge_symbols(struct merge *m, const char *module_symbol) {
    uint64_t total = 0;
    for (uint32_t k = 0; k < m->nparts; k++)
        total += m->parts[k].nsymbols;
    for (m->table_size = 64; m->table_size < 2 * total;)
        m->table_size *= 2;
    m->table = arena_array(&m->arena, struct slot, m->table_size);
    *arena_push(&m->arena, m->locals, m->nlocals, m->locals_cap) = (struct symbol){0};
    uint32_t text_symbol = 0;
    for (uint32_t k = 0; k < m->nparts && !m->error; k++) {
        add_locals(m, &m->parts[k], &text_symbol);
        add_globals(m, &m->parts[k]);
    }
    if (!m->error)
        settle_symbols(m, module_symbol);
}

/* ---- writing ---- */

static void write_relocations(struct merge *m, const struct part *p, const struct section *s, uint8_t *to) {
    uint64_t move = p->sections[s->info].move;
    for (uint64_t at = 0; at + RELA_SIZE <= s->size; at += RELA_SIZE) {
        uint64_t info = get(m, p, s->offset + at + 8, 8), addend = get(m, p, s->offset + at + 16, 8);
        uint32_t symbol = (uint32_t)(info >> 32);
        if (symbol >= p->nsymbols) {
            m->error = "a relocation without its symbol";
            return;
        }
        struct symbol target = read_symbol(m, p, symbol);
        if ((target.info & 15) == SYMBOL_SECTION && target.section < p->nsections)
            addend += p->sections[target.section].move;
        put(to + at, get(m, p, s->offset + at, 8) + move, 8);
        put(to + at + 8, (uint64_t)p->symbol_out[symbol] << 32 | (uint32_t)info, 8);
        put(to + at + 16, addend, 8);
    }
}

static void write_piece(struct merge *m, const struct part *p, uint32_t index, uint8_t *to) {
    const struct section *s = &p->sections[index];
    if (s->type == TYPE_RELA)
        write_relocations(m, p, s, to);
    else if (s->type != TYPE_NOBITS)
        memcpy(to, p->bytes + s->offset, s->size);
}

static void write_section(struct merge *m, uint32_t index, uint8_t *to) {
    const struct out_section *o = &m->out[index];
    if (index != m->text && index != m->rela_text && index != m->frames && index != m->rela_frames) {
        write_piece(m, &m->parts[o->part], o->from, to);
        return;
    }
    for (uint32_t k = 0; k < m->nparts; k++) {
        const struct part *p = &m->parts[k];
        for (uint32_t i = 1; i < p->nsections; i++)
            if (p->sections[i].out == index)
                write_piece(m, p, i, to + p->sections[i].move);
    }
}

static void write_symbols(const struct symbol *list, uint32_t n, uint8_t *to) {
    for (uint32_t i = 0; i < n; i++, to += SYM_SIZE) {
        put(to, list[i].name, 4);
        to[4] = list[i].info;
        to[5] = list[i].other;
        put(to + 6, list[i].section, 2);
        put(to + 8, list[i].value, 8);
        put(to + 16, list[i].size, 8);
    }
}

static void write_header(const struct section *s, uint64_t offset, uint8_t *to) {
    put(to, s->name, 4);
    put(to + 4, s->type, 4);
    put(to + 8, s->flags, 8);
    put(to + 24, offset, 8);
    put(to + 32, s->size, 8);
    put(to + 40, s->link, 4);
    put(to + 44, s->info, 4);
    put(to + 48, s->align, 8);
    put(to + 56, s->entsize, 8);
}

/* The tables that are made here, behind the sections that came in. */
static void add_tables(struct merge *m, uint32_t *out_symtab) {
    uint64_t nsymbols = (uint64_t)m->nlocals + m->nglobals;
    *out_symtab = m->nout;
    struct section symtab = {.name = add_string(m, ".symtab"), .type = TYPE_SYMTAB, .link = m->nout + 1};
    symtab.info = m->nlocals;
    symtab.size = nsymbols * SYM_SIZE;
    symtab.align = 8;
    symtab.entsize = SYM_SIZE;
    arena_push(&m->arena, m->out, m->nout, m->out_cap)->head = symtab;
    struct section strtab = {.name = add_string(m, ".strtab"), .type = TYPE_STRTAB, .align = 1};
    strtab.size = m->strings.len;
    arena_push(&m->arena, m->out, m->nout, m->out_cap)->head = strtab;
    for (uint32_t i = 1; i < *out_symtab; i++) {
        struct section *head = &m->out[i].head;
        const struct part *p = &m->parts[m->out[i].part];
        if (head->type == TYPE_RELA) {
            head->link = *out_symtab;
            head->info = p->sections[head->info].out;
        } else if (head->flags & FLAG_LINK_ORDER) {
            head->link = p->sections[head->link].out;
        }
    }
}

static void write_all(struct merge *m, struct host_object *out) {
    uint32_t symtab;
    add_tables(m, &symtab);
    uint64_t *offsets = arena_array(&m->arena, uint64_t, m->nout), at = 64;
    for (uint32_t i = 1; i < m->nout; i++) {
        offsets[i] = at = align_up(at, m->out[i].head.align);
        at += m->out[i].head.type == TYPE_NOBITS ? 0 : m->out[i].head.size;
    }
    uint64_t table = align_up(at, 8);
    out->size = table + (uint64_t)m->nout * SHDR_SIZE;
    out->bytes = calloc(1, out->size);
    if (!out->bytes)
        ICE("out of memory for the object");
    memcpy(out->bytes, m->parts[0].bytes, 64);
    put(out->bytes + 40, table, 8);
    put(out->bytes + 60, m->nout, 2);
    put(out->bytes + 62, symtab + 1, 2);
    for (uint32_t i = 1; i < m->nout; i++) {
        write_header(&m->out[i].head, offsets[i], out->bytes + table + (uint64_t)i * SHDR_SIZE);
        if (i < symtab)
            write_section(m, i, out->bytes + offsets[i]);
    }
    write_symbols(m->locals, m->nlocals, out->bytes + offsets[symtab]);
    write_symbols(m->globals, m->nglobals, out->bytes + offsets[symtab] + (uint64_t)m->nlocals * SYM_SIZE);
    memcpy(out->bytes + offsets[symtab + 1], m->strings.data, m->strings.len);
}

bool host_merge_objects(const struct host_object *parts, uint32_t nparts, const char *module_symbol,
                        struct host_object *out_object, const char **out_error) {
    struct merge m = {.nparts = nparts};
    *out_object = (struct host_object){0};
    m.parts = arena_array(&m.arena, struct part, nparts);
    strbuf_add_bytes(&m.strings, "", 1);
    arena_push(&m.arena, m.out, m.nout, m.out_cap)->from = 0; /* section 0 is none */
    for (uint32_t k = 0; k < nparts && !m.error; k++) {
        m.parts[k] = (struct part){.bytes = parts[k].bytes, .size = parts[k].size};
        read_part(&m, &m.parts[k]);
    }
    if (!m.error)
        place_sections(&m);
    if (!m.error)
        merge_symbols(&m, module_symbol);
    if (!m.error)
        write_all(&m, out_object);
    if (m.error)
        host_object_free(out_object);
    *out_error = m.error;
    strbuf_free(&m.strings);
    arena_free(&m.arena);
    return !m.error;
}
