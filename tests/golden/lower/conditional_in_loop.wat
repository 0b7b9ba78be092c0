;; $t is set before each read in the iteration, on one path only: not carried.  $last is read in a later iteration: carried.
(module
  (func (param $n i32) (result i32) (local $t i32) (local $last i32) (local $sum i32)
    (loop $l
      (if (i32.and (local.get $n) (i32.const 1))
        (then
          (local.set $t (i32.mul (local.get $n) (i32.const 7)))
          (local.set $last (i32.xor (local.get $last) (local.get $t)))
          (local.set $sum (i32.add (local.get $sum) (local.get $t)))))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i32.add (local.get $sum) (local.get $last))))
;;| module "module"
;;| type 0 (i32) -> (i32)
;;| func 0 "func[0]" type=0 at=0x18,0x4a,0x2 (%0:i32) -> (i32) {
;;|   %1:i32 = i32.const 0 !0x18
;;|   %2:i32, %3:i32 = loop L0 (%4:i32 = %1, %5:i32 = %1, %6:i32 = %0) !0x1b {
;;|     %7:i32 = i32.const 1 !0x1f
;;|     %8:i32 = i32.and %6, %7 !0x21
;;|     %9:i32, %10:i32 = if L1 %8 !0x22 {
;;|       %11:i32 = i32.const 7 !0x26
;;|       %12:i32 = i32.mul %6, %11 !0x28
;;|       %13:i32 = i32.xor %4, %12 !0x2f
;;|       %14:i32 = i32.add %5, %12 !0x36
;;|       yield %13, %14 !0x39
;;|     } else {
;;|       yield %4, %5 !0x39
;;|     }
;;|     %15:i32 = i32.const 1 !0x3c
;;|     %16:i32 = i32.sub %6, %15 !0x3e
;;|     br_if %16, L0(%9, %10, %16) !0x41
;;|     yield %9, %10 !0x43
;;|   }
;;|   %17:i32 = i32.add %3, %2 !0x48
;;|   return %17 !0x49
;;| }
;;| code_section 0x16
