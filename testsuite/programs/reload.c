/* Pointers, sizes and strides that live in a struct: since a store might change them, clang reads them again in every
 * iteration.  They are read once before the launch, and the guard shows that no store touches them. */
// expect: brighten launches on cpu lavapipe
// expect: add_rows launches
// expect: count_up launches
// expect: overwrite falls-back conflict
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct image {
    int32_t *pixels;
    int width, height, stride;
};

__attribute__((noinline)) static void brighten(struct image *im, float *gain) {
    float *p = (float *)im->pixels;
    for (int i = 0; i < im->width * im->height; i++)
        p[i] = p[i] * gain[0];
}

__attribute__((noinline)) static void add_rows(struct image *out, struct image *a, struct image *b) {
    for (int y = 0; y < out->height; y++)
        for (int x = 0; x < out->width; x++)
            out->pixels[y * out->stride + x] = a->pixels[y * a->stride + x] + 3 * b->pixels[y * b->stride + x];
}

int limit;
static int *table;
int *volatile table_source;

__attribute__((noinline)) static void count_up(void) {
    for (int i = 0; i < limit; i++)
        table[i] += i;
}

/* The first element that is written is the struct's own width. */
__attribute__((noinline)) static void overwrite(struct image *im, int value) {
    for (int i = 0; i < im->width; i++)
        im->pixels[i] = value - i;
}

static uint32_t checksum(const void *p, int n) {
    const uint32_t *w = p;
    uint32_t h = 2166136261u;
    for (int i = 0; i < n; i++)
        h = (h ^ w[i]) * 16777619u;
    return h;
}

static struct image make(int width, int height, int seed) {
    struct image im = {malloc((size_t)(width + 5) * height * 4), width, height, width + 5};
    for (int i = 0; i < (width + 5) * height; i++)
        im.pixels[i] = i * 77 + seed;
    return im;
}

int main(void) {
    volatile int width = 161, height = 90;
    struct image a = make(width, height, 1), b = make(width, height, 2), c = make(width, height, 3);
    struct image *volatile pa = &a, *volatile pb = &b, *volatile pc = &c;
    add_rows(pc, pa, pb);
    printf("%08x\n", checksum(c.pixels, (width + 5) * height));
    float gain = 1.25f;
    for (int i = 0; i < width * height; i++)
        ((float *)a.pixels)[i] = (float)i * 0.5f;
    brighten(pa, &gain);
    printf("%08x\n", checksum(a.pixels, width * height));
    volatile int some = 9001;
    limit = some;
    table = b.pixels;
    table_source = table;
    count_up();
    printf("%08x\n", checksum(b.pixels, limit));

    struct image *self = malloc(20000 * sizeof(int));
    for (int i = 0; i < 20000; i++)
        ((int *)self)[i] = 5;
    self->pixels = (int *)self + 1 - 4096 > (int *)0 ? (int *)self + 1 - 4096 : (int *)self + 1;
    self->width = 10000;
    int *kept = self->pixels;
    (void)kept;
    struct image *volatile ps = self;
    overwrite(ps, 6000);
    printf("%d %08x\n", self->width, checksum(self, 20000));
    return 0;
}
