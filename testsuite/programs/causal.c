// Causal attention scores: row i has i + 1 columns, each a dot product.
// expect: scores launches on cpu lavapipe
#include <stdio.h>

#define N 160
#define D 32

static float q[N * D], k[N * D], s[N * N];

__attribute__((noinline)) void scores(const float *a, const float *b, float *out, int n, int d) {
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++) {
            float sum = 0;
            for (int c = 0; c < d; c++)
                sum += a[i * d + c] * b[j * d + c];
            out[i * n + j] = sum;
        }
}

int main(void) {
    for (int i = 0; i < N * D; i++) {
        q[i] = (float)(i * 37 % 101) / 50 - 1;
        k[i] = (float)(i * 53 % 97) / 48 - 1;
    }
    scores(q, k, s, N, D);
    float t = 0;
    for (int i = 0; i < N * N; i++)
        t = t * 0.5f + s[i];
    printf("%a\n", t);
    return 0;
}
