/* Random loop nests, offloaded and launched, against the interpreter.
 *
 * A generated function holds one or two nests of depth 1 to 3.  Each nest works on a few arrays; an array has a base,
 * an element width and a stride for each depth, most of them such that iterations are independent, some not: bases
 * touch, overlap or lie at the end of memory, strides are too short, negative or zero.  Loops have every shape that
 * ir/analysis/loops.h names, any relation, step, counter width and trip count; addresses are strength-reduced pointers
 * or multiplied counters.  Bodies hold stores, loads, conditionals, table look-ups, clamps, merges, divisions,
 * accumulating and unrolled inner loops; every other function also gathers, lists, searches, loops with a count that is
 * data, and traps that depend on data.  Every fourth one has arrays of v128 and operations of all lane shapes.
 *
 * The result, memory and trap of the offloaded function must be those of the original, and no kernel may break the
 * rules that tests/unit/offload_fixture.h watches.
 *
 *     nests [COUNT [FIRST_SEED]] [--least=PERCENT]   the share of nests that must have been launched
 *     nests --reduce ...                             reductions in every outermost loop
 *     nests --vulkan ...                             launches run again on a Vulkan driver (nest_cases.h)
 *     nests --dump=DIR ...                           and are written down for tests/kernels/wgsl.mjs and metal.mjs
 *     nests --reassociate ...                        float sums too become reductions; only launches are compared then
 *     nests --reduce-vectors ...                     half of them of vectors
 *     nests --scratch ...                            arrays as on the stack, of up to 2,304 bytes
 *     nests --print SEED                             the module, its report and its kernels
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/fp_mode.h"
#include "ir/ir_text.h"
#include "tests/fuzz/nest_cases.h"
#include "tests/fuzz/nest_gen.h"

static void fill_memory(uint64_t seed, uint8_t *memory) {
    uint64_t state = seed * 2 + 1;
    for (uint32_t k = 0; k < MEMORY; k += 8) {
        uint64_t x = oft_random(&state);
        memcpy(memory + k, &x, 8);
        if (x & 1) /* small numbers, and floats that stay finite for a while */
            memory[k] = memory[k + 1] = memory[k + 2] = memory[k + 3] = 0;
    }
}

/* ---- the program ---- */

struct totals {
    uint64_t nests, launched, launches, inspected, inspections, points, reductions, unfinished, trapped, failed;
    uint64_t fallbacks[WM_FALLBACK_COUNT], rejects[OFF_REJECT_COUNT];
};

static void run_seed(uint64_t seed, enum nest_reductions reductions, bool print, bool cases, struct totals *sum) {
    static uint8_t memory[MEMORY];
    union ir_bits args[PARAMS32 + PARAMS64];
    struct ir_module *m = nest_generate(seed, reductions, args);
    struct oft t;
    struct oft_outcome plain = {0};
    fill_memory(seed, memory);
    nest_cases_begin(seed);
    bool ok = oft_init_module(&t, m);
    t.fuel = 400000;
    t.random = seed + 99;
    t.aligned = cases || seed % 8 == 0; /* GPUs need it */
    struct strbuf text = {0};
    if (ok && print)
        oft_print(&t, &text);
    ok = ok && oft_run(&t, 0, args, memory, MEMORY, &plain);
    for (uint32_t i = 0; i < t.report.nloops; i++)
        sum->rejects[t.report.loops[i].verdict]++;
    for (unsigned k = 0; k < WM_FALLBACK_COUNT; k++)
        sum->fallbacks[k] += t.fallbacks[k];
    sum->nests++;
    sum->launched += t.launches != 0;
    sum->launches += t.launches;
    sum->inspected += t.inspections && t.launches && t.inspections > t.fallbacks[WM_FALLBACK_INSPECTED];
    sum->inspections += t.inspections;
    sum->points += t.points;
    sum->reductions += t.reductions;
    sum->unfinished += plain.trap.code == IR_TRAP_INTERRUPT;
    sum->trapped += plain.trap.code && plain.trap.code != IR_TRAP_INTERRUPT;
    if (print) {
        struct strbuf original = {0};
        ir_print_module(&original, m);
        fwrite(original.data, 1, original.len, stdout);
        printf("; ======== offloaded\n");
        fwrite(text.data, 1, text.len, stdout);
        for (uint32_t k = 0; k < PARAMS32 + PARAMS64; k++)
            printf("; arg %u = %" PRId64 "\n", k, k < PARAMS32 ? (int64_t)(int32_t)args[k].i32 : (int64_t)args[k].i64);
        strbuf_free(&original);
    }
    if (!ok) {
        sum->failed++;
        fprintf(stderr, "seed %" PRIu64 ": %s\n", seed, t.error);
    }
    free(plain.memory);
    strbuf_free(&text);
    oft_free(&t);
    ir_module_free(m);
}

