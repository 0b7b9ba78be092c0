// An index that leads out of memory, three quarters through: the loads before it happened, and so did their stores.
// build: -mexec-model=reactor
// run: invoke=run
// trap: yes
// expect: pick falls-back inspected
#include <stdint.h>

#define N 8000

uint32_t table[N], at[N], out[N];

__attribute__((noinline)) static void pick(uint32_t *to, const uint32_t *from, const uint32_t *index, int n) {
    for (int i = 0; i < n; i++)
        to[i] = from[index[i]] + 1;
}

__attribute__((export_name("run"))) uint32_t run(void) {
    for (uint32_t i = 0; i < N; i++) {
        table[i] = i * i;
        at[i] = i == 6000 ? 0x3ff00000u : (i * 17) % N;
    }
    pick(out, table, at, N);
    return out[N - 1];
}
