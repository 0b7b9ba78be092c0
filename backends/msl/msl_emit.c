/* Metal Shading Language from SPIR-V, by SPIRV-Cross's C API.
 *
 * Contraction: for a multiplication decorated NoContraction SPIRV-Cross writes fma(a, b, 0), which turns a product of
 * -0 into +0.  So the SPIR-V for MSL carries no such decoration and the source turns contraction off for the whole
 * file. The host must compile it without fast math (MTLCompileOptions.fastMathEnabled = NO, or mathMode safe), which
 * also keeps division and square root correctly rounded and NaN and infinity alive.
 *
 * Helpers: SPIRV-Cross has every function inlined.  For the arithmetic of f64 that would make a hundred lines of each
 * operation, and minutes of compiling of a kernel with some dozens; so those functions are called.
 */
#include "backends/msl/msl_emit.h"

#include <spirv_cross_c.h>
#include <stdio.h>
#include <string.h>

static const char prelude[] = "#pragma METAL fp contract(off)\n#pragma clang fp contract(off)\n";

/* `text` with the helpers of f64 arithmetic (ir/offload/legalize_soft.h) not inlined. */
static char *call_helpers(struct arena *a, const char *text) {
    static const char inlined[] = "static inline __attribute__((always_inline))\n",
                      called[] = "static __attribute__((noinline))\n";
    _Static_assert(sizeof called <= sizeof inlined, "the text does not grow");
    char *out = arena_alloc(a, strlen(text) + 1), *to = out;
    for (const char *next; (next = strstr(text, inlined)); text = next) {
        next += sizeof inlined - 1;
        size_t before = (size_t)(next - text) - (sizeof inlined - 1);
        memcpy(to, text, before);
        to += before;
        const char *name = strstr(next, " soft_f64_"), *line = strchr(next, '\n');
        to = stpcpy(to, name && name < line ? called : inlined);
    }
    memcpy(to, text, strlen(text) + 1);
    return out;
}

static void on_error(void *user, const char *error) {
    char *text = user;
    snprintf(text, 200, "%s", error);
}

static spvc_result bind_buffer(spvc_compiler compiler, unsigned set, unsigned binding, unsigned buffer) {
    spvc_msl_resource_binding b;
    spvc_msl_resource_binding_init(&b);
    b.stage = SpvExecutionModelGLCompute;
    b.desc_set = set;
    b.binding = binding;
    b.msl_buffer = buffer;
    return spvc_compiler_msl_add_resource_binding(compiler, &b);
}

static spvc_result bind_all(spvc_compiler compiler, const struct off_kernel *k) {
    spvc_result r = SPVC_SUCCESS;
    for (uint32_t s = 0; s < k->nstreams && r == SPVC_SUCCESS; s++)
        r = bind_buffer(compiler, 0, s, s);
    if (r != SPVC_SUCCESS)
        return r;
    if (off_param_words(k) > OFF_PUSH_WORDS)
        return bind_buffer(compiler, 0, k->nstreams, k->nstreams);
    return bind_buffer(compiler, SPVC_MSL_PUSH_CONSTANT_DESC_SET, SPVC_MSL_PUSH_CONSTANT_BINDING, k->nstreams);
}

static spvc_result compile(spvc_context cx, const struct off_kernel *k, const char *name, const uint32_t *words,
                           uint32_t nwords, const char **out_text) {
    spvc_parsed_ir ir;
    spvc_compiler compiler;
    spvc_compiler_options options;
    spvc_result r;
    if ((r = spvc_context_parse_spirv(cx, words, nwords, &ir)) != SPVC_SUCCESS ||
        (r = spvc_context_create_compiler(cx, SPVC_BACKEND_MSL, ir, SPVC_CAPTURE_MODE_TAKE_OWNERSHIP, &compiler)) !=
            SPVC_SUCCESS ||
        (r = spvc_compiler_create_compiler_options(compiler, &options)) != SPVC_SUCCESS)
        return r;
    spvc_compiler_options_set_uint(options, SPVC_COMPILER_OPTION_MSL_VERSION, SPVC_MAKE_MSL_VERSION(2, 3, 0));
    spvc_compiler_options_set_uint(options, SPVC_COMPILER_OPTION_MSL_PLATFORM, SPVC_MSL_PLATFORM_MACOS);
    spvc_compiler_options_set_bool(options, SPVC_COMPILER_OPTION_MSL_FORCE_NATIVE_ARRAYS, SPVC_TRUE); /* no template */
    if ((r = spvc_compiler_install_compiler_options(compiler, options)) != SPVC_SUCCESS ||
        (r = bind_all(compiler, k)) != SPVC_SUCCESS ||
        (r = spvc_compiler_rename_entry_point(compiler, "main", name, SpvExecutionModelGLCompute)) != SPVC_SUCCESS)
        return r;
    return spvc_compiler_compile(compiler, out_text);
}

char *msl_emit_kernel(struct arena *a, const struct off_kernel *k, const char *name, const uint32_t *words,
                      uint32_t nwords, bool contract, const char **out_why) {
    char error[200] = "";
    spvc_context cx;
    if (spvc_context_create(&cx) != SPVC_SUCCESS) {
        *out_why = "SPIRV-Cross cannot be set up";
        return NULL;
    }
    spvc_context_set_error_callback(cx, on_error, error);
    const char *text = NULL;
    char *out = NULL;
    if (compile(cx, k, name, words, nwords, &text) == SPVC_SUCCESS)
        out = arena_printf(a, "%s%s", contract ? "" : prelude, call_helpers(a, text));
    else
        *out_why = arena_printf(a, "SPIRV-Cross refuses the kernel: %s", error);
    spvc_context_destroy(cx);
    return out;
}
