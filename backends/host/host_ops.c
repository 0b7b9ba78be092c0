/* The table of emitters, and the walk's one step.  The table is made by expanding ir_ops.def over the rows of
 * host_ops.def: an operation without a row names an enumerator that does not exist, so the build fails. */
#include "backends/host/host_internal.h"

#define HOST_OP(id, emitter, arg) host_emitter emitter;
#include "backends/host/host_ops.def"

enum host_row {
#define HOST_OP(id, emitter, arg) HOST_ROW_##id,
#include "backends/host/host_ops.def"
    HOST_ROW_COUNT
};

static const struct {
    host_emitter *emit;
    unsigned arg;
} rows[HOST_ROW_COUNT] = {
#define HOST_OP(id, emitter, arg) {emitter, (unsigned)(arg)},
#include "backends/host/host_ops.def"
};

static const uint16_t row_of_op[IR_OP_COUNT] = {
#define IR_SIMPLE(id, ...) [IR_##id] = HOST_ROW_##id,
#define IR_LANES(id, ...) [IR_##id] = HOST_ROW_##id,
#define IR_LOAD(id, ...) [IR_##id] = HOST_ROW_##id,
#define IR_STORE(id, ...) [IR_##id] = HOST_ROW_##id,
#define IR_ATOMIC(id, ...) [IR_##id] = HOST_ROW_##id,
#define IR_OTHER(id, ...) [IR_##id] = HOST_ROW_##id,
#include "ir/ir_ops.def"
};

_Static_assert((int)HOST_ROW_COUNT == (int)IR_OP_COUNT, "host_ops.def has a row that ir_ops.def has not");

void host_emit_inst(struct host_func *hf, struct ir_inst *i) {
    ICE_UNLESS(i->op < IR_OP_COUNT);
    rows[row_of_op[i->op]].emit(hf, i, rows[row_of_op[i->op]].arg);
}
