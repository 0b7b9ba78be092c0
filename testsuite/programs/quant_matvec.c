// Matrix-vector product of 8-bit weights and activations with one scale a row, as small language models run.
// expect: quant_matvec launches
#include <stdint.h>
#include <stdio.h>

#define ROWS 256
#define COLS 192

static int8_t weight[ROWS * COLS], act[COLS];
static float scale[ROWS], out[ROWS];

__attribute__((noinline)) void quant_matvec(float *y, const int8_t *w, const int8_t *x, const float *s, float xs,
                                            int rows, int cols) {
    for (int r = 0; r < rows; r++) {
        int32_t acc = 0;
        for (int c = 0; c < cols; c++)
            acc += (int32_t)w[r * cols + c] * (int32_t)x[c];
        y[r] = (float)acc * s[r] * xs;
    }
}

int main(void) {
    uint32_t s = 2;
    for (int i = 0; i < ROWS * COLS; i++) {
        s = s * 1664525u + 1013904223u;
        weight[i] = (int8_t)(s >> 24);
    }
    for (int i = 0; i < COLS; i++)
        act[i] = (int8_t)(i * 5 - 100);
    for (int i = 0; i < ROWS; i++)
        scale[i] = 0.001f + (float)i * 1e-5f;
    quant_matvec(out, weight, act, scale, 0.03125f, ROWS, COLS);
    for (int i = 0; i < ROWS; i += 50)
        printf("%d %a\n", i, out[i]);
    return 0;
}
