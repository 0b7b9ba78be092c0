/* Names of proposals and lists of them; see features.h. */
#include "compiler/features.h"

#include <stddef.h>
#include <string.h>

const char *const feature_names[FEATURE_COUNT] = {
#define FEATURE(id, name, member, proposal) name,
#include "compiler/features.def"
};

const char *const feature_proposals[FEATURE_COUNT] = {
#define FEATURE(id, name, member, proposal) proposal,
#include "compiler/features.def"
};

enum feature feature_find(const char *name, unsigned long length) {
    for (unsigned i = 0; i < FEATURE_COUNT; i++)
        if (strlen(feature_names[i]) == length && strncmp(feature_names[i], name, length) == 0)
            return (enum feature)i;
    return FEATURE_COUNT;
}

bool features_parse(const char *list, uint32_t *out_bits, const char **out_bad) {
    *out_bits = 0;
    for (const char *p = list; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL) {
        unsigned long n = strcspn(p, ",");
        enum feature f = feature_find(p, n);
        if (f != FEATURE_COUNT) {
            *out_bits |= UINT32_C(1) << f;
        } else if (n == 3 && strncmp(p, "all", 3) == 0) {
            *out_bits = FEATURES_ALL;
        } else {
            *out_bad = p;
            return false;
        }
    }
    return true;
}
