/* `wasmetal compile`: what the pipeline gave, as files.
 *
 * The suffix of -o chooses: .o the object; .a the object in an archive; .so or .dylib a shared object, made by the
 * system compiler, that leaves the runtime's functions to whoever loads it.  The C header goes beside it.
 */
#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compiler/driver.h"
#include "compiler/file.h"
#include "compiler/header.h"
#include "compiler/output.h"
#include "ir/ir_text.h"

extern char **environ;

#define MAX_METALLIB ((size_t)256 << 20)

static bool write_file(struct diag *d, const char *path, const void *bytes, size_t size) {
    if (file_write(path, bytes, size))
        return true;
    diag_error(d, DIAG_WRITE_FILE, DIAG_NO_OFFSET, -1, NULL, "cannot write %s: %s", path, strerror(errno));
    return false;
}

static bool ends_with(const char *text, const char *suffix) {
    size_t n = strlen(text), m = strlen(suffix);
    return n > m && strcmp(text + n - m, suffix) == 0;
}

/* ---- kernels ---- */

static bool write_kernel(struct diag *d, const char *folder, const struct off_kernel *k) {
    struct strbuf path = {0};
    bool ok = true;
    for (uint32_t v = 0; ok && v < k->nspirv; v++) {
        path.len = 0;
        strbuf_printf(&path, "%s/%s.%u.spv", folder, k->name, v);
        ok = write_file(d, path.data, k->spirv[v].words, sizeof *k->spirv[v].words * k->spirv[v].nwords);
    }
    if (ok && k->msl) {
        path.len = 0;
        strbuf_printf(&path, "%s/%s.metal", folder, k->name);
        ok = write_file(d, path.data, k->msl, strlen(k->msl));
    }
    if (ok && k->msl_exact) {
        path.len = 0;
        strbuf_printf(&path, "%s/%s_exact.metal", folder, k->name);
        ok = write_file(d, path.data, k->msl_exact, strlen(k->msl_exact));
    }
    if (ok && k->wgsl) {
        path.len = 0;
        strbuf_printf(&path, "%s/%s.wgsl", folder, k->name);
        ok = write_file(d, path.data, k->wgsl, strlen(k->wgsl));
    }
    strbuf_free(&path);
    return ok;
}

bool output_save_kernels(const struct driver *dr, const char *folder) {
    if (!file_make_dirs(folder, 0777)) {
        diag_error(dr->diag, DIAG_WRITE_FILE, DIAG_NO_OFFSET, -1, NULL, "cannot make folder %s: %s", folder,
                   strerror(errno));
        return false;
    }
    for (uint32_t i = 0; i < dr->module->nkernels; i++)
        if (!write_kernel(dr->diag, folder, dr->module->kernels[i]))
            return false;
    return true;
}

/* ---- --emit ---- */

static void emit_ir(struct driver *dr, struct strbuf *out) {
    ir_print_module(out, dr->module);
}

static void emit_llvm(struct driver *dr, struct strbuf *out) {
    struct host_options host = driver_host_options(dr, dr->options->cpu);
    char *error = NULL, *text = host_llvm_text(dr->module, &host, &error);
    if (text)
        strbuf_add(out, text);
    else
        diag_error(dr->diag, DIAG_HOST_COMPILE, DIAG_NO_OFFSET, -1, NULL, "%s", error ? error : "no native code");
    free(text);
    free(error);
}

/* All kernels' baseline modules, one after the other: each begins with SPIR-V's magic word. */
static void emit_spirv(struct driver *dr, struct strbuf *out) {
    for (uint32_t i = 0; i < dr->module->nkernels; i++) {
        const struct off_kernel *k = dr->module->kernels[i];
        if (k->nspirv)
            strbuf_add_bytes(out, k->spirv[0].words, sizeof *k->spirv[0].words * k->spirv[0].nwords);
    }
}

