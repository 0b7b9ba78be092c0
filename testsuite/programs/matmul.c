// Textbook float matrix product, three loops.
// expect: matmul launches
#include <stdio.h>

#define M 72
#define N 56
#define K 64

static float a[M][K], b[K][N], c[M][N];

__attribute__((noinline)) void matmul(void) {
    for (int i = 0; i < M; i++)
        for (int j = 0; j < N; j++) {
            float sum = 0.0f;
            for (int k = 0; k < K; k++)
                sum += a[i][k] * b[k][j];
            c[i][j] = sum;
        }
}

int main(void) {
    for (int i = 0; i < M; i++)
        for (int k = 0; k < K; k++)
            a[i][k] = (float)(i * k % 23) / 7.0f - 1.0f;
    for (int k = 0; k < K; k++)
        for (int j = 0; j < N; j++)
            b[k][j] = (float)((k + 2 * j) % 19) / 3.0f;
    matmul();
    float trace = 0.0f;
    for (int i = 0; i < N; i++)
        trace += c[i][i];
    printf("trace %a corner %a\n", trace, c[M - 1][N - 1]);
    return 0;
}
