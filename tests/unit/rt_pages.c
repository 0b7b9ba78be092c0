/* Other pages under a memory that a device was given up with: the bytes stay, what holds on to the old pages no longer
 * sees what is written.  A pipe plays the driver: vmsplice makes it refer to pages, as an import does. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/instance.h"

static struct rt_memory *open_memory(struct rt_group *g) {
    const struct wm_limits limits = {.min = 2, .max = 16};
    struct rt_memory *m;
    assert_int_equal(rt_memory_open(&limits, false, 0, g, &m), WASMETAL_OK);
    for (uint64_t k = 0; k < m->pub.bytes; k++)
        m->pub.base[k] = (uint8_t)(k * 7 + k / 4096);
    return m;
}

/* The first byte of the page at `at`, as whoever holds the page sees it after `then` was written there. */
static uint8_t seen_by_holder(struct rt_memory *m, struct rt_group *g, bool abandon, uint64_t at, uint8_t then) {
    int ends[2];
    uint8_t seen;
    assert_int_equal(pipe(ends), 0);
    struct iovec page = {m->pub.base + at, 1};
    assert_int_equal(vmsplice(ends[1], &page, 1, 0), 1);
    if (abandon)
        assert_true(rt_memory_abandon_pages(m, g, false));
    m->pub.base[at] = then;
    assert_int_equal(read(ends[0], &seen, 1), 1);
    close(ends[0]);
    close(ends[1]);
    return seen;
}

static void pages_are_exchanged(void **state) {
    (void)state;
    struct rt_group *g = rt_group_new();
    struct rt_memory *m = open_memory(g);
    uint8_t *base = m->pub.base, *before = malloc(m->pub.bytes);
    memcpy(before, base, m->pub.bytes);
    assert_int_equal(seen_by_holder(m, g, false, 65536, 200), 200); /* else the test shows nothing */
    base[65536] = before[65536];
    assert_int_equal(seen_by_holder(m, g, true, 65536, 201), before[65536]);
    base[65536] = before[65536];
    assert_ptr_equal(m->pub.base, base);
    assert_memory_equal(base, before, m->pub.bytes);
    assert_false(m->kept);
    assert_int_equal(rt_memory_grow(m, g, 3, NULL), 2);
    memset(base, 1, m->pub.bytes);
    free(before);
    rt_memory_close(m);
    rt_group_release(g);
}

/* The addresses of such a memory are never used again. */
static void threads_keep_the_pages(void **state) {
    (void)state;
    struct rt_group *g = rt_group_new();
    struct rt_memory *m = open_memory(g);
    uint8_t *base = m->pub.base, *reservation = m->reservation;
    uint64_t reserved = m->reserved;
    assert_false(rt_memory_abandon_pages(m, g, true));
    rt_memory_close(m);
    assert_int_equal(base[4097], (uint8_t)(4097 * 7 + 1));
    munmap(reservation, reserved);
    rt_group_release(g);
}

static void nothing_to_exchange(void **state) {
    (void)state;
    struct rt_group *g = rt_group_new();
    const struct wm_limits limits = {.min = 0, .max = 1};
    struct rt_memory *m;
    assert_int_equal(rt_memory_open(&limits, false, 0, g, &m), WASMETAL_OK);
    assert_true(rt_memory_abandon_pages(m, g, false));
    assert_int_equal(rt_memory_grow(m, g, 1, NULL), 0);
    rt_memory_close(m);
    rt_group_release(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_are_exchanged),
        cmocka_unit_test(threads_keep_the_pages),
        cmocka_unit_test(nothing_to_exchange),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
