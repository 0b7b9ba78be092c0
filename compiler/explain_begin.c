/* See explain_begin.h.
 *
 * Each loop on the CPU is charged its own instructions, and the question is which loop could be made parallel to move
 * them.  That is the loop itself, unless its order is part of the result (a float sum, a recurrence, a search) or it
 * has nothing to store: then the loop around it, if that stays on the CPU too.  Loops of the same line and reason are
 * one place: an unrolled loop and its remainder, or a function inlined twice.
 */
#include "compiler/explain_begin.h"

#include <stdlib.h>
#include <string.h>

enum { MOST = 5, LEAST = 3 /* per cent */ };

struct place {
    uint32_t loop; /* index in the report: the first of those of the place */
    const char *file;
    uint32_t line; /* 0: unknown */
    double weight;
    uint32_t loops, inner; /* of the place, and how many charges come from loops inside whose order matters */
    enum off_reject inner_verdict;
};

static bool is_ordered(enum off_reject why) {
    return why == OFF_REJECT_REDUCTION_FLOAT || why == OFF_REJECT_RECURRENCE || why == OFF_REJECT_NO_STORE ||
           why == OFF_REJECT_EARLY_EXIT || why == OFF_REJECT_NO_TRIP_COUNT;
}

/* The loop around loop `i`, UINT32_MAX: none. */
static uint32_t loop_around(const struct off_report *report, uint32_t i) {
    const struct off_loop_report *r = &report->loops[i];
    while (r->depth && i-- > 0)
        if (report->loops[i].depth < r->depth)
            return i;
    return UINT32_MAX;
}

/* The loop that has to change so that loop `i` runs in a kernel. */
static uint32_t loop_to_change(const struct off_report *report, uint32_t i) {
    uint32_t at = i;
    while (is_ordered(report->loops[at].verdict)) {
        uint32_t up = loop_around(report, at);
        if (up == UINT32_MAX || explain_in_kernel(&report->loops[up]))
            return i;
        at = up;
    }
    return at;
}

static struct place *place_of(struct place *places, uint32_t *n, const struct ir_module *m,
                              const struct off_report *report, const struct source_map *map, uint32_t loop) {
    const struct off_loop_report *r = &report->loops[loop];
    struct place p = {.loop = loop};
    if (!explain_find_line(map, m, r, &p.file, &p.line))
        p.line = 0;
    /* Loops come function by function, so places of the same one are at the end. */
    for (uint32_t k = *n; k-- > 0 && report->loops[places[k].loop].func == r->func;) {
        const struct off_loop_report *other = &report->loops[places[k].loop];
        if (places[k].loop == loop ||
            (p.line && places[k].line == p.line && other->verdict == r->verdict && strcmp(places[k].file, p.file) == 0))
            return &places[k];
    }
    places[*n] = p;
    return &places[(*n)++];
}

static int by_weight(const void *a, const void *b) {
    const struct place *x = a, *y = b;
    if (x->weight != y->weight)
        return x->weight > y->weight ? -1 : 1;
    return x->loop < y->loop ? -1 : x->loop > y->loop;
}

static void add_place(struct strbuf *out, const struct ir_module *m, const struct off_report *report,
                      const struct source_map *map, const struct place *p, unsigned number, unsigned share) {
    const struct off_loop_report *r = &report->loops[p->loop];
    strbuf_printf(out, "  %u. ", number);
    if (p->line)
        strbuf_printf(out, "%s:%u", p->file, p->line);
    else
        strbuf_printf(out, "loop +0x%x", r->wasm_offset);
    strbuf_printf(out, " in %s, %u %%: ", m->funcs[r->func].func->name, share);
    if (p->inner)
        strbuf_printf(out,
                      "what is inside has to go in order (%s), so this loop would have to be the parallel one; but ",
                      off_reject_name(p->inner_verdict));
    strbuf_printf(out, "%s", off_reject_meaning(r->verdict));
    if (r->detail)
        strbuf_printf(out, " (%s)", r->detail);
    const char *file;
    uint32_t line;
    if (r->at != IR_NO_OFFSET && source_map_find(map, r->at, &file, &line) && line != p->line)
        strbuf_printf(out, ", at line %u", line);
    strbuf_add(out, "\n");
    if (*off_loop_hint(r))
        strbuf_printf(out, "     try: %s\n", off_loop_hint(r));
}

void explain_begin(struct strbuf *out, const struct ir_module *m, const struct off_report *report,
                   const struct source_map *map, const bool *library) {
    struct arena scratch = {0};
    struct place *places = arena_array(&scratch, struct place, report->nloops + 1);
    uint32_t n = 0, shown = 0;
    double total = 0;
    for (uint32_t i = 0; i < report->nloops; i++) {
        const struct off_loop_report *r = &report->loops[i];
        if (library[r->func])
            continue;
        total += explain_own_weight(r);
        if (explain_in_kernel(r))
            continue;
        uint32_t change = loop_to_change(report, i);
        struct place *p = place_of(places, &n, m, report, map, change);
        p->weight += explain_own_weight(r);
        p->loops += change == i;
        if (change != i) {
            p->inner++;
            p->inner_verdict = r->verdict;
        }
    }
    qsort(places, n, sizeof *places, by_weight);
    for (uint32_t k = 0; k < n && shown < MOST; k++) {
        unsigned share = (unsigned)(100 * places[k].weight / total + 0.5);
        if (share < LEAST)
            break;
        if (!shown)
            strbuf_add(out, "\nWhere to begin, by the work that a change would move:\n");
        add_place(out, m, report, map, &places[k], ++shown, share);
    }
    arena_free(&scratch);
}
