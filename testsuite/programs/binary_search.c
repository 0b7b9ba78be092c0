// A binary search for each element, and one that stops early.
// expect: lower_bounds launches
// expect: find_all launches
#include <stdint.h>
#include <stdio.h>

#define N 3000
#define KEYS 5000

static int32_t sorted[N], key[KEYS], place[KEYS], exact[KEYS];

__attribute__((noinline)) void lower_bounds(int32_t *to, const int32_t *keys, const int32_t *v, int n, int size) {
    for (int i = 0; i < n; i++) {
        int lo = 0, hi = size;
        while (lo < hi) {
            int mid = (lo + hi) / 2;
            if (v[mid] < keys[i])
                lo = mid + 1;
            else
                hi = mid;
        }
        to[i] = lo;
    }
}

__attribute__((noinline)) void find_all(int32_t *to, const int32_t *keys, const int32_t *v, int n, int size) {
    for (int i = 0; i < n; i++) {
        int lo = 0, hi = size - 1, at = -1;
        while (lo <= hi) {
            int mid = (lo + hi) >> 1;
            if (v[mid] == keys[i]) {
                at = mid;
                break;
            }
            if (v[mid] < keys[i])
                lo = mid + 1;
            else
                hi = mid - 1;
        }
        to[i] = at;
    }
}

int main(void) {
    for (int i = 0; i < N; i++)
        sorted[i] = i * 3 + i / 10;
    for (int i = 0; i < KEYS; i++)
        key[i] = i * 37 % 10000 - 100;
    lower_bounds(place, key, sorted, KEYS, N);
    find_all(exact, key, sorted, KEYS, N);
    uint32_t sum = 0;
    for (int i = 0; i < KEYS; i++)
        sum = sum * 31 + (uint32_t)place[i] * 7 + (uint32_t)exact[i];
    printf("%u\n", sum);
    return 0;
}
