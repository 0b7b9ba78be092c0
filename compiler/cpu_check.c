/* Whether LLVM knows a processor and its features.
 *
 * LLVM's C interface cannot say.  For a name it does not know it writes a line to standard error and goes on with a
 * processor that has no features at all, which on some targets ends in an abort; a feature that it does not know it
 * ignores after such a line.  So an empty module is compiled in a
 * child process, and the line looked for in what the child writes.
 */
#include "compiler/cpu_check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ir/ir_build.h"
#include "ir/util/strbuf.h"

static _Noreturn void compile_empty(const struct host_options *options) {
    struct host_options o = *options;
    struct host_object object;
    char *error;
    o.metadata = NULL;
    _exit(host_compile(ir_module_new(), &o, &object, &error) ? 0 : 1);
}

enum cpu_check cpu_check(const struct host_options *options) {
    int ends[2];
    host_native_triple(); /* LLVM is set up here, not in every child */
    if (pipe(ends) != 0)
        return CPU_KNOWN;
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        compile_empty(options);
    }
    close(ends[1]);
    struct strbuf text = {0};
    char block[512];
    for (ssize_t n; (n = read(ends[0], block, sizeof block)) > 0 || (n < 0 && errno == EINTR);)
        if (n > 0)
            strbuf_add_bytes(&text, block, (size_t)n);
    close(ends[0]);
    if (child > 0)
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
            ;
    enum cpu_check result = CPU_KNOWN;
    if (text.data && strstr(text.data, "is not a recognized processor"))
        result = CPU_UNKNOWN;
    else if (text.data && strstr(text.data, "is not a recognized feature"))
        result = CPU_FEATURE_UNKNOWN;
    strbuf_free(&text);
    return result;
}
