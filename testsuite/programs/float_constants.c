// Arithmetic with constant zeros, which a driver may take for no arithmetic at all: x + 0 is not x when x is -0,
// and neither 0 - x, x / 0 nor 0 / x is what it looks like.  The sums start from a constant, in a loop short
// enough to unroll.

// expect: with_zeros launches 2
// expect: with_zeros_wide launches 2
// expect: short_sums launches 2
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { N = 96, COLUMNS = 8 };

static float in[N], out[N * COLUMNS], sums[N];
static double wide_in[N], wide_out[N * COLUMNS];

__attribute__((noinline)) static void with_zeros(const float *x, float *y, int n) {
    for (int i = 0; i < n; i++) {
        float v = x[i];
        y[i * COLUMNS + 0] = v + 0.0f;
        y[i * COLUMNS + 1] = 0.0f - v;
        y[i * COLUMNS + 2] = v / 0.0f;
        y[i * COLUMNS + 3] = 0.0f / v;
        y[i * COLUMNS + 4] = v * 0.0f;
        y[i * COLUMNS + 5] = v * -0.0f;
        y[i * COLUMNS + 6] = v > 1.0f ? 1.0f : -0.0f;
        y[i * COLUMNS + 7] = (v - -0.0f) / -0.0f;
    }
}

__attribute__((noinline)) static void with_zeros_wide(const double *x, double *y, int n) {
    for (int i = 0; i < n; i++) {
        double v = x[i];
        y[i * COLUMNS + 0] = v + 0.0;
        y[i * COLUMNS + 1] = 0.0 - v;
        y[i * COLUMNS + 2] = v / 0.0;
        y[i * COLUMNS + 3] = 0.0 / v;
        y[i * COLUMNS + 4] = v * 0.0;
        y[i * COLUMNS + 5] = v * -0.0;
        y[i * COLUMNS + 6] = v > 1.0 ? 1.0 : -0.0;
        y[i * COLUMNS + 7] = (v - -0.0) / -0.0;
    }
}

/* No product but -0: the sum is +0, because it starts from there. */
__attribute__((noinline)) static void short_sums(const float *x, float *y, int n, float weight) {
    for (int i = 0; i < n; i++) {
        float sum = 0.0f;
        for (int k = 0; k < 3; k++)
            sum += x[i] * weight;
        y[i] = sum;
    }
}

static uint32_t hash(const void *data, size_t size, uint32_t h) {
    const uint8_t *p = data;
    for (size_t i = 0; i < size; i++)
        h = (h ^ p[i]) * 16777619u;
    return h;
}

int main(void) {
    static const uint32_t special[12] = {0,          0x80000000, 0x7f800000, 0xff800000, 0x3f800000, 0xbf800000,
                                         0x00800000, 0x80800000, 0x7f7fffff, 0xff7fffff, 0x40490fdb, 0xc0490fdb};
    for (int i = 0; i < N; i++) {
        memcpy(&in[i], &special[i % 12], 4);
        wide_in[i] = in[i];
    }
    for (int round = 0; round < 2; round++) {
        with_zeros(in + round, out, N - round);
        with_zeros_wide(wide_in + round, wide_out, N - round);
        for (int i = 0; i < N * COLUMNS; i++) { /* which NaN it is, is open */
            out[i] = out[i] != out[i] ? 7.0f : out[i];
            wide_out[i] = wide_out[i] != wide_out[i] ? 7.0 : wide_out[i];
        }
        short_sums(in + round, sums, N - round, round ? -1.0f : 1.0f);
        uint32_t h = hash(out, sizeof out, 2166136261u);
        h = hash(wide_out, sizeof wide_out, h);
        printf("%08x %08x\n", h, hash(sums, sizeof sums, 2166136261u));
    }
    return 0;
}
