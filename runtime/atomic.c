/* memory.atomic.wait and notify: threads that sleep on an address of a shared memory.
 *
 * Each shared memory has one lock and a queue of waiters in the order of their arrival.  Comparing the value and
 * joining the queue happen under the lock, and so does notifying: a notify that follows a store, in the program's
 * order, finds every thread that still saw the old value.  Each waiter sleeps on a condition variable of its own, so a
 * notify wakes exactly those it counts.
 */
#include "runtime/instance.h"

#include <errno.h>
#include <time.h>

struct rt_waiter {
    struct rt_waiter *next, **link; /* in the queue; link NULL: taken out by a notify */
    uint64_t address;
    pthread_cond_t wake;
};

enum { NOTIFIED = 0, NOT_EQUAL = 1, TIMED_OUT = 2 };

static void enqueue(struct rt_memory *m, struct rt_waiter *w) {
    struct rt_waiter **end = &m->waiters;
    while (*end) {
        end = &(*end)->next;
    }
    w->link = end;
    *end = w;
}

static void dequeue(struct rt_waiter *w) {
    *w->link = w->next;
    if (w->next) {
        w->next->link = w->link;
    }
    w->link = NULL;
}

/* The point in time `ns` nanoseconds from now; false when there is no such timespec. */
static bool deadline_of(int64_t ns, struct timespec *out) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t nanoseconds = now.tv_nsec + ns % 1000000000;
    int64_t seconds = ns / 1000000000 + nanoseconds / 1000000000;
    out->tv_nsec = nanoseconds % 1000000000;
    return !__builtin_add_overflow(now.tv_sec, seconds, &out->tv_sec);
}

static bool init_wake(pthread_cond_t *wake) {
    pthread_condattr_t attr;
    if (pthread_condattr_init(&attr) != 0) {
        return false;
    }
#if !defined(__APPLE__)
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
#endif
    bool ok = pthread_cond_init(wake, &attr) == 0;
    pthread_condattr_destroy(&attr);
    return ok;
}

/* Under the lock, which it gives up while it sleeps; until notified or `deadline` (NULL: none).  Wakes up for no reason
 * are possible, and waited through. */
static void sleep_until(struct rt_memory *m, struct rt_waiter *w, const struct timespec *deadline) {
    while (w->link) {
        if (!deadline) {
            pthread_cond_wait(&w->wake, &m->lock);
            continue;
        }
#if defined(__APPLE__)
        struct timespec now, left;
        clock_gettime(CLOCK_MONOTONIC, &now);
        left.tv_sec = deadline->tv_sec - now.tv_sec - (deadline->tv_nsec < now.tv_nsec);
        left.tv_nsec = (deadline->tv_nsec - now.tv_nsec + 1000000000) % 1000000000;
        if (left.tv_sec < 0 || pthread_cond_timedwait_relative_np(&w->wake, &m->lock, &left) == ETIMEDOUT) {
            return;
        }
#else
        if (pthread_cond_timedwait(&w->wake, &m->lock, deadline) == ETIMEDOUT) {
            return;
        }
#endif
    }
}

static uint64_t wait_on(struct rt_memory *m, uint64_t address, uint64_t bytes, uint64_t expected, int64_t timeout) {
    uint8_t *p = m->pub.base + address;
    struct timespec deadline;
    bool forever = timeout < 0 || !deadline_of(timeout, &deadline);
    struct rt_waiter w = {.address = address};
    if (!init_wake(&w.wake)) {
        return TIMED_OUT; /* the system has no resources left to sleep with */
    }
    pthread_mutex_lock(&m->lock);
    uint64_t found = bytes == 4 ? __atomic_load_n((uint32_t *)(void *)p, __ATOMIC_SEQ_CST)
                                : __atomic_load_n((uint64_t *)(void *)p, __ATOMIC_SEQ_CST);
    uint64_t result = NOT_EQUAL;
    if (found == expected) {
        enqueue(m, &w);
        sleep_until(m, &w, forever ? NULL : &deadline);
        result = w.link ? TIMED_OUT : NOTIFIED;
        if (w.link) {
            dequeue(&w);
        }
    }
    pthread_mutex_unlock(&m->lock);
    pthread_cond_destroy(&w.wake);
    return result;
}

static uint64_t notify(struct rt_memory *m, uint64_t address, uint64_t count) {
    uint64_t woken = 0;
    pthread_mutex_lock(&m->lock);
    for (struct rt_waiter *w = m->waiters, *next; w && woken < count; w = next) {
        next = w->next;
        if (w->address == address) {
            dequeue(w);
            pthread_cond_signal(&w->wake);
            woken++;
        }
    }
    pthread_mutex_unlock(&m->lock);
    return woken;
}

/* Traps are raised outside of host code: they jump. */
static struct rt_memory *check(struct wm_vmctx *ctx, uint64_t memory, uint64_t bytes, uint64_t address,
                               uint64_t where) {
    struct rt_memory *m = ctx->memories[memory]->owner;
    uint64_t size = rt_memory_bytes(&m->pub);
    if (address % bytes) {
        wm_rt_trap(ctx, IR_TRAP_UNALIGNED_ATOMIC, where);
    }
    if (address > size || bytes > size - address) {
        wm_rt_trap(ctx, IR_TRAP_MEMORY_BOUNDS, where);
    }
    return m;
}

uint64_t wm_rt_atomic_wait(struct wm_vmctx *ctx, uint64_t memory, uint64_t bytes, uint64_t address, uint64_t expected,
                           uint64_t timeout, uint64_t where) {
    struct rt_memory *m = check(ctx, memory, bytes, address, where);
    if (!m->shared) {
        wm_rt_trap(ctx, IR_TRAP_EXPECTED_SHARED, where);
    }
    if (!rt_host_begin(RT_HOST_STACK)) {
        wm_rt_trap(ctx, IR_TRAP_STACK_EXHAUSTED, where);
    }
    uint64_t result = wait_on(m, address, bytes, expected, (int64_t)timeout);
    rt_host_end();
    return result;
}

uint64_t wm_rt_atomic_notify(struct wm_vmctx *ctx, uint64_t memory, uint64_t address, uint64_t count, uint64_t where) {
    struct rt_memory *m = check(ctx, memory, 4, address, where);
    if (!m->shared) {
        return 0;
    }
    if (!rt_host_begin(RT_HOST_STACK)) {
        wm_rt_trap(ctx, IR_TRAP_STACK_EXHAUSTED, where);
    }
    uint64_t woken = notify(m, address, count);
    rt_host_end();
    return woken;
}
