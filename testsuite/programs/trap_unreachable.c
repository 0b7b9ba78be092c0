// A check by hand that ends in a trap, for one element in the middle.
// build: -mexec-model=reactor
// run: invoke=run
// trap: yes
// expect: checked falls-back inspected
#include <stdint.h>

#define N 9000

uint32_t in[N], out[N];

__attribute__((noinline)) static void checked(uint32_t *to, const uint32_t *from, int n) {
    for (int i = 0; i < n; i++) {
        if (from[i] > 1000000)
            __builtin_trap();
        to[i] = from[i] * 3;
    }
}

__attribute__((export_name("run"))) uint32_t run(void) {
    for (uint32_t i = 0; i < N; i++)
        in[i] = i == 5000 ? 1000001 : i;
    checked(out, in, N);
    return out[N - 1];
}
