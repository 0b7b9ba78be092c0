// Sparse matrix in rows (CSR): the bounds of the inner loop and the columns it reads come from memory.
// expect: spmv any
// truth: spmv parallel
// expect: gather any
// truth: gather parallel
#include <stdio.h>

#define N 400

static int start[N + 1], col[N * 5];
static double val[N * 5], x[N], y[N], z[N];

__attribute__((noinline)) void spmv(const int *rs, const int *c, const double *v, const double *in, double *out,
                                    int n) {
    for (int i = 0; i < n; i++) {
        double s = 0;
        for (int k = rs[i]; k < rs[i + 1]; k++)
            s += v[k] * in[c[k]];
        out[i] = s;
    }
}

__attribute__((noinline)) void gather(const int *at, const double *in, double *out, int n) {
    for (int i = 0; i < n; i++)
        out[i] = in[at[i]] * 2.0;
}

int main(void) {
    int k = 0;
    for (int i = 0; i < N; i++) {
        start[i] = k;
        for (int j = 0; j < 1 + i % 5; j++) {
            col[k] = (i * 7 + j * 31) % N;
            val[k++] = 1.0 / (1 + j);
        }
        x[i] = i % 17;
    }
    start[N] = k;
    spmv(start, col, val, x, y, N);
    gather(col, y, z, N);
    double s = 0;
    for (int i = 0; i < N; i++)
        s += y[i] + z[i] * (i % 3);
    printf("%.12g\n", s);
    return 0;
}
