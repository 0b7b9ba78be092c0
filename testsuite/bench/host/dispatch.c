// A stack machine whose operations are called through a table of functions: indirect calls.
// n: 3000000
typedef unsigned u32;
struct vm {
    u32 stack[16], sp, pc, steps;
    const unsigned char *code;
};
typedef void op(struct vm *);

static void op_push(struct vm *v) {
    v->stack[v->sp++ & 15] = v->code[v->pc++];
}
static void op_add(struct vm *v) {
    v->sp--;
    v->stack[(v->sp - 1) & 15] += v->stack[v->sp & 15];
}
static void op_mul(struct vm *v) {
    v->sp--;
    v->stack[(v->sp - 1) & 15] *= v->stack[v->sp & 15];
}
static void op_xor(struct vm *v) {
    v->sp--;
    v->stack[(v->sp - 1) & 15] ^= v->stack[v->sp & 15];
}
static void op_dup(struct vm *v) {
    v->stack[v->sp & 15] = v->stack[(v->sp - 1) & 15];
    v->sp++;
}
static void op_rot(struct vm *v) {
    u32 *p = &v->stack[(v->sp - 1) & 15];
    *p = *p << 5 | *p >> 27;
}
static void op_jump(struct vm *v) {
    v->pc = 2;
}
static op *const ops[] = {op_push, op_add, op_mul, op_xor, op_dup, op_rot, op_jump};

__attribute__((export_name("run"))) u32 run(u32 n) {
    static const unsigned char code[] = {0, 7, 4, 5, 0, 13, 2, 3, 5, 0, 77, 1, 6};
    struct vm v = {.code = code};
    for (u32 i = 0; i < n * 10; i++)
        ops[v.code[v.pc++]](&v);
    return v.stack[0] ^ v.sp;
}
