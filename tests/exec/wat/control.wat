;; Blocks, loops, branches: results, parameters, merged locals, code that is never reached.
(module
  (type $pair (func (param i32 i32) (result i32 i32)))
  (func (export "swap") (type $pair) (local.get 1) (local.get 0) (block (type $pair) (br 0))
    (block (type $pair) (return)) (unreachable))
  (func (export "swap2") (param i32 i32) (result i32 i32)
    (local.get 1) (local.get 0) (block (type $pair)))
  ;; A loop with parameters and results of wasm's own beside carried locals.
  (func (export "loop_params") (param $n i32) (result i32 i64) (local $sum i64)
    (i32.const 1)
    (loop $l (param i32) (result i32)
      (local.set $sum (i64.add (local.get $sum) (i64.extend_i32_u (local.get $n))))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (i32.const 3) (i32.mul)
      (br_if $l (local.get $n)))
    (local.get $sum))
  (func (export "if_params") (param i32) (result i32)
    (i32.const 10) (i32.const 20)
    (local.get 0) (if (param i32 i32) (result i32) (then (i32.sub)) (else (i32.add))))
  (func (export "if_no_else") (param i32) (result i32)
    (i32.const 5) (local.get 0) (if (param i32) (result i32) (then (i32.const 2) (i32.mul))))
  (func (export "br_table") (param i32) (result i32) (local i32)
    (block $d (block $c (block $b (block $a
      (br_table $a $b $c $a $d (local.get 0)))
      (local.set 1 (i32.const 100)) (br $d))
      (local.set 1 (i32.const 200)))
      (local.set 1 (i32.add (local.get 1) (i32.const 1))))
    (local.get 1))
  (func (export "br_table_value") (param i32) (result i32)
    (block $a (result i32) (block $b (result i32)
      (br_table $a $b (i32.const 7) (local.get 0)))
      (i32.add (i32.const 1000))))
  (func (export "br_table_loop") (param i32) (result i32) (local i32)
    (block $out (loop $l
      (local.set 1 (i32.add (local.get 1) (local.get 0)))
      (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
      (br_table $out $l $l $out $l (local.get 0))))
    (local.get 1))
  ;; Branches to the function's own label.
  (func (export "br_function") (param i32) (result i32)
    (br_if 0 (i32.const 11) (i32.eqz (local.get 0)))
    (i32.add (i32.const 1))
    (block (param i32) (result i32) (br_table 1 0 1 (local.get 0)))
    (i32.add (i32.const 22)))
  (func (export "only_br_if") (param i32) (br_if 0 (local.get 0)))
  (func (export "return_inside") (param i32) (result i32)
    (loop $l
      (if (i32.gt_s (local.get 0) (i32.const 100)) (then (return (local.get 0))))
      (local.set 0 (i32.mul (local.get 0) (i32.const 3)))
      (br $l))
    (i32.const -1))
  ;; A local set on one path only, and a scratch local that is set before each use.
  (func (export "one_path") (param i32) (result i32) (local $x i32) (local $t i32)
    (if (local.get 0) (then (local.set $x (i32.const 5))))
    (loop $l
      (local.set $t (i32.mul (local.get $x) (i32.const 2)))
      (local.set $x (i32.add (local.get $t) (i32.const 1)))
      (br_if $l (i32.lt_u (local.get $x) (i32.const 1000))))
    (i32.sub (local.get $x) (local.get $t)))
  ;; Set in one iteration, read in a later one: carried although each path looks harmless.
  (func (export "carried") (param $n i32) (result i32) (local $x i32) (local $r i32)
    (loop $l
      (if (i32.and (local.get $n) (i32.const 1))
        (then (local.set $x (local.get $n)))
        (else (local.set $r (i32.add (local.get $r) (local.get $x)))))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $r))
  (func (export "fib_swap") (param $n i32) (result i64) (local $a i64) (local $b i64) (local $t i64)
    (local.set $b (i64.const 1))
    (block $done
      (loop $l
        (br_if $done (i32.eqz (local.get $n)))
        (local.set $t (local.get $a))
        (local.set $a (local.get $b))
        (local.set $b (i64.add (local.get $t) (local.get $b)))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $l)))
    (local.get $a))
  (func (export "nested") (param $n i32) (result i32) (local $i i32) (local $j i32) (local $s i32)
    (loop $outer
      (local.set $j (i32.const 0))
      (block $skip
        (loop $inner
          (br_if $skip (i32.gt_u (local.get $j) (local.get $i)))
          (local.set $s (i32.add (i32.mul (local.get $s) (i32.const 31)) (i32.xor (local.get $i) (local.get $j))))
          (local.set $j (i32.add (local.get $j) (i32.const 1)))
          (br_if $inner (i32.lt_u (local.get $j) (local.get $n)))
          (br_if $outer (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n)))))
      (br_if $outer (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (local.get $s))
  (func (export "dead_code") (param i32) (result i32) (local f64)
    (block (result i32)
      (br 0 (local.get 0))
      (loop (br 0))
      (if (result i32) (then (i32.const 1)) (else (i32.const 2)))
      (block (result f64) (f64.const 1)) (local.set 1)
      (i32.add)))
  (func (export "dead_then") (param i32) (result i32)
    (if (result i32) (local.get 0) (then (unreachable)) (else (i32.const 4))))
  (func (export "dead_end") (param i32) (result i32)
    (block (block (br_if 0 (local.get 0)) (return (i32.const 1))) (return (i32.const 2)))
    (i32.const 3))
  (func (export "select") (param i32) (result i32 f64)
    (select (i32.const 1) (i32.const 2) (local.get 0))
    (select (result f64) (f64.const 1.5) (f64.const -0) (local.get 0)))
  (func (export "tee") (param i32) (result i32)
    (i32.mul (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (local.get 0)))
  (func (export "zeros") (result i32 i64 f32 f64 i32) (local i32 i64 f32 f64 funcref)
    (local.get 0) (local.get 1) (local.get 2) (local.get 3) (ref.is_null (local.get 4))))
;; call: swap i32:1 i32:2 => i32:2 i32:1
;; call: swap2 i32:1 i32:2 => i32:2 i32:1
;; call: loop_params i32:5 => i32:243 i64:15
;; call: if_params i32:0 => i32:30
;; call: if_params i32:1 => i32:-10
;; call: if_no_else i32:0 => i32:5
;; call: if_no_else i32:1 => i32:10
;; call: br_table i32:0 => i32:100
;; call: br_table i32:1 => i32:201
;; call: br_table i32:2 => i32:1
;; call: br_table i32:3 => i32:100
;; call: br_table i32:4 => i32:0
;; call: br_table i32:-1 => i32:0
;; call: br_table_value i32:0 => i32:7
;; call: br_table_value i32:1 => i32:1007
;; call: br_table_loop i32:9 => i32:39
;; call: br_table_loop i32:2 => i32:3
;; call: br_function i32:0 => i32:11
;; call: br_function i32:1 => i32:34
;; call: br_function i32:2 => i32:12
;; call: only_br_if i32:0 =>
;; call: only_br_if i32:1 =>
;; call: return_inside i32:2 => i32:162
;; call: one_path i32:0 => i32:1
;; call: one_path i32:1 => i32:1
;; call: carried i32:9 => i32:24
;; call: carried i32:10 => i32:24
;; call: fib_swap i32:0 => i64:0
;; call: fib_swap i32:90 => i64:2880067194370816120
;; call: nested i32:0 => i32:0
;; call: nested i32:7 => i32:-1622872896
;; call: dead_code i32:42 => i32:42
;; call: dead_then i32:0 => i32:4
;; call: dead_then i32:1 => trap unreachable
;; call: dead_end i32:0 => i32:1
;; call: dead_end i32:1 => i32:2
;; call: select i32:0 => i32:2 f64:-0
;; call: select i32:1 => i32:1 f64:1.5
;; call: tee i32:6 => i32:49
;; call: zeros => i32:0 i64:0 f32:0 f64:0 i32:1
