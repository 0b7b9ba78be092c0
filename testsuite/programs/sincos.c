/* Waves: sinf and cosf of libm have a stack frame, for the reduction of large angles.  That of middling ones leaves a
 * word below the stack pointer, in some iterations only; that of huge ones seldom runs. */
// slow: swiftshader
// build: -fno-unroll-loops
// expect: waves launches on cpu lavapipe
// expect: waves falls-back inspected
// expect: polar launches on cpu lavapipe
// expect: spiral launches on cpu lavapipe
// expect: twiddle launches on cpu lavapipe
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

/* Angles that grow and shrink, so that the last points leave no word. */
__attribute__((noinline)) static void spiral(float *grid, int w, int h) {
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            float angle = (float)(y * (w - 1 - x)) * 0.37f;
            grid[y * w + x] = sinf(angle) + cosf(angle) * 0.5f;
        }
}

__attribute__((noinline)) static void twiddle(double *out, const double *turns, int n) {
    for (int i = 0; i < n; i++)
        out[i] = cos(turns[i]) - sin(2 * turns[i]);
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
    spiral(a, 32, 16);
    printf("%08x\n", checksum(a, 32 * 16));
    double *d = malloc(2 * n * sizeof *d);
    for (int i = 0; i < n; i++)
        d[i] = (double)(i % 50 - 10) * 1234.56 / (1 + i % 7);
    twiddle(d + n, d, n);
    printf("%08x\n", checksum((float *)(d + n), 2 * n));
    b[400] = 12345.5f;
    waves(a, b, n);
    printf("%08x\n", checksum(a, n));
    b[404] = 3e38f; /* reduced with arrays on the stack */
    waves(a, b, n);
    printf("%08x\n", checksum(a, n));
    return 0;
}
