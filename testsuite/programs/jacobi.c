// A Jacobi solver whose two sweeps stand in one function under the time loop.
// expect: jacobi launches 20
#include <stdio.h>

#define N 64
#define STEPS 10

static float a[N][N], b[N][N];

__attribute__((noinline)) void jacobi(int steps) {
    for (int t = 0; t < steps; t++) {
        for (int i = 1; i < N - 1; i++)
            for (int j = 1; j < N - 1; j++)
                b[i][j] = 0.2f * (a[i][j] + a[i][j - 1] + a[i][1 + j] + a[1 + i][j] + a[i - 1][j]);
        for (int i = 1; i < N - 1; i++)
            for (int j = 1; j < N - 1; j++)
                a[i][j] = 0.2f * (b[i][j] + b[i][j - 1] + b[i][1 + j] + b[1 + i][j] + b[i - 1][j]);
    }
}

int main(void) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            a[i][j] = ((float)i * (float)(j + 2) + 2) / N;
            b[i][j] = ((float)i * (float)(j + 3) + 3) / N;
        }
    jacobi(STEPS);
    float s = 0;
    for (int i = 0; i < N; i++)
        s += a[i][(i * 7) % N];
    printf("%a\n", s);
    return 0;
}
