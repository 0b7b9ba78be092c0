/* Runs a grid of the test double.
 *
 * Threadgroups are taken by several threads, in an order that is not the natural one, since a GPU promises none.  A
 * kernel without barriers runs its threads one after the other.  With barriers each thread of a group gets a context of
 * its own (ucontext), and the group goes on when all of them have come to the barrier; a group in which some have ended
 * and others wait breaks a rule of Metal.  Threadgroup memory begins with rubbish, as on a GPU.
 */
#include "double.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

enum { MAX_WORKERS = 16, MAX_VARIABLES = 32, STACK_BYTES = 128 << 10 };

struct grid {
    const struct metal_dispatch *d;
    uint64_t count, stride, limit; /* of threadgroups; the order is (i * stride) mod count, up to limit of them */
    atomic_ullong next;
};

struct fiber {
    ucontext_t context;
    void *stack;
    struct msl_thread thread;
    bool started, ended;
};

struct group {
    const struct metal_dispatch *d;
    void *variables[MAX_VARIABLES];
    struct fiber *fibers; /* one a thread, kept from group to group */
    uint32_t nfibers, current;
    ucontext_t scheduler;
};

static _Thread_local struct group *current_group;

static void *threadgroup_variable(uint32_t variable, uint64_t bytes) {
    if (variable >= MAX_VARIABLES)
        abort();
    void **at = &current_group->variables[variable];
    if (!*at) {
        *at = malloc(bytes);
        memset(*at, 0xcd, bytes);
    }
    return *at;
}

static void wait_at_barrier(void) {
    struct group *g = current_group;
    swapcontext(&g->fibers[g->current].context, &g->scheduler);
}

static void fiber_main(void) {
    struct group *g = current_group;
    struct fiber *f = &g->fibers[g->current];
    g->d->kernel->run(g->d->buffers, &f->thread);
    f->ended = true;
    swapcontext(&f->context, &g->scheduler);
}

static void start_fiber(struct fiber *f) {
    if (!f->stack)
        f->stack = malloc(STACK_BYTES);
    f->ended = false;
    f->started = true;
    getcontext(&f->context);
    f->context.uc_stack.ss_sp = f->stack;
    f->context.uc_stack.ss_size = STACK_BYTES;
    f->context.uc_link = NULL;
    makecontext(&f->context, fiber_main, 0);
}

static void run_with_barriers(struct group *g) {
    for (uint32_t i = 0; i < g->nfibers; i++)
        start_fiber(&g->fibers[i]);
    for (uint32_t ended = 0; ended < g->nfibers;) {
        uint32_t before = ended;
        for (g->current = 0; g->current < g->nfibers; g->current++) {
            struct fiber *f = &g->fibers[g->current];
            if (f->ended)
                continue;
            swapcontext(&g->scheduler, &f->context);
            ended += f->ended;
        }
        if (ended != before && ended != g->nfibers)
            metal_rule_broken(RULE_BARRIER, "kernel %s: %u of %u threads ended", g->d->kernel->name, ended, g->nfibers);
    }
}

static struct msl_thread thread_of(const struct metal_dispatch *d, const uint32_t group[3], uint32_t index) {
    struct msl_thread t = {.index_in_group = index, .threadgroup = threadgroup_variable, .barrier = wait_at_barrier};
    uint32_t rest = index;
    for (int a = 0; a < 3; a++) {
        t.position_in_group[a] = rest % d->threads[a];
        rest /= d->threads[a];
        t.group[a] = group[a];
        t.threads_per_group[a] = d->threads[a];
        t.groups[a] = d->groups[a];
        t.position_in_grid[a] = group[a] * d->threads[a] + t.position_in_group[a];
    }
    return t;
}

static void run_group(struct group *g, uint64_t number) {
    const struct metal_dispatch *d = g->d;
    uint32_t group[3];
    for (int a = 0; a < 3; a++) {
        group[a] = (uint32_t)(number % d->groups[a]);
        number /= d->groups[a];
    }
    for (uint32_t i = 0; i < g->nfibers; i++) {
        g->fibers[i].thread = thread_of(d, group, i);
        if (!d->kernel->barriers)
            d->kernel->run(d->buffers, &g->fibers[i].thread);
    }
    if (d->kernel->barriers)
        run_with_barriers(g);
    for (int v = 0; v < MAX_VARIABLES; v++) {
        free(g->variables[v]);
        g->variables[v] = NULL;
    }
}

static void set_rounding(void) {
#ifdef __x86_64__
    /* The default, or with FTZ and DAZ. */
    __builtin_ia32_ldmxcsr(metal_config.flush ? 0x9fc0 : 0x1f80);
#endif
}

static void *worker(void *argument) {
    struct grid *grid = argument;
    struct group g = {.d = grid->d, .nfibers = grid->d->threads[0] * grid->d->threads[1] * grid->d->threads[2]};
    g.fibers = calloc(g.nfibers, sizeof *g.fibers);
    current_group = &g;
    set_rounding();
    for (uint64_t i; (i = atomic_fetch_add(&grid->next, 1)) < grid->limit;)
        run_group(&g, (uint64_t)((unsigned __int128)i * grid->stride % grid->count));
    for (uint32_t i = 0; i < g.nfibers; i++)
        free(g.fibers[i].stack);
    free(g.fibers);
    return NULL;
}

static uint64_t common_divisor(uint64_t a, uint64_t b) {
    return b ? common_divisor(b, a % b) : a;
}

void metal_run_grid(const struct metal_dispatch *d, bool part) {
    struct grid grid = {.d = d, .count = (uint64_t)d->groups[0] * d->groups[1] * d->groups[2]};
    grid.limit = part ? (grid.count + 1) / 2 : grid.count;
    grid.stride = grid.count * 5 / 8 + 1;
    while (common_divisor(grid.stride, grid.count) != 1)
        grid.stride++;
    uint64_t workers = metal_config.workers < grid.limit ? metal_config.workers : grid.limit;
    pthread_t threads[MAX_WORKERS];
    workers = workers < 1 ? 1 : workers > MAX_WORKERS ? MAX_WORKERS : workers;
    for (uint64_t i = 0; i < workers; i++)
        if (pthread_create(&threads[i], NULL, worker, &grid) != 0)
            abort();
    for (uint64_t i = 0; i < workers; i++)
        pthread_join(threads[i], NULL);
}
