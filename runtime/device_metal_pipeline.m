/* Libraries and pipelines, made when first needed and kept until the device is closed.
 *
 * A kernel comes from the module's metallib (made at build time, see cmake/WasmetalMetallib.cmake) when it has one that
 * this system loads, else its source is compiled here, under options that forbid what strict mode forbids: contraction
 * (by pragma, in the source), fast math, and imprecise division and square root.
 *
 * Compiled pipelines are kept in an MTLBinaryArchive on disk, one a module and GPU, so that the next process need not
 * compile: first a pipeline is asked for with "fail unless it is in the archive"; if that fails it is compiled and
 * added, and an archive that has grown is written when the device is closed.  An archive that does not load (another
 * OS, a damaged file) is started afresh: it is a cache, never an error.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/device_metal.h"

/* MTLCompileOptions before and since macOS 15; which of these an object has is asked at run time, so that neither an
 * older SDK nor a newer one's deprecations matter. */
@protocol metal_math_options
- (void)setFastMathEnabled:(BOOL)enabled;
- (void)setMathMode:(NSInteger)mode;
- (void)setMathFloatingPointFunctions:(NSInteger)functions;
@end

enum { MATH_MODE_SAFE = 0, MATH_FUNCTIONS_PRECISE = 1 }; /* MTLMathModeSafe, MTLMathFloatingPointFunctionsPrecise */

id<MTLLibrary> metal_compile(struct metal_device *d, const char *source, NSError **out_error) {
    MTLCompileOptions *options = [[MTLCompileOptions alloc] init];
    id<metal_math_options> math = (id<metal_math_options>)options;
    [options setLanguageVersion:MTLLanguageVersion2_3];
    if ([options respondsToSelector:@selector(setMathMode:)] &&
        [options respondsToSelector:@selector(setMathFloatingPointFunctions:)]) {
        [math setMathMode:MATH_MODE_SAFE];
        [math setMathFloatingPointFunctions:MATH_FUNCTIONS_PRECISE];
    } else {
        [math setFastMathEnabled:NO];
    }
    id<MTLLibrary> library = [d->device newLibraryWithSource:metal_string(source) options:options error:out_error];
    [options release];
    return library;
}

/* ---- where kernels come from ---- */

static void load_library(struct metal_device *d) {
    d->library_tried = true;
    if (!d->module->metallib)
        return;
    NSError *error = nil;
    dispatch_data_t data =
        dispatch_data_create(d->module->metallib, d->module->metallib_size, NULL, DISPATCH_DATA_DESTRUCTOR_DEFAULT);
    d->library = data ? [d->device newLibraryWithData:data error:&error] : nil;
    if (data)
        dispatch_release(data);
    if (d->library)
        [d->library setLabel:metal_string(d->module->name)];
    else
        wm_device_log(&d->log, WM_LOG_WARNING, "WMR2306",
                      "the module's metallib cannot be loaded, its kernels are compiled from source: %s",
                      metal_error_text(error));
}

/* Which text of a kernel is taken. */
struct choice {
    const char *msl;
    uint64_t emulated; /* OFF_USE_* */
};

static bool choose_text(struct metal_device *d, const struct wm_kernel *k, struct choice *out,
                        enum wm_fallback *out_why) {
    const uint64_t avoidable = OFF_USE_F32_SUBNORMAL | OFF_USE_F32_DIV | OFF_USE_F32_SQRT;
    uint64_t inexact = k->msl ? metal_inexact_uses(d, (uint32_t)k->uses) : 0;
    *out_why = k->msl ? WM_FALLBACK_INEXACT : WM_FALLBACK_CAPABILITY;
    if (!k->msl || (inexact & ~avoidable) || (inexact && !k->msl_exact))
        return false;
    *out = (struct choice){inexact ? k->msl_exact : k->msl, k->uses & OFF_USE_F64};
    if (inexact)
        out->emulated |= k->uses & OFF_USE_F32_SUBNORMAL;
    return true;
}

