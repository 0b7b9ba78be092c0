// Division, remainder and float-to-integer conversion by loaded values: each would trap on some values, none is here.
// build: -mno-nontrapping-fptoint
// expect: ratios launches
// expect: quantise launches
// expect: wide launches
#include <stdint.h>
#include <stdio.h>

#define N 9000

static int32_t a[N], b[N], q[N], r[N], level[N];
static int64_t wide_a[N], wide_b[N], wide_q[N];
static float sample[N];

__attribute__((noinline)) void ratios(int32_t *quot, int32_t *rem, const int32_t *x, const int32_t *y, int n) {
    for (int i = 0; i < n; i++) {
        quot[i] = x[i] / y[i];
        rem[i] = x[i] % y[i];
    }
}

__attribute__((noinline)) void wide(int64_t *quot, const int64_t *x, const int64_t *y, int n) {
    for (int i = 0; i < n; i++)
        quot[i] = x[i] / y[i];
}

__attribute__((noinline)) void quantise(int32_t *to, const float *from, int n) {
    for (int i = 0; i < n; i++)
        to[i] = __builtin_wasm_trunc_s_i32_f32(from[i]);
}

int main(void) {
    for (int i = 0; i < N; i++) {
        a[i] = i * 7001 - 30000000;
        b[i] = i % 97 - 48 ? i % 97 - 48 : 1000;
        wide_a[i] = (int64_t)a[i] * 1234567;
        wide_b[i] = (int64_t)b[i] * 89;
        sample[i] = (float)(i - 4000) * 1.75f;
    }
    ratios(q, r, a, b, N);
    wide(wide_q, wide_a, wide_b, N);
    quantise(level, sample, N);
    uint32_t sum = 0;
    for (int i = 0; i < N; i++)
        sum = sum * 31 + (uint32_t)q[i] + (uint32_t)r[i] * 3 + (uint32_t)level[i] * 5 + (uint32_t)wide_q[i];
    printf("%u\n", sum);
    return 0;
}
