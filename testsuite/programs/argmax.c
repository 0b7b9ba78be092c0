// Greedy decoding: the place of the greatest logit in each row, and the nearest centre of each point.
// expect: row_argmax launches
// expect: assign launches
// expect: best_of_all launches
// truth: best_of_all parallel
#include <float.h>
#include <stdio.h>

#define ROWS 300
#define COLS 50

static float logits[ROWS * COLS], px[ROWS], py[ROWS], cx[8], cy[8];
static int best[ROWS], owner[ROWS];

__attribute__((noinline)) void row_argmax(const float *p, int *out, int rows, int cols) {
    for (int r = 0; r < rows; r++) {
        int at = 0;
        float max = p[r * cols];
        for (int i = 1; i < cols; i++)
            if (p[r * cols + i] > max) {
                max = p[r * cols + i];
                at = i;
            }
        out[r] = at;
    }
}

__attribute__((noinline)) void assign(const float *x, const float *y, int n, const float *kx, const float *ky, int k,
                                      int *to) {
    for (int i = 0; i < n; i++) {
        float least = FLT_MAX;
        for (int c = 0; c < k; c++) {
            float dx = x[i] - kx[c], dy = y[i] - ky[c], d = dx * dx + dy * dy;
            if (d < least) {
                least = d;
                to[i] = c;
            }
        }
    }
}

__attribute__((noinline)) int best_of_all(const float *p, int n) {
    int at = 0;
    for (int i = 1; i < n; i++)
        if (p[i] > p[at])
            at = i;
    return at;
}

int main(void) {
    for (int i = 0; i < ROWS * COLS; i++)
        logits[i] = (float)((i * 7919) % 10007);
    for (int i = 0; i < ROWS; i++) {
        px[i] = (float)((i * 31) % 100);
        py[i] = (float)((i * 57) % 100);
    }
    for (int c = 0; c < 8; c++) {
        cx[c] = (float)(c * 12);
        cy[c] = (float)((c * 37) % 100);
    }
    row_argmax(logits, best, ROWS, COLS);
    assign(px, py, ROWS, cx, cy, 8, owner);
    int a = 0, b = 0;
    for (int i = 0; i < ROWS; i++) {
        a += best[i] * (i + 1);
        b += owner[i] * (i + 1);
    }
    printf("%d %d %d\n", a, b, best_of_all(logits, ROWS * COLS));
    return 0;
}
