/* A bug of ours: say what broke and where, and exit with code 70 (EX_SOFTWARE).  Never used for the user's input. */
#ifndef WASMETAL_IR_UTIL_ICE_H
#define WASMETAL_IR_UTIL_ICE_H

#define ICE(...) ice_at(__FILE__, __LINE__, __VA_ARGS__)
#define ICE_UNLESS(cond) ((cond) ? (void)0 : ICE("assertion failed: %s", #cond))

_Noreturn void ice_at(const char *file, int line, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Called once, before the process exits, with `user`: the driver dumps the IR under work here. */
void ice_set_dump_hook(void (*hook)(void *user), void *user);

#endif
