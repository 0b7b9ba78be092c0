// Searches that remember a place and read the element there again to compare: the element goes along with the place.
// expect: greatest launches
// expect: least launches
// expect: last_greatest launches
// expect: least_byte launches
// expect: by_pointer any
// expect: written_between stays
// truth: by_pointer parallel
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

__attribute__((noinline)) int greatest(const float *x, int n) {
    int best = 0;
    for (int i = 1; i < n; i++)
        if (x[i] > x[best])
            best = i;
    return best;
}

__attribute__((noinline)) int least(const double *x, int n, int from) {
    int best = from;
    for (int i = from; i < n; i++)
        if (x[i] < x[best])
            best = i;
    return best;
}

__attribute__((noinline)) int last_greatest(const int32_t *x, int n) {
    int best = 0;
    for (int i = 0; i < n; i++)
        if (x[i] >= x[best])
            best = i;
    return best;
}

__attribute__((noinline)) unsigned least_byte(const uint8_t *x, unsigned n) {
    unsigned best = 0;
    for (unsigned i = 1; i < n; i++)
        best = x[i] < x[best] ? i : best;
    return best;
}

__attribute__((noinline)) const float *by_pointer(const float *begin, const float *end) {
    const float *best = begin;
    for (const float *p = begin; p != end; p++)
        if (*p > *best)
            best = p;
    return best;
}

// The element may have changed since it was compared.
__attribute__((noinline)) int written_between(float *x, const int *where, int n) {
    int best = 0;
    for (int i = 1; i < n; i++) {
        if (x[i] > x[best])
            best = i;
        x[where[i]] = 0.5f;
    }
    return best;
}

int main(void) {
    enum { N = 1500 };
    float *x = malloc(N * sizeof *x);
    double *d = malloc(N * sizeof *d);
    int32_t *w = malloc(N * sizeof *w);
    uint8_t *b = malloc(N);
    int *where = malloc(N * sizeof *where);
    for (int i = 0; i < N; i++) {
        x[i] = (float)(i * 37 % 211);
        d[i] = (double)(i * 53 % 307) - 4;
        w[i] = i * 91 % 113 - 50;
        b[i] = (uint8_t)(i * 29 % 251 + 3);
        where[i] = i * 7 % N;
    }
    printf("%d %d %d %u\n", greatest(x, N), least(d, N, 3), last_greatest(w, N), least_byte(b, N));
    printf("%d %d %d %u\n", greatest(x, 1), least(d, 5, 5), last_greatest(w, 2), least_byte(b, 3));
    x[700] = NAN;
    d[0] = d[3] = NAN;
    printf("%d %d %d\n", greatest(x, N), least(d, N, 3), least(d, N, 0));
    x[0] = NAN;
    printf("%d %d\n", greatest(x, N), (int)(by_pointer(x + 1, x + N) - x));
    for (int i = 0; i < N; i++)
        x[i] = i % 2 ? -0.0f : 0.0f;
    printf("%d %d\n", greatest(x, N), (int)(by_pointer(x, x + N) - x));
    for (int i = 0; i < N; i++)
        x[i] = (float)(i * 37 % 211);
    printf("%d\n", written_between(x, where, N));
}
