// Loops that store, and hand something on from iteration to iteration beside it: float sums, a random number generator,
// what the last iteration came to.
// expect: both launches
// expect: generator launches
// expect: last launches
// expect: in_place falls-back conflict
// expect: scan stays
// truth: both parallel
// truth: generator parallel
// truth: last parallel
#include <math.h>
#include <stdio.h>

#define N 20000

static float a[N], b[N];
static int q[N];

__attribute__((noinline)) float both(const float *p, float *r, int n) {
    float sum = 0;
    for (int i = 0; i < n; i++) {
        r[i] = expf(p[i]) * sqrtf(p[i] + 1);
        sum += r[i];
    }
    return sum;
}

// The same on one array: what is added up would be read after it is overwritten.
__attribute__((noinline)) float in_place(float *p, float *r, int n) {
    float sum = 0;
    for (int i = 0; i < n; i++) {
        sum += p[i];
        r[i] = expf(p[i] * 0.01f) * sqrtf(p[i] + 1);
    }
    return sum;
}

__attribute__((noinline)) unsigned generator(const float *p, int *r, int n) {
    unsigned x = 1;
    for (int i = 0; i < n; i++) {
        float v = p[i];
        r[i] = (int)(sqrtf(v * v + 1) * 3 + v / (v + 2) + v * (v + 3) - sqrtf(v + 7) * (v + 1));
        x = x * 1664525 + 1013904223;
    }
    return x;
}

__attribute__((noinline)) double last(const float *p, float *r, int n) {
    float v = 0;
    for (int i = 0; i < n; i++) {
        v = expf(p[i]) + sqrtf(p[i] * 2 + 1);
        r[i] = v;
    }
    return v * 2;
}

// What is stored depends on the sum.
__attribute__((noinline)) void scan(const float *p, float *r, int n) {
    float sum = 0;
    for (int i = 0; i < n; i++) {
        sum += p[i];
        r[i] = sum;
    }
}

int main(void) {
    for (int i = 0; i < N; i++)
        a[i] = (float)(i % 100) * 0.03f;
    printf("%.9g", both(a, b, N));
    printf(" %g\n", b[77]);
    printf("%u", generator(a, q, N));
    printf(" %d\n", q[99]);
    printf("%.9g", last(a, b, N));
    printf(" %.9g", in_place(b, b, N));
    scan(a, b, N);
    printf(" %.9g\n", b[N - 1]);
    return 0;
}
