// Rotation by 90 degrees and a horizontal mirror of 32-bit pixels: negative strides.
// expect: rotate90 launches
// expect: mirror launches
#include <stdint.h>
#include <stdio.h>

#define W 150
#define H 110

static uint32_t a[W * H], b[W * H], c[W * H];

__attribute__((noinline)) void rotate90(const uint32_t *in, uint32_t *out, int w, int h) {
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            out[x * h + (h - 1 - y)] = in[y * w + x];
}

__attribute__((noinline)) void mirror(const uint32_t *in, uint32_t *out, int w, int h) {
    for (int y = 0; y < h; y++) {
        const uint32_t *row = in + y * w + w;
        for (int x = 0; x < w; x++)
            *out++ = *--row;
    }
}

int main(void) {
    for (int i = 0; i < W * H; i++)
        a[i] = (uint32_t)i * 2654435761u;
    rotate90(a, b, W, H);
    mirror(b, c, H, W);
    uint32_t h = 0;
    for (int i = 0; i < W * H; i++)
        h = h * 31 + c[i];
    printf("%08x\n", (unsigned)h);
    return 0;
}
