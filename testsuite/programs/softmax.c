// Softmax of a batch of logit rows: maximum, exponentials and their sum, and the division, row by row.
// expect: softmax_rows launches
#include <math.h>
#include <stdio.h>

#define ROWS 64
#define COLS 96

static float x[ROWS * COLS];

__attribute__((noinline)) void softmax_rows(float *p, int rows, int cols) {
    for (int r = 0; r < rows; r++) {
        float *row = p + r * cols;
        float max = row[0];
        for (int i = 1; i < cols; i++)
            if (row[i] > max)
                max = row[i];
        float sum = 0.0f;
        for (int i = 0; i < cols; i++) {
            row[i] = expf(row[i] - max);
            sum += row[i];
        }
        for (int i = 0; i < cols; i++)
            row[i] /= sum;
    }
}

int main(void) {
    for (int i = 0; i < ROWS * COLS; i++)
        x[i] = (float)((i * 37) % 101) * 0.07f - 3.0f;
    softmax_rows(x, ROWS, COLS);
    float s = 0;
    for (int i = 0; i < ROWS * COLS; i += 5)
        s += x[i];
    printf("%a %a\n", s, x[77]);
    return 0;
}
