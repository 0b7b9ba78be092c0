// Open-addressing hash table with 64-bit keys: inserts, look-ups, deletes by tombstone. Scattered memory.
// n: 600000
typedef unsigned u32;
typedef unsigned long long u64;
#define SLOTS (1u << 18)
static struct slot {
    u64 key;
    u32 value, state; // 0 free, 1 used, 2 deleted
} table[SLOTS];

static u32 hash(u64 x) {
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdull;
    x ^= x >> 33;
    return (u32)x;
}

static struct slot *find(u64 key, int insert) {
    struct slot *grave = 0;
    for (u32 i = hash(key);; i++) {
        struct slot *s = &table[i % SLOTS];
        if (s->state == 1 && s->key == key)
            return s;
        if (s->state == 2 && !grave)
            grave = s;
        if (s->state == 0)
            return insert ? (grave ? grave : s) : 0;
    }
}

__attribute__((export_name("run"))) u32 run(u32 n) {
    u32 sum = 0;
    u64 x = 88172645463325252ull;
    for (u32 i = 0; i < SLOTS; i++)
        table[i].state = 0;
    for (u32 i = 0; i < n; i++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        u64 key = x % 150000;
        struct slot *s = find(key, 1);
        if (s->state != 1)
            *s = (struct slot){key, 0, 1};
        s->value += i;
        s = find((x >> 20) % 150000, 0);
        if (s) {
            sum = sum * 33 + s->value;
            if (i % 16 == 0)
                s->value = 0;
        }
    }
    return sum;
}