int main(int argc, char **argv) {
    uint64_t count = 1500, first = 1, least = 0, numbers = 0, print = 0;
    bool printing = false, vulkan = false, reassociate = false;
    const char *dump = NULL;
    enum nest_reductions reductions = NEST_NO_REDUCTIONS;
    for (int k = 1; k < argc; k++) {
        if (!strncmp(argv[k], "--least=", 8))
            least = strtoull(argv[k] + 8, NULL, 10);
        else if (!strcmp(argv[k], "--reduce"))
            reductions = NEST_REDUCTIONS;
        else if (!strcmp(argv[k], "--reduce-vectors"))
            reductions = NEST_VECTOR_REDUCTIONS;
        else if (!strcmp(argv[k], "--scratch"))
            reductions = NEST_SCRATCH;
        else if (!strcmp(argv[k], "--vulkan"))
            vulkan = true;
        else if (!strcmp(argv[k], "--reassociate"))
            reassociate = true;
        else if (!strncmp(argv[k], "--dump=", 7))
            dump = argv[k] + 7;
        else if (!strcmp(argv[k], "--print") && k + 1 < argc) {
            printing = true;
            print = strtoull(argv[++k], NULL, 10);
        } else
            *(numbers++ ? &first : &count) = strtoull(argv[k], NULL, 10);
    }
    struct totals sum = {0};
    bool cases = vulkan || reassociate || dump;
    if (cases && !nest_cases_open(dump, vulkan, reassociate ? FP_REASSOCIATE : 0)) {
        fprintf(stderr, "no Vulkan device\n");
        return 2;
    }
    if (printing) {
        run_seed(print, reductions, true, cases, &sum);
        return sum.failed != 0;
    }
    for (uint64_t k = 0; k < count && sum.failed < 20; k++)
        run_seed(first + k, reductions, false, cases, &sum);
    printf("verdicts:");
    for (unsigned k = 0; k < OFF_REJECT_COUNT; k++)
        if (sum.rejects[k])
            printf(" %s %" PRIu64, off_reject_name((enum off_reject)k), sum.rejects[k]);
    static const char *const names[] = {
#define FALLBACK(id, name, what) name,
#include "runtime/fallback.def"
    };
    printf("\nfallbacks:");
    for (unsigned k = 0; k < WM_FALLBACK_COUNT; k++)
        if (sum.fallbacks[k])
            printf(" %s %" PRIu64, names[k], sum.fallbacks[k]);
    printf("\n%" PRIu64 " nests, %" PRIu64 " launched (%" PRIu64 " launches, %" PRIu64 " points), %" PRIu64
           " of them after an inspection (%" PRIu64 " inspections), %" PRIu64 " launches with reductions, %" PRIu64
           " trapped, %" PRIu64 " unfinished, %" PRIu64 " failed\n",
           sum.nests, sum.launched, sum.launches, sum.points, sum.inspected, sum.inspections, sum.reductions,
           sum.trapped, sum.unfinished, sum.failed);
    if (cases && !nest_cases_close())
        return 1;
    if (sum.launched * 100 < sum.nests * least) {
        fprintf(stderr, "fewer than %" PRIu64 "%% of the nests were launched\n", least);
        return 1;
    }
    return sum.failed != 0;
}
