// Inner loops that run as long as the data says: Collatz lengths, greatest common divisors, Newton's square root.
// expect: lengths launches
// expect: divisors any
// truth: divisors parallel
// expect: roots launches
#include <math.h>
#include <stdint.h>
#include <stdio.h>

#define N 2000

static uint32_t len[N], g[N];
static float root[N];

__attribute__((noinline)) void lengths(uint32_t *out, int n) {
    for (int i = 0; i < n; i++) {
        uint32_t v = (uint32_t)i + 1, k = 0;
        while (v != 1) {
            v = v & 1 ? 3 * v + 1 : v / 2;
            k++;
        }
        out[i] = k;
    }
}

__attribute__((noinline)) void divisors(const uint32_t *in, uint32_t *out, int n, uint32_t with) {
    for (int i = 0; i < n; i++) {
        uint32_t a = in[i] + 1, b = with;
        while (b) {
            uint32_t t = a % b;
            a = b;
            b = t;
        }
        out[i] = a;
    }
}

__attribute__((noinline)) void roots(float *out, int n) {
    for (int i = 0; i < n; i++) {
        float v = (float)i + 0.5f, x = v;
        for (int k = 0; k < 30; k++) {
            float next = 0.5f * (x + v / x);
            if (fabsf(next - x) < 1e-6f)
                break;
            x = next;
        }
        out[i] = x;
    }
}

int main(void) {
    lengths(len, N);
    divisors(len, g, N, 5040);
    roots(root, N);
    uint32_t a = 0, b = 0;
    float s = 0;
    for (int i = 0; i < N; i++) {
        a += len[i];
        b += g[i];
        s += root[i];
    }
    printf("%u %u %a\n", a, b, s);
    return 0;
}
