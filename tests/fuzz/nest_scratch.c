/* Memory of an iteration's own: a stretch at a place that does not move is filled, worked on and read in every
 * iteration, as arrays on the stack are; with holes, conditions and neighbours that make some of them no private memory
 * at all. */
#include "tests/fuzz/nest_gen.h"

enum { SCRATCH = 0x8000, MAX_BYTES = 2304 };

struct scratch {
    struct ir_value *base;
    uint32_t bytes;
};

/* A loop over 0 to count - 1 inside the function; the builder stands in it until close_loop. */
struct count_loop {
    struct ir_inst *loop;
    struct ir_value *k;
    struct ir_builder after;
    uint32_t count;
};

static struct count_loop open_loop(struct gen *g, uint32_t count) {
    struct count_loop l = {.count = count};
    struct ir_value *zero = nest_i32(g, 0);
    nest_stamp(g);
    l.loop = ir_build_loop(&g->b, &zero, 1, NULL, 0);
    l.k = l.loop->regions[0]->params[0];
    l.after = g->b;
    g->b = ir_builder_at_end(l.loop->regions[0]);
    return l;
}

static void close_loop(struct gen *g, struct count_loop *l) {
    struct ir_value *next = nest_op(g, IR_I32_ADD, l->k, nest_i32(g, 1));
    struct ir_value *more = nest_op(g, nest_chance(g, 50) ? IR_I32_NE : IR_I32_LT_U, next, nest_i32(g, l->count));
    nest_stamp(g);
    ir_build_br_if(&g->b, more, l->loop, &next, 1);
    nest_stamp(g);
    ir_build_yield(&g->b, NULL, 0);
    g->b = l->after;
}

static enum access_kind any_kind(struct gen *g) {
    return g->lanes && nest_chance(g, 40) ? AS_V128 : (enum access_kind)nest_below(g, ACCESS_KINDS);
}

static struct ir_mem at(uint32_t offset, unsigned bytes, unsigned place) {
    unsigned align = 0;
    while (align < 2 && (2u << align) <= bytes && (place >> align & 1) == 0)
        align++;
    return (struct ir_mem){.offset = offset, .align_log2 = (uint8_t)align, .stream = -1};
}

static struct ir_value *element(struct gen *g, const struct scratch *x, struct ir_value *k, uint32_t bytes) {
    return nest_op(g, IR_I32_ADD, x->base, nest_op(g, IR_I32_MUL, k, nest_i32(g, bytes)));
}

static void fill(struct gen *g, struct scope *s, const struct scratch *x) {
    enum access_kind kind = any_kind(g);
    uint32_t bytes = nest_kinds[kind].bytes, n = x->bytes / bytes;
    if (nest_chance(g, 8) && n > 2) /* a hole at the end */
        n -= 1 + nest_below(g, 2);
    struct scope inner = *s;
    uint32_t rows = nest_chance(g, 40) && n % 4 == 0 ? 4 : 1, columns = n / rows;
    bool across = nest_chance(g, 50);
    struct count_loop outer = open_loop(g, rows), l = open_loop(g, columns);
    struct ir_value *k = across ? nest_op(g, IR_I32_ADD, nest_op(g, IR_I32_MUL, l.k, nest_i32(g, rows)), outer.k)
                                : nest_op(g, IR_I32_ADD, nest_op(g, IR_I32_MUL, outer.k, nest_i32(g, columns)), l.k);
    nest_keep(g, &inner, k);
    struct ir_value *p = element(g, x, k, bytes);
    if (nest_chance(g, 25)) { /* one of two */
        struct ir_inst *i;
        nest_stamp(g);
        i = ir_build_if(&g->b, nest_datum(g, &inner, IR_I32), NULL, 0);
        struct ir_builder after = g->b;
        for (int arm = 0; arm < 2; arm++) {
            struct scope own = inner;
            g->b = ir_builder_at_end(i->regions[arm]);
            if (arm == 0 || !nest_chance(g, 15))
                nest_store_to(g, &own, kind, p, at(0, bytes, 0));
            nest_stamp(g);
            ir_build_yield(&g->b, NULL, 0);
        }
        g->b = after;
    } else {
        nest_store_to(g, &inner, kind, p, at(0, bytes, 0));
    }
    close_loop(g, &l);
    close_loop(g, &outer);
}

/* Reads and writes at an index that is data, in a loop, or at one place. */
static void work(struct gen *g, struct scope *s, const struct scratch *x) {
    enum access_kind kind = any_kind(g);
    uint32_t bytes = nest_kinds[kind].bytes, n = x->bytes / bytes, most = 1;
    while (most * 2 <= n)
        most *= 2;
    if (nest_chance(g, 35)) {
        struct ir_value *k = nest_op(g, IR_I32_AND, nest_datum(g, s, IR_I32), nest_i32(g, most - 1));
        struct ir_value *p = element(g, x, k, bytes);
        nest_keep(g, s, nest_load_from(g, kind, p, at(0, bytes, 0)));
        nest_store_to(g, s, kind, p, at(0, bytes, 0));
    } else if (nest_chance(g, 50) && n > 1) {
        struct count_loop l = open_loop(g, n - 1);
        struct scope inner = *s;
        struct ir_value *p = element(g, x, l.k, bytes);
        nest_keep(g, &inner, nest_load_from(g, kind, p, at(bytes, bytes, 0)));
        nest_keep(g, &inner, nest_load_from(g, kind, p, at(0, bytes, 0)));
        nest_store_to(g, &inner, kind, p, at(nest_chance(g, 50) ? bytes : 0, bytes, 0));
        close_loop(g, &l);
    } else {
        uint32_t place = nest_below(g, x->bytes - bytes + 1) & (nest_chance(g, 70) ? ~3u : ~0u);
        nest_keep(g, s, nest_load_from(g, kind, x->base, at(place, bytes, place)));
        if (nest_chance(g, 60))
            nest_store_to(g, s, kind, x->base, at(place, bytes, place));
    }
}

void nest_scratch(struct gen *g, struct scope *s) {
    static const uint32_t sizes[] = {16, 48, 128, 144, 256, 512, 1024, 2048, MAX_BYTES};
    struct scratch x = {.bytes = sizes[nest_below(g, sizeof sizes / sizeof *sizes)]};
    /* Mostly where nothing else is, aligned. */
    uint32_t base = nest_chance(g, 90) ? SCRATCH + 4096 * nest_below(g, 2) : g->arrays[0].base;
    base += nest_chance(g, 85) ? 0 : 1 + nest_below(g, 3);
    x.base = nest_known(g, IR_I32, base);
    if (!nest_chance(g, 6))
        fill(g, s, &x);
    for (uint32_t k = 1 + nest_below(g, 4); k > 0; k--)
        work(g, s, &x);
}
