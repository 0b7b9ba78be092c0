// Summed-area table: rows and columns are prefix sums; both are parallel in the other direction.
// expect: along_rows any
// truth: along_rows parallel
// expect: along_columns launches
// expect: boxes launches
#include <stdint.h>
#include <stdio.h>

#define W 90
#define H 70
#define R 3

static uint32_t t[H][W], out[H][W];

__attribute__((noinline)) void along_rows(void) {
    for (int y = 0; y < H; y++)
        for (int x = 1; x < W; x++)
            t[y][x] += t[y][x - 1];
}

__attribute__((noinline)) void along_columns(void) {
    for (int y = 1; y < H; y++)
        for (int x = 0; x < W; x++)
            t[y][x] += t[y - 1][x];
}

__attribute__((noinline)) void boxes(void) {
    for (int y = R + 1; y < H - R; y++)
        for (int x = R + 1; x < W - R; x++)
            out[y][x] = t[y + R][x + R] - t[y - R - 1][x + R] - t[y + R][x - R - 1] + t[y - R - 1][x - R - 1];
}

int main(void) {
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            t[y][x] = (uint32_t)(x * y) % 19;
    along_rows();
    along_columns();
    boxes();
    uint32_t h = 0;
    for (int i = 0; i < W * H; i++)
        h = h * 31 + out[i / W][i % W];
    printf("%08x\n", h);
    return 0;
}
