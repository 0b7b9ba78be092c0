// y = A^T (A x) in one nest, as benchmarks write it: the sum into y is carried by the outer loop, so that loop stays,
// while the loop over the columns inside is wide.
// expect: atax launches
#include <stdio.h>

#define M 60
#define N 300

static double a[M][N], x[N], y[N], tmp[M];

__attribute__((noinline)) void atax(void) {
    for (int i = 0; i < N; i++)
        y[i] = 0;
    for (int i = 0; i < M; i++) {
        tmp[i] = 0.0;
        for (int j = 0; j < N; j++)
            tmp[i] = tmp[i] + a[i][j] * x[j];
        for (int j = 0; j < N; j++)
            y[j] = y[j] + a[i][j] * tmp[i];
    }
}

int main(void) {
    for (int i = 0; i < N; i++)
        x[i] = 1 + i / (double)N;
    for (int i = 0; i < M; i++)
        for (int j = 0; j < N; j++)
            a[i][j] = (double)((i + j) % N) / (5 * M);
    atax();
    double s = 0;
    for (int i = 0; i < N; i++)
        s += y[i];
    printf("%.12g %.12g\n", s, y[3]);
    return 0;
}
