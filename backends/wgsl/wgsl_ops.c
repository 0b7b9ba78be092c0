/* One row an operation in WGSL; see wgsl_emit.h.
 *
 * Every instruction becomes a `let`, so text stays linear in the size of the kernel.  WGSL evaluates what it can while
 * compiling and refuses a program in which that overflows or gives NaN, so no operation is ever written on constants
 * alone: one of them goes through a `let` first, which ends constant evaluation.  NaN and infinity cannot be written as
 * constants at all; their bits, and those of subnormals, are added to a zero that is only known at run time.  A float
 * zero is a number that drivers cannot know (wgsl_declare_names): WGSL lets them drop it from x + 0 and 0 - x, which
 * loses the sign of zero, and Dawn has been seen to turn a constant -0 into +0.
 *
 * Floats are carried as their bits (spv_emit.h says why), so all variables are u32.
 */
#include <math.h>
#include <string.h>

#include "backends/wgsl/wgsl_emit.h"
#include "ir/util/ice.h"

/* $a, $b: operands; $A, $B: the same as i32; $f, $g: as f32.  Comparisons give a bool. */
struct row {
    const char *text;
    bool truth;
};

static const struct row rows[IR_OP_COUNT] = {
    [IR_I32_EQ] = {"$a == $b", true},
    [IR_I32_NE] = {"$a != $b", true},
    [IR_I32_LT_S] = {"$A < $B", true},
    [IR_I32_LT_U] = {"$a < $b", true},
    [IR_I32_GT_S] = {"$A > $B", true},
    [IR_I32_GT_U] = {"$a > $b", true},
    [IR_I32_LE_S] = {"$A <= $B", true},
    [IR_I32_LE_U] = {"$a <= $b", true},
    [IR_I32_GE_S] = {"$A >= $B", true},
    [IR_I32_GE_U] = {"$a >= $b", true},
    [IR_I32_CLZ] = {"countLeadingZeros($a)", false},
    [IR_I32_CTZ] = {"countTrailingZeros($a)", false},
    [IR_I32_POPCNT] = {"countOneBits($a)", false},
    [IR_I32_ADD] = {"$a + $b", false},
    [IR_I32_SUB] = {"$a - $b", false},
    [IR_I32_MUL] = {"$a * $b", false},
    [IR_I32_DIV_S] = {"bitcast<u32>($A / $B)", false},
    [IR_I32_DIV_U] = {"$a / $b", false},
    [IR_I32_REM_U] = {"$a % $b", false},
    [IR_I32_AND] = {"$a & $b", false},
    [IR_I32_OR] = {"$a | $b", false},
    [IR_I32_XOR] = {"$a ^ $b", false},
    [IR_I32_SHL] = {"$a << ($b & 31u)", false},
    [IR_I32_SHR_S] = {"bitcast<u32>($A >> ($b & 31u))", false},
    [IR_I32_SHR_U] = {"$a >> ($b & 31u)", false},
    [IR_I32_ROTL] = {"($a << ($b & 31u)) | ($a >> ((32u - ($b & 31u)) & 31u))", false},
    [IR_I32_ROTR] = {"($a >> ($b & 31u)) | ($a << ((32u - ($b & 31u)) & 31u))", false},
    [IR_I32_EXTEND8_S] = {"bitcast<u32>(bitcast<i32>($a << 24u) >> 24u)", false},
    [IR_I32_EXTEND16_S] = {"bitcast<u32>(bitcast<i32>($a << 16u) >> 16u)", false},
    [IR_F32_EQ] = {"$f == $g", true},
    [IR_F32_NE] = {"$f != $g", true},
    [IR_F32_LT] = {"$f < $g", true},
    [IR_F32_GT] = {"$f > $g", true},
    [IR_F32_LE] = {"$f <= $g", true},
    [IR_F32_GE] = {"$f >= $g", true},
    [IR_F32_ADD] = {"$f + $g", false},
    [IR_F32_SUB] = {"$f - $g", false},
    [IR_F32_MUL] = {"$f * $g", false},
    [IR_F32_DIV] = {"$f / $g", false},
    [IR_F32_SQRT] = {"sqrt($f)", false},
    [IR_I32_TRUNC_SAT_F32_S] = {"bitcast<u32>(i32($f))", false}, /* legalised: only what fits */
    [IR_I32_TRUNC_SAT_F32_U] = {"u32($f)", false},
    [IR_F32_CONVERT_I32_S] = {"f32($A)", false}, /* legalised: only what is exact */
    [IR_F32_CONVERT_I32_U] = {"f32($a)", false},
    [IR_I32_REINTERPRET_F32] = {"$a", false},
    [IR_F32_REINTERPRET_I32] = {"$a", false},
};

