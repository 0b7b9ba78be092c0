// Separable 5-tap Gaussian on a float image: rows into a temporary, then columns.
// expect: blur_rows launches
// expect: blur_columns launches
#include <stdio.h>
#include <stdlib.h>

static const float tap[5] = {0.0625f, 0.25f, 0.375f, 0.25f, 0.0625f};

__attribute__((noinline)) void blur_rows(const float *in, float *out, int w, int h) {
    for (int y = 0; y < h; y++) {
        for (int x = 2; x < w - 2; x++) {
            float s = 0.0f;
            for (int k = 0; k < 5; k++)
                s += tap[k] * in[y * w + x + k - 2];
            out[y * w + x] = s;
        }
    }
}

__attribute__((noinline)) void blur_columns(const float *in, float *out, int w, int h) {
    for (int y = 2; y < h - 2; y++) {
        for (int x = 0; x < w; x++) {
            float s = 0.0f;
            for (int k = 0; k < 5; k++)
                s += tap[k] * in[(y + k - 2) * w + x];
            out[y * w + x] = s;
        }
    }
}

int main(void) {
    int w = 199, h = 133;
    float *a = calloc((size_t)w * h, sizeof *a);
    float *b = calloc((size_t)w * h, sizeof *b);
    if (!a || !b)
        return 1;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            a[y * w + x] = (float)((x * 7 + y * 13) % 101) / 101.0f;
    blur_rows(a, b, w, h);
    blur_columns(b, a, w, h);
    double total = 0;
    for (int i = 0; i < w * h; i++)
        total += a[i];
    printf("%.9f centre %.9f\n", total, (double)a[(h / 2) * w + w / 2]);
    return 0;
}
