/* Runs what a wat file says about itself through the front end and the interpreter.
 *
 *     front_wat FILE.wasm FILE.wat
 *
 *     ;; call: EXPORT TYPE:VALUE... => TYPE:VALUE...       a fresh instance, one call
 *     ;; call: EXPORT TYPE:VALUE... => trap [TEXT]
 *     ;; refused: ID TEXT                                  the one diagnostic has this ID and text
 *     ;; disable: PROPOSAL,...                             as --disable
 *
 * Each call is run on the module as lowered and on the module after simplification.  NaN stands for any NaN.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/features.h"
#include "compiler/front.h"
#include "ir/ir_build.h"
#include "ir/ir_interp.h"
#include "ir/opt/pass.h"
#include "ir/util/strbuf.h"

enum { MAX_VALUES = 64, CALL_DEPTH = 500 };

static int failures;
static uint32_t disabled;

static char *read_file(const char *path, size_t *out_size) {
    FILE *f = fopen(path, "rb");
    struct strbuf s = {0};
    char block[4096];
    size_t n;
    if (!f) {
        perror(path);
        exit(1);
    }
    while ((n = fread(block, 1, sizeof block, f)) > 0)
        strbuf_add_bytes(&s, block, n);
    fclose(f);
    strbuf_add_bytes(&s, "", 1);
    *out_size = s.len - 1;
    return s.data;
}

static struct ir_module *read_module(const char *bytes, size_t size, bool simplify, FILE *messages) {
    struct diag d;
    struct front_options options = {.disabled = disabled, .verify = true};
    diag_init(&d, messages, "module");
    struct ir_module *m = front_read_module((const uint8_t *)bytes, size, &options, &d);
    if (!m || !simplify)
        return m;
    struct pass_ctx cx = {.module = m, .verify = true};
    for (uint32_t i = m->nfunc_imports; i < m->nfuncs; i++)
        opt_simplify(m->funcs[i].func, &cx);
    arena_free(&cx.scratch);
    return m;
}

static bool parse_value(const char *word, enum ir_type *out_type, union ir_bits *out) {
    static const char *const names[] = {"i32:", "i64:", "f32:", "f64:"};
    memset(out, 0, sizeof *out);
    for (int t = 0; t < 4; t++) {
        if (strncmp(word, names[t], 4) != 0)
            continue;
        *out_type = (enum ir_type)t;
        word += 4;
        if (t == IR_I32)
            out->i32 = (uint32_t)strtoll(word, NULL, 0);
        else if (t == IR_I64)
            out->i64 = *word == '-' ? (uint64_t)strtoll(word, NULL, 0) : strtoull(word, NULL, 0);
        else if (t == IR_F32)
            out->f32 = strtof(word, NULL);
        else
            out->f64 = strtod(word, NULL);
        return true;
    }
    return false;
}

static bool same(enum ir_type type, const union ir_bits *a, const union ir_bits *b) {
    switch (type) {
    case IR_F32:
        return a->i32 == b->i32 || (isnan(a->f32) && isnan(b->f32));
    case IR_F64:
        return a->i64 == b->i64 || (isnan(a->f64) && isnan(b->f64));
    case IR_I64:
        return a->i64 == b->i64;
    default:
        return a->i32 == b->i32;
    }
}

static const char *show(char *out, size_t size, enum ir_type type, const union ir_bits *v) {
    switch (type) {
    case IR_I32:
        snprintf(out, size, "i32:%" PRId32, (int32_t)v->i32);
        break;
    case IR_I64:
        snprintf(out, size, "i64:%" PRId64, (int64_t)v->i64);
        break;
    case IR_F32:
        snprintf(out, size, "f32:%.9g", (double)v->f32);
        break;
    default:
        snprintf(out, size, "f64:%.17g", v->f64);
    }
    return out;
}

static void fail(const char *line, const char *stage, const char *what) {
    failures++;
    printf("FAIL (%s) %s\n     %s\n", stage, line, what);
}

static int64_t find_function(const struct ir_module *m, const char *name) {
    for (uint32_t i = 0; i < m->nexports; i++)
        if (m->exports[i].kind == IR_EXTERN_FUNC && strcmp(m->exports[i].name, name) == 0)
            return m->exports[i].index;
    return -1;
}

/* `line` without its ";; call: ", as a private copy. */
static void run_call(struct ir_module *m, char *line, const char *stage) {
    char *original = strdup(line);
    char *expected = strstr(line, "=>");
    if (!original || !expected) {
        fail(line, stage, "no => in it");
        free(original);
        return;
    }
    *expected = 0;
    expected += 2;
    char *save, *name = strtok_r(line, " ", &save);
    int64_t func = find_function(m, name ? name : "");
    union ir_bits values[MAX_VALUES];
    enum ir_type type;
    uint32_t n = 0;
    for (char *word; (word = strtok_r(NULL, " ", &save)) && n < MAX_VALUES;)
        if (!parse_value(word, &type, &values[n++]))
            func = -1;
    struct ir_interp_desc desc = {.module = m, .fuel = 10000000, .max_call_depth = CALL_DEPTH};
    struct ir_trap_info trap = {0};
    struct ir_interp *in = ir_interp_new(&desc, &trap);
    char text[256], got[64], want[64];
    if (func < 0 || !in || trap.code) {
        fail(original, stage, func < 0 ? "no such function, or bad values" : "no instance");
    } else if (!ir_interp_call(in, (uint32_t)func, values, &trap)) {
        char *wanted = strstr(expected, "trap");
        if (!wanted || !strstr(ir_trap_text(trap.code), wanted + 4 + (wanted[4] == ' '))) {
            snprintf(text, sizeof text, "trap %s", ir_trap_text(trap.code));
            fail(original, stage, text);
        }
    } else {
        const struct ir_sig *sig = &m->funcs[func].func->sig;
        uint32_t k = 0;
        for (char *word = strtok_r(expected, " ", &save); word; word = strtok_r(NULL, " ", &save), k++) {
            union ir_bits value;
            if (!parse_value(word, &type, &value) || k >= sig->nresults || sig->results[k] != type ||
                !same(type, &value, &values[k])) {
                snprintf(text, sizeof text, "result %u is %s, not %s", k,
                         k < sig->nresults ? show(got, sizeof got, sig->results[k], &values[k]) : "missing",
                         parse_value(word, &type, &value) ? show(want, sizeof want, type, &value) : word);
                fail(original, stage, text);
                break;
            }
        }
    }
    ir_interp_free(in);
    free(original);
}

