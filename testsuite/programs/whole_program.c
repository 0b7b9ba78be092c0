// A whole program in main, as small tools are: input made, three kernels, a report; nothing is a function of its own.
// expect: __original_main launches
#include <stdio.h>
#include <stdlib.h>

int main(void) {
    int n = 90, m = 110;
    float *a = malloc(sizeof *a * (size_t)(n * m)), *b = malloc(sizeof *b * (size_t)(n * m)),
          *row = malloc(sizeof *row * (size_t)n);
    if (!a || !b || !row)
        return 1;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < m; j++)
            a[i * m + j] = (float)((i * j) % 23);
    for (int i = 1; i < n - 1; i++)
        for (int j = 1; j < m - 1; j++)
            b[i * m + j] = 0.25f * (a[i * m + j - 1] + a[i * m + j + 1] + a[(i - 1) * m + j] + a[(i + 1) * m + j]);
    for (int i = 1; i < n - 1; i++) {
        float s = 0;
        for (int j = 1; j < m - 1; j++)
            s += b[i * m + j];
        row[i] = s;
    }
    float total = 0;
    for (int i = 1; i < n - 1; i++)
        total += row[i];
    printf("%a %a\n", total, row[7]);
    free(a);
    free(b);
    free(row);
    return 0;
}
