// Binary search trees from an arena: pointer chasing, branches on data.
// n: 5
typedef unsigned u32;
#define NODES 150000
struct node {
    struct node *left, *right;
    u32 key, count;
};
static struct node nodes[NODES];

static u32 depth_sum(const struct node *n, u32 depth) {
    return n ? depth * n->count + depth_sum(n->left, depth + 1) + depth_sum(n->right, depth + 1) : 0;
}

__attribute__((export_name("run"))) u32 run(u32 n) {
    u32 sum = 0, x = 12345;
    for (u32 t = 0; t < n; t++) {
        struct node *root = 0;
        u32 used = 0;
        for (u32 i = 0; i < NODES; i++) {
            x = x * 1664525u + 1013904223u;
            u32 key = x >> 10;
            struct node **at = &root;
            while (*at && (*at)->key != key)
                at = key < (*at)->key ? &(*at)->left : &(*at)->right;
            if (!*at) {
                *at = &nodes[used++];
                **at = (struct node){0, 0, key, 0};
            }
            (*at)->count++;
        }
        sum = sum * 31 + depth_sum(root, 1);
    }
    return sum;
}
