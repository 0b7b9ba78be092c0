;; Code behind a branch is dropped up to the end of its block; a block whose end nobody reaches is followed by unreachable.
(module
  (func (param i32) (result i32)
    (block $a
      (loop $forever
        (block $b
          (br_table $a $b (local.get 0))
          (i32.const 9) (drop)
          (loop (br 0)))
        (local.set 0 (i32.add (local.get 0) (i32.const 1)))
        (br $forever)
        (unreachable))
      (local.set 0 (i32.const 77)))
    (local.get 0)))
;;| module "module"
;;| type 0 (i32) -> (i32)
;;| func 0 "func[0]" type=0 at=0x18,0x42,0x2 (%0:i32) -> (i32) {
;;|   %1:i32 = block L0 !0x19 {
;;|     loop L1 (%2:i32 = %0) !0x1b {
;;|       block L2 !0x1d {
;;|         br_table %2, L0(%2), L2 !0x21
;;|       }
;;|       %3:i32 = i32.const 1 !0x30
;;|       %4:i32 = i32.add %2, %3 !0x32
;;|       br L1(%4) !0x35
;;|     }
;;|     unreachable !0x38
;;|   }
;;|   return %1 !0x41
;;| }
;;| code_section 0x16
