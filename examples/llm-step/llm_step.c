// llm-step: one decoder layer of a language model, token by token, in plain C.
//
//   llm_step [-d DIM] [-m HIDDEN] [-a HEADS] [-k KV_HEADS] [-v VOCAB] [-n TOKENS]
//
// What an exporter writes for a Llama-like layer: RMS norm, query/key/value products, rotary embedding, attention over
// a key/value cache with soft-max, output product, SiLU-gated feed-forward, and the product with the output embedding.
// Weights come from a generator, so there is nothing to download.  Prints the best token of each step, some logits, and
// a checksum of all of them; the bits depend on nothing but the expf, powf, sinf and cosf of the C library.
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct config {
    int dim, hidden, heads, kv_heads, vocab, tokens;
};

struct weights {
    float *embedding;      // vocab x dim
    float *norm_attention; // dim
    float *wq;             // dim x dim
    float *wk, *wv;        // kv_dim x dim
    float *wo;             // dim x dim
    float *norm_mlp;       // dim
    float *gate, *up;      // hidden x dim
    float *down;           // dim x hidden
    float *norm_out;       // dim
};

struct state {
    float *x, *normed, *q, *att, *mixed, *h1, *h2, *logits;
    float *keys, *values;       // tokens x kv_dim
    float *rope_cos, *rope_sin; // tokens x head_size / 2
};

static uint32_t seed = 20240229;

static float random_weight(float scale) {
    seed = seed * 1664525u + 1013904223u;
    return ((float)(seed >> 8) / 8388608.0f - 1.0f) * scale;
}

static float *allocate(int n) {
    float *p = calloc((size_t)n, sizeof *p);
    if (!p) {
        fprintf(stderr, "llm_step: out of memory\n");
        exit(1);
    }
    return p;
}

static float *matrix(int rows, int cols) {
    float *p = allocate(rows * cols), scale = 1.7f / sqrtf((float)cols);
    for (int i = 0; i < rows * cols; i++)
        p[i] = random_weight(scale);
    return p;
}

static float *norm_gain(int n) {
    float *p = allocate(n);
    for (int i = 0; i < n; i++)
        p[i] = 1.0f + random_weight(0.1f);
    return p;
}

static void rmsnorm(float *out, const float *x, const float *gain, int n) {
    float ss = 0.0f;
    for (int i = 0; i < n; i++)
        ss += x[i] * x[i];
    float scale = 1.0f / sqrtf(ss / (float)n + 1e-5f);
    for (int i = 0; i < n; i++)
        out[i] = gain[i] * (x[i] * scale);
}

static void matvec(float *out, const float *w, const float *x, int rows, int cols) {
    for (int r = 0; r < rows; r++) {
        float sum = 0.0f;
        for (int c = 0; c < cols; c++)
            sum += w[r * cols + c] * x[c];
        out[r] = sum;
    }
}

// Turns each pair of a head by the angle of its position.
static void rotate(float *v, const float *cosine, const float *sine, int heads, int head_size) {
    for (int h = 0; h < heads; h++)
        for (int i = 0; i < head_size / 2; i++) {
            float a = v[h * head_size + 2 * i], b = v[h * head_size + 2 * i + 1];
            v[h * head_size + 2 * i] = a * cosine[i] - b * sine[i];
            v[h * head_size + 2 * i + 1] = a * sine[i] + b * cosine[i];
        }
}

static void softmax(float *v, int n) {
    float max = v[0], sum = 0.0f;
    for (int i = 1; i < n; i++)
        if (v[i] > max)
            max = v[i];
    for (int i = 0; i < n; i++) {
        v[i] = expf(v[i] - max);
        sum += v[i];
    }
    for (int i = 0; i < n; i++)
        v[i] /= sum;
}

static void attention(const struct config *c, const struct state *s, int position) {
    int head_size = c->dim / c->heads, kv_dim = head_size * c->kv_heads, share = c->heads / c->kv_heads;
    float scale = 1.0f / sqrtf((float)head_size);
    for (int h = 0; h < c->heads; h++) {
        const float *q = s->q + h * head_size;
        float *score = s->att + h * c->tokens, *out = s->mixed + h * head_size;
        const float *keys = s->keys + h / share * head_size, *values = s->values + h / share * head_size;
        for (int t = 0; t <= position; t++) {
            float dot = 0.0f;
            for (int i = 0; i < head_size; i++)
                dot += q[i] * keys[t * kv_dim + i];
            score[t] = dot * scale;
        }
        softmax(score, position + 1);
        for (int i = 0; i < head_size; i++) {
            float sum = 0.0f;
            for (int t = 0; t <= position; t++)
                sum += score[t] * values[t * kv_dim + i];
            out[i] = sum;
        }
    }
}

static void silu_gate(float *gate, const float *up, int n) {
    for (int i = 0; i < n; i++)
        gate[i] = gate[i] / (1.0f + expf(-gate[i])) * up[i];
}

static void add(float *x, const float *y, int n) {
    for (int i = 0; i < n; i++)
        x[i] += y[i];
}

