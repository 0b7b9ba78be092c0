// A division by zero in the middle of a loop: the trap must leave exactly the stores made before it.
// build: -mexec-model=reactor
// run: invoke=run
// trap: yes
#include <stdint.h>

#define N 10000

int32_t num[N], den[N], quot[N];

__attribute__((noinline)) static void divide(int32_t *q, const int32_t *a, const int32_t *b, int n) {
    for (int i = 0; i < n; i++)
        q[i] = a[i] / b[i];
}

__attribute__((export_name("run"))) int32_t run(void) {
    for (int i = 0; i < N; i++) {
        num[i] = i * 1000;
        den[i] = (i * 7) % 4999 - 2500; // zero somewhere in the middle
    }
    divide(quot, num, den, N);
    return quot[N - 1];
}
