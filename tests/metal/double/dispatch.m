/* libdispatch for the test double: data, semaphores; and blocks, as far as the device uses them. */
#include "objects.h"

#include <errno.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t metal_timeouts;

struct dispatch_semaphore {
    bool is_data; /* as in struct dispatch_data */
    sem_t sem;
};

dispatch_data_t dispatch_data_create(const void *bytes, size_t size, dispatch_queue_t queue, dispatch_block_t free) {
    if (queue || free)
        metal_rule_broken(RULE_SELECTOR, "the double copies data");
    struct dispatch_data *data = malloc(sizeof *data + size + 1);
    data->is_data = true;
    data->size = size;
    memcpy(data->bytes, bytes, size);
    data->bytes[size] = 0;
    return data;
}

dispatch_semaphore_t dispatch_semaphore_create(intptr_t value) {
    struct dispatch_semaphore *s = calloc(1, sizeof *s);
    sem_init(&s->sem, 0, (unsigned)value);
    return s;
}

intptr_t dispatch_semaphore_signal(dispatch_semaphore_t s) {
    return sem_post(&s->sem);
}

/* dispatch_time_t is nanoseconds of CLOCK_MONOTONIC here; what is passed around is made by dispatch_time alone. */
dispatch_time_t dispatch_time(dispatch_time_t when, int64_t delta) {
    struct timespec now;
    if (when != DISPATCH_TIME_NOW)
        metal_rule_broken(RULE_SELECTOR, "the double counts from now");
    clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t at = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    return at > INT64_MAX - (uint64_t)delta ? INT64_MAX : at + (uint64_t)delta;
}

intptr_t dispatch_semaphore_wait(dispatch_semaphore_t s, dispatch_time_t timeout) {
    struct timespec until = {.tv_sec = (time_t)(timeout / 1000000000u), .tv_nsec = (long)(timeout % 1000000000u)};
    int r;
    while ((r = sem_clockwait(&s->sem, CLOCK_MONOTONIC, &until)) != 0 && errno == EINTR)
        ;
    metal_timeouts += r != 0;
    return r;
}

void dispatch_release(void *object) {
    if (!*(bool *)object)
        sem_destroy(&((struct dispatch_semaphore *)object)->sem);
    free(object);
}

/* ---- blocks ---- */

/* clang's "Block Implementation Specification": what a block begins with, and the classes it names. */
struct block {
    void *isa;
    int flags, reserved;
    void (*invoke)(void);
    const struct { unsigned long reserved, size; } * descriptor;
};
enum { BLOCK_HAS_COPY_DISPOSE = 1 << 25 };

void *_NSConcreteStackBlock[32], *_NSConcreteGlobalBlock[32];

void *metal_copy_block(const void *block) {
    const struct block *b = block;
    if (b->flags & BLOCK_HAS_COPY_DISPOSE)
        metal_rule_broken(RULE_SELECTOR, "the double copies no blocks that hold objects");
    void *copy = malloc(b->descriptor->size);
    memcpy(copy, block, b->descriptor->size);
    return copy;
}
