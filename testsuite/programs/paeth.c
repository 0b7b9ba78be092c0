// PNG's row filters: encoding is parallel, decoding depends on the pixel before.
// expect: filter any
// truth: filter parallel
// expect: unfilter stays
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define W 160
#define H 60

static uint8_t img[H + 1][W + 1], enc[H][W], dec[H + 1][W + 1];

static inline int paeth(int a, int b, int c) {
    int p = a + b - c, pa = abs(p - a), pb = abs(p - b), pc = abs(p - c);
    return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}

__attribute__((noinline)) void filter(void) {
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            enc[y][x] = (uint8_t)(img[y + 1][x + 1] - paeth(img[y + 1][x], img[y][x + 1], img[y][x]));
}

__attribute__((noinline)) void unfilter(void) {
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            dec[y + 1][x + 1] = (uint8_t)(enc[y][x] + paeth(dec[y + 1][x], dec[y][x + 1], dec[y][x]));
}

int main(void) {
    for (int y = 1; y <= H; y++)
        for (int x = 1; x <= W; x++)
            img[y][x] = (uint8_t)(x * y + x * 3);
    filter();
    unfilter();
    unsigned h = 0;
    for (int i = 0; i < W * H; i++)
        h = h * 31 + enc[i / W][i % W];
    printf("%08x %d\n", h, memcmp(img, dec, sizeof img));
    return 0;
}
