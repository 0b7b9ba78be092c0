/* The place of a trapping access, whatever instruction selection makes of it: each load is used by each operation that
 * takes its type, as either operand, and each load-operate-store on one address is tried, all out of bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/host_test.h"

#include <cmocka.h>

#include "ir/util/strbuf.h"

static const char *const type_text[] = {"i32", "i64", "f32", "f64", "v128"};

enum { STEP = 16, FIRST = 0x100 };

static uint32_t count;

/* Function `count` with parameters: an address and one of each type; its load stands at FIRST + STEP*count + 4. */
static void begin(struct strbuf *s) {
    uint32_t at = FIRST + STEP * count;
    strbuf_printf(s,
                  "func %u \"f\" type=0 at=0x%x,0x%x,0x0 (%%p:i32, %%k0:i32, %%k1:i64, %%k2:f32, %%k3:f64, %%k4:v128) "
                  "-> (i64) {\n",
                  count, at, at + STEP);
}

static void end(struct strbuf *s, enum ir_type t) {
    if (t == IR_F32)
        strbuf_add(s, "  %b:i32 = i32.reinterpret_f32 %r\n  %z:i64 = i64.extend_i32_u %b\n  return %z\n}\n");
    else if (t == IR_F64)
        strbuf_add(s, "  %z:i64 = i64.reinterpret_f64 %r\n  return %z\n}\n");
    else if (t == IR_V128)
        strbuf_add(s, "  %z:i64 = i64x2.extract_lane 0 %r\n  return %z\n}\n");
    else if (t == IR_I32)
        strbuf_add(s, "  %z:i64 = i64.extend_i32_u %r\n  return %z\n}\n");
    else
        strbuf_add(s, "  return %r\n}\n");
    count++;
}

static void add_use(struct strbuf *s, const struct ir_op_info *load, const struct ir_op_info *op, unsigned position) {
    uint32_t at = FIRST + STEP * count;
    begin(s);
    strbuf_printf(s, "  %%v:%s = %s offset=4 %%p !0x%x\n", type_text[load->result], load->text, at + 4);
    strbuf_printf(s, "  %%r:%s = %s", type_text[op->result], op->text);
    for (unsigned k = 0; k < op->lanes; k++)
        strbuf_printf(s, " %u", op->lane_bound - 1 - k);
    for (unsigned k = 0; k < op->operands; k++)
        if (k == position)
            strbuf_printf(s, "%s%%v", k ? ", " : " ");
        else
            strbuf_printf(s, "%s%%k%d", k ? ", " : " ", op->operand_types[k]);
    strbuf_printf(s, " !0x%x\n", at + 8);
    end(s, (enum ir_type)op->result);
}

static void add_update(struct strbuf *s, const struct ir_op_info *load, const struct ir_op_info *op,
                       const struct ir_op_info *store) {
    uint32_t at = FIRST + STEP * count;
    begin(s);
    strbuf_printf(s, "  %%v:%s = %s offset=4 %%p !0x%x\n", type_text[load->result], load->text, at + 4);
    strbuf_printf(s, "  %%r:%s = %s %%v, %%k%d !0x%x\n", type_text[op->result], op->text, op->operand_types[1], at + 8);
    strbuf_printf(s, "  %s offset=4 %%p, %%r !0x%x\n  return %%k1\n}\n", store->text, at + 12);
    count++;
}

static bool takes(const struct ir_op_info *op, unsigned position, unsigned type) {
    return (op->kind == IR_KIND_SIMPLE || op->kind == IR_KIND_LANES) && position < op->operands &&
           op->operand_types[position] == type;
}

static void make_functions(struct strbuf *s) {
    for (unsigned l = 0; l < IR_OP_COUNT; l++) {
        const struct ir_op_info *load = &ir_op_info[l];
        if (load->kind != IR_KIND_LOAD)
            continue;
        for (unsigned o = 0; o < IR_OP_COUNT; o++) {
            const struct ir_op_info *op = &ir_op_info[o];
            for (unsigned position = 0; position < 2; position++)
                if (takes(op, position, load->result))
                    add_use(s, load, op, position);
            for (unsigned w = 0; w < IR_OP_COUNT; w++) {
                const struct ir_op_info *store = &ir_op_info[w];
                if (store->kind == IR_KIND_STORE && store->bytes == load->bytes && store->result == load->result &&
                    op->kind == IR_KIND_SIMPLE && op->operands == 2 && op->result == load->result &&
                    takes(op, 0, load->result))
                    add_update(s, load, op, store);
            }
        }
    }
}

static void check_places(const char *cpu) {
    for (int level = 0; level <= 3; level += cpu ? 2 : 1) {
        struct strbuf s = {0};
        count = 0;
        strbuf_add(&s, "module \"places\"\ntype 0 (i32, i32, i64, f32, f64, v128) -> (i64)\nmemory 0 min=1 max=1\n");
        make_functions(&s);
        struct test_instance *t = test_instance_new(s.data, &(struct host_options){.opt_level = level, .cpu = cpu});
        for (uint32_t f = 0; f < count; f++) {
            uint64_t args[7] = {0x20000, 3, 5, 0x40400000, 0x4008000000000000, 7, 9};
            assert_false(test_call(t, f, args));
            if (t->trap != IR_TRAP_MEMORY_BOUNDS || t->trap_func != f || t->trap_offset != FIRST + STEP * f + 4)
                fail_msg("opt_level %d, function %u: trap %d in %u at 0x%x, not 0x%x", level, f, (int)t->trap,
                         t->trap_func, t->trap_offset, FIRST + STEP * f + 4);
        }
        test_instance_free(t);
        strbuf_free(&s);
    }
}

static void test_places(void **state) {
    (void)state;
    check_places(NULL);
}

/* Has vector instructions that take unaligned operands from memory. */
static void test_places_native_cpu(void **state) {
    (void)state;
    check_places("native");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_places), cmocka_unit_test(test_places_native_cpu)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
