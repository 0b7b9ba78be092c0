/* Libraries, functions, pipelines and archives of the test double.
 *
 * MSL is compiled by clang, as C++ with our metal_stdlib, into a shared object.  To each kernel the double adds a
 * function that calls it with one thread's position, and a table of its buffer arguments made of the declaration:
 *
 *     kernel void f(device words& a [[buffer(0)]], constant params& p [[buffer(1)]], uint3 id
 * [[thread_position_in_grid]])
 *     ->  void msl_run_f(void *const *buffers, const msl_thread *t) {
 *             msl_enter(t);
 *             f(*(device words *)buffers[0], *(constant params *)buffers[1], msl_uint3(t->position_in_grid)); }
 *
 * and a variable `threadgroup T name[N];` of a kernel becomes a reference to memory of the group.  Options mean what
 * they mean to Metal: with fast math clang gets -ffast-math, else everything is contracted that the source does not
 * forbid.
 *
 * A metallib here is what tests/metal/xcrun makes: "MTLB" and a line, then for each kernel "//@ NAME BYTES" and its
 * MSL.
 */
#include "objects.h"

#include <ctype.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* ---- text ---- */

struct text {
    char *data;
    size_t size;
    FILE *stream;
};

static FILE *text_open(struct text *t) {
    *t = (struct text){0};
    t->stream = open_memstream(&t->data, &t->size);
    return t->stream;
}

static char *read_whole(const char *path) {
    struct text t;
    FILE *f = fopen(path, "rb"), *out = text_open(&t);
    char block[4096];
    for (size_t n; f && (n = fread(block, 1, sizeof block, f)) > 0;)
        fwrite(block, 1, n, out);
    fclose(out);
    if (f)
        fclose(f);
    return t.data;
}

/* FNV-1a (Fowler, Noll, Vo), 64 bits */
static uint64_t hash_text(uint64_t hash, const char *text) {
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    return hash;
}

/* ---- from MSL to C++ that clang can run ---- */

/* One argument of a kernel, at text[0, n): adds its expression to `call` and, for a buffer, a row to `table`. */
static bool add_argument(const char *text, size_t n, FILE *call, FILE *table) {
    static const struct {
        const char *attribute, *expression;
    } values[] = {
        {"thread_position_in_grid", "msl_uint3(t->position_in_grid)"},
        {"thread_position_in_threadgroup", "msl_uint3(t->position_in_group)"},
        {"threadgroup_position_in_grid", "msl_uint3(t->group)"},
        {"threads_per_threadgroup", "msl_uint3(t->threads_per_group)"},
        {"threadgroups_per_grid", "msl_uint3(t->groups)"},
        {"thread_index_in_threadgroup", "t->index_in_group"},
    };
    char copy[512];
    if (n >= sizeof copy)
        return false;
    memcpy(copy, text, n);
    copy[n] = 0;
    char *attribute = strstr(copy, "[["), *space;
    if (!attribute)
        return false;
    *attribute = 0;
    attribute += 2;
    unsigned index;
    if (sscanf(attribute, "buffer(%u)", &index) == 1) {
        char *reference = strpbrk(copy, "&*");
        if (!reference)
            return false;
        bool pointer = *reference == '*';
        *reference = 0;
        const char *type = copy + strspn(copy, " ");
        space = strstr(type, "constant ") ? "MSL_CONSTANT" : strstr(type, "device ") ? "MSL_DEVICE" : NULL;
        if (!space)
            return false;
        fprintf(call, pointer ? "(%s*)buffers[%u]" : "*(%s*)buffers[%u]", type, index);
        fprintf(table, "{%u, sizeof(%s), alignof(%s), %s}, ", index, type, type, space);
        return true;
    }
    attribute[strcspn(attribute, "]")] = 0;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        if (strcmp(attribute, values[i].attribute) == 0) {
            fputs(values[i].expression, call);
            return true;
        }
    return false;
}

