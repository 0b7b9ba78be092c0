// Edit distance of two strings by dynamic programming: int minima, one row of memory.
// n: 8
typedef unsigned u32;
#define N 2000
static unsigned char a[N], b[N];
static u32 row[N + 1];

__attribute__((export_name("run"))) u32 run(u32 n) {
    u32 x = 9, sum = 0;
    for (u32 t = 0; t < n; t++) {
        for (u32 i = 0; i < N; i++) {
            x = x * 1664525u + 1013904223u;
            a[i] = x >> 30;
            b[i] = x >> 28 & 3;
        }
        for (u32 j = 0; j <= N; j++)
            row[j] = j;
        for (u32 i = 1; i <= N; i++) {
            u32 diagonal = row[0];
            row[0] = i;
            for (u32 j = 1; j <= N; j++) {
                u32 up = row[j], left = row[j - 1], d = diagonal + (a[i - 1] != b[j - 1]);
                u32 m = up < left ? up : left;
                row[j] = m + 1 < d ? m + 1 : d;
                diagonal = up;
            }
        }
        sum = sum * 31 + row[N];
    }
    return sum;
}
