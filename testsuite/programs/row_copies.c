// Rows moved by the C library beside other work, as memory.copy and memory.fill: padding an image, tiling a pattern,
// copying and then changing rows, and scrolling rows to the left, where each row overlaps itself.
// build: -mbulk-memory
// expect: pad launches
// truth: pad parallel
// expect: tile launches
// truth: tile parallel
// expect: copy_and_fade launches
// truth: copy_and_fade parallel
// expect: scroll falls-back conflict
// truth: scroll parallel
// expect: grow_rows launches
// truth: grow_rows parallel
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define W 200
#define H 100
#define PAD 7

static uint8_t image[W * H], padded[(W + 2 * PAD) * H], wall[W * H], faded[W * H], triangle[W * H];

__attribute__((noinline)) void pad(uint8_t *to, const uint8_t *from, int w, int h, int p) {
    for (int y = 0; y < h; y++) {
        uint8_t *row = to + y * (w + 2 * p);
        memset(row, from[y * w], (size_t)p);
        memcpy(row + p, from + y * w, (size_t)w);
        memset(row + p + w, from[y * w + w - 1], (size_t)p);
    }
}

__attribute__((noinline)) void tile(uint8_t *to, const uint8_t *pattern, int w, int h) {
    for (int y = 0; y < h; y++)
        memcpy(to + y * w, pattern, (size_t)w);
}

__attribute__((noinline)) void copy_and_fade(uint8_t *to, const uint8_t *from, int w, int h) {
    for (int y = 0; y < h; y++) {
        memcpy(to + y * w, from + y * w, (size_t)w);
        for (int x = 0; x < w / 2; x++)
            to[y * w + x] = (uint8_t)(to[y * w + x] * x / (w / 2));
    }
}

__attribute__((noinline)) void scroll(uint8_t *p, int w, int h, int by) {
    for (int y = 0; y < h; y++)
        memmove(p + y * w, p + y * w + by, (size_t)(w - by));
}

__attribute__((noinline)) void grow_rows(uint8_t *to, const uint8_t *from, int w, int h) {
    for (int y = 0; y < h; y++)
        memcpy(to + y * w, from + y * w, (size_t)(y + 1));
}

int main(void) {
    for (int i = 0; i < W * H; i++)
        image[i] = (uint8_t)(i * 13 + i / W * 7);
    pad(padded, image, W, H, PAD);
    tile(wall, image + 3 * W, W, H);
    copy_and_fade(faded, image, W, H);
    grow_rows(triangle, image, W, H);
    scroll(image, W, H, 3);
    unsigned h = 0;
    for (int i = 0; i < W * H; i++)
        h = h * 31 + image[i] + wall[i] * 3u + faded[i] * 5u + triangle[i] * 11u;
    for (int i = 0; i < (W + 2 * PAD) * H; i++)
        h = h * 31 + padded[i];
    printf("%08x\n", h);
    return 0;
}
