// Escape-time fractal: the inner loop ends when the data says so.
// expect: mandelbrot launches
#include <stdint.h>
#include <stdio.h>

#define W 120
#define H 80
#define MAX_ITER 100

static uint16_t image[W * H];

__attribute__((noinline)) void mandelbrot(uint16_t *out, int w, int h, float x0, float y0, float scale) {
    for (int py = 0; py < h; py++) {
        for (int px = 0; px < w; px++) {
            float cx = x0 + (float)px * scale, cy = y0 + (float)py * scale;
            float x = 0.0f, y = 0.0f;
            int n = 0;
            while (n < MAX_ITER && x * x + y * y <= 4.0f) {
                float t = x * x - y * y + cx;
                y = 2.0f * x * y + cy;
                x = t;
                n++;
            }
            out[py * w + px] = (uint16_t)n;
        }
    }
}

int main(void) {
    mandelbrot(image, W, H, -2.1f, -1.2f, 3.0f / (float)W);
    unsigned h = 0, inside = 0;
    for (int i = 0; i < W * H; i++) {
        h = h * 31 + image[i];
        inside += image[i] == MAX_ITER;
    }
    printf("%08x inside %u\n", h, inside);
    for (int y = 0; y < H; y += 8) {
        for (int x = 0; x < W; x += 3)
            putchar(" .:-=+*#%@"[image[y * W + x] * 9 / MAX_ITER]);
        putchar('\n');
    }
    return 0;
}