static void step(const struct config *c, const struct weights *w, struct state *s, int token, int position) {
    int head_size = c->dim / c->heads, kv_dim = head_size * c->kv_heads;
    float *k = s->keys + position * kv_dim, *v = s->values + position * kv_dim;
    const float *cosine = s->rope_cos + position * (head_size / 2), *sine = s->rope_sin + position * (head_size / 2);

    memcpy(s->x, w->embedding + token * c->dim, (size_t)c->dim * sizeof(float));
    rmsnorm(s->normed, s->x, w->norm_attention, c->dim);
    matvec(s->q, w->wq, s->normed, c->dim, c->dim);
    matvec(k, w->wk, s->normed, kv_dim, c->dim);
    matvec(v, w->wv, s->normed, kv_dim, c->dim);
    rotate(s->q, cosine, sine, c->heads, head_size);
    rotate(k, cosine, sine, c->kv_heads, head_size);
    attention(c, s, position);
    matvec(s->normed, w->wo, s->mixed, c->dim, c->dim);
    add(s->x, s->normed, c->dim);

    rmsnorm(s->normed, s->x, w->norm_mlp, c->dim);
    matvec(s->h1, w->gate, s->normed, c->hidden, c->dim);
    matvec(s->h2, w->up, s->normed, c->hidden, c->dim);
    silu_gate(s->h1, s->h2, c->hidden);
    matvec(s->normed, w->down, s->h1, c->dim, c->hidden);
    add(s->x, s->normed, c->dim);

    rmsnorm(s->normed, s->x, w->norm_out, c->dim);
    matvec(s->logits, w->embedding, s->normed, c->vocab, c->dim);
}

static int parse(int argc, char **argv, struct config *c) {
    for (int i = 1; i < argc; i += 2) {
        if (argv[i][0] != '-' || strlen(argv[i]) != 2 || i + 1 == argc)
            return 0;
        int value = atoi(argv[i + 1]);
        if (value < 1 || value > 32768)
            return 0;
        switch (argv[i][1]) {
        case 'd':
            c->dim = value;
            break;
        case 'm':
            c->hidden = value;
            break;
        case 'a':
            c->heads = value;
            break;
        case 'k':
            c->kv_heads = value;
            break;
        case 'v':
            c->vocab = value;
            break;
        case 'n':
            c->tokens = value;
            break;
        default:
            return 0;
        }
    }
    return c->dim % (2 * c->heads) == 0 && c->heads % c->kv_heads == 0;
}

int main(int argc, char **argv) {
    struct config c = {.dim = 512, .hidden = 1408, .heads = 8, .kv_heads = 4, .vocab = 2000, .tokens = 16};
    if (!parse(argc, argv, &c)) {
        fprintf(stderr, "usage: llm_step [-d DIM] [-m HIDDEN] [-a HEADS] [-k KV_HEADS] [-v VOCAB] [-n TOKENS]\n"
                        "DIM must be a multiple of 2*HEADS, HEADS of KV_HEADS.\n");
        return 2;
    }
    int head_size = c.dim / c.heads, kv_dim = head_size * c.kv_heads;
    struct weights w = {
        .embedding = matrix(c.vocab, c.dim),
        .norm_attention = norm_gain(c.dim),
        .wq = matrix(c.dim, c.dim),
        .wk = matrix(kv_dim, c.dim),
        .wv = matrix(kv_dim, c.dim),
        .wo = matrix(c.dim, c.dim),
        .norm_mlp = norm_gain(c.dim),
        .gate = matrix(c.hidden, c.dim),
        .up = matrix(c.hidden, c.dim),
        .down = matrix(c.dim, c.hidden),
        .norm_out = norm_gain(c.dim),
    };
    struct state s = {
        .x = allocate(c.dim),
        .normed = allocate(c.dim),
        .q = allocate(c.dim),
        .att = allocate(c.heads * c.tokens),
        .mixed = allocate(c.dim),
        .h1 = allocate(c.hidden),
        .h2 = allocate(c.hidden),
        .logits = allocate(c.vocab),
        .keys = allocate(c.tokens * kv_dim),
        .values = allocate(c.tokens * kv_dim),
        .rope_cos = allocate(c.tokens * (head_size / 2)),
        .rope_sin = allocate(c.tokens * (head_size / 2)),
    };
    for (int t = 0; t < c.tokens; t++)
        for (int i = 0; i < head_size / 2; i++) {
            float angle = (float)t * powf(10000.0f, -2.0f * (float)i / (float)head_size);
            s.rope_cos[t * (head_size / 2) + i] = cosf(angle);
            s.rope_sin[t * (head_size / 2) + i] = sinf(angle);
        }

    uint32_t checksum = 2166136261u;
    int token = 1 % c.vocab;
    for (int t = 0; t < c.tokens; t++) {
        step(&c, &w, &s, token, t);
        int best = 0;
        for (int i = 0; i < c.vocab; i++) {
            uint32_t bits;
            memcpy(&bits, &s.logits[i], sizeof bits);
            checksum = (checksum ^ bits) * 16777619u;
            if (s.logits[i] > s.logits[best])
                best = i;
        }
        printf("step %d: token %d -> %d, logit %.6f (first %.6f)\n", t, token, best, (double)s.logits[best],
               (double)s.logits[0]);
        token = best;
    }
    printf("checksum of all logits: %08x\n", (unsigned)checksum);
    return 0;
}
