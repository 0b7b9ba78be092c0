// A hash table with chained buckets, only read: every look-up follows a list of its own.
// expect: look_up launches
#include <stdint.h>
#include <stdio.h>

#define BUCKETS 256
#define ENTRIES 1500
#define QUERIES 3000

struct entry {
    uint32_t key, value;
    struct entry *next;
};

static struct entry entries[ENTRIES], *buckets[BUCKETS];
static uint32_t query[QUERIES], answer[QUERIES];

__attribute__((noinline)) void look_up(uint32_t *to, const uint32_t *keys, struct entry *const *table, int n) {
    for (int i = 0; i < n; i++) {
        uint32_t found = 0xffffffffu;
        for (const struct entry *e = table[keys[i] * 2654435761u >> 24]; e; e = e->next)
            if (e->key == keys[i]) {
                found = e->value;
                break;
            }
        to[i] = found;
    }
}

int main(void) {
    for (int i = 0; i < ENTRIES; i++) {
        uint32_t key = (uint32_t)i * 3 + 1, b = key * 2654435761u >> 24;
        entries[i] = (struct entry){key, (uint32_t)i * 10, buckets[b]};
        buckets[b] = &entries[i];
    }
    for (int i = 0; i < QUERIES; i++)
        query[i] = (uint32_t)(i * 17 % 5000);
    look_up(answer, query, buckets, QUERIES);
    uint32_t sum = 0;
    for (int i = 0; i < QUERIES; i++)
        sum = sum * 31 + answer[i];
    printf("%u\n", sum);
    return 0;
}
