// Powers of three as big numbers in 32-bit limbs, printed in base 1e9: carries and 64-bit divisions.
// n: 16000
typedef unsigned u32;
typedef unsigned long long u64;
static u32 limb[1000], digits[1100];

__attribute__((export_name("run"))) u32 run(u32 n) {
    u32 used = 1, sum = 0;
    for (u32 i = 0; i < 1000; i++)
        limb[i] = 0;
    limb[0] = 1;
    for (u32 t = 0; t < n && used < 999; t++) {
        u64 carry = 0;
        for (u32 i = 0; i < used; i++) {
            carry += (u64)limb[i] * 3;
            limb[i] = (u32)carry;
            carry >>= 32;
        }
        if (carry)
            limb[used++] = (u32)carry;
    }
    u32 count = 0;
    while (used) {
        u64 rest = 0;
        for (u32 i = used; i-- > 0;) {
            rest = rest << 32 | limb[i];
            limb[i] = (u32)(rest / 1000000000u);
            rest %= 1000000000u;
        }
        digits[count++ % 1100] = (u32)rest;
        while (used && !limb[used - 1])
            used--;
    }
    for (u32 i = 0; i < count; i++)
        sum = sum * 31 + digits[i % 1100];
    return sum;
}
