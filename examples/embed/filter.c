// The guest: an image filter as a library.  The host asks for a picture's memory, fills it, and calls sharpen.
#include <stdint.h>
#include <stdlib.h>

#define EXPORT(name) __attribute__((export_name(#name)))

// Where the host's function is imported from.
__attribute__((import_module("host"), import_name("progress"))) void host_progress(int32_t percent);

static uint8_t *in, *out;
static int32_t width, height;

// Makes room for a picture; returns where its bytes go, or 0.
EXPORT(open) uint8_t *filter_open(int32_t w, int32_t h) {
    free(in);
    free(out);
    in = out = NULL;
    width = height = 0;
    if (w < 3 || h < 3 || w > 16384 || h > 16384)
        return NULL;
    in = malloc((size_t)w * (size_t)h);
    out = calloc((size_t)w, (size_t)h);
    if (!in || !out)
        return NULL;
    width = w;
    height = h;
    return in;
}

// Sharpens the picture `passes` times; returns where the result is.
EXPORT(sharpen) uint8_t *filter_sharpen(int32_t passes, float amount) {
    int32_t k = (int32_t)(amount * 256.0f);
    for (int32_t pass = 0; pass < passes; pass++) {
        for (int32_t y = 1; y < height - 1; y++) {
            for (int32_t x = 1; x < width - 1; x++) {
                const uint8_t *p = in + y * width + x;
                int32_t around = p[-width] + p[-1] + p[1] + p[width];
                int32_t v = p[0] + (((4 * p[0] - around) * k) >> 10);
                out[y * width + x] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
            }
        }
        uint8_t *swap = in;
        in = out;
        out = swap;
        host_progress((pass + 1) * 100 / passes);
    }
    return in;
}

EXPORT(mean) double filter_mean(void) {
    uint64_t sum = 0;
    for (int32_t i = 0; i < width * height; i++)
        sum += in[i];
    return (double)sum / ((double)width * (double)height);
}
