/* Loops with something in them that no kernel can do, which seldom or never happens: an error that is reported, a slow
 * path in another function.  The kernel goes without; where it does happen, the loop runs natively. */
// expect: halve launches
// expect: halve falls-back inspected
// expect: halve falls-back backoff
// expect: normalise launches on cpu lavapipe
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static int reported;

__attribute__((noinline)) static void report(int i, int v) {
    if (reported++ < 3)
        printf("odd number %d at %d\n", v, i);
}

__attribute__((noinline)) static void halve(int *out, const int *x, int n) {
    for (int i = 0; i < n; i++) {
        if (x[i] & 1)
            report(i, x[i]);
        out[i] = x[i] / 2;
    }
}

/* Calls itself, so it is never inlined. */
__attribute__((noinline)) static float slow(float v) {
    return v > 1e6f ? slow(v * 0.5f) * 2.0f : v + 1.0f;
}

__attribute__((noinline)) static void normalise(float *x, float scale, int n) {
    for (int i = 0; i < n; i++) {
        float v = x[i] * scale;
        if (v > 1e5f)
            v = slow(v);
        x[i] = v - 0.5f;
    }
}

static uint32_t checksum(const void *p, int n) {
    const uint32_t *w = p;
    uint32_t h = 2166136261u;
    for (int i = 0; i < n; i++)
        h = (h ^ w[i]) * 16777619u;
    return h;
}

int main(void) {
    volatile int size = 20011;
    int n = size;
    int *x = malloc(n * sizeof *x), *y = malloc(n * sizeof *y);
    for (int i = 0; i < n; i++)
        x[i] = i * 6;
    halve(y, x, n);
    printf("%08x\n", checksum(y, n));
    x[777] = 15;
    x[19999] = 17;
    halve(y, x, n);
    printf("%08x %d\n", checksum(y, n), reported);
    for (int round = 0; round < 9; round++) /* again and again: after a while nobody asks */
        halve(y, x, n - round);
    printf("%08x %d\n", checksum(y, n), reported);
    float *f = (float *)x;
    for (int i = 0; i < n; i++)
        f[i] = (float)(i % 1000) * 0.25f;
    normalise(f, 3.0f, n);
    printf("%08x\n", checksum(f, n));
    f[5] = 1e7f;
    normalise(f, 0.75f, n);
    printf("%08x\n", checksum(f, n));
    return 0;
}
