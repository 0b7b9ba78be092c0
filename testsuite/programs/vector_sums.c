// Accumulators that are vectors, written by hand as signal-processing code does: sums, products, bits, extremes of all
// lane shapes, extremes with their places, last values, sums under a mask; the lanes are combined behind each loop.
// build: -msimd128
// expect: dot_i16 launches
// expect: byte_distance launches
// expect: byte_range launches
// expect: short_range launches
// expect: word_range_unsigned launches
// expect: long_range launches
// expect: count_byte launches
// expect: bits_set launches
// expect: parity launches
// expect: product launches
// expect: loudest launches on cpu lavapipe
// expect: softest launches on cpu lavapipe
// expect: softest_reversed launches on cpu lavapipe
// expect: loudest_doubles launches on cpu lavapipe
// expect: loudest_place launches on cpu lavapipe
// expect: last_above launches
// expect: sum_positive launches
// expect: four_sums launches
// expect: kept launches
// expect: sum_beside_map launches
// expect: mixed_lanes stays
// expect: half_masked stays
// expect: float_sum stays
// truth: mixed_lanes serial
// truth: half_masked serial
// truth: float_sum serial
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <wasm_simd128.h>

#define N 24000

static int16_t a[N], b[N];
static uint8_t p[N], q[N];
static int32_t w[N], y[N];
static int64_t l[N];
static float f[N];
static double d[N];

__attribute__((noinline)) int32_t dot_i16(const int16_t *x, const int16_t *y, int n) {
    v128_t sum = wasm_i32x4_const_splat(0);
    for (int i = 0; i < n; i += 8)
        sum = wasm_i32x4_add(sum, wasm_i32x4_dot_i16x8(wasm_v128_load(x + i), wasm_v128_load(y + i)));
    return wasm_i32x4_extract_lane(sum, 0) + wasm_i32x4_extract_lane(sum, 1) + wasm_i32x4_extract_lane(sum, 2) +
           wasm_i32x4_extract_lane(sum, 3);
}

__attribute__((noinline)) uint32_t byte_distance(const uint8_t *x, const uint8_t *y, int n) {
    v128_t sum = wasm_i32x4_const_splat(0);
    for (int i = 0; i < n; i += 16) {
        v128_t u = wasm_v128_load(x + i), v = wasm_v128_load(y + i);
        v128_t apart = wasm_v128_or(wasm_u8x16_sub_sat(u, v), wasm_u8x16_sub_sat(v, u));
        sum = wasm_i32x4_add(sum, wasm_u32x4_extadd_pairwise_u16x8(wasm_u16x8_extadd_pairwise_u8x16(apart)));
    }
    uint32_t lanes[4];
    wasm_v128_store(lanes, sum);
    return lanes[0] + lanes[1] + lanes[2] + lanes[3];
}

__attribute__((noinline)) int byte_range(const uint8_t *x, int n) {
    v128_t least = wasm_i8x16_const_splat(-1), most = wasm_i8x16_const_splat(0), below = most, above = most;
    for (int i = 0; i < n; i += 16) {
        v128_t v = wasm_v128_load(x + i);
        least = wasm_u8x16_min(least, v);
        most = wasm_u8x16_max(v, most);
        below = wasm_i8x16_min(below, v);
        above = wasm_i8x16_max(above, v);
    }
    uint8_t lanes[4][16];
    wasm_v128_store(lanes[0], least);
    wasm_v128_store(lanes[1], most);
    wasm_v128_store(lanes[2], below);
    wasm_v128_store(lanes[3], above);
    int h = 0;
    for (int k = 0; k < 64; k++)
        h = h * 31 + lanes[k / 16][k % 16];
    return h;
}

__attribute__((noinline)) int short_range(const int16_t *x, int n) {
    v128_t least = wasm_v128_load(x), most = least, under = least, over = least, product = wasm_i16x8_const_splat(1);
    for (int i = 8; i < n; i += 8) {
        v128_t v = wasm_v128_load(x + i);
        least = wasm_i16x8_min(least, v);
        most = wasm_i16x8_max(most, v);
        under = wasm_u16x8_min(under, v);
        over = wasm_u16x8_max(over, v);
        product = wasm_i16x8_mul(product, wasm_v128_or(v, wasm_i16x8_const_splat(1)));
    }
    int16_t lanes[5][8];
    wasm_v128_store(lanes[0], least);
    wasm_v128_store(lanes[1], most);
    wasm_v128_store(lanes[2], under);
    wasm_v128_store(lanes[3], over);
    wasm_v128_store(lanes[4], product);
    int h = 0;
    for (int k = 0; k < 40; k++)
        h = h * 31 + lanes[k / 8][k % 8];
    return h;
}

