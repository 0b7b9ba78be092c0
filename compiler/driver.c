/* The pipeline, in order; a table of contents of the compiler.
 *
 *     file_read            the module's bytes                                     compiler/file.c
 *     front_read_module    decode, validate, lower to IR                          compiler/front.c
 *     opt_simplify         each function                                          ir/opt/
 *     offload_module       find parallel loops, cut kernels, guard launches       ir/offload/
 *     kernels_emit         each kernel to SPIR-V, MSL, WGSL                       backends/
 *     explain_json         the report that is embedded                            compiler/explain.c
 *     host_compile         everything to one native object                        backends/host/
 *
 * What happens to the object then is output.c (files) or run.c (in this process).
 */
#include "compiler/driver.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backends/kernels.h"
#include "compiler/cpu_check.h"
#include "compiler/explain.h"
#include "compiler/fatal.h"
#include "compiler/file.h"
#include "compiler/front.h"
#include "compiler/kernel_option.h"
#include "compiler/limits.h"
#include "ir/ir_build.h"
#include "ir/ir_text.h"
#include "ir/opt/pass.h"
#include "ir/util/ice.h"

static char *stem(const char *path) {
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    size_t n = dot && dot != name ? (size_t)(dot - name) : strlen(name);
    return strndup(name, n);
}

bool driver_read(struct driver *dr, const struct options *options, struct diag *d) {
    dr->options = options;
    dr->diag = d;
    bool from_stdin = strcmp(options->input, "-") == 0;
    d->file = from_stdin ? "<stdin>" : options->input;
    if (!file_read(options->input, FRONT_MAX_MODULE_BYTES, &dr->bytes, &dr->size)) {
        if (errno == EFBIG)
            diag_error(d, DIAG_LIMIT, DIAG_NO_OFFSET, -1, NULL, "the module is larger than %u bytes",
                       (unsigned)FRONT_MAX_MODULE_BYTES);
        else
            diag_error(d, DIAG_READ_FILE, DIAG_NO_OFFSET, -1, NULL, "cannot read: %s", strerror(errno));
        return false;
    }
    char *name = options->name ? strdup(options->name) : from_stdin ? strdup("module") : stem(options->input);
    dr->name = front_make_identifier(name ? name : "module");
    free(name);
    return true;
}

static void dump_func(void *user, const char *pass, struct ir_func *f) {
    (void)user;
    struct strbuf text = {0};
    strbuf_printf(&text, "; after %s\n", pass);
    ir_print_func(&text, f);
    fwrite(text.data, 1, text.len, stderr);
    strbuf_free(&text);
}

static void dump_for_ice(void *user) {
    struct ir_func *f = *(struct ir_func **)user;
    if (f)
        dump_func(NULL, "the internal error; the function under work", f);
}

static void simplify(struct driver *dr) {
    const struct options *o = dr->options;
    struct ir_module *m = dr->module;
    struct ir_func *current = NULL;
    ice_set_dump_hook(dump_for_ice, &current);
    struct pass_ctx cx = {
        .module = m,
        .verify = o->verify,
        .dump_after = o->dump_after,
        .stop_after = o->stop_after,
        .skip = o->skip,
        .dump = dump_func,
    };
    for (uint32_t i = m->nfunc_imports; i < m->nfuncs; i++) {
        current = m->funcs[i].func;
        cx.stopped = false;
        opt_simplify(current, &cx);
        dr->stopped |= cx.stopped;
    }
    arena_free(&cx.scratch);
    ice_set_dump_hook(NULL, NULL);
}

bool driver_analyse(struct driver *dr) {
    const struct options *o = dr->options;
    struct front_options front = {.name = dr->name, .disabled = o->disabled, .verify = o->verify};
    dr->module = front_read_module(dr->bytes, dr->size, &front, dr->diag);
    if (!dr->module)
        return false;
    dr->module->fp = o->fp_mode;
    simplify(dr);
    dr->stopped |= o->stop_after != NULL;
    if (dr->stopped)
        return true;
    uint32_t declared_loops = 0;
    struct off_options offload = {.enabled = !o->no_offload, .out_declared_loops = &declared_loops};
    if (!kernel_option_apply(dr->module, o->kernel, dr->diag))
        return false;
    offload_module(dr->module, &offload, &dr->report);
    if (o->kernel && !o->no_offload && !declared_loops)
        diag_warning(dr->diag, DIAG_KERNEL_OPTION, DIAG_NO_OFFSET,
                     "no counted loop calls %s with its counter; was it inlined by the compiler?", o->kernel);
    for (uint32_t i = 0; i < dr->module->nkernels; i++)
        kernels_emit(dr->module, dr->module->kernels[i]);
    explain_json(&dr->metadata, dr->module, &dr->report, WASMETAL_VERSION);
    return true;
}

struct host_options driver_host_options(const struct driver *dr, const char *cpu) {
    const struct options *o = dr->options;
    return (struct host_options){
        .triple = o->target,
        .cpu = cpu,
        .features = o->cpu_features,
        .opt_level = (int)o->opt_level,
        .bounds_checks = (o->bounds_checks && strcmp(o->bounds_checks, "on") == 0) || !host_can_guard(o->target),
        .verify = o->verify,
        .metadata = dr->metadata.data,
        .metallib = dr->metallib,
        .metallib_size = dr->metallib_size,
        .jobs = o->jobs,
        .part_size = o->part_size,
    };
}

bool driver_compile_host(struct driver *dr, const char *cpu) {
    struct host_options host = driver_host_options(dr, cpu);
    char *error = NULL;
    enum cpu_check check = (cpu && strcmp(cpu, "native") != 0) || host.features ? cpu_check(&host) : CPU_KNOWN;
    if (check != CPU_KNOWN) {
        diag_error(dr->diag, DIAG_HOST_COMPILE, DIAG_NO_OFFSET, -1, NULL,
                   check == CPU_UNKNOWN ? "\"%s\" is no processor of the target %s"
                                        : "\"%s\": not all of these are features of the target %s",
                   check == CPU_UNKNOWN ? cpu : host.features, host.triple ? host.triple : host_native_triple());
        return false;
    }
    fatal_begin(dr->diag);
    bool ok = host_compile(dr->module, &host, &dr->object, &error);
    fatal_end();
    if (ok)
        return true;
    diag_error(dr->diag, DIAG_HOST_COMPILE, DIAG_NO_OFFSET, -1, NULL, "%s", error ? error : "no native code");
    free(error);
    return false;
}

void driver_release(struct driver *dr) {
    host_object_free(&dr->object);
    strbuf_free(&dr->metadata);
    free(dr->metallib);
    ir_module_free(dr->module);
    free(dr->name);
    free(dr->bytes);
    *dr = (struct driver){0};
}

int command_explain(const struct options *o, struct diag *d) {
    struct driver dr = {0};
    int code = EXIT_INPUT;
    if (driver_read(&dr, o, d) && driver_analyse(&dr)) {
        struct strbuf text = {0};
        if (o->json)
            strbuf_add_bytes(&text, dr.metadata.data, dr.metadata.len);
        else
            explain_text(&text, dr.module, &dr.report, o->library, diag_wants_colour(stdout));
        fwrite(text.data, 1, text.len, stdout);
        strbuf_free(&text);
        code = EXIT_OK;
    }
    driver_release(&dr);
    return code;
}
