/* `wasmetal run`: compile in memory, instantiate, run.
 *
 * The object comes from the cache when this very module was compiled before with the same options, compiler and
 * processor; then neither the front end nor LLVM runs.  Code is compiled for this processor unless --cpu says
 * otherwise.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/cache.h"
#include "compiler/driver.h"
#include "compiler/file.h"
#include "compiler/limits.h"
#include "compiler/output.h"
#include "ir/util/ice.h"
#include "wasmetal.h"

/* ---- from module to object ---- */

static struct cache_key key_of(const struct driver *dr, const char *cpu) {
    const struct options *o = dr->options;
    struct strbuf text = {0};
    uint64_t self = cache_self_hash();
    strbuf_printf(&text, "%s|%016" PRIx64 "|%s|%s|%s|%s|%s|%s|O%u|%s|%d|%s|%" PRIx32 "|%x|%s", WASMETAL_VERSION, self,
                  host_llvm_version(), host_native_triple(), cpu, host_native_cpu(), host_native_features(),
                  o->cpu_features ? o->cpu_features : "", o->opt_level, o->bounds_checks ? o->bounds_checks : "auto",
                  o->no_offload, o->skip ? o->skip : "", o->disabled, o->fp_mode, o->kernel ? o->kernel : "");
    struct cache_key_part parts[] = {{dr->bytes, dr->size}, {dr->name, strlen(dr->name)}, {text.data, text.len}};
    struct cache_key key = cache_key_make(parts, 3);
    strbuf_free(&text);
    return key;
}

/* Options that want to see the compilation happen. */
static bool wants_compilation(const struct options *o) {
    return o->no_cache || o->dump_after || o->save_kernels || o->verify;
}

static bool make_object(struct driver *dr) {
    const struct options *o = dr->options;
    const char *cpu = o->cpu ? o->cpu : "native";
    if (o->no_cache)
        setenv("WASMETAL_CACHE_DIR", "off", 1); /* for the runtime, which keeps what drivers compile */
    struct cache *cache = wants_compilation(o) ? NULL : cache_open();
    struct cache_key key = {0};
    bool ok = false;
    if (cache) {
        key = key_of(dr, cpu);
        ok = cache_load(cache, key, &dr->object.bytes, &dr->object.size);
    }
    if (!ok) {
        ok = driver_analyse(dr) && (!o->save_kernels || output_save_kernels(dr, o->save_kernels)) &&
             driver_compile_host(dr, cpu);
        if (ok && cache)
            cache_store(cache, key, dr->object.bytes, dr->object.size);
    }
    cache_close(cache);
    return ok;
}

/* ---- instance ---- */

struct wasi_setup {
    const char **args;
    wasmetal_preopen *preopens;
    char **hosts; /* copies of the HOST parts, owned */
    size_t npreopens;
};

static void *must(void *p) {
    if (!p) {
        fputs("wasmetal: out of memory\n", stderr);
        exit(70);
    }
    return p;
}

static void set_up_wasi(struct wasi_setup *s, const struct options *o, wasmetal_wasi_desc *out) {
    s->args = must(calloc((size_t)o->nargs + 1, sizeof *s->args));
    s->args[0] = o->input;
    for (int i = 0; i < o->nargs; i++)
        s->args[i + 1] = o->args[i];
    s->npreopens = o->dirs.count ? o->dirs.count : 1;
    s->preopens = must(calloc(s->npreopens, sizeof *s->preopens));
    s->hosts = must(calloc(s->npreopens, sizeof *s->hosts));
    s->preopens[0] = (wasmetal_preopen){.host = ".", .guest = "."};
    for (unsigned i = 0; i < o->dirs.count; i++) {
        const char *dir = o->dirs.items[i], *split = strstr(dir, "::");
        s->hosts[i] = must(split ? strndup(dir, (size_t)(split - dir)) : strdup(dir));
        s->preopens[i] = (wasmetal_preopen){.host = s->hosts[i], .guest = split ? split + 2 : s->hosts[i]};
    }
    *out = (wasmetal_wasi_desc){
        .args = s->args,
        .nargs = (size_t)(o->invoke ? 1 : o->nargs + 1), /* --invoke: the arguments are the function's */
        .env = o->envs.items,
        .nenv = o->envs.count,
        .preopens = s->preopens,
        .npreopens = s->npreopens,
    };
}

static void free_wasi(struct wasi_setup *s) {
    for (size_t i = 0; i < s->npreopens; i++)
        free(s->hosts[i]);
    free(s->hosts);
    free(s->preopens);
    free(s->args);
}

static int report_trap(const wasmetal_trap *t) {
    fflush(stdout);
    fprintf(stderr, "%s%s", t->code == WASMETAL_TRAP_EXCEPTION ? "" : "trap: ", t->text);
    if (t->function != WASMETAL_NO_FUNCTION)
        fprintf(stderr, " in function \"%s\"", *t->function_name ? t->function_name : "?");
    if (t->offset != WASMETAL_NO_OFFSET)
        fprintf(stderr, " at +0x%" PRIx64, t->offset);
    fputc('\n', stderr);
    return EXIT_TRAP;
}

