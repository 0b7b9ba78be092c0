;; A memory with 64-bit addresses: no sum wraps, sizes are i64.
;; call: load i64:8 => i32:1684234849
;; call: load i64:65532 => i32:0
;; call: load i64:65533 => trap out of bounds memory access
;; call: load i64:4294967304 => trap out of bounds memory access
;; call: load i64:-4 => trap out of bounds memory access
;; call: far i64:-8 => trap out of bounds memory access
;; call: far i64:65524 => i32:0
;; call: grow i64:1 => i64:1 i64:2
;; call: grow i64:4 => i64:-1 i64:1
;; call: grow i64:-1 => i64:-1 i64:1
;; call: bulk => i32:1684234849
;; call: fill i64:65535 i64:1 => i32:7
;; call: fill i64:65535 i64:2 => trap out of bounds memory access
;; call: fill i64:0 i64:4294967296 => trap out of bounds memory access
(module
  (memory i64 1 3)
  (data (i64.const 8) "abcdefgh")
  (func (export "load") (param i64) (result i32) (i32.load (local.get 0)))
  (func (export "far") (param i64) (result i32) (i32.load offset=8 (local.get 0)))
  (func (export "grow") (param i64) (result i64 i64) (memory.grow (local.get 0)) (memory.size))
  (func (export "bulk") (result i32)
    (memory.copy (i64.const 1000) (i64.const 8) (i64.const 8))
    (i32.load (i64.const 1000)))
  (func (export "fill") (param i64 i64) (result i32)
    (memory.fill (local.get 0) (i32.const 7) (local.get 1))
    (i32.load8_u (local.get 0))))
