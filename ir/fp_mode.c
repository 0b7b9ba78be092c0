/* Names of floating-point relaxations; see fp_mode.h. */
#include "ir/fp_mode.h"

#include <string.h>

static const char *const names[] = {"contract", "reassociate", "divide", "subnormals"};

enum { COUNT = sizeof names / sizeof *names };
_Static_assert(FP_FAST == (1 << COUNT) - 1, "a name for each relaxation");

bool fp_mode_parse(const char *text, unsigned *out_mode) {
    *out_mode = 0;
    if (strcmp(text, "strict") == 0)
        return true;
    if (strcmp(text, "fast") == 0) {
        *out_mode = FP_FAST;
        return true;
    }
    for (const char *p = text;; p++) {
        size_t n = strcspn(p, ",");
        int k = 0;
        while (k < COUNT && (strlen(names[k]) != n || memcmp(names[k], p, n) != 0))
            k++;
        if (k == COUNT)
            return false;
        *out_mode |= 1u << k;
        p += n;
        if (!*p)
            return true;
    }
}

const char *fp_mode_text(unsigned mode) {
    static const char *const texts[FP_FAST + 1] = {
        "strict",
        "contract",
        "reassociate",
        "contract,reassociate",
        "divide",
        "contract,divide",
        "reassociate,divide",
        "contract,reassociate,divide",
        "subnormals",
        "contract,subnormals",
        "reassociate,subnormals",
        "contract,reassociate,subnormals",
        "divide,subnormals",
        "contract,divide,subnormals",
        "reassociate,divide,subnormals",
        "fast",
    };
    return texts[mode & FP_FAST];
}