/* What a status that is neither OK nor an error of ours means for the exit code. */
static int finish(struct diag *d, wasmetal_status status, const wasmetal_trap *trap, const char *doing) {
    if (status == WASMETAL_OK)
        return EXIT_OK;
    if (status == WASMETAL_TRAP || status == WASMETAL_EXCEPTION)
        return report_trap(trap);
    if (status == WASMETAL_EXIT)
        return (int)(trap->exit_code & 0xff);
    enum diag_id id = status == WASMETAL_ERROR_IMPORT ? DIAG_LINK
                      : status == WASMETAL_ERROR_IO   ? DIAG_DIRECTORY
                                                      : DIAG_START;
    diag_error(d, id, DIAG_NO_OFFSET, -1, NULL, "%s: %s", doing, wasmetal_status_text(status));
    return EXIT_INPUT;
}

/* ---- --invoke ---- */

static bool parse_integer(const char *text, unsigned bits, uint64_t *out) {
    char *end;
    bool negative = *text == '-';
    const char *digits = text + (negative || *text == '+');
    if (*digits < '0' || *digits > '9')
        return false;
    int base = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X') ? 16 : 10;
    errno = 0;
    uint64_t v = strtoull(digits, &end, base);
    uint64_t max = bits == 32 ? UINT32_MAX : UINT64_MAX, min = (max >> 1) + 1;
    if (errno || *end || v > (negative ? min : max))
        return false;
    *out = (negative ? -v : v) & max;
    return true;
}

/* 0x and up to 32 hexadecimal digits: lane 0 stands last. */
static bool parse_v128(const char *text, uint64_t *out) {
    size_t digits = strlen(text);
    if (digits < 3 || digits > 34 || text[0] != '0' || (text[1] != 'x' && text[1] != 'X'))
        return false;
    out[0] = out[1] = 0;
    for (text += 2; *text; text++) {
        if (!isxdigit((unsigned char)*text))
            return false;
        uint64_t digit =
            isdigit((unsigned char)*text) ? (uint64_t)(*text - '0') : (uint64_t)((*text | 0x20) - 'a') + 10;
        out[1] = out[1] << 4 | out[0] >> 60;
        out[0] = out[0] << 4 | digit;
    }
    return true;
}

static size_t cells_of(char type) {
    return type == 'v' ? 2 : 1;
}

static bool parse_cell(char type, const char *text, uint64_t *out) {
    char *end;
    union {
        float f32;
        double f64;
        uint32_t u32;
        uint64_t u64;
    } u = {.u64 = 0};
    switch (type) {
    case 'i':
        return parse_integer(text, 32, out);
    case 'l':
        return parse_integer(text, 64, out);
    case 'f':
        u.f32 = strtof(text, &end);
        *out = u.u32;
        return end != text && !*end;
    case 'd':
        u.f64 = strtod(text, &end);
        *out = u.u64;
        return end != text && !*end;
    case 'v':
        return parse_v128(text, out);
    default:
        return false;
    }
}

/* 9 and 17 significant digits give the same bits back. */
static void print_cell(char type, const uint64_t *cells) {
    uint64_t cell = cells[0];
    union {
        float f32;
        double f64;
        uint32_t u32;
        uint64_t u64;
    } u = {.u64 = cell};
    switch (type) {
    case 'i':
        printf("i32:%" PRId32 "\n", (int32_t)cell);
        break;
    case 'l':
        printf("i64:%" PRId64 "\n", (int64_t)cell);
        break;
    case 'f':
        isnan(u.f32) ? printf("f32:nan\n") : printf("f32:%.9g\n", (double)u.f32);
        break;
    case 'd':
        isnan(u.f64) ? printf("f64:nan\n") : printf("f64:%.17g\n", u.f64);
        break;
    case 'v':
        printf("v128:0x%016" PRIx64 "%016" PRIx64 "\n", cells[1], cell);
        break;
    default:
        printf("%s:%s\n", type == 'r' ? "funcref" : "externref", cell ? "non-null" : "null");
    }
}

