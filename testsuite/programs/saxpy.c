// y = a*x + y over floats, the first loop everybody writes.
// expect: saxpy launches
#include <stdio.h>
#include <stdlib.h>

#define N 50003

__attribute__((noinline)) void saxpy(int n, float a, const float *x, float *y) {
    for (int i = 0; i < n; i++)
        y[i] = a * x[i] + y[i];
}

int main(void) {
    float *x = malloc(N * sizeof *x), *y = malloc(N * sizeof *y);
    if (!x || !y)
        return 1;
    for (int i = 0; i < N; i++) {
        x[i] = (float)(i % 1009) * 0.25f;
        y[i] = 1.0f / (float)(i + 1);
    }
    saxpy(N, 1.7f, x, y);
    saxpy(N, -0.3f, x, y);
    float sum = 0;
    for (int i = 0; i < N; i += 97)
        sum += y[i];
    printf("y[0]=%a y[last]=%a sum=%a\n", y[0], y[N - 1], sum);
    free(x);
    free(y);
    return 0;
}
