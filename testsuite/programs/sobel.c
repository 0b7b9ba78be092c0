// Sobel gradient magnitude |gx| + |gy|, clamped to a byte.
// expect: sobel launches
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define W 240
#define H 160

static uint8_t in[W * H], out[W * H];

__attribute__((noinline)) void sobel(const uint8_t *p, uint8_t *q, int w, int h) {
    for (int y = 1; y + 1 < h; y++) {
        const uint8_t *up = p + (y - 1) * w, *row = p + y * w, *down = p + (y + 1) * w;
        for (int x = 1; x + 1 < w; x++) {
            int gx = up[x + 1] + 2 * row[x + 1] + down[x + 1] - up[x - 1] - 2 * row[x - 1] - down[x - 1];
            int gy = down[x - 1] + 2 * down[x] + down[x + 1] - up[x - 1] - 2 * up[x] - up[x + 1];
            int m = abs(gx) + abs(gy);
            q[y * w + x] = (uint8_t)(m > 255 ? 255 : m);
        }
    }
}

int main(void) {
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            in[y * W + x] = (uint8_t)(((x / 16 + y / 12) & 1) * 180 + (x * y) % 37);
    sobel(in, out, W, H);
    unsigned h = 0, edges = 0;
    for (int i = 0; i < W * H; i++) {
        h = h * 31 + out[i];
        edges += out[i] > 100;
    }
    printf("%08x edges %u\n", h, edges);
    return 0;
}
