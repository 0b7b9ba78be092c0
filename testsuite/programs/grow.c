// Linear memory grows between the launches, and the new part is used by the next one.
// expect: ramp launches 5
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

__attribute__((noinline)) void ramp(uint32_t *p, int n, uint32_t start) {
    for (int i = 0; i < n; i++)
        p[i] = start + 3u * (uint32_t)i;
}

int main(void) {
    uint32_t *block[5];
    int n = 70000;
    unsigned h = 0;
    for (int k = 0; k < 5; k++) {
        block[k] = malloc((size_t)n * sizeof(uint32_t));
        if (!block[k])
            return 1;
        ramp(block[k], n, (uint32_t)k * 1000u);
    }
    for (int k = 0; k < 5; k++)
        for (int i = 0; i < n; i += 7)
            h = h * 31 + block[k][i];
    printf("%08x\n", h);
    for (int k = 0; k < 5; k++)
        free(block[k]);
    return 0;
}
