/* One kernel through the host backend and ORC; see kernel_native.h.  The module is the test's own, with this kernel in
 * it. */
#include "tests/unit/kernel_native.h"

#include <stdio.h>
#include <stdlib.h>

#include "backends/host/host.h"
#include "runtime/abi.h"

static bool complain(char *error) {
    fprintf(stderr, "native code: %s\n", error);
    free(error);
    return false;
}

bool kernel_native_run(struct kt *t, uint8_t *memory) {
    static const struct host_options options = {.opt_level = 2, .verify = true, .jobs = 1};
    struct off_kernel *kernels[] = {&t->k};
    struct ir_module *m = t->module;
    struct host_object object;
    char *error;
    m->kernels = kernels;
    m->nkernels = 1;
    bool compiled = host_compile(m, &options, &object, &error);
    m->kernels = NULL;
    m->nkernels = 0;
    if (!compiled)
        return complain(error);
    struct host_jit *jit = host_jit_new(&object, m->name, &error);
    host_object_free(&object);
    if (!jit)
        return complain(error);
    const uint32_t box[6] = {0, t->extent[0], 0, t->extent[1], 0, t->extent[2]};
    host_jit_module(jit)->kernels[0].cpu(memory, t->scalars, box);
    host_jit_free(jit);
    return true;
}
