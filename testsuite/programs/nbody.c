// Gravity among all pairs, an array of structs: forces are gathered by each body, then all bodies move.
// expect: forces launches 4
// expect: move launches 4
#include <math.h>
#include <stdio.h>

struct body {
    float x, y, z, m, vx, vy, vz, pad;
};

#define N 150

static struct body b[N];

__attribute__((noinline)) void forces(struct body *p, int n, float dt) {
    for (int i = 0; i < n; i++) {
        float fx = 0, fy = 0, fz = 0;
        for (int j = 0; j < n; j++) {
            float dx = p[j].x - p[i].x, dy = p[j].y - p[i].y, dz = p[j].z - p[i].z;
            float d2 = dx * dx + dy * dy + dz * dz + 0.01f;
            float inv = 1.0f / sqrtf(d2), s = p[j].m * inv * inv * inv;
            fx += dx * s;
            fy += dy * s;
            fz += dz * s;
        }
        p[i].vx += dt * fx;
        p[i].vy += dt * fy;
        p[i].vz += dt * fz;
    }
}

__attribute__((noinline)) void move(struct body *p, int n, float dt) {
    for (int i = 0; i < n; i++) {
        p[i].x += p[i].vx * dt;
        p[i].y += p[i].vy * dt;
        p[i].z += p[i].vz * dt;
    }
}

int main(void) {
    for (int i = 0; i < N; i++)
        b[i] = (struct body){(float)(i % 10), (float)(i / 10 % 10), (float)(i % 7), 1.0f + (float)(i % 3), 0, 0, 0, 0};
    for (int t = 0; t < 4; t++) {
        forces(b, N, 0.01f);
        move(b, N, 0.01f);
    }
    for (int i = 0; i < N; i += 29)
        printf("%a %a %a\n", b[i].x, b[i].y, b[i].z);
    return 0;
}
