// Sparse matrix times vector, rows compressed: where a row starts and how long it is, is data.
// expect: spmv launches on cpu lavapipe
// expect: row_sums launches
#include <stdint.h>
#include <stdio.h>

#define ROWS 1500
#define COLS 900

static int row_start[ROWS + 1], column[ROWS * 9];
static float value[ROWS * 9], x[COLS], y[ROWS];
static int32_t weight[ROWS * 9], total[ROWS];

__attribute__((noinline)) void spmv(float *out, const int *start, const int *col, const float *val, const float *in,
                                    int rows) {
    for (int r = 0; r < rows; r++) {
        float sum = 0;
        for (int k = start[r]; k < start[r + 1]; k++)
            sum += val[k] * in[col[k]];
        out[r] = sum;
    }
}

__attribute__((noinline)) void row_sums(int32_t *out, const int *start, const int32_t *w, int rows) {
    for (int r = 0; r < rows; r++) {
        int32_t sum = 0;
        for (int k = start[r]; k < start[r + 1]; k++)
            sum += w[k];
        out[r] = sum;
    }
}

int main(void) {
    int n = 0;
    for (int r = 0; r < ROWS; r++) {
        row_start[r] = n;
        for (int k = 0; k < r % 9; k++, n++) {
            column[n] = (r * 13 + k * 101) % COLS;
            value[n] = 0.25f * (float)(r % 7) - 0.125f * (float)k;
            weight[n] = r * k - 5;
        }
    }
    row_start[ROWS] = n;
    for (int c = 0; c < COLS; c++)
        x[c] = (float)(c % 31) * 0.5f;
    spmv(y, row_start, column, value, x, ROWS);
    row_sums(total, row_start, weight, ROWS);
    double s = 0;
    for (int r = 0; r < ROWS; r++)
        s += (double)y[r] * (r % 5 + 1) + total[r];
    printf("%.6f\n", s);
    return 0;
}
