/* Large modules in parts, compiled side by side.
 *
 *     functions   f0 f1 f2 | f3 f4 ... f9 | f10 | f11 ...        bodies, in index order
 *     parts       head       part 1         part 2               each an LLVM module in a context of its own
 *                   \          |            /
 *                    one object (host_merge.c)
 *
 * The first part has what is there once (thunks, kernels, trampolines, constants) and no bodies.  The others are runs
 * of consecutive functions of about the same weight: linkers put the functions of one source file next to each other,
 * and what calls across files was not inlined by the producer either, so inlining loses little.  Where the cuts are
 * depends on the module and the options alone, never on the number of threads: same bytes out.
 *
 * LLVM's time and memory grow faster than a function's size in some passes (register allocation, instruction
 * selection's scheduler, alias queries), and with the square of a basic block's.  A function above LARGE is compiled
 * alone at -O1, above HUGE_SIZE or with more than LONG_RUN instructions in a row at -O0: a million instructions then
 * take seconds, and what is lost is little, as such functions are tables or initialisers.
 */
#include "backends/host/host_internal.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    PART_SIZE = 30000, /* instructions */
    LARGE = 60000,
    HUGE_SIZE = 200000,
    LONG_RUN = 10000,
    MAX_JOBS = 256,
    STACK_BYTES = 64 << 20 /* of a thread: emission recurses with the nesting, LLVM with expression depth */
};

/* ---- cutting ---- */

struct weight {
    uint64_t insts;        /* a br_table counts by its targets too */
    uint64_t run, longest; /* instructions without control flow between them */
};

static void weigh_region(struct weight *w, const struct ir_region *r) {
    ir_foreach_inst (i, r) {
        w->insts += 1 + i->ntargets / 4;
        bool branches = ir_nregions(i) || i->op == IR_BR_IF || i->op == IR_BR_TABLE;
        w->run = branches ? 0 : w->run + 1;
        if (w->run > w->longest)
            w->longest = w->run;
        for (unsigned k = 0; k < ir_nregions(i); k++) {
            weigh_region(w, i->regions[k]);
            w->run = 0;
        }
    }
}

static int level_for(const struct host_options *options, const struct weight *w) {
    int most = w->insts > HUGE_SIZE || w->longest > LONG_RUN ? 0 : w->insts > LARGE ? 1 : 3;
    return options->opt_level < most ? options->opt_level : most;
}

uint32_t host_split(struct arena *arena, const struct ir_module *m, const struct host_options *options,
                    struct host_part **out_parts) {
    uint64_t size = options->part_size ? options->part_size : PART_SIZE, total = 0;
    struct weight *weights = arena_array(arena, struct weight, m->nfuncs + 1);
    bool elf = options->triple ? host_is_elf(options->triple) : host_is_elf(host_native_triple()), large = false;
    for (uint32_t i = m->nfunc_imports; i < m->nfuncs; i++) {
        weigh_region(&weights[i], m->funcs[i].func->body);
        total += weights[i].insts;
        large |= level_for(options, &weights[i]) < options->opt_level;
    }
    struct host_part *parts = NULL;
    uint32_t n = 0, cap = 0;
    if (!elf || (total <= 2 * size && !large)) {
        *arena_push(arena, parts, n, cap) = (struct host_part){.begin = m->nfunc_imports,
                                                               .end = m->nfuncs,
                                                               .head = true,
                                                               .tail = true,
                                                               .whole = true,
                                                               .opt_level = options->opt_level};
        *out_parts = parts;
        return n;
    }
    *arena_push(arena, parts, n, cap) =
        (struct host_part){m->nfunc_imports, m->nfunc_imports, .head = true, .opt_level = options->opt_level};
    uint64_t sum = 0;
    for (uint32_t i = m->nfunc_imports; i < m->nfuncs; i++) {
        int level = level_for(options, &weights[i]);
        if (n == 1 || sum + weights[i].insts > size || level != parts[n - 1].opt_level) {
            *arena_push(arena, parts, n, cap) = (struct host_part){.begin = i, .end = i, .opt_level = level};
            sum = 0;
        }
        parts[n - 1].end = i + 1;
        sum += weights[i].insts;
    }
    parts[n - 1].tail = true;
    *out_parts = parts;
    return n;
}

/* ---- compiling ---- */

struct pool {
    struct ir_module *m;
    const struct host_options *options;
    const struct host_part *parts;
    uint32_t nparts;
    struct host_object *objects;
    char **errors;
    atomic_uint next;
};

static void *work(void *user) {
    struct pool *p = user;
    for (unsigned i; (i = atomic_fetch_add(&p->next, 1)) < p->nparts;)
        host_compile_part(p->m, p->options, &p->parts[i], &p->objects[i], &p->errors[i]);
    return NULL;
}

static unsigned count_jobs(const struct host_options *options, uint32_t nparts) {
    long processors = options->jobs ? (long)options->jobs : sysconf(_SC_NPROCESSORS_ONLN);
    unsigned jobs = processors < 1 ? 1 : processors > MAX_JOBS ? MAX_JOBS : (unsigned)processors;
    return jobs < nparts ? jobs : nparts;
}

/* This thread works too; threads that the system refuses are done without. */
static void run_pool(struct pool *p, unsigned jobs) {
    pthread_t threads[MAX_JOBS];
    unsigned started = 0;
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    while (started + 1 < jobs && pthread_create(&threads[started], &attr, work, p) == 0)
        started++;
    pthread_attr_destroy(&attr);
    work(p);
    while (started > 0)
        pthread_join(threads[--started], NULL);
}

bool host_compile_parts(struct ir_module *m, const struct host_options *options, const struct host_part *parts,
                        uint32_t nparts, struct host_object *out_object, char **out_error) {
    struct pool p = {.m = m, .options = options, .parts = parts, .nparts = nparts};
    p.objects = calloc(nparts, sizeof *p.objects);
    p.errors = calloc(nparts, sizeof *p.errors);
    if (!p.objects || !p.errors)
        ICE("out of memory for %u parts", nparts);
    host_target_init();
    run_pool(&p, count_jobs(options, nparts));
    for (uint32_t i = 0; i < nparts; i++) {
        if (p.errors[i] && !*out_error)
            *out_error = p.errors[i];
        else
            free(p.errors[i]);
    }
    const char *why = NULL;
    char *symbol = host_error_text("wasmetal_module_%s", m->name);
    if (!*out_error && !host_merge_objects(p.objects, nparts, symbol, out_object, &why))
        ICE("merging objects: %s", why);
    free(symbol);
    for (uint32_t i = 0; i < nparts; i++)
        host_object_free(&p.objects[i]);
    free(p.objects);
    free(p.errors);
    return !*out_error;
}
