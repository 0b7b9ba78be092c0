/* The rows of the operation matrix; see matrix_rows.h. */
#include "tests/matrix/matrix_rows.h"

#include <ctype.h>
#include <string.h>

#include "ir/ir_build.h"
#include "ir/ir_eval.h"
#include "ir/ir_interp.h"
#include "ir/util/ice.h"
#include "tests/unit/kernel_test.h"

static const enum ir_type select_types[] = {IR_I32, IR_I64, IR_F32, IR_F64, IR_V128};
static const enum ir_op load_of[] = {IR_I32_LOAD, IR_I64_LOAD, IR_F32_LOAD, IR_F64_LOAD, IR_V128_LOAD};
static const enum ir_op store_of[] = {IR_I32_STORE, IR_I64_STORE, IR_F32_STORE, IR_F64_STORE, IR_V128_STORE};
static const uint8_t width_of[] = {4, 8, 4, 8, 16};

const char *matrix_no_row(enum ir_op op) {
    const struct ir_op_info *info = &ir_op_info[op];
    if (info->kind == IR_KIND_ATOMIC || op == IR_ATOMIC_FENCE)
        return "atomic: never in a kernel";
    if (info->kind != IR_KIND_OTHER || op == IR_SELECT)
        return NULL;
    if (op >= IR_I32_CONST && op <= IR_V128_CONST)
        return "constant: an operand of the rows' kernels and the random ones";
    if (op == IR_UNREACHABLE)
        return "traps: never in a kernel";
    if (op == IR_CALL)
        return "call: in a kernel only after inlining";
    if (strstr(info->text, "call"))
        return "call: never in a kernel";
    if (info->flags & (IR_FLAG_REGION | IR_FLAG_TERM | IR_FLAG_BRANCH))
        return "control flow: random kernels";
    if (op == IR_LAUNCH || op == IR_XOR_WORD || op == IR_ARRAY_GET || op == IR_ARRAY_SET)
        return "made by the compiler";
    return info->flags & (IR_FLAG_GREADS | IR_FLAG_GWRITES) ? "global: never in a kernel"
           : op >= IR_REF_NULL                              ? "table or reference: never in a kernel"
                                                            : "memory management: never in a kernel";
}

static bool next_row(enum ir_op *op, uint32_t *variant) {
    const uint32_t nselect = sizeof select_types / sizeof *select_types;
    if (*op == IR_SELECT && ++*variant < nselect)
        return true;
    *variant = 0;
    do
        *op = (enum ir_op)(*op + 1);
    while (*op < IR_OP_COUNT && matrix_no_row(*op));
    return *op < IR_OP_COUNT;
}

uint32_t matrix_count_rows(void) {
    enum ir_op op = (enum ir_op)0;
    uint32_t variant = 0, n = 0;
    while (next_row(&op, &variant))
        n++;
    return n;
}

static enum matrix_nan nan_of(const struct matrix_row *r) {
    const struct ir_op_info *info = &ir_op_info[r->op];
    if (info->kind != IR_KIND_SIMPLE || info->flags & IR_FLAG_BITWISE)
        return MATRIX_BITS;
    if (r->type == IR_V128)
        return !strncmp(info->text, "f32x4", 5)   ? MATRIX_NAN32
               : !strncmp(info->text, "f64x2", 5) ? MATRIX_NAN64
                                                  : MATRIX_BITS;
    return r->type == IR_F32 ? MATRIX_NAN32 : r->type == IR_F64 ? MATRIX_NAN64 : MATRIX_BITS;
}

static void describe_row(struct matrix_row *r, enum ir_op op, uint32_t variant) {
    const struct ir_op_info *info = &ir_op_info[op];
    r->op = op;
    if (op == IR_SELECT) {
        r->type = r->operands[0] = r->operands[1] = select_types[variant];
        r->operands[2] = IR_I32;
        r->noperands = 3;
    } else if (info->kind == IR_KIND_LOAD || info->kind == IR_KIND_STORE) {
        r->type = r->operands[0] = (enum ir_type)info->result;
        r->noperands = 1;
    } else {
        r->type = (enum ir_type)info->result;
        r->noperands = info->operands;
        for (uint32_t k = 0; k < r->noperands; k++)
            r->operands[k] = (enum ir_type)info->operand_types[k];
    }
    for (uint32_t k = 0; k < info->lanes; k++)
        r->lanes.v128[k] = (uint8_t)((info->lanes == 1 ? info->lane_bound - 2 + k : k * 7 + 3) % info->lane_bound);
    r->cell = 8;
    for (uint32_t k = 0; k < r->noperands; k++)
        r->cell = r->operands[k] == IR_V128 ? 16 : r->cell;
    r->in_stride = info->kind == IR_KIND_LOAD ? info->bytes : r->cell * r->noperands;
    r->out_stride = info->kind == IR_KIND_STORE ? info->bytes : width_of[r->type];
    r->nan = nan_of(r);
}