static int invoke(wasmetal_instance *instance, const struct options *o, struct diag *d) {
    wasmetal_export e;
    wasmetal_trap trap = {0};
    if (wasmetal_export_find(instance, o->invoke, &e) != WASMETAL_OK || e.kind != WASMETAL_FUNC) {
        diag_error(d, DIAG_NO_EXPORT, DIAG_NO_OFFSET, -1, NULL, "no exported function \"%s\"", o->invoke);
        return EXIT_INPUT;
    }
    const char *colon = strchr(e.type, ':');
    ICE_UNLESS(colon);
    size_t nparams = (size_t)(colon - e.type), nresults = strlen(colon + 1);
    if (nparams != (size_t)o->nargs) {
        diag_error(d, DIAG_ARGUMENT, DIAG_NO_OFFSET, -1, NULL, "\"%s\" takes %zu arguments, not %d", o->invoke, nparams,
                   o->nargs);
        return EXIT_USAGE;
    }
    uint64_t *cells = must(calloc(nparams + nresults + 1, sizeof *cells * 2));
    int code = EXIT_USAGE;
    for (size_t i = 0, at = 0; i < nparams; at += cells_of(e.type[i++])) {
        if (!parse_cell(e.type[i], o->args[i], &cells[at])) {
            diag_error(d, DIAG_ARGUMENT, DIAG_NO_OFFSET, -1, NULL, "argument %zu of \"%s\": \"%s\" is no %s", i + 1,
                       o->invoke, o->args[i],
                       e.type[i] == 'i'   ? "i32"
                       : e.type[i] == 'l' ? "i64"
                       : e.type[i] == 'f' ? "f32"
                       : e.type[i] == 'd' ? "f64"
                       : e.type[i] == 'v' ? "v128 (0x and up to 32 hexadecimal digits)"
                                          : "type that can be written here");
            goto cleanup;
        }
    }
    code = finish(d, wasmetal_run_wasi_initialize(instance, &trap), &trap, "_initialize");
    if (code == EXIT_OK)
        code = finish(d, wasmetal_call(instance, e.object, cells, &trap), &trap, o->invoke);
    if (code == EXIT_OK) {
        for (size_t i = 0, at = 0; i < nresults; at += cells_of(colon[1 + i++]))
            print_cell(colon[1 + i], &cells[at]);
        fflush(stdout);
    }
cleanup:
    free(cells);
    return code;
}

static int start(wasmetal_instance *instance, struct diag *d) {
    wasmetal_trap trap = {0};
    uint32_t exit_code = 0;
    wasmetal_status status = wasmetal_run_wasi_start(instance, &exit_code, &trap);
    if (status == WASMETAL_OK)
        return (int)(exit_code & 0xff);
    if (status == WASMETAL_ERROR_NOT_FOUND) {
        diag_error(d, DIAG_NO_EXPORT, DIAG_NO_OFFSET, -1, NULL,
                   "the module has no _start; choose an export with --invoke");
        return EXIT_INPUT;
    }
    return finish(d, status, &trap, "_start");
}

/* ---- afterwards ---- */

static bool write_reports(wasmetal_instance *instance, const struct options *o, struct diag *d) {
    bool ok = true;
    if (o->stats) {
        size_t n = wasmetal_stats_json(instance, NULL, 0);
        char *text = must(malloc(n + 1));
        wasmetal_stats_json(instance, text, n + 1);
        ok = file_write(o->stats, text, n);
        if (!ok)
            diag_error(d, DIAG_WRITE_FILE, DIAG_NO_OFFSET, -1, NULL, "cannot write %s: %s", o->stats, strerror(errno));
        free(text);
    }
    if (o->dump_memory) {
        const uint8_t *base = wasmetal_memory_base(instance);
        if (!file_write(o->dump_memory, base ? base : (const uint8_t *)"", wasmetal_memory_size(instance))) {
            diag_error(d, DIAG_WRITE_FILE, DIAG_NO_OFFSET, -1, NULL, "cannot write %s: %s", o->dump_memory,
                       strerror(errno));
            ok = false;
        }
    }
    return ok;
}

static int run_module(const wasmetal_module *module, const struct options *o, struct diag *d) {
    struct wasi_setup setup = {0};
    wasmetal_trap trap = {0};
    wasmetal_instance_desc desc = {.device = o->device, .start_trap = &trap};
    wasmetal_instance *instance = NULL;
    set_up_wasi(&setup, o, &desc.wasi);
    wasmetal_status status = wasmetal_instantiate(module, &desc, &instance);
    int code = finish(d, status, &trap, "the module cannot be started");
    if (instance) {
        code = o->invoke ? invoke(instance, o, d) : start(instance, d);
        if (!write_reports(instance, o, d) && code == EXIT_OK)
            code = EXIT_INPUT;
    }
    wasmetal_free(instance);
    free_wasi(&setup);
    return code;
}

int command_run(const struct options *o, struct diag *d) {
    struct driver dr = {0};
    int code = EXIT_INPUT;
    if (driver_read(&dr, o, d) && make_object(&dr)) {
        char *error = NULL;
        /* The compiler's memory is not needed while the program runs. */
        char *name = must(strdup(dr.name));
        struct host_object object = dr.object;
        dr.object = (struct host_object){0};
        driver_release(&dr);
        struct host_jit *jit = host_jit_new(&object, name, &error);
        host_object_free(&object);
        if (jit) {
            code = run_module(host_jit_module(jit), o, d);
            host_jit_free(jit);
        } else {
            diag_error(d, DIAG_HOST_COMPILE, DIAG_NO_OFFSET, -1, NULL, "%s", error ? error : "cannot load the code");
        }
        free(error);
        free(name);
    }
    driver_release(&dr);
    return code;
}
