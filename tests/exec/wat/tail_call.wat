;; Tail calls take the caller's frame: far deeper than calls can go.
;; call: even i32:100001 => i32:0
;; call: even i32:100000 => i32:1
;; call: swap i32:100001 i64:7 => i64:7 i32:100001
;; call: table i32:20000 => i64:20000
;; call: deep i32:3 => i32:6
;; call: deep i32:100000000 => trap call stack exhausted
;; call: wrong => trap indirect call type mismatch
;; call: traps => trap integer divide by zero
(module
  (table funcref (elem $count $even))
  (func $even (export "even") (param i32) (result i32)
    (if (result i32) (i32.eqz (local.get 0))
      (then (i32.const 1))
      (else (return_call $odd (i32.sub (local.get 0) (i32.const 1))))))
  (func $odd (param i32) (result i32)
    (if (result i32) (i32.eqz (local.get 0))
      (then (i32.const 0))
      (else (return_call $even (i32.sub (local.get 0) (i32.const 1))))))
  (func (export "swap") (param i32 i64) (result i64 i32)
    (return_call $swapped (local.get 1) (local.get 0)))
  (func $swapped (param i64 i32) (result i64 i32) (local.get 0) (local.get 1))
  (func $count (param i32 i64) (result i64)
    (block $done
      (br_if $done (i32.eqz (local.get 0)))
      (return_call_indirect (param i32 i64) (result i64)
        (i32.sub (local.get 0) (i32.const 1)) (i64.add (local.get 1) (i64.const 1)) (i32.const 0)))
    (local.get 1))
  (func (export "table") (param i32) (result i64) (return_call $count (local.get 0) (i64.const 0)))
  (func $deep (export "deep") (param i32) (result i32)
    (if (result i32) (i32.eqz (local.get 0))
      (then (i32.const 0))
      (else (i32.add (local.get 0) (call $deep2 (i32.sub (local.get 0) (i32.const 1)))))))
  (func $deep2 (param i32) (result i32) (return_call $deep (local.get 0)))
  (func (export "wrong") (result i64) (return_call_indirect (param i32 i64) (result i64)
    (i32.const 1) (i64.const 1) (i32.const 1)))
  (func $divide (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0)))
  (func (export "traps") (result i32) (return_call $divide (i32.const 0))))
