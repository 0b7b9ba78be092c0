// Option prices: logarithms, exponentials and a polynomial for the normal distribution, all inlined into one loop.
// expect: price launches
// simd: price any
#include <math.h>
#include <stdio.h>

#define N 700

static float spot[N], strike[N], years[N], call[N], put[N];

static float normal(float d) {
    float k = 1.0f / (1.0f + 0.2316419f * fabsf(d));
    float p = 0.39894228f * expf(-0.5f * d * d) *
              (k * (0.31938153f + k * (-0.356563782f + k * (1.781477937f + k * (-1.821255978f + k * 1.330274429f)))));
    return d > 0 ? 1.0f - p : p;
}

__attribute__((noinline)) void price(int n, float rate, float vol) {
    for (int i = 0; i < n; i++) {
        float root = sqrtf(years[i]);
        float d1 = (logf(spot[i] / strike[i]) + (rate + 0.5f * vol * vol) * years[i]) / (vol * root),
              d2 = d1 - vol * root;
        float discount = expf(-rate * years[i]);
        call[i] = spot[i] * normal(d1) - strike[i] * discount * normal(d2);
        put[i] = strike[i] * discount * normal(-d2) - spot[i] * normal(-d1);
    }
}

int main(void) {
    for (int i = 0; i < N; i++) {
        spot[i] = 5.0f + (float)(i % 25);
        strike[i] = 1.0f + (float)(i % 99);
        years[i] = 0.25f + (float)(i % 9);
    }
    price(N, 0.02f, 0.3f);
    float a = 0, b = 0;
    for (int i = 0; i < N; i++) {
        a += call[i];
        b += put[i];
    }
    printf("%a %a\n", a, b);
    return 0;
}
