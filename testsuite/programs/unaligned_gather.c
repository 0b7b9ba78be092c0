/* Indices that count bytes: some lead to places that are no multiple of four.  A GPU cannot read there, so the loop
 * falls back when it meets one; the cpu device can. */
// expect: pick launches
// expect: pick launches 2 on cpu
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define N 4000

static uint8_t bytes[4 * N + 8];
static uint32_t at[N], out[N];

__attribute__((noinline)) void pick(uint32_t *to, const uint8_t *from, const uint32_t *index, int n) {
    for (int i = 0; i < n; i++) {
        uint32_t v;
        memcpy(&v, from + index[i], 4);
        to[i] = v ^ (uint32_t)i;
    }
}

int main(void) {
    uint32_t sum = 0;
    for (int i = 0; i < 4 * N + 8; i++)
        bytes[i] = (uint8_t)(i * 7);
    for (int turn = 0; turn < 2; turn++) {
        for (int i = 0; i < N; i++)
            at[i] = (uint32_t)(i * 13 % N * 4 + (turn && i == 777));
        pick(out, bytes, at, N);
        for (int i = 0; i < N; i++)
            sum = sum * 31 + out[i];
    }
    printf("%u\n", sum);
    return 0;
}