static void emit_text(struct driver *dr, struct strbuf *out, bool wgsl) {
    for (uint32_t i = 0; i < dr->module->nkernels; i++) {
        const struct off_kernel *k = dr->module->kernels[i];
        const char *text = wgsl ? k->wgsl : k->msl, *why = wgsl ? k->wgsl_why : k->msl_why;
        strbuf_printf(out, "%s// kernel %s%s%s\n", i ? "\n" : "", k->name, text ? "" : ": none, ",
                      text  ? ""
                      : why ? why
                            : "the target cannot express it");
        if (text)
            strbuf_add(out, text);
    }
}

static void emit_msl(struct driver *dr, struct strbuf *out) {
    emit_text(dr, out, false);
}
static void emit_wgsl(struct driver *dr, struct strbuf *out) {
    emit_text(dr, out, true);
}
static void emit_metadata(struct driver *dr, struct strbuf *out) {
    strbuf_add_bytes(out, dr->metadata.data, dr->metadata.len);
}
static void emit_header(struct driver *dr, struct strbuf *out) {
    if (!header_write(dr->module, out))
        diag_error(dr->diag, DIAG_WRITE_FILE, DIAG_NO_OFFSET, -1, NULL, "the module has no C header");
}

static const struct {
    const char *name;
    void (*emit)(struct driver *dr, struct strbuf *out);
} emitters[] = {
    {"ir", emit_ir},     {"llvm", emit_llvm},         {"spirv", emit_spirv},   {"msl", emit_msl},
    {"wgsl", emit_wgsl}, {"metadata", emit_metadata}, {"header", emit_header},
};

static int find_emitter(const char *name) {
    for (int i = 0; i < (int)(sizeof emitters / sizeof *emitters); i++)
        if (strcmp(emitters[i].name, name) == 0)
            return i;
    return -1;
}

static bool write_emitted(struct driver *dr, int emitter) {
    struct strbuf text = {0};
    emitters[emitter].emit(dr, &text);
    bool ok = dr->diag->errors == 0 && write_file(dr->diag, dr->options->output ? dr->options->output : "-",
                                                  text.data ? text.data : "", text.len);
    strbuf_free(&text);
    return ok;
}

/* ---- objects ---- */

/* Runs a tool found on PATH; the diagnostics of the tool go to standard error. */
static bool run_tool(struct diag *d, const char *const *argv) {
    pid_t pid;
    int status, error = posix_spawnp(&pid, argv[0], NULL, NULL, (char *const *)argv, environ);
    if (error) {
        diag_error(d, DIAG_LINKER, DIAG_NO_OFFSET, -1, NULL, "cannot run %s: %s", argv[0], strerror(error));
        return false;
    }
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return false;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    diag_error(d, DIAG_LINKER, DIAG_NO_OFFSET, -1, NULL, "%s failed", argv[0]);
    return false;
}

static const char *tool(const char *variable, const char *fallback) {
    const char *value = getenv(variable);
    return value && *value ? value : fallback;
}

/* The object goes through a temporary folder, under the name it should have in an archive. */
static bool package(struct driver *dr, const char *output, bool shared) {
    const char *base = getenv("TMPDIR");
    struct strbuf folder = {0}, object = {0};
    bool ok = false;
    strbuf_printf(&folder, "%s/wasmetal.XXXXXX", base && *base ? base : "/tmp");
    if (!mkdtemp(folder.data)) {
        diag_error(dr->diag, DIAG_WRITE_FILE, DIAG_NO_OFFSET, -1, NULL, "cannot make folder %s: %s", folder.data,
                   strerror(errno));
        goto cleanup;
    }
    strbuf_printf(&object, "%s/%s.o", folder.data, dr->module->name);
    if (write_file(dr->diag, object.data, dr->object.bytes, dr->object.size)) {
        const char *link[] = {tool("CC", "cc"), "-shared", "-o", output, object.data, NULL};
        const char *archive[] = {tool("AR", "ar"), "rcsD", output, object.data, NULL};
        if (!shared)
            unlink(output); /* ar would add to it */
        ok = run_tool(dr->diag, shared ? link : archive);
        unlink(object.data);
    }
    rmdir(folder.data);
cleanup:
    strbuf_free(&folder);
    strbuf_free(&object);
    return ok;
}

