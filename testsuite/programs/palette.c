// Pixels through a palette of 32-bit colours, and a gather through two index arrays.
// expect: expand launches
// expect: permute launches
#include <stdint.h>
#include <stdio.h>

#define W 160
#define H 100

static uint16_t indexed[W * H];
static uint32_t palette[5000], rgba[W * H], shuffled[W * H];
static int first[W * H], second[W * H];

__attribute__((noinline)) void expand(uint32_t *to, const uint16_t *from, const uint32_t *colours, int w, int h) {
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            to[y * w + x] = colours[from[y * w + x] % 5000] | 0xff000000u;
}

__attribute__((noinline)) void permute(uint32_t *to, const uint32_t *from, const int *a, const int *b, int n) {
    for (int i = 0; i < n; i++)
        to[i] = from[a[b[i]]];
}

int main(void) {
    for (int i = 0; i < 5000; i++)
        palette[i] = (uint32_t)(i * 77 + (i << 12));
    for (int i = 0; i < W * H; i++) {
        indexed[i] = (uint16_t)(i * 31 + i / 7);
        first[i] = (i * 7 + 3) % (W * H);
        second[i] = (i * 11 + 5) % (W * H);
    }
    expand(rgba, indexed, palette, W, H);
    permute(shuffled, rgba, first, second, W * H);
    uint32_t sum = 0;
    for (int i = 0; i < W * H; i++)
        sum = sum * 31 + shuffled[i];
    printf("%u\n", sum);
    return 0;
}
