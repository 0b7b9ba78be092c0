// Colour spaces with many branches: RGB to hue, saturation and value and back, in bytes.
// expect: to_hsv any
// truth: to_hsv parallel
// expect: to_rgb launches
#include <stdint.h>
#include <stdio.h>

#define N 6000

struct pixel {
    uint8_t a, b, c;
};

static struct pixel in[N], hsv[N], out[N];

__attribute__((noinline)) void to_hsv(const struct pixel *p, struct pixel *q, int n) {
    for (int i = 0; i < n; i++) {
        int r = p[i].a, g = p[i].b, b = p[i].c;
        int max = r > g ? (r > b ? r : b) : (g > b ? g : b), min = r < g ? (r < b ? r : b) : (g < b ? g : b),
            d = max - min;
        int h = 0;
        if (d) {
            if (max == r)
                h = 43 * (g - b) / d;
            else if (max == g)
                h = 85 + 43 * (b - r) / d;
            else
                h = 171 + 43 * (r - g) / d;
        }
        q[i].a = (uint8_t)h;
        q[i].b = (uint8_t)(max ? 255 * d / max : 0);
        q[i].c = (uint8_t)max;
    }
}

__attribute__((noinline)) void to_rgb(const struct pixel *p, struct pixel *q, int n) {
    for (int i = 0; i < n; i++) {
        int h = p[i].a, s = p[i].b, v = p[i].c, region = h / 43, f = (h - region * 43) * 6;
        int x = v * (255 - s) >> 8, y = v * (255 - (s * f >> 8)) >> 8, z = v * (255 - (s * (255 - f) >> 8)) >> 8;
        int r = region == 0 || region >= 5 ? v : region == 1 ? y : region == 4 ? z : x;
        int g = region == 0 ? z : region == 1 || region == 2 ? v : region == 3 ? y : x;
        int b = region <= 1 ? x : region == 2 ? z : region == 3 || region == 4 ? v : y;
        q[i].a = (uint8_t)r;
        q[i].b = (uint8_t)g;
        q[i].c = (uint8_t)b;
    }
}

int main(void) {
    for (int i = 0; i < N; i++)
        in[i] = (struct pixel){(uint8_t)(i * 3), (uint8_t)(i * 7 + 50), (uint8_t)(i / 20)};
    to_hsv(in, hsv, N);
    to_rgb(hsv, out, N);
    unsigned h = 0;
    for (int i = 0; i < N; i++)
        h = (h * 31 + out[i].a) * 31 + out[i].b + hsv[i].a;
    printf("%08x\n", h);
    return 0;
}