__attribute__((noinline)) uint32_t word_range_unsigned(const int32_t *x, int n) {
    v128_t least = wasm_i32x4_const_splat(-1), most = wasm_i32x4_const_splat(0);
    for (int i = 0; i < n; i += 4) {
        v128_t v = wasm_v128_load(x + i);
        least = wasm_u32x4_min(least, v);
        most = wasm_u32x4_max(most, v);
    }
    return wasm_u32x4_extract_lane(least, 1) * 31 + wasm_u32x4_extract_lane(most, 2);
}

// There is no i64x2.min, so a comparison and a choice of lanes stand for it.
__attribute__((noinline)) int64_t long_range(const int64_t *x, int n) {
    v128_t least = wasm_v128_load(x), most = least;
    for (int i = 2; i < n; i += 2) {
        v128_t v = wasm_v128_load(x + i);
        least = wasm_v128_bitselect(v, least, wasm_i64x2_lt(v, least));
        most = wasm_v128_bitselect(most, v, wasm_i64x2_ge(most, v));
    }
    int64_t lo0 = wasm_i64x2_extract_lane(least, 0), lo1 = wasm_i64x2_extract_lane(least, 1);
    int64_t hi0 = wasm_i64x2_extract_lane(most, 0), hi1 = wasm_i64x2_extract_lane(most, 1);
    return (lo0 < lo1 ? lo0 : lo1) ^ (hi0 > hi1 ? hi0 : hi1) * 3;
}

// Lanes of bytes, which wrap: the count modulo 256 of each lane.
__attribute__((noinline)) int count_byte(const uint8_t *x, int n, uint8_t c) {
    v128_t count = wasm_i8x16_const_splat(0), what = wasm_u8x16_splat(c);
    for (int i = 0; i < n; i += 16)
        count = wasm_i8x16_sub(count, wasm_i8x16_eq(wasm_v128_load(x + i), what));
    uint8_t lanes[16];
    wasm_v128_store(lanes, count);
    int sum = 0;
    for (int k = 0; k < 16; k++)
        sum = sum * 3 + lanes[k];
    return sum;
}

__attribute__((noinline)) int64_t bits_set(const uint8_t *x, int n) {
    v128_t sum = wasm_i64x2_const_splat(0);
    int all = 1, any = 0;
    for (int i = 0; i < n; i += 16) {
        v128_t v = wasm_v128_load(x + i);
        v128_t shorts = wasm_u16x8_extadd_pairwise_u8x16(wasm_i8x16_popcnt(v));
        sum = wasm_i64x2_add(sum, wasm_u64x2_extend_low_u32x4(wasm_u32x4_extadd_pairwise_u16x8(shorts)));
        all &= wasm_i8x16_all_true(v);
        any |= wasm_v128_any_true(wasm_i8x16_eq(v, wasm_i8x16_const_splat(77)));
    }
    return (wasm_i64x2_extract_lane(sum, 0) + wasm_i64x2_extract_lane(sum, 1)) * 4 + all * 2 + any;
}

__attribute__((noinline)) uint32_t parity(const int32_t *x, int n) {
    v128_t odd = wasm_i32x4_const_splat(0), all = wasm_i32x4_const_splat(-1), some = odd;
    for (int i = 0; i < n; i += 4) {
        v128_t v = wasm_v128_load(x + i);
        odd = wasm_v128_xor(odd, v);
        all = wasm_v128_andnot(all, wasm_i32x4_shl(v, 7));
        some = wasm_v128_or(some, wasm_i32x4_shr(v, 28));
    }
    return wasm_u32x4_extract_lane(odd, 0) ^ wasm_u32x4_extract_lane(odd, 3) * 5 ^ wasm_u32x4_extract_lane(all, 1) * 7 ^
           wasm_u32x4_extract_lane(some, 2);
}

__attribute__((noinline)) uint64_t product(const int64_t *x, int n) {
    v128_t p = wasm_i64x2_const_splat(1), odd = p;
    for (int i = 0; i < n; i += 2)
        p = wasm_i64x2_mul(p, wasm_v128_or(wasm_v128_load(x + i), odd));
    return (uint64_t)wasm_i64x2_extract_lane(p, 0) ^ (uint64_t)wasm_i64x2_extract_lane(p, 1);
}

__attribute__((noinline)) float loudest(const float *x, int n) {
    v128_t most = wasm_f32x4_const_splat(-INFINITY);
    for (int i = 0; i < n; i += 4)
        most = wasm_f32x4_max(most, wasm_f32x4_abs(wasm_v128_load(x + i)));
    return fmaxf(fmaxf(wasm_f32x4_extract_lane(most, 0), wasm_f32x4_extract_lane(most, 1)),
                 fmaxf(wasm_f32x4_extract_lane(most, 2), wasm_f32x4_extract_lane(most, 3)));
}

