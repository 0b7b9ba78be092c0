// LU decomposition without pivoting: a sequential loop over pivots around a parallel update of the rest of the matrix.
// expect: lu launches
#include <stdio.h>

#define N 40

static double a[N][N];

__attribute__((noinline)) void lu(double m[N][N], int n) {
    for (int k = 0; k < n; k++) {
        for (int i = k + 1; i < n; i++)
            m[i][k] /= m[k][k];
        for (int i = k + 1; i < n; i++)
            for (int j = k + 1; j < n; j++)
                m[i][j] -= m[i][k] * m[k][j];
    }
}

int main(void) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            a[i][j] = i == j ? N : (double)((i * 7 + j * 3) % 11) / 11.0;
    lu(a, N);
    double det = 1;
    for (int i = 0; i < N; i++)
        det *= a[i][i] / N;
    printf("%.12g %.12g\n", det, a[N - 1][N - 2]);
    return 0;
}
