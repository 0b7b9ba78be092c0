/* The trap map of an ELF object, from its own line table.
 *
 *     .debug_line:  code address -> line (= wasm offset, host_debug.c)
 *     HOST_TRAP_SECTION:  sorted array of  code offset | wasm offset << 32     (struct wm_trap_map, runtime/abi.h)
 *
 * How many entries there are is known only after code generation, so the compiler emits a section with one zero entry;
 * here the real table is put at the end of the file, the section's header is pointed at it, and the count is written
 * into the module constant.  All code lies in one .text section, between two marker functions; addresses in the line
 * program are relocations against that section.
 *
 * Formats: ELF-64 object file format, version 1.5; DWARF 4, section 6.2 (LLVM is told to write version 4; headers of
 * version 5 differ only in tables that are skipped).  Each read is checked against the buffer, though only our own
 * output comes here.
 */
#include "backends/host/host_internal.h"

#include <stdlib.h>
#include <string.h>

enum { SHDR_SIZE = 64, SYM_SIZE = 24, RELA_SIZE = 24, SHT_SYMTAB_ = 2 };

struct elf_section {
    uint64_t header; /* file offset of the section header */
    uint64_t offset, size;
    uint32_t index, name, type, link;
};

struct elf {
    struct host_object *o;
    uint64_t shoff, nsections;
    struct elf_section names, text, line, line_rela, traps, symtab, strtab;
    const char *error;
};

struct rows {
    uint64_t *v; /* packed entries, heap */
    size_t n, cap;
};

/* ---- reading ---- */

static uint64_t get(struct elf *e, uint64_t at, unsigned bytes) {
    uint64_t v = 0;
    if (at > e->o->size || e->o->size - at < bytes) {
        e->error = "truncated object";
        return 0;
    }
    for (unsigned i = 0; i < bytes; i++)
        v |= (uint64_t)e->o->bytes[at + i] << (8 * i);
    return v;
}

static void put64(struct elf *e, uint64_t at, uint64_t v) {
    if (at > e->o->size || e->o->size - at < 8) {
        e->error = "truncated object";
        return;
    }
    for (unsigned i = 0; i < 8; i++)
        e->o->bytes[at + i] = (uint8_t)(v >> (8 * i));
}

static struct elf_section section(struct elf *e, uint64_t index) {
    uint64_t h = e->shoff + index * SHDR_SIZE;
    struct elf_section s = {.header = h, .index = (uint32_t)index};
    s.name = (uint32_t)get(e, h, 4);
    s.type = (uint32_t)get(e, h + 4, 4);
    s.offset = get(e, h + 24, 8);
    s.size = get(e, h + 32, 8);
    s.link = (uint32_t)get(e, h + 40, 4);
    return s;
}

static bool name_is(struct elf *e, const struct elf_section *strings, uint64_t name, const char *want) {
    size_t n = strlen(want) + 1;
    uint64_t at = strings->offset + name;
    return at <= e->o->size && e->o->size - at >= n && memcmp(e->o->bytes + at, want, n) == 0;
}

static void find_sections(struct elf *e) {
    static const uint8_t magic[] = {0x7f, 'E', 'L', 'F', 2, 1}; /* 64 bits, little-endian */
    if (e->o->size < 64 || memcmp(e->o->bytes, magic, sizeof magic) != 0) {
        e->error = "not a 64-bit little-endian ELF object";
        return;
    }
    e->shoff = get(e, 40, 8);
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
        else if (name_is(e, &e->names, s.name, ".debug_line"))
            e->line = s;
        else if (name_is(e, &e->names, s.name, ".rela.debug_line"))
            e->line_rela = s;
        else if (name_is(e, &e->names, s.name, HOST_TRAP_SECTION))
            e->traps = s;
        else if (s.type == SHT_SYMTAB_)
            e->symtab = s;
    }
    if (!e->error && (!e->text.index || !e->traps.index || !e->symtab.index))
        e->error = "the object lacks .text, the trap section or its symbol table";
    if (!e->error)
        e->strtab = section(e, e->symtab.link);
}

/* Value and section of a symbol. */
static bool find_symbol(struct elf *e, const char *name, uint64_t *out_value, uint32_t *out_section) {
    for (uint64_t at = e->symtab.offset; at + SYM_SIZE <= e->symtab.offset + e->symtab.size && !e->error;
         at += SYM_SIZE)
        if (name_is(e, &e->strtab, get(e, at, 4), name)) {
            *out_section = (uint32_t)get(e, at + 6, 2);
            *out_value = get(e, at + 8, 8);
            return true;
        }
    e->error = "the object lacks a symbol that the compiler put there";
    return false;
}

