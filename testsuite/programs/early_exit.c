/* Loops with a way out in the middle that is seldom taken: an error found on the way, a terminator, a limit.  The
 * inspector looks whether any iteration takes it; then the loop runs natively. */
// expect: to_upper launches
// expect: to_upper falls-back inspected
// expect: invert launches
// expect: invert falls-back inspected
// expect: blend any
// truth: blend parallel
// expect: first_row any
// truth: first_row parallel
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define N 6000

static char text[N + 1], shout[N + 1];
static float v[N], w[N];
static int32_t grid[64][96], out[64][96];

/* Ends at the first character that is no ASCII. */
__attribute__((noinline)) int to_upper(char *to, const char *from, int n) {
    for (int i = 0; i < n; i++) {
        signed char c = from[i];
        if (c < 0)
            return i;
        to[i] = c >= 'a' && c <= 'z' ? c - 32 : c;
    }
    return n;
}

/* An error code for a zero, after what came before it has been done. */
__attribute__((noinline)) int invert(float *x, int n) {
    int error = 0;
    for (int i = 0; i < n; i++) {
        if (x[i] == 0.0f) {
            error = i + 1;
            break;
        }
        x[i] = 1.0f / x[i];
    }
    return error;
}

/* Left from the inner loop. */
__attribute__((noinline)) int blend(int limit) {
    for (int y = 0; y < 64; y++)
        for (int x = 0; x < 96; x++) {
            if (grid[y][x] > limit)
                return y * 96 + x;
            out[y][x] = grid[y][x] * 3 + y;
        }
    return -1;
}

/* The inner loop is left, the outer one goes on. */
__attribute__((noinline)) void first_row(void) {
    for (int y = 0; y < 64; y++)
        for (int x = 0; x < 96; x++) {
            if (grid[y][x] == 77)
                break;
            out[y][x] ^= grid[y][x];
        }
}

static unsigned hash(const void *p, size_t n) {
    unsigned h = 2166136261u;
    for (size_t i = 0; i < n; i++)
        h = (h ^ ((const unsigned char *)p)[i]) * 16777619u;
    return h;
}

int main(void) {
    for (int i = 0; i < N; i++) {
        text[i] = (char)(32 + i * 7 % 95);
        v[i] = w[i] = (float)(i % 31 + 1);
    }
    for (int i = 0; i < 64 * 96; i++)
        grid[i / 96][i % 96] = i % 501;
    printf("%d %08x\n", to_upper(shout, text, N), hash(shout, N));
    text[4321] = (char)200;
    memset(shout, 0, N);
    printf("%d %08x\n", to_upper(shout, text, N), hash(shout, N));
    printf("%d %08x\n", invert(v, N), hash(v, sizeof v));
    w[N - 1] = 0;
    printf("%d %08x\n", invert(w, N), hash(w, sizeof w));
    printf("%d %08x\n", blend(501), hash(out, sizeof out));
    printf("%d %08x\n", blend(250), hash(out, sizeof out));
    first_row();
    printf("%08x\n", hash(out, sizeof out));
    return 0;
}
