/* What happens when LLVM gives up; see fatal.h.
 *
 * A fatal error comes with a reason, through the handler that LLVM has for it.  Want of memory comes as SIGABRT, on any
 * thread, with locks of malloc and stdio possibly held: the text is made beforehand and written with write().
 */
#include "compiler/fatal.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backends/host/host.h"
#include "compiler/driver.h"

static struct {
    struct diag *diag;
    struct sigaction before;
    char *text;
    size_t length;
} fatal; /* a signal handler has no other way to it */

static void on_abort(int sig) {
    (void)sig;
    for (size_t done = 0; done < fatal.length;) {
        ssize_t n = write(STDERR_FILENO, fatal.text + done, fatal.length - done);
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    _exit(EXIT_INPUT);
}

static void on_fatal_error(const char *reason) {
    diag_error(fatal.diag, DIAG_LLVM, DIAG_NO_OFFSET, -1, NULL, "LLVM: %s", reason);
    fflush(NULL);
    _exit(EXIT_INPUT);
}

void fatal_begin(struct diag *d) {
    fatal.diag = d;
    fatal.text = NULL;
    fatal.length = 0;
    FILE *out = open_memstream(&fatal.text, &fatal.length);
    if (!out)
        return; /* no memory even for this: LLVM's own words must do */
    struct diag copy = *d;
    copy.out = out;
    copy.errors = 0;
    diag_error(&copy, DIAG_LLVM, DIAG_NO_OFFSET, -1, NULL,
               "LLVM stopped while it compiled the module, most likely for want of memory");
    fclose(out);
    struct sigaction act = {.sa_handler = on_abort};
    sigemptyset(&act.sa_mask);
    sigaction(SIGABRT, &act, &fatal.before);
    host_set_fatal_handler(on_fatal_error);
}

void fatal_end(void) {
    if (!fatal.text)
        return;
    host_set_fatal_handler(NULL);
    sigaction(SIGABRT, &fatal.before, NULL);
    free(fatal.text);
    fatal.text = NULL;
}
