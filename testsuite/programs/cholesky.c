// Cholesky decomposition, column by column: each column below the diagonal is a parallel loop over dot products.
// expect: column any
// truth: column parallel
// expect: forward stays
#include <math.h>
#include <stdio.h>

#define N 36

static double a[N * N], l[N * N], b[N];

__attribute__((noinline)) void column(const double *in, double *out, int n, int j, double d) {
    for (int i = j + 1; i < n; i++) {
        double s = in[i * n + j];
        for (int k = 0; k < j; k++)
            s -= out[i * n + k] * out[j * n + k];
        out[i * n + j] = s / d;
    }
}

__attribute__((noinline)) void forward(const double *m, double *x, int n) {
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < i; k++)
            x[i] -= m[i * n + k] * x[k];
        x[i] /= m[i * n + i];
    }
}

int main(void) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            a[i * N + j] = i == j ? 2.0 * N : 1.0 / (1 + (i > j ? i - j : j - i));
    for (int i = 0; i < N; i++)
        b[i] = i % 5;
    for (int j = 0; j < N; j++) {
        double s = a[j * N + j];
        for (int k = 0; k < j; k++)
            s -= l[j * N + k] * l[j * N + k];
        l[j * N + j] = sqrt(s);
        column(a, l, N, j, l[j * N + j]);
    }
    forward(l, b, N);
    printf("%.12g %.12g\n", l[N * N - 1], b[N - 1]);
    return 0;
}
