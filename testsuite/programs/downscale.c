// Halves an image: every output byte is the mean of a 2x2 square, so the strides of input and output differ.
// expect: half launches
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

__attribute__((noinline)) void half(const uint8_t *in, uint8_t *out, int w, int h) {
    for (int y = 0; y < h / 2; y++)
        for (int x = 0; x < w / 2; x++) {
            const uint8_t *p = in + 2 * y * w + 2 * x;
            out[y * (w / 2) + x] = (uint8_t)((p[0] + p[1] + p[w] + p[w + 1] + 2) >> 2);
        }
}

int main(void) {
    int w = 322, h = 182;
    uint8_t *in = malloc((size_t)(w * h)), *out = malloc((size_t)(w * h / 4));
    if (!in || !out)
        return 1;
    uint32_t s = 21;
    for (int i = 0; i < w * h; i++) {
        s = s * 1664525u + 1013904223u;
        in[i] = (uint8_t)(s >> 24);
    }
    half(in, out, w, h);
    unsigned hash = 0;
    for (int i = 0; i < w * h / 4; i++)
        hash = hash * 33 + out[i];
    printf("%08x\n", hash);
    return 0;
}
