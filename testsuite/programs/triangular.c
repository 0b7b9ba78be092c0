// Lower triangle only: the inner trip count depends on the outer loop.
// expect: outer_product any
// truth: outer_product parallel
#include <stdio.h>

#define N 150

static float v[N], m[N * N];

__attribute__((noinline)) void outer_product(const float *p, float *q, int n) {
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++)
            q[i * n + j] = p[i] * p[j];
}

int main(void) {
    for (int i = 0; i < N; i++)
        v[i] = (float)(i % 13) - 6.5f;
    outer_product(v, m, N);
    float s = 0;
    for (int i = 0; i < N * N; i++)
        s += m[i];
    printf("%a\n", s);
    return 0;
}
