/* Native kernels: whole grids, boxes of them, against the interpreter running the body point by point; and the
 * description of kernels in the compiled module. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/host_test.h"

#include <cmocka.h>

#include "ir/ir_build.h"
#include "ir/offload/kernel.h"

static const char kernels_text[] =
    "module \"kernels\"\n"
    "memory 0 min=1 max=1\n"
    /* y[x] = a*u[x] + y[x], f32 */
    "kernel 0 \"axpy\" (%x:i32, %a:f32, %u:i32, %y:i32) {\n"
    "  %two:i32 = i32.const 2\n"
    "  %off:i32 = i32.shl %x, %two\n"
    "  %pu:i32 = i32.add %u, %off\n"
    "  %py:i32 = i32.add %y, %off\n"
    "  %vu:f32 = f32.load stream=0 %pu\n"
    "  %vy:f32 = f32.load offset=4 stream=1 %py\n"
    "  %m:f32 = f32.mul %vu, %a\n"
    "  %s:f32 = f32.add %m, %vy\n"
    "  f32.store offset=4 stream=1 %py, %s\n"
    "  return\n"
    "}\n"
    /* out[y*w + x] = some points only; a division and a conversion that could trap elsewhere */
    "kernel 1 \"plane\" (%x:i32, %y:i32, %w:i32, %out:i32, %k:i64) {\n"
    "  %row:i32 = i32.mul %y, %w\n"
    "  %i:i32 = i32.add %row, %x\n"
    "  %p:i32 = i32.add %out, %i\n"
    "  %three:i32 = i32.const 3\n"
    "  %rem:i32 = i32.rem_u %i, %three\n"
    "  %skip:i32 = i32.eqz %rem\n"
    "  block L0 {\n"
    "    br_if %skip, L0\n"
    "    %one:i32 = i32.const 1\n"
    "    %d:i32 = i32.add %x, %one\n"
    "    %q:i32 = i32.div_s %i, %d\n"
    "    %f:f32 = f32.convert_i32_u %q\n"
    "    %t:i32 = i32.trunc_f32_s %f\n"
    "    %kw:i32 = i32.wrap_i64 %k\n"
    "    %v:i32 = i32.xor %t, %kw\n"
    "    i32.store8 stream=0 %p, %v\n"
    "    return\n"
    "  }\n"
    "  %ff:i32 = i32.const 255\n"
    "  i32.store8 stream=0 %p, %ff\n"
    "  return\n"
    "}\n"
    /* three axes, an inner sequential loop */
    "kernel 2 \"volume\" (%x:i32, %y:i32, %z:i32, %out:i32) {\n"
    "  %five:i32 = i32.const 5\n"
    "  %a:i32 = i32.mul %z, %five\n"
    "  %b:i32 = i32.add %a, %y\n"
    "  %c:i32 = i32.mul %b, %five\n"
    "  %d:i32 = i32.add %c, %x\n"
    "  %eight:i32 = i32.const 8\n"
    "  %e:i32 = i32.mul %d, %eight\n"
    "  %p:i32 = i32.add %e, %out\n"
    "  %zero:f64 = f64.const 0\n"
    "  %sum:f64 = loop L0 (%n:i32 = %x, %acc:f64 = %zero) {\n"
    "    %nf:f64 = f64.convert_i32_s %n\n"
    "    %yf:f64 = f64.convert_i32_s %y\n"
    "    %g:f64 = f64.div %nf, %yf\n"
    "    %h:f64 = f64.add %acc, %g\n"
    "    %one:i32 = i32.const 1\n"
    "    %m:i32 = i32.add %n, %one\n"
    "    %more:i32 = i32.lt_s %m, %z\n"
    "    br_if %more, L0(%m, %h)\n"
    "    yield %h\n"
    "  }\n"
    "  f64.store stream=0 %p, %sum\n"
    "  return\n"
    "}\n";

