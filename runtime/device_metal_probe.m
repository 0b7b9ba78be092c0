/* Which f32 operations a Metal device computes exactly as Wasm demands.
 *
 * The Metal Shading Language lets a GPU flush subnormal numbers, whatever the options, and rounds division and square
 * root correctly only without fast math.  So the device is asked, with the cases of the Vulkan probe
 * (device_vulkan_probe.c says which and why), in the form that compiled kernels have.  One wrong bit (NaN payloads
 * aside) and kernels that use the operation are taken in the form that computes it on integers.  Metal has no f64:
 * nothing to ask.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/device_metal.h"

enum {
    CASES = 1536, /* a multiple of the threadgroup */
    THREADGROUP = 64,
    RESULTS = 8,
};

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

/* a*b+c has a kernel of its own: a compiler that sees the product needed elsewhere may leave it alone there, and
 * contract it in the next kernel. */
#define HEAD(name)                                                                          \
    "kernel void " name "(device words& in [[buffer(0)]], device words& out [[buffer(1)]]," \
    " uint3 id [[thread_position_in_grid]])\n"                                              \
    "{\n"                                                                                   \
    "    uint i = id.x * 3u;\n"                                                             \
    "    uint o = id.x * 8u;\n"                                                             \
    "    float a = as_type<float>(in.w[i]);\n"                                              \
    "    float b = as_type<float>(in.w[i + 1u]);\n"

static const char source[] =
    "#pragma METAL fp contract(off)\n"
    "#pragma clang fp contract(off)\n"
    "#include <metal_stdlib>\n"
    "using namespace metal;\n"
    "struct words { uint w[1]; };\n" HEAD(
        "probe_operations") "    out.w[o] = as_type<uint>(a * b);\n"
                            "    out.w[o + 1u] = as_type<uint>(a + b);\n"
                            "    out.w[o + 2u] = as_type<uint>(a - b);\n"
                            "    out.w[o + 4u] = as_type<uint>(a / b);\n"
                            "    out.w[o + 5u] = as_type<uint>(sqrt(a));\n"
                            "    out.w[o + 6u] = (a < b ? 1u : 0u) + (a == b ? 2u : 0u);\n"
                            "    out.w[o + 7u] = as_type<uint>(float(int(in.w[i])));\n"
                            "}\n" HEAD("probe_contraction") "    float c = as_type<float>(in.w[i + 2u]);\n"
                                                            "    out.w[o + 3u] = as_type<uint>((a * b) + c);\n"
                                                            "}\n";

static const char *const kernel_names[] = {"probe_operations", "probe_contraction"};
enum { KERNELS = sizeof kernel_names / sizeof *kernel_names };

/* Owned by the caller. */
static id<MTLComputePipelineState> make_probe(struct metal_device *d, id<MTLLibrary> library, const char *name,
                                              NSError **out_error) {
    id<MTLFunction> function = [library newFunctionWithName:metal_string(name)];
    id<MTLComputePipelineState> state = nil;
    if (function) {
        MTLComputePipelineDescriptor *what = [[MTLComputePipelineDescriptor alloc] init];
        [what setLabel:metal_string(name)];
        [what setComputeFunction:function];
        state = [d->device newComputePipelineStateWithDescriptor:what
                                                         options:MTLPipelineOptionNone
                                                      reflection:NULL
                                                           error:out_error];
        [what release];
    }
    [function release];
    return state;
}

static bool run_probe(struct metal_device *d, const id<MTLComputePipelineState> states[KERNELS], id<MTLBuffer> in,
                      id<MTLBuffer> out, NSError **out_error) {
    id<MTLCommandBuffer> commands = [d->queue commandBuffer];
    id<MTLComputeCommandEncoder> encoder = [commands computeCommandEncoder];
    if (!encoder)
        return false;
    [commands setLabel:@"wasmetal probe"];
    [encoder setBuffer:in offset:0 atIndex:0];
    [encoder setBuffer:out offset:0 atIndex:1];
    for (int i = 0; i < KERNELS; i++) {
        [encoder setComputePipelineState:states[i]];
        [encoder dispatchThreadgroups:MTLSizeMake(CASES / THREADGROUP, 1, 1)
                threadsPerThreadgroup:MTLSizeMake(THREADGROUP, 1, 1)];
    }
    [encoder endEncoding];
    *out_error = metal_commit_and_wait(d, commands, "the probe", 0);
    d->base.dead |= *out_error != nil;
    return *out_error == nil;
}

