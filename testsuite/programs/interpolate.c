// Resampling by tables: linear interpolation at a fixed-point position, and an envelope of a sound.
// expect: resample any
// truth: resample parallel
// expect: lookup any
// truth: lookup parallel
#include <stdint.h>
#include <stdio.h>

#define N 4000

static int16_t wave[1025], out[N];
static float curve[257], y[N], x[N];

__attribute__((noinline)) void resample(const int16_t *table, int16_t *to, int n, uint32_t step) {
    for (int i = 0; i < n; i++) {
        uint32_t phase = (uint32_t)i * step, k = phase >> 22;
        int32_t f = (int32_t)(phase >> 6 & 0xffff);
        to[i] = (int16_t)(table[k] + ((table[k + 1] - table[k]) * f >> 16));
    }
}

__attribute__((noinline)) void lookup(const float *table, const float *in, float *to, int n) {
    for (int i = 0; i < n; i++) {
        float v = in[i] < 0 ? 0 : in[i] > 255.0f ? 255.0f : in[i];
        int k = (int)v;
        float f = v - (float)k;
        to[i] = table[k] + f * (table[k + 1] - table[k]);
    }
}

int main(void) {
    for (int i = 0; i <= 1024; i++)
        wave[i] = (int16_t)(i < 512 ? i * 60 : (1024 - i) * 60);
    for (int i = 0; i <= 256; i++)
        curve[i] = (float)(i * i) / 65536.0f;
    for (int i = 0; i < N; i++)
        x[i] = (float)(i * 37 % 300) - 20.0f;
    resample(wave, out, N, 90000000u);
    lookup(curve, x, y, N);
    float s = 0;
    unsigned h = 0;
    for (int i = 0; i < N; i++) {
        s += y[i];
        h = h * 31 + (uint16_t)out[i];
    }
    printf("%08x %a\n", h, s);
    return 0;
}
