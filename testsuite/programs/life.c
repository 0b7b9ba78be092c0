// Conway's Game of Life on bytes, eight neighbours, dead border.
// expect: generation launches 6
#include <stdint.h>
#include <stdio.h>

#define W 130
#define H 98

static uint8_t grid[2][H * W];

__attribute__((noinline)) void generation(const uint8_t *from, uint8_t *to, int w, int h) {
    for (int y = 1; y < h - 1; y++)
        for (int x = 1; x < w - 1; x++) {
            const uint8_t *p = from + y * w + x;
            int n = p[-w - 1] + p[-w] + p[-w + 1] + p[-1] + p[1] + p[w - 1] + p[w] + p[w + 1];
            to[y * w + x] = (uint8_t)(n == 3 || (n == 2 && *p));
        }
}

int main(void) {
    uint32_t s = 42;
    for (int y = 1; y < H - 1; y++)
        for (int x = 1; x < W - 1; x++) {
            s = s * 1664525u + 1013904223u;
            grid[0][y * W + x] = (s >> 30) == 0;
        }
    for (int t = 0; t < 6; t++)
        generation(grid[t & 1], grid[1 - (t & 1)], W, H);
    int alive = 0;
    unsigned h = 0;
    for (int i = 0; i < W * H; i++) {
        alive += grid[0][i];
        h = h * 3 + grid[0][i];
    }
    printf("alive %d %08x\n", alive, h);
    return 0;
}
