// The rows overlap the rows that are read by an amount known only at run time: no two rows may run at once, but each
// row may run by itself.
// expect: blend launches 90
// expect: blend falls-back conflict
#include <stdio.h>
#include <stdlib.h>

static int image[128 * 4096];

__attribute__((noinline)) static void blend(int *dst, const int *src, int rows, int n) {
    for (int y = 0; y < rows; y++)
        for (int x = 0; x < n; x++)
            dst[y * n + x] = dst[y * n + x] / 3 + src[y * n + x] * 7 + x;
}

int main(int argc, char **argv) {
    int lag = argc > 1 ? atoi(argv[1]) : 1;
    for (int i = 0; i < 128 * 4096; i++)
        image[i] = i * 2654435761u >> 7;
    blend(image + 4096 * lag, image, 100 - lag, 4096);
    unsigned h = 0;
    for (int i = 0; i < 128 * 4096; i++)
        h = h * 31 + (unsigned)image[i];
    printf("%u\n", h);
    return 0;
}
