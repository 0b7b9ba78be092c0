// Filters of sound: a biquad depends on its last outputs, a bank of biquads is parallel over channels, polyphase
// decimation.
// expect: biquad stays
// expect: bank launches
// expect: decimate launches
#include <stdio.h>

#define N 1500
#define CH 16

static float x[N * CH], y[N * CH], taps[24], z[N];

__attribute__((noinline)) void biquad(const float *in, float *out, int n) {
    float x1 = 0, x2 = 0, y1 = 0, y2 = 0;
    for (int i = 0; i < n; i++) {
        float v = 0.2f * in[i] + 0.4f * x1 + 0.2f * x2 + 0.6f * y1 - 0.25f * y2;
        x2 = x1;
        x1 = in[i];
        y2 = y1;
        y1 = v;
        out[i] = v;
    }
}

__attribute__((noinline)) void bank(const float *in, float *out, int channels, int n) {
    for (int c = 0; c < channels; c++) {
        float y1 = 0, k = 0.1f + 0.05f * (float)c;
        for (int i = 0; i < n; i++) {
            y1 += k * (in[i * channels + c] - y1);
            out[i * channels + c] = y1;
        }
    }
}

__attribute__((noinline)) void decimate(const float *in, float *out, const float *h, int n, int taps_n, int factor) {
    for (int i = 0; i < n; i++) {
        float s = 0;
        for (int k = 0; k < taps_n; k++)
            s += h[k] * in[i * factor + k];
        out[i] = s;
    }
}

int main(void) {
    for (int i = 0; i < N * CH; i++)
        x[i] = (float)((i * 31) % 97) / 48.0f - 1.0f;
    for (int k = 0; k < 24; k++)
        taps[k] = 1.0f / (float)(k + 1);
    biquad(x, y, N * CH);
    bank(y, x, CH, N);
    decimate(x, z, taps, N, 24, 3);
    printf("%a %a %a\n", y[N], x[N * CH - 1], z[N - 1]);
    return 0;
}
