// Loops with an early exit: where they stop depends on the data, and later iterations must not happen.
// expect: find stays
// expect: fill_until stays
#include <stdint.h>
#include <stdio.h>

#define N 50000

static uint8_t v[N];

__attribute__((noinline)) int find(const uint8_t *p, int n, uint8_t what) {
    for (int i = 0; i < n; i++)
        if (p[i] == what)
            return i;
    return -1;
}

__attribute__((noinline)) int fill_until(uint8_t *p, int n, uint8_t stop) {
    int i;
    for (i = 0; i < n; i++) {
        if (p[i] == stop)
            break;
        p[i] = (uint8_t)(p[i] + 1);
    }
    return i;
}

int main(void) {
    for (int i = 0; i < N; i++)
        v[i] = (uint8_t)(i / 300);
    int a = find(v, N, 140), b = find(v, N, 255), c = fill_until(v, N, 120);
    printf("%d %d %d %d\n", a, b, c, v[c - 1]);
    return 0;
}
