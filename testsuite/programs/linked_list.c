// Walks a shuffled list: the next address is in memory.
// expect: walk stays
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct node {
    uint32_t value;
    struct node *next;
};

__attribute__((noinline)) uint32_t walk(struct node *n) {
    uint32_t sum = 0;
    while (n) {
        sum = sum * 3 + n->value;
        n->value ^= 0x55;
        n = n->next;
    }
    return sum;
}

int main(void) {
    int count = 5000;
    struct node *nodes = malloc((size_t)count * sizeof *nodes);
    if (!nodes)
        return 1;
    for (int i = 0; i < count; i++) {
        int j = (int)((uint32_t)(i + 1) * 1789u % 5003u);
        nodes[i].value = (uint32_t)i;
        nodes[i].next = j < count && j > i ? &nodes[j] : i + 1 < count ? &nodes[i + 1] : NULL;
    }
    uint32_t a = walk(nodes);
    uint32_t b = walk(nodes);
    printf("%u %u\n", (unsigned)a, (unsigned)b);
    free(nodes);
    return 0;
}
