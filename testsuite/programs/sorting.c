// Sorting: insertion and bubble passes are serial, the odd-even transposition has parallel phases, counting ranks is
// wide.
// expect: insertion stays
// expect: odd_even launches
// expect: ranks launches
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define N 160

static int32_t a[N], b[N], c[N], rank[N];

__attribute__((noinline)) void insertion(int32_t *p, int n) {
    for (int i = 1; i < n; i++) {
        int32_t v = p[i];
        int j = i;
        for (; j > 0 && p[j - 1] > v; j--)
            p[j] = p[j - 1];
        p[j] = v;
    }
}

__attribute__((noinline)) void odd_even(int32_t *p, int n, int phase) {
    for (int i = phase & 1; i + 1 < n; i += 2)
        if (p[i] > p[i + 1]) {
            int32_t t = p[i];
            p[i] = p[i + 1];
            p[i + 1] = t;
        }
}

__attribute__((noinline)) void ranks(const int32_t *p, int32_t *out, int n) {
    for (int i = 0; i < n; i++) {
        int k = 0;
        for (int j = 0; j < n; j++)
            k += p[j] < p[i] || (p[j] == p[i] && j < i);
        out[i] = k;
    }
}

int main(void) {
    for (int i = 0; i < N; i++)
        a[i] = b[i] = (i * 7919) % 401;
    ranks(a, rank, N);
    for (int i = 0; i < N; i++)
        c[rank[i]] = a[i];
    insertion(a, N);
    for (int t = 0; t < N; t++)
        odd_even(b, N, t);
    printf("%d %d %d\n", memcmp(a, b, sizeof a), memcmp(a, c, sizeof a), a[N / 2]);
    return 0;
}