/* Owned by the caller; nil with a reason. */
static id<MTLFunction> find_function(struct metal_device *d, const struct wm_kernel *k, const struct choice *c,
                                     enum wm_fallback *out_why) {
    NSError *error = nil;
    char exact[512];
    snprintf(exact, sizeof exact, "%s%s", k->name, c->msl == k->msl ? "" : "_exact");
    NSString *name = metal_string(exact);
    if (!d->library_tried)
        load_library(d);
    id<MTLFunction> function = d->library ? [d->library newFunctionWithName:name] : nil;
    if (function)
        return function;
    *out_why = WM_FALLBACK_DEVICE_ERROR;
    id<MTLLibrary> library = metal_compile(d, c->msl, &error);
    [library setLabel:name];
    function = library ? [library newFunctionWithName:name] : nil;
    [library release];
    if (!function)
        wm_device_log(&d->log, WM_LOG_WARNING, "WMR2305", "kernel %s does not compile: %s", exact,
                      metal_error_text(error));
    return function;
}

/* ---- the archive ---- */

/* FNV-1a (Fowler, Noll, Vo), 64 bits.  The archive's own keys decide what fits; this only names the file. */
static uint64_t hash_text(uint64_t hash, const char *text) {
    for (; text && *text; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    return hash;
}

static char *archive_path(const struct metal_device *d) {
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (d->no_environment || !((cache && cache[0] == '/') || (home && home[0] == '/')))
        return NULL;
    char folder[1024], *path = NULL;
    int n = cache && cache[0] == '/' ? snprintf(folder, sizeof folder, "%s/wasmetal", cache)
                                     : snprintf(folder, sizeof folder, "%s/Library/Caches/wasmetal", home);
    if (n < 0 || (size_t)n >= sizeof folder)
        return NULL;
    mkdir(folder, 0700); /* the folder above is the system's; where it is missing there is no cache */
    struct stat st;
    if (stat(folder, &st) != 0 || st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)))
        return NULL;
    uint64_t hash = hash_text(0xcbf29ce484222325u, d->base.name);
    for (uint64_t i = 0; i < d->module->nkernels; i++)
        hash = hash_text(hash_text(hash, d->module->kernels[i].name), d->module->kernels[i].msl);
    size_t size = strlen(folder) + 40;
    path = malloc(size);
    if (path)
        snprintf(path, size, "%s/%016llx.binarchive", folder, (unsigned long long)hash);
    return path;
}

static void open_archive(struct metal_device *d) {
    d->archive_tried = true;
    d->archive_path = archive_path(d);
    if (!d->archive_path)
        return;
    MTLBinaryArchiveDescriptor *what = [[MTLBinaryArchiveDescriptor alloc] init];
    NSError *error = nil;
    if (access(d->archive_path, R_OK) == 0) {
        [what setUrl:[NSURL fileURLWithPath:metal_string(d->archive_path)]];
        d->archive = [d->device newBinaryArchiveWithDescriptor:what error:&error];
        if (!d->archive) {
            wm_device_log(&d->log, WM_LOG_INFO, "WMR2312", "%s is of no use and will be written again: %s",
                          d->archive_path, metal_error_text(error));
            unlink(d->archive_path);
        }
    }
    if (!d->archive) {
        [what setUrl:nil];
        d->archive = [d->device newBinaryArchiveWithDescriptor:what error:&error];
    }
    [what release];
}

/* Through a temporary file, so that another process never reads half an archive. */
static void write_archive(struct metal_device *d) {
    size_t size = strlen(d->archive_path) + 32;
    char *temporary = malloc(size);
    if (!temporary)
        return;
    snprintf(temporary, size, "%s.%ld", d->archive_path, (long)getpid());
    NSError *error = nil;
    if (![d->archive serializeToURL:[NSURL fileURLWithPath:metal_string(temporary)] error:&error] ||
        rename(temporary, d->archive_path) != 0) {
        unlink(temporary);
        wm_device_log(&d->log, WM_LOG_INFO, "WMR2312", "compiled kernels cannot be kept in %s: %s", d->archive_path,
                      metal_error_text(error));
    }
    free(temporary);
}

