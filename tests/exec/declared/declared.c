// Functions for --kernel: two that keep what it promises, and one that does not.
#include <stdio.h>

#define N 4096

static int place[N], out[N], sum[N + 1];

// Through a permutation: no two calls write the same element, which no analysis can tell.
__attribute__((noinline)) void scatter(int i, int *to, const int *p) {
    to[p[i] & 4095] = i * 3;
}

// To the other half, at a distance that is a number of the program's own.
__attribute__((noinline)) void spread(int i, int *s, int k) {
    s[i + k] += s[i] * 3 + 1;
}

// Each call uses what the one before it wrote.
__attribute__((noinline)) void running(int i, int *s, const int *p) {
    s[i + 1] = s[i] + p[i];
}

int main(int argc, char **argv) {
    (void)argv;
    for (int i = 0; i < N; i++)
        place[i] = (i * 1365) % N;
    for (int i = 0; i < N; i++)
        scatter(i, out, place);
    for (int i = 0; i < N / 2; i++)
        spread(i, out, N / 2 * argc);
    for (int i = 0; i < N; i++)
        running(i, sum, place);
    unsigned hash = 0;
    for (int i = 0; i < N; i++)
        hash = hash * 31 + (unsigned)out[i] + (unsigned)sum[i + 1];
    printf("%u %d\n", hash, sum[N]);
    return 0;
}
