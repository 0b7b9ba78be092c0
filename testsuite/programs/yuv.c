// RGB to three separate Y, U, V planes: one input, three outputs.
// expect: rgb_to_yuv launches
#include <stdint.h>
#include <stdio.h>

#define N 40000

static uint8_t rgb[3 * N], py[N], pu[N], pv[N];

__attribute__((noinline)) void rgb_to_yuv(const uint8_t *src, uint8_t *y, uint8_t *u, uint8_t *v, int n) {
    for (int i = 0; i < n; i++) {
        int r = src[3 * i], g = src[3 * i + 1], b = src[3 * i + 2];
        y[i] = (uint8_t)(((66 * r + 129 * g + 25 * b + 128) >> 8) + 16);
        u[i] = (uint8_t)(((-38 * r - 74 * g + 112 * b + 128) >> 8) + 128);
        v[i] = (uint8_t)(((112 * r - 94 * g - 18 * b + 128) >> 8) + 128);
    }
}

static unsigned sum(const uint8_t *p, int n) {
    unsigned h = 5381;
    for (int i = 0; i < n; i++)
        h = h * 33 + p[i];
    return h;
}

int main(void) {
    uint32_t s = 4;
    for (int i = 0; i < 3 * N; i++) {
        s = s * 1664525u + 1013904223u;
        rgb[i] = (uint8_t)(s >> 22);
    }
    rgb_to_yuv(rgb, py, pu, pv, N);
    printf("y %08x u %08x v %08x\n", sum(py, N), sum(pu, N), sum(pv, N));
    return 0;
}
