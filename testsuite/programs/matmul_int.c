// Integer matrix product with run-time sizes, wrapping on overflow.
// build: -mexec-model=reactor
// run: invoke=run 48
// expect: matmul launches
#include <stdint.h>

#define MAX 64

static uint32_t a[MAX * MAX], b[MAX * MAX], c[MAX * MAX];

__attribute__((noinline)) static void matmul(const uint32_t *p, const uint32_t *q, uint32_t *r, int n) {
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            uint32_t s = 0;
            for (int k = 0; k < n; k++)
                s += p[i * n + k] * q[k * n + j];
            r[i * n + j] = s;
        }
}

__attribute__((export_name("run"))) uint32_t run(int n) {
    if (n < 1 || n > MAX)
        return 0;
    for (int i = 0; i < n * n; i++) {
        a[i] = (uint32_t)i * 2654435761u;
        b[i] = (uint32_t)i * 40503u + 7u;
    }
    matmul(a, b, c, n);
    matmul(c, b, a, n);
    uint32_t h = 0;
    for (int i = 0; i < n * n; i++)
        h = h * 31 + a[i];
    return h;
}
