// Scales and shifts bytes, clamping to 0..255.
// expect: brighten launches
#include <stdint.h>
#include <stdio.h>

#define W 317
#define H 203

static uint8_t img[W * H];

__attribute__((noinline)) void brighten(uint8_t *p, int n, int gain_256, int offset) {
    for (int i = 0; i < n; i++) {
        int v = ((p[i] * gain_256) >> 8) + offset;
        if (v < 0)
            v = 0;
        if (v > 255)
            v = 255;
        p[i] = (uint8_t)v;
    }
}

int main(void) {
    uint32_t s = 7;
    for (int i = 0; i < W * H; i++) {
        s = s * 1103515245u + 12345u;
        img[i] = (uint8_t)(s >> 16);
    }
    brighten(img, W * H, 300, 17);
    brighten(img + 5, W * H - 9, 200, -40);
    uint32_t h = 0;
    for (int i = 0; i < W * H; i++)
        h = h * 31 + img[i];
    printf("%08x\n", (unsigned)h);
    return 0;
}
