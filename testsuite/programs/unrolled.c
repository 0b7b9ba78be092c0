// Loops unrolled by hand by four, with the remainder after them, as older libraries have them.
// expect: axpy4 launches
// expect: duff any
// truth: duff parallel
// expect: swap_pairs launches
#include <stdint.h>
#include <stdio.h>

#define N 5003

static float x[N], y[N];
static uint32_t u[N];

__attribute__((noinline)) void axpy4(int n, float a, const float *p, float *q) {
    int m = n % 4;
    for (int i = 0; i < m; i++)
        q[i] += a * p[i];
    for (int i = m; i < n; i += 4) {
        q[i] += a * p[i];
        q[i + 1] += a * p[i + 1];
        q[i + 2] += a * p[i + 2];
        q[i + 3] += a * p[i + 3];
    }
}

__attribute__((noinline)) void duff(uint32_t *to, const uint32_t *from, int n) {
    int i = 0;
    switch (n & 3) {
    case 3:
        to[i] = from[i] + 3, i++; // fall through
    case 2:
        to[i] = from[i] + 2, i++; // fall through
    case 1:
        to[i] = from[i] + 1, i++; // fall through
    }
    for (; i < n; i += 4)
        to[i] = from[i], to[i + 1] = from[i + 1], to[i + 2] = from[i + 2], to[i + 3] = from[i + 3];
}

__attribute__((noinline)) void swap_pairs(uint32_t *p, int n) {
    for (int i = 0; i + 1 < n; i += 2) {
        uint32_t t = p[i];
        p[i] = p[i + 1];
        p[i + 1] = t;
    }
}

static uint32_t from[N];

int main(void) {
    for (int i = 0; i < N; i++) {
        x[i] = (float)(i % 31);
        y[i] = (float)(i % 17);
        from[i] = (uint32_t)i * 2654435761u;
    }
    axpy4(N, 0.5f, x, y);
    duff(u, from, N);
    swap_pairs(u, N);
    float s = 0;
    unsigned h = 0;
    for (int i = 0; i < N; i++) {
        s += y[i];
        h = h * 31 + u[i];
    }
    printf("%a %08x\n", s, h);
    return 0;
}
