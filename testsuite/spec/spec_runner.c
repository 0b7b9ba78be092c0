/* Runs official .wast scripts against the product.
 *
 * Each script is converted by wabt's wast2json and replayed in a process of its own, so that a crash costs one script:
 * what it had not answered then counts as failed.  The counts live in memory shared with that process.
 *
 * A skip list has lines "name.wast:LINE reason"; the command there must fail.  The exit code is 0 when nothing failed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compiler/features.h"
#include "compiler/file.h"
#include "testsuite/spec/spec.h"

enum { MAX_JSON_BYTES = 1 << 30, EXIT_CONVERT = 3, EXIT_READ = 4 };

struct job {
    char *path, *name; /* "x/i32.wast", "i32.wast" */
    pid_t pid;
    FILE *out; /* what it has to say, in a temporary file */
    struct spec_counts *counts;
};

struct runner {
    struct store_options store;
    const char *wast2json, *work;
    const char *features[32];
    unsigned nfeatures;
    struct spec_skip *skips;
    unsigned nskips, skips_cap;
    struct job *jobs;
    unsigned njobs, jobs_cap;
    unsigned parallel, timeout, max_failures;
    bool quiet;
    struct arena arena;
};

static _Noreturn void fail(const char *what, const char *name) {
    fprintf(stderr, "spec_runner: %s %s%s%s\n", what, name, errno ? ": " : "", errno ? strerror(errno) : "");
    exit(2);
}

static void usage(void) {
    puts("usage: spec_runner [options] [FILE.wast...]\n"
         "  --spec-dir DIR         every .wast file of the folder\n"
         "  -O N                   how hard LLVM optimises (2)\n"
         "  --bounds-checks=on     explicit checks instead of guard pages\n"
         "  --part-size N          compile each module in parts of N instructions (host_parts.c's)\n"
         "  --device DEV           none, cpu, vulkan, vulkan:N (none)\n"
         "  --min-work N           least work for a launch; 1: launch whatever can be (the device's own)\n"
         "  --no-offload           make no kernels\n"
         "  --verify               check the compiler's own work after every pass\n"
         "  --enable PROPOSAL      beyond Wasm 2.0, as in --enable tail-call (all others are refused)\n"
         "  --skip FILE            commands that are known to fail, \"name.wast:LINE reason\"\n"
         "  --wast2json PATH       the converter\n"
         "  --work DIR             where converted modules go (a temporary folder)\n"
         "  -j N                   scripts at a time (2)\n"
         "  --timeout SECONDS      for one script (300)\n"
         "  --failures N           print so many failures of a script (10)\n"
         "  --quiet                list only scripts with failures");
}

/* ---- input ---- */

static void add_script(struct runner *r, const char *path) {
    struct job *j = arena_push(&r->arena, r->jobs, r->njobs, r->jobs_cap);
    const char *slash = strrchr(path, '/');
    *j = (struct job){.path = arena_strdup(&r->arena, path), .name = arena_strdup(&r->arena, slash ? slash + 1 : path)};
}