enum { SLOT_N, SLOT_IN, SLOT_OUT, SLOT_IN_STRIDE, SLOT_OUT_STRIDE, SLOT_ZERO, SLOT_ONE, SLOTS };

/* What the planner would have said of the kernel. */
static void plan_row(struct ir_module *m, struct off_kernel *k, const struct matrix_row *r) {
    const struct ir_op_info *info = &ir_op_info[r->op];
    struct arena *a = &m->arena;
    k->ngrid = k->ndims = 1;
    k->dims[0] = (struct off_dim){.rel = OFF_TRIP_LT_U,
                                  .bits = 32,
                                  .top_tested = true,
                                  .parallel = true,
                                  .parent = -1,
                                  .init_slot = SLOT_ZERO,
                                  .step_slot = SLOT_ONE,
                                  .bound_slot = SLOT_N,
                                  .when_slot = OFF_NO_SLOT,
                                  .ops = 8};
    k->accesses = arena_array(a, struct off_access, r->noperands + 1);
    k->naccesses = r->noperands + 1;
    uint8_t widest = 0, narrowest = 16;
    for (uint32_t n = 0; n <= r->noperands; n++) {
        bool write = n == r->noperands;
        uint8_t bytes = write                        ? info->kind == IR_KIND_STORE ? info->bytes : width_of[r->type]
                                               : info->kind == IR_KIND_LOAD ? info->bytes
                                                     : width_of[r->operands[n]];
        k->accesses[n] = (struct off_access){.stream = write,
                                             .write = write,
                                             .bytes = bytes,
                                             .align = bytes < 4 ? bytes : 4,
                                             .offset = write ? 0 : n * r->cell,
                                             .base_slot = write ? SLOT_OUT : SLOT_IN,
                                             .when_slot = OFF_NO_SLOT};
        for (uint32_t d = 0; d < OFF_MAX_DIMS; d++)
            k->accesses[n].stride_slot[d] = d ? OFF_NO_SLOT : write ? SLOT_OUT_STRIDE : SLOT_IN_STRIDE;
        if (write) {
            k->streams[1] = (struct off_stream){.write = true, .min_bytes = bytes, .max_bytes = bytes};
        } else {
            widest = bytes > widest ? bytes : widest;
            narrowest = bytes < narrowest ? bytes : narrowest;
            k->streams[0] = (struct off_stream){.read = true, .min_bytes = narrowest, .max_bytes = widest};
        }
    }
    k->nstreams = 2;
    k->nscalars = 2;
    k->scalars = arena_array(a, struct off_scalar, 2);
    k->scalars[0] = (struct off_scalar){.type = IR_I32, .slot = SLOT_IN};
    k->scalars[1] = (struct off_scalar){.type = IR_I32, .slot = SLOT_OUT};
    k->nslots = SLOTS;
    k->slot_types = arena_array(a, enum ir_type, SLOTS);
    for (int s = 0; s < SLOTS; s++)
        k->slot_types[s] = IR_I32;
    k->workgroup[0] = 64;
    k->workgroup[1] = k->workgroup[2] = 1;
}

static struct ir_value *build_operation(struct ir_builder *b, const struct matrix_row *r, struct ir_value **operands) {
    const struct ir_op_info *info = &ir_op_info[r->op];
    if (r->op == IR_SELECT)
        return ir_build_select(b, operands[0], operands[1], operands[2]);
    if (info->kind == IR_KIND_LOAD || info->kind == IR_KIND_STORE)
        return operands[0];
    enum ir_type type = r->type;
    struct ir_inst *i = ir_build(b, r->op, &type, 1, operands, r->noperands);
    if (info->kind == IR_KIND_LANES)
        i->bits = r->lanes;
    return &i->results[0];
}

