// Words at odd addresses, from a packed record format.
// expect: convert any
// truth: convert parallel
#include <stdint.h>
#include <stdio.h>

#define N 9001

struct __attribute__((packed)) record {
    uint8_t tag;
    uint32_t value;
    uint16_t extra;
};

static struct record in[N];
static uint32_t out[N];

__attribute__((noinline)) void convert(const struct record *r, uint32_t *q, int n) {
    for (int i = 0; i < n; i++)
        q[i] = r[i].value * 3u + r[i].extra + r[i].tag;
}

int main(void) {
    for (int i = 0; i < N; i++) {
        in[i].tag = (uint8_t)i;
        in[i].value = (uint32_t)i * 2654435761u;
        in[i].extra = (uint16_t)(i * 7);
    }
    convert(in, out, N);
    unsigned h = 0;
    for (int i = 0; i < N; i++)
        h = h * 31 + out[i];
    printf("%08x\n", h);
    return 0;
}
