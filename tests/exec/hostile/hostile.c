/* Calls the loops of hostile.wat, compiled into this program, as hostile.txt says, in one instance after another call,
 * and prints for each case what became of it:
 *
 *     NAME ; ok|TRAP ; BYTES ; HASH ; LAUNCHES
 *
 * HASH is FNV-1a (Fowler, Noll, Vo; 32 bits) over all of linear memory.  What a kernel does behind linear memory runs
 * into its guard pages and ends this program; in front of it lie canaries, looked at after each case.  hostile.mjs
 * compares the lines with node's.
 *
 *     hostile CASES.txt DEVICE
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* MAP_FIXED_NOREPLACE */
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "wasmetal.h"

extern const wasmetal_module wasmetal_module_hostile;

enum { MAX_ARGS = 8 };

static void fill_pattern(uint8_t *memory, uint64_t bytes) {
    for (uint64_t i = 0; i < bytes; i++)
        memory[i] = (uint8_t)(i * 7 + 13 + (i >> 8));
}

static void put_word(wasmetal_instance *in, uint64_t address, uint32_t v) {
    void *at = wasmetal_memory_at(in, address, sizeof v);
    if (!at) {
        fprintf(stderr, "hostile: setup writes outside memory\n");
        exit(2);
    }
    memcpy(at, &v, sizeof v);
}

static uint32_t number(char **text) {
    return (uint32_t)strtoll(*text, text, 0);
}

static void set_up(wasmetal_instance *in, char *text) {
    fill_pattern(wasmetal_memory_base(in), wasmetal_memory_size(in));
    for (;;) {
        while (*text == ' ')
            text++;
        if (!*text)
            return;
        char what = *text++;
        uint32_t address = number(&text);
        if (what == 'p') {
            put_word(in, address, number(&text));
            continue;
        }
        uint32_t count = number(&text), mul = number(&text), add = number(&text), mod = number(&text);
        for (uint32_t i = 0; i < count; i++)
            put_word(in, address + 4 * i, (mod ? i * mul % mod : i * mul) + add);
    }
}

/* ---- canaries: the pages in front of linear memory, as far as nothing else is there ---- */

enum { CANARY_BYTES = 128 << 10, CANARY = 0xc5 };

static struct {
    uint8_t *pages[CANARY_BYTES / 4096];
    size_t count, page;
} canaries;

static bool place_canaries(uint8_t *base) {
    canaries.page = (size_t)sysconf(_SC_PAGESIZE);
    for (size_t back = canaries.page; back <= CANARY_BYTES; back += canaries.page) {
        void *at = mmap(base - back, canaries.page, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
        if (at == MAP_FAILED)
            continue; /* of the reservation: a guard page */
        if (at != base - back) {
            munmap(at, canaries.page);
            continue;
        }
        memset(at, CANARY, canaries.page);
        canaries.pages[canaries.count++] = at;
    }
    return canaries.count > 0;
}

static bool canaries_live(void) {
    for (size_t k = 0; k < canaries.count; k++)
        for (size_t i = 0; i < canaries.page; i++)
            if (canaries.pages[k][i] != CANARY)
                return false;
    return true;
}

static uint32_t hash(const uint8_t *memory, uint64_t bytes) {
    uint32_t h = 2166136261u;
    for (uint64_t i = 0; i < bytes; i++)
        h = (h ^ memory[i]) * 16777619u;
    return h;
}

static uint64_t launches(const wasmetal_instance *in) {
    wasmetal_stats stats;
    wasmetal_get_stats(in, &stats);
    return stats.launches;
}

static int run_case(wasmetal_instance *in, char *line) {
    char *name = strtok(line, ";"), *call = strtok(NULL, ";"), *setup = strtok(NULL, ";");
    if (!name || !call || !setup)
        return 2;
    name[strcspn(name, ";") - 1] = 0;
    while (*call == ' ')
        call++;
    char *args = call + strcspn(call, " ");
    *args++ = 0;
    wasmetal_export function;
    if (wasmetal_export_find(in, call, &function) != WASMETAL_OK)
        return 2;
    uint64_t cells[MAX_ARGS] = {0};
    for (int n = 0; n < MAX_ARGS && args[strspn(args, " ")]; n++)
        cells[n] = number(&args);
    set_up(in, setup);
    uint64_t before = launches(in);
    wasmetal_trap trap;
    wasmetal_status status = wasmetal_call(in, function.object, cells, &trap);
    uint64_t bytes = wasmetal_memory_size(in);
    printf("%s ; %s ; %llu ; %08x ; %llu\n", name,
           status == WASMETAL_OK     ? "ok"
           : status == WASMETAL_TRAP ? trap.text
                                     : wasmetal_status_text(status),
           (unsigned long long)bytes, hash(wasmetal_memory_base(in), bytes),
           (unsigned long long)(launches(in) - before));
    if (canaries_live())
        return 0;
    fprintf(stderr, "hostile: something was written in front of linear memory\n");
    return 3;
}

int main(int argc, char **argv) {
    FILE *cases = argc == 3 ? fopen(argv[1], "r") : NULL;
    if (!cases) {
        fprintf(stderr, "usage: hostile CASES.txt DEVICE\n");
        return 2;
    }
    wasmetal_instance_desc desc = {.device = argv[2], .min_work = 1};
    wasmetal_instance *in;
    wasmetal_status status = wasmetal_instantiate(&wasmetal_module_hostile, &desc, &in);
    if (status != WASMETAL_OK) {
        fprintf(stderr, "hostile: %s\n", wasmetal_status_text(status));
        return 2;
    }
    if (!place_canaries(wasmetal_memory_base(in))) {
        fprintf(stderr, "hostile: there is no room for a canary\n");
        return 2;
    }
    char line[1024];
    int result = 0;
    while (!result && fgets(line, sizeof line, cases)) {
        line[strcspn(line, "\n")] = 0;
        if (*line && *line != '#')
            result = run_case(in, line);
    }
    wasmetal_free(in);
    fclose(cases);
    if (result)
        fprintf(stderr, "hostile: bad case: %s\n", line);
    return result;
}
