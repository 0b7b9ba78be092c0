// Grey-scale dilation: the brightest neighbour, coordinates clamped to the image with two ifs.
// expect: dilate launches
#include <stdint.h>
#include <stdio.h>

#define W 120
#define H 90

static uint8_t in[W * H], out[W * H];

__attribute__((noinline)) void dilate(const uint8_t *from, uint8_t *to, int w, int h, int radius) {
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            int most = 0;
            for (int dy = -radius; dy <= radius; dy++)
                for (int dx = -radius; dx <= radius; dx++) {
                    int yy = y + dy, xx = x + dx;
                    if (yy < 0)
                        yy = 0;
                    if (yy >= h)
                        yy = h - 1;
                    if (xx < 0)
                        xx = 0;
                    if (xx >= w)
                        xx = w - 1;
                    if (from[yy * w + xx] > most)
                        most = from[yy * w + xx];
                }
            to[y * w + x] = (uint8_t)most;
        }
}

int main(void) {
    uint32_t s = 5;
    for (int i = 0; i < W * H; i++) {
        s = s * 1664525u + 1013904223u;
        in[i] = (s >> 16) % 97 == 0 ? (uint8_t)(s >> 24) : 3;
    }
    dilate(in, out, W, H, 2);
    unsigned hash = 0;
    for (int i = 0; i < W * H; i++)
        hash = hash * 31 + out[i];
    printf("%08x corner %d last %d\n", hash, out[0], out[W * H - 1]);
    return 0;
}
