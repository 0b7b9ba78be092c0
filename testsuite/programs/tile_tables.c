// Tables on the stack: equalisation, median and most frequent colour of each tile by a
// histogram; an integer inverse cosine transform in place, rows first, then columns.
// expect: equalise launches
// simd: equalise any
// truth: equalise parallel
// expect: medians launches
// truth: medians parallel
// expect: palette launches
// truth: palette parallel
// expect: inverse launches
// simd: inverse any
// truth: inverse parallel
// expect: running stays
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define W 96
#define H 64

static uint8_t image[W * H], equal[W * H], middle[W * H / 64], best[W * H / 64], back[W * H];
static int16_t coded[W * H];
static uint32_t sums[W * H / 64];

__attribute__((noinline)) void equalise(const uint8_t *in, uint8_t *out, int w, int h, int t) {
    for (int ty = 0; ty < h; ty += t)
        for (int tx = 0; tx < w; tx += t) {
            uint32_t count[256];
            uint8_t table[256];
            memset(count, 0, sizeof count);
            for (int y = 0; y < t; y++)
                for (int x = 0; x < t; x++)
                    count[in[(ty + y) * w + tx + x]]++;
            uint32_t below = 0;
            for (int i = 0; i < 256; i++) {
                below += count[i];
                table[i] = (uint8_t)(below * 255 / (uint32_t)(t * t));
            }
            for (int y = 0; y < t; y++)
                for (int x = 0; x < t; x++)
                    out[(ty + y) * w + tx + x] = table[in[(ty + y) * w + tx + x]];
        }
}

__attribute__((noinline)) void medians(const uint8_t *in, uint8_t *out, int tiles, int columns, int t) {
    for (int k = 0; k < tiles; k++) {
        uint16_t count[256] = {0};
        const uint8_t *tile = in + (k / columns * columns * t + k % columns) * t;
        for (int y = 0; y < t; y++)
            for (int x = 0; x < t; x++)
                count[tile[y * columns * t + x]]++;
        int seen = 0, median = 0;
        for (int i = 0; i < 256; i++) {
            seen += count[i];
            median += seen <= t * t / 2;
        }
        out[k] = (uint8_t)median;
    }
}

static void count_colour(uint8_t *count, uint8_t colour) {
    count[colour >> 2]++;
}

__attribute__((noinline)) void palette(const uint8_t *in, uint8_t *out, int tiles) {
    for (int k = 0; k < tiles; k++) {
        uint8_t count[64];
        for (int i = 0; i < 64; i++)
            count[i] = (uint8_t)(63 - i) / 32; /* the darker of equals */
        for (int i = 0; i < 64; i++)
            count_colour(count, in[k * 64 + i]);
        int most = -1, which = 0;
        for (int i = 0; i < 64; i++)
            if (count[i] > most) {
                most = count[i];
                which = i;
            }
        out[k] = (uint8_t)which;
    }
}

static void butterfly(int32_t *b, int step) {
    int32_t even = b[0] + b[4 * step], odd = b[0] - b[4 * step];
    int32_t low = (b[2 * step] * 1108 + b[6 * step] * 2676) >> 11,
            high = (b[2 * step] * 2676 - b[6 * step] * 1108) >> 11;
    int32_t p = b[step] + b[7 * step], q = b[step] - b[7 * step], r = b[3 * step] + b[5 * step],
            s = b[3 * step] - b[5 * step];
    b[0] = even + low + p;
    b[7 * step] = even + low - p;
    b[step] = odd + high + q;
    b[6 * step] = odd + high - q;
    b[2 * step] = odd - high + r;
    b[5 * step] = odd - high - r;
    b[3 * step] = even - low + s;
    b[4 * step] = even - low - s;
}

__attribute__((noinline)) void inverse(const int16_t *in, uint8_t *out, int blocks) {
    for (int k = 0; k < blocks; k++) {
        int32_t b[64];
        for (int i = 0; i < 64; i++)
            b[i] = in[k * 64 + i] * (1 + i / 8);
        for (int i = 0; i < 8; i++)
            butterfly(b + 8 * i, 1);
        for (int i = 0; i < 8; i++)
            butterfly(b + i, 8);
        for (int i = 0; i < 64; i++) {
            int32_t v = (b[i] >> 6) + 128;
            out[k * 64 + i] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
        }
    }
}

/* The counts go on from tile to tile. */
__attribute__((noinline)) void running(const uint8_t *in, uint32_t *out, int tiles) {
    uint32_t count[64];
    memset(count, 0, sizeof count);
    for (int k = 0; k < tiles; k++) {
        for (int i = 0; i < 64; i++)
            count[in[k * 64 + i] >> 2]++;
        out[k] = count[k & 63];
    }
}

int main(void) {
    uint32_t seed = 7;
    for (int i = 0; i < W * H; i++) {
        seed = seed * 1664525u + 1013904223u;
        image[i] = (uint8_t)((seed >> 27) + (uint32_t)(i % W + i / W));
        coded[i] = (int16_t)((int)(seed >> 20 & 255) - 128) / (1 + (i & 63) / 4);
    }
    equalise(image, equal, W, H, 16);
    medians(image, middle, W * H / 64, W / 8, 8);
    palette(image, best, W * H / 64);
    inverse(coded, back, W * H / 64);
    running(image, sums, W * H / 64);
    uint32_t hash = 2166136261u;
    for (int i = 0; i < W * H; i++)
        hash = ((hash ^ equal[i]) * 16777619u ^ back[i]) * 16777619u;
    for (int i = 0; i < W * H / 64; i++)
        hash = (((hash ^ middle[i]) * 16777619u ^ best[i]) * 16777619u ^ sums[i]) * 16777619u;
    printf("%08x\n", hash);
    return 0;
}
