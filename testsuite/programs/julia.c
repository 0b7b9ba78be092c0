// Julia set straight to bytes, with a break out of the inner loop.
// build: -mexec-model=reactor
// run: invoke=julia_frame 96 64
// expect: render launches
#include <stdint.h>

#define MAX_PIXELS 16384

static uint8_t pixels[MAX_PIXELS];

__attribute__((noinline)) static void render(uint8_t *out, int w, int h, float cr, float ci) {
    for (int y = 0; y < h; y++) {
        for (int x = 0; x < w; x++) {
            float zr = 3.0f * (float)x / (float)w - 1.5f;
            float zi = 2.0f * (float)y / (float)h - 1.0f;
            int i;
            for (i = 0; i < 64; i++) {
                float a = zr * zr, b = zi * zi;
                if (a + b > 4.0f)
                    break;
                zi = 2.0f * zr * zi + ci;
                zr = a - b + cr;
            }
            out[y * w + x] = (uint8_t)(i * 4 - (i == 64));
        }
    }
}

__attribute__((export_name("julia_frame"))) uint32_t julia_frame(int w, int h) {
    if (w < 1 || h < 1 || w > 4096 || h > 4096 || w * h > MAX_PIXELS)
        return 0;
    render(pixels, w, h, -0.7f, 0.27015f);
    uint32_t sum = 0;
    for (int i = 0; i < w * h; i++)
        sum = sum * 33 + pixels[i];
    return sum;
}
