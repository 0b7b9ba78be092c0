// A conversion that overflows in the middle of a loop: the inspector sees it, and the trap leaves the stores before it.
// build: -mexec-model=reactor -mno-nontrapping-fptoint
// run: invoke=run
// trap: yes
// expect: quantise falls-back inspected
#include <stdint.h>

#define N 10000

float sample[N];
int32_t level[N];

__attribute__((noinline)) static void quantise(int32_t *to, const float *from, int n) {
    for (int i = 0; i < n; i++)
        to[i] = __builtin_wasm_trunc_s_i32_f32(from[i]);
}

__attribute__((export_name("run"))) int32_t run(void) {
    for (int i = 0; i < N; i++)
        sample[i] = i == 6789 ? 3e9f : (float)i;
    quantise(level, sample, N);
    return level[N - 1];
}