/* ---- pipelines ---- */

static id<MTLComputePipelineState> make_state(struct metal_device *d, const struct wm_kernel *k,
                                              id<MTLFunction> function, NSError **out_error) {
    MTLComputePipelineDescriptor *what = [[MTLComputePipelineDescriptor alloc] init];
    [what setLabel:metal_string(k->name)];
    [what setComputeFunction:function];
    [what setMaxTotalThreadsPerThreadgroup:k->workgroup[0] * k->workgroup[1] * k->workgroup[2]];
    if (!d->archive_tried)
        open_archive(d);
    id<MTLComputePipelineState> state = nil;
    if (d->archive) {
        [what setBinaryArchives:[NSArray arrayWithObject:d->archive]];
        state = [d->device newComputePipelineStateWithDescriptor:what
                                                         options:MTLPipelineOptionFailOnBinaryArchiveMiss
                                                      reflection:NULL
                                                           error:NULL];
    }
    if (!state) {
        state = [d->device newComputePipelineStateWithDescriptor:what
                                                         options:MTLPipelineOptionNone
                                                      reflection:NULL
                                                           error:out_error];
        if (state && d->archive)
            d->archive_grew |= [d->archive addComputePipelineFunctionsWithDescriptor:what error:NULL];
    }
    [what release];
    return state;
}

static bool workgroup_fits(const struct metal_device *d, const struct wm_kernel *k) {
    MTLSize most = [d->device maxThreadsPerThreadgroup];
    return k->workgroup[0] <= most.width && k->workgroup[1] <= most.height && k->workgroup[2] <= most.depth;
}

static enum wm_fallback make_pipeline(void *device, uint64_t kernel) {
    struct metal_device *d = device;
    const struct wm_kernel *k = &d->module->kernels[kernel];
    struct metal_pipeline *out = &d->pipelines[kernel];
    enum wm_fallback why;
    struct choice choice;
    NSError *error = nil;
    if (!workgroup_fits(d, k))
        return WM_FALLBACK_CAPABILITY;
    if (!choose_text(d, k, &choice, &why))
        return why;
    id<MTLFunction> function = find_function(d, k, &choice, &why);
    if (!function)
        return why;
    out->is.emulated = choice.emulated;
    out->state = make_state(d, k, function, &error);
    [function release];
    if (!out->state) {
        wm_device_log(&d->log, WM_LOG_WARNING, "WMR2305", "kernel %s has no pipeline: %s", k->name,
                      metal_error_text(error));
        return WM_FALLBACK_DEVICE_ERROR;
    }
    /* Registers can leave room for fewer threads than asked for. */
    if ([out->state maxTotalThreadsPerThreadgroup] < k -> workgroup[0] * k -> workgroup[1] * k -> workgroup[2]) {
        [out->state release];
        out->state = nil;
        return WM_FALLBACK_CAPABILITY;
    }
    return WM_FALLBACK_COUNT;
}

struct metal_pipeline *metal_pipeline_get(struct metal_device *d, uint64_t kernel, enum wm_fallback *out_why) {
    struct metal_pipeline *p = &d->pipelines[kernel];
    return wm_compile_once(&p->is, make_pipeline, d, d->module, kernel, &d->log, "WMR2310", out_why) ? p : NULL;
}

void metal_release_pipelines(struct metal_device *d) {
    if (d->archive_grew && !d->base.dead)
        write_archive(d);
    for (uint64_t i = 0; d->pipelines && i < d->module->nkernels; i++)
        [d->pipelines[i].state release];
    [d->archive release];
    [d->library release];
    free(d->archive_path);
}
