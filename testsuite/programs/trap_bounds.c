// Writes past the end of memory: the stores inside happen, then the trap.
// build: -mexec-model=reactor
// run: invoke=run
// trap: yes
// expect: fill stays
#include <stdint.h>

__attribute__((noinline)) static void fill(uint32_t *p, uint32_t n, uint32_t seed) {
    for (uint32_t i = 0; i < n; i++)
        p[i] = seed ^ (i * 2654435761u);
}

__attribute__((export_name("run"))) int32_t run(void) {
    uint32_t end = (uint32_t)__builtin_wasm_memory_size(0) << 16;
    uint32_t *p = (uint32_t *)(end - 4000);
    fill(p, 5000, 77);
    return (int32_t)p[10];
}
