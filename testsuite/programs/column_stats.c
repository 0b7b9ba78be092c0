// Minimum, maximum and sum of every column: reductions inside, parallel columns outside.
// expect: column_stats launches
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

struct stats {
    int min, max;
    long long sum;
};

__attribute__((noinline)) void column_stats(const int *table, int rows, int cols, struct stats *out) {
    for (int c = 0; c < cols; c++) {
        int lo = INT_MAX, hi = INT_MIN;
        long long sum = 0;
        for (int r = 0; r < rows; r++) {
            int v = table[r * cols + c];
            if (v < lo)
                lo = v;
            if (v > hi)
                hi = v;
            sum += v;
        }
        out[c].min = lo;
        out[c].max = hi;
        out[c].sum = sum;
    }
}

int main(void) {
    int rows = 150, cols = 333;
    int *table = malloc(sizeof *table * (size_t)(rows * cols));
    struct stats *out = malloc(sizeof *out * (size_t)cols);
    if (!table || !out)
        return 1;
    unsigned s = 3;
    for (int i = 0; i < rows * cols; i++) {
        s = s * 1664525u + 1013904223u;
        table[i] = (int)s;
    }
    column_stats(table, rows, cols, out);
    for (int c = 0; c < cols; c += 83)
        printf("%d: %d %d %lld\n", c, out[c].min, out[c].max, out[c].sum);
    return 0;
}
