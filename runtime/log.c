/* Messages: to the embedder's hook, or to standard error up to the level that WASMETAL_LOG names. */
#include "runtime/instance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    enum rt_log_id id;
    int level;
} levels[] = {
#define RT_LOG(id, number, level, meaning) {RT_LOG_##id, WASMETAL_LOG_##level},
#include "runtime/log.def"
};

static const char *const level_names[] = {"error", "warning", "info", "debug"};

static int parse_level(const char *text) {
    if (!strcmp(text, "off")) {
        return -1;
    }
    for (int i = 0; i < 4; i++) {
        if (!strcmp(text, level_names[i])) {
            return i;
        }
    }
    return -2;
}

void rt_log_init(struct wasmetal_instance *in, const wasmetal_instance_desc *desc) {
    in->log = desc->log;
    in->log_user = desc->log_user;
    in->log_level = WASMETAL_LOG_ERROR;
    const char *text = desc->no_environment ? NULL : getenv("WASMETAL_LOG");
    if (!in->log && text && *text) {
        int level = parse_level(text);
        if (level == -2) {
            rt_log(in, RT_LOG_ENVIRONMENT, "WASMETAL_LOG=%.40s: expected off, error, warning, info or debug", text);
        } else {
            in->log_level = level;
        }
    }
}

void rt_log_forward(void *user, int level, const char *id, const char *message) {
    struct wasmetal_instance *in = user;
    if (in->log) {
        in->log(in->log_user, level, id, message);
        return;
    }
    if (level <= in->log_level) {
        const char *name = level >= 0 && level < 4 ? level_names[level] : "debug";
        fprintf(stderr, "wasmetal: %s: %s: %s\n", name, id, message);
    }
}

void rt_log(struct wasmetal_instance *in, enum rt_log_id id, const char *fmt, ...) {
    char message[512], name[16];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    snprintf(name, sizeof name, "WMR%04d", (int)id);
    int level = WASMETAL_LOG_ERROR;
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        if (levels[i].id == id) {
            level = levels[i].level;
        }
    }
    rt_log_forward(in, level, name, message);
}
