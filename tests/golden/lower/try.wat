(module
  (tag $t (param i32))
  (func $f (param i32) (result i32) (throw $t (local.get 0)))
  (func $g (param i32) (result i32) (local i32)
    (try (result i32)
      (do (local.set 1 (i32.const 5)) (call $f (local.get 0)))
      (catch $t (i32.add (local.get 1)))))
  (func $h (try (do (drop (call $f (i32.const 1)))) (catch_all (rethrow 0)))))
;;| module "module"
;;| type 0 (i32) -> ()
;;| type 1 (i32) -> (i32)
;;| type 2 () -> ()
;;| tag 0 type=0
;;| func 0 "f" type=1 at=0x26,0x2c,0x2 (%0:i32) -> (i32) {
;;|   %1:exnref = exn.new 0 %0 !0x29
;;|   throw %1 !0x29
;;| }
;;| func 1 "g" type=1 at=0x2d,0x41,0x9 (%0:i32) -> (i32) {
;;|   %1:i32 = i32.const 0 !0x2d
;;|   %2:i32 = block L0 !0x30 {
;;|     %3:exnref, %4:i32 = block L1 !0x30 {
;;|       %5:i32 = i32.const 5 !0x32
;;|       %6:i32 = call 0 %0 !0x38  ; "f"
;;|       %7:i32, %8:exnref = thrown !0x38
;;|       br_if %7, L1(%8, %5) !0x38
;;|       br L0(%6) !0x3a
;;|     }
;;|     %9:i32 = exn.is 0 %3 !0x3a
;;|     if L2 %9 !0x3a {
;;|       %10:i32 = exn.get 0 %3 !0x3a
;;|       exn.drop %3 !0x3a
;;|       %11:i32 = i32.add %10, %4 !0x3e
;;|       br L0(%11) !0x3f
;;|     } else {
;;|       yield !0x3a
;;|     }
;;|     throw %3 !0x3f
;;|   }
;;|   return %2 !0x40
;;| }
;;| func 2 "h" type=2 at=0x42,0x4f,0x1e () {
;;|   block L0 !0x43 {
;;|     %0:exnref = block L1 !0x43 {
;;|       %1:i32 = i32.const 1 !0x45
;;|       %2:i32 = call 0 %1 !0x47  ; "f"
;;|       %3:i32, %4:exnref = thrown !0x47
;;|       br_if %3, L1(%4) !0x47
;;|       br L0 !0x4a
;;|     }
;;|     exn.hold %0 !0x4a
;;|     %5:exnref = exn.copy %0 !0x4b
;;|     throw %5 !0x4b
;;|   }
;;|   return !0x4e
;;| }
;;| code_section 0x24
