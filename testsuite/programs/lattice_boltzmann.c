// Lattice gas in nine directions: collision in place, streaming into the other buffer with wrapped neighbours.
// expect: collide launches
// expect: stream any
// truth: stream parallel
#include <stdio.h>

#define W 40
#define H 30
#define Q 9

static const int ex[Q] = {0, 1, 0, -1, 0, 1, -1, -1, 1}, ey[Q] = {0, 0, 1, 0, -1, 1, 1, -1, -1};
static const float weight[Q] = {4.f / 9, 1.f / 9, 1.f / 9, 1.f / 9, 1.f / 9, 1.f / 36, 1.f / 36, 1.f / 36, 1.f / 36};
static float f[H * W * Q], g[H * W * Q];

__attribute__((noinline)) void collide(float *p, int cells, float omega) {
    for (int c = 0; c < cells; c++) {
        float rho = 0, ux = 0, uy = 0;
        for (int q = 0; q < Q; q++) {
            rho += p[c * Q + q];
            ux += p[c * Q + q] * (float)ex[q];
            uy += p[c * Q + q] * (float)ey[q];
        }
        ux /= rho;
        uy /= rho;
        for (int q = 0; q < Q; q++) {
            float eu = (float)ex[q] * ux + (float)ey[q] * uy;
            float eq = weight[q] * rho * (1 + 3 * eu + 4.5f * eu * eu - 1.5f * (ux * ux + uy * uy));
            p[c * Q + q] += omega * (eq - p[c * Q + q]);
        }
    }
}

__attribute__((noinline)) void stream(const float *from, float *to) {
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            for (int q = 0; q < Q; q++) {
                int sx = (x - ex[q] + W) % W, sy = (y - ey[q] + H) % H;
                to[(y * W + x) * Q + q] = from[(sy * W + sx) * Q + q];
            }
}

int main(void) {
    for (int i = 0; i < H * W; i++)
        for (int q = 0; q < Q; q++)
            f[i * Q + q] = weight[q] * (1.0f + 0.01f * (float)(i % 7));
    for (int t = 0; t < 2; t++) {
        collide(f, W * H, 1.1f);
        stream(f, g);
        collide(g, W * H, 1.1f);
        stream(g, f);
    }
    printf("%a %a\n", f[123 * Q], f[777 * Q + 5]);
    return 0;
}
