;; Memory, tables, globals, calls, references.
(module
  (type $bin (func (param i32 i32) (result i32)))
  (type $none (func))
  (memory (export "memory") 1 3)
  (table $t 6 funcref)
  (table $u 3 10 funcref)
  (global $g (mut i64) (i64.const -7))
  (global $h i32 (i32.const 40))
  (elem (i32.const 1) $add $sub $nop)
  (elem $e func $sub $add)
  (data (i32.const 0) "\ff\80\01\7f\00\00\80\bf")
  (data $p "abcdef")
  (func $add (type $bin) (i32.add (local.get 0) (local.get 1)))
  (func $sub (type $bin) (i32.sub (local.get 0) (local.get 1)))
  (func $nop (type $none))
  (func (export "loads") (param i32) (result i32 i32 i32 i32 i32 i64 i64 i64 i64 i64 i64)
    (i32.load8_s (local.get 0)) (i32.load8_u (local.get 0)) (i32.load16_s (local.get 0)) (i32.load16_u (local.get 0))
    (i32.load (local.get 0)) (i64.load8_s (local.get 0)) (i64.load8_u (local.get 0)) (i64.load16_s (local.get 0))
    (i64.load16_u offset=1 align=1 (local.get 0)) (i64.load32_s offset=4 (local.get 0)) (i64.load32_u offset=4 (local.get 0)))
  (func (export "floats") (result f32 f64) (f32.load (i32.const 4)) (f64.load (i32.const 0)))
  (func (export "stores") (param i64) (result i64 i64)
    (i64.store (i32.const 100) (i64.const -1))
    (i64.store8 (i32.const 100) (local.get 0)) (i64.store16 (i32.const 102) (local.get 0))
    (i64.store32 (i32.const 108) (local.get 0)) (i32.store8 (i32.const 112) (i32.wrap_i64 (local.get 0)))
    (i32.store16 offset=4 (i32.const 110) (i32.wrap_i64 (local.get 0)))
    (i64.load (i32.const 100)) (i64.load (i32.const 108)))
  (func (export "store_load_float") (param f32 f64) (result f32 f64)
    (f32.store (i32.const 200) (local.get 0)) (f64.store (i32.const 204) (local.get 1))
    (f32.load (i32.const 200)) (f64.load (i32.const 204)))
  (func (export "at") (param i32) (result i32) (i32.load (local.get 0)))
  (func (export "at_offset") (param i32) (result i32) (i32.load offset=4294967295 (local.get 0)))
  (func (export "grow") (param i32) (result i32 i32 i32) (memory.size) (memory.grow (local.get 0)) (memory.size))
  (func (export "bulk") (param i32) (result i64 i64)
    (memory.init $p (i32.const 300) (i32.const 1) (i32.const 5))
    (memory.fill (i32.const 305) (i32.const 0x1ee) (i32.const 3))
    (memory.copy (i32.const 302) (i32.const 300) (local.get 0))
    (i64.load (i32.const 300)) (i64.load (i32.const 308)))
  (func (export "bulk_trap") (param i32 i32) (memory.fill (local.get 0) (i32.const 1) (local.get 1)))
  (func (export "drop_then_init") (param i32)
    (data.drop $p) (memory.init $p (i32.const 0) (i32.const 0) (local.get 0)))
  (func (export "globals") (param i64) (result i64 i64 i32)
    (global.get $g) (global.set $g (local.get 0)) (global.get $g) (global.get $h))
  (func (export "indirect") (param i32) (result i32)
    (call_indirect (type $bin) (i32.const 30) (i32.const 12) (local.get 0)))
  (func (export "tables") (result i32 i32 i32 i32 i32)
    (table.init $u $e (i32.const 0) (i32.const 0) (i32.const 2))
    (table.copy $t $u (i32.const 4) (i32.const 0) (i32.const 2))
    (table.set $u (i32.const 2) (ref.func $nop))
    (table.size $u) (table.grow $u (ref.null func) (i32.const 4)) (table.size $u)
    (ref.is_null (table.get $u (i32.const 6)))
    (call_indirect (type $bin) (i32.const 1) (i32.const 2) (i32.const 4)))
  (func $even (export "even") (param i32) (result i32)
    (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 1)) (else (call $odd (i32.sub (local.get 0) (i32.const 1))))))
  (func $odd (param i32) (result i32)
    (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 0)) (else (call $even (i32.sub (local.get 0) (i32.const 1))))))
  (func $three (param i32) (result i32 i64 f32) (local.get 0) (i64.const 2) (f32.const 3))
  (func (export "multi") (result f32 i32) (local f32 i64)
    (call $three (i32.const 9)) (local.set 0) (local.set 1)
    (i32.add (i32.wrap_i64 (local.get 1))) (local.set 1 (i64.extend_i32_u))
    (local.get 0) (i32.wrap_i64 (local.get 1)))
  (func (export "forever") (call $forever))
  (func $forever (call $forever)))
;; call: loads i32:0 => i32:-1 i32:255 i32:-32513 i32:33023 i32:2130804991 i64:-1 i64:255 i64:-32513 i64:384 i64:-1082130432 i64:3212836864
;; call: floats => f32:-1 f64:-0.00781250369635744
;; call: stores i64:-4822678189205112 => i64:-1719074936 i64:-7383651001809856120
;; call: store_load_float f32:-1.25 f64:nan => f32:-1.25 f64:nan
;; call: at i32:65532 => i32:0
;; call: at i32:65533 => trap out of bounds memory access
;; call: at i32:-1 => trap out of bounds memory access
;; call: at_offset i32:0 => trap out of bounds memory access
;; call: grow i32:1 => i32:1 i32:1 i32:2
;; call: grow i32:2 => i32:1 i32:1 i32:3
;; call: bulk i32:6 => i64:-1268214763219688606 i64:0
;; call: bulk_trap i32:65530 i32:7 => trap out of bounds memory access
;; call: bulk_trap i32:65536 i32:0 =>
;; call: bulk_trap i32:65537 i32:0 => trap out of bounds memory access
;; call: drop_then_init i32:0 =>
;; call: drop_then_init i32:1 => trap out of bounds memory access
;; call: globals i64:99 => i64:-7 i64:99 i32:40
;; call: indirect i32:1 => i32:42
;; call: indirect i32:2 => i32:18
;; call: indirect i32:3 => trap
;; call: indirect i32:4 => trap
;; call: indirect i32:6 => trap undefined element
;; call: tables => i32:3 i32:3 i32:7 i32:1 i32:-1
;; call: even i32:101 => i32:0
;; call: forever => trap call stack exhausted
;; call: multi => f32:3 i32:11
