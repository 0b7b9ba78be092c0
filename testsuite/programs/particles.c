// Particles as an array of structs, integrated in place with a bounce at the floor.
// expect: step launches 10
#include <stdio.h>
#include <stdlib.h>

struct particle {
    float x, y, z;
    float vx, vy, vz;
    int bounces;
};

__attribute__((noinline)) void step(struct particle *p, int n, float dt) {
    for (int i = 0; i < n; i++) {
        p[i].vy -= 9.81f * dt;
        p[i].x += p[i].vx * dt;
        p[i].y += p[i].vy * dt;
        p[i].z += p[i].vz * dt;
        if (p[i].y < 0.0f) {
            p[i].y = -p[i].y;
            p[i].vy = -p[i].vy * 0.8f;
            p[i].bounces++;
        }
    }
}

int main(void) {
    int n = 6000;
    struct particle *p = calloc((size_t)n, sizeof *p);
    if (!p)
        return 1;
    for (int i = 0; i < n; i++) {
        p[i].y = (float)(i % 100) * 0.05f;
        p[i].vx = (float)(i % 7) - 3.0f;
        p[i].vz = (float)(i % 11) - 5.0f;
    }
    for (int t = 0; t < 10; t++)
        step(p, n, 0.05f);
    int bounces = 0;
    float height = 0;
    for (int i = 0; i < n; i++) {
        bounces += p[i].bounces;
        height += p[i].y;
    }
    printf("bounces %d height %a last %a\n", bounces, height, p[n - 1].x);
    free(p);
    return 0;
}
