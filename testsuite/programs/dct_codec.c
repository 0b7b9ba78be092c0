// The 8x8 cosine transform of image codecs on every block, through a private array, then quantisation.
// expect: dct_blocks launches
// simd: dct_blocks any
// truth: dct_blocks parallel
// expect: quantise launches
#include <math.h>
#include <stdint.h>
#include <stdio.h>

#define W 96
#define H 64

static float basis[64];
static uint8_t image[W * H];
static float freq[W * H];
static int16_t coded[W * H];
static int table[64];

__attribute__((noinline)) void dct_blocks(const uint8_t *in, float *out, int w, int h) {
    for (int by = 0; by < h; by += 8)
        for (int bx = 0; bx < w; bx += 8) {
            float tmp[64];
            for (int u = 0; u < 8; u++)
                for (int x = 0; x < 8; x++) {
                    float s = 0;
                    for (int k = 0; k < 8; k++)
                        s += basis[u * 8 + k] * ((float)in[(by + k) * w + bx + x] - 128.0f);
                    tmp[u * 8 + x] = s;
                }
            for (int u = 0; u < 8; u++)
                for (int v = 0; v < 8; v++) {
                    float s = 0;
                    for (int k = 0; k < 8; k++)
                        s += basis[v * 8 + k] * tmp[u * 8 + k];
                    out[(by + u) * w + bx + v] = s;
                }
        }
}

__attribute__((noinline)) void quantise(const float *in, const int *q, int16_t *out, int w, int h) {
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            float v = in[y * w + x] / (float)q[(y & 7) * 8 + (x & 7)];
            out[y * w + x] = (int16_t)(v < 0 ? v - 0.5f : v + 0.5f);
        }
}

int main(void) {
    for (int u = 0; u < 8; u++)
        for (int k = 0; k < 8; k++)
            basis[u * 8 + k] = (u ? 0.5f : 0.35355339f) * cosf((float)((2 * k + 1) * u) * 3.14159265f / 16.0f);
    for (int i = 0; i < 64; i++)
        table[i] = 4 + i / 8 + i % 8;
    for (int i = 0; i < W * H; i++)
        image[i] = (uint8_t)((i % W) * 2 + (i / W) * 3);
    dct_blocks(image, freq, W, H);
    quantise(freq, table, coded, W, H);
    unsigned h = 0;
    for (int i = 0; i < W * H; i++)
        h = h * 31 + (uint16_t)coded[i];
    printf("%08x\n", h);
    return 0;
}
