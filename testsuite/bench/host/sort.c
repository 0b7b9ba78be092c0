// Quicksort with insertion sort for small parts, then heap sort of a copy: compares, swaps, recursion.
// n: 12
typedef unsigned u32;
#define N 100000
static u32 a[N], b[N];

static void insertion(u32 *v, int n) {
    for (int i = 1; i < n; i++) {
        u32 x = v[i];
        int j = i;
        for (; j > 0 && v[j - 1] > x; j--)
            v[j] = v[j - 1];
        v[j] = x;
    }
}

static void quick(u32 *v, int n) {
    while (n > 16) {
        u32 p = v[n / 2];
        int i = 0, j = n - 1;
        while (i <= j) {
            while (v[i] < p)
                i++;
            while (v[j] > p)
                j--;
            if (i <= j) {
                u32 t = v[i];
                v[i++] = v[j];
                v[j--] = t;
            }
        }
        quick(v, j + 1);
        v += i;
        n -= i;
    }
    insertion(v, n);
}

static void sift(u32 *v, int i, int n) {
    u32 x = v[i];
    for (int c; (c = 2 * i + 1) < n; i = c) {
        if (c + 1 < n && v[c + 1] > v[c])
            c++;
        if (v[c] <= x)
            break;
        v[i] = v[c];
    }
    v[i] = x;
}

static void heap(u32 *v, int n) {
    for (int i = n / 2; i-- > 0;)
        sift(v, i, n);
    while (--n > 0) {
        u32 t = v[0];
        v[0] = v[n];
        v[n] = t;
        sift(v, 0, n);
    }
}

__attribute__((export_name("run"))) u32 run(u32 n) {
    u32 sum = 0, x = 1;
    for (u32 t = 0; t < n; t++) {
        for (u32 i = 0; i < N; i++)
            a[i] = b[i] = x = x * 1664525u + 1013904223u;
        quick(a, N);
        heap(b, N);
        for (u32 i = 0; i < N; i++)
            sum += (a[i] ^ i) + (a[i] != b[i]) * 7919;
    }
    return sum;
}
