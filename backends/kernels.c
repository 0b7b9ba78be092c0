/* One kernel to all GPU languages; see kernels.h.
 *
 * The body's v128 values become lanes first, and unaligned accesses words.  Then
 *
 *     body ─ legalize_arith ─┬─ narrow ──────── i64 ─▶ SPIR-V, no capability; WGSL
 *                            ├─ narrow, keep ── i64 ─▶ SPIR-V, STORAGE8/16
 *                            ├─ narrow ──────────────▶ SPIR-V, INT64 (and FLOAT64)
 *                            └─ narrow, keep ────────▶ SPIR-V, INT64 (and FLOAT64), STORAGE8/16
 *
 * Where the kernel divides or takes roots in f32, all of these come a second time with legalize_divide in front.  One
 * more, without any capability, needs no f64 and no subnormals of the device: legalize_soft and legalize_divide.
 *
 * Variants that would equal an earlier one are left out.  MSL is made from the native integers where the kernel has
 * any, because Metal has 64-bit ones.  MSL and WGSL of a kernel with f64 arithmetic are made of legalize_soft's; where
 * f32 is computed, MSL comes a second time for devices that flush subnormals or divide inexactly.
 */
#include "backends/kernels.h"

#include <string.h>

#include "backends/msl/msl_emit.h"
#include "backends/spirv/spv_emit.h"
#include "backends/wgsl/wgsl_emit.h"
#include "ir/fp_mode.h"
#include "ir/ir_build.h"
#include "ir/ir_text.h"
#include "ir/ir_verify.h"
#include "ir/offload/legalize.h"
#include "ir/offload/legalize_choice.h"
#include "ir/offload/legalize_return.h"
#include "ir/offload/legalize_soft.h"
#include "ir/opt/pass.h"
#include "ir/util/ice.h"

static const char too_deep[] = "control flow nests too deeply";

/* What the body has that decides about variants. */
struct traits {
    bool f64_arithmetic, f64_values, wide;
    bool loops;
    uint8_t widths[OFF_MAX_STREAMS]; /* of each stream's accesses: 1, 2, and 4 for all from 4 on */
    uint32_t uses;
};

static uint32_t use_of(enum ir_op op) {
    switch (op) {
    case IR_F32_ADD:
    case IR_F32_SUB:
    case IR_F32_MUL:
        return OFF_USE_F32_ARITH | OFF_USE_F32_SUBNORMAL;
    case IR_F32_DIV:
        return OFF_USE_F32_ARITH | OFF_USE_F32_SUBNORMAL | OFF_USE_F32_DIV;
    case IR_F32_SQRT:
        return OFF_USE_F32_ARITH | OFF_USE_F32_SUBNORMAL | OFF_USE_F32_SQRT;
    case IR_F64_ADD:
    case IR_F64_SUB:
    case IR_F64_MUL:
    case IR_F64_EQ:
    case IR_F64_NE:
    case IR_F64_LT:
    case IR_F64_GT:
    case IR_F64_LE:
    case IR_F64_GE:
        return OFF_USE_F64_ARITH;
    case IR_F64_DIV:
        return OFF_USE_F64_ARITH | OFF_USE_F64_DIV;
    case IR_F64_SQRT:
        return OFF_USE_F64_ARITH | OFF_USE_F64_SQRT;
    default:
        return 0;
    }
}

static void scan_region(struct ir_region *r, struct traits *t) {
    ir_foreach_inst (i, r) {
        t->loops |= i->op == IR_LOOP;
        for (uint32_t k = 0; k < i->nresults; k++)
            t->f64_values |= i->results[k].type == IR_F64;
        if (ir_is_load(i) || ir_is_store(i)) {
            unsigned bytes = ir_info(i)->bytes;
            t->widths[i->mem.stream] |= bytes < 4 ? bytes : 4;
        }
        for (unsigned k = 0; k < ir_nregions(i); k++)
            scan_region(i->regions[k], t);
    }
}

/* The streams whose accesses are all of one of the given widths (1, 2, or both), and the capabilities that takes.  A
 * stream of mixed widths would need several variables on one binding, and drivers do not see that they overlap
 * (NVIDIA's 570 series reads stale words beside byte stores, Aliased or not). */
