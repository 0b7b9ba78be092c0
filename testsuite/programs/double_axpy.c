// Double precision: runs where the device has 64-bit floats, on the CPU elsewhere.
// expect: axpy launches
#include <stdio.h>

#define N 20011

static double x[N], y[N];

__attribute__((noinline)) void axpy(int n, double a, const double *p, double *q) {
    for (int i = 0; i < n; i++)
        q[i] += a * p[i];
}

int main(void) {
    for (int i = 0; i < N; i++) {
        x[i] = 1.0 / (i + 1);
        y[i] = i * 0.125;
    }
    axpy(N, 3.25, x, y);
    double s = 0;
    for (int i = 0; i < N; i += 13)
        s += y[i];
    printf("%a %a\n", s, y[N - 1]);
    return 0;
}
