// A loop that calls through a function pointer: the functions it can be are known.
// expect: each launches
// truth: each parallel
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define N 10000

static int32_t v[N];

static int32_t twice(int32_t x) {
    return 2 * x;
}
static int32_t square(int32_t x) {
    return (int32_t)((uint32_t)x * (uint32_t)x);
}

__attribute__((noinline)) void each(int32_t *p, int n, int32_t (*f)(int32_t)) {
    for (int i = 0; i < n; i++)
        p[i] = f(p[i]);
}

int main(int argc, char **argv) {
    for (int i = 0; i < N; i++)
        v[i] = i;
    each(v, N, argc > 1 && atoi(argv[1]) ? square : twice);
    each(v, N, argc > 5 ? twice : square);
    unsigned h = 0;
    for (int i = 0; i < N; i++)
        h = h * 31 + (unsigned)v[i];
    printf("%08x\n", h);
    return 0;
}
