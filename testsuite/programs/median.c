// 3x3 median: each pixel sorts a small array of its own on the stack.
// expect: median any
// truth: median parallel
#include <stdint.h>
#include <stdio.h>

#define W 110
#define H 80

static uint8_t in[W * H], out[W * H];

__attribute__((noinline)) void median(const uint8_t *p, uint8_t *q, int w, int h) {
    for (int y = 1; y < h - 1; y++) {
        for (int x = 1; x < w - 1; x++) {
            uint8_t v[9];
            for (int k = 0; k < 9; k++)
                v[k] = p[(y + k / 3 - 1) * w + x + k % 3 - 1];
            for (int i = 1; i < 9; i++) {
                uint8_t key = v[i];
                int j = i - 1;
                while (j >= 0 && v[j] > key) {
                    v[j + 1] = v[j];
                    j--;
                }
                v[j + 1] = key;
            }
            q[y * w + x] = v[4];
        }
    }
}

int main(void) {
    uint32_t s = 19;
    for (int i = 0; i < W * H; i++) {
        s = s * 1664525u + 1013904223u;
        in[i] = (uint8_t)(s >> 24);
    }
    median(in, out, W, H);
    unsigned h = 0;
    for (int i = 0; i < W * H; i++)
        h = h * 33 + out[i];
    printf("%08x\n", h);
    return 0;
}