static uint32_t narrow_streams(const struct traits *t, uint8_t widths, uint32_t *out_caps) {
    uint32_t keep = 0;
    *out_caps = 0;
    for (uint32_t s = 0; s < OFF_MAX_STREAMS; s++) {
        uint8_t w = t->widths[s];
        if ((w != 1 && w != 2) || !(w & widths))
            continue;
        keep |= UINT32_C(1) << s;
        *out_caps |= w == 1 ? OFF_CAP_STORAGE8 : OFF_CAP_STORAGE16;
    }
    return keep;
}

/* On the body as it came: what legalisation adds is exact on any device. */
static uint32_t find_uses(struct ir_region *r) {
    uint32_t uses = 0;
    ir_foreach_inst (i, r) {
        uses |= use_of((enum ir_op)i->op);
        for (unsigned k = 0; k < ir_nregions(i); k++)
            uses |= find_uses(i->regions[k]);
    }
    return uses;
}

static struct traits find_traits(struct ir_func *body, struct ir_func *arith) {
    struct traits t = {.f64_arithmetic = legalize_has_f64_arithmetic(body), .wide = legalize_has_wide_values(body)};
    for (uint32_t k = 0; k < body->body->nparams; k++)
        t.f64_values |= body->body->params[k]->type == IR_F64;
    scan_region(arith->body, &t);
    t.uses = find_uses(body->body);
    if (!t.f64_arithmetic) /* comparisons have become integer ones */
        t.uses &= ~(uint32_t)OFF_USE_F64_ARITH;
    return t;
}

/* Whether some loop inside the kernel may pass 65,535 iterations; the loops of the body and the sequential dimensions
 * are not matched up, so every one of them must be known to be short. */
static bool may_loop_long(const struct off_kernel *k, const struct traits *t) {
    if (!t->loops)
        return false;
    uint64_t total = 1;
    bool any = false;
    for (uint32_t d = 0; d < k->ndims; d++) {
        if (k->dims[d].axis >= 0)
            continue;
        any = true;
        if (k->dims[d].unbounded || k->dims[d].rel != OFF_TRIP_CONST || k->dims[d].constant > 65535)
            return true;
        total *= k->dims[d].constant;
        if (total > 65535)
            return true;
    }
    return !any;
}

/* Passes take `note` for their own and expect it clean. */
static bool notes_are_clean(const struct ir_region *r) {
    ir_foreach_inst (i, r) {
        if (i->note)
            return false;
        for (unsigned k = 0; k < ir_nregions(i); k++)
            if (!notes_are_clean(i->regions[k]))
                return false;
    }
    return true;
}

static void check(struct ir_func *f, const char *step) {
    struct strbuf problems = {0};
    if (ir_verify_func(f, &problems)) {
        ICE_UNLESS(notes_are_clean(f->body));
        return;
    }
    struct strbuf text = {0};
    ir_print_func(&text, f);
    ICE("legalisation of %s (%s) broke the IR:\n%s%s", f->name, step, problems.data, text.data);
}

static void simplify(struct ir_func *f) {
    struct pass_ctx cx = {.module = f->module};
    opt_simplify(f, &cx);
    arena_free(&cx.scratch);
}

/* Narrowed, and split when `split`; the caller frees. */
static struct ir_func *lower(struct ir_func *arith, uint32_t keep, bool split) {
    struct ir_func *out = legalize_narrow(arith, keep);
    check(out, "narrow");
    if (split) {
        struct ir_func *narrow = out;
        out = legalize_i64(narrow);
        check(out, "i64");
        ir_func_free(narrow);
    }
    legalize_returns(out);
    simplify(out);
    check(out, "simplify");
    legalize_choices(out);
    check(out, "choices");
    return out;
}

static uint32_t *emit_spirv(struct arena *to, const struct off_kernel *k, struct ir_func *f, uint32_t caps,
                            bool precise, uint32_t *out_nwords) {
    struct arena scratch = {0};
    uint32_t *words = spv_emit_kernel(&scratch, k, f, caps, precise, out_nwords), *copy = NULL;
    if (words) {
        copy = arena_array(to, uint32_t, *out_nwords);
        memcpy(copy, words, *out_nwords * sizeof *words);
    }
    arena_free(&scratch);
    return copy;
}

