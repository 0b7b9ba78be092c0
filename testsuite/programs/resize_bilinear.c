// Bilinear resize in 16.16 fixed point, edges clamped.
// expect: resize any
// truth: resize parallel
#include <stdint.h>
#include <stdio.h>

#define SW 90
#define SH 70
#define DW 150
#define DH 110

static uint8_t src[SW * SH], dst[DW * DH];

__attribute__((noinline)) void resize(const uint8_t *in, int sw, int sh, uint8_t *out, int dw, int dh) {
    int step_x = (sw << 16) / dw, step_y = (sh << 16) / dh;
    for (int y = 0; y < dh; y++) {
        int fy = y * step_y, y0 = fy >> 16, y1 = y0 + 1 < sh ? y0 + 1 : y0, wy = (fy >> 8) & 255;
        for (int x = 0; x < dw; x++) {
            int fx = x * step_x, x0 = fx >> 16, x1 = x0 + 1 < sw ? x0 + 1 : x0, wx = (fx >> 8) & 255;
            int top = in[y0 * sw + x0] * (256 - wx) + in[y0 * sw + x1] * wx;
            int bottom = in[y1 * sw + x0] * (256 - wx) + in[y1 * sw + x1] * wx;
            out[y * dw + x] = (uint8_t)((top * (256 - wy) + bottom * wy + 32768) >> 16);
        }
    }
}

int main(void) {
    uint32_t s = 8;
    for (int i = 0; i < SW * SH; i++) {
        s = s * 1664525u + 1013904223u;
        src[i] = (uint8_t)(s >> 24);
    }
    resize(src, SW, SH, dst, DW, DH);
    unsigned h = 0;
    for (int i = 0; i < DW * DH; i++)
        h = h * 33 + dst[i];
    printf("%08x\n", h);
    return 0;
}
