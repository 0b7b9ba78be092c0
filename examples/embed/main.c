// The host: uses the module as a library, through the header that Wasmetal wrote for it.
//
// Makes two instances of the same module, one without a device and one on whatever device there is, gives both the same
// picture, and compares what comes back.
#include <stdio.h>
#include <string.h>

#include "filter.h"

enum { WIDTH = 640, HEIGHT = 480, PASSES = 3 };

struct report {
    const char *name;
    int calls;
};

// The module's import "host" "progress".
static void on_progress(void *user, wasmetal_instance *instance, int32_t percent) {
    struct report *r = user;
    (void)instance;
    r->calls++;
    printf("%s: %d %%\n", r->name, (int)percent);
}

static int fail(const char *what, wasmetal_status status, const struct filter *f) {
    fprintf(stderr, "embed: %s: %s", what, wasmetal_status_text(status));
    if (status == WASMETAL_TRAP)
        fprintf(stderr, ": %s in %s", f->trap.text, f->trap.function_name);
    fprintf(stderr, "\n");
    return 1;
}

// Runs the filter on `device` (NULL: the default one); the picture is left in `picture`.
static int process(const char *name, const char *device, uint8_t *picture) {
    struct report report = {.name = name};
    struct filter_imports imports = {.host_progress = on_progress, .host_progress_user = &report};
    wasmetal_instance_desc desc = {.device = device, .min_work = device ? 0 : 1};
    struct filter filter;
    wasmetal_status status = filter_instantiate(&imports, &desc, &filter);
    if (status != WASMETAL_OK)
        return fail("instantiate", status, &filter);

    int result = 1;
    int32_t address;
    double mean;
    wasmetal_stats stats;
    uint8_t *bytes;

    status = filter_open(&filter, WIDTH, HEIGHT, &address);
    if (status != WASMETAL_OK) {
        fail("open", status, &filter);
        goto done;
    }
    // Addresses come from the module: never trust them, ask for the range.
    bytes = filter_memory_at(&filter, (uint32_t)address, WIDTH * HEIGHT);
    if (!bytes) {
        fprintf(stderr, "embed: the module has no room for the picture\n");
        goto done;
    }
    memcpy(bytes, picture, WIDTH * HEIGHT);

    status = filter_sharpen(&filter, PASSES, 0.8f, &address);
    if (status == WASMETAL_OK)
        status = filter_mean(&filter, &mean);
    if (status != WASMETAL_OK) {
        fail("sharpen", status, &filter);
        goto done;
    }
    bytes = filter_memory_at(&filter, (uint32_t)address, WIDTH * HEIGHT);
    if (!bytes)
        goto done;
    memcpy(picture, bytes, WIDTH * HEIGHT);

    wasmetal_get_stats(filter.instance, &stats);
    printf("%s: mean %.6f, %llu launches on %s, %llu bytes copied\n", name, mean, (unsigned long long)stats.launches,
           stats.device, (unsigned long long)stats.bytes_copied);
    result = report.calls == PASSES ? 0 : 1;
done:
    filter_free(&filter);
    return result;
}

int main(void) {
    static uint8_t a[WIDTH * HEIGHT], b[WIDTH * HEIGHT];
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            a[y * WIDTH + x] = b[y * WIDTH + x] = (uint8_t)(128 + 60 * ((x / 40 + y / 40) % 2) + (x * 7 + y * 3) % 23);
    if (process("processor", "none", a) || process("device", NULL, b))
        return 1;
    if (memcmp(a, b, sizeof a) != 0) {
        fprintf(stderr, "embed: the results differ\n");
        return 1;
    }
    printf("identical results\n");
    return 0;
}