/* Bits of results (see the cases) that were wrong in any case, all of them when the probe could not run; *out_normal:
 * in cases without subnormal numbers. */
static unsigned wrong_results(struct metal_device *d, unsigned *out_normal) {
    NSError *error = nil;
    unsigned wrong = ~0u;
    bool ready = true;
    id<MTLComputePipelineState> states[KERNELS] = {nil};
    id<MTLLibrary> library = metal_compile(d, source, &error);
    id<MTLBuffer> in = [d->device newBufferWithLength:CASES * 3 * 4 options:MTLResourceStorageModeShared];
    id<MTLBuffer> out = [d->device newBufferWithLength:CASES * RESULTS * 4 options:MTLResourceStorageModeShared];
    for (int i = 0; library && i < KERNELS; i++) {
        states[i] = make_probe(d, library, kernel_names[i], &error);
        ready &= [states[i] maxTotalThreadsPerThreadgroup] >= THREADGROUP;
    }
    *out_normal = ~0u;
    if (library && in && out && ready) {
        fill_f32([in contents]);
        memset([out contents], 0, CASES * RESULTS * 4);
        ready = run_probe(d, states, in, out, &error);
    }
    if (library && in && out && ready) {
        wrong = *out_normal = 0;
        for (unsigned i = 0; i < CASES; i++)
            wrong |= check_f32([in contents], [out contents], i, out_normal);
    } else {
        wm_device_log(&d->log, WM_LOG_WARNING, "WMR2308", "%s: the probe of f32 arithmetic failed: %s", d->base.name,
                      metal_error_text(error));
    }
    [in release];
    [out release];
    for (int i = 0; i < KERNELS; i++)
        [states[i] release];
    [library release];
    return wrong;
}

static const char *verdict(unsigned wrong, unsigned wrong_normal, unsigned results) {
    return !(wrong & results) ? "exact" : !(wrong_normal & results) ? "inexact for subnormal numbers" : "inexact";
}

uint32_t metal_inexact_uses(struct metal_device *d, uint32_t uses) {
    /* f32 comparisons are computed on the bits in every kernel (legalize_float.c): the device's do not matter. */
    enum {
        DIV = METAL_PROBE_DIV,
        ROOT = METAL_PROBE_ROOT,
        COMPARE = METAL_PROBE_COMPARE,
        ARITH = METAL_PROBE_ADD | METAL_PROBE_MUL | METAL_PROBE_MUL_ADD | METAL_PROBE_CONVERT,
    };
    if ((uses & OFF_USE_F32) && !d->probed) {
        unsigned normal, wrong = wrong_results(d, &normal);
        d->probed = true;
        d->wrong = wrong;
        d->wrong_normal = normal;
        d->inexact = normal & ARITH  ? OFF_USE_F32_ARITH | OFF_USE_F32_SUBNORMAL
                     : wrong & ARITH ? OFF_USE_F32_SUBNORMAL
                                     : 0;
        d->inexact |= (wrong & DIV ? OFF_USE_F32_DIV : 0) | (wrong & ROOT ? OFF_USE_F32_SQRT : 0);
        wm_device_log(&d->log, WM_LOG_INFO, "WMR2309",
                      "%s, f32: add, subtract, multiply, convert %s; divide %s; square root %s; compare %s",
                      d->base.name, verdict(wrong, normal, ARITH), verdict(wrong, normal, DIV),
                      verdict(wrong, normal, ROOT), verdict(wrong, normal, COMPARE));
    }
    return d->inexact & uses;
}
