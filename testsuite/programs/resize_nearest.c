// Nearest-neighbour resize by any ratio: the source index is not linear in the loop counters.
// expect: resize any
// truth: resize parallel
#include <stdint.h>
#include <stdio.h>

#define SW 100
#define SH 75
#define DW 163
#define DH 121

static uint8_t src[SW * SH], dst[DW * DH];

__attribute__((noinline)) void resize(const uint8_t *in, int sw, int sh, uint8_t *out, int dw, int dh) {
    for (int y = 0; y < dh; y++) {
        int sy = y * sh / dh;
        for (int x = 0; x < dw; x++)
            out[y * dw + x] = in[sy * sw + x * sw / dw];
    }
}

int main(void) {
    for (int i = 0; i < SW * SH; i++)
        src[i] = (uint8_t)(i * 37 >> 2);
    resize(src, SW, SH, dst, DW, DH);
    unsigned h = 0;
    for (int i = 0; i < DW * DH; i++)
        h = h * 33 + dst[i];
    printf("%08x\n", h);
    return 0;
}
