// A convolution layer: channels in, channels out, 3x3 kernel, bias and ReLU.
// expect: conv2d launches
#include <stdio.h>
#include <stdlib.h>

#define CI 3
#define CO 6
#define H 34
#define W 38

__attribute__((noinline)) void conv2d(const float *in, const float *weight, const float *bias, float *out, int ci,
                                      int co, int h, int w) {
    int oh = h - 2, ow = w - 2;
    for (int o = 0; o < co; o++) {
        for (int y = 0; y < oh; y++) {
            for (int x = 0; x < ow; x++) {
                float acc = bias[o];
                for (int c = 0; c < ci; c++)
                    for (int ky = 0; ky < 3; ky++)
                        for (int kx = 0; kx < 3; kx++)
                            acc += in[(c * h + y + ky) * w + x + kx] * weight[((o * ci + c) * 3 + ky) * 3 + kx];
                out[(o * oh + y) * ow + x] = acc > 0.0f ? acc : 0.0f;
            }
        }
    }
}

int main(void) {
    float *in = malloc(sizeof(float) * CI * H * W), *wt = malloc(sizeof(float) * CO * CI * 9);
    float *bias = malloc(sizeof(float) * CO), *out = malloc(sizeof(float) * CO * (H - 2) * (W - 2));
    if (!in || !wt || !bias || !out)
        return 1;
    unsigned s = 9;
    for (int i = 0; i < CI * H * W; i++) {
        s = s * 1664525u + 1013904223u;
        in[i] = (float)(s >> 16) / 65536.0f;
    }
    for (int i = 0; i < CO * CI * 9; i++) {
        s = s * 1664525u + 1013904223u;
        wt[i] = (float)(s >> 16) / 32768.0f - 1.0f;
    }
    for (int i = 0; i < CO; i++)
        bias[i] = 0.1f * (float)i - 0.2f;
    conv2d(in, wt, bias, out, CI, CO, H, W);
    float sum = 0.0f;
    int live = 0;
    for (int i = 0; i < CO * (H - 2) * (W - 2); i++) {
        sum += out[i];
        live += out[i] > 0.0f;
    }
    printf("sum %a live %d\n", sum, live);
    return 0;
}