/* The runner and table of the kernel whose name starts at `name`; false when the declaration is beyond us. */
static bool add_runner(const char *name, bool barriers, FILE *runners, FILE *list) {
    struct text call, table;
    const char *open = strchr(name, '('), *at = open + 1;
    bool ok = true;
    int length = (int)(open - name), depth = 0;
    text_open(&call);
    text_open(&table);
    unsigned count = 0;
    for (const char *p = at; ok; p++) {
        depth += (*p == '(' || *p == '[' || *p == '<') - (*p == ']' || *p == '>');
        if (*p == ')' && depth > 0) {
            depth--;
        } else if ((*p == ',' && depth == 0) || *p == ')') {
            if (p > at) {
                if (at != open + 1)
                    fputs(", ", call.stream);
                ok = add_argument(at, (size_t)(p - at), call.stream, table.stream);
                fflush(table.stream);
            }
            at = p + 1;
            if (*p == ')')
                break;
        }
        ok &= *p != 0;
    }
    fclose(call.stream);
    fclose(table.stream);
    for (const char *row = table.data; (row = strchr(row, '{')); row++)
        count++;
    fprintf(runners, "static const msl_argument msl_arguments_%.*s[] = {%s{}};\n", length, name, table.data);
    fprintf(
        runners,
        "static void msl_run_%.*s(void *const *buffers, const msl_thread *t) {\n    msl_enter(t);\n    %.*s(%s);\n}\n",
        length, name, length, name, call.data);
    fprintf(list, "    {\"%.*s\", msl_arguments_%.*s, %u, %d, msl_run_%.*s},\n", length, name, length, name, count,
            barriers, length, name);
    free(call.data);
    free(table.data);
    return ok;
}

/* `    threadgroup T name[N];` to a reference into the group's memory; every other line as it is. */
static void copy_line(const char *line, size_t n, unsigned *variables, FILE *out) {
    size_t indent = strspn(line, " ");
    static const char word[] = "threadgroup ";
    if (indent == 0 || indent + sizeof word > n || strncmp(line + indent, word, sizeof word - 1) != 0 ||
        line[n - 1] != ';') {
        fprintf(out, "%.*s\n", (int)n, line);
        return;
    }
    const char *type = line + indent + sizeof word - 1, *dimensions = memchr(type, '[', (size_t)(line + n - type));
    const char *end = dimensions ? dimensions : line + n - 1, *name = end;
    while (isalnum((unsigned char)name[-1]) || name[-1] == '_')
        name--;
    int dims = (int)(line + n - 1 - end);
    fprintf(out, "    threadgroup %.*s(&%.*s)%.*s = msl_threadgroup<%.*s%.*s>(%u);\n", (int)(name - type), type,
            (int)(end - name), name, dims, end, (int)(name - type), type, dims, end, (*variables)++);
}

/* The C++ for a piece of MSL (malloc'd); NULL with *out_why. */
static char *translate(const char *source, const char **out_why) {
    struct text runners, list, all;
    unsigned variables = 0, kernels = 0;
    bool barriers = strstr(source, "_barrier(") != NULL, ok = true;
    text_open(&runners);
    text_open(&list);
    text_open(&all);
    for (const char *line = source; *line;) {
        size_t n = strcspn(line, "\n");
        copy_line(line, n, &variables, all.stream);
        if (strncmp(line, "kernel void ", 12) == 0) {
            kernels++;
            ok &= add_runner(line + 12, barriers, runners.stream, list.stream);
        }
        line += n + (line[n] != 0);
    }
    fclose(runners.stream);
    fclose(list.stream);
    fprintf(all.stream, "%sextern \"C\" const msl_kernel msl_kernels[] = {\n%s    {}};\n", runners.data, list.data);
    fclose(all.stream);
    free(runners.data);
    free(list.data);
    if (ok && kernels)
        return all.data;
    *out_why = kernels ? "a kernel argument that the double does not know" : "no kernel";
    free(all.data);
    return NULL;
}

/* ---- compiling ---- */

static char private_folder[64];

static void remove_folder(void) {
    rmdir(private_folder);
}

static const char *cache_folder(void) {
    const char *given = getenv("METAL_DOUBLE_CACHE");
    if (given && *given)
        return given;
    if (!private_folder[0]) {
        snprintf(private_folder, sizeof private_folder, "/tmp/metal-double.XXXXXX");
        if (!mkdtemp(private_folder))
            abort();
        atexit(remove_folder);
    }
    return private_folder;
}

