// 64-bit counters and sizes, down-counting loops, and steps that are only known at run time.
// expect: by_size launches
// expect: downwards launches
// expect: stepped launches
// expect: long_sum launches
#include <stdint.h>
#include <stdio.h>

#define N 6000

static double d[N];
static int64_t v[N], w[N];

__attribute__((noinline)) void by_size(double *p, int64_t n, double a) {
    for (int64_t i = 0; i < n; i++)
        p[i] = a * (double)i;
}

__attribute__((noinline)) void downwards(int64_t *p, uint64_t n) {
    for (uint64_t i = n; i-- > 0;)
        p[i] = (int64_t)(i * i) - 1000;
}

__attribute__((noinline)) void stepped(int64_t *p, int n, int step) {
    for (int i = 0; i < n; i += step)
        p[i] ^= 0x5555;
}

__attribute__((noinline)) void long_sum(int64_t *out, const int64_t *in, int64_t rows, int64_t cols) {
    for (int64_t r = 0; r < rows; r++) {
        int64_t s = 0;
        for (int64_t c = 0; c < cols; c++)
            s += in[r * cols + c];
        out[r] = s;
    }
}

int main(void) {
    by_size(d, N, 0.5);
    downwards(v, N);
    stepped(v, N, 7);
    long_sum(w, v, 60, 100);
    printf("%g %lld %lld\n", d[N - 1], (long long)w[0], (long long)w[59]);
    return 0;
}
