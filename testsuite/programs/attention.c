// One attention head over a key/value cache, as small language models write it: scores, softmax, weighted sum.
// expect: scores launches
// expect: normalise any
// truth: normalise parallel
// expect: mix launches
#include <math.h>
#include <stdio.h>
#include <string.h>

#define HEAD 48
#define POS 120

static float q[HEAD], key[POS * HEAD], value[POS * HEAD], att[POS], out[HEAD];

__attribute__((noinline)) void scores(float *a, const float *qv, const float *k, int pos, int n) {
    for (int t = 0; t <= pos; t++) {
        const float *kt = k + t * n;
        float s = 0.0f;
        for (int i = 0; i < n; i++)
            s += qv[i] * kt[i];
        a[t] = s / sqrtf((float)n);
    }
}

__attribute__((noinline)) void normalise(float *a, int n) {
    float max = a[0], sum = 0.0f;
    for (int i = 1; i < n; i++)
        max = a[i] > max ? a[i] : max;
    for (int i = 0; i < n; i++)
        sum += a[i] = expf(a[i] - max);
    for (int i = 0; i < n; i++)
        a[i] /= sum;
}

__attribute__((noinline)) void mix(float *o, const float *a, const float *v, int pos, int n) {
    for (int i = 0; i < n; i++) {
        float s = 0.0f;
        for (int t = 0; t <= pos; t++)
            s += a[t] * v[t * n + i];
        o[i] = s;
    }
}

int main(void) {
    for (int i = 0; i < HEAD; i++)
        q[i] = (float)(i % 7) * 0.25f - 0.5f;
    for (int i = 0; i < POS * HEAD; i++) {
        key[i] = (float)((i * 31) % 17) * 0.125f - 1.0f;
        value[i] = (float)((i * 13) % 23) * 0.0625f;
    }
    for (int pos = 0; pos < POS; pos += 17) {
        scores(att, q, key, pos, HEAD);
        normalise(att, pos + 1);
        mix(out, att, value, pos, HEAD);
        printf("%d %a %a\n", pos, out[0], out[HEAD - 1]);
    }
    return 0;
}
