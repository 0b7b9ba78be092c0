// expect: window launches
// expect: resample launches
// expect: halve launches
// expect: unpack launches
//
// Counters that compilers hide: a second counter in double beside the integer one, and loops of two iterations, whose
// counter becomes a flag.
#include <stdint.h>
#include <stdio.h>

enum { N = 3000, W = 64, H = 48, BLOCKS = 200 };

struct image {
    int width, height, stride;
    uint8_t *pixels;
};

__attribute__((noinline)) static void window(float *w, int n) {
    for (int i = 0; i < n; i++) {
        double x = (2.0 * i) / n - 1.0;
        w[i] = (float)(1.0 - x * x);
    }
}

__attribute__((noinline)) static int resample(const float *in, int n, float *out, double ratio) {
    int m = (int)(n * ratio) - 1;
    for (int i = 0; i < m; i++) {
        double at = i / ratio;
        int k = (int)at;
        float part = (float)(at - k);
        out[i] = in[k] * (1 - part) + in[k + 1] * part;
    }
    return m;
}

// Each pixel of the result is the mean of two by two.
__attribute__((noinline)) static void halve(struct image *out, const struct image *in) {
    for (int y = 0; y < out->height; y++)
        for (int x = 0; x < out->width; x++) {
            int sum = 0;
            for (int j = 0; j < 2; j++)
                for (int i = 0; i < 2; i++)
                    sum += in->pixels[(2 * y + j) * in->stride + 2 * x + i];
            out->pixels[y * out->stride + x] = (uint8_t)(sum / 4);
        }
}

// Blocks of 64 numbers in two halves, each with a scale of its own.
__attribute__((noinline)) static void unpack(const uint8_t *in, float *out, int n) {
    for (int b = 0; b < n; b++) {
        const uint8_t *q = in + b * 34;
        for (int j = 0; j < 64; j += 32) {
            float scale = in[b * 34 + 32 + j / 32] / 16.0f;
            for (int l = 0; l < 16; l++)
                *out++ = scale * (q[l] & 15);
            for (int l = 0; l < 16; l++)
                *out++ = scale * (q[l] >> 4);
            q += 16;
        }
    }
}

static float w[N], r[2 * N], floats[BLOCKS * 64];
static uint8_t large[H * W], small[H * W / 4], packed[BLOCKS * 34];

int main(void) {
    for (int i = 0; i < H * W; i++)
        large[i] = (uint8_t)(i * 7 + i / 100);
    for (int i = 0; i < BLOCKS * 34; i++)
        packed[i] = (uint8_t)(i * 37 >> 2);
    struct image in = {W, H, W, large}, out = {W / 2, H / 2, W / 2, small};
    window(w, N);
    int m = resample(w, N, r, 1.6);
    halve(&out, &in);
    unpack(packed, floats, BLOCKS);
    double sum = m;
    for (int i = 0; i < m; i++)
        sum += r[i];
    for (int i = 0; i < H * W / 4; i++)
        sum += small[i];
    for (int i = 0; i < BLOCKS * 64; i++)
        sum += floats[i];
    printf("%.9g\n", sum);
    return 0;
}
