/* Accesses whose address need not be a multiple of their width; see legalize.h.
 *
 * Compilers say with each access how far its address is aligned.  Where that is less than the words in which a kernel
 * reads memory (four bytes read at once from a byte array, a vector of sixteen), the access is made of the words around
 * it:
 *
 *     %v = i32.load %p align=1       %w0 = i32.load (%p & -4)
 *                                    %w1 = i32.load ((%p + 3) & -4)          the same word when %p is aligned
 *                                    %s  = 8 * (%p & 3)
 *                                    %v  = %w0 >> %s | (%w1 << 1) << (31 - %s)
 *
 * The last word is that of the access's last byte, so no word is touched that holds no byte of it.  Stores change words
 * by xor, as those of legalize_narrow.c do and for the same reason: neighbouring bytes may be another invocation's.
 *
 * Rounding the address down and loading one word more would be shorter, but reads behind the binding's end.
 */
#include "ir/offload/legalize_unaligned.h"

#include "ir/offload/legalize.h"
#include "ir/util/ice.h"

static unsigned least(unsigned a, unsigned b) {
    return a < b ? a : b;
}

unsigned legalize_access_align(const struct ir_inst *i) {
    unsigned hint = i->mem.align_log2 < 2 ? 1u << i->mem.align_log2 : 4;
    return least(hint, ir_info(i)->bytes);
}

static bool is_unaligned(const struct ir_inst *i) {
    return (ir_is_load(i) || ir_is_store(i)) && legalize_access_align(i) < least(ir_info(i)->bytes, 4);
}

static struct ir_mem word_mem(const struct ir_inst *i, uint64_t offset) {
    struct ir_mem mem = i->mem;
    mem.offset = offset;
    mem.align_log2 = 2;
    return mem;
}

/* The words around an access: n + 1 addresses, the last two of which may be the same. */
struct span {
    struct ir_value *word[5];
    struct ir_value *shift; /* bits by which the access starts later than word 0 */
    unsigned n;             /* words of an aligned access */
};

static struct span find_span(struct rebuild *r, const struct ir_inst *i, unsigned bytes) {
    struct span s = {.n = (bytes + 3) / 4};
    struct ir_value *first = rebuild_lo(r, i, 0);
    if (i->mem.offset)
        first = rebuild_opi(r, IR_I32_ADD, first, (uint32_t)i->mem.offset);
    struct ir_value *last = rebuild_opi(r, IR_I32_ADD, first, bytes - 1);
    s.word[0] = rebuild_opi(r, IR_I32_AND, first, ~UINT32_C(3));
    for (unsigned k = 1; k < s.n; k++)
        s.word[k] = rebuild_opi(r, IR_I32_ADD, s.word[0], 4 * k);
    s.word[s.n] = rebuild_opi(r, IR_I32_AND, last, ~UINT32_C(3));
    s.shift = rebuild_opi(r, IR_I32_SHL, rebuild_opi(r, IR_I32_AND, first, 3), 3);
    return s;
}

/* The bits that a shift by s.shift moves into the neighbouring word: two shifts, because one by 32 would be none. */
static struct ir_value *carried(struct rebuild *r, const struct span *s, enum ir_op shift, struct ir_value *from) {
    struct ir_value *rest = rebuild_opi(r, IR_I32_XOR, s->shift, 31); /* 31 - shift */
    return rebuild_op(r, shift, rebuild_opi(r, shift, from, 1), rest);
}

void legalize_load_words(struct rebuild *r, const struct ir_inst *i, unsigned bytes, struct ir_value **out) {
    unsigned n = (bytes + 3) / 4;
    ICE_UNLESS(n >= 1 && n <= 4);
    if (!is_unaligned(i) && bytes >= 4) {
        for (unsigned k = 0; k < n; k++)
            out[k] = ir_build_load(&r->b, IR_I32_LOAD, rebuild_lo(r, i, 0), word_mem(i, i->mem.offset + 4 * k));
        return;
    }
    struct span s = find_span(r, i, bytes);
    struct ir_value *words[5] = {NULL};
    for (unsigned k = 0; k <= n; k++)
        words[k] = ir_build_load(&r->b, IR_I32_LOAD, s.word[k], word_mem(i, 0));
    for (unsigned k = 0; k < n; k++)
        out[k] = rebuild_op(r, IR_I32_OR, rebuild_op(r, IR_I32_SHR_U, words[k], s.shift),
                            carried(r, &s, IR_I32_SHL, words[k + 1]));
    if (bytes == 2)
        out[0] = rebuild_opi(r, IR_I32_AND, out[0], 0xffff);
}

