// Pooling and upsampling of feature maps with channels: four nested loops each.
// expect: max_pool launches
// expect: upsample launches
#include <stdio.h>

#define C 6
#define H 24
#define W 28

static float a[C * H * W], p[C * H / 2 * W / 2], u[C * H * W];

__attribute__((noinline)) void max_pool(const float *in, float *out, int c, int h, int w) {
    for (int k = 0; k < c; k++)
        for (int y = 0; y < h / 2; y++)
            for (int x = 0; x < w / 2; x++) {
                float m = -1e30f;
                for (int dy = 0; dy < 2; dy++)
                    for (int dx = 0; dx < 2; dx++) {
                        float v = in[(k * h + 2 * y + dy) * w + 2 * x + dx];
                        m = v > m ? v : m;
                    }
                out[(k * (h / 2) + y) * (w / 2) + x] = m;
            }
}

__attribute__((noinline)) void upsample(const float *in, float *out, int c, int h, int w) {
    for (int k = 0; k < c; k++)
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++)
                out[(k * h + y) * w + x] = in[(k * (h / 2) + y / 2) * (w / 2) + x / 2];
}

int main(void) {
    for (int i = 0; i < C * H * W; i++)
        a[i] = (float)((i * 7919) % 503);
    max_pool(a, p, C, H, W);
    upsample(p, u, C, H, W);
    float s = 0;
    for (int i = 0; i < C * H * W; i++)
        s += u[i] * (float)(i % 3);
    printf("%a\n", s);
    return 0;
}