static int by_name(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void add_folder(struct runner *r, const char *folder) {
    struct dirent **entries;
    int n = scandir(folder, &entries, NULL, by_name);
    if (n < 0)
        fail("cannot read", folder);
    for (int i = 0; i < n; i++) {
        size_t length = strlen(entries[i]->d_name);
        if (length > 5 && strcmp(entries[i]->d_name + length - 5, ".wast") == 0)
            add_script(r, arena_printf(&r->arena, "%s/%s", folder, entries[i]->d_name));
        free(entries[i]);
    }
    free(entries);
}

static void read_skips(struct runner *r, const char *path) {
    FILE *f = fopen(path, "r");
    char line[512];
    if (!f)
        fail("cannot read", path);
    while (fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = 0;
        if (!*line || *line == '#')
            continue;
        char *colon = strchr(line, ':'), *reason;
        unsigned long at = colon ? strtoul(colon + 1, &reason, 10) : 0;
        errno = 0;
        if (!at || *reason != ' ' || !reason[strspn(reason, " ")])
            fail("no \"name.wast:LINE reason\":", line);
        *colon = 0;
        struct spec_skip *s = arena_push(&r->arena, r->skips, r->nskips, r->skips_cap);
        *s = (struct spec_skip){arena_strdup(&r->arena, line), (unsigned)at,
                                arena_strdup(&r->arena, reason + strspn(reason, " "))};
    }
    fclose(f);
}

static unsigned number(const char *text) {
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    errno = 0;
    if (!*text || *end || n > 1000000000)
        fail("not a number:", text);
    return (unsigned)n;
}

/* The value of an option, "--name=VALUE" or "--name VALUE" or "-nVALUE"; NULL when `argv[*i]` is another option. */
static const char *option(const char *name, int argc, char **argv, int *i) {
    size_t n = strlen(name);
    if (strncmp(argv[*i], name, n) != 0)
        return NULL;
    const char *rest = argv[*i] + n;
    if (*rest == '=')
        return rest + 1;
    if (*rest)
        return name[1] == '-' ? NULL : rest;
    if (*i + 1 >= argc)
        fail("a value is missing behind", name);
    return argv[++*i];
}

static void parse(struct runner *r, int argc, char **argv) {
    struct options *o = &r->store.compile;
    for (int i = 1; i < argc; i++) {
        const char *v;
        if ((v = option("--spec-dir", argc, argv, &i)))
            add_folder(r, v);
        else if ((v = option("-O", argc, argv, &i)))
            o->opt_level = number(v);
        else if ((v = option("--bounds-checks", argc, argv, &i)))
            o->bounds_checks = v;
        else if ((v = option("--part-size", argc, argv, &i)))
            o->part_size = number(v);
        else if ((v = option("--device", argc, argv, &i)))
            r->store.device = v;
        else if ((v = option("--min-work", argc, argv, &i)))
            r->store.min_work = number(v);
        else if ((v = option("--enable", argc, argv, &i))) {
            if (r->nfeatures == sizeof r->features / sizeof *r->features)
                fail("too many features at", v);
            r->features[r->nfeatures++] = arena_printf(&r->arena, "--enable-%s", v);
            enum feature f = feature_find(v, strlen(v)); /* others are left to fail by their name */
            if (f != FEATURE_COUNT)
                o->disabled &= ~(UINT32_C(1) << f);
        } else if ((v = option("--skip", argc, argv, &i)))
            read_skips(r, v);
        else if ((v = option("--wast2json", argc, argv, &i)))
            r->wast2json = v;
        else if ((v = option("--work", argc, argv, &i)))
            r->work = v;
        else if ((v = option("-j", argc, argv, &i)))
            r->parallel = number(v) ? number(v) : 1;
        else if ((v = option("--timeout", argc, argv, &i)))
            r->timeout = number(v);
        else if ((v = option("--failures", argc, argv, &i)))
            r->max_failures = number(v);
        else if (strcmp(argv[i], "--no-offload") == 0)
            o->no_offload = true;
        else if (strcmp(argv[i], "--verify") == 0)
            o->verify = true;
        else if (strcmp(argv[i], "--quiet") == 0)
            r->quiet = true;
        else if (strcmp(argv[i], "--help") == 0) {
            usage();
            exit(0);
        } else if (*argv[i] != '-')
            add_script(r, argv[i]);
        else {
            errno = 0;
            fail("unknown option", argv[i]);
        }
    }
}

/* ---- one script, in its own process ---- */

static bool convert(struct runner *r, const struct job *j, const char *json) {
    const char *argv[40];
    unsigned n = 0;
    argv[n++] = r->wast2json;
    for (unsigned i = 0; i < r->nfeatures; i++)
        argv[n++] = r->features[i];
    argv[n++] = j->path;
    argv[n++] = "-o";
    argv[n++] = json;
    argv[n] = NULL;
    pid_t pid = fork();
    if (pid == 0) {
        dup2(fileno(j->out), STDOUT_FILENO);
        dup2(fileno(j->out), STDERR_FILENO);
        execvp(argv[0], (char **)argv);
        dprintf(STDERR_FILENO, "cannot run %s: %s\n", argv[0], strerror(errno));
        _exit(127);
    }
    int status;
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int run_script(struct runner *r, const struct job *j) {
    char *folder = arena_printf(&r->arena, "%s/%s", r->work, j->name);
    char *json = arena_printf(&r->arena, "%s/script.json", folder);
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        fail("cannot make the folder", folder);
    if (!convert(r, j, json))
        return EXIT_CONVERT;
    uint8_t *bytes;
    size_t size;
    if (!file_read(json, MAX_JSON_BYTES, &bytes, &size))
        return EXIT_READ;
    char *text = arena_strndup(&r->arena, (const char *)bytes, size);
    const struct json *commands = json_get(json_parse(&r->arena, text), "commands");
    if (!commands)
        return EXIT_READ;
    struct spec_script script = {
        .name = j->name,
        .folder = folder,
        .commands = commands,
        .skips = r->skips,
        .nskips = r->nskips,
        .max_failures = r->max_failures,
        .out = j->out,
    };
    script_run(&script, &r->store, j->counts);
    return 0;
}

static void start(struct runner *r, struct job *j) {
    j->out = tmpfile();
    j->counts = mmap(NULL, sizeof *j->counts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (!j->out || j->counts == MAP_FAILED)
        fail("cannot start", j->name);
    fflush(stdout);
    j->pid = fork();
    if (j->pid < 0)
        fail("cannot fork for", j->name);
    if (j->pid == 0) {
        alarm(r->timeout);
        dup2(fileno(j->out), STDERR_FILENO); /* internal errors say there what broke */
        int code = run_script(r, j);
        fflush(j->out);
        _exit(code);
    }
}

/* ---- report ---- */

static void print_output(FILE *f) {
    char buffer[4096];
    size_t n;
    rewind(f);
    while ((n = fread(buffer, 1, sizeof buffer, f)) > 0)
        fwrite(buffer, 1, n, stdout);
    fclose(f);
}

static void finish(struct runner *r, struct job *j, int status, struct spec_counts *sum) {
    struct spec_counts *c = j->counts;
    bool clean = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    char how[128] = "";
    if (!clean) {
        unsigned answered = c->passed + c->failed + c->skipped;
        c->failed += c->total > answered ? c->total - answered : 1;
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
            snprintf(how, sizeof how, " (out of time in line %u)", c->line);
        else if (WIFSIGNALED(status))
            snprintf(how, sizeof how, " (signal %d in line %u)", WTERMSIG(status), c->line);
        else if (WEXITSTATUS(status) == EXIT_CONVERT)
            snprintf(how, sizeof how, " (wast2json failed)");
        else if (WEXITSTATUS(status) == EXIT_READ)
            snprintf(how, sizeof how, " (cannot read what wast2json wrote)");
        else
            snprintf(how, sizeof how, " (internal error in line %u)", c->line);
    }
    if (!r->quiet || c->failed) {
        print_output(j->out);
        printf("%-36s %6u passed %5u failed", j->name, c->passed, c->failed);
        if (c->unsupported)
            printf(" (%u not supported)", c->unsupported);
        if (c->skipped)
            printf(" %u skipped", c->skipped);
        if (c->text)
            printf(" %u of the text format", c->text);
        printf("%s\n", how);
    } else {
        fclose(j->out);
    }
    sum->total += c->total;
    sum->passed += c->passed;
    sum->failed += c->failed;
    sum->skipped += c->skipped;
    sum->unsupported += c->unsupported;
    sum->text += c->text;
    sum->refused += c->refused;
    sum->named += c->named;
    sum->setup += c->setup;
    sum->launches += c->launches;
    sum->fallbacks += c->fallbacks;
    sum->kernels += c->kernels;
    munmap(c, sizeof *c);
}

/* Starts up to `parallel` scripts and waits for each in turn. */
static void run_all(struct runner *r, struct spec_counts *sum) {
    unsigned started = 0;
    for (unsigned i = 0; i < r->njobs; i++) {
        while (started < r->njobs && started < i + r->parallel)
            start(r, &r->jobs[started++]);
        int status;
        if (waitpid(r->jobs[i].pid, &status, 0) < 0)
            fail("lost", r->jobs[i].name);
        finish(r, &r->jobs[i], status, sum);
    }
}

static void remove_work(const char *work) {
    pid_t pid = fork();
    if (pid == 0) {
        execlp("rm", "rm", "-rf", "--", work, (char *)NULL);
        _exit(127);
    }
    if (pid > 0)
        waitpid(pid, NULL, 0);
}

int main(int argc, char **argv) {
    struct runner r = {
        .store = {.compile = {.opt_level = 2, .disabled = FEATURES_ALL}, .device = "none"},
        .wast2json = "wast2json",
        .parallel = 2,
        .timeout = 300,
        .max_failures = 10,
    };
    parse(&r, argc, argv);
    if (!r.njobs) {
        usage();
        return 2;
    }
    char temporary[] = "/tmp/wasmetal-spec-XXXXXX";
    bool own_work = !r.work;
    if (own_work && !(r.work = mkdtemp(temporary)))
        fail("cannot make the folder", temporary);
    if (!own_work && mkdir(r.work, 0777) != 0 && errno != EEXIST)
        fail("cannot make the folder", r.work);
    struct spec_counts sum = {0};
    run_all(&r, &sum);
    printf("%u modules, registrations and actions; %u malformed or invalid binaries refused (%u in the name of a "
           "proposal); %u assertions about the "
           "text format left out; %u skipped; %u not supported\n",
           sum.setup, sum.refused, sum.named, sum.text, sum.skipped, sum.unsupported);
    printf("%llu kernels, %llu launches, %llu fallbacks on device %s\n", (unsigned long long)sum.kernels,
           (unsigned long long)sum.launches, (unsigned long long)sum.fallbacks, r.store.device);
    printf("%u passed, %u failed\n", sum.passed, sum.failed);
    if (own_work)
        remove_work(r.work);
    arena_free(&r.arena);
    return sum.failed != 0;
}
