// 3x3 blur over bytes, 512 x 512, two buffers: the image loop that compilers vectorise.
// n: 150
#define W 512
#define H 512
static unsigned char a[H][W], b[H][W];

static void blur(unsigned char (*restrict in)[W], unsigned char (*restrict out)[W]) {
    for (int y = 1; y < H - 1; y++)
        for (int x = 1; x < W - 1; x++) {
            unsigned s = in[y - 1][x - 1] + 2u * in[y - 1][x] + in[y - 1][x + 1];
            s += 2u * in[y][x - 1] + 4u * in[y][x] + 2u * in[y][x + 1];
            s += in[y + 1][x - 1] + 2u * in[y + 1][x] + in[y + 1][x + 1];
            out[y][x] = (unsigned char)((s + 8) >> 4);
        }
}

__attribute__((export_name("run"))) unsigned run(unsigned n) {
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            a[y][x] = b[y][x] = (unsigned char)(x * y ^ x);
    for (unsigned t = 0; t < n; t++) {
        blur(a, b);
        blur(b, a);
    }
    unsigned sum = 0;
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            sum = sum * 31 + a[y][x];
    return sum;
}
