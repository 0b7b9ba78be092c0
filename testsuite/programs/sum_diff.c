// One butterfly stage: two inputs, two outputs.
// expect: butterfly launches
#include <stdio.h>

#define N 32000

static float a[N], b[N], sum[N], diff[N];

__attribute__((noinline)) void butterfly(const float *p, const float *q, float *s, float *d, int n) {
    for (int i = 0; i < n; i++) {
        float x = p[i], y = q[i];
        s[i] = x + y;
        d[i] = (x - y) * 0.5f;
    }
}

int main(void) {
    for (int i = 0; i < N; i++) {
        a[i] = (float)(i % 311) / 311.0f;
        b[i] = (float)(i % 173) / 173.0f;
    }
    butterfly(a, b, sum, diff, N);
    float s = 0, d = 0;
    for (int i = 0; i < N; i += 17) {
        s += sum[i];
        d += diff[i];
    }
    printf("%a %a\n", s, d);
    return 0;
}
