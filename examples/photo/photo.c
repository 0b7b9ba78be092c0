// photo: denoises and tone-maps a photograph.
//
//   photo [-t] [-s STRENGTH] [-e EXPOSURE] IN OUT.png [BEFORE_AFTER.png]
//
// Plain C11 and stb_image; it builds for any machine (cc -O2 photo.c -lm) as well as for WebAssembly, and knows nothing
// about GPUs.  The picture is taken to linear light, denoised with non-local means (pixels whose surroundings look
// alike are averaged, so that edges stay), brightened to a middle grey, given a filmic curve and a little local
// contrast, and written as PNG.  -t prints the time of each stage on stderr.
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STB_IMAGE_IMPLEMENTATION
#define STBI_ONLY_JPEG
#define STBI_ONLY_PNG
#include <stb/stb_image.h>
#define STB_IMAGE_WRITE_IMPLEMENTATION
#include <stb/stb_image_write.h>

enum { BORDER = 8, SEARCH = 4, PATCH = 1 };

// A float image with a border all around, so that filters need no special case at the edges.
struct plane {
    int width, height, stride;
    float *block; // the allocation
    float *data;  // pixel (0, 0)
};

static struct plane plane_new(int width, int height) {
    struct plane p = {width, height, width + 2 * BORDER, NULL, NULL};
    p.block = calloc((size_t)p.stride * (size_t)(height + 2 * BORDER), sizeof(float));
    if (!p.block) {
        fprintf(stderr, "photo: out of memory\n");
        exit(1);
    }
    p.data = p.block + BORDER * p.stride + BORDER;
    return p;
}

static void plane_free(struct plane *p) {
    free(p->block);
    p->block = p->data = NULL;
}

// Repeats the edge pixels into the border.
static void plane_extend(struct plane *p) {
    for (int y = 0; y < p->height; y++) {
        float *row = p->data + y * p->stride;
        for (int x = 1; x <= BORDER; x++) {
            row[-x] = row[0];
            row[p->width - 1 + x] = row[p->width - 1];
        }
    }
    size_t bytes = (size_t)p->stride * sizeof(float);
    float *first = p->data - BORDER, *last = first + (p->height - 1) * p->stride;
    for (int y = 1; y <= BORDER; y++) {
        memcpy(first - y * p->stride, first, bytes);
        memcpy(last + y * p->stride, last, bytes);
    }
}

// sRGB bytes to linear light, one plane a channel.  The cubic is Ian Taylor's fit of the sRGB curve
// ("sRGB approximations for HLSL", chilliant.com, 2012).
static void to_linear(const uint8_t *rgb, struct plane *r, struct plane *g, struct plane *b) {
    int width = r->width, height = r->height, stride = r->stride;
    float *rd = r->data, *gd = g->data, *bd = b->data;
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            const uint8_t *p = rgb + 3 * (y * width + x);
            float cr = (float)p[0] / 255.0f, cg = (float)p[1] / 255.0f, cb = (float)p[2] / 255.0f;
            rd[y * stride + x] = cr * (cr * (cr * 0.305306011f + 0.682171111f) + 0.012522878f);
            gd[y * stride + x] = cg * (cg * (cg * 0.305306011f + 0.682171111f) + 0.012522878f);
            bd[y * stride + x] = cb * (cb * (cb * 0.305306011f + 0.682171111f) + 0.012522878f);
        }
    }
}

// Rec. 709 luma, square-rooted so that noise has about the same size in dark and bright parts.
static void luma(const struct plane *r, const struct plane *g, const struct plane *b, struct plane *out) {
    int width = r->width, height = r->height, stride = r->stride;
    const float *rd = r->data, *gd = g->data, *bd = b->data;
    float *od = out->data;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            int i = y * stride + x;
            od[i] = sqrtf(0.2126f * rd[i] + 0.7152f * gd[i] + 0.0722f * bd[i]);
        }
}

