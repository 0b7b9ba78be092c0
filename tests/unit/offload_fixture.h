/* Runs a function twice and compares: plainly interpreted as it was written, and simplified, offloaded, with every
 * launch really carried out: the run-time guard decides, and the kernel's body is interpreted at every grid point, in
 * an order shuffled anew each time.
 *
 * Inspectors run first, as on a device, and their verdict counts.
 *
 * Kernels are watched.  Before each load and store they call an import of the fixture's own, which checks two things
 * that equal results alone would not show: no byte outside the stream's guarded range is touched, and no two grid
 * points touch the same byte unless both only read it.
 */
#ifndef WASMETAL_TESTS_UNIT_OFFLOAD_FIXTURE_H
#define WASMETAL_TESTS_UNIT_OFFLOAD_FIXTURE_H

#include "ir/ir_interp.h"
#include "ir/offload/offload.h"
#include "ir/util/strbuf.h"
#include "runtime/guard.h"

enum { OFT_MAX_RESULTS = 8 };

struct oft {
    struct ir_module *plain, *cut;
    struct off_report report;
    struct wm_kernel *kernels; /* of `cut` */
    uint64_t fuel;             /* of a plain run; 0: 50 million.  One that needs more is not compared */
    uint64_t min_work;
    bool aligned;
    bool shuffle; /* grid points in random order (the default) */
    uint64_t random;

    /* over all runs */
    uint64_t launches, inspections, points, reductions;
    uint64_t fallbacks[WM_FALLBACK_COUNT];

    char error[512]; /* the first thing that was wrong; "" so far */

    /* while a kernel runs */
    struct wm_launch_plan *plan;
    bool flagged;          /* by an inspector */
    bool unfinished;       /* an inspector ran out of fuel, and with it the run: not compared */
    uint32_t watch, point; /* index of the watching import; point + 1 */
    uint64_t epoch;
    uint64_t *writers, *readers; /* epoch << 32 | point, for each byte of memory */
    uint64_t watched_bytes;
    struct arena arena;
};

/* What one run left behind. */
struct oft_outcome {
    struct ir_trap_info trap;
    union ir_bits results[OFT_MAX_RESULTS];
    uint8_t *memory; /* the caller frees */
    uint64_t bytes;
};

/* What else looks on, in a program that sets oft_hooks. */
struct oft_hooks {
    unsigned fp;                            /* enum fp_mode; not strict: the results of both runs are not compared */
    void (*offloaded)(struct ir_module *m); /* before any kernel is watched */
    /* Kernel or inspector `k` ran at all its points as t->plan says, and changed `before` to `after`; an inspector said
     * t->flagged. */
    void (*launched)(struct oft *t, const struct off_kernel *k, const uint64_t *slots, const uint8_t *before,
                     const uint8_t *after, uint64_t bytes);
};
extern const struct oft_hooks *oft_hooks;

/* Takes the text; `error` is set (and false returned) when it is no valid module.  Simplifies and offloads the copy,
 * verifying after each pass. */
bool oft_init_text(struct oft *t, const char *text, size_t size);
/* As above from a module, which stays the caller's (it is printed and parsed). */
bool oft_init_module(struct oft *t, struct ir_module *m);
void oft_free(struct oft *t);

/* Runs exported or not, function `func` with `args` and memory 0 filled from `memory` (`bytes` of it; the rest stays as
 * the data segments left it) in both modules and compares results, trap and all of memory.  False: t->error says what
 * differs.  *out_plain may be NULL. */
bool oft_run(struct oft *t, uint32_t func, const union ir_bits *args, const uint8_t *memory, uint64_t bytes,
             struct oft_outcome *out_plain);

/* The offloaded module, its kernels' descriptions and bodies, and the report, as text. */
void oft_print(const struct oft *t, struct strbuf *out);

/* xorshift64* (Vigna 2016); `state` is not 0. */
uint64_t oft_random(uint64_t *state);

#endif
