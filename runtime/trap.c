/* Entering compiled code, and leaving it by a trap.
 *
 * Every entry from C pushes a frame with a jump buffer on a list of the thread; a trap jumps to the newest one.  Traps
 * come from wm_rt_trap, or from a fault:
 *
 *   - an access past the end of a guarded memory hits inaccessible pages of its reservation: "out of bounds memory
 *     access".  The module's trap map turns the program counter into a wasm offset;
 *   - a stack that runs out faults next to the stack pointer: "call stack exhausted".
 *
 * The handlers run on an alternate stack (the ordinary one may be what ran out) and take only faults of a thread that
 * is in compiled code: while a host function or a driver runs (rt_host_begin) a fault is theirs and goes on to whoever
 * handled the signal before us, and jumping over their frames could leave locks held.  That is also why a host function
 * is not begun with little stack left.
 */
#define _GNU_SOURCE /* REG_RIP, pthread_getattr_np */
#include "runtime/instance.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ucontext.h>
#include <unistd.h>

struct entry {
    sigjmp_buf jump;
    struct entry *previous;
    struct wasmetal_instance *instance;
    volatile unsigned host_depth;
    uint32_t exit_code;
    uintptr_t stack_low; /* least address that compiled code may use; 0: unknown (a coroutine's stack) */
    uintptr_t frame;     /* an address in the frame of rt_enter */
    struct rt_exn *held; /* exceptions that handlers may throw again */
    struct wm_exception *thrown;
    size_t stack_share; /* a quarter of what was left on entry: the most that host functions are promised */
    wasmetal_trap trap;
};

struct thread_stack {
    uintptr_t low, high;
    bool known;
};

/* Initial-exec: the handler reads it, on threads that may never have touched it, and the dynamic model may allocate. */
static _Thread_local struct entry *current_entry __attribute__((tls_model("initial-exec")));
static _Thread_local struct thread_stack thread_stack;
static _Thread_local bool has_signal_stack;

/* ---- program counter and stack pointer of a fault ---- */

static uintptr_t context_pc(const ucontext_t *c) {
#if defined(__linux__) && defined(__x86_64__)
    return (uintptr_t)c->uc_mcontext.gregs[REG_RIP];
#elif defined(__linux__) && defined(__aarch64__)
    return (uintptr_t)c->uc_mcontext.pc;
#elif defined(__APPLE__) && defined(__aarch64__)
    return (uintptr_t)__darwin_arm_thread_state64_get_pc(c->uc_mcontext->__ss);
#elif defined(__APPLE__) && defined(__x86_64__)
    return (uintptr_t)c->uc_mcontext->__ss.__rip;
#else
#error "say where a signal context keeps the program counter on this system"
#endif
}

static uintptr_t context_sp(const ucontext_t *c) {
#if defined(__linux__) && defined(__x86_64__)
    return (uintptr_t)c->uc_mcontext.gregs[REG_RSP];
#elif defined(__linux__) && defined(__aarch64__)
    return (uintptr_t)c->uc_mcontext.sp;
#elif defined(__APPLE__) && defined(__aarch64__)
    return (uintptr_t)__darwin_arm_thread_state64_get_sp(c->uc_mcontext->__ss);
#else
    return (uintptr_t)c->uc_mcontext->__ss.__rsp;
#endif
}

/* ---- what a trap says ---- */

static const struct {
    uint32_t code;
    const char *text;
} trap_texts[] = {
#define IR_TRAP(id, value, text) {value, text},
#include "ir/ir_traps.def"
};

const char *wasmetal_trap_text(uint32_t code) {
    for (size_t i = 0; i < sizeof trap_texts / sizeof *trap_texts; i++) {
        if (trap_texts[i].code == code) {
            return trap_texts[i].text;
        }
    }
    return "unknown trap";
}

static void trap_fill(wasmetal_trap *t, const struct wm_module *m, uint32_t code, uint64_t function, uint64_t offset) {
    *t = (wasmetal_trap){.code = code,
                         .function = WASMETAL_NO_FUNCTION,
                         .offset = offset,
                         .function_name = "",
                         .text = wasmetal_trap_text(code)};
    if (m && function < m->nfuncs) {
        t->function = (uint32_t)function;
        t->function_name = m->funcs[function].name ? m->funcs[function].name : "";
    }
}