// Non-local means (Buades, Coll, Morel 2005) with a bisquare weight instead of the exponential one.
static void denoise(const struct plane *guide, const struct plane *in, struct plane *out, float strength) {
    int width = guide->width, height = guide->height, stride = guide->stride;
    const float *l = guide->data, *r = in[0].data, *g = in[1].data, *b = in[2].data;
    float *ro = out[0].data, *go = out[1].data, *bo = out[2].data;
    float scale = 1.0f / (9.0f * strength * strength);
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            int i = y * stride + x;
            float weights = 0.0f, sr = 0.0f, sg = 0.0f, sb = 0.0f;
            for (int dy = -SEARCH; dy <= SEARCH; dy++) {
                for (int dx = -SEARCH; dx <= SEARCH; dx++) {
                    int j = i + dy * stride + dx;
                    float distance = 0.0f;
                    for (int py = -PATCH; py <= PATCH; py++)
                        for (int px = -PATCH; px <= PATCH; px++) {
                            float d = l[i + py * stride + px] - l[j + py * stride + px];
                            distance += d * d;
                        }
                    float w = 1.0f - distance * scale;
                    w = w > 0.0f ? w * w : 0.0f;
                    weights += w;
                    sr += w * r[j];
                    sg += w * g[j];
                    sb += w * b[j];
                }
            }
            ro[i] = sr / weights; // the pixel itself has weight 1
            go[i] = sg / weights;
            bo[i] = sb / weights;
        }
    }
}

// Separable binomial blur, twice [1 4 6 4 1] / 16.
static void blur(const struct plane *in, struct plane *tmp, struct plane *out) {
    int width = in->width, height = in->height, stride = in->stride;
    const float *a = in->data;
    float *t = tmp->data, *o = out->data;
    for (int y = -2; y < height + 2; y++)
        for (int x = 0; x < width; x++) {
            int i = y * stride + x;
            t[i] = 0.0625f * (a[i - 2] + a[i + 2]) + 0.25f * (a[i - 1] + a[i + 1]) + 0.375f * a[i];
        }
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            int i = y * stride + x;
            o[i] = 0.0625f * (t[i - 2 * stride] + t[i + 2 * stride]) + 0.25f * (t[i - stride] + t[i + stride]) +
                   0.375f * t[i];
        }
}

static float mean(const struct plane *p) {
    double sum = 0;
    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < p->width; x++)
            sum += p->data[y * p->stride + x];
    return (float)(sum / ((double)p->width * p->height));
}

// Linear light to a display byte: Krzysztof Narkowicz's fit of the ACES film curve (2016), then the inverse of
// to_linear's curve, from the same page.
static inline uint8_t film(float v) {
    v = v > 0.0f ? v : 0.0f;
    v = v * (2.51f * v + 0.03f) / (v * (2.43f * v + 0.59f) + 0.14f);
    v = v < 1.0f ? v : 1.0f;
    float s1 = sqrtf(v), s2 = sqrtf(s1), s3 = sqrtf(s2);
    v = 0.662002687f * s1 + 0.684122060f * s2 - 0.323583601f * s3 - 0.0225411470f * v;
    v = v * 255.0f + 0.5f;
    return (uint8_t)(v < 0.0f ? 0.0f : v > 255.0f ? 255.0f : v);
}

// Exposure, local contrast (what the guide has over its blur, added back) and the film curve.
static void tone_map(const struct plane *in, const struct plane *guide, const struct plane *smooth, float exposure,
                     float contrast, uint8_t *rgb) {
    int width = guide->width, height = guide->height, stride = guide->stride;
    const float *r = in[0].data, *g = in[1].data, *b = in[2].data, *l = guide->data, *s = smooth->data;
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            int i = y * stride + x;
            float k = exposure * (1.0f + contrast * (l[i] - s[i]));
            uint8_t *p = rgb + 3 * (y * width + x);
            p[0] = film(r[i] * k);
            p[1] = film(g[i] * k);
            p[2] = film(b[i] * k);
        }
    }
}

// Left half from `before`, right half from `after`, a white line between them.
static void before_after(const uint8_t *before, const uint8_t *after, uint8_t *out, int width, int height) {
    int middle = width / 2;
    for (int y = 0; y < height; y++) {
        size_t row = (size_t)y * (size_t)width * 3;
        memcpy(out + row, before + row, (size_t)middle * 3);
        memcpy(out + row + middle * 3, after + row + middle * 3, (size_t)(width - middle) * 3);
        memset(out + row + middle * 3, 255, 3);
    }
}

