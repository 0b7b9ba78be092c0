// Copies and clears by the C library inside a loop over rows: calls of memcpy and memset, not loops.
// Each call becomes an inner loop of the kernel.  The rows of shift() overlap from one to the next.
// expect: copy_rows launches
// truth: copy_rows parallel
// expect: clear_rows launches
// truth: clear_rows parallel
// expect: shift stays
// truth: shift serial
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define W 300
#define H 40

static uint8_t a[W * H], b[(W + 20) * H];

__attribute__((noinline)) void copy_rows(uint8_t *to, int to_stride, const uint8_t *from, int stride, int w, int h) {
    for (int y = 0; y < h; y++)
        memcpy(to + y * to_stride, from + y * stride, (size_t)w);
}

__attribute__((noinline)) void clear_rows(uint8_t *p, int stride, int from, int count, int h) {
    for (int y = 0; y < h; y++)
        memset(p + y * stride + from, y, (size_t)count);
}

__attribute__((noinline)) void shift(uint8_t *p, int stride, int h) {
    for (int y = 0; y + 1 < h; y++)
        memmove(p + y * stride + 1, p + (y + 1) * stride, (size_t)stride - 1);
}

int main(void) {
    for (int i = 0; i < W * H; i++)
        a[i] = (uint8_t)(i * 7 + i / 256);
    copy_rows(b, W + 20, a, W, W, H);
    clear_rows(b, W + 20, W, 20, H);
    shift(b, W + 20, H);
    unsigned h = 0;
    for (int i = 0; i < (W + 20) * H; i++)
        h = h * 31 + b[i];
    printf("%08x\n", h);
    return 0;
}
