// Bilinear sampling at coordinates from a displacement map, not clamped by anything the compiler sees.
// expect: warp launches on cpu lavapipe
#include <stdint.h>
#include <stdio.h>

#define W 120
#define H 80

static float src[(W + 8) * (H + 8)], dst[W * H], dx[W * H], dy[W * H];

__attribute__((noinline)) void warp(float *to, const float *from, const float *ox, const float *oy, int w, int h,
                                    int pitch) {
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            float fx = (float)x + ox[y * w + x], fy = (float)y + oy[y * w + x];
            int ix = (int)fx, iy = (int)fy;
            float ax = fx - (float)ix, ay = fy - (float)iy;
            const float *p = from + iy * pitch + ix;
            float top = p[0] + (p[1] - p[0]) * ax, bottom = p[pitch] + (p[pitch + 1] - p[pitch]) * ax;
            to[y * w + x] = top + (bottom - top) * ay;
        }
}

int main(void) {
    for (int i = 0; i < (W + 8) * (H + 8); i++)
        src[i] = (float)(i * 37 % 251);
    for (int i = 0; i < W * H; i++) {
        dx[i] = (float)(i % 13) * 0.25f;
        dy[i] = (float)(i % 9) * 0.375f;
    }
    warp(dst, src, dx, dy, W, H, W + 8);
    double s = 0;
    for (int i = 0; i < W * H; i++)
        s += dst[i] * (i % 7 + 1);
    printf("%.6f\n", s);
    return 0;
}
