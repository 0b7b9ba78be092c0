// What is done with the greatest value, all with fmaxf from the C library: softmax of a long vector and of rows,
// quantising by the greatest absolute value, pooling, and bringing audio to full level.
// expect: greatest launches
// expect: exponentials launches
// expect: softmax_rows launches
// expect: quantise_rows launches
// expect: quantise_blocks launches
// expect: pool launches
// expect: peak launches
// expect: to_full_level launches
// truth: greatest parallel
// truth: exponentials parallel
// truth: softmax_rows parallel
// truth: quantise_rows parallel
// truth: quantise_blocks parallel
// truth: pool parallel
// truth: peak parallel
// truth: to_full_level parallel
#include <math.h>
#include <stdint.h>
#include <stdio.h>

#define ROWS 96
#define COLUMNS 128
#define N (ROWS * COLUMNS)

static float x[N], y[N], scales[N / 32], pooled[N / 4];
static int8_t q[N];

__attribute__((noinline)) float greatest(const float *p, int n) {
    float m = -INFINITY;
    for (int i = 0; i < n; i++)
        m = fmaxf(m, p[i]);
    return m;
}

__attribute__((noinline)) void exponentials(const float *p, float *to, int n, float m) {
    for (int i = 0; i < n; i++)
        to[i] = expf(p[i] - m);
}

__attribute__((noinline)) void softmax_rows(const float *p, float *to, int rows, int columns) {
    for (int r = 0; r < rows; r++) {
        float m = -INFINITY, sum = 0;
        for (int i = 0; i < columns; i++)
            m = fmaxf(m, p[r * columns + i]);
        for (int i = 0; i < columns; i++)
            sum += to[r * columns + i] = expf(p[r * columns + i] - m);
        for (int i = 0; i < columns; i++)
            to[r * columns + i] /= sum;
    }
}

__attribute__((noinline)) void quantise_rows(const float *p, int8_t *to, float *scale, int rows, int columns) {
    for (int r = 0; r < rows; r++) {
        float amax = 0;
        for (int i = 0; i < columns; i++)
            amax = fmaxf(amax, fabsf(p[r * columns + i]));
        float d = amax / 127, inverse = d != 0 ? 1 / d : 0;
        scale[r] = d;
        for (int i = 0; i < columns; i++)
            to[r * columns + i] = (int8_t)roundf(p[r * columns + i] * inverse);
    }
}

// As ggml makes 4-bit blocks: the scale has the sign of the value with the greatest absolute value.
__attribute__((noinline)) void quantise_blocks(const float *p, int8_t *to, float *scale, int blocks) {
    for (int b = 0; b < blocks; b++) {
        float amax = 0, max = 0;
        for (int i = 0; i < 32; i++) {
            const float v = p[b * 32 + i];
            if (amax < fabsf(v)) {
                amax = fabsf(v);
                max = v;
            }
        }
        const float d = max / -8, inverse = d != 0 ? 1 / d : 0;
        scale[b] = d;
        for (int i = 0; i < 32; i++) {
            int code = (int)(p[b * 32 + i] * inverse + 8.5f);
            to[b * 32 + i] = (int8_t)(code > 15 ? 15 : code);
        }
    }
}

__attribute__((noinline)) void pool(const float *p, float *to, int h, int w) {
    for (int v = 0; v < h / 2; v++)
        for (int u = 0; u < w / 2; u++) {
            float m = -INFINITY;
            for (int dv = 0; dv < 2; dv++)
                for (int du = 0; du < 2; du++)
                    m = fmaxf(p[(2 * v + dv) * w + 2 * u + du], m);
            to[v * (w / 2) + u] = m;
        }
}

__attribute__((noinline)) float peak(const float *p, int n) {
    float low = 0, high = 0;
    for (int i = 0; i < n; i++) {
        low = fminf(low, p[i]);
        high = fmaxf(high, p[i]);
    }
    return fmaxf(high, -low);
}

__attribute__((noinline)) void to_full_level(float *p, int n, float gain) {
    for (int i = 0; i < n; i++)
        p[i] *= gain;
}

static uint32_t hash_bytes(const void *p, unsigned n) {
    uint32_t h = 2166136261u;
    for (unsigned i = 0; i < n; i++)
        h = (h ^ ((const uint8_t *)p)[i]) * 16777619u;
    return h;
}

int main(void) {
    uint32_t seed = 7;
    for (int i = 0; i < N; i++) {
        seed = seed * 1664525u + 1013904223u;
        x[i] = (float)((int)(seed >> 12) - (1 << 19)) / 65536.0f;
    }
    float m = greatest(x, N), sum = 0;
    exponentials(x, y, N, m);
    for (int i = 0; i < N; i++)
        sum += y[i];
    printf("%a %a %a\n", m, sum, y[N / 2] / sum);
    softmax_rows(x, y, ROWS, COLUMNS);
    printf("%08x\n", hash_bytes(y, sizeof y));
    quantise_rows(x, q, scales, ROWS, COLUMNS);
    printf("%08x %08x\n", hash_bytes(q, sizeof q), hash_bytes(scales, sizeof scales));
    quantise_blocks(x, q, scales, N / 32);
    printf("%08x %08x\n", hash_bytes(q, sizeof q), hash_bytes(scales, sizeof scales));
    pool(x, pooled, ROWS, COLUMNS);
    printf("%08x\n", hash_bytes(pooled, sizeof pooled));
    float p = peak(x, N);
    to_full_level(x, N, 1 / p);
    printf("%a %08x\n", p, hash_bytes(x, sizeof x));
    return 0;
}
