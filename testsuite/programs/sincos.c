/* Waves: sinf and cosf of libm have a stack frame, for the reduction of large angles, which seldom run. */
// slow: swiftshader
// build: -fno-unroll-loops
// expect: waves launches on cpu lavapipe
// expect: waves falls-back inspected
// expect: polar launches on cpu lavapipe
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

__attribute__((noinline)) static void waves(float *out, const float *t, int n) {
    for (int i = 0; i < n; i++)
        out[i] = sinf(t[i]) * 0.5f;
}

static float arc(float turn) {
    return turn * 3.1415927f;
}

__attribute__((noinline)) static void polar(float *grid, int w, int h) {
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            grid[y * w + x] = cosf(arc((float)(x + y) / (float)w)) * 0.25f;
}

static uint32_t checksum(const float *x, int n) {
    const uint32_t *w = (const uint32_t *)x;
    uint32_t h = 2166136261u;
    for (int i = 0; i < n; i++)
        h = (h ^ w[i]) * 16777619u;
    return h;
}

int main(void) {
    volatile int size = 601;
    int n = size;
    float *a = malloc(2 * n * sizeof *a), *b = malloc(n * sizeof *b);
    for (int i = 0; i < n; i++)
        b[i] = (float)(i % 601 - 300) * 0.005f;
    waves(a, b, n);
    printf("%08x\n", checksum(a, n));
    polar(a, 32, 16);
    printf("%08x\n", checksum(a, 32 * 16));
    b[400] = 12345.5f; /* reduced with a pair of doubles on the stack */
    b[600] = 3e38f;
    waves(a, b, n);
    printf("%08x\n", checksum(a, n));
    return 0;
}
