// Heat equation: a time loop (sequential) around a stencil (parallel) that swaps two grids.
// expect: diffuse launches 20
#include <stdio.h>
#include <stdlib.h>

__attribute__((noinline)) void diffuse(const float *old, float *next, int w, int h, float k) {
    for (int y = 1; y < h - 1; y++) {
        for (int x = 1; x < w - 1; x++) {
            int i = y * w + x;
            next[i] = old[i] + k * (old[i - 1] + old[i + 1] + old[i - w] + old[i + w] - 4.0f * old[i]);
        }
    }
}

int main(void) {
    int w = 128, h = 96, steps = 20;
    float *a = calloc((size_t)(w * h), sizeof *a), *b = calloc((size_t)(w * h), sizeof *b);
    if (!a || !b)
        return 1;
    for (int x = 0; x < w; x++)
        a[x] = b[x] = 100.0f;
    a[(h / 2) * w + w / 2] = 1000.0f;
    for (int t = 0; t < steps; t++) {
        diffuse(a, b, w, h, 0.2f);
        float *swap = a;
        a = b;
        b = swap;
    }
    float total = 0;
    for (int i = 0; i < w * h; i++)
        total += a[i];
    printf("total %a centre %a\n", total, a[(h / 2) * w + w / 2]);
    return 0;
}
