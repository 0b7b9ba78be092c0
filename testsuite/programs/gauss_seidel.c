// Gauss-Seidel relaxation in place: every point uses neighbours already updated in this sweep.
// expect: sweep stays
#include <stdio.h>

#define N 90

static float u[N * N];

__attribute__((noinline)) void sweep(float *p, int n) {
    for (int y = 1; y < n - 1; y++)
        for (int x = 1; x < n - 1; x++)
            p[y * n + x] = 0.25f * (p[y * n + x - 1] + p[y * n + x + 1] + p[(y - 1) * n + x] + p[(y + 1) * n + x]);
}

int main(void) {
    for (int i = 0; i < N; i++)
        u[i] = 1.0f + (float)(i % 5);
    for (int t = 0; t < 8; t++)
        sweep(u, N);
    float s = 0;
    for (int i = 0; i < N * N; i++)
        s += u[i];
    printf("%a %a\n", s, u[5 * N + 40]);
    return 0;
}
