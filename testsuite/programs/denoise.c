// Edge-preserving mean: a neighbour counts only when it is close in value (a sigma filter).
// expect: sigma_filter launches
#include <stdint.h>
#include <stdio.h>

#define W 160
#define H 120
#define R 2

static uint8_t in[H * W], out[H * W];

__attribute__((noinline)) void sigma_filter(const uint8_t *src, uint8_t *dst, int w, int h, int limit) {
    for (int y = R; y < h - R; y++) {
        for (int x = R; x < w - R; x++) {
            int centre = src[y * w + x], sum = 0, count = 0;
            for (int j = -R; j <= R; j++) {
                for (int i = -R; i <= R; i++) {
                    int v = src[(y + j) * w + x + i];
                    int d = v - centre;
                    if (d <= limit && d >= -limit) {
                        sum += v;
                        count++;
                    }
                }
            }
            dst[y * w + x] = (uint8_t)((float)sum / (float)count + 0.5f); // the pixel itself counts
        }
    }
}

int main(void) {
    uint32_t s = 31;
    for (int i = 0; i < W * H; i++) {
        s = s * 1664525u + 1013904223u;
        int v = ((i % W) / 20 + (i / W) / 20) % 2 ? 200 : 60;
        in[i] = out[i] = (uint8_t)(v + (int)(s >> 27) - 16);
    }
    sigma_filter(in, out, W, H, 40);
    unsigned h = 0;
    for (int i = 0; i < W * H; i++)
        h = h * 33 + out[i];
    printf("%08x\n", h);
    return 0;
}
