// Pointers and sizes kept in a struct that the loop reloads, because the stores might change it, as far as clang can
// tell.
// expect: apply any
// truth: apply parallel
// expect: apply_local launches
#include <stdint.h>
#include <stdio.h>

struct layer {
    uint8_t *in, *out; // bytes may alias anything
    int width, height;
    int gain;
};

static uint8_t a[100 * 60], b[100 * 60];

__attribute__((noinline)) void apply(struct layer *l) {
    for (int y = 0; y < l->height; y++)
        for (int x = 0; x < l->width; x++)
            l->out[y * l->width + x] = (uint8_t)(l->in[y * l->width + x] * l->gain >> 4);
}

__attribute__((noinline)) void apply_local(const struct layer *l) {
    const uint8_t *in = l->in;
    uint8_t *out = l->out;
    int n = l->width * l->height, gain = l->gain;
    for (int i = 0; i < n; i++)
        out[i] = (uint8_t)(in[i] * gain >> 4);
}

int main(void) {
    struct layer l = {a, b, 100, 60, 21}, back = {b, a, 100, 60, 13};
    for (int i = 0; i < 6000; i++)
        a[i] = (uint8_t)(i * 3);
    apply(&l);
    apply_local(&back);
    unsigned h = 0;
    for (int i = 0; i < 6000; i++)
        h = h * 31 + a[i];
    printf("%08x\n", h);
    return 0;
}
