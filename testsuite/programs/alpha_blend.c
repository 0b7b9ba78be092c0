// Source-over of straight-alpha RGBA onto an opaque picture, in place, pixel by pixel through pointers.
// expect: blend launches
#include <stdint.h>
#include <stdio.h>

#define N 16001

static uint8_t fg[4 * N], bg[4 * N];

__attribute__((noinline)) void blend(const uint8_t *src, uint8_t *dst, int pixels) {
    while (pixels-- > 0) {
        unsigned a = src[3];
        for (int c = 0; c < 3; c++) {
            unsigned v = src[c] * a + dst[c] * (255 - a) + 127;
            dst[c] = (uint8_t)(v / 255);
        }
        dst[3] = 255;
        src += 4;
        dst += 4;
    }
}

int main(void) {
    uint32_t s = 28;
    for (int i = 0; i < 4 * N; i++) {
        s = s * 1664525u + 1013904223u;
        fg[i] = (uint8_t)(s >> 24);
        bg[i] = (uint8_t)(s >> 16);
    }
    blend(fg, bg, N);
    unsigned h = 0;
    for (int i = 0; i < 4 * N; i++)
        h = h * 33 + bg[i];
    printf("%08x\n", h);
    return 0;
}