/* What the planner would have filled in, as far as the host backend reads it. */
static void describe(struct off_kernel *k, uint32_t ngrid, struct arena *a) {
    static uint32_t words[] = {0x07230203, 7};
    k->ngrid = ngrid;
    k->nscalars = k->body->body->nparams - ngrid;
    k->scalars = arena_array(a, struct off_scalar, k->nscalars);
    for (uint32_t s = 0; s < k->nscalars; s++)
        k->scalars[s] = (struct off_scalar){.type = k->body->body->params[ngrid + s]->type, .slot = s + 3};
    k->wasm_offset = 0x123;
    k->ndims = ngrid;
    for (uint32_t d = 0; d < ngrid; d++)
        k->dims[d] = (struct off_dim){.rel = OFF_TRIP_LT_U,
                                      .bits = 32,
                                      .parallel = true,
                                      .axis = (int8_t)d,
                                      .parent = (int8_t)(d == 0 ? -1 : (int)d - 1),
                                      .init_slot = 1,
                                      .step_slot = 2,
                                      .bound_slot = OFF_NO_SLOT,
                                      .when_slot = OFF_NO_SLOT,
                                      .ops = 9};
    k->nstreams = 2;
    k->streams[1] = (struct off_stream){.read = true, .write = true, .min_bytes = 4, .max_bytes = 4};
    k->naccesses = 1;
    k->accesses = arena_new(a, struct off_access);
    k->accesses[0] = (struct off_access){.stream = 1,
                                         .write = true,
                                         .bytes = 4,
                                         .align = 4,
                                         .offset = 4,
                                         .base_slot = 2,
                                         .when_slot = OFF_NO_SLOT,
                                         .wasm_offset = 0x150};
    k->accesses[0].stride_slot[7] = 6;
    k->nconditions = 1;
    k->condition_slots = arena_array(a, uint32_t, 1);
    k->condition_slots[0] = 5;
    k->nslots = 8;
    k->nspirv = 1;
    k->spirv = arena_new(a, struct off_spirv);
    k->spirv[0] = (struct off_spirv){.caps = OFF_CAP_INT64, .words = words, .nwords = 2};
    k->wgsl = "wgsl text";
    k->workgroup[0] = 64;
}

static void check_description(const struct wm_kernel *k, uint64_t id, const char *name) {
    assert_string_equal(k->name, name);
    assert_int_equal(k->id, id);
    assert_int_equal(k->wasm_offset, 0x123);
    assert_int_equal(k->dims[0].parent, -1);
    assert_int_equal(k->dims[0].rel, OFF_TRIP_LT_U);
    assert_true(k->dims[0].bound_slot == WM_NO_SLOT && k->dims[0].when_slot == WM_NO_SLOT);
    assert_int_equal(k->dims[0].ops, 9);
    assert_true(k->dims[0].wasm_offset == 0 && k->dims[0].parallel == 1);
    assert_int_equal(k->accesses[0].offset, 4);
    assert_int_equal(k->accesses[0].stride_slot[7], 6);
    assert_int_equal(k->accesses[0].wasm_offset, 0x150);
    assert_true(k->streams[1].write == 1 && k->streams[0].write == 0);
    assert_int_equal(k->condition_slots[0], 5);
    assert_int_equal(k->scalars[0].slot, 3);
    assert_int_equal(k->spirv[0].words[0], 0x07230203);
    assert_int_equal(k->spirv[0].nwords, 2);
    assert_null(k->msl);
    assert_string_equal(k->wgsl, "wgsl text");
    assert_int_equal(k->workgroup[0], 64);
}

static uint32_t random_state = 1;

static uint32_t next_random(void) {
    random_state = random_state * 1664525 + 1013904223; /* Numerical Recipes' generator */
    return random_state >> 8;
}

struct grid {
    uint32_t box[6];
    uint64_t scalars[4];
};

static void run_interp(struct ir_interp *in, const struct off_kernel *k, const struct grid *g) {
    for (uint32_t z = g->box[4]; z < g->box[5]; z++)
        for (uint32_t y = g->box[2]; y < g->box[3]; y++)
            for (uint32_t x = g->box[0]; x < g->box[1]; x++) {
                const uint32_t at[3] = {x, y, z};
                union ir_bits args[8] = {{0}};
                struct ir_trap_info trap;
                for (uint32_t a = 0; a < k->ngrid; a++)
                    args[a].i32 = at[a];
                for (uint32_t s = 0; s < k->nscalars; s++)
                    args[k->ngrid + s].i64 = g->scalars[s];
                assert_true(ir_interp_call_func(in, k->body, args, &trap));
            }
}

