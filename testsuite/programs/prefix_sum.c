// Running sum: each element needs the one before it.
// expect: scan stays
#include <stdint.h>
#include <stdio.h>

#define N 40000

static uint32_t v[N];

__attribute__((noinline)) void scan(uint32_t *p, int n) {
    for (int i = 1; i < n; i++)
        p[i] += p[i - 1];
}

int main(void) {
    for (int i = 0; i < N; i++)
        v[i] = (uint32_t)i * 2654435761u >> 20;
    scan(v, N);
    printf("%u %u\n", (unsigned)v[N / 2], (unsigned)v[N - 1]);
    return 0;
}
