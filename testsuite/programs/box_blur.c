// 3x3 mean of bytes, out of place, borders copied.
// expect: box_blur launches
#include <stdint.h>
#include <stdio.h>

#define W 229
#define H 171

static uint8_t src[H][W], dst[H][W];

__attribute__((noinline)) void box_blur(int w, int h, const uint8_t *in, uint8_t *out) {
    for (int y = 1; y < h - 1; y++) {
        for (int x = 1; x < w - 1; x++) {
            int sum = 0;
            for (int j = -1; j <= 1; j++)
                for (int i = -1; i <= 1; i++)
                    sum += in[(y + j) * w + x + i];
            out[y * w + x] = (uint8_t)((sum + 4) / 9);
        }
    }
}

int main(void) {
    uint32_t s = 3;
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            s = s * 1664525u + 1013904223u;
            src[y][x] = (uint8_t)(s >> 24);
            dst[y][x] = src[y][x];
        }
    box_blur(W, H, &src[0][0], &dst[0][0]);
    unsigned h = 0;
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            h = h * 131 + dst[y][x];
    printf("%08x\n", h);
    return 0;
}
