/* Narrow and wide accesses as accesses of 32-bit words; see legalize.h.
 *
 * A byte store must not disturb its neighbours in the word, which other invocations may be writing at the same time.
 * Reading the word, changing the byte and writing the word back would lose their bytes.  Instead:
 *
 *     i32.store8 %p, %v      %w = i32.load %p & -4
 *                            %d = ((%v << s) ^ %w) & (0xff << s)       s = 8 * (%p & 3)
 *                            xor_word %p & -4, %d                      atomic
 *
 * No other invocation writes this byte (the guard has shown it), so the byte in %w is still the one in memory when the
 * xor comes, and after the xor the byte is %v; the other three bytes are xored with 0, whatever they are by then.
 *
 * Alignment: 16-bit accesses are 2-aligned and so lie within one word; 64-bit ones are at least 4-aligned.  The guard
 * demands both.
 */
#include "ir/offload/legalize.h"
#include "ir/offload/rebuild.h"
#include "ir/util/ice.h"

static struct ir_mem word_mem(const struct ir_inst *i, uint64_t offset) {
    struct ir_mem mem = i->mem;
    mem.offset = offset;
    mem.align_log2 = 2;
    return mem;
}

static struct ir_value *load_word(struct rebuild *r, const struct ir_inst *i, struct ir_value *addr, uint64_t offset) {
    return ir_build_load(&r->b, IR_I32_LOAD, addr, word_mem(i, offset));
}

/* The word around a narrow access: its address, and how far the bytes are shifted in it. */
struct place {
    struct ir_value *word, *shift;
};

static struct place find_place(struct rebuild *r, const struct ir_inst *i) {
    struct ir_value *ea = rebuild_lo(r, i, 0);
    if (i->mem.offset)
        ea = rebuild_opi(r, IR_I32_ADD, ea, (uint32_t)i->mem.offset);
    return (struct place){
        .word = rebuild_opi(r, IR_I32_AND, ea, ~UINT32_C(3)),
        .shift = rebuild_opi(r, IR_I32_SHL, rebuild_opi(r, IR_I32_AND, ea, 3), 3),
    };
}

static bool keeps(const struct rebuild *r, const struct ir_inst *i) {
    return i->mem.stream < 32 && (r->flags >> i->mem.stream & 1) != 0;
}

/* The 1, 2 or 4 bytes of the access as an i32. */
static struct ir_value *load_i32(struct rebuild *r, const struct ir_inst *i, unsigned bytes, bool sign) {
    if (bytes == 4)
        return load_word(r, i, rebuild_lo(r, i, 0), i->mem.offset);
    if (keeps(r, i)) {
        enum ir_op op = bytes == 1 ? (sign ? IR_I32_LOAD8_S : IR_I32_LOAD8_U)
                        : sign     ? IR_I32_LOAD16_S
                                   : IR_I32_LOAD16_U;
        return ir_build_load(&r->b, op, rebuild_lo(r, i, 0), i->mem);
    }
    struct place p = find_place(r, i);
    struct ir_value *v = rebuild_op(r, IR_I32_SHR_U, load_word(r, i, p.word, 0), p.shift);
    if (sign)
        return rebuild_op(r, bytes == 1 ? IR_I32_EXTEND8_S : IR_I32_EXTEND16_S, v, 0);
    return rebuild_opi(r, IR_I32_AND, v, bytes == 1 ? 0xff : 0xffff);
}

static void store_i32(struct rebuild *r, const struct ir_inst *i, unsigned bytes, struct ir_value *v) {
    if (bytes == 4) {
        ir_build_store(&r->b, IR_I32_STORE, rebuild_lo(r, i, 0), v, word_mem(i, i->mem.offset));
        return;
    }
    if (keeps(r, i)) {
        ir_build_store(&r->b, bytes == 1 ? IR_I32_STORE8 : IR_I32_STORE16, rebuild_lo(r, i, 0), v, i->mem);
        return;
    }
    struct place p = find_place(r, i);
    struct ir_value *mask = rebuild_op(r, IR_I32_SHL, rebuild_i32(r, bytes == 1 ? 0xff : 0xffff), p.shift);
    struct ir_value *d = rebuild_op(r, IR_I32_SHL, v, p.shift);
    d = rebuild_op(r, IR_I32_XOR, d, load_word(r, i, p.word, 0));
    d = rebuild_op(r, IR_I32_AND, d, mask);
    struct ir_value *operands[2] = {p.word, d};
    ir_build(&r->b, IR_XOR_WORD, 0, 0, operands, 2)->mem = word_mem(i, 0);
}

static struct ir_value *load_i64(struct rebuild *r, const struct ir_inst *i) {
    struct ir_value *addr = rebuild_lo(r, i, 0);
    struct ir_value *lo = load_word(r, i, addr, i->mem.offset), *hi = load_word(r, i, addr, i->mem.offset + 4);
    hi = rebuild_op64i(r, IR_I64_SHL, rebuild_op(r, IR_I64_EXTEND_I32_U, hi, 0), 32);
    return rebuild_op(r, IR_I64_OR, rebuild_op(r, IR_I64_EXTEND_I32_U, lo, 0), hi);
}

static void store_i64(struct rebuild *r, const struct ir_inst *i, struct ir_value *v) {
    struct ir_value *addr = rebuild_lo(r, i, 0);
    struct ir_value *hi = rebuild_op(r, IR_I32_WRAP_I64, rebuild_op64i(r, IR_I64_SHR_U, v, 32), 0);
    ir_build_store(&r->b, IR_I32_STORE, addr, rebuild_op(r, IR_I32_WRAP_I64, v, 0), word_mem(i, i->mem.offset));
    ir_build_store(&r->b, IR_I32_STORE, addr, hi, word_mem(i, i->mem.offset + 4));
}

static bool lower_access(struct rebuild *r, struct ir_inst *i) {
    const struct ir_op_info *info = ir_info(i);
    if (ir_is_load(i)) {
        struct ir_value *v;
        if (info->bytes == 8) {
            v = load_i64(r, i);
        } else {
            v = load_i32(r, i, info->bytes, info->sign);
            if (info->result == IR_I64)
                v = rebuild_op(r, info->sign ? IR_I64_EXTEND_I32_S : IR_I64_EXTEND_I32_U, v, 0);
        }
        rebuild_set(r, i, rebuild_from_bits(r, (enum ir_type)info->result, v), 0);
        return true;
    }
    if (ir_is_store(i)) {
        struct ir_value *v = rebuild_to_bits(r, rebuild_lo(r, i, 1));
        if (info->bytes == 8)
            store_i64(r, i, v);
        else
            store_i32(r, i, info->bytes, info->result == IR_I64 ? rebuild_op(r, IR_I32_WRAP_I64, v, 0) : v);
        return true;
    }
    return false;
}

struct ir_func *legalize_narrow(struct ir_func *f, uint32_t keep) {
    return rebuild_run(f, lower_access, false, keep);
}
