/* What seldom happens: statements behind a condition on data that no kernel can run, so that the inspector has to find
 * out whether any iteration comes there; code behind them in the same region; branches around them. */
#include "tests/fuzz/nest_gen.h"
#include "tests/fuzz/nest_helpers.h"

static struct ir_value *rare_condition(struct gen *g, struct scope *s) {
    static const uint32_t masks[] = {7, 63, 1023, 0xffff};
    uint32_t mask = masks[nest_below(g, 4)];
    struct ir_value *bits = nest_op(g, IR_I32_AND, nest_datum(g, s, IR_I32), nest_i32(g, mask));
    return nest_op(g, IR_I32_EQ, bits, nest_i32(g, nest_below(g, mask + 1)));
}

static void what_no_kernel_does(struct gen *g, struct scope *s) {
    uint32_t a = nest_below(g, g->narrays);
    struct ir_value *few = nest_op(g, IR_I32_AND, nest_datum(g, s, IR_I32), nest_i32(g, 15));
    struct ir_value *args[3] = {s->at[a], nest_datum(g, s, IR_I32), few};
    enum ir_type i32 = IR_I32;
    struct ir_inst *i;
    nest_stamp(g);
    switch (nest_below(g, 4)) {
    case 0:
        ir_build(&g->b, IR_MEMORY_FILL, NULL, 0, args, 3);
        break;
    case 1:
        args[1] = s->at[nest_below(g, g->narrays)];
        ir_build(&g->b, IR_MEMORY_COPY, NULL, 0, args, 3);
        break;
    case 2:
        ir_build(&g->b, IR_GLOBAL_SET, NULL, 0, &args[1], 1); /* which may be read again and again */
        break;
    default:
        args[0] = few;
        i = ir_build(&g->b, IR_CALL, &i32, 1, args, 2);
        i->index = g->helpers + HELPER_AGAIN;
        nest_keep(g, s, i->results);
        break;
    }
}

void nest_rare(struct gen *g, struct scope *s) {
    struct ir_value *c = rare_condition(g, s);
    struct scope inner = *s;
    nest_stamp(g);
    if (nest_chance(g, 40)) { /* block { br_if not c, out  ... } */
        struct ir_inst *block = ir_build_block(&g->b, NULL, 0);
        struct ir_builder after = g->b;
        g->b = ir_builder_at_end(block->regions[0]);
        c = nest_op(g, IR_I32_EQZ, c, NULL);
        nest_stamp(g);
        ir_build_br_if(&g->b, c, block, NULL, 0);
        what_no_kernel_does(g, &inner);
        if (nest_chance(g, 50))
            nest_do_store(g, &inner);
        nest_stamp(g);
        ir_build_yield(&g->b, NULL, 0);
        g->b = after;
        return;
    }
    enum ir_type type = IR_I32;
    bool result = nest_chance(g, 50);
    struct ir_inst *i = ir_build_if(&g->b, c, &type, result);
    struct ir_builder after = g->b;
    for (unsigned side = 0; side < 2; side++) {
        inner = *s;
        g->b = ir_builder_at_end(i->regions[side]);
        if (side == 0)
            what_no_kernel_does(g, &inner);
        if (nest_chance(g, 30))
            nest_do_store(g, &inner);
        struct ir_value *v = result ? nest_datum(g, &inner, IR_I32) : NULL;
        nest_stamp(g);
        ir_build_yield(&g->b, &v, result);
    }
    g->b = after;
    if (result)
        nest_keep(g, s, &i->results[0]);
}
