;; What clang makes of `for (i = 0; i < n; i++) a[i] = a[i] * k`: a guard, then do-while.  Pointer and counter are carried;
;; k and the scratch local are not.
(module
  (memory 1)
  (func $scale (param $a i32) (param $n i32) (param $k f32) (local $t f32)
    (block $done
      (br_if $done (i32.lt_s (local.get $n) (i32.const 1)))
      (loop $next
        (local.set $t (f32.mul (f32.load (local.get $a)) (local.get $k)))
        (f32.store (local.get $a) (local.get $t))
        (local.set $a (i32.add (local.get $a) (i32.const 4)))
        (br_if $next (local.tee $n (i32.add (local.get $n) (i32.const -1))))))))
;;| module "module"
;;| type 0 (i32, i32, f32) -> ()
;;| memory 0 min=1
;;| func 0 "scale" type=0 at=0x1e,0x50,0x2 (%0:i32, %1:i32, %2:f32) {
;;|   %3:f32 = f32.const 0 !0x1e
;;|   block L0 !0x21 {
;;|     %4:i32 = i32.const 1 !0x25
;;|     %5:i32 = i32.lt_s %1, %4 !0x27
;;|     br_if %5, L0 !0x28
;;|     loop L1 (%6:i32 = %0, %7:i32 = %1) !0x2a {
;;|       %8:f32 = f32.load %6 !0x2e
;;|       %9:f32 = f32.mul %8, %2 !0x33
;;|       f32.store %6, %9 !0x3a
;;|       %10:i32 = i32.const 4 !0x3f
;;|       %11:i32 = i32.add %6, %10 !0x41
;;|       %12:i32 = i32.const -1 !0x46
;;|       %13:i32 = i32.add %7, %12 !0x48
;;|       br_if %13, L1(%11, %13) !0x4b
;;|       yield !0x4d
;;|     }
;;|     yield !0x4e
;;|   }
;;|   return !0x4f
;;| }
;;| code_section 0x1c
