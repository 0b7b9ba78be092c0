/* Which floating-point operations a device computes exactly as Wasm demands.
 *
 * Vulkan promises little: division may be off by 2.5 units in the last place, square root likewise, subnormals may be
 * flushed, and drivers have contracted multiply-add pairs they were told not to.  So the device is asked: a kernel
 * computes each operation on cases known to be hard and on pseudo-random ones, and every result bit is compared with
 * this CPU's. One wrong bit (NaN payloads aside) and kernels that use the operation stay on the CPU on this device.
 *
 * A case is three numbers a, b, c.  The cases are all pairs of a table of special values (zeros, subnormals, the ends
 * of the range, infinities, NaN, numbers next to powers of two), and random ones of three sorts: any bit pattern;
 * moderate exponents with c = -(a * b) rounded, where a contracted a * b + c shows at once; and quotients next to a
 * rounding boundary (a = q * b for q halfway between neighbours, rounded).
 *
 * Results of a case:  0 a*b   1 a+b   2 a-b   3 a*b+c   4 a/b   5 sqrt(a)   6 (a<b) + 2(a==b)   7 a's bits as an
 * integer, converted   8 min(a, b)   9 max(a, b)   10 a as an i32, where it fits.  Kernels compute comparisons of f32,
 * minimum and maximum on the bits; those results are only shown.  The SPIR-V is put together here, in the same form as
 * compiled kernels have: plain operations decorated NoContraction; float-controls modes are added as to all kernels.
 */
#include "runtime/device_vulkan.h"
#include "runtime/device_vulkan_words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    CASES = 1536, /* a multiple of the workgroup */
    WORKGROUP = 64,
    RESULTS = 11,
};

/* Fixed ids; the function body's follow after LAST_ID. */
enum {
    ID_GLSL = 1,
    ID_MAIN,
    ID_GID,
    ID_VOID,
    ID_BOOL,
    ID_UINT,
    ID_INT,
    ID_FLOAT,
    ID_UVEC2,
    ID_UVEC3,
    ID_ARRAY,
    ID_BLOCK,
    ID_BLOCK_POINTER,
    ID_WORD_POINTER,
    ID_GID_POINTER,
    ID_FUNCTION_TYPE,
    ID_IN,
    ID_OUT,
    ID_EXACT, /* the first six results, which are decorated */
    ID_CONSTANTS = ID_EXACT + 8,
    LAST_ID = ID_CONSTANTS + 32,
};

static uint32_t fresh(struct vk_words *w) {
    return w->next_id++;
}

static uint32_t constant(uint32_t value) {
    return ID_CONSTANTS + value;
} /* of the constants 0 to 31 */

static uint32_t word_pointer(struct vk_words *w, uint32_t variable, uint32_t base, uint32_t index) {
    uint32_t sum = fresh(w), pointer = fresh(w);
    EMIT(w, OP_I_ADD, ID_UINT, sum, base, constant(index));
    EMIT(w, OP_ACCESS_CHAIN, ID_WORD_POINTER, pointer, variable, constant(0), sum);
    return pointer;
}

static uint32_t load_word(struct vk_words *w, uint32_t base, uint32_t index) {
    uint32_t pointer = word_pointer(w, ID_IN, base, index), value = fresh(w);
    EMIT(w, OP_LOAD, ID_UINT, value, pointer);
    return value;
}

static void store_word(struct vk_words *w, uint32_t base, uint32_t index, uint32_t value) {
    EMIT(w, OP_STORE, word_pointer(w, ID_OUT, base, index), value);
}

static uint32_t load_float(struct vk_words *w, uint32_t base, uint32_t index, bool wide) {
    uint32_t bits = load_word(w, base, index * (wide ? 2 : 1));
    if (wide) {
        uint32_t high = load_word(w, base, index * 2 + 1), both = fresh(w);
        EMIT(w, OP_COMPOSITE_CONSTRUCT, ID_UVEC2, both, bits, high);
        bits = both;
    }
    uint32_t value = fresh(w);
    EMIT(w, OP_BITCAST, ID_FLOAT, value, bits);
    return value;
}