/* The offset in .text that the 8 bytes at `at` of .debug_line will be relocated to. */
static bool text_address(struct elf *e, uint64_t at, uint64_t *inout_rela, uint64_t *out_address) {
    uint64_t end = e->line_rela.offset + e->line_rela.size;
    for (uint64_t tried = 0, r = *inout_rela; tried < e->line_rela.size; tried += RELA_SIZE) {
        if (r + RELA_SIZE > end)
            r = e->line_rela.offset;
        if (get(e, r, 8) == at) {
            uint64_t symbol = e->symtab.offset + (get(e, r + 8, 8) >> 32) * SYM_SIZE;
            *out_address = get(e, symbol + 8, 8) + get(e, r + 16, 8);
            *inout_rela = r + RELA_SIZE;
            return get(e, symbol + 6, 2) == e->text.index;
        }
        r += RELA_SIZE;
    }
    return false;
}

/* ---- the line program ---- */

struct cursor {
    struct elf *e;
    uint64_t at, end; /* file offsets */
};

static uint64_t take(struct cursor *c, unsigned bytes) {
    if (c->end - c->at < bytes) {
        c->e->error = "bad line table";
        c->at = c->end;
        return 0;
    }
    c->at += bytes;
    return get(c->e, c->at - bytes, bytes);
}

