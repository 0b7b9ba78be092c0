/* The operation table as data, expanded from ir_ops.def, and the small facts that go with it: type names, trap texts,
 * and what a label takes. */
#include <string.h>

#include "ir/ir.h"
#include "ir/ir_trap.h"
#include "ir/util/ice.h"

#define PURE IR_FLAG_PURE
#define TRAPS IR_FLAG_TRAPS
#define COMMUTES IR_FLAG_COMMUTES
#define ASSOC IR_FLAG_ASSOC
#define BITWISE IR_FLAG_BITWISE
#define READS IR_FLAG_READS
#define WRITES IR_FLAG_WRITES
#define GREADS IR_FLAG_GREADS
#define GWRITES IR_FLAG_GWRITES
#define TABLE IR_FLAG_TABLE
#define CALLS IR_FLAG_CALLS
#define TERM IR_FLAG_TERM
#define BRANCH IR_FLAG_BRANCH
#define REGION IR_FLAG_REGION

#define LETTER(c) ((c) == 'l' ? IR_I64 : (c) == 'f' ? IR_F32 : (c) == 'd' ? IR_F64 : (c) == 'v' ? IR_V128 : IR_I32)
/* The k-th letter of a literal, without reading past its NUL. */
#define NTH(s, k) (sizeof(s) - 1 > (k) ? LETTER((s)[sizeof(s) - 1 > (k) ? (k) : 0]) : IR_I32)

#define IR_NONE IR_TYPE_COUNT

const struct ir_op_info ir_op_info[IR_OP_COUNT] = {
#define IR_SIMPLE(ID, TEXT, RESULT, OPERANDS, FLAGS, MEMBER, EVAL) \
    [IR_##ID] = {.text = (TEXT),                                   \
                 .kind = IR_KIND_SIMPLE,                           \
                 .flags = (FLAGS),                                 \
                 .result = IR_##RESULT,                            \
                 .operands = sizeof(OPERANDS) - 1,                 \
                 .operand_types = {NTH(OPERANDS, 0), NTH(OPERANDS, 1), NTH(OPERANDS, 2)}},
#define IR_LANES(ID, TEXT, RESULT, OPERANDS, BOUND, COUNT, MEMBER, EVAL) \
    [IR_##ID] = {.text = (TEXT),                                         \
                 .kind = IR_KIND_LANES,                                  \
                 .flags = PURE | BITWISE,                                \
                 .result = IR_##RESULT,                                  \
                 .operands = sizeof(OPERANDS) - 1,                       \
                 .operand_types = {NTH(OPERANDS, 0), NTH(OPERANDS, 1)},  \
                 .lanes = (COUNT),                                       \
                 .lane_bound = (BOUND)},
#define IR_LOAD(ID, TEXT, RESULT, BYTES, SIGNED) \
    [IR_##ID] = {.text = (TEXT),                 \
                 .kind = IR_KIND_LOAD,           \
                 .flags = READS | TRAPS,         \
                 .result = IR_##RESULT,          \
                 .operands = 1,                  \
                 .bytes = (BYTES),               \
                 .sign = (SIGNED)},
#define IR_STORE(ID, TEXT, TYPE, BYTES)                \
    [IR_##ID] = {.text = (TEXT),                       \
                 .kind = IR_KIND_STORE,                \
                 .flags = WRITES | TRAPS,              \
                 .result = IR_##TYPE,                  \
                 .operands = 2,                        \
                 .operand_types = {IR_I32, IR_##TYPE}, \
                 .bytes = (BYTES)},
#define IR_ATOMIC(ID, TEXT, RESULT, OPERANDS, BYTES, KIND)                      \
    [IR_##ID] = {.text = (TEXT),                                                \
                 .kind = IR_KIND_ATOMIC,                                        \
                 .flags = CALLS | READS | WRITES | TRAPS,                       \
                 .result = IR_##RESULT,                                         \
                 .operands = sizeof(OPERANDS),                                  \
                 .operand_types = {IR_I32, NTH(OPERANDS, 0), NTH(OPERANDS, 1)}, \
                 .bytes = (BYTES),                                              \
                 .atomic = IR_ATOMIC_##KIND},
#define IR_OTHER(ID, TEXT, FLAGS) [IR_##ID] = {.text = (TEXT), .kind = IR_KIND_OTHER, .flags = (FLAGS)},
#include "ir/ir_ops.def"
};

_Static_assert(IR_V128_CONST - IR_I32_CONST == IR_V128 - IR_I32, "constants stand in the order of the types");

const char *const ir_type_name[IR_TYPE_COUNT] = {[IR_I32] = "i32",
                                                 [IR_I64] = "i64",
                                                 [IR_F32] = "f32",
                                                 [IR_F64] = "f64",
                                                 [IR_V128] = "v128",
                                                 [IR_FUNCREF] = "funcref",
                                                 [IR_EXTERNREF] = "externref",
                                                 [IR_EXNREF] = "exnref"};

const char *ir_trap_text(enum ir_trap code) {
    switch (code) {
#define IR_TRAP(ID, VALUE, TEXT) \
    case IR_TRAP_##ID:           \
        return (TEXT);
#include "ir/ir_traps.def"
    }
    return "unknown trap";
}

static bool same_types(const enum ir_type *a, const enum ir_type *b, uint32_t n) {
    return !n || !memcmp(a, b, sizeof *a * n);
}

bool ir_sig_equal(const struct ir_sig *a, const struct ir_sig *b) {
    return a->nparams == b->nparams && a->nresults == b->nresults && same_types(a->params, b->params, a->nparams) &&
           same_types(a->results, b->results, a->nresults);
}

uint32_t ir_label_arity(const struct ir_inst *label) {
    return label->op == IR_LOOP ? label->regions[0]->nparams : label->nresults;
}

enum ir_type ir_label_type(const struct ir_inst *label, uint32_t index) {
    ICE_UNLESS(index < ir_label_arity(label));
    return label->op == IR_LOOP ? label->regions[0]->params[index]->type : label->results[index].type;
}

struct ir_value *ir_resolve(struct ir_value *v) {
    struct ir_value *end = v;
    while (end->fwd)
        end = end->fwd;
    while (v->fwd) {
        struct ir_value *next = v->fwd;
        v->fwd = end;
        v = next;
    }
    return end;
}

void ir_resolve_operands(struct ir_region *r) {
    ir_foreach_inst (i, r) {
        for (uint32_t k = 0; k < i->noperands; k++)
            i->operands[k] = ir_resolve(i->operands[k]);
        ir_foreach_region (inner, i)
            ir_resolve_operands(inner);
    }
}