// A NaN is never taken.
__attribute__((noinline)) void softest(const float *x, int n, float *out) {
    v128_t least = wasm_v128_load(x);
    for (int i = 4; i < n; i += 4)
        least = wasm_f32x4_pmin(least, wasm_v128_load(x + i));
    wasm_v128_store(out, least);
}

// A NaN is taken, and what comes behind it as well.
__attribute__((noinline)) void softest_reversed(const float *x, int n, float *out) {
    v128_t least = wasm_v128_load(x);
    for (int i = 4; i < n; i += 4)
        least = wasm_f32x4_pmin(wasm_v128_load(x + i), least);
    wasm_v128_store(out, least);
}

__attribute__((noinline)) double loudest_doubles(const double *x, int n) {
    v128_t most = wasm_f64x2_const_splat(-INFINITY), least = wasm_f64x2_const_splat(INFINITY);
    for (int i = 0; i < n; i += 2) {
        v128_t v = wasm_v128_load(x + i);
        most = wasm_f64x2_pmax(most, v);
        least = wasm_f64x2_min(least, v);
    }
    return wasm_f64x2_extract_lane(most, 0) + 3 * wasm_f64x2_extract_lane(most, 1) +
           5 * wasm_f64x2_extract_lane(least, 0);
}

// The first place of the greatest value, and the last place of the least one, in each lane.
__attribute__((noinline)) int loudest_place(const float *x, int n) {
    v128_t most = wasm_v128_load(x), at = wasm_i32x4_make(0, 1, 2, 3), place = at;
    v128_t least = most, where = at;
    for (int i = 4; i < n; i += 4) {
        v128_t v = wasm_v128_load(x + i);
        at = wasm_i32x4_add(at, wasm_i32x4_const_splat(4));
        v128_t louder = wasm_f32x4_gt(v, most), softer = wasm_f32x4_le(v, least);
        most = wasm_v128_bitselect(v, most, louder);
        place = wasm_v128_bitselect(at, place, louder);
        least = wasm_v128_bitselect(v, least, softer);
        where = wasm_v128_bitselect(at, where, softer);
    }
    int places[8], h = 0;
    wasm_v128_store(places, place);
    wasm_v128_store(places + 4, where);
    for (int k = 0; k < 8; k++)
        h = h * 31 + places[k];
    return h;
}

__attribute__((noinline)) int last_above(const int32_t *x, int n, int limit) {
    v128_t at = wasm_i32x4_make(0, 1, 2, 3), last = wasm_i32x4_const_splat(-1);
    for (int i = 0; i < n; i += 4) {
        last = wasm_v128_bitselect(at, last, wasm_i32x4_gt(wasm_v128_load(x + i), wasm_i32x4_splat(limit)));
        at = wasm_i32x4_add(at, wasm_i32x4_const_splat(4));
    }
    return wasm_i32x4_extract_lane(last, 0) + 3 * wasm_i32x4_extract_lane(last, 1) +
           5 * wasm_i32x4_extract_lane(last, 2) + 7 * wasm_i32x4_extract_lane(last, 3);
}

__attribute__((noinline)) int sum_positive(const int32_t *x, int n) {
    v128_t sum = wasm_i32x4_const_splat(0), zero = sum;
    for (int i = 0; i < n; i += 4) {
        v128_t v = wasm_v128_load(x + i);
        sum = wasm_v128_bitselect(wasm_i32x4_add(sum, v), sum, wasm_i32x4_gt(v, zero));
    }
    return wasm_i32x4_extract_lane(sum, 0) + 3 * wasm_i32x4_extract_lane(sum, 1) + 5 * wasm_i32x4_extract_lane(sum, 2) +
           7 * wasm_i32x4_extract_lane(sum, 3);
}

__attribute__((noinline)) int four_sums(const int32_t *x, int n) {
    v128_t s0 = wasm_i32x4_const_splat(0), s1 = s0, s2 = s0, s3 = s0;
    for (int i = 0; i < n; i += 16) {
        s0 = wasm_i32x4_add(s0, wasm_v128_load(x + i));
        s1 = wasm_i32x4_add(s1, wasm_v128_load(x + i + 4));
        s2 = wasm_i32x4_add(s2, wasm_v128_load(x + i + 8));
        s3 = wasm_i32x4_add(s3, wasm_v128_load(x + i + 12));
    }
    v128_t s = wasm_i32x4_add(wasm_i32x4_add(s0, wasm_i32x4_mul(s1, s1)), wasm_i32x4_sub(s2, wasm_i32x4_neg(s3)));
    return wasm_i32x4_extract_lane(s, 0) ^ wasm_i32x4_extract_lane(s, 1) ^ wasm_i32x4_extract_lane(s, 2) ^
           wasm_i32x4_extract_lane(s, 3);
}