static void check_refused(const char *bytes, size_t size, const char *line) {
    char *text = NULL;
    size_t text_size = 0;
    FILE *out = open_memstream(&text, &text_size);
    struct ir_module *m = out ? read_module(bytes, size, false, out) : NULL;
    if (out)
        fclose(out);
    char id[16] = "";
    int at = 0;
    sscanf(line, "%15s %n", id, &at);
    if (m || !text || !strstr(text, id) || !strstr(text, line + at))
        fail(line, "front", m ? "accepted" : text);
    ir_module_free(m);
    free(text);
}

int main(int argc, char **argv) {
    size_t size, text_size;
    int checks = 0;
    if (argc != 3) {
        fprintf(stderr, "usage: front_wat FILE.wasm FILE.wat\n");
        return 2;
    }
    char *bytes = read_file(argv[1], &size), *text = read_file(argv[2], &text_size), *save;
    struct ir_module *lowered = NULL, *simplified = NULL;
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        const char *bad;
        if (strncmp(line, ";; disable: ", 12) == 0 && !features_parse(line + 12, &disabled, &bad)) {
            fail(line, "front", "unknown proposal");
        }
        if (strncmp(line, ";; refused: ", 12) == 0) {
            check_refused(bytes, size, line + 12);
            checks++;
        }
        if (strncmp(line, ";; call: ", 9) != 0)
            continue;
        if (!lowered) {
            lowered = read_module(bytes, size, false, stdout);
            simplified = read_module(bytes, size, true, stdout);
        }
        if (!lowered || !simplified)
            return 1;
        char *copy = strdup(line + 9);
        run_call(lowered, copy, "lowered");
        run_call(simplified, line + 9, "simplified");
        free(copy);
        checks++;
    }
    printf("%s: %d checks, %d failures\n", argv[2], checks, failures);
    ir_module_free(lowered);
    ir_module_free(simplified);
    free(bytes);
    free(text);
    return failures || !checks;
}
