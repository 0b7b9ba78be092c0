/* A module through the reference interpreter: fuzz_interpret MODULE EXPORT ARGUMENT MEMORY-FILE
 *
 * The third opinion of c_nests.mjs, which has the compiler's front end in common with Wasmetal, but neither analysis,
 * kernels nor LLVM.  Calls an export that takes one i32, prints its i64 (or "trap TEXT") and writes the memory it left.
 * No imports.  Exit code 3: not done after FUEL instructions. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/front.h"
#include "ir/ir_build.h"
#include "ir/ir_interp.h"

#define FUEL UINT64_C(3000000000)

static uint8_t *read_file(const char *path, size_t *out_size) {
    FILE *f = fopen(path, "rb");
    if (!f)
        return NULL;
    fseek(f, 0, SEEK_END);
    long size = ftell(f);
    rewind(f);
    uint8_t *bytes = malloc(size > 0 ? (size_t)size : 1);
    *out_size = bytes && size > 0 ? fread(bytes, 1, (size_t)size, f) : 0;
    fclose(f);
    return bytes;
}

static bool write_file(const char *path, const uint8_t *bytes, uint64_t size) {
    FILE *f = fopen(path, "wb");
    if (!f)
        return false;
    bool ok = fwrite(bytes, 1, size, f) == size;
    return fclose(f) == 0 && ok;
}

int main(int argc, char **argv) {
    if (argc != 5) {
        fprintf(stderr, "usage: fuzz_interpret MODULE EXPORT ARGUMENT MEMORY-FILE\n");
        return 2;
    }
    size_t size = 0;
    uint8_t *bytes = read_file(argv[1], &size);
    struct diag d;
    diag_init(&d, NULL, NULL);
    struct front_options options = {.verify = true};
    struct ir_module *m = bytes ? front_read_module(bytes, size, &options, &d) : NULL;
    free(bytes);
    if (!m) {
        fprintf(stderr, "%s cannot be read\n", argv[1]);
        return 1;
    }
    uint32_t func = UINT32_MAX;
    for (uint32_t k = 0; k < m->nexports; k++)
        if (m->exports[k].kind == IR_EXTERN_FUNC && !strcmp(m->exports[k].name, argv[2]))
            func = m->exports[k].index;
    struct ir_trap_info trap = {0};
    struct ir_interp_desc desc = {.module = m, .fuel = FUEL};
    struct ir_interp *in = func != UINT32_MAX ? ir_interp_new(&desc, &trap) : NULL;
    if (!in || trap.code) {
        fprintf(stderr, "%s: no export %s, or no instance\n", argv[1], argv[2]);
        ir_interp_free(in);
        ir_module_free(m);
        return 1;
    }
    union ir_bits cell = {.i32 = (uint32_t)strtoul(argv[3], NULL, 10)};
    int code = 0;
    if (ir_interp_call(in, func, &cell, &trap)) {
        printf("%" PRId64 "\n", (int64_t)cell.i64);
    } else if (trap.code == IR_TRAP_INTERRUPT) {
        code = 3;
    } else {
        printf("trap %s\n", ir_trap_text(trap.code));
    }
    uint64_t bytes_of_memory;
    const uint8_t *memory = ir_interp_memory(in, 0, &bytes_of_memory);
    if (!write_file(argv[4], memory, bytes_of_memory)) {
        perror(argv[4]);
        code = 1;
    }
    ir_interp_free(in);
    ir_module_free(m);
    return code;
}
