/* Keeps one of LLVM's own warnings away from users.
 *
 * On AArch64 LLVM 19 writes "warning: incomplete propagation of SelectionDAG::NodeExtraInfo" to standard error whenever
 * a store of zero carries !pcsections metadata (host_places.c): the note travels on to the constant, and the constant
 * becomes a copy of the zero register, which is newer than the note expects.  The store itself keeps its note.  The C
 * interface has no way to hear or silence such lines, so standard error goes to a file while LLVM works, and everything
 * else in it is passed on afterwards.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backends/host/host_internal.h"

static const char noise[] = "warning: incomplete propagation of SelectionDAG::NodeExtraInfo\n";

void host_noise_begin(struct host_noise *n) {
    *n = (struct host_noise){.file = tmpfile(), .real = -1};
    if (!n->file)
        return;
    fflush(stderr);
    n->real = dup(STDERR_FILENO);
    if (n->real >= 0 && dup2(fileno(n->file), STDERR_FILENO) >= 0)
        return;
    if (n->real >= 0)
        close(n->real);
    fclose(n->file);
    *n = (struct host_noise){.real = -1};
}

void host_noise_end(struct host_noise *n) {
    if (!n->file)
        return;
    fflush(stderr);
    dup2(n->real, STDERR_FILENO);
    close(n->real);
    rewind(n->file);
    char line[4096];
    while (fgets(line, sizeof line, n->file))
        if (strcmp(line, noise) != 0)
            fputs(line, stderr);
    fclose(n->file);
    *n = (struct host_noise){.real = -1};
}
