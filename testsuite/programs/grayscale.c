// Interleaved RGB bytes to luma, with the usual integer weights.
// expect: to_gray launches
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

__attribute__((noinline)) void to_gray(const uint8_t *rgb, uint8_t *gray, int width, int height) {
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            const uint8_t *p = rgb + 3 * (y * width + x);
            gray[y * width + x] = (uint8_t)((77 * p[0] + 150 * p[1] + 29 * p[2] + 128) >> 8);
        }
    }
}

int main(int argc, char **argv) {
    int width = argc > 2 ? atoi(argv[1]) : 251, height = argc > 2 ? atoi(argv[2]) : 190;
    uint8_t *rgb = malloc((size_t)width * height * 3), *gray = malloc((size_t)width * height);
    if (!rgb || !gray)
        return 1;
    uint32_t s = 99;
    for (int i = 0; i < width * height * 3; i++) {
        s = s * 1664525u + 1013904223u;
        rgb[i] = (uint8_t)(s >> 24);
    }
    to_gray(rgb, gray, width, height);
    uint32_t h = 2166136261u;
    for (int i = 0; i < width * height; i++)
        h = (h ^ gray[i]) * 16777619u;
    printf("%dx%d %08x\n", width, height, (unsigned)h);
    return 0;
}
