/* The activation functions of neural networks: libm's expf, tanhf and logf, which clang calls and never inlines.  They
 * compute in f64 with tables; the kernels hold copies of them. */
// expect: softmax_exp launches on cpu lavapipe
// expect: gelu launches on cpu lavapipe
// expect: silu launches on cpu lavapipe
// expect: log_likelihood launches on cpu lavapipe
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

__attribute__((noinline)) static void softmax_exp(float *out, const float *x, float max, int n) {
    for (int i = 0; i < n; i++)
        out[i] = expf(x[i] - max);
}

__attribute__((noinline)) static void gelu(float *out, const float *x, int n) {
    for (int i = 0; i < n; i++) {
        float v = x[i];
        out[i] = 0.5f * v * (1.0f + tanhf(0.79788456f * (v + 0.044715f * v * v * v)));
    }
}

__attribute__((noinline)) static void silu(float *x, int n) {
    for (int i = 0; i < n; i++)
        x[i] = x[i] / (1.0f + expf(-x[i]));
}

__attribute__((noinline)) static void log_likelihood(float *out, const float *p, int n) {
    for (int i = 0; i < n; i++)
        out[i] = -logf(p[i] + 1e-9f);
}

static uint32_t checksum(const float *x, int n) {
    uint32_t h = 2166136261u;
    for (int i = 0; i < n; i++) {
        union {
            float f;
            uint32_t u;
        } v = {x[i]};
        h = (h ^ v.u) * 16777619u;
    }
    return h;
}

int main(void) {
    volatile int size = 20011; /* not known to the compiler */
    int n = size;
    float *x = malloc(n * sizeof *x), *y = malloc(n * sizeof *y);
    uint32_t seed = 12345;
    float max = 0;
    for (int i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        x[i] = (float)(int32_t)seed / 2147483648.0f * (i % 97 == 0 ? 200.0f : 6.0f);
        max = x[i] > max ? x[i] : max;
    }
    x[17] = INFINITY;
    x[18] = -INFINITY;
    x[19] = -0.0f;
    x[20] = 1e-40f;
    softmax_exp(y, x, max, n);
    printf("softmax %08x\n", checksum(y, n));
    gelu(y, x, n);
    y[18] = 0; /* -inf * 0: a NaN, whose sign is open */
    printf("gelu %08x\n", checksum(y, n));
    silu(x, n);
    x[18] = 0; /* -inf / inf: a NaN, whose sign is open */
    printf("silu %08x\n", checksum(x, n));
    log_likelihood(y, y, n);
    for (int i = 0; i < n; i++)
        if (y[i] != y[i])
            y[i] = 0;
    printf("log %08x\n", checksum(y, n));
    return 0;
}