/* Runs clang; its messages go to `log`. */
static bool run_clang(char *const *arguments, const char *log) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 2, log, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    pid_t pid;
    int status = 1, failed = posix_spawnp(&pid, arguments[0], &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    while (!failed && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return !failed && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* The kernels of the source, for the rest of the process; NULL with an error. */
static const struct msl_kernel *compile(const char *source, bool fast, NSError **error) {
    const char *why = "";
    char *text = translate(source, &why), name[600], cpp[640], log[640], temporary[640];
    if (!text) {
        metal_set_error(error, "MTLLibraryErrorDomain", 3, "%s", why);
        return NULL;
    }
    char *options[] = {"-std=c++17",
                       "-Xclang",
                       "-cl-single-precision-constant",
                       "-O1",
                       "-w",
                       "-fPIC",
                       "-shared",
                       "-nostdlib",
                       "-DMETAL_DOUBLE",
                       "-I",
                       METAL_STDLIB,
#ifdef __x86_64__
                       __builtin_cpu_supports("fma") ? "-mfma" : "-mno-fma",
#endif
                       fast ? "-ffast-math" : "-ffp-contract=fast-honor-pragmas"};
    enum { OPTIONS = sizeof options / sizeof *options };
    static uint64_t stdlib;
    if (!stdlib) {
        char *header = read_whole(METAL_STDLIB "/metal_stdlib");
        stdlib = hash_text(0xcbf29ce484222325u, header);
        free(header);
    }
    uint64_t hash = hash_text(stdlib, text);
    for (int i = 0; i < OPTIONS; i++)
        hash = hash_text(hash, options[i]);
    snprintf(name, sizeof name, "%s/%016llx.so", cache_folder(), (unsigned long long)hash);
    if (access(name, R_OK) != 0) {
        static unsigned number;
        snprintf(cpp, sizeof cpp, "%s.%ld.%u.cpp", name, (long)getpid(), ++number);
        snprintf(log, sizeof log, "%s.log", cpp);
        snprintf(temporary, sizeof temporary, "%s.so", cpp);
        FILE *f = fopen(cpp, "w");
        if (f) {
            fputs(text, f);
            fclose(f);
        }
        char *arguments[OPTIONS + 5] = {METAL_CLANG};
        memcpy(arguments + 1, options, sizeof options);
        memcpy(arguments + 1 + OPTIONS, (char *[]){"-o", temporary, cpp, NULL}, 4 * sizeof *arguments);
        bool ok = run_clang(arguments, log);
        if (!ok) {
            char *messages = read_whole(log);
            metal_set_error(error, "MTLLibraryErrorDomain", 3, "%s", messages);
            free(messages);
        }
        unlink(cpp);
        unlink(log);
        if (!ok || rename(temporary, name) != 0) {
            free(text);
            return NULL;
        }
    }
    free(text);
    void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (private_folder[0])
        unlink(name);
    const struct msl_kernel *kernels = library ? dlsym(library, "msl_kernels") : NULL;
    if (!kernels)
        metal_set_error(error, "MTLLibraryErrorDomain", 3, "%s", dlerror());
    return kernels;
}

id<MTLLibrary> metal_new_library(NSString *source, MTLCompileOptions *options, NSError **error) {
    metal_counters.source_compiles++;
    if (metal_config.no_compile) {
        metal_set_error(error, "MTLLibraryErrorDomain", 3, "this compiler compiles nothing");
        return nil;
    }
    bool fast = !options || options->fast_math || options->math_functions == 0;
    const struct msl_kernel *kernels = compile([source UTF8String], fast, error);
    if (!kernels)
        return nil;
    DoubleLibrary *library = [[DoubleLibrary alloc] init];
    library->kernels = kernels;
    return library;
}

id<MTLLibrary> metal_new_library_from_data(dispatch_data_t data, NSError **error) {
    if (metal_config.bad_library || data->size < 5 || memcmp(data->bytes, "MTLB\n", 5) != 0) {
        metal_set_error(error, "MTLLibraryErrorDomain", 1, "invalid library file");
        return nil;
    }
    metal_counters.data_libraries++;
    DoubleLibrary *library = [[DoubleLibrary alloc] init];
    library->from_data = true;
    library->text = strdup(data->bytes + 5);
    return library;
}

/* ---- library, function, pipeline, archive ---- */

static const struct msl_kernel *find_kernel(const struct msl_kernel *list, const char *name) {
    for (; list && list->name; list++)
        if (strcmp(list->name, name) == 0)
            return list;
    return NULL;
}

@implementation DoubleLibrary
- (void)setLabel:(NSString *)label {
    (void)label;
}
- (const struct msl_kernel *)kernelFromData:(const char *)name {
    char found[256];
    size_t bytes;
    int head;
    for (const char *at = text; at && sscanf(at, "//@ %255s %zu%n", found, &bytes, &head) == 2;
         at += head + 1 + bytes) {
        if (strcmp(found, name) != 0)
            continue;
        char *source = strndup(at + head + 1, bytes);
        const struct msl_kernel *list = compile(source, false, NULL);
        free(source);
        return find_kernel(list, name);
    }
    return NULL;
}
- (id<MTLFunction>)newFunctionWithName:(NSString *)name {
    const struct msl_kernel *kernel =
        from_data ? [self kernelFromData:[name UTF8String]] : find_kernel(kernels, [name UTF8String]);
    if (!kernel)
        return nil;
    DoubleFunction *function = [[DoubleFunction alloc] init];
    function->library = [self retain];
    function->kernel = kernel;
    return function;
}
- (void)dealloc {
    free(text);
    [super dealloc];
}
@end

@implementation DoubleFunction
- (NSString *)name {
    return [NSString stringWithUTF8String:kernel->name];
}
- (void)dealloc {
    [library release];
    [super dealloc];
}
@end

@implementation DoublePipeline
- (NSString *)label {
    return label;
}
- (NSUInteger)maxTotalThreadsPerThreadgroup {
    return max_threads;
}
- (NSUInteger)threadExecutionWidth {
    return 32;
}
- (void)dealloc {
    [label release];
    [super dealloc];
}
@end

id<MTLComputePipelineState> metal_new_pipeline(MTLComputePipelineDescriptor *what, MTLPipelineOption options,
                                               NSError **error) {
    DoubleFunction *function = (DoubleFunction *)what->function;
    if (!function || !function->kernel)
        metal_rule_broken(RULE_FOREIGN, "no function");
    if (!what->label)
        metal_rule_broken(RULE_LABEL, "pipeline");
    if (metal_config.no_pipeline) {
        metal_set_error(error, "AGXMetal", 1, "this device makes no pipelines");
        return nil;
    }
    DoubleArchive *archive = what->archives ? [what->archives objectAtIndex:0] : nil;
    bool hit = archive && [archive has:function->kernel->name];
    if (options & MTLPipelineOptionFailOnBinaryArchiveMiss) {
        metal_counters.archive_hits += hit;
        metal_counters.archive_misses += !hit;
        if (!hit) {
            metal_set_error(error, "MTLBinaryArchiveDomain", 1, "not in the archive");
            return nil;
        }
    }
    DoublePipeline *pipeline = [[DoublePipeline alloc] init];
    pipeline->label = [what->label retain];
    pipeline->kernel = function->kernel;
    uint64_t most = metal_config.max_threads;
    pipeline->max_threads = what->max_threads && what->max_threads < most ? what->max_threads : most;
    return pipeline;
}

static const char archive_head[] = "an archive of the test double\n";

@implementation DoubleArchive
- (bool)has:(const char *)name {
    char line[300];
    snprintf(line, sizeof line, "\n%s\n", name);
    return strstr(names, line) != NULL;
}
- (BOOL)addComputePipelineFunctionsWithDescriptor:(MTLComputePipelineDescriptor *)descriptor error:(NSError **)error {
    (void)error;
    struct text t;
    text_open(&t);
    fprintf(t.stream, "%s%s\n", names, ((DoubleFunction *)descriptor->function)->kernel->name);
    fclose(t.stream);
    free(names);
    names = t.data;
    return YES;
}
- (BOOL)serializeToURL:(NSURL *)url error:(NSError **)error {
    FILE *f = fopen([[url path] UTF8String], "w");
    if (!f) {
        metal_set_error(error, "MTLBinaryArchiveDomain", 4, "%s", strerror(errno));
        return NO;
    }
    fprintf(f, "%s%s", archive_head, names);
    fclose(f);
    return YES;
}
- (void)dealloc {
    free(names);
    [super dealloc];
}
@end

id<MTLBinaryArchive> metal_new_archive(MTLBinaryArchiveDescriptor *what, NSError **error) {
    char *names = strdup("\n");
    if (what->url) {
        char *text = read_whole([[what->url path] UTF8String]);
        free(names);
        names = NULL;
        if (strncmp(text, archive_head, sizeof archive_head - 1) == 0)
            names = strdup(text + sizeof archive_head - 1);
        free(text);
        if (!names) {
            metal_set_error(error, "MTLBinaryArchiveDomain", 1, "invalid file");
            return nil;
        }
    }
    DoubleArchive *archive = [[DoubleArchive alloc] init];
    archive->names = names;
    return archive;
}
