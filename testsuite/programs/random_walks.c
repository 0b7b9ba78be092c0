// A generator with a state: one stream for all is a recurrence; a state for each walker makes the walkers independent.
// expect: one_stream stays
// expect: walkers launches
// expect: hashed launches
#include <stdint.h>
#include <stdio.h>

#define N 3000

static uint32_t r[N], state[N];
static int32_t pos[N];

__attribute__((noinline)) uint32_t one_stream(uint32_t *out, int n, uint32_t s) {
    for (int i = 0; i < n; i++) {
        s = s * 1664525u + 1013904223u;
        out[i] = s >> 8;
    }
    return s;
}

__attribute__((noinline)) void walkers(uint32_t *st, int32_t *p, int n, int steps) {
    for (int i = 0; i < n; i++) {
        uint32_t s = st[i];
        int32_t x = p[i];
        for (int k = 0; k < steps; k++) {
            s ^= s << 13;
            s ^= s >> 17;
            s ^= s << 5;
            x += s & 1 ? 1 : -1;
        }
        st[i] = s;
        p[i] = x;
    }
}

__attribute__((noinline)) void hashed(uint32_t *out, int n, uint32_t seed) {
    for (int i = 0; i < n; i++) {
        uint32_t h = (uint32_t)i + seed;
        h ^= h >> 16;
        h *= 0x7feb352du;
        h ^= h >> 15;
        h *= 0x846ca68bu;
        out[i] ^= h ^ h >> 16;
    }
}

int main(void) {
    one_stream(r, N, 42);
    for (int i = 0; i < N; i++)
        state[i] = r[i] | 1;
    walkers(state, pos, N, 40);
    hashed(r, N, 7);
    uint32_t h = 0;
    for (int i = 0; i < N; i++)
        h = h * 31 + r[i] + (uint32_t)pos[i];
    printf("%08x\n", h);
    return 0;
}