static uint8_t word_alignment(enum ir_op op) {
    return ir_op_info[op].bytes >= 4 ? 2 : ir_op_info[op].bytes / 2;
}

static struct ir_func *build_body(struct ir_module *m, const char *name, const struct matrix_row *r) {
    const struct ir_op_info *info = &ir_op_info[r->op];
    const enum ir_type params[3] = {IR_I32, IR_I32, IR_I32};
    struct ir_func *f = ir_func_new(m, name, &(struct ir_sig){.nparams = 3, .params = params});
    struct ir_builder b = ir_builder_at_end(f->body);
    struct ir_value **p = f->body->params, *operands[3] = {0};
    f->type = UINT32_MAX;
    struct ir_value *in = ir_build_simple(&b, IR_I32_MUL, p[0], ir_build_i32(&b, r->in_stride));
    in = ir_build_simple(&b, IR_I32_ADD, p[1], in);
    for (uint32_t k = 0; k < r->noperands; k++) {
        enum ir_op load = info->kind == IR_KIND_LOAD ? r->op : load_of[r->operands[k]];
        operands[k] = ir_build_load(
            &b, load, in,
            (struct ir_mem){.offset = (uint64_t)k * r->cell, .align_log2 = word_alignment(load), .stream = 0});
    }
    enum ir_op store = info->kind == IR_KIND_STORE ? r->op : store_of[r->type];
    struct ir_value *v = build_operation(&b, r, operands);
    struct ir_value *out = ir_build_simple(&b, IR_I32_MUL, p[0], ir_build_i32(&b, r->out_stride));
    out = ir_build_simple(&b, IR_I32_ADD, p[2], out);
    ir_build_store(&b, store, out, v, (struct ir_mem){.align_log2 = word_alignment(store), .stream = 1});
    ir_build_return(&b, NULL, 0);
    return f;
}

void matrix_make_row(struct ir_module *m, uint32_t k, uint32_t tuples, struct matrix_row *out) {
    enum ir_op op = (enum ir_op)0;
    uint32_t variant = 0;
    for (uint32_t n = 0; n <= k; n++)
        ICE_UNLESS(next_row(&op, &variant));
    ICE_UNLESS(tuples <= MATRIX_MAX_TUPLES);
    *out = (struct matrix_row){.tuples = tuples};
    describe_row(out, op, variant);
    out->out_at = (tuples * out->in_stride + 255) / 256 * 256;
    char *name = op == IR_SELECT ? arena_printf(&m->arena, "op_select_%s", ir_type_name[out->type])
                                 : arena_printf(&m->arena, "op_%s", ir_op_info[op].text);
    for (char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c))
            *c = '_';
    struct off_kernel *kernel = arena_new(&m->arena, struct off_kernel);
    *kernel = (struct off_kernel){.id = k, .name = name};
    kernel->body = build_body(m, name, out);
    kernel->body->index = k;
    plan_row(m, kernel, out);
    out->kernel = kernel;
}

/* ---- operands ---- */

static uint64_t random_bits(uint64_t *seed, bool wide) {
    uint64_t bits = kt_random(seed);
    switch (kt_random(seed) >> 60) {
    case 0: /* near a power of two */
    case 1:
        bits = (UINT64_C(1) << (bits >> 32) % (wide ? 64 : 32)) + (bits & 7) - 3;
        break;
    case 2: /* small, of either sign */
        bits = (bits & 1023) - 512;
        break;
    case 3: /* floats of like size: sums that cancel, quotients near 1 */
    case 4:
    case 5:
    case 6:
    case 7:
        if (wide)
            bits = (bits & UINT64_C(0x807fffffffffffff)) + UINT64_C(0x3f80000000000000);
        else
            bits = (bits & 0x81ffffff) + 0x3e800000;
        break;
    case 8: /* subnormal and next to it */
        bits &= wide ? UINT64_C(0x801fffffffffffff) : 0x80ffffff;
        break;
    default:
        break;
    }
    return wide ? bits : (uint32_t)bits;
}

