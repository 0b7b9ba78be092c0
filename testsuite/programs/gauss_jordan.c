// Gauss-Jordan elimination with partial pivoting: search, swap and division stay small, the elimination is wide.
// expect: eliminate launches 30
// expect: find_pivot stays
// truth: find_pivot parallel
#include <math.h>
#include <stdio.h>

#define N 32

static float m[N * (N + 1)];

__attribute__((noinline)) int find_pivot(const float *a, int n, int k) {
    int best = k;
    for (int i = k + 1; i < n; i++)
        if (fabsf(a[i * (n + 1) + k]) > fabsf(a[best * (n + 1) + k]))
            best = i;
    return best;
}

__attribute__((noinline)) void eliminate(float *a, int n, int k, const float *pivot_row) {
    for (int i = 0; i < n; i++) {
        float f = a[i * (n + 1) + k];
        if (i == k)
            continue;
        for (int j = 0; j <= n; j++)
            a[i * (n + 1) + j] -= f * pivot_row[j];
    }
}

int main(void) {
    static float row[N + 1];
    for (int i = 0; i < N; i++)
        for (int j = 0; j <= N; j++)
            m[i * (N + 1) + j] = (float)((i * 13 + j * 29 + i * j) % 17) - 8.0f + (i == j ? 20.0f : 0.0f);
    for (int k = 0; k < N; k++) {
        int p = find_pivot(m, N, k);
        for (int j = 0; j <= N; j++) {
            float t = m[p * (N + 1) + j];
            m[p * (N + 1) + j] = m[k * (N + 1) + j];
            m[k * (N + 1) + j] = t;
        }
        float d = m[k * (N + 1) + k];
        for (int j = 0; j <= N; j++)
            row[j] = m[k * (N + 1) + j] /= d;
        eliminate(m, N, k, row);
    }
    for (int i = 0; i < N; i += 5)
        printf("%.6g\n", (double)m[i * (N + 1) + N]);
    return 0;
}