static void test_kernels(void **state) {
    (void)state;
    static const struct host_options modes[] = {{.opt_level = 0, .verify = true},
                                                {.opt_level = 2, .verify = true},
                                                {.opt_level = 2, .verify = true, .bounds_checks = true},
                                                {.opt_level = 3, .verify = true, .cpu = "native"}};
    static const uint32_t ngrid[] = {1, 2, 3};
    static const char *const names[] = {"axpy", "plane", "volume"};
    static const struct grid grids[3][4] = {
        {{{0, 1000, 0, 1, 0, 1}, {0x3fc00000, 1024, 8192}},
         {{3, 517, 0, 1, 0, 1}, {0xbf99999a, 1027, 9001}},
         {{7, 8, 0, 1, 0, 1}, {0x40000000, 0, 61536}},
         {{9, 9, 0, 1, 0, 1}, {0x40000000, 0, 400}}},
        {{{0, 100, 0, 50, 0, 1}, {100, 2000, 0x55}},
         {{5, 93, 7, 9, 0, 1}, {100, 2001, 0xffffffffffull}},
         {{0, 1, 0, 300, 0, 1}, {1, 100, 3}},
         {{0, 1, 4, 4, 0, 1}, {1, 100, 3}}},
        {{{0, 5, 0, 5, 0, 5}, {4096}},
         {{1, 2, 3, 5, 0, 4}, {8000}},
         {{4, 5, 4, 5, 4, 5}, {16}},
         {{0, 0, 0, 5, 0, 5}, {0}}},
    };
    for (unsigned mode = 0; mode < sizeof modes / sizeof *modes; mode++) {
        struct ir_module *m = test_parse(kernels_text);
        char *error;
        struct host_object object;
        for (unsigned k = 0; k < 3; k++)
            describe(m->kernels[k], ngrid[k], &m->arena);
        if (!host_compile(m, &modes[mode], &object, &error))
            fail_msg("%s", error);
        struct host_jit *jit = host_jit_new(&object, "kernels", &error);
        if (!jit)
            fail_msg("%s", error);
        const struct wm_module *wm = host_jit_module(jit);
        struct ir_trap_info trap;
        struct ir_interp *in = ir_interp_new(&(struct ir_interp_desc){.module = m}, &trap);
        uint64_t bytes;
        uint8_t *want = ir_interp_memory(in, 0, &bytes), *got = malloc(bytes);
        for (uint64_t i = 0; i < bytes; i++)
            want[i] = (uint8_t)next_random();
        for (uint64_t i = 3; i < bytes; i += 4) /* few NaNs */
            want[i] = (uint8_t)(0x3e + want[i] % 3);
        for (unsigned k = 0; k < 3; k++) {
            check_description(&wm->kernels[k], k, names[k]);
            for (unsigned g = 0; g < 4; g++) {
                memcpy(got, want, bytes);
                run_interp(in, m->kernels[k], &grids[k][g]);
                wm->kernels[k].cpu(got, grids[k][g].scalars, grids[k][g].box);
                assert_memory_equal(got, want, bytes);
            }
        }
        free(got);
        ir_interp_free(in);
        host_jit_free(jit);
        host_object_free(&object);
        ir_module_free(m);
    }
}

/* The point of native kernels: the simple map must come out vectorised, without run-time overlap tests. */
static void test_vectorised(void **state) {
    (void)state;
    struct ir_module *m = test_parse(kernels_text);
    for (unsigned k = 0; k < 3; k++)
        describe(m->kernels[k], k + 1, &m->arena);
    char *error;
    char *text =
        host_llvm_text(m, &(struct host_options){.triple = "x86_64-linux-gnu", .opt_level = 2, .verify = true}, &error);
    assert_non_null(text);
    const char *body = strstr(text, "define internal void @k0.axpy");
    assert_non_null(body);
    const char *end = strstr(body, "\n}");
    char *function = strndup(body, (size_t)(end - body));
    assert_non_null(strstr(function, "fmul <4 x float>"));
    assert_null(strstr(function, "memcheck"));
    free(function);
    free(text);
    assert_null(host_llvm_text(m, &(struct host_options){.triple = "no-such-target"}, &error));
    assert_non_null(error);
    free(error);
    ir_module_free(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kernels),
        cmocka_unit_test(test_vectorised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