const char *wgsl_type(enum ir_type t) {
    ICE_UNLESS(t == IR_I32 || t == IR_F32);
    return "u32";
}

static const struct ir_value *resolve(struct wgsl_emit *e, const struct ir_value *v) {
    while (e->values[v->id].alias)
        v = e->values[v->id].alias;
    return v;
}

const char *wgsl_operand(struct wgsl_emit *e, const struct ir_value *v) {
    v = resolve(e, v);
    const union ir_bits *k = ir_const_of(v);
    if (!k)
        return arena_printf(e->arena, "%c%u", e->values[v->id].prefix, v->id);
    if (v->type == IR_F32 && k->f32 == 0) {
        e->uses_fzero = true;
        return k->i32 ? "(fzero ^ 0x80000000u)" : "fzero";
    }
    return arena_printf(e->arena, k->i32 < 65536 ? "%uu" : "0x%xu", k->i32);
}

/* The operand written `text`, as a float. */
static const char *as_float(struct wgsl_emit *e, const struct ir_value *v, const char *text) {
    const union ir_bits *k = ir_const_of(resolve(e, v));
    if (!k || isnormal(k->f32) || k->f32 == 0)
        return arena_printf(e->arena, "bitcast<f32>(%s)", text);
    e->uses_zero = true;
    return arena_printf(e->arena, "bitcast<f32>(%s + zero)", text);
}

static bool is_constant(struct wgsl_emit *e, const struct ir_value *v) {
    return ir_const_of(resolve(e, v)) != NULL;
}

const char *wgsl_condition(struct wgsl_emit *e, const struct ir_value *v) {
    v = resolve(e, v);
    if (e->values[v->id].truth)
        return arena_printf(e->arena, "b%u", v->id);
    return arena_printf(e->arena, "%s != 0u", wgsl_operand(e, v));
}

static bool is_truth(const struct ir_inst *i) {
    return i->op == IR_I32_EQZ || rows[i->op].truth;
}

static void scan_region(struct wgsl_emit *e, struct ir_region *r) {
    ir_foreach_inst (i, r) {
        for (uint32_t k = 0; k < i->noperands; k++) {
            bool cond = ((i->op == IR_IF || i->op == IR_BR_IF || i->op == IR_I32_EQZ) && k == 0) ||
                        (i->op == IR_SELECT && k == 2);
            e->values[i->operands[k]->id].as_int |= !cond;
        }
        for (unsigned k = 0; k < ir_nregions(i); k++)
            scan_region(e, i->regions[k]);
        if (i->op == IR_XOR_WORD)
            e->atomic[i->mem.stream] = true;
    }
}

/* Finds atomic streams, and which comparisons are only used as conditions. */
void wgsl_scan_uses(struct wgsl_emit *e) {
    scan_region(e, e->func->body);
}

/* `text`: of i's operands. */
static void expand(struct wgsl_emit *e, struct strbuf *out, const char *pattern, const struct ir_inst *i,
                   const char *const text[2]) {
    for (const char *p = pattern; *p; p++) {
        if (*p == '$') {
            p++;
            unsigned k = *p == 'b' || *p == 'B' || *p == 'g';
            if (*p == 'A' || *p == 'B')
                strbuf_printf(out, "bitcast<i32>(%s)", text[k]);
            else
                strbuf_add(out, *p == 'f' || *p == 'g' ? as_float(e, i->operands[k], text[k]) : text[k]);
        } else {
            strbuf_add_bytes(out, p, 1);
        }
    }
}

