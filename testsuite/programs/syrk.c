// Symmetric rank-k update and triangular product: inner bounds follow the outer counter.
// expect: syrk any
// truth: syrk parallel
// expect: trmm any
// truth: trmm parallel
#include <stdio.h>

#define N 48
#define K 20

static double a[N][K], c[N][N], t[N][K];

__attribute__((noinline)) void syrk(double alpha, double beta) {
    for (int i = 0; i < N; i++) {
        for (int j = 0; j <= i; j++)
            c[i][j] *= beta;
        for (int k = 0; k < K; k++)
            for (int j = 0; j <= i; j++)
                c[i][j] += alpha * a[i][k] * a[j][k];
    }
}

__attribute__((noinline)) void trmm(void) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < K; j++) {
            double s = 0;
            for (int k = i; k < N; k++)
                s += c[k][i] * a[k][j];
            t[i][j] = s;
        }
}

int main(void) {
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < K; j++)
            a[i][j] = (double)((i * j + 1) % N) / N;
        for (int j = 0; j < N; j++)
            c[i][j] = (double)((i * j + 2) % K) / K;
    }
    syrk(1.5, 1.2);
    trmm();
    double s = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < K; j++)
            s += t[i][j] * (i - j);
    printf("%.12g\n", s);
    return 0;
}
