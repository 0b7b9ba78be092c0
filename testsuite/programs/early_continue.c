// Conditions of all kinds inside a loop: continue, nested branches, a switch, and short circuits with loads behind
// them.
// expect: classify launches
// expect: blend_masked launches
// expect: guarded any
// truth: guarded parallel
#include <stdint.h>
#include <stdio.h>

#define N 5000

static int32_t a[N], b[N], c[N];

__attribute__((noinline)) void classify(const int32_t *in, int32_t *out, int n) {
    for (int i = 0; i < n; i++) {
        switch (in[i] & 7) {
        case 0:
            out[i] = 10;
            break;
        case 1:
            out[i] = in[i] * 2;
            break;
        case 4:
            out[i] = in[i] ^ 99;
            break;
        case 5:
            out[i] = -in[i];
            break;
        default:
            out[i] = i;
            break;
        }
    }
}

__attribute__((noinline)) void blend_masked(const int32_t *mask, const int32_t *in, int32_t *out, int n) {
    for (int i = 0; i < n; i++) {
        if (mask[i] % 3 == 0)
            continue;
        if (in[i] > 100) {
            if (mask[i] & 1)
                out[i] += in[i] - 100;
            else
                out[i] -= 1;
        } else if (in[i] < -100 || mask[i] > 4000) {
            out[i] = 0;
        }
    }
}

__attribute__((noinline)) void guarded(const int32_t *in, int32_t *out, int n) {
    for (int i = 0; i < n; i++) {
        int32_t s = in[i];
        if (i > 0 && in[i - 1] > s)
            s = in[i - 1];
        if (i + 1 < n && in[i + 1] > s)
            s = in[i + 1];
        out[i] = s;
    }
}

int main(void) {
    for (int i = 0; i < N; i++) {
        a[i] = (i * 7919) % 1000 - 500;
        c[i] = i % 50;
    }
    classify(a, b, N);
    blend_masked(b, a, c, N);
    guarded(c, a, N);
    unsigned h = 0;
    for (int i = 0; i < N; i++)
        h = h * 31 + (unsigned)a[i];
    printf("%08x\n", h);
    return 0;
}