static void emit_truth(struct wgsl_emit *e, struct ir_inst *i, const char *text) {
    struct wgsl_value *v = &e->values[i->results[0].id];
    v->truth = true;
    wgsl_line(e, "let b%u = %s;", i->results[0].id, text);
    if (v->as_int)
        wgsl_line(e, "let v%u = select(0u, 1u, b%u);", i->results[0].id, i->results[0].id);
}

static const char *element(struct wgsl_emit *e, const struct ir_inst *i) {
    const char *addr = wgsl_operand(e, i->operands[0]);
    const char *sum = i->mem.offset ? arena_printf(e->arena, "%s + 0x%xu", addr, (uint32_t)i->mem.offset) : addr;
    return arena_printf(e->arena, "stream%d[(%s - base%d) >> 2u]", i->mem.stream, sum, i->mem.stream);
}

static void emit_access(struct wgsl_emit *e, struct ir_inst *i) {
    bool atomic = e->atomic[i->mem.stream];
    const char *place = element(e, i);
    if (ir_is_load(i)) {
        ICE_UNLESS(i->op == IR_I32_LOAD);
        wgsl_line(e, atomic ? "let v%u = atomicLoad(&%s);" : "let v%u = %s;", i->results[0].id, place);
        return;
    }
    const char *value = wgsl_operand(e, i->operands[1]);
    ICE_UNLESS(i->op == IR_XOR_WORD || i->op == IR_I32_STORE);
    if (i->op == IR_XOR_WORD)
        wgsl_line(e, "atomicXor(&%s, %s);", place, value);
    else
        wgsl_line(e, atomic ? "atomicStore(&%s, %s);" : "%s = %s;", place, value);
}

void wgsl_emit_op(struct wgsl_emit *e, struct ir_inst *i) {
    if (ir_is_const(i))
        return;
    if (ir_is_load(i) || ir_is_store(i) || i->op == IR_XOR_WORD) {
        emit_access(e, i);
        return;
    }
    if (i->op == IR_ARRAY_GET || i->op == IR_ARRAY_SET) {
        const char *place = wgsl_operand(e, i->operands[0]);
        e->arrays[i->index] = i->index2;
        if (i->op == IR_ARRAY_GET)
            wgsl_line(e, "let v%u = array%u[%s];", i->results[0].id, i->index, place);
        else
            wgsl_line(e, "array%u[%s] = %s;", i->index, place, wgsl_operand(e, i->operands[1]));
        return;
    }
    uint32_t id = i->results[0].id;
    const char *a = wgsl_operand(e, i->operands[0]), *b = i->noperands > 1 ? wgsl_operand(e, i->operands[1]) : NULL;
    if (i->op == IR_SELECT) {
        wgsl_line(e, "let v%u = select(%s, %s, %s);", id, b, a, wgsl_condition(e, i->operands[2]));
        return;
    }
    if (is_constant(e, i->operands[0]) && (i->noperands < 2 || is_constant(e, i->operands[1]))) {
        wgsl_line(e, "let c%u = %s;", id, a);
        a = arena_printf(e->arena, "c%u", id);
    }
    struct strbuf text = {0};
    if (i->op == IR_I32_EQZ) {
        const struct ir_value *x = resolve(e, i->operands[0]);
        if (e->values[x->id].truth)
            strbuf_printf(&text, "!b%u", x->id);
        else
            strbuf_printf(&text, "%s == 0u", a);
    } else if (rows[i->op].text) {
        bool gives_float = i->results[0].type == IR_F32 && i->op != IR_F32_REINTERPRET_I32;
        strbuf_add(&text, gives_float ? "bitcast<u32>(" : "");
        expand(e, &text, rows[i->op].text, i, (const char *const[2]){a, b});
        strbuf_add(&text, gives_float ? ")" : "");
    } else {
        ICE("%s in a kernel legalised for WGSL", ir_info(i)->text);
    }
    if (is_truth(i))
        emit_truth(e, i, text.data);
    else
        wgsl_line(e, "let v%u = %s;", id, text.data);
    strbuf_free(&text);
}