void legalize_store_words(struct rebuild *r, const struct ir_inst *i, unsigned bytes, struct ir_value *const *words) {
    unsigned n = (bytes + 3) / 4;
    ICE_UNLESS(n >= 1 && n <= 4);
    if (!is_unaligned(i) && bytes >= 4) {
        for (unsigned k = 0; k < n; k++)
            ir_build_store(&r->b, IR_I32_STORE, rebuild_lo(r, i, 0), words[k], word_mem(i, i->mem.offset + 4 * k));
        return;
    }
    struct span s = find_span(r, i, bytes);
    struct ir_value *zero = rebuild_i32(r, 0), *ones = rebuild_i32(r, bytes == 2 ? 0xffff : UINT32_MAX);
    struct ir_value *low = NULL, *low_mask = NULL;
    for (unsigned k = 0; k <= n; k++) {
        /* The bits of word k come from words k - 1 and k of the value. */
        struct ir_value *v = k ? carried(r, &s, IR_I32_SHR_U, low) : zero;
        struct ir_value *mask = k ? carried(r, &s, IR_I32_SHR_U, low_mask) : zero;
        if (k < n) {
            v = rebuild_op(r, IR_I32_OR, v, rebuild_op(r, IR_I32_SHL, words[k], s.shift));
            mask = rebuild_op(r, IR_I32_OR, mask, rebuild_op(r, IR_I32_SHL, ones, s.shift));
            low = words[k];
            low_mask = ones;
        }
        struct ir_value *old = ir_build_load(&r->b, IR_I32_LOAD, s.word[k], word_mem(i, 0));
        struct ir_value *d = rebuild_op(r, IR_I32_AND, rebuild_op(r, IR_I32_XOR, v, old), mask);
        struct ir_value *operands[2] = {s.word[k], d};
        ir_build(&r->b, IR_XOR_WORD, NULL, 0, operands, 2)->mem = word_mem(i, 0);
    }
}

/* ---- scalar accesses ---- */

static struct ir_value *joined(struct rebuild *r, struct ir_value *lo, struct ir_value *hi) {
    hi = rebuild_op64i(r, IR_I64_SHL, rebuild_op(r, IR_I64_EXTEND_I32_U, hi, NULL), 32);
    return rebuild_op(r, IR_I64_OR, rebuild_op(r, IR_I64_EXTEND_I32_U, lo, NULL), hi);
}

static struct ir_value *load(struct rebuild *r, const struct ir_inst *i) {
    const struct ir_op_info *info = ir_info(i);
    struct ir_value *w[4] = {NULL};
    legalize_load_words(r, i, info->bytes, w);
    if (info->bytes == 8)
        w[0] = joined(r, w[0], w[1]);
    if (info->bytes == 2 && info->sign)
        w[0] = rebuild_op(r, IR_I32_EXTEND16_S, w[0], NULL);
    if (info->result == IR_I64 && info->bytes < 8)
        w[0] = rebuild_op(r, info->sign ? IR_I64_EXTEND_I32_S : IR_I64_EXTEND_I32_U, w[0], NULL);
    return rebuild_from_bits(r, (enum ir_type)info->result, w[0]);
}

static void store(struct rebuild *r, const struct ir_inst *i) {
    const struct ir_op_info *info = ir_info(i);
    struct ir_value *v = rebuild_to_bits(r, rebuild_lo(r, i, 1)), *w[4] = {v};
    if (v->type == IR_I64) {
        w[0] = rebuild_op(r, IR_I32_WRAP_I64, v, NULL);
        w[1] = rebuild_op(r, IR_I32_WRAP_I64, rebuild_op64i(r, IR_I64_SHR_U, v, 32), NULL);
    }
    legalize_store_words(r, i, info->bytes, w);
}

static bool lower(struct rebuild *r, struct ir_inst *i) {
    if (!is_unaligned(i))
        return false;
    ICE_UNLESS(ir_info(i)->result != IR_V128);
    if (ir_is_store(i))
        store(r, i);
    else
        rebuild_set(r, i, load(r, i), NULL);
    return true;
}

static bool any_unaligned(struct ir_region *region) {
    ir_foreach_inst (i, region) {
        if (is_unaligned(i))
            return true;
        for (unsigned k = 0; k < ir_nregions(i); k++)
            if (any_unaligned(i->regions[k]))
                return true;
    }
    return false;
}

bool legalize_has_unaligned(struct ir_func *f) {
    return any_unaligned(f->body);
}

struct ir_func *legalize_unaligned(struct ir_func *f) {
    return rebuild_run(f, lower, false, 0);
}