static uint64_t scalar_of(enum ir_type type, uint64_t *seed, uint32_t hard, bool is_hard) {
    return is_hard ? kt_hard_value(type, hard) : random_bits(seed, type == IR_I64 || type == IR_F64);
}

static union ir_bits operand_of(enum ir_type type, uint64_t *seed, uint32_t hard, bool is_hard) {
    union ir_bits v = {0};
    if (type != IR_V128) {
        v.i64 = scalar_of(type, seed, hard, is_hard);
        return v;
    }
    switch (kt_random(seed) >> 62) {
    case 0:
        for (uint32_t k = 0; k < 2; k++)
            v.u64x2[k] = scalar_of(IR_I64, seed, hard + k, is_hard);
        break;
    case 1:
        for (uint32_t k = 0; k < 8; k++)
            v.u16x8[k] = (uint16_t)(kt_random(seed) & 1 ? kt_random(seed) >> 40 : 0x7ffe + (kt_random(seed) >> 62));
        break;
    default:
        for (uint32_t k = 0; k < 4; k++)
            v.u32x4[k] = (uint32_t)scalar_of(IR_I32, seed, hard + k, is_hard);
        break;
    }
    return v;
}

static bool traps(const struct matrix_row *r, const union ir_bits *operands) {
    union ir_bits out;
    return ir_op_info[r->op].kind == IR_KIND_SIMPLE && ir_op_info[r->op].flags & IR_FLAG_TRAPS &&
           ir_eval_simple(r->op, operands, &out) != IR_TRAP_NONE;
}

void matrix_fill_row(const struct matrix_row *r, uint8_t *in) {
    uint64_t seed = UINT64_C(0x9e3779b97f4a7c15) * (r->op + 1);
    if (ir_op_info[r->op].kind == IR_KIND_LOAD && ir_op_info[r->op].bytes < 4) {
        for (uint32_t k = 0; k < r->tuples * r->in_stride; k++)
            in[k] = (uint8_t)(kt_random(&seed) >> 40);
        return;
    }
    uint32_t hard = kt_hard_count(r->operands[0]), pairs = r->noperands > 1 ? hard * hard : hard;
    ICE_UNLESS(pairs);
    /* 1009 is prime and divides neither count, so a run with few tuples meets all sorts of pairs too. */
    for (uint32_t n = 0, pair = 0; n < r->tuples; pair++) {
        bool is_hard = pair < pairs;
        uint32_t at = (uint32_t)((uint64_t)pair * 1009 % pairs);
        union ir_bits operands[3] = {{0}};
        for (uint32_t k = 0; k < r->noperands; k++)
            operands[k] = operand_of(r->operands[k], &seed, k == 0 ? at % hard : at / hard + k - 1, is_hard);
        if (r->op == IR_SELECT)
            operands[2].i32 = pair % 3 ? operands[2].i32 : 0;
        if (traps(r, operands))
            continue;
        if (ir_op_info[r->op].kind == IR_KIND_LOAD)
            memcpy(in + (size_t)n * r->in_stride, &operands[0], r->in_stride);
        else
            for (uint32_t k = 0; k < r->noperands; k++)
                memcpy(in + (size_t)n * r->in_stride + (size_t)k * r->cell, &operands[k], r->cell);
        n++;
    }
}

void matrix_interpret_row(struct ir_module *m, const struct matrix_row *r, const uint8_t *in, uint8_t *out) {
    struct ir_trap_info trap;
    uint64_t bytes;
    struct ir_interp *interp = ir_interp_new(&(struct ir_interp_desc){.module = m}, &trap);
    ICE_UNLESS(interp);
    uint8_t *memory = ir_interp_memory(interp, 0, &bytes);
    size_t n_in = (size_t)r->tuples * r->in_stride, n_out = (size_t)r->tuples * r->out_stride;
    ICE_UNLESS(r->out_at + n_out <= bytes);
    memcpy(memory, in, n_in);
    for (uint32_t x = 0; x < r->tuples; x++) {
        union ir_bits args[3] = {{.i32 = x}, {.i32 = 0}, {.i32 = r->out_at}};
        ICE_UNLESS(ir_interp_call_func(interp, r->kernel->body, args, &trap));
    }
    memcpy(out, memory + r->out_at, n_out);
    ir_interp_free(interp);
}
