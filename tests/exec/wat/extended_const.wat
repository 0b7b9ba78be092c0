;; Arithmetic in the initialisers of globals and segments; the official spec's extended constant expressions.
;; call: total => i32:33
;; call: wide => i64:-9
;; call: byte => i32:90
;; call: through_table => i32:5
(module
  (global $a i32 (i32.sub (i32.mul (i32.const 6) (i32.const 7)) (i32.add (i32.const 4) (i32.const 5))))
  (global $b i64 (i64.mul (i64.const -3) (i64.add (i64.const 1) (i64.const 2))))
  (memory 1)
  (table 8 funcref)
  (data (i32.add (i32.const 10) (i32.const 11)) "Z")
  (elem (i32.sub (i32.const 10) (i32.const 7)) $five)
  (func $five (result i32) (i32.const 5))
  (func (export "total") (result i32) (global.get $a))
  (func (export "wide") (result i64) (global.get $b))
  (func (export "byte") (result i32) (i32.load8_u (i32.const 21)))
  (func (export "through_table") (result i32) (call_indirect (result i32) (i32.const 3))))
