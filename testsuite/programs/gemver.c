// Vector operations around a matrix: rank-2 update, product with the transpose, product; one after the other.
// expect: rank2 launches
// expect: times_transpose launches
// expect: times launches
#include <stdio.h>

#define N 70

static double a[N][N], u1[N], v1[N], u2[N], v2[N], w[N], x[N], y[N], z[N];

__attribute__((noinline)) void rank2(void) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            a[i][j] = a[i][j] + u1[i] * v1[j] + u2[i] * v2[j];
}

__attribute__((noinline)) void times_transpose(double beta) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            x[i] = x[i] + beta * a[j][i] * y[j];
}

__attribute__((noinline)) void times(double alpha) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            w[i] = w[i] + alpha * a[i][j] * (x[j] + z[j]);
}

int main(void) {
    for (int i = 0; i < N; i++) {
        u1[i] = i;
        u2[i] = (i + 1) / 2.0 / N;
        v1[i] = (i + 1) / 4.0 / N;
        v2[i] = (i + 1) / 6.0 / N;
        y[i] = (i + 1) / 8.0 / N;
        z[i] = (i + 1) / 9.0 / N;
        for (int j = 0; j < N; j++)
            a[i][j] = (double)(i * j % N) / N;
    }
    rank2();
    times_transpose(1.2);
    times(1.5);
    double s = 0;
    for (int i = 0; i < N; i++)
        s += w[i];
    printf("%.12g\n", s);
    return 0;
}