static void store_float(struct vk_words *w, uint32_t base, uint32_t index, uint32_t value, bool wide) {
    uint32_t bits = fresh(w);
    EMIT(w, OP_BITCAST, wide ? ID_UVEC2 : ID_UINT, bits, value);
    if (!wide) {
        store_word(w, base, index, bits);
        return;
    }
    for (uint32_t half = 0; half < 2; half++) {
        uint32_t word = fresh(w);
        EMIT(w, OP_COMPOSITE_EXTRACT, ID_UINT, word, bits, half);
        store_word(w, base, index * 2 + half, word);
    }
}

static void write_declarations(struct vk_words *w, bool wide, bool contraction) {
    EMIT(w, OP_CAPABILITY, CAPABILITY_SHADER);
    if (wide)
        EMIT(w, OP_CAPABILITY, CAPABILITY_FLOAT64);
    EMIT(w, OP_EXT_INST_IMPORT, ID_GLSL, CHARS('G', 'L', 'S', 'L'), CHARS('.', 's', 't', 'd'),
         CHARS('.', '4', '5', '0'), 0);
    EMIT(w, OP_MEMORY_MODEL, 0, 1);                                            /* Logical GLSL450 */
    EMIT(w, OP_ENTRY_POINT, 5, ID_MAIN, CHARS('m', 'a', 'i', 'n'), 0, ID_GID); /* GLCompute */
    EMIT(w, OP_EXECUTION_MODE, ID_MAIN, 17, WORKGROUP, 1, 1);                  /* LocalSize */
    EMIT(w, OP_DECORATE, ID_GID, DECORATION_BUILT_IN, BUILT_IN_GLOBAL_INVOCATION_ID);
    EMIT(w, OP_DECORATE, ID_ARRAY, DECORATION_ARRAY_STRIDE, 4);
    EMIT(w, OP_DECORATE, ID_BLOCK, DECORATION_BLOCK);
    EMIT(w, OP_MEMBER_DECORATE, ID_BLOCK, 0, DECORATION_OFFSET, 0);
    for (uint32_t v = 0; v < 2; v++) {
        EMIT(w, OP_DECORATE, ID_IN + v, DECORATION_DESCRIPTOR_SET, 0);
        EMIT(w, OP_DECORATE, ID_IN + v, DECORATION_BINDING, v);
    }
    for (uint32_t i = 0; i < 6; i++)
        if (contraction ? i == 0 || i == 3 : i != 3) /* what the kernel has */
            EMIT(w, OP_DECORATE, ID_EXACT + i, DECORATION_NO_CONTRACTION);

    EMIT(w, OP_TYPE_VOID, ID_VOID);
    EMIT(w, OP_TYPE_BOOL, ID_BOOL);
    EMIT(w, OP_TYPE_INT, ID_UINT, 32, 0);
    EMIT(w, OP_TYPE_INT, ID_INT, 32, 1);
    EMIT(w, OP_TYPE_FLOAT, ID_FLOAT, wide ? 64 : 32);
    EMIT(w, OP_TYPE_VECTOR, ID_UVEC2, ID_UINT, 2);
    EMIT(w, OP_TYPE_VECTOR, ID_UVEC3, ID_UINT, 3);
    EMIT(w, OP_TYPE_RUNTIME_ARRAY, ID_ARRAY, ID_UINT);
    EMIT(w, OP_TYPE_STRUCT, ID_BLOCK, ID_ARRAY);
    EMIT(w, OP_TYPE_POINTER, ID_BLOCK_POINTER, STORAGE_CLASS_STORAGE_BUFFER, ID_BLOCK);
    EMIT(w, OP_TYPE_POINTER, ID_WORD_POINTER, STORAGE_CLASS_STORAGE_BUFFER, ID_UINT);
    EMIT(w, OP_TYPE_POINTER, ID_GID_POINTER, STORAGE_CLASS_INPUT, ID_UVEC3);
    EMIT(w, OP_TYPE_FUNCTION, ID_FUNCTION_TYPE, ID_VOID);
    EMIT(w, OP_VARIABLE, ID_GID_POINTER, ID_GID, STORAGE_CLASS_INPUT);
    EMIT(w, OP_VARIABLE, ID_BLOCK_POINTER, ID_IN, STORAGE_CLASS_STORAGE_BUFFER);
    EMIT(w, OP_VARIABLE, ID_BLOCK_POINTER, ID_OUT, STORAGE_CLASS_STORAGE_BUFFER);
    for (uint32_t value = 0; value < 32; value++)
        EMIT(w, OP_CONSTANT, ID_UINT, constant(value), value);
}

