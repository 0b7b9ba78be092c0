/* Arguments and expected results as wast2json writes them: integers and the bits of floats in decimal, v128 as a list
 * of lanes, "nan:canonical" and "nan:arithmetic" for sets of NaN, references as a number of the host's or "null".
 *
 * A host reference n is the cell n + 1, so that 0 is not null. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "testsuite/spec/spec.h"

static bool is_v128(const struct json *value) {
    const char *type = json_text(value, "type");
    return type && strcmp(type, "v128") == 0;
}

unsigned value_cells(const struct json *list) {
    unsigned n = 0;
    json_foreach(value, list) n += is_v128(value) ? 2 : 1;
    return n;
}

static bool is_type(const char *type, const char *name) {
    return strcmp(type, name) == 0;
}

static unsigned lane_bits(const char *type) {
    return is_type(type, "i8") ? 8 : is_type(type, "i16") ? 16 : is_type(type, "i32") || is_type(type, "f32") ? 32 : 64;
}

static bool parse_number(const char *text, uint64_t *out) {
    char *end;
    *out = strtoull(text, &end, 10);
    return *text && !*end;
}

static bool is_reference(const char *type) {
    return is_type(type, "externref") || is_type(type, "funcref");
}

static bool parse_scalar(const char *type, const char *text, uint64_t *out) {
    if (!is_reference(type))
        return parse_number(text, out);
    *out = 0;
    if (strcmp(text, "null") == 0)
        return true;
    bool ok = is_type(type, "externref") && parse_number(text, out);
    *out += 1;
    return ok;
}

bool value_arguments(const struct json *list, uint64_t *cells) {
    json_foreach(value, list) {
        const char *type = json_text(value, "type"), *text = json_text(value, "value");
        const char *lane = json_text(value, "lane_type");
        if (!type)
            return false;
        if (!is_v128(value)) {
            if (!text || !parse_scalar(type, text, cells++))
                return false;
            continue;
        }
        if (!lane)
            return false;
        unsigned bits = lane_bits(lane), at = 0;
        cells[0] = cells[1] = 0;
        json_foreach(part, json_get(value, "value")) {
            uint64_t v;
            if (at >= 128 || !part->text || !parse_number(part->text, &v))
                return false;
            cells[at / 64] |= v << at % 64;
            at += bits;
        }
        cells += 2;
    }
    return true;
}

/* `text` NULL: any value of the type; references: any but null. */
static bool scalar_matches(const char *type, const char *text, uint64_t found) {
    bool single = is_type(type, "f32"), wide = is_type(type, "f64");
    if (!text)
        return !is_reference(type) || found != 0;
    if (single || wide) {
        uint64_t quiet = single ? UINT64_C(0x7fc00000) : UINT64_C(0x7ff8000000000000);
        uint64_t magnitude = single ? UINT64_C(0x7fffffff) : INT64_MAX;
        if (strcmp(text, "nan:canonical") == 0)
            return (found & magnitude) == quiet;
        if (strcmp(text, "nan:arithmetic") == 0)
            return (found & quiet) == quiet;
    }
    uint64_t want;
    return parse_scalar(type, text, &want) && want == found;
}

static bool lanes_match(const struct json *value, const uint64_t *cells) {
    const char *lane = json_text(value, "lane_type");
    if (!lane)
        return false;
    unsigned bits = lane_bits(lane), at = 0;
    uint64_t mask = bits == 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
    json_foreach(part, json_get(value, "value")) {
        if (at >= 128 || !part->text || !scalar_matches(lane, part->text, cells[at / 64] >> at % 64 & mask))
            return false;
        at += bits;
    }
    return at == 128;
}

static bool value_matches(const struct json *value, const uint64_t *cells) {
    const char *type = json_text(value, "type");
    return type &&
           (is_v128(value) ? lanes_match(value, cells) : scalar_matches(type, json_text(value, "value"), *cells));
}

bool value_either_matches(const struct json *list, const uint64_t *cells, char *out_why, size_t size) {
    json_foreach(value, list) if (value_matches(value, cells)) return true;
    snprintf(out_why, size, "none of the %u results wanted: 0x%" PRIx64 " 0x%" PRIx64, json_count(list), cells[0],
             list->first && is_v128(list->first) ? cells[1] : 0);
    return false;
}

bool value_results_match(const struct json *list, const uint64_t *cells, char *out_why, size_t size) {
    unsigned i = 0;
    json_foreach(value, list) {
        const char *type = json_text(value, "type"), *text = json_text(value, "value");
        bool vector = is_v128(value);
        if (!value_matches(value, cells)) {
            snprintf(out_why, size, "result %u: wanted %s %s, found 0x%" PRIx64, i, type ? type : "?",
                     text     ? text
                     : vector ? "(lanes)"
                              : "not null",
                     *cells);
            if (vector)
                snprintf(out_why + strlen(out_why), size - strlen(out_why), " 0x%" PRIx64, cells[1]);
            return false;
        }
        cells += vector ? 2 : 1;
        i++;
    }
    return true;
}
