// Recursion: Fibonacci and Ackermann, nothing but calls.
// n: 34
static __attribute__((noinline)) unsigned fib(unsigned n) {
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

static __attribute__((noinline)) unsigned ackermann(unsigned m, unsigned n) {
    return !m ? n + 1 : !n ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1));
}

__attribute__((export_name("run"))) unsigned run(unsigned n) {
    return fib(n) + ackermann(2, 700);
}
