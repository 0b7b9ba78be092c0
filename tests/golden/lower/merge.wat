;; A local set on both paths of an if is one result of it; one that is dead afterwards is none.
(module
  (func (param $c i32) (result i32) (local $x i32) (local $t i32)
    (if (local.get $c)
      (then (local.set $t (i32.const 3)) (local.set $x (i32.mul (local.get $t) (local.get $t))))
      (else (local.set $x (i32.const 5))))
    (if (i32.eqz (local.get $c)) (then (local.set $x (i32.add (local.get $x) (i32.const 1)))))
    (local.get $x)))
;;| module "module"
;;| type 0 (i32) -> (i32)
;;| func 0 "func[0]" type=0 at=0x18,0x40,0x2 (%0:i32) -> (i32) {
;;|   %1:i32 = i32.const 0 !0x18
;;|   %2:i32 = if L0 %0 !0x1d {
;;|     %3:i32 = i32.const 3 !0x1f
;;|     %4:i32 = i32.mul %3, %3 !0x27
;;|     yield %4 !0x2a
;;|   } else {
;;|     %5:i32 = i32.const 5 !0x2b
;;|     yield %5 !0x2f
;;|   }
;;|   %6:i32 = i32.eqz %0 !0x32
;;|   %7:i32 = if L1 %6 !0x33 {
;;|     %8:i32 = i32.const 1 !0x37
;;|     %9:i32 = i32.add %2, %8 !0x39
;;|     yield %9 !0x3c
;;|   } else {
;;|     yield %2 !0x3c
;;|   }
;;|   return %7 !0x3f
;;| }
;;| code_section 0x16
