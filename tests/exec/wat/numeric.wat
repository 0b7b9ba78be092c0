;; Every numeric operation once, and the corners of those that have some.
(module
  (func (export "i32") (param i32 i32) (result i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)
    (i32.add (local.get 0) (local.get 1)) (i32.sub (local.get 0) (local.get 1)) (i32.mul (local.get 0) (local.get 1))
    (i32.and (local.get 0) (local.get 1)) (i32.or (local.get 0) (local.get 1)) (i32.xor (local.get 0) (local.get 1))
    (i32.shl (local.get 0) (local.get 1)) (i32.shr_s (local.get 0) (local.get 1)) (i32.shr_u (local.get 0) (local.get 1))
    (i32.rotl (local.get 0) (i32.rotr (local.get 1) (local.get 0))))
  (func (export "i32bits") (param i32) (result i32 i32 i32 i32 i32 i32)
    (i32.clz (local.get 0)) (i32.ctz (local.get 0)) (i32.popcnt (local.get 0)) (i32.eqz (local.get 0))
    (i32.extend8_s (local.get 0)) (i32.extend16_s (local.get 0)))
  (func (export "i32cmp") (param i32 i32) (result i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)
    (i32.eq (local.get 0) (local.get 1)) (i32.ne (local.get 0) (local.get 1))
    (i32.lt_s (local.get 0) (local.get 1)) (i32.lt_u (local.get 0) (local.get 1))
    (i32.gt_s (local.get 0) (local.get 1)) (i32.gt_u (local.get 0) (local.get 1))
    (i32.le_s (local.get 0) (local.get 1)) (i32.le_u (local.get 0) (local.get 1))
    (i32.ge_s (local.get 0) (local.get 1)) (i32.ge_u (local.get 0) (local.get 1)))
  (func (export "i32div") (param i32 i32) (result i32 i32 i32 i32)
    (i32.div_u (local.get 0) (local.get 1)) (i32.rem_u (local.get 0) (local.get 1))
    (i32.rem_s (local.get 0) (local.get 1)) (i32.div_s (local.get 0) (local.get 1)))
  (func (export "i64") (param i64 i64) (result i64 i64 i64 i64 i64 i64 i64 i64 i64 i64)
    (i64.add (local.get 0) (local.get 1)) (i64.sub (local.get 0) (local.get 1)) (i64.mul (local.get 0) (local.get 1))
    (i64.and (local.get 0) (local.get 1)) (i64.or (local.get 0) (local.get 1)) (i64.xor (local.get 0) (local.get 1))
    (i64.shl (local.get 0) (local.get 1)) (i64.shr_s (local.get 0) (local.get 1)) (i64.shr_u (local.get 0) (local.get 1))
    (i64.rotl (local.get 0) (i64.rotr (local.get 1) (local.get 0))))
  (func (export "i64bits") (param i64) (result i64 i64 i64 i32 i64 i64 i64)
    (i64.clz (local.get 0)) (i64.ctz (local.get 0)) (i64.popcnt (local.get 0)) (i64.eqz (local.get 0))
    (i64.extend8_s (local.get 0)) (i64.extend16_s (local.get 0)) (i64.extend32_s (local.get 0)))
  (func (export "i64cmp") (param i64 i64) (result i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)
    (i64.eq (local.get 0) (local.get 1)) (i64.ne (local.get 0) (local.get 1))
    (i64.lt_s (local.get 0) (local.get 1)) (i64.lt_u (local.get 0) (local.get 1))
    (i64.gt_s (local.get 0) (local.get 1)) (i64.gt_u (local.get 0) (local.get 1))
    (i64.le_s (local.get 0) (local.get 1)) (i64.le_u (local.get 0) (local.get 1))
    (i64.ge_s (local.get 0) (local.get 1)) (i64.ge_u (local.get 0) (local.get 1)))
  (func (export "i64div") (param i64 i64) (result i64 i64 i64 i64)
    (i64.div_u (local.get 0) (local.get 1)) (i64.rem_u (local.get 0) (local.get 1))
    (i64.rem_s (local.get 0) (local.get 1)) (i64.div_s (local.get 0) (local.get 1)))
  (func (export "f32") (param f32 f32) (result f32 f32 f32 f32 f32 f32 f32)
    (f32.add (local.get 0) (local.get 1)) (f32.sub (local.get 0) (local.get 1)) (f32.mul (local.get 0) (local.get 1))
    (f32.div (local.get 0) (local.get 1)) (f32.min (local.get 0) (local.get 1)) (f32.max (local.get 0) (local.get 1))
    (f32.copysign (local.get 0) (local.get 1)))
  (func (export "f32one") (param f32) (result f32 f32 f32 f32 f32 f32 f32)
    (f32.abs (local.get 0)) (f32.neg (local.get 0)) (f32.ceil (local.get 0)) (f32.floor (local.get 0))
    (f32.trunc (local.get 0)) (f32.nearest (local.get 0)) (f32.sqrt (local.get 0)))
  (func (export "f32cmp") (param f32 f32) (result i32 i32 i32 i32 i32 i32)
    (f32.eq (local.get 0) (local.get 1)) (f32.ne (local.get 0) (local.get 1)) (f32.lt (local.get 0) (local.get 1))
    (f32.gt (local.get 0) (local.get 1)) (f32.le (local.get 0) (local.get 1)) (f32.ge (local.get 0) (local.get 1)))
  (func (export "f64") (param f64 f64) (result f64 f64 f64 f64 f64 f64 f64)
    (f64.add (local.get 0) (local.get 1)) (f64.sub (local.get 0) (local.get 1)) (f64.mul (local.get 0) (local.get 1))
    (f64.div (local.get 0) (local.get 1)) (f64.min (local.get 0) (local.get 1)) (f64.max (local.get 0) (local.get 1))
    (f64.copysign (local.get 0) (local.get 1)))
  (func (export "f64one") (param f64) (result f64 f64 f64 f64 f64 f64 f64)
    (f64.abs (local.get 0)) (f64.neg (local.get 0)) (f64.ceil (local.get 0)) (f64.floor (local.get 0))
    (f64.trunc (local.get 0)) (f64.nearest (local.get 0)) (f64.sqrt (local.get 0)))
  (func (export "f64cmp") (param f64 f64) (result i32 i32 i32 i32 i32 i32)
    (f64.eq (local.get 0) (local.get 1)) (f64.ne (local.get 0) (local.get 1)) (f64.lt (local.get 0) (local.get 1))
    (f64.gt (local.get 0) (local.get 1)) (f64.le (local.get 0) (local.get 1)) (f64.ge (local.get 0) (local.get 1)))
  (func (export "trunc32") (param f32) (result i32 i64)
    (i32.trunc_f32_s (local.get 0)) (i64.trunc_f32_s (local.get 0)))
  (func (export "trunc32u") (param f32) (result i32 i64)
    (i32.trunc_f32_u (local.get 0)) (i64.trunc_f32_u (local.get 0)))
  (func (export "trunc64") (param f64) (result i32 i64)
    (i32.trunc_f64_s (local.get 0)) (i64.trunc_f64_s (local.get 0)))
  (func (export "trunc64u") (param f64) (result i32 i64)
    (i32.trunc_f64_u (local.get 0)) (i64.trunc_f64_u (local.get 0)))
  (func (export "sat32") (param f32) (result i32 i32 i64 i64)
    (i32.trunc_sat_f32_s (local.get 0)) (i32.trunc_sat_f32_u (local.get 0))
    (i64.trunc_sat_f32_s (local.get 0)) (i64.trunc_sat_f32_u (local.get 0)))
  (func (export "sat64") (param f64) (result i32 i32 i64 i64)
    (i32.trunc_sat_f64_s (local.get 0)) (i32.trunc_sat_f64_u (local.get 0))
    (i64.trunc_sat_f64_s (local.get 0)) (i64.trunc_sat_f64_u (local.get 0)))
  (func (export "convert") (param i32 i64) (result f32 f32 f32 f32 f64 f64 f64 f64)
    (f32.convert_i32_s (local.get 0)) (f32.convert_i32_u (local.get 0))
    (f32.convert_i64_s (local.get 1)) (f32.convert_i64_u (local.get 1))
    (f64.convert_i32_s (local.get 0)) (f64.convert_i32_u (local.get 0))
    (f64.convert_i64_s (local.get 1)) (f64.convert_i64_u (local.get 1)))
  (func (export "resize") (param i32 i64 f32 f64) (result i32 i64 i64 f32 f64 i32 i64 f32 f64)
    (i32.wrap_i64 (local.get 1)) (i64.extend_i32_s (local.get 0)) (i64.extend_i32_u (local.get 0))
    (f32.demote_f64 (local.get 3)) (f64.promote_f32 (local.get 2))
    (i32.reinterpret_f32 (local.get 2)) (i64.reinterpret_f64 (local.get 3))
    (f32.reinterpret_i32 (local.get 0)) (f64.reinterpret_i64 (local.get 1))))
