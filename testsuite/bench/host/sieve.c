// Sieve of Eratosthenes over bytes: strided stores.
// n: 20
#define N 2000000
static unsigned char composite[N];

__attribute__((export_name("run"))) unsigned run(unsigned n) {
    unsigned count = 0;
    for (unsigned t = 0; t < n; t++) {
        for (unsigned i = 0; i < N; i++)
            composite[i] = 0;
        for (unsigned i = 2; i < N; i++) {
            if (composite[i])
                continue;
            count++;
            if (i < 1500)
                for (unsigned j = i * i; j < N; j += i)
                    composite[j] = 1;
        }
    }
    return count;
}
