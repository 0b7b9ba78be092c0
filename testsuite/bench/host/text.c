// Words of a text: splits bytes, lower-cases, hashes, counts in a table; then a naive substring search.
// n: 12
typedef unsigned u32;
#define SIZE 400000
static char text[SIZE + 1], word[64];
static u32 counts[4096];

static u32 find_all(const char *needle) {
    u32 hits = 0;
    for (const char *p = text; *p; p++) {
        const char *a = p, *b = needle;
        while (*b && *a == *b)
            a++, b++;
        hits += !*b;
    }
    return hits;
}

__attribute__((export_name("run"))) u32 run(u32 n) {
    static const char letters[] = "etaoin shrdlu, cmfwyp vbgkqj. xz ETA oin the and ";
    u32 x = 7, sum = 0;
    for (u32 i = 0; i < SIZE; i++) {
        x = x * 1103515245u + 12345u;
        text[i] = letters[(x >> 16) % (sizeof letters - 1)];
    }
    text[SIZE] = 0;
    for (u32 t = 0; t < n; t++) {
        u32 len = 0;
        for (const char *p = text; *p; p++) {
            char c = *p;
            if (c >= 'A' && c <= 'Z')
                c = (char)(c + 32);
            if (c >= 'a' && c <= 'z' && len < sizeof word - 1) {
                word[len++] = c;
            } else if (len) {
                u32 h = 5381;
                for (u32 i = 0; i < len; i++)
                    h = h * 33 ^ (u32)word[i];
                counts[h % 4096]++;
                len = 0;
            }
        }
        sum += find_all("the") + find_all("tao");
    }
    for (u32 i = 0; i < 4096; i++)
        sum = sum * 31 + counts[i], counts[i] = 0;
    return sum;
}
