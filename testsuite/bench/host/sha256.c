// SHA-256 of a growing message (FIPS 180-4): 32-bit rotates, adds, table of constants.
// n: 60000
typedef unsigned u32;
static u32 k[64], state[8], block[16];

// The constants are the first 32 fraction bits of the cube roots of the first 64 primes.
static void make_constants(void) {
    unsigned count = 0;
    for (u32 p = 2; count < 64; p++) {
        int prime = 1;
        for (u32 d = 2; d * d <= p; d++)
            if (p % d == 0)
                prime = 0;
        if (!prime)
            continue;
        unsigned long long low = 0, high = 8ull << 33; // cube root of p, 2^-33 steps
        while (low + 1 < high) {
            unsigned long long mid = (low + high) / 2;
            double x = (double)mid * 0x1p-33;
            if (x * x * x <= (double)p)
                low = mid;
            else
                high = mid;
        }
        k[count++] = (u32)(low >> 1);
    }
}

static inline u32 rotr(u32 x, unsigned s) {
    return x >> s | x << (32 - s);
}

static void compress(void) {
    u32 w[64], s[8];
    for (int i = 0; i < 16; i++)
        w[i] = block[i];
    for (int i = 16; i < 64; i++) {
        u32 a = rotr(w[i - 15], 7) ^ rotr(w[i - 15], 18) ^ w[i - 15] >> 3;
        u32 b = rotr(w[i - 2], 17) ^ rotr(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + a + w[i - 7] + b;
    }
    for (int i = 0; i < 8; i++)
        s[i] = state[i];
    for (int i = 0; i < 64; i++) {
        u32 e1 = rotr(s[4], 6) ^ rotr(s[4], 11) ^ rotr(s[4], 25), ch = (s[4] & s[5]) ^ (~s[4] & s[6]);
        u32 t1 = s[7] + e1 + ch + k[i] + w[i];
        u32 e0 = rotr(s[0], 2) ^ rotr(s[0], 13) ^ rotr(s[0], 22), maj = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
        u32 t2 = e0 + maj;
        for (int j = 7; j > 0; j--)
            s[j] = s[j - 1];
        s[4] += t1;
        s[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++)
        state[i] += s[i];
}

__attribute__((export_name("run"))) u32 run(u32 n) {
    make_constants();
    for (int i = 0; i < 8; i++)
        state[i] = k[i] ^ 0x9e3779b9u;
    for (u32 t = 0; t < n; t++) {
        for (u32 i = 0; i < 16; i++)
            block[i] = t * 16 + i;
        compress();
    }
    return state[0] ^ state[7];
}
