// Neighbours and row ends that the compiler carries from one iteration to the next in a register.
// expect: differences launches
// expect: smooth launches
// expect: lengths launches
#include <stdint.h>
#include <stdio.h>

#define N 12000

static int32_t v[N + 2], d[N], s[N], ends[N + 1], len[N];

__attribute__((noinline)) void differences(int32_t *to, const int32_t *restrict a, int n) {
    for (int i = 0; i < n; i++)
        to[i] = a[i + 1] - a[i];
}

__attribute__((noinline)) void smooth(int32_t *restrict to, const int32_t *restrict a, int n) {
    for (int i = 0; i < n; i++)
        to[i] = (a[i] + 2 * a[i + 1] + a[i + 2]) / 4;
}

__attribute__((noinline)) void lengths(int32_t *restrict to, const int32_t *restrict e, int n) {
    for (int i = 0; i < n; i++)
        to[i] = (e[i + 1] - e[i]) * i;
}

int main(void) {
    for (int i = 0; i < N + 2; i++)
        v[i] = i * i % 1013;
    for (int i = 0; i <= N; i++)
        ends[i] = i * 3 + i % 7;
    differences(d, v, N);
    smooth(s, v, N);
    lengths(len, ends, N);
    uint32_t sum = 0;
    for (int i = 0; i < N; i++)
        sum = sum * 31 + (uint32_t)d[i] + (uint32_t)s[i] * 3 + (uint32_t)len[i];
    printf("%u\n", sum);
    return 0;
}
