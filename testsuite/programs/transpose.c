// Matrix transpose: reads along rows, writes along columns.
// expect: transpose launches
#include <stdio.h>

#define R 130
#define C 210

static float in[R * C], out[C * R];

__attribute__((noinline)) void transpose(const float *a, float *b, int rows, int cols) {
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < cols; j++)
            b[j * rows + i] = a[i * cols + j];
}

int main(void) {
    for (int i = 0; i < R * C; i++)
        in[i] = (float)i * 0.5f;
    transpose(in, out, R, C);
    double mix = 0;
    for (int i = 0; i < R * C; i += 1001)
        mix = mix * 0.5 + out[i];
    printf("%.6f %g %g\n", mix, (double)out[1], (double)out[C * R - 2]);
    return 0;
}
