// LZ compression with a hash of three bytes, then decompression: byte compares and copies.
// n: 12
typedef unsigned u32;
typedef unsigned char u8;
#define SIZE 300000
static u8 in[SIZE + 8], packed[SIZE * 2], out[SIZE + 300];
static u32 last[8192];

static u32 pack(void) {
    u32 o = 0;
    for (u32 i = 0; i < 8192; i++)
        last[i] = 0;
    for (u32 i = 0; i < SIZE;) {
        u32 h = ((u32)in[i] << 16 | (u32)in[i + 1] << 8 | in[i + 2]) * 2654435761u >> 19, from = last[h], len = 0;
        last[h] = i;
        if (from && i - from < 65536)
            while (len < 255 && i + len < SIZE && in[from + len] == in[i + len])
                len++;
        if (len >= 4) {
            packed[o++] = (u8)len;
            packed[o++] = (u8)(i - from);
            packed[o++] = (u8)((i - from) >> 8);
            i += len;
        } else {
            packed[o++] = 0;
            packed[o++] = in[i++];
        }
    }
    return o;
}

static u32 unpack(u32 size) {
    u32 o = 0;
    for (u32 i = 0; i < size;) {
        u32 len = packed[i];
        if (!len) {
            out[o++] = packed[i + 1];
            i += 2;
        } else {
            u32 from = o - (packed[i + 1] | (u32)packed[i + 2] << 8);
            for (u32 k = 0; k < len; k++)
                out[o++] = out[from + k];
            i += 3;
        }
    }
    return o;
}

__attribute__((export_name("run"))) u32 run(u32 n) {
    u32 x = 3, sum = 0;
    for (u32 i = 0; i < SIZE; i++) {
        x = x * 1664525u + 1013904223u;
        in[i] = (x >> 28) < 13 && i > 700 ? in[i - 1 - (x >> 16 & 3) * 150] : (u8)(x >> 20);
    }
    for (u32 t = 0; t < n; t++) {
        u32 size = pack();
        sum += size + unpack(size);
        for (u32 i = 0; i < SIZE; i++)
            sum += in[i] != out[i];
        in[t] ^= 85;
    }
    return sum;
}
