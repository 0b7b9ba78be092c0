/* Several instances on several threads, each with a cpu device of its own: nothing is shared but the code. */
#include <pthread.h>
#include <stdio.h>

#include "device_fixture.h"

enum { INSTANCES = 4, LAUNCHES = 60, POINTS = 20000 };

static void *run_instance(void *argument) {
    struct device_fixture *f = argument;
    struct wm_offload *o = device_fixture_offload(f, "cpu");
    uintptr_t wrong = o == NULL;
    for (uint32_t round = 0; round < LAUNCHES && !wrong; round++) {
        uint64_t trips[WM_MAX_DIMS];
        device_fixture_line(f, 0, 1 << 20, POINTS);
        for (uint32_t i = 0; i < POINTS; i++)
            device_words(f, 0)[i] = i + round;
        wrong += wm_offload_launch(o, KERNEL_MAP, f->slots, trips) != 1;
        for (uint32_t i = 0; i < POINTS; i++)
            wrong += device_words(f, 1 << 20)[i] != (i + round) * 3 + 1;
        if (round % 20 == 19) { /* a new pool now and then */
            wm_offload_close(o);
            o = device_fixture_offload(f, "cpu");
        }
    }
    wm_offload_close(o);
    return (void *)wrong;
}

int main(void) {
    static struct device_fixture fixtures[INSTANCES];
    pthread_t threads[INSTANCES];
    uintptr_t wrong = 0;
    for (int i = 0; i < INSTANCES; i++)
        if (!device_fixture_open(&fixtures[i], 2 << 20, false))
            return 1;
    for (int i = 0; i < INSTANCES; i++)
        if (pthread_create(&threads[i], NULL, run_instance, &fixtures[i]) != 0)
            return 1;
    for (int i = 0; i < INSTANCES; i++) {
        void *result;
        pthread_join(threads[i], &result);
        wrong += (uintptr_t)result;
        device_fixture_close(&fixtures[i]);
    }
    if (wrong)
        fprintf(stderr, "%zu wrong results\n", (size_t)wrong);
    return wrong != 0;
}
