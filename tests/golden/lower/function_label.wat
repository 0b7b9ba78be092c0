;; A conditional branch to the function's own label wraps the body in a block; a plain one is a return.
(module
  (func $conditional (param i32) (result i32)
    (br_if 0 (i32.const 1) (local.get 0))
    (drop)
    (i32.const 2))
  (func $plain (param i32) (result i32)
    (block (br_if 0 (local.get 0)) (br 1 (i32.const 1)))
    (i32.const 2)))
;;| module "module"
;;| type 0 (i32) -> (i32)
;;| func 0 "conditional" type=0 at=0x19,0x24,0x2 (%0:i32) -> (i32) {
;;|   %1:i32 = block L0 !0x19 {
;;|     %2:i32 = i32.const 1 !0x1a
;;|     br_if %0, L0(%2) !0x1e
;;|     %3:i32 = i32.const 2 !0x21
;;|     yield %3 !0x23
;;|   }
;;|   return %1 !0x23
;;| }
;;| func 1 "plain" type=0 at=0x25,0x34,0xe (%0:i32) -> (i32) {
;;|   block L0 !0x26 {
;;|     br_if %0, L0 !0x2a
;;|     %1:i32 = i32.const 1 !0x2c
;;|     return %1 !0x2e
;;|   }
;;|   %2:i32 = i32.const 2 !0x31
;;|   return %2 !0x33
;;| }
;;| code_section 0x17
