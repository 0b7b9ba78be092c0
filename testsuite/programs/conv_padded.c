// Pieces of a UNet through structures: a convolution that skips what lies outside of the picture, group norm,
// SiLU, down and up again.  The tensors lie next to each other, so the border that is skipped would be a part of
// the neighbour.

// expect: conv2d launches 2
// expect: group_norm launches 2
// expect: silu launches 2
// expect: shrink launches
// expect: grow launches
// expect: add_channel launches 2
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct tensor {
    int c, h, w;
    float *data;
};

static struct tensor make(int c, int h, int w) {
    struct tensor t = {c, h, w, calloc((size_t)c * h * w, sizeof(float))};
    return t;
}

__attribute__((noinline)) static void conv2d(struct tensor *out, const struct tensor *in, const float *weights, int k,
                                             int pad) {
    for (int oc = 0; oc < out->c; oc++)
        for (int y = 0; y < out->h; y++)
            for (int x = 0; x < out->w; x++) {
                float sum = 0.0f;
                for (int ic = 0; ic < in->c; ic++)
                    for (int ky = 0; ky < k; ky++) {
                        int iy = y + ky - pad;
                        if (iy < 0 || iy >= in->h)
                            continue;
                        for (int kx = 0; kx < k; kx++) {
                            int ix = x + kx - pad;
                            if (ix < 0 || ix >= in->w)
                                continue;
                            sum += in->data[(ic * in->h + iy) * in->w + ix] *
                                   weights[((oc * in->c + ic) * k + ky) * k + kx];
                        }
                    }
                out->data[(oc * out->h + y) * out->w + x] = sum;
            }
}

__attribute__((noinline)) static void group_norm(struct tensor *t, int groups, const float *gamma, const float *beta) {
    int channels = t->c / groups, pixels = t->h * t->w;
    for (int g = 0; g < groups; g++) {
        float *p = t->data + (size_t)g * channels * pixels;
        double mean = 0, variance = 0;
        for (int i = 0; i < channels * pixels; i++)
            mean += p[i];
        mean /= channels * pixels;
        for (int i = 0; i < channels * pixels; i++)
            variance += (p[i] - mean) * (p[i] - mean);
        float scale = (float)(1.0 / sqrt(variance / (channels * pixels) + 1e-5));
        for (int c = 0; c < channels; c++) {
            float a = gamma[g * channels + c] * scale, b = beta[g * channels + c] - (float)mean * a;
            for (int i = 0; i < pixels; i++)
                p[c * pixels + i] = p[c * pixels + i] * a + b;
        }
    }
}

__attribute__((noinline)) static void silu(struct tensor *t) {
    size_t n = (size_t)t->c * t->h * t->w;
    for (size_t i = 0; i < n; i++)
        t->data[i] = t->data[i] / (1.0f + expf(-t->data[i]));
}

__attribute__((noinline)) static void add_channel(struct tensor *t, const float *bias) {
    for (int c = 0; c < t->c; c++)
        for (int i = 0; i < t->h * t->w; i++)
            t->data[c * t->h * t->w + i] += bias[c];
}

__attribute__((noinline)) static void shrink(struct tensor *o, const struct tensor *in) {
    for (int c = 0; c < o->c; c++)
        for (int y = 0; y < o->h; y++)
            for (int x = 0; x < o->w; x++) {
                const float *s = in->data + (c * in->h + 2 * y) * in->w + 2 * x;
                o->data[(c * o->h + y) * o->w + x] = 0.25f * (s[0] + s[1] + s[in->w] + s[in->w + 1]);
            }
}

__attribute__((noinline)) static void grow(struct tensor *o, const struct tensor *in) {
    for (int c = 0; c < o->c; c++)
        for (int y = 0; y < o->h; y++)
            for (int x = 0; x < o->w; x++)
                o->data[(c * o->h + y) * o->w + x] = in->data[(c * in->h + y / 2) * in->w + x / 2];
}

int main(int argc, char **argv) {
    enum { C = 32, H = 14, W = 18 };
    struct tensor x = make(3, H, W), a = make(C, H, W), small = make(C, H / 2, W / 2), b = make(C, H / 2, W / 2),
                  up = make(C, H, W);
    float *w1 = malloc(C * 3 * 9 * sizeof *w1), *w2 = malloc(C * C * 9 * sizeof *w2), gamma[C], beta[C];
    for (int i = 0; i < 3 * H * W; i++)
        x.data[i] = (float)((i * 37) % 101) / 50.0f - 1.0f;
    for (int i = 0; i < C * 3 * 9; i++)
        w1[i] = (float)((i * 13) % 29 - 14) / 40.0f;
    for (int i = 0; i < C * C * 9; i++)
        w2[i] = (float)((i * 7) % 31 - 15) / 120.0f;
    for (int i = 0; i < C; i++) {
        gamma[i] = 1.0f + i * 0.01f;
        beta[i] = i * 0.02f - 0.3f;
    }
    int k = argc > 1 ? atoi(argv[1]) : 3;
    conv2d(&a, &x, w1, k, k / 2);
    group_norm(&a, 16, gamma, beta);
    silu(&a);
    add_channel(&a, beta);
    shrink(&small, &a);
    conv2d(&b, &small, w2, k, k / 2);
    group_norm(&b, 16, gamma, beta);
    silu(&b);
    add_channel(&b, gamma);
    grow(&up, &b);
    double sum = 0;
    for (int i = 0; i < C * H * W; i++)
        sum += up.data[i] * (i % 7);
    printf("%.9g\n", sum);
    return 0;
}