/* The function whose body holds the wasm offset: bodies stand in the file in index order. */
static uint64_t function_at(const struct wm_module *m, uint64_t offset) {
    uint64_t lo = m->nfunc_imports, hi = m->nfuncs;
    while (lo < hi) {
        uint64_t mid = lo + (hi - lo) / 2;
        if (m->funcs[mid].wasm_offset <= offset) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo > m->nfunc_imports ? lo - 1 : WM_NONE;
}

/* The last entry at or before `pc`; WM_NONE when there is none.  Zero entries at the end are padding. */
static uint64_t offset_at(const struct wm_trap_map *map, uintptr_t pc) {
    uint64_t lo = 0, hi = map->nentries, at = pc - (uintptr_t)map->code_start;
    while (lo < hi) {
        uint64_t mid = lo + (hi - lo) / 2, e = map->entries[mid];
        if (e != 0 && (e & UINT32_MAX) <= at) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo && map->entries[lo - 1] >> 32 ? map->entries[lo - 1] >> 32 : WM_NONE;
}

static const struct wm_module *module_at(const struct wasmetal_instance *list, uintptr_t pc) {
    for (; list; list = list->next) {
        const struct wm_trap_map *map = &list->module->trap_map;
        if (pc >= (uintptr_t)map->code_start && pc < (uintptr_t)map->code_end) {
            return list->module;
        }
    }
    return NULL;
}

static void trap_fill_pc(wasmetal_trap *t, const struct rt_group *g, uint32_t code, uintptr_t pc) {
    const struct wm_module *m = module_at(g->instances, pc);
    m = m ? m : module_at(g->zombies, pc);
    uint64_t offset = m ? offset_at(&m->trap_map, pc) : WM_NONE;
    trap_fill(t, m, code, offset == WM_NONE ? WM_NONE : function_at(m, offset), offset);
}

_Noreturn void wm_rt_trap(struct wm_vmctx *ctx, uint64_t code, uint64_t where) {
    struct entry *e = current_entry;
    if (!e) {
        abort(); /* compiled code that nobody entered through rt_enter */
    }
    uint64_t offset = where & UINT32_MAX;
    trap_fill(&e->trap, ctx->module, (uint32_t)code, where >> 32,
              offset == 0 || offset == UINT32_MAX ? WASMETAL_NO_OFFSET : offset);
    siglongjmp(e->jump, 1);
}

/* ---- faults ---- */

static struct sigaction previous_segv, previous_bus;

static void pass_on(int sig, siginfo_t *info, void *context) {
    const struct sigaction *p = sig == SIGSEGV ? &previous_segv : &previous_bus;
    if (!(p->sa_flags & SA_SIGINFO) && (p->sa_handler == SIG_DFL || p->sa_handler == SIG_IGN)) {
        /* Nobody there: let the fault happen again under the default action; a signal sent by kill() is sent again. */
        struct sigaction dfl = {.sa_handler = SIG_DFL};
        sigaction(sig, &dfl, NULL);
        if (info->si_code <= 0) {
            raise(sig);
        }
        return;
    }
    sigset_t blocked = p->sa_mask, itself, old;
    sigemptyset(&itself);
    sigaddset(&itself, sig);
    pthread_sigmask(SIG_BLOCK, &blocked, &old);
    if (p->sa_flags & SA_NODEFER) {
        pthread_sigmask(SIG_UNBLOCK, &itself, NULL);
    }
    if (p->sa_flags & SA_SIGINFO) {
        p->sa_sigaction(sig, info, context);
    } else {
        p->sa_handler(sig);
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static bool inside(const struct rt_memory *m, uintptr_t address) {
    return address - (uintptr_t)m->reservation < m->reserved;
}

static bool in_shared_memory(const struct wasmetal_instance *list, uintptr_t address) {
    for (; list; list = list->next) {
        for (uint64_t i = 0; i < list->nown_memories; i++) {
            if (inside(list->own_memories[i], address)) {
                return true;
            }
        }
    }
    return false;
}

static bool in_reservation(const struct rt_group *g, uintptr_t address) {
    for (const struct rt_memory *m = g->memories; m; m = m->next) {
        if (inside(m, address)) {
            return true;
        }
    }
    return in_shared_memory(g->instances, address) || in_shared_memory(g->zombies, address);
}

static bool in_stack_guard(const struct entry *e, uintptr_t address, uintptr_t sp) {
    /* Frames larger than a page are probed page by page, so the first fault is near the stack pointer or near the end
     * of the stack (the kernel keeps 1 MiB free under a stack that grows). */
    const uintptr_t near_sp = (uintptr_t)64 << 10, gap = (uintptr_t)1 << 20;
    return address - (sp - near_sp) < 2 * near_sp || (e->stack_low && address - (e->stack_low - gap) < gap + near_sp);
}

/* Out of the handler, with the signal mask that the fault interrupted: entries do not save one, calls would cost more.
 */
static _Noreturn void leave_handler(struct entry *e, const ucontext_t *context) {
    pthread_sigmask(SIG_SETMASK, &context->uc_sigmask, NULL);
    siglongjmp(e->jump, 1);
}

static void on_fault(int sig, siginfo_t *info, void *context) {
    int saved_errno = errno;
    struct entry *e = current_entry;
    if (e && e->host_depth == 0 && info->si_code > 0) {
        const struct rt_group *g = rt_group_root(e->instance->group);
        uintptr_t address = (uintptr_t)info->si_addr, pc = context_pc(context);
        if (in_reservation(g, address)) {
            trap_fill_pc(&e->trap, g, IR_TRAP_MEMORY_BOUNDS, pc);
            leave_handler(e, context);
        }
        if (in_stack_guard(e, address, context_sp(context))) {
            trap_fill_pc(&e->trap, g, IR_TRAP_STACK_EXHAUSTED, pc);
            leave_handler(e, context);
        }
    }
    pass_on(sig, info, context);
    errno = saved_errno;
}

/* ---- once a process, once a thread ---- */

static pthread_once_t init_once = PTHREAD_ONCE_INIT;
static bool init_ok;
static pthread_key_t signal_stack_key;

static void free_signal_stack(void *p) {
    stack_t off = {.ss_flags = SS_DISABLE}, now;
    if (sigaltstack(NULL, &now) == 0 && now.ss_sp == p) {
        sigaltstack(&off, NULL);
    }
    size_t bytes = ((size_t *)p)[0];
    munmap((uint8_t *)p - (size_t)sysconf(_SC_PAGESIZE), bytes);
    has_signal_stack = false; /* another destructor of the thread may still call a module */
}

static bool install(int sig, struct sigaction *previous) {
    struct sigaction act = {.sa_flags = SA_SIGINFO | SA_ONSTACK}, now;
    act.sa_sigaction = on_fault;
    sigemptyset(&act.sa_mask);
    if (sigaction(sig, NULL, &now) != 0) {
        return false;
    }
    if ((now.sa_flags & SA_SIGINFO) && now.sa_sigaction == on_fault) {
        return true;
    }
    *previous = now; /* before ours can be called */
    return sigaction(sig, &act, NULL) == 0;
}

static bool install_both(void) {
    return install(SIGSEGV, &previous_segv) && install(SIGBUS, &previous_bus);
}

static void init(void) {
    init_ok = pthread_key_create(&signal_stack_key, free_signal_stack) == 0 && install_both();
}

bool rt_trap_init(void) {
    pthread_once(&init_once, init);
    return init_ok;
}

wasmetal_status wasmetal_install_fault_handlers(void) {
    return rt_trap_init() && install_both() ? WASMETAL_OK : WASMETAL_ERROR_OUT_OF_MEMORY;
}

/* Gives the thread an alternate signal stack unless it has one.  Freed when the thread ends. */
static bool open_signal_stack(void) {
    stack_t now;
    if (sigaltstack(NULL, &now) != 0) {
        return false;
    }
    if (!(now.ss_flags & SS_DISABLE)) {
        has_signal_stack = true;
        return true;
    }
    size_t page = (size_t)sysconf(_SC_PAGESIZE), bytes = ((size_t)64 << 10) + page;
    uint8_t *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) {
        return false;
    }
    mprotect(p, page, PROT_NONE);
    stack_t s = {.ss_sp = p + page, .ss_size = bytes - page};
    *(size_t *)(void *)(p + page) = bytes; /* the far end: handlers start from the other */
    if (sigaltstack(&s, NULL) != 0 || pthread_setspecific(signal_stack_key, p + page) != 0) {
        stack_t off = {.ss_flags = SS_DISABLE};
        sigaltstack(&off, NULL);
        munmap(p, bytes);
        return false;
    }
    has_signal_stack = true;
    return true;
}

static void find_thread_stack(void) {
    thread_stack.known = true;
#if defined(__linux__)
    pthread_attr_t attr;
    if (pthread_getattr_np(pthread_self(), &attr) == 0) {
        void *low;
        size_t size, guard = 0;
        if (pthread_attr_getstack(&attr, &low, &size) == 0) {
            pthread_attr_getguardsize(&attr, &guard); /* counted inside or outside, as the C library likes */
            thread_stack.low = (uintptr_t)low + guard;
            thread_stack.high = (uintptr_t)low + size;
        }
        pthread_attr_destroy(&attr);
    }
#elif defined(__APPLE__)
    thread_stack.high = (uintptr_t)pthread_get_stackaddr_np(pthread_self());
    thread_stack.low = thread_stack.high - pthread_get_stacksize_np(pthread_self());
#endif
}

/* ---- entering ---- */

static bool has_stack(const struct entry *e, size_t stack) {
    size_t need = stack < e->stack_share ? stack : e->stack_share;
    return !e->stack_low || (uintptr_t)__builtin_frame_address(0) >= e->stack_low + need;
}

bool rt_host_begin(size_t stack) {
    struct entry *e = current_entry;
    if (e) {
        if (!has_stack(e, stack)) {
            return false;
        }
        e->host_depth = e->host_depth + 1;
    }
    return true;
}

void rt_host_end(void) {
    struct entry *e = current_entry;
    if (e) {
        e->host_depth = e->host_depth - 1;
    }
}

struct rt_exn **rt_entry_exceptions(void) {
    return &current_entry->held;
}

uintptr_t rt_entry_frame(void) {
    return current_entry->frame;
}

bool rt_throw_begin(struct wm_vmctx *ctx, struct wm_exception *thrown, uint64_t where, size_t stack) {
    struct entry *e = current_entry;
    if (!e) {
        abort(); /* compiled code that nobody entered through rt_enter */
    }
    if (!rt_host_begin(stack)) {
        return false;
    }
    uint64_t offset = where & UINT32_MAX;
    trap_fill(&e->trap, ctx->module, IR_TRAP_EXCEPTION, where >> 32,
              offset == 0 || offset == UINT32_MAX ? WASMETAL_NO_OFFSET : offset);
    e->thrown = thrown;
    return true;
}

void rt_leave_uncaught(void) {
    siglongjmp(current_entry->jump, 1);
}

void rt_set_exit_code(uint32_t code) {
    if (current_entry) {
        current_entry->exit_code = code;
    }
}

wasmetal_status rt_enter(struct wasmetal_instance *in, wm_trampoline *trampoline, struct wm_vmctx *ctx, void *fn,
                         uint64_t *args_results, wasmetal_trap *out_trap) {
    if (!has_signal_stack && !open_signal_stack()) {
        rt_log(in, RT_LOG_SIGNALS, "no alternate signal stack: %s", strerror(errno));
        return WASMETAL_ERROR_OUT_OF_MEMORY;
    }
    if (!thread_stack.known) {
        find_thread_stack();
    }
    struct entry e;
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    e.previous = current_entry;
    e.instance = in;
    e.host_depth = 0;
    e.exit_code = 0;
    e.frame = here;
    e.held = NULL;
    e.stack_low = here > thread_stack.low && here < thread_stack.high ? thread_stack.low : 0;
    e.stack_share = e.stack_low ? (here - e.stack_low) / 4 : 0;
    if (sigsetjmp(e.jump, 0) == 0) {
        atomic_signal_fence(memory_order_seq_cst);
        current_entry = &e;
        trampoline(ctx, fn, args_results);
        atomic_signal_fence(memory_order_seq_cst);
        current_entry = e.previous;
        rt_exceptions_release(e.held);
        return WASMETAL_OK;
    }
    current_entry = e.previous;
    rt_exceptions_release(e.held);
    wasmetal_status status = WASMETAL_TRAP;
    if (e.trap.code == IR_TRAP_EXCEPTION) {
        status = WASMETAL_EXCEPTION;
        rt_exception_keep(in, e.thrown);
    }
    if (e.trap.code == IR_TRAP_EXIT) {
        status = WASMETAL_EXIT;
        e.trap.exit_code = e.exit_code;
        rt_set_exit_code(e.exit_code); /* an outer host function may hand the exit on */
    }
    if (out_trap) {
        *out_trap = e.trap;
    }
    return status;
}