static bool add_variant(struct arena *a, struct off_kernel *k, struct ir_func *f, uint32_t caps, uint32_t avoids) {
    struct off_spirv v = {.caps = caps, .avoids = avoids};
    v.words = emit_spirv(a, k, f, caps, !(f->module->fp & FP_CONTRACT), &v.nwords);
    if (!v.words) {
        k->spirv_why = too_deep;
        return false;
    }
    k->spirv[k->nspirv++] = v;
    return true;
}

static bool make_variants(struct arena *a, struct off_kernel *k, struct ir_func *arith, const struct traits *t,
                          uint32_t avoids) {
    uint32_t storage, keep = narrow_streams(t, 1 | 2, &storage);
    uint32_t native = OFF_CAP_INT64 | (t->f64_values ? OFF_CAP_FLOAT64 : 0);
    for (int v = 0; v < 4; v++) {
        bool split = v < 2, kept = (v & 1) != 0;
        if ((split && t->f64_arithmetic) || (!split && !t->wide) || (kept && !keep))
            continue;
        struct ir_func *f = lower(arith, kept ? keep : 0, split);
        bool ok = add_variant(a, k, f, (split ? 0 : native) | (kept ? storage : 0), avoids);
        ir_func_free(f);
        if (!ok)
            return false;
    }
    return true;
}

/* The body in the forms that the targets are made of; some are the same function. */
struct forms {
    struct ir_module *library; /* of the helpers that `soft` and `own` call; NULL when neither does */
    struct ir_func *arith;     /* the device's float arithmetic */
    struct ir_func *exact;     /* with corrected f32 division and square root */
    struct ir_func *soft; /* no f64, and the device's subnormals are not relied on; NULL when that is `arith`.  WGSL */
    struct ir_func *own;  /* for MSL: no f64 */
    struct ir_func *own_exact; /* no f64, corrected f32 division and square root */
};

/* legalize_soft for `what` if not 0, legalize_divide if asked for, and legalize_arith. */
static struct ir_func *make_form(struct ir_func *body, struct ir_module *library, unsigned what, bool divide,
                                 bool soft_f64) {
    struct ir_func *f = body, *next;
    if (what) {
        f = legalize_soft(f, library, what);
        check(f, "soft");
    }
    if (divide) {
        next = legalize_divide(f);
        check(next, "divide");
        if (f != body)
            ir_func_free(f);
        f = next;
    }
    next = legalize_arith(f, soft_f64);
    check(next, "arith");
    if (f != body)
        ir_func_free(f);
    return next;
}

/* What --fp= takes no interest in. */
static uint32_t relaxed_uses(unsigned fp) {
    return (fp & FP_CONTRACT ? OFF_USE_F32_ARITH | OFF_USE_F64_ARITH : 0) |
           (fp & FP_DIVIDE ? OFF_USE_F32_DIV | OFF_USE_F32_SQRT : 0) | (fp & FP_SUBNORMALS ? OFF_USE_F32_SUBNORMAL : 0);
}

static struct forms make_forms(struct ir_module *m, struct ir_func *body) {
    uint32_t uses = find_uses(body->body) & ~relaxed_uses(m->fp);
    bool f64 = legalize_has_f64_arithmetic(body), divide = (uses & (OFF_USE_F32_DIV | OFF_USE_F32_SQRT)) != 0;
    struct forms f = {0};
    if (f64 || (uses & OFF_USE_F32_SUBNORMAL))
        f.library = soft_library_new(m);
    f.arith = make_form(body, NULL, 0, false, !f64);
    f.exact = divide ? make_form(body, NULL, 0, true, !f64) : f.arith;
    f.own = f64 ? make_form(body, f.library, SOFT_F64, false, true) : f.arith;
    f.own_exact = !divide ? f.own : f64 ? make_form(body, f.library, SOFT_F64, true, true) : f.exact;
    f.soft = f.own_exact;
    if (uses & OFF_USE_F32_SUBNORMAL)
        f.soft = make_form(body, f.library, (f64 ? SOFT_F64 : 0) | SOFT_SUBNORMALS, divide, true);
    if (f.soft == f.arith)
        f.soft = NULL;
    return f;
}

static void free_forms(struct forms *f) {
    struct ir_func *all[5] = {f->arith, f->exact, f->own, f->own_exact, f->soft};
    for (int k = 0; k < 5; k++) {
        bool again = false;
        for (int n = 0; n < k; n++)
            again |= all[n] == all[k];
        if (!again)
            ir_func_free(all[k]);
    }
    soft_library_free(f->library);
}

