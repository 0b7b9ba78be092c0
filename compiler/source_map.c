/* Source lines by wasm offset; see source_map.h.  DWARF in wasm counts addresses from the first byte of the code
 * section's content (WebAssembly tool conventions, Dwarf.md). */
#include "compiler/source_map.h"

#include <stdlib.h>
#include <string.h>

#include "ir/util/dwarf_line.h"

enum { MAX_ROWS = 16u << 20 };

struct row {
    uint32_t address, line;
    const char *file; /* NULL: end of a sequence */
};

struct source_map {
    struct arena *arena;
    struct row *rows;
    uint32_t nrows, cap;
    uint32_t code_start;
};

static bool add_row(void *user, const struct dwarf_line_row *r) {
    struct source_map *map = user;
    if (map->nrows == MAX_ROWS)
        return false;
    if (r->address <= UINT32_MAX)
        *arena_push(map->arena, map->rows, map->nrows, map->cap) = (struct row){
            .address = (uint32_t)r->address, .line = r->line, .file = r->end_sequence || !r->line ? NULL : r->file};
    return true;
}

/* By address; at one address an end of sequence comes first, so that the row that begins there wins. */
static int compare_rows(const void *a, const void *b) {
    const struct row *x = a, *y = b;
    if (x->address != y->address)
        return x->address < y->address ? -1 : 1;
    return (x->file != NULL) - (y->file != NULL);
}

static struct dwarf_bytes section(const struct ir_module *m, const char *name) {
    for (uint32_t i = 0; i < m->ncustoms; i++)
        if (!strcmp(m->customs[i].name, name))
            return (struct dwarf_bytes){m->customs[i].bytes, m->customs[i].size};
    return (struct dwarf_bytes){0};
}

struct source_map *source_map_new(struct arena *arena, const struct ir_module *m) {
    struct source_map *map = arena_new(arena, struct source_map);
    map->arena = arena;
    map->code_start = m->code_section_offset;
    struct dwarf_line_sections s = {
        .line = section(m, ".debug_line"), .line_str = section(m, ".debug_line_str"), .str = section(m, ".debug_str")};
    dwarf_line_read(&s, add_row, map); /* a broken table still gives the rows before the break */
    if (map->nrows)
        qsort(map->rows, map->nrows, sizeof map->rows[0], compare_rows);
    return map;
}

bool source_map_find(const struct source_map *map, uint32_t wasm_offset, const char **out_file, uint32_t *out_line) {
    if (wasm_offset == IR_NO_OFFSET || wasm_offset < map->code_start)
        return false;
    uint32_t address = wasm_offset - map->code_start, low = 0, high = map->nrows;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (map->rows[mid].address <= address)
            low = mid + 1;
        else
            high = mid;
    }
    if (!low || !map->rows[low - 1].file)
        return false;
    *out_file = map->rows[low - 1].file;
    *out_line = map->rows[low - 1].line;
    return true;
}