static uint64_t take_uleb(struct cursor *c) {
    uint64_t v = 0;
    for (unsigned shift = 0;; shift += 7) {
        uint64_t byte = take(c, 1);
        if (shift < 64)
            v |= (byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return v;
    }
}

static int64_t take_sleb(struct cursor *c) {
    uint64_t v = 0, byte;
    unsigned shift = 0;
    do {
        byte = take(c, 1);
        if (shift < 64)
            v |= (byte & 0x7f) << shift;
        shift += 7;
    } while (byte & 0x80);
    if (shift < 64 && (byte & 0x40))
        v |= ~UINT64_C(0) << shift;
    return (int64_t)v;
}

/* Rows without a line say nothing about wasm; a row equal to the one before it adds nothing. */
static void add_row(struct rows *rows, uint64_t address, uint64_t line) {
    if (line == 0 || line > UINT32_MAX || address > UINT32_MAX)
        return;
    uint64_t entry = address | line << 32;
    if (rows->n && (rows->v[rows->n - 1] >> 32) == line)
        return;
    if (rows->n && (uint32_t)rows->v[rows->n - 1] == address) {
        rows->v[rows->n - 1] = entry;
        return;
    }
    if (rows->n == rows->cap) {
        rows->cap = rows->cap ? 2 * rows->cap : 1024;
        rows->v = realloc(rows->v, rows->cap * sizeof *rows->v);
        if (!rows->v)
            ICE("out of memory for the trap map");
    }
    rows->v[rows->n++] = entry;
}

enum {
    LNS_COPY = 1,
    LNS_ADVANCE_PC,
    LNS_ADVANCE_LINE,
    LNS_SET_FILE,
    LNS_SET_COLUMN,
    LNS_CONST_ADD_PC = 8,
    LNS_FIXED_ADVANCE_PC,
    LNE_END_SEQUENCE = 1,
    LNE_SET_ADDRESS
};

/* One unit; `c` spans it, after its length field. */
static void read_unit(struct cursor c, uint64_t base, uint64_t *inout_rela, struct rows *rows) {
    struct elf *e = c.e;
    uint64_t version = take(&c, 2);
    if (version < 2 || version > 5) {
        e->error = "line table of an unknown version";
        return;
    }
    if (version >= 5)
        take(&c, 2); /* address and segment selector size */
    uint64_t header = take(&c, 4);
    struct cursor h = {e, c.at, c.end};
    if (header > c.end - c.at) {
        e->error = "bad line table";
        return;
    }
    c.at += header;
    uint64_t min_inst = take(&h, 1);
    if (version >= 4)
        take(&h, 1); /* operations an instruction: 1 on all targets but VLIW ones */
    take(&h, 1);     /* default is_stmt */
    int8_t line_base = (int8_t)take(&h, 1);
    uint64_t line_range = take(&h, 1), opcode_base = take(&h, 1), lengths = h.at;
    if (line_range == 0) {
        e->error = "bad line table";
        return;
    }
    uint64_t address = 0, line = 1;
    bool here = false; /* the sequence lies in .text */
    while (c.at < c.end && !e->error) {
        uint64_t op = take(&c, 1);
        if (op >= opcode_base) {
            op -= opcode_base;
            address += op / line_range * min_inst;
            line += (uint64_t)(line_base + (int64_t)(op % line_range));
            if (here)
                add_row(rows, address, line);
            continue;
        }
        switch (op) {
        case 0: {
            uint64_t length = take_uleb(&c), next = c.at + length;
            if (length == 0 || length > c.end - c.at) {
                e->error = "bad line table";
                return;
            }
            uint64_t extended = take(&c, 1);
            if (extended == LNE_SET_ADDRESS) {
                here = text_address(e, c.at - base, inout_rela, &address);
            } else if (extended == LNE_END_SEQUENCE) {
                address = 0;
                line = 1;
                here = false;
            }
            c.at = next;
            break;
        }
        case LNS_COPY:
            if (here)
                add_row(rows, address, line);
            break;
        case LNS_ADVANCE_PC:
            address += take_uleb(&c) * min_inst;
            break;
        case LNS_ADVANCE_LINE:
            line += (uint64_t)take_sleb(&c);
            break;
        case LNS_CONST_ADD_PC:
            address += (255 - opcode_base) / line_range * min_inst;
            break;
        case LNS_FIXED_ADVANCE_PC:
            address += take(&c, 2);
            break;
        default: /* no effect on address or line: skip the operands */
            for (uint64_t n = get(e, lengths + op - 1, 1); n > 0; n--)
                take_uleb(&c);
        }
    }
}

static int compare_entries(const void *a, const void *b) {
    uint32_t x = (uint32_t) * (const uint64_t *)a, y = (uint32_t) * (const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void read_lines(struct elf *e, struct rows *rows) {
    struct cursor c = {e, e->line.offset, e->line.offset + e->line.size};
    uint64_t rela = e->line_rela.offset;
    while (c.at < c.end && !e->error) {
        uint64_t length = take(&c, 4);
        if (length > c.end - c.at) { /* also the 64-bit form, which LLVM writes only when asked */
            e->error = "bad line table";
            return;
        }
        read_unit((struct cursor){e, c.at, c.at + length}, e->line.offset, &rela, rows);
        c.at += length;
    }
    if (rows->n)
        qsort(rows->v, rows->n, sizeof *rows->v, compare_entries);
}

/* ---- writing ---- */

static void append_table(struct elf *e, const struct rows *rows) {
    struct host_object *o = e->o;
    size_t start = (o->size + 7) & ~(size_t)7, size = start + rows->n * 8;
    uint8_t *bytes = realloc(o->bytes, size);
    if (!bytes)
        ICE("out of memory for the trap map");
    memset(bytes + o->size, 0, size - o->size);
    o->bytes = bytes;
    o->size = size;
    for (size_t i = 0; i < rows->n; i++)
        put64(e, start + 8 * i, rows->v[i]);
    put64(e, e->traps.header + 24, start);
    put64(e, e->traps.header + 32, rows->n * 8);
}

bool host_elf_fill_trap_map(struct host_object *object, const char *module_symbol, const char **out_error) {
    struct elf e = {.o = object};
    struct rows rows = {0};
    uint64_t start = 0, end = 0, module = 0;
    uint32_t start_section = 0, end_section = 0, module_section = 0;
    find_sections(&e);
    bool ok = !e.error && find_symbol(&e, "wasmetal_code_start", &start, &start_section) &&
              find_symbol(&e, "wasmetal_code_end", &end, &end_section) &&
              find_symbol(&e, module_symbol, &module, &module_section);
    if (ok && (start_section != e.text.index || end_section != e.text.index || start != 0 || end > UINT32_MAX)) {
        e.error = "the code is not in one piece below 4 GiB";
        ok = false;
    }
    if (ok)
        read_lines(&e, &rows);
    if (!e.error && rows.n) {
        append_table(&e, &rows);
        put64(&e, section(&e, module_section).offset + module + offsetof(struct wm_module, trap_map.nentries), rows.n);
    }
    free(rows.v);
    *out_error = e.error;
    return !e.error;
}