/* The device's own division and square root first: the run-time takes the corrected ones only where it must. */
static void make_spirv(struct arena *a, struct off_kernel *k, const struct forms *f, const struct traits *t) {
    k->spirv = arena_array(a, struct off_spirv, 9);
    if (!make_variants(a, k, f->arith, t, 0) ||
        (f->exact != f->arith && !make_variants(a, k, f->exact, t, OFF_USE_F32_DIV | OFF_USE_F32_SQRT)) || !f->soft)
        return;
    uint32_t avoids = OFF_USE_F64 | OFF_USE_F32_DIV | OFF_USE_F32_SQRT | OFF_USE_F32_SUBNORMAL;
    struct ir_func *soft = lower(f->soft, 0, true);
    add_variant(a, k, soft, 0, avoids & k->uses);
    ir_func_free(soft);
}

/* NULL with *out_why. */
static char *make_msl(struct arena *a, const struct off_kernel *k, struct ir_func *own, const struct traits *t,
                      const char *name, const char **out_why) {
    /* Overlapping streams of ushort and uint would break C++'s aliasing rule; uchar may alias anything. */
    bool wide_streams = false;
    for (uint32_t s = 0; s < OFF_MAX_STREAMS; s++)
        wide_streams |= t->widths[s] > 2;
    uint32_t storage, keep = narrow_streams(t, wide_streams ? 1 : 1 | 2, &storage);
    bool split = t->f64_values;
    struct ir_func *f = lower(own, keep, split);
    struct arena scratch = {0};
    uint32_t n, *words = emit_spirv(&scratch, k, f, (split ? 0 : OFF_CAP_INT64) | storage, false, &n);
    char *text = NULL;
    if (words)
        text = msl_emit_kernel(a, k, name, words, n, (own->module->fp & FP_CONTRACT) != 0, out_why);
    else
        *out_why = too_deep;
    arena_free(&scratch);
    ir_func_free(f);
    return text;
}

static void make_wgsl(struct arena *a, struct off_kernel *k, struct ir_func *own) {
    struct ir_func *f = lower(own, 0, true);
    k->wgsl = wgsl_emit_kernel(a, k, f, &k->wgsl_why);
    ir_func_free(f);
}

/* The body without v128 and without unaligned accesses; itself when it has neither. */
static struct ir_func *to_scalars(struct ir_func *body) {
    struct ir_func *f = body;
    if (legalize_has_v128(f)) {
        f = legalize_v128(body);
        check(f, "v128");
    }
    if (legalize_has_unaligned(f)) {
        struct ir_func *aligned = legalize_unaligned(f);
        check(aligned, "unaligned");
        if (f != body)
            ir_func_free(f);
        f = aligned;
    }
    if (f != body)
        simplify(f);
    return f;
}

void kernels_emit(struct ir_module *m, struct off_kernel *k) {
    struct arena *a = &m->arena;
    k->spirv = NULL;
    k->nspirv = 0;
    k->msl = k->msl_exact = k->wgsl = NULL;
    k->spirv_why = k->msl_why = k->wgsl_why = NULL;
    const char *why = legalize_check(k->body);
    if (why) {
        k->spirv_why = k->msl_why = k->wgsl_why = why;
        return;
    }
    struct ir_func *body = to_scalars(k->body);
    struct forms f = make_forms(m, body);
    struct traits t = find_traits(body, f.arith);
    k->uses = (t.uses & ~relaxed_uses(m->fp)) | (may_loop_long(k, &t) ? OFF_USE_LONG_LOOP : 0);
    make_spirv(a, k, &f, &t);
    k->msl = make_msl(a, k, f.own, &t, k->name, &k->msl_why);
    const char *exact_why;
    if (k->msl && (k->uses & OFF_USE_F32) && f.soft)
        k->msl_exact = make_msl(a, k, f.soft, &t, arena_printf(a, "%s_exact", k->name), &exact_why);
    /* Nothing tells us what a browser's division is worth, nor whether it flushes subnormals. */
    make_wgsl(a, k, f.soft ? f.soft : f.own_exact);
    free_forms(&f);
    if (body != k->body)
        ir_func_free(body);
}
