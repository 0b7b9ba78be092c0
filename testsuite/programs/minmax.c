// Least, greatest and count of an array, whole and per column; a clamp with the result.
// expect: range launches
// truth: range parallel
// expect: column_range launches
// expect: clamp_all launches
// expect: count_if launches
// truth: count_if parallel
#include <stdint.h>
#include <stdio.h>

#define R 120
#define C 60

static int32_t v[R * C], lo[C], hi[C];

__attribute__((noinline)) void range(const int32_t *p, int n, int32_t *out) {
    int32_t a = p[0], b = p[0];
    for (int i = 1; i < n; i++) {
        a = p[i] < a ? p[i] : a;
        b = p[i] > b ? p[i] : b;
    }
    out[0] = a;
    out[1] = b;
}

__attribute__((noinline)) void column_range(const int32_t *p, int rows, int cols, int32_t *least, int32_t *most) {
    for (int c = 0; c < cols; c++) {
        int32_t a = INT32_MAX, b = INT32_MIN;
        for (int r = 0; r < rows; r++) {
            int32_t x = p[r * cols + c];
            a = x < a ? x : a;
            b = x > b ? x : b;
        }
        least[c] = a;
        most[c] = b;
    }
}

__attribute__((noinline)) void clamp_all(int32_t *p, int n, int32_t a, int32_t b) {
    for (int i = 0; i < n; i++)
        p[i] = p[i] < a ? a : p[i] > b ? b : p[i];
}

__attribute__((noinline)) int count_if(const int32_t *p, int n, int32_t above) {
    int k = 0;
    for (int i = 0; i < n; i++)
        k += p[i] > above;
    return k;
}

int main(void) {
    int32_t out[2];
    for (int i = 0; i < R * C; i++)
        v[i] = (int32_t)((uint32_t)i * 2654435761u) >> 12;
    range(v, R * C, out);
    column_range(v, R, C, lo, hi);
    clamp_all(v, R * C, out[0] / 2, out[1] / 2);
    printf("%d %d %d %d %d\n", out[0], out[1], lo[5], hi[59], count_if(v, R * C, 1000));
    return 0;
}
