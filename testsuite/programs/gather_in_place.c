// A gather from the very array that is written: later iterations see what earlier ones wrote.  And a gather whose
// indices lead into the written array only now and then.
// expect: chase falls-back inspected
// expect: mixed falls-back inspected
// expect: mixed launches
#include <stdint.h>
#include <stdio.h>

#define N 6000

static uint32_t v[N], at[N], table[2 * N];

__attribute__((noinline)) void chase(uint32_t *a, const uint32_t *index, int n) {
    for (int i = 0; i < n; i++)
        a[i] = a[index[i]] * 3 + 1;
}

__attribute__((noinline)) void mixed(uint32_t *t, const uint32_t *index, int n) {
    for (int i = 0; i < n; i++)
        t[i] = t[n + index[i]] + 7;
}

int main(void) {
    for (uint32_t i = 0; i < N; i++) {
        v[i] = i;
        at[i] = (i * 7) % N;
        table[i] = i * 5;
        table[N + i] = i * 11;
    }
    chase(v, at, N);
    mixed(table, at, N);
    at[N / 2] = (uint32_t)-5;
    mixed(table, at, N);
    uint32_t sum = 0;
    for (int i = 0; i < N; i++)
        sum = sum * 31 + v[i] + table[i];
    printf("%u\n", sum);
    return 0;
}
