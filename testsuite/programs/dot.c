// Sums to one number. Float sums keep their order in strict mode; integer sums may be reordered.
// build: -mexec-model=reactor
// run: invoke=run 30000
// expect: dot_float stays
// expect: dot_int launches
// truth: dot_int parallel
#include <stdint.h>

#define MAX 32768

static float fa[MAX], fb[MAX];
static int32_t ia[MAX], ib[MAX];

__attribute__((noinline)) static float dot_float(const float *a, const float *b, int n) {
    float s = 0.0f;
    for (int i = 0; i < n; i++)
        s += a[i] * b[i];
    return s;
}

__attribute__((noinline)) static int32_t dot_int(const int32_t *a, const int32_t *b, int n) {
    uint32_t s = 0;
    for (int i = 0; i < n; i++)
        s += (uint32_t)a[i] * (uint32_t)b[i];
    return (int32_t)s;
}

__attribute__((export_name("run"))) double run(int n) {
    if (n < 0 || n > MAX)
        return -1.0;
    for (int i = 0; i < n; i++) {
        fa[i] = (float)(i % 100) * 0.01f;
        fb[i] = (float)(i % 37) * 0.1f;
        ia[i] = i;
        ib[i] = i ^ 0x5a5a;
    }
    return (double)dot_float(fa, fb, n) + (double)dot_int(ia, ib, n);
}
