// Root-mean-square normalisation of each row: two inner passes, a square root and a division.
// expect: rmsnorm launches
#include <math.h>
#include <stdio.h>

#define ROWS 200
#define COLS 96

static float x[ROWS * COLS], gain[COLS], y[ROWS * COLS];

__attribute__((noinline)) void rmsnorm(float *out, const float *in, const float *weight, int rows, int cols) {
    for (int r = 0; r < rows; r++) {
        const float *p = in + r * cols;
        float ss = 0.0f;
        for (int i = 0; i < cols; i++)
            ss += p[i] * p[i];
        float inv = 1.0f / sqrtf(ss / (float)cols + 1e-5f);
        for (int i = 0; i < cols; i++)
            out[r * cols + i] = weight[i] * (p[i] * inv);
    }
}

int main(void) {
    for (int i = 0; i < ROWS * COLS; i++)
        x[i] = (float)(i * 29 % 503) / 251.0f - 1.0f;
    for (int i = 0; i < COLS; i++)
        gain[i] = 1.0f + (float)i * 0.01f;
    rmsnorm(y, x, gain, ROWS, COLS);
    float s = 0;
    for (int i = 0; i < ROWS * COLS; i += 37)
        s += y[i];
    printf("%a %a\n", s, y[ROWS * COLS - 1]);
    return 0;
}
