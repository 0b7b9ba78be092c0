// FIR filter on 16-bit samples with 32-bit accumulation and rounding.
// expect: fir launches
#include <stdint.h>
#include <stdio.h>

#define N 12000
#define TAPS 24

static int16_t in[N + TAPS], out[N], coeff[TAPS];

__attribute__((noinline)) void fir(const int16_t *x, const int16_t *c, int16_t *y, int n, int taps) {
    for (int i = 0; i < n; i++) {
        int32_t acc = 1 << 14;
        for (int k = 0; k < taps; k++)
            acc += x[i + k] * c[k];
        acc >>= 15;
        y[i] = (int16_t)(acc > 32767 ? 32767 : acc < -32768 ? -32768 : acc);
    }
}

int main(void) {
    uint32_t s = 17;
    for (int i = 0; i < N + TAPS; i++) {
        s = s * 1664525u + 1013904223u;
        in[i] = (int16_t)(s >> 16);
    }
    for (int k = 0; k < TAPS; k++)
        coeff[k] = (int16_t)((k < TAPS / 2 ? k + 1 : TAPS - k) * 220);
    fir(in, coeff, out, N, TAPS);
    unsigned h = 0;
    for (int i = 0; i < N; i++)
        h = h * 31 + (uint16_t)out[i];
    printf("%08x\n", h);
    return 0;
}
