// ChaCha20 blocks (RFC 8439) over a 64 KiB buffer: 32-bit arithmetic in registers, then byte-wise xor.
// n: 60
typedef unsigned u32;
static unsigned char buffer[65536];

#define ROTL(x, s) ((x) << (s) | (x) >> (32 - (s)))
#define QUARTER(a, b, c, d) \
    (a += b, d = ROTL(d ^ a, 16), c += d, b = ROTL(b ^ c, 12), a += b, d = ROTL(d ^ a, 8), c += d, b = ROTL(b ^ c, 7))

static void block(const u32 *in, unsigned char *out) {
    u32 x[16];
    for (int i = 0; i < 16; i++)
        x[i] = in[i];
    for (int r = 0; r < 10; r++) {
        QUARTER(x[0], x[4], x[8], x[12]);
        QUARTER(x[1], x[5], x[9], x[13]);
        QUARTER(x[2], x[6], x[10], x[14]);
        QUARTER(x[3], x[7], x[11], x[15]);
        QUARTER(x[0], x[5], x[10], x[15]);
        QUARTER(x[1], x[6], x[11], x[12]);
        QUARTER(x[2], x[7], x[8], x[13]);
        QUARTER(x[3], x[4], x[9], x[14]);
    }
    for (int i = 0; i < 16; i++) {
        u32 v = x[i] + in[i];
        for (int b = 0; b < 4; b++)
            out[4 * i + b] ^= (unsigned char)(v >> (8 * b));
    }
}

__attribute__((export_name("run"))) u32 run(u32 n) {
    u32 in[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574, 1, 2, 3, 4, 5, 6, 7, 8, 0, 9, 10, 11};
    for (u32 i = 0; i < sizeof buffer; i++)
        buffer[i] = (unsigned char)i;
    for (u32 t = 0; t < n; t++)
        for (u32 at = 0; at < sizeof buffer; at += 64) {
            block(in, buffer + at);
            in[12]++;
        }
    u32 sum = 0;
    for (u32 i = 0; i < sizeof buffer; i++)
        sum = sum * 31 + buffer[i];
    return sum;
}
