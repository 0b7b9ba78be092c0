// Loops that count down, and one that ends on pointer inequality.
// expect: reverse launches
// expect: negate launches
#include <stdint.h>
#include <stdio.h>

#define N 30001

static int32_t a[N], b[N];

__attribute__((noinline)) void reverse(const int32_t *in, int32_t *out, int n) {
    for (int i = n - 1; i >= 0; i--)
        out[n - 1 - i] = in[i];
}

__attribute__((noinline)) void negate(int32_t *first, int32_t *last) {
    for (; first != last; ++first)
        *first = 1 - *first;
}

int main(void) {
    for (int i = 0; i < N; i++)
        a[i] = i * i;
    reverse(a, b, N);
    negate(b, b + N);
    unsigned h = 0;
    for (int i = 0; i < N; i++)
        h = h * 31 + (unsigned)b[i];
    printf("%08x\n", h);
    return 0;
}
