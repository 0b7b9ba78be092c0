/* The device fixture's kernels in the Metal Shading Language, in the form that compiled kernels have. */
#include "device_fixture.h"

#define HEAD(name, block)                                                                   \
    "#pragma METAL fp contract(off)\n"                                                      \
    "#pragma clang fp contract(off)\n"                                                      \
    "#include <metal_stdlib>\n"                                                             \
    "using namespace metal;\n"                                                              \
    "struct words { uint w[1]; };\n"                                                        \
    "struct params_block { " block " };\n"                                                  \
    "kernel void " name "(device words& in [[buffer(0)]], device words& out [[buffer(1)]]," \
    " constant params_block& p [[buffer(2)]], uint3 id [[thread_position_in_grid]])\n"

/* Words of the block: 0-2 extent, 3 first x, 4 5 bases of the streams, 6 address in, 7 address out, then the scalars.
 */
#define BODY(work)                                               \
    "{\n"                                                        \
    "    uint x = id.x + p.w[3];\n"                              \
    "    if (x >= p.w[0] || id.y >= p.w[1] || id.z >= p.w[2])\n" \
    "        return;\n"                                          \
    "    uint i = ((p.w[6] - p.w[4]) >> 2) + x, o = ((p.w[7] - p.w[5]) >> 2) + x;\n" work "}\n"

const char *const device_fixture_msl[KERNEL_COUNT] = {
    [KERNEL_MAP] = HEAD("map", "uint w[8];") BODY("    out.w[o] = in.w[i] * 3u + 1u;\n"),
    [KERNEL_VARIANTS] = HEAD("variants", "uint w[8];") BODY("    out.w[o] = in.w[i] * 3u + 1u;\n"),
    [KERNEL_AXPY] = HEAD("axpy", "uint w[9];")
        BODY("    out.w[o] = as_type<uint>(as_type<float>(p.w[8]) * as_type<float>(in.w[i]) + "
             "as_type<float>(out.w[o]));\n"),
    [KERNEL_GRID] = HEAD("grid", "uint w[10];")
        BODY("    out.w[o + ((id.y * p.w[8] + id.z * p.w[9]) >> 2)] = x | (id.y << 10) | (id.z << 20);\n"),
    /* More than 32 words: an array of uint4. */
    [KERNEL_UNIFORM] =
        HEAD("uniform", "uint4 w[12];") "{\n"
                                        "    uint x = id.x + p.w[0].w, sum = 0u;\n"
                                        "    if (x >= p.w[0].x || id.y >= p.w[0].y || id.z >= p.w[0].z)\n"
                                        "        return;\n"
                                        "    for (uint k = 8u; k < 48u; k++)\n"
                                        "        sum += p.w[k / 4u][k % 4u];\n"
                                        "    out.w[((p.w[1].w - p.w[1].y) >> 2) + x] = x + sum;\n"
                                        "}\n",
};
