;; For `wasmetal explain`: a program's own loops, and those of what passes for a C library.
(module
  (import "env" "report" (func $report (param i32)))
  (memory (export "memory") 1)
  ;; Row sums in source order, inside a loop that calls out.
  (func $row_sums (export "row_sums") (param $in i32) (param $out i32) (param $n i32)
    (local $i i32) (local $j i32) (local $s f32)
    (loop $rows
      (local.set $s (f32.const 0))
      (local.set $j (i32.const 0))
      (loop $row
        (local.set $s (f32.add (local.get $s)
          (f32.load (i32.add (local.get $in) (i32.shl (i32.add (i32.mul (local.get $i) (local.get $n)) (local.get $j))
                                                      (i32.const 2))))))
        (br_if $row (i32.lt_s (local.tee $j (i32.add (local.get $j) (i32.const 1))) (local.get $n))))
      (f32.store (i32.add (local.get $out) (i32.shl (local.get $i) (i32.const 2))) (local.get $s))
      (call $report (local.get $i))
      (br_if $rows (i32.lt_s (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n)))))
  ;; Called by the library only.
  (func $digits (param $at i32) (param $x i32) (result i32)
    (loop $next
      (i32.store8 (local.get $at) (i32.add (i32.const 48) (i32.rem_u (local.get $x) (i32.const 10))))
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (br_if $next (local.tee $x (i32.div_u (local.get $x) (i32.const 10)))))
    (local.get $at))
  ;; Called by both, so the program's own.
  (func $clear (param $at i32) (param $n i32)
    (loop $next
      (i32.store8 (local.get $at) (i32.const 0))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func $printf_core (param $at i32)
    (local $i i32)
    (loop $a (loop $b (loop $c
      (call $clear (local.get $at) (i32.const 100))
      (local.set $at (call $digits (local.get $at) (i32.load (local.get $at))))
      (br_if $c (i32.load (local.get $at))))
      (br_if $b (i32.load offset=4 (local.get $at))))
      (br_if $a (i32.load offset=8 (local.get $at)))))
  (func (export "main")
    (call $clear (i32.const 0) (i32.const 4000))
    (call $row_sums (i32.const 0) (i32.const 4096) (i32.const 30))
    (call $printf_core (i32.const 8192))))