/* The kernel of a*b+c alone: a compiler that sees the product needed elsewhere may leave it alone there, and contract
 * it in the next kernel.  The other results are in the kernel of operations. */
static void write_body(struct vk_words *w, bool wide, bool contraction) {
    uint32_t width = wide ? 2 : 1;
    EMIT(w, OP_FUNCTION, ID_VOID, ID_MAIN, 0, ID_FUNCTION_TYPE);
    EMIT(w, OP_LABEL, fresh(w));
    uint32_t gid = fresh(w), x = fresh(w), in = fresh(w), out = fresh(w);
    EMIT(w, OP_LOAD, ID_UVEC3, gid, ID_GID);
    EMIT(w, OP_COMPOSITE_EXTRACT, ID_UINT, x, gid, 0);
    EMIT(w, OP_I_MUL, ID_UINT, in, x, constant(3 * width));
    EMIT(w, OP_I_MUL, ID_UINT, out, x, constant(RESULTS * width));
    uint32_t a = load_float(w, in, 0, wide), b = load_float(w, in, 1, wide);
    EMIT(w, OP_F_MUL, ID_FLOAT, ID_EXACT + 0, a, b);
    if (contraction) {
        EMIT(w, OP_F_ADD, ID_FLOAT, ID_EXACT + 3, ID_EXACT + 0, load_float(w, in, 2, wide));
        store_float(w, out, 3, ID_EXACT + 3, wide);
        w->words[w->count++] = 1 << 16 | OP_RETURN;
        w->words[w->count++] = 1 << 16 | OP_FUNCTION_END;
        return;
    }
    EMIT(w, OP_F_ADD, ID_FLOAT, ID_EXACT + 1, a, b);
    EMIT(w, OP_F_SUB, ID_FLOAT, ID_EXACT + 2, a, b);
    EMIT(w, OP_F_DIV, ID_FLOAT, ID_EXACT + 4, a, b);
    EMIT(w, OP_EXT_INST, ID_FLOAT, ID_EXACT + 5, ID_GLSL, GLSL_STD_450_SQRT, a);
    for (uint32_t i = 0; i < 6; i++)
        if (i != 3)
            store_float(w, out, i, ID_EXACT + i, wide);
    uint32_t less = fresh(w), equal = fresh(w), one = fresh(w), two = fresh(w), relation = fresh(w);
    EMIT(w, OP_F_ORD_LESS_THAN, ID_BOOL, less, a, b);
    EMIT(w, OP_F_ORD_EQUAL, ID_BOOL, equal, a, b);
    EMIT(w, OP_SELECT, ID_UINT, one, less, constant(1), constant(0));
    EMIT(w, OP_SELECT, ID_UINT, two, equal, constant(2), constant(0));
    EMIT(w, OP_I_ADD, ID_UINT, relation, one, two);
    store_word(w, out, 6 * width, relation);
    uint32_t low = load_word(w, in, 0), as_int = fresh(w), converted = fresh(w);
    EMIT(w, OP_BITCAST, ID_INT, as_int, low);
    EMIT(w, OP_CONVERT_S_TO_F, ID_FLOAT, converted, as_int);
    store_float(w, out, 7, converted, wide);
    uint32_t least = fresh(w), most = fresh(w), integer = fresh(w), bits = fresh(w);
    EMIT(w, OP_EXT_INST, ID_FLOAT, least, ID_GLSL, GLSL_STD_450_FMIN, a, b);
    EMIT(w, OP_EXT_INST, ID_FLOAT, most, ID_GLSL, GLSL_STD_450_FMAX, a, b);
    store_float(w, out, 8, least, wide);
    store_float(w, out, 9, most, wide);
    EMIT(w, OP_CONVERT_F_TO_S, ID_INT, integer, a);
    EMIT(w, OP_BITCAST, ID_UINT, bits, integer);
    store_word(w, out, 10 * width, bits);
    w->words[w->count++] = 1 << 16 | OP_RETURN;
    w->words[w->count++] = 1 << 16 | OP_FUNCTION_END;
}