enum output_kind { OUTPUT_OBJECT, OUTPUT_ARCHIVE, OUTPUT_SHARED, OUTPUT_UNKNOWN };

static enum output_kind kind_of(const char *output) {
    if (strcmp(output, "-") == 0 || ends_with(output, ".o") || ends_with(output, ".obj"))
        return OUTPUT_OBJECT;
    if (ends_with(output, ".a"))
        return OUTPUT_ARCHIVE;
    if (ends_with(output, ".so") || ends_with(output, ".dylib"))
        return OUTPUT_SHARED;
    return OUTPUT_UNKNOWN;
}

static bool write_header(struct driver *dr, const char *output) {
    struct strbuf path = {0}, text = {0};
    strbuf_add_bytes(&path, output, (size_t)(strrchr(output, '.') - output));
    strbuf_add(&path, ".h");
    bool ok = header_write(dr->module, &text) && write_file(dr->diag, path.data, text.data, text.len);
    strbuf_free(&path);
    strbuf_free(&text);
    return ok;
}

static bool write_native(struct driver *dr, enum output_kind kind) {
    const struct options *o = dr->options;
    if (!driver_compile_host(dr, o->cpu))
        return false;
    bool ok = kind == OUTPUT_OBJECT ? write_file(dr->diag, o->output, dr->object.bytes, dr->object.size)
                                    : package(dr, o->output, kind == OUTPUT_SHARED);
    return ok && (o->no_header || strcmp(o->output, "-") == 0 || write_header(dr, o->output));
}

/* --metallib: bytes that Metal reads at run time, and only checks then; they start with "MTLB". */
static bool read_metallib(struct driver *dr, const char *path) {
    if (!file_read(path, MAX_METALLIB, &dr->metallib, &dr->metallib_size)) {
        diag_error(dr->diag, DIAG_READ_FILE, DIAG_NO_OFFSET, -1, NULL, "cannot read %s: %s", path, strerror(errno));
        return false;
    }
    if (dr->metallib_size == 0) /* of a module without kernels */
        return true;
    if (dr->metallib_size < 4 || memcmp(dr->metallib, "MTLB", 4) != 0) {
        diag_error(dr->diag, DIAG_OPTION, DIAG_NO_OFFSET, -1, NULL, "--metallib=%s is no Metal library", path);
        return false;
    }
    return true;
}

int command_compile(const struct options *o, struct diag *d) {
    int emitter = o->emit ? find_emitter(o->emit) : -1;
    enum output_kind kind = o->output ? kind_of(o->output) : OUTPUT_UNKNOWN;
    if (o->emit && emitter < 0) {
        diag_error(d, DIAG_OPTION, DIAG_NO_OFFSET, -1, NULL,
                   "--emit=%s: the kinds are ir, llvm, spirv, msl, wgsl, metadata, header", o->emit);
        return EXIT_USAGE;
    }
    if (!o->emit && kind == OUTPUT_UNKNOWN) {
        diag_error(d, DIAG_OUTPUT_KIND, DIAG_NO_OFFSET, -1, NULL, "-o %s: unknown suffix", o->output);
        return EXIT_USAGE;
    }
    struct driver dr = {0};
    bool ok = driver_read(&dr, o, d) && driver_analyse(&dr);
    if (ok && dr.stopped && emitter != 0) {
        diag_error(d, DIAG_OPTION, DIAG_NO_OFFSET, -1, NULL, "--stop-after goes with --emit=ir only");
        ok = false;
    }
    ok = ok && (!o->save_kernels || output_save_kernels(&dr, o->save_kernels));
    ok = ok && (!o->metallib || read_metallib(&dr, o->metallib));
    ok = ok && (o->emit ? write_emitted(&dr, emitter) : write_native(&dr, kind));
    driver_release(&dr);
    return ok ? EXIT_OK : EXIT_INPUT;
}
