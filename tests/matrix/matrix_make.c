/* Makes what the operation matrix needs of the compiler:
 *
 *     matrix_make DIR [TUPLES]
 *
 * DIR/matrix.o     one module whose kernels are the rows (native code, SPIR-V), to be linked with matrix_run.c
 * DIR/rows.txt     for matrix_run: the rows, one a line
 * DIR/rows.json    for matrix.mjs: the same with types and reasons, and the operations without a row
 * DIR/NAME.in, .want, .wgsl, .metal   operands, the interpreter's results, sources
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/host/host.h"
#include "backends/kernels.h"
#include "ir/ir_build.h"
#include "ir/util/ice.h"
#include "tests/matrix/matrix_rows.h"

static uint8_t in[MATRIX_PAGES * 65536], want[MATRIX_PAGES * 65536];

static void write_file(const char *dir, const char *name, const char *suffix, const void *bytes, size_t n) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s%s", dir, name, suffix);
    FILE *f = fopen(path, "wb");
    if (f && fwrite(bytes, 1, n, f) == n && fclose(f) == 0)
        return;
    perror(path);
    exit(2);
}

static void write_text(const char *dir, const char *name, const char *suffix, const char *text) {
    if (text)
        write_file(dir, name, suffix, text, strlen(text));
}

static void print_string(FILE *json, const char *key, const char *value) {
    fprintf(json, value ? ", \"%s\": \"%s\"" : ", \"%s\": null", key, value);
}

static void print_row(FILE *json, FILE *plain, const struct matrix_row *r) {
    static const char *const kinds[] = {"simple", "lanes", "load", "store", "atomic", "other"};
    const struct off_kernel *k = r->kernel;
    const struct ir_op_info *info = &ir_op_info[r->op];
    fprintf(plain, "%s %u %u %u %u %u\n", k->name, r->tuples, r->in_stride, r->out_stride, r->out_at, r->nan);
    fprintf(json, "{\"name\": \"%s\", \"op\": \"%s\", \"kind\": \"%s\", \"type\": \"%s\", \"operands\": [", k->name,
            info->text, kinds[info->kind], ir_type_name[r->type]);
    for (uint32_t n = 0; n < r->noperands; n++)
        fprintf(json, "%s\"%s\"", n ? ", " : "", ir_type_name[r->operands[n]]);
    fprintf(json, "], \"lanes\": [");
    for (uint32_t n = 0; n < info->lanes; n++)
        fprintf(json, "%s%u", n ? ", " : "", r->lanes.v128[n]);
    fprintf(json, "], \"tuples\": %u, \"cell\": %u, \"inStride\": %u, \"outStride\": %u, \"outAt\": %u, \"nan\": %u",
            r->tuples, r->cell, r->in_stride, r->out_stride, r->out_at, r->nan);
    fprintf(json, ", \"workgroup\": %u, \"uses\": %u, \"spirv\": %u, \"exactMsl\": %s", k->workgroup[0], k->uses,
            k->nspirv, k->msl_exact ? "true" : "false");
    print_string(json, "spirvWhy", k->nspirv ? NULL : k->spirv_why);
    print_string(json, "mslWhy", k->msl ? NULL : k->msl_why);
    print_string(json, "wgslWhy", k->wgsl ? NULL : k->wgsl_why);
    fprintf(json, "}");
}

static void compile(struct ir_module *m, const char *dir) {
    struct host_options options = {.opt_level = 2, .verify = true, .jobs = 1};
    struct host_object object;
    char *error;
    if (!host_compile(m, &options, &object, &error)) {
        fprintf(stderr, "matrix_make: %s\n", error);
        exit(2);
    }
    write_file(dir, "matrix", ".o", object.bytes, object.size);
    host_object_free(&object);
}

int main(int argc, char **argv) {
    uint32_t tuples = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : MATRIX_MAX_TUPLES, n = matrix_count_rows();
    if (argc < 2 || tuples == 0 || tuples % 4 || tuples > MATRIX_MAX_TUPLES) {
        fprintf(stderr, "usage: matrix_make DIR [TUPLES]     TUPLES: a multiple of 4 up to %u\n", MATRIX_MAX_TUPLES);
        return 2;
    }
    const char *dir = argv[1];
    char path[512];
    snprintf(path, sizeof path, "%s/rows.json", dir);
    FILE *json = fopen(path, "w");
    snprintf(path, sizeof path, "%s/rows.txt", dir);
    FILE *plain = fopen(path, "w");
    if (!json || !plain) {
        perror(path);
        return 2;
    }
    struct ir_module *m = ir_module_new();
    m->name = "matrix";
    m->memories = arena_new(&m->arena, struct ir_memory);
    m->memories[0].limits.min = MATRIX_PAGES;
    m->nmemories = 1;
    m->kernels = arena_array(&m->arena, struct off_kernel *, n);
    fprintf(json, "{\"rows\": [\n");
    for (uint32_t k = 0; k < n; k++) {
        struct matrix_row r;
        matrix_make_row(m, k, tuples, &r);
        matrix_fill_row(&r, in);
        matrix_interpret_row(m, &r, in, want);
        kernels_emit(m, r.kernel);
        m->kernels[m->nkernels++] = r.kernel;
        write_file(dir, r.kernel->name, ".in", in, (size_t)tuples * r.in_stride);
        write_file(dir, r.kernel->name, ".want", want, (size_t)tuples * r.out_stride);
        write_text(dir, r.kernel->name, ".wgsl", r.kernel->wgsl);
        write_text(dir, r.kernel->name, ".metal", r.kernel->msl);
        write_text(dir, r.kernel->name, ".exact.metal", r.kernel->msl_exact);
        print_row(json, plain, &r);
        fprintf(json, k + 1 < n ? ",\n" : "\n");
    }
    fprintf(json, "], \"without\": [\n");
    bool first = true;
    for (int op = 0; op < IR_OP_COUNT; op++)
        if (matrix_no_row((enum ir_op)op)) {
            fprintf(json, "%s[\"%s\", \"%s\"]", first ? "" : ",\n", ir_op_info[op].text, matrix_no_row((enum ir_op)op));
            first = false;
        }
    fprintf(json, "]}\n");
    if (fclose(json) != 0 || fclose(plain) != 0) {
        perror(dir);
        return 2;
    }
    compile(m, dir);
    ir_module_free(m);
    printf("%u rows of %u tuples\n", n, tuples);
    return 0;
}