static void write_module(struct vk_words *w, bool wide, bool contraction) {
    w->count = 5;
    w->next_id = LAST_ID;
    write_declarations(w, wide, contraction);
    write_body(w, wide, contraction);
    w->words[0] = 0x07230203; /* magic */
    w->words[1] = 0x00010300; /* version 1.3 */
    w->words[2] = 0;          /* no registered generator */
    w->words[3] = w->next_id;
    w->words[4] = 0;
}

/* ---- cases and expected results, for both widths ---- */

/* xorshift64 (Marsaglia, "Xorshift RNGs", 2003) */
static uint64_t next_random(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

#define NAME(what) what##_f32
#define T float
#define U uint32_t
#define MANTISSA 23
#define BIAS 127
#define SQUARE_ROOT sqrtf
#include "runtime/device_vulkan_probe_cases.inc"

#define NAME(what) what##_f64
#define T double
#define U uint64_t
#define MANTISSA 52
#define BIAS 1023
#define SQUARE_ROOT sqrt
#include "runtime/device_vulkan_probe_cases.inc"

/* ---- running it ---- */

static VkResult make_probes(struct vulkan_device *d, bool wide, const struct vk_layout *layout, VkPipeline out[2]) {
    struct vk_words *w = calloc(1, sizeof *w);
    VkResult r = w ? VK_SUCCESS : VK_ERROR_OUT_OF_HOST_MEMORY;
    for (int p = 0; p < 2 && r == VK_SUCCESS; p++) {
        write_module(w, wide, p == 1);
        r = vk_pipeline_compile(d, w->words, w->count, layout->pipeline, &out[p]);
    }
    free(w);
    return r;
}

static VkResult run_probe(struct vulkan_device *d, bool wide, const struct vk_buffer *in, const struct vk_buffer *out) {
    struct vk_layout *layout = vk_layout_get(d, 2, false);
    VkPipeline pipelines[2] = {VK_NULL_HANDLE, VK_NULL_HANDLE};
    VkResult r = layout ? make_probes(d, wide, layout, pipelines) : VK_ERROR_OUT_OF_HOST_MEMORY;
    if (r == VK_SUCCESS)
        r = vk_begin(d);
    if (r == VK_SUCCESS) {
        VkDescriptorBufferInfo buffers[2] = {{in->buffer, 0, VK_WHOLE_SIZE}, {out->buffer, 0, VK_WHOLE_SIZE}};
        r = vk_bind_buffers(d, layout, buffers, 2, false);
    }
    if (r == VK_SUCCESS) {
        bool submitted;
        for (int p = 0; p < 2; p++) { /* they write different words: no barrier */
            d->vk->CmdBindPipeline(d->commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipelines[p]);
            d->vk->CmdDispatch(d->commands, CASES / WORKGROUP, 1, 1);
        }
        r = vk_submit_and_wait(d, 0, &submitted);
        d->base.dead |= r != VK_SUCCESS && submitted;
    }
    for (int p = 0; p < 2; p++)
        if (pipelines[p] && !d->base.dead)
            d->vk->DestroyPipeline(d->device, pipelines[p], NULL);
    return r;
}

/* Bits of results (see top) that were wrong in any case, all of them when the probe could not run; *out_normal: in
 * cases without subnormal numbers. */
static unsigned wrong_results(struct vulkan_device *d, bool wide, unsigned *out_normal) {
    uint64_t size = wide ? 8 : 4;
    unsigned wrong = ~0u;
    *out_normal = ~0u;
    struct vk_buffer in = {0}, out = {0};
    if (vk_buffer_create(d, CASES * 3 * size, VK_BUFFER_USAGE_STORAGE_BUFFER_BIT, &in) &&
        vk_buffer_create(d, CASES * RESULTS * size, VK_BUFFER_USAGE_STORAGE_BUFFER_BIT, &out)) {
        (wide ? fill_f64 : fill_f32)(in.mapped);
        memset(out.mapped, 0, CASES * RESULTS * size);
        VkResult r = run_probe(d, wide, &in, &out);
        if (r == VK_SUCCESS) {
            wrong = *out_normal = 0;
            for (unsigned i = 0; i < CASES; i++)
                wrong |= (wide ? check_f64 : check_f32)(in.mapped, out.mapped, i, out_normal);
        } else {
            wm_device_log(&d->log, WM_LOG_WARNING, "WMR2212", "%s: the probe of f%d arithmetic failed: %s",
                          d->base.name, wide ? 64 : 32, vk_result_name(r));
        }
    }
    if (!d->base.runs_on) {
        vk_buffer_destroy(d, &in);
        vk_buffer_destroy(d, &out);
    }
    return wrong;
}

static const char *verdict(unsigned wrong, unsigned wrong_normal, unsigned results) {
    return !(wrong & results) ? "exact" : !(wrong_normal & results) ? "inexact for subnormal numbers" : "inexact";
}

static void probe(struct vulkan_device *d, bool wide) {
    /* f32 comparisons are computed on the bits in every kernel (legalize_float.c): the device's do not matter. */
    enum { DIV = VK_PROBE_DIV, ROOT = VK_PROBE_ROOT, COMPARE = VK_PROBE_COMPARE };
    const unsigned ARITH =
        VK_PROBE_ADD | VK_PROBE_MUL | VK_PROBE_MUL_ADD | VK_PROBE_CONVERT | (wide ? VK_PROBE_COMPARE : 0);
    unsigned wrong = ~0u, normal = ~0u;
    if (!wide || (d->traits.caps & OFF_CAP_FLOAT64))
        wrong = wrong_results(d, wide, &normal);
    d->wrong[wide] = wrong;
    d->wrong_normal[wide] = normal;
    const uint32_t arith = wide ? OFF_USE_F64_ARITH : OFF_USE_F32_ARITH, div = wide ? OFF_USE_F64_DIV : OFF_USE_F32_DIV;
    const uint32_t root = wide ? OFF_USE_F64_SQRT : OFF_USE_F32_SQRT;
    d->probed |= arith | div | root | (wide ? 0 : OFF_USE_F32_SUBNORMAL);
    d->inexact |= (wrong & DIV ? div : 0) | (wrong & ROOT ? root : 0);
    if (wide)
        d->inexact |= wrong & ARITH ? arith : 0;
    else
        d->inexact |= normal & ARITH ? arith | OFF_USE_F32_SUBNORMAL : wrong & ARITH ? OFF_USE_F32_SUBNORMAL : 0;
    wm_device_log(&d->log, WM_LOG_INFO, "WMR2213",
                  "%s, f%d: add, subtract, multiply, convert %s; divide %s; square root %s; compare %s", d->base.name,
                  wide ? 64 : 32, verdict(wrong, normal, ARITH), verdict(wrong, normal, DIV),
                  verdict(wrong, normal, ROOT), verdict(wrong, normal, COMPARE));
}

uint32_t vk_inexact_uses(struct vulkan_device *d, uint32_t uses) {
    if (uses & OFF_USE_F32 & ~d->probed)
        probe(d, false);
    if (uses & OFF_USE_F64 & ~d->probed)
        probe(d, true);
    return d->inexact & uses;
}
