// Matrix times vector; each row is a dot product that must stay in source order.
// expect: matvec launches
#include <stdio.h>
#include <stdlib.h>

__attribute__((noinline)) void matvec(float *out, const float *x, const float *w, int n, int d) {
    for (int i = 0; i < d; i++) {
        float val = 0.0f;
        for (int j = 0; j < n; j++)
            val += w[i * n + j] * x[j];
        out[i] = val;
    }
}

int main(void) {
    int n = 253, d = 310;
    float *w = malloc(sizeof(float) * n * d), *x = malloc(sizeof(float) * n), *y = malloc(sizeof(float) * d);
    if (!w || !x || !y)
        return 1;
    unsigned s = 5;
    for (int i = 0; i < n * d; i++) {
        s = s * 1664525u + 1013904223u;
        w[i] = (float)(int)s * (1.0f / 2147483648.0f);
    }
    for (int i = 0; i < n; i++)
        x[i] = (float)(i % 17) - 8.0f;
    matvec(y, x, w, n, d);
    for (int i = 0; i < d; i += 61)
        printf("%d %a\n", i, y[i]);
    return 0;
}