// Stored in every iteration, as far as the compiler knows the addresses may be the same.
__attribute__((noinline)) void kept(const int32_t *x, int n, v128_t *out) {
    for (int i = 0; i < n; i += 4)
        *out = wasm_i32x4_add(*out, wasm_v128_load(x + i));
}

__attribute__((noinline)) int sum_beside_map(const int32_t *x, int32_t *y, int n) {
    v128_t sum = wasm_i32x4_const_splat(0);
    for (int i = 0; i < n; i += 4) {
        v128_t v = wasm_i32x4_mul(wasm_v128_load(x + i), wasm_i32x4_const_splat(3));
        wasm_v128_store(y + i, v);
        sum = wasm_i32x4_add(sum, v);
    }
    return wasm_i32x4_extract_lane(sum, 0) - wasm_i32x4_extract_lane(sum, 3);
}

// Sums of bytes and of words do not mix: carries of one cross the lanes of the other.
__attribute__((noinline)) int mixed_lanes(const int32_t *x, int n) {
    v128_t sum = wasm_i32x4_const_splat(0);
    for (int i = 0; i < n; i += 8) {
        sum = wasm_i32x4_add(sum, wasm_v128_load(x + i));
        sum = wasm_i8x16_add(sum, wasm_v128_load(x + i + 4));
    }
    return wasm_i32x4_extract_lane(sum, 0) ^ wasm_i32x4_extract_lane(sum, 3);
}

// The mask takes half of each word, so carries come and go.
__attribute__((noinline)) int half_masked(const int32_t *x, int n) {
    v128_t sum = wasm_i32x4_const_splat(0);
    for (int i = 0; i < n; i += 4)
        sum = wasm_v128_bitselect(wasm_i32x4_add(sum, wasm_v128_load(x + i)), sum, wasm_i32x4_const_splat(0x00ffff00));
    return wasm_i32x4_extract_lane(sum, 0) ^ wasm_i32x4_extract_lane(sum, 3);
}

__attribute__((noinline)) float float_sum(const float *x, int n) {
    v128_t sum = wasm_f32x4_const_splat(0);
    for (int i = 0; i < n; i += 4)
        sum = wasm_f32x4_add(sum, wasm_v128_load(x + i));
    return wasm_f32x4_extract_lane(sum, 0) + wasm_f32x4_extract_lane(sum, 3);
}

int main(void) {
    uint32_t seed = 777;
    for (int i = 0; i < N; i++) {
        seed = seed * 1664525 + 1013904223;
        a[i] = (int16_t)(seed >> 16);
        b[i] = (int16_t)(seed >> 10);
        p[i] = (uint8_t)((seed >> 24) % 251 + 2);
        q[i] = (uint8_t)(seed >> 21);
        w[i] = (int32_t)(seed * 2654435761u);
        l[i] = (int64_t)((uint64_t)seed * seed) - (int64_t)seed;
        f[i] = (float)((int)(seed >> 12 & 1023) - 512) / 4;
        d[i] = (double)(int32_t)seed;
    }
    f[N / 2] = -0.0f;
    l[N - 2] = INT64_MIN;
    printf("%d %u %d %d %u %lld\n", dot_i16(a, b, N), byte_distance(p, q, N), byte_range(p, N), short_range(a, N),
           word_range_unsigned(w, N), (long long)long_range(l, N));
    printf("%d %lld %u %llx %g %d\n", count_byte(q, N, 9), (long long)bits_set(p, N), parity(w, N),
           (unsigned long long)product(l, N), loudest(f, N), loudest_place(f, N));
    float out[16];
    softest(f, N, out);
    softest_reversed(f, N, out + 4);
    f[N / 3] = NAN;
    f[N / 5] = NAN;
    f[1] = NAN;
    softest(f, N, out + 8);
    softest_reversed(f, N, out + 12);
    for (int k = 0; k < 16; k++)
        printf("%g ", out[k]);
    printf("%d %g\n", loudest_place(f, N), loudest_doubles(d, N));
    printf("%d %d %d %d %d\n", last_above(w, N, INT32_MAX - 99999), last_above(w, 64, INT32_MAX), sum_positive(w, N),
           four_sums(w, N), sum_beside_map(w, y, N));
    kept(w, N, (v128_t *)y);
    kept(y, 4000, (v128_t *)(y + 400));
    printf("%d %d %d %d %g\n", y[2], y[401], mixed_lanes(w, N), half_masked(w, N), float_sum(f, 1000));
    return 0;
}