;; call: i32 i32:-2147483648 i32:35 => i32:-2147483613 i32:2147483613 i32:-2147483648 i32:0 i32:-2147483613 i32:-2147483613 i32:0 i32:-268435456 i32:268435456 i32:4
;; call: i32 i32:123456789 i32:-987654321 => i32:-864197532 i32:1111111110 i32:67153019 i32:83985669 i32:-948183201 i32:-1032168870 i32:-427130880 i32:3767 i32:3767 i32:-1214633458
;; call: i32bits i32:0 => i32:32 i32:32 i32:0 i32:1 i32:0 i32:0
;; call: i32bits i32:98176 => i32:15 i32:7 i32:9 i32:0 i32:-128 i32:32640
;; call: i32cmp i32:-1 i32:1 => i32:0 i32:1 i32:1 i32:0 i32:0 i32:1 i32:1 i32:0 i32:0 i32:1
;; call: i32cmp i32:7 i32:7 => i32:1 i32:0 i32:0 i32:0 i32:0 i32:0 i32:1 i32:1 i32:1 i32:1
;; call: i32div i32:-7 i32:2 => i32:2147483644 i32:1 i32:-1 i32:-3
;; call: i32div i32:7 i32:0 => trap integer divide by zero
;; call: i32div i32:-2147483648 i32:-1 => trap integer overflow
;; call: i64 i64:-9223372036854775808 i64:67 => i64:-9223372036854775741 i64:9223372036854775741 i64:-9223372036854775808 i64:0 i64:-9223372036854775741 i64:-9223372036854775741 i64:0 i64:-1152921504606846976 i64:1152921504606846976 i64:4
;; call: i64 i64:1234567890123456789 i64:-987654321987654321 => i64:246913568135802468 i64:2222222212111111110 i64:-2456329625975503237 i64:1153485141772435717 i64:-906571573636633249 i64:-2060056715409068966 i64:610869920385368064 i64:37676022037459 i64:37676022037459 i64:2454730618542560529
;; call: i64bits i64:0 => i64:64 i64:64 i64:0 i32:1 i64:0 i64:0 i64:0
;; call: i64bits i64:2147516800 => i64:32 i64:7 i64:4 i32:0 i64:-128 i64:-32384 i64:-2147450496
;; call: i64cmp i64:-1 i64:1 => i32:0 i32:1 i32:1 i32:0 i32:0 i32:1 i32:1 i32:0 i32:0 i32:1
;; call: i64div i64:-7 i64:2 => i64:9223372036854775804 i64:1 i64:-1 i64:-3
;; call: i64div i64:7 i64:0 => trap integer divide by zero
;; call: i64div i64:-9223372036854775808 i64:-1 => trap integer overflow
;; call: f32 f32:0.1 f32:-0.3 => f32:-0.20000001788139343 f32:0.4000000059604645 f32:-0.030000001192092896 f32:-0.3333333134651184 f32:-0.30000001192092896 f32:0.10000000149011612 f32:-0.10000000149011612
;; call: f32 f32:-0 f32:0 => f32:0 f32:-0 f32:-0 f32:nan f32:-0 f32:0 f32:0
;; call: f32 f32:nan f32:1 => f32:nan f32:nan f32:nan f32:nan f32:nan f32:nan f32:nan
;; call: f32 f32:1e-40 f32:3 => f32:3 f32:-3 f32:2.999983830334428e-40 f32:3.3332686570894424e-41 f32:9.99994610111476e-41 f32:3 f32:9.99994610111476e-41
;; call: f32one f32:2.5 => f32:2.5 f32:-2.5 f32:3 f32:2 f32:2 f32:2 f32:1.5811388492584229
;; call: f32one f32:-0.5 => f32:0.5 f32:0.5 f32:-0 f32:-1 f32:-0 f32:-0 f32:nan
;; call: f32one f32:-inf => f32:inf f32:inf f32:-inf f32:-inf f32:-inf f32:-inf f32:nan
;; call: f32cmp f32:nan f32:1 => i32:0 i32:1 i32:0 i32:0 i32:0 i32:0
;; call: f32cmp f32:-0 f32:0 => i32:1 i32:0 i32:0 i32:0 i32:1 i32:1
;; call: f64 f64:0.1 f64:-0.3 => f64:-0.19999999999999998 f64:0.4 f64:-0.03 f64:-0.33333333333333337 f64:-0.3 f64:0.1 f64:-0.1
;; call: f64 f64:-0 f64:0 => f64:0 f64:-0 f64:-0 f64:nan f64:-0 f64:0 f64:0
;; call: f64 f64:1 f64:nan => f64:nan f64:nan f64:nan f64:nan f64:nan f64:nan f64:1
;; call: f64one f64:3.5 => f64:3.5 f64:-3.5 f64:4 f64:3 f64:3 f64:4 f64:1.8708286933869707
;; call: f64one f64:-0.5 => f64:0.5 f64:0.5 f64:-0 f64:-1 f64:-0 f64:-0 f64:nan
;; call: f64cmp f64:1 f64:2 => i32:0 i32:1 i32:1 i32:0 i32:1 i32:0
;; call: f64cmp f64:nan f64:nan => i32:0 i32:1 i32:0 i32:0 i32:0 i32:0
;; call: trunc32 f32:-2147483648 => i32:-2147483648 i64:-2147483648
;; call: trunc32 f32:2147483648 => trap integer overflow
;; call: trunc32 f32:nan => trap invalid conversion to integer
;; call: trunc32u f32:-0.9 => i32:0 i64:0
;; call: trunc32u f32:-1 => trap integer overflow
;; call: trunc64 f64:2147483647.9 => i32:2147483647 i64:2147483647
;; call: trunc64 f64:-2147483649 => trap integer overflow
;; call: trunc64u f64:4294967295.9 => i32:-1 i64:4294967295
;; call: trunc64u f64:4294967296 => trap integer overflow
;; call: sat32 f32:3e9 => i32:2147483647 i32:-1294967296 i64:3000000000 i64:3000000000
;; call: sat32 f32:-inf => i32:-2147483648 i32:0 i64:-9223372036854775808 i64:0
;; call: sat32 f32:nan => i32:0 i32:0 i64:0 i64:0
;; call: sat64 f64:1e19 => i32:2147483647 i32:-1 i64:9223372036854775807 i64:-8446744073709551616
;; call: sat64 f64:-1e30 => i32:-2147483648 i32:0 i64:-9223372036854775808 i64:0
;; call: convert i32:-1 i64:-1 => f32:-1 f32:4294967296 f32:-1 f32:18446744073709552000 f64:-1 f64:4294967295 f64:-1 f64:18446744073709552000
;; call: convert i32:16777217 i64:9007199791611905 => f32:16777216 f32:16777216 f32:9007200328482816 f32:9007200328482816 f64:16777217 f64:16777217 f64:9007199791611904 f64:9007199791611904
;; call: resize i32:-5 i64:-4294967303 f32:1.1 f64:1e-310 => i32:-7 i64:-5 i64:4294967291 f32:0 f64:1.100000023841858 i32:1066192077 i64:20240225330731 f32:nan f64:nan
