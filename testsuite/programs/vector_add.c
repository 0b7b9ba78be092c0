// Element-wise sum of integer vectors, called through an export with its length as an argument.
// build: -mexec-model=reactor
// run: invoke=run 40001
// expect: vector_add launches
#include <stdint.h>

#define MAX 65536

static int32_t a[MAX], b[MAX], c[MAX];

__attribute__((noinline)) static void vector_add(int32_t *out, const int32_t *x, const int32_t *y, int n) {
    for (int i = 0; i < n; i++)
        out[i] = x[i] + y[i];
}

__attribute__((export_name("run"))) int32_t run(int32_t n) {
    if (n < 0 || n > MAX)
        return -1;
    uint32_t seed = 1;
    for (int i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        a[i] = (int32_t)seed;
        seed = seed * 1664525u + 1013904223u;
        b[i] = (int32_t)(seed >> 3);
    }
    vector_add(c, a, b, n);
    uint32_t h = 2166136261u;
    for (int i = 0; i < n; i++)
        h = (h ^ (uint32_t)c[i]) * 16777619u;
    return (int32_t)h;
}