static int timing;
static double stage_start;

static double seconds(void) {
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void stage(const char *name) {
    if (!timing)
        return;
    double now = seconds();
    fprintf(stderr, "  %-10s %7.1f ms\n", name, 1000.0 * (now - stage_start));
    stage_start = now;
}

int main(int argc, char **argv) {
    float strength = 0.035f, stops = 0.0f;
    int at = 1;
    for (; at < argc && argv[at][0] == '-'; at++) {
        if (!strcmp(argv[at], "-t"))
            timing = 1;
        else if (!strcmp(argv[at], "-s") && at + 1 < argc)
            strength = strtof(argv[++at], NULL);
        else if (!strcmp(argv[at], "-e") && at + 1 < argc)
            stops = strtof(argv[++at], NULL);
        else
            break;
    }
    if (argc - at < 2 || argc - at > 3 || !(strength > 0.0f)) {
        fprintf(stderr, "usage: photo [-t] [-s STRENGTH] [-e EXPOSURE] IN OUT.png [BEFORE_AFTER.png]\n");
        return 2;
    }

    if (timing)
        stage_start = seconds();
    int width, height, channels;
    uint8_t *rgb = stbi_load(argv[at], &width, &height, &channels, 3);
    if (!rgb) {
        fprintf(stderr, "photo: %s: %s\n", argv[at], stbi_failure_reason());
        return 1;
    }
    stage("read");

    struct plane noisy[3], clean[3];
    for (int c = 0; c < 3; c++) {
        noisy[c] = plane_new(width, height);
        clean[c] = plane_new(width, height);
    }
    struct plane guide = plane_new(width, height), tmp = plane_new(width, height), smooth = plane_new(width, height);
    to_linear(rgb, &noisy[0], &noisy[1], &noisy[2]);
    luma(&noisy[0], &noisy[1], &noisy[2], &guide);
    for (int c = 0; c < 3; c++)
        plane_extend(&noisy[c]);
    plane_extend(&guide);
    stage("prepare");

    denoise(&guide, noisy, clean, strength);
    stage("denoise");

    luma(&clean[0], &clean[1], &clean[2], &guide);
    plane_extend(&guide);
    blur(&guide, &tmp, &smooth);
    plane_extend(&smooth);
    blur(&smooth, &tmp, &smooth);
    float grey = mean(&guide);
    float exposure = grey > 0.15f ? 0.085f / (grey * grey) : 3.8f; // luma is a square root
    exposure *= exp2f(stops);
    stage("measure");

    uint8_t *result = malloc((size_t)width * (size_t)height * 3);
    if (!result) {
        fprintf(stderr, "photo: out of memory\n");
        return 1;
    }
    tone_map(clean, &guide, &smooth, exposure, 1.5f, result);
    stage("tone map");

    if (!stbi_write_png(argv[at + 1], width, height, 3, result, width * 3)) {
        fprintf(stderr, "photo: cannot write %s\n", argv[at + 1]);
        return 1;
    }
    if (argc - at == 3) {
        uint8_t *both = malloc((size_t)width * (size_t)height * 3);
        if (!both)
            return 1;
        before_after(rgb, result, both, width, height);
        if (!stbi_write_png(argv[at + 2], width, height, 3, both, width * 3)) {
            fprintf(stderr, "photo: cannot write %s\n", argv[at + 2]);
            return 1;
        }
        free(both);
    }
    stage("write");
    printf("%s: %d x %d, mean luma %.4f, exposure %.4f\n", argv[at], width, height, (double)grey, (double)exposure);

    free(result);
    for (int c = 0; c < 3; c++) {
        plane_free(&noisy[c]);
        plane_free(&clean[c]);
    }
    plane_free(&guide);
    plane_free(&tmp);
    plane_free(&smooth);
    stbi_image_free(rgb);
    return 0;
}
