// Whether the loop is parallel depends on the pointers: one call overlaps its input, the other does not.
// expect: smooth launches
// expect: smooth falls-back conflict
#include <stdint.h>
#include <stdio.h>

#define N 20000

static int32_t buf[2 * N + 8];

__attribute__((noinline)) void smooth(const int32_t *in, int32_t *out, int n) {
    for (int i = 0; i < n; i++)
        out[i] = (in[i] + in[i + 1] + 1) >> 1;
}

static unsigned hash(const int32_t *p, int n) {
    unsigned h = 0;
    for (int i = 0; i < n; i++)
        h = h * 31 + (unsigned)p[i];
    return h;
}

int main(void) {
    for (int i = 0; i < 2 * N + 8; i++)
        buf[i] = (i * 7919) % 10007;
    smooth(buf, buf + 3, N); // forward overlap: iteration i+3 reads what iteration i wrote
    printf("%08x\n", hash(buf, 2 * N));
    smooth(buf, buf + N + 2, N); // disjoint
    printf("%08x\n", hash(buf, 2 * N));
    smooth(buf + 1, buf, N); // each element is read by later iterations only before it is written... in source order
    printf("%08x\n", hash(buf, 2 * N));
    return 0;
}
