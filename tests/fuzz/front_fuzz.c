/* Fuzz target of the front end: any bytes must give a valid module or one diagnostic.
 *
 * Under clang's -fsanitize=fuzzer this is all there is; other builds add a main that runs the files it is given, so
 * that every find can be replayed (and the target is compiled everywhere). */
#include <stdio.h>
#include <stdlib.h>

#include "compiler/front.h"
#include "ir/ir_build.h"
#include "ir/opt/pass.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    struct diag d;
    diag_init(&d, NULL, NULL);
    struct front_options options = {.verify = true};
    struct ir_module *m = front_read_module(bytes, size, &options, &d);
    if ((m != NULL) == (d.errors != 0))
        abort();
    if (m) {
        struct pass_ctx cx = {.module = m, .verify = true};
        for (uint32_t i = m->nfunc_imports; i < m->nfuncs; i++)
            opt_simplify(m->funcs[i].func, &cx);
        arena_free(&cx.scratch);
    }
    ir_module_free(m);
    return 0;
}

#ifndef WASMETAL_LIBFUZZER
int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        FILE *f = fopen(argv[i], "rb");
        if (!f) {
            perror(argv[i]);
            return 1;
        }
        fseek(f, 0, SEEK_END);
        long size = ftell(f);
        rewind(f);
        uint8_t *bytes = malloc(size > 0 ? (size_t)size : 1);
        if (!bytes || fread(bytes, 1, (size_t)size, f) != (size_t)size)
            return 1;
        fclose(f);
        LLVMFuzzerTestOneInput(bytes, (size_t)size);
        free(bytes);
    }
    return 0;
}
#endif
